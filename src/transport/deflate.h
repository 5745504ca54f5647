/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/buffer.h"

G_BEGIN_DECLS

/* What we compress with. An offer that asks for less is declined: a compressed frame is shared by all receivers. */
#define HARK_DEFLATE_WINDOW_BITS 12

/* Bytes of a Sec-WebSocket-Extensions header that are looked at; a longer one is answered without compression. */
#define HARK_DEFLATE_MAX_OFFER 1024

char *hark_deflate_negotiate (const char *offer);

/**
 * HarkDeflater:
 *
 * Compresses messages for permessage-deflate (RFC 7692), each for itself, so that whoever negotiated it can be sent
 * the same frame. One serves any number of connections of a thread.
 */
typedef struct _HarkDeflater HarkDeflater;

HarkDeflater *hark_deflater_new (int level);
void hark_deflater_free (HarkDeflater *self);
HarkBuffer *hark_deflate_encode_frame (HarkDeflater *self, guint opcode, gconstpointer data, gsize len);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkDeflater, hark_deflater_free)

/* What an inflater holds: a window of 32 KiB, and zlib's tables. */
#define HARK_INFLATER_BYTES (40 * 1024)

/**
 * HarkInflater:
 *
 * Undoes it, into a buffer of the caller's, who thereby bounds what comes out. Costs %HARK_INFLATER_BYTES while in use.
 */
typedef struct _HarkInflater HarkInflater;

typedef enum
{
  HARK_INFLATE_NEED_INPUT, /* all input is taken */
  HARK_INFLATE_NEED_SPACE, /* the output is full and there may be more */
  HARK_INFLATE_CORRUPT
} HarkInflateResult;

HarkInflater *hark_inflater_new (void);
void hark_inflater_free (HarkInflater *self);
void hark_inflater_reset (HarkInflater *self);
HarkInflateResult hark_inflater_feed (HarkInflater *self, const guint8 **data, gsize *len, guint8 *out, gsize out_len,
                                      gsize *produced);
HarkInflateResult hark_inflater_finish (HarkInflater *self, guint8 *out, gsize out_len, gsize *produced);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkInflater, hark_inflater_free)

G_END_DECLS
