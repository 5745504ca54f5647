/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/notifications.h"
#include "chat/search-index.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkMessages HarkMessages;

HarkMessages *hark_messages_new (HarkHub *hub, HarkStore *store, HarkSearchIndex *search_index,
                                 HarkNotifications *notifications, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_messages_free (HarkMessages *self);

G_END_DECLS
