/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protocol meets framing. An event carries the JSON of the native protocol, so native wires only put a frame around it;
 * a compressed frame is shared by its receivers like any other, because each message is compressed for itself.
 */
#include "daemon/wires.h"

#include "bus/peer-transport.h"

#include "transport/engineio-codec.h"
#include "transport/websocket-codec.h"

/* zlib's own default level: chat messages are too short for more to pay. */
#define DEFLATE_LEVEL 6

/* Messages below this many bytes come out no smaller. */
#define DEFLATE_MIN 128

/* Behind those of the native protocol. */
#define FIRST_SOCKETIO_INDEX 4

typedef struct
{
  HarkWire wire;
  HarkDeflater *deflater; /* (owned) (nullable) */
} NativeWire;

struct _HarkWires
{
  NativeWire plain;
  NativeWire compressed;
  HarkWire engine;
  HarkWire page;
  HarkSocketioWires *socketio; /* (owned) */
};

static void
append_frame (HarkBuilder *out, const char *json, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize n = hark_websocket_header (header, HARK_WEBSOCKET_TEXT, FALSE, len);
  guint8 *frame = hark_builder_append_uninitialized (out, n + len);
  memcpy (frame, header, n);
  memcpy (frame + n, json, len);
}

static void
plain_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  append_frame (out, event->json, event->len);
}

static void
plain_append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  append_frame (out, json, len);
}

static void
append_compressed (const HarkWire *wire, HarkBuilder *out, const char *json, gsize len)
{
  const NativeWire *self = (const NativeWire *)wire;
  g_autoptr (HarkBuffer) frame = NULL;
  if (len < DEFLATE_MIN)
    {
      append_frame (out, json, len);
      return;
    }
  frame = hark_deflate_encode_frame (self->deflater, HARK_WEBSOCKET_TEXT, json, len);
  hark_builder_append (out, frame->data, frame->len);
}

static void
compressed_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  append_compressed (wire, out, event->json, event->len);
}

static void
compressed_append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  append_compressed (wire, out, json, len);
}

static void
append_packet (HarkBuilder *out, const char *json, gsize len)
{
  memcpy (hark_engineio_append_text (out, HARK_ENGINEIO_MESSAGE, len), json, len);
}

static void
engine_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  append_packet (out, event->json, event->len);
}

static void
engine_append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  append_packet (out, json, len);
}

/* Pages that know nothing of Hark show what they get, and get that somebody came and went as a sentence, in JSON. */
static void
page_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  static const char joined[] = "\"new user joined\"", left[] = "\"user left\"";
  if (g_str_equal (event->kind, "user_joined"))
    append_frame (out, joined, strlen (joined));
  else if (g_str_equal (event->kind, "user_left"))
    append_frame (out, left, strlen (left));
  else if (!g_str_equal (event->kind, "welcome"))
    append_frame (out, event->json, event->len);
}

/* Socket.IO: packets are messages of Engine.IO. */

static guint8 *
append_socketio_text (HarkBuilder *out, gsize len)
{
  return hark_engineio_append_text (out, HARK_ENGINEIO_MESSAGE, len);
}

static const HarkSocketioFraming socketio_framing = { append_socketio_text, hark_engineio_append_binary };

HarkWires *
hark_wires_new (void)
{
  HarkWires *self = g_new0 (HarkWires, 1);
  self->plain.wire = (HarkWire){ 0, "native", plain_append_event, plain_append_reply };
  self->compressed.wire = (HarkWire){ 1, "native, compressed", compressed_append_event, compressed_append_reply };
  self->compressed.deflater = hark_deflater_new (DEFLATE_LEVEL);
  self->engine = (HarkWire){ 2, "native, by Engine.IO", engine_append_event, engine_append_reply };
  self->page = (HarkWire){ 3, "native, for pages", page_append_event, plain_append_reply };
  G_STATIC_ASSERT (FIRST_SOCKETIO_INDEX + HARK_SOCKETIO_N_WIRES <= HARK_BUS_PEER_WIRE_INDEX);
  self->socketio = hark_socketio_wires_new (FIRST_SOCKETIO_INDEX, &socketio_framing);
  return self;
}

void
hark_wires_free (HarkWires *self)
{
  hark_deflater_free (self->compressed.deflater);
  hark_socketio_wires_free (self->socketio);
  g_free (self);
}

/* Returns: (transfer none): the wire of a WebSocket that speaks the native protocol */
const HarkWire *
hark_wires_get_native (HarkWires *self, gboolean deflate)
{
  return deflate ? &self->compressed.wire : &self->plain.wire;
}

/* Returns: (transfer none): the wire of a WebSocket at a page's own address that did not ask for our subprotocol */
const HarkWire *
hark_wires_get_plain (HarkWires *self)
{
  return &self->page;
}

/* Returns: (transfer none): the wire of an Engine.IO session that speaks the native protocol */
const HarkWire *
hark_wires_get_engine (HarkWires *self)
{
  return &self->engine;
}

/* Returns: (transfer none): the wires of sessions that speak Socket.IO */
HarkSocketioWires *
hark_wires_get_socketio (HarkWires *self)
{
  return self->socketio;
}
