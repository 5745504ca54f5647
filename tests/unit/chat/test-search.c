/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob;
  gint64 server, channel, secret;
  Client *one, *two; /* of ann and bob */
} Talk;

static void
make (ChatFixture *f, Talk *t)
{
  t->ann = chat_fixture_user (f, "ann");
  t->bob = chat_fixture_user (f, "bob");
  t->server = chat_fixture_server (f, t->ann, "Harbour");
  chat_fixture_join (f, t->server, t->bob);
  t->channel = chat_fixture_channel (f, t->server, "general", FALSE);
  t->secret = chat_fixture_channel (f, t->server, "secret", TRUE);
  t->one = chat_fixture_connect (f, t->ann);
  t->two = chat_fixture_connect (f, t->bob);
}

static gint64
send (Client *client, gint64 channel, const char *text)
{
  g_autoptr (JsonObject) ack
    = client_ask (client, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", channel, text);
  return json_id (ack, "message_id");
}

/* @expected: the texts found, each with a bar behind it */
static void
assert_found (Client *client, const char *members, const char *expected)
{
  g_autoptr (JsonObject) reply = client_ask (client, "search_messages", "%s", members);
  g_autoptr (GString) texts = g_string_new (NULL);
  JsonArray *results = json_object_get_array_member (reply, "results");
  for (guint i = 0; i < json_array_get_length (results); i++)
    {
      JsonObject *result = json_array_get_object_element (results, i);
      g_string_append_printf (texts, "%s|", json_object_get_string_member (result, "message"));
      g_assert_cmpuint (json_array_get_length (json_object_get_array_member (result, "highlights")), >, 0);
    }
  g_assert_cmpstr (texts->str, ==, expected);
}

/* What is asked must be the same before and after the index has it. */
static void
assert_all (Talk *t)
{
  assert_found (t->two, "\"query\":\"ship\"", "a ship in port|");
  assert_found (t->one, "\"query\":\"ship\"", "the secret ship|a ship in port|");
  assert_found (t->two, "\"query\":\"SHIP -secret\"", "a ship in port|");
  assert_found (t->two, "\"query\":\"北京\"", "我在北京吃饭|");
  assert_found (t->two, "\"query\":\"吃\"", "我在北京吃饭|");
  assert_found (t->two, "\"query\":\"京北\"", "");
  assert_found (t->two, "\"query\":\"\\\"in port\\\"\"", "a ship in port|");
  assert_found (t->two, "\"query\":\"creme\"", "Crème brûlée|");
  assert_found (t->two, "\"query\":\"words:ship) OR (\\\"\"", "");
}

static void
test_found (ChatFixture *f, gconstpointer data)
{
  Talk t;
  g_autofree char *members = NULL;
  g_test_summary ("What was said is found at once and later, by words, phrases and Chinese, where one may see it.");
  make (f, &t);
  send (t.one, t.channel, "a ship in port");
  send (t.one, t.secret, "the secret ship");
  send (t.one, t.channel, "我在北京吃饭");
  send (t.two, t.channel, "Crème brûlée");
  g_assert_cmpint (chat_fixture_count (f, "SELECT upto FROM message_index_state"), ==, 0);
  assert_all (&t);
  chat_fixture_advance (f, 1000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT upto FROM message_index_state"), ==,
                   chat_fixture_count (f, "SELECT max(message_id) FROM messages"));
  assert_all (&t);
  members = g_strdup_printf ("\"query\":\"ship\",\"channel_id\":\"" ID "\"", t.channel);
  assert_found (t.one, members, "a ship in port|");
  g_free (members);
  members = g_strdup_printf ("\"query\":\"ship\",\"author_id\":\"" ID "\"", t.bob);
  assert_found (t.one, members, "");
  g_free (members);
  members = g_strdup_printf ("\"query\":\"ship\",\"server_id\":\"" ID "\"", t.server);
  assert_found (t.one, members, "the secret ship|a ship in port|");
}

static void
test_changes (ChatFixture *f, gconstpointer data)
{
  Talk t;
  gint64 late, early;
  g_test_summary ("What was edited is found by its new words alone and what was deleted not at all, indexed or not.");
  make (f, &t);
  early = send (t.one, t.channel, "apples");
  chat_fixture_advance (f, 1000);
  late = send (t.one, t.channel, "apples");
  client_do (t.one, "edit_message", "\"message_id\":\"" ID "\",\"message\":\"pears\"", early);
  client_do (t.one, "edit_message", "\"message_id\":\"" ID "\",\"message\":\"pears\"", late);
  assert_found (t.two, "\"query\":\"apples\"", "");
  assert_found (t.two, "\"query\":\"pears\"", "pears|pears|");
  chat_fixture_advance (f, 1000);
  assert_found (t.two, "\"query\":\"apples\"", "");
  assert_found (t.two, "\"query\":\"pears\"", "pears|pears|");
  client_do (t.one, "delete_message", "\"message_id\":\"" ID "\"", early);
  assert_found (t.two, "\"query\":\"pears\"", "pears|");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM message_index WHERE message_index MATCH 'apples'"), ==,
                   0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM message_index WHERE message_index MATCH 'pears'"), ==,
                   1);
}

static void
test_rank (ChatFixture *f, gconstpointer data)
{
  Talk t;
  g_test_summary ("Where a word means more comes first.");
  make (f, &t);
  send (t.one, t.channel, "harbour harbour");
  send (t.one, t.channel, "a long text in which the word harbour is one of many others that do not matter");
  chat_fixture_advance (f, 1000);
  assert_found (t.two, "\"query\":\"harbour\"",
                "harbour harbour|a long text in which the word harbour is one of many others that do not matter|");
}

static void
test_pages (ChatFixture *f, gconstpointer data)
{
  Talk t;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gint64 offset = 0;
  guint n_pages = 0;
  g_test_summary ("Pages have every result once, whether the index has it or not.");
  make (f, &t);
  for (guint i = 0; i < 25; i++)
    {
      g_autofree char *text = g_strdup_printf ("word %u", i);
      if (i == 18)
        chat_fixture_advance (f, 1000);
      send (t.one, t.channel, text);
    }
  while (offset >= 0)
    {
      g_autoptr (JsonObject) reply
        = client_ask (t.two, "search_messages", "\"query\":\"word\",\"limit\":5,\"offset\":" ID, offset);
      JsonArray *results = json_object_get_array_member (reply, "results");
      g_assert_cmpuint (json_array_get_length (results), ==, 5);
      for (guint i = 0; i < 5; i++)
        g_assert_true (
          g_hash_table_add (seen, g_strdup (json_object_get_string_member (json_array_get_object_element (results, i),
                                                                           "message_id"))));
      offset = json_object_get_null_member (reply, "next") ? -1 : json_object_get_int_member (reply, "next");
      n_pages++;
    }
  g_assert_cmpuint (n_pages, ==, 5);
  g_assert_cmpuint (g_hash_table_size (seen), ==, 25);
}

static void
test_refusals (ChatFixture *f, gconstpointer data)
{
  Talk t;
  g_autofree char *longest = NULL;
  g_test_summary ("What cannot be searched for is named, and so is where one may not search.");
  make (f, &t);
  longest = g_strnfill (f->limits.query_chars + 1, 'x');
  client_refused (t.two, HARK_ERROR_BAD_REQUEST, "query", "search_messages", "\"limit\":1");
  client_refused (t.two, HARK_ERROR_BAD_REQUEST, "query", "search_messages", "\"query\":\"?!\"");
  client_refused (t.two, HARK_ERROR_TOO_LARGE, "query", "search_messages", "\"query\":\"%s\"", longest);
  client_refused (t.two, HARK_ERROR_BAD_REQUEST, "limit", "search_messages", "\"query\":\"a\",\"limit\":51");
  client_refused (t.two, HARK_ERROR_BAD_REQUEST, "offset", "search_messages", "\"query\":\"a\",\"offset\":1001");
  client_refused (t.two, HARK_ERROR_NOT_FOUND, "channel_id", "search_messages",
                  "\"query\":\"a\",\"channel_id\":\"" ID "\"", t.secret);
  client_refused (t.two, HARK_ERROR_NOT_FOUND, "server_id", "search_messages", "\"query\":\"a\",\"server_id\":\"1\"");
}

static void
test_restart (ChatFixture *f, gconstpointer data)
{
  Talk t;
  g_test_summary ("What was not indexed when the process ended is indexed by the next; many are, in batches.");
  make (f, &t);
  for (guint i = 0; i < 600; i++)
    send (t.one, t.channel, "word");
  chat_fixture_stop (f);
  chat_fixture_start (f);
  for (guint i = 0; i < 5; i++)
    chat_fixture_advance (f, 200);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM message_index WHERE message_index MATCH 'word'"), ==,
                   600);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/search/found", test_found);
  ADD ("/search/changes", test_changes);
  ADD ("/search/rank", test_rank);
  ADD ("/search/pages", test_pages);
  ADD ("/search/refusals", test_refusals);
  ADD ("/search/restart", test_restart);
  return g_test_run ();
}
