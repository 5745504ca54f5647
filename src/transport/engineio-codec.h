/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/builder.h"

G_BEGIN_DECLS

/* The types of packets, as the character each begins with. */
typedef enum
{
  HARK_ENGINEIO_OPEN = '0',
  HARK_ENGINEIO_CLOSE = '1',
  HARK_ENGINEIO_PING = '2',
  HARK_ENGINEIO_PONG = '3',
  HARK_ENGINEIO_MESSAGE = '4',
  HARK_ENGINEIO_UPGRADE = '5',
  HARK_ENGINEIO_NOOP = '6'
} HarkEngineIOType;

/* Between the packets of a payload. */
#define HARK_ENGINEIO_SEPARATOR '\x1e'

/**
 * HarkEngineIOPacket:
 * @binary: of a message: @data is not text
 * @data: not 0-terminated
 */
typedef struct
{
  HarkEngineIOType type;
  gboolean binary;
  const guint8 *data;
  gsize len;
} HarkEngineIOPacket;

gboolean hark_engineio_parse (HarkEngineIOPacket *packet, guint8 *data, gsize len);
gboolean hark_engineio_payload_next (HarkEngineIOPacket *packet, guint8 *payload, gsize len, gsize *offset);

/* The answers the reference server gives. */
typedef enum
{
  HARK_ENGINEIO_UNKNOWN_TRANSPORT = 0,
  HARK_ENGINEIO_UNKNOWN_SID = 1,
  HARK_ENGINEIO_BAD_HANDSHAKE_METHOD = 2,
  HARK_ENGINEIO_BAD_REQUEST = 3,
  HARK_ENGINEIO_FORBIDDEN = 4,
  HARK_ENGINEIO_UNSUPPORTED_VERSION = 5
} HarkEngineIOError;

const char *hark_engineio_error_get_message (HarkEngineIOError error);

typedef enum
{
  HARK_ENGINEIO_NO_TRANSPORT,
  HARK_ENGINEIO_POLLING,
  HARK_ENGINEIO_WEBSOCKET
} HarkEngineIOTransport;

/* Characters of a session id of ours, and the 0 byte. */
#define HARK_ENGINEIO_SID_LEN 21

/**
 * HarkEngineIOQuery:
 * @sid: empty when there is none; cut, and so known to nobody, when it is longer than ours are
 * @jsonp: whether the answer is wanted as a script
 *
 * What a request's query says that concerns Engine.IO.
 */
typedef struct
{
  gboolean version_4;
  gboolean jsonp;
  HarkEngineIOTransport transport;
  char sid[HARK_ENGINEIO_SID_LEN + 1];
} HarkEngineIOQuery;

void hark_engineio_query_parse (HarkEngineIOQuery *self, const char *query);

/* Wire units: whole WebSocket frames of a server. */
guint8 *hark_engineio_append_text (HarkBuilder *out, HarkEngineIOType type, gsize len);
guint8 *hark_engineio_append_binary (HarkBuilder *out, gsize len);

void hark_engineio_payload_append (GByteArray *payload, const guint8 *units, gsize len);

G_END_DECLS
