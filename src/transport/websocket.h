/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transport.h"

G_BEGIN_DECLS

#define HARK_TYPE_WEBSOCKET (hark_websocket_get_type ())
G_DECLARE_FINAL_TYPE (HarkWebSocket, hark_websocket, HARK, WEBSOCKET, HarkTransport)

void hark_websocket_start (HarkWebSocket *self);
gboolean hark_websocket_is_deflate (HarkWebSocket *self);
gboolean hark_websocket_write_from (HarkWebSocket *self, HarkOutbox *outbox);
int hark_websocket_get_fd (HarkWebSocket *self);
int hark_websocket_steal_fd (HarkWebSocket *self);

G_END_DECLS
