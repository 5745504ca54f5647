/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"
#include "core/dispatcher.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_BUS_BRIDGE (hark_bus_bridge_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusBridge, hark_bus_bridge, HARK, BUS_BRIDGE, GObject)

HarkBusBridge *hark_bus_bridge_new (HarkDispatcher *dispatcher, HarkMetrics *metrics, const HarkBusLimits *limits);
gboolean hark_bus_bridge_serves (const GDBusMethodInfo *method);
void hark_bus_bridge_call (HarkBusBridge *self, GDBusMethodInvocation *invocation);
void hark_bus_bridge_drop_caller (HarkBusBridge *self, const char *sender);
void hark_bus_bridge_drop_all (HarkBusBridge *self);

G_END_DECLS
