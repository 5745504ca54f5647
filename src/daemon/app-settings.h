/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"
#include "chat/chat-limits.h"
#include "core/hub.h"
#include "daemon/config.h"
#include "protocol/socketio-store.h"
#include "store/sqlite-options.h"
#include "transport/engine-server.h"
#include "transport/front.h"
#include "transport/reactor.h"

G_BEGIN_DECLS

void hark_app_read_hub_limits (HarkConfig *config, HarkHubLimits *limits);
void hark_app_read_reactor_limits (HarkConfig *config, HarkReactorLimits *limits);
void hark_app_read_store_options (HarkConfig *config, HarkSqliteOptions *options);
/* All but the routes, which are the application's. Points into @config. */
void hark_app_read_front_config (HarkConfig *config, HarkFrontConfig *front);
void hark_app_read_api_limits (HarkConfig *config, HarkApiLimits *limits);
void hark_app_read_chat_limits (HarkConfig *config, HarkChatLimits *limits);
void hark_app_read_engine_limits (HarkConfig *config, HarkEngineLimits *limits);
void hark_app_read_socketio_limits (HarkConfig *config, HarkSocketioLimits *limits);
void hark_app_read_bus_limits (HarkConfig *config, HarkBusLimits *limits);

G_END_DECLS
