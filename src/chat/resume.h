/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/session-store.h"

G_BEGIN_DECLS

typedef struct _HarkResume HarkResume;

HarkResume *hark_resume_new (HarkHub *hub, HarkSnapshots *snapshots, HarkSessionStore *session_store,
                             HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_resume_free (HarkResume *self);

G_END_DECLS
