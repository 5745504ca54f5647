/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is there, as others should see it: on with the first session, off when the grace time after the last one's end
 * has passed. The timers of all who may be leaving are one: a page of ten thousand users that reloads would otherwise
 * make ten thousand sources.
 */
#include "core/presence.h"

typedef struct
{
  gint64 user_id;
  gint64 due; /* microseconds, monotonic; 0: here */
} Leaving;

struct _HarkPresence
{
  GObject parent_instance;
  HarkHub *hub;     /* unowned: outlives us */
  HarkClock *clock; /* (owned) */
  guint grace_ms;
  GHashTable *online; /* user id → gint64 key (owned): announced as online */
  GQueue leaving;     /* (element-type Leaving) (owned): by due time; stale when the user has come back */
  GHashTable *due;    /* user id → Leaving, borrowed from leaving: the ones that count */
  guint timeout_id;
};

G_DEFINE_FINAL_TYPE (HarkPresence, hark_presence, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
hark_presence_finalize (GObject *object)
{
  HarkPresence *self = HARK_PRESENCE (object);
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_hash_table_unref (self->due);
  g_queue_clear_full (&self->leaving, g_free);
  g_hash_table_unref (self->online);
  g_clear_object (&self->clock);
  G_OBJECT_CLASS (hark_presence_parent_class)->finalize (object);
}

static void
hark_presence_class_init (HarkPresenceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_presence_finalize;
  /**
   * HarkPresence::changed:
   * @user_id: who
   * @online: whether there
   */
  signals[CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_INT64, G_TYPE_BOOLEAN);
}

static void
hark_presence_init (HarkPresence *self)
{
  self->online = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->due = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_queue_init (&self->leaving);
}

static gboolean on_timeout (gpointer data);

static void
schedule (HarkPresence *self)
{
  Leaving *first = g_queue_peek_head (&self->leaving);
  gint64 wait;
  if (first == NULL || self->timeout_id != 0)
    return;
  wait = first->due - hark_clock_get_monotonic (self->clock);
  self->timeout_id = hark_clock_add_timeout (self->clock, MAX (0, (wait + 999) / 1000), on_timeout, self);
}

static void
announce (HarkPresence *self, gint64 user_id, gboolean online)
{
  if (online)
    g_hash_table_add (self->online, g_memdup2 (&user_id, sizeof user_id));
  else
    g_hash_table_remove (self->online, &user_id);
  g_signal_emit (self, signals[CHANGED], 0, user_id, online);
}

static gboolean
on_timeout (gpointer data)
{
  g_autoptr (HarkPresence) self = g_object_ref (data);
  gint64 now = hark_clock_get_monotonic (self->clock);
  self->timeout_id = 0;
  for (;;)
    {
      Leaving *first = g_queue_peek_head (&self->leaving);
      g_autofree Leaving *due = NULL;
      if (first == NULL || first->due > now)
        break;
      due = g_queue_pop_head (&self->leaving);
      if (g_hash_table_lookup (self->due, &due->user_id) != due)
        continue;
      g_hash_table_remove (self->due, &due->user_id);
      announce (self, due->user_id, FALSE);
    }
  schedule (self);
  return G_SOURCE_REMOVE;
}

static void
start_leaving (HarkPresence *self, gint64 user_id)
{
  Leaving *leaving = g_new (Leaving, 1);
  leaving->user_id = user_id;
  leaving->due = hark_clock_get_monotonic (self->clock) + (gint64)self->grace_ms * 1000;
  g_queue_push_tail (&self->leaving, leaving);
  g_hash_table_replace (self->due, &leaving->user_id, leaving);
  schedule (self);
}

static void
on_hub_user_online (HarkHub *hub, gint64 user_id, HarkPresence *self)
{
  g_hash_table_remove (self->due, &user_id);
  if (!g_hash_table_contains (self->online, &user_id))
    announce (self, user_id, TRUE);
}

static void
on_hub_user_offline (HarkHub *hub, gint64 user_id, HarkPresence *self)
{
  start_leaving (self, user_id);
}

/**
 * hark_presence_new:
 * @grace_ms: milliseconds between a user's last session and its going offline
 */
HarkPresence *
hark_presence_new (HarkHub *hub, HarkClock *clock, guint grace_ms)
{
  HarkPresence *self = g_object_new (HARK_TYPE_PRESENCE, NULL);
  self->hub = hub;
  self->clock = g_object_ref (clock);
  self->grace_ms = grace_ms;
  g_signal_connect_object (hub, "user-online", G_CALLBACK (on_hub_user_online), self, 0);
  g_signal_connect_object (hub, "user-offline", G_CALLBACK (on_hub_user_offline), self, 0);
  return self;
}

/* Whether others see the user as there: within the grace time they do. */
gboolean
hark_presence_is_online (HarkPresence *self, gint64 user_id)
{
  return g_hash_table_contains (self->online, &user_id);
}

void
hark_presence_expect (HarkPresence *self, gint64 user_id)
{
  if (g_hash_table_contains (self->online, &user_id))
    return;
  g_hash_table_add (self->online, g_memdup2 (&user_id, sizeof user_id));
  if (hark_hub_get_n_user_sessions (self->hub, user_id) == 0)
    start_leaving (self, user_id);
}
