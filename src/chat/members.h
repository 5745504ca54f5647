/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkMembers HarkMembers;

HarkMembers *hark_members_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits);
void hark_members_free (HarkMembers *self);

G_END_DECLS
