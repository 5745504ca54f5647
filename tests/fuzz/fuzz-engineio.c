/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packets of a body, put in frames and joined again for a poll, are the same packets. The first byte says what the
 * rest is: a query (Q) or a body (anything else).
 */
#include "transport/engineio-codec.h"

#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
try_query (const guint8 *data, gsize len)
{
  g_autofree char *query = g_strndup ((const char *)data, len);
  HarkEngineIOQuery parsed;
  hark_engineio_query_parse (&parsed, query);
  g_assert_cmpuint (strlen (parsed.sid), <, sizeof parsed.sid);
  g_assert_true (*parsed.sid == '\0' || strstr (query, parsed.sid) != NULL);
}

static void
append (HarkBuilder *out, const HarkEngineIOPacket *packet)
{
  guint8 *place = packet->binary ? hark_engineio_append_binary (out, packet->len)
                                 : hark_engineio_append_text (out, packet->type, packet->len);
  if (packet->len > 0)
    memcpy (place, packet->data, packet->len);
}

/* Appends what is a packet to @out. Returns: how many */
static guint
read_packets (guint8 *payload, gsize len, HarkBuilder *out)
{
  guint n = 0;
  for (gsize offset = 0; offset <= len; n++)
    {
      HarkEngineIOPacket packet;
      gsize before = offset;
      gboolean valid = hark_engineio_payload_next (&packet, payload, len, &offset);
      g_assert_cmpuint (offset, >, before);
      g_assert_cmpuint (offset, <=, len + 1);
      if (!valid)
        break;
      g_assert_true (packet.data >= payload && packet.data + packet.len <= payload + len);
      g_assert_true (packet.binary || hark_utf8_validate (packet.data, packet.len));
      g_assert_true (!packet.binary || packet.type == HARK_ENGINEIO_MESSAGE);
      append (out, &packet);
    }
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_auto (HarkBuilder) once = HARK_BUILDER_INIT;
  g_auto (HarkBuilder) twice = HARK_BUILDER_INIT;
  g_autoptr (GByteArray) joined = NULL;
  g_autofree guint8 *payload = NULL;
  guint n;
  if (size == 0)
    return 0;
  if (data[0] == 'Q')
    {
      try_query (data + 1, size - 1);
      return 0;
    }
  payload = g_malloc (size);
  memcpy (payload, data + 1, size - 1);
  n = read_packets (payload, size - 1, &once);
  if (n == 0)
    return 0;
  joined = g_byte_array_new ();
  hark_engineio_payload_append (joined, once.buffer->data, once.buffer->len);
  g_assert_cmpuint (read_packets (joined->data, joined->len, &twice), ==, n);
  g_assert_cmpmem (once.buffer->data, once.buffer->len, twice.buffer->data, twice.buffer->len);
  return 0;
}
