/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One timer for all sessions whose token runs out: their next moments (the warning, then the end) stand in a sequence
 * by time, and the timer is that of the first. It is set anew at least once a minute, because tokens run out by the
 * calendar, which somebody may set while a timer goes by the monotonic clock.
 */
#include "chat/token-expiry.h"

#include "base/error.h"
#include "base/json-writer.h"

#define MAX_WAIT_MS 60000

/* Who has not been welcomed yet is warned so much later: the welcome is the first thing that a client hears. */
#define WELCOME_MS 100

typedef struct
{
  gint64 session_id;
  gint64 due_ms; /* milliseconds since 1970 */
  gint64 expires_ms;
  gboolean warned;
} Moment;

struct _HarkTokenExpiry
{
  HarkHub *hub;      /* unowned */
  HarkClock *clock;  /* (owned) */
  GSequence *times;  /* (element-type Moment) (owned): by due_ms */
  GHashTable *table; /* session id → its iter in @times */
  guint warning_ms;  /* 0: nobody is warned */
  guint timer_id;
  gulong added_id;
  gulong removed_id;
};

static int
compare (gconstpointer a, gconstpointer b, gpointer data)
{
  const Moment *left = a, *right = b;
  if (left->due_ms != right->due_ms)
    return left->due_ms < right->due_ms ? -1 : 1;
  return (left->session_id > right->session_id) - (left->session_id < right->session_id);
}

static void
insert (HarkTokenExpiry *self, Moment *moment)
{
  g_hash_table_insert (self->table, &moment->session_id, g_sequence_insert_sorted (self->times, moment, compare, NULL));
}

static void
forget (HarkTokenExpiry *self, gint64 session_id)
{
  GSequenceIter *iter = g_hash_table_lookup (self->table, &session_id);
  if (iter == NULL)
    return;
  g_hash_table_remove (self->table, &session_id);
  g_sequence_remove (iter);
}

static void
warn (HarkSession *session, gint64 expires_ms)
{
  g_auto (HarkJsonWriter) json = { 0 };
  const char *text;
  gsize len;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", "token_expiring");
  hark_json_writer_member_time (&json, "expires_at", expires_ms);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_session_send_json (session, "token_expiring", text, len);
}

/* @moment: (transfer full): out of the sequence */
static void
come (HarkTokenExpiry *self, Moment *moment, gint64 now_ms)
{
  g_autofree Moment *owned = moment;
  HarkSession *found = hark_hub_get_session (self->hub, moment->session_id);
  g_autoptr (HarkSession) session = found != NULL ? g_object_ref (found) : NULL;
  if (session == NULL)
    return;
  if (moment->expires_ms <= now_ms)
    {
      hark_session_close (session, HARK_CLOSE_UNAUTHENTICATED, "the token has expired");
      return;
    }
  moment->warned = !session->held;
  moment->due_ms = moment->warned ? moment->expires_ms : MIN (now_ms + WELCOME_MS, moment->expires_ms);
  insert (self, g_steal_pointer (&owned));
  if (moment->warned)
    warn (session, moment->expires_ms);
}

static gboolean on_timer (gpointer data);

static void
set_timer (HarkTokenExpiry *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->times);
  gint64 wait_ms;
  hark_clock_clear_timeout (self->clock, &self->timer_id);
  if (g_sequence_iter_is_end (first))
    return;
  wait_ms = ((Moment *)g_sequence_get (first))->due_ms - hark_clock_get_real_ms (self->clock);
  self->timer_id = hark_clock_add_timeout (self->clock, CLAMP (wait_ms, 0, MAX_WAIT_MS), on_timer, self);
}

static gboolean
on_timer (gpointer data)
{
  HarkTokenExpiry *self = data;
  gint64 now_ms = hark_clock_get_real_ms (self->clock);
  GSequenceIter *first;
  self->timer_id = 0;
  while (first = g_sequence_get_begin_iter (self->times), !g_sequence_iter_is_end (first))
    {
      Moment *moment = g_sequence_get (first);
      if (moment->due_ms > now_ms)
        break;
      moment = g_memdup2 (moment, sizeof *moment);
      forget (self, moment->session_id);
      come (self, moment, now_ms);
    }
  set_timer (self);
  return G_SOURCE_REMOVE;
}

static void
watch (HarkTokenExpiry *self, HarkSession *session, gboolean warned)
{
  gint64 expires_ms = session->identity->expires_ms;
  Moment *moment;
  forget (self, session->id);
  if (expires_ms > 0 && session->state != HARK_SESSION_CLOSED)
    {
      moment = g_new0 (Moment, 1);
      moment->session_id = session->id;
      moment->expires_ms = expires_ms;
      moment->warned = warned;
      moment->due_ms = warned ? expires_ms : expires_ms - self->warning_ms;
      insert (self, moment);
    }
  set_timer (self);
}

/* The session has opened, or has another token than before. */
void
hark_token_expiry_renew (HarkTokenExpiry *self, HarkSession *session)
{
  watch (self, session, self->warning_ms == 0);
}

/* Whether a session has been told that its token runs out. */
gboolean
hark_token_expiry_has_warned (HarkTokenExpiry *self, HarkSession *session)
{
  GSequenceIter *iter = g_hash_table_lookup (self->table, &session->id);
  return iter != NULL && ((Moment *)g_sequence_get (iter))->warned;
}

/* @session: of another process, where it was @warned or not */
void
hark_token_expiry_restore (HarkTokenExpiry *self, HarkSession *session, gboolean warned)
{
  watch (self, session, warned || self->warning_ms == 0);
}

static void
on_hub_session_added (HarkHub *hub, HarkSession *session, HarkTokenExpiry *self)
{
  if (session->identity->expires_ms > 0)
    hark_token_expiry_renew (self, session);
}

static void
on_hub_session_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkTokenExpiry *self)
{
  forget (self, session->id);
}

/* @warning_ms: before its token runs out, a session is told; 0: not at all */
HarkTokenExpiry *
hark_token_expiry_new (HarkHub *hub, guint warning_ms)
{
  HarkTokenExpiry *self = g_new0 (HarkTokenExpiry, 1);
  self->hub = hub;
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->times = g_sequence_new (g_free);
  self->table = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->warning_ms = warning_ms;
  self->added_id = g_signal_connect (hub, "session-added", G_CALLBACK (on_hub_session_added), self);
  self->removed_id = g_signal_connect (hub, "session-removed", G_CALLBACK (on_hub_session_removed), self);
  return self;
}

void
hark_token_expiry_free (HarkTokenExpiry *self)
{
  hark_clock_clear_timeout (self->clock, &self->timer_id);
  g_clear_signal_handler (&self->added_id, self->hub);
  g_clear_signal_handler (&self->removed_id, self->hub);
  g_hash_table_unref (self->table);
  g_sequence_free (self->times);
  g_object_unref (self->clock);
  g_free (self);
}
