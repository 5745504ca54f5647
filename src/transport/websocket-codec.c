/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The frames of RFC 6455, the server's side of them, as functions over bytes. A message that lies whole in the bytes
 * passed in, which is nearly each, is unmasked and handed on where it lies. Everything else is taken piece by piece
 * into a HarkWebSocketPart, so that a byte that cannot be right (a length, a character, a deflate block) fails the
 * message when it comes and not when the message is complete.
 */
#include "transport/websocket-codec.h"

#include "transport/websocket-codec-private.h"

#include "base/error.h"

#include <string.h>

#define FIN 0x80
#define RSV 0x70
#define RSV1 0x40
#define OPCODE 0x0F
#define CONTROL 0x08
#define MASKED 0x80
#define LENGTH 0x7F
#define LENGTH_16 126
#define LENGTH_64 127
#define MASK_SIZE 4

#define MIN_ALLOCATED 256

/* A header that is complete. */
typedef struct
{
  guint8 opcode;
  guint8 fin;
  guint8 rsv1;
  gsize len;
  const guint8 *mask;
} Frame;

void
hark_websocket_context_clear (HarkWebSocketContext *self)
{
  g_clear_pointer (&self->inflater, hark_inflater_free);
}

void
hark_websocket_codec_init (HarkWebSocketCodec *self, gboolean deflate)
{
  *self = (HarkWebSocketCodec){ .deflate = deflate };
}

static void
return_inflater (HarkWebSocketPart *part, HarkWebSocketContext *context)
{
  HarkInflater *inflater = g_steal_pointer (&part->inflater);
  if (inflater == NULL)
    return;
  if (context->inflater == NULL)
    context->inflater = inflater;
  else
    hark_inflater_free (inflater);
}

/* Drops what is held. The codec must not be used again without hark_websocket_codec_init (). */
void
hark_websocket_codec_clear (HarkWebSocketCodec *self, HarkWebSocketContext *context)
{
  HarkWebSocketPart *part = g_steal_pointer (&self->part);
  if (part == NULL)
    return;
  return_inflater (part, context);
  g_free (part->data);
  g_free (part);
}

/**
 * hark_websocket_codec_trim:
 *
 * Gives back the memory of a message that was reported. hark_websocket_codec_next () does so too; call this when the
 * next call may be long in coming.
 */
void
hark_websocket_codec_trim (HarkWebSocketCodec *self, HarkWebSocketContext *context)
{
  if (self->part != NULL && self->part->opcode == HARK_WEBSOCKET_CONTINUATION && self->part->taken == 0)
    hark_websocket_codec_clear (self, context);
}

static HarkWebSocketPart *
ensure_part (HarkWebSocketCodec *self)
{
  if (self->part == NULL)
    self->part = g_new0 (HarkWebSocketPart, 1);
  return self->part;
}

/* Always returns FALSE. */
static gboolean
fail (HarkWebSocketCodec *self, HarkWebSocketEvent *event, guint code, const char *reason)
{
  self->finished = TRUE;
  event->kind = HARK_WEBSOCKET_EVENT_FAILURE;
  event->code = code;
  event->reason = reason;
  return FALSE;
}

static void
unmask (guint8 *data, gsize len, const guint8 *mask, gsize phase)
{
  guint8 key[8];
  guint64 word;
  for (guint i = 0; i < sizeof key; i++)
    key[i] = mask[(phase + i) % MASK_SIZE];
  memcpy (&word, key, sizeof word);
  while (len >= 4 * sizeof word)
    {
      guint64 words[4];
      memcpy (words, data, sizeof words);
      for (guint i = 0; i < 4; i++)
        words[i] ^= word;
      memcpy (data, words, sizeof words);
      data += sizeof words;
      len -= sizeof words;
    }
  for (gsize i = 0; i < len; i++)
    data[i] ^= key[i % sizeof key];
}

static inline gboolean
in_message (const HarkWebSocketCodec *self)
{
  return self->part != NULL && self->part->opcode != HARK_WEBSOCKET_CONTINUATION;
}

static gboolean
check_start (HarkWebSocketCodec *self, HarkWebSocketEvent *event)
{
  guint8 first = self->header[0];
  guint8 opcode = first & OPCODE;
  gboolean begins = opcode == HARK_WEBSOCKET_TEXT || opcode == HARK_WEBSOCKET_BINARY;
  guint8 allowed = self->deflate && begins ? RSV1 : 0;
  if ((first & RSV & ~allowed) != 0)
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "reserved bit set");
  if ((opcode & ~CONTROL) > ((opcode & CONTROL) != 0 ? HARK_WEBSOCKET_PONG & ~CONTROL : HARK_WEBSOCKET_BINARY))
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "reserved opcode");
  if ((self->header[1] & MASKED) == 0)
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "frame is not masked");
  if ((opcode & CONTROL) != 0)
    {
      if ((first & FIN) == 0)
        return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "control frame is fragmented");
      if ((self->header[1] & LENGTH) > HARK_WEBSOCKET_MAX_CONTROL)
        return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "control frame is too long");
      return TRUE;
    }
  if (begins && in_message (self))
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "new message inside a fragmented one");
  if (!begins && !in_message (self))
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "continuation of no message");
  return TRUE;
}

static inline guint
length_end (const HarkWebSocketCodec *self)
{
  guint len = self->header[1] & LENGTH;
  return len == LENGTH_64 ? 10 : len == LENGTH_16 ? 4 : 2;
}

static guint64
get_length (const HarkWebSocketCodec *self)
{
  guint64 len = 0;
  guint end = length_end (self);
  if (end == 2)
    return self->header[1] & LENGTH;
  for (guint i = 2; i < end; i++)
    len = len << 8 | self->header[i];
  return len;
}

/* What a compressed message may take on the wire: deflate makes what it cannot compress a little longer. */
static gsize
max_compressed (const HarkWebSocketContext *context)
{
  return (gsize)context->max_message + context->max_message / 64 + 64;
}

static gboolean
check_length (HarkWebSocketCodec *self, const HarkWebSocketContext *context, HarkWebSocketEvent *event)
{
  guint64 len = get_length (self);
  guint end = length_end (self);
  gsize before = in_message (self) ? self->part->wire_len : 0;
  guint fragments = in_message (self) ? self->part->fragments : 0;
  gboolean compressed = in_message (self) ? self->part->compressed : (self->header[0] & RSV1) != 0;
  gsize max = compressed ? max_compressed (context) : context->max_message;
  if ((end == 4 && len < LENGTH_16) || (end == 10 && len <= G_MAXUINT16))
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "length is not in its shortest form");
  if (len > G_MAXINT64)
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "length has its highest bit set");
  if ((self->header[0] & CONTROL) != 0)
    return TRUE;
  if (len > max - MIN (before, max))
    return fail (self, event, HARK_CLOSE_TOO_LARGE, "message is too large");
  if (fragments >= context->max_fragments)
    return fail (self, event, HARK_CLOSE_POLICY, "message has too many fragments");
  return TRUE;
}

static inline gboolean
fill_header (HarkWebSocketCodec *self, guint want, guint8 **p, const guint8 *end)
{
  while (self->header_len < want && *p < end)
    self->header[self->header_len++] = *(*p)++;
  return self->header_len >= want;
}

/* Returns: whether the header is complete. If it is not, more bytes are needed or @event says what is wrong */
static gboolean
take_header (HarkWebSocketCodec *self, const HarkWebSocketContext *context, guint8 **p, const guint8 *end, Frame *frame,
             HarkWebSocketEvent *event)
{
  guint mask_start;
  if (self->header_len < 2 && (!fill_header (self, 2, p, end) || !check_start (self, event)))
    return FALSE;
  mask_start = length_end (self);
  if (self->header_len <= mask_start
      && (!fill_header (self, mask_start, p, end) || !check_length (self, context, event)))
    return FALSE;
  if (!fill_header (self, mask_start + MASK_SIZE, p, end))
    return FALSE;
  frame->opcode = self->header[0] & OPCODE;
  frame->fin = (self->header[0] & FIN) != 0;
  frame->rsv1 = (self->header[0] & RSV1) != 0;
  frame->len = get_length (self);
  frame->mask = self->header + mask_start;
  return TRUE;
}

static void
reserve (HarkWebSocketPart *part, gsize extra)
{
  if (part->allocated - part->len >= extra)
    return;
  part->allocated = MAX (MAX (part->allocated * 2, part->len + extra), MIN_ALLOCATED);
  part->data = g_realloc (part->data, part->allocated);
}

static gboolean
check_text (HarkWebSocketCodec *self, const guint8 *data, gsize len, HarkWebSocketEvent *event)
{
  if (self->part->opcode == HARK_WEBSOCKET_TEXT && !hark_utf8_feed (&self->part->utf8, data, len))
    return fail (self, event, HARK_CLOSE_INVALID_DATA, "text is not UTF-8");
  return TRUE;
}

/* Inflates what came, or with %NULL the end of the message, behind what the part holds. */
static gboolean
inflate_piece (HarkWebSocketCodec *self, const HarkWebSocketContext *context, const guint8 *data, gsize len,
               HarkWebSocketEvent *event)
{
  HarkWebSocketPart *part = self->part;
  gboolean last = data == NULL;
  HarkInflateResult result;
  do
    {
      /* One byte more than is allowed, to see that there is one. */
      gsize room = (gsize)context->max_message + 1 - part->len;
      gsize produced;
      reserve (part, MIN (room, MAX (len * 2, MIN_ALLOCATED)));
      room = MIN (room, part->allocated - part->len);
      if (last)
        result = hark_inflater_finish (part->inflater, part->data + part->len, room, &produced);
      else
        result = hark_inflater_feed (part->inflater, &data, &len, part->data + part->len, room, &produced);
      if (!check_text (self, part->data + part->len, produced, event))
        return FALSE;
      part->len += produced;
      if (result == HARK_INFLATE_CORRUPT)
        return fail (self, event, HARK_CLOSE_INVALID_DATA, "compressed data is corrupt");
      if (part->len > context->max_message)
        return fail (self, event, HARK_CLOSE_TOO_LARGE, "message is too large");
    }
  while (result == HARK_INFLATE_NEED_SPACE);
  return TRUE;
}

static gboolean
take_piece (HarkWebSocketCodec *self, const HarkWebSocketContext *context, const guint8 *data, gsize len,
            HarkWebSocketEvent *event)
{
  HarkWebSocketPart *part = self->part;
  if (len == 0)
    return TRUE;
  if (part->compressed)
    return inflate_piece (self, context, data, len, event);
  if (!check_text (self, data, len, event))
    return FALSE;
  reserve (part, len);
  memcpy (part->data + part->len, data, len);
  part->len += len;
  return TRUE;
}

/* The part is new: what an earlier message left was given back. */
static void
begin_message (HarkWebSocketCodec *self, HarkWebSocketContext *context, const Frame *frame)
{
  HarkWebSocketPart *part = ensure_part (self);
  part->opcode = frame->opcode;
  part->compressed = frame->rsv1;
  hark_utf8_init (&part->utf8);
  if (!part->compressed)
    return;
  part->inflater = g_steal_pointer (&context->inflater);
  if (part->inflater == NULL)
    part->inflater = hark_inflater_new ();
  else
    hark_inflater_reset (part->inflater);
}

static void
report_message (HarkWebSocketEvent *event, guint opcode, const guint8 *data, gsize len)
{
  event->kind = HARK_WEBSOCKET_EVENT_MESSAGE;
  event->binary = opcode == HARK_WEBSOCKET_BINARY;
  event->data = len > 0 ? data : (const guint8 *)"";
  event->len = len;
}

static gboolean
end_message (HarkWebSocketCodec *self, HarkWebSocketContext *context, HarkWebSocketEvent *event)
{
  HarkWebSocketPart *part = self->part;
  if (part->compressed && !inflate_piece (self, context, NULL, 0, event))
    return FALSE;
  return_inflater (part, context);
  if (part->opcode == HARK_WEBSOCKET_TEXT && !hark_utf8_is_complete (&part->utf8))
    return fail (self, event, HARK_CLOSE_INVALID_DATA, "text is not UTF-8");
  report_message (event, part->opcode, part->data, part->len);
  part->opcode = HARK_WEBSOCKET_CONTINUATION;
  return TRUE;
}

/* The common case: the whole message is one frame and lies in the bytes at @data. */
static void
take_whole (HarkWebSocketCodec *self, const Frame *frame, guint8 *data, HarkWebSocketEvent *event)
{
  self->header_len = 0;
  unmask (data, frame->len, frame->mask, 0);
  if (frame->opcode == HARK_WEBSOCKET_TEXT && !hark_utf8_validate (data, frame->len))
    fail (self, event, HARK_CLOSE_INVALID_DATA, "text is not UTF-8");
  else
    report_message (event, frame->opcode, data, frame->len);
}

static gboolean
take_data (HarkWebSocketCodec *self, HarkWebSocketContext *context, const Frame *frame, guint8 **p, const guint8 *end,
           HarkWebSocketEvent *event)
{
  HarkWebSocketPart *part;
  gsize n;
  if (!in_message (self))
    begin_message (self, context, frame);
  part = self->part;
  n = MIN ((gsize)(end - *p), frame->len - part->taken);
  unmask (*p, n, frame->mask, part->taken);
  if (!take_piece (self, context, *p, n, event))
    return FALSE;
  *p += n;
  part->taken += n;
  if (part->taken < frame->len)
    return FALSE;
  part->taken = 0;
  part->wire_len += frame->len;
  part->fragments++;
  self->header_len = 0;
  return !frame->fin || end_message (self, context, event);
}

/**
 * hark_websocket_is_close_code:
 *
 * Returns: whether @code may stand in a close frame (RFC 6455 section 7.4, and IANA's registry up to 1014)
 */
gboolean
hark_websocket_is_close_code (guint code)
{
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static gboolean
report_close (HarkWebSocketCodec *self, const guint8 *data, gsize len, HarkWebSocketEvent *event)
{
  guint code = HARK_CLOSE_NO_STATUS;
  if (len == 1)
    return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "close frame of one byte");
  if (len >= 2)
    {
      code = data[0] << 8 | data[1];
      if (!hark_websocket_is_close_code (code))
        return fail (self, event, HARK_CLOSE_PROTOCOL_ERROR, "invalid close code");
      if (!hark_utf8_validate (data + 2, len - 2))
        return fail (self, event, HARK_CLOSE_INVALID_DATA, "close reason is not UTF-8");
    }
  self->finished = TRUE;
  event->kind = HARK_WEBSOCKET_EVENT_CLOSE;
  event->code = code;
  event->data = len > 2 ? data + 2 : (const guint8 *)"";
  event->len = len > 2 ? len - 2 : 0;
  return TRUE;
}

static gboolean
take_control (HarkWebSocketCodec *self, const Frame *frame, guint8 **p, const guint8 *end, HarkWebSocketEvent *event)
{
  gsize n = end - *p;
  guint8 *payload = *p;
  if (n >= frame->len && (self->part == NULL || self->part->taken == 0))
    {
      unmask (payload, frame->len, frame->mask, 0);
      *p += frame->len;
    }
  else
    {
      HarkWebSocketPart *part = ensure_part (self);
      n = MIN (n, frame->len - part->taken);
      memcpy (part->control + part->taken, *p, n);
      unmask (part->control + part->taken, n, frame->mask, part->taken);
      *p += n;
      part->taken += n;
      if (part->taken < frame->len)
        return FALSE;
      part->taken = 0;
      payload = part->control;
    }
  self->header_len = 0;
  if (frame->opcode == HARK_WEBSOCKET_CLOSE)
    return report_close (self, payload, frame->len, event);
  event->kind = frame->opcode == HARK_WEBSOCKET_PING ? HARK_WEBSOCKET_EVENT_PING : HARK_WEBSOCKET_EVENT_PONG;
  event->data = payload;
  event->len = frame->len;
  return TRUE;
}

static inline gboolean
is_whole (const HarkWebSocketCodec *self, const Frame *frame, gsize available)
{
  return !in_message (self) && frame->fin && !frame->rsv1 && available >= frame->len;
}

/**
 * hark_websocket_codec_next:
 * @data: (array length=len): what came, from where the previous call stopped; is changed
 * @event: (out caller-allocates): what it amounts to
 *
 * Takes bytes until something happens. Call again with the rest while the event is not %HARK_WEBSOCKET_EVENT_NONE.
 * After a close frame or a failure everything is taken and nothing reported.
 *
 * Returns: how many of @data were taken
 */
gsize
hark_websocket_codec_next (HarkWebSocketCodec *self, HarkWebSocketContext *context, guint8 *data, gsize len,
                           HarkWebSocketEvent *event)
{
  guint8 *p = data;
  const guint8 *end = data + len;
  Frame frame;
  *event = (HarkWebSocketEvent){ HARK_WEBSOCKET_EVENT_NONE };
  if (self->finished)
    return len;
  hark_websocket_codec_trim (self, context);
  while (event->kind == HARK_WEBSOCKET_EVENT_NONE && take_header (self, context, &p, end, &frame, event))
    {
      if ((frame.opcode & CONTROL) != 0)
        {
          if (!take_control (self, &frame, &p, end, event))
            break;
        }
      else if (is_whole (self, &frame, end - p))
        {
          take_whole (self, &frame, p, event);
          p += frame.len;
        }
      else if (!take_data (self, context, &frame, &p, end, event))
        {
          break;
        }
    }
  return event->kind == HARK_WEBSOCKET_EVENT_FAILURE ? len : (gsize)(p - data);
}

/**
 * hark_websocket_header:
 * @out: (out caller-allocates): where it is written
 * @rsv1: whether the payload is compressed
 * @len: bytes of payload that will follow
 *
 * Returns: how many bytes were written
 */
gsize
hark_websocket_header (guint8 out[HARK_WEBSOCKET_MAX_OUT_HEADER], guint opcode, gboolean rsv1, guint64 len)
{
  out[0] = FIN | (rsv1 ? RSV1 : 0) | opcode;
  if (len < LENGTH_16)
    {
      out[1] = len;
      return 2;
    }
  if (len <= G_MAXUINT16)
    {
      out[1] = LENGTH_16;
      out[2] = len >> 8;
      out[3] = len & 0xFF;
      return 4;
    }
  out[1] = LENGTH_64;
  for (guint i = 0; i < 8; i++)
    out[2 + i] = len >> (56 - 8 * i) & 0xFF;
  return HARK_WEBSOCKET_MAX_OUT_HEADER;
}

/**
 * hark_websocket_encode:
 * @opcode: a #HarkWebSocketOpcode
 *
 * Returns: (transfer full): one whole frame
 */
HarkBuffer *
hark_websocket_encode (guint opcode, gconstpointer data, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize n = hark_websocket_header (header, opcode, FALSE, len);
  HarkBuffer *frame = hark_buffer_new_uninitialized (n + len);
  memcpy (frame->data, header, n);
  if (len > 0)
    memcpy (frame->data + n, data, len);
  return frame;
}

/**
 * hark_websocket_encode_close:
 * @code: a #HarkCloseCode; with %HARK_CLOSE_NO_STATUS the frame is empty
 * @reason: (nullable): UTF-8, cut at the last character that fits
 *
 * Returns: (transfer full): a close frame
 */
HarkBuffer *
hark_websocket_encode_close (guint code, const char *reason)
{
  guint8 payload[HARK_WEBSOCKET_MAX_CONTROL];
  gsize len = reason != NULL ? strlen (reason) : 0;
  if (code == HARK_CLOSE_NO_STATUS)
    return hark_websocket_encode (HARK_WEBSOCKET_CLOSE, NULL, 0);
  if (len > HARK_WEBSOCKET_MAX_REASON)
    len = g_utf8_find_prev_char (reason, reason + HARK_WEBSOCKET_MAX_REASON + 1) - reason;
  payload[0] = code >> 8;
  payload[1] = code & 0xFF;
  if (len > 0)
    memcpy (payload + 2, reason, len);
  return hark_websocket_encode (HARK_WEBSOCKET_CLOSE, payload, len + 2);
}
