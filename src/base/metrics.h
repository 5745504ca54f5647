/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_METRICS (hark_metrics_get_type ())
G_DECLARE_FINAL_TYPE (HarkMetrics, hark_metrics, HARK, METRICS, GObject)

/**
 * HarkCounter:
 *
 * A number that other people look at: a counter only grows, a gauge goes up and down. Written and read from any
 * thread, with relaxed atomics: figures are right each for itself, not as a set.
 */
typedef struct
{
  gint64 value;
} HarkCounter;

typedef HarkCounter HarkGauge;

static inline void
hark_counter_add (HarkCounter *self, gint64 n)
{
  __atomic_fetch_add (&self->value, n, __ATOMIC_RELAXED);
}

static inline gint64
hark_counter_get (const HarkCounter *self)
{
  return __atomic_load_n (&self->value, __ATOMIC_RELAXED);
}

static inline void
hark_gauge_set (HarkGauge *self, gint64 value)
{
  __atomic_store_n (&self->value, value, __ATOMIC_RELAXED);
}

/* Durations in microseconds, in buckets of a quarter of a power of two: a quantile is right to 25%. */
#define HARK_HISTOGRAM_BUCKETS 160

typedef struct
{
  HarkCounter count;
  HarkCounter sum; /* microseconds */
  HarkCounter buckets[HARK_HISTOGRAM_BUCKETS];
} HarkHistogram;

void hark_histogram_observe (HarkHistogram *self, gint64 us);
gint64 hark_histogram_get_quantile (const HarkHistogram *self, double quantile);

typedef enum
{
  HARK_METRIC_COUNTER,
  HARK_METRIC_GAUGE,
  HARK_METRIC_HISTOGRAM
} HarkMetricKind;

typedef struct
{
  HarkMetricKind kind;
  const char *name; /* as Prometheus wants it: hark_…_total for counters, hark_…_seconds for histograms */
  const char *help;
  union
  {
    HarkCounter *counter;
    HarkHistogram *histogram;
  };
} HarkMetric;

HarkMetrics *hark_metrics_new (void);
HarkCounter *hark_metrics_counter (HarkMetrics *self, const char *name, const char *help);
HarkGauge *hark_metrics_gauge (HarkMetrics *self, const char *name, const char *help);
HarkHistogram *hark_metrics_histogram (HarkMetrics *self, const char *name, const char *help);

typedef void (*HarkMetricFunc) (const HarkMetric *metric, gpointer data);
void hark_metrics_foreach (HarkMetrics *self, HarkMetricFunc func, gpointer data);
char *hark_metrics_format (HarkMetrics *self);

G_END_DECLS
