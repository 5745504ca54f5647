/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/notifications.h"

G_BEGIN_DECLS

typedef struct _HarkReactions HarkReactions;

HarkReactions *hark_reactions_new (HarkHub *hub, HarkStore *store, HarkNotifications *notifications,
                                   HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_reactions_free (HarkReactions *self);

/* For works: the member `reactions`, when there are any; and their end, with the message's. */
gboolean hark_reactions_write (HarkTransaction *tx, gint64 message_id, gint64 actor, HarkJsonWriter *json,
                               GError **error);
gboolean hark_reactions_remove (HarkTransaction *tx, gint64 message_id, GError **error);

G_END_DECLS
