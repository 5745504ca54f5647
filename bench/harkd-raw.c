/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the transport can do at all: the real listener, front, reactor and frame codec without hub, JSON or store. The
 * benchmarks measure harkd against it, and the wire-level tests speak to its /echo. It lets everybody in.
 */
#include "transport/front.h"
#include "transport/websocket-codec.h"

#include "core/turn.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>

typedef enum
{
  ROUTE_CHANNEL, /* /ws?ch=N */
  ROUTE_ECHO
} RouteKind;

static const HarkRoute routes[] = {
  { "/ws", ROUTE_CHANNEL, HARK_ROUTE_TOKEN },
  { "/echo", ROUTE_ECHO, HARK_ROUTE_NONE },
};

typedef struct _Client Client;

/* All who are connected with the same N, and the frames of this turn. */
typedef struct
{
  guint number;
  GPtrArray *clients;   /* (element-type Client), not owned */
  GByteArray *frames;   /* of messages sent in this turn */
  GByteArray *deflated; /* the same for those who negotiated it; NULL without --deflate */
  gboolean dirty;
} Channel;

typedef struct
{
  GMainLoop *loop;
  HarkTurn *turn;
  HarkReactor *reactor;
  HarkFront *front;
  HarkDeflater *deflater; /* (nullable) */
  GHashTable *channels;   /* number → Channel (owned) */
  GPtrArray *dirty;       /* (element-type Channel) */
  guint n_clients;
  gboolean stopping;
} Server;

struct _Client
{
  Server *server;
  Channel *channel; /* (nullable): none for an echo */
  guint index;      /* in the channel's clients */
};

static void
channel_free (gpointer data)
{
  Channel *self = data;
  g_ptr_array_unref (self->clients);
  g_byte_array_unref (self->frames);
  if (self->deflated != NULL)
    g_byte_array_unref (self->deflated);
  g_free (self);
}

static void
append_frame (GByteArray *frames, const guint8 *data, gsize len)
{
  guint8 header[HARK_WEBSOCKET_MAX_OUT_HEADER];
  gsize header_len = hark_websocket_header (header, HARK_WEBSOCKET_TEXT, FALSE, len);
  g_byte_array_append (frames, header, header_len);
  g_byte_array_append (frames, data, len);
}

/* A client that does not read is no concern of a benchmark: it goes. */
static void
send_or_close (HarkTransport *transport, HarkBuffer *units)
{
  if (!hark_transport_send (transport, units))
    hark_transport_close (transport, HARK_CLOSE_SLOW, "outbox is full");
}

static void
echo (Server *self, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  guint opcode = binary ? HARK_WEBSOCKET_BINARY : HARK_WEBSOCKET_TEXT;
  g_autoptr (HarkBuffer) frame = NULL;
  if (self->deflater != NULL && hark_websocket_is_deflate ((HarkWebSocket *)transport))
    frame = hark_deflate_encode_frame (self->deflater, opcode, data, len);
  else
    frame = hark_websocket_encode (opcode, data, len);
  send_or_close (transport, frame);
}

static void
on_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  Client *client = sink;
  Server *self = client->server;
  Channel *channel = client->channel;
  if (channel == NULL)
    {
      echo (self, transport, data, len, binary);
      return;
    }
  if (binary)
    return;
  append_frame (channel->frames, data, len);
  if (channel->deflated != NULL)
    {
      g_autoptr (HarkBuffer) frame = hark_deflate_encode_frame (self->deflater, HARK_WEBSOCKET_TEXT, data, len);
      g_byte_array_append (channel->deflated, frame->data, frame->len);
    }
  if (!channel->dirty)
    {
      channel->dirty = TRUE;
      g_ptr_array_add (self->dirty, channel);
      hark_turn_mark (self->turn);
    }
}

static void
on_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  Client *client = sink;
  Channel *channel = client->channel;
  hark_transport_set_sink (transport, NULL, NULL);
  if (channel != NULL)
    {
      HarkTransport *last;
      g_ptr_array_remove_index_fast (channel->clients, client->index);
      if (client->index < channel->clients->len)
        {
          last = channel->clients->pdata[client->index];
          ((Client *)last->sink_data)->index = client->index;
        }
    }
  if (--client->server->n_clients == 0 && client->server->stopping)
    g_main_loop_quit (client->server->loop);
  g_free (client);
}

static const HarkTransportSink sink = { on_message, NULL, on_closed };

static void
deliver_channel (Channel *channel)
{
  g_autoptr (HarkBuffer) plain = hark_buffer_new (channel->frames->data, channel->frames->len);
  g_autoptr (HarkBuffer) deflated = NULL;
  if (channel->deflated != NULL)
    deflated = hark_buffer_new (channel->deflated->data, channel->deflated->len);
  for (guint i = 0; i < channel->clients->len; i++)
    {
      HarkTransport *transport = channel->clients->pdata[i];
      gboolean is_deflate = deflated != NULL && hark_websocket_is_deflate ((HarkWebSocket *)transport);
      send_or_close (transport, is_deflate ? deflated : plain);
    }
  g_byte_array_set_size (channel->frames, 0);
  if (channel->deflated != NULL)
    g_byte_array_set_size (channel->deflated, 0);
  channel->dirty = FALSE;
}

static void
on_deliver (gpointer data)
{
  Server *self = data;
  for (guint i = 0; i < self->dirty->len; i++)
    deliver_channel (self->dirty->pdata[i]);
  g_ptr_array_set_size (self->dirty, 0);
}

static Channel *
get_channel (Server *self, const char *query)
{
  guint number = query != NULL && g_str_has_prefix (query, "ch=") ? strtoul (query + 3, NULL, 10) : 0;
  Channel *channel = g_hash_table_lookup (self->channels, GUINT_TO_POINTER (number));
  if (channel == NULL)
    {
      channel = g_new0 (Channel, 1);
      channel->number = number;
      channel->clients = g_ptr_array_new ();
      channel->frames = g_byte_array_new ();
      channel->deflated = self->deflater == NULL ? NULL : g_byte_array_new ();
      g_hash_table_insert (self->channels, GUINT_TO_POINTER (number), channel);
    }
  return channel;
}

static void
on_upgrade (HarkUpgrade *upgrade, gpointer data)
{
  Server *self = data;
  Client *client = g_new0 (Client, 1);
  HarkWebSocket *socket = hark_upgrade_adopt (upgrade, self->reactor);
  client->server = self;
  self->n_clients++;
  if (upgrade->kind == ROUTE_CHANNEL)
    {
      client->channel = get_channel (self, upgrade->query);
      client->index = client->channel->clients->len;
      g_ptr_array_add (client->channel->clients, socket);
    }
  hark_transport_set_sink (HARK_TRANSPORT (socket), &sink, client);
  hark_websocket_start (socket);
  hark_upgrade_free (upgrade);
}

/* The first signal says goodbye to everybody, the second does not wait for their answers. */
static gboolean
on_stop_signal (gpointer data)
{
  Server *self = data;
  if (!self->stopping)
    {
      self->stopping = TRUE;
      hark_front_stop (self->front);
      hark_reactor_close_all (self->reactor, HARK_CLOSE_GOING_AWAY, "stopping");
      if (self->n_clients > 0)
        return G_SOURCE_CONTINUE;
    }
  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  HarkReactorLimits reactor;
  HarkFrontConfig front;
  int port;
} Options;

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  gboolean deflate = FALSE;
  gboolean count_local = FALSE;
  int handshake_ms = options->front.limits.handshake_ms;
  int max_handshakes = options->front.limits.max_handshakes;
  int crowded_ms = options->front.limits.crowded_ms;
  int max_per_address = options->front.limits.max_per_address;
  int max_message = options->reactor.max_message;
  int max_outbox = options->reactor.max_outbox;
  int max_fragments = options->reactor.max_fragments;
  int max_pings = options->reactor.max_pings_per_second;
  int heartbeat_ms = options->reactor.heartbeat_ms;
  int timeout_ms = options->reactor.timeout_ms;
  int close_timeout_ms = options->reactor.close_timeout_ms;
  const GOptionEntry entries[] = {
    { "deflate", 0, 0, G_OPTION_ARG_NONE, &deflate, "Agree on permessage-deflate", NULL },
    { "max-message", 0, 0, G_OPTION_ARG_INT, &max_message, "Bytes of a message", "BYTES" },
    { "max-fragments", 0, 0, G_OPTION_ARG_INT, &max_fragments, "Frames of a message", "N" },
    { "max-outbox", 0, 0, G_OPTION_ARG_INT, &max_outbox, "Bytes waiting for one client", "BYTES" },
    { "max-pings", 0, 0, G_OPTION_ARG_INT, &max_pings, "Pings answered in a second", "N" },
    { "ping-interval", 0, 0, G_OPTION_ARG_INT, &heartbeat_ms, "Silence before a ping is sent; 0: never", "MS" },
    { "ping-timeout", 0, 0, G_OPTION_ARG_INT, &timeout_ms, "Silence after the ping", "MS" },
    { "close-timeout", 0, 0, G_OPTION_ARG_INT, &close_timeout_ms, "Time for the closing handshake", "MS" },
    { "handshake-timeout", 0, 0, G_OPTION_ARG_INT, &handshake_ms, "Time for a connection's request", "MS" },
    { "max-handshakes", 0, 0, G_OPTION_ARG_INT, &max_handshakes, "Connections without a request", "N" },
    { "crowded-timeout", 0, 0, G_OPTION_ARG_INT, &crowded_ms, "Time for a request when there are as many", "MS" },
    { "max-per-address", 0, 0, G_OPTION_ARG_INT, &max_per_address, "Connections of one address", "N" },
    { "count-local", 0, 0, G_OPTION_ARG_NONE, &count_local, "Count those of this machine too", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("PORT - the transport without a hub");
  g_option_context_set_summary (context, "Sends back each message on /echo, and on /ws?ch=N each text message to all "
                                         "who are connected with the same N.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  options->port = *argc == 2 ? atoi ((*argv)[1]) : -1;
  if (options->port < 0)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "PORT: exactly one is required");
      return FALSE;
    }
  options->front.deflate = deflate;
  options->front.deflate_bytes = G_MAXSIZE; /* it measures, and has no clients but those */
  options->front.limits.count_local = count_local;
  options->front.limits.handshake_ms = handshake_ms;
  options->front.limits.max_handshakes = max_handshakes;
  options->front.limits.crowded_ms = crowded_ms;
  options->front.limits.max_per_address = max_per_address;
  options->reactor.max_message = max_message;
  options->reactor.max_outbox = max_outbox;
  options->reactor.max_fragments = max_fragments;
  options->reactor.max_pings_per_second = max_pings;
  options->reactor.heartbeat_ms = heartbeat_ms;
  options->reactor.timeout_ms = timeout_ms;
  options->reactor.close_timeout_ms = close_timeout_ms;
  return TRUE;
}

int
main (int argc, char **argv)
{
  Options options = {
    .front
    = { .routes = routes, .n_routes = G_N_ELEMENTS (routes), .allow_late_authentication = TRUE, .expose_metrics = TRUE }
  };
  Server self = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkListener) listener = hark_listener_new (metrics);
  guint signals[2];

  hark_front_limits_init (&options.front.limits);
  hark_reactor_limits_init (&options.reactor);
  if (!parse_options (&options, &argc, &argv, &error)
      || !hark_listener_add_tcp (listener, "127.0.0.1", options.port, &error))
    {
      g_printerr ("harkd-raw: %s\n", error->message);
      return EXIT_FAILURE;
    }
  self.loop = g_main_loop_new (NULL, FALSE);
  self.turn = hark_turn_new (NULL);
  self.reactor = hark_reactor_new (NULL, self.turn, clock, metrics, &options.reactor);
  self.front = hark_front_new (listener, NULL, metrics, &options.front);
  self.deflater = options.front.deflate ? hark_deflater_new (1) : NULL;
  self.channels = g_hash_table_new_full (NULL, NULL, NULL, channel_free);
  self.dirty = g_ptr_array_new ();
  hark_turn_set_stage (self.turn, HARK_TURN_DELIVER, on_deliver, &self);
  signals[0] = g_unix_signal_add (SIGTERM, on_stop_signal, &self);
  signals[1] = g_unix_signal_add (SIGINT, on_stop_signal, &self);
  hark_front_set_ready (self.front, TRUE);
  hark_front_start (self.front, NULL, on_upgrade, &self);
  g_print ("listening on %s\n", hark_listener_get_addresses (listener)[0]);
  g_main_loop_run (self.loop);

  hark_front_stop (self.front);
  g_source_remove (signals[0]);
  g_source_remove (signals[1]);
  g_clear_object (&self.front);
  g_clear_object (&self.reactor);
  hark_turn_set_stage (self.turn, HARK_TURN_DELIVER, NULL, NULL);
  g_clear_object (&self.turn);
  g_clear_pointer (&self.deflater, hark_deflater_free);
  g_ptr_array_unref (self.dirty);
  g_hash_table_unref (self.channels);
  g_main_loop_unref (self.loop);
  return EXIT_SUCCESS;
}
