/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-conn.h"

/*
 * What differs between the servers that are compared. A server that has no word for something leaves the function
 * NULL, and a scenario that needs it says so.
 */
struct LoadProtocol
{
  const char *name;
  bool acks; /* publish is answered to the sender, beside the broadcast */
  bool needs_accounts;

  /* The request target of the handshake. */
  void (*path) (LoadConn *conn, char *out, size_t size);
  /* Says what there is to say before the connection counts as open; NULL: nothing, it is. */
  void (*upgraded) (LoadConn *conn);
  /* Makes an event of a message of the server. */
  void (*decode) (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event);

  /* To the whole channel, the sender too. @ref comes back with the ack. */
  void (*publish) (LoadConn *conn, const LoadPayload *payload, uint64_t ref);
  /* To be answered with the same. */
  void (*echo) (LoadConn *conn, const LoadPayload *payload);
  /* To the sessions of one other user. */
  void (*forward) (LoadConn *conn, const LoadAccount *target, const LoadPayload *payload);
};

/* For what speaks Socket.IO otherwise than over a WebSocket of the engine's: packets without the message's type.
 * Returns: their length, less than @size */
size_t load_socketio_connect (const LoadConn *conn, char *out, size_t size);
size_t load_socketio_publish (const LoadConn *conn, const LoadPayload *payload, char *out, size_t size);

const LoadProtocol *load_protocol_find (const char *name);
