/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/meter.h"

#include "base/error.h"

typedef struct
{
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkCounter *n_refused;
  HarkMeter *meter;
} Fixture;

/* Two at once, one more each ten seconds, of three names. */
static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = hark_fake_clock_new (1000);
  f->metrics = hark_metrics_new ();
  f->n_refused = hark_metrics_counter (f->metrics, "hark_test_total", "Refused.");
  f->meter = hark_meter_new (HARK_CLOCK (f->clock), f->n_refused, 10 * G_USEC_PER_SEC, 2, 3);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hark_meter_free (f->meter);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

static void
take (Fixture *f, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (hark_meter_take (f->meter, name, &error));
  g_assert_no_error (error);
}

/* Returns: after how many milliseconds */
static guint
refused (Fixture *f, const char *name)
{
  g_autoptr (GError) error = NULL;
  guint wait_ms = 0;
  g_assert_false (hark_meter_take (f->meter, name, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_true (hark_error_get_retry_after (error, &wait_ms));
  return wait_ms;
}

static void
test_rate (Fixture *f, gconstpointer data)
{
  g_test_summary ("A name has so many at once and one more after each interval, to the millisecond that was told.");
  take (f, "ann");
  take (f, "ann");
  g_assert_cmpuint (refused (f, "ann"), ==, 10000);
  take (f, "bob");
  hark_fake_clock_advance (f->clock, 9999);
  g_assert_cmpuint (refused (f, "ann"), ==, 1);
  hark_fake_clock_advance (f->clock, 1);
  take (f, "ann");
  g_assert_cmpuint (refused (f, "ann"), ==, 10000);
  g_assert_cmpint (hark_counter_get (f->n_refused), ==, 3);
}

static void
test_forget (Fixture *f, gconstpointer data)
{
  g_test_summary ("A name that is forgotten has all again; one that is not known can be forgotten too.");
  take (f, "ann");
  take (f, "ann");
  hark_meter_forget (f->meter, "ann");
  hark_meter_forget (f->meter, "nobody");
  g_assert_cmpuint (hark_meter_get_n (f->meter), ==, 0);
  take (f, "ann");
  take (f, "ann");
  refused (f, "ann");
}

static void
test_bound (Fixture *f, gconstpointer data)
{
  g_test_summary ("So many names are remembered; the one used least recently gives way.");
  take (f, "ann");
  take (f, "ann");
  take (f, "bob");
  take (f, "bob");
  take (f, "carla");
  refused (f, "ann");
  take (f, "dmitri");
  g_assert_cmpuint (hark_meter_get_n (f->meter), ==, 3);
  refused (f, "ann");
  take (f, "bob");
}

static void
test_off (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkMeter) meter = hark_meter_new (HARK_CLOCK (f->clock), f->n_refused, 0, 1, 1);
  g_test_summary ("Without an interval there is no bound, and nothing is remembered.");
  for (guint i = 0; i < 1000; i++)
    g_assert_true (hark_meter_take (meter, "ann", NULL));
  g_assert_cmpuint (hark_meter_get_n (meter), ==, 0);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/meter/rate", test_rate);
  ADD ("/meter/forget", test_forget);
  ADD ("/meter/bound", test_bound);
  ADD ("/meter/off", test_off);
  return g_test_run ();
}
