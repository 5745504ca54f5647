/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkInterests HarkInterests;

HarkInterests *hark_interests_new (HarkHub *hub, HarkSnapshots *snapshots, const HarkChatLimits *limits);
void hark_interests_free (HarkInterests *self);

G_END_DECLS
