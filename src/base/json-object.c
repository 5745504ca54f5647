/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message as the wire codecs read it: first all of it is checked and its members noted, then each field is asked
 * for by name with what it must be, and an error names the field. What nobody asks for costs no more than the check.
 */
#include "base/json-object.h"

#include "base/error.h"
#include "base/ids.h"

#include <string.h>

/* How much of a name that a client made up is told back to it. */
#define SHOWN_BYTES 64

/* Bytes of @slice to show: valid UTF-8, since no character is cut, and without control characters, since escaped. */
static int
shown_len (HarkJsonSlice slice)
{
  gsize n = MIN (slice.len, SHOWN_BYTES);
  while (n > 0 && n < slice.len && ((guchar)slice.data[n] & 0xC0) == 0x80)
    n--;
  return n;
}

/* Whether @self has a member of the name of @member, which has no escape unless either of them has. */
static gboolean
has_same_name (const HarkJsonObject *self, const HarkJsonValue *member)
{
  for (guint i = 0; i < self->n_members; i++)
    {
      const HarkJsonValue *other = &self->members[i];
      if (other->hash == member->hash && hark_json_slice_equal_slice (other->name, member->name))
        return TRUE;
    }
  return FALSE;
}

static gboolean
parse_members (HarkJsonObject *self, HarkJsonReader *reader, GError **error)
{
  guint64 seen = 0; /* a bit for each hash's lowest six: nearly always says that a name is new */
  HarkJsonToken token;
  while ((token = hark_json_reader_next (reader, error)) == HARK_JSON_NAME)
    {
      HarkJsonValue *member = &self->members[self->n_members];
      if (self->n_members == HARK_JSON_MAX_MEMBERS)
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"%.*s\" is one member more than the %u of a message",
                       shown_len (reader->slice), reader->slice.data, HARK_JSON_MAX_MEMBERS);
          return FALSE;
        }
      member->name = reader->slice;
      member->name_escaped = reader->escaped;
      member->hash = hark_json_slice_hash (member->name, member->name_escaped);
      if ((seen >> (member->hash & 63) & 1) != 0 && has_same_name (self, member))
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%.*s\" is there twice", shown_len (member->name),
                       member->name.data);
          return FALSE;
        }
      seen |= G_GUINT64_CONSTANT (1) << (member->hash & 63);
      member->token = hark_json_reader_next (reader, error);
      if (member->token == HARK_JSON_ERROR)
        return FALSE;
      member->integer = reader->integer;
      if (!hark_json_reader_skip_value (reader, &member->raw, error))
        return FALSE;
      self->n_members++;
    }
  return token == HARK_JSON_END_OBJECT && hark_json_reader_next (reader, error) == HARK_JSON_END;
}

/**
 * hark_json_object_parse:
 * @data: (array length=len): the whole text
 *
 * Raises %HARK_ERROR_BAD_REQUEST when the text is not one object, is not JSON in any part, or has a member twice, and
 * %HARK_ERROR_TOO_LARGE when it has more than %HARK_JSON_MAX_MEMBERS.
 *
 * Returns: whether @self can be asked; if not, it has no members
 */
gboolean
hark_json_object_parse (HarkJsonObject *self, const char *data, gsize len, GError **error)
{
  HarkJsonReader reader;
  HarkJsonToken token;
  self->n_members = 0;
  self->len = len;
  hark_json_reader_init (&reader, data, len);
  token = hark_json_reader_next (&reader, error);
  if (token == HARK_JSON_BEGIN_OBJECT && parse_members (self, &reader, error))
    return TRUE;
  self->n_members = 0;
  if (token != HARK_JSON_BEGIN_OBJECT && token != HARK_JSON_ERROR)
    g_set_error_literal (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "A message is one JSON object");
  return FALSE;
}

/**
 * hark_json_object_get:
 * @name: the decoded name
 *
 * Returns: (nullable): the member, which may be null; %NULL when there is none
 */
const HarkJsonValue *
hark_json_object_get (const HarkJsonObject *self, const char *name)
{
  gsize len = strlen (name);
  for (guint i = 0; i < self->n_members; i++)
    {
      const HarkJsonValue *member = &self->members[i];
      if (!member->name_escaped)
        {
          if (member->name.len == len && memcmp (member->name.data, name, len) == 0)
            return member;
        }
      else if (hark_json_slice_equal (member->name, name))
        {
          return member;
        }
    }
  return NULL;
}

static gboolean
is_missing (const char *name, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" is required", name);
  return FALSE;
}

/* Returns: the field, if it is there and not null. When it is not: *@ok says whether that is right, or @error is set */
static const HarkJsonValue *
get_field (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gboolean *ok, GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (self, name);
  if (value != NULL && value->token != HARK_JSON_NULL)
    return value;
  *ok = need == HARK_FIELD_OPTIONAL || is_missing (name, error);
  return NULL;
}

static gboolean
must_be (const char *name, const char *what, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" must be %s", name, what);
  return FALSE;
}

/**
 * hark_json_object_get_text:
 * @out: (out): what stands between the quotes, for hark_json_slice_equal () and the like
 *
 * A string, without copying it.
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_json_object_get_text (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonSlice *out,
                           GError **error)
{
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  if (value == NULL)
    return ok;
  if (value->token != HARK_JSON_STRING)
    return must_be (name, "a string", error);
  *out = hark_json_value_get_text (value);
  return TRUE;
}

/**
 * hark_json_object_get_string:
 * @max_bytes: of the decoded string, its 0 byte not counted
 * @out: (out) (transfer full): the string, which has no U+0000
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST, or with %HARK_ERROR_TOO_LARGE when it is longer than @max_bytes
 */
gboolean
hark_json_object_get_string (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gsize max_bytes,
                             char **out, GError **error)
{
  HarkJsonSlice text = { NULL, 0 };
  char *copy;
  if (!hark_json_object_get_text (self, name, need, &text, error))
    return FALSE;
  if (text.data == NULL)
    return TRUE;
  if (text.len > max_bytes && hark_json_slice_get_decoded_len (text) > max_bytes)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"%s\" is longer than %" G_GSIZE_FORMAT " bytes", name,
                   max_bytes);
      return FALSE;
    }
  copy = hark_json_string_dup_c (text);
  if (copy == NULL)
    return must_be (name, "a string without U+0000", error);
  *out = copy;
  return TRUE;
}

/**
 * hark_json_object_get_int:
 * @min: the least that is allowed
 * @max: the most that is allowed
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST, also for 1.0 and 1e2
 */
gboolean
hark_json_object_get_int (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gint64 min, gint64 max,
                          gint64 *out, GError **error)
{
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  if (value == NULL)
    return ok;
  if (value->token != HARK_JSON_INTEGER || value->integer < min || value->integer > max)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"%s\" must be an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name, min, max);
      return FALSE;
    }
  *out = value->integer;
  return TRUE;
}

gboolean
hark_json_object_get_boolean (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gboolean *out,
                              GError **error)
{
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  if (value == NULL)
    return ok;
  if (value->token != HARK_JSON_TRUE && value->token != HARK_JSON_FALSE)
    return must_be (name, "true or false", error);
  *out = value->token == HARK_JSON_TRUE;
  return TRUE;
}

/**
 * hark_json_value_parse_id:
 * @token: of a value
 * @text: its slice, as the reader has it: without quotes
 *
 * Returns: whether the value is an id: a string of digits or, as some clients write it, an integer
 */
gboolean
hark_json_value_parse_id (HarkJsonToken token, HarkJsonSlice text, gint64 *out)
{
  char digits[HARK_ID_LEN];
  gsize len;
  if (token != HARK_JSON_STRING && token != HARK_JSON_INTEGER)
    return FALSE;
  return hark_json_slice_decode_into (text, digits, sizeof digits, &len) && hark_id_parse (digits, len, out);
}

/**
 * hark_json_object_get_id:
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_json_object_get_id (const HarkJsonObject *self, const char *name, HarkFieldNeed need, gint64 *out, GError **error)
{
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  HarkJsonSlice text;
  if (value == NULL)
    return ok;
  text = value->token == HARK_JSON_STRING ? hark_json_value_get_text (value) : value->raw;
  if (!hark_json_value_parse_id (value->token, text, out))
    return must_be (name, "an id, a string of digits", error);
  return TRUE;
}

/**
 * hark_json_object_get_ids:
 * @max: how many there may be
 * @out: (element-type gint64): gets the ids appended, or is left as it is
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST, or with %HARK_ERROR_TOO_LARGE when there are more than @max
 */
gboolean
hark_json_object_get_ids (const HarkJsonObject *self, const char *name, HarkFieldNeed need, guint max, GArray *out,
                          GError **error)
{
  guint before = out->len;
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  HarkJsonReader reader;
  if (value == NULL)
    return ok;
  if (value->token != HARK_JSON_BEGIN_ARRAY)
    return must_be (name, "an array of ids", error);
  hark_json_reader_init (&reader, value->raw.data, value->raw.len);
  hark_json_reader_next (&reader, NULL); /* the bracket: all of it was checked before */
  while (hark_json_reader_next (&reader, NULL) != HARK_JSON_END_ARRAY)
    {
      gint64 id;
      if (!hark_json_value_parse_id (reader.token, reader.slice, &id))
        {
          g_array_set_size (out, before);
          return must_be (name, "an array of ids, strings of digits", error);
        }
      if (out->len - before == max)
        {
          g_array_set_size (out, before);
          g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"%s\" has more than %u ids", name, max);
          return FALSE;
        }
      g_array_append_val (out, id);
    }
  return TRUE;
}

/**
 * hark_json_object_get_raw:
 * @out: (out): the value's bytes, for forwarding
 *
 * Takes any value; null too is one here, and not the same as absent.
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_json_object_get_raw (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonSlice *out,
                          GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (self, name);
  if (value != NULL)
    *out = value->raw;
  else if (need == HARK_FIELD_REQUIRED)
    return is_missing (name, error);
  return TRUE;
}

static gboolean
get_raw_container (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonToken token,
                   HarkJsonSlice *out, GError **error)
{
  gboolean ok;
  const HarkJsonValue *value = get_field (self, name, need, &ok, error);
  if (value == NULL)
    return ok;
  if (value->token != token)
    return must_be (name, token == HARK_JSON_BEGIN_OBJECT ? "an object" : "an array", error);
  *out = value->raw;
  return TRUE;
}

/* The bytes of an object, to be read by another #HarkJsonObject or, when it may be long, by a #HarkJsonReader. */
gboolean
hark_json_object_get_raw_object (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonSlice *out,
                                 GError **error)
{
  return get_raw_container (self, name, need, HARK_JSON_BEGIN_OBJECT, out, error);
}

/* The bytes of an array, to be read by a #HarkJsonReader. */
gboolean
hark_json_object_get_raw_array (const HarkJsonObject *self, const char *name, HarkFieldNeed need, HarkJsonSlice *out,
                                GError **error)
{
  return get_raw_container (self, name, need, HARK_JSON_BEGIN_ARRAY, out, error);
}

/**
 * hark_json_value_copy_raw:
 * @len: (out) (optional): bytes
 *
 * Returns: (transfer full): the value's JSON and a 0 byte, for what outlives the text
 */
char *
hark_json_value_copy_raw (const HarkJsonValue *self, gsize *len)
{
  if (len != NULL)
    *len = self->raw.len;
  return g_strndup (self->raw.data, self->raw.len);
}
