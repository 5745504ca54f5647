/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/attempts.h"
#include "chat/passwords.h"
#include "chat/tokens.h"

G_BEGIN_DECLS

typedef struct _HarkCredentials HarkCredentials;

HarkCredentials *hark_credentials_new (HarkHub *hub, HarkStore *store, HarkPasswords *passwords, HarkAttempts *attempts,
                                       HarkTokens *tokens, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_credentials_free (HarkCredentials *self);

G_END_DECLS
