/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/watchers.h"
#include "core/session.h"
#include "hark-bus-generated.h"

G_BEGIN_DECLS

#define HARK_TYPE_BUS_SOCKETIO1 (hark_bus_socketio1_object_get_type ())
G_DECLARE_FINAL_TYPE (HarkBusSocketio1Object, hark_bus_socketio1_object, HARK, BUS_SOCKETIO1_OBJECT,
                      HarkBusSocketIO1Skeleton)

HarkBusSocketio1Object *hark_bus_socketio1_object_new (HarkMetrics *metrics, const HarkBusLimits *limits);
void hark_bus_socketio1_object_attach (HarkBusSocketio1Object *self, GDBusConnection *connection, const char *path);
void hark_bus_socketio1_object_detach (HarkBusSocketio1Object *self);
void hark_bus_socketio1_object_drop_caller (HarkBusSocketio1Object *self, const char *sender);

/* What happens in namespaces, for those who listen. */
gboolean hark_bus_socketio1_object_tell_event (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                               HarkSession *session, const char *event, const char *args, gint64 ack);
void hark_bus_socketio1_object_tell_connected (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                               HarkSession *session, gboolean recovered);
void hark_bus_socketio1_object_tell_disconnected (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                                  HarkSession *session, gboolean may_return);

G_END_DECLS
