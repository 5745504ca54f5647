/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is meant by a JWT: the user whose name its `sub` is. The issuer says who somebody is, and nothing of what that
 * user may do here: nobody is an administrator by a JWT.
 */
#include "chat/jwt-users.h"

/**
 * hark_jwt_users_find:
 * @identity: (out) (transfer full): who it lets in, when the user was found
 *
 * Returns: %FALSE with an error of the store's
 */
gboolean
hark_jwt_users_find (HarkTransaction *tx, const HarkJwtClaims *claims, HarkJwtUser *user, HarkIdentity **identity,
                     GError **error)
{
  gint64 gone_at, user_id;
  gboolean gone, found;
  if (!hark_transaction_query_int64 (tx, &gone_at, &gone, error,
                                     "SELECT gone_at FROM gone_usernames WHERE username = ? AND gone_at >= ?", "ti",
                                     claims->subject, claims->issued_ms)
      || !hark_transaction_query_int64 (tx, &user_id, &found, error, "SELECT user_id FROM users WHERE username = ?",
                                        "t", claims->subject))
    return FALSE;
  *user = gone ? HARK_JWT_USER_GONE : found ? HARK_JWT_USER_FOUND : HARK_JWT_USER_UNKNOWN;
  if (*user == HARK_JWT_USER_FOUND)
    *identity = hark_identity_new (user_id, claims->subject, 0, claims->expires_ms, HARK_IDENTITY_NONE);
  return TRUE;
}

/* The user @claims mean, of whom nobody has an account, gets one. */
gboolean
hark_jwt_users_create (HarkTransaction *tx, const HarkJwtClaims *claims, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO users (user_id, username, displayname, chosen, created_at)"
                                " VALUES (?, ?, ?, 'online', ?)",
                                "itti", hark_transaction_next_id (tx), claims->subject,
                                claims->name != NULL ? claims->name : claims->subject, hark_transaction_now_ms (tx));
}

/* Before a user is deleted: no token of before then lets in any more. */
gboolean
hark_jwt_users_note_gone (HarkTransaction *tx, gint64 user_id, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO gone_usernames (username, gone_at)"
                                " SELECT username, ? FROM users WHERE user_id = ?"
                                " ON CONFLICT (username) DO UPDATE SET gone_at = excluded.gone_at",
                                "ii", hark_transaction_now_ms (tx), user_id);
}
