/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client sends amounts to the same events however it is cut, each within its bounds, and after a close frame or
 * a failure to nothing more. The first byte switches permessage-deflate (bit 0) and small bounds (bit 1), the second
 * seeds the cuts; a byte 0xFF there cuts everywhere.
 */
#include "transport/websocket-codec.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define SMALL_MESSAGE 100
#define SMALL_FRAGMENTS 4
#define EVERYWHERE 0xFF

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  HarkWebSocketCodec codec;
  HarkWebSocketContext context;
  GByteArray *transcript;
  gboolean ended;
} Run;

static void
check_event (Run *run, const HarkWebSocketEvent *event)
{
  g_assert_false (run->ended);
  switch (event->kind)
    {
    case HARK_WEBSOCKET_EVENT_MESSAGE:
      g_assert_cmpuint (event->len, <=, run->context.max_message);
      g_assert_true (event->binary || hark_utf8_validate (event->data, event->len));
      break;
    case HARK_WEBSOCKET_EVENT_PING:
    case HARK_WEBSOCKET_EVENT_PONG:
      g_assert_cmpuint (event->len, <=, HARK_WEBSOCKET_MAX_CONTROL);
      break;
    case HARK_WEBSOCKET_EVENT_CLOSE:
      g_assert_cmpuint (event->len, <=, HARK_WEBSOCKET_MAX_REASON);
      g_assert_true (hark_utf8_validate (event->data, event->len));
      g_assert_true (event->code == HARK_CLOSE_NO_STATUS || hark_websocket_is_close_code (event->code));
      run->ended = TRUE;
      break;
    case HARK_WEBSOCKET_EVENT_FAILURE:
      g_assert_true (hark_websocket_is_close_code (event->code));
      g_assert_nonnull (event->reason);
      run->ended = TRUE;
      break;
    case HARK_WEBSOCKET_EVENT_NONE:
      g_assert_not_reached ();
    }
}

static void
note_event (Run *run, const HarkWebSocketEvent *event)
{
  guint32 head[4] = { event->kind, event->binary, event->code, event->len };
  check_event (run, event);
  g_byte_array_append (run->transcript, (const guint8 *)head, sizeof head);
  if (event->len > 0)
    g_byte_array_append (run->transcript, event->data, event->len);
}

static void
feed (Run *run, const guint8 *data, gsize len)
{
  /* A block of its own: it is changed, and AddressSanitizer sees its ends. */
  guint8 *copy = g_malloc (MAX (len, 1));
  gsize taken = 0;
  memcpy (copy, data, len);
  for (;;)
    {
      HarkWebSocketEvent event;
      taken += hark_websocket_codec_next (&run->codec, &run->context, copy + taken, len - taken, &event);
      g_assert_cmpuint (taken, <=, len);
      if (event.kind == HARK_WEBSOCKET_EVENT_NONE)
        break;
      note_event (run, &event);
    }
  g_assert_cmpuint (taken, ==, len);
  g_free (copy);
}

static void
begin (Run *run, guint8 options)
{
  *run = (Run){ 0 };
  run->transcript = g_byte_array_new ();
  run->context.max_message = (options & 2) != 0 ? SMALL_MESSAGE : 65536;
  run->context.max_fragments = (options & 2) != 0 ? SMALL_FRAGMENTS : 1024;
  hark_websocket_codec_init (&run->codec, (options & 1) != 0);
}

static void
end (Run *run)
{
  hark_websocket_codec_clear (&run->codec, &run->context);
  hark_websocket_context_clear (&run->context);
  g_byte_array_unref (run->transcript);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Run whole;
  Run cut;
  guint32 random;
  if (size < 2)
    return 0;
  begin (&whole, data[0]);
  feed (&whole, data + 2, size - 2);
  begin (&cut, data[0]);
  random = data[1];
  for (gsize at = 2; at < size;)
    {
      gsize n = 1;
      random = random * 1664525 + 1013904223;
      if (data[1] != EVERYWHERE)
        n = MIN (1 + (random >> 16) % (1 + data[1] % 64), size - at);
      feed (&cut, data + at, n);
      at += n;
    }
  g_assert_cmpmem (whole.transcript->data, whole.transcript->len, cut.transcript->data, cut.transcript->len);
  end (&whole);
  end (&cut);
  return 0;
}
