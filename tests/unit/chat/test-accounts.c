/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

static JsonObject *
get_user (ChatFixture *f, const char *field, const char *value)
{
  g_autofree char *text = chat_fixture_call (f, "get_user", "\"%s\":\"%s\"", field, value);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  return json_object_ref (json_node_get_object (node));
}

static void
test_names (ChatFixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) user = NULL;
  g_test_summary ("A name is the same in capitals, belongs to one user, and is checked.");
  chat_fixture_user (f, "Ann.L-1_x");
  user = get_user (f, "username", "ANN.l-1_X");
  g_assert_cmpstr (json_object_get_string_member (user, "username"), ==, "ann.l-1_x");
  g_assert_cmpstr (json_object_get_string_member (user, "displayname"), ==, "Ann.L-1_x");
  g_assert_false (json_object_get_boolean_member (user, "admin"));
  chat_fixture_refuse (f, HARK_ERROR_CONFLICT, "create_user", "\"username\":\"ANN.L-1_X\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_user", "\"username\":\"\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_user", "\"username\":\"a b\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_user", "\"username\":\"é\"");
  chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "create_user", "\"username\":\"%033d\"", 0);
  chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "create_user", "\"username\":\"x\",\"displayname\":\"%065d\"", 0);
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_user", "%s", "");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "get_user", "%s", "");
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "get_user", "\"username\":\"nobody\"");
}

static void
test_list (ChatFixture *f, gconstpointer data)
{
  g_autofree char *first = NULL, *some = NULL;
  g_autoptr (JsonNode) page = NULL, found = NULL;
  g_test_summary ("Users are listed in pages, and by the beginning of their names.");
  for (guint i = 0; i < 7; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s%u", i % 2 ? "ann" : "bob", i);
      chat_fixture_user (f, name);
    }
  first = chat_fixture_call (f, "list_users", "\"limit\":7");
  page = json_from_string (first, NULL);
  g_assert_true (json_object_get_null_member (json_node_get_object (page), "next"));
  some = chat_fixture_call (f, "list_users", "\"limit\":2,\"query\":\"Ann\"");
  found = json_from_string (some, NULL);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (json_node_get_object (found), "users")), ==, 2);
  g_assert_false (json_object_get_null_member (json_node_get_object (found), "next"));
}

static void
test_update (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client = chat_fixture_connect (f, ann);
  g_autofree char *id = g_strdup_printf (ID, ann);
  g_autoptr (JsonObject) user = NULL;
  g_test_summary ("An administrator changes an account; whose rights change connects anew.");
  chat_fixture_server (f, ann, "Harbour");
  g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"%s\",\"bio\":\"b\",\"displayname\":\"Ann\"", id));
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"%s\",\"admin\":true", id));
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_DISCONNECTED);
  g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"%s\",\"bio\":\"\"", id));
  user = get_user (f, "user_id", id);
  g_assert_true (json_object_get_boolean_member (user, "admin"));
  g_assert_cmpstr (json_object_get_string_member (user, "bio"), ==, "");
  g_assert_cmpstr (json_object_get_string_member (user, "displayname"), ==, "Ann");
  chat_fixture_user (f, "bob");
  chat_fixture_refuse (f, HARK_ERROR_CONFLICT, "update_user", "\"user_id\":\"%s\",\"username\":\"Bob\"", id);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "update_user", "\"user_id\":\"1\",\"bio\":\"b\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "update_user", "\"user_id\":\"%s\",\"displayname\":\"\"", id);
}

static void
test_delete (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour"), channel = chat_fixture_channel (f, server, "general", FALSE);
  Client *bobs, *anns;
  g_autoptr (JsonObject) reply = NULL;
  g_autoptr (JsonObject) gone = NULL;
  JsonObject *message;
  g_test_summary ("A deleted user's sessions and tokens end, messages stay; who owns a server cannot be deleted.");
  chat_fixture_join (f, server, bob);
  anns = chat_fixture_connect (f, ann);
  bobs = chat_fixture_connect (f, bob);
  client_do (bobs, "message", "\"channel\":\"" ID "\",\"message\":\"mine\"", channel);
  client_do (anns, "get_server_members", "\"server_id\":\"" ID "\"", server);
  chat_fixture_refuse (f, HARK_ERROR_CONFLICT, "delete_user", "\"user_id\":\"" ID "\"", ann);
  g_free (chat_fixture_call (f, "delete_user", "\"user_id\":\"" ID "\"", bob));
  g_assert_cmpuint (client_get_close_code (bobs), ==, HARK_CLOSE_UNAUTHENTICATED);
  chat_fixture_advance (f, 2000);
  gone = client_pop_type (anns, "remove_member");
  g_assert_cmpint (json_id (gone, "user_id"), ==, bob);
  client_assert_silent (anns);
  reply = client_ask (anns, "get_messages", "\"channel_id\":\"" ID "\"", channel);
  message = json_array_get_object_element (json_object_get_array_member (reply, "messages"), 0);
  g_assert_cmpstr (json_object_get_string_member (message, "message"), ==, "mine");
  g_assert_cmpstr (json_object_get_string_member (message, "author"), ==, "");
  g_assert_cmpint (json_id (message, "author_id"), ==, bob);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "delete_user", "\"user_id\":\"" ID "\"", bob);
  g_assert_cmpint (chat_fixture_count (f, "SELECT n_members FROM servers"), ==, 1);
}

static void
test_forbidden (ChatFixture *f, gconstpointer data)
{
  static const char *const names[]
    = { "create_user",  "list_users",         "get_user",       "update_user",  "delete_user",
        "create_token", "list_tokens",        "revoke_token",   "list_servers", "list_sessions",
        "get_session",  "disconnect_session", "disconnect_user" };
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client = chat_fixture_connect (f, ann);
  g_test_summary ("What is for administrators is refused to everybody else.");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    client_refused (client, HARK_ERROR_FORBIDDEN, NULL, names[i], "%s", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/accounts/names", test_names);
  ADD ("/accounts/list", test_list);
  ADD ("/accounts/update", test_update);
  ADD ("/accounts/delete", test_delete);
  ADD ("/accounts/forbidden", test_forbidden);
  return g_test_run ();
}
