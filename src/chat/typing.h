/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkTyping HarkTyping;

HarkTyping *hark_typing_new (HarkHub *hub, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_typing_free (HarkTyping *self);

G_END_DECLS
