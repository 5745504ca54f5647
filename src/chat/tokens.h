/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/token-authenticator.h"
#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkTokens HarkTokens;

HarkTokens *hark_tokens_new (HarkHub *hub, HarkStore *store, HarkTokenAuthenticator *authenticator,
                             const HarkChatLimits *limits);
void hark_tokens_end (HarkTokens *self, gint64 user_id, gint64 token_id, const char *reason);
void hark_tokens_free (HarkTokens *self);

G_END_DECLS
