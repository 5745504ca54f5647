/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What reading rows has in common. */
#include "chat/rows.h"

#include "base/error.h"

/* Goes to the first row of what @field names; when there is none, %HARK_ERROR_NOT_FOUND. */
gboolean
hark_rows_require (HarkRows *self, const char *field, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  if (hark_rows_next (self, &local_error))
    return TRUE;
  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"%s\": there is none", field);
  return FALSE;
}

/* Returns: the text until the next row; a text that is not set is empty on the wire */
const char *
hark_rows_get_text_or_empty (const HarkRows *self, guint column)
{
  const char *text = hark_rows_get_text (self, column, NULL);
  return text != NULL ? text : "";
}

/* After the last row. Returns: whether it was the last, and not an error, which is passed on */
gboolean
hark_rows_check (GError **local_error, GError **error)
{
  if (*local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (local_error));
  return FALSE;
}
