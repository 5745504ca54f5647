/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

/* The moments between two steps of a request for a state: before it, before it is read, when it was read, when the
 * result has reached the hub, and after the reply. */
#define N_MOMENTS 5

typedef struct
{
  gint64 channel;
  Client *writer;
  guint n_sent;
} Talk;

static void
say_if (ChatFixture *f, Talk *talk, guint mask, guint moment, guint publish_mask)
{
  if ((mask >> moment & 1) != 0)
    {
      client_say (talk->writer, "{\"type\":\"message\",\"channel\":\"" ID "\",\"message\":\"%u\"}", talk->channel,
                  talk->n_sent++);
      chat_fixture_settle (f);
    }
  if ((publish_mask >> moment & 1) != 0)
    while (step_store_publish_one (f->steps) > 0)
      ;
  hark_turn_end (f->turn);
}

/* What the reader has, from the reply and from events, must be 0, 1, 2 … */
static void
assert_complete (Client *reader, guint n_sent)
{
  g_autoptr (JsonObject) reply = client_pop (reader);
  JsonArray *messages;
  guint next = 0;
  JsonObject *event;
  g_assert_cmpstr (json_object_get_string_member (reply, "type"), ==, "get_messages");
  messages = json_object_get_array_member (reply, "messages");
  for (guint i = 0; i < json_array_get_length (messages); i++)
    g_assert_cmpint (g_ascii_strtoll (json_object_get_string_member (json_array_get_object_element (messages, i),
                                                                     "message"),
                                      NULL, 10),
                     ==, next++);
  while ((event = client_pop (reader)) != NULL)
    {
      g_assert_cmpint (g_ascii_strtoll (json_object_get_string_member (event, "message"), NULL, 10), ==, next++);
      json_object_unref (event);
    }
  g_assert_cmpuint (next, ==, n_sent);
}

static void
run_case (ChatFixture *f, Talk *talk, gint64 user, guint mask, guint publish_mask)
{
  Client *reader = chat_fixture_connect (f, user);
  talk->channel = chat_fixture_channel (f, talk->channel, "talk", FALSE);
  talk->n_sent = 0;
  step_store_hold (f->steps, TRUE);
  say_if (f, talk, mask, 0, publish_mask);
  client_say (reader, "{\"type\":\"get_messages\",\"channel_id\":\"" ID "\"}", talk->channel);
  say_if (f, talk, mask, 1, publish_mask);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  say_if (f, talk, mask, 2, publish_mask);
  step_store_deliver_reads (f->steps);
  say_if (f, talk, mask, 3, publish_mask);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  say_if (f, talk, mask, 4, publish_mask);
  chat_fixture_settle (f);
  assert_complete (reader, talk->n_sent);
  client_hang_up (reader);
}

static void
test_no_gap (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour");
  Talk talk = { .writer = chat_fixture_connect (f, ann) };
  g_test_summary ("000-8: messages posted between any two steps of get_messages, and seen by the hub at once or later, "
                  "come once each.");
  chat_fixture_join (f, server, bob);
  for (guint mask = 0; mask < 1 << N_MOMENTS; mask++)
    for (guint publish_mask = 0; publish_mask < 1 << N_MOMENTS; publish_mask += 3)
      {
        JsonObject *ack;
        talk.channel = server;
        run_case (f, &talk, bob, mask, publish_mask);
        while ((ack = client_pop (talk.writer)) != NULL)
          json_object_unref (ack);
        g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", talk.channel));
      }
}

static void
test_lost_under_way (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour"), channel;
  Client *reader, *owner;
  HarkTopic topic;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary (
    "A right that is lost while the history is being read is lost: nothing is delivered, nothing joined.");
  chat_fixture_join (f, server, bob);
  channel = chat_fixture_channel (f, server, "general", FALSE);
  topic = hark_topic (HARK_TOPIC_CHANNEL, channel);
  owner = chat_fixture_connect (f, ann);
  reader = chat_fixture_connect (f, bob);
  step_store_hold (f->steps, TRUE);
  client_say (reader, "{\"type\":\"get_messages\",\"channel_id\":\"" ID "\"}", channel);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  client_say (owner, "{\"type\":\"update_channel\",\"channel_id\":\"" ID "\",\"private\":true}", channel);
  chat_fixture_settle (f);
  while (step_store_publish_one (f->steps) > 0)
    ;
  step_store_deliver_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  reply = client_pop (reader);
  g_assert_cmpstr (json_object_get_string_member (reply, "type"), ==, "error");
  g_assert_cmpstr (json_object_get_string_member (reply, "code"), ==, "not_found");
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 0);
  client_assert_silent (reader);
}

static void
test_page_again (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour");
  Client *reader, *writer;
  g_autoptr (JsonObject) event = NULL, reply = NULL;
  JsonObject *bobs;
  g_test_summary ("A page asked for again never says less than what the session was told meanwhile.");
  chat_fixture_join (f, server, bob);
  reader = chat_fixture_connect (f, ann);
  writer = chat_fixture_connect (f, bob);
  client_do (reader, "get_server_members", "\"server_id\":\"" ID "\"", server);
  step_store_hold (f->steps, TRUE);
  client_say (reader, "{\"type\":\"get_server_members\",\"server_id\":\"" ID "\"}", server);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  client_say (writer, "{\"type\":\"set_profile\",\"bio\":\"new\"}");
  chat_fixture_settle (f);
  while (step_store_publish_one (f->steps) > 0)
    ;
  hark_turn_end (f->turn);
  step_store_deliver_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  event = client_pop (reader);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, "user_update");
  reply = client_pop (reader);
  bobs = json_array_get_object_element (json_object_get_array_member (reply, "members"), 1);
  g_assert_cmpstr (json_object_get_string_member (bobs, "bio"), ==, "new");
  client_assert_silent (reader);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  guint max = hark_hub_get_limits (f->hub)->max_subscriptions;
  gint64 first = chat_fixture_channel (f, server, "first", FALSE);
  Client *client = chat_fixture_connect (f, ann);
  g_test_summary ("Beyond the number of subscriptions a request is refused and joins nothing; forgetting makes room.");
  for (guint i = 0; i < max; i++)
    client_do (client, "subscribe", "\"topic\":\"app/%u\"", i);
  client_refused (client, HARK_ERROR_TOO_LARGE, NULL, "get_messages", "\"channel_id\":\"" ID "\"", first);
  client_do (client, "unsubscribe", "\"topic\":\"app/0\"");
  client_do (client, "get_messages", "\"channel_id\":\"" ID "\"", first);
  client_do (client, "forget", "\"channels\":[\"" ID "\"]", first);
  client_do (client, "subscribe", "\"topic\":\"app/0\"");
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->hub_limits.max_subscriptions = 8;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/snapshot/000-8", test_no_gap);
  ADD ("/snapshot/lost-under-way", test_lost_under_way);
  ADD ("/snapshot/page-again", test_page_again);
  g_test_add ("/snapshot/bounds", ChatFixture, NULL, set_up_small, test_bounds, chat_fixture_tear_down);
  return g_test_run ();
}
