/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkRange:
 *
 * Ids that are greater than @after and not greater than @last: what a page that begins after one id holds.
 */
typedef struct
{
  gint64 after;
  gint64 last;
} HarkRange;

/* Sets of ids: (element-type HarkRange), sorted, none touching the next. */
GArray *hark_ranges_new (void);
void hark_ranges_add (GArray *ranges, gint64 after, gint64 last);
gboolean hark_ranges_contain (GArray *ranges, gint64 id);
gboolean hark_ranges_meet (GArray *ranges, gint64 after, gint64 last);

G_END_DECLS
