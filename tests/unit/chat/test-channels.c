/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob, eve, server;
  Client *owner, *member, *stranger;
} Community;

static void
make (ChatFixture *f, Community *c)
{
  c->ann = chat_fixture_user (f, "ann");
  c->bob = chat_fixture_user (f, "bob");
  c->eve = chat_fixture_user (f, "eve");
  c->server = chat_fixture_server (f, c->ann, "Harbour");
  chat_fixture_join (f, c->server, c->bob);
  c->owner = chat_fixture_connect (f, c->ann);
  c->member = chat_fixture_connect (f, c->bob);
  c->stranger = chat_fixture_connect (f, c->eve);
}

static guint
n_channels (Client *client, gint64 server)
{
  g_autoptr (JsonObject) reply = client_ask (client, "get_server_channels", "\"server_id\":\"" ID "\"", server);
  return json_array_get_length (json_object_get_array_member (reply, "channels"));
}

static void
assert_event (Client *client, const char *type, gint64 channel)
{
  g_autoptr (JsonObject) event = client_pop (client);
  g_assert_nonnull (event);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, type);
  g_assert_cmpint (json_id (event, "id"), ==, channel);
}

static void
test_visible (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 secret;
  g_test_summary ("000-2: get_server_channels gives the channels that the user may see; the others are absent.");
  make (f, &c);
  chat_fixture_channel (f, c.server, "general", FALSE);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  g_assert_cmpuint (n_channels (c.owner, c.server), ==, 2);
  g_assert_cmpuint (n_channels (c.member, c.server), ==, 1);
  client_refused (c.stranger, HARK_ERROR_NOT_FOUND, "server_id", "get_server_channels", "\"server_id\":\"" ID "\"",
                  c.server);
  chat_fixture_join (f, c.server, c.eve);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.eve));
  g_assert_cmpuint (n_channels (c.stranger, c.server), ==, 2);
  g_assert_cmpuint (n_channels (c.member, c.server), ==, 1);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.bob));
  g_assert_cmpuint (n_channels (c.member, c.server), ==, 2);
}

static void
test_show_and_hide (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 open, secret;
  Client *idle;
  g_autoptr (JsonObject) shown = NULL;
  g_test_summary ("000-4: show_channel and hide_channel go to sessions that have the server loaded and the right, in "
                  "commit order, and to nobody else.");
  make (f, &c);
  idle = chat_fixture_connect (f, c.bob);
  n_channels (c.owner, c.server);
  n_channels (c.member, c.server);
  open = chat_fixture_channel (f, c.server, "open", FALSE);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  shown = client_pop (c.owner);
  g_assert_cmpstr (json_object_get_string_member (shown, "type"), ==, "show_channel");
  g_assert_cmpstr (json_object_get_string_member (shown, "name"), ==, "open");
  g_assert_cmpint (json_id (shown, "id"), ==, open);
  g_assert_cmpint (json_id (shown, "server_id"), ==, c.server);
  g_assert_true (json_object_has_member (shown, "category"));
  assert_event (c.owner, "show_channel", secret);
  assert_event (c.member, "show_channel", open);
  client_assert_silent (c.member);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.bob));
  assert_event (c.member, "show_channel", secret);
  g_free (chat_fixture_call (f, "revoke_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.bob));
  assert_event (c.member, "hide_channel", secret);
  g_free (chat_fixture_call (f, "update_channel", "\"channel_id\":\"" ID "\",\"private\":true", open));
  assert_event (c.member, "hide_channel", open);
  g_free (chat_fixture_call (f, "update_channel", "\"channel_id\":\"" ID "\",\"private\":false", open));
  assert_event (c.member, "show_channel", open);
  g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", open));
  assert_event (c.member, "hide_channel", open);
  g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", secret));
  client_assert_silent (c.member);
  client_assert_silent (c.stranger);
  client_assert_silent (idle);
  assert_event (c.owner, "update_channel", open);
  assert_event (c.owner, "update_channel", open);
  assert_event (c.owner, "hide_channel", open);
  assert_event (c.owner, "hide_channel", secret);
  client_assert_silent (c.owner);
}

static void
test_lost_right (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 secret, open;
  HarkTopic topic;
  g_test_summary (
    "Who loses the right to a channel gets none of its messages any more, also when they leave the server.");
  make (f, &c);
  open = chat_fixture_channel (f, c.server, "open", FALSE);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  topic = hark_topic (HARK_TOPIC_CHANNEL, secret);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", secret, c.bob));
  client_do (c.member, "get_messages", "\"channel_id\":\"" ID "\"", secret);
  client_do (c.member, "get_messages", "\"channel_id\":\"" ID "\"", open);
  /* Both in one commit: the message after the revocation is not for bob. */
  client_say (c.owner, "{\"type\":\"message\",\"channel\":\"" ID "\",\"message\":\"before\"}", secret);
  client_say (c.owner, "{\"type\":\"revoke_channel\",\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"}", secret, c.bob);
  client_say (c.owner, "{\"type\":\"message\",\"channel\":\"" ID "\",\"message\":\"after\"}", secret);
  chat_fixture_settle (f);
  {
    g_autoptr (JsonObject) event = client_pop (c.member);
    g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, "before");
  }
  client_assert_silent (c.member);
  g_assert_cmpuint (hark_hub_get_n_receivers (f->hub, &topic), ==, 0);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.server, c.bob));
  client_do (c.owner, "message", "\"channel\":\"" ID "\",\"message\":\"gone\"", open);
  client_assert_silent (c.member);
  client_refused (c.member, HARK_ERROR_NOT_FOUND, "channel_id", "get_messages", "\"channel_id\":\"" ID "\"", open);
}

static void
test_who_may (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 channel;
  g_test_summary ("Owners change channels; other members are forbidden to, and strangers find none.");
  make (f, &c);
  channel = chat_fixture_channel (f, c.server, "general", FALSE);
  client_refused (c.member, HARK_ERROR_FORBIDDEN, "channel_id", "update_channel",
                  "\"channel_id\":\"" ID "\",\"name\":\"x\"", channel);
  client_refused (c.stranger, HARK_ERROR_NOT_FOUND, "channel_id", "delete_channel", "\"channel_id\":\"" ID "\"",
                  channel);
  client_refused (c.member, HARK_ERROR_FORBIDDEN, "server_id", "create_channel",
                  "\"server_id\":\"" ID "\",\"name\":\"x\"", c.server);
  client_refused (c.stranger, HARK_ERROR_NOT_FOUND, "server_id", "create_channel",
                  "\"server_id\":\"" ID "\",\"name\":\"x\"", c.server);
  client_refused (c.owner, HARK_ERROR_BAD_REQUEST, "name", "create_channel", "\"server_id\":\"" ID "\",\"name\":\" \"",
                  c.server);
  client_do (c.owner, "update_channel", "\"channel_id\":\"" ID "\",\"name\":\"x\",\"position\":4,\"category\":\"y\"",
             channel);
  client_refused (c.owner, HARK_ERROR_NOT_FOUND, "user_id", "grant_channel",
                  "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", channel, c.eve);
}

static void
test_new_owner (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 secret;
  g_test_summary ("With the server a new owner gets its private channels, and the former one loses them.");
  make (f, &c);
  secret = chat_fixture_channel (f, c.server, "secret", TRUE);
  n_channels (c.owner, c.server);
  n_channels (c.member, c.server);
  client_do (c.owner, "get_messages", "\"channel_id\":\"" ID "\"", secret);
  client_do (c.owner, "update_server", "\"server_id\":\"" ID "\",\"owner_id\":\"" ID "\"", c.server, c.bob);
  assert_event (c.member, "show_channel", secret);
  assert_event (c.owner, "hide_channel", secret);
  client_do (c.member, "message", "\"channel\":\"" ID "\",\"message\":\"mine now\"", secret);
  json_object_unref (client_pop_type (c.owner, "update_server"));
  client_assert_silent (c.owner);
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  g_test_summary ("A server has so many channels at most; deleting one makes room.");
  for (guint i = 0; i + 1 < f->limits.channels_per_server; i++)
    chat_fixture_channel (f, server, "c", FALSE);
  {
    gint64 last = chat_fixture_channel (f, server, "last", FALSE);
    chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "create_channel", "\"server_id\":\"" ID "\",\"name\":\"x\"", server);
    g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", last));
  }
  chat_fixture_channel (f, server, "again", FALSE);
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.channels_per_server = 5;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/channels/000-2", test_visible);
  ADD ("/channels/000-4", test_show_and_hide);
  ADD ("/channels/lost-right", test_lost_right);
  ADD ("/channels/who-may", test_who_may);
  ADD ("/channels/new-owner", test_new_owner);
  g_test_add ("/channels/bound", ChatFixture, NULL, set_up_small, test_bound, chat_fixture_tear_down);
  return g_test_run ();
}
