/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transport.h"

G_BEGIN_DECLS

#define HARK_TYPE_ENGINE (hark_engine_get_type ())
G_DECLARE_FINAL_TYPE (HarkEngine, hark_engine, HARK, ENGINE, HarkTransport)

/*
 * HarkEngine: a session of Engine.IO protocol 4, however it travels: long polling, WebSocket, or the one upgraded to
 * the other while it goes on. Made by a HarkEngineServer.
 *
 * Its sink gets each `message` packet's payload: text without the "4" before it, binary as binary. A wire unit in its
 * outbox is one whole WebSocket frame of a server: a text frame whose payload begins with the packet's type (see
 * hark_engineio_append_text ()), or a binary frame. A poll is answered with the same units taken out of their frames,
 * so that a fan-out is encoded once for all, and an upgrade only changes who writes the outbox.
 *
 * It closes with these codes: HARK_CLOSE_NORMAL (the client's close packet), HARK_CLOSE_PROTOCOL_ERROR (a packet that
 * is none, requests that overlap), HARK_CLOSE_ABNORMAL (a request that was cut), HARK_CLOSE_IDLE (no pong), and those
 * of its WebSocket; the reasons are those of the reference server.
 */

/* Returns: (transfer none): the session's id, which is a secret of its client */
const char *hark_engine_get_sid (HarkEngine *self);

/* Returns: of the route it was opened by: what is spoken in it */
guint hark_engine_get_route_kind (HarkEngine *self);

/* Returns: how it travels now, "polling" or "websocket" */
const char *hark_engine_get_way (HarkEngine *self);

G_END_DECLS
