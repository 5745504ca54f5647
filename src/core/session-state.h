/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

gboolean hark_session_is_settled (HarkSession *self);
GVariant *hark_session_save (HarkSession *self);
HarkSession *hark_session_restore (HarkHub *hub, HarkTransport *transport, HarkProtocol *protocol, const HarkWire *wire,
                                   GVariant *state, GError **error);

G_END_DECLS
