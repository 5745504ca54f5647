/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/presence.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkPresenceStore HarkPresenceStore;

HarkPresenceStore *hark_presence_store_new (HarkPresence *presence, HarkStore *store, HarkClock *clock);
void hark_presence_store_free (HarkPresenceStore *self);

/* For works. */
gboolean hark_presence_store_choose (HarkTransaction *tx, gint64 user_id, const char *chosen, GError **error);
gboolean hark_presence_store_load (HarkTransaction *tx, HarkPresence *presence, GError **error);

G_END_DECLS
