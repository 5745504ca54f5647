/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The front's thread: takes connections from the listener, waits for their requests, refuses what is to be refused,
 * finds out whose token was presented, lets libsoup answer, and hands WebSockets over to the hub's thread.
 *
 * Until its head is complete, a connection costs one descriptor in an epoll set and this struct: the head is looked at
 * with MSG_PEEK and left in the socket, so that libsoup can be given the socket as if nobody had touched it. Silent and
 * slow clients therefore cost nothing per turn, which with a GSource each they would.
 *
 * All connections have the same time for their request. They stand in one queue by the moment they came, and one
 * source waits for the first of them.
 */
#include "transport/front-private.h"

#include <glib-unix.h>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64

/* A storm of those who connect does not hold up the messages of those who are connected. */
#define UPGRADES_PER_TURN 32

G_DEFINE_FINAL_TYPE (HarkFront, hark_front, G_TYPE_OBJECT)

/* Defaults. */
void
hark_front_limits_init (HarkFrontLimits *self)
{
  self->max_handshakes = 4096;
  self->crowded_ms = 1000;
  self->handshake_ms = 10 * 1000;
  self->max_per_address = 1024;
  self->count_local = FALSE;
  self->max_head = 16 * 1024;
  self->max_fields = 64;
  self->max_body = 64 * 1024;
  self->max_upgrades = 4096;
}

void
hark_front_update_timer (HarkFront *self)
{
  HarkFrontConnection *first = g_queue_peek_head (&self->connections);
  guint ms
    = self->connections.length >= self->limits.max_handshakes ? self->limits.crowded_ms : self->limits.handshake_ms;
  g_source_set_ready_time (self->timer, first == NULL ? -1 : first->since + (gint64)ms * 1000);
}

void
hark_front_quit_if_done (HarkFront *self)
{
  if (self->stopping && self->n_checks == 0)
    g_main_loop_quit (self->loop);
}

static gboolean
on_epoll (int fd, GIOCondition condition, gpointer data)
{
  HarkFront *self = data;
  struct epoll_event events[EVENTS_PER_TURN];
  int n = epoll_wait (self->epoll, events, G_N_ELEMENTS (events), 0);
  if (self->engine_requests != NULL)
    hark_hand_over_cork (self->engine_requests);
  for (int i = 0; i < n; i++)
    {
      HarkFrontConnection *connection = events[i].data.ptr;
      gboolean ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      hark_front_connection_dispatch (connection, ended);
    }
  if (self->engine_requests != NULL)
    hark_hand_over_uncork (self->engine_requests);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timer (gpointer data)
{
  HarkFront *self = data;
  gint64 now = g_get_monotonic_time ();
  HarkFrontConnection *first;
  while ((first = g_queue_peek_head (&self->connections)) != NULL)
    {
      gboolean late = now - first->since >= (gint64)self->limits.handshake_ms * 1000;
      gboolean crowded = self->connections.length >= self->limits.max_handshakes
                         && now - first->since >= (gint64)self->limits.crowded_ms * 1000;
      if (!late && !crowded)
        break;
      if (!hark_front_connection_is_kept (first))
        hark_counter_add (late ? self->timed_out : self->crowded_out, 1);
      hark_front_connection_expire (first);
    }
  hark_front_update_timer (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_accepted (int fd, const struct sockaddr *address, gpointer data)
{
  HarkFront *self = data;
  HarkAddressLease *lease = NULL;
  if (self->limits.max_per_address > 0 && (self->limits.count_local || !hark_address_is_local (address)))
    {
      lease = hark_address_table_acquire (self->addresses, address);
      if (lease == NULL)
        {
          hark_counter_add (self->address_refused, 1);
          close (fd);
          return TRUE;
        }
    }
  hark_front_connection_new (self, fd, address, lease);
  if (self->connections.length == 1 || self->connections.length == self->limits.max_handshakes)
    hark_front_update_timer (self);
  return self->connections.length < self->limits.max_handshakes;
}

static gboolean
on_stop (gpointer data)
{
  HarkFront *self = data;
  self->stopping = TRUE;
  hark_listener_stop (self->listener);
  g_clear_pointer (&self->http, hark_http_free);
  while (!g_queue_is_empty (&self->connections))
    hark_front_connection_end (g_queue_peek_head (&self->connections));
  while (!g_queue_is_empty (&self->polls))
    hark_front_connection_end (g_queue_peek_head (&self->polls));
  g_cancellable_cancel (self->cancellable);
  hark_front_quit_if_done (self);
  return G_SOURCE_REMOVE;
}

/* In the hub's thread. */
static void
on_upgrades (HarkHandOver *upgrades, gpointer data)
{
  g_autoptr (HarkFront) self = g_object_ref (data);
  HarkUpgrade *upgrade;
  for (guint i = 0; i < UPGRADES_PER_TURN && (upgrade = hark_hand_over_pop (upgrades, NULL)) != NULL; i++)
    self->upgraded_func (upgrade, self->upgraded_data);
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs timer_funcs = { NULL, NULL, timer_dispatch, NULL };

static gpointer
front_thread (gpointer data)
{
  HarkFront *self = data;
  GSource *source;
  g_main_context_push_thread_default (self->context);
  self->http = hark_http_new (self->metrics, self->expose_metrics, self->limits.max_body, self->api, &self->ready,
                              &hark_front_connection_http_funcs);
  source = g_unix_fd_source_new (self->epoll, G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (on_epoll), self, NULL);
  g_source_attach (source, self->context);
  g_source_attach (self->timer, self->context);
  hark_listener_start (self->listener, self->context, on_accepted, self);
  g_main_loop_run (self->loop);
  g_source_destroy (self->timer);
  g_source_destroy (source);
  g_source_unref (source);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
hark_front_dispose (GObject *object)
{
  hark_front_stop (HARK_FRONT (object));
  G_OBJECT_CLASS (hark_front_parent_class)->dispose (object);
}

static void
hark_front_finalize (GObject *object)
{
  HarkFront *self = HARK_FRONT (object);
  g_clear_object (&self->listener);
  g_clear_object (&self->authenticator);
  g_clear_object (&self->metrics);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->engine_requests);
  g_clear_object (&self->api);
  g_clear_pointer (&self->addresses, hark_address_table_unref);
  g_clear_pointer (&self->deflate, hark_deflate_budget_unref);
  g_clear_pointer (&self->engine_sessions, hark_address_table_unref);
  g_string_free (self->out, TRUE);
  g_free (self->engine_cookie);
  g_clear_pointer (&self->timer, g_source_unref);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->allowed_hosts, g_strfreev);
  g_clear_pointer (&self->allowed_origins, g_strfreev);
  g_free (self->buffer);
  close (self->epoll);
  G_OBJECT_CLASS (hark_front_parent_class)->finalize (object);
}

static void
hark_front_class_init (HarkFrontClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_front_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_front_finalize;
}

static void
hark_front_init (HarkFront *self)
{
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->cancellable = g_cancellable_new ();
  self->out = g_string_new (NULL);
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "hark-front-deadline");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  if (self->epoll < 0)
    g_error ("epoll: %s", g_strerror (errno));
}

static void
register_metrics (HarkFront *self)
{
  HarkMetrics *m = self->metrics;
  self->waiting = hark_metrics_gauge (m, "hark_handshakes_waiting", "Connections whose request is not answered yet");
  self->polling = hark_metrics_gauge (m, "hark_polls_waiting", "Requests of Engine.IO that wait for the hub");
  self->answered = hark_metrics_counter (m, "hark_engineio_answers_total", "Requests of Engine.IO that were answered");
  self->upgraded = hark_metrics_counter (m, "hark_handshakes_total", "WebSockets opened");
  self->requests = hark_metrics_counter (m, "hark_requests_total", "Requests whose head was read");
  self->refused = hark_metrics_counter (m, "hark_requests_refused_total", "Requests refused by the front, all reasons");
  self->unauthenticated
    = hark_metrics_counter (m, "hark_handshakes_unauthenticated_total", "Handshakes refused for want of a good token");
  self->head_too_large = hark_metrics_counter (m, "hark_requests_head_too_large_total",
                                               "Requests refused for a large head or many header fields");
  self->body_too_large
    = hark_metrics_counter (m, "hark_requests_body_too_large_total", "Requests refused for a large body");
  self->timed_out = hark_metrics_counter (m, "hark_handshakes_timed_out_total",
                                          "Connections closed because their request took too long");
  self->crowded_out = hark_metrics_counter (m, "hark_handshakes_crowded_out_total",
                                            "Connections closed because too many newer ones waited");
  self->address_refused = hark_metrics_counter (m, "hark_connections_refused_address_total",
                                                "Connections closed at once because their address had too many");
  self->overloaded = hark_metrics_counter (m, "hark_requests_overloaded_total",
                                           "Requests refused because the hub or the store had too much to do");
  self->duration = hark_metrics_histogram (m, "hark_handshake_seconds", "From accepting to the end of the handshake");
}

/**
 * hark_front_new:
 * @listener: with its sockets added
 * @authenticator: (nullable): %NULL to let everybody in, whatever token is presented: a bare server of the benchmarks
 */
HarkFront *
hark_front_new (HarkListener *listener, HarkAuthenticator *authenticator, HarkMetrics *metrics,
                const HarkFrontConfig *config)
{
  HarkFront *self = g_object_new (HARK_TYPE_FRONT, NULL);
  g_assert (config->limits.max_fields <= HARK_REQUEST_MAX_FIELDS && config->limits.max_head <= HARK_FRONT_MAX_HEAD);
  self->limits = config->limits;
  self->routes = config->routes;
  self->n_routes = config->n_routes;
  self->allowed_hosts = g_strdupv ((GStrv)config->allowed_hosts);
  self->allowed_origins = g_strdupv ((GStrv)config->allowed_origins);
  if (config->deflate)
    self->deflate = hark_deflate_budget_new (config->deflate_bytes, metrics);
  self->allow_late_authentication = config->allow_late_authentication;
  self->expose_metrics = config->expose_metrics;
  self->listener = g_object_ref (listener);
  if (authenticator != NULL)
    self->authenticator = g_object_ref (authenticator);
  self->metrics = g_object_ref (metrics);
  self->addresses = hark_address_table_new (self->limits.max_per_address);
  self->engine_sessions = hark_address_table_new (self->limits.max_per_address);
  self->cors_credentials = config->cors_credentials;
  self->engine_cookie = g_strdup (config->engine_cookie);
  if (config->engine != NULL)
    {
      self->engine_requests = g_object_ref (hark_engine_server_get_requests (config->engine));
      self->engine_max_payload = hark_engine_server_get_max_payload (config->engine);
    }
  g_set_object (&self->api, config->api);
  self->buffer = g_malloc (self->limits.max_head);
  register_metrics (self);
  return self;
}

/**
 * hark_front_start:
 * @context: (nullable): the hub's
 * @func: called in @context's thread with each WebSocket that was opened
 *
 * Starts the thread.
 */
void
hark_front_start (HarkFront *self, GMainContext *context, HarkUpgradeFunc func, gpointer data)
{
  g_return_if_fail (self->thread == NULL);
  self->upgraded_func = func;
  self->upgraded_data = data;
  self->upgrades = hark_hand_over_new (context, "hark-upgrades", (GDestroyNotify)hark_upgrade_free, on_upgrades, self);
  self->answers = hark_hand_over_new (self->context, "hark-engine-answers", (GDestroyNotify)hark_engine_request_unref,
                                      hark_front_engine_on_answers, self);
  if (self->api != NULL)
    hark_api_attach (self->api, self->context);
  self->thread = g_thread_new ("front", front_thread, self);
}

/* What `/readyz` says. */
void
hark_front_set_ready (HarkFront *self, gboolean ready)
{
  g_atomic_int_set (&self->ready, ready);
}

/* Whether who wants to connect is told to come back later. */
void
hark_front_set_draining (HarkFront *self, gboolean draining)
{
  g_atomic_int_set (&self->draining, draining);
}

/**
 * hark_front_readmit:
 * @socket: of another process, which has admitted it
 *
 * Counts it among its address's connections and those that compress; beyond the bounds it is not counted, but goes on.
 */
void
hark_front_readmit (HarkFront *self, HarkWebSocket *socket)
{
  struct sockaddr_storage address = { 0 };
  socklen_t len = sizeof address;
  HarkAddressLease *lease = NULL;
  HarkDeflateLease *deflate = NULL;
  if (self->limits.max_per_address > 0
      && getpeername (hark_websocket_get_fd (socket), (struct sockaddr *)&address, &len) == 0
      && (self->limits.count_local || !hark_address_is_local ((struct sockaddr *)&address)))
    lease = hark_address_table_acquire (self->addresses, (struct sockaddr *)&address);
  if (self->deflate != NULL && hark_websocket_is_deflate (socket))
    deflate = hark_deflate_budget_acquire (self->deflate);
  hark_upgrade_give_places (socket, lease, deflate);
}

/**
 * hark_front_stop:
 *
 * Closes the listening sockets and every connection whose handshake is not done, waits for the thread, and hands over
 * what was done. Afterwards nothing is handed over any more. In the hub's thread.
 */
void
hark_front_stop (HarkFront *self)
{
  GSource *source;
  if (self->thread == NULL)
    return;
  source = g_idle_source_new (); /* not g_main_context_invoke (), which might run it here */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_stop, self, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
  g_thread_join (g_steal_pointer (&self->thread));
  if (self->api != NULL)
    hark_api_detach (self->api);
  /* Their clients have been told that they are connected. */
  for (HarkUpgrade *upgrade; (upgrade = hark_hand_over_pop (self->upgrades, NULL)) != NULL;)
    self->upgraded_func (upgrade, self->upgraded_data);
  hark_hand_over_stop (self->upgrades);
  hark_hand_over_stop (self->answers);
  g_clear_object (&self->upgrades);
  g_clear_object (&self->answers);
}
