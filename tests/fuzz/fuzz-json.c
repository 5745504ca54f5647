/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the reader accepts, the writer reproduces, and the reader accepts that again, to the same bytes; reading,
 * skipping and indexing agree on what is JSON; and no getter fails without an error that names its field in UTF-8.
 */
#include "json-copy.h"

#include "base/error.h"
#include "base/json-object.h"
#include "base/utf8.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
skip_all (const char *text, gsize len)
{
  HarkJsonReader reader;
  HarkJsonSlice raw;
  hark_json_reader_init (&reader, text, len);
  if (!hark_json_reader_skip_value (&reader, &raw, NULL))
    return FALSE;
  g_assert_true (raw.data >= text && raw.len > 0 && raw.data + raw.len <= text + len);
  return hark_json_reader_next (&reader, NULL) == HARK_JSON_END;
}

static void
check_error (const GError *error)
{
  g_assert_true (error->domain == HARK_ERROR);
  g_assert_true (hark_utf8_validate ((const guint8 *)error->message, strlen (error->message)));
}

/* A getter fails with an error, or not at all. */
static void
check_getter (gboolean ok, GError *error)
{
  g_assert_cmpint (ok, ==, error == NULL);
  if (error != NULL)
    check_error (error);
  g_clear_error (&error);
}

static void
ask_for (const HarkJsonObject *object, const HarkJsonValue *value, const char *name)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *text = NULL;
  HarkJsonSlice slice;
  GError *error = NULL;
  gint64 number;
  gboolean flag;
  gboolean ok;
  g_assert_true (hark_json_object_get (object, name) == value);
  ok = hark_json_object_get_string (object, name, HARK_FIELD_REQUIRED, 16, &text, &error);
  check_getter (ok, g_steal_pointer (&error));
  g_assert_true (text == NULL || (strlen (text) <= 16 && hark_utf8_validate ((guint8 *)text, strlen (text))));
  ok = hark_json_object_get_int (object, name, HARK_FIELD_OPTIONAL, -100, 100, &number, &error);
  check_getter (ok, g_steal_pointer (&error));
  ok = hark_json_object_get_id (object, name, HARK_FIELD_REQUIRED, &number, &error);
  g_assert_true (!ok || number > 0);
  check_getter (ok, g_steal_pointer (&error));
  ok = hark_json_object_get_boolean (object, name, HARK_FIELD_REQUIRED, &flag, &error);
  check_getter (ok, g_steal_pointer (&error));
  ok = hark_json_object_get_ids (object, name, HARK_FIELD_REQUIRED, 2, ids, &error);
  g_assert_cmpuint (ids->len, <=, ok ? 2 : 0);
  check_getter (ok, g_steal_pointer (&error));
  ok = hark_json_object_get_raw (object, name, HARK_FIELD_REQUIRED, &slice, &error);
  g_assert_true (ok && skip_all (slice.data, slice.len));
  check_getter (ok, g_steal_pointer (&error));
}

/* Forwards every member, as the hub does with what it does not know. */
static void
check_object (const HarkJsonObject *object)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  HarkJsonObject again;
  const char *text;
  gsize len;
  hark_json_writer_begin_object (&writer);
  for (guint i = 0; i < hark_json_object_get_n_members (object); i++)
    {
      const HarkJsonValue *value = hark_json_object_get_nth (object, i);
      g_autofree char *name = hark_json_string_dup_c (value->name);
      g_assert_cmpint (name == NULL, ==, hark_json_slice_has_nul (value->name));
      if (name != NULL)
        ask_for (object, value, name);
      hark_json_writer_forward (&writer, value->name, value->raw);
    }
  hark_json_writer_end_object (&writer);
  text = hark_json_writer_peek (&writer, &len);
  g_assert_true (hark_json_object_parse (&again, text, len, NULL));
  g_assert_cmpuint (again.n_members, ==, object->n_members);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data;
  g_auto (HarkJsonWriter) once = { 0 };
  g_auto (HarkJsonWriter) twice = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) object_error = NULL;
  HarkJsonObject object;
  const char *written;
  gsize written_len;
  gsize len;
  gboolean accepted = json_copy (text, size, &once, &error);
  gboolean is_object = hark_json_object_parse (&object, text, size, &object_error);
  g_assert_cmpint (accepted, ==, error == NULL);
  g_assert_cmpint (is_object, ==, object_error == NULL);
  g_assert_cmpint (skip_all (text, size), ==, accepted);
  if (object_error != NULL)
    check_error (object_error);
  if (!accepted)
    {
      check_error (error);
      g_assert_false (is_object);
      return 0;
    }
  g_assert_true (hark_utf8_validate (data, size));
  written = hark_json_writer_peek (&once, &written_len);
  g_assert_true (hark_utf8_validate ((const guint8 *)written, written_len));
  g_assert_true (json_copy (written, written_len, &twice, NULL));
  g_assert_cmpmem (hark_json_writer_peek (&twice, &len), len, written, written_len);
  if (is_object)
    check_object (&object);
  return 0;
}
