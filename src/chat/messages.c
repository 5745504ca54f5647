/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saying something in a channel. This is the path that everything else gives way to: one look at channel, membership,
 * right, author and earlier copy in a single query, then the message, its event, the channel's count and the sender's
 * mark. The ack and the broadcast both come after the commit.
 */
#include "chat/messages.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/mentions.h"
#include "chat/message-notifications.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/unread.h"

#include <string.h>

/* Bytes of a client's own id for a message, as JSON. */
#define MAX_CLIENT_ID 64

struct _HarkMessages
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSearchIndex *search_index;
  HarkNotifications *notifications;
  const HarkChatLimits *limits;
  HarkCounter *n_messages;
  HarkCounter *n_copies;
};

typedef struct
{
  HarkRequest parent;
  gint64 channel_id;
  gint64 server_id;  /* 0: not said */
  gint64 reply_to;   /* 0: none */
  gint64 message_id; /* out */
  gint64 seq;        /* out */
  gboolean is_copy;  /* out */
  gsize text_len;
  gsize client_id_len; /* 0: none */
  char bytes[];        /* the text, then the client's id */
} SendMessage;

static HarkJsonSlice
slice (const char *data, gsize len)
{
  HarkJsonSlice it = { data, len };
  return it;
}

static HarkJsonSlice
slice_of_row (const HarkRows *rows, guint column)
{
  HarkJsonSlice it;
  it.data = hark_rows_get_text (rows, column, &it.len);
  return it;
}

/* Tells the sender of a copy what the first one was answered. */
static gboolean
find_first (HarkTransaction *tx, SendMessage *self, GError **error)
{
  self->is_copy = TRUE;
  return hark_transaction_query_int64 (tx, &self->seq, NULL, error,
                                       "SELECT seq FROM messages WHERE message_id = ?"
                                       " UNION ALL SELECT seq FROM deleted_messages WHERE message_id = ?",
                                       "ii", self->message_id, self->message_id);
}

static gboolean
store_message (HarkTransaction *tx, SendMessage *self, const HarkMessageRow *row, gint64 ordinal, GError **error)
{
  if (self->client_id_len > 0)
    return hark_transaction_exec (tx, error,
                                  "INSERT INTO messages (message_id, channel_id, seq, ordinal, author_id, text,"
                                  " created_at, reply_to, client_id) VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?)",
                                  "iiiiiTiiT", row->message_id, row->channel_id, self->seq, ordinal, row->author_id,
                                  row->text.data, row->text.len, row->created_at, row->reply_to, row->client_id.data,
                                  row->client_id.len);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO messages (message_id, channel_id, seq, ordinal, author_id, text,"
                                " created_at, reply_to) VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, 0))",
                                "iiiiiTii", row->message_id, row->channel_id, self->seq, ordinal, row->author_id,
                                row->text.data, row->text.len, row->created_at, row->reply_to);
}

static gboolean
say (HarkTransaction *tx, SendMessage *self, HarkMessageRow *row, gint64 ordinal, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  HarkMessages *messages = self->parent.concern;
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_autofree char *mentions = NULL;
  if (!hark_draft_begin (&draft, tx, &topic, "message", error))
    return FALSE;
  self->message_id = hark_transaction_next_id (tx);
  self->seq = draft.position.seq;
  row->message_id = self->message_id;
  row->channel_id = self->channel_id;
  row->author_id = self->parent.actor;
  row->reply_to = self->reply_to;
  row->created_at = hark_transaction_now_ms (tx);
  row->text = slice (self->bytes, self->text_len);
  row->client_id = slice (self->client_id_len > 0 ? self->bytes + self->text_len : NULL, self->client_id_len);
  if (!hark_mentions_store (tx, row, ordinal, messages->limits->mentions, &mentions, error))
    return FALSE;
  hark_message_row_write (row, &draft.json);
  return hark_draft_end (&draft, tx, NULL, NULL, error) && store_message (tx, self, row, ordinal, error)
         && hark_transaction_exec (tx, error, "UPDATE channels SET last_ordinal = ? WHERE channel_id = ?", "ii",
                                   ordinal, self->channel_id)
         && hark_unread_mark (tx, self->parent.actor, self->channel_id, ordinal, error)
         && (mentions == NULL || hark_message_notify_mentioned (messages->notifications, tx, row, error));
}

static gboolean
check_reply_to (HarkTransaction *tx, const SendMessage *self, GError **error)
{
  gboolean found = TRUE;
  gint64 one;
  if (self->reply_to != 0
      && !hark_transaction_query_int64 (tx, &one, &found, error,
                                        "SELECT 1 FROM messages WHERE message_id = ? AND channel_id = ?", "ii",
                                        self->reply_to, self->channel_id))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"reply_to\": there is none in that channel");
  return found;
}

static gboolean
send_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SendMessage *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  HarkMessageRow row = { 0 };
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT c.server_id, c.last_ordinal, u.displayname, u.profile_pic,"
                               " coalesce((SELECT e.message_id FROM messages e WHERE e.channel_id = c.channel_id"
                               " AND e.author_id = m.user_id AND e.client_id = ?), (SELECT d.message_id"
                               " FROM deleted_messages d WHERE d.channel_id = c.channel_id"
                               " AND d.author_id = m.user_id AND d.client_id = ?))"
                               " FROM channels c JOIN servers s ON s.server_id = c.server_id"
                               " JOIN members m ON m.server_id = c.server_id AND m.user_id = ?"
                               " JOIN users u ON u.user_id = m.user_id"
                               " WHERE c.channel_id = ? AND " HARK_SQL_MAY_SEE,
                               "TTii", self->bytes + self->text_len, self->client_id_len, self->bytes + self->text_len,
                               self->client_id_len, self->parent.actor, self->channel_id)
      || !hark_rows_require (&rows, "channel", error))
    return FALSE;
  row.server_id = hark_rows_get_int64 (&rows, 0);
  if (self->server_id != 0 && self->server_id != row.server_id)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"server\": it has no such channel");
      return FALSE;
    }
  if (!hark_rows_is_null (&rows, 4))
    {
      self->message_id = hark_rows_get_int64 (&rows, 4);
      return find_first (tx, self, error);
    }
  row.author = slice_of_row (&rows, 2);
  row.image = slice_of_row (&rows, 3);
  return check_reply_to (tx, self, error) && say (tx, self, &row, hark_rows_get_int64 (&rows, 1) + 1, error);
}

static void
on_sent (gpointer data, const GError *error, gpointer user_data)
{
  SendMessage *self = data;
  HarkMessages *messages = self->parent.concern;
  HarkJsonWriter *writer;
  if (error != NULL)
    {
      hark_command_fail (self->parent.command, error);
      return;
    }
  hark_counter_add (self->is_copy ? messages->n_copies : messages->n_messages, 1);
  hark_search_index_wake (messages->search_index);
  writer = hark_command_begin_reply (self->parent.command);
  if (self->client_id_len > 0)
    hark_json_writer_member_raw (writer, "id", self->bytes + self->text_len, self->client_id_len);
  hark_json_writer_member_id (writer, "message_id", self->message_id);
  hark_json_writer_member_int (writer, "seq", self->seq);
  hark_command_end_reply (self->parent.command);
}

static gboolean
check_text (HarkJsonSlice text, gsize *len, GError **error)
{
  *len = hark_json_slice_get_decoded_len (text);
  if (*len == 0 || hark_json_slice_has_nul (text))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"message\" must %s",
                   *len == 0 ? "not be empty" : "be a string without U+0000");
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_length (const char *text, gsize len, guint max_chars, GError **error)
{
  if (len <= max_chars || g_utf8_strlen (text, len) <= max_chars)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"message\" is longer than %u characters", max_chars);
  return FALSE;
}

static gboolean
check_client_id (const HarkJsonValue *value, GError **error)
{
  gboolean is_id
    = value->token == HARK_JSON_STRING || value->token == HARK_JSON_INTEGER || value->token == HARK_JSON_NUMBER;
  if (is_id && value->raw.len <= MAX_CLIENT_ID)
    return TRUE;
  g_set_error (error, HARK_ERROR, is_id ? HARK_ERROR_TOO_LARGE : HARK_ERROR_BAD_REQUEST,
               is_id ? "\"id\" is longer than %d bytes" : "\"id\" must be a string or a number of at most %d bytes",
               MAX_CLIENT_ID);
  return FALSE;
}

static void
refuse (HarkCommand *command, GError *error)
{
  hark_command_take_error (command, error);
  hark_command_unref (command);
}

static void
on_message (HarkCommand *command, gpointer concern)
{
  HarkMessages *messages = concern;
  const HarkJsonObject *args = command->args;
  const HarkJsonValue *client_id = hark_json_object_get (args, "id");
  HarkJsonSlice text;
  gint64 channel_id, server_id = 0, reply_to = 0;
  gsize len, client_id_len = 0;
  GError *error = NULL;
  SendMessage *self;
  if (client_id != NULL && client_id->token == HARK_JSON_NULL)
    client_id = NULL;
  if (!hark_json_object_get_id (args, "channel", HARK_FIELD_REQUIRED, &channel_id, &error)
      || !hark_json_object_get_id (args, "server", HARK_FIELD_OPTIONAL, &server_id, &error)
      || !hark_json_object_get_id (args, "reply_to", HARK_FIELD_OPTIONAL, &reply_to, &error)
      || !hark_json_object_get_text (args, "message", HARK_FIELD_REQUIRED, &text, &error)
      || !check_text (text, &len, &error) || (client_id != NULL && !check_client_id (client_id, &error)))
    {
      refuse (command, error);
      return;
    }
  if (client_id != NULL)
    client_id_len = client_id->raw.len;
  self = hark_request_new (sizeof *self + len + client_id_len, command, concern, NULL);
  self->channel_id = channel_id;
  self->server_id = server_id;
  self->reply_to = reply_to;
  self->text_len = len;
  self->client_id_len = client_id_len;
  hark_json_slice_decode (text, self->bytes);
  if (client_id != NULL)
    memcpy (self->bytes + len, client_id->raw.data, client_id_len);
  if (check_length (self->bytes, len, messages->limits->message_chars, &error))
    hark_store_write (messages->store, send_in_thread, self, hark_request_free, on_sent, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "message", HARK_COMMAND_UNMETERED, "messages", on_message },
};

HarkMessages *
hark_messages_new (HarkHub *hub, HarkStore *store, HarkSearchIndex *search_index, HarkNotifications *notifications,
                   HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkMessages *self = g_new0 (HarkMessages, 1);
  self->hub = hub;
  self->store = store;
  self->search_index = search_index;
  self->notifications = notifications;
  self->limits = limits;
  self->n_messages = hark_metrics_counter (metrics, "hark_messages_total", "Chat messages stored.");
  self->n_copies = hark_metrics_counter (metrics, "hark_message_copies_total",
                                         "Chat messages that were sent again and had been stored before.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_messages_free (HarkMessages *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
