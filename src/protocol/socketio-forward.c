/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is forwarded, between what a Socket.IO client sends and what the hub forwards. On /forward an object arrives as
 * it was sent, with the sender's id as an integer beside the target's. In the hub it is a message of the native
 * protocol, in which `type` and `ref` are taken: a client's own members of these names travel as `$type` and `$ref`.
 */
#include "protocol/socketio-forward.h"

#include "base/json-writer.h"

#include <string.h>

static const char *const taken[][2] = { { "type", "$type" }, { "ref", "$ref" } };

/* Returns: (nullable): what stands for a name on the other side, @from of the two sides being this one */
static const char *
translate (HarkJsonSlice name, guint from)
{
  for (guint i = 0; i < G_N_ELEMENTS (taken); i++)
    if (hark_json_slice_equal (name, taken[i][from]))
      return taken[i][1 - from];
  return NULL;
}

static void
write_member (HarkJsonWriter *json, HarkJsonSlice name, HarkJsonSlice raw, guint from)
{
  const char *other = translate (name, from);
  if (other != NULL)
    hark_json_writer_member_raw (json, other, raw.data, raw.len);
  else
    hark_json_writer_forward (json, name, raw);
}

static void
append_written (GString *out, HarkJsonWriter *json)
{
  gsize len;
  const char *text = hark_json_writer_peek (json, &len);
  g_string_append_len (out, text, len);
}

/**
 * hark_socketio_forward_escape:
 * @args: what a client wants forwarded
 *
 * Appends the arguments of the request `forward`. A member that is there under both of its names is the client's own
 * doing: the one that Hark would have written counts.
 */
void
hark_socketio_forward_escape (GString *out, const HarkJsonObject *args)
{
  g_auto (HarkJsonWriter) json = { 0 };
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  for (guint i = 0; i < hark_json_object_get_n_members (args); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (args, i);
      const char *plain = translate (member->name, 1);
      if (plain == NULL || hark_json_object_get (args, plain) == NULL)
        write_member (&json, member->name, member->raw, 0);
    }
  hark_json_writer_end_object (&json);
  append_written (out, &json);
}

/* Ids are below 2^53, so that the digits are an integer for every client. */
static HarkJsonSlice
get_integer (HarkJsonSlice raw)
{
  HarkJsonSlice digits = raw;
  if (raw.len > 2 && raw.data[0] == '"' && raw.data[1] != '0')
    digits = (HarkJsonSlice){ raw.data + 1, raw.len - 2 };
  for (gsize i = 0; i < digits.len; i++)
    if (!g_ascii_isdigit (digits.data[i]))
      return raw;
  return digits;
}

/**
 * hark_socketio_forward_write:
 * @json: (array length=len): of an event `forwarded`
 *
 * Appends the object that the target of /forward receives.
 */
void
hark_socketio_forward_write (GString *out, const char *json, gsize len)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  HarkJsonReader reader;
  hark_json_writer_init (&writer, 0);
  hark_json_reader_init (&reader, json, len);
  hark_json_reader_next (&reader, NULL);
  hark_json_writer_begin_object (&writer);
  while (hark_json_reader_next (&reader, NULL) == HARK_JSON_NAME)
    {
      HarkJsonSlice name = reader.slice;
      HarkJsonSlice raw;
      if (!hark_json_reader_skip_value (&reader, &raw, NULL))
        break;
      if (hark_json_slice_equal (name, "type"))
        continue;
      if (hark_json_slice_equal (name, "sender"))
        raw = get_integer (raw);
      write_member (&writer, name, raw, 1);
    }
  hark_json_writer_end_object (&writer);
  append_written (out, &writer);
}
