/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ids.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT (1763665555123)
#define JS_MAX (G_GINT64_CONSTANT (1) << 53)

static void
test_time (void)
{
  g_autoptr (HarkFakeClock) clock = hark_fake_clock_new (NOW);
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  gint64 first = hark_ids_next (ids), later;
  g_test_summary ("An id says when it was made, and ids sort by that.");
  g_assert_cmpint (hark_id_get_time_ms (first), ==, NOW);
  hark_fake_clock_advance (clock, 1);
  later = hark_ids_next (ids);
  g_assert_cmpint (later, >, first);
  g_assert_cmpint (hark_id_get_time_ms (later), ==, NOW + 1);
}

static void
test_many_at_once (void)
{
  g_autoptr (HarkFakeClock) clock = hark_fake_clock_new (NOW);
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  gint64 last = 0;
  g_test_summary ("More ids than a millisecond has room for run ahead of the clock and stay in order.");
  for (guint i = 0; i < 10000; i++)
    {
      gint64 id = hark_ids_next (ids);
      g_assert_cmpint (id, >, last);
      last = id;
    }
  g_assert_cmpint (hark_id_get_time_ms (last), ==, NOW + 2);
  hark_fake_clock_advance (clock, 1);
  g_assert_cmpint (hark_ids_next (ids), ==, last + 1);
  hark_fake_clock_advance (clock, 9);
  g_assert_cmpint (hark_id_get_time_ms (hark_ids_next (ids)), ==, NOW + 10);
}

/* A calendar that goes where it is put. */
#define TYPE_SETTABLE_CLOCK (settable_clock_get_type ())
G_DECLARE_FINAL_TYPE (SettableClock, settable_clock, SETTABLE, CLOCK, HarkClock)

struct _SettableClock
{
  HarkClock parent_instance;
  gint64 real_ms;
};

G_DEFINE_FINAL_TYPE (SettableClock, settable_clock, HARK_TYPE_CLOCK)

static gint64
settable_get_real (HarkClock *clock)
{
  return ((SettableClock *)clock)->real_ms;
}

static void
settable_clock_class_init (SettableClockClass *klass)
{
  HARK_CLOCK_CLASS (klass)->get_real = settable_get_real;
}

static void
settable_clock_init (SettableClock *self)
{
  self->real_ms = NOW;
}

static void
test_set_back (void)
{
  g_autoptr (SettableClock) clock = g_object_new (TYPE_SETTABLE_CLOCK, NULL);
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  gint64 before = hark_ids_next (ids);
  g_test_summary ("A calendar that is set back an hour does not make ids go back.");
  clock->real_ms -= 3600000;
  g_assert_cmpint (hark_ids_next (ids), ==, before + 1);
  g_assert_cmpint (hark_ids_next (ids), ==, before + 2);
  clock->real_ms += 7200000;
  g_assert_cmpint (hark_id_get_time_ms (hark_ids_next (ids)), ==, NOW + 3600000);
}

static void
test_never_set (void)
{
  g_autoptr (SettableClock) clock = g_object_new (TYPE_SETTABLE_CLOCK, NULL);
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  g_test_summary ("On a machine whose calendar stands in 1970 ids count from 1.");
  clock->real_ms = 5;
  g_assert_cmpint (hark_ids_next (ids), ==, 1);
  g_assert_cmpint (hark_ids_next (ids), ==, 2);
}

static void
test_seen (void)
{
  g_autoptr (HarkFakeClock) clock = hark_fake_clock_new (NOW);
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  gint64 first = hark_ids_next (ids);
  g_test_summary ("Ids found in the store are not given again; older ones change nothing.");
  hark_ids_seen (ids, first + 5000);
  g_assert_cmpint (hark_ids_next (ids), ==, first + 5001);
  hark_ids_seen (ids, 3);
  g_assert_cmpint (hark_ids_next (ids), ==, first + 5002);
}

static void
test_fits_javascript (void)
{
  g_autoptr (HarkFakeClock) clock = hark_fake_clock_new (G_GINT64_CONSTANT (3786912000000)); /* 2090-01-01 */
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  g_test_summary ("Ids made until 2090 are numbers that JavaScript holds exactly.");
  g_assert_cmpint (hark_ids_next (ids), <, JS_MAX);
}

#define N_IDS 20000

static gpointer
make_ids (gpointer data)
{
  gint64 *out = g_new (gint64, N_IDS);
  for (guint i = 0; i < N_IDS; i++)
    out[i] = hark_ids_next (data);
  return out;
}

static void
test_threads (void)
{
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkIds) ids = hark_ids_new (clock);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_int64_hash, g_int64_equal);
  GThread *threads[2];
  gint64 *made[2];
  g_test_summary ("Two threads never get the same id, and each sees its own in order.");
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("ids", make_ids, ids);
  for (guint i = 0; i < 2; i++)
    made[i] = g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++)
    for (guint k = 0; k < N_IDS; k++)
      {
        g_assert_true (g_hash_table_add (seen, &made[i][k]));
        if (k > 0)
          g_assert_cmpint (made[i][k], >, made[i][k - 1]);
      }
  g_hash_table_remove_all (seen);
  g_free (made[0]);
  g_free (made[1]);
}

static void
test_format (void)
{
  static const struct
  {
    gint64 id;
    const char *text;
  } rows[] = {
    { 0, "0" },
    { 1, "1" },
    { 9, "9" },
    { 10, "10" },
    { 9007199254740991, "9007199254740991" },
    { G_MAXINT64, "9223372036854775807" },
    { -1, "-1" },
    { -10, "-10" },
    { G_MININT64, "-9223372036854775808" },
  };
  char out[HARK_ID_LEN];
  g_test_summary ("Ids are written in decimal, the least number too.");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpstr (hark_id_format (rows[i].id, out), ==, rows[i].text);
}

static void
test_parse (void)
{
  static const char *const bad[] = {
    "", "0", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "\xD9\xA1", "1a", "12345678901234567", "99999999999999999999"
  };
  gint64 id;
  g_test_summary ("An id is digits without sign, leading zero or anything else, and not too many.");
  g_assert_true (hark_id_parse ("1", 1, &id));
  g_assert_cmpint (id, ==, 1);
  g_assert_true (hark_id_parse ("9007199254740991", 16, &id));
  g_assert_cmpint (id, ==, JS_MAX - 1);
  g_assert_true (hark_id_parse ("42/7", 2, &id));
  g_assert_cmpint (id, ==, 42);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      id = 4711;
      g_assert_false (hark_id_parse (bad[i], strlen (bad[i]), &id));
      g_assert_cmpint (id, ==, 4711);
    }
  g_assert_false (hark_id_parse ("1\0", 2, &id));
}

static void
test_at_time (void)
{
  g_autoptr (HarkFakeClock) clock = hark_fake_clock_new (G_GINT64_CONSTANT (1763665555123));
  g_autoptr (HarkIds) ids = hark_ids_new (HARK_CLOCK (clock));
  gint64 id = hark_ids_next (ids);
  g_test_summary ("The id of a moment is not greater than those made then, and greater than all before.");
  g_assert_cmpint (hark_id_at_time_ms (G_GINT64_CONSTANT (1763665555123)), <=, id);
  g_assert_cmpint (hark_id_at_time_ms (G_GINT64_CONSTANT (1763665555124)), >, id);
  g_assert_cmpint (hark_id_at_time_ms (0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ids/time", test_time);
  g_test_add_func ("/ids/many-at-once", test_many_at_once);
  g_test_add_func ("/ids/set-back", test_set_back);
  g_test_add_func ("/ids/never-set", test_never_set);
  g_test_add_func ("/ids/seen", test_seen);
  g_test_add_func ("/ids/fits-javascript", test_fits_javascript);
  g_test_add_func ("/ids/threads", test_threads);
  g_test_add_func ("/ids/format", test_format);
  g_test_add_func ("/ids/parse", test_parse);
  g_test_add_func ("/ids/at-time", test_at_time);
  return g_test_run ();
}
