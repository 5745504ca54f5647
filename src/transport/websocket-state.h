/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/reactor.h"

G_BEGIN_DECLS

/* Address, whether it compresses, header, part of a message, input, outbox, pong, and what later versions add. */
#define HARK_WEBSOCKET_STATE_TYPE "(sbaym(yttuayay)aya(aytxx)aya{sv})"

gboolean hark_websocket_can_be_saved (HarkWebSocket *self);
GVariant *hark_websocket_save (HarkWebSocket *self);
GVariant *hark_websocket_state_new (const char *address, gboolean deflate);
HarkWebSocket *hark_websocket_restore (HarkReactor *reactor, int fd, GVariant *state, GError **error);

G_END_DECLS
