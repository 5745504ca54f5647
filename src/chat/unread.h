/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

/*
 * How many messages of the channel `c` the member `m`, whose mark is `r` (or none), has not read. Who has never read
 * anything has read what was there when they joined: ids of messages and of memberships sort by time.
 */
#define HARK_SQL_UNREAD                                                                                                \
  "(c.last_ordinal - coalesce(r.ordinal, (SELECT b.ordinal FROM messages b WHERE b.channel_id = c.channel_id"          \
  " AND b.message_id < m.joined_id ORDER BY b.message_id DESC LIMIT 1), 0))"

typedef struct _HarkUnread HarkUnread;

HarkUnread *hark_unread_new (HarkHub *hub, HarkStore *store);
void hark_unread_free (HarkUnread *self);

/* For works. */
void hark_unread_write (HarkJsonWriter *json, GArray *unread);
gboolean hark_unread_mark (HarkTransaction *tx, gint64 user_id, gint64 channel_id, gint64 ordinal, GError **error);

G_END_DECLS
