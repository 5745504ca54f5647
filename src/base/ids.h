/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"

G_BEGIN_DECLS

#define HARK_TYPE_IDS (hark_ids_get_type ())
G_DECLARE_FINAL_TYPE (HarkIds, hark_ids, HARK, IDS, GObject)

HarkIds *hark_ids_new (HarkClock *clock);
gint64 hark_ids_next (HarkIds *self);
void hark_ids_seen (HarkIds *self, gint64 id);

/* Digits of the longest id and the 0 byte. */
#define HARK_ID_LEN 21
char *hark_id_format (gint64 id, char out[HARK_ID_LEN]);
gboolean hark_id_parse (const char *text, gsize len, gint64 *id);
gint64 hark_id_get_time_ms (gint64 id);
gint64 hark_id_at_time_ms (gint64 real_ms);

G_END_DECLS
