/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/membership.h"
#include "chat/token-authenticator.h"

G_BEGIN_DECLS

typedef struct _HarkAccounts HarkAccounts;

HarkAccounts *hark_accounts_new (HarkHub *hub, HarkStore *store, HarkMembership *membership,
                                 HarkTokenAuthenticator *authenticator, const HarkChatLimits *limits);
void hark_accounts_free (HarkAccounts *self);

G_END_DECLS
