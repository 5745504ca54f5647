/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every session of a user gets unasked: invitations that wait for an answer and notifications that nobody has
 * acknowledged, then those that come. The two meet as snapshots and updates do: what was read at a revision is sent when
 * the hub has published up to it, and what was published after it follows.
 */
#include "chat/personal.h"

#include "base/error.h"
#include "chat/invitations.h"
#include "chat/notifications.h"
#include "core/event-log.h"

/* Bytes of what is sent unasked; the rest can be asked for. */
#define MAX_BYTES (128 * 1024)
#define MAX_ATTEMPTS 4

struct _HarkPersonal
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  const HarkChatLimits *limits;
};

typedef struct
{
  const char *kind;
  GBytes *json; /* (owned) */
} Frame;

struct _HarkCatchUp
{
  HarkPersonal *personal;
  gint64 session_id;
  gint64 user_id;
  gint64 rev;
  GArray *frames; /* (element-type Frame) */
  const char *kind;
  guint attempts;
};

static void
frame_clear (gpointer data)
{
  g_bytes_unref (((Frame *)data)->json);
}

static void
add_frame (const char *json, gsize len, gpointer data)
{
  HarkCatchUp *self = data;
  Frame frame = { self->kind, g_bytes_new (json, len) };
  g_array_append_val (self->frames, frame);
}

/* Tells that there is more than is sent. */
static void
add_summary (HarkCatchUp *self, gint64 waiting)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", "more_notifications");
  hark_json_writer_member_int (&json, "waiting", waiting);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  self->kind = "more_notifications";
  add_frame (text, len, self);
}

/* In a work, perhaps more than once. */
gboolean
hark_catch_up_read (HarkTransaction *tx, HarkCatchUp *self, GError **error)
{
  guint n_invitations;
  gint64 waiting;
  g_array_set_size (self->frames, 0);
  self->kind = "invitation";
  if (!hark_event_log_get_rev (tx, &self->rev, error)
      || !hark_invitations_read (tx, self->user_id, self->personal->limits->invitations_per_user, add_frame, self,
                                 error))
    return FALSE;
  n_invitations = self->frames->len;
  self->kind = "notification";
  if (!hark_notifications_read (tx, self->user_id, self->personal->limits->notification_page, MAX_BYTES, add_frame,
                                self, &waiting, error))
    return FALSE;
  if (waiting > self->frames->len - n_invitations)
    add_summary (self, waiting);
  return TRUE;
}

HarkCatchUp *
hark_catch_up_new (HarkPersonal *personal, gint64 session_id, gint64 user_id)
{
  HarkCatchUp *self = g_new0 (HarkCatchUp, 1);
  self->personal = personal;
  self->session_id = session_id;
  self->user_id = user_id;
  self->frames = g_array_new (FALSE, FALSE, sizeof (Frame));
  g_array_set_clear_func (self->frames, frame_clear);
  return self;
}

void
hark_catch_up_free (HarkCatchUp *self)
{
  g_array_unref (self->frames);
  g_free (self);
}

static gboolean
read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  return hark_catch_up_read (tx, data, error);
}

/* The hub has published much between the reading and now, or the store cannot answer: the client comes back. */
static void
give_up (HarkCatchUp *self)
{
  HarkSession *session = hark_hub_get_session (self->personal->hub, self->session_id);
  if (session != NULL)
    hark_session_close (session, HARK_CLOSE_TRY_LATER, "what waits for its user cannot be read");
  hark_catch_up_free (self);
}

static void
on_read_again (gpointer data, const GError *error, gpointer user_data)
{
  if (error == NULL)
    hark_catch_up_send (data);
  else
    give_up (data);
}

static void
on_published (gpointer data)
{
  HarkCatchUp *self = data;
  HarkHub *hub = self->personal->hub;
  HarkSession *session = hark_hub_get_session (hub, self->session_id);
  g_autoptr (HarkSession) hold = NULL;
  if (session == NULL)
    {
      hark_catch_up_free (self);
      return;
    }
  if (!hark_hub_remembers (hub, self->rev))
    {
      if (self->attempts++ < MAX_ATTEMPTS)
        hark_store_read (self->personal->store, read_in_thread, self, NULL, on_read_again, NULL);
      else
        give_up (self);
      return;
    }
  hold = g_object_ref (session);
  for (guint i = 0; i < self->frames->len; i++)
    {
      Frame *frame = &g_array_index (self->frames, Frame, i);
      gsize len;
      const char *json = g_bytes_get_data (frame->json, &len);
      hark_session_send_json (session, frame->kind, json, len);
    }
  /* Fails for a session that has ended meanwhile: then there is nobody to tell. */
  hark_hub_join_personal (hub, session, self->rev, NULL);
  hark_catch_up_free (self);
}

/**
 * hark_catch_up_send:
 * @self: (transfer full): read, for a session that has been welcomed
 *
 * Sends what was read, and lets the session have what follows.
 */
void
hark_catch_up_send (HarkCatchUp *self)
{
  hark_hub_when_published (self->personal->hub, self->rev, on_published, self);
}

/* What comes meanwhile is in what is read, or follows it: so it is not sent until then. */
static void
on_catch_up (HarkCommand *command, gpointer concern)
{
  HarkPersonal *self = concern;
  HarkSession *session = command->session;
  if (session == NULL)
    {
      hark_command_take_error (command,
                               g_error_new (HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"catch_up\" is for sessions"));
      hark_command_unref (command);
      return;
    }
  session->personal = FALSE;
  hark_store_read (self->store, read_in_thread, hark_catch_up_new (self, session->id, session->identity->user_id), NULL,
                   on_read_again, NULL);
  hark_command_end_silently (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "catch_up", HARK_COMMAND_NONE, NULL, on_catch_up },
};

HarkPersonal *
hark_personal_new (HarkHub *hub, HarkStore *store, const HarkChatLimits *limits)
{
  HarkPersonal *self = g_new0 (HarkPersonal, 1);
  self->hub = hub;
  self->store = store;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_personal_free (HarkPersonal *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
