/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/recent.h"

static void
push (HarkRecent *recent, gint64 rev, gsize len)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autofree char *json = g_strnfill (len, 'x');
  g_autoptr (HarkEvent) event = hark_event_new (&topic, rev, rev, "note", json, len);
  hark_recent_push (recent, event);
}

static void
log_rev (HarkEvent *event, gpointer data)
{
  g_string_append_printf (data, "%d ", (int)event->rev);
}

static void
assert_since (HarkRecent *recent, gint64 rev, const char *expected)
{
  g_autoptr (GString) log = g_string_new (NULL);
  hark_recent_foreach_since (recent, rev, log_rev, log);
  g_assert_cmpstr (log->str, ==, expected);
}

static void
test_empty (void)
{
  HarkRecent recent;
  g_test_summary ("Before the first event everything is remembered, and there is nothing to tell.");
  hark_recent_init (&recent, 3, 1000);
  g_assert_true (hark_recent_reaches (&recent, 0));
  assert_since (&recent, 0, "");
  hark_recent_clear (&recent);
}

static void
test_since (void)
{
  HarkRecent recent;
  g_test_summary ("What came after a revision is told in order, also when that revision is no event's.");
  hark_recent_init (&recent, 10, 1000);
  push (&recent, 2, 1);
  push (&recent, 4, 1);
  push (&recent, 7, 1);
  g_assert_cmpint (recent.rev, ==, 7);
  assert_since (&recent, 0, "2 4 7 ");
  assert_since (&recent, 2, "4 7 ");
  assert_since (&recent, 3, "4 7 ");
  assert_since (&recent, 6, "7 ");
  assert_since (&recent, 7, "");
  assert_since (&recent, 100, "");
  hark_recent_clear (&recent);
}

static void
test_bound_number (void)
{
  HarkRecent recent;
  g_test_summary ("Beyond its number the oldest events go, and revisions before them are not reached any more.");
  hark_recent_init (&recent, 3, 1000);
  for (gint64 rev = 1; rev <= 10; rev++)
    {
      push (&recent, 10 * rev, 1);
      g_assert_cmpuint (recent.events.length, <=, 3);
    }
  assert_since (&recent, 0, "80 90 100 ");
  g_assert_cmpint (recent.floor, ==, 70);
  g_assert_true (hark_recent_reaches (&recent, 70));
  g_assert_false (hark_recent_reaches (&recent, 69));
  g_assert_cmpuint (recent.bytes, ==, 3);
  hark_recent_clear (&recent);
}

static void
test_bound_bytes (void)
{
  HarkRecent recent;
  g_test_summary ("Beyond its bytes the oldest events go too, but never the newest.");
  hark_recent_init (&recent, 100, 100);
  push (&recent, 1, 40);
  push (&recent, 2, 40);
  push (&recent, 3, 20);
  assert_since (&recent, 0, "1 2 3 ");
  push (&recent, 4, 1);
  assert_since (&recent, 0, "2 3 4 ");
  g_assert_cmpuint (recent.bytes, ==, 61);
  push (&recent, 5, 500);
  assert_since (&recent, 0, "5 ");
  g_assert_cmpuint (recent.bytes, ==, 500);
  g_assert_true (hark_recent_reaches (&recent, 4));
  g_assert_false (hark_recent_reaches (&recent, 3));
  push (&recent, 6, 10);
  assert_since (&recent, 0, "6 ");
  hark_recent_clear (&recent);
}

static void
test_none (void)
{
  HarkRecent recent;
  g_test_summary ("A memory for no events knows how far it has counted and nothing else.");
  hark_recent_init (&recent, 0, 0);
  push (&recent, 1, 10);
  g_assert_cmpint (recent.rev, ==, 1);
  g_assert_true (hark_recent_reaches (&recent, 1));
  g_assert_false (hark_recent_reaches (&recent, 0));
  assert_since (&recent, 0, "");
  hark_recent_clear (&recent);
}

static void
test_start (void)
{
  HarkRecent recent;
  g_test_summary ("What was there at the start is history: it is not reached.");
  hark_recent_init (&recent, 10, 1000);
  push (&recent, 1, 10);
  hark_recent_start_at (&recent, 50);
  g_assert_cmpuint (recent.bytes, ==, 0);
  g_assert_false (hark_recent_reaches (&recent, 49));
  g_assert_true (hark_recent_reaches (&recent, 50));
  push (&recent, 51, 10);
  assert_since (&recent, 50, "51 ");
  hark_recent_clear (&recent);
}

static void
push_more (HarkEvent *event, gpointer data)
{
  HarkRecent *recent = data;
  for (guint i = 0; i < 5; i++)
    push (recent, recent->rev + 1, 10);
  /* Still held, though the memory has let go of it. */
  g_assert_cmpuint (event->len, ==, 10);
}

static void
test_push_inside (void)
{
  HarkRecent recent;
  g_test_summary ("Who is told of an event may push others; it is told of those that were there when it asked.");
  hark_recent_init (&recent, 3, 1000);
  push (&recent, 1, 10);
  push (&recent, 2, 10);
  hark_recent_foreach_since (&recent, 0, push_more, &recent);
  g_assert_cmpint (recent.rev, ==, 12);
  assert_since (&recent, 0, "10 11 12 ");
  hark_recent_clear (&recent);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recent/empty", test_empty);
  g_test_add_func ("/recent/since", test_since);
  g_test_add_func ("/recent/bound-number", test_bound_number);
  g_test_add_func ("/recent/bound-bytes", test_bound_bytes);
  g_test_add_func ("/recent/none", test_none);
  g_test_add_func ("/recent/start", test_start);
  g_test_add_func ("/recent/push-inside", test_push_inside);
  return g_test_run ();
}
