/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One session of Engine.IO protocol 4: polls, bodies and WebSockets come and go, the session stays. What the protocol's
 * text leaves open is as the reference server does it (npm engine.io 6), but where that waits for a time-out: a close
 * packet ends a WebSocket session at once. A poll that is open when its session upgrades gets a `noop`, as the text
 * says, where the reference tells it that the session has ended.
 */
#include "transport/engine.h"

#include "transport/engine-private.h"

#include "base/error.h"

#include <string.h>

/* Polls sent away at once while a WebSocket is about to take over; a client that goes on polling waits longer. */
#define MAX_NOOPS 4
#define NOOP_MS 1000

#define TYPE_TEXT "text/plain; charset=UTF-8"
/* Not plain text, which some browsers offer to save. */
#define TYPE_OK "text/html"

G_DEFINE_FINAL_TYPE (HarkEngine, hark_engine, HARK_TYPE_TRANSPORT)

static inline gboolean
is_ended (HarkEngine *self)
{
  return self->parent_instance.closed;
}

/* Something lies in the outbox. */
static inline void
wake (HarkEngine *self)
{
  HarkTransport *socket = (HarkTransport *)self->socket;
  if (socket == NULL)
    {
      if (self->poll != NULL)
        hark_engine_server_wake (self->server, self);
    }
  else if (!socket->awake && !socket->closed)
    {
      HARK_TRANSPORT_GET_CLASS (socket)->wake (socket);
    }
}

/* The wheel comes round at the nearest of its deadlines. */
void
hark_engine_schedule (HarkEngine *self)
{
  gint64 at = self->ping_at;
  if (self->upgrade_by != 0)
    at = MIN (at, self->upgrade_by);
  if (self->close_by != 0)
    at = MIN (at, self->close_by);
  if (self->probed)
    at = MIN (at, hark_engine_server_get_now (self->server) + NOOP_MS);
  hark_engine_server_add_timer (self->server, self, at);
}

void
hark_engine_restart_ping (HarkEngine *self)
{
  self->pinged = FALSE;
  self->ping_at = hark_engine_server_get_now (self->server) + self->server->limits.ping_interval_ms;
  hark_engine_schedule (self);
}

void
hark_engine_answer (HarkEngineRequest **request, guint status, const char *type, const char *text)
{
  GBytes *content = text == NULL ? NULL : g_bytes_new_static (text, strlen (text));
  hark_engine_request_answer (g_steal_pointer (request), status, type, content);
}

void
hark_engine_answer_poll (HarkEngine *self, const char *packet)
{
  if (self->poll != NULL)
    hark_engine_answer (&self->poll, 200, TYPE_TEXT, packet);
}

/* The end. */

/* Lets go of everything, and reports the end. A poll is told that the session is over; a body is refused, but for one
 * that ends it by what it says: that has arrived. */
void
hark_engine_end (HarkEngine *self, guint code, const char *reason)
{
  g_autoptr (HarkEngine) hold G_GNUC_UNUSED = g_object_ref (self);
  if (is_ended (self))
    return;
  /* Before anybody hears of the end: who does may come again, by the front's thread, while we go on here. */
  g_clear_pointer (&self->lease, hark_address_lease_free);
  hark_engine_answer_poll (self, "1");
  if (self->post != NULL && self->taking)
    hark_engine_answer (&self->post, 200, TYPE_OK, "ok");
  else if (self->post != NULL)
    hark_engine_answer (&self->post, 400, NULL, NULL);
  hark_engine_drop_probe (self);
  if (self->socket != NULL)
    {
      hark_transport_set_sink (HARK_TRANSPORT (self->socket), NULL, NULL);
      hark_websocket_write_from (self->socket, NULL);
      hark_transport_close (HARK_TRANSPORT (self->socket), code, reason);
      g_clear_object (&self->socket);
    }
  hark_engine_server_remove (self->server, self);
  hark_outbox_clear (&self->parent_instance.outbox);
  hark_transport_emit_closed (&self->parent_instance, self->close_code != 0 ? self->close_code : code,
                              self->close_code != 0 && self->close_reason != NULL ? self->close_reason : reason);
}

/* The client breaks the rules, or is silent. A WebSocket is closed with its handshake, and ends later. */
static void
fail (HarkEngine *self, guint code, const char *reason)
{
  if (self->socket != NULL)
    hark_transport_close (&self->parent_instance, code, reason);
  else
    hark_engine_end (self, code, reason);
}

/* Packets. */

void
hark_engine_take_packet (HarkEngine *self, const HarkEngineIOPacket *packet)
{
  HarkEngineServer *server = self->server;
  hark_counter_add (server->counters.packets, 1);
  if (packet->type == HARK_ENGINEIO_CLOSE)
    {
      hark_engine_answer_poll (self, "6");
      fail (self, HARK_CLOSE_NORMAL, "transport close");
      return;
    }
  if (self->parent_instance.closing)
    return;
  if (self->pinged && !self->extended && packet->type != HARK_ENGINEIO_PONG)
    {
      self->extended = TRUE;
      self->ping_at = hark_engine_server_get_now (server) + server->limits.ping_timeout_ms;
      hark_engine_schedule (self);
    }
  switch (packet->type)
    {
    case HARK_ENGINEIO_MESSAGE:
      hark_transport_emit_message (&self->parent_instance, packet->data, packet->len, packet->binary);
      break;
    case HARK_ENGINEIO_PONG:
      hark_engine_restart_ping (self);
      break;
    case HARK_ENGINEIO_PING:
      fail (self, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
      break;
    case HARK_ENGINEIO_OPEN:
    case HARK_ENGINEIO_CLOSE:
    case HARK_ENGINEIO_UPGRADE:
    case HARK_ENGINEIO_NOOP:
      break;
    }
}

void
hark_engine_fail_parse (HarkEngine *self)
{
  hark_counter_add (self->server->counters.parse_errors, 1);
  fail (self, HARK_CLOSE_PROTOCOL_ERROR, "parse error");
}

/* Bodies. */

/* Takes packets of the body until it is through, the sink wants no more, or others are to be served. The answer comes
 * when all are taken: so a client whose session is paused waits with its next. */
void
hark_engine_take_post (HarkEngine *self)
{
  g_autoptr (HarkEngine) hold G_GNUC_UNUSED = g_object_ref (self);
  /* Whoever is told of a message may end the session, and with it the request; the message lies in the body. */
  g_autoptr (HarkEngineRequest) post = hark_engine_request_ref (self->post);
  HarkEngineServer *server = self->server;
  guint budget = server->limits.packet_budget;
  self->has_body = TRUE;
  if (self->taking)
    return;
  self->taking = TRUE;
  while (self->post == post && post->offset <= post->body_len && budget-- > 0 && !self->paused)
    {
      HarkEngineIOPacket packet;
      if (++post->n_packets > server->limits.max_packets
          || !hark_engineio_payload_next (&packet, post->body, post->body_len, &post->offset))
        {
          hark_engine_fail_parse (self);
          break;
        }
      hark_engine_take_packet (self, &packet);
    }
  self->taking = FALSE;
  if (self->post != post)
    return;
  if (post->offset > post->body_len)
    hark_engine_answer (&self->post, 200, TYPE_OK, "ok");
  else if (!self->paused)
    hark_engine_server_wake (server, self);
}

static void
fail_overlap (HarkEngine *self, HarkEngineRequest *request)
{
  hark_counter_add (self->server->counters.overlaps, 1);
  hark_engine_answer (&request, 400, NULL, NULL);
  fail (self, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
}

/* @request: (transfer full): a POST, whose body may not have come */
void
hark_engine_begin_post (HarkEngine *self, HarkEngineRequest *request)
{
  hark_counter_add (self->server->counters.posts, 1);
  if (self->post != NULL)
    {
      fail_overlap (self, request);
      return;
    }
  if (request->octets)
    {
      hark_engine_answer (&request, 400, NULL, NULL);
      fail (self, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
      return;
    }
  request->session = self;
  self->post = request;
  self->has_body = FALSE;
}

/* Polls. */

/* @request: (transfer full): a GET */
void
hark_engine_take_poll (HarkEngine *self, HarkEngineRequest *request)
{
  hark_counter_add (self->server->counters.polls, 1);
  if (self->poll != NULL)
    {
      fail_overlap (self, request);
      return;
    }
  request->session = self;
  self->poll = request;
  if (!hark_outbox_is_empty (&self->parent_instance.outbox) || self->close_by != 0 || self->probed)
    hark_engine_server_wake (self->server, self);
}

/* The client of a request that waits has gone: it will not come back, for the reference server would not let it. */
void
hark_engine_lose (HarkEngine *self, HarkEngineRequest *request)
{
  if (request == self->poll)
    g_clear_pointer (&self->poll, hark_engine_request_unref);
  else
    g_clear_pointer (&self->post, hark_engine_request_unref);
  fail (self, HARK_CLOSE_ABNORMAL, "transport error");
}

static void
flush_poll (HarkEngine *self)
{
  gboolean closing = self->close_by != 0;
  if (!hark_outbox_is_empty (&self->parent_instance.outbox) || closing)
    {
      GBytes *content = hark_engine_server_encode (self->server, self, closing ? "1" : NULL);
      gboolean last = closing && hark_outbox_is_empty (&self->parent_instance.outbox);
      hark_engine_request_answer (g_steal_pointer (&self->poll), 200, TYPE_TEXT, content);
      if (last)
        hark_engine_end (self, self->close_code, self->close_reason);
    }
  else if (self->probed && self->n_noops < MAX_NOOPS)
    {
      self->n_noops++;
      hark_engine_answer_poll (self, "6");
    }
}

/* The turn is over. */
void
hark_engine_flush (HarkEngine *self)
{
  self->parent_instance.awake = FALSE;
  if (is_ended (self))
    return;
  if (self->post != NULL && self->has_body && !self->paused)
    hark_engine_take_post (self);
  if (is_ended (self))
    return;
  if (self->socket == NULL && self->poll != NULL)
    flush_poll (self);
  else if (self->socket != NULL && !hark_outbox_is_empty (&self->parent_instance.outbox))
    wake (self);
}

/* Time. */

static void
expire_ping (HarkEngine *self, gint64 now)
{
  HarkEngineServer *server = self->server;
  if (self->paused || self->parent_instance.closing)
    {
      /* Its pong may have come; we did not look. */
      self->pinged = FALSE;
      self->ping_at = now + server->limits.ping_interval_ms;
    }
  else if (self->pinged)
    {
      hark_counter_add (server->counters.ping_timeouts, 1);
      self->ping_at = now + server->limits.ping_interval_ms;
      fail (self, HARK_CLOSE_IDLE, "ping timeout");
    }
  else
    {
      self->pinged = TRUE;
      self->extended = FALSE;
      self->ping_at = now + server->limits.ping_timeout_ms;
      /* Over the bound, too: there is one at a time. */
      hark_outbox_push (&self->parent_instance.outbox, server->ping, G_MAXSIZE);
      wake (self);
    }
}

/* The wheel has come round to it; what is due is seen here. */
void
hark_engine_expire (HarkEngine *self)
{
  g_autoptr (HarkEngine) hold G_GNUC_UNUSED = g_object_ref (self);
  HarkEngineServer *server = self->server;
  gint64 now = hark_engine_server_get_now (server);
  if (self->close_by != 0 && now >= self->close_by)
    {
      hark_engine_end (self, self->close_code, self->close_reason);
      return;
    }
  if (self->upgrade_by != 0 && now >= self->upgrade_by)
    {
      hark_counter_add (server->counters.upgrade_timeouts, 1);
      hark_engine_drop_probe (self);
    }
  if (now >= self->ping_at)
    expire_ping (self, now);
  if (is_ended (self))
    return;
  if (self->probed)
    {
      self->n_noops = 0;
      if (self->poll != NULL)
        hark_engine_server_wake (server, self);
    }
  hark_engine_schedule (self);
}

/* The transport. */

static void
hark_engine_wake (HarkTransport *transport)
{
  /* Not checked: this is called for each receiver of each batch. */
  wake ((HarkEngine *)transport);
}

static void
hark_engine_close (HarkTransport *transport, guint code, const char *reason)
{
  HarkEngine *self = HARK_ENGINE (transport);
  self->close_code = code;
  self->close_reason = g_strdup (reason != NULL ? reason : "forced close");
  if (self->socket != NULL)
    {
      hark_transport_close (HARK_TRANSPORT (self->socket), code, reason);
      return;
    }
  /* A WebSocket that is about to take over may: its client listens to nothing else. */
  self->close_by = hark_engine_server_get_now (self->server) + self->server->limits.close_timeout_ms;
  hark_engine_schedule (self);
  if (self->poll != NULL)
    hark_engine_server_wake (self->server, self);
}

static void
hark_engine_set_reading (HarkTransport *transport, gboolean reading)
{
  HarkEngine *self = HARK_ENGINE (transport);
  if (is_ended (self) || self->paused == !reading)
    return;
  self->paused = !reading;
  if (reading)
    hark_engine_restart_ping (self);
  if (self->socket != NULL)
    hark_transport_set_reading (HARK_TRANSPORT (self->socket), reading);
  else if (reading && self->post != NULL)
    hark_engine_server_wake (self->server, self);
}

static char *
hark_engine_dup_address (HarkTransport *transport)
{
  return g_strdup (HARK_ENGINE (transport)->address);
}

static const char *
hark_engine_get_name (HarkTransport *transport)
{
  return HARK_ENGINE (transport)->socket != NULL ? "websocket" : "polling";
}

static void
hark_engine_finalize (GObject *object)
{
  HarkEngine *self = HARK_ENGINE (object);
  g_assert (self->server == NULL);
  g_free (self->address);
  g_free (self->close_reason);
  G_OBJECT_CLASS (hark_engine_parent_class)->finalize (object);
}

static void
hark_engine_class_init (HarkEngineClass *klass)
{
  HarkTransportClass *transport_class = HARK_TRANSPORT_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = hark_engine_finalize;
  transport_class->name = "engine.io";
  transport_class->wake = hark_engine_wake;
  transport_class->close = hark_engine_close;
  transport_class->set_reading = hark_engine_set_reading;
  transport_class->dup_address = hark_engine_dup_address;
  transport_class->get_name = hark_engine_get_name;
}

static void
hark_engine_init (HarkEngine *self)
{
}

/* For the server only. @lease: (transfer full) (nullable) */
HarkEngine *
hark_engine_new (HarkEngineServer *server, guint route_kind, const char *address, HarkAddressLease *lease)
{
  HarkEngine *self = g_object_new (HARK_TYPE_ENGINE, NULL);
  self->server = server;
  self->route_kind = route_kind;
  self->address = g_strdup (address);
  self->lease = lease;
  self->parent_instance.max_outbox = server->limits.max_outbox;
  return self;
}

static void
queue_open_packet (HarkEngine *self)
{
  const HarkEngineLimits *limits = &self->server->limits;
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) units = NULL;
  g_autofree char *json
    = g_strdup_printf ("{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,\"maxPayload\":%u}",
                       self->sid, self->socket == NULL ? "\"websocket\"" : "", limits->ping_interval_ms,
                       limits->ping_timeout_ms, limits->max_payload);
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_OPEN, strlen (json)), json, strlen (json));
  units = hark_builder_finish (&out);
  hark_transport_send (&self->parent_instance, units);
}

/* It has its id: says so, and that there is a new session. @socket: (nullable): by which it came */
void
hark_engine_open (HarkEngine *self, HarkWebSocket *socket, const char *query)
{
  HarkEngineServer *server = self->server;
  if (socket != NULL)
    hark_engine_use_socket (self, socket);
  queue_open_packet (self);
  hark_engine_restart_ping (self);
  server->opened (self, query, server->opened_data);
  if (socket != NULL && self->socket == socket)
    hark_websocket_start (socket);
}

const char *
hark_engine_get_sid (HarkEngine *self)
{
  return self->sid;
}

guint
hark_engine_get_route_kind (HarkEngine *self)
{
  return self->route_kind;
}

const char *
hark_engine_get_way (HarkEngine *self)
{
  return self->socket != NULL ? "websocket" : "polling";
}
