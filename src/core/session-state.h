/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

/* Id, since, sent, received, strikes, whether it is resumable and gets its user's personal topic, identity (user, name,
 * token, its end, flags), subscriptions (topic, cursor, key, parts), users it has loaded, rev (-1: it was told
 * everything that was published), and what later versions add. */
#define HARK_SESSION_STATE_TYPE "(xxttqbb(xsxxu)a(sxtma(xx))axxa{sv})"

gboolean hark_session_is_settled (HarkSession *self);
GVariant *hark_session_save (HarkSession *self);
HarkSession *hark_session_restore (HarkHub *hub, HarkTransport *transport, HarkProtocol *protocol, const HarkWire *wire,
                                   GVariant *state, GError **error);

G_END_DECLS
