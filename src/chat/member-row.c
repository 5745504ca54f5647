/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A member of a server as others see it: in pages of members, and in what is told of changes to them. */
#include "chat/member-row.h"

#include "chat/draft.h"
#include "chat/rows.h"
#include "chat/user-row.h"

static void
write_own (const HarkRows *rows, guint column, HarkJsonWriter *json)
{
  gsize len;
  const char *roles;
  hark_json_writer_member_string (json, "nick", hark_rows_get_text_or_empty (rows, column));
  roles = hark_rows_get_text (rows, column + 1, &len);
  hark_json_writer_member_raw (json, "roles", roles, len);
}

/* Writes the members of what begins with HARK_MEMBER_COLUMNS. */
void
hark_member_row_write (const HarkRows *rows, HarkJsonWriter *json)
{
  hark_user_row_write (rows, json);
  write_own (rows, HARK_N_USER_COLUMNS, json);
}

static gboolean
begin (HarkDraft *draft, HarkTransaction *tx, const char *type, gint64 server_id, gint64 user_id, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_MEMBERS, server_id);
  if (!hark_draft_begin (draft, tx, &topic, type, error))
    return FALSE;
  draft->position.subject = user_id;
  hark_json_writer_member_id (&draft->json, "server_id", server_id);
  return TRUE;
}

gboolean
hark_member_emit_add (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error)
{
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!begin (&draft, tx, "add_member", server_id, user_id, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT " HARK_MEMBER_COLUMNS " FROM members m JOIN users u ON u.user_id = m.user_id"
                                  " WHERE m.server_id = ? AND m.user_id = ?",
                                  "ii", server_id, user_id)
      || !hark_rows_require (&rows, "user_id", error))
    return FALSE;
  hark_member_row_write (&rows, &draft.json);
  hark_rows_end (&rows);
  return hark_draft_end (&draft, tx, NULL, rev, error);
}

/* Also notes in the member's row that it has changed. */
gboolean
hark_member_emit_update (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error)
{
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!begin (&draft, tx, "update_member", server_id, user_id, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT m.nick, " HARK_SQL_MEMBER_ROLES " FROM members m"
                                  " WHERE m.server_id = ? AND m.user_id = ?",
                                  "ii", server_id, user_id)
      || !hark_rows_require (&rows, "user_id", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "user_id", user_id);
  write_own (&rows, 0, &draft.json);
  hark_rows_end (&rows);
  return hark_draft_end (&draft, tx, NULL, rev, error)
         && hark_transaction_exec (tx, error, "UPDATE members SET rev = ? WHERE server_id = ? AND user_id = ?", "iii",
                                   *rev, server_id, user_id);
}

gboolean
hark_member_emit_remove (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error)
{
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!begin (&draft, tx, "remove_member", server_id, user_id, error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "user_id", user_id);
  return hark_draft_end (&draft, tx, NULL, rev, error);
}
