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
                                                  "server_name"), ==, "Second");
  g_free (chat_fixture_call (f, "update_server", "\"server_id\":\"" ID "\",\"name\":\"Zweiter\"", second));
  g_free (chat_fixture_call (f, "update_server", "\"server_id\":\"" ID "\",\"name\":\"Dritter\"", third));
  event = client_pop_type (client, "update_server");
  g_assert_cmpstr (json_object_get_string_member (event, "server_name"), ==, "Zweiter");
  client_assert_silent (client);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/servers/000-1", test_own_servers);
  return g_test_run ();
}
