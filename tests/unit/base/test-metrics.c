/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/metrics.h"

static void
test_text (void)
{
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  HarkCounter *counter = hark_metrics_counter (metrics, "hark_things_total", "Things.");
  HarkGauge *gauge = hark_metrics_gauge (metrics, "hark_level", "How high.");
  HarkHistogram *histogram = hark_metrics_histogram (metrics, "hark_wait_seconds", "How long.");
  g_autofree char *text = NULL;
  g_test_summary ("All figures are written in the order of their registration, as Prometheus reads them.");
  hark_counter_add (counter, 41);
  hark_counter_add (counter, 1);
  hark_gauge_set (gauge, -7);
  hark_histogram_observe (histogram, 3);
  hark_histogram_observe (histogram, 1500000);
  text = hark_metrics_format (metrics);
  g_assert_cmpstr (text, ==,
                   "# HELP hark_things_total Things.\n"
                   "# TYPE hark_things_total counter\n"
                   "hark_things_total 42\n"
                   "# HELP hark_level How high.\n"
                   "# TYPE hark_level gauge\n"
                   "hark_level -7\n"
                   "# HELP hark_wait_seconds How long.\n"
                   "# TYPE hark_wait_seconds summary\n"
                   "hark_wait_seconds{quantile=\"0.5\"} 0.000003\n"
                   "hark_wait_seconds{quantile=\"0.9\"} 1.572863\n"
                   "hark_wait_seconds{quantile=\"0.99\"} 1.572863\n"
                   "hark_wait_seconds{quantile=\"0.999\"} 1.572863\n"
                   "hark_wait_seconds_sum 1.500003\n"
                   "hark_wait_seconds_count 2\n");
}

static void
test_none (void)
{
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autofree char *text = hark_metrics_format (metrics);
  g_test_summary ("Without figures there is no text.");
  g_assert_cmpstr (text, ==, "");
}

static void
test_same_name (void)
{
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autofree char *name = g_strdup ("hark_a_total");
  HarkCounter *first = hark_metrics_counter (metrics, name, "A.");
  g_test_summary ("The same name is the same figure, whoever asks.");
  name[5] = 'b';
  g_assert_true (hark_metrics_counter (metrics, "hark_a_total", "A.") == first);
  g_assert_true (hark_metrics_counter (metrics, "hark_b_total", "B.") != first);
  g_assert_true (hark_metrics_histogram (metrics, "hark_c_seconds", "C.")
                 == hark_metrics_histogram (metrics, "hark_c_seconds", "C."));
}

static void
on_metric (const HarkMetric *metric, gpointer data)
{
  gpointer *datas = data;
  g_string_append_printf (datas[1], "%s ", metric->name);
  hark_metrics_gauge (datas[0], "hark_late", "Registered while the others are read.");
}

static void
test_foreach (void)
{
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  gpointer datas[] = { metrics, names };
  g_test_summary ("Who reads the figures may register new ones; they come with the next reading.");
  hark_metrics_gauge (metrics, "hark_z", "Z.");
  hark_metrics_gauge (metrics, "hark_a", "A.");
  hark_metrics_foreach (metrics, on_metric, datas);
  g_assert_cmpstr (names->str, ==, "hark_z hark_a ");
  g_string_truncate (names, 0);
  hark_metrics_foreach (metrics, on_metric, datas);
  g_assert_cmpstr (names->str, ==, "hark_z hark_a hark_late ");
}

static void
test_single_values (void)
{
  g_test_summary ("A single duration is its own quantile to 25%, and is never understated, up to a week.");
  for (gint64 us = 0; us < G_GINT64_CONSTANT (604800000000); us = us < 64 ? us + 1 : us + us / 13)
    {
      HarkHistogram histogram = { 0 };
      gint64 found;
      hark_histogram_observe (&histogram, us);
      found = hark_histogram_get_quantile (&histogram, 0.5);
      g_assert_cmpint (found, >=, us);
      g_assert_cmpint (found * 100, <=, us * 125);
    }
}

static void
test_quantiles (void)
{
  static const double quantiles[] = { 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0 };
  HarkHistogram histogram = { 0 };
  g_test_summary ("Quantiles of many durations are within 25% of the true ones.");
  g_assert_cmpint (hark_histogram_get_quantile (&histogram, 0.5), ==, 0);
  for (gint64 i = 1; i <= 10000; i++)
    hark_histogram_observe (&histogram, (i * 7919) % 10007 * 31);
  for (guint i = 0; i < G_N_ELEMENTS (quantiles); i++)
    {
      double expected = quantiles[i] * 10007 * 31;
      gint64 found = hark_histogram_get_quantile (&histogram, quantiles[i]);
      g_assert_cmpfloat (found, >, expected * 0.75);
      g_assert_cmpfloat (found, <, expected * 1.25);
    }
  g_assert_cmpint (hark_counter_get (&histogram.count), ==, 10000);
}

static void
test_extremes (void)
{
  HarkHistogram histogram = { 0 };
  g_test_summary ("Durations that cannot be are counted as nothing or as very long.");
  hark_histogram_observe (&histogram, -5);
  g_assert_cmpint (hark_histogram_get_quantile (&histogram, 1), ==, 0);
  g_assert_cmpint (hark_counter_get (&histogram.sum), ==, 0);
  hark_histogram_observe (&histogram, G_MAXINT64);
  g_assert_cmpint (hark_histogram_get_quantile (&histogram, 1), >, G_GINT64_CONSTANT (604800000000));
}

static void
test_half_observed (void)
{
  HarkHistogram histogram = { 0 };
  g_test_summary ("A quantile read while another thread is about to count a duration is of those counted so far.");
  hark_counter_add (&histogram.count, 1);
  g_assert_cmpint (hark_histogram_get_quantile (&histogram, 0.5), ==, 0);
  hark_histogram_observe (&histogram, 4);
  g_assert_cmpint (hark_histogram_get_quantile (&histogram, 1), ==, 4);
}

static gpointer
count_many (gpointer data)
{
  for (guint i = 0; i < 100000; i++)
    hark_histogram_observe (data, i & 63);
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  HarkHistogram *histogram = hark_metrics_histogram (metrics, "hark_wait_seconds", "How long.");
  GThread *thread = g_thread_new ("count", count_many, histogram);
  gint64 sum = 0;
  g_test_summary ("What several threads count is all counted, and what is read meanwhile is possible.");
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (hark_histogram_get_quantile (histogram, 1), <=, 63);
  count_many (histogram);
  g_thread_join (thread);
  for (guint i = 0; i < HARK_HISTOGRAM_BUCKETS; i++)
    sum += hark_counter_get (&histogram->buckets[i]);
  g_assert_cmpint (sum, ==, 200000);
  g_assert_cmpint (hark_counter_get (&histogram->count), ==, 200000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/text", test_text);
  g_test_add_func ("/metrics/none", test_none);
  g_test_add_func ("/metrics/same-name", test_same_name);
  g_test_add_func ("/metrics/foreach", test_foreach);
  g_test_add_func ("/metrics/single-values", test_single_values);
  g_test_add_func ("/metrics/quantiles", test_quantiles);
  g_test_add_func ("/metrics/extremes", test_extremes);
  g_test_add_func ("/metrics/half-observed", test_half_observed);
  g_test_add_func ("/metrics/threads", test_threads);
  return g_test_run ();
}
