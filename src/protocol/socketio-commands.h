/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

/* Registers what administrators and back ends may ask for; hark_dispatcher_remove () with @namespaces takes it away. */
void hark_socketio_commands_add (HarkSocketioNamespaces *namespaces, HarkDispatcher *dispatcher);

G_END_DECLS
