/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/personal.h"
#include "chat/session-store.h"
#include "core/authenticator.h"

G_BEGIN_DECLS

typedef struct _HarkSessions HarkSessions;

HarkSessions *hark_sessions_new (HarkHub *hub, HarkStore *store, HarkSessionStore *session_store,
                                 HarkAuthenticator *authenticator, HarkPersonal *personal,
                                 const HarkChatLimits *limits);
void hark_sessions_free (HarkSessions *self);
void hark_sessions_resume (HarkSessions *self, HarkSession *session, const char *token, const char *cursors);

G_END_DECLS
