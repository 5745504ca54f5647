/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "bus/socketio1.h"
#include "chat/chat.h"
#include "daemon/config.h"
#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

gboolean hark_back_ends_start_webhook (HarkChat *chat, HarkConfig *config, HarkClock *clock, GError **error);
void hark_back_ends_connect (HarkSocketioNamespaces *namespaces, HarkBusSocketio1Object *socketio1, HarkChat *chat);

G_END_DECLS
