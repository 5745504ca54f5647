/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/message-row.h"
#include "chat/notifications.h"

G_BEGIN_DECLS

/* For works. */
gboolean hark_message_notify_mentioned (HarkNotifications *notifications, HarkTransaction *tx,
                                        const HarkMessageRow *row, GError **error);
gboolean hark_message_notify_reaction (HarkNotifications *notifications, HarkTransaction *tx, gint64 message_id,
                                       gint64 author_id, gint64 actor, const char *emoji, GError **error);

G_END_DECLS
