/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"
#include "chat/edits.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/*
 * Up to where the member `m` has read the channel `c`, `r` being the mark or none. Who has never read anything has read
 * what was there when they joined: ids of messages and of memberships sort by time.
 */
#define HARK_SQL_READ                                                                                                  \
  "coalesce(r.ordinal, (SELECT b.ordinal FROM messages b WHERE b.channel_id = c.channel_id"                            \
  " AND b.message_id < m.joined_id AND c.channel_id < m.joined_id ORDER BY b.message_id DESC LIMIT 1), 0)"

/* How many messages of the channel `c` somebody has not read who has read up to @read. */
#define HARK_SQL_UNREAD_AFTER(read) "(c.last_ordinal - " read " - " HARK_SQL_DELETED_ABOVE (read) ")"
#define HARK_SQL_UNREAD HARK_SQL_UNREAD_AFTER (HARK_SQL_READ)

typedef struct
{
  gint64 server_id;
  gint64 channel_id; /* 0: the user sees no channel of that server */
  gint64 unread;
  gint64 mentions;
  gboolean changed; /* since what was asked; always when everything was */
} HarkUnreadCount;

void hark_unread_count_write (const HarkUnreadCount *self, HarkJsonWriter *json);

/* For works. (element-type HarkUnreadCount): appended, for each channel that the user may see, or for a server of which there is none; server by server. */
gboolean hark_unread_counts_read (HarkTransaction *tx, gint64 user_id, gint64 since, GArray *counts, GError **error);
gboolean hark_unread_counts_read_server (HarkTransaction *tx, gint64 user_id, gint64 server_id, GArray *counts,
                                         GError **error);

G_END_DECLS
