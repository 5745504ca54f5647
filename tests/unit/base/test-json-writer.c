/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json-writer.h"

#include "base/json-reader.h"

static void
assert_written (HarkJsonWriter *writer, const char *expected)
{
  gsize len;
  const char *text = hark_json_writer_peek (writer, &len);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (len, ==, strlen (expected));
}

static void
test_message (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  g_test_summary ("members of every kind are written in order, with commas between them");
  hark_json_writer_init (&w, 0);
  hark_json_writer_begin_object (&w);
  hark_json_writer_member_string (&w, "type", "message");
  hark_json_writer_member_id (&w, "message_id", G_GINT64_CONSTANT (7318349394477057));
  hark_json_writer_member_int (&w, "seq", -3);
  hark_json_writer_member_boolean (&w, "more", TRUE);
  hark_json_writer_member_boolean (&w, "reset", FALSE);
  hark_json_writer_member_string (&w, "image", NULL);
  hark_json_writer_member_time (&w, "timestamp", G_GINT64_CONSTANT (1700000000123));
  hark_json_writer_member_raw (&w, "ref", "1.50", 4);
  hark_json_writer_member (&w, "list");
  hark_json_writer_begin_array (&w);
  hark_json_writer_int (&w, 1);
  hark_json_writer_begin_object (&w);
  hark_json_writer_end_object (&w);
  hark_json_writer_begin_array (&w);
  hark_json_writer_end_array (&w);
  hark_json_writer_null (&w);
  hark_json_writer_raw (&w, "[2]", 3);
  hark_json_writer_end_array (&w);
  hark_json_writer_member_string (&w, "last", "");
  hark_json_writer_end_object (&w);
  assert_written (&w,
                  "{\"type\":\"message\",\"message_id\":\"7318349394477057\",\"seq\":-3,\"more\":true,\"reset\":false,"
                  "\"image\":null,\"timestamp\":\"2023-11-14T22:13:20.123Z\",\"ref\":1.50,"
                  "\"list\":[1,{},[],null,[2]],\"last\":\"\"}");
}

static void
test_integers (void)
{
  static const gint64 values[] = { 0, 1, -1, 9, 10, 99, 100, G_MAXINT32, G_MININT32, G_MAXINT64, G_MININT64 };
  g_test_summary ("integers are written to the last one");
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_auto (HarkJsonWriter) w = { 0 };
      g_autofree char *expected
        = g_strdup_printf ("[%" G_GINT64_FORMAT ",\"%" G_GINT64_FORMAT "\"]", values[i], values[i]);
      hark_json_writer_init (&w, 0);
      hark_json_writer_begin_array (&w);
      hark_json_writer_int (&w, values[i]);
      hark_json_writer_id (&w, values[i]);
      hark_json_writer_end_array (&w);
      assert_written (&w, expected);
    }
}

static void
test_escapes (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  g_test_summary ("what JSON requires is escaped, and nothing else");
  hark_json_writer_init (&w, 0);
  hark_json_writer_string (&w, "\"\\/\b\f\n\r\t\001\037\177 \xE2\x80\xA8\xE2\x80\xA9<>&'\xF0\x9F\x98\x80");
  assert_written (&w, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\177 \xE2\x80\xA8\xE2\x80\xA9<>&'\xF0\x9F\x98\x80\"");
}

static void
test_escape_everywhere (void)
{
  g_test_summary ("every byte of ASCII, at every place of a word, is read back as it was");
  for (guint c = 0; c < 0x80; c++)
    {
      for (guint at = 0; at < 20; at++)
        {
          g_auto (HarkJsonWriter) w = { 0 };
          g_autofree char *decoded = NULL;
          HarkJsonReader reader;
          char text[20];
          const char *json;
          gsize len;
          memset (text, 'x', sizeof text);
          text[at] = c;
          hark_json_writer_init (&w, 0);
          hark_json_writer_string_len (&w, text, sizeof text);
          json = hark_json_writer_peek (&w, &len);
          hark_json_reader_init (&reader, json, len);
          g_assert_cmpint (hark_json_reader_next (&reader, NULL), ==, HARK_JSON_STRING);
          decoded = hark_json_string_dup (reader.slice, &len);
          g_assert_cmpmem (decoded, len, text, sizeof text);
          g_assert_cmpint (hark_json_reader_next (&reader, NULL), ==, HARK_JSON_END);
        }
    }
}

static void
test_growth (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  g_autoptr (GString) expected = g_string_new ("[");
  g_autofree char *controls = g_strnfill (3000, '\001');
  g_test_summary ("the buffer grows with what is written, also when every byte becomes six");
  hark_json_writer_init (&w, 10);
  hark_json_writer_begin_array (&w);
  for (guint i = 0; i < 500; i++)
    {
      hark_json_writer_string (&w, "some text");
      g_string_append (expected, "\"some text\",");
    }
  hark_json_writer_string (&w, controls);
  g_string_append_c (expected, '"');
  for (guint i = 0; i < 3000; i++)
    g_string_append (expected, "\\u0001");
  g_string_append (expected, "\"]");
  hark_json_writer_end_array (&w);
  assert_written (&w, expected->str);
}

static void
test_every_size (void)
{
  g_test_summary ("values of every length around the first size of the buffer are whole");
  for (gsize n = 480; n < 530; n++)
    {
      g_auto (HarkJsonWriter) w = { 0 };
      g_autofree char *text = g_strnfill (n, 'y');
      g_autofree char *escaped = g_strconcat (text, "\001", NULL);
      g_autofree char *expected = g_strdup_printf ("[\"%s\",0,\"1\",{}]", text);
      g_autofree char *expected_escaped = g_strdup_printf ("\"%s\\u0001\"", text);
      hark_json_writer_init (&w, 0);
      hark_json_writer_begin_array (&w);
      hark_json_writer_string (&w, text);
      hark_json_writer_int (&w, 0);
      hark_json_writer_id (&w, 1);
      hark_json_writer_begin_object (&w);
      hark_json_writer_end_object (&w);
      hark_json_writer_end_array (&w);
      assert_written (&w, expected);
      hark_json_writer_clear (&w);
      hark_json_writer_string (&w, escaped);
      assert_written (&w, expected_escaped);
    }
}

static void
test_headroom (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  g_autofree char *stolen = NULL;
  char *text;
  gsize len;
  g_test_summary ("the room in front is the caller's, also after the buffer was stolen");
  hark_json_writer_init (&w, 4);
  for (guint i = 0; i < 2; i++)
    {
      g_free (stolen);
      hark_json_writer_string (&w, "abc");
      text = hark_json_writer_peek (&w, &len);
      g_assert_cmpuint (len, ==, 5);
      memcpy (text - 4, "HEAD", 4);
      stolen = hark_json_writer_steal (&w, &len);
      g_assert_cmpuint (len, ==, 5);
      g_assert_cmpstr (stolen, ==, "HEAD\"abc\"");
    }
}

static void
test_reset (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  g_test_summary ("after a reset, even in the middle, a new text begins");
  hark_json_writer_init (&w, 2);
  assert_written (&w, "");
  hark_json_writer_begin_object (&w);
  hark_json_writer_member (&w, "a");
  hark_json_writer_reset (&w);
  hark_json_writer_begin_array (&w);
  hark_json_writer_int (&w, 1);
  hark_json_writer_end_array (&w);
  assert_written (&w, "[1]");
  hark_json_writer_clear (&w);
  hark_json_writer_boolean (&w, TRUE);
  assert_written (&w, "true");
}

static void
test_forward (void)
{
  static const char text[] = "{\"n\\u0061me\":{\"x\": 1e400}}";
  g_auto (HarkJsonWriter) w = { 0 };
  HarkJsonReader reader;
  HarkJsonSlice name;
  HarkJsonSlice raw;
  g_test_summary ("a member is forwarded byte for byte");
  hark_json_reader_init (&reader, text, strlen (text));
  hark_json_reader_next (&reader, NULL);
  hark_json_reader_next (&reader, NULL);
  name = reader.slice;
  g_assert_true (hark_json_reader_skip_value (&reader, &raw, NULL));
  hark_json_writer_init (&w, 0);
  hark_json_writer_begin_object (&w);
  hark_json_writer_forward (&w, name, raw);
  hark_json_writer_member_int (&w, "sender", 1);
  hark_json_writer_end_object (&w);
  assert_written (&w, "{\"n\\u0061me\":{\"x\": 1e400},\"sender\":1}");
}

static void
misuse_close_wrongly (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_begin_object (&w);
  hark_json_writer_end_array (&w);
}

static void
misuse_value_without_name (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_begin_object (&w);
  hark_json_writer_int (&w, 1);
}

static void
misuse_name_without_value (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_begin_object (&w);
  hark_json_writer_member (&w, "a");
  hark_json_writer_end_object (&w);
}

static void
misuse_name_in_array (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_begin_array (&w);
  hark_json_writer_member (&w, "a");
}

static void
misuse_two_values (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_int (&w, 1);
  hark_json_writer_int (&w, 2);
}

static void
misuse_not_closed (void)
{
  g_auto (HarkJsonWriter) w = { 0 };
  hark_json_writer_begin_array (&w);
  hark_json_writer_peek (&w, NULL);
}

static void
test_misuse (gconstpointer data)
{
  void (*const misuse) (void) = *(void (*const *) (void))data;
  g_test_summary ("a call out of place ends the program instead of writing what is not JSON");
  if (g_test_subprocess ())
    {
      misuse ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*assertion failed*");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    void (*func) (void);
    const char *path;
  } misuses[] = {
    { misuse_close_wrongly, "/base/json-writer/misuse/close-wrongly" },
    { misuse_value_without_name, "/base/json-writer/misuse/value-without-name" },
    { misuse_name_without_value, "/base/json-writer/misuse/name-without-value" },
    { misuse_name_in_array, "/base/json-writer/misuse/name-in-array" },
    { misuse_two_values, "/base/json-writer/misuse/two-values" },
    { misuse_not_closed, "/base/json-writer/misuse/not-closed" },
  };
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json-writer/message", test_message);
  g_test_add_func ("/base/json-writer/integers", test_integers);
  g_test_add_func ("/base/json-writer/escapes", test_escapes);
  g_test_add_func ("/base/json-writer/escape-everywhere", test_escape_everywhere);
  g_test_add_func ("/base/json-writer/growth", test_growth);
  g_test_add_func ("/base/json-writer/every-size", test_every_size);
  g_test_add_func ("/base/json-writer/headroom", test_headroom);
  g_test_add_func ("/base/json-writer/reset", test_reset);
  g_test_add_func ("/base/json-writer/forward", test_forward);
  for (guint i = 0; i < G_N_ELEMENTS (misuses); i++)
    g_test_add_data_func (misuses[i].path, &misuses[i].func, test_misuse);
  return g_test_run ();
}
