/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/token-expiry.h"
#include "core/authenticator.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkRefresh HarkRefresh;

HarkRefresh *hark_refresh_new (HarkHub *hub, HarkStore *store, HarkAuthenticator *authenticator,
                               HarkTokenExpiry *expiry, const HarkChatLimits *limits);
void hark_refresh_free (HarkRefresh *self);

G_END_DECLS
