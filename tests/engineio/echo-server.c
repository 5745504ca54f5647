/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine.IO without anything above it: the real listener, front, reactor and Engine.IO server, and every message sent
 * back. What the tests of the protocol speak to. A few texts are orders, because only a server can do what they ask:
 *
 *   !close          closes the session
 *   !send N BYTES   sends N messages of so many bytes in one turn
 *   !pause MS       reads nothing for so long
 *   !all TEXT       sends TEXT to every session
 */
#include "transport/engineio-codec.h"
#include "transport/front.h"

#include "base/error.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>

static const HarkRoute routes[] = { { "/engine.io", 0, HARK_ROUTE_ENGINE } };

typedef struct
{
  GMainLoop *loop;
  HarkReactor *reactor;
  HarkEngineServer *engine;
  GPtrArray *sessions; /* (element-type HarkEngine), not owned */
  gboolean verbose;
} Server;

static void
send_unit (HarkTransport *transport, HarkBuilder *out)
{
  g_autoptr (HarkBuffer) unit = hark_builder_finish (out);
  if (!hark_transport_send (transport, unit))
    hark_transport_close (transport, HARK_CLOSE_SLOW, "outbox is full");
}

static void
send_text (HarkTransport *transport, const void *text, gsize len)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, len), text, len);
  send_unit (transport, &out);
}

static void
send_binary (HarkTransport *transport, const void *data, gsize len)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  memcpy (hark_engineio_append_binary (&out, len), data, len);
  send_unit (transport, &out);
}

static void
send_many (HarkTransport *transport, guint n, guint bytes)
{
  g_autofree char *text = g_strnfill (bytes, 'x');
  for (guint i = 0; i < n; i++)
    {
      g_snprintf (text, bytes + 1, "%u", i);
      if (strlen (text) < bytes)
        text[strlen (text)] = ' ';
      send_text (transport, text, bytes);
    }
}

static void
send_to_all (Server *self, const char *text)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) unit = NULL;
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, strlen (text)), text, strlen (text));
  unit = hark_builder_finish (&out);
  for (guint i = 0; i < self->sessions->len; i++)
    hark_transport_send (self->sessions->pdata[i], unit);
}

static gboolean
on_pause_over (gpointer transport)
{
  hark_transport_set_reading (transport, TRUE);
  return G_SOURCE_REMOVE;
}

static gboolean
obey (Server *self, HarkTransport *transport, const char *order)
{
  g_auto (GStrv) words = g_strsplit (order, " ", 3);
  guint n = g_strv_length (words);
  if (strcmp (words[0], "!close") == 0)
    hark_transport_close (transport, HARK_CLOSE_NORMAL, "as ordered");
  else if (strcmp (words[0], "!send") == 0 && n == 3)
    send_many (transport, atoi (words[1]), atoi (words[2]));
  else if (strcmp (words[0], "!all") == 0 && n >= 2)
    send_to_all (self, order + strlen ("!all "));
  else if (strcmp (words[0], "!pause") == 0 && n == 2)
    {
      hark_transport_set_reading (transport, FALSE);
      g_timeout_add_full (G_PRIORITY_DEFAULT, atoi (words[1]), on_pause_over, g_object_ref (transport), g_object_unref);
    }
  else
    return FALSE;
  return TRUE;
}

static void
on_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  g_autofree char *text = g_strndup ((const char *)data, len);
  if (binary)
    send_binary (transport, data, len);
  else if (*text != '!' || !obey (sink, transport, text))
    send_text (transport, data, len);
}

static void
on_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  Server *self = sink;
  hark_transport_set_sink (transport, NULL, NULL);
  g_ptr_array_remove_fast (self->sessions, transport);
  if (self->verbose)
    g_print ("closed %s %u %s\n", hark_engine_get_sid (HARK_ENGINE (transport)), code, reason);
}

static const HarkTransportSink sink = { on_message, NULL, on_closed };

static void
on_opened (HarkEngine *transport, const char *query, gpointer data)
{
  Server *self = data;
  g_ptr_array_add (self->sessions, transport);
  hark_transport_set_sink (HARK_TRANSPORT (transport), &sink, self);
}

static void
on_upgrade (HarkUpgrade *upgrade, gpointer data)
{
  Server *self = data;
  hark_engine_server_adopt (self->engine, upgrade, self->reactor);
}

static gboolean
on_stop_signal (gpointer data)
{
  g_main_loop_quit (((Server *)data)->loop);
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  HarkEngineLimits engine;
  HarkFrontConfig front;
  char **origins;
  int port;
  gboolean verbose;
} Options;

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  HarkEngineLimits *limits = &options->engine;
  HarkFrontLimits *front = &options->front.limits;
  const GOptionEntry entries[] = {
    { "ping-interval", 0, 0, G_OPTION_ARG_INT, &limits->ping_interval_ms, "From a pong to the next ping", "MS" },
    { "ping-timeout", 0, 0, G_OPTION_ARG_INT, &limits->ping_timeout_ms, "What a pong may take", "MS" },
    { "upgrade-timeout", 0, 0, G_OPTION_ARG_INT, &limits->upgrade_timeout_ms, "What an upgrade may take", "MS" },
    { "close-timeout", 0, 0, G_OPTION_ARG_INT, &limits->close_timeout_ms, "What a close waits for a poll", "MS" },
    { "max-payload", 0, 0, G_OPTION_ARG_INT, &limits->max_payload, "Of a body", "BYTES" },
    { "max-packets", 0, 0, G_OPTION_ARG_INT, &limits->max_packets, "Of a body", "N" },
    { "max-sessions", 0, 0, G_OPTION_ARG_INT, &limits->max_sessions, "At once", "N" },
    { "max-outbox", 0, 0, G_OPTION_ARG_INT, &limits->max_outbox, "Waiting for one client", "BYTES" },
    { "keep-alive", 0, 0, G_OPTION_ARG_INT, &front->handshake_ms, "What a connection has for a request", "MS" },
    { "max-per-address", 0, 0, G_OPTION_ARG_INT, &front->max_per_address, "Connections, and sessions", "N" },
    { "count-local", 0, 0, G_OPTION_ARG_NONE, &front->count_local, "Count those of this machine too", NULL },
    { "origin", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->origins, "Let in pages of it", "ORIGIN" },
    { "credentials", 0, 0, G_OPTION_ARG_NONE, &options->front.cors_credentials, "And their cookies", NULL },
    { "cookie", 0, 0, G_OPTION_ARG_STRING, &options->front.engine_cookie, "Send the id as a cookie", "NAME" },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &options->verbose, "Say how sessions end", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("PORT - Engine.IO that sends back what it gets");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  options->front.allowed_origins = (const char *const *)options->origins;
  options->port = *argc == 2 ? atoi ((*argv)[1]) : -1;
  if (options->port >= 0)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "PORT: exactly one is required");
  return FALSE;
}

int
main (int argc, char **argv)
{
  Options options = { .front = { .routes = routes, .n_routes = G_N_ELEMENTS (routes), .expose_metrics = TRUE } };
  HarkReactorLimits reactor_limits;
  Server self = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkListener) listener = hark_listener_new (metrics);
  g_autoptr (HarkTurn) turn = hark_turn_new (NULL);
  g_autoptr (HarkFront) front = NULL;
  guint signals[2];

  hark_engine_limits_init (&options.engine);
  hark_front_limits_init (&options.front.limits);
  hark_reactor_limits_init (&reactor_limits);
  options.engine.max_payload = 1000000;
  if (!parse_options (&options, &argc, &argv, &error)
      || !hark_listener_add_tcp (listener, "127.0.0.1", options.port, &error))
    {
      g_printerr ("echo-server: %s\n", error->message);
      return EXIT_FAILURE;
    }
  reactor_limits.max_message = options.engine.max_payload;
  self.verbose = options.verbose;
  self.loop = g_main_loop_new (NULL, FALSE);
  self.sessions = g_ptr_array_new ();
  self.reactor = hark_reactor_new (NULL, turn, clock, metrics, &reactor_limits);
  self.engine = hark_engine_server_new (NULL, turn, clock, metrics, &options.engine, on_opened, &self);
  options.front.engine = self.engine;
  front = hark_front_new (listener, NULL, metrics, &options.front);
  signals[0] = g_unix_signal_add (SIGTERM, on_stop_signal, &self);
  signals[1] = g_unix_signal_add (SIGINT, on_stop_signal, &self);
  hark_front_set_ready (front, TRUE);
  hark_front_start (front, NULL, on_upgrade, &self);
  g_print ("listening on %s\n", hark_listener_get_addresses (listener)[0]);
  g_main_loop_run (self.loop);

  hark_front_stop (front);
  g_source_remove (signals[0]);
  g_source_remove (signals[1]);
  g_clear_object (&self.engine);
  g_clear_object (&self.reactor);
  g_ptr_array_unref (self.sessions);
  g_main_loop_unref (self.loop);
  g_strfreev (options.origins);
  g_free ((char *)options.front.engine_cookie);
  return EXIT_SUCCESS;
}
