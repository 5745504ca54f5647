/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/buffer.h"
#include "transport/deflate.h"

G_BEGIN_DECLS

/* The opcodes of RFC 6455 section 5.2; bit 3 is set on control frames. */
typedef enum
{
  HARK_WEBSOCKET_CONTINUATION = 0x0,
  HARK_WEBSOCKET_TEXT = 0x1,
  HARK_WEBSOCKET_BINARY = 0x2,
  HARK_WEBSOCKET_CLOSE = 0x8,
  HARK_WEBSOCKET_PING = 0x9,
  HARK_WEBSOCKET_PONG = 0xA
} HarkWebSocketOpcode;

#define HARK_WEBSOCKET_MAX_HEADER 14   /* of a client's frame */
#define HARK_WEBSOCKET_MAX_CONTROL 125 /* bytes in a control frame */
#define HARK_WEBSOCKET_MAX_REASON 123  /* bytes of UTF-8 in a close frame, behind the code */

/**
 * HarkWebSocketContext:
 * @max_message: bytes of a whole message, inflated and assembled
 * @max_fragments: frames of one message, empty ones too
 * @inflater: (owned) (nullable): spare one, kept from a finished compressed message for the next
 *
 * What the codecs of many connections share. Belongs to one thread.
 */
typedef struct
{
  guint32 max_message;
  guint32 max_fragments;
  HarkInflater *inflater;
} HarkWebSocketContext;

void hark_websocket_context_clear (HarkWebSocketContext *self);

typedef struct _HarkWebSocketPart HarkWebSocketPart;

/**
 * HarkWebSocketCodec:
 *
 * Reads what a client sends, in whatever pieces it comes, and refuses what RFC 6455 (and 7692, if negotiated) refuses.
 * Between frames, outside of a message, it owns no memory: thousands of connections lie idle in exactly that state.
 */
typedef struct
{
  HarkWebSocketPart *part; /* (owned) (nullable): what is held of an unfinished frame or message */
  guint8 header[HARK_WEBSOCKET_MAX_HEADER];
  guint8 header_len;   /* how much of the current frame's header has come */
  guint8 deflate : 1;  /* permessage-deflate was negotiated */
  guint8 finished : 1; /* a close frame or a failure was reported: nothing more is read */
} HarkWebSocketCodec;

typedef enum
{
  HARK_WEBSOCKET_EVENT_NONE,    /* all bytes are taken and more are needed */
  HARK_WEBSOCKET_EVENT_MESSAGE, /* @data: the whole message; @binary */
  HARK_WEBSOCKET_EVENT_PING,    /* @data: to be sent back in a pong */
  HARK_WEBSOCKET_EVENT_PONG,    /* @data */
  HARK_WEBSOCKET_EVENT_CLOSE,   /* @code: of the peer, %HARK_CLOSE_NO_STATUS when it gave none; @data: its reason */
  HARK_WEBSOCKET_EVENT_FAILURE  /* @code: to close with; @reason: for the close frame and the log */
} HarkWebSocketEventKind;

typedef struct
{
  HarkWebSocketEventKind kind;
  gboolean binary;
  guint code;
  const char *reason; /* static */
  const guint8 *data; /* in the bytes passed in, or owned by the codec until it is called again; not 0-terminated */
  gsize len;
} HarkWebSocketEvent;

void hark_websocket_codec_init (HarkWebSocketCodec *self, gboolean deflate);
void hark_websocket_codec_clear (HarkWebSocketCodec *self, HarkWebSocketContext *context);
gsize hark_websocket_codec_next (HarkWebSocketCodec *self, HarkWebSocketContext *context, guint8 *data, gsize len,
                                 HarkWebSocketEvent *event);
void hark_websocket_codec_trim (HarkWebSocketCodec *self, HarkWebSocketContext *context);

/* Of the server's frames. */
#define HARK_WEBSOCKET_MAX_OUT_HEADER 10

gsize hark_websocket_header (guint8 out[HARK_WEBSOCKET_MAX_OUT_HEADER], guint opcode, gboolean rsv1, guint64 len);
HarkBuffer *hark_websocket_encode (guint opcode, gconstpointer data, gsize len);
HarkBuffer *hark_websocket_encode_close (guint code, const char *reason);
gboolean hark_websocket_is_close_code (guint code);

G_END_DECLS
