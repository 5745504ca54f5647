/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_BUS_CHANGES (hark_bus_changes_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusChanges, hark_bus_changes, HARK, BUS_CHANGES, GObject)

HarkBusChanges *hark_bus_changes_new (GDBusConnection *connection, const char *path, GDBusInterfaceSkeleton *skeleton,
                                      HarkClock *clock, guint interval_ms);
void hark_bus_changes_mark (HarkBusChanges *self);

G_END_DECLS
