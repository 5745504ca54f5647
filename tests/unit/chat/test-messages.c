/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob, eve;
  gint64 server, channel;
} Community;

static void
make (ChatFixture *f, Community *c)
{
  c->ann = chat_fixture_user (f, "ann");
  c->bob = chat_fixture_user (f, "bob");
  c->eve = chat_fixture_user (f, "eve");
  c->server = chat_fixture_server (f, c->ann, "Harbour");
  chat_fixture_join (f, c->server, c->bob);
  c->channel = chat_fixture_channel (f, c->server, "general", FALSE);
}

static gint64
unread_of (Client *client, gint64 server, gint64 channel)
{
  g_autoptr (JsonObject) reply = client_ask (client, "get_server_channels", "\"server_id\":\"" ID "\"", server);
  JsonArray *channels = json_object_get_array_member (reply, "channels");
  for (guint i = 0; i < json_array_get_length (channels); i++)
    if (json_id (json_array_get_object_element (channels, i), "channel_id") == channel)
      return json_object_get_int_member (json_array_get_object_element (channels, i), "unread");
  g_assert_not_reached ();
}

static gint64
server_unread (Client *client)
{
  g_autoptr (JsonObject) reply = client_ask (client, "get_servers", "%s", "");
  return json_object_get_int_member (json_array_get_object_element (json_object_get_array_member (reply, "servers"), 0),
                                     "unread");
}

static void
test_fields (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  g_autoptr (JsonObject) ack = NULL, mine = NULL, event = NULL;
  g_test_summary ("001-1: everyone in the channel, the sender too, gets type, message, author, image, server, channel "
                  "and id; author and image are the account's.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (ann, "set_profile", "\"displayname\":\"Ann L.\",\"profile_pic\":\"https://example.org/a.png\"");
  client_do (ann, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  ack = client_ask (ann, "message",
                    "\"server\":\"" ID "\",\"channel\":\"" ID "\",\"message\":\"hi \\u2693\",\"id\":1700000000000,"
                    "\"author\":\"Eve\",\"image\":\"x\"",
                    c.server, c.channel);
  g_assert_cmpint (json_object_get_int_member (ack, "id"), ==, 1700000000000);
  g_assert_cmpint (json_object_get_int_member (ack, "seq"), ==, 1);
  mine = client_pop_type (ann, "message");
  event = client_pop_type (bob, "message");
  g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, "hi ⚓");
  g_assert_cmpstr (json_object_get_string_member (event, "author"), ==, "Ann L.");
  g_assert_cmpstr (json_object_get_string_member (event, "image"), ==, "https://example.org/a.png");
  g_assert_cmpint (json_id (event, "author_id"), ==, c.ann);
  g_assert_cmpint (json_id (event, "server"), ==, c.server);
  g_assert_cmpint (json_id (event, "channel"), ==, c.channel);
  g_assert_cmpint (json_object_get_int_member (event, "id"), ==, 1700000000000);
  g_assert_cmpint (json_object_get_int_member (event, "seq"), ==, 1);
  g_assert_cmpint (json_id (event, "message_id"), ==, json_id (ack, "message_id"));
  g_assert_cmpuint (strlen (json_object_get_string_member (event, "timestamp")), ==, 24);
  client_assert_silent (ann);
  client_assert_silent (bob);
}

static void
test_once (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *tab, *other, *bob;
  g_autoptr (JsonObject) first = NULL, again = NULL, event = NULL, echo = NULL, bobs = NULL;
  g_test_summary ("001-2: each tab gets a message once, and the same id again is not stored but acked as the first.");
  make (f, &c);
  tab = chat_fixture_connect (f, c.ann);
  other = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (other, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  first = client_ask (tab, "message", "\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":\"a-1\"", c.channel);
  again = client_ask (other, "message", "\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":\"a-1\"", c.channel);
  g_assert_cmpint (json_id (first, "message_id"), ==, json_id (again, "message_id"));
  g_assert_cmpint (json_object_get_int_member (first, "seq"), ==, json_object_get_int_member (again, "seq"));
  g_assert_cmpstr (json_object_get_string_member (again, "id"), ==, "a-1");
  event = client_pop_type (bob, "message");
  client_assert_silent (bob);
  echo = client_pop_type (other, "message");
  client_assert_silent (other);
  g_assert_cmpint (unread_of (bob, c.server, c.channel), ==, 1);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 1);
  bobs = client_ask (bob, "message", "\"channel\":\"" ID "\",\"message\":\"me too\",\"id\":\"a-1\"", c.channel);
  g_assert_cmpint (json_id (bobs, "message_id"), !=, json_id (first, "message_id"));
}

static void
test_once_in_one_commit (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann;
  g_autoptr (JsonObject) first = NULL, again = NULL;
  g_test_summary ("Two copies of a message in one commit are one message.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  client_say (ann, "{\"type\":\"message\",\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":7}", c.channel);
  client_say (ann, "{\"type\":\"message\",\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":7}", c.channel);
  chat_fixture_settle (f);
  first = client_pop (ann);
  again = client_pop (ann);
  g_assert_cmpint (json_id (first, "message_id"), ==, json_id (again, "message_id"));
}

static void
test_refusals (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *eve;
  g_autofree char *longest = NULL;
  gint64 secret;
  g_test_summary ("What is wrong with a message is named; who may not know the channel hears that there is none.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  eve = chat_fixture_connect (f, c.eve);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  longest = g_strnfill (f->limits.message_chars, 'x');
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "channel", "message", "\"message\":\"hi\"");
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "message", "message", "\"channel\":\"" ID "\"", c.channel);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "message", "message", "\"channel\":\"" ID "\",\"message\":\"\"",
                  c.channel);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "message", "message", "\"channel\":\"" ID "\",\"message\":\"a\\u0000\"",
                  c.channel);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "id", "message", "\"channel\":\"" ID "\",\"message\":\"a\",\"id\":{}",
                  c.channel);
  client_refused (ann, HARK_ERROR_TOO_LARGE, "id", "message", "\"channel\":\"" ID "\",\"message\":\"a\",\"id\":\"%s\"",
                  c.channel, longest);
  client_refused (ann, HARK_ERROR_TOO_LARGE, "message", "message", "\"channel\":\"" ID "\",\"message\":\"x%s\"",
                  c.channel, longest);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", c.channel, longest);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "server", "message",
                  "\"server\":\"1\",\"channel\":\"" ID "\",\"message\":\"hi\"", c.channel);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "channel", "message", "\"channel\":\"1\",\"message\":\"hi\"");
  client_refused (eve, HARK_ERROR_NOT_FOUND, "channel", "message", "\"channel\":\"" ID "\",\"message\":\"hi\"",
                  c.channel);
  client_refused (eve, HARK_ERROR_NOT_FOUND, "channel_id", "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  chat_fixture_join (f, c.server, c.eve);
  client_do (eve, "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", c.channel);
  client_refused (eve, HARK_ERROR_NOT_FOUND, "channel", "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", secret);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "limit", "get_messages", "\"channel_id\":\"" ID "\",\"limit\":101",
                  c.channel);
}

static void
assert_chunk (Client *client, gint64 channel, const char *range, guint first, guint n, gboolean more)
{
  g_autoptr (JsonObject) reply = client_ask (client, "get_messages", "\"channel_id\":\"" ID "\"%s", channel, range);
  JsonArray *messages = json_object_get_array_member (reply, "messages");
  g_assert_cmpuint (json_array_get_length (messages), ==, n);
  g_assert_cmpint (json_object_get_boolean_member (reply, "more"), ==, more);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", first + i);
      g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (messages, i), "message"), ==, text);
    }
}

static void
test_history (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann;
  gint64 ids[130];
  g_autofree char *before = NULL, *after = NULL;
  g_test_summary ("History comes in chunks, oldest first, and says whether there is more in the direction asked for.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (JsonObject) ack
        = client_ask (ann, "message", "\"channel\":\"" ID "\",\"message\":\"%u\"", c.channel, i);
      ids[i] = json_id (ack, "message_id");
    }
  assert_chunk (ann, c.channel, "", 80, 50, TRUE);
  before = g_strdup_printf (",\"before\":\"" ID "\"", ids[80]);
  assert_chunk (ann, c.channel, before, 30, 50, TRUE);
  g_free (before);
  before = g_strdup_printf (",\"limit\":30,\"before\":\"" ID "\"", ids[30]);
  assert_chunk (ann, c.channel, before, 0, 30, FALSE);
  after = g_strdup_printf (",\"limit\":100,\"after\":\"" ID "\"", ids[9]);
  assert_chunk (ann, c.channel, after, 10, 100, TRUE);
  g_free (after);
  after = g_strdup_printf (",\"after\":\"" ID "\"", ids[100]);
  assert_chunk (ann, c.channel, after, 101, 29, FALSE);
  g_free (after);
  after = g_strdup_printf (",\"after\":\"" ID "\"", ids[129]);
  assert_chunk (ann, c.channel, after, 0, 0, FALSE);
}

static void
test_unread (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob, *eve;
  gint64 second, secret, third = 0;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("001-3: unread counts per channel, and per server their sum; what one sends is read, what was said "
                  "before one joined never was unread, and nothing is written for those who do not read.");
  make (f, &c);
  second = chat_fixture_channel (f, c.server, "second", FALSE);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (JsonObject) ack = client_ask (ann, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", c.channel);
      if (i == 2)
        third = json_id (ack, "message_id");
    }
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", second);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", secret);
  g_assert_cmpint (unread_of (bob, c.server, c.channel), ==, 5);
  g_assert_cmpint (unread_of (bob, c.server, second), ==, 1);
  g_assert_cmpint (server_unread (bob), ==, 6);
  g_assert_cmpint (server_unread (ann), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM read_marks"), ==, 3);
  reply = client_ask (bob, "mark_read", "\"channel_id\":\"" ID "\",\"message_id\":\"" ID "\"", c.channel, third);
  g_assert_cmpint (json_object_get_int_member (reply, "unread"), ==, 2);
  g_assert_cmpint (unread_of (bob, c.server, c.channel), ==, 2);
  client_do (bob, "mark_read", "\"channel_id\":\"" ID "\"", c.channel);
  client_do (bob, "mark_read", "\"channel_id\":\"" ID "\",\"message_id\":\"" ID "\"", c.channel, third);
  g_assert_cmpint (server_unread (bob), ==, 1);
  client_refused (bob, HARK_ERROR_NOT_FOUND, "channel_id", "mark_read", "\"channel_id\":\"" ID "\"", secret);
  chat_fixture_join (f, c.server, c.eve);
  eve = chat_fixture_connect (f, c.eve);
  g_assert_cmpint (server_unread (eve), ==, 0);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", c.channel);
  g_assert_cmpint (unread_of (eve, c.server, c.channel), ==, 1);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.eve));
  g_assert_cmpint (unread_of (eve, c.server, secret), ==, 0);
}

static void
test_full_disk (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  g_test_summary ("What could not be stored is not acknowledged and nobody sees it; later all is well again.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  step_store_fail_writes (f->steps, TRUE);
  client_refused (ann, HARK_ERROR_OVERLOADED, NULL, "message", "\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":1",
                  c.channel);
  client_assert_silent (bob);
  step_store_fail_writes (f->steps, FALSE);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"hi\",\"id\":1", c.channel);
  json_object_unref (client_pop_type (bob, "message"));
  client_assert_silent (bob);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/messages/001-1", test_fields);
  ADD ("/messages/001-2", test_once);
  ADD ("/messages/once-in-one-commit", test_once_in_one_commit);
  ADD ("/messages/refusals", test_refusals);
  ADD ("/messages/history", test_history);
  ADD ("/messages/001-3", test_unread);
  ADD ("/messages/full-disk", test_full_disk);
  return g_test_run ();
}
