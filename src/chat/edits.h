/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

/*
 * A deleted message keeps its ordinal: what counts messages by a difference of ordinals takes off as many as this says
 * of channel `c` above the ordinal @above (an SQL expression). One range of a small index.
 */
#define HARK_SQL_DELETED_ABOVE(above)                                                                                  \
  "(SELECT count(*) FROM deleted_messages gone WHERE gone.channel_id = c.channel_id AND gone.ordinal > " above ")"

typedef struct _HarkEdits HarkEdits;

HarkEdits *hark_edits_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_edits_free (HarkEdits *self);

/* For works. @n: (out): messages of the channel that were deleted and have a greater ordinal */
gboolean hark_messages_count_deleted (HarkTransaction *tx, gint64 channel_id, gint64 above_ordinal, gint64 *n,
                                      GError **error);

/* Removes some messages of a channel that is gone, with all that hangs on them. @more: (out): whether there are others */
gboolean hark_edits_purge (HarkTransaction *tx, gint64 channel_id, gboolean *more, GError **error);

G_END_DECLS
