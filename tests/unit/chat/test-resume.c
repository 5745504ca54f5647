/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob, server, first, second;
} Community;

static void
make (ChatFixture *f, Community *c)
{
  c->ann = chat_fixture_user (f, "ann");
  c->bob = chat_fixture_user (f, "bob");
  c->server = chat_fixture_server (f, c->ann, "Harbour");
  chat_fixture_join (f, c->server, c->bob);
  c->first = chat_fixture_channel (f, c->server, "first", FALSE);
  c->second = chat_fixture_channel (f, c->server, "second", FALSE);
}

static void
say (Client *client, gint64 channel, const char *text)
{
  client_do (client, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", channel, text);
}

static JsonObject *
topic_of (JsonObject *reply, const char *kind, gint64 id)
{
  g_autofree char *name = g_strdup_printf ("%s/" ID, kind, id);
  JsonArray *topics = json_object_get_array_member (reply, "topics");
  for (guint i = 0; i < json_array_get_length (topics); i++)
    {
      JsonObject *topic = json_array_get_object_element (topics, i);
      if (g_str_equal (json_object_get_string_member (topic, "topic"), name))
        return topic;
    }
  g_error ("no %s in the reply", name);
}

static void
assert_recovered (JsonObject *reply, gint64 channel, guint n, const char *first)
{
  JsonObject *topic = topic_of (reply, "channel", channel);
  JsonArray *events;
  g_assert_cmpstr (json_object_get_string_member (topic, "result"), ==, "recovered");
  events = json_object_get_array_member (topic, "events");
  g_assert_cmpuint (json_array_get_length (events), ==, n);
  if (n > 0)
    g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (events, 0), "message"), ==, first);
  for (guint i = 1; i < n; i++)
    g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (events, i), "seq"), ==,
                     json_object_get_int_member (json_array_get_object_element (events, i - 1), "seq") + 1);
}

static void
test_recovered (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *ann, *again;
  g_autoptr (JsonObject) reply = NULL, event = NULL;
  g_test_summary (
    "A client whose connection was cut gets exactly what it missed, per topic and in order, and goes on.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.second);
  client_do (bob, "get_server_members", "\"server_id\":\"" ID "\"", c.server);
  say (ann, c.first, "seen");
  json_object_unref (client_pop_type (bob, "message"));
  client_hang_up (bob);
  say (ann, c.first, "missed 1");
  say (ann, c.first, "missed 2");
  client_do (ann, "set_profile", "\"bio\":\"new\"");
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\"", bob->resume);
  assert_recovered (reply, c.first, 2, "missed 1");
  assert_recovered (reply, c.second, 0, NULL);
  g_assert_cmpint (json_object_get_int_member (reply, "users"), ==, 2);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (reply, "changed")), ==, 1);
  client_assert_silent (again);
  say (ann, c.first, "new");
  event = client_pop_type (again, "message");
  g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, "new");
  client_do (ann, "set_status", "\"status\":\"idle\"");
  json_object_unref (client_pop_type (again, "user_status_change"));
  client_refused (again, HARK_ERROR_NOT_FOUND, "resume", "resume", "\"resume\":\"%s\"", bob->resume);
}

static void
test_page (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *again;
  gint64 members[38];
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A whole page of loaded users is loaded again, but for who left; who changed meanwhile is told.");
  make (f, &c);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      members[i] = chat_fixture_user (f, name);
      chat_fixture_join (f, c.server, members[i]);
    }
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_server_members", "\"server_id\":\"" ID "\"", c.server);
  client_hang_up (bob);
  for (guint i = 0; i < G_N_ELEMENTS (members); i += 12)
    g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"" ID "\",\"bio\":\"new\"", members[i]));
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.server, members[1]));
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\"", bob->resume);
  g_assert_cmpint (json_object_get_int_member (reply, "users"), ==, 2 + G_N_ELEMENTS (members) - 1);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (reply, "changed")), ==, 4);
  g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"" ID "\",\"bio\":\"newer\"",
                             members[G_N_ELEMENTS (members) - 1]));
  json_object_unref (client_pop_type (again, "user_update"));
}

static void
test_after_restart (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *ann, *again;
  g_autofree char *token = NULL;
  g_autoptr (JsonObject) reply = NULL, event = NULL;
  g_test_summary ("A session is taken up after the daemon was started anew; the client's own cursors count.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  token = g_strdup (bob->resume);
  say (ann, c.first, "one");
  say (ann, c.first, "two");
  chat_fixture_stop (f);
  chat_fixture_start (f);
  ann = chat_fixture_connect (f, c.ann);
  say (ann, c.first, "three");
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\",\"cursors\":{\"channel/" ID "\":1,\"channel/" ID "\":0}",
                      token, c.first, c.second);
  assert_recovered (reply, c.first, 2, "two");
  assert_recovered (reply, c.second, 0, NULL);
  say (ann, c.second, "four");
  event = client_pop_type (again, "message");
  g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, "four");
}

static void
test_half_dead (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *ann, *again;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary (
    "A session whose connection is not known to be dead is ended by the one that takes it up, and what lay "
    "in its outbox is not lost.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  say (ann, c.first, "unread in the outbox");
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\"", bob->resume);
  g_assert_cmpuint (client_get_close_code (bob), ==, HARK_CLOSE_RESUMED);
  assert_recovered (reply, c.first, 1, "unread in the outbox");
  client_refused (again, HARK_ERROR_CONFLICT, "resume", "resume", "\"resume\":\"%s\"", again->resume);
}

static void
test_reset (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *ann, *again;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("Too much missed, a cursor from the future, and a right that was lost are told as reset.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.second);
  client_hang_up (bob);
  for (guint i = 0; i < 4; i++)
    say (ann, c.first, "m");
  g_free (chat_fixture_call (f, "update_channel", "\"channel_id\":\"" ID "\",\"private\":true", c.second));
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\",\"cursors\":{\"app/x\":7}", bob->resume);
  g_assert_cmpstr (json_object_get_string_member (topic_of (reply, "channel", c.first), "result"), ==, "reset");
  g_assert_cmpstr (json_object_get_string_member (topic_of (reply, "channel", c.second), "result"), ==, "reset");
  say (ann, c.second, "secret");
  client_assert_silent (again);
  say (ann, c.first, "open");
  json_object_unref (client_pop_type (again, "message"));
}

static void
test_secret (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *again;
  gint64 open;
  JsonArray *events;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("What was not for the user when it happened is not replayed either.");
  make (f, &c);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_servers", "%s", "");
  client_hang_up (bob);
  chat_fixture_channel (f, c.server, "secret", TRUE);
  open = chat_fixture_channel (f, c.server, "open", FALSE);
  again = chat_fixture_connect (f, c.bob);
  reply = client_ask (again, "resume", "\"resume\":\"%s\"", bob->resume);
  events = json_object_get_array_member (topic_of (reply, "server", c.server), "events");
  g_assert_cmpuint (json_array_get_length (events), ==, 1);
  g_assert_cmpint (json_id (json_array_get_object_element (events, 0), "id"), ==, open);
}

static void
test_refusals (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *ann, *again;
  g_test_summary ("Only the same user takes up a session, in time, with a token that is right.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "resume", "resume", "\"resume\":\"%s\"", bob->resume);
  client_hang_up (bob);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "resume", "resume", "\"resume\":\"%s\"", bob->resume);
  again = chat_fixture_connect (f, c.bob);
  client_refused (again, HARK_ERROR_NOT_FOUND, "resume", "resume", "\"resume\":\"nonsense\"");
  client_refused (again, HARK_ERROR_BAD_REQUEST, "resume", "resume", "%s", "\"cursors\":{}");
  client_refused (again, HARK_ERROR_BAD_REQUEST, "cursors", "resume", "\"resume\":\"x\",\"cursors\":{\"app/x\":\"7\"}");
  client_refused (again, HARK_ERROR_BAD_REQUEST, "cursors", "resume", "\"resume\":\"x\",\"cursors\":{\"what\":7}");
  client_refused (again, HARK_ERROR_BAD_REQUEST, "cursors", "resume", "\"resume\":\"x\",\"cursors\":[]");
  chat_fixture_advance (f, f->limits.resume_window_ms + 1);
  client_refused (again, HARK_ERROR_NOT_FOUND, "resume", "resume", "\"resume\":\"%s\"", bob->resume);
}

static void
test_kept (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 newest = 0;
  g_test_summary ("Of one user so many ended sessions are kept, the youngest; and full disks delay it, no more.");
  make (f, &c);
  for (guint i = 0; i < 30; i++)
    {
      Client *bob = chat_fixture_connect (f, c.bob);
      newest = bob->session_id;
      step_store_fail_writes (f->steps, i == 29);
      client_hang_up (bob);
      chat_fixture_advance (f, 300);
    }
  step_store_fail_writes (f->steps, FALSE);
  g_assert_cmpint (chat_fixture_count (f, "SELECT max(session_id) FROM sessions"), <, newest);
  chat_fixture_advance (f, 1000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM sessions"), ==, f->limits.kept_sessions_per_user);
  g_assert_cmpint (chat_fixture_count (f, "SELECT max(session_id) FROM sessions"), ==, newest);
}

static void
test_by_query (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *bob, *again;
  g_autoptr (HarkIdentity) identity = NULL;
  g_autoptr (JsonObject) welcome = NULL, reply = NULL;
  g_autofree char *cursors = NULL;
  g_test_summary ("A session asked for when connecting is taken up after the welcome.");
  make (f, &c);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.first);
  client_hang_up (bob);
  identity = hark_identity_new (c.bob, "bob", 1, 0, HARK_IDENTITY_NONE);
  again = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, again);
  cursors = g_strdup_printf ("{\"channel/" ID "\":0}", c.first);
  hark_chat_resume (f->chat, hark_hub_get_session (f->hub, again->session_id), bob->resume, cursors);
  chat_fixture_settle (f);
  welcome = client_pop (again);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  reply = client_pop (again);
  g_assert_cmpstr (json_object_get_string_member (reply, "type"), ==, "resume");
  assert_recovered (reply, c.first, 0, NULL);
  hark_chat_resume (f->chat, hark_hub_get_session (f->hub, again->session_id), "x", "not JSON");
  json_object_unref (client_pop_type (again, "error"));
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.resume_events = 3;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/resume/recovered", test_recovered);
  ADD ("/resume/page", test_page);
  ADD ("/resume/after-restart", test_after_restart);
  ADD ("/resume/half-dead", test_half_dead);
  ADD ("/resume/secret", test_secret);
  ADD ("/resume/refusals", test_refusals);
  ADD ("/resume/kept", test_kept);
  ADD ("/resume/by-query", test_by_query);
  g_test_add ("/resume/reset", ChatFixture, NULL, set_up_small, test_reset, chat_fixture_tear_down);
  return g_test_run ();
}
