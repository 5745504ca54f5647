/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json-slice.h"

#include <string.h>

typedef struct
{
  const char *raw;
  const char *text;
  gsize len;
} Row;

#define ROW(raw, text)                                                                                                 \
  {                                                                                                                    \
    raw, text, sizeof text - 1                                                                                         \
  }

static const Row rows[] = {
  ROW ("", ""),
  ROW ("type", "type"),
  ROW ("t\\u0079pe", "type"),
  ROW ("\\u0074\\u0079\\u0070\\u0065", "type"),
  ROW ("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"),
  ROW ("a\\u0000b", "a\0b"),
  ROW ("\\u00e9\\u07FF\\u0800\\uffff", "\xC3\xA9\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"),
  ROW ("\\ud83d\\ude00", "\xF0\x9F\x98\x80"),
  ROW ("\\udbff\\udfff!", "\xF4\x8F\xBF\xBF!"),
  ROW ("x\xF0\x9F\x98\x80y", "x\xF0\x9F\x98\x80y"),
  ROW ("a long run and \\n in the middle of it", "a long run and \n in the middle of it"),
  ROW ("\\\\u0041", "\\u0041"),
};

static HarkJsonSlice
slice_of (const char *raw)
{
  HarkJsonSlice slice = { raw, strlen (raw) };
  return slice;
}

static void
test_decode (void)
{
  g_test_summary ("a slice decodes to its string, and its length is told beforehand");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      HarkJsonSlice slice = slice_of (rows[i].raw);
      gsize len;
      g_autofree char *text = hark_json_string_dup (slice, &len);
      g_assert_cmpmem (text, len, rows[i].text, rows[i].len);
      g_assert_cmpint (text[len], ==, '\0');
      g_assert_cmpuint (hark_json_slice_get_decoded_len (slice), ==, rows[i].len);
      g_assert_cmpuint (len, <=, slice.len);
    }
}

static void
test_decode_into (void)
{
  g_test_summary ("a buffer of exactly the decoded length is enough, and one byte less is not");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      HarkJsonSlice slice = slice_of (rows[i].raw);
      gsize size = rows[i].len;
      g_autofree char *out = g_malloc (size + 1);
      gsize len = 99;
      g_assert_true (hark_json_slice_decode_into (slice, out, size, &len));
      g_assert_cmpmem (out, len, rows[i].text, rows[i].len);
      len = 99;
      if (size > 0)
        g_assert_false (hark_json_slice_decode_into (slice, out, size - 1, &len));
      if (size > 0)
        g_assert_cmpuint (len, ==, 99);
    }
}

static void
test_nul (void)
{
  g_autofree char *text = NULL;
  g_test_summary ("U+0000 is noticed wherever it is, and keeps a string from becoming a C string");
  g_assert_true (hark_json_slice_has_nul (slice_of ("\\u0000")));
  g_assert_true (hark_json_slice_has_nul (slice_of ("a\\nb\\u0000")));
  g_assert_false (hark_json_slice_has_nul (slice_of ("")));
  g_assert_false (hark_json_slice_has_nul (slice_of ("a\\nb")));
  g_assert_false (hark_json_slice_has_nul (slice_of ("\\\\u0000")));
  g_assert_false (hark_json_slice_has_nul (slice_of ("\\u0001\\u1000")));
  g_assert_null (hark_json_string_dup_c (slice_of ("a\\u0000b")));
  text = hark_json_string_dup_c (slice_of ("a\\u0001b"));
  g_assert_cmpstr (text, ==, "a\001b");
}

static void
test_equal (void)
{
  g_test_summary ("a slice equals a text when it decodes to it, and only then");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      HarkJsonSlice slice = slice_of (rows[i].raw);
      gboolean is_c_string = strlen (rows[i].text) == rows[i].len;
      g_autofree char *longer = g_strconcat (rows[i].text, "x", NULL);
      g_assert_cmpint (hark_json_slice_equal (slice, rows[i].text), ==, is_c_string);
      g_assert_false (hark_json_slice_equal (slice, longer));
    }
  g_assert_false (hark_json_slice_equal (slice_of ("type"), "typ"));
  g_assert_false (hark_json_slice_equal (slice_of ("type"), "Type"));
  g_assert_false (hark_json_slice_equal (slice_of ("a\\n"), "a\\n"));
  g_assert_false (hark_json_slice_equal (slice_of ("a\\u0000"), "a"));
  g_assert_false (hark_json_slice_equal (slice_of ("a"), ""));
}

static void
test_equal_slice (void)
{
  g_test_summary ("two slices are equal, and have one hash, exactly when they decode to the same");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (rows); j++)
        {
          HarkJsonSlice a = slice_of (rows[i].raw);
          HarkJsonSlice b = slice_of (rows[j].raw);
          gboolean same = rows[i].len == rows[j].len && memcmp (rows[i].text, rows[j].text, rows[i].len) == 0;
          guint64 hash_a = hark_json_slice_hash (a, strchr (rows[i].raw, '\\') != NULL);
          guint64 hash_b = hark_json_slice_hash (b, strchr (rows[j].raw, '\\') != NULL);
          g_assert_cmpint (hark_json_slice_equal_slice (a, b), ==, same);
          g_assert_cmpint (hash_a == hash_b, ==, same);
        }
    }
}

static void
test_hash_by_length (void)
{
  g_test_summary ("the hash of a name written with escapes is that of the plain name, at every length");
  for (guint n = 0; n < 40; n++)
    {
      g_autoptr (GString) plain = g_string_new (NULL);
      g_autoptr (GString) escaped = g_string_new (NULL);
      HarkJsonSlice a;
      HarkJsonSlice b;
      for (guint i = 0; i < n; i++)
        {
          g_string_append_c (plain, 'a' + i % 26);
          g_string_append_printf (escaped, i % 3 == 0 ? "\\u%04x" : "%c", 'a' + i % 26);
        }
      a = slice_of (plain->str);
      b = slice_of (escaped->str);
      g_assert_cmphex (hark_json_slice_hash (a, FALSE), ==, hark_json_slice_hash (b, TRUE));
      g_assert_true (hark_json_slice_equal_slice (a, b));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json-slice/decode", test_decode);
  g_test_add_func ("/base/json-slice/decode-into", test_decode_into);
  g_test_add_func ("/base/json-slice/nul", test_nul);
  g_test_add_func ("/base/json-slice/equal", test_equal);
  g_test_add_func ("/base/json-slice/equal-slice", test_equal_slice);
  g_test_add_func ("/base/json-slice/hash-by-length", test_hash_by_length);
  return g_test_run ();
}
