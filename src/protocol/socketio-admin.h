/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/authenticator.h"
#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

/* Logins of the page's that are remembered, and for how long. */
#define HARK_SOCKETIO_ADMIN_MAX_LOGINS 100
#define HARK_SOCKETIO_ADMIN_LOGIN_MS (24 * 60 * 60 * 1000)

typedef struct _HarkSocketioAdmin HarkSocketioAdmin;

/* @is_verbose: each socket, room and event is told, and not only how many there are */
HarkSocketioAdmin *hark_socketio_admin_new (HarkSocketioNamespaces *namespaces, HarkHub *hub,
                                            HarkAuthenticator *authenticator, gboolean is_verbose, GError **error);
void hark_socketio_admin_free (HarkSocketioAdmin *self);

G_END_DECLS
