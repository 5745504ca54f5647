/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reader to writer; see json-copy.h. */
#include "json-copy.h"

static void
copy_string (const HarkJsonReader *reader, HarkJsonWriter *writer)
{
  gsize len;
  g_autofree char *text = hark_json_string_dup (reader->slice, &len);
  g_assert_cmpuint (len, ==, hark_json_slice_get_decoded_len (reader->slice));
  hark_json_writer_string_len (writer, text, len);
}

gboolean
json_copy (const char *data, gsize len, HarkJsonWriter *writer, GError **error)
{
  HarkJsonReader reader;
  HarkJsonToken token;
  hark_json_reader_init (&reader, data, len);
  while ((token = hark_json_reader_next (&reader, error)) > HARK_JSON_END)
    {
      switch (token)
        {
        case HARK_JSON_BEGIN_OBJECT:
          hark_json_writer_begin_object (writer);
          break;
        case HARK_JSON_END_OBJECT:
          hark_json_writer_end_object (writer);
          break;
        case HARK_JSON_BEGIN_ARRAY:
          hark_json_writer_begin_array (writer);
          break;
        case HARK_JSON_END_ARRAY:
          hark_json_writer_end_array (writer);
          break;
        case HARK_JSON_NAME:
          hark_json_writer_member_len (writer, reader.slice.data, reader.slice.len);
          break;
        case HARK_JSON_STRING:
          copy_string (&reader, writer);
          break;
        case HARK_JSON_INTEGER:
          hark_json_writer_int (writer, reader.integer);
          break;
        case HARK_JSON_TRUE:
        case HARK_JSON_FALSE:
          hark_json_writer_boolean (writer, token == HARK_JSON_TRUE);
          break;
        case HARK_JSON_NULL:
          hark_json_writer_null (writer);
          break;
        default:
          hark_json_writer_raw (writer, reader.slice.data, reader.slice.len);
          break;
        }
    }
  return token == HARK_JSON_END;
}
