/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several requests have in common: names, texts, pages. Every refusal names the field. */
#include "chat/fields.h"

#include "base/error.h"

#include <string.h>

static gboolean
refuse (const char *field, const char *what, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" %s", field, what);
  return FALSE;
}

/**
 * hark_field_get_text:
 * @max_chars: more is %HARK_ERROR_TOO_LARGE
 *
 * Any text, which may be empty.
 */
gboolean
hark_field_get_text (const HarkJsonObject *args, const char *field, HarkFieldNeed need, guint max_chars, char **out,
                     GError **error)
{
  g_autofree char *text = NULL;
  if (!hark_json_object_get_string (args, field, need, (gsize)max_chars * 4, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  if (strlen (text) > max_chars && g_utf8_strlen (text, -1) > max_chars)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"%s\" is longer than %u characters", field, max_chars);
      return FALSE;
    }
  *out = g_steal_pointer (&text);
  return TRUE;
}

/* A text that stands in a line: neither empty nor blank, and without control characters. */
gboolean
hark_field_get_name (const HarkJsonObject *args, const char *field, HarkFieldNeed need, guint max_chars, char **out,
                     GError **error)
{
  g_autofree char *text = NULL;
  gboolean blank = TRUE;
  if (!hark_field_get_text (args, field, need, max_chars, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_iscntrl (c))
        return refuse (field, "must not have control characters", error);
      blank &= g_unichar_isspace (c);
    }
  if (blank)
    return refuse (field, "must not be empty", error);
  *out = g_steal_pointer (&text);
  return TRUE;
}

/* The name of a user, which is the same in capitals. @out: in small letters. */
gboolean
hark_field_get_username (const HarkJsonObject *args, const char *field, HarkFieldNeed need, char **out, GError **error)
{
  g_autofree char *text = NULL;
  gsize len;
  if (!hark_json_object_get_string (args, field, need, HARK_USERNAME_MAX, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  len = strlen (text);
  if (len == 0 || strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_.-") != len)
    return refuse (field, "must be 1 to 32 of a-z, 0-9, \"_\", \".\" and \"-\"", error);
  *out = g_ascii_strdown (text, len);
  return TRUE;
}

/**
 * hark_field_get_page:
 * @after: (out): the id after which the page begins, 0 for the first
 * @limit: (out)
 */
gboolean
hark_field_get_page (const HarkJsonObject *args, guint fallback, guint max, gint64 *after, guint *limit, GError **error)
{
  gint64 wanted = fallback;
  *after = 0;
  if (!hark_json_object_get_id (args, "after", HARK_FIELD_OPTIONAL, after, error)
      || !hark_json_object_get_int (args, "limit", HARK_FIELD_OPTIONAL, 1, max, &wanted, error))
    return FALSE;
  *limit = wanted;
  return TRUE;
}

/* @since: (out): the rev up to which the client knows everything; -1: it asks for all */
gboolean
hark_field_get_since (const HarkJsonObject *args, gint64 *since, GError **error)
{
  *since = -1;
  return hark_json_object_get_int (args, "since", HARK_FIELD_OPTIONAL, 0, G_MAXINT64, since, error);
}
