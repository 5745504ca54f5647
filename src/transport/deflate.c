/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * permessage-deflate (RFC 7692) on zlib, without context takeover on either side: no connection owns a window while it
 * is idle, and a frame compressed once fits every receiver. What it costs in size is little, because what is sent in
 * one turn is compressed as one message.
 */
#include "transport/deflate.h"

#include "transport/websocket-codec.h"

#include <string.h>
#include <zlib.h>

#define MEM_LEVEL 6

/* What every sender strips from the end of a message and every receiver puts there (section 7.2.1). */
static const guint8 tail[4] = { 0x00, 0x00, 0xFF, 0xFF };

/* Reads the offer; a cursor rather than g_strsplit (), which takes no heed of quotes. */
typedef struct
{
  const char *p;
  gboolean malformed;
} Reader;

#define MAX_TOKEN 64

static void
skip_space (Reader *reader)
{
  while (*reader->p == ' ' || *reader->p == '\t')
    reader->p++;
}

static gboolean
skip_char (Reader *reader, char c)
{
  skip_space (reader);
  if (*reader->p != c)
    return FALSE;
  reader->p++;
  return TRUE;
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

/* One too long for @out is none of ours and is left empty. */
static void
read_token (Reader *reader, char out[MAX_TOKEN])
{
  const char *start;
  gsize len;
  skip_space (reader);
  start = reader->p;
  while (is_token_char (*reader->p))
    reader->p++;
  len = reader->p - start;
  if (len == 0)
    reader->malformed = TRUE;
  if (len >= MAX_TOKEN)
    len = 0;
  memcpy (out, start, len);
  out[len] = '\0';
}

/* What is quoted must be a token too (RFC 6455 section 9.1). */
static void
read_value (Reader *reader, char out[MAX_TOKEN])
{
  gboolean quoted = skip_char (reader, '"');
  read_token (reader, out);
  if (quoted && *reader->p++ != '"')
    {
      reader->p--;
      reader->malformed = TRUE;
    }
}

typedef struct
{
  gboolean acceptable;
  gboolean server_no_context_takeover;
  gboolean client_no_context_takeover;
  guint server_max_window_bits; /* 0: not offered */
  gboolean client_max_window_bits;
} Offer;

/* Returns: 8 to 15, or 0 when @value is nothing of the kind */
static guint
parse_window_bits (const char *value)
{
  if (value[0] >= '8' && value[0] <= '9' && value[1] == '\0')
    return value[0] - '0';
  if (value[0] == '1' && value[1] >= '0' && value[1] <= '5' && value[2] == '\0')
    return 10 + value[1] - '0';
  return 0;
}

static gboolean
set_once (gboolean *flag)
{
  gboolean first = !*flag;
  *flag = TRUE;
  return first;
}

static gboolean
take_parameter (Offer *offer, const char *name, const char *value)
{
  if (strcmp (name, "server_no_context_takeover") == 0)
    return value == NULL && set_once (&offer->server_no_context_takeover);
  if (strcmp (name, "client_no_context_takeover") == 0)
    return value == NULL && set_once (&offer->client_no_context_takeover);
  if (strcmp (name, "client_max_window_bits") == 0)
    return (value == NULL || parse_window_bits (value) != 0) && set_once (&offer->client_max_window_bits);
  if (strcmp (name, "server_max_window_bits") == 0)
    {
      if (value == NULL || offer->server_max_window_bits != 0)
        return FALSE;
      offer->server_max_window_bits = parse_window_bits (value);
      return offer->server_max_window_bits >= HARK_DEFLATE_WINDOW_BITS;
    }
  return FALSE;
}

static Offer
read_offer (Reader *reader)
{
  char name[MAX_TOKEN];
  char value[MAX_TOKEN];
  Offer offer = { 0 };
  read_token (reader, name);
  offer.acceptable = strcmp (name, "permessage-deflate") == 0;
  while (!reader->malformed && skip_char (reader, ';'))
    {
      gboolean has_value;
      read_token (reader, name);
      has_value = skip_char (reader, '=');
      if (has_value)
        read_value (reader, value);
      if (!take_parameter (&offer, name, has_value ? value : NULL))
        offer.acceptable = FALSE;
    }
  return offer;
}

/**
 * hark_deflate_negotiate:
 * @offer: (nullable): the request's Sec-WebSocket-Extensions, joined with commas if there were several
 *
 * Takes the first offer that can be served; those with an unknown, repeated or wrong parameter are declined, and so is
 * a smaller window than ours. A header that is too long or not one at all declines everything.
 *
 * Returns: (transfer full) (nullable): the response's Sec-WebSocket-Extensions, or %NULL to answer without
 */
char *
hark_deflate_negotiate (const char *offer)
{
  Reader reader = { offer };
  Offer accepted = { 0 };
  if (offer == NULL || strnlen (offer, HARK_DEFLATE_MAX_OFFER + 1) > HARK_DEFLATE_MAX_OFFER)
    return NULL;
  do
    {
      Offer next;
      skip_space (&reader);
      if (*reader.p == ',' || *reader.p == '\0')
        continue;
      next = read_offer (&reader);
      if (next.acceptable && !accepted.acceptable)
        accepted = next;
    }
  while (!reader.malformed && skip_char (&reader, ','));
  if (reader.malformed || *reader.p != '\0' || !accepted.acceptable)
    return NULL;
  if (accepted.server_max_window_bits != 0)
    return g_strdup_printf ("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                            "server_max_window_bits=%d",
                            HARK_DEFLATE_WINDOW_BITS);
  return g_strdup ("permessage-deflate; server_no_context_takeover; client_no_context_takeover");
}

struct _HarkDeflater
{
  z_stream z;
  guint8 *out; /* (owned) */
  gsize out_size;
};

/**
 * hark_deflater_new:
 * @level: 1 (fast) to 9 (small)
 */
HarkDeflater *
hark_deflater_new (int level)
{
  HarkDeflater *self = g_new0 (HarkDeflater, 1);
  int result = deflateInit2 (&self->z, level, Z_DEFLATED, -HARK_DEFLATE_WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY);
  g_assert (result == Z_OK);
  return self;
}

void
hark_deflater_free (HarkDeflater *self)
{
  deflateEnd (&self->z);
  g_free (self->out);
  g_free (self);
}

/**
 * hark_deflate_encode_frame:
 * @opcode: %HARK_WEBSOCKET_TEXT or %HARK_WEBSOCKET_BINARY
 * @len: below 4 GiB
 *
 * Returns: (transfer full): one whole frame for clients with permessage-deflate. It is compressed only where that
 *   makes it smaller, which the extension leaves to the sender
 */
HarkBuffer *
hark_deflate_encode_frame (HarkDeflater *self, guint opcode, gconstpointer data, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize header_len;
  gsize compressed;
  HarkBuffer *frame;
  int result;
  if (len == 0)
    return hark_websocket_encode (opcode, data, len);
  /* Room for what is no longer than the payload and the tail, which is not sent: more need not be known. */
  if (self->out_size < len + sizeof tail)
    {
      self->out_size = len + sizeof tail;
      self->out = g_realloc (self->out, self->out_size);
    }
  deflateReset (&self->z);
  self->z.next_in = (guint8 *)data;
  self->z.avail_in = len;
  self->z.next_out = self->out;
  self->z.avail_out = len + sizeof tail;
  result = deflate (&self->z, Z_SYNC_FLUSH);
  g_assert (result == Z_OK);
  if (self->z.avail_out == 0)
    return hark_websocket_encode (opcode, data, len);
  compressed = self->z.next_out - self->out - sizeof tail;
  header_len = hark_websocket_header (header, opcode, TRUE, compressed);
  frame = hark_buffer_new_uninitialized (header_len + compressed);
  memcpy (frame->data, header, header_len);
  memcpy (frame->data + header_len, self->out, compressed);
  return frame;
}

struct _HarkInflater
{
  z_stream z;
  gboolean ended;    /* a block said that it was the last; another may follow all the same (section 7.2.3.4) */
  guint8 tail_taken; /* by hark_inflater_finish () */
};

HarkInflater *
hark_inflater_new (void)
{
  HarkInflater *self = g_new0 (HarkInflater, 1);
  int result = inflateInit2 (&self->z, -MAX_WBITS);
  g_assert (result == Z_OK);
  return self;
}

void
hark_inflater_free (HarkInflater *self)
{
  inflateEnd (&self->z);
  g_free (self);
}

/* Makes it as new, for another message. */
void
hark_inflater_reset (HarkInflater *self)
{
  inflateReset (&self->z);
  self->ended = FALSE;
  self->tail_taken = 0;
}

/**
 * hark_inflater_feed:
 * @data: (inout): the next compressed bytes; moved behind what was taken
 * @len: (inout): how many
 * @out: (array length=out_len) (out caller-allocates): where to write
 * @out_len: at least 1
 * @produced: (out): bytes written
 *
 * Returns: %HARK_INFLATE_NEED_SPACE when it is to be called again with more room, even with no input left
 */
HarkInflateResult
hark_inflater_feed (HarkInflater *self, const guint8 **data, gsize *len, guint8 *out, gsize out_len, gsize *produced)
{
  int result = Z_OK;
  self->z.next_in = (guint8 *)*data;
  self->z.avail_in = *len;
  self->z.next_out = out;
  self->z.avail_out = out_len;
  do
    {
      if (self->ended && self->z.avail_in > 0)
        {
          /* Unlike inflateReset () it keeps the window, into which the next block may point. */
          inflateResetKeep (&self->z);
          self->ended = FALSE;
        }
      if (!self->ended)
        result = inflate (&self->z, Z_SYNC_FLUSH);
      self->ended |= result == Z_STREAM_END;
    }
  while (self->ended && self->z.avail_in > 0 && self->z.avail_out > 0);
  *produced = out_len - self->z.avail_out;
  *data = self->z.next_in;
  *len = self->z.avail_in;
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
    return HARK_INFLATE_CORRUPT;
  return self->z.avail_out == 0 ? HARK_INFLATE_NEED_SPACE : HARK_INFLATE_NEED_INPUT;
}

/* The lowest bits of data_type count unused bits; this one says that a block has just ended. */
#define AT_BLOCK_END 128

/**
 * hark_inflater_finish:
 *
 * As hark_inflater_feed (), at the message's end. %HARK_INFLATE_CORRUPT also when the message ended inside of a block.
 */
HarkInflateResult
hark_inflater_finish (HarkInflater *self, guint8 *out, gsize out_len, gsize *produced)
{
  const guint8 *rest = tail + self->tail_taken;
  gsize rest_len = sizeof tail - self->tail_taken;
  HarkInflateResult result;
  *produced = 0;
  if (self->ended && self->tail_taken == 0)
    return HARK_INFLATE_NEED_INPUT;
  result = hark_inflater_feed (self, &rest, &rest_len, out, out_len, produced);
  self->tail_taken = sizeof tail - rest_len;
  if (result == HARK_INFLATE_NEED_INPUT && (self->z.data_type & AT_BLOCK_END) == 0)
    return HARK_INFLATE_CORRUPT;
  return result;
}
