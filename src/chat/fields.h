/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"

G_BEGIN_DECLS

/* Characters of a user's name. */
#define HARK_USERNAME_MAX 32

/* What a request gives as text; an optional one that is not there, or null, leaves @out as it is. */
gboolean hark_field_get_name (const HarkJsonObject *args, const char *field, HarkFieldNeed need, guint max_chars,
                              char **out, GError **error);
gboolean hark_field_get_text (const HarkJsonObject *args, const char *field, HarkFieldNeed need, guint max_chars,
                              char **out, GError **error);
gboolean hark_field_get_username (const HarkJsonObject *args, const char *field, HarkFieldNeed need, char **out,
                                  GError **error);
gboolean hark_field_get_page (const HarkJsonObject *args, guint fallback, guint max, gint64 *after, guint *limit,
                              GError **error);
gboolean hark_field_get_since (const HarkJsonObject *args, gint64 *since, GError **error);

/* What a text that was given empty is stored as: nothing. */
static inline const char *
hark_field_or_null (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

G_END_DECLS
