/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkMeter:
 *
 * How often whoever has no account does something: a token bucket per name (an address, a name that somebody tries), of
 * which a bounded number is remembered. Who has an account has a quota. Used by one thread.
 */
typedef struct _HarkMeter HarkMeter;

HarkMeter *hark_meter_new (HarkClock *clock, HarkCounter *n_refused, gint64 interval_us, guint burst, guint max);
void hark_meter_free (HarkMeter *self);
gboolean hark_meter_take (HarkMeter *self, const char *name, GError **error);
void hark_meter_forget (HarkMeter *self, const char *name);
guint hark_meter_get_n (HarkMeter *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkMeter, hark_meter_free)

G_END_DECLS
