/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-reader.h"

G_BEGIN_DECLS

/* Socket.IO protocol 5. The types of packets, as the digit each begins with. */
typedef enum
{
  HARK_SOCKETIO_CONNECT = 0,
  HARK_SOCKETIO_DISCONNECT = 1,
  HARK_SOCKETIO_EVENT = 2,
  HARK_SOCKETIO_ACK = 3,
  HARK_SOCKETIO_CONNECT_ERROR = 4,
  HARK_SOCKETIO_BINARY_EVENT = 5,
  HARK_SOCKETIO_BINARY_ACK = 6
} HarkSocketioType;

/* Attachments of one packet at most, both ways: what the reference's decoders take. */
#define HARK_SOCKETIO_MAX_ATTACHMENTS 10

/* "There is no acknowledgement": ids are integers from 0 on. */
#define HARK_SOCKETIO_NO_ID (-1)

/**
 * HarkSocketioPacket:
 * @n_attachments: binary messages that follow
 * @nsp: "/", or what it begins with up to the comma, without the query
 * @id: of the acknowledgement that is wanted, or that this is; %HARK_SOCKETIO_NO_ID for none
 * @payload: JSON, of the kind that @type wants, %NULL when there is none
 * @name: of an event: what stands between the quotes of its name, or a number's digits
 * @args: of an event: the elements behind its name, without the brackets: JSON values with commas between, of no length
 *   when there are none
 * @n_args: of an event: how many
 *
 * A packet's text, pointing into it.
 */
typedef struct
{
  HarkSocketioType type;
  guint n_attachments;
  HarkJsonSlice nsp;
  gint64 id;
  HarkJsonSlice payload;
  HarkJsonSlice name;
  HarkJsonSlice args;
  guint n_args;
} HarkSocketioPacket;

gboolean hark_socketio_parse (HarkSocketioPacket *packet, const char *data, gsize len, GError **error);
gboolean hark_socketio_read_payload (HarkSocketioPacket *packet, const char *json, gsize len, GError **error);

void hark_socketio_append_header (GString *out, HarkSocketioType type, guint n_attachments, const char *nsp, gint64 id);

/*
 * Binary data inside the hub. All that is not Socket.IO knows JSON only, so a packet's attachments stand in it as
 * {"$binary":"<base64>"}, and are attachments again where the JSON leaves in a packet.
 */
gboolean hark_socketio_embed (GString *out, const char *json, gsize len, GBytes *const *attachments,
                              guint n_attachments, GError **error);
gboolean hark_socketio_has_binary (const char *json, gsize len);
gboolean hark_socketio_extract (GString *out, const char *json, gsize len, GPtrArray *attachments);

G_END_DECLS
