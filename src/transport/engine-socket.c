/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session of Engine.IO and WebSockets: the one by which it travels, whose frames are its packets and whose end is its
 * own, and the one that shows by a probe that it could take over from polling. An upgrade changes who writes the outbox;
 * what lies in it goes on where polling stopped.
 */
#include "transport/engine-private.h"

#include "base/error.h"

#include <string.h>

static gboolean
parse_frame (HarkEngineIOPacket *packet, const guint8 *data, gsize len, gboolean binary, guint8 **copy)
{
  if (binary)
    {
      *packet = (HarkEngineIOPacket){ HARK_ENGINEIO_MESSAGE, TRUE, data, len };
      return TRUE;
    }
  /* Nothing but base64 is changed by parsing; it is rare here, where binary has frames of its own. */
  *copy = len > 0 && data[0] == 'b' ? g_memdup2 (data, len) : NULL;
  return hark_engineio_parse (packet, *copy != NULL ? *copy : (guint8 *)data, len);
}

static void
on_socket_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  g_autoptr (HarkEngine) self = g_object_ref (sink);
  g_autofree guint8 *copy = NULL;
  HarkEngineIOPacket packet;
  if (parse_frame (&packet, data, len, binary, &copy))
    hark_engine_take_packet (self, &packet);
  else
    hark_engine_fail_parse (self);
}

static void
on_socket_writable (gpointer sink, HarkTransport *transport)
{
  g_autoptr (HarkEngine) self = g_object_ref (sink);
  hark_transport_emit_writable (&self->parent_instance);
}

static void
on_socket_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  hark_engine_end (HARK_ENGINE (sink), code, *reason != '\0' ? reason : "transport close");
}

static const HarkTransportSink socket_sink = { on_socket_message, on_socket_writable, on_socket_closed };

/* It travels by @socket from now on. Returns: %FALSE when more is queued than an outbox holds */
gboolean
hark_engine_use_socket (HarkEngine *self, HarkWebSocket *socket)
{
  self->socket = g_object_ref (socket);
  hark_transport_set_sink (HARK_TRANSPORT (socket), &socket_sink, self);
  if (self->paused)
    hark_transport_set_reading (HARK_TRANSPORT (socket), FALSE);
  return hark_websocket_write_from (socket, &self->parent_instance.outbox);
}

/* What was to take over does not. */
void
hark_engine_drop_probe (HarkEngine *self)
{
  g_autoptr (HarkWebSocket) probe = g_steal_pointer (&self->probe);
  self->probed = FALSE;
  self->upgrade_by = 0;
  if (probe == NULL)
    return;
  hark_transport_set_sink (HARK_TRANSPORT (probe), NULL, NULL);
  hark_transport_close (HARK_TRANSPORT (probe), HARK_CLOSE_NORMAL, NULL);
}

/* The client has paused its polls and wants the rest by WebSocket. */
static void
upgrade (HarkEngine *self)
{
  g_autoptr (HarkWebSocket) socket = g_steal_pointer (&self->probe);
  hark_counter_add (self->server->counters.upgraded, 1);
  self->probed = FALSE;
  self->upgrade_by = 0;
  hark_engine_answer_poll (self, "6");
  if (self->post != NULL)
    hark_engine_answer (&self->post, 400, NULL, NULL);
  hark_engine_restart_ping (self);
  if (!hark_engine_use_socket (self, socket))
    hark_transport_close (&self->parent_instance, HARK_CLOSE_SLOW, "outbox is full");
  else if (self->close_by != 0)
    hark_transport_close (HARK_TRANSPORT (socket), self->close_code, self->close_reason);
}

static void
on_probe_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  g_autoptr (HarkEngine) self = g_object_ref (sink);
  if (!binary && len == 6 && memcmp (data, "2probe", 6) == 0)
    {
      g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
      g_autoptr (HarkBuffer) pong = NULL;
      memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_PONG, 5), "probe", 5);
      pong = hark_builder_finish (&out);
      if (!hark_transport_send (transport, pong))
        {
          hark_engine_drop_probe (self);
          return;
        }
      self->probed = TRUE;
      self->n_noops = 0;
      hark_engine_schedule (self);
      if (self->poll != NULL)
        hark_engine_server_wake (self->server, self);
    }
  else if (!binary && len >= 1 && data[0] == HARK_ENGINEIO_UPGRADE)
    {
      upgrade (self);
    }
  else
    {
      hark_engine_drop_probe (self);
    }
}

static void
on_probe_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  HarkEngine *self = sink;
  self->probed = FALSE;
  self->upgrade_by = 0;
  hark_transport_set_sink (transport, NULL, NULL);
  g_clear_object (&self->probe);
}

static const HarkTransportSink probe_sink = { on_probe_message, NULL, on_probe_closed };

/* Returns: whether a WebSocket may be opened to take over */
gboolean
hark_engine_can_upgrade (HarkEngine *self)
{
  return self->socket == NULL && self->probe == NULL && !self->parent_instance.closing;
}

void
hark_engine_take_probe (HarkEngine *self, HarkWebSocket *socket)
{
  HarkEngineServer *server = self->server;
  self->probe = g_object_ref (socket);
  self->upgrade_by = hark_engine_server_get_now (server) + server->limits.upgrade_timeout_ms;
  hark_engine_schedule (self);
  hark_transport_set_sink (HARK_TRANSPORT (socket), &probe_sink, self);
  hark_websocket_start (socket);
}
