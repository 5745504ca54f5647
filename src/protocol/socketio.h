/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/authenticator.h"
#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

#define HARK_TYPE_SOCKETIO (hark_socketio_get_type ())
G_DECLARE_FINAL_TYPE (HarkSocketio, hark_socketio, HARK, SOCKETIO, GObject)

HarkProtocol *hark_socketio_new (HarkSocketioNamespaces *namespaces, HarkAuthenticator *authenticator,
                                 HarkIdentity *guest);

G_END_DECLS
