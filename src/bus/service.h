/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/authority.h"
#include "bus/hub1.h"
#include "core/authenticator.h"
#include "bus/socketio1.h"

G_BEGIN_DECLS

#define HARK_BUS_NAME "org.hark.Hub1"
#define HARK_BUS_PATH "/org/hark/Hub1"

#define HARK_TYPE_BUS_SERVICE (hark_bus_service_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusService, hark_bus_service, HARK, BUS_SERVICE, GObject)

/*
 * Signals: `name-acquired`: the hub can be reached under its name;
 *   `name-lost` (const char *reason): it cannot, or no longer: there is no bus, it has gone, or another has the name.
 */

HarkBusService *hark_bus_service_new (HarkHub *hub, HarkMetrics *metrics, HarkClock *clock, HarkBusAuthority *authority,
                                      const HarkBusLimits *limits);
void hark_bus_service_start (HarkBusService *self, GBusType type, const char *address);
void hark_bus_service_stop (HarkBusService *self);
void hark_bus_service_set_ready (HarkBusService *self, gboolean ready);
/* Whom to tell what happens in Socket.IO namespaces. */
HarkBusSocketio1Object *hark_bus_service_get_socketio1 (HarkBusService *self);
void hark_bus_service_set_reload (HarkBusService *self, HarkBusReloadFunc reload, gpointer data);
void hark_bus_service_admit_programs (HarkBusService *self, HarkAuthenticator *authenticator, HarkProtocol *protocol);
void hark_bus_service_set_draining (HarkBusService *self, gboolean draining);
void hark_bus_service_set_lost (HarkBusService *self, GArray *lost);
void hark_bus_service_set_upgrade (HarkBusService *self, HarkBusUpgradeFunc upgrade, gpointer data);

G_END_DECLS
