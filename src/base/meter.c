/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Token buckets by name. A bucket is the moment at which it would be full again, as in a quota; but these names cost
 * whoever makes them up nothing, so their number is bounded: the one that was used least recently gives way. What a
 * bucket's owner can gain by that costs as many attempts as the table is long, under names that are metered too.
 */
#include "base/meter.h"

#include "base/error.h"

typedef struct
{
  char *name;     /* (owned) */
  gint64 full_at; /* microseconds, monotonic */
  GList link;     /* in order, the last used first */
} Bucket;

struct _HarkMeter
{
  HarkClock *clock;       /* (owned) */
  HarkCounter *n_refused; /* unowned: the metrics' */
  GHashTable *buckets;    /* name → Bucket (owned) */
  GQueue order;           /* of the buckets' links */
  gint64 interval;        /* microseconds for one; 0: no bound */
  gint64 tolerance;       /* microseconds of credit: the burst */
  guint max;
};

static void
bucket_free (gpointer data)
{
  Bucket *bucket = data;
  g_free (bucket->name);
  g_free (bucket);
}

/**
 * hark_meter_new:
 * @interval_us: one more after so many microseconds; 0: no bound
 * @burst: so many at once, at least 1
 * @max: names remembered, at least 1
 */
HarkMeter *
hark_meter_new (HarkClock *clock, HarkCounter *n_refused, gint64 interval_us, guint burst, guint max)
{
  HarkMeter *self = g_new0 (HarkMeter, 1);
  self->clock = g_object_ref (clock);
  self->n_refused = n_refused;
  self->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, bucket_free);
  self->interval = interval_us;
  self->tolerance = interval_us * MAX (burst, 1);
  self->max = MAX (max, 1);
  return self;
}

void
hark_meter_free (HarkMeter *self)
{
  g_hash_table_unref (self->buckets);
  g_object_unref (self->clock);
  g_free (self);
}

static void
remove_bucket (HarkMeter *self, Bucket *bucket)
{
  g_queue_unlink (&self->order, &bucket->link);
  g_hash_table_remove (self->buckets, bucket->name);
}

/* The last used is the first in the order. */
static Bucket *
use_bucket (HarkMeter *self, const char *name)
{
  Bucket *bucket = g_hash_table_lookup (self->buckets, name);
  if (bucket != NULL)
    {
      g_queue_unlink (&self->order, &bucket->link);
      g_queue_push_head_link (&self->order, &bucket->link);
      return bucket;
    }
  while (g_hash_table_size (self->buckets) >= self->max)
    remove_bucket (self, self->order.tail->data);
  bucket = g_new0 (Bucket, 1);
  bucket->name = g_strdup (name);
  bucket->link.data = bucket;
  g_queue_push_head_link (&self->order, &bucket->link);
  g_hash_table_insert (self->buckets, bucket->name, bucket);
  return bucket;
}

/**
 * hark_meter_take:
 *
 * Takes one from the bucket of @name.
 *
 * Returns: %FALSE with %HARK_ERROR_RATE_LIMITED, which says after how many milliseconds there is one again
 */
gboolean
hark_meter_take (HarkMeter *self, const char *name, GError **error)
{
  gint64 now, full_at;
  Bucket *bucket;
  if (self->interval == 0)
    return TRUE;
  bucket = use_bucket (self, name);
  now = hark_clock_get_monotonic (self->clock);
  full_at = MAX (bucket->full_at, now) + self->interval;
  if (full_at - now > self->tolerance)
    {
      gint64 wait_ms = (full_at - now - self->tolerance + 999) / 1000;
      hark_counter_add (self->n_refused, 1);
      hark_set_rate_limited (error, MIN (wait_ms, G_MAXINT), "too many attempts: wait a while");
      return FALSE;
    }
  bucket->full_at = full_at;
  return TRUE;
}

/* As if @name had taken nothing. */
void
hark_meter_forget (HarkMeter *self, const char *name)
{
  Bucket *bucket = g_hash_table_lookup (self->buckets, name);
  if (bucket != NULL)
    remove_bucket (self, bucket);
}

/* How many names are remembered. */
guint
hark_meter_get_n (HarkMeter *self)
{
  return g_hash_table_size (self->buckets);
}
