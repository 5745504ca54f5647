/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/reactor.h"

G_BEGIN_DECLS

gboolean hark_websocket_can_be_saved (HarkWebSocket *self);
GVariant *hark_websocket_save (HarkWebSocket *self);
HarkWebSocket *hark_websocket_restore (HarkReactor *reactor, int fd, GVariant *state, GError **error);

G_END_DECLS
