/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* show_channel, update_channel, hide_channel: who hears which, when channels or rights change. */
#include "chat/channel-events.h"

#include "chat/draft.h"
#include "chat/rights.h"
#include "chat/rows.h"

static gboolean
is_nobody (GArray *audience)
{
  if (audience == NULL || audience->len > 0)
    return FALSE;
  g_array_unref (audience);
  return TRUE;
}

gboolean
hark_channel_emit (HarkTransaction *tx, gint64 channel_id, const char *type, GArray *audience, gint64 *rev,
                   GError **error)
{
  g_autoptr (GArray) owned = NULL;
  HarkTopic topic;
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (is_nobody (audience))
    return TRUE;
  owned = audience;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT server_id, name, category, position, private FROM channels WHERE channel_id = ?",
                               "i", channel_id)
      || !hark_rows_require (&rows, "channel_id", error))
    return FALSE;
  topic = hark_topic (HARK_TOPIC_SERVER, hark_rows_get_int64 (&rows, 0));
  if (!hark_draft_begin (&draft, tx, &topic, type, error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "id", channel_id);
  hark_json_writer_member_string (&draft.json, "name", hark_rows_get_text (&rows, 1, NULL));
  hark_json_writer_member_string (&draft.json, "category", hark_rows_get_text_or_empty (&rows, 2));
  hark_json_writer_member_id (&draft.json, "server_id", topic.id);
  hark_json_writer_member_int (&draft.json, "position", hark_rows_get_int64 (&rows, 3));
  hark_json_writer_member_boolean (&draft.json, "private", hark_rows_get_int64 (&rows, 4) != 0);
  return hark_draft_end (&draft, tx, g_steal_pointer (&owned), rev, error);
}

/* Tells that a channel is gone, and leaves tombstones for those who are told. */
gboolean
hark_channel_emit_hide (HarkTransaction *tx, gint64 server_id, gint64 channel_id, GArray *audience, gint64 *rev,
                        GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, server_id);
  g_autoptr (GArray) owned = NULL;
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (is_nobody (audience))
    return TRUE;
  owned = audience;
  if (!hark_draft_begin (&draft, tx, &topic, "hide_channel", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "id", channel_id);
  hark_json_writer_member_id (&draft.json, "server_id", server_id);
  if (!hark_draft_end (&draft, tx, audience != NULL ? g_array_ref (audience) : NULL, rev, error))
    return FALSE;
  if (audience == NULL)
    return hark_rights_bury (tx, HARK_TOMBSTONE_CHANNEL, server_id, 0, channel_id, *rev, error);
  for (guint i = 0; i < audience->len; i++)
    if (!hark_rights_bury (tx, HARK_TOMBSTONE_CHANNEL, server_id, g_array_index (audience, gint64, i), channel_id, *rev,
                           error))
      return FALSE;
  return TRUE;
}

/* @viewers: (out) (nullable): who may see the channel; %NULL when all members may */
gboolean
hark_channel_list_viewers (HarkTransaction *tx, gint64 channel_id, GArray **viewers, GError **error)
{
  gint64 private;
  *viewers = NULL;
  if (!hark_transaction_query_int64 (tx, &private, NULL, error, "SELECT private FROM channels WHERE channel_id = ?",
                                     "i", channel_id))
    return FALSE;
  if (private)
    *viewers = hark_rights_list_viewers (tx, channel_id, error);
  return !private || *viewers != NULL;
}

/**
 * hark_channel_emit_difference:
 * @before: (nullable)
 * @after: (nullable)
 * @rev: (inout): of the last event
 *
 * hide_channel for who lost the right, show_channel for who gained it; who had and has it hears nothing here.
 */
gboolean
hark_channel_emit_difference (HarkTransaction *tx, gint64 server_id, gint64 channel_id, GArray *before, GArray *after,
                              gint64 *rev, GError **error)
{
  g_autoptr (GArray) members = NULL;
  if (before == NULL && after == NULL)
    return TRUE;
  if (before == NULL || after == NULL)
    {
      members = hark_rights_list_members (tx, server_id, error);
      if (members == NULL)
        return FALSE;
      before = before != NULL ? before : members;
      after = after != NULL ? after : members;
    }
  return hark_channel_emit_hide (tx, server_id, channel_id, hark_ids_subtract (before, after), rev, error)
         && hark_channel_emit (tx, channel_id, "show_channel", hark_ids_subtract (after, before), rev, error);
}

/* Ends the deliveries of a channel to everybody but @viewers. */
void
hark_channel_keep_only (HarkHub *hub, gint64 channel_id, GArray *viewers)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, channel_id);
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (hub), &topic);
  g_autoptr (GArray) lost = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    {
      gint64 user_id = hark_session_get_user_id (entry->receivers[i].session);
      if (!hark_ids_contains (viewers, user_id))
        g_array_append_val (lost, user_id);
    }
  for (guint i = 0; i < lost->len; i++)
    hark_hub_unsubscribe_user (hub, g_array_index (lost, gint64, i), &topic);
}

/* Returns: (transfer full) (element-type gint64): the private channels that were granted to a role */
GArray *
hark_channel_list_of_role (HarkTransaction *tx, gint64 role_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT c.channel_id FROM role_grants rg JOIN channels c ON c.channel_id = rg.channel_id"
                               " WHERE rg.role_id = ? AND c.private = 1 ORDER BY c.channel_id",
                               "i", role_id))
    return NULL;
  return hark_ids_collect (&rows, error);
}

/* What was said before somebody could see a channel does not count as unread. */
gboolean
hark_channel_mark_as_read (HarkTransaction *tx, gint64 channel_id, gint64 user_id, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO read_marks (user_id, channel_id, ordinal)"
                                " SELECT ?, channel_id, last_ordinal FROM channels WHERE channel_id = ?"
                                " ON CONFLICT (user_id, channel_id) DO UPDATE SET ordinal = excluded.ordinal",
                                "ii", user_id, channel_id);
}
