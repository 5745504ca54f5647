/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "chat/jwt.h"
#include "core/authenticator.h"
#include "core/store.h"

G_BEGIN_DECLS

#define HARK_TYPE_TOKEN_AUTHENTICATOR (hark_token_authenticator_get_type ())
G_DECLARE_FINAL_TYPE (HarkTokenAuthenticator, hark_token_authenticator, HARK, TOKEN_AUTHENTICATOR, GObject)

HarkTokenAuthenticator *hark_token_authenticator_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics,
                                                      guint max_entries);
void hark_token_authenticator_set_jwt_issuer (HarkTokenAuthenticator *self, HarkJwtIssuer *issuer);
void hark_token_authenticator_drop_token (HarkTokenAuthenticator *self, gint64 token_id);
void hark_token_authenticator_drop_user (HarkTokenAuthenticator *self, gint64 user_id);
/* (element-type gint64) (transfer full): tokens used since the last call */
GArray *hark_token_authenticator_steal_used (HarkTokenAuthenticator *self);

G_END_DECLS
