/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody has not read, from what is kept for the channel and from one mark for each channel they have read in:
 * no message is looked at, whatever their number. Read together with a rev, the numbers are those after that event.
 */
#include "chat/unread-counts.h"

#include "chat/rights.h"
#include "chat/rows.h"

void
hark_unread_count_write (const HarkUnreadCount *self, HarkJsonWriter *json)
{
  hark_json_writer_begin_object (json);
  hark_json_writer_member_id (json, "channel_id", self->channel_id);
  hark_json_writer_member_int (json, "unread", self->unread);
  hark_json_writer_member_int (json, "mentions", self->mentions);
  hark_json_writer_end_object (json);
}

/* clang-format off */

/* The marks are found once, and kept: what is counted beyond them needs each several times. Who sees no channel of a
 * server has a row for it all the same, without one. */
#define SEEN(condition, changed) \
  "WITH c AS MATERIALIZED (SELECT m.server_id, c.channel_id, c.last_ordinal, m.user_id, " \
  HARK_SQL_READ " AS mark, " changed " AS changed" \
  " FROM members m JOIN servers s ON s.server_id = m.server_id" \
  " LEFT JOIN channels c ON c.server_id = m.server_id AND " HARK_SQL_MAY_SEE \
  " LEFT JOIN read_marks r ON r.user_id = m.user_id AND r.channel_id = c.channel_id" \
  " WHERE m.user_id = ? AND " condition ")" \
  " SELECT c.server_id, c.channel_id, " HARK_SQL_UNREAD_AFTER ("c.mark") "," \
  " CASE WHEN c.last_ordinal > c.mark THEN (SELECT count(*) FROM mentions n WHERE n.user_id = c.user_id" \
  " AND n.channel_id = c.channel_id AND n.ordinal > c.mark) ELSE 0 END, c.changed FROM c ORDER BY c.server_id"

/* The newest event of a topic. The log reaches back to what is asked for, so what is not in it was before. */
#define NEWEST(topic) \
  "coalesce((SELECT l.rev FROM topics t JOIN event_log l ON l.topic_id = t.topic_id WHERE t.name = " topic \
  " ORDER BY l.seq DESC LIMIT 1), 0)"

/* Rights and channels change by events of the server, messages by events of the channel; a mark is no event, and says
 * what had happened when it was made. */
#define CHANGED \
  "(m.joined_rev > ? OR r.rev >= ? OR " NEWEST ("'channel/' || c.channel_id") " > ?" \
  " OR " NEWEST ("'server/' || m.server_id") " > ?)"

/* clang-format on */

static gboolean
collect (HarkRows *rows, GArray *counts, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  while (hark_rows_next (rows, &local_error))
    {
      HarkUnreadCount count = {
        .server_id = hark_rows_get_int64 (rows, 0),
        .channel_id = hark_rows_get_int64 (rows, 1),
        .unread = hark_rows_get_int64 (rows, 2),
        .mentions = hark_rows_get_int64 (rows, 3),
        .changed = hark_rows_get_int64 (rows, 4) != 0,
      };
      g_array_append_val (counts, count);
    }
  return hark_rows_check (&local_error, error);
}

/* @since: a rev that the event log reaches back to; -1: everything is taken for changed */
gboolean
hark_unread_counts_read (HarkTransaction *tx, gint64 user_id, gint64 since, GArray *counts, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (since < 0)
    return hark_transaction_query (tx, &rows, error, SEEN ("1", "1"), "i", user_id) && collect (&rows, counts, error);
  return hark_transaction_query (tx, &rows, error, SEEN ("1", CHANGED), "iiiii", since, since, since, since, user_id)
         && collect (&rows, counts, error);
}

gboolean
hark_unread_counts_read_server (HarkTransaction *tx, gint64 user_id, gint64 server_id, GArray *counts, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  return hark_transaction_query (tx, &rows, error, SEEN ("m.server_id = ?", "1"), "ii", user_id, server_id)
         && collect (&rows, counts, error);
}
