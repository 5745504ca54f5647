/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

#define HARK_TYPE_PRESENCE (hark_presence_get_type ())
G_DECLARE_FINAL_TYPE (HarkPresence, hark_presence, HARK, PRESENCE, GObject)

/*
 * Who is there. A user is online while one session is; the last one's end counts only after a grace time, so that a
 * page reload is silent. Signal: `changed` (gint64 user, gboolean online), for what others should hear of.
 */
HarkPresence *hark_presence_new (HarkHub *hub, HarkClock *clock, guint grace_ms);
gboolean hark_presence_is_online (HarkPresence *self, gint64 user_id);
/* After a restart: the store says the user was online; goes offline unless a session comes within the grace time. */
void hark_presence_expect (HarkPresence *self, gint64 user_id);

G_END_DECLS
