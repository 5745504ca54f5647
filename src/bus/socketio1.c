/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.hark.SocketIO1 without its requests, which the bridge carries out: a back end listens to what clients say in its
 * namespaces. Whoever knows of namespaces tells this what happens there; nothing is made of it while nobody listens.
 */
#include "bus/socketio1.h"

#include "base/ids.h"

#define INTERFACE "org.hark.SocketIO1"

struct _HarkBusSocketio1Object
{
  HarkBusSocketIO1Skeleton parent_instance;
  HarkBusWatchers *watchers; /* (owned) */
};

static void socketio1_iface_init (HarkBusSocketIO1Iface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkBusSocketio1Object, hark_bus_socketio1_object, HARK_BUS_TYPE_SOCKET_IO1_SKELETON,
                               G_IMPLEMENT_INTERFACE (HARK_BUS_TYPE_SOCKET_IO1, socketio1_iface_init))

static void
hark_bus_socketio1_object_dispose (GObject *object)
{
  g_clear_object (&HARK_BUS_SOCKETIO1_OBJECT (object)->watchers);
  G_OBJECT_CLASS (hark_bus_socketio1_object_parent_class)->dispose (object);
}

static void
hark_bus_socketio1_object_class_init (HarkBusSocketio1ObjectClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_bus_socketio1_object_dispose;
}

static void
hark_bus_socketio1_object_init (HarkBusSocketio1Object *self)
{
}

static gboolean
handle_listen (HarkBusSocketIO1 *socketio1, GDBusMethodInvocation *invocation)
{
  GError *error = NULL;
  if (hark_bus_watchers_start (HARK_BUS_SOCKETIO1_OBJECT (socketio1)->watchers,
                               g_dbus_method_invocation_get_sender (invocation), &error))
    hark_bus_socket_io1_complete_listen (socketio1, invocation);
  else
    g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

static gboolean
handle_unlisten (HarkBusSocketIO1 *socketio1, GDBusMethodInvocation *invocation)
{
  hark_bus_watchers_stop (HARK_BUS_SOCKETIO1_OBJECT (socketio1)->watchers,
                          g_dbus_method_invocation_get_sender (invocation));
  hark_bus_socket_io1_complete_unlisten (socketio1, invocation);
  return TRUE;
}

static void
socketio1_iface_init (HarkBusSocketIO1Iface *iface)
{
  iface->handle_listen = handle_listen;
  iface->handle_unlisten = handle_unlisten;
}

HarkBusSocketio1Object *
hark_bus_socketio1_object_new (HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusSocketio1Object *self = g_object_new (HARK_TYPE_BUS_SOCKETIO1, NULL);
  self->watchers = hark_bus_watchers_new (
    INTERFACE, limits,
    hark_metrics_gauge (metrics, "hark_bus_listeners", "Back ends on D-Bus that listen to Socket.IO namespaces."),
    hark_metrics_counter (metrics, "hark_bus_client_events_missed_total",
                          "Signals to these that were left out because the bus was too slow."));
  return self;
}

/* Signals go out over @connection from now on. */
void
hark_bus_socketio1_object_attach (HarkBusSocketio1Object *self, GDBusConnection *connection, const char *path)
{
  hark_bus_watchers_attach (self->watchers, connection, path);
}

void
hark_bus_socketio1_object_detach (HarkBusSocketio1Object *self)
{
  hark_bus_watchers_detach (self->watchers);
}

/* @sender has left the bus. */
void
hark_bus_socketio1_object_drop_caller (HarkBusSocketio1Object *self, const char *sender)
{
  hark_bus_watchers_stop (self->watchers, sender);
}

/* Begins a signal's parameters: namespace, socket, session, user and the user's name. */
static void
add_socket (GVariantBuilder *builder, const char *nsp, const char *sid, HarkSession *session)
{
  char id[HARK_ID_LEN];
  char user_id[HARK_ID_LEN];
  g_variant_builder_add (builder, "s", nsp);
  g_variant_builder_add (builder, "s", sid);
  g_variant_builder_add (builder, "s", hark_id_format (session->id, id));
  g_variant_builder_add (builder, "s", hark_id_format (hark_session_get_user_id (session), user_id));
  g_variant_builder_add (builder, "s", session->identity != NULL ? session->identity->username : "");
}

/**
 * hark_bus_socketio1_object_tell_event:
 * @event, @args: valid UTF-8, @args a JSON array
 *
 * Returns: whether a back end was told
 */
gboolean
hark_bus_socketio1_object_tell_event (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                      HarkSession *session, const char *event, const char *args, gint64 ack)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("(sssssssx)"));
  if (hark_bus_watchers_get_n (self->watchers) == 0)
    return FALSE;
  add_socket (&builder, nsp, sid, session);
  g_variant_builder_add (&builder, "s", event);
  g_variant_builder_add (&builder, "s", args);
  g_variant_builder_add (&builder, "x", ack);
  return hark_bus_watchers_emit (self->watchers, "ClientEvent", g_variant_builder_end (&builder));
}

static void
tell_flag (HarkBusSocketio1Object *self, const char *signal, const char *nsp, const char *sid, HarkSession *session,
           gboolean flag)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("(sssssb)"));
  if (hark_bus_watchers_get_n (self->watchers) == 0)
    return;
  add_socket (&builder, nsp, sid, session);
  g_variant_builder_add (&builder, "b", flag);
  hark_bus_watchers_emit (self->watchers, signal, g_variant_builder_end (&builder));
}

void
hark_bus_socketio1_object_tell_connected (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                          HarkSession *session, gboolean recovered)
{
  tell_flag (self, "Connected", nsp, sid, session, recovered);
}

void
hark_bus_socketio1_object_tell_disconnected (HarkBusSocketio1Object *self, const char *nsp, const char *sid,
                                             HarkSession *session, gboolean may_return)
{
  tell_flag (self, "Disconnected", nsp, sid, session, may_return);
}
