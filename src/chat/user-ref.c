/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Naming users in requests. Back ends and pages know them by name, Hark's own clients by id; both are taken wherever one
 * user asks for another.
 */
#include "chat/user-ref.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/rows.h"

/* A required field. %HARK_ERROR_BAD_REQUEST. */
gboolean
hark_user_ref_get (const HarkJsonObject *args, const char *field, HarkUserRef *out, GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (args, field);
  g_autofree char *name = NULL;
  out->id = 0;
  out->name[0] = '\0';
  if (value != NULL && (value->token == HARK_JSON_INTEGER || value->token == HARK_JSON_STRING)
      && hark_json_object_get_id (args, field, HARK_FIELD_REQUIRED, &out->id, NULL)
      && value->token == HARK_JSON_INTEGER)
    return TRUE;
  if (!hark_field_get_username (args, field, HARK_FIELD_REQUIRED, &name, error))
    return FALSE;
  g_strlcpy (out->name, name, sizeof out->name);
  return TRUE;
}

/* In a work. %HARK_ERROR_NOT_FOUND. */
gboolean
hark_user_ref_find (const HarkUserRef *self, HarkTransaction *tx, const char *field, gint64 *user_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT user_id, 0 AS rank FROM users WHERE user_id = ?"
                               " UNION ALL SELECT user_id, 1 FROM users WHERE username = ? ORDER BY rank LIMIT 1",
                               "it", self->id, self->name)
      || !hark_rows_require (&rows, field, error))
    return FALSE;
  *user_id = hark_rows_get_int64 (&rows, 0);
  return TRUE;
}
