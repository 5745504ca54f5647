/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"
#include "bus/gate.h"
#include "core/hub.h"

G_BEGIN_DECLS

#define HARK_TYPE_BUS_SESSION_OBJECTS (hark_bus_session_objects_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusSessionObjects, hark_bus_session_objects, HARK, BUS_SESSION_OBJECTS, GObject)

HarkBusSessionObjects *hark_bus_session_objects_new (HarkHub *hub, HarkBusGate *gate, HarkMetrics *metrics,
                                                     const HarkBusLimits *limits);
gboolean hark_bus_session_objects_attach (HarkBusSessionObjects *self, GDBusConnection *connection, const char *path,
                                          GError **error);
void hark_bus_session_objects_detach (HarkBusSessionObjects *self);
void hark_bus_session_objects_drop_caller (HarkBusSessionObjects *self, const char *sender);

G_END_DECLS
