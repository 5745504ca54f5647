/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/clock.h"

/* The real clock. */

static void
test_real (void)
{
  g_autoptr (HarkClock) clock = hark_clock_new ();
  gint64 before = g_get_real_time () / 1000, monotonic = g_get_monotonic_time ();
  gint64 real, now;
  g_test_summary ("The real clock shows what the machine shows.");
  real = hark_clock_get_real_ms (clock);
  now = hark_clock_get_monotonic (clock);
  g_assert_cmpint (real, >=, before);
  g_assert_cmpint (real, <=, g_get_real_time () / 1000);
  g_assert_cmpint (now, >=, monotonic);
  g_assert_cmpint (now, <=, g_get_monotonic_time ());
}

static gboolean
count_thrice (gpointer data)
{
  guint *n = data;
  return ++*n < 3 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
fail_if_called (gpointer data)
{
  g_assert_not_reached ();
}

static void
test_real_timeout (void)
{
  g_autoptr (HarkClock) clock = hark_clock_new ();
  guint n = 0, id, none = 0;
  g_test_summary ("A real timeout comes again until it says that it is enough; one that was removed never comes.");
  id = hark_clock_add_timeout (clock, 0, fail_if_called, NULL);
  hark_clock_clear_timeout (clock, &id);
  g_assert_cmpuint (id, ==, 0);
  hark_clock_clear_timeout (clock, &none);
  hark_clock_add_timeout (clock, 0, count_thrice, &n);
  while (n < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n, ==, 3);
}

/* The fake clock. */

typedef struct
{
  HarkFakeClock *clock;
  GString *log;
  guint id;
  guint left; /* how often to go on */
  const char *name;
} Timer;

static gboolean
on_timer (gpointer data)
{
  Timer *timer = data;
  g_string_append_printf (timer->log, "%s%d ", timer->name,
                          (int)(hark_clock_get_real_ms (HARK_CLOCK (timer->clock)) - 1000000));
  return timer->left-- > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
test_fake (void)
{
  HarkFakeClock *fake = hark_fake_clock_new (1000000);
  HarkClock *clock = HARK_CLOCK (fake);
  gint64 monotonic = hark_clock_get_monotonic (clock);
  g_test_summary ("Fake time stands still until it is advanced, both clocks by the same.");
  g_assert_cmpint (monotonic, >, 0);
  g_assert_cmpint (hark_clock_get_real_ms (clock), ==, 1000000);
  hark_fake_clock_advance (fake, 1500);
  g_assert_cmpint (hark_clock_get_real_ms (clock), ==, 1001500);
  g_assert_cmpint (hark_clock_get_monotonic (clock), ==, monotonic + 1500000);
  hark_fake_clock_advance (fake, 0);
  g_assert_cmpint (hark_clock_get_real_ms (clock), ==, 1001500);
  g_assert_finalize_object (fake);
}

static void
test_fake_order (void)
{
  HarkFakeClock *fake = hark_fake_clock_new (1000000);
  g_autoptr (GString) log = g_string_new (NULL);
  Timer a = { fake, log, 0, 2, "a" }, b = { fake, log, 0, 0, "b" }, c = { fake, log, 0, 0, "c" };
  g_test_summary ("Advancing calls every timeout that falls due, in order, each at its own moment.");
  hark_clock_add_timeout (HARK_CLOCK (fake), 30, on_timer, &b);
  hark_clock_add_timeout (HARK_CLOCK (fake), 20, on_timer, &a);
  hark_clock_add_timeout (HARK_CLOCK (fake), 30, on_timer, &c);
  hark_fake_clock_advance (fake, 19);
  g_assert_cmpstr (log->str, ==, "");
  hark_fake_clock_advance (fake, 1);
  g_assert_cmpstr (log->str, ==, "a20 ");
  hark_fake_clock_advance (fake, 1000);
  g_assert_cmpstr (log->str, ==, "a20 b30 c30 a40 a60 ");
  g_assert_cmpint (hark_clock_get_real_ms (HARK_CLOCK (fake)), ==, 1001020);
  g_assert_finalize_object (fake);
}

static gboolean
on_remove_other (gpointer data)
{
  Timer *timer = data;
  hark_clock_clear_timeout (HARK_CLOCK (timer->clock), &timer->id);
  hark_clock_add_timeout (HARK_CLOCK (timer->clock), 5, on_timer, timer);
  return G_SOURCE_REMOVE;
}

static void
test_fake_changes (void)
{
  HarkFakeClock *fake = hark_fake_clock_new (1000000);
  g_autoptr (GString) log = g_string_new (NULL);
  Timer timer = { fake, log, 0, 0, "x" };
  g_test_summary (
    "A timeout may remove others and add new ones, which come in the same advance when they fall into it.");
  hark_clock_add_timeout (HARK_CLOCK (fake), 10, on_remove_other, &timer);
  timer.id = hark_clock_add_timeout (HARK_CLOCK (fake), 10, fail_if_called, NULL);
  hark_fake_clock_advance (fake, 20);
  g_assert_cmpstr (log->str, ==, "x15 ");
  g_assert_cmpuint (timer.id, ==, 0);
  hark_clock_remove_timeout (HARK_CLOCK (fake), 4711);
  hark_fake_clock_advance (fake, 1000);
  g_assert_cmpstr (log->str, ==, "x15 ");
  g_assert_finalize_object (fake);
}

static gboolean
on_remove_self (gpointer data)
{
  Timer *timer = data;
  g_string_append (timer->log, timer->name);
  hark_clock_clear_timeout (HARK_CLOCK (timer->clock), &timer->id);
  return G_SOURCE_REMOVE;
}

static void
test_fake_self (void)
{
  HarkFakeClock *fake = hark_fake_clock_new (1000000);
  g_autoptr (GString) log = g_string_new (NULL);
  Timer timer = { fake, log, 0, 0, "s" }, other = { fake, log, 0, 0, "o" };
  g_test_summary ("A timeout that removes itself takes no other with it.");
  timer.id = hark_clock_add_timeout (HARK_CLOCK (fake), 10, on_remove_self, &timer);
  hark_clock_add_timeout (HARK_CLOCK (fake), 20, on_timer, &other);
  hark_fake_clock_advance (fake, 100);
  g_assert_cmpstr (log->str, ==, "so20 ");
  g_assert_finalize_object (fake);
}

/* RFC 3339. */

static void
assert_time (gint64 real_ms)
{
  char out[HARK_TIME_LEN];
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (real_ms / 1000);
  g_autofree char *seconds = g_date_time_format (time, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *expected = g_strdup_printf ("%s.%03dZ", seconds, (int)(real_ms % 1000));
  hark_time_format (real_ms, out);
  g_assert_cmpstr (out, ==, expected);
}

static gint64
instant (int year, int month, int day, int hour, int minute, int second)
{
  g_autoptr (GDateTime) time = g_date_time_new_utc (year, month, day, hour, minute, second);
  return g_date_time_to_unix (time) * 1000;
}

static void
test_format (void)
{
  char out[HARK_TIME_LEN];
  g_test_summary ("Instants are written as RFC 3339 has them.");
  hark_time_format (0, out);
  g_assert_cmpstr (out, ==, "1970-01-01T00:00:00.000Z");
  hark_time_format (1763665555123, out);
  g_assert_cmpstr (out, ==, "2025-11-20T19:05:55.123Z");
  hark_time_format (G_GINT64_CONSTANT (253402300799999), out);
  g_assert_cmpstr (out, ==, "9999-12-31T23:59:59.999Z");
}

static void
test_format_borders (void)
{
  static const int years[]
    = { 1970, 1971, 1972, 1999, 2000, 2001, 2023, 2024, 2025, 2026, 2100, 2400, 2800, 9996, 9999 };
  g_test_summary ("The days around the ends of years, of February and of all months are those of GDateTime.");
  for (guint i = 0; i < G_N_ELEMENTS (years); i++)
    for (int month = 1; month <= 12; month++)
      {
        gint64 first = instant (years[i], month, 1, 0, 0, 0);
        gint64 last = instant (years[i], month, g_date_get_days_in_month (month, years[i]), 23, 59, 59);
        assert_time (first);
        assert_time (first + 1);
        assert_time (last + 999);
        if (first > 0)
          assert_time (first - 1);
      }
  assert_time (instant (2024, 2, 29, 12, 34, 56) + 7);
  assert_time (instant (2000, 2, 29, 0, 0, 0));
  assert_time (instant (2100, 2, 28, 23, 59, 59) + 1000);
}

static void
test_format_many (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1970);
  g_test_summary ("Ten thousand instants before the year 10000 are those of GDateTime.");
  for (guint i = 0; i < 10000; i++)
    assert_time ((gint64)(g_rand_double (rand) * 253402300799999.0));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/real", test_real);
  g_test_add_func ("/clock/real-timeout", test_real_timeout);
  g_test_add_func ("/clock/fake", test_fake);
  g_test_add_func ("/clock/fake-order", test_fake_order);
  g_test_add_func ("/clock/fake-changes", test_fake_changes);
  g_test_add_func ("/clock/fake-self", test_fake_self);
  g_test_add_func ("/clock/format", test_format);
  g_test_add_func ("/clock/format-borders", test_format_borders);
  g_test_add_func ("/clock/format-many", test_format_many);
  return g_test_run ();
}
