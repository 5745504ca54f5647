/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon on the bus: connects, exports the interfaces through the gate, and takes the name when all of them are
 * there, so that whoever waits for the name finds everything. The daemon goes on without a bus; it is told by a signal.
 */
#include "bus/service.h"

#include "base/error.h"
#include "bus/gate.h"
#include "bus/metrics1.h"
#include "bus/peers.h"
#include "bus/session-objects.h"

#define N_INTERFACES 4

struct _HarkBusService
{
  GObject parent_instance;
  HarkBusAuthority *authority;       /* (owned) */
  HarkBusBridge *bridge;             /* (owned) */
  HarkBusGate *gate;                 /* (owned) */
  HarkBusMonitors *monitors;         /* (owned) */
  HarkBusHub1Object *hub1;           /* (owned) */
  HarkBusMetrics1Object *metrics1;   /* (owned) */
  HarkBusSocketio1Object *socketio1; /* (owned) */
  HarkBusSessionObjects *sessions;   /* (owned) */
  HarkBusPeers *peers;               /* (owned) */
  GCancellable *cancellable;         /* (owned) (nullable): from start to stop */
  GDBusConnection *connection;       /* (owned) (nullable) */
  guint registrations[N_INTERFACES];
  guint lost_id; /* subscription to NameLost */
  gulong closed_id;
};

enum
{
  NAME_ACQUIRED,
  NAME_LOST,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (HarkBusService, hark_bus_service, G_TYPE_OBJECT)

static void
hark_bus_service_dispose (GObject *object)
{
  HarkBusService *self = HARK_BUS_SERVICE (object);
  hark_bus_service_stop (self);
  g_clear_object (&self->sessions);
  g_clear_object (&self->peers);
  g_clear_object (&self->gate);
  g_clear_object (&self->bridge);
  g_clear_object (&self->hub1);
  g_clear_object (&self->metrics1);
  g_clear_object (&self->socketio1);
  g_clear_object (&self->monitors);
  g_clear_object (&self->authority);
  G_OBJECT_CLASS (hark_bus_service_parent_class)->dispose (object);
}

static void
hark_bus_service_class_init (HarkBusServiceClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hark_bus_service_dispose;
  signals[NAME_ACQUIRED] = g_signal_new ("name-acquired", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[NAME_LOST]
    = g_signal_new ("name-lost", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
hark_bus_service_init (HarkBusService *self)
{
}

static void
on_authority_peer_gone (HarkBusService *self, const char *sender)
{
  hark_bus_bridge_drop_caller (self->bridge, sender);
  hark_bus_monitors_stop (self->monitors, sender);
  hark_bus_socketio1_object_drop_caller (self->socketio1, sender);
  hark_bus_session_objects_drop_caller (self->sessions, sender);
}

/**
 * hark_bus_service_new:
 * @authority: decides who may call; for this service alone
 */
HarkBusService *
hark_bus_service_new (HarkHub *hub, HarkMetrics *metrics, HarkClock *clock, HarkBusAuthority *authority,
                      const HarkBusLimits *limits)
{
  HarkBusService *self = g_object_new (HARK_TYPE_BUS_SERVICE, NULL);
  self->authority = g_object_ref (authority);
  self->bridge = hark_bus_bridge_new (hark_hub_get_dispatcher (hub), metrics, limits);
  self->gate = hark_bus_gate_new (authority, self->bridge);
  self->monitors = hark_bus_monitors_new (hub, metrics, limits);
  self->hub1 = hark_bus_hub1_object_new (hub, self->monitors, clock, limits);
  self->peers = hark_bus_peers_new (hub, metrics, limits);
  self->sessions = hark_bus_session_objects_new (hub, self->gate, metrics, limits);
  self->metrics1 = hark_bus_metrics1_object_new (metrics);
  self->socketio1 = hark_bus_socketio1_object_new (metrics, limits);
  g_signal_connect_object (authority, "peer-gone", G_CALLBACK (on_authority_peer_gone), self, G_CONNECT_SWAPPED);
  return self;
}

static void
lose (HarkBusService *self, const char *reason)
{
  g_object_ref (self);
  hark_bus_service_stop (self);
  g_signal_emit (self, signals[NAME_LOST], 0, reason);
  g_object_unref (self);
}

/* org.freedesktop.DBus: DBUS_NAME_FLAG_DO_NOT_QUEUE, DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER. */
#define DO_NOT_QUEUE 4u
#define PRIMARY_OWNER 1u

/* A call to the bus itself. */
static void
call_bus (HarkBusService *self, const char *method, GVariant *arguments, GAsyncReadyCallback callback, gpointer data)
{
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          method, arguments, G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, -1,
                          callback != NULL ? self->cancellable : NULL, callback, data);
}

static void
on_bus_name_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkBusService) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  guint32 answer = 0;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || G_DBUS_CONNECTION (source) != self->connection)
    return;
  if (reply != NULL)
    g_variant_get (reply, "(u)", &answer);
  if (answer == PRIMARY_OWNER)
    g_signal_emit (self, signals[NAME_ACQUIRED], 0);
  else
    lose (self, error != NULL ? error->message : "another program has the name");
}

static void
on_bus_name_lost (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *signal, GVariant *arguments, gpointer data)
{
  lose (data, "the bus has taken the name away");
}

static void
on_bus_closed (HarkBusService *self, gboolean remote, const GError *error)
{
  lose (self, error != NULL ? error->message : "the bus has gone");
}

static gboolean
export_all (HarkBusService *self, GError **error)
{
  const struct
  {
    GDBusInterfaceInfo *info;
    gpointer skeleton;
  } interfaces[N_INTERFACES] = {
    { hark_bus_hub1_interface_info (), self->hub1 },
    { hark_bus_directory1_interface_info (), NULL },
    { hark_bus_metrics1_interface_info (), self->metrics1 },
    { hark_bus_socket_io1_interface_info (), self->socketio1 },
  };
  for (guint i = 0; i < N_INTERFACES; i++)
    {
      self->registrations[i] = hark_bus_gate_export (self->gate, self->connection, HARK_BUS_PATH, interfaces[i].info,
                                                     interfaces[i].skeleton, error);
      if (self->registrations[i] == 0)
        return FALSE;
    }
  return TRUE;
}

static void
on_bus_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkBusService) self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_for_address_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection == NULL)
    {
      lose (self, error->message);
      return;
    }
  self->connection = g_steal_pointer (&connection);
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  self->closed_id = g_signal_connect_swapped (self->connection, "closed", G_CALLBACK (on_bus_closed), self);
  if (!export_all (self, &error))
    {
      lose (self, error->message);
      return;
    }
  if (!hark_bus_session_objects_attach (self->sessions, self->connection, HARK_BUS_PATH, &error)
      || !hark_bus_peers_attach (self->peers, self->connection, HARK_BUS_PATH, &error))
    {
      lose (self, error->message);
      return;
    }
  hark_bus_monitors_attach (self->monitors, self->connection, HARK_BUS_PATH);
  hark_bus_socketio1_object_attach (self->socketio1, self->connection, HARK_BUS_PATH);
  hark_bus_hub1_object_attach (self->hub1, self->connection, HARK_BUS_PATH);
  self->lost_id = g_dbus_connection_signal_subscribe (self->connection, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                                      "NameLost", "/org/freedesktop/DBus", HARK_BUS_NAME,
                                                      G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, on_bus_name_lost, self, NULL);
  call_bus (self, "RequestName", g_variant_new ("(su)", HARK_BUS_NAME, DO_NOT_QUEUE), on_bus_name_answer,
            g_object_ref (self));
}

/**
 * hark_bus_service_start:
 * @type: which bus, when @address is %NULL
 * @address: (nullable): the address of a message bus
 *
 * Begins to connect. `name-acquired` or `name-lost` follows, and never within this call.
 */
void
hark_bus_service_start (HarkBusService *self, GBusType type, const char *address)
{
  g_autofree char *found = NULL;
  g_return_if_fail (self->cancellable == NULL);
  /* Without an address of the bus, this one fails in the way that connecting does. */
  if (address == NULL)
    address = found = g_dbus_address_get_for_bus_sync (type, NULL, NULL);
  if (address == NULL)
    address = "unix:";
  self->cancellable = g_cancellable_new ();
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                       | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, self->cancellable, on_bus_connected, g_object_ref (self));
}

/* Closing drops what has not been written: the last answers come first. */
static void
on_bus_flushed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_dbus_connection_close (G_DBUS_CONNECTION (source), NULL, NULL, NULL);
}

/**
 * hark_bus_service_stop:
 *
 * Gives the name back and leaves the bus. Calls that wait are answered with an error; no signal follows.
 */
void
hark_bus_service_stop (HarkBusService *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->connection == NULL)
    return;
  if (self->lost_id != 0)
    {
      g_dbus_connection_signal_unsubscribe (self->connection, self->lost_id);
      call_bus (self, "ReleaseName", g_variant_new ("(s)", HARK_BUS_NAME), NULL, NULL);
      self->lost_id = 0;
    }
  g_clear_signal_handler (&self->closed_id, self->connection);
  for (guint i = 0; i < N_INTERFACES; i++)
    if (self->registrations[i] != 0)
      {
        g_dbus_connection_unregister_object (self->connection, self->registrations[i]);
        self->registrations[i] = 0;
      }
  hark_bus_peers_detach (self->peers);
  hark_bus_session_objects_detach (self->sessions);
  hark_bus_hub1_object_detach (self->hub1);
  hark_bus_monitors_detach (self->monitors);
  hark_bus_socketio1_object_detach (self->socketio1);
  hark_bus_bridge_drop_all (self->bridge);
  hark_bus_authority_forget (self->authority);
  g_dbus_connection_flush (self->connection, NULL, on_bus_flushed, NULL);
  g_clear_object (&self->connection);
}

/* What the property Ready says. */
void
hark_bus_service_set_ready (HarkBusService *self, gboolean ready)
{
  hark_bus_hub1_object_set_ready (self->hub1, ready);
}

/* @reload: (nullable): what the method Reload does */
void
hark_bus_service_set_reload (HarkBusService *self, HarkBusReloadFunc reload, gpointer data)
{
  hark_bus_hub1_object_set_reload (self->hub1, reload, data);
}

/* @upgrade: (nullable): what the method Upgrade does */
void
hark_bus_service_set_upgrade (HarkBusService *self, HarkBusUpgradeFunc upgrade, gpointer data)
{
  hark_bus_hub1_object_set_upgrade (self->hub1, upgrade, data);
}

HarkBusSocketio1Object *
hark_bus_service_get_socketio1 (HarkBusService *self)
{
  return self->socketio1;
}

/* @lost: (element-type HarkLostSession): sessions of a process that was killed, whose end monitors are told of */
void
hark_bus_service_set_lost (HarkBusService *self, GArray *lost)
{
  hark_bus_monitors_set_lost (self->monitors, lost);
}

/* What the property Draining says. */
void
hark_bus_service_set_draining (HarkBusService *self, gboolean draining)
{
  hark_bus_hub1_object_set_draining (self->hub1, draining);
}

/* From now on programs on the bus may be clients. @protocol: the native one */
void
hark_bus_service_admit_programs (HarkBusService *self, HarkAuthenticator *authenticator, HarkProtocol *protocol)
{
  hark_bus_peers_admit (self->peers, authenticator, protocol);
}
