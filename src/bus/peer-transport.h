/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transport.h"
#include "core/wire.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The native protocol on the bus: each unit is a mark, the JSON and a 0 byte. The last index of a hub's wires. */
#define HARK_BUS_PEER_WIRE_INDEX (HARK_MAX_WIRES - 1)
extern const HarkWire hark_bus_peer_wire;

#define HARK_TYPE_BUS_PEER_TRANSPORT (hark_bus_peer_transport_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusPeerTransport, hark_bus_peer_transport, HARK, BUS_PEER_TRANSPORT, HarkTransport)

HarkBusPeerTransport *hark_bus_peer_transport_new (GDBusConnection *connection, const char *path, const char *name,
                                                   guint window, guint max_outbox);
void hark_bus_peer_transport_request (HarkBusPeerTransport *self, const char *json, GDBusMethodInvocation *invocation);
void hark_bus_peer_transport_hang_up (HarkBusPeerTransport *self);

G_END_DECLS
