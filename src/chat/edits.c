/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing what was said, and taking it back. Both are events of the channel, so that who resumes or asks for the
 * difference gets them in order. A message that is taken back is really gone, with its reactions and its words in the
 * index; what stays is its number (see 009-messages.sql).
 */
#include "chat/edits.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/message-row.h"
#include "chat/reactions.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/search-index.h"

#include <string.h>

/* Messages of a channel that is gone removed in one work: each takes its words out of the index. */
#define PURGE_BATCH 200

struct _HarkEdits
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  const HarkChatLimits *limits;
  HarkCounter *n_edits;
  HarkCounter *n_deletions;
};

typedef struct
{
  HarkRequest parent;
  gint64 message_id;
  char *text; /* (owned) (nullable): %NULL for a deletion */
} Change;

static void
change_clear (gpointer data)
{
  g_free (((Change *)data)->text);
}

static gboolean
begin_event (HarkDraft *draft, HarkTransaction *tx, const Change *self, const HarkMessagePlace *place, const char *type,
             GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, place->channel_id);
  if (!hark_draft_begin (draft, tx, &topic, type, error))
    return FALSE;
  hark_json_writer_member_id (&draft->json, "message_id", self->message_id);
  hark_json_writer_member_id (&draft->json, "server", place->server_id);
  hark_json_writer_member_id (&draft->json, "channel", place->channel_id);
  return TRUE;
}

/* edit_message */

static gboolean
edit_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Change *self = data;
  HarkMessagePlace place;
  gint64 now = hark_transaction_now_ms (tx);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!hark_message_find (tx, self->message_id, self->parent.actor, FALSE, &place, error))
    return FALSE;
  if (place.author_id != self->parent.actor)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"message_id\": only its author may change it");
      return FALSE;
    }
  if (!begin_event (&draft, tx, self, &place, "message_update", error))
    return FALSE;
  hark_json_writer_member_string (&draft.json, "message", self->text);
  hark_json_writer_member_id (&draft.json, "author_id", place.author_id);
  hark_json_writer_member_time (&draft.json, "edited", now);
  hark_json_writer_member_id (&self->parent.reply, "message_id", self->message_id);
  hark_json_writer_member_time (&self->parent.reply, "edited", now);
  return hark_draft_end (&draft, tx, NULL, NULL, error) && hark_search_index_remove (tx, self->message_id, error)
         && hark_transaction_exec (tx, error, "UPDATE messages SET text = ?, edited_at = ? WHERE message_id = ?", "tii",
                                   self->text, now, self->message_id)
         && hark_search_index_add (tx, self->message_id, error);
}

static void
on_edited (gpointer data)
{
  HarkEdits *edits = ((HarkRequest *)data)->concern;
  hark_counter_add (edits->n_edits, 1);
}

static gboolean
check_not_empty (const char *text, GError **error)
{
  if (*text != '\0')
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"message\" must not be empty");
  return FALSE;
}

static void
on_edit_message (HarkCommand *command, gpointer concern)
{
  HarkEdits *edits = concern;
  Change *self = hark_request_new (sizeof *self, command, concern, change_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "message_id", HARK_FIELD_REQUIRED, &self->message_id, &error)
      && hark_field_get_text (command->args, "message", HARK_FIELD_REQUIRED, edits->limits->message_chars, &self->text,
                              &error)
      && check_not_empty (self->text, &error))
    hark_request_write (self, edits->store, edit_in_thread, on_edited);
  else
    hark_request_refuse (self, error);
}

/* delete_message */

static gboolean
may_delete (HarkTransaction *tx, const Change *self, const HarkMessagePlace *place, GError **error)
{
  HarkStanding standing;
  if (place->author_id == self->parent.actor)
    return TRUE;
  if (!hark_rights_get_standing (tx, place->server_id, self->parent.actor, self->parent.is_admin, &standing, error))
    return FALSE;
  if (standing.permissions & HARK_PERMISSION_MANAGE_MESSAGES)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN,
               "\"message_id\": only its author and who manages messages may delete it");
  return FALSE;
}

static gboolean
remove_message (HarkTransaction *tx, gint64 message_id, GError **error)
{
  return hark_search_index_remove (tx, message_id, error) && hark_reactions_remove (tx, message_id, error)
         && hark_transaction_exec (tx, error, "DELETE FROM messages WHERE message_id = ?", "i", message_id);
}

static gboolean
delete_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Change *self = data;
  HarkMessagePlace place;
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  return hark_message_find (tx, self->message_id, self->parent.actor, self->parent.is_admin, &place, error)
         && may_delete (tx, self, &place, error) && begin_event (&draft, tx, self, &place, "message_delete", error)
         && hark_draft_end (&draft, tx, NULL, NULL, error)
         && hark_transaction_exec (tx, error,
                                   "INSERT INTO deleted_messages (message_id, channel_id, seq, ordinal, author_id,"
                                   " client_id) SELECT message_id, channel_id, seq, ordinal, author_id, client_id"
                                   " FROM messages WHERE message_id = ?",
                                   "i", self->message_id)
         && remove_message (tx, self->message_id, error);
}

static void
on_deleted (gpointer data)
{
  HarkEdits *edits = ((HarkRequest *)data)->concern;
  hark_counter_add (edits->n_deletions, 1);
}

static void
on_delete_message (HarkCommand *command, gpointer concern)
{
  HarkEdits *edits = concern;
  Change *self = hark_request_new (sizeof *self, command, concern, change_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "message_id", HARK_FIELD_REQUIRED, &self->message_id, &error))
    hark_request_write (self, edits->store, delete_in_thread, on_deleted);
  else
    hark_request_refuse (self, error);
}

/* For others. */

gboolean
hark_messages_count_deleted (HarkTransaction *tx, gint64 channel_id, gint64 above_ordinal, gint64 *n, GError **error)
{
  return hark_transaction_query_int64 (tx, n, NULL, error,
                                       "SELECT count(*) FROM deleted_messages WHERE channel_id = ? AND ordinal > ?",
                                       "ii", channel_id, above_ordinal);
}

static gboolean
list_some (HarkTransaction *tx, gint64 channel_id, GArray *ids, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error, "SELECT message_id FROM messages WHERE channel_id = ? LIMIT ?", "ii",
                               channel_id, (gint64)PURGE_BATCH))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0);
      g_array_append_val (ids, id);
    }
  return hark_rows_check (&local_error, error);
}

gboolean
hark_edits_purge (HarkTransaction *tx, gint64 channel_id, gboolean *more, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (!list_some (tx, channel_id, ids, error))
    return FALSE;
  for (guint i = 0; i < ids->len; i++)
    if (!remove_message (tx, g_array_index (ids, gint64, i), error))
      return FALSE;
  *more = ids->len > 0;
  return *more
         || hark_transaction_exec (tx, error, "DELETE FROM deleted_messages WHERE channel_id = ?", "i", channel_id);
}

static const HarkCommandSpec specs[] = {
  { "edit_message", HARK_COMMAND_UNMETERED, "messages", on_edit_message },
  { "delete_message", HARK_COMMAND_NONE, NULL, on_delete_message },
};

HarkEdits *
hark_edits_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkEdits *self = g_new0 (HarkEdits, 1);
  self->hub = hub;
  self->store = store;
  self->limits = limits;
  self->n_edits = hark_metrics_counter (metrics, "hark_message_edits_total", "Chat messages that were changed.");
  self->n_deletions
    = hark_metrics_counter (metrics, "hark_message_deletions_total", "Chat messages that were deleted.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_edits_free (HarkEdits *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
