/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

/* Tells users what has become of their unread numbers, in the sessions that have loaded the server. */
typedef struct _HarkUnreadFeed HarkUnreadFeed;

HarkUnreadFeed *hark_unread_feed_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMetrics *metrics,
                                      const HarkChatLimits *limits);
void hark_unread_feed_free (HarkUnreadFeed *self);

/* A user has read: all their sessions are told as soon as the numbers are read. @channel_id: 0 for all of the server */
void hark_unread_feed_mark (HarkUnreadFeed *self, gint64 user_id, gint64 server_id, gint64 channel_id);
/* A session was sent numbers of a server that were asked for at @serial, see hark_snapshots_stamp (). */
void hark_unread_feed_check (HarkUnreadFeed *self, HarkSession *session, gint64 server_id, gint64 serial);

/* For another process: what is still to be told. */
GVariant *hark_unread_feed_save (HarkUnreadFeed *self);
void hark_unread_feed_restore (HarkUnreadFeed *self, GVariant *state);

G_END_DECLS
