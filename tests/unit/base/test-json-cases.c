/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every text of tests/json-cases as a test of its own, and one message cut behind each of its bytes. Each text is read
 * from a block of exactly its size, so that AddressSanitizer sees a look at the byte behind it.
 */
#include "json-cases.h"
#include "json-copy.h"

#include "base/error.h"
#include "base/json-object.h"
#include "base/utf8.h"

/* clang-format off */
static const char whole[] =
  "{\"type\":\"message\",\"ref\":-12,\"list\":[1,2.5e+3,true,false,null,{\"a\":[]}],"
  "\"message\":\"h\xC3\xA9llo \\u00e9\\ud83d\\ude00\\n\xF0\x9F\x98\x80\"}";
/* clang-format on */

static char *
exact_copy (const char *text, gsize len)
{
  return g_memdup2 (text, MAX (len, 1)); /* g_memdup2 () of nothing is NULL */
}

static gboolean
skip_all (const char *text, gsize len, GError **error)
{
  HarkJsonReader reader;
  HarkJsonSlice raw;
  hark_json_reader_init (&reader, text, len);
  return hark_json_reader_skip_value (&reader, &raw, error) && hark_json_reader_next (&reader, error) == HARK_JSON_END;
}

static void
check_refused (const char *text, gsize len)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  g_autoptr (GError) read_error = NULL;
  g_autoptr (GError) skip_error = NULL;
  g_autoptr (GError) object_error = NULL;
  HarkJsonObject object;
  g_assert_false (json_copy (text, len, &writer, &read_error));
  g_assert_error (read_error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_true (g_str_has_prefix (read_error->message, "Not JSON at byte "));
  g_assert_true (hark_utf8_validate ((const guint8 *)read_error->message, strlen (read_error->message)));
  g_assert_false (skip_all (text, len, &skip_error));
  g_assert_error (skip_error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_cmpstr (skip_error->message, ==, read_error->message);
  g_assert_false (hark_json_object_parse (&object, text, len, &object_error));
  g_assert_error (object_error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_cmpuint (object.n_members, ==, 0);
}

static void
check_accepted (const char *text, gsize len, const char *expected, gsize expected_len)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  g_auto (HarkJsonWriter) again = { 0 };
  g_autoptr (GError) error = NULL;
  HarkJsonObject object;
  const char *written;
  gsize written_len;
  gsize again_len;
  gboolean is_object;
  g_assert_true (json_copy (text, len, &writer, &error));
  g_assert_no_error (error);
  written = hark_json_writer_peek (&writer, &written_len);
  g_assert_cmpmem (written, written_len, expected, expected_len);
  g_assert_true (json_copy (written, written_len, &again, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (hark_json_writer_peek (&again, &again_len), again_len, written, written_len);
  g_assert_true (skip_all (text, len, &error));
  g_assert_no_error (error);
  is_object = written[0] == '{';
  g_assert_cmpint (hark_json_object_parse (&object, text, len, &error), ==, is_object);
  if (!is_object)
    g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

static void
test_case (gconstpointer data)
{
  const JsonCase *c = data;
  gsize len;
  g_autofree char *built = json_case_dup_text (c, &len);
  g_autofree char *text = exact_copy (built, len);
  if (c->name[0] == 'n')
    {
      g_test_summary ("what is not JSON is refused, by whatever way it is read");
      check_refused (text, len);
      return;
    }
  g_test_summary ("JSON is accepted, and what the writer makes of it is the same and accepted again");
  if (c->rewritten != NULL)
    check_accepted (text, len, c->rewritten, c->rewritten_len);
  else
    check_accepted (text, len, text, len);
}

static void
test_cut (gconstpointer data)
{
  gsize len = GPOINTER_TO_SIZE (data);
  g_autofree char *text = exact_copy (whole, len);
  g_test_summary ("a message cut short is refused");
  check_refused (text, len);
}

static void
test_whole (void)
{
  g_autofree char *text = exact_copy (whole, strlen (whole));
  g_autoptr (GError) error = NULL;
  g_test_summary ("the message that the others are cut from is accepted");
  g_assert_true (skip_all (text, strlen (whole), &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < n_json_cases; i++)
    {
      g_autofree char *path = g_strconcat ("/base/json-cases/", json_cases[i].name, NULL);
      g_test_add_data_func (path, &json_cases[i], test_case);
    }
  for (gsize len = 0; len < strlen (whole); len++)
    {
      g_autofree char *path = g_strdup_printf ("/base/json-cases/n_cut_behind_%03" G_GSIZE_FORMAT, len);
      g_test_add_data_func (path, GSIZE_TO_POINTER (len), test_cut);
    }
  g_test_add_func ("/base/json-cases/y_cut_nowhere", test_whole);
  return g_test_run ();
}
