/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/authority.h"
#include "bus/bridge.h"

G_BEGIN_DECLS

#define HARK_TYPE_BUS_GATE (hark_bus_gate_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusGate, hark_bus_gate, HARK, BUS_GATE, GObject)

/* A call that was let in. @invocation: (transfer full) */
typedef void (*HarkBusGateFunc) (GDBusMethodInvocation *invocation, gpointer data);

HarkBusGate *hark_bus_gate_new (HarkBusAuthority *authority, HarkBusBridge *bridge);
guint hark_bus_gate_export (HarkBusGate *self, GDBusConnection *connection, const char *path, GDBusInterfaceInfo *info,
                            GDBusInterfaceSkeleton *skeleton, GError **error);
void hark_bus_gate_admit (HarkBusGate *self, GDBusMethodInvocation *invocation, const char *action,
                          HarkBusGateFunc func, GObject *data);

G_END_DECLS
