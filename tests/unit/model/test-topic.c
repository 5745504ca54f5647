/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/topic.h"

#include "base/error.h"

#include <string.h>

static void
test_parse (void)
{
  static const struct
  {
    const char *text;
    HarkTopicKind kind;
    gint64 id;
    const char *name;
  } rows[] = {
    { "server/7", HARK_TOPIC_SERVER, 7, NULL },
    { "channel/42", HARK_TOPIC_CHANNEL, 42, NULL },
    { "user/9007199254740991", HARK_TOPIC_USER, 9007199254740991, NULL },
    { "inbox/1", HARK_TOPIC_INBOX, 1, NULL },
    { "personal/1", HARK_TOPIC_PERSONAL, 1, NULL },
    { "room/lobby", HARK_TOPIC_ROOM, 0, "lobby" },
    { "app/a/b", HARK_TOPIC_APP, 0, "a/b" },
    { "app//", HARK_TOPIC_APP, 0, "/" },
    { "room/7", HARK_TOPIC_ROOM, 0, "7" },
    { "room/\xCE\xBA\xE1\xBD\xB9\xF0\x9F\x98\x80", HARK_TOPIC_ROOM, 0, "\xCE\xBA\xE1\xBD\xB9\xF0\x9F\x98\x80" },
  };
  g_test_summary ("Each kind of topic is read, and written as it was read.");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (HarkTopic) topic = { 0 };
      g_autoptr (GError) error = NULL;
      char out[HARK_TOPIC_MAX + 1];
      g_assert_true (hark_topic_parse (rows[i].text, &topic, &error));
      g_assert_no_error (error);
      g_assert_cmpint (topic.kind, ==, rows[i].kind);
      g_assert_cmpint (topic.id, ==, rows[i].id);
      g_assert_cmpstr (topic.name, ==, rows[i].name);
      g_assert_cmpstr (hark_topic_format (&topic, out), ==, rows[i].text);
    }
}

static void
test_parse_bad (void)
{
  static const char *const rows[] = {
    "",
    "/",
    "server",
    "server/",
    "server/0",
    "server/-1",
    "server/07",
    "server/x",
    "server/7 ",
    "server/7/8",
    "server/12345678901234567",
    "Server/7",
    "serve/7",
    "servers/7",
    " server/7",
    "guild/7",
    "room/",
    "room/a b",
    "room/a\tb",
    "room/a\nb",
    "room/a\x7F",
    "room/a\xC2\x85",     /* a control character beyond ASCII */
    "room/a\xE3\x80\x80", /* an ideographic space */
    "room/a\xE2\x80\xA8", /* a line separator */
    "room/\xC3",
    "room/\xFF",
    "room/\xC0\xAF",
    "room/\xED\xA0\x80",
    "app/",
  };
  g_test_summary ("What is no topic is refused with an error that names the field, and gives nothing to clear.");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      HarkTopic topic = { HARK_TOPIC_APP, 4711, NULL };
      g_autoptr (GError) error = NULL;
      g_assert_false (hark_topic_parse (rows[i], &topic, &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_assert_true (g_str_has_prefix (error->message, "\"topic\""));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpint (topic.id, ==, 4711);
      g_assert_null (topic.name);
    }
}

static void
test_parse_long (void)
{
  g_autofree char *name = g_strnfill (HARK_TOPIC_MAX - strlen ("app/"), 'n');
  g_autofree char *longest = g_strconcat ("app/", name, NULL);
  g_autofree char *too_long = g_strconcat (longest, "n", NULL);
  g_auto (HarkTopic) topic = { 0 };
  g_auto (HarkTopic) other = { 0 };
  g_autoptr (GError) error = NULL;
  char out[HARK_TOPIC_MAX + 1];
  g_test_summary ("The longest topic is whole when it is written again; one byte more is refused.");
  g_assert_true (hark_topic_parse (longest, &topic, NULL));
  g_assert_cmpstr (hark_topic_format (&topic, out), ==, longest);
  g_assert_false (hark_topic_parse (too_long, &other, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

static void
test_equal (void)
{
  static const char *const texts[] = { "server/1", "channel/1", "user/1", "inbox/1", "room/1", "app/1",
                                       "server/2", "channel/2", "user/2", "inbox/2", "room/2", "app/2" };
  g_test_summary ("Topics are equal when their texts are, and then have the same hash and key; no others share a key.");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (texts); k++)
      {
        g_auto (HarkTopic) a = { 0 };
        g_auto (HarkTopic) b = { 0 };
        g_assert_true (hark_topic_parse (texts[i], &a, NULL));
        g_assert_true (hark_topic_parse (texts[k], &b, NULL));
        g_assert_cmpint (hark_topic_equal (&a, &b), ==, i == k);
        g_assert_cmpint (hark_topic_key (&a) == hark_topic_key (&b), ==, i == k);
        if (i == k)
          g_assert_cmpuint (hark_topic_hash (&a), ==, hark_topic_hash (&b));
        g_assert_cmpuint (hark_topic_key (&a), !=, 0);
      }
}

static void
test_spread (void)
{
  guint used[1024] = { 0 };
  g_test_summary ("The hashes of ids one after the other are spread over all of a table.");
  for (gint64 id = 1; id <= 10240; id++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_USER, id * 4096);
      used[hark_topic_hash (&topic) % G_N_ELEMENTS (used)]++;
    }
  for (guint i = 0; i < G_N_ELEMENTS (used); i++)
    g_assert_cmpuint (used[i], <, 64);
}

static void
test_names (void)
{
  HarkTopic first = { 0 }, again = { 0 }, copy;
  g_test_summary ("One name is one string, which stays until its last topic is cleared.");
  g_assert_true (hark_topic_parse ("room/lobby", &first, NULL));
  g_assert_true (hark_topic_parse ("app/lobby", &again, NULL));
  g_assert_true (first.name == again.name);
  copy = hark_topic_copy (&first);
  g_assert_true (copy.name == first.name);
  hark_topic_clear (&first);
  g_assert_null (first.name);
  hark_topic_clear (&first);
  hark_topic_clear (&again);
  g_assert_cmpstr (copy.name, ==, "lobby");
  g_assert_true (hark_topic_parse ("room/lobby", &again, NULL));
  g_assert_true (hark_topic_equal (&again, &copy));
  hark_topic_clear (&copy);
  hark_topic_clear (&again);
}

static void
test_copy_id (void)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 42);
  g_auto (HarkTopic) copy = hark_topic_copy (&topic);
  g_test_summary ("A topic with an id is copied without a name.");
  g_assert_null (copy.name);
  g_assert_true (hark_topic_equal (&topic, &copy));
}

static gpointer
parse_many (gpointer data)
{
  for (guint i = 0; i < 100000; i++)
    {
      g_auto (HarkTopic) topic = { 0 };
      g_assert_true (hark_topic_parse ("room/lobby", &topic, NULL));
      g_assert_cmpstr (topic.name, ==, "lobby");
    }
  return NULL;
}

static void
test_threads (void)
{
  GThread *thread = g_thread_new ("parse", parse_many, NULL);
  g_test_summary ("A name may be let go of in one thread at the moment in which another reads it.");
  parse_many (NULL);
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/topic/parse", test_parse);
  g_test_add_func ("/topic/parse-bad", test_parse_bad);
  g_test_add_func ("/topic/parse-long", test_parse_long);
  g_test_add_func ("/topic/equal", test_equal);
  g_test_add_func ("/topic/spread", test_spread);
  g_test_add_func ("/topic/names", test_names);
  g_test_add_func ("/topic/copy-id", test_copy_id);
  g_test_add_func ("/topic/threads", test_threads);
  return g_test_run ();
}
