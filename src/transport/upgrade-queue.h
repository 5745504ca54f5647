/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/upgrade.h"

G_BEGIN_DECLS

/**
 * HarkUpgradeFunc:
 * @upgrade: (transfer full)
 */
typedef void (*HarkUpgradeFunc) (HarkUpgrade *upgrade, gpointer data);

#define HARK_TYPE_UPGRADE_QUEUE (hark_upgrade_queue_get_type ())
G_DECLARE_FINAL_TYPE (HarkUpgradeQueue, hark_upgrade_queue, HARK, UPGRADE_QUEUE, GObject)

HarkUpgradeQueue *hark_upgrade_queue_new (GMainContext *context, guint max_waiting, HarkUpgradeFunc func, gpointer data);
gboolean hark_upgrade_queue_is_full (HarkUpgradeQueue *self);
void hark_upgrade_queue_push (HarkUpgradeQueue *self, HarkUpgrade *upgrade);
void hark_upgrade_queue_stop (HarkUpgradeQueue *self);

G_END_DECLS
