/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Socket.IO protocol 5 as bytes: packets, and binary data in them. Without state and without I/O. Strict where the
 * reference's parser (npm socket.io-parser 4) is lax by accident of its language: a blank is no number, an event has a
 * name, an attachment has one place.
 */
#include "protocol/socketio-codec.h"

#include "base/error.h"

#include <string.h>

/* Digits of the largest integer that JavaScript counts to without gaps. */
#define MAX_ID_DIGITS 16
#define MAX_ID G_GINT64_CONSTANT (9007199254740991)

#define BINARY_NAME "$binary"

/* Of the client's own library; an event of such a name cannot be sent, and would confuse it when it is received. */
static const char *const reserved_events[]
  = { "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener" };

typedef struct
{
  const char *p;
  const char *end;
} Cursor;

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "invalid packet: %s", what);
  return FALSE;
}

static gboolean
is_binary (HarkSocketioType type)
{
  return type == HARK_SOCKETIO_BINARY_EVENT || type == HARK_SOCKETIO_BINARY_ACK;
}

/* Digits up to @max of them. Returns: how many, 0 when there are none or too many */
static gsize
read_digits (Cursor *at, gsize max, gint64 *value)
{
  gsize n = 0;
  *value = 0;
  while (at->p + n < at->end && g_ascii_isdigit (at->p[n]))
    {
      if (n == max)
        return 0;
      *value = *value * 10 + (at->p[n++] - '0');
    }
  at->p += n;
  return n;
}

static gboolean
read_attachments (HarkSocketioPacket *packet, Cursor *at, GError **error)
{
  gint64 n;
  packet->n_attachments = 0;
  if (!is_binary (packet->type))
    return TRUE;
  if (read_digits (at, 4, &n) == 0 || at->p == at->end || *at->p != '-' || n == 0)
    return fail (error, "a number of attachments and \"-\" are required");
  if (n > HARK_SOCKETIO_MAX_ATTACHMENTS)
    return fail (error, "too many attachments");
  packet->n_attachments = n;
  at->p++;
  return TRUE;
}

static void
read_nsp (HarkSocketioPacket *packet, Cursor *at)
{
  const char *comma;
  const char *query;
  if (at->p == at->end || *at->p != '/')
    {
      packet->nsp = (HarkJsonSlice){ "/", 1 };
      return;
    }
  comma = memchr (at->p, ',', at->end - at->p);
  packet->nsp = (HarkJsonSlice){ at->p, (comma != NULL ? comma : at->end) - at->p };
  query = memchr (packet->nsp.data, '?', packet->nsp.len);
  if (query != NULL)
    packet->nsp.len = query - packet->nsp.data;
  at->p = comma != NULL ? comma + 1 : at->end;
}

static gboolean
read_id (HarkSocketioPacket *packet, Cursor *at, GError **error)
{
  gboolean is_ack = packet->type == HARK_SOCKETIO_ACK || packet->type == HARK_SOCKETIO_BINARY_ACK;
  packet->id = HARK_SOCKETIO_NO_ID;
  if (at->p == at->end || !g_ascii_isdigit (*at->p))
    return !is_ack || fail (error, "an acknowledgement has an id");
  if (!is_ack && packet->type != HARK_SOCKETIO_EVENT && packet->type != HARK_SOCKETIO_BINARY_EVENT)
    return fail (error, "only events and acknowledgements have an id");
  if (read_digits (at, MAX_ID_DIGITS, &packet->id) == 0 || packet->id > MAX_ID)
    return fail (error, "the acknowledgement's id is too large");
  return TRUE;
}

static gboolean
is_reserved (HarkJsonSlice name)
{
  for (guint i = 0; i < G_N_ELEMENTS (reserved_events); i++)
    if (hark_json_slice_equal (name, reserved_events[i]))
      return TRUE;
  return FALSE;
}

/* An event's payload behind its bracket. */
static gboolean
read_event (HarkSocketioPacket *packet, HarkJsonReader *reader, GError **error)
{
  HarkJsonToken token = hark_json_reader_next (reader, error);
  HarkJsonSlice raw;
  if (token == HARK_JSON_ERROR)
    return FALSE;
  if (token != HARK_JSON_STRING && token != HARK_JSON_INTEGER && token != HARK_JSON_NUMBER)
    return fail (error, "an event has a name");
  if (token == HARK_JSON_STRING && is_reserved (reader->slice))
    return fail (error, "the event's name is reserved");
  packet->name = reader->slice;
  while ((token = hark_json_reader_next (reader, error)) != HARK_JSON_END_ARRAY)
    {
      if (token == HARK_JSON_ERROR || !hark_json_reader_skip_value (reader, &raw, error))
        return FALSE;
      if (packet->n_args++ == 0)
        packet->args = raw;
      else
        packet->args.len = raw.data + raw.len - packet->args.data;
    }
  return TRUE;
}

static gboolean
is_right_kind (HarkSocketioType type, HarkJsonToken token)
{
  if (type == HARK_SOCKETIO_CONNECT)
    return token == HARK_JSON_BEGIN_OBJECT;
  if (type == HARK_SOCKETIO_CONNECT_ERROR)
    return token == HARK_JSON_BEGIN_OBJECT || token == HARK_JSON_STRING;
  return token == HARK_JSON_BEGIN_ARRAY;
}

/**
 * hark_socketio_read_payload:
 * @packet: whose type says what the payload must be
 * @json: (array length=len): takes the place of the payload it had, if any
 *
 * Returns: whether it is that; otherwise %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_socketio_read_payload (HarkSocketioPacket *packet, const char *json, gsize len, GError **error)
{
  gboolean is_event = packet->type == HARK_SOCKETIO_EVENT || packet->type == HARK_SOCKETIO_BINARY_EVENT;
  HarkJsonReader reader;
  HarkJsonToken token;
  packet->payload = (HarkJsonSlice){ NULL, 0 };
  packet->name = packet->args = packet->payload;
  packet->n_args = 0;
  if (len == 0)
    return packet->type == HARK_SOCKETIO_CONNECT || packet->type == HARK_SOCKETIO_DISCONNECT
           || fail (error, "the payload is missing");
  if (packet->type == HARK_SOCKETIO_DISCONNECT)
    return fail (error, "a DISCONNECT has no payload");
  hark_json_reader_init (&reader, json, len);
  token = hark_json_reader_next (&reader, error);
  if (token == HARK_JSON_ERROR)
    return FALSE;
  if (!is_right_kind (packet->type, token))
    return fail (error, "the payload is not what it must be, an object or an array");
  packet->payload = (HarkJsonSlice){ json, len };
  return (is_event ? read_event (packet, &reader, error) : hark_json_reader_skip_value (&reader, NULL, error))
         && hark_json_reader_next (&reader, error) == HARK_JSON_END;
}

/**
 * hark_socketio_parse:
 * @packet: (out caller-allocates): points into @data
 * @data: (array length=len): a text message
 *
 * Returns: whether it is a packet; otherwise %HARK_ERROR_BAD_REQUEST, and the connection is to be closed
 */
gboolean
hark_socketio_parse (HarkSocketioPacket *packet, const char *data, gsize len, GError **error)
{
  Cursor at = { data, data + len };
  if (len == 0 || *at.p < '0' || *at.p > '6')
    return fail (error, "unknown type");
  packet->type = *at.p++ - '0';
  if (!read_attachments (packet, &at, error))
    return FALSE;
  read_nsp (packet, &at);
  return read_id (packet, &at, error) && hark_socketio_read_payload (packet, at.p, at.end - at.p, error);
}

/**
 * hark_socketio_append_header:
 * @nsp: "/" is not written
 * @id: %HARK_SOCKETIO_NO_ID for none
 *
 * Appends what stands before a packet's payload.
 */
void
hark_socketio_append_header (GString *out, HarkSocketioType type, guint n_attachments, const char *nsp, gint64 id)
{
  g_string_append_c (out, '0' + type);
  if (is_binary (type))
    g_string_append_printf (out, "%u-", n_attachments);
  if (nsp[1] != '\0')
    {
      g_string_append (out, nsp);
      g_string_append_c (out, ',');
    }
  if (id >= 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, id);
}

/* Binary data. */

/* An object that is being copied, and may have to be taken back. */
typedef struct
{
  gsize out_len; /* where it begins in the output */
  gint64 num;    /* its member of that name; -1: none */
  guint n_members;
  gboolean is_placeholder;
  HarkJsonSlice binary; /* its member of that name; without data: none */
} OpenObject;

typedef struct
{
  HarkJsonReader reader;
  GString *out;
  const char *copied; /* up to here the text was looked at and copied, but for what was replaced */
  OpenObject open[HARK_JSON_MAX_DEPTH + 1];
} Copy;

static void
copy_up_to (Copy *self, const char *p)
{
  g_string_append_len (self->out, self->copied, p - self->copied);
  self->copied = p;
}

static void
begin_object (Copy *self)
{
  OpenObject *object = &self->open[hark_json_reader_get_depth (&self->reader)];
  copy_up_to (self, self->reader.slice.data);
  *object = (OpenObject){ .out_len = self->out->len, .num = -1 };
}

/* A member of an object: notes what may make the object one that stands for binary data. */
static gboolean
take_member (Copy *self, GError **error)
{
  OpenObject *object = &self->open[hark_json_reader_get_depth (&self->reader)];
  HarkJsonSlice name = self->reader.slice;
  HarkJsonToken token = hark_json_reader_next (&self->reader, error);
  object->n_members++;
  if (token == HARK_JSON_TRUE && hark_json_slice_equal (name, "_placeholder"))
    object->is_placeholder = TRUE;
  else if (token == HARK_JSON_INTEGER && hark_json_slice_equal (name, "num"))
    object->num = self->reader.integer;
  else if (token == HARK_JSON_STRING && hark_json_slice_equal (name, BINARY_NAME))
    object->binary = self->reader.slice;
  if (token == HARK_JSON_BEGIN_OBJECT)
    begin_object (self);
  return token != HARK_JSON_ERROR;
}

/* Puts something in the place of the object that has just ended. */
static void
begin_replacement (Copy *self, const OpenObject *object)
{
  copy_up_to (self, self->reader.p);
  g_string_truncate (self->out, object->out_len);
}

static void
append_base64 (GString *out, GBytes *bytes)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (bytes, &len);
  g_autofree char *text = g_base64_encode (data, len);
  g_string_append (out, "{\"" BINARY_NAME "\":\"");
  g_string_append (out, text);
  g_string_append (out, "\"}");
}

/**
 * hark_socketio_embed:
 * @json: (array length=len): valid JSON: a packet's payload, or a part of it
 * @attachments: (array length=n_attachments): at most %HARK_SOCKETIO_MAX_ATTACHMENTS
 *
 * Appends @json with the attachments in their places.
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST when a place is none of an attachment, or the second of one
 */
gboolean
hark_socketio_embed (GString *out, const char *json, gsize len, GBytes *const *attachments, guint n_attachments,
                     GError **error)
{
  Copy copy = { .out = out, .copied = json };
  HarkJsonToken token;
  guint used = 0;
  hark_json_reader_init (&copy.reader, json, len);
  while ((token = hark_json_reader_next (&copy.reader, error)) != HARK_JSON_END)
    {
      const OpenObject *object;
      if (token == HARK_JSON_ERROR || (token == HARK_JSON_NAME && !take_member (&copy, error)))
        return FALSE;
      if (token == HARK_JSON_BEGIN_OBJECT)
        begin_object (&copy);
      if (token != HARK_JSON_END_OBJECT)
        continue;
      object = &copy.open[hark_json_reader_get_depth (&copy.reader) + 1];
      if (!object->is_placeholder)
        continue;
      if (object->num < 0 || object->num >= n_attachments || (used >> object->num & 1) != 0)
        return fail (error, "illegal attachments");
      used |= 1u << object->num;
      begin_replacement (&copy, object);
      append_base64 (out, attachments[object->num]);
    }
  copy_up_to (&copy, json + len);
  return TRUE;
}

/* Returns: (transfer full) (nullable): what the text is base64 of, to the letter */
static GBytes *
decode (HarkJsonSlice text)
{
  g_autofree char *base64 = hark_json_string_dup_c (text);
  g_autofree char *again = NULL;
  g_autofree guchar *data = NULL;
  gsize len;
  if (base64 == NULL)
    return NULL;
  data = g_base64_decode (base64, &len);
  again = g_base64_encode (data, len);
  return strcmp (again, base64) == 0 ? g_bytes_new_take (g_steal_pointer (&data), len) : NULL;
}

static gboolean
extract_all (GString *out, const char *json, gsize len, GPtrArray *attachments)
{
  Copy copy = { .out = out, .copied = json };
  HarkJsonToken token;
  hark_json_reader_init (&copy.reader, json, len);
  while ((token = hark_json_reader_next (&copy.reader, NULL)) != HARK_JSON_END)
    {
      const OpenObject *object;
      GBytes *bytes;
      if (token == HARK_JSON_ERROR || (token == HARK_JSON_NAME && !take_member (&copy, NULL)))
        return FALSE;
      if (token == HARK_JSON_BEGIN_OBJECT)
        begin_object (&copy);
      if (token != HARK_JSON_END_OBJECT)
        continue;
      object = &copy.open[hark_json_reader_get_depth (&copy.reader) + 1];
      if (object->binary.data == NULL || object->n_members != 1 || attachments->len == HARK_SOCKETIO_MAX_ATTACHMENTS)
        continue;
      bytes = decode (object->binary);
      if (bytes == NULL)
        continue;
      begin_replacement (&copy, object);
      g_string_append_printf (out, "{\"_placeholder\":true,\"num\":%u}", attachments->len);
      g_ptr_array_add (attachments, bytes);
    }
  copy_up_to (&copy, json + len);
  return TRUE;
}

/* Whether there may be binary data: nearly never, and then hark_socketio_extract () needs not be asked. */
gboolean
hark_socketio_has_binary (const char *json, gsize len)
{
  return memmem (json, len, "\"" BINARY_NAME "\"", strlen (BINARY_NAME) + 2) != NULL;
}

/**
 * hark_socketio_extract:
 * @json: (array length=len): valid JSON; what is not leaves as it is
 * @attachments: (element-type GBytes): gets what stands in @json as binary data, as far as a packet may have so many
 *
 * Appends @json with placeholders.
 *
 * Returns: whether there are attachments
 */
gboolean
hark_socketio_extract (GString *out, const char *json, gsize len, GPtrArray *attachments)
{
  gsize before = out->len;
  if (hark_socketio_has_binary (json, len))
    {
      if (extract_all (out, json, len, attachments))
        return attachments->len > 0;
      g_string_truncate (out, before);
      g_ptr_array_set_size (attachments, 0);
    }
  g_string_append_len (out, json, len);
  return FALSE;
}
