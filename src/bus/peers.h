/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"
#include "core/authenticator.h"
#include "core/hub.h"

G_BEGIN_DECLS

#define HARK_TYPE_BUS_PEERS (hark_bus_peers_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusPeers, hark_bus_peers, HARK, BUS_PEERS, GObject)

HarkBusPeers *hark_bus_peers_new (HarkHub *hub, HarkMetrics *metrics, const HarkBusLimits *limits);
void hark_bus_peers_admit (HarkBusPeers *self, HarkAuthenticator *authenticator, HarkProtocol *protocol);
gboolean hark_bus_peers_attach (HarkBusPeers *self, GDBusConnection *connection, const char *path, GError **error);
void hark_bus_peers_detach (HarkBusPeers *self);

G_END_DECLS
