/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection from accept until libsoup has answered its request, or the hub has it, or it is refused. Refusing is
 * done here and costs little; what passes may be answered and is given to libsoup.
 */
#include "transport/front-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* Bytes that a client whose request was refused may still send before its connection is cut. */
#define MAX_DRAIN (1024 * 1024)

#define REFUSAL(name, status, code, message, header)                                                                   \
  static const HarkRefusal name = { status, HARK_ERROR_##code, message, header }

REFUSAL (not_http, 400, BAD_REQUEST, "request line: this is not HTTP", NULL);
REFUSAL (head_too_large, 431, TOO_LARGE, "header: too large", NULL);
REFUSAL (cut_short, 400, BAD_REQUEST, "header: ends early", NULL);
REFUSAL (too_late, 408, BAD_REQUEST, "header: did not come in time", NULL);
REFUSAL (bad_length, 400, BAD_REQUEST, "Content-Length: not one number", NULL);
REFUSAL (bad_coding, 501, BAD_REQUEST, "Transfer-Encoding: not chunked", NULL);
REFUSAL (both_lengths, 400, BAD_REQUEST, "Content-Length: not together with Transfer-Encoding", NULL);
REFUSAL (no_length, 411, BAD_REQUEST, "Content-Length: required here", NULL);
REFUSAL (body_too_large, 413, TOO_LARGE, "body: too large", NULL);
REFUSAL (no_ranges, 416, BAD_REQUEST, "Range: not served here", NULL);
REFUSAL (no_multipart, 415, BAD_REQUEST, "Content-Type: multipart is not taken here", NULL);
REFUSAL (no_such_path, 404, NOT_FOUND, "no such path", NULL);
REFUSAL (no_token, 401, UNAUTHENTICATED, "token: none was presented", "WWW-Authenticate: Bearer\r\n");
REFUSAL (bad_token, 401, UNAUTHENTICATED, "token: unknown, expired or revoked", "WWW-Authenticate: Bearer\r\n");
REFUSAL (no_answer, 503, OVERLOADED, "token: cannot be looked up now", "Retry-After: 1\r\n");
REFUSAL (failed, 500, INTERNAL, "token: could not be looked up", NULL);
REFUSAL (draining, 503, OVERLOADED, "the hub lets nobody in: come back later", "Retry-After: 10\r\n");
REFUSAL (hub_busy, 503, OVERLOADED, "too many are connecting", "Retry-After: 1\r\n");

static void
connection_free (HarkFrontConnection *self)
{
  g_clear_pointer (&self->lease, hark_address_lease_free);
  g_clear_pointer (&self->deflate, hark_deflate_lease_free);
  g_clear_pointer (&self->identity, hark_identity_unref);
  hark_handshake_clear (&self->handshake);
  hark_front_engine_drop (self);
  g_free (self);
}

/* Takes it out of the queue, with its socket closed or given away. */
void
hark_front_connection_end (HarkFrontConnection *self)
{
  HarkFront *front = self->front;
  gboolean first = self->link.prev == NULL && self->queue == &front->connections;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_queue_unlink (self->queue, &self->link);
  hark_gauge_set (front->waiting, front->connections.length);
  hark_gauge_set (front->polling, front->polls.length);
  if (!front->stopping)
    {
      hark_listener_set_accepting (front->listener, TRUE);
      if (first)
        hark_front_update_timer (front);
    }
  if (self->state == CONNECTION_CHECKING)
    self->state = CONNECTION_GONE;
  else
    connection_free (self);
}

/* Puts it at the end of a queue, with all of its time again. */
void
hark_front_connection_requeue (HarkFrontConnection *self, GQueue *queue)
{
  HarkFront *front = self->front;
  gboolean first = self->link.prev == NULL && self->queue == &front->connections;
  gboolean leaves = self->queue != queue;
  g_queue_unlink (self->queue, &self->link);
  g_queue_push_tail_link (queue, &self->link);
  self->queue = queue;
  self->since = g_get_monotonic_time ();
  if (leaves)
    {
      hark_gauge_set (front->waiting, front->connections.length);
      hark_gauge_set (front->polling, front->polls.length);
      if (queue == &front->polls)
        hark_listener_set_accepting (front->listener, TRUE);
    }
  if (first || front->connections.length == 1)
    hark_front_update_timer (front);
}

/* Returns: whether it only waits for a request that may follow those it has served */
gboolean
hark_front_connection_is_kept (HarkFrontConnection *self)
{
  return self->kept && self->state == CONNECTION_HEAD && !self->begun;
}

/* HTTP's time, made once a second. */
const char *
hark_front_get_date (HarkFront *self)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  time_t seconds = now;
  struct tm utc;
  if (now != self->date_time)
    {
      static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
      static const char *const months[]
        = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
      gmtime_r (&seconds, &utc);
      g_snprintf (self->date, sizeof self->date, "%s, %02d %s %d %02d:%02d:%02d GMT", days[utc.tm_wday], utc.tm_mday,
                  months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
      self->date_time = now;
    }
  return self->date;
}

const char *
hark_front_get_reason_phrase (guint status)
{
  switch (status)
    {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 426:
      return "Upgrade Required";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      g_assert_not_reached ();
    }
}

/* Reads what there is and forgets it. Returns: whether more may come */
static gboolean
connection_drain (HarkFrontConnection *self)
{
  HarkFront *front = self->front;
  gssize n;
  do
    {
      n = recv (self->fd, front->buffer, front->limits.max_head, MSG_DONTWAIT);
      if (n > 0)
        self->drained += n;
    }
  while (n > 0 && self->drained < MAX_DRAIN);
  return n < 0 && errno == EAGAIN;
}

/* Answers without libsoup: this must cost little, for it is what those get who try for ever. */
void
hark_front_connection_refuse (HarkFrontConnection *self, const HarkRefusal *refusal, gboolean more_comes)
{
  HarkFront *front = self->front;
  g_autofree char *body = hark_http_format_error (refusal->code, refusal->message);
  g_autofree char *response = NULL;
  response = g_strdup_printf ("HTTP/1.1 %u %s\r\n"
                              "Date: %s\r\n"
                              "Connection: %s\r\n"
                              "Content-Type: application/json\r\n"
                              "Content-Length: %" G_GSIZE_FORMAT "\r\n"
                              "%s\r\n%s",
                              refusal->status, hark_front_get_reason_phrase (refusal->status),
                              hark_front_get_date (front), refusal->status == 426 ? "close, Upgrade" : "close",
                              strlen (body), refusal->header == NULL ? "" : refusal->header, body);
  hark_counter_add (front->refused, 1);
  if (refusal->status == 401)
    hark_counter_add (front->unauthenticated, 1);
  else if (refusal->status == 431)
    hark_counter_add (front->head_too_large, 1);
  else if (refusal->status == 413)
    hark_counter_add (front->body_too_large, 1);
  else if (refusal->status == 503)
    hark_counter_add (front->overloaded, 1);
  self->state = CONNECTION_DRAINING;
  more_comes = connection_drain (self) && more_comes;
  if (send (self->fd, response, strlen (response), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 || !more_comes
      || shutdown (self->fd, SHUT_WR) < 0 || !connection_drain (self))
    hark_front_connection_end (self);
}

/* Its answer is written, and no request follows: waits until the client has read it. */
void
hark_front_connection_finish (HarkFrontConnection *self)
{
  self->state = CONNECTION_DRAINING;
  if (shutdown (self->fd, SHUT_WR) < 0 || !connection_drain (self))
    hark_front_connection_end (self);
}

static void
on_upgraded (gpointer connection, const guint8 *early, gsize early_len)
{
  HarkFrontConnection *self = connection;
  HarkFront *front = self->front;
  HarkUpgrade *upgrade = hark_upgrade_new (self->fd);
  self->fd = -1;
  upgrade->kind = self->handshake.route->kind;
  upgrade->deflate = g_steal_pointer (&self->deflate);
  upgrade->subprotocol = self->handshake.subprotocol;
  memcpy (upgrade->address, self->address, sizeof upgrade->address);
  upgrade->identity = g_steal_pointer (&self->identity);
  upgrade->query = g_steal_pointer (&self->handshake.query);
  upgrade->resume = g_steal_pointer (&self->handshake.resume);
  upgrade->cursors = g_steal_pointer (&self->handshake.cursors);
  upgrade->early = early_len > 0 ? g_memdup2 (early, early_len) : NULL;
  upgrade->early_len = early_len;
  upgrade->lease = g_steal_pointer (&self->lease);
  hark_counter_add (front->upgraded, 1);
  hark_histogram_observe (front->duration, g_get_monotonic_time () - self->since);
  hark_hand_over_push (front->upgrades, 0, upgrade);
  hark_front_connection_end (self);
}

/* By its edges; what lies in the socket already is told of again. */
gboolean
hark_front_connection_watch (HarkFrontConnection *self, int operation, guint32 more_events)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET | more_events, .data.ptr = self };
  return epoll_ctl (self->front->epoll, operation, self->fd, &event) == 0;
}

static void
on_refused (gpointer connection, const HarkRefusal *refusal)
{
  HarkFrontConnection *self = connection;
  if (hark_front_connection_watch (self, EPOLL_CTL_ADD, 0))
    hark_front_connection_refuse (self, refusal, TRUE);
  else
    hark_front_connection_end (self);
}

static void
on_finished (gpointer connection)
{
  hark_front_connection_end (connection);
}

const HarkHttpFuncs hark_front_connection_http_funcs = { on_upgraded, on_refused, on_finished };

/* Gives libsoup a descriptor of its own. Ours stays: by shutting it down an exchange is cut short at any moment, and
   a WebSocket goes on with it when the GIO objects are gone. */
static void
connection_serve (HarkFrontConnection *self, gboolean upgrade)
{
  HarkFront *front = self->front;
  int fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    {
      hark_front_connection_refuse (self, &hub_busy, FALSE);
      return;
    }
  epoll_ctl (front->epoll, EPOLL_CTL_DEL, self->fd, NULL);
  self->state = CONNECTION_SERVING;
  if (!hark_http_serve (front->http, fd, upgrade ? &self->handshake : NULL, self, NULL))
    hark_front_connection_end (self);
}

void
hark_front_connection_open (HarkFrontConnection *self)
{
  if (hark_hand_over_get_length (self->front->upgrades) >= self->front->limits.max_upgrades)
    hark_front_connection_refuse (self, &hub_busy, FALSE);
  else
    connection_serve (self, TRUE);
}

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  HarkFrontConnection *self = data;
  HarkFront *front = self->front;
  g_autoptr (GError) error = NULL;
  self->identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  front->n_checks--;
  if (self->state == CONNECTION_GONE)
    {
      connection_free (self);
      hark_front_quit_if_done (front);
      return;
    }
  self->state = CONNECTION_HEAD;
  if (self->identity != NULL)
    hark_front_connection_open (self);
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED))
    hark_front_connection_refuse (self, &bad_token, FALSE);
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_OVERLOADED))
    hark_front_connection_refuse (self, &no_answer, FALSE);
  else
    hark_front_connection_refuse (self, &failed, FALSE);
}

static gboolean
is_open_to_all (HarkFrontConnection *self)
{
  return self->front->allow_late_authentication || (self->handshake.route->flags & HARK_ROUTE_ANONYMOUS) != 0;
}

static void
connection_authenticate (HarkFrontConnection *self)
{
  HarkFront *front = self->front;
  const char *token = self->handshake.token;
  if (front->authenticator == NULL || (token == NULL && is_open_to_all (self)))
    {
      hark_front_connection_open (self);
      return;
    }
  if (token == NULL || *token == '\0')
    {
      hark_front_connection_refuse (self, token == NULL ? &no_token : &bad_token, FALSE);
      return;
    }
  self->identity = hark_authenticator_peek (front->authenticator, token);
  if (self->identity != NULL)
    {
      hark_front_connection_open (self);
      return;
    }
  self->state = CONNECTION_CHECKING;
  front->n_checks++;
  hark_authenticator_check_async (front->authenticator, token, front->cancellable, on_token_checked, self);
}

/* Returns: (nullable): why a request's body is not read; @has_body: whether there is one */
static const HarkRefusal *
check_body (const HarkRequestHead *head, gsize max_body, gboolean needs_length, gboolean *has_body)
{
  guint n_lengths, n_codings;
  const char *length = hark_request_head_get (head, "Content-Length", &n_lengths);
  const char *coding = hark_request_head_get (head, "Transfer-Encoding", &n_codings);
  const char *type = hark_request_head_get (head, "Content-Type", NULL);
  guint64 bytes = 0;
  *has_body = n_lengths > 0 || n_codings > 0;
  if (n_lengths > 1 || (n_lengths == 1 && !g_ascii_string_to_unsigned (length, 10, 0, G_MAXINT64, &bytes, NULL)))
    {
      /* A number that no counter holds is a number all the same. */
      if (n_lengths == 1 && *length != '\0' && length[strspn (length, "0123456789")] == '\0')
        return &body_too_large;
      return &bad_length;
    }
  if (n_codings > 0 && n_lengths > 0)
    return &both_lengths;
  if (n_codings > 1 || (n_codings == 1 && g_ascii_strcasecmp (coding, "chunked") != 0))
    return &bad_coding;
  if (n_codings == 1 && needs_length)
    return &no_length;
  if (bytes > max_body)
    return &body_too_large;
  if (hark_request_head_get (head, "Range", NULL) != NULL)
    return &no_ranges;
  if (type != NULL && g_ascii_strncasecmp (type, "multipart/", 10) == 0)
    return &no_multipart;
  *has_body = n_codings > 0 || bytes > 0;
  return NULL;
}

/* Reads what the head in front->head asks for; compression is agreed on as long as there is memory for it. */
const HarkRefusal *
hark_front_connection_read_handshake (HarkFrontConnection *self, const HarkRoute *route)
{
  HarkFront *front = self->front;
  const HarkRefusal *refusal = hark_handshake_read (&self->handshake, &front->head, route, front->deflate != NULL);
  if (refusal != NULL || self->handshake.extensions == NULL)
    return refusal;
  self->deflate = hark_deflate_budget_acquire (front->deflate);
  if (self->deflate == NULL)
    g_clear_pointer (&self->handshake.extensions, g_free);
  return NULL;
}

/* The head is complete, in front->buffer. */
static void
connection_take_head (HarkFrontConnection *self, gsize len, gsize available)
{
  HarkFront *front = self->front;
  HarkRequestHead *head = &front->head;
  gboolean has_body = TRUE;
  gboolean engine = FALSE;
  const HarkRoute *route = NULL;
  const HarkRefusal *refusal = hark_request_head_parse (head, front->buffer, len, front->limits.max_fields);
  hark_counter_add (front->requests, 1);
  if (refusal == NULL)
    refusal = hark_handshake_check_host (head, (const char *const *)front->allowed_hosts);
  if (refusal == NULL)
    {
      route = hark_handshake_find_route (front->routes, front->n_routes, head->path);
      engine = route != NULL && (route->flags & HARK_ROUTE_ENGINE) != 0;
      refusal = check_body (head, engine ? front->engine_max_payload : front->limits.max_body, engine, &has_body);
    }
  if (refusal == NULL && g_atomic_int_get (&front->draining)
      && (engine || hark_request_head_get (head, "Upgrade", NULL) != NULL))
    refusal = &draining;
  if (refusal != NULL)
    {
      hark_front_connection_refuse (self, refusal, has_body);
      return;
    }
  if (engine)
    {
      hark_front_engine_take_head (self, route, len, available, has_body);
      return;
    }
  if (route != NULL && (route->flags & HARK_ROUTE_PAGE) != 0 && hark_request_head_get (head, "Upgrade", NULL) == NULL)
    {
      connection_serve (self, FALSE);
      return;
    }
  if (route == NULL && hark_request_head_get (head, "Upgrade", NULL) != NULL
      && hark_request_head_has_token (head, "Upgrade", "websocket"))
    {
      hark_front_connection_refuse (self, &no_such_path, has_body);
      return;
    }
  if (route == NULL)
    {
      connection_serve (self, FALSE);
      return;
    }
  refusal = hark_handshake_check_origin (head, (const char *const *)front->allowed_origins);
  if (refusal == NULL)
    refusal = hark_front_connection_read_handshake (self, route);
  if (refusal != NULL)
    hark_front_connection_refuse (self, refusal, has_body);
  else
    connection_authenticate (self);
}

static void
connection_look (HarkFrontConnection *self, gboolean ended)
{
  HarkFront *front = self->front;
  gssize n = recv (self->fd, front->buffer, front->limits.max_head, MSG_PEEK | MSG_DONTWAIT);
  gsize len;
  if (n < 0 && errno == EAGAIN && !ended)
    return;
  if (n <= 0)
    {
      hark_front_connection_end (self);
      return;
    }
  if (!g_ascii_isupper (front->buffer[0]) && front->buffer[0] != '\r')
    {
      hark_front_connection_refuse (self, &not_http, TRUE);
      return;
    }
  len = hark_request_head_find_end (front->buffer, n, &self->scanned);
  if (len > 0)
    connection_take_head (self, len, n);
  else if ((gsize)n >= front->limits.max_head)
    hark_front_connection_refuse (self, &head_too_large, TRUE);
  else if (ended)
    hark_front_connection_refuse (self, &cut_short, FALSE);
  else if (self->kept && !self->begun)
    {
      self->begun = TRUE;
      hark_front_connection_requeue (self, &front->connections);
    }
}

/* The first connection has had its time. */
void
hark_front_connection_expire (HarkFrontConnection *self)
{
  char byte;
  if (self->state == CONNECTION_SERVING)
    {
      /* libsoup finds the end of the stream and lets go; until then it no longer counts as the oldest. */
      shutdown (self->fd, SHUT_RDWR);
      hark_front_connection_requeue (self, &self->front->connections);
    }
  else if (self->state == CONNECTION_HEAD && recv (self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
    hark_front_connection_refuse (self, &too_late, FALSE);
  else
    hark_front_connection_end (self);
}

/* Its descriptor has something to say; @ended: that no more will come. */
void
hark_front_connection_dispatch (HarkFrontConnection *self, gboolean ended)
{
  if (ended)
    self->unread = TRUE;
  if (self->state == CONNECTION_HEAD)
    connection_look (self, ended);
  else if (self->state != CONNECTION_DRAINING)
    hark_front_engine_dispatch (self, ended);
  else if (!connection_drain (self))
    hark_front_connection_end (self);
}

/**
 * hark_front_connection_new:
 * @fd: (transfer full)
 * @lease: (transfer full) (nullable)
 *
 * Begins to wait for its request. It is the last in the front's queue, which owns it.
 */
void
hark_front_connection_new (HarkFront *front, int fd, const struct sockaddr *address, HarkAddressLease *lease)
{
  HarkFrontConnection *self = g_new0 (HarkFrontConnection, 1);
  self->front = front;
  self->link.data = self;
  self->queue = &front->connections;
  self->fd = fd;
  self->since = g_get_monotonic_time ();
  self->lease = lease;
  hark_address_format (address, self->address);
  g_queue_push_tail_link (&front->connections, &self->link);
  hark_gauge_set (front->waiting, front->connections.length);
  if (!hark_front_connection_watch (self, EPOLL_CTL_ADD, 0))
    hark_front_connection_end (self);
}
