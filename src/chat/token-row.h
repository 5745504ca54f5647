/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/token.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* What the key of a back end has for a scope. */
#define HARK_SCOPE_BACK_END "backend"

/**
 * HarkTokenRow:
 *
 * A token that is to be made, as works that make one know it.
 */
typedef struct
{
  gint64 user_id;
  const char *token;    /* (nullable): %NULL to make one up */
  const char *label;    /* (nullable) */
  const char *scope;    /* (nullable): %HARK_SCOPE_BACK_END */
  gint64 expires_in_ms; /* 0: never */
  gboolean by_login;
  /* Out. */
  char made[HARK_TOKEN_LEN]; /* when none was given */
  gint64 token_id;
  gint64 expires_ms;
} HarkTokenRow;

gboolean hark_token_row_insert (HarkTransaction *tx, HarkTokenRow *self, GError **error);
gboolean hark_token_row_count (HarkTransaction *tx, gint64 user_id, guint *n, GError **error);
gboolean hark_token_row_revoke_oldest_login (HarkTransaction *tx, gint64 user_id, gint64 *token_id, GError **error);
gboolean hark_token_row_revoke_logins (HarkTransaction *tx, gint64 user_id, gint64 but, GArray *revoked, GError **error);

G_END_DECLS
