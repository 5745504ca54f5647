/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat/search-query.h"

#include "base/error.h"

#include <string.h>

static void
assert_words (const char *text, const char *folded)
{
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  hark_words_split (&words, text, strlen (text));
  g_assert_cmpstr (words.folded->str, ==, folded);
}

static void
test_split (void)
{
  g_test_summary (
    "Words are letters and digits without case and accents; Chinese and its like are cut into characters.");
  assert_words ("", "");
  assert_words ("  ?!- ", "");
  assert_words ("Hello, World_2!", "hello world 2");
  assert_words ("Crème BRÛLÉE Ångström", "creme brulee angstrom");
  assert_words ("cafe\u0301", "cafe");
  assert_words ("\u0301", "");
  assert_words ("Привет ΑΒΓ", "привет αβγ");
  assert_words ("我在北京吃饭", "我 在 北 京 吃 饭");
  assert_words ("用Hark发消息", "用 hark 发 消 息");
  assert_words ("ひらがなカタ", "ひ ら か\u3099 な カ タ");
  assert_words ("ＡＢＣ１２", "abc12");
  assert_words ("go 🚢🚢", "go 🚢 🚢");
  assert_words ("ﬁne", "fine");
}

static void
test_positions (void)
{
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  const HarkWord *word;
  const char *text = "é, 北京 ok";
  g_test_summary ("A word knows which characters of the text it is.");
  hark_words_split (&words, text, strlen (text));
  g_assert_cmpuint (words.words->len, ==, 4);
  word = &g_array_index (words.words, HarkWord, 2);
  g_assert_cmpuint (word->start, ==, 4);
  g_assert_cmpuint (word->n_chars, ==, 1);
  word = &g_array_index (words.words, HarkWord, 3);
  g_assert_cmpuint (word->start, ==, 6);
  g_assert_cmpuint (word->n_chars, ==, 2);
}

static void
assert_match (const char *query, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkSearchQuery) parsed = hark_search_query_new (query, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (parsed->match, ==, expected);
}

static void
test_query (void)
{
  static const char *const empty[] = { "", " ", "\"", "\"\"", "-x", "- ?", "*", "-\"a b\"" };
  g_test_summary ("Words, phrases and exclusions become a query; whatever else is typed is text between words.");
  assert_match ("Two words", "(\"two\" AND \"words\")");
  assert_match ("\"a phrase\" rest", "(\"a phrase\" AND \"rest\")");
  assert_match ("yes -no -\"not this\"", "(\"yes\") NOT \"no\" NOT \"not this\"");
  assert_match ("北京 well-known", "(\"北 京\" AND \"well known\")");
  assert_match ("open \"never closed", "(\"open\" AND \"never closed\")");
  assert_match ("a AND (b OR c*) NEAR/2 words:x ^y {z}", "(\"a\" AND \"and\" AND \"b\" AND \"or\" AND \"c\" AND \"near "
                                                         "2\" AND \"words x\" AND \"y\" AND \"z\")");
  assert_match ("it's a-b \\ ' ; --", "(\"it s\" AND \"a b\")");
  for (guint i = 0; i < G_N_ELEMENTS (empty); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (hark_search_query_new (empty[i], &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
    }
}

static void
assert_snippet (const char *query, const char *text, const char *expected)
{
  g_autoptr (HarkSearchQuery) parsed = hark_search_query_new (query, NULL);
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_auto (HarkJsonWriter) json = { 0 };
  g_autofree char *written = NULL;
  gsize len;
  const char *data;
  hark_words_split (&words, text, strlen (text));
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_search_query_write_snippet (parsed, text, strlen (text), &words, &json);
  hark_json_writer_end_object (&json);
  data = hark_json_writer_peek (&json, &len);
  written = g_strndup (data, len);
  g_assert_cmpstr (written, ==, expected);
}

static void
test_snippet (void)
{
  g_autofree char *before = g_strnfill (100, 'x'), *after = g_strnfill (200, 'y'), *all = NULL, *expected = NULL;
  g_test_summary ("A snippet is the text around what was found, which is marked in UTF-16 units.");
  assert_snippet ("ship", "A ship. SHIP!", "{\"snippet\":\"A ship. SHIP!\",\"highlights\":[[2,4],[8,4]]}");
  assert_snippet ("\"two words\"", "🚢 two, words two", "{\"snippet\":\"🚢 two, words two\",\"highlights\":[[3,10]]}");
  assert_snippet ("北京", "我在北京吃饭", "{\"snippet\":\"我在北京吃饭\",\"highlights\":[[2,2]]}");
  all = g_strdup_printf ("%s word %s", before, after);
  expected = g_strdup_printf ("{\"snippet\":\"%.39s word %.115s\",\"highlights\":[[40,4]]}", before, after);
  assert_snippet ("word", all, expected);
}

static void
test_matches (void)
{
  g_autoptr (HarkSearchQuery) query = hark_search_query_new ("ship \"in port\" -storm", NULL);
  static const char *const yes[] = { "ship in port", "In PORT: a ship" };
  static const char *const no[] = { "ship port in", "ships in port", "a ship in port, a storm", "" };
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_test_summary ("A text is compared as the index would.");
  for (guint i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      hark_words_split (&words, yes[i], strlen (yes[i]));
      g_assert_true (hark_search_query_matches (query, &words));
    }
  for (guint i = 0; i < G_N_ELEMENTS (no); i++)
    {
      hark_words_split (&words, no[i], strlen (no[i]));
      g_assert_false (hark_search_query_matches (query, &words));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/split", test_split);
  g_test_add_func ("/words/positions", test_positions);
  g_test_add_func ("/words/query", test_query);
  g_test_add_func ("/words/matches", test_matches);
  g_test_add_func ("/words/snippet", test_snippet);
  return g_test_run ();
}
