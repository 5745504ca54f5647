/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

static JsonArray *
array_of (JsonObject *reply, const char *member)
{
  return json_object_get_array_member (reply, member);
}

static void
test_own_servers (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 first = chat_fixture_server (f, ann, "First"), second = chat_fixture_server (f, bob, "Second");
  gint64 third = chat_fixture_server (f, bob, "Third");
  Client *client;
  g_autoptr (JsonObject) reply = NULL;
  g_autoptr (JsonObject) event = NULL;
  g_test_summary ("000-1: get_servers gives the user's own servers, and each of them, and no other, is watched.");
  chat_fixture_join (f, second, ann);
  client = chat_fixture_connect (f, ann);
  reply = client_ask (client, "get_servers", "%s", "");
  g_assert_cmpuint (json_array_get_length (array_of (reply, "servers")), ==, 2);
  g_assert_cmpint (json_id (json_array_get_object_element (array_of (reply, "servers"), 0), "server_id"), ==, first);
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (array_of (reply, "servers"), 1),
                                                  "server_name"),
                   ==, "Second");
  g_free (chat_fixture_call (f, "update_server", "\"server_id\":\"" ID "\",\"name\":\"Zweiter\"", second));
  g_free (chat_fixture_call (f, "update_server", "\"server_id\":\"" ID "\",\"name\":\"Dritter\"", third));
  event = client_pop_type (client, "update_server");
  g_assert_cmpstr (json_object_get_string_member (event, "server_name"), ==, "Zweiter");
  client_assert_silent (client);
}

static void
test_joined_while_reading (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, bob, "Second");
  Client *client = chat_fixture_connect (f, ann), *owner = chat_fixture_connect (f, bob);
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A server that one becomes a member of while the list is read is in it, and is watched.");
  step_store_hold (f->steps, TRUE);
  client_say (client, "{\"type\":\"get_servers\"}");
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  client_say (owner, "{\"type\":\"add_member\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server, ann);
  chat_fixture_settle (f);
  while (step_store_publish_one (f->steps) > 0)
    ;
  step_store_deliver_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  reply = client_pop (client);
  g_assert_cmpuint (json_array_get_length (array_of (reply, "servers")), ==, 1);
  client_assert_silent (client);
  client_do (owner, "update_server", "\"server_id\":\"" ID "\",\"icon\":\"i\"", server);
  json_object_unref (client_pop_type (client, "update_server"));
}

static void
test_come_and_go (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, bob, "Second"), channel = chat_fixture_channel (f, server, "c", FALSE);
  Client *client = chat_fixture_connect (f, ann), *owner = chat_fixture_connect (f, bob);
  g_autoptr (JsonObject) added = NULL, removed = NULL, again = NULL, reply = NULL;
  g_test_summary (
    "Sessions that watch their list of servers hear of one that is added or removed, and watch it while it "
    "is there; who comes back begins anew.");
  client_do (client, "get_servers", "%s", "");
  chat_fixture_join (f, server, ann);
  added = client_pop_type (client, "add_server");
  g_assert_cmpstr (json_object_get_string_member (added, "server_name"), ==, "Second");
  client_do (owner, "update_server", "\"server_id\":\"" ID "\",\"name\":\"x\"", server);
  json_object_unref (client_pop_type (client, "update_server"));
  client_do (client, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", channel);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, ann));
  removed = client_pop_type (client, "remove_server");
  client_do (owner, "update_server", "\"server_id\":\"" ID "\",\"name\":\"y\"", server);
  client_do (owner, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", channel);
  client_assert_silent (client);
  chat_fixture_join (f, server, ann);
  again = client_pop_type (client, "add_server");
  reply = client_ask (client, "get_servers", "%s", "");
  g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (array_of (reply, "servers"), 0),
                                               "unread"),
                   ==, 0);
}

static void
test_who_may (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob"), eve = chat_fixture_user (f, "eve");
  gint64 server = chat_fixture_server (f, ann, "Harbour");
  Client *owner = chat_fixture_connect (f, ann), *member = chat_fixture_connect (f, bob);
  Client *stranger = chat_fixture_connect (f, eve);
  g_test_summary ("A server's owner changes it; its other members are forbidden to, and strangers find none.");
  chat_fixture_join (f, server, bob);
  client_refused (member, HARK_ERROR_FORBIDDEN, "server_id", "update_server", "\"server_id\":\"" ID "\",\"name\":\"x\"",
                  server);
  client_refused (member, HARK_ERROR_FORBIDDEN, "server_id", "add_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, eve);
  client_refused (stranger, HARK_ERROR_NOT_FOUND, "server_id", "delete_server", "\"server_id\":\"" ID "\"", server);
  client_refused (stranger, HARK_ERROR_NOT_FOUND, "server_id", "list_members", "\"server_id\":\"" ID "\"", server);
  client_refused (owner, HARK_ERROR_CONFLICT, "user_id", "add_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, bob);
  client_refused (owner, HARK_ERROR_CONFLICT, "user_id", "kick_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, ann);
  client_refused (owner, HARK_ERROR_NOT_FOUND, "user_id", "add_member", "\"server_id\":\"" ID "\",\"user_id\":\"1\"",
                  server);
  client_refused (owner, HARK_ERROR_NOT_FOUND, "owner_id", "update_server",
                  "\"server_id\":\"" ID "\",\"owner_id\":\"" ID "\"", server, eve);
  client_refused (owner, HARK_ERROR_FORBIDDEN, "owner_id", "create_server", "\"name\":\"x\",\"owner_id\":\"" ID "\"",
                  bob);
  client_refused (owner, HARK_ERROR_TOO_LARGE, "name", "create_server", "\"name\":\"%0101d\"", 0);
  client_refused (owner, HARK_ERROR_TOO_LARGE, "icon", "create_server", "\"name\":\"x\",\"icon\":\"%0513d\"", 0);
  client_refused (owner, HARK_ERROR_BAD_REQUEST, "name", "create_server", "\"name\":\"a\\nb\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_server", "\"name\":\"x\"");
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "create_server", "\"name\":\"x\",\"owner_id\":\"1\"");
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  gint64 users[4], server = 0, channel;
  Client *client;
  g_test_summary ("A user is a member of so many servers, a server has so many members, a channel so many grants.");
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      users[i] = chat_fixture_user (f, name);
    }
  for (guint i = 0; i < f->limits.servers_per_user; i++)
    server = chat_fixture_server (f, users[0], "s");
  client = chat_fixture_connect (f, users[0]);
  client_refused (client, HARK_ERROR_TOO_LARGE, "user_id", "create_server", "\"name\":\"s\"");
  chat_fixture_join (f, server, users[1]);
  chat_fixture_join (f, server, users[2]);
  client_refused (client, HARK_ERROR_TOO_LARGE, "server_id", "add_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, users[3]);
  channel = chat_fixture_channel (f, server, "c", TRUE);
  client_do (client, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", channel, users[1]);
  client_refused (client, HARK_ERROR_TOO_LARGE, "channel_id", "grant_channel",
                  "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", channel, users[2]);
  client_refused (client, HARK_ERROR_TOO_LARGE, "users", "forget", "\"users\":[1,2,3]");
  client_do (client, "forget", "\"users\":[1,2]");
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.servers_per_user = 2;
  f->limits.members_per_server = 3;
  f->limits.grants_per_channel = 1;
  f->limits.ids_per_forget = 2;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/servers/000-1", test_own_servers);
  ADD ("/servers/joined-while-reading", test_joined_while_reading);
  ADD ("/servers/come-and-go", test_come_and_go);
  ADD ("/servers/who-may", test_who_may);
  g_test_add ("/servers/bounds", ChatFixture, NULL, set_up_small, test_bounds, chat_fixture_tear_down);
  return g_test_run ();
}
