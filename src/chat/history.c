/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was said: chunks of a channel's messages, and from then on the new ones. */
#include "chat/history.h"

#include "base/error.h"
#include "chat/message-row.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "core/event-log.h"

#define CHUNK 50
#define MAX_CHUNK 100

struct _HarkHistory
{
  HarkHub *hub;             /* unowned */
  HarkSnapshots *snapshots; /* unowned */
};

typedef struct
{
  HarkSnapshot parent;
  gint64 channel_id;
  gint64 before; /* 0: not given */
  gint64 after;  /* 0: not given */
  gint64 limit;
} GetMessages;

#define MESSAGE_COLUMNS                                                                                                \
  "e.message_id, e.seq, e.author_id, e.client_id, e.text, e.created_at, e.edited_at, u.displayname, u.profile_pic"

static HarkJsonSlice
slice_of_row (const HarkRows *rows, guint column)
{
  HarkJsonSlice it;
  it.data = hark_rows_get_text (rows, column, &it.len);
  return it;
}

static void
write_message (const HarkRows *rows, gint64 server_id, gint64 channel_id, HarkJsonWriter *json)
{
  HarkMessageRow row = {
    .message_id = hark_rows_get_int64 (rows, 0),
    .server_id = server_id,
    .channel_id = channel_id,
    .author_id = hark_rows_get_int64 (rows, 2),
    .created_at = hark_rows_get_int64 (rows, 5),
    .text = slice_of_row (rows, 4),
    .author = slice_of_row (rows, 7),
    .image = slice_of_row (rows, 8),
    .client_id = slice_of_row (rows, 3),
  };
  hark_json_writer_begin_object (json);
  hark_json_writer_member_int (json, "seq", hark_rows_get_int64 (rows, 1));
  hark_message_row_write (&row, json);
  if (!hark_rows_is_null (rows, 6))
    hark_json_writer_member_time (json, "edited", hark_rows_get_int64 (rows, 6));
  hark_json_writer_end_object (json);
}

/* The chunk's ids are found first, newest or oldest as asked, and then read in order. */
static gboolean
query_chunk (HarkTransaction *tx, GetMessages *self, HarkRows *rows, GError **error)
{
  if (self->after != 0)
    return hark_transaction_query (tx, rows, error,
                                   "SELECT " MESSAGE_COLUMNS " FROM messages e"
                                   " LEFT JOIN users u ON u.user_id = e.author_id"
                                   " WHERE e.channel_id = ? AND e.message_id > ? AND e.message_id < ?"
                                   " ORDER BY e.message_id LIMIT ?",
                                   "iiii", self->channel_id, self->after, self->before != 0 ? self->before : G_MAXINT64,
                                   self->limit + 1);
  return hark_transaction_query (tx, rows, error,
                                 "SELECT " MESSAGE_COLUMNS " FROM (SELECT message_id FROM messages"
                                 " WHERE channel_id = ? AND message_id < ? ORDER BY message_id DESC LIMIT ?) AS chunk"
                                 " JOIN messages e ON e.message_id = chunk.message_id"
                                 " LEFT JOIN users u ON u.user_id = e.author_id ORDER BY e.message_id",
                                 "iii", self->channel_id, self->before != 0 ? self->before : G_MAXINT64,
                                 self->limit + 1);
}

/* One more than asked for is read, to know whether there is more: it is the last going forward, the first going back. */
static gboolean
read_chunk (HarkTransaction *tx, GetMessages *self, gint64 server_id, gboolean *more, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gboolean forward = self->after != 0;
  gint64 n = 0, skipped = 0, found = 0;
  if (!forward
      && !hark_transaction_query_int64 (tx, &found, NULL, error,
                                        "SELECT count(*) FROM (SELECT 1 FROM messages WHERE channel_id = ?"
                                        " AND message_id < ? LIMIT ?) AS chunk",
                                        "iii", self->channel_id, self->before != 0 ? self->before : G_MAXINT64,
                                        self->limit + 1))
    return FALSE;
  if (!query_chunk (tx, self, &rows, error))
    return FALSE;
  skipped = found > self->limit ? 1 : 0;
  hark_json_writer_member (json, "messages");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error) && n++ < self->limit + skipped)
    if (n > skipped)
      write_message (&rows, server_id, self->channel_id, json);
  hark_json_writer_end_array (json);
  *more = n > self->limit;
  return hark_rows_check (&local_error, error);
}

static gboolean
get_messages_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetMessages *self = (GetMessages *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  gint64 server_id = 0, seq;
  gboolean may, more;
  if (!hark_rights_may_see (tx, self->channel_id, snapshot->actor, &may, error))
    return FALSE;
  if (!may)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"channel_id\": there is none");
      return FALSE;
    }
  if (!hark_transaction_query_int64 (tx, &server_id, NULL, error, "SELECT server_id FROM channels WHERE channel_id = ?",
                                     "i", self->channel_id)
      || !hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  hark_snapshot_add_topic (snapshot, &topic, seq, FALSE);
  hark_json_writer_member_id (json, "channel_id", self->channel_id);
  if (!read_chunk (tx, self, server_id, &more, error))
    return FALSE;
  hark_json_writer_member_boolean (json, "more", more);
  hark_json_writer_member_int (json, "seq", seq);
  return TRUE;
}

static void
on_get_messages (HarkCommand *command, gpointer concern)
{
  HarkHistory *history = concern;
  const HarkJsonObject *args = command->args;
  GetMessages *self = hark_snapshot_new (sizeof *self, command, get_messages_in_thread, NULL);
  GError *error = NULL;
  self->limit = CHUNK;
  if (hark_json_object_get_id (args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && hark_json_object_get_id (args, "before", HARK_FIELD_OPTIONAL, &self->before, &error)
      && hark_json_object_get_id (args, "after", HARK_FIELD_OPTIONAL, &self->after, &error)
      && hark_json_object_get_int (args, "limit", HARK_FIELD_OPTIONAL, 1, MAX_CHUNK, &self->limit, &error))
    {
      hark_snapshots_take (history->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

static const HarkCommandSpec specs[] = {
  { "get_messages", HARK_COMMAND_NONE, NULL, on_get_messages },
};

HarkHistory *
hark_history_new (HarkHub *hub, HarkSnapshots *snapshots)
{
  HarkHistory *self = g_new0 (HarkHistory, 1);
  self->hub = hub;
  self->snapshots = snapshots;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_history_free (HarkHistory *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
