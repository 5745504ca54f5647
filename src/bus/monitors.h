/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"
#include "core/hub.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_BUS_MONITORS (hark_bus_monitors_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusMonitors, hark_bus_monitors, HARK, BUS_MONITORS, GObject)

HarkBusMonitors *hark_bus_monitors_new (HarkHub *hub, HarkMetrics *metrics, const HarkBusLimits *limits);
void hark_bus_monitors_set_lost (HarkBusMonitors *self, GArray *lost);
void hark_bus_monitors_attach (HarkBusMonitors *self, GDBusConnection *connection, const char *path);
void hark_bus_monitors_detach (HarkBusMonitors *self);
gboolean hark_bus_monitors_start (HarkBusMonitors *self, const char *sender, GError **error);
void hark_bus_monitors_stop (HarkBusMonitors *self, const char *sender);

G_END_DECLS
