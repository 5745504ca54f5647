/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/event.h"

#include <string.h>

static GArray *
ids (guint n, ...)
{
  GArray *out = g_array_new (FALSE, FALSE, sizeof (gint64));
  va_list args;
  va_start (args, n);
  for (guint i = 0; i < n; i++)
    {
      gint64 id = va_arg (args, int);
      g_array_append_val (out, id);
    }
  va_end (args);
  return out;
}

static void
test_values (void)
{
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (HarkEvent) event = NULL;
  char kind[] = "note", json[] = "{\"type\":\"note\"}";
  g_test_summary ("An event has copies of all it was made of.");
  g_assert_true (hark_topic_parse ("room/lobby", &topic, NULL));
  event = hark_event_new (&topic, 7, 42, kind, json, strlen (json));
  hark_topic_clear (&topic);
  kind[0] = json[0] = 'X';
  g_assert_cmpint (event->topic.kind, ==, HARK_TOPIC_ROOM);
  g_assert_cmpstr (event->topic.name, ==, "lobby");
  g_assert_cmpint (event->seq, ==, 7);
  g_assert_cmpint (event->rev, ==, 42);
  g_assert_true (event->kind == g_intern_string ("note"));
  g_assert_cmpmem (event->json, event->len, "{\"type\":\"note\"}", 15);
}

static void
test_everyone (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 1, 1, "note", "{}", 2);
  g_test_summary ("Without an audience everyone may see an event.");
  g_assert_true (hark_event_may_see (event, 1));
  g_assert_true (hark_event_may_see (event, 0));
}

static void
test_audience (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 1, 1, "note", "{}", 2);
  g_test_summary ("An event with an audience is for exactly those in it, in whatever order they were named.");
  hark_event_take_audience (event, ids (6, 90, 7, 1, 7, 30, -4));
  for (gint64 id = -10; id <= 100; id++)
    g_assert_cmpint (hark_event_may_see (event, id), ==, id == 90 || id == 7 || id == 1 || id == 30 || id == -4);
}

static void
test_nobody (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 1, 1, "note", "{}", 2);
  g_test_summary ("An empty audience is nobody, and a later audience takes the place of an earlier one.");
  hark_event_take_audience (event, ids (1, 5));
  hark_event_take_audience (event, ids (0));
  g_assert_false (hark_event_may_see (event, 5));
  g_assert_false (hark_event_may_see (event, 0));
}

static void
test_except (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 0, 0, "typing", "{}", 2);
  g_test_summary ("An event can be kept from one user.");
  g_assert_false (event->droppable);
  hark_event_set_except (event, 5);
  g_assert_false (hark_event_may_see (event, 5));
  g_assert_true (hark_event_may_see (event, 6));
  g_assert_true (hark_event_may_see (event, 0));
}

#define N_TURNS 200000

static gpointer
hold_many (gpointer data)
{
  for (guint i = 0; i < N_TURNS; i++)
    hark_event_unref (hark_event_ref (data));
  return NULL;
}

static void
test_threads (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 1, 1, "note", "{}", 2);
  GThread *thread = g_thread_new ("hold", hold_many, event);
  g_test_summary ("Threads hold an event and let go of it side by side.");
  hold_many (event);
  g_thread_join (thread);
  g_assert_true (g_atomic_ref_count_compare (&event->refs, 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event/values", test_values);
  g_test_add_func ("/event/everyone", test_everyone);
  g_test_add_func ("/event/audience", test_audience);
  g_test_add_func ("/event/nobody", test_nobody);
  g_test_add_func ("/event/except", test_except);
  g_test_add_func ("/event/threads", test_threads);
  return g_test_run ();
}
