/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json-reader.h"

#include <string.h>

static void
assert_slice (HarkJsonSlice slice, const char *expected)
{
  g_assert_cmpmem (slice.data, slice.len, expected, strlen (expected));
}

static void
test_tokens (void)
{
  static const char text[] = " {\"a\\n\": [1, -2.50, \"x\\ty\", true, false, null], \"b\":{}} ";
  static const struct
  {
    HarkJsonToken token;
    const char *slice;
    guint depth;
  } expected[] = {
    { HARK_JSON_BEGIN_OBJECT, "{", 1 }, { HARK_JSON_NAME, "a\\n", 1 },    { HARK_JSON_BEGIN_ARRAY, "[", 2 },
    { HARK_JSON_INTEGER, "1", 2 },      { HARK_JSON_NUMBER, "-2.50", 2 }, { HARK_JSON_STRING, "x\\ty", 2 },
    { HARK_JSON_TRUE, "true", 2 },      { HARK_JSON_FALSE, "false", 2 },  { HARK_JSON_NULL, "null", 2 },
    { HARK_JSON_END_ARRAY, "]", 1 },    { HARK_JSON_NAME, "b", 1 },       { HARK_JSON_BEGIN_OBJECT, "{", 2 },
    { HARK_JSON_END_OBJECT, "}", 1 },   { HARK_JSON_END_OBJECT, "}", 0 }, { HARK_JSON_END, "", 0 },
    { HARK_JSON_END, "", 0 },
  };
  HarkJsonReader reader;
  g_test_summary ("the tokens come in order, each with its bytes, and the end stays the end");
  hark_json_reader_init (&reader, text, strlen (text));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, expected[i].token);
      g_assert_no_error (error);
      g_assert_cmpint (reader.token, ==, expected[i].token);
      assert_slice (reader.slice, expected[i].slice);
      g_assert_cmpuint (hark_json_reader_get_depth (&reader), ==, expected[i].depth);
      if (expected[i].token == HARK_JSON_NAME || expected[i].token == HARK_JSON_STRING)
        g_assert_cmpint (reader.escaped, ==, strchr (expected[i].slice, '\\') != NULL);
    }
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *text;
    HarkJsonToken token;
    gint64 value;
  } rows[] = {
    { "0", HARK_JSON_INTEGER, 0 },
    { "7", HARK_JSON_INTEGER, 7 },
    { "-1", HARK_JSON_INTEGER, -1 },
    { "1700000000000", HARK_JSON_INTEGER, G_GINT64_CONSTANT (1700000000000) },
    { "999999999999999999", HARK_JSON_INTEGER, G_GINT64_CONSTANT (999999999999999999) },
    { "9223372036854775807", HARK_JSON_INTEGER, G_MAXINT64 },
    { "-9223372036854775807", HARK_JSON_INTEGER, -G_MAXINT64 },
    { "-9223372036854775808", HARK_JSON_INTEGER, G_MININT64 },
    { "9223372036854775808", HARK_JSON_NUMBER, 0 },
    { "-9223372036854775809", HARK_JSON_NUMBER, 0 },
    { "9999999999999999999", HARK_JSON_NUMBER, 0 },
    { "18446744073709551616", HARK_JSON_NUMBER, 0 },
    { "18446744073709551617", HARK_JSON_NUMBER, 0 },
    { "123456789012345678901234567890", HARK_JSON_NUMBER, 0 },
    { "-0", HARK_JSON_NUMBER, 0 },
    { "1.0", HARK_JSON_NUMBER, 0 },
    { "1.10", HARK_JSON_NUMBER, 0 },
    { "1e2", HARK_JSON_NUMBER, 0 },
    { "1e400", HARK_JSON_NUMBER, 0 },
    { "-0.0", HARK_JSON_NUMBER, 0 },
  };
  g_test_summary ("an integer that fits has its value, and any other number its text");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      HarkJsonReader reader;
      hark_json_reader_init (&reader, rows[i].text, strlen (rows[i].text));
      g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, rows[i].token);
      g_assert_no_error (error);
      assert_slice (reader.slice, rows[i].text);
      if (rows[i].token == HARK_JSON_INTEGER)
        g_assert_cmpint (reader.integer, ==, rows[i].value);
      g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_END);
    }
}

static void
test_errors (void)
{
  static const struct
  {
    const char *text;
    gsize offset;
    const char *what;
  } rows[] = {
    { "", 0, "the text ends too early" },
    { "  ", 2, "the text ends too early" },
    { "{\"a\":", 5, "the text ends too early" },
    { "[1,", 3, "the text ends too early" },
    { "\"abc", 4, "the text ends too early" },
    { "\xEF\xBB\xBF{}", 0, "expected a value" },
    { "[1,]", 3, "expected a value" },
    { "{\"a\":1,}", 7, "expected the name of a member in quotes" },
    { "{a:1}", 1, "expected the name of a member in quotes" },
    { "{\"a\" 1}", 5, "expected a colon behind the name of a member" },
    { "{\"a\":1 \"b\":2}", 7, "expected a comma or }" },
    { "[1 2]", 3, "expected a comma or ]" },
    { "[1}", 2, "expected a comma or ]" },
    { "{} x", 3, "expected the end of the text" },
    { "[01]", 1, "a number has no leading zero" },
    { "[-]", 2, "expected a digit" },
    { "[1.]", 3, "expected a digit behind the point" },
    { "[1e+]", 4, "expected a digit in the exponent" },
    { "[trux]", 4, "expected true, false or null" },
    { "[\"a\nb\"]", 3, "a control character must be escaped" },
    { "[\"\\x\"]", 2, "no such escape" },
    { "[\"\\u12g4\"]", 2, "\\u takes four hexadecimal digits" },
    { "[\"a\\ud800\"]", 3, "half of a surrogate pair" },
    { "[\"a\\udc00\"]", 3, "half of a surrogate pair" },
    { "[\"ab\xC3\xA9\xED\xA0\x80\"]", 6, "not UTF-8" },
  };
  g_test_summary ("an error says at which byte, and what was wrong there");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *expected
        = g_strdup_printf ("Not JSON at byte %" G_GSIZE_FORMAT ": %s", rows[i].offset, rows[i].what);
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) again = NULL;
      HarkJsonReader reader;
      hark_json_reader_init (&reader, rows[i].text, strlen (rows[i].text));
      while (hark_json_reader_next (&reader, &error) > HARK_JSON_END)
        g_assert_no_error (error);
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_assert_cmpstr (error->message, ==, expected);
      g_assert_cmpuint (hark_json_reader_get_offset (&reader), ==, rows[i].offset);
      g_assert_cmpint (hark_json_reader_next (&reader, &again), ==, HARK_JSON_ERROR);
      g_assert_cmpstr (again->message, ==, expected);
      g_assert_false (hark_json_reader_skip_value (&reader, NULL, NULL));
    }
}

static void
test_depth (void)
{
  char text[2 * HARK_JSON_MAX_DEPTH + 2];
  g_autoptr (GError) error = NULL;
  HarkJsonReader reader;
  g_test_summary ("the deepest level allowed is read, and the next one says so");
  memset (text, '[', sizeof text);
  hark_json_reader_init (&reader, text, sizeof text);
  for (guint i = 0; i < HARK_JSON_MAX_DEPTH; i++)
    g_assert_cmpint (hark_json_reader_next (&reader, NULL), ==, HARK_JSON_BEGIN_ARRAY);
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_ERROR);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_cmpstr (error->message, ==, "Not JSON at byte 64: nested deeper than 64 levels");
}

static void
test_skip (void)
{
  static const char text[] = "{\"a\": [1, {\"x\": [\"]\"]}] , \"b\":\"q\\\"\", \"c\" : 1.50 ,\"d\":{},\"e\":null}";
  static const char *const values[] = { "[1, {\"x\": [\"]\"]}]", "\"q\\\"\"", "1.50", "{}", "null" };
  g_autoptr (GError) error = NULL;
  HarkJsonReader reader;
  HarkJsonSlice raw;
  g_test_summary ("skipping a value gives its bytes and leaves the reader behind it");
  hark_json_reader_init (&reader, text, strlen (text));
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_BEGIN_OBJECT);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_NAME);
      if (i % 2 == 0) /* from the name, or from the value's own first token: both will do */
        hark_json_reader_next (&reader, &error);
      g_assert_true (hark_json_reader_skip_value (&reader, &raw, &error));
      g_assert_no_error (error);
      assert_slice (raw, values[i]);
    }
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_END_OBJECT);
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_END);
}

static void
test_skip_whole (void)
{
  static const char text[] = "  [1,[2]]  ";
  g_autoptr (GError) error = NULL;
  HarkJsonReader reader;
  HarkJsonSlice raw;
  g_test_summary ("skipping before anything was read skips the whole value");
  hark_json_reader_init (&reader, text, strlen (text));
  g_assert_true (hark_json_reader_skip_value (&reader, &raw, &error));
  g_assert_no_error (error);
  assert_slice (raw, "[1,[2]]");
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_END);
}

static void
test_skip_checks (void)
{
  static const char text[] = "{\"a\":[\"\\ud800\"]}";
  g_autoptr (GError) error = NULL;
  HarkJsonReader reader;
  g_test_summary ("what is skipped is checked all the same");
  hark_json_reader_init (&reader, text, strlen (text));
  hark_json_reader_next (&reader, NULL);
  hark_json_reader_next (&reader, NULL);
  g_assert_false (hark_json_reader_skip_value (&reader, NULL, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

static void
test_nothing (void)
{
  g_autoptr (GError) error = NULL;
  HarkJsonReader reader;
  g_test_summary ("an empty message may have no bytes at all");
  hark_json_reader_init (&reader, NULL, 0);
  g_assert_cmpint (hark_json_reader_next (&reader, &error), ==, HARK_JSON_ERROR);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json-reader/tokens", test_tokens);
  g_test_add_func ("/base/json-reader/numbers", test_numbers);
  g_test_add_func ("/base/json-reader/errors", test_errors);
  g_test_add_func ("/base/json-reader/depth", test_depth);
  g_test_add_func ("/base/json-reader/skip", test_skip);
  g_test_add_func ("/base/json-reader/skip-whole", test_skip_whole);
  g_test_add_func ("/base/json-reader/skip-checks", test_skip_checks);
  g_test_add_func ("/base/json-reader/nothing", test_nothing);
  return g_test_run ();
}
