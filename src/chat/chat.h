/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/chat-state.h"
#include "chat/jwt.h"
#include "core/authenticator.h"
#include "core/back-end.h"
#include "core/drain.h"
#include "core/hub.h"
#include "core/presence.h"
#include "core/store.h"

G_BEGIN_DECLS

#define HARK_TYPE_CHAT (hark_chat_get_type ())
G_DECLARE_FINAL_TYPE (HarkChat, hark_chat, HARK, CHAT, GObject)

HarkChat *hark_chat_new (HarkHub *hub, HarkStore *store, HarkPresence *presence, HarkIds *ids, HarkMetrics *metrics,
                         const HarkChatLimits *limits);
gboolean hark_chat_load (HarkTransaction *tx, gpointer chat, GError **error);
HarkAuthenticator *hark_chat_get_authenticator (HarkChat *self);
HarkIdentity *hark_chat_new_guest (HarkChat *self);
void hark_chat_resume (HarkChat *self, HarkSession *session, const char *token, const char *cursors);
void hark_chat_set_jwt_issuer (HarkChat *self, HarkJwtIssuer *issuer);
void hark_chat_set_back_end (HarkChat *self, HarkBackEnd *back_end);
void hark_chat_tell_back_end (HarkChat *self, const char *kind, const char *json, gsize len);
void hark_chat_flush (HarkChat *self);
HarkDrain *hark_chat_get_drain (HarkChat *self);

/* Into another process. */
void hark_chat_keep_session (HarkChat *self, gint64 session_id, gint64 rev);
gboolean hark_chat_take_revived (HarkChat *self, gint64 session_id, GVariant **session, char **address,
                                 GVariant **state);
void hark_chat_go_on (HarkChat *self);
GArray *hark_chat_get_lost (HarkChat *self);
GVariant *hark_chat_save_session (HarkChat *self, HarkSession *session);
void hark_chat_restore_session (HarkChat *self, HarkSession *session, GVariant *state);
GVariant *hark_chat_save (HarkChat *self);
void hark_chat_restore (HarkChat *self, GVariant *state);

G_END_DECLS
