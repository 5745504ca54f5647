/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

#define HARK_TYPE_DRAIN (hark_drain_get_type ())
G_DECLARE_FINAL_TYPE (HarkDrain, hark_drain, HARK, DRAIN, GObject)

/*
 * Property: active (gboolean): sessions are being closed, or have been: who comes is to be refused.
 */

HarkDrain *hark_drain_new (HarkHub *hub, HarkMetrics *metrics);
guint hark_drain_start (HarkDrain *self, gint64 over_ms);
void hark_drain_stop (HarkDrain *self);
gboolean hark_drain_is_active (HarkDrain *self);

G_END_DECLS
