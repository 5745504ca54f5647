/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session that comes back is sent begins at its cursors: none may lie behind an event that never left. */
#include "hub-fixture.h"

#include "base/error.h"

static void
on_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, GString *log)
{
  for (guint i = 0; i < session->subscriptions->len; i++)
    {
      char text[HARK_TOPIC_MAX + 1];
      HarkSubscription *subscription = session->subscriptions->pdata[i];
      g_string_append_printf (log, "%s:%d ", hark_topic_format (hark_subscription_get_topic (subscription), text),
                              (int)hark_subscription_get_cursor (subscription));
    }
  g_string_append_printf (log, "rev:%d ", (int)hark_hub_get_sent_rev (hub, session));
}

static void
test_follows (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkSubscription *subscription = hub_fixture_subscribe (f, ann, "channel/1", 4, -1);
  g_test_summary ("A cursor follows what has left for the client.");
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
  hub_fixture_publish (f, "channel/1", 5, 10, "5");
  hark_turn_end (f->turn);
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 9);
  hub_fixture_assert_reads (ann, "5");
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 5);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 10);
}

static void
test_waiting (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (HarkSubscription) subscription = g_object_ref (hub_fixture_subscribe (f, ann, "channel/1", 4, -1));
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("What waits for the turn's end when the peer hangs up was not sent.");
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), log);
  hub_fixture_publish (f, "channel/1", 5, 10, "5");
  hub_fixture_publish (f, "channel/1", 6, 11, "6");
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_ABNORMAL);
  g_assert_cmpstr (log->str, ==, "channel/1:4 rev:9 ");
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
}

static void
test_many (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GString) log = g_string_new (NULL);
  gint64 seqs[20] = { 0 }, rev = 0;
  g_test_summary ("Where many cursors end is where each of them stood, whatever lies in the outbox.");
  for (guint i = 0; i < G_N_ELEMENTS (seqs); i++)
    {
      g_autofree char *topic = g_strdup_printf ("channel/%u", i + 1);
      hub_fixture_subscribe (f, ann, topic, 0, -1);
    }
  for (guint i = 0; i < 200; i++)
    {
      guint n = g_test_rand_int_range (0, G_N_ELEMENTS (seqs));
      g_autofree char *topic = g_strdup_printf ("channel/%u", n + 1);
      hub_fixture_publish (f, topic, ++seqs[n], ++rev, "x");
      if (g_test_rand_bit ())
        hark_turn_end (f->turn);
      if (i < 100)
        g_free (fake_transport_pop (FAKE_TRANSPORT (transport)));
    }
  on_removed (f->hub, ann, 0, NULL, expected);
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), log);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_ABNORMAL);
  g_assert_cmpstr (log->str, ==, expected->str);
}

static void
test_not_stored_first (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkSubscription *subscription = hub_fixture_subscribe (f, ann, "channel/1", 4, -1);
  g_test_summary ("An event that is not stored does not hide the stored one behind it in the same turn.");
  hub_fixture_publish (f, "channel/1", 0, 0, "typing");
  hub_fixture_publish (f, "channel/1", 5, 10, "5");
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 9);
  hark_turn_end (f->turn);
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 9);
  hub_fixture_assert_reads (ann, "typing");
  hub_fixture_assert_reads (ann, "5");
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 5);
}

static void
test_no_event_first (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkSubscription *subscription = hub_fixture_subscribe (f, ann, "inbox/1", 4, -1);
  g_test_summary ("A message that is no event does not hide the event behind it in the outbox.");
  hark_session_send_json (ann, "note", "{}", 2);
  hub_fixture_publish (f, "inbox/1", 5, 10, "5");
  hark_turn_end (f->turn);
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 4);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 9);
}

static void
test_refused (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("What did not fit into the outbox was not sent, though nothing else of its topic lies there.");
  transport->max_outbox = 10;
  hub_fixture_subscribe (f, ann, "channel/1", 0, -1);
  hub_fixture_subscribe (f, ann, "channel/2", 0, -1);
  hub_fixture_load (f, ann, 7);
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), log);
  hub_fixture_publish (f, "channel/1", 1, 1, "123456");
  hark_turn_end (f->turn);
  g_free (fake_transport_pop (FAKE_TRANSPORT (transport)));
  hub_fixture_publish (f, "channel/1", 2, 2, "123456");
  hark_turn_end (f->turn);
  hub_fixture_publish (f, "user/7", 9, 3, "123456");
  hub_fixture_publish (f, "channel/2", 1, 4, "123456");
  hub_fixture_publish (f, "channel/2", 2, 5, "123456");
  hark_turn_end (f->turn);
  g_assert_cmpstr (log->str, ==, "channel/1:1 channel/2:0 rev:1 ");
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (transport)), ==, HARK_CLOSE_SLOW);
}

static void
test_refused_user (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("A loaded user's change that did not fit is counted as not sent too.");
  transport->max_outbox = 10;
  hub_fixture_subscribe (f, ann, "channel/1", 0, -1);
  hub_fixture_load (f, ann, 7);
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), log);
  hark_session_send_json (ann, "note", "123456", 6);
  hub_fixture_publish (f, "user/7", 9, 3, "123456");
  hub_fixture_publish (f, "channel/1", 1, 4, "123456");
  hark_turn_end (f->turn);
  g_assert_cmpstr (log->str, ==, "channel/1:0 rev:2 ");
}

static void
test_no_gap (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (HarkSubscription) subscription = NULL;
  g_test_summary ("After an event that did not fit no later one is let in, though it would: there is no gap.");
  transport->max_outbox = 10;
  subscription = g_object_ref (hub_fixture_subscribe (f, ann, "channel/1", 0, -1));
  hark_session_send_json (ann, "note", "123456", 6);
  hub_fixture_publish (f, "channel/1", 1, 1, "123456");
  /* Who joins a topic has what was published before delivered at once. */
  hub_fixture_subscribe (f, hub_fixture_connect (f, 2), "channel/1", 1, -1);
  g_free (fake_transport_pop (FAKE_TRANSPORT (transport)));
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (transport)), ==, 0);
  hub_fixture_publish (f, "channel/1", 2, 2, "2");
  hark_turn_end (f->turn);
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (transport)), ==, 0);
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 0);
  g_assert_cmpint (hub_fixture_count (f, "hark_sessions_slow_total"), ==, 1);
}

static void
test_refusal_passes (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkTransport) transport = HARK_TRANSPORT (fake_transport_new ());
  g_autoptr (HarkBuffer) units = hark_buffer_new ("123456\n", 7);
  g_test_summary ("A transport without a session takes more once it has drained: only the hub gives one up.");
  transport->max_outbox = 10;
  g_assert_true (hark_transport_send (transport, units));
  g_assert_false (hark_transport_send (transport, units));
  g_free (fake_transport_pop (FAKE_TRANSPORT (transport)));
  g_assert_true (hark_transport_send (transport, units));
}

static void
test_closing (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkSubscription *subscription = hub_fixture_subscribe (f, ann, "channel/1", 0, -1);
  g_test_summary ("What is published after the peer has begun to close was not sent, and nobody is slow for it.");
  ann->transport->closing = TRUE;
  hub_fixture_publish (f, "channel/1", 1, 1, "1");
  hark_turn_end (f->turn);
  hub_fixture_publish (f, "channel/1", 2, 2, "2");
  hark_turn_end (f->turn);
  g_assert_cmpint (ann->state, ==, HARK_SESSION_OPEN);
  g_assert_cmpint (hub_fixture_get_cursor (subscription), ==, 0);
  g_assert_cmpint (hark_hub_get_sent_rev (f->hub, ann), ==, 0);
  g_assert_cmpint (hub_fixture_count (f, "hark_deliveries_total"), ==, 0);
}

static void
test_replay_refused (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) log = g_string_new (NULL);
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_test_summary (
    "A session too slow for what it is replayed ends, before what did not fit, and gets no subscription.");
  transport->max_outbox = 10;
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), log);
  for (gint64 i = 1; i <= 5; i++)
    {
      hub_fixture_publish (f, "channel/1", i, 2 * i - 1, "1234");
      hub_fixture_publish (f, "user/7", i, 2 * i, "1234");
    }
  hark_session_send_json (ann, "note", "123456789", 9);
  g_assert_null (hark_hub_subscribe (f->hub, ann, &topic, 2, 4, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_cmpstr (log->str, ==, "channel/1:2 rev:4 ");
}

static void
test_load_refused (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (GError) error = NULL;
  gint64 user = 7;
  g_test_summary ("Loading users says so when the session ended because it was too slow for their changes.");
  ann->transport->max_outbox = 10;
  hub_fixture_publish (f, "user/7", 1, 1, "1234");
  hub_fixture_publish (f, "user/7", 2, 2, "1234");
  hub_fixture_publish (f, "user/7", 3, 3, "1234");
  g_assert_false (hark_hub_load (f->hub, ann, &user, 1, 0, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
test_over (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) ann = g_object_ref (hub_fixture_connect (f, 1));
  g_autoptr (GError) error = NULL;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  gint64 user = 7;
  g_test_summary ("A session that ended while something was read for it joins nothing.");
  hark_session_close (ann, HARK_CLOSE_NORMAL, NULL);
  g_assert_null (hark_hub_subscribe (f->hub, ann, &topic, 0, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_clear_error (&error);
  g_assert_false (hark_hub_load (f->hub, ann, &user, 1, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
}

#define ADD(name, func) g_test_add ("/cursor/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("follows", test_follows);
  ADD ("waiting", test_waiting);
  ADD ("many", test_many);
  ADD ("not-stored-first", test_not_stored_first);
  ADD ("no-event-first", test_no_event_first);
  ADD ("refused", test_refused);
  ADD ("refused-user", test_refused_user);
  ADD ("no-gap", test_no_gap);
  ADD ("refusal-passes", test_refusal_passes);
  ADD ("closing", test_closing);
  ADD ("replay-refused", test_replay_refused);
  ADD ("load-refused", test_load_refused);
  ADD ("over", test_over);
  return g_test_run ();
}
