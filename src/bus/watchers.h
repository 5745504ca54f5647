/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "bus/bus-limits.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_BUS_WATCHERS (hark_bus_watchers_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusWatchers, hark_bus_watchers, HARK, BUS_WATCHERS, GObject)

HarkBusWatchers *hark_bus_watchers_new (const char *interface, const HarkBusLimits *limits, HarkGauge *n_watchers,
                                        HarkCounter *n_missed);
void hark_bus_watchers_attach (HarkBusWatchers *self, GDBusConnection *connection, const char *path);
void hark_bus_watchers_detach (HarkBusWatchers *self);
gboolean hark_bus_watchers_start (HarkBusWatchers *self, const char *sender, GError **error);
void hark_bus_watchers_stop (HarkBusWatchers *self, const char *sender);
guint hark_bus_watchers_get_n (HarkBusWatchers *self);
gboolean hark_bus_watchers_emit (HarkBusWatchers *self, const char *signal, GVariant *parameters);

G_END_DECLS
