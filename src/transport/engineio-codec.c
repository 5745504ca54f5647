/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine.IO protocol 4 as bytes: packets, the payloads of polling that join them, base64 for what is not text, and what
 * a request's query asks for. Without state and without I/O. Where the protocol's text leaves something open, the
 * reference server (npm engine.io 6) was asked.
 */
#include "transport/engineio-codec.h"

#include "transport/websocket-codec.h"

#include "base/utf8.h"

#include <string.h>

#define BASE64_PREFIX 'b'

/* A character's six bits; 64 for what is none. */
static inline guint
base64_value (guint8 c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Decodes in place what is base64 to the letter, with or without its padding. Returns: whether it was */
static gboolean
base64_decode (guint8 *data, gsize *len)
{
  gsize n = *len;
  gsize out = 0;
  guint32 bits = 0;
  guint n_bits = 0;
  if (n % 4 == 0)
    for (guint padding = 0; padding < 2 && n > 0 && data[n - 1] == '='; padding++)
      n--;
  if (n % 4 == 1)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      guint value = base64_value (data[i]);
      if (value == 64)
        return FALSE;
      bits = bits << 6 | value;
      n_bits += 6;
      if (n_bits >= 8)
        {
          n_bits -= 8;
          data[out++] = bits >> n_bits & 0xFF;
        }
    }
  *len = out;
  return (bits & ((1u << n_bits) - 1)) == 0;
}

/**
 * hark_engineio_parse:
 * @packet: (out caller-allocates): points into @data
 * @data: (inout): one packet as text; base64 is decoded in place
 *
 * Returns: whether it is one
 */
gboolean
hark_engineio_parse (HarkEngineIOPacket *packet, guint8 *data, gsize len)
{
  if (len == 0)
    return FALSE;
  packet->data = data + 1;
  packet->len = len - 1;
  packet->binary = data[0] == BASE64_PREFIX;
  if (packet->binary)
    {
      packet->type = HARK_ENGINEIO_MESSAGE;
      return base64_decode (data + 1, &packet->len);
    }
  packet->type = data[0];
  return data[0] >= HARK_ENGINEIO_OPEN && data[0] <= HARK_ENGINEIO_NOOP;
}

/**
 * hark_engineio_payload_next:
 * @packet: (out caller-allocates): points into @payload
 * @payload: (inout): a POST's body; base64 is decoded in place
 * @offset: (inout): where the packet begins; afterwards where the next does. Beyond @len there is none
 *
 * Returns: whether there is a packet at @offset, and its text is UTF-8
 */
gboolean
hark_engineio_payload_next (HarkEngineIOPacket *packet, guint8 *payload, gsize len, gsize *offset)
{
  guint8 *start = payload + *offset;
  guint8 *end = len > *offset ? memchr (start, HARK_ENGINEIO_SEPARATOR, len - *offset) : NULL;
  gsize n = end != NULL ? (gsize)(end - start) : len - *offset;
  *offset += n + 1;
  if (!hark_engineio_parse (packet, start, n))
    return FALSE;
  return packet->binary || hark_utf8_validate (packet->data, packet->len);
}

const char *
hark_engineio_error_get_message (HarkEngineIOError error)
{
  static const char *const messages[] = { "Transport unknown", "Session ID unknown", "Bad handshake method",
                                          "Bad request",       "Forbidden",          "Unsupported protocol version" };
  return messages[error];
}

static gboolean
is_value (const char *value, gsize len, const char *wanted)
{
  return len == strlen (wanted) && memcmp (value, wanted, len) == 0;
}

/* @query: (nullable): of a request, as it came */
void
hark_engineio_query_parse (HarkEngineIOQuery *self, const char *query)
{
  *self = (HarkEngineIOQuery){ .transport = HARK_ENGINEIO_NO_TRANSPORT };
  while (query != NULL)
    {
      gsize len = strcspn (query, "&");
      const char *equals = memchr (query, '=', len);
      const char *value = equals != NULL ? equals + 1 : query + len;
      gsize value_len = query + len - value;
      gsize name_len = equals != NULL ? (gsize)(equals - query) : len;
      if (is_value (query, name_len, "EIO"))
        self->version_4 = is_value (value, value_len, "4");
      else if (is_value (query, name_len, "j"))
        self->jsonp = TRUE;
      else if (is_value (query, name_len, "transport"))
        self->transport = is_value (value, value_len, "polling")     ? HARK_ENGINEIO_POLLING
                          : is_value (value, value_len, "websocket") ? HARK_ENGINEIO_WEBSOCKET
                                                                     : HARK_ENGINEIO_NO_TRANSPORT;
      else if (is_value (query, name_len, "sid"))
        g_strlcpy (self->sid, value, MIN (value_len + 1, sizeof self->sid));
      query = query[len] == '\0' ? NULL : query + len + 1;
    }
}

/**
 * hark_engineio_append_text:
 * @len: bytes behind the type
 *
 * Appends the frame of one text packet.
 *
 * Returns: where its @len bytes are to be written, before anything else is appended
 */
guint8 *
hark_engineio_append_text (HarkBuilder *out, HarkEngineIOType type, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize n = hark_websocket_header (header, HARK_WEBSOCKET_TEXT, FALSE, len + 1);
  guint8 *frame = hark_builder_append_uninitialized (out, n + 1 + len);
  memcpy (frame, header, n);
  frame[n] = type;
  return frame + n + 1;
}

/* As hark_engineio_append_text (), of a binary message. */
guint8 *
hark_engineio_append_binary (HarkBuilder *out, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize n = hark_websocket_header (header, HARK_WEBSOCKET_BINARY, FALSE, len);
  guint8 *frame = hark_builder_append_uninitialized (out, n + len);
  memcpy (frame, header, n);
  return frame + n;
}

static void
append_base64 (GByteArray *payload, const guint8 *data, gsize len)
{
  gsize at = payload->len;
  int state = 0;
  int save = 0;
  gsize n;
  g_byte_array_set_size (payload, at + 1 + (len / 3 + 1) * 4 + 4);
  payload->data[at] = BASE64_PREFIX;
  n = g_base64_encode_step (data, len, FALSE, (char *)payload->data + at + 1, &state, &save);
  n += g_base64_encode_close (FALSE, (char *)payload->data + at + 1 + n, &state, &save);
  g_byte_array_set_size (payload, at + 1 + n);
}

/* Reads the header of a frame that we made. */
static gsize
get_frame_len (const guint8 *frame, gsize *header_len)
{
  gsize len = frame[1];
  *header_len = 2;
  if (len < 126)
    return len;
  *header_len = len == 126 ? 4 : HARK_WEBSOCKET_MAX_OUT_HEADER;
  len = 0;
  for (gsize i = 2; i < *header_len; i++)
    len = len << 8 | frame[i];
  return len;
}

/**
 * hark_engineio_payload_append:
 * @payload: of a poll's answer
 * @units: (array length=len): whole wire units
 *
 * Appends their packets.
 */
void
hark_engineio_payload_append (GByteArray *payload, const guint8 *units, gsize len)
{
  static const guint8 separator = HARK_ENGINEIO_SEPARATOR;
  for (gsize at = 0; at < len;)
    {
      gsize header_len;
      gsize n = get_frame_len (units + at, &header_len);
      guint opcode = units[at] & 0x0F;
      const guint8 *data = units + at + header_len;
      g_assert (units[at] >> 4 == 0x8 && (opcode == HARK_WEBSOCKET_TEXT || opcode == HARK_WEBSOCKET_BINARY));
      g_assert (n <= len - at - header_len);
      if (payload->len > 0)
        g_byte_array_append (payload, &separator, 1);
      if (opcode == HARK_WEBSOCKET_TEXT)
        g_byte_array_append (payload, data, n);
      else
        append_base64 (payload, data, n);
      at += header_len + n;
    }
}
