/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkSearchIndex HarkSearchIndex;

HarkSearchIndex *hark_search_index_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics);
void hark_search_index_free (HarkSearchIndex *self);
/* There is a new message. */
void hark_search_index_wake (HarkSearchIndex *self);

/* For works. @upto: (out): all messages up to this id are in the index, and none beyond. */
gboolean hark_search_index_get_upto (HarkTransaction *tx, gint64 *upto, GError **error);
/* Before a text changes or goes, and after it has changed; nothing for what is not in the index yet. */
gboolean hark_search_index_remove (HarkTransaction *tx, gint64 message_id, GError **error);
gboolean hark_search_index_add (HarkTransaction *tx, gint64 message_id, GError **error);

G_END_DECLS
