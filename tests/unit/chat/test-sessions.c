/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "fake-transport.h"

static JsonObject *
get_session (ChatFixture *f, gint64 id)
{
  g_autofree char *text = chat_fixture_call (f, "get_session", "\"session_id\":\"" ID "\"", id);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  return json_object_ref (json_node_get_object (node));
}

static void
test_known (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  gint64 channel = chat_fixture_channel (f, server, "general", FALSE), id;
  Client *client = chat_fixture_connect (f, ann);
  g_autoptr (JsonObject) before = NULL, after = NULL, forgotten = NULL;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, channel);
  g_test_summary ("000-6: the hub knows what each client has loaded, until it forgets it or its session ends.");
  id = client->session_id;
  before = get_session (f, id);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (before, "topics")), ==, 0);
  g_assert_cmpstr (json_object_get_string_member (before, "protocol"), ==, "native");
  client_do (client, "get_servers", "%s", "");
  client_do (client, "get_server_members", "\"server_id\":\"" ID "\"", server);
  client_do (client, "get_messages", "\"channel_id\":\"" ID "\"", channel);
  client_do (client, "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", channel);
  json_object_unref (client_pop_type (client, "message"));
  after = get_session (f, id);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (after, "topics")), ==, 4);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (after, "users")), ==, 1);
  g_assert_cmpint (json_object_get_int_member (after, "loaded"), ==, 1);
  {
    JsonObject *last = json_array_get_object_element (json_object_get_array_member (after, "topics"), 3);
    g_autofree char *name = g_strdup_printf ("channel/" ID, channel);
    g_assert_cmpstr (json_object_get_string_member (last, "topic"), ==, name);
    g_assert_cmpint (json_object_get_int_member (last, "cursor"), ==, 1);
  }
  client_do (client, "forget", "\"servers\":[\"" ID "\"],\"channels\":[" ID "],\"users\":[\"" ID "\"]", server, channel,
             ann);
  forgotten = get_session (f, id);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (forgotten, "topics")), ==, 1);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (forgotten, "users")), ==, 0);
  client_do (client, "get_messages", "\"channel_id\":\"" ID "\"", channel);
  client_hang_up (client);
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 0);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "get_session", "\"session_id\":\"" ID "\"", id);
}

static void
test_welcome (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "Ann");
  g_autoptr (HarkIdentity) identity = hark_identity_new (ann, "ann", 1, 0, HARK_IDENTITY_NONE);
  Client *client;
  g_autoptr (JsonObject) welcome = NULL;
  JsonObject *user;
  g_test_summary ("The welcome comes first, and nothing is read before it is sent.");
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  g_assert_false (fake_transport_is_reading (client->transport));
  chat_fixture_settle (f);
  g_assert_true (fake_transport_is_reading (client->transport));
  welcome = client_pop (client);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  g_assert_cmpint (json_id (welcome, "session"), ==, client->session_id);
  g_assert_cmpuint (strlen (json_object_get_string_member (welcome, "resume")), ==, 43);
  g_assert_cmpint (json_object_get_int_member (welcome, "heartbeat"), ==, 25000);
  user = json_object_get_object_member (welcome, "user");
  g_assert_cmpint (json_id (user, "user_id"), ==, ann);
  g_assert_cmpstr (json_object_get_string_member (user, "username"), ==, "ann");
  g_assert_cmpstr (json_object_get_string_member (user, "displayname"), ==, "Ann");
  g_assert_cmpstr (json_object_get_string_member (user, "status"), ==, "online");
  g_assert_cmpstr (json_object_get_string_member (user, "profile_pic"), ==, "");
}

static void
test_account_gone (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autoptr (HarkIdentity) identity = hark_identity_new (ann, "ann", 1, 0, HARK_IDENTITY_NONE);
  Client *client;
  g_test_summary ("Who connects while the account is deleted is turned away.");
  g_free (chat_fixture_call (f, "delete_user", "\"user_id\":\"" ID "\"", ann));
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  chat_fixture_settle (f);
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
}

static void
test_list (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  Client *clients[5];
  gint64 after = 0;
  guint n = 0;
  g_test_summary ("Sessions are listed in pages, in the order in which they began.");
  for (guint i = 0; i < 5; i++)
    clients[i] = chat_fixture_connect (f, i % 2 ? ann : bob);
  for (;;)
    {
      g_autofree char *from = after != 0 ? g_strdup_printf (",\"after\":\"" ID "\"", after) : g_strdup ("");
      g_autofree char *text = chat_fixture_call (f, "list_sessions", "\"limit\":2%s", from);
      g_autoptr (JsonNode) node = json_from_string (text, NULL);
      JsonObject *reply = json_node_get_object (node);
      JsonArray *sessions = json_object_get_array_member (reply, "sessions");
      for (guint i = 0; i < json_array_get_length (sessions); i++)
        g_assert_cmpint (json_id (json_array_get_object_element (sessions, i), "session_id"), ==,
                         clients[n++]->session_id);
      if (json_object_get_null_member (reply, "next"))
        break;
      after = json_id (reply, "next");
    }
  g_assert_cmpuint (n, ==, 5);
}

static void
test_disconnect (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *first = chat_fixture_connect (f, ann), *second = chat_fixture_connect (f, ann);
  Client *third = chat_fixture_connect (f, ann);
  g_autofree char *reply = NULL;
  g_test_summary ("Administrators end one session, or all of a user, and nobody else does.");
  client_refused (first, HARK_ERROR_FORBIDDEN, NULL, "disconnect_user", "\"user_id\":\"" ID "\"", ann);
  g_free (
    chat_fixture_call (f, "disconnect_session", "\"session_id\":\"" ID "\",\"reason\":\"bye\"", second->session_id));
  g_assert_cmpuint (client_get_close_code (second), ==, HARK_CLOSE_DISCONNECTED);
  g_assert_cmpuint (client_get_close_code (first), ==, 0);
  reply = chat_fixture_call (f, "disconnect_user", "\"user_id\":\"" ID "\"", ann);
  g_assert_cmpstr (reply, ==, "{\"type\":\"disconnect_user\",\"sessions\":2}");
  g_assert_cmpuint (client_get_close_code (third), ==, HARK_CLOSE_DISCONNECTED);
  chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "disconnect_user", "\"user_id\":\"1\",\"reason\":\"%0200d\"", 0);
}

static void
test_publish (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client = chat_fixture_connect (f, ann);
  g_autoptr (JsonObject) reply = NULL, event = NULL;
  g_test_summary ("What is published on a topic reaches those who subscribed to it, numbered; only open topics can be "
                  "subscribed to.");
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/stock\",\"data\":1"));
  reply = client_ask (client, "subscribe", "\"topic\":\"app/stock\"");
  g_assert_cmpint (json_object_get_int_member (reply, "seq"), ==, 1);
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/stock\",\"data\":{\"left\":7}"));
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/other\",\"data\":null"));
  event = client_pop (client);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, "publication");
  g_assert_cmpstr (json_object_get_string_member (event, "topic"), ==, "app/stock");
  g_assert_cmpint (json_object_get_int_member (event, "seq"), ==, 2);
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (event, "data"), "left"), ==, 7);
  client_do (client, "unsubscribe", "\"topic\":\"app/stock\"");
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/stock\",\"data\":[],\"kind\":\"stock\""));
  client_assert_silent (client);
  client_refused (client, HARK_ERROR_NOT_FOUND, "topic", "subscribe", "\"topic\":\"inbox/1\"");
  client_refused (client, HARK_ERROR_NOT_FOUND, "topic", "subscribe", "\"topic\":\"user/" ID "\"", ann);
  client_refused (client, HARK_ERROR_BAD_REQUEST, "topic", "subscribe", "\"topic\":\"nonsense\"");
  client_refused (client, HARK_ERROR_FORBIDDEN, NULL, "publish", "\"topic\":\"app/x\",\"data\":1");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "publish", "\"topic\":\"app/x\",\"data\":1,\"kind\":\"A\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "publish", "\"topic\":\"app/x\"");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/sessions/000-6", test_known);
  ADD ("/sessions/welcome", test_welcome);
  ADD ("/sessions/account-gone", test_account_gone);
  ADD ("/sessions/list", test_list);
  ADD ("/sessions/disconnect", test_disconnect);
  ADD ("/sessions/publish", test_publish);
  return g_test_run ();
}
