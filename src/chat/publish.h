/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/rooms.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkPublish HarkPublish;

HarkPublish *hark_publish_new (HarkHub *hub, HarkStore *store, HarkRooms *rooms, HarkMetrics *metrics,
                               const HarkChatLimits *limits);
void hark_publish_free (HarkPublish *self);

G_END_DECLS
