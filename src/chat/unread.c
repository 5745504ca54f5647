/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far somebody has read. A message costs the same few writes whatever the number of members, because what is kept
 * is one mark for each channel that somebody has read in, and not a counter for each who has not.
 */
#include "chat/unread.h"

#include "base/error.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"

struct _HarkUnread
{
  HarkHub *hub;     /* unowned */
  HarkStore *store; /* unowned */
};

/* Moves a mark forward; never back: what somebody has read stays read. */
gboolean
hark_unread_mark (HarkTransaction *tx, gint64 user_id, gint64 channel_id, gint64 ordinal, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO read_marks (user_id, channel_id, ordinal) VALUES (?, ?, ?)"
                                " ON CONFLICT (user_id, channel_id) DO UPDATE SET ordinal = excluded.ordinal"
                                " WHERE excluded.ordinal > read_marks.ordinal",
                                "iii", user_id, channel_id, ordinal);
}

/* @unread: ids and numbers, in turn. Counters change with every message, so a reply about changes has all that are not
 * 0. */
void
hark_unread_write (HarkJsonWriter *json, GArray *unread)
{
  hark_json_writer_member (json, "unread");
  hark_json_writer_begin_object (json);
  for (guint i = 0; i + 1 < unread->len; i += 2)
    {
      char digits[HARK_ID_LEN];
      hark_json_writer_member_int (json, hark_id_format (g_array_index (unread, gint64, i), digits),
                                   g_array_index (unread, gint64, i + 1));
    }
  hark_json_writer_end_object (json);
}

typedef struct
{
  HarkRequest parent;
  gint64 channel_id;
  gint64 message_id; /* 0: up to the newest */
} MarkRead;

static gboolean
find_ordinal (HarkTransaction *tx, MarkRead *self, gint64 *ordinal, GError **error)
{
  gboolean found;
  if (self->message_id == 0)
    return hark_transaction_query_int64 (tx, ordinal, NULL, error,
                                         "SELECT last_ordinal FROM channels WHERE channel_id = ?", "i",
                                         self->channel_id);
  if (!hark_transaction_query_int64 (tx, ordinal, &found, error,
                                     "SELECT ordinal FROM messages WHERE message_id = ? AND channel_id = ?", "ii",
                                     self->message_id, self->channel_id))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"message_id\": there is none in that channel");
  return found;
}

static gboolean
mark_read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  MarkRead *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 ordinal = 0;
  gboolean may;
  if (!hark_rights_may_see (tx, self->channel_id, self->parent.actor, &may, error))
    return FALSE;
  if (!may)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"channel_id\": there is none");
      return FALSE;
    }
  if (!find_ordinal (tx, self, &ordinal, error)
      || !hark_unread_mark (tx, self->parent.actor, self->channel_id, ordinal, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT c.last_ordinal - r.ordinal FROM channels c"
                                  " JOIN read_marks r ON r.channel_id = c.channel_id AND r.user_id = ?"
                                  " WHERE c.channel_id = ?",
                                  "ii", self->parent.actor, self->channel_id)
      || !hark_rows_require (&rows, "channel_id", error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "channel_id", self->channel_id);
  hark_json_writer_member_int (&self->parent.reply, "unread", hark_rows_get_int64 (&rows, 0));
  return TRUE;
}

static void
on_mark_read (HarkCommand *command, gpointer concern)
{
  HarkUnread *unread = concern;
  MarkRead *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && hark_json_object_get_id (command->args, "message_id", HARK_FIELD_OPTIONAL, &self->message_id, &error))
    hark_request_write (self, unread->store, mark_read_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "mark_read", HARK_COMMAND_NONE, NULL, on_mark_read },
};

HarkUnread *
hark_unread_new (HarkHub *hub, HarkStore *store)
{
  HarkUnread *self = g_new0 (HarkUnread, 1);
  self->hub = hub;
  self->store = store;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_unread_free (HarkUnread *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
