/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

#define LAUGH                                                                                                          \
  "\"message\":\"John reacted to your comment\",\"action\":\"reaction\",\"action_id\":\"23\",\"by_user\":\"John\","    \
  "\"action_content\":\"laugh\",\"affected\":\"comment\",\"affected_id\":\"79\""

static gint64
notify (ChatFixture *f, gint64 user, const char *message)
{
  return chat_fixture_call_id (f, "id", "notify", "\"user\":\"" ID "\",\"message\":\"%s\",\"action\":\"post\"", user,
                               message);
}

static void
assert_next (Client *client, const char *message)
{
  g_autoptr (JsonObject) event = client_pop_type (client, "notification");
  g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, message);
}

static void
test_fields (ChatFixture *f, gconstpointer data)
{
  static const char *const fields[][2] = { { "message", "John reacted to your comment" },
                                           { "action", "reaction" },
                                           { "action_id", "23" },
                                           { "by_user", "John" },
                                           { "action_content", "laugh" },
                                           { "affected", "comment" },
                                           { "affected_id", "79" } };
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  Client *first = chat_fixture_connect (f, ann), *second = chat_fixture_connect (f, ann);
  Client *other = chat_fixture_connect (f, bob);
  g_autoptr (JsonObject) event = NULL;
  g_test_summary ("004-2: a notification reaches all sessions of its user, with the seven fields as texts.");
  g_free (chat_fixture_call (f, "notify", "\"user\":\"ann\"," LAUGH));
  event = client_pop_type (first, "notification");
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_assert_cmpstr (json_object_get_string_member (event, fields[i][0]), ==, fields[i][1]);
  g_assert_true (json_object_has_member (event, "timestamp"));
  g_assert_cmpint (json_object_get_int_member (event, "seq"), ==, 1);
  assert_next (second, "John reacted to your comment");
  client_assert_silent (first);
  client_assert_silent (other);
}

static void
test_refused (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client = chat_fixture_connect (f, ann);
  g_test_summary ("004-3: other actions and things than those configured are refused, and so are other askers.");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "notify",
                       "\"user\":\"ann\",\"message\":\"m\",\"action\":\"explosion\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "notify", "\"user\":\"ann\",\"message\":\"m\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "notify",
                       "\"user\":\"ann\",\"message\":\"m\",\"action\":\"post\",\"affected\":\"moon\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "notify", "\"user\":\"ann\",\"action\":\"post\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "notify", "\"message\":\"m\",\"action\":\"post\"");
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "notify", "\"user\":\"eve\",\"message\":\"m\",\"action\":\"post\"");
  chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "notify",
                       "\"user\":\"ann\",\"message\":\"%01001d\",\"action\":\"post\"", 0);
  client_refused (client, HARK_ERROR_FORBIDDEN, "notify", "notify", "\"user\":\"ann\"," LAUGH);
  client_refused (client, HARK_ERROR_BAD_REQUEST, "up_to", "ack_notification", "%s", "");
  client_assert_silent (client);
}

static void
test_away (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), first, second;
  Client *client, *later;
  g_test_summary ("004-5: what was raised while its user was away comes in order and once on connecting, and until it "
                  "is acknowledged to each session.");
  first = notify (f, ann, "one");
  second = notify (f, ann, "two");
  client = chat_fixture_connect (f, ann);
  assert_next (client, "one");
  assert_next (client, "two");
  notify (f, ann, "three");
  assert_next (client, "three");
  client_assert_silent (client);
  client_do (client, "ack_notification", "\"id\":\"" ID "\"", second);
  json_object_unref (client_pop_type (client, "notification_acknowledged"));
  later = chat_fixture_connect (f, ann);
  assert_next (later, "one");
  assert_next (later, "three");
  client_assert_silent (later);
  client_do (later, "ack_notification", "\"up_to\":\"" ID "\"", second);
  client_do (later, "ack_notification", "\"up_to\":\"" ID "\"", first);
  json_object_unref (client_pop_type (later, "notification_acknowledged"));
  client_assert_silent (later);
  json_object_unref (client_pop_type (client, "notification_acknowledged"));
  client_assert_silent (client);
  g_assert_cmpint (chat_fixture_count (f, "SELECT sum(waiting) FROM notification_counts"), ==, 1);
}

static void
test_not_mine (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob"), id = notify (f, ann, "hers");
  Client *client = chat_fixture_connect (f, bob);
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("Nobody acknowledges what another was told.");
  reply = client_ask (client, "ack_notification", "\"id\":\"" ID "\"", id);
  g_assert_cmpint (json_object_get_int_member (reply, "acknowledged"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM notifications"), ==, 1);
}

static void
set_up_bounds (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.notifications_per_user = 5;
  f->limits.notification_page = 2;
  chat_fixture_start (f);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client;
  g_autoptr (JsonObject) more = NULL, page = NULL, rest = NULL;
  JsonArray *array;
  g_test_summary ("Beyond the bound the oldest gives way and is counted; a page comes on connecting, the rest is asked "
                  "for.");
  for (guint i = 0; i < 7; i++)
    {
      g_autofree char *text = g_strdup_printf ("n%u", i);
      notify (f, ann, text);
    }
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM notifications"), ==, 5);
  client = chat_fixture_connect (f, ann);
  assert_next (client, "n5");
  assert_next (client, "n6");
  more = client_pop_type (client, "more_notifications");
  g_assert_cmpint (json_object_get_int_member (more, "waiting"), ==, 5);
  client_assert_silent (client);
  page = client_ask (client, "get_notifications", "%s", "");
  g_assert_true (json_object_get_boolean_member (page, "more"));
  array = json_object_get_array_member (page, "notifications");
  g_assert_cmpuint (json_array_get_length (array), ==, 2);
  rest = client_ask (client, "get_notifications", "\"limit\":10,\"before\":\"%s\"",
                     json_object_get_string_member (json_array_get_object_element (array, 0), "id"));
  g_assert_false (json_object_get_boolean_member (rest, "more"));
  array = json_object_get_array_member (rest, "notifications");
  g_assert_cmpuint (json_array_get_length (array), ==, 3);
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (array, 0), "message"), ==, "n2");
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_notifications_dropped_total", "")), ==, 2);
}

static void
test_meanwhile (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autoptr (HarkIdentity) identity = hark_identity_new (ann, "ann", 1, 0, HARK_IDENTITY_NONE);
  Client *client;
  g_test_summary ("What is raised while the welcome is read is neither lost nor doubled.");
  notify (f, ann, "before");
  step_store_hold (f->steps, TRUE);
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  hark_dispatcher_call (f->dispatcher, f->admin, "notify",
                        "{\"user\":\"ann\",\"message\":\"meanwhile\",\"action\":\"post\"}", NULL, NULL);
  chat_fixture_settle (f);
  while (step_store_publish_one (f->steps) > 0)
    ;
  step_store_deliver_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  json_object_unref (client_pop_type (client, "welcome"));
  assert_next (client, "before");
  assert_next (client, "meanwhile");
  client_assert_silent (client);
}

static void
test_restart (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), id = notify (f, ann, "kept");
  Client *client;
  g_test_summary ("Notifications outlive the process, and their ids go on.");
  chat_fixture_stop (f);
  chat_fixture_start (f);
  g_assert_cmpint (notify (f, ann, "next"), >, id);
  client = chat_fixture_connect (f, ann);
  assert_next (client, "kept");
  assert_next (client, "next");
}

static void
set_up_all (ChatFixture *f, gconstpointer data)
{
  static const char *const all[] = { "mention", "reaction", NULL };
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.notification_raised = all;
  chat_fixture_start (f);
}

static void
test_of_messages (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour"), channel = chat_fixture_channel (f, server, "general", FALSE);
  Client *anns, *bobs;
  g_autoptr (JsonObject) reply = NULL;
  g_autoptr (JsonObject) mention = NULL;
  g_autoptr (JsonObject) reaction = NULL;
  gint64 message;
  g_test_summary ("Who is mentioned and whose message is reacted to is told, but nobody of what he does himself.");
  chat_fixture_join (f, server, bob);
  anns = chat_fixture_connect (f, ann);
  bobs = chat_fixture_connect (f, bob);
  reply = client_ask (anns, "message", "\"channel\":\"" ID "\",\"message\":\"@bob and @ann\"", channel);
  message = json_id (reply, "message_id");
  mention = client_pop_type (bobs, "notification");
  g_assert_cmpstr (json_object_get_string_member (mention, "action"), ==, "mention");
  g_assert_cmpstr (json_object_get_string_member (mention, "by_user"), ==, "ann");
  g_assert_cmpstr (json_object_get_string_member (mention, "action_content"), ==, "@bob and @ann");
  g_assert_cmpstr (json_object_get_string_member (mention, "affected"), ==, "channel");
  g_assert_cmpint (json_id (mention, "action_id"), ==, message);
  g_assert_cmpint (json_id (mention, "affected_id"), ==, channel);
  client_do (bobs, "react", "\"message_id\":\"" ID "\",\"emoji\":\"x\"", message);
  client_do (bobs, "react", "\"message_id\":\"" ID "\",\"emoji\":\"x\"", message);
  client_do (bobs, "unreact", "\"message_id\":\"" ID "\",\"emoji\":\"x\"", message);
  reaction = client_pop_type (anns, "notification");
  g_assert_cmpstr (json_object_get_string_member (reaction, "action"), ==, "reaction");
  g_assert_cmpstr (json_object_get_string_member (reaction, "by_user"), ==, "bob");
  g_assert_cmpstr (json_object_get_string_member (reaction, "action_content"), ==, "x");
  g_assert_cmpstr (json_object_get_string_member (reaction, "affected"), ==, "message");
  g_assert_cmpint (json_id (reaction, "affected_id"), ==, message);
  client_do (anns, "react", "\"message_id\":\"" ID "\",\"emoji\":\"x\"", message);
  client_assert_silent (anns);
  client_assert_silent (bobs);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/notifications/fields", test_fields);
  ADD ("/notifications/refused", test_refused);
  ADD ("/notifications/away", test_away);
  ADD ("/notifications/not-mine", test_not_mine);
  g_test_add ("/notifications/bounds", ChatFixture, NULL, set_up_bounds, test_bounds, chat_fixture_tear_down);
  ADD ("/notifications/meanwhile", test_meanwhile);
  ADD ("/notifications/restart", test_restart);
  g_test_add ("/notifications/of-messages", ChatFixture, NULL, set_up_all, test_of_messages, chat_fixture_tear_down);
  return g_test_run ();
}
