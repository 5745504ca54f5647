/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "base/metrics.h"

G_BEGIN_DECLS

#define HARK_TYPE_QUOTA (hark_quota_get_type ())
G_DECLARE_FINAL_TYPE (HarkQuota, hark_quota, HARK, QUOTA, GObject)

HarkQuota *hark_quota_new (HarkClock *clock, HarkMetrics *metrics);
void hark_quota_set_rate (HarkQuota *self, const char *name, guint per_second, guint burst);
gboolean hark_quota_take_some (HarkQuota *self, gint64 user_id, const char *name, guint n, GError **error);
gboolean hark_quota_take (HarkQuota *self, gint64 user_id, const char *name, GError **error);
guint hark_quota_get_n_users (HarkQuota *self);

G_END_DECLS
