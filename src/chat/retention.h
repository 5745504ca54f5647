/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "chat/chat-limits.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkRetention HarkRetention;

HarkRetention *hark_retention_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics,
                                   const HarkChatLimits *limits);
void hark_retention_free (HarkRetention *self);

G_END_DECLS
