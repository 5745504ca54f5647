/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkPersonal HarkPersonal;
typedef struct _HarkCatchUp HarkCatchUp;

HarkPersonal *hark_personal_new (HarkHub *hub, HarkStore *store, const HarkChatLimits *limits);
void hark_personal_free (HarkPersonal *self);

/**
 * HarkCatchUp:
 *
 * What waited for a user while no session was there: read with the welcome, sent after it, and then the session gets
 * what follows.
 */
HarkCatchUp *hark_catch_up_new (HarkPersonal *personal, gint64 session_id, gint64 user_id);
void hark_catch_up_free (HarkCatchUp *self);
gboolean hark_catch_up_read (HarkTransaction *tx, HarkCatchUp *self, GError **error);
void hark_catch_up_send (HarkCatchUp *self);

G_END_DECLS
