/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/monitors.h"
#include "hark-bus-generated.h"

G_BEGIN_DECLS

/* Reads the configuration again. FALSE and HARK_ERROR_BAD_REQUEST when it has a mistake. */
typedef gboolean (*HarkBusReloadFunc) (gpointer data, GError **error);
/* @task: (transfer full): to be returned TRUE or an error */
typedef void (*HarkBusUpgradeFunc) (GTask *task, gpointer data);

#define HARK_TYPE_BUS_HUB1 (hark_bus_hub1_object_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusHub1Object, hark_bus_hub1_object, HARK, BUS_HUB1_OBJECT, HarkBusHub1Skeleton)

HarkBusHub1Object *hark_bus_hub1_object_new (HarkHub *hub, HarkBusMonitors *monitors, HarkClock *clock,
                                             const HarkBusLimits *limits);
void hark_bus_hub1_object_attach (HarkBusHub1Object *self, GDBusConnection *connection, const char *path);
void hark_bus_hub1_object_detach (HarkBusHub1Object *self);
void hark_bus_hub1_object_set_draining (HarkBusHub1Object *self, gboolean draining);
void hark_bus_hub1_object_set_ready (HarkBusHub1Object *self, gboolean ready);
void hark_bus_hub1_object_set_reload (HarkBusHub1Object *self, HarkBusReloadFunc reload, gpointer data);
void hark_bus_hub1_object_set_upgrade (HarkBusHub1Object *self, HarkBusUpgradeFunc upgrade, gpointer data);

G_END_DECLS
