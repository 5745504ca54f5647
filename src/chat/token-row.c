/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of tokens, for those who make them: administrators, users who sign in, sessions that renew theirs. */
#include "chat/token-row.h"

#include "base/error.h"

/* How many of a user's tokens let in. */
gboolean
hark_token_row_count (HarkTransaction *tx, gint64 user_id, guint *n, GError **error)
{
  gint64 count;
  if (!hark_transaction_query_int64 (tx, &count, NULL, error,
                                     "SELECT count(*) FROM tokens WHERE user_id = ? AND revoked_at = 0"
                                     " AND (expires_at = 0 OR expires_at > ?)",
                                     "ii", user_id, hark_transaction_now_ms (tx)))
    return FALSE;
  *n = count;
  return TRUE;
}

/* %HARK_ERROR_CONFLICT when the token was given before. */
gboolean
hark_token_row_insert (HarkTransaction *tx, HarkTokenRow *self, GError **error)
{
  guint8 hash[HARK_TOKEN_HASH_LEN];
  gint64 now = hark_transaction_now_ms (tx), one;
  gboolean taken;
  if (self->token == NULL)
    {
      hark_token_make (self->made);
      self->token = self->made;
    }
  hark_token_hash (self->token, hash);
  if (!hark_transaction_query_int64 (tx, &one, &taken, error, "SELECT 1 FROM tokens WHERE hash = ?", "b", hash,
                                     sizeof hash))
    return FALSE;
  if (taken)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"token\": it was given before");
      return FALSE;
    }
  self->token_id = hark_transaction_next_id (tx);
  self->expires_ms = self->expires_in_ms > 0 ? now + self->expires_in_ms : 0;
  return hark_transaction_exec (tx, error,
                                "INSERT INTO tokens (token_id, hash, user_id, label, created_at, expires_at, by_login,"
                                " scope) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                                "ibitiiit", self->token_id, hash, sizeof hash, self->user_id, self->label, now,
                                self->expires_ms, (gint64)self->by_login, self->scope);
}

/* @token_id: (out): of those that were made by signing in the one that was used least recently; 0: there is none */
gboolean
hark_token_row_revoke_oldest_login (HarkTransaction *tx, gint64 user_id, gint64 *token_id, GError **error)
{
  gint64 now = hark_transaction_now_ms (tx);
  gboolean found;
  if (!hark_transaction_query_int64 (tx, token_id, &found, error,
                                     "SELECT token_id FROM tokens WHERE user_id = ? AND by_login = 1 AND revoked_at = 0"
                                     " AND (expires_at = 0 OR expires_at > ?)"
                                     " ORDER BY max (last_used, created_at), token_id LIMIT 1",
                                     "ii", user_id, now))
    return FALSE;
  if (!found)
    {
      *token_id = 0;
      return TRUE;
    }
  return hark_transaction_exec (tx, error, "UPDATE tokens SET revoked_at = ? WHERE token_id = ?", "ii", now, *token_id);
}

/**
 * hark_token_row_revoke_logins:
 * @but: a token that stays; 0: none
 * @revoked: (element-type gint64): ids are added
 *
 * Revokes a user's tokens that were made by signing in.
 */
gboolean
hark_token_row_revoke_logins (HarkTransaction *tx, gint64 user_id, gint64 but, GArray *revoked, GError **error)
{
  gint64 now = hark_transaction_now_ms (tx);
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT token_id FROM tokens WHERE user_id = ? AND by_login = 1 AND revoked_at = 0"
                               " AND token_id <> ? AND (expires_at = 0 OR expires_at > ?)",
                               "iii", user_id, but, now))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0);
      g_array_append_val (revoked, id);
    }
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  return hark_transaction_exec (tx, error,
                                "UPDATE tokens SET revoked_at = ? WHERE user_id = ? AND by_login = 1 AND revoked_at = 0"
                                " AND token_id <> ?",
                                "iii", now, user_id, but);
}
