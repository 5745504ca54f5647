/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place that knows a message's fields; the names are those existing clients expect. */
#include "chat/message-row.h"

#include "chat/reactions.h"
#include "chat/rights.h"
#include "chat/rows.h"

static void
write_text (HarkJsonWriter *json, const char *name, HarkJsonSlice text)
{
  hark_json_writer_member (json, name);
  hark_json_writer_string_len (json, text.data != NULL ? text.data : "", text.data != NULL ? text.len : 0);
}

/* Writes the members but `type` and `seq`. */
void
hark_message_row_write (const HarkMessageRow *self, HarkJsonWriter *json)
{
  hark_json_writer_member_id (json, "message_id", self->message_id);
  write_text (json, "message", self->text);
  write_text (json, "author", self->author);
  hark_json_writer_member_id (json, "author_id", self->author_id);
  write_text (json, "image", self->image);
  hark_json_writer_member_id (json, "server", self->server_id);
  hark_json_writer_member_id (json, "channel", self->channel_id);
  if (self->client_id.data != NULL)
    hark_json_writer_member_raw (json, "id", self->client_id.data, self->client_id.len);
  if (self->reply_to != 0)
    hark_json_writer_member_id (json, "reply_to", self->reply_to);
  if (self->mentions.data != NULL)
    hark_json_writer_member_raw (json, "mentions", self->mentions.data, self->mentions.len);
  hark_json_writer_member_time (json, "timestamp", self->created_at);
}

static HarkJsonSlice
slice_of_row (const HarkRows *rows, guint column)
{
  HarkJsonSlice it;
  it.data = hark_rows_get_text (rows, column, &it.len);
  return it;
}

gboolean
hark_message_row_write_stored (HarkTransaction *tx, const HarkRows *rows, gint64 actor, HarkJsonWriter *json,
                               GError **error)
{
  HarkMessageRow row = {
    .message_id = hark_rows_get_int64 (rows, 0),
    .channel_id = hark_rows_get_int64 (rows, 2),
    .author_id = hark_rows_get_int64 (rows, 3),
    .client_id = slice_of_row (rows, 4),
    .text = slice_of_row (rows, 5),
    .created_at = hark_rows_get_int64 (rows, 6),
    .reply_to = hark_rows_get_int64 (rows, 8), /* NULL: 0 */
    .server_id = hark_rows_get_int64 (rows, 10),
    .author = slice_of_row (rows, 11),
    .image = slice_of_row (rows, 12),
    .mentions = slice_of_row (rows, 13),
  };
  hark_json_writer_member_int (json, "seq", hark_rows_get_int64 (rows, 1));
  hark_message_row_write (&row, json);
  if (!hark_rows_is_null (rows, 7))
    hark_json_writer_member_time (json, "edited", hark_rows_get_int64 (rows, 7));
  return hark_rows_get_int64 (rows, 9) == 0 || hark_reactions_write (tx, row.message_id, actor, json, error);
}

/* %HARK_ERROR_NOT_FOUND when there is none, or none that @actor may see; administrators see all. */
gboolean
hark_message_find (HarkTransaction *tx, gint64 message_id, gint64 actor, gboolean is_admin, HarkMessagePlace *place,
                   GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT e.channel_id, c.server_id, e.author_id FROM messages e"
                               " JOIN channels c ON c.channel_id = e.channel_id"
                               " JOIN servers s ON s.server_id = c.server_id"
                               " LEFT JOIN members m ON m.server_id = s.server_id AND m.user_id = ?"
                               " WHERE e.message_id = ? AND (? = 1 OR (m.user_id IS NOT NULL AND " HARK_SQL_MAY_SEE
                               "))",
                               "iii", actor, message_id, (gint64)(is_admin ? 1 : 0))
      || !hark_rows_require (&rows, "message_id", error))
    return FALSE;
  place->channel_id = hark_rows_get_int64 (&rows, 0);
  place->server_id = hark_rows_get_int64 (&rows, 1);
  place->author_id = hark_rows_get_int64 (&rows, 2);
  return TRUE;
}
