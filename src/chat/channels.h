/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkChannels HarkChannels;

HarkChannels *hark_channels_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits);
void hark_channels_free (HarkChannels *self);

G_END_DECLS
