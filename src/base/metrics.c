/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry of what can be counted. Each object registers its figures by name when it is made and keeps the pointer;
 * D-Bus and HTTP read them all from here. Registering the same name again gives the same figure, so that several
 * listeners or a daemon's second reactor add to one number.
 */
#include "base/metrics.h"

struct _HarkMetrics
{
  GObject parent_instance;
  GMutex lock;         /* guards the tables, not the figures */
  GPtrArray *metrics;  /* (element-type HarkMetric) (owned), in order of registration */
  GHashTable *by_name; /* name → HarkMetric, borrowed from metrics */
};

G_DEFINE_FINAL_TYPE (HarkMetrics, hark_metrics, G_TYPE_OBJECT)

static void
metric_free (gpointer data)
{
  HarkMetric *metric = data;
  if (metric->kind == HARK_METRIC_HISTOGRAM)
    g_free (metric->histogram);
  else
    g_free (metric->counter);
  g_free (metric);
}

static void
hark_metrics_finalize (GObject *object)
{
  HarkMetrics *self = HARK_METRICS (object);
  g_hash_table_unref (self->by_name);
  g_ptr_array_unref (self->metrics);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (hark_metrics_parent_class)->finalize (object);
}

static void
hark_metrics_class_init (HarkMetricsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_metrics_finalize;
}

static void
hark_metrics_init (HarkMetrics *self)
{
  g_mutex_init (&self->lock);
  self->metrics = g_ptr_array_new_with_free_func (metric_free);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
}

HarkMetrics *
hark_metrics_new (void)
{
  return g_object_new (HARK_TYPE_METRICS, NULL);
}

static HarkMetric *
get_metric (HarkMetrics *self, HarkMetricKind kind, const char *name, const char *help)
{
  HarkMetric *metric;
  g_mutex_lock (&self->lock);
  metric = g_hash_table_lookup (self->by_name, name);
  if (metric == NULL)
    {
      metric = g_new0 (HarkMetric, 1);
      metric->kind = kind;
      metric->name = g_intern_string (name);
      metric->help = g_intern_string (help);
      if (kind == HARK_METRIC_HISTOGRAM)
        metric->histogram = g_new0 (HarkHistogram, 1);
      else
        metric->counter = g_new0 (HarkCounter, 1);
      g_ptr_array_add (self->metrics, metric);
      g_hash_table_insert (self->by_name, (gpointer)metric->name, metric);
    }
  g_mutex_unlock (&self->lock);
  g_assert (metric->kind == kind);
  return metric;
}

/**
 * hark_metrics_counter:
 * @name: ends in "_total"
 * @help: a sentence for who reads `/metrics`
 *
 * Returns: (transfer none): valid as long as @self
 */
HarkCounter *
hark_metrics_counter (HarkMetrics *self, const char *name, const char *help)
{
  return get_metric (self, HARK_METRIC_COUNTER, name, help)->counter;
}

/* As hark_metrics_counter (), for what goes up and down. */
HarkGauge *
hark_metrics_gauge (HarkMetrics *self, const char *name, const char *help)
{
  return get_metric (self, HARK_METRIC_GAUGE, name, help)->counter;
}

/* As hark_metrics_counter (), for durations; @name ends in "_seconds", hark_histogram_observe () takes microseconds. */
HarkHistogram *
hark_metrics_histogram (HarkMetrics *self, const char *name, const char *help)
{
  return get_metric (self, HARK_METRIC_HISTOGRAM, name, help)->histogram;
}

/* Bucket b < 4 holds the value b; from there on four buckets for each power of two. */
static guint
bucket_of (guint64 us)
{
  guint log2;
  if (us < 4)
    return us;
  log2 = 63 - __builtin_clzll (us);
  return MIN ((log2 - 1) * 4 + ((us >> (log2 - 2)) & 3), HARK_HISTOGRAM_BUCKETS - 1);
}

static guint64
bucket_end (guint bucket)
{
  guint log2 = bucket / 4 + 1;
  if (bucket < 4)
    return bucket;
  return (((guint64)(bucket % 4) + 5) << (log2 - 2)) - 1;
}

void
hark_histogram_observe (HarkHistogram *self, gint64 us)
{
  us = MAX (us, 0);
  hark_counter_add (&self->count, 1);
  hark_counter_add (&self->sum, us);
  hark_counter_add (&self->buckets[bucket_of (us)], 1);
}

/**
 * hark_histogram_get_quantile:
 * @quantile: from 0 to 1
 *
 * Returns: microseconds that the given part of all observations did not pass; 0 when there were none
 */
gint64
hark_histogram_get_quantile (const HarkHistogram *self, double quantile)
{
  gint64 upto[HARK_HISTOGRAM_BUCKETS];
  gint64 count = 0;
  gint64 rank;
  guint bucket = 0;
  /* Counted here, and not taken from @count: another thread may be between the two. */
  for (guint i = 0; i < HARK_HISTOGRAM_BUCKETS; i++)
    upto[i] = count += hark_counter_get (&self->buckets[i]);
  if (count == 0)
    return 0;
  rank = CLAMP ((gint64)(quantile * count + 0.5), 1, count);
  while (upto[bucket] < rank)
    bucket++;
  return bucket_end (bucket);
}

/* Calls @func for each metric in order of registration, from a copy: @func may register. */
void
hark_metrics_foreach (HarkMetrics *self, HarkMetricFunc func, gpointer data)
{
  g_autoptr (GPtrArray) metrics = NULL;
  g_mutex_lock (&self->lock);
  metrics = g_ptr_array_new ();
  g_ptr_array_extend (metrics, self->metrics, NULL, NULL);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < metrics->len; i++)
    func (metrics->pdata[i], data);
}

/* A line with seconds, digit by digit: printf's %f has the locale's decimal comma. */
static void
format_seconds (GString *out, const char *name, const char *suffix, gint64 us)
{
  g_string_append_printf (out, "%s%s %" G_GINT64_FORMAT ".%06d\n", name, suffix, us / G_USEC_PER_SEC,
                          (int)(us % G_USEC_PER_SEC));
}

static void
format_metric (const HarkMetric *metric, gpointer data)
{
  static const struct
  {
    double quantile;
    const char *label;
  } quantiles[] = {
    { 0.5, "{quantile=\"0.5\"}" },
    { 0.9, "{quantile=\"0.9\"}" },
    { 0.99, "{quantile=\"0.99\"}" },
    { 0.999, "{quantile=\"0.999\"}" },
  };
  static const char *const kinds[] = { "counter", "gauge", "summary" };
  GString *out = data;
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                          kinds[metric->kind]);
  if (metric->kind != HARK_METRIC_HISTOGRAM)
    {
      g_string_append_printf (out, "%s %" G_GINT64_FORMAT "\n", metric->name, hark_counter_get (metric->counter));
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++)
    format_seconds (out, metric->name, quantiles[i].label,
                    hark_histogram_get_quantile (metric->histogram, quantiles[i].quantile));
  format_seconds (out, metric->name, "_sum", hark_counter_get (&metric->histogram->sum));
  g_string_append_printf (out, "%s_count %" G_GINT64_FORMAT "\n", metric->name,
                          hark_counter_get (&metric->histogram->count));
}

/**
 * hark_metrics_format:
 *
 * Returns: (transfer full): all metrics in the Prometheus text format 0.0.4
 */
char *
hark_metrics_format (HarkMetrics *self)
{
  GString *out = g_string_new (NULL);
  hark_metrics_foreach (self, format_metric, out);
  return g_string_free (out, FALSE);
}
