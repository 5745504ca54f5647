/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "chat/mentions.h"

/* Names as they are looked for, with spaces between. */
static char *
parse (const char *text, guint max)
{
  g_autoptr (GArray) names = hark_mentions_parse (text, strlen (text), max);
  GString *all = g_string_new (NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      HarkMentionedName *name = &g_array_index (names, HarkMentionedName, i);
      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", name->whole);
      if (strcmp (name->whole, name->bare) != 0)
        g_string_append_printf (all, "|%s", name->bare);
    }
  return g_string_free (all, FALSE);
}

static void
test_words (void)
{
  static const struct
  {
    const char *text, *names;
  } cases[] = {
    { "hello", "" },
    { "@bob", "bob" },
    { "hi @Bob!", "bob" },
    { "(@bob), @eve's and @b_o-b2", "bob eve b_o-b2" },
    { "ask @bob.", "bob.|bob" },
    { "wait...@bob...", "bob...|bob" },
    { "_@bob_ -@eve", "bob_|bob eve" },
    { "@bob @bob @BOB", "bob" },
    { "mail bob@example.org", "" },
    { "mail b.o_b@example.org and b-@example.org", "" },
    { "a+@bob https://example.org/@bob @bob@example.org @@bob ?to=@bob", "" },
    { "é@bob @bobé", "" },
    { "こんにちは@bobさん", "bob" },
    { "@", "" },
    { "@ bob", "" },
    { "@...", "...|" },
    { "@123456789012345678901234567890123", "" },
    { "@12345678901234567890123456789012", "12345678901234567890123456789012" },
  };
  g_test_summary ("A name counts when it stands as a word of its own, not inside of an address or a link.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *names = parse (cases[i].text, 20);
      if (strcmp (names, cases[i].names) != 0)
        g_error ("%s: %s", cases[i].text, names);
    }
}

static void
test_maximum (void)
{
  g_autofree char *all = NULL, *none = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_test_summary ("Of too many names the first count, however long the text.");
  all = parse ("@a @b @a @c @d", 3);
  g_assert_cmpstr (all, ==, "a b c");
  none = parse ("@a", 0);
  g_assert_cmpstr (none, ==, "");
  for (guint i = 0; i < 10000; i++)
    g_string_append_printf (text, "@n%u ", i);
  g_free (all);
  all = parse (text->str, 2);
  g_assert_cmpstr (all, ==, "n0 n1");
}

typedef struct
{
  gint64 ann, bob, eve;
  gint64 server, channel, secret;
  Client *reader;
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
  c->secret = chat_fixture_channel (f, c->server, "secret", TRUE);
  c->reader = chat_fixture_connect (f, c->ann);
  client_do (c->reader, "get_messages", "\"channel_id\":\"" ID "\"", c->channel);
  client_do (c->reader, "get_messages", "\"channel_id\":\"" ID "\"", c->secret);
}

/* Returns: the ids that event and history give, which are the same */
static char *
say (ChatFixture *f, Community *c, gint64 channel, const char *text)
{
  g_autoptr (JsonObject) event = NULL, chunk = NULL;
  JsonObject *row;
  g_autofree char *told = NULL;
  char *read;
  client_do (c->reader, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", channel, text);
  event = client_pop_type (c->reader, "message");
  chunk = client_ask (c->reader, "get_messages", "\"channel_id\":\"" ID "\",\"limit\":1", channel);
  row = json_array_get_object_element (json_object_get_array_member (chunk, "messages"), 0);
  told = json_object_has_member (event, "mentions") ? json_to_string (json_object_get_member (event, "mentions"), FALSE)
                                                    : g_strdup ("none");
  read = json_object_has_member (row, "mentions") ? json_to_string (json_object_get_member (row, "mentions"), FALSE)
                                                  : g_strdup ("none");
  g_assert_cmpstr (told, ==, read);
  return read;
}

static void
assert_mentions (ChatFixture *f, Community *c, gint64 channel, const char *text, const char *names)
{
  g_autofree char *found = say (f, c, channel, text);
  g_autoptr (GString) wanted = g_string_new ("[");
  for (const char *p = names; *p != '\0'; p++)
    g_string_append_printf (wanted, "%s\"" ID "\"", p > names ? "," : "",
                            *p == 'a'   ? c->ann
                            : *p == 'b' ? c->bob
                                        : c->eve);
  g_string_append_c (wanted, ']');
  g_assert_cmpstr (found, ==, *names != '\0' ? wanted->str : "none");
}

static void
test_who (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("Who may see the channel can be mentioned in it, and nobody else; event and history agree.");
  make (f, &c);
  assert_mentions (f, &c, c.channel, "hello", "");
  assert_mentions (f, &c, c.channel, "hello @bob and @ann.", "ab");
  assert_mentions (f, &c, c.channel, "hello @nobody, @eve is no member", "");
  assert_mentions (f, &c, c.secret, "hello @bob", "");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM mentions"), ==, 2);
  chat_fixture_join (f, c.server, c.eve);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.secret, c.bob));
  assert_mentions (f, &c, c.secret, "hello @bob, not @eve", "b");
  assert_mentions (f, &c, c.channel, "@EVE @eve. @eve", "e");
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.server, c.eve));
  /* What was said stays as it was. */
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM mentions"), ==, 4);
  g_free (chat_fixture_call (f, "delete_user", "\"user_id\":\"" ID "\"", c.bob));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM mentions"), ==, 2);
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("Names beyond the configured number are plain text.");
  f->limits.mentions = 1;
  chat_fixture_stop (f);
  chat_fixture_start (f);
  make (f, &c);
  assert_mentions (f, &c, c.channel, "@bob @ann", "b");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mentions/words", test_words);
  g_test_add_func ("/mentions/maximum", test_maximum);
  ADD ("/mentions/who", test_who);
  ADD ("/mentions/bound", test_bound);
  return g_test_run ();
}
