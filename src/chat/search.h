/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkSearch HarkSearch;

HarkSearch *hark_search_new (HarkHub *hub, HarkStore *store, const HarkChatLimits *limits);
void hark_search_free (HarkSearch *self);

G_END_DECLS
