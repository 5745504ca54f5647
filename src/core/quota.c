/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often a user may do what: a token bucket per user and named quota. A bucket is kept as the moment at which it
 * would be full again (the "virtual scheduling" form of the leaky bucket, ITU-T I.371), so that one number per user
 * and quota is enough, and a user whose buckets are all full need not be kept at all.
 */
#include "core/quota.h"

#include "base/error.h"

#define MAX_RATES 16
#define SWEEP_MS 60000

typedef struct
{
  const char *name;     /* interned */
  gint64 interval;      /* microseconds for one; 0: no bound */
  gint64 tolerance;     /* microseconds of credit: the burst */
  HarkCounter *refused; /* unowned: the metrics' */
} Rate;

typedef struct
{
  gint64 user_id;
  gint64 full_at[MAX_RATES]; /* microseconds, monotonic: when the bucket is full again */
} UserBuckets;

struct _HarkQuota
{
  GObject parent_instance;
  HarkClock *clock;     /* (owned) */
  HarkMetrics *metrics; /* (owned) */
  GHashTable *users;    /* user id → UserBuckets (owned) */
  HarkGauge *n_users;
  Rate rates[MAX_RATES];
  guint n_rates;
  guint sweep_id;
};

G_DEFINE_FINAL_TYPE (HarkQuota, hark_quota, G_TYPE_OBJECT)

static void
hark_quota_finalize (GObject *object)
{
  HarkQuota *self = HARK_QUOTA (object);
  hark_clock_clear_timeout (self->clock, &self->sweep_id);
  g_clear_object (&self->clock);
  g_clear_object (&self->metrics);
  g_hash_table_unref (self->users);
  G_OBJECT_CLASS (hark_quota_parent_class)->finalize (object);
}

static void
hark_quota_class_init (HarkQuotaClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_quota_finalize;
}

static void
hark_quota_init (HarkQuota *self)
{
  self->users = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
}

HarkQuota *
hark_quota_new (HarkClock *clock, HarkMetrics *metrics)
{
  HarkQuota *self = g_object_new (HARK_TYPE_QUOTA, NULL);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  self->n_users = hark_metrics_gauge (metrics, "hark_quota_users", "Users whose quotas are not full.");
  return self;
}

static int
find_rate (HarkQuota *self, const char *name)
{
  for (guint i = 0; i < self->n_rates; i++)
    if (g_str_equal (self->rates[i].name, name))
      return i;
  return -1;
}

/* A bucket is no emptier than empty: after a rate was raised nobody waits for what was taken at the old one. */
static void
fit_buckets (HarkQuota *self, guint index)
{
  gint64 empty = hark_clock_get_monotonic (self->clock) + self->rates[index].tolerance;
  GHashTableIter iter;
  gpointer buckets;
  g_hash_table_iter_init (&iter, self->users);
  while (g_hash_table_iter_next (&iter, NULL, &buckets))
    ((UserBuckets *)buckets)->full_at[index] = MIN (((UserBuckets *)buckets)->full_at[index], empty);
}

/**
 * hark_quota_set_rate:
 * @name: lower case, for use in a metric's name
 * @per_second: how many a second in the long run; 0: no bound
 * @burst: how many at once, at least 1
 *
 * Makes or changes a named quota.
 */
void
hark_quota_set_rate (HarkQuota *self, const char *name, guint per_second, guint burst)
{
  int found = find_rate (self, name);
  Rate *rate;
  if (found < 0)
    {
      g_autofree char *metric = g_strdup_printf ("hark_quota_refused_%s_total", name);
      g_autofree char *help = g_strdup_printf ("Refused because a user passed the quota of %s.", name);
      g_assert (self->n_rates < MAX_RATES);
      rate = &self->rates[self->n_rates++];
      rate->name = g_intern_string (name);
      rate->refused = hark_metrics_counter (self->metrics, metric, help);
    }
  else
    {
      rate = &self->rates[found];
    }
  rate->interval = per_second > 0 ? G_USEC_PER_SEC / per_second : 0;
  if (per_second > G_USEC_PER_SEC)
    rate->interval = 0;
  rate->tolerance = rate->interval * MAX (burst, 1);
  if (found >= 0)
    fit_buckets (self, found);
}

static gboolean
is_full (gpointer key, gpointer value, gpointer data)
{
  UserBuckets *buckets = value;
  gint64 now = *(gint64 *)data;
  for (guint i = 0; i < MAX_RATES; i++)
    if (buckets->full_at[i] > now)
      return FALSE;
  return TRUE;
}

static gboolean
on_sweep (gpointer data)
{
  HarkQuota *self = data;
  gint64 now = hark_clock_get_monotonic (self->clock);
  g_hash_table_foreach_remove (self->users, is_full, &now);
  hark_gauge_set (self->n_users, g_hash_table_size (self->users));
  if (g_hash_table_size (self->users) > 0)
    return G_SOURCE_CONTINUE;
  self->sweep_id = 0;
  return G_SOURCE_REMOVE;
}

static UserBuckets *
get_buckets (HarkQuota *self, gint64 user_id)
{
  UserBuckets *buckets = g_hash_table_lookup (self->users, &user_id);
  if (buckets != NULL)
    return buckets;
  buckets = g_new0 (UserBuckets, 1);
  buckets->user_id = user_id;
  g_hash_table_insert (self->users, &buckets->user_id, buckets);
  hark_gauge_set (self->n_users, g_hash_table_size (self->users));
  if (self->sweep_id == 0)
    self->sweep_id = hark_clock_add_timeout (self->clock, SWEEP_MS, on_sweep, self);
  return buckets;
}

/**
 * hark_quota_take:
 * @name: a quota; one that was never set has no bound
 *
 * Takes one from a user's quota.
 *
 * Returns: %FALSE with %HARK_ERROR_RATE_LIMITED, which says after how many milliseconds there is one again
 */
gboolean
hark_quota_take (HarkQuota *self, gint64 user_id, const char *name, GError **error)
{
  return hark_quota_take_some (self, user_id, name, 1, error);
}

/* As hark_quota_take (), of several. More than can be had at once is taken when all can: it is bounded elsewhere. */
gboolean
hark_quota_take_some (HarkQuota *self, gint64 user_id, const char *name, guint n, GError **error)
{
  int found = find_rate (self, name);
  Rate *rate = &self->rates[MAX (found, 0)];
  UserBuckets *buckets;
  gint64 now, full_at, cost;
  if (found < 0 || rate->interval == 0)
    return TRUE;
  buckets = get_buckets (self, user_id);
  now = hark_clock_get_monotonic (self->clock);
  cost = MIN (rate->interval * n, rate->tolerance);
  full_at = MAX (buckets->full_at[found], now) + cost;
  if (full_at - now > rate->tolerance)
    {
      hark_counter_add (rate->refused, 1);
      hark_set_rate_limited (error, (full_at - now - rate->tolerance + 999) / 1000, "too many %s at once", name);
      return FALSE;
    }
  buckets->full_at[found] = full_at;
  return TRUE;
}

/* How many users have a quota that is not full, as of the last look: what this object holds. */
guint
hark_quota_get_n_users (HarkQuota *self)
{
  return g_hash_table_size (self->users);
}
