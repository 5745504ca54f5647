/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An object from one user to another, byte for byte and not stored: to all sessions of the target and to the sender's
 * other ones. Who sent it is written by Hark, whatever the sender wrote. The store is asked only for a target who is
 * not there, to tell "offline" from "nobody".
 */
#include "chat/forward.h"

#include "base/error.h"
#include "chat/request.h"
#include "chat/rows.h"

struct _HarkForward
{
  HarkHub *hub;          /* unowned */
  HarkStore *store;      /* unowned */
  HarkJsonWriter writer; /* for one object at a time: kept, so that forwarding does not allocate */
  HarkCounter *n_forwarded;
};

static gboolean
is_envelope (const HarkJsonValue *member)
{
  return hark_json_slice_equal (member->name, "type") || hark_json_slice_equal (member->name, "ref")
         || hark_json_slice_equal (member->name, "sender");
}

static HarkEvent *
make_event (HarkForward *self, HarkCommand *command, gint64 target)
{
  const HarkJsonObject *args = command->args;
  HarkJsonWriter *json = &self->writer;
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, target);
  gsize len;
  const char *text;
  hark_json_writer_reset (json);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "type", "forwarded");
  for (guint i = 0; i < hark_json_object_get_n_members (args); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (args, i);
      if (!is_envelope (member))
        hark_json_writer_forward (json, member->name, member->raw);
    }
  hark_json_writer_member_id (json, "sender", hark_command_get_user_id (command));
  hark_json_writer_end_object (json);
  text = hark_json_writer_peek (json, &len);
  return hark_event_new (&topic, 0, 0, "forwarded", text, len);
}

/* Encoded once for each wire there is among the receivers. Sending may end sessions, so they are held. */
static void
send_to (GPtrArray *sessions, HarkSession *but, const HarkEvent *event, HarkBuffer *encoded[HARK_MAX_WIRES])
{
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      HarkBuffer **units = &encoded[session->wire->index];
      if (session == but)
        continue;
      if (*units == NULL)
        {
          g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
          session->wire->append_event (session->wire, &builder, event);
          *units = hark_builder_finish (&builder);
        }
      if (*units != NULL)
        hark_session_send_units (session, *units);
    }
}

typedef struct
{
  HarkRequest parent;
  gint64 target;
} FindTarget;

static gboolean
find_target_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  FindTarget *self = data;
  gboolean found;
  gint64 one;
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM users WHERE user_id = ?", "i",
                                     self->target))
    return FALSE;
  g_set_error (error, HARK_ERROR, found ? HARK_ERROR_OFFLINE : HARK_ERROR_NOT_FOUND, "\"target\": %s",
               found ? "the user is not connected" : "there is no such user");
  return FALSE;
}

static void
on_forward (HarkCommand *command, gpointer concern)
{
  HarkForward *self = concern;
  HarkBuffer *encoded[HARK_MAX_WIRES] = { NULL };
  g_autoptr (GPtrArray) receivers = NULL;
  g_autoptr (GPtrArray) echoes = NULL;
  g_autoptr (HarkEvent) event = NULL;
  gint64 target, sender = hark_command_get_user_id (command);
  GError *error = NULL;
  if (!hark_json_object_get_id (command->args, "target", HARK_FIELD_REQUIRED, &target, &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  receivers = hark_hub_dup_user_sessions (self->hub, target);
  if (receivers == NULL)
    {
      FindTarget *request = hark_request_new (sizeof *request, command, concern, NULL);
      request->target = target;
      hark_request_read (request, self->store, find_target_in_thread, NULL);
      return;
    }
  event = make_event (self, command, target);
  if (target != sender)
    echoes = hark_hub_dup_user_sessions (self->hub, sender);
  send_to (receivers, command->session, event, encoded);
  send_to (echoes, command->session, event, encoded);
  for (guint i = 0; i < HARK_MAX_WIRES; i++)
    g_clear_pointer (&encoded[i], hark_buffer_unref);
  hark_counter_add (self->n_forwarded, 1);
  hark_command_end_silently (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "forward", HARK_COMMAND_UNMETERED, "forwards", on_forward },
};

HarkForward *
hark_forward_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics)
{
  HarkForward *self = g_new0 (HarkForward, 1);
  self->hub = hub;
  self->store = store;
  hark_json_writer_init (&self->writer, 0);
  self->n_forwarded = hark_metrics_counter (metrics, "hark_forwarded_total", "Objects forwarded from user to user.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_forward_free (HarkForward *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  hark_json_writer_clear (&self->writer);
  g_free (self);
}
