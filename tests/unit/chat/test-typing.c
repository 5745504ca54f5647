/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob;
  gint64 server, channel;
  Client *one, *two; /* of ann and bob, with the channel loaded */
} Talk;

static void
make (ChatFixture *f, Talk *t)
{
  t->ann = chat_fixture_user (f, "ann");
  t->bob = chat_fixture_user (f, "bob");
  t->server = chat_fixture_server (f, t->ann, "Harbour");
  chat_fixture_join (f, t->server, t->bob);
  t->channel = chat_fixture_channel (f, t->server, "general", FALSE);
  t->one = chat_fixture_connect (f, t->ann);
  t->two = chat_fixture_connect (f, t->bob);
  client_do (t->one, "get_messages", "\"channel_id\":\"" ID "\"", t->channel);
  client_do (t->two, "get_messages", "\"channel_id\":\"" ID "\"", t->channel);
}

static void
test_told (ChatFixture *f, gconstpointer data)
{
  Talk t;
  Client *tab;
  g_autoptr (JsonObject) event = NULL;
  g_test_summary ("Who types is told to the others who have the channel loaded, once in three seconds.");
  make (f, &t);
  tab = chat_fixture_connect (f, t.ann);
  client_do (tab, "get_messages", "\"channel_id\":\"" ID "\"", t.channel);
  for (guint i = 0; i < 5; i++)
    client_do (t.one, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  event = client_pop_type (t.two, "typing");
  g_assert_cmpint (json_id (event, "channel_id"), ==, t.channel);
  g_assert_cmpint (json_id (event, "user_id"), ==, t.ann);
  g_assert_true (json_object_has_member (event, "username"));
  g_assert_false (json_object_has_member (event, "seq"));
  client_assert_silent (t.two);
  client_assert_silent (t.one);
  client_assert_silent (tab);
  chat_fixture_advance (f, 2999);
  client_do (tab, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  client_assert_silent (t.two);
  chat_fixture_advance (f, 1);
  client_do (tab, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  json_object_unref (client_pop_type (t.two, "typing"));
  client_say (t.two, "{\"type\":\"typing\",\"channel_id\":\"" ID "\"}", t.channel);
  chat_fixture_settle (f);
  client_assert_silent (t.two);
  json_object_unref (client_pop_type (t.one, "typing"));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM event_log WHERE kind = 'typing'"), ==, 0);
}

static void
test_refusals (ChatFixture *f, gconstpointer data)
{
  Talk t;
  Client *stranger;
  g_test_summary ("Only where one has loaded the channel, and may still see it.");
  make (f, &t);
  stranger = chat_fixture_connect (f, t.bob);
  client_refused (stranger, HARK_ERROR_NOT_FOUND, "channel_id", "typing", "\"channel_id\":\"" ID "\"", t.channel);
  client_refused (t.two, HARK_ERROR_BAD_REQUEST, "channel_id", "typing", "\"channel\":\"" ID "\"", t.channel);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", t.server, t.bob));
  client_refused (t.two, HARK_ERROR_NOT_FOUND, "channel_id", "typing", "\"channel_id\":\"" ID "\"", t.channel);
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  Talk t;
  HarkCounter *told = hark_metrics_counter (f->metrics, "hark_typing_total", "");
  g_test_summary ("Of more who type at a time than is remembered nothing is told, until some are forgotten.");
  f->limits.typing_max = 1;
  chat_fixture_stop (f);
  chat_fixture_start (f);
  make (f, &t);
  client_do (t.one, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  client_do (t.two, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  client_assert_silent (t.one);
  g_assert_cmpint (hark_counter_get (told), ==, 1);
  chat_fixture_advance (f, 3000);
  client_do (t.two, "typing", "\"channel_id\":\"" ID "\"", t.channel);
  json_object_unref (client_pop_type (t.one, "typing"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/typing/told", test_told);
  ADD ("/typing/refusals", test_refusals);
  ADD ("/typing/bound", test_bound);
  return g_test_run ();
}
