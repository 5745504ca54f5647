/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/jwt.h"
#include "core/transaction.h"
#include "model/identity.h"

G_BEGIN_DECLS

typedef enum
{
  HARK_JWT_USER_FOUND,
  HARK_JWT_USER_UNKNOWN,
  HARK_JWT_USER_GONE /* the account was deleted after the token was issued */
} HarkJwtUser;

gboolean hark_jwt_users_find (HarkTransaction *tx, const HarkJwtClaims *claims, HarkJwtUser *user,
                              HarkIdentity **identity, GError **error);
gboolean hark_jwt_users_create (HarkTransaction *tx, const HarkJwtClaims *claims, GError **error);
gboolean hark_jwt_users_note_gone (HarkTransaction *tx, gint64 user_id, GError **error);

G_END_DECLS
