/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkHistory HarkHistory;

HarkHistory *hark_history_new (HarkHub *hub, HarkSnapshots *snapshots);
void hark_history_free (HarkHistory *self);

G_END_DECLS
