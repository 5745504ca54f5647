/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The SoupServer. It listens nowhere: it is given connections whose request's head lies unread in the socket and is
 * known to be one that may be answered. One request a connection: libsoup 3.2 keeps none alive that did not come by a
 * listener of its own, and so the next request passes the front's checks too.
 */
#include "transport/http.h"

#include "hark-transport-resources.h"

#include <libsoup/soup.h>
#include <string.h>
#include <unistd.h>

/* What libsoup may have read ahead of a request; it reads in blocks of this size. */
#define READ_AHEAD 8192

struct _HarkHttp
{
  SoupServer *server;    /* (owned) */
  GSocketAddress *local; /* (owned): libsoup asks for one and has no use for it */
  GInetAddress *remote;  /* (owned): of the stand-ins for the peers' addresses */
  HarkMetrics *metrics;  /* (owned) */
  const HarkHttpFuncs *funcs;
  gboolean expose_metrics;
  gsize max_body;
  HarkApi *api;      /* (owned) (nullable) */
  const gint *ready; /* unowned, atomic */
};

/* One connection while libsoup has it: found by its stand-in for the peer's address, and ending with that. */
typedef struct
{
  HarkHttp *http;
  const HarkHandshake *handshake; /* (nullable) */
  gpointer connection;            /* (nullable): unset once it is told of the end */
  gsize body;                     /* bytes that have come in chunks */
  HarkPeerAddress peer;
} Exchange;

static GQuark exchange_quark (void);
G_DEFINE_QUARK (hark - http - exchange, exchange)

typedef struct
{
  const char *path;
  void (*serve) (HarkHttp *self, SoupServerMessage *message);
} Endpoint;

static const HarkRefusal body_too_large = { 413, HARK_ERROR_TOO_LARGE, "body: too large", NULL };

static void
exchange_free (gpointer data)
{
  Exchange *exchange = data;
  if (exchange->connection != NULL)
    exchange->http->funcs->finished (exchange->connection);
  g_free (exchange);
}

static Exchange *
get_exchange (SoupServerMessage *message)
{
  return g_object_get_qdata (G_OBJECT (soup_server_message_get_remote_address (message)), exchange_quark ());
}

/* Returns: (transfer full): the body of a response that tells of an error; @message needs no escaping */
char *
hark_http_format_error (HarkError code, const char *message)
{
  return g_strdup_printf ("{\"code\":\"%s\",\"message\":\"%s\"}\n", hark_error_get_wire_name (code), message);
}

static void
respond (SoupServerMessage *message, guint status, const char *type, char *body)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_TAKE, body, strlen (body));
}

static void
respond_error (SoupServerMessage *message, guint status, HarkError code, const char *text)
{
  respond (message, status, "application/json", hark_http_format_error (code, text));
}

static void
serve_healthz (HarkHttp *self, SoupServerMessage *message)
{
  respond (message, SOUP_STATUS_OK, "text/plain", g_strdup ("ok\n"));
}

static void
serve_readyz (HarkHttp *self, SoupServerMessage *message)
{
  if (g_atomic_int_get (self->ready))
    respond (message, SOUP_STATUS_OK, "text/plain", g_strdup ("ready\n"));
  else
    respond_error (message, SOUP_STATUS_SERVICE_UNAVAILABLE, HARK_ERROR_OVERLOADED, "not ready");
}

static void
serve_metrics (HarkHttp *self, SoupServerMessage *message)
{
  if (self->expose_metrics)
    respond (message, SOUP_STATUS_OK, "text/plain; version=0.0.4", hark_metrics_format (self->metrics));
  else
    respond_error (message, SOUP_STATUS_NOT_FOUND, HARK_ERROR_NOT_FOUND, "no such path");
}

/* What is to be seen where the WebSockets of pages are opened, by who comes with a browser. */
static void
serve_page (HarkHttp *self, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  g_autoptr (GBytes) page = g_resource_lookup_data (hark_transport_get_resource (), "/org/hark/page.html",
                                                    G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize len;
  const char *text = g_bytes_get_data (page, &len);
  soup_message_headers_replace (headers, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  respond (message, SOUP_STATUS_OK, "text/html; charset=utf-8", g_strndup (text, len));
}

static const Endpoint endpoints[] = {
  { "/", serve_page },
  { "/healthz", serve_healthz },
  { "/readyz", serve_readyz },
  { "/metrics", serve_metrics },
};

static void
serve_endpoint (HarkHttp *self, SoupServerMessage *message, const char *path)
{
  const char *method = soup_server_message_get_method (message);
  for (guint i = 0; i < G_N_ELEMENTS (endpoints); i++)
    {
      if (strcmp (path, endpoints[i].path) != 0)
        continue;
      if (method == SOUP_METHOD_GET || method == SOUP_METHOD_HEAD)
        {
          endpoints[i].serve (self, message);
          return;
        }
      soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow", "GET, HEAD");
      respond_error (message, SOUP_STATUS_METHOD_NOT_ALLOWED, HARK_ERROR_BAD_REQUEST, "method: only GET and HEAD here");
      return;
    }
  respond_error (message, SOUP_STATUS_NOT_FOUND, HARK_ERROR_NOT_FOUND, "no such path");
}

/* The 101 is written: takes the connection away from libsoup, with what it has read too much. */
static void
on_wrote_informational (SoupServerMessage *message, gpointer data)
{
  Exchange *exchange = data;
  gpointer connection = exchange->connection;
  const HarkHttpFuncs *funcs = exchange->http->funcs;
  g_autoptr (SoupServerMessage) hold G_GNUC_UNUSED = g_object_ref (message);
  g_autoptr (GIOStream) stream = NULL;
  guint8 early[READ_AHEAD];
  gssize early_len;
  if (soup_server_message_get_status (message) != SOUP_STATUS_SWITCHING_PROTOCOLS)
    return;
  exchange->connection = NULL;
  stream = soup_server_message_steal_connection (message);
  early_len = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream)),
                                                        early, sizeof early, NULL, NULL);
  funcs->upgraded (connection, early, MAX (early_len, 0));
}

static void
answer_handshake (SoupServerMessage *message, Exchange *exchange)
{
  static const char *const subprotocols[] = { HARK_SUBPROTOCOL, NULL };
  const HarkHandshake *handshake = exchange->handshake;
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  soup_message_headers_remove (request, "Sec-WebSocket-Extensions"); /* negotiated already, and not by libsoup */
  soup_message_headers_replace (request, "Upgrade", "websocket");    /* it may have been one of several */
  if (!soup_websocket_server_process_handshake (message, NULL, handshake->subprotocol ? (char **)subprotocols : NULL,
                                                NULL, NULL))
    return; /* answered with an error */
  if (handshake->extensions != NULL)
    soup_message_headers_replace (soup_server_message_get_response_headers (message), "Sec-WebSocket-Extensions",
                                  handshake->extensions);
  g_signal_connect (message, "wrote-informational", G_CALLBACK (on_wrote_informational), exchange);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data)
{
  HarkHttp *self = data;
  Exchange *exchange = get_exchange (message);
  if (exchange->handshake != NULL)
    {
      answer_handshake (message, exchange);
      return;
    }
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection", "close");
  if (self->api != NULL && g_str_has_prefix (path, HARK_API_PREFIX))
    hark_api_serve (self->api, message, &exchange->peer, path + strlen (HARK_API_PREFIX));
  else
    serve_endpoint (self, message, path);
}

static void
on_got_chunk (SoupServerMessage *message, GBytes *chunk, gpointer data)
{
  Exchange *exchange = data;
  g_autoptr (SoupServerMessage) hold G_GNUC_UNUSED = g_object_ref (message);
  exchange->body += g_bytes_get_size (chunk);
  if (exchange->body <= exchange->http->max_body)
    return;
  g_object_unref (soup_server_message_steal_connection (message));
  exchange->http->funcs->refused (g_steal_pointer (&exchange->connection), &body_too_large);
}

/* A body whose length is announced was judged by that; one in chunks is counted. */
static void
on_head (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data)
{
  SoupMessageHeaders *request = soup_server_message_get_request_headers (message);
  if (soup_message_headers_get_encoding (request) == SOUP_ENCODING_CHUNKED)
    g_signal_connect (message, "got-chunk", G_CALLBACK (on_got_chunk), get_exchange (message));
}

/**
 * hark_http_new:
 * @max_body: bytes of a body in chunks
 * @api: (nullable)
 * @ready: (transfer none): what `/readyz` says; set atomically from any thread
 * @funcs: (transfer none): static
 *
 * In the thread whose default context is to serve.
 */
HarkHttp *
hark_http_new (HarkMetrics *metrics, gboolean expose_metrics, gsize max_body, HarkApi *api, const gint *ready,
               const HarkHttpFuncs *funcs)
{
  HarkHttp *self = g_new0 (HarkHttp, 1);
  self->server = soup_server_new (NULL, NULL);
  self->remote = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  self->local = g_inet_socket_address_new (self->remote, 80);
  self->metrics = g_object_ref (metrics);
  self->funcs = funcs;
  self->expose_metrics = expose_metrics;
  self->max_body = max_body;
  g_set_object (&self->api, api);
  self->ready = ready;
  soup_server_add_early_handler (self->server, NULL, on_head, self, NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  return self;
}

/* Ends what is being served: each connection is told. */
void
hark_http_free (HarkHttp *self)
{
  soup_server_disconnect (self->server);
  g_object_unref (self->server);
  g_object_unref (self->local);
  g_object_unref (self->remote);
  g_object_unref (self->metrics);
  g_clear_object (&self->api);
  g_free (self);
}

/**
 * hark_http_serve:
 * @fd: (transfer full): closed when libsoup has let go; @connection keeps one of its own
 * @handshake: (nullable): to be answered with 101; valid until the exchange has ended
 * @connection: whom to tell
 *
 * Returns: %FALSE when it cannot be had; nothing is told then
 */
gboolean
hark_http_serve (HarkHttp *self, int fd, const HarkHandshake *handshake, gpointer connection, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  Exchange *exchange;
  if (socket == NULL)
    {
      close (fd);
      return FALSE;
    }
  stream = g_socket_connection_factory_create_connection (socket);
  remote = g_inet_socket_address_new (self->remote, 0);
  exchange = g_new0 (Exchange, 1);
  exchange->http = self;
  exchange->handshake = handshake;
  exchange->connection = connection;
  hark_peer_address_init_from_fd (&exchange->peer, g_socket_get_fd (socket));
  g_object_set_qdata_full (G_OBJECT (remote), exchange_quark (), exchange, exchange_free);
  soup_server_accept_iostream (self->server, G_IO_STREAM (stream), self->local, remote, NULL);
  return TRUE;
}
