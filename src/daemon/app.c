/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon, put together: this is the one place where all layers are known, and its list of members is the table of
 * contents. It builds, wires and takes apart again; it decides nothing.
 */
#include <config.h>

#include "daemon/app.h"

#include "daemon/app-private.h"

#include "base/error.h"
#include "base/log.h"
#include "broker/local-broker.h"
#include "bus/service.h"
#include "chat/chat.h"
#include "core/event-log.h"
#include "core/lost-session.h"
#include "core/presence.h"
#include "daemon/app-settings.h"
#include "daemon/back-ends.h"
#include "daemon/demo.h"
#include "daemon/jwt-settings.h"
#include "daemon/service-manager.h"
#include "daemon/wires.h"
#include "protocol/native.h"
#include "protocol/socketio-admin.h"
#include "protocol/socketio.h"
#include "store/sqlite-store.h"
#include "transport/front.h"

#include "hark-core-resources.h"
#include "hark-protocol-resources.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

/* What the connections of a route speak. */
typedef enum
{
  ROUTE_NATIVE,
  ROUTE_PAGE,   /* the native protocol, where a page has its own address */
  ROUTE_ENGINE, /* the native protocol too, by Engine.IO */
  ROUTE_SOCKETIO
} RouteKind;

static const HarkRoute page_route = { "", ROUTE_PAGE, HARK_ROUTE_PAGE };
static const HarkRoute native_route = { "/ws", ROUTE_NATIVE, HARK_ROUTE_TOKEN };
static const HarkRoute engine_route = { "/engine.io", ROUTE_ENGINE, HARK_ROUTE_ENGINE };
static const HarkRoute socketio_route = { "/socket.io", ROUTE_SOCKETIO, HARK_ROUTE_ENGINE };
/* The choices of [bus] polkit. */
enum
{
  POLKIT_AUTO,
  POLKIT_YES
};

/* What has to be there before the daemon says that it is ready. */
enum
{
  WAIT_FOR_BUS = 1 << 0,
  WAIT_FOR_DEMO = 1 << 1
};

G_DEFINE_FINAL_TYPE (HarkApp, hark_app, G_TYPE_OBJECT)

guint hark_app_signals[HARK_APP_N_SIGNALS];

static void
hark_app_dispose (GObject *object)
{
  HarkApp *self = HARK_APP (object);
  if (self->clock != NULL)
    hark_app_take_apart (self);
  g_clear_object (&self->manager);
  g_clear_object (&self->metrics);
  g_clear_object (&self->ids);
  g_clear_object (&self->clock);
  g_clear_pointer (&self->config, hark_config_unref);
  g_clear_pointer (&self->handoff, g_variant_unref);
  g_clear_pointer (&self->logbook, hark_logbook_free);
  g_clear_pointer (&self->listeners, g_variant_unref);
  if (self->handoff_fd >= 0)
    close (self->handoff_fd);
  self->handoff_fd = -1;
  G_OBJECT_CLASS (hark_app_parent_class)->dispose (object);
}

static void
hark_app_class_init (HarkAppClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = hark_app_dispose;
  hark_app_signals[HARK_APP_FAILED]
    = g_signal_new ("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
  hark_app_signals[HARK_APP_STOPPED]
    = g_signal_new ("stopped", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
hark_app_init (HarkApp *self)
{
  self->clock = hark_clock_new ();
  self->ids = hark_ids_new (self->clock);
  self->metrics = hark_metrics_new ();
  self->handoff_fd = -1;
}

/**
 * hark_app_new:
 * @demo: whether an empty store gets the demo community
 *
 * Returns: (transfer full): a daemon that does nothing until hark_app_start ()
 */
HarkApp *
hark_app_new (HarkConfig *config, gboolean demo)
{
  HarkApp *self = g_object_new (HARK_TYPE_APP, NULL);
  self->config = hark_config_ref (config);
  self->demo = demo;
  return self;
}

void
hark_app_set_reload (HarkApp *self, HarkAppReloadFunc func, gpointer data)
{
  self->reload = func;
  self->reload_data = data;
}

/* @func: carries out what Upgrade () over D-Bus asks for */
void
hark_app_set_upgrade (HarkApp *self, HarkAppUpgradeFunc func, gpointer data)
{
  self->upgrade = func;
  self->upgrade_data = data;
}

/**
 * hark_app_take_handoff:
 * @fd: (transfer full): what hark_app_steal_handoff () of the process before gave
 *
 * Before hark_app_start (), which goes on with the connections.
 */
void
hark_app_take_handoff (HarkApp *self, int fd)
{
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&self->handoff, g_variant_unref);
  self->handoff = hark_handoff_read (fd, &error);
  if (self->handoff == NULL)
    hark_log (HARK_LOG_WARNING, NULL, NULL, "%s", error->message);
}

/* What a reload may change while sessions go on. */
static void
apply_live_settings (HarkApp *self)
{
  hark_log_set_level (hark_config_get_enum (self->config, HARK_SETTING_LOG_LEVEL));
  hark_quota_set_rate (self->quota, "requests",
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_REQUESTS_PER_SECOND),
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_REQUESTS_BURST));
  hark_quota_set_rate (self->quota, "bytes",
                       (hark_config_get_bytes (self->config, HARK_SETTING_LIMITS_BYTES_PER_SECOND) + 1023) / 1024,
                       hark_config_get_bytes (self->config, HARK_SETTING_LIMITS_BYTES_BURST) / 1024);
  hark_quota_set_rate (self->quota, "messages",
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_MESSAGES_PER_SECOND),
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_MESSAGES_BURST));
  hark_quota_set_rate (self->quota, "forwards",
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_FORWARDS_PER_SECOND),
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_FORWARDS_BURST));
  hark_quota_set_rate (self->quota, "client_messages",
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_CLIENT_MESSAGES_PER_SECOND),
                       hark_config_get_int (self->config, HARK_SETTING_LIMITS_CLIENT_MESSAGES_BURST));
}

/* Between the parts. */

static void
on_store_committed (GPtrArray *events, gpointer data)
{
  hark_broker_publish (HARK_APP (data)->broker, events);
}

static void
on_broker_received (HarkBroker *broker, GPtrArray *events, HarkApp *self)
{
  hark_hub_publish_all (self->hub, events);
}

static void
on_front_upgrade (HarkUpgrade *upgrade, gpointer data)
{
  HarkApp *self = data;
  g_autoptr (HarkUpgrade) owned = upgrade;
  gboolean plain = upgrade->kind == ROUTE_PAGE && !upgrade->subprotocol;
  HarkWebSocket *socket;
  const HarkWire *wire;
  if (upgrade->kind != ROUTE_NATIVE && upgrade->kind != ROUTE_PAGE)
    {
      hark_engine_server_adopt (self->engine, g_steal_pointer (&owned), self->reactor);
      return;
    }
  socket = hark_upgrade_adopt (upgrade, self->reactor);
  wire = plain ? hark_wires_get_plain (self->wires)
               : hark_wires_get_native (self->wires, hark_websocket_is_deflate (socket));
  if (owned->identity == NULL && self->anonymous)
    owned->identity = hark_chat_new_guest (self->chat);
  g_autoptr (HarkSession) session
    = hark_session_new (self->hub, g_object_ref (HARK_TRANSPORT (socket)), self->native, wire, owned->identity);
  hark_session_open (session);
  if (owned->resume != NULL)
    hark_chat_resume (self->chat, session, owned->resume, owned->cursors);
  hark_websocket_start (socket);
}

static void
on_engine_opened (HarkEngine *engine, const char *query, gpointer data)
{
  HarkApp *self = data;
  gboolean is_socketio = hark_engine_get_route_kind (engine) == ROUTE_SOCKETIO;
  g_autoptr (HarkProtocol) protocol
    = is_socketio ? hark_socketio_new (self->namespaces, hark_chat_get_authenticator (self->chat), NULL)
                  : g_object_ref (self->native);
  const HarkWire *wire = is_socketio
                           ? hark_socketio_wires_get (hark_wires_get_socketio (self->wires), HARK_SOCKETIO_SCOPE_NONE)
                           : hark_wires_get_engine (self->wires);
  g_autoptr (HarkSession) session
    = hark_session_new (self->hub, g_object_ref (HARK_TRANSPORT (engine)), protocol, wire, NULL);
  hark_session_open (session);
}

static void
on_session_added (HarkHub *hub, HarkSession *session, HarkApp *self)
{
  g_autofree char *address = NULL;
  if (hark_log_get_level () < HARK_LOG_INFO)
    return;
  address = hark_session_dup_address (session);
  hark_log (HARK_LOG_INFO, HARK_MESSAGE_SESSION_OPENED,
            HARK_LOG_FIELDS (.session = session->id, .user = hark_session_get_user_id (session), .address = address),
            "Session of %s from %s", session->identity->username, address);
}

static void
on_session_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkApp *self)
{
  HarkLogLevel level = code == HARK_CLOSE_SLOW || code == HARK_CLOSE_POLICY ? HARK_LOG_NOTICE : HARK_LOG_INFO;
  const char *message = code == HARK_CLOSE_SLOW     ? HARK_MESSAGE_SESSION_SLOW
                        : code == HARK_CLOSE_POLICY ? HARK_MESSAGE_ABUSE
                                                    : HARK_MESSAGE_SESSION_CLOSED;
  hark_log (level, message,
            HARK_LOG_FIELDS (.session = session->id, .user = hark_session_get_user_id (session), .code = code),
            "Session of %s ended: %u %s", session->identity->username, code, reason != NULL ? reason : "");
}

static gboolean
on_bus_reload (gpointer data, GError **error)
{
  return hark_app_reload (data, error);
}

static void
on_bus_upgrade (GTask *task, gpointer data)
{
  HarkApp *self = data;
  if (self->upgrade != NULL)
    {
      self->upgrade (task, self->upgrade_data);
      return;
    }
  g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no program to go on with");
  g_object_unref (task);
}

static void
on_drain_active (HarkDrain *drain, GParamSpec *pspec, HarkApp *self)
{
  gboolean active = hark_drain_is_active (drain);
  hark_front_set_draining (self->front, active);
  if (self->bus != NULL)
    hark_bus_service_set_draining (self->bus, active);
  hark_service_manager_status (self->manager, active ? "Draining: nobody is let in" : "Ready");
  hark_log (HARK_LOG_NOTICE, NULL, NULL,
            active ? "Draining: sessions are closed, and nobody is let in" : "No longer draining");
}

static void
become_ready (HarkApp *self)
{
  g_autofree char *text = NULL;
  if (self->ready || self->stopping || self->waiting_for != 0)
    return;
  self->ready = TRUE;
  hark_front_set_ready (self->front, TRUE);
  if (self->bus != NULL)
    hark_bus_service_set_ready (self->bus, TRUE);
  hark_service_manager_ready (self->manager, "Ready");
  hark_log (HARK_LOG_NOTICE, HARK_MESSAGE_STARTED, NULL, "Ready: Hark " HARK_VERSION);
  if (!self->demo)
    return;
  text = hark_demo_describe (hark_listener_get_addresses (self->listener)[0]);
  fputs (text, stdout);
  fflush (stdout);
}

/* One of the things that readiness waits for has come. */
static void
has_come (HarkApp *self, guint what)
{
  self->waiting_for &= ~what;
  become_ready (self);
}

static void
on_bus_name_acquired (HarkBusService *bus, HarkApp *self)
{
  has_come (self, WAIT_FOR_BUS);
}

/* Without a bus clients are served all the same. */
static void
on_bus_name_lost (HarkBusService *bus, const char *reason, HarkApp *self)
{
  hark_log (HARK_LOG_NOTICE, NULL, NULL, "Not on the bus: %s", reason);
  has_come (self, WAIT_FOR_BUS);
}

/* Building. */

static gboolean
open_store (HarkApp *self, GError **error)
{
  g_autofree char *path = hark_config_dup_path (self->config, HARK_SETTING_STORE_PATH);
  g_autofree char *directory = g_path_get_dirname (path);
  HarkSqliteOptions options;
  /* So that the linker keeps the migrations. */
  hark_core_get_resource ();
  hark_protocol_get_resource ();
  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "Cannot make the directory %s: %s", directory,
                   g_strerror (errno));
      return FALSE;
    }
  hark_app_read_store_options (self->config, &options);
  self->store = hark_sqlite_store_open (path, &options, self->clock, self->ids, self->metrics, NULL, error);
  return self->store != NULL;
}

static gboolean
listen_passed (HarkApp *self, GArray *sockets, GError **error)
{
  for (guint i = 0; i < sockets->len; i++)
    {
      HarkPassedSocket *passed = &g_array_index (sockets, HarkPassedSocket, i);
      int fd = passed->fd;
      passed->fd = -1;
      if (!hark_listener_add_fd (self->listener, fd, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
listen_configured (HarkApp *self, GError **error)
{
  const char *const *addresses = hark_config_get_strings (self->config, HARK_SETTING_LISTEN_ADDRESS);
  g_autofree char *path = hark_config_dup_path (self->config, HARK_SETTING_LISTEN_UNIX_SOCKET);
  for (guint i = 0; addresses[i] != NULL; i++)
    if (!hark_listener_add_tcp (self->listener, addresses[i],
                                hark_config_get_int (self->config, HARK_SETTING_LISTEN_PORT), error))
      return FALSE;
  return path == NULL || *path == '\0'
         || hark_listener_add_unix (self->listener, path,
                                    hark_config_get_mode (self->config, HARK_SETTING_LISTEN_UNIX_MODE), error);
}

/* Those of the process before take the place of all others; sockets of the service manager that of configured ones: the
 * unit has said where to listen. */
static gboolean
add_sockets (HarkApp *self, GError **error)
{
  g_autoptr (GArray) sockets = hark_service_manager_take_sockets (self->manager, error);
  g_autoptr (GVariant) listeners = self->handoff != NULL ? hark_handoff_get_listeners (self->handoff) : NULL;
  if (sockets == NULL)
    return FALSE;
  if (listeners != NULL)
    return hark_listener_take_over (self->listener, listeners, error);
  return sockets->len > 0 ? listen_passed (self, sockets, error) : listen_configured (self, error);
}

static int
find_by_number (const char *name, gpointer data)
{
  guint64 fd;
  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXINT, &fd, NULL) || fcntl (fd, F_SETFD, FD_CLOEXEC) != 0)
    return -1;
  return fd;
}

static int
find_in_store (const char *name, gpointer data)
{
  return hark_service_manager_take_stored (((HarkApp *)data)->manager, name);
}

static int
get_session_fd (HarkSession *session, guint32 *mark_flags, gpointer data)
{
  HarkHandoffParts parts = hark_app_get_handoff_parts (data);
  return hark_handoff_get_fd (&parts, session, mark_flags);
}

static gint64
get_published_rev (gpointer data)
{
  return hark_hub_get_published_rev (data);
}

/* With a service manager, connections are left with it as they come. */
static gboolean
start_descriptor_store (HarkApp *self, GError **error)
{
  if (!hark_service_manager_is_there (self->manager)
      || !hark_config_get_bool (self->config, HARK_SETTING_SERVICE_KEEP_CONNECTIONS))
    return TRUE;
  self->descriptors
    = hark_descriptor_store_new (self->manager, self->hub, self->metrics,
                                 hark_config_get_int (self->config, HARK_SETTING_SERVICE_KEPT_CONNECTIONS_MAX),
                                 get_session_fd, self, error);
  if (self->descriptors == NULL)
    return FALSE;
  hark_reactor_set_log (self->reactor, hark_descriptor_store_get_log (self->descriptors), get_published_rev, self->hub);
  return TRUE;
}

/* What the process before did not live to say. */
static void
log_lost (HarkApp *self)
{
  GArray *lost = hark_chat_get_lost (self->chat);
  if (lost->len > 0)
    hark_log (HARK_LOG_WARNING, HARK_MESSAGE_CRASHED, NULL,
              "The process before ended without a word, and %u sessions with it; they can be resumed", lost->len);
  for (guint i = 0; i < lost->len; i++)
    {
      const HarkLostSession *session = &g_array_index (lost, HarkLostSession, i);
      g_autoptr (GDateTime) seen = g_date_time_new_from_unix_utc (session->seen_ms / 1000);
      g_autofree char *when = g_date_time_format_iso8601 (seen);
      hark_log (HARK_LOG_INFO, HARK_MESSAGE_SESSION_CLOSED,
                HARK_LOG_FIELDS (.session = session->session_id, .user = session->user_id, .code = HARK_CLOSE_ABNORMAL),
                "Session ended: crashed; last seen %s", when);
    }
}

/* With what the process before has left. */
static void
go_on (HarkApp *self)
{
  HarkHandoffParts parts = hark_app_get_handoff_parts (self);
  g_autoptr (GVariant) handoff = g_steal_pointer (&self->handoff);
  gboolean was_killed = handoff == NULL && self->logbook != NULL;
  guint n;
  if (was_killed)
    handoff = hark_handoff_compose (self->logbook, self->chat);
  if (handoff != NULL)
    {
      hark_chat_go_on (self->chat);
      n = hark_handoff_restore (handoff, &parts, self->is_stored ? find_in_store : find_by_number, self);
      hark_log (HARK_LOG_NOTICE, HARK_MESSAGE_TAKEN_OVER, NULL, "%u of %u connections go on", n,
                hark_handoff_get_n_connections (handoff));
    }
  if (was_killed)
    hark_handoff_end_others (self->logbook, &parts, find_in_store, self);
  hark_service_manager_drop_stored (self->manager);
  if (self->descriptors != NULL)
    hark_descriptor_store_publish (self->descriptors);
  g_clear_pointer (&self->logbook, hark_logbook_free);
}

static gboolean
start_listening (HarkApp *self, GError **error)
{
  HarkFrontConfig config;
  g_autoptr (HarkApi) api = NULL;
  self->listener = hark_listener_new (self->metrics);
  hark_listener_set_backlog (self->listener, hark_config_get_int (self->config, HARK_SETTING_LISTEN_BACKLOG));
  if (!add_sockets (self, error))
    return FALSE;
  hark_app_read_front_config (self->config, &config);
  config.routes = self->routes;
  config.n_routes = self->n_routes;
  config.engine = self->engine;
  if (hark_config_get_bool (self->config, HARK_SETTING_HTTP_API))
    {
      HarkApiLimits limits;
      hark_app_read_api_limits (self->config, &limits);
      api = hark_api_new (hark_hub_get_dispatcher (self->hub), hark_chat_get_authenticator (self->chat), self->clock,
                          self->metrics, &limits);
    }
  config.api = api;
  self->front = hark_front_new (self->listener, hark_chat_get_authenticator (self->chat), self->metrics, &config);
  if (!start_descriptor_store (self, error))
    return FALSE;
  go_on (self);
  log_lost (self);
  hark_front_start (self->front, NULL, on_front_upgrade, self);
  for (const char *const *address = hark_listener_get_addresses (self->listener); *address != NULL; address++)
    hark_log (HARK_LOG_NOTICE, NULL, NULL, "Listening on %s", *address);
  return TRUE;
}

static gboolean
start_socketio (HarkApp *self, GError **error)
{
  const char *const *names = hark_config_get_strings (self->config, HARK_SETTING_SOCKETIO_NAMESPACES);
  guint admin = hark_config_get_enum (self->config, HARK_SETTING_SOCKETIO_ADMIN);
  HarkSocketioLimits limits;
  hark_app_read_socketio_limits (self->config, &limits);
  if (!hark_sqlite_store_run_sync (self->store, hark_socketio_load, &limits, error))
    return FALSE;
  self->namespaces = hark_socketio_namespaces_new (self->hub, HARK_STORE (self->store),
                                                   hark_wires_get_socketio (self->wires), self->metrics, &limits);
  for (guint i = 0; names[i] != NULL; i++)
    if (!hark_socketio_namespaces_declare (self->namespaces, names[i], error))
      return FALSE;
  if (admin == 0)
    return TRUE;
  self->socketio_admin = hark_socketio_admin_new (self->namespaces, self->hub, hark_chat_get_authenticator (self->chat),
                                                  admin == 2, error);
  return self->socketio_admin != NULL;
}

/* What is spoken where. */
static gboolean
start_protocols (HarkApp *self, GError **error)
{
  HarkEngineLimits limits;
  gboolean engine = hark_config_get_bool (self->config, HARK_SETTING_HTTP_ENGINE_IO);
  gboolean socketio = hark_config_get_bool (self->config, HARK_SETTING_SOCKETIO_ENABLED);
  self->native = hark_native_new ();
  self->wires = hark_wires_new ();
  self->anonymous = hark_config_get_bool (self->config, HARK_SETTING_AUTH_ANONYMOUS);
  self->routes[self->n_routes++] = page_route;
  self->routes[self->n_routes++] = native_route;
  for (guint i = 0; self->anonymous && i < self->n_routes; i++)
    self->routes[i].flags |= HARK_ROUTE_ANONYMOUS;
  if (engine)
    self->routes[self->n_routes++] = engine_route;
  if (socketio)
    self->routes[self->n_routes++] = socketio_route;
  if (!engine && !socketio)
    return TRUE;
  hark_app_read_engine_limits (self->config, &limits);
  self->engine = hark_engine_server_new (NULL, self->turn, self->clock, self->metrics, &limits, on_engine_opened, self);
  return !socketio || start_socketio (self, error);
}

/* Returns: which of the well-known buses; %G_BUS_TYPE_NONE for one that is named by its address */
static GBusType
choose_bus (const char *where)
{
  if (g_str_equal (where, "system"))
    return G_BUS_TYPE_SYSTEM;
  return g_str_equal (where, "session") ? G_BUS_TYPE_SESSION : G_BUS_TYPE_NONE;
}

static void
start_bus (HarkApp *self)
{
  const char *where = hark_config_get_string (self->config, HARK_SETTING_BUS_TYPE);
  GBusType type = choose_bus (where);
  HarkBusLimits limits;
  g_autoptr (HarkBusAuthority) authority = NULL;
  if (g_strcmp0 (where, "none") == 0)
    return;
  hark_app_read_bus_limits (self->config, &limits);
  authority = hark_bus_authority_new_for_bus (type, &limits);
  if (hark_config_get_enum (self->config, HARK_SETTING_BUS_POLKIT) != POLKIT_AUTO)
    hark_bus_authority_set_polkit (authority,
                                   hark_config_get_enum (self->config, HARK_SETTING_BUS_POLKIT) == POLKIT_YES);
  self->bus = hark_bus_service_new (self->hub, self->metrics, self->clock, authority, &limits);
  hark_bus_service_set_reload (self->bus, on_bus_reload, self);
  hark_bus_service_set_upgrade (self->bus, on_bus_upgrade, self);
  hark_bus_service_admit_programs (self->bus, hark_chat_get_authenticator (self->chat), self->native);
  hark_bus_service_set_lost (self->bus, hark_chat_get_lost (self->chat));
  self->waiting_for |= WAIT_FOR_BUS;
  g_signal_connect_object (self->bus, "name-acquired", G_CALLBACK (on_bus_name_acquired), self, 0);
  g_signal_connect_object (self->bus, "name-lost", G_CALLBACK (on_bus_name_lost), self, 0);
  hark_bus_service_start (self->bus, type, type == G_BUS_TYPE_NONE ? where : NULL);
}

static void
connect_back_ends (HarkApp *self)
{
  gboolean webhook = *hark_config_get_string (self->config, HARK_SETTING_WEBHOOK_URL) != '\0';
  if (self->namespaces != NULL)
    hark_back_ends_connect (self->namespaces, self->bus != NULL ? hark_bus_service_get_socketio1 (self->bus) : NULL,
                            webhook ? self->chat : NULL);
}

static void
on_demo_filled (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkApp) self = data;
  g_autoptr (GError) error = NULL;
  gboolean filled;
  if (!hark_demo_fill_finish (result, &filled, &error))
    {
      g_signal_emit (self, hark_app_signals[HARK_APP_FAILED], 0, error);
      return;
    }
  has_come (self, WAIT_FOR_DEMO);
}

/* The configuration was found good; its files may be others by now. */
static gboolean
set_jwt_issuer (HarkApp *self, guint name_chars, GError **error)
{
  g_autoptr (GPtrArray) mistakes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (HarkJwtIssuer) issuer = NULL;
  if (!hark_jwt_settings_load (self->config, name_chars, &issuer, mistakes))
    {
      g_set_error_literal (error, HARK_ERROR, HARK_ERROR_INTERNAL, mistakes->pdata[0]);
      return FALSE;
    }
  if (issuer != NULL)
    hark_chat_set_jwt_issuer (self->chat, issuer);
  return TRUE;
}

/* What the service manager has kept for us. */
static void
take_stored (HarkApp *self)
{
  int state_fd = hark_service_manager_take_stored (self->manager, HARK_STORED_STATE);
  int logbook_fd = hark_service_manager_take_stored (self->manager, HARK_STORED_LOGBOOK);
  g_autoptr (GError) error = NULL;
  self->is_stored = self->handoff == NULL;
  if (state_fd >= 0)
    hark_app_take_handoff (self, state_fd);
  if (logbook_fd >= 0)
    self->logbook = hark_logbook_open (logbook_fd, &error);
  if (logbook_fd >= 0 && self->logbook == NULL)
    hark_log (HARK_LOG_WARNING, NULL, NULL, "%s", error->message);
}

/**
 * hark_app_start:
 *
 * Builds everything and lets clients in.
 *
 * Returns: %FALSE with %HARK_ERROR_INTERNAL (the store cannot be opened, an address is taken): nothing is left running
 */
gboolean
hark_app_start (HarkApp *self, GError **error)
{
  HarkHubLimits hub_limits;
  HarkReactorLimits reactor_limits;
  HarkChatLimits chat_limits;
  hark_error_register_bus_names ();
  self->manager = hark_service_manager_new (self->clock);
  self->turn = hark_turn_new (NULL);
  take_stored (self);
  if (!open_store (self, error))
    return FALSE;
  hark_sqlite_store_set_turn (self->store, self->turn);
  self->broker = hark_local_broker_new ();
  self->quota = hark_quota_new (self->clock, self->metrics);
  apply_live_settings (self);
  self->dispatcher = hark_dispatcher_new (self->quota, self->metrics);
  hark_app_read_hub_limits (self->config, &hub_limits);
  self->hub = hark_hub_new (self->turn, self->dispatcher, self->clock, self->ids, self->metrics, &hub_limits);
  g_signal_connect_object (self->hub, "session-added", G_CALLBACK (on_session_added), self, 0);
  g_signal_connect_object (self->hub, "session-removed", G_CALLBACK (on_session_removed), self, 0);
  hark_store_set_committed (HARK_STORE (self->store), on_store_committed, self);
  g_signal_connect_object (self->broker, "received", G_CALLBACK (on_broker_received), self, 0);
  self->presence
    = hark_presence_new (self->hub, self->clock, hark_config_get_ms (self->config, HARK_SETTING_PRESENCE_GRACE));
  hark_app_read_chat_limits (self->config, &chat_limits);
  self->chat
    = hark_chat_new (self->hub, HARK_STORE (self->store), self->presence, self->ids, self->metrics, &chat_limits);
  if (self->handoff != NULL)
    hark_handoff_keep_sessions (self->handoff, self->chat);
  else if (self->logbook != NULL)
    hark_handoff_keep_logged (self->logbook, self->chat);
  if (!hark_sqlite_store_run_sync (self->store, hark_chat_load, self->chat, error))
    return FALSE;
  if (!set_jwt_issuer (self, chat_limits.displayname_chars, error))
    return FALSE;
  if (!hark_back_ends_start_webhook (self->chat, self->config, self->clock, error))
    return FALSE;
  hark_app_read_reactor_limits (self->config, &reactor_limits);
  self->reactor = hark_reactor_new (NULL, self->turn, self->clock, self->metrics, &reactor_limits);
  if (!start_protocols (self, error))
    return FALSE;
  if (!start_listening (self, error))
    return FALSE;
  g_signal_connect_object (hark_chat_get_drain (self->chat), "notify::active", G_CALLBACK (on_drain_active), self, 0);
  start_bus (self);
  connect_back_ends (self);
  if (self->demo)
    {
      self->waiting_for |= WAIT_FOR_DEMO;
      hark_demo_fill_async (self->dispatcher, on_demo_filled, g_object_ref (self));
    }
  become_ready (self);
  return TRUE;
}

/**
 * hark_app_reload:
 *
 * Reads the configuration again and applies what can be applied while sessions go on; what cannot is named in the log.
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST when the configuration has a mistake: then the old one stays
 */
gboolean
hark_app_reload (HarkApp *self, GError **error)
{
  g_autoptr (HarkConfig) newer = NULL;
  g_autoptr (GPtrArray) later = NULL;
  hark_service_manager_reloading (self->manager);
  newer = self->reload != NULL ? self->reload (self->reload_data) : NULL;
  if (newer == NULL)
    {
      hark_service_manager_ready (self->manager, "Ready; the last reload failed");
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "the configuration has a mistake, which harkd --check-config names; the old one stays");
      return FALSE;
    }
  later = hark_config_compare (self->config, newer, FALSE);
  for (guint i = 0; i < later->len; i++)
    hark_log (HARK_LOG_NOTICE, NULL, NULL, "%s has changed and waits for a restart", (const char *)later->pdata[i]);
  hark_config_unref (self->config);
  self->config = g_steal_pointer (&newer);
  apply_live_settings (self);
  hark_service_manager_ready (self->manager, "Ready");
  hark_log (HARK_LOG_NOTICE, HARK_MESSAGE_RELOADED, NULL, "Configuration reloaded");
  return TRUE;
}
