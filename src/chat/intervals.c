/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of what was done within the last interval, and a queue of the same in the order of time, from whose head goes
 * what is older: so memory is what happened within one interval, and no timer is needed. At the bound nobody else gets
 * in until something is old enough, rather than that the oldest be forgotten and could be repeated early.
 */
#include "chat/intervals.h"

#include "base/error.h"

typedef struct
{
  const char *method; /* interned */
  gint64 user_id;
  gint64 target_id;
  gint64 at; /* microseconds, monotonic */
} Entry;

struct _HarkIntervals
{
  HarkClock *clock;  /* (owned) */
  GHashTable *table; /* set of Entry, owned by the queue */
  GQueue queue;      /* (element-type Entry) (owned): oldest first */
  gint64 interval;   /* microseconds; 0: no bound */
  guint max;
  HarkCounter *n_refused;
};

static guint
entry_hash (gconstpointer key)
{
  const Entry *entry = key;
  return g_int64_hash (&entry->user_id) * 31 + g_int64_hash (&entry->target_id) + g_direct_hash (entry->method);
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *left = a, *right = b;
  return left->method == right->method && left->user_id == right->user_id && left->target_id == right->target_id;
}

HarkIntervals *
hark_intervals_new (HarkClock *clock, HarkMetrics *metrics, guint interval_ms, guint max)
{
  HarkIntervals *self = g_new0 (HarkIntervals, 1);
  self->clock = g_object_ref (clock);
  self->table = g_hash_table_new (entry_hash, entry_equal);
  self->interval = (gint64)interval_ms * 1000;
  self->max = max;
  self->n_refused = hark_metrics_counter (metrics, "hark_intervals_refused_total",
                                          "Refused because a user had just done the same to the same other.");
  return self;
}

void
hark_intervals_free (HarkIntervals *self)
{
  g_hash_table_unref (self->table);
  g_queue_clear_full (&self->queue, g_free);
  g_object_unref (self->clock);
  g_free (self);
}

/* What is exactly one interval ago still counts. */
static void
forget_old (HarkIntervals *self, gint64 now)
{
  Entry *entry;
  while ((entry = g_queue_peek_head (&self->queue)) != NULL && now - entry->at > self->interval)
    {
      g_hash_table_remove (self->table, entry);
      g_free (g_queue_pop_head (&self->queue));
    }
}

static gboolean
refuse (HarkIntervals *self, const Entry *since, gint64 now, GError **error)
{
  hark_counter_add (self->n_refused, 1);
  hark_set_rate_limited (error, (since->at + self->interval - now) / 1000 + 1, "that was done a moment ago");
  return FALSE;
}

/**
 * hark_intervals_take:
 * @method: what is done
 *
 * Notes that a user does something to another.
 *
 * Returns: %FALSE with %HARK_ERROR_RATE_LIMITED when the same was done no longer than the interval ago: then nothing is
 *   noted
 */
gboolean
hark_intervals_take (HarkIntervals *self, const char *method, gint64 user_id, gint64 target_id, GError **error)
{
  gint64 now = hark_clock_get_monotonic (self->clock);
  Entry wanted = { g_intern_string (method), user_id, target_id, now };
  Entry *found;
  if (self->interval == 0)
    return TRUE;
  forget_old (self, now);
  found = g_hash_table_lookup (self->table, &wanted);
  if (found != NULL)
    return refuse (self, found, now, error);
  if (g_queue_get_length (&self->queue) >= self->max)
    return refuse (self, g_queue_peek_head (&self->queue), now, error);
  found = g_memdup2 (&wanted, sizeof wanted);
  g_queue_push_tail (&self->queue, found);
  g_hash_table_add (self->table, found);
  return TRUE;
}

/* How many pairs are remembered. */
guint
hark_intervals_get_n (HarkIntervals *self)
{
  return g_queue_get_length (&self->queue);
}
