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

/* For who makes users otherwise. */
gboolean hark_accounts_read_names (const HarkJsonObject *args, const HarkChatLimits *limits, char **username,
                                   char **displayname, GError **error);
gboolean hark_accounts_insert (HarkTransaction *tx, const char *username, const char *displayname, gboolean admin,
                               gint64 *user_id, GError **error);

G_END_DECLS
