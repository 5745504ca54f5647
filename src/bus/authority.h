/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bus-limits.h"

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define HARK_TYPE_BUS_AUTHORITY (hark_bus_authority_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusAuthority, hark_bus_authority, HARK, BUS_AUTHORITY, GObject)

/* Signal: `peer-gone` (const char *sender): a caller that was asked about has left the bus. */

/* What polkit is asked about: data/polkit says who may by default. */
#define HARK_BUS_ACTION_READ "org.hark.Hub1.read"
#define HARK_BUS_ACTION_PUBLISH "org.hark.Hub1.publish"
#define HARK_BUS_ACTION_ADMINISTER "org.hark.Hub1.administer"

HarkBusAuthority *hark_bus_authority_new (uid_t uid, const HarkBusLimits *limits);
HarkBusAuthority *hark_bus_authority_new_for_bus (GBusType type, const HarkBusLimits *limits);
void hark_bus_authority_set_polkit (HarkBusAuthority *self, gboolean polkit);
void hark_bus_authority_check_async (HarkBusAuthority *self, GDBusConnection *connection, const char *sender,
                                     const char *action, gboolean interactive, GAsyncReadyCallback callback,
                                     gpointer data);
gboolean hark_bus_authority_check_finish (HarkBusAuthority *self, GAsyncResult *result, GError **error);
void hark_bus_authority_forget (HarkBusAuthority *self);

G_END_DECLS
