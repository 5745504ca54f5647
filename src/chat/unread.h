/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"
#include "chat/unread-counts.h"
#include "chat/unread-feed.h"

G_BEGIN_DECLS

typedef struct _HarkUnread HarkUnread;

HarkUnread *hark_unread_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMetrics *metrics,
                             const HarkChatLimits *limits);
void hark_unread_free (HarkUnread *self);
HarkUnreadFeed *hark_unread_get_feed (HarkUnread *self);

/* For works. */
void hark_unread_write (HarkJsonWriter *json, GArray *unread);
gboolean hark_unread_mark (HarkTransaction *tx, gint64 user_id, gint64 channel_id, gint64 ordinal, GError **error);

G_END_DECLS
