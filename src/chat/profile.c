/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What others see of a user, and how they hear that it has changed. */
#include "chat/profile.h"

#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/rows.h"

#include <string.h>

static const char *const names[HARK_N_PROFILE_FIELDS] = { "displayname", "profile_pic", "bio", "activity" };

gboolean
hark_profile_read (HarkProfile *self, const HarkJsonObject *args, const HarkChatLimits *limits, GError **error)
{
  return hark_field_get_name (args, names[HARK_PROFILE_DISPLAYNAME], HARK_FIELD_OPTIONAL, limits->displayname_chars,
                              &self->fields[HARK_PROFILE_DISPLAYNAME], error)
         && hark_json_object_get_string (args, names[HARK_PROFILE_PICTURE], HARK_FIELD_OPTIONAL, limits->picture_bytes,
                                         &self->fields[HARK_PROFILE_PICTURE], error)
         && hark_field_get_text (args, names[HARK_PROFILE_BIO], HARK_FIELD_OPTIONAL, limits->bio_chars,
                                 &self->fields[HARK_PROFILE_BIO], error)
         && hark_field_get_text (args, names[HARK_PROFILE_ACTIVITY], HARK_FIELD_OPTIONAL, limits->activity_chars,
                                 &self->fields[HARK_PROFILE_ACTIVITY], error);
}

/* Forgets what is given and is already so. @n_changed: (out): what is left */
static gboolean
keep_changes (HarkTransaction *tx, gint64 user_id, const char *values[HARK_N_PROFILE_FIELDS],
              gboolean changed[HARK_N_PROFILE_FIELDS], const HarkProfile *self, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT displayname, profile_pic, bio, activity FROM users WHERE user_id = ?", "i",
                               user_id)
      || !hark_rows_require (&rows, "user_id", error))
    return FALSE;
  for (guint i = 0; i < HARK_N_PROFILE_FIELDS; i++)
    {
      values[i] = hark_field_or_null (self->fields[i]);
      changed[i] = self->fields[i] != NULL && g_strcmp0 (values[i], hark_rows_get_text (&rows, i, NULL)) != 0;
    }
  return TRUE;
}

static gboolean
store_field (HarkTransaction *tx, gint64 user_id, HarkProfileField field, const char *value, GError **error)
{
  static const char *const sql[HARK_N_PROFILE_FIELDS] = {
    "UPDATE users SET displayname = ? WHERE user_id = ?",
    "UPDATE users SET profile_pic = ? WHERE user_id = ?",
    "UPDATE users SET bio = ? WHERE user_id = ?",
    "UPDATE users SET activity = ? WHERE user_id = ?",
  };
  return hark_transaction_exec (tx, error, sql[field], "ti", value, user_id);
}

/**
 * hark_profile_apply:
 * @username: (nullable): a new name, stored already
 *
 * Stores what is new and tells those who have loaded the user, if there is anything to tell.
 */
gboolean
hark_profile_apply (const HarkProfile *self, HarkTransaction *tx, gint64 user_id, const char *username, GError **error)
{
  const char *values[HARK_N_PROFILE_FIELDS];
  gboolean changed[HARK_N_PROFILE_FIELDS];
  HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  gboolean any = username != NULL;
  gint64 rev;
  if (!keep_changes (tx, user_id, values, changed, self, error))
    return FALSE;
  for (guint i = 0; i < HARK_N_PROFILE_FIELDS; i++)
    any |= changed[i];
  if (!any)
    return TRUE;
  if (!hark_draft_begin (&draft, tx, &topic, "user_update", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "user_id", user_id);
  if (username != NULL)
    hark_json_writer_member_string (&draft.json, "username", username);
  for (guint i = 0; i < HARK_N_PROFILE_FIELDS; i++)
    {
      if (!changed[i])
        continue;
      hark_json_writer_member_string (&draft.json, names[i], values[i] != NULL ? values[i] : "");
      if (!store_field (tx, user_id, i, values[i], error))
        return FALSE;
    }
  return hark_draft_end (&draft, tx, NULL, &rev, error)
         && hark_transaction_exec (tx, error, "UPDATE users SET rev = ? WHERE user_id = ?", "ii", rev, user_id);
}

void
hark_profile_clear (HarkProfile *self)
{
  for (guint i = 0; i < HARK_N_PROFILE_FIELDS; i++)
    g_clear_pointer (&self->fields[i], g_free);
}
