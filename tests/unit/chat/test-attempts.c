/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat/attempts.h"

#include "base/error.h"

typedef struct
{
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkChatLimits limits;
  HarkAttempts *attempts;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->clock = hark_fake_clock_new (1000);
  f->metrics = hark_metrics_new ();
  hark_chat_limits_init (&f->limits);
  f->limits.attempts_per_user = 3;
  f->limits.attempts_per_address = 5;
  f->limits.attempts_window_ms = 30000;
  f->limits.attempts_max = 4;
  f->limits.registrations_per_address = 2;
  f->limits.registrations_window_ms = 60000;
  f->attempts = hark_attempts_new (HARK_CLOCK (f->clock), f->metrics, &f->limits);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hark_attempts_free (f->attempts);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

/* Returns: how many of @n attempts are let through */
static guint
try_often (Fixture *f, const char *user, const char *peer, guint n)
{
  guint good = 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      if (hark_attempts_take (f->attempts, user, peer, &error))
        good++;
      else
        g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
    }
  return good;
}

static gint64
gauge (Fixture *f, const char *name)
{
  return hark_counter_get (hark_metrics_gauge (f->metrics, name, "Of the test."));
}

static void
test_user (Fixture *f, gconstpointer data)
{
  g_test_summary ("One user's password is tried so often, from wherever; one more after a part of the window.");
  g_assert_cmpuint (try_often (f, "ann", "192.0.2.1", 2), ==, 2);
  g_assert_cmpuint (try_often (f, "ann", "192.0.2.2", 2), ==, 1);
  g_assert_cmpuint (try_often (f, "ann", NULL, 2), ==, 0);
  g_assert_cmpuint (try_often (f, "bob", NULL, 1), ==, 1);
  hark_fake_clock_advance (f->clock, 10000);
  g_assert_cmpuint (try_often (f, "ann", NULL, 2), ==, 1);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_attempts_refused_total", "")), ==, 4);
}

static void
test_address (Fixture *f, gconstpointer data)
{
  static const char *const users[] = { "ann", "bob", "carla", "dmitri", "erik", "fay" };
  guint good = 0;
  g_test_summary ("One address tries so often, whosever passwords; this machine is not counted.");
  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    good += try_often (f, users[i], "192.0.2.1", 1);
  g_assert_cmpuint (good, ==, 5);
  g_assert_cmpuint (try_often (f, "gus", "192.0.2.2", 1), ==, 1);
  g_assert_cmpuint (try_often (f, "gus", NULL, 2), ==, 2);
}

static void
test_forgive (Fixture *f, gconstpointer data)
{
  g_test_summary ("A right password gives the user all attempts again, and the address none.");
  g_assert_cmpuint (try_often (f, "ann", "192.0.2.1", 3), ==, 3);
  hark_attempts_forgive (f->attempts, "ann");
  g_assert_cmpint (gauge (f, "hark_attempts_users"), ==, 0);
  g_assert_cmpuint (try_often (f, "ann", "192.0.2.1", 5), ==, 2);
}

static void
test_bound (Fixture *f, gconstpointer data)
{
  g_test_summary ("So many users and addresses are remembered.");
  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *user = g_strdup_printf ("user-%u", i);
      g_autofree char *peer = g_strdup_printf ("192.0.2.%u", i);
      g_assert_cmpuint (try_often (f, user, peer, 1), ==, 1);
    }
  g_assert_cmpint (gauge (f, "hark_attempts_users"), ==, 4);
  g_assert_cmpint (gauge (f, "hark_attempts_addresses"), ==, 4);
}

static void
test_registrations (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint wait_ms;
  g_test_summary ("One address makes so many accounts.");
  g_assert_true (hark_attempts_take_registration (f->attempts, "192.0.2.1", NULL));
  g_assert_true (hark_attempts_take_registration (f->attempts, "192.0.2.1", NULL));
  g_assert_false (hark_attempts_take_registration (f->attempts, "192.0.2.1", &error));
  g_assert_true (hark_error_get_retry_after (error, &wait_ms));
  g_assert_cmpuint (wait_ms, ==, 30000);
  g_assert_true (hark_attempts_take_registration (f->attempts, "192.0.2.2", NULL));
  g_assert_true (hark_attempts_take_registration (f->attempts, NULL, NULL));
  hark_fake_clock_advance (f->clock, wait_ms);
  g_assert_true (hark_attempts_take_registration (f->attempts, "192.0.2.1", NULL));
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/attempts/user", test_user);
  ADD ("/attempts/address", test_address);
  ADD ("/attempts/forgive", test_forgive);
  ADD ("/attempts/bound", test_bound);
  ADD ("/attempts/registrations", test_registrations);
  return g_test_run ();
}
