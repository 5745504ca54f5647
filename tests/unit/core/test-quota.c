/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/quota.h"

#include "base/error.h"

typedef struct
{
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkQuota *quota;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = hark_fake_clock_new (1763665555123);
  f->metrics = hark_metrics_new ();
  f->quota = hark_quota_new (HARK_CLOCK (f->clock), f->metrics);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->quota);
  g_assert_finalize_object (f->clock);
  g_assert_finalize_object (f->metrics);
}

/* Returns: how many of at most @max are let through at this moment */
static guint
take (Fixture *f, gint64 user_id, const char *name, guint max)
{
  guint n = 0;
  while (n < max && hark_quota_take (f->quota, user_id, name, NULL))
    n++;
  return n;
}

/* Returns: after how many milliseconds to try again */
static guint
get_wait (Fixture *f, gint64 user_id, const char *name)
{
  g_autoptr (GError) error = NULL;
  guint ms = 0;
  g_assert_false (hark_quota_take (f->quota, user_id, name, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_true (hark_error_get_retry_after (error, &ms));
  return ms;
}

static void
test_unset (Fixture *f, gconstpointer data)
{
  g_test_summary ("A quota that was never set, or set to nothing, has no bound and keeps nothing.");
  g_assert_cmpuint (take (f, 1, "messages", 1000), ==, 1000);
  hark_quota_set_rate (f->quota, "messages", 0, 1);
  g_assert_cmpuint (take (f, 1, "messages", 1000), ==, 1000);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 0);
}

static void
test_burst (Fixture *f, gconstpointer data)
{
  static const struct
  {
    guint per_second, burst, at_once, wait_ms;
  } rows[] = {
    { 1, 1, 1, 1000 }, { 1, 5, 5, 1000 },   { 10, 1, 1, 100 }, { 10, 20, 20, 100 },
    { 3, 3, 3, 334 },  { 1000, 50, 50, 1 }, { 5, 0, 1, 200 },  { 1000000, 10, 10, 1 },
  };
  g_test_summary ("A user may do so many at once as the burst says, then waits for exactly one.");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *name = g_strdup_printf ("q%u", i);
      hark_quota_set_rate (f->quota, name, rows[i].per_second, rows[i].burst);
      g_assert_cmpuint (take (f, 1, name, 100), ==, rows[i].at_once);
      g_assert_cmpuint (get_wait (f, 1, name), ==, rows[i].wait_ms);
    }
}

static void
test_retry_after (Fixture *f, gconstpointer data)
{
  guint ms;
  g_test_summary ("The time that is told is enough, and a millisecond less is not.");
  hark_quota_set_rate (f->quota, "messages", 3, 2);
  take (f, 1, "messages", 2);
  ms = get_wait (f, 1, "messages");
  hark_fake_clock_advance (f->clock, ms - 1);
  g_assert_cmpuint (get_wait (f, 1, "messages"), ==, 1);
  hark_fake_clock_advance (f->clock, 1);
  g_assert_cmpuint (take (f, 1, "messages", 10), ==, 1);
}

static void
test_long_run (Fixture *f, gconstpointer data)
{
  guint n = 0;
  g_test_summary ("In the long run no more than the rate gets through, however hard it is tried.");
  hark_quota_set_rate (f->quota, "messages", 10, 5);
  for (guint i = 0; i < 1000; i++)
    {
      n += take (f, 1, "messages", 100);
      hark_fake_clock_advance (f->clock, 10);
    }
  g_assert_cmpuint (n, >=, 100);
  g_assert_cmpuint (n, <=, 105);
}

static void
test_apart (Fixture *f, gconstpointer data)
{
  g_test_summary ("Users and quotas do not take from each other.");
  hark_quota_set_rate (f->quota, "messages", 1, 2);
  hark_quota_set_rate (f->quota, "forwards", 1, 3);
  g_assert_cmpuint (take (f, 1, "messages", 10), ==, 2);
  g_assert_cmpuint (take (f, 2, "messages", 10), ==, 2);
  g_assert_cmpuint (take (f, 1, "forwards", 10), ==, 3);
  g_assert_cmpuint (take (f, 1, "messages", 10), ==, 0);
}

static void
test_idle_does_not_save (Fixture *f, gconstpointer data)
{
  g_test_summary ("Who was silent for an hour may do the burst and no more.");
  hark_quota_set_rate (f->quota, "messages", 10, 5);
  take (f, 1, "messages", 5);
  hark_fake_clock_advance (f->clock, 3600000);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 5);
}

static void
test_refusals_are_free (Fixture *f, gconstpointer data)
{
  g_test_summary ("What is refused takes nothing, and is counted.");
  hark_quota_set_rate (f->quota, "messages", 1, 1);
  take (f, 1, "messages", 1);
  for (guint i = 0; i < 50; i++)
    g_assert_cmpuint (get_wait (f, 1, "messages"), ==, 1000);
  hark_fake_clock_advance (f->clock, 1000);
  g_assert_cmpuint (take (f, 1, "messages", 1), ==, 1);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_quota_refused_messages_total", "")), ==,
                   50);
}

static void
test_raised (Fixture *f, gconstpointer data)
{
  g_test_summary ("A rate that is raised holds at once, also for who had used up the old one.");
  hark_quota_set_rate (f->quota, "messages", 1, 10);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 10);
  hark_quota_set_rate (f->quota, "messages", 100, 10);
  g_assert_cmpuint (get_wait (f, 1, "messages"), ==, 10);
  hark_fake_clock_advance (f->clock, 100);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 10);
}

static void
test_lowered (Fixture *f, gconstpointer data)
{
  g_test_summary ("A rate that is lowered holds at once, and taking the bound away and back does not punish.");
  hark_quota_set_rate (f->quota, "messages", 100, 100);
  take (f, 1, "messages", 50);
  hark_quota_set_rate (f->quota, "messages", 1, 2);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 1);
  g_assert_cmpuint (get_wait (f, 1, "messages"), <=, 1000);
  hark_quota_set_rate (f->quota, "messages", 0, 0);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 100);
  hark_quota_set_rate (f->quota, "messages", 2, 1);
  g_assert_cmpuint (take (f, 1, "messages", 100), ==, 1);
}

static void
test_sweep (Fixture *f, gconstpointer data)
{
  HarkGauge *kept = hark_metrics_gauge (f->metrics, "hark_quota_users", "");
  g_test_summary ("Users whose quotas are full again are forgotten, those whose are not are kept.");
  hark_quota_set_rate (f->quota, "messages", 10, 5);
  hark_quota_set_rate (f->quota, "invitations", 1, 100);
  for (gint64 user = 1; user <= 100; user++)
    take (f, user, "messages", 1);
  take (f, 7, "invitations", 100);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 100);
  g_assert_cmpint (hark_counter_get (kept), ==, 100);
  hark_fake_clock_advance (f->clock, 60000);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 1);
  g_assert_cmpint (hark_counter_get (kept), ==, 1);
  g_assert_cmpuint (take (f, 7, "invitations", 100), ==, 60);
  hark_fake_clock_advance (f->clock, 180000);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 0);
  g_assert_cmpint (hark_counter_get (kept), ==, 0);
  take (f, 1, "messages", 1);
  hark_fake_clock_advance (f->clock, 60000);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 0);
}

#define ADD(name, func) g_test_add ("/quota/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("unset", test_unset);
  ADD ("burst", test_burst);
  ADD ("retry-after", test_retry_after);
  ADD ("long-run", test_long_run);
  ADD ("apart", test_apart);
  ADD ("idle-does-not-save", test_idle_does_not_save);
  ADD ("refusals-are-free", test_refusals_are_free);
  ADD ("raised", test_raised);
  ADD ("lowered", test_lowered);
  ADD ("sweep", test_sweep);
  return g_test_run ();
}
