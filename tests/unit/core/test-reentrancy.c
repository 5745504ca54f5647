/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who is told of something may do anything at once: close, publish, join and leave, in the middle of what it is told. */
#include "hub-fixture.h"

#include "base/error.h"
#include "core/presence.h"

typedef struct
{
  HubFixture *f;
  GString *log;
  HarkSession *other; /* (nullable) */
  guint left;         /* what a handler does it does so often at most */
} Scene;

/* Before the hub ends its sessions, and tells of it. */
static void
scene_end (Scene *scene)
{
  g_signal_handlers_disconnect_by_data (scene->f->hub, scene);
  if (scene->log != NULL)
    g_string_free (scene->log, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_end)

static void
scene_log (Scene *scene, const char *what, gint64 number)
{
  g_string_append_printf (scene->log, "%s%d ", what, (int)number);
}

static void
on_user_online (HarkHub *hub, gint64 user_id, Scene *scene)
{
  scene_log (scene, "+", user_id);
}

static void
on_user_offline (HarkHub *hub, gint64 user_id, Scene *scene)
{
  scene_log (scene, "-", user_id);
}

static void
on_closed (HarkSession *session, guint code, const char *reason, Scene *scene)
{
  scene_log (scene, "closed:", code);
}

static void
close_it (HarkSession *session)
{
  hark_session_close (session, HARK_CLOSE_POLICY, "at once");
}

static void
on_told_closes (HarkHub *hub, HarkSession *session, gpointer data)
{
  close_it (session);
}

static void
on_closes_again (HarkHub *hub, HarkSession *session, guint code, const char *reason, Scene *scene)
{
  close_it (session);
  hark_hub_disconnect_user (hub, hark_session_get_user_id (session), HARK_CLOSE_POLICY, "all of them");
}

static void
test_closed_while_removed (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, g_string_new (NULL), NULL, 0 };
  g_autoptr (HarkSession) one = g_object_ref (hub_fixture_connect (f, 1));
  g_autoptr (HarkSession) two = g_object_ref (hub_fixture_connect (f, 1));
  g_autoptr (HarkTransport) transport = g_object_ref (one->transport);
  g_test_summary ("Who hears that a session ends may close it again, and its user's others: each ends once.");
  hub_fixture_subscribe (f, one, "channel/1", 0, -1);
  hub_fixture_load (f, two, 7);
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_closes_again), &scene);
  g_signal_connect (f->hub, "user-offline", G_CALLBACK (on_user_offline), &scene);
  g_signal_connect (one, "closed", G_CALLBACK (on_closed), &scene);
  g_signal_connect (two, "closed", G_CALLBACK (on_closed), &scene);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_GOING_AWAY);
  g_assert_cmpstr (scene.log->str, ==, "closed:1008 -1 closed:1001 ");
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
test_closed_while_added (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, g_string_new (NULL), NULL, 0 };
  HarkPresence *presence = hark_presence_new (f->hub, HARK_CLOCK (f->clock), 1000);
  gulong id;
  g_test_summary ("A session that is ended by who hears of it has not brought its user online.");
  g_signal_connect (f->hub, "user-online", G_CALLBACK (on_user_online), &scene);
  g_signal_connect (f->hub, "user-offline", G_CALLBACK (on_user_offline), &scene);
  id = g_signal_connect (f->hub, "session-added", G_CALLBACK (on_told_closes), NULL);
  g_assert_null (hub_fixture_connect (f, 1));
  hark_fake_clock_advance (f->clock, 5000);
  g_assert_cmpstr (scene.log->str, ==, "");
  g_assert_false (hark_presence_is_online (presence, 1));
  g_signal_handler_disconnect (f->hub, id);
  g_assert_nonnull (hub_fixture_connect (f, 1));
  g_assert_cmpstr (scene.log->str, ==, "+1 ");
  g_assert_true (hark_presence_is_online (presence, 1));
  g_assert_finalize_object (presence);
}

static void
on_state_closes (HarkSession *session, GParamSpec *pspec, Scene *scene)
{
  scene_log (scene, "state:", session->state);
  close_it (session);
}

static void
test_closed_on_state (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, g_string_new (NULL), NULL, 0 };
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 1);
  g_test_summary ("A session may be ended by who sees it open; by then the hub has it.");
  g_signal_connect (f->hub, "user-online", G_CALLBACK (on_user_online), &scene);
  g_signal_connect (f->hub, "user-offline", G_CALLBACK (on_user_offline), &scene);
  g_signal_connect (session, "notify::state", G_CALLBACK (on_state_closes), &scene);
  hark_session_open (session);
  g_assert_cmpstr (scene.log->str, ==, "+1 state:1 -1 state:2 ");
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, 1), ==, 0);
}

static void
test_closed_while_connected (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 0);
  g_autoptr (HarkIdentity) identity = hark_identity_new (1, "ann", 0, 0, HARK_IDENTITY_NONE);
  g_autoptr (GError) error = NULL;
  g_test_summary ("A session that ended before it said who it is cannot say so any more.");
  g_signal_connect (f->hub, "session-connected", G_CALLBACK (on_told_closes), NULL);
  hark_session_open (session);
  g_assert_cmpint (session->state, ==, HARK_SESSION_CLOSED);
  g_assert_false (hark_session_authenticate (session, identity, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, 1), ==, 0);
}

/* On each end: a note to everyone, somebody else leaves the topic, and another is thrown out. */
static void
on_removed_acts (HarkHub *hub, HarkSession *session, guint code, const char *reason, Scene *scene)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  HarkSession *other = g_steal_pointer (&scene->other);
  g_autofree char *json = g_strdup_printf ("gone:%d", (int)hark_session_get_user_id (session));
  hub_fixture_publish (scene->f, "channel/1", 0, 0, json);
  hark_turn_end (scene->f->turn);
  hark_hub_unsubscribe (hub, session, &topic);
  if (other == NULL)
    return;
  hark_hub_unsubscribe (hub, other, &topic);
  close_it (other);
}

static void
test_slow_one_by_one (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, NULL, NULL, 0 };
  HarkSession *reader = hub_fixture_connect (f, 9);
  HarkSession *slow[3];
  g_test_summary (
    "Slow sessions end after a delivery, whatever their ends set off; who keeps up gets all of it in order.");
  hub_fixture_subscribe (f, reader, "channel/1", 0, -1);
  for (guint i = 0; i < G_N_ELEMENTS (slow); i++)
    {
      slow[i] = hub_fixture_connect (f, 1 + i);
      slow[i]->transport->max_outbox = 1;
      hub_fixture_subscribe (f, slow[i], "channel/1", 0, -1);
    }
  scene.other = slow[0];
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed_acts), &scene);
  hub_fixture_publish (f, "channel/1", 1, 1, "one");
  hark_turn_end (f->turn);
  hub_fixture_publish (f, "channel/1", 2, 2, "two");
  hark_turn_end (f->turn);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 1);
  hub_fixture_assert_reads (reader, "one");
  hub_fixture_assert_reads (reader, "two");
  hub_fixture_assert_reads (reader, "gone:3");
  hub_fixture_assert_reads (reader, "gone:1");
  hub_fixture_assert_reads (reader, "gone:2");
  hub_fixture_assert_reads (reader, NULL);
  g_assert_cmpint (hub_fixture_count (f, "hark_sessions_slow_total"), ==, 2);
}

static void
on_removed_publishes_much (HarkHub *hub, HarkSession *session, guint code, const char *reason, Scene *scene)
{
  g_autofree char *much = g_strnfill (100000, 'm');
  if (scene->left == 0)
    return;
  scene->left--;
  hub_fixture_publish (scene->f, "channel/1", 0, 0, much);
}

static void
test_large_from_handler (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, NULL, NULL, 20 };
  HarkSession *reader = hub_fixture_connect (f, 9);
  g_test_summary ("Ends that set off more than a turn's bytes are worked off one after the other.");
  reader->transport->max_outbox = 100 * 1000 * 1000;
  hub_fixture_subscribe (f, reader, "channel/1", 0, -1);
  for (guint i = 0; i < 20; i++)
    {
      HarkSession *slow = hub_fixture_connect (f, 1 + i);
      slow->transport->max_outbox = 1;
      hark_session_send_json (slow, "note", "first", 5);
      hub_fixture_subscribe (f, slow, "channel/1", 0, -1);
    }
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed_publishes_much), &scene);
  hub_fixture_publish (f, "channel/1", 1, 1, "one");
  while (hark_hub_get_n_sessions (f->hub) > 1 || g_main_context_pending (NULL))
    g_main_context_iteration (NULL, TRUE);
  hub_fixture_assert_reads (reader, "one");
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *line = fake_transport_pop (hub_fixture_wire_of (reader));
      g_assert_nonnull (line);
      g_assert_cmpuint (strlen (line), ==, 100000);
    }
  hub_fixture_assert_reads (reader, NULL);
}

/* Publishes stored events, more than the hub remembers. */
static void
on_removed_publishes_stored (HarkHub *hub, HarkSession *session, guint code, const char *reason, Scene *scene)
{
  gint64 rev = hark_hub_get_published_rev (hub);
  for (guint i = 0; i < 20; i++)
    hub_fixture_publish (scene->f, "channel/2", rev + i, rev + 1 + i, "later");
}

static void
set_up_small (HubFixture *f, gconstpointer data)
{
  const HarkHubLimits defaults = HARK_HUB_LIMITS_DEFAULT;
  f->limits = defaults;
  f->limits.max_recent = 8;
  f->has_limits = TRUE;
  hub_fixture_set_up (f, data);
}

static void
test_publish_while_replayed (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, NULL, NULL, 0 };
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (GError) error = NULL;
  g_test_summary ("What is being replayed stays, though the end of who gets it pushes it out of memory.");
  for (gint64 i = 1; i <= 8; i++)
    hub_fixture_publish (f, "channel/1", i, i, "1234");
  ann->transport->max_outbox = 5;
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed_publishes_stored), &scene);
  g_assert_null (hark_hub_subscribe (f->hub, ann, &topic, 1, 1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
  g_assert_cmpint (hark_hub_get_published_rev (f->hub), ==, 28);
}

static void
on_ended_resubscribes (HarkSubscription *subscription, Scene *scene)
{
  if (scene->left == 0)
    return;
  scene->left--;
  hub_fixture_subscribe (scene->f, scene->other, "channel/1", 0, -1);
}

static void
test_join_when_ended (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, NULL, NULL, 3 };
  HarkSession *ann = hub_fixture_connect (f, 1);
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_test_summary ("Who hears that a subscription ended may make it again.");
  scene.other = ann;
  g_signal_connect (hub_fixture_subscribe (f, ann, "channel/1", 0, -1), "ended", G_CALLBACK (on_ended_resubscribes),
                    &scene);
  hark_hub_unsubscribe_user (f->hub, 0, &topic);
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 1);
  hub_fixture_publish (f, "channel/1", 1, 1, "1");
  hark_turn_end (f->turn);
  hub_fixture_assert_reads (ann, "1");
  hub_fixture_assert_reads (ann, NULL);
}

static void
on_offline_joins (HarkHub *hub, gint64 user_id, Scene *scene)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_autoptr (GError) error = NULL;
  g_assert_null (hark_hub_subscribe (hub, scene->other, &topic, 0, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OFFLINE);
}

static void
test_join_when_offline (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) ann = g_object_ref (hub_fixture_connect (f, 1));
  g_auto (Scene) scene = { f, NULL, ann, 0 };
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1);
  g_test_summary ("A session on its way out takes no new subscription.");
  g_signal_connect (f->hub, "user-offline", G_CALLBACK (on_offline_joins), &scene);
  hark_session_close (ann, HARK_CLOSE_NORMAL, NULL);
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 0);
}

static void
on_published (HarkHub *hub, HarkEvent *event, Scene *scene)
{
  if (scene->left == 0)
    return;
  scene->left--;
  hub_fixture_publish (scene->f, "channel/1", 0, 0, "echo");
}

static void
test_publish_while_published (HubFixture *f, gconstpointer data)
{
  g_auto (Scene) scene = { f, NULL, NULL, 2 };
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_test_summary ("Who hears of an event may publish another; neither is lost or doubled.");
  hub_fixture_subscribe (f, ann, "channel/1", 0, -1);
  g_signal_connect (f->hub, "published", G_CALLBACK (on_published), &scene);
  hub_fixture_publish (f, "channel/1", 1, 1, "1");
  hark_turn_end (f->turn);
  hub_fixture_assert_reads (ann, "echo");
  hub_fixture_assert_reads (ann, "echo");
  hub_fixture_assert_reads (ann, "1");
  hub_fixture_assert_reads (ann, NULL);
}

typedef struct
{
  HubFixture *f;
  guint calls;
} Waiting;

static void
on_rev (gpointer data)
{
  Waiting *waiting = data;
  gint64 rev = hark_hub_get_published_rev (waiting->f->hub);
  if (++waiting->calls == 1)
    hark_hub_when_published (waiting->f->hub, 100, on_rev, waiting);
  if (rev < 5)
    hub_fixture_publish (waiting->f, "channel/1", rev + 1, rev + 1, "next");
}

static void
test_waiters (HubFixture *f, gconstpointer data)
{
  Waiting waiting = { f, 0 };
  g_test_summary ("Who waits for a revision may publish the next and wait on, and is called once for each wait.");
  for (gint64 rev = 1; rev <= 5; rev++)
    hark_hub_when_published (f->hub, rev, on_rev, &waiting);
  hub_fixture_publish (f, "channel/1", 1, 1, "first");
  g_assert_cmpuint (waiting.calls, ==, 5);
  g_assert_cmpint (hark_hub_get_published_rev (f->hub), ==, 5);
  hub_fixture_publish (f, "channel/1", 100, 100, "far");
  g_assert_cmpuint (waiting.calls, ==, 6);
}

#define ADD(name, func)                                                                                                \
  g_test_add ("/reentrancy/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("closed-while-removed", test_closed_while_removed);
  ADD ("closed-while-added", test_closed_while_added);
  ADD ("closed-on-state", test_closed_on_state);
  ADD ("closed-while-connected", test_closed_while_connected);
  ADD ("slow-one-by-one", test_slow_one_by_one);
  ADD ("large-from-handler", test_large_from_handler);
  g_test_add ("/reentrancy/publish-while-replayed", HubFixture, NULL, set_up_small, test_publish_while_replayed,
              hub_fixture_tear_down);
  ADD ("join-when-ended", test_join_when_ended);
  ADD ("join-when-offline", test_join_when_offline);
  ADD ("publish-while-published", test_publish_while_published);
  ADD ("waiters", test_waiters);
  return g_test_run ();
}
