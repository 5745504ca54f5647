/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.hark.Peer1: programs on the bus as clients. Whoever presents a token gets a session, whatever its user may do to
 * the hub: this interface is the one that does not go through the gate. A session ends with its program's name.
 */
#include "bus/peers.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/json-writer.h"
#include "bus/peer-transport.h"
#include "hark-bus-generated.h"

struct _HarkBusPeers
{
  GObject parent_instance;
  HarkHub *hub; /* (owned) */
  HarkBusLimits limits;
  HarkAuthenticator *authenticator; /* (owned) (nullable): nobody is let in before there is one */
  HarkProtocol *protocol;           /* (owned) (nullable) */
  HarkBusPeer1 *skeleton;           /* (owned) */
  GDBusConnection *connection;      /* (owned) (nullable): while attached */
  char *path;                       /* (owned) (nullable) */
  GCancellable *cancellable;        /* (owned) (nullable): while attached */
  GHashTable *peers;                /* unique name → Peer (owned) */
  HarkGauge *n_peers;
  HarkCounter *n_refused;
};

G_DEFINE_FINAL_TYPE (HarkBusPeers, hark_bus_peers, G_TYPE_OBJECT)

typedef struct
{
  HarkBusPeers *peers; /* unowned: it keeps the peer */
  char *name;          /* (owned) */
  guint watch;
  GDBusMethodInvocation *connecting; /* (owned) (nullable): until the token is known */
  HarkBusPeerTransport *transport;   /* (owned) (nullable): from then on */
  gulong session_closed;
  HarkSession *session; /* (owned) (nullable) */
} Peer;

static void
peer_free (gpointer data)
{
  Peer *peer = data;
  if (peer->connecting != NULL)
    g_dbus_method_invocation_return_error_literal (peer->connecting, HARK_ERROR, HARK_ERROR_OFFLINE,
                                                   "the caller has left");
  if (peer->session != NULL)
    g_clear_signal_handler (&peer->session_closed, peer->session);
  g_clear_object (&peer->session);
  if (peer->transport != NULL)
    hark_bus_peer_transport_hang_up (peer->transport);
  g_clear_object (&peer->transport);
  g_dbus_connection_signal_unsubscribe (peer->peers->connection, peer->watch);
  g_free (peer->name);
  g_free (peer);
}

static void
remove_peer (HarkBusPeers *self, const char *name)
{
  g_hash_table_remove (self->peers, name);
  hark_gauge_set (self->n_peers, g_hash_table_size (self->peers));
}

static void
hark_bus_peers_dispose (GObject *object)
{
  HarkBusPeers *self = HARK_BUS_PEERS (object);
  hark_bus_peers_detach (self);
  g_clear_object (&self->authenticator);
  g_clear_object (&self->protocol);
  g_clear_object (&self->skeleton);
  g_clear_object (&self->hub);
  G_OBJECT_CLASS (hark_bus_peers_parent_class)->dispose (object);
}

static void
hark_bus_peers_finalize (GObject *object)
{
  g_hash_table_unref (HARK_BUS_PEERS (object)->peers);
  G_OBJECT_CLASS (hark_bus_peers_parent_class)->finalize (object);
}

static void
hark_bus_peers_class_init (HarkBusPeersClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_bus_peers_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_bus_peers_finalize;
}

/* Coming and going. */

static void
on_name_owner_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                       const char *signal, GVariant *parameters, gpointer data)
{
  g_autoptr (HarkBusPeers) self = g_object_ref (data);
  const char *name, *owner;
  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &owner);
  if (*owner == '\0')
    remove_peer (self, name);
}

static void
on_session_closed (HarkSession *session, guint code, const char *reason, Peer *peer)
{
  HarkBusPeers *self = peer->peers;
  /* What the transport has yet to say it says by itself. */
  g_clear_object (&peer->transport);
  remove_peer (self, peer->name);
}

typedef struct
{
  HarkBusPeers *peers; /* (owned) */
  char *name;          /* (owned): the peer may have gone when the answer comes */
} Knock;

static void
knock_free (Knock *knock)
{
  g_object_unref (knock->peers);
  g_free (knock->name);
  g_free (knock);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Knock, knock_free)

static void
open_session (HarkBusPeers *self, Peer *peer, HarkIdentity *identity)
{
  g_autoptr (GDBusMethodInvocation) invocation = g_steal_pointer (&peer->connecting);
  g_autofree char *name = g_strdup (peer->name);
  HarkBusPeerTransport *transport = hark_bus_peer_transport_new (self->connection, self->path, peer->name,
                                                                 self->limits.monitor_window, self->limits.max_outbox);
  g_autoptr (HarkSession) session = hark_session_new (self->hub, g_object_ref (HARK_TRANSPORT (transport)),
                                                      self->protocol, &hark_bus_peer_wire, identity);
  char id[HARK_ID_LEN];
  peer->transport = g_object_ref (transport);
  peer->session = g_object_ref (session);
  peer->session_closed = g_signal_connect (session, "closed", G_CALLBACK (on_session_closed), peer);
  hark_session_open (session);
  if (g_hash_table_contains (self->peers, name))
    g_dbus_method_invocation_return_value (g_steal_pointer (&invocation),
                                           g_variant_new ("(s)", hark_id_format (session->id, id)));
  else
    g_dbus_method_invocation_return_error_literal (g_steal_pointer (&invocation), HARK_ERROR, HARK_ERROR_OVERLOADED,
                                                   "the hub, or this user, has all the sessions it can have");
}

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Knock) knock = data;
  HarkBusPeers *self = knock->peers;
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  Peer *peer = g_hash_table_lookup (self->peers, knock->name);
  if (peer == NULL || peer->connecting == NULL)
    return;
  if (identity != NULL)
    {
      open_session (self, peer, identity);
      return;
    }
  g_dbus_method_invocation_return_gerror (g_steal_pointer (&peer->connecting), error);
  remove_peer (self, knock->name);
}

/* Watched before anything else: a program that has left meanwhile is told of by the answer to a question behind that. */
static Peer *
add_peer (HarkBusPeers *self, const char *name)
{
  Peer *peer = g_new0 (Peer, 1);
  peer->peers = self;
  peer->name = g_strdup (name);
  peer->watch = g_dbus_connection_signal_subscribe (self->connection, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                                    "NameOwnerChanged", "/org/freedesktop/DBus", name,
                                                    G_DBUS_SIGNAL_FLAGS_NONE, on_name_owner_changed, self, NULL);
  g_hash_table_insert (self->peers, peer->name, peer);
  hark_gauge_set (self->n_peers, g_hash_table_size (self->peers));
  return peer;
}

static void
on_owner_known (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Knock) knock = data;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  if (reply == NULL)
    remove_peer (knock->peers, knock->name);
}

static Knock *
knock_new (HarkBusPeers *self, const char *name)
{
  Knock *knock = g_new (Knock, 1);
  knock->peers = g_object_ref (self);
  knock->name = g_strdup (name);
  return knock;
}

static gboolean
handle_connect (HarkBusPeer1 *skeleton, GDBusMethodInvocation *invocation, const char *token, HarkBusPeers *self)
{
  const char *name = g_dbus_method_invocation_get_sender (invocation);
  g_autoptr (GError) error = NULL;
  Peer *peer;
  if (self->authenticator == NULL)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "nobody is let in here");
  else if (g_hash_table_contains (self->peers, name))
    g_set_error (&error, HARK_ERROR, HARK_ERROR_CONFLICT, "the caller has a session");
  else if (g_hash_table_size (self->peers) >= self->limits.max_programs)
    {
      hark_counter_add (self->n_refused, 1);
      g_set_error (&error, HARK_ERROR, HARK_ERROR_OVERLOADED, "as many programs as can be are connected");
    }
  if (error != NULL)
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return TRUE;
    }
  peer = add_peer (self, name);
  peer->connecting = invocation;
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetNameOwner", g_variant_new ("(s)", name), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                          self->cancellable, on_owner_known, knock_new (self, name));
  hark_authenticator_check_async (self->authenticator, token, self->cancellable, on_token_checked,
                                  knock_new (self, name));
  return TRUE;
}

/* Returns: (nullable): the caller's, or it has been told that it has none */
static Peer *
find_peer (HarkBusPeers *self, GDBusMethodInvocation *invocation)
{
  Peer *peer = g_hash_table_lookup (self->peers, g_dbus_method_invocation_get_sender (invocation));
  if (peer != NULL && peer->transport != NULL)
    return peer;
  g_dbus_method_invocation_return_error_literal (invocation, HARK_ERROR, HARK_ERROR_OFFLINE,
                                                 "the caller has no session: Connect () opens one");
  return NULL;
}

static gboolean
handle_request (HarkBusPeer1 *skeleton, GDBusMethodInvocation *invocation, const char *request, HarkBusPeers *self)
{
  Peer *peer = find_peer (self, invocation);
  if (peer != NULL)
    hark_bus_peer_transport_request (peer->transport, request, invocation);
  return TRUE;
}

static void
ask_about_topic (HarkBusPeers *self, GDBusMethodInvocation *invocation, const char *type, const char *topic)
{
  g_auto (HarkJsonWriter) json = { 0 };
  g_autofree char *request = NULL;
  Peer *peer = find_peer (self, invocation);
  if (peer == NULL)
    return;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", type);
  hark_json_writer_member_string (&json, "topic", topic);
  hark_json_writer_end_object (&json);
  request = hark_json_writer_steal (&json, NULL);
  hark_bus_peer_transport_request (peer->transport, request, invocation);
}

static gboolean
handle_subscribe (HarkBusPeer1 *skeleton, GDBusMethodInvocation *invocation, const char *topic, HarkBusPeers *self)
{
  ask_about_topic (self, invocation, "subscribe", topic);
  return TRUE;
}

static gboolean
handle_unsubscribe (HarkBusPeer1 *skeleton, GDBusMethodInvocation *invocation, const char *topic, HarkBusPeers *self)
{
  ask_about_topic (self, invocation, "unsubscribe", topic);
  return TRUE;
}

static gboolean
handle_disconnect (HarkBusPeer1 *skeleton, GDBusMethodInvocation *invocation, HarkBusPeers *self)
{
  Peer *peer = find_peer (self, invocation);
  if (peer == NULL)
    return TRUE;
  remove_peer (self, peer->name);
  hark_bus_peer1_complete_disconnect (skeleton, invocation);
  return TRUE;
}

static void
hark_bus_peers_init (HarkBusPeers *self)
{
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, peer_free);
  self->skeleton = hark_bus_peer1_skeleton_new ();
  g_signal_connect (self->skeleton, "handle-connect", G_CALLBACK (handle_connect), self);
  g_signal_connect (self->skeleton, "handle-request", G_CALLBACK (handle_request), self);
  g_signal_connect (self->skeleton, "handle-subscribe", G_CALLBACK (handle_subscribe), self);
  g_signal_connect (self->skeleton, "handle-unsubscribe", G_CALLBACK (handle_unsubscribe), self);
  g_signal_connect (self->skeleton, "handle-disconnect", G_CALLBACK (handle_disconnect), self);
}

HarkBusPeers *
hark_bus_peers_new (HarkHub *hub, HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusPeers *self = g_object_new (HARK_TYPE_BUS_PEERS, NULL);
  self->hub = g_object_ref (hub);
  self->limits = *limits;
  self->n_peers = hark_metrics_gauge (metrics, "hark_bus_peers", "Programs on D-Bus that are clients.");
  self->n_refused = hark_metrics_counter (metrics, "hark_bus_peers_refused_total",
                                          "Programs on D-Bus that were not let in because too many were.");
  return self;
}

/* From now on programs may connect. @protocol: the native one */
void
hark_bus_peers_admit (HarkBusPeers *self, HarkAuthenticator *authenticator, HarkProtocol *protocol)
{
  g_set_object (&self->authenticator, authenticator);
  g_set_object (&self->protocol, protocol);
}

gboolean
hark_bus_peers_attach (HarkBusPeers *self, GDBusConnection *connection, const char *path, GError **error)
{
  g_return_val_if_fail (self->connection == NULL, FALSE);
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->cancellable = g_cancellable_new ();
  return g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), connection, path, error);
}

/* The connection is no more, and with it all programs. */
void
hark_bus_peers_detach (HarkBusPeers *self)
{
  if (self->connection == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  g_hash_table_remove_all (self->peers);
  hark_gauge_set (self->n_peers, 0);
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self->skeleton)) != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->path, g_free);
}
