/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/hub.h"
#include "core/presence.h"

#include "base/error.h"
#include "fake-transport.h"

typedef struct
{
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkTurn *turn;
  HarkQuota *quota;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkProtocol *protocol;
  HarkHub *hub;
  HarkCommand *held; /* the last command of "wait" */
} Fixture;

static void
on_echo (HarkCommand *command, gpointer data)
{
  HarkJsonWriter *writer = hark_command_begin_reply (command);
  hark_json_writer_member_int (writer, "members", hark_json_object_get_n_members (command->args));
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_wait (HarkCommand *command, gpointer data)
{
  Fixture *f = data;
  g_clear_pointer (&f->held, hark_command_unref);
  f->held = command;
}

static const HarkCommandSpec specs[] = {
  { "echo", HARK_COMMAND_NONE, NULL, on_echo },
  { "wait", HARK_COMMAND_NONE, "waits", on_wait },
  { "rule", HARK_COMMAND_ADMIN, NULL, on_echo },
  { "peek", HARK_COMMAND_ANONYMOUS | HARK_COMMAND_UNAUTHENTICATED | HARK_COMMAND_UNMETERED, NULL, on_echo },
};

static void
set_up (Fixture *f, gconstpointer data)
{
  HarkHubLimits limits = HARK_HUB_LIMITS_DEFAULT;
  limits.max_sessions = 50;
  limits.max_sessions_per_user = 20;
  limits.max_subscriptions = 8;
  limits.max_interests = 100;
  limits.max_pending = 4;
  limits.max_strikes = 3;
  limits.max_recent = 16;
  f->clock = hark_fake_clock_new (1763665555123);
  f->metrics = hark_metrics_new ();
  f->turn = hark_turn_new (NULL);
  f->quota = hark_quota_new (HARK_CLOCK (f->clock), f->metrics);
  f->dispatcher = hark_dispatcher_new (f->quota, f->metrics);
  f->ids = hark_ids_new (HARK_CLOCK (f->clock));
  f->protocol = fake_protocol_new ();
  f->hub = hark_hub_new (f->turn, f->dispatcher, HARK_CLOCK (f->clock), f->ids, f->metrics, &limits);
  hark_dispatcher_add (f->dispatcher, specs, G_N_ELEMENTS (specs), f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->held != NULL && !f->held->answered)
    hark_command_reply_empty (f->held);
  g_clear_pointer (&f->held, hark_command_unref);
  hark_dispatcher_remove (f->dispatcher, f);
  g_assert_finalize_object (f->hub);
  g_assert_finalize_object (f->dispatcher);
  g_assert_finalize_object (f->quota);
  g_assert_finalize_object (f->turn);
  g_assert_finalize_object (f->ids);
  g_assert_finalize_object (f->protocol);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

/* Returns: (transfer none): a session the hub keeps, whose transport the test may look at while the session lives */
static HarkSession *
connect_as (Fixture *f, gint64 user_id, HarkIdentityFlags flags)
{
  g_autoptr (HarkIdentity) identity = user_id > 0 ? hark_identity_new (user_id, "ann", 1, 0, flags) : NULL;
  g_autoptr (HarkSession) session
    = hark_session_new (f->hub, HARK_TRANSPORT (fake_transport_new ()), f->protocol, &fake_wire, identity);
  hark_session_open (session);
  return hark_hub_get_session (f->hub, session->id);
}

static FakeTransport *
wire_of (HarkSession *session)
{
  return FAKE_TRANSPORT (session->transport);
}

static void
assert_reads (HarkSession *session, const char *expected)
{
  g_autofree char *line = fake_transport_pop (wire_of (session));
  g_assert_cmpstr (line, ==, expected);
}

static HarkEvent *
event_of (const char *topic_text, gint64 seq, gint64 rev, const char *json)
{
  g_auto (HarkTopic) topic = { 0 };
  hark_topic_parse (topic_text, &topic, NULL);
  return hark_event_new (&topic, seq, rev, "note", json, strlen (json));
}

static void
publish (Fixture *f, const char *topic, gint64 seq, gint64 rev, const char *json)
{
  g_autoptr (HarkEvent) event = event_of (topic, seq, rev, json);
  hark_hub_publish (f->hub, event);
}

static HarkSubscription *
subscribe (Fixture *f, HarkSession *session, const char *text, gint64 cursor, gint64 rev)
{
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (GError) error = NULL;
  HarkSubscription *subscription;
  hark_topic_parse (text, &topic, NULL);
  subscription = hark_hub_subscribe (f->hub, session, &topic, cursor, rev, &error);
  g_assert_no_error (error);
  return subscription;
}

static void
test_fan_out (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0), *eve = connect_as (f, 3, 0);
  g_test_summary ("An event reaches exactly the sessions that subscribed to its topic, once each and in order.");
  subscribe (f, ann, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  subscribe (f, eve, "channel/2", 0, -1);
  publish (f, "channel/1", 1, 1, "{\"n\":1}");
  publish (f, "channel/1", 2, 2, "{\"n\":2}");
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (ann->transport)), ==, 0);
  hark_turn_end (f->turn);
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (ann->transport)), ==, 1);
  assert_reads (ann, "{\"n\":1}");
  assert_reads (ann, "{\"n\":2}");
  assert_reads (bob, "{\"n\":1}");
  assert_reads (bob, "{\"n\":2}");
  assert_reads (bob, NULL);
  assert_reads (eve, NULL);
}

static void
test_shared (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  struct iovec first, second;
  g_test_summary ("An event is encoded once: all receivers of a wire hold the same bytes.");
  subscribe (f, ann, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  publish (f, "channel/1", 1, 1, "{}");
  hark_turn_end (f->turn);
  g_assert_cmpuint (hark_outbox_peek (&ann->transport->outbox, &first, 1), ==, 1);
  g_assert_cmpuint (hark_outbox_peek (&bob->transport->outbox, &second, 1), ==, 1);
  g_assert_true (first.iov_base == second.iov_base);
}

static void
test_join_in_turn (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  g_test_summary ("Who joins or leaves within a turn gets what was published while it was in, and nothing else.");
  subscribe (f, ann, "channel/1", 0, -1);
  publish (f, "channel/1", 1, 1, "1");
  subscribe (f, bob, "channel/1", 1, -1);
  publish (f, "channel/1", 2, 2, "2");
  hark_subscription_end (ann->subscriptions->pdata[0]);
  publish (f, "channel/1", 3, 3, "3");
  hark_turn_end (f->turn);
  assert_reads (ann, "1");
  assert_reads (ann, "2");
  assert_reads (ann, NULL);
  assert_reads (bob, "2");
  assert_reads (bob, "3");
  assert_reads (bob, NULL);
}

static void
test_audience (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  g_autoptr (HarkEvent) event = event_of ("server/1", 2, 2, "private");
  GArray *audience = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 bob_id = 2;
  g_test_summary ("An event with an audience passes everyone else by and keeps its place in the order.");
  g_array_append_val (audience, bob_id);
  hark_event_take_audience (event, audience);
  subscribe (f, ann, "server/1", 0, -1);
  subscribe (f, bob, "server/1", 0, -1);
  publish (f, "server/1", 1, 1, "before");
  hark_hub_publish (f->hub, event);
  publish (f, "server/1", 3, 3, "after");
  hark_turn_end (f->turn);
  assert_reads (ann, "before");
  assert_reads (ann, "after");
  assert_reads (bob, "before");
  assert_reads (bob, "private");
  assert_reads (bob, "after");
}

static void
count_call (gpointer data)
{
  (*(guint *)data)++;
}

static void
test_snapshot (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0);
  g_autoptr (GError) error = NULL;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  guint calls = 0;
  g_test_summary ("A snapshot is followed by what was published after it, without a gap and without doubles.");
  hark_hub_set_published_rev (f->hub, 10);
  publish (f, "channel/1", 5, 11, "5");
  publish (f, "channel/2", 1, 12, "other");
  publish (f, "channel/1", 6, 13, "6");
  hark_hub_when_published (f->hub, 11, count_call, &calls);
  g_assert_cmpuint (calls, ==, 1);
  subscribe (f, ann, "channel/1", 5, 11);
  hark_turn_end (f->turn);
  assert_reads (ann, "6");
  publish (f, "channel/1", 7, 14, "7");
  hark_turn_end (f->turn);
  assert_reads (ann, "7");
  assert_reads (ann, NULL);

  /* A reader may be ahead of the hub: then the hub catches up first. */
  hark_hub_when_published (f->hub, 16, count_call, &calls);
  hark_hub_when_published (f->hub, 15, count_call, &calls);
  publish (f, "channel/1", 8, 15, "8");
  g_assert_cmpuint (calls, ==, 2);
  publish (f, "channel/1", 9, 16, "9");
  g_assert_cmpuint (calls, ==, 3);

  /* It remembers a bounded number of events. */
  for (gint64 rev = 17; rev < 40; rev++)
    publish (f, "channel/3", rev, rev, "x");
  topic.id = 3;
  g_assert_null (hark_hub_subscribe (f->hub, ann, &topic, 20, 20, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
}

static void
test_interest (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  const gint64 page[] = { 7, 8, 9 }, again[] = { 9, 10 }, gone[] = { 8, 99 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) loaded = NULL;
  guint interests;
  g_test_summary ("Changes of a user reach who has loaded that user, once, until it is forgotten or the session ends.");
  g_assert_true (hark_hub_load (f->hub, ann, page, 3, -1, &error));
  g_assert_true (hark_hub_load (f->hub, ann, again, 2, -1, &error));
  g_assert_true (hark_hub_load (f->hub, bob, again, 2, -1, &error));
  publish (f, "user/9", 1, 1, "9 left");
  publish (f, "user/8", 1, 2, "8 left");
  hark_turn_end (f->turn);
  assert_reads (ann, "9 left");
  assert_reads (ann, "8 left");
  assert_reads (ann, NULL);
  assert_reads (bob, "9 left");
  assert_reads (bob, NULL);
  hark_hub_unload (f->hub, ann, gone, 2);
  g_assert_false (hark_hub_has_loaded (f->hub, ann, 8));
  g_assert_true (hark_hub_has_loaded (f->hub, ann, 9));
  loaded = hark_hub_dup_loaded (f->hub, ann);
  g_assert_cmpuint (loaded->len, ==, 3);
  publish (f, "user/8", 2, 3, "8 back");
  hark_turn_end (f->turn);
  assert_reads (ann, NULL);
  hark_session_close (ann, HARK_CLOSE_NORMAL, NULL);
  g_object_get (f->hub, "interests", &interests, NULL);
  g_assert_cmpuint (interests, ==, 2);
}

static void
test_interest_replay (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0);
  const gint64 page[] = { 7, 8 };
  g_autoptr (GError) error = NULL;
  g_test_summary ("A page of users read at a revision is followed by what those users changed since.");
  publish (f, "user/7", 1, 1, "old");
  publish (f, "user/7", 2, 2, "new");
  publish (f, "user/9", 1, 3, "other");
  g_assert_true (hark_hub_load (f->hub, ann, page, 2, 1, &error));
  assert_reads (ann, "new");
  assert_reads (ann, NULL);
}

/* A thousand random changes to a few sessions' links: afterwards the index and a plain model agree. */
static void
test_links (Fixture *f, gconstpointer data)
{
  HarkSession *sessions[6];
  gboolean subscribed[6][5] = { 0 }, loaded[6][5] = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (4711);
  gint64 seq = 0;
  g_test_summary ("Links stay right on both sides through any order of adding and removing.");
  for (guint i = 0; i < 6; i++)
    sessions[i] = connect_as (f, 1 + i % 3, 0);
  for (guint step = 0; step < 2000; step++)
    {
      guint s = g_rand_int_range (rand, 0, 6), t = g_rand_int_range (rand, 0, 5);
      HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1 + t);
      gint64 user = 1 + t;
      switch (g_rand_int_range (rand, 0, 5))
        {
        case 0:
          g_assert_nonnull (hark_hub_subscribe (f->hub, sessions[s], &topic, 0, -1, NULL));
          subscribed[s][t] = TRUE;
          break;
        case 1:
          hark_hub_unsubscribe (f->hub, sessions[s], &topic);
          subscribed[s][t] = FALSE;
          break;
        case 2:
          g_assert_true (hark_hub_load (f->hub, sessions[s], &user, 1, -1, NULL));
          loaded[s][t] = TRUE;
          break;
        case 3:
          hark_hub_unload (f->hub, sessions[s], &user, 1);
          loaded[s][t] = FALSE;
          break;
        default:
          if (step % 7 == 0)
            {
              hark_session_close (sessions[s], HARK_CLOSE_NORMAL, NULL);
              sessions[s] = connect_as (f, 1 + s % 3, 0);
              for (guint i = 0; i < 5; i++)
                subscribed[s][i] = loaded[s][i] = FALSE;
            }
          break;
        }
      seq++;
      {
        g_autofree char *channel = g_strdup_printf ("channel/%u", 1 + t);
        g_autofree char *of_user = g_strdup_printf ("user/%u", 1 + t);
        publish (f, channel, seq, seq * 2, "c");
        publish (f, of_user, seq, seq * 2 + 1, "u");
        hark_turn_end (f->turn);
      }
      for (guint i = 0; i < 6; i++)
        {
          if (subscribed[i][t])
            assert_reads (sessions[i], "c");
          if (loaded[i][t])
            assert_reads (sessions[i], "u");
          assert_reads (sessions[i], NULL);
        }
    }
}

static void
test_slow (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_autoptr (HarkSubscription) subscription = NULL;
  gint64 cursor;
  g_test_summary ("A reader over its bound is disconnected as slow, its cursor before what it was not sent.");
  transport->max_outbox = 10;
  subscription = g_object_ref (subscribe (f, ann, "channel/1", 0, -1));
  subscribe (f, bob, "channel/1", 0, -1);
  publish (f, "channel/1", 1, 1, "123456");
  hark_turn_end (f->turn);
  publish (f, "channel/1", 2, 2, "123456");
  hark_turn_end (f->turn);
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (transport)), ==, HARK_CLOSE_SLOW);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 1);
  g_object_get (subscription, "cursor", &cursor, NULL);
  g_assert_cmpint (cursor, ==, 0);
  assert_reads (bob, "123456");
  assert_reads (bob, "123456");
}

static void
publish_typing (Fixture *f, gint64 except)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 0, 0, "typing", "t", 1);
  hark_event_set_droppable (event);
  hark_event_set_except (event, except);
  hark_hub_publish (f->hub, event);
}

static void
test_droppable (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  HarkCounter *dropped = hark_metrics_counter (f->metrics, "hark_deliveries_dropped_total", "");
  g_test_summary ("What is droppable comes in order, is kept from who reads slowly without ending them, and comes "
                  "again when they have read.");
  ann->transport->max_outbox = 40;
  subscribe (f, ann, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  publish (f, "channel/1", 1, 1, "12345678");
  publish_typing (f, 0);
  publish (f, "channel/1", 2, 2, "12345678");
  hark_turn_end (f->turn);
  g_assert_cmpint (hark_counter_get (dropped), ==, 1);
  for (guint i = 3; i < 5; i++)
    publish (f, "channel/1", i, i, "12345678");
  publish_typing (f, 0);
  hark_turn_end (f->turn);
  g_assert_cmpint (hark_counter_get (dropped), ==, 2);
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (ann->transport)), ==, 0);
  for (guint i = 0; i < 4; i++)
    assert_reads (ann, "12345678");
  assert_reads (ann, NULL);
  publish_typing (f, 0);
  hark_turn_end (f->turn);
  assert_reads (ann, "t");
  assert_reads (bob, "12345678");
  assert_reads (bob, "t");
  assert_reads (bob, "12345678");
}

static void
test_except (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *tab = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  g_test_summary ("An event that is kept from a user reaches none of that user's sessions and all others.");
  subscribe (f, ann, "channel/1", 0, -1);
  subscribe (f, tab, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  publish_typing (f, 1);
  hark_turn_end (f->turn);
  assert_reads (ann, NULL);
  assert_reads (tab, NULL);
  assert_reads (bob, "t");
}

static void
test_revoked (Fixture *f, gconstpointer data)
{
  HarkSession *one = connect_as (f, 1, 0), *two = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_test_summary ("Taking a topic from a user ends it for all that user's sessions and for nobody else.");
  subscribe (f, one, "channel/1", 0, -1);
  subscribe (f, two, "channel/1", 0, -1);
  subscribe (f, bob, "channel/1", 0, -1);
  publish (f, "channel/1", 1, 1, "last");
  hark_hub_unsubscribe_user (f->hub, 1, &topic);
  publish (f, "channel/1", 2, 2, "secret");
  hark_turn_end (f->turn);
  assert_reads (one, "last");
  assert_reads (one, NULL);
  assert_reads (two, "last");
  assert_reads (two, NULL);
  assert_reads (bob, "last");
  assert_reads (bob, "secret");
  hark_hub_unsubscribe_user (f->hub, 0, &topic);
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 0);
}

static void
on_closed (HarkSession *session, guint code, const char *reason, gpointer data)
{
  *(guint *)data = *(guint *)data * 10000 + code;
}

static void
test_ends_once (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = g_object_ref (connect_as (f, 1, 0));
  g_autoptr (HarkTransport) transport = g_object_ref (session->transport);
  guint closed = 0;
  g_test_summary ("A session ends once, whoever begins, and nothing reaches it afterwards.");
  g_signal_connect (session, "closed", G_CALLBACK (on_closed), &closed);
  subscribe (f, session, "channel/1", 0, -1);
  hark_session_close (session, HARK_CLOSE_DISCONNECTED, "by hand");
  hark_session_close (session, HARK_CLOSE_NORMAL, NULL);
  g_assert_cmpuint (closed, ==, HARK_CLOSE_DISCONNECTED);
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (transport)), ==, HARK_CLOSE_DISCONNECTED);
  publish (f, "channel/1", 1, 1, "late");
  hark_session_send_json (session, "note", "{}", 2);
  hark_turn_end (f->turn);
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (transport)), ==, 0);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_NORMAL);
  g_assert_cmpuint (closed, ==, HARK_CLOSE_DISCONNECTED);
}

static void
test_peer_hangs_up (Fixture *f, gconstpointer data)
{
  HarkSession *session = connect_as (f, 1, 0);
  g_autoptr (HarkTransport) transport = g_object_ref (session->transport);
  guint closed = 0;
  g_test_summary ("When the peer hangs up the session is out of the hub and says why.");
  g_signal_connect (session, "closed", G_CALLBACK (on_closed), &closed);
  subscribe (f, session, "channel/1", 0, -1);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_ABNORMAL);
  g_assert_cmpuint (closed, ==, HARK_CLOSE_ABNORMAL);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
test_commands (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *root = connect_as (f, 2, HARK_IDENTITY_ADMIN);
  HarkSession *nobody = connect_as (f, 0, 0), *anonymous = connect_as (f, 3, HARK_IDENTITY_ANONYMOUS);
  g_test_summary ("Requests reach their concern only from those who may ask; everyone else is told why not.");
  fake_transport_say (wire_of (ann), "echo {\"a\":1}");
  assert_reads (ann, "{\"type\":\"echo\",\"ref\":7,\"members\":1}");
  fake_transport_say (wire_of (ann), "rule {}");
  assert_reads (ann, "{\"type\":\"error\",\"ref\":7,\"code\":\"forbidden\",\"message\":\"\\\"rule\\\" is for "
                     "administrators\"}");
  fake_transport_say (wire_of (root), "rule {}");
  assert_reads (root, "{\"type\":\"rule\",\"ref\":7,\"members\":0}");
  fake_transport_say (wire_of (ann), "nothing {}");
  assert_reads (ann, "{\"type\":\"error\",\"ref\":7,\"code\":\"unknown_type\",\"message\":\"\\\"type\\\": there is no "
                     "request \\\"nothing\\\"\"}");
  fake_transport_say (wire_of (nobody), "echo {}");
  assert_reads (nobody, "{\"type\":\"error\",\"ref\":7,\"code\":\"unauthenticated\",\"message\":\"say who you are "
                        "first: \\\"authenticate\\\" with a token\"}");
  fake_transport_say (wire_of (nobody), "peek {}");
  assert_reads (nobody, "{\"type\":\"peek\",\"ref\":7,\"members\":0}");
  fake_transport_say (wire_of (anonymous), "echo {}");
  assert_reads (anonymous, "{\"type\":\"error\",\"ref\":7,\"code\":\"unauthenticated\",\"message\":\"\\\"echo\\\" "
                           "needs an account\"}");
  fake_transport_say (wire_of (anonymous), "peek {}");
  assert_reads (anonymous, "{\"type\":\"peek\",\"ref\":7,\"members\":0}");
}

static void
test_quota (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0), *bob = connect_as (f, 2, 0);
  g_test_summary ("A user over its quota is told after how long to try again; nobody else is affected.");
  hark_quota_set_rate (f->quota, "requests", 2, 2);
  for (guint i = 0; i < 2; i++)
    {
      fake_transport_say (wire_of (ann), "echo {}");
      assert_reads (ann, "{\"type\":\"echo\",\"ref\":7,\"members\":0}");
    }
  fake_transport_say (wire_of (ann), "echo {}");
  assert_reads (ann, "{\"type\":\"error\",\"ref\":7,\"code\":\"rate_limited\",\"message\":\"too many requests at "
                     "once\",\"retry_after_ms\":500}");
  fake_transport_say (wire_of (bob), "echo {}");
  assert_reads (bob, "{\"type\":\"echo\",\"ref\":7,\"members\":0}");
  hark_fake_clock_advance (f->clock, 500);
  fake_transport_say (wire_of (ann), "echo {}");
  assert_reads (ann, "{\"type\":\"echo\",\"ref\":7,\"members\":0}");
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 2);
  hark_fake_clock_advance (f->clock, 120000);
  g_assert_cmpuint (hark_quota_get_n_users (f->quota), ==, 0);
}

static void
test_pending (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0);
  g_autoptr (GPtrArray) held = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_command_unref);
  g_test_summary ("A session with too many requests under way is not read until half of them are answered.");
  for (guint i = 0; i < 4; i++)
    {
      g_assert_true (fake_transport_is_reading (FAKE_TRANSPORT (ann->transport)));
      fake_transport_say (wire_of (ann), "wait {}");
      g_ptr_array_add (held, g_steal_pointer (&f->held));
    }
  g_assert_false (fake_transport_is_reading (FAKE_TRANSPORT (ann->transport)));
  hark_command_reply_empty (held->pdata[0]);
  g_assert_false (fake_transport_is_reading (FAKE_TRANSPORT (ann->transport)));
  hark_command_reply_empty (held->pdata[1]);
  g_assert_true (fake_transport_is_reading (FAKE_TRANSPORT (ann->transport)));
  hark_command_reply_empty (held->pdata[2]);
  hark_session_close (ann, HARK_CLOSE_NORMAL, NULL);
  hark_command_reply_empty (held->pdata[3]);
}

static void
test_abuse (Fixture *f, gconstpointer data)
{
  HarkSession *ann = connect_as (f, 1, 0);
  g_autoptr (HarkTransport) transport = g_object_ref (ann->transport);
  g_test_summary (
    "Refused messages are errors at first and a disconnection in the end; understood ones make up for them.");
  for (guint i = 0; i < 10; i++)
    {
      fake_transport_say (wire_of (ann), "rubbish");
      fake_transport_say (wire_of (ann), "echo {}");
    }
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (ann->transport)), ==, 0);
  for (guint i = 0; i < 3; i++)
    fake_transport_say (FAKE_TRANSPORT (transport), "rubbish");
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (transport)), ==, HARK_CLOSE_POLICY);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
on_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  char **out = data;
  *out = json != NULL ? g_strndup (json, len) : g_strdup (hark_error_get_wire_name (error->code));
}

static void
test_call (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkIdentity) admin = hark_identity_new (0, "root", 0, 0, HARK_IDENTITY_ADMIN);
  g_autofree char *first = NULL, *second = NULL, *third = NULL;
  g_test_summary ("Who is no session asks through the same dispatcher and gets the same answers.");
  hark_dispatcher_call (f->dispatcher, admin, "rule", "{\"x\":[1]}", on_answer, &first);
  g_assert_cmpstr (first, ==, "{\"type\":\"rule\",\"members\":1}");
  hark_dispatcher_call (f->dispatcher, admin, "rule", "[]", on_answer, &second);
  g_assert_cmpstr (second, ==, "bad_request");
  hark_dispatcher_call (f->dispatcher, admin, "nothing", "{}", on_answer, &third);
  g_assert_cmpstr (third, ==, "unknown_type");
}

static void
test_bounds (Fixture *f, gconstpointer data)
{
  HarkSession *ann = NULL;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 9);
  g_autoptr (GError) error = NULL;
  g_autofree gint64 *many = g_new0 (gint64, 101);
  g_test_summary ("Sessions, subscriptions and loaded users have bounds, and beyond them there is an error.");
  for (guint i = 0; i < 20; i++)
    ann = connect_as (f, 1, 0);
  g_assert_null (connect_as (f, 1, 0));
  for (gint64 i = 1; i <= 8; i++)
    {
      topic.id = i;
      g_assert_nonnull (hark_hub_subscribe (f->hub, ann, &topic, 0, -1, NULL));
    }
  topic.id = 9;
  g_assert_null (hark_hub_subscribe (f->hub, ann, &topic, 0, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  g_clear_error (&error);
  g_assert_false (hark_hub_load (f->hub, ann, many, 101, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  for (gint64 i = 0; i < 30; i++)
    g_assert_nonnull (connect_as (f, 100 + i, 0));
  g_assert_null (connect_as (f, 200, 0));
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 50);
}

static void
on_presence (HarkPresence *presence, gint64 user_id, gboolean online, GString *log)
{
  g_string_append_printf (log, "%s%d ", online ? "+" : "-", (int)user_id);
}

static void
test_presence (Fixture *f, gconstpointer data)
{
  HarkPresence *presence = hark_presence_new (f->hub, HARK_CLOCK (f->clock), 10000);
  g_autoptr (GString) log = g_string_new (NULL);
  HarkSession *one, *two;
  g_test_summary (
    "A user is online with the first session and offline a grace time after the last; a reload is silent.");
  g_signal_connect (presence, "changed", G_CALLBACK (on_presence), log);
  one = connect_as (f, 1, 0);
  two = connect_as (f, 1, 0);
  hark_session_close (one, HARK_CLOSE_NORMAL, NULL);
  hark_fake_clock_advance (f->clock, 20000);
  g_assert_cmpstr (log->str, ==, "+1 ");
  hark_session_close (two, HARK_CLOSE_NORMAL, NULL);
  hark_fake_clock_advance (f->clock, 9999);
  one = connect_as (f, 1, 0);
  hark_fake_clock_advance (f->clock, 20000);
  g_assert_cmpstr (log->str, ==, "+1 ");
  hark_session_close (one, HARK_CLOSE_NORMAL, NULL);
  hark_fake_clock_advance (f->clock, 5000);
  hark_presence_expect (presence, 2);
  g_assert_true (hark_presence_is_online (presence, 1));
  hark_fake_clock_advance (f->clock, 5000);
  g_assert_false (hark_presence_is_online (presence, 1));
  g_assert_cmpstr (log->str, ==, "+1 -1 ");
  hark_fake_clock_advance (f->clock, 5000);
  g_assert_cmpstr (log->str, ==, "+1 -1 -2 ");
  g_assert_finalize_object (presence);
}

#define ADD(name, func) g_test_add ("/hub/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("fan-out", test_fan_out);
  ADD ("shared", test_shared);
  ADD ("join-in-turn", test_join_in_turn);
  ADD ("audience", test_audience);
  ADD ("snapshot", test_snapshot);
  ADD ("interest", test_interest);
  ADD ("interest-replay", test_interest_replay);
  ADD ("links", test_links);
  ADD ("slow", test_slow);
  ADD ("droppable", test_droppable);
  ADD ("except", test_except);
  ADD ("revoked", test_revoked);
  ADD ("ends-once", test_ends_once);
  ADD ("peer-hangs-up", test_peer_hangs_up);
  ADD ("commands", test_commands);
  ADD ("quota", test_quota);
  ADD ("pending", test_pending);
  ADD ("abuse", test_abuse);
  ADD ("call", test_call);
  ADD ("bounds", test_bounds);
  ADD ("presence", test_presence);
  return g_test_run ();
}
