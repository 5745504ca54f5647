/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat/intervals.h"

#include "base/error.h"

typedef struct
{
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkIntervals *intervals;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = hark_fake_clock_new (1763665555123);
  f->metrics = hark_metrics_new ();
  f->intervals = hark_intervals_new (HARK_CLOCK (f->clock), f->metrics, 1500, 3);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hark_intervals_free (f->intervals);
  g_assert_finalize_object (f->clock);
  g_assert_finalize_object (f->metrics);
}

/* Returns: after how many milliseconds to try again; 0: it was let through */
static guint
take (Fixture *f, const char *method, gint64 user, gint64 target)
{
  g_autoptr (GError) error = NULL;
  guint ms;
  if (hark_intervals_take (f->intervals, method, user, target, &error))
    return 0;
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_true (hark_error_get_retry_after (error, &ms));
  return ms;
}

static void
test_edge (Fixture *f, gconstpointer data)
{
  g_test_summary ("001-5: 1,500 ms after something the same is refused, 1,501 ms after it it passes.");
  g_assert_cmpuint (take (f, "invitation", 1, 2), ==, 0);
  g_assert_cmpuint (take (f, "invitation", 1, 2), ==, 1501);
  hark_fake_clock_advance (f->clock, 1500);
  g_assert_cmpuint (take (f, "invitation", 1, 2), ==, 1);
  hark_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (take (f, "invitation", 1, 2), ==, 0);
}

static void
test_others (Fixture *f, gconstpointer data)
{
  g_test_summary ("001-5: another target, another user and another method are unaffected.");
  g_assert_cmpuint (take (f, "invitation", 1, 2), ==, 0);
  g_assert_cmpuint (take (f, "invitation", 1, 3), ==, 0);
  g_assert_cmpuint (take (f, "cancel_invitation", 1, 2), ==, 0);
  hark_fake_clock_advance (f->clock, 1501);
  g_assert_cmpuint (take (f, "invitation", 2, 1), ==, 0);
  g_assert_cmpuint (hark_intervals_get_n (f->intervals), ==, 1);
}

static void
test_bound (Fixture *f, gconstpointer data)
{
  g_test_summary ("At the bound of pairs nobody gets in, and nobody early, until one is old enough.");
  for (gint64 target = 2; target < 5; target++)
    g_assert_cmpuint (take (f, "invitation", 1, target), ==, 0);
  hark_fake_clock_advance (f->clock, 500);
  g_assert_cmpuint (take (f, "invitation", 1, 9), ==, 1001);
  g_assert_cmpuint (hark_intervals_get_n (f->intervals), ==, 3);
  hark_fake_clock_advance (f->clock, 1001);
  g_assert_cmpuint (take (f, "invitation", 1, 9), ==, 0);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_intervals_refused_total", "")), ==, 1);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/intervals/edge", Fixture, NULL, set_up, test_edge, tear_down);
  g_test_add ("/intervals/others", Fixture, NULL, set_up, test_others, tear_down);
  g_test_add ("/intervals/bound", Fixture, NULL, set_up, test_bound, tear_down);
  return g_test_run ();
}
