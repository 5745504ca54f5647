/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkIntervals:
 *
 * How long ago one user did something to another. A quota counts what a user does in all; this is about one target, and
 * what was done to it must be longer ago than the interval. Remembers a bounded number of pairs.
 */
typedef struct _HarkIntervals HarkIntervals;

HarkIntervals *hark_intervals_new (HarkClock *clock, HarkMetrics *metrics, guint interval_ms, guint max);
void hark_intervals_free (HarkIntervals *self);
gboolean hark_intervals_take (HarkIntervals *self, const char *method, gint64 user_id, gint64 target_id, GError **error);
guint hark_intervals_get_n (HarkIntervals *self);

G_END_DECLS
