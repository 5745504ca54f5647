/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/json-object.h"

#include <string.h>

#define UNTOUCHED G_GINT64_CONSTANT (-777)

static void
parse (HarkJsonObject *object, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (hark_json_object_parse (object, text, strlen (text), &error));
  g_assert_no_error (error);
}

static void
assert_slice (HarkJsonSlice slice, const char *expected)
{
  g_assert_cmpmem (slice.data, slice.len, expected, strlen (expected));
}

static void
assert_refused (const char *text, HarkError code, const char *message)
{
  g_autoptr (GError) error = NULL;
  HarkJsonObject object;
  g_assert_false (hark_json_object_parse (&object, text, strlen (text), &error));
  g_assert_error (error, HARK_ERROR, (int)code);
  g_assert_cmpstr (error->message, ==, message);
  g_assert_cmpuint (hark_json_object_get_n_members (&object), ==, 0);
  g_assert_null (hark_json_object_get (&object, "a"));
}

static void
test_members (void)
{
  static const struct
  {
    const char *name;
    const char *raw;
    HarkJsonToken token;
  } expected[] = {
    { "type", "\"message\"", HARK_JSON_STRING },
    { "n", "-12", HARK_JSON_INTEGER },
    { "x", "1.50", HARK_JSON_NUMBER },
    { "t", "true", HARK_JSON_TRUE },
    { "f", "false", HARK_JSON_FALSE },
    { "z", "null", HARK_JSON_NULL },
    { "o", "{ \"a\": [1] }", HARK_JSON_BEGIN_OBJECT },
    { "l", "[1, 2]", HARK_JSON_BEGIN_ARRAY },
    { "", "\"\"", HARK_JSON_STRING },
  };
  HarkJsonObject object;
  g_test_summary ("members keep their order, kinds and bytes, and are found by name");
  parse (&object, " { \"type\" : \"message\" , \"n\":-12,\"x\":1.50,\"t\":true,\"f\":false,\"z\":null,"
                  "\"o\":{ \"a\": [1] },\"l\":[1, 2],\"\":\"\"} ");
  g_assert_cmpuint (hark_json_object_get_n_members (&object), ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      const HarkJsonValue *value = hark_json_object_get_nth (&object, i);
      g_autofree char *copy = NULL;
      gsize len;
      assert_slice (value->name, expected[i].name);
      assert_slice (value->raw, expected[i].raw);
      g_assert_cmpint (value->token, ==, expected[i].token);
      g_assert_true (hark_json_object_get (&object, expected[i].name) == value);
      copy = hark_json_value_copy_raw (value, &len);
      g_assert_cmpstr (copy, ==, expected[i].raw);
      g_assert_cmpuint (len, ==, strlen (expected[i].raw));
    }
  g_assert_cmpint (hark_json_object_get (&object, "n")->integer, ==, -12);
  assert_slice (hark_json_value_get_text (hark_json_object_get (&object, "type")), "message");
  g_assert_null (hark_json_object_get (&object, "a"));
  g_assert_null (hark_json_object_get (&object, "typ"));
}

static void
test_escaped_names (void)
{
  HarkJsonObject object;
  g_test_summary ("a name written with escapes is found by what it says");
  parse (&object, "{\"t\\u0079pe\":1,\"a\\nb\":2,\"\\ud83d\\ude00\":3}");
  g_assert_cmpint (hark_json_object_get (&object, "type")->integer, ==, 1);
  g_assert_cmpint (hark_json_object_get (&object, "a\nb")->integer, ==, 2);
  g_assert_cmpint (hark_json_object_get (&object, "\xF0\x9F\x98\x80")->integer, ==, 3);
  g_assert_null (hark_json_object_get (&object, "t\\u0079pe"));
}

static void
test_not_an_object (void)
{
  static const char *const texts[] = { "[]", "[{}]", "1", "\"{}\"", "null", "true" };
  g_test_summary ("a message that is JSON, but not an object, is refused");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_refused (texts[i], HARK_ERROR_BAD_REQUEST, "A message is one JSON object");
  assert_refused ("", HARK_ERROR_BAD_REQUEST, "Not JSON at byte 0: the text ends too early");
  assert_refused ("{} {}", HARK_ERROR_BAD_REQUEST, "Not JSON at byte 3: expected the end of the text");
  assert_refused ("{\"a\":[1,{\"b\":tru}]}", HARK_ERROR_BAD_REQUEST,
                  "Not JSON at byte 16: expected true, false or null");
}

static void
test_duplicates (void)
{
  g_test_summary ("a member that is there twice is refused and named, also when one is written with escapes");
  assert_refused ("{\"a\":1,\"a\":1}", HARK_ERROR_BAD_REQUEST, "\"a\" is there twice");
  assert_refused ("{\"type\":1,\"b\":2,\"t\\u0079pe\":3}", HARK_ERROR_BAD_REQUEST, "\"t\\u0079pe\" is there twice");
  assert_refused ("{\"t\\u0079pe\":1,\"type\":3}", HARK_ERROR_BAD_REQUEST, "\"type\" is there twice");
  assert_refused ("{\"\\u0061\":1,\"\\u0061\":3}", HARK_ERROR_BAD_REQUEST, "\"\\u0061\" is there twice");
  assert_refused ("{\"\":1,\"\":3}", HARK_ERROR_BAD_REQUEST, "\"\" is there twice");
  assert_refused ("{\"longer than a word\":1,\"x\":{},\"longer than a word\":[]}", HARK_ERROR_BAD_REQUEST,
                  "\"longer than a word\" is there twice");
}

static char *
build_members (guint n, const char *last)
{
  GString *text = g_string_new ("{");
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\"m%u\":%u", i > 0 ? "," : "", i, i);
  g_string_append (text, last);
  return g_string_free (g_string_append_c (text, '}'), FALSE);
}

static void
test_bound (void)
{
  g_autofree char *most = build_members (HARK_JSON_MAX_MEMBERS, "");
  g_autofree char *more = build_members (HARK_JSON_MAX_MEMBERS, ",\"one_more\":1");
  g_autofree char *twice = build_members (HARK_JSON_MAX_MEMBERS - 1, ",\"m17\":1");
  HarkJsonObject object;
  g_test_summary ("as many members as allowed are read, each found; one more is named in the error");
  parse (&object, most);
  for (guint i = 0; i < HARK_JSON_MAX_MEMBERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("m%u", i);
      g_assert_cmpint (hark_json_object_get (&object, name)->integer, ==, i);
    }
  assert_refused (more, HARK_ERROR_TOO_LARGE, "\"one_more\" is one member more than the 64 of a message");
  assert_refused (twice, HARK_ERROR_BAD_REQUEST, "\"m17\" is there twice");
}

static void
test_shown_names (void)
{
  g_autofree char *name = g_strnfill (61, 'n');
  g_autofree char *text = g_strdup_printf ("{\"%s\xF0\x9F\x98\x80zzz\":1,\"%s\xF0\x9F\x98\x80zzz\":2}", name, name);
  g_autofree char *message = g_strdup_printf ("\"%s\" is there twice", name);
  g_test_summary ("a long name is told back in part, and never cut inside a character");
  assert_refused (text, HARK_ERROR_BAD_REQUEST, message);
}

static void
test_depth (void)
{
  g_autofree char *open = g_strnfill (HARK_JSON_MAX_DEPTH - 1, '[');
  g_autofree char *close = g_strnfill (HARK_JSON_MAX_DEPTH - 1, ']');
  g_autofree char *most = g_strdup_printf ("{\"a\":%s%s}", open, close);
  g_autofree char *more = g_strdup_printf ("{\"a\":[%s%s]}", open, close);
  HarkJsonObject object;
  g_test_summary ("a value may be nested as deep as allowed, the message itself counted");
  parse (&object, most);
  assert_refused (more, HARK_ERROR_BAD_REQUEST, "Not JSON at byte 68: nested deeper than 64 levels");
}

/* Whether a getter's failure is the expected one. */
static void
assert_failed (gboolean ok, GError *error, HarkError code, const char *message)
{
  g_autoptr (GError) owned = error;
  g_assert_false (ok);
  g_assert_error (owned, HARK_ERROR, (int)code);
  g_assert_cmpstr (owned->message, ==, message);
}

static void
test_string (void)
{
  HarkJsonObject object;
  g_autofree char *out = NULL;
  HarkJsonSlice text = { NULL, 0 };
  GError *error = NULL;
  gboolean ok;
  g_test_summary ("a string is given within its bound, and errors name the field");
  parse (&object, "{\"name\":\"\\u00e9\\u00e9\\n\",\"zero\":\"a\\u0000b\",\"n\":1,\"nil\":null,\"empty\":\"\"}");
  g_assert_true (hark_json_object_get_string (&object, "name", HARK_FIELD_REQUIRED, 5, &out, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (out, ==, "\xC3\xA9\xC3\xA9\n");
  g_clear_pointer (&out, g_free);
  g_assert_true (hark_json_object_get_string (&object, "empty", HARK_FIELD_REQUIRED, 0, &out, &error));
  g_assert_cmpstr (out, ==, "");
  g_clear_pointer (&out, g_free);
  ok = hark_json_object_get_string (&object, "name", HARK_FIELD_REQUIRED, 4, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_TOO_LARGE, "\"name\" is longer than 4 bytes");
  ok = hark_json_object_get_string (&object, "zero", HARK_FIELD_REQUIRED, 9, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"zero\" must be a string without U+0000");
  ok = hark_json_object_get_string (&object, "n", HARK_FIELD_OPTIONAL, 9, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"n\" must be a string");
  ok = hark_json_object_get_string (&object, "channel", HARK_FIELD_REQUIRED, 9, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"channel\" is required");
  ok = hark_json_object_get_string (&object, "nil", HARK_FIELD_REQUIRED, 9, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"nil\" is required");
  g_assert_true (hark_json_object_get_string (&object, "nil", HARK_FIELD_OPTIONAL, 9, &out, &error));
  g_assert_true (hark_json_object_get_string (&object, "none", HARK_FIELD_OPTIONAL, 9, &out, &error));
  g_assert_null (out);
  g_assert_true (hark_json_object_get_text (&object, "zero", HARK_FIELD_REQUIRED, &text, &error));
  assert_slice (text, "a\\u0000b");
}

static void
test_int (void)
{
  HarkJsonObject object;
  gint64 out = UNTOUCHED;
  GError *error = NULL;
  gboolean ok;
  static const char *const wrong[] = { "zero", "over", "text", "real", "exponent", "big", "negative_zero" };
  g_test_summary ("an integer is given within its range, and errors name the field and the range");
  parse (&object, "{\"limit\":100,\"least\":1,\"zero\":0,\"over\":101,\"text\":\"5\",\"real\":5.0,\"exponent\":1e1,"
                  "\"big\":99999999999999999999,\"negative_zero\":-0,\"nil\":null}");
  g_assert_true (hark_json_object_get_int (&object, "limit", HARK_FIELD_REQUIRED, 1, 100, &out, &error));
  g_assert_cmpint (out, ==, 100);
  g_assert_true (hark_json_object_get_int (&object, "least", HARK_FIELD_OPTIONAL, 1, 100, &out, &error));
  g_assert_cmpint (out, ==, 1);
  out = UNTOUCHED;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *message = g_strdup_printf ("\"%s\" must be an integer from 1 to 100", wrong[i]);
      ok = hark_json_object_get_int (&object, wrong[i], HARK_FIELD_OPTIONAL, 1, 100, &out, &error);
      assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, message);
    }
  g_assert_true (hark_json_object_get_int (&object, "nil", HARK_FIELD_OPTIONAL, 1, 100, &out, &error));
  g_assert_cmpint (out, ==, UNTOUCHED);
  ok = hark_json_object_get_int (&object, "none", HARK_FIELD_REQUIRED, 1, 100, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"none\" is required");
}

static void
test_boolean (void)
{
  HarkJsonObject object;
  gboolean out = -1;
  gboolean ok;
  GError *error = NULL;
  g_test_summary ("a boolean is true or false and nothing else");
  parse (&object, "{\"yes\":true,\"no\":false,\"one\":1,\"text\":\"true\"}");
  g_assert_true (hark_json_object_get_boolean (&object, "none", HARK_FIELD_OPTIONAL, &out, &error));
  g_assert_cmpint (out, ==, -1);
  g_assert_true (hark_json_object_get_boolean (&object, "yes", HARK_FIELD_REQUIRED, &out, &error));
  g_assert_cmpint (out, ==, TRUE);
  g_assert_true (hark_json_object_get_boolean (&object, "no", HARK_FIELD_REQUIRED, &out, &error));
  g_assert_cmpint (out, ==, FALSE);
  ok = hark_json_object_get_boolean (&object, "one", HARK_FIELD_REQUIRED, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"one\" must be true or false");
  ok = hark_json_object_get_boolean (&object, "text", HARK_FIELD_REQUIRED, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"text\" must be true or false");
}

static void
test_id (void)
{
  HarkJsonObject object;
  gint64 out = UNTOUCHED;
  GError *error = NULL;
  static const char *const wrong[]
    = { "zero", "negative", "empty", "word", "sign", "leading", "long", "space", "real", "array", "nul", "escapes" };
  g_test_summary ("an id is a string of digits or a positive integer");
  parse (&object,
         "{\"text\":\"7318349394477057\",\"number\":7318349394477057,\"escaped\":\"\\u0034\\u0032\",\"zero\":0,"
         "\"negative\":-1,\"empty\":\"\",\"word\":\"general\",\"sign\":\"+1\",\"leading\":\"01\","
         "\"long\":\"12345678901234567\",\"space\":\" 1\",\"real\":1.0,\"array\":[1],\"nul\":\"1\\u0000\","
         "\"escapes\":\"\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031"
         "\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\\u0031\"}");
  g_assert_true (hark_json_object_get_id (&object, "text", HARK_FIELD_REQUIRED, &out, &error));
  g_assert_cmpint (out, ==, G_GINT64_CONSTANT (7318349394477057));
  out = UNTOUCHED;
  g_assert_true (hark_json_object_get_id (&object, "number", HARK_FIELD_REQUIRED, &out, &error));
  g_assert_cmpint (out, ==, G_GINT64_CONSTANT (7318349394477057));
  g_assert_true (hark_json_object_get_id (&object, "escaped", HARK_FIELD_REQUIRED, &out, &error));
  g_assert_cmpint (out, ==, 42);
  out = UNTOUCHED;
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *message = g_strdup_printf ("\"%s\" must be an id, a string of digits", wrong[i]);
      gboolean ok = hark_json_object_get_id (&object, wrong[i], HARK_FIELD_REQUIRED, &out, &error);
      assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, message);
    }
  g_assert_true (hark_json_object_get_id (&object, "none", HARK_FIELD_OPTIONAL, &out, &error));
  g_assert_cmpint (out, ==, UNTOUCHED);
}

static void
test_ids (void)
{
  HarkJsonObject object;
  g_autoptr (GArray) out = g_array_new (FALSE, FALSE, sizeof (gint64));
  GError *error = NULL;
  gboolean ok;
  static const char *const wrong[] = { "words", "nested", "null_in", "object" };
  g_test_summary ("an array of ids has a bound, and a failure leaves nothing behind");
  parse (&object, "{\"servers\":[\"1\", 2 ,\"3\"],\"none\":[],\"one\":\"1\",\"words\":[1,\"x\"],\"nested\":[1,[2]],"
                  "\"null_in\":[null],\"object\":[{\"a\":1}]}");
  g_assert_true (hark_json_object_get_ids (&object, "servers", HARK_FIELD_REQUIRED, 3, out, &error));
  g_assert_cmpuint (out->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (g_array_index (out, gint64, i), ==, i + 1);
  g_assert_true (hark_json_object_get_ids (&object, "none", HARK_FIELD_REQUIRED, 0, out, &error));
  g_assert_true (hark_json_object_get_ids (&object, "absent", HARK_FIELD_OPTIONAL, 3, out, &error));
  ok = hark_json_object_get_ids (&object, "servers", HARK_FIELD_REQUIRED, 2, out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_TOO_LARGE, "\"servers\" has more than 2 ids");
  ok = hark_json_object_get_ids (&object, "one", HARK_FIELD_REQUIRED, 2, out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"one\" must be an array of ids");
  ok = hark_json_object_get_ids (&object, "absent", HARK_FIELD_REQUIRED, 2, out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"absent\" is required");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autofree char *message = g_strdup_printf ("\"%s\" must be an array of ids, strings of digits", wrong[i]);
      ok = hark_json_object_get_ids (&object, wrong[i], HARK_FIELD_REQUIRED, 9, out, &error);
      assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, message);
    }
  g_assert_cmpuint (out->len, ==, 3);
}

static void
test_raw (void)
{
  HarkJsonObject object;
  HarkJsonSlice out = { NULL, 0 };
  GError *error = NULL;
  gboolean ok;
  g_test_summary ("raw values are the bytes that were sent, null among them");
  parse (&object, "{\"data\": {\"x\" : 1.10} ,\"list\":[ ],\"nil\":null}");
  g_assert_true (hark_json_object_get_raw (&object, "none", HARK_FIELD_OPTIONAL, &out, &error));
  g_assert_true (hark_json_object_get_raw_object (&object, "nil", HARK_FIELD_OPTIONAL, &out, &error));
  g_assert_null (out.data);
  g_assert_true (hark_json_object_get_raw (&object, "data", HARK_FIELD_REQUIRED, &out, &error));
  assert_slice (out, "{\"x\" : 1.10}");
  g_assert_true (hark_json_object_get_raw (&object, "nil", HARK_FIELD_REQUIRED, &out, &error));
  assert_slice (out, "null");
  g_assert_true (hark_json_object_get_raw_object (&object, "data", HARK_FIELD_REQUIRED, &out, &error));
  assert_slice (out, "{\"x\" : 1.10}");
  g_assert_true (hark_json_object_get_raw_array (&object, "list", HARK_FIELD_REQUIRED, &out, &error));
  assert_slice (out, "[ ]");
  ok = hark_json_object_get_raw (&object, "none", HARK_FIELD_REQUIRED, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"none\" is required");
  ok = hark_json_object_get_raw_object (&object, "list", HARK_FIELD_REQUIRED, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"list\" must be an object");
  ok = hark_json_object_get_raw_array (&object, "data", HARK_FIELD_OPTIONAL, &out, &error);
  assert_failed (ok, g_steal_pointer (&error), HARK_ERROR_BAD_REQUEST, "\"data\" must be an array");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json-object/members", test_members);
  g_test_add_func ("/base/json-object/escaped-names", test_escaped_names);
  g_test_add_func ("/base/json-object/not-an-object", test_not_an_object);
  g_test_add_func ("/base/json-object/duplicates", test_duplicates);
  g_test_add_func ("/base/json-object/bound", test_bound);
  g_test_add_func ("/base/json-object/shown-names", test_shown_names);
  g_test_add_func ("/base/json-object/depth", test_depth);
  g_test_add_func ("/base/json-object/string", test_string);
  g_test_add_func ("/base/json-object/int", test_int);
  g_test_add_func ("/base/json-object/boolean", test_boolean);
  g_test_add_func ("/base/json-object/id", test_id);
  g_test_add_func ("/base/json-object/ids", test_ids);
  g_test_add_func ("/base/json-object/raw", test_raw);
  return g_test_run ();
}
