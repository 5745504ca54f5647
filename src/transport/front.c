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
#include "transport/front.h"

#include "transport/http.h"

#include <glib-unix.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64
/* Bytes that a client whose request was refused may still send before its connection is cut. */
#define MAX_DRAIN (1024 * 1024)

typedef enum
{
  CONNECTION_HEAD,     /* its head has not come */
  CONNECTION_CHECKING, /* its token is looked up */
  CONNECTION_SERVING,  /* libsoup has it */
  CONNECTION_DRAINING, /* it is refused: what it still sends is read, lest the response is lost in a reset */
  CONNECTION_GONE      /* it is closed, and a look-up that is under way will free it */
} ConnectionState;

typedef struct
{
  HarkFront *front;
  GList link; /* in front->connections */
  ConnectionState state;
  int fd; /* (owned) */
  gint64 since;
  gsize scanned;
  gsize drained;
  HarkAddressLease *lease; /* (owned) (nullable) */
  HarkIdentity *identity;  /* (owned) (nullable) */
  HarkHandshake handshake;
  char address[HARK_ADDRESS_LEN];
} Connection;

struct _HarkFront
{
  GObject parent_instance;
  HarkFrontLimits limits;
  const HarkRoute *routes;
  guint n_routes;
  GStrv allowed_hosts;
  GStrv allowed_origins;
  gboolean deflate;
  gboolean allow_late_authentication;
  gboolean expose_metrics;

  HarkListener *listener;           /* (owned) */
  HarkAuthenticator *authenticator; /* (owned) (nullable) */
  HarkMetrics *metrics;             /* (owned) */
  HarkAddressTable *addresses;      /* (owned) */
  HarkUpgradeQueue *upgrades;       /* (owned) */
  GThread *thread;
  GMainContext *context; /* (owned): the thread's */
  gint ready;            /* atomic */

  /* The thread's own. */
  GMainLoop *loop;
  HarkHttp *http;
  GCancellable *cancellable;
  GSource *timer;
  GQueue connections; /* (element-type Connection), the oldest first */
  guint n_checks;     /* look-ups under way */
  gboolean stopping;
  int epoll;
  char *buffer; /* limits.max_head bytes */
  HarkRequestHead head;
  gint64 date_time;
  char date[40];

  HarkGauge *waiting;
  HarkCounter *upgraded;
  HarkCounter *requests;
  HarkCounter *refused;
  HarkCounter *unauthenticated;
  HarkCounter *head_too_large;
  HarkCounter *body_too_large;
  HarkCounter *timed_out;
  HarkCounter *crowded_out;
  HarkCounter *address_refused;
  HarkCounter *overloaded;
  HarkHistogram *duration;
};

G_DEFINE_FINAL_TYPE (HarkFront, hark_front, G_TYPE_OBJECT)

#define REFUSAL(name, status, code, message, header)                                                                   \
  static const HarkRefusal name = { status, HARK_ERROR_##code, message, header }

REFUSAL (not_http, 400, BAD_REQUEST, "request line: this is not HTTP", NULL);
REFUSAL (head_too_large, 431, TOO_LARGE, "header: too large", NULL);
REFUSAL (cut_short, 400, BAD_REQUEST, "header: ends early", NULL);
REFUSAL (too_late, 408, BAD_REQUEST, "header: did not come in time", NULL);
REFUSAL (bad_length, 400, BAD_REQUEST, "Content-Length: not one number", NULL);
REFUSAL (bad_coding, 501, BAD_REQUEST, "Transfer-Encoding: not chunked", NULL);
REFUSAL (both_lengths, 400, BAD_REQUEST, "Content-Length: not together with Transfer-Encoding", NULL);
REFUSAL (body_too_large, 413, TOO_LARGE, "body: too large", NULL);
REFUSAL (no_ranges, 416, BAD_REQUEST, "Range: not served here", NULL);
REFUSAL (no_multipart, 415, BAD_REQUEST, "Content-Type: multipart is not taken here", NULL);
REFUSAL (no_such_path, 404, NOT_FOUND, "no such path", NULL);
REFUSAL (no_token, 401, UNAUTHENTICATED, "token: none was presented", "WWW-Authenticate: Bearer\r\n");
REFUSAL (bad_token, 401, UNAUTHENTICATED, "token: unknown, expired or revoked", "WWW-Authenticate: Bearer\r\n");
REFUSAL (no_answer, 503, OVERLOADED, "token: cannot be looked up now", "Retry-After: 1\r\n");
REFUSAL (failed, 500, INTERNAL, "token: could not be looked up", NULL);
REFUSAL (hub_busy, 503, OVERLOADED, "too many are connecting", "Retry-After: 1\r\n");

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

static void
update_timer (HarkFront *self)
{
  Connection *first = g_queue_peek_head (&self->connections);
  guint ms = self->connections.length >= self->limits.max_handshakes ? self->limits.crowded_ms
                                                                     : self->limits.handshake_ms;
  g_source_set_ready_time (self->timer, first == NULL ? -1 : first->since + (gint64)ms * 1000);
}

static void
connection_free (Connection *self)
{
  g_clear_pointer (&self->lease, hark_address_lease_free);
  g_clear_pointer (&self->identity, hark_identity_unref);
  hark_handshake_clear (&self->handshake);
  g_free (self);
}

/* Takes it out of the queue, with its socket closed or given away. */
static void
connection_end (Connection *self)
{
  HarkFront *front = self->front;
  gboolean first = self->link.prev == NULL;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_queue_unlink (&front->connections, &self->link);
  hark_gauge_set (front->waiting, front->connections.length);
  if (!front->stopping)
    {
      hark_listener_set_accepting (front->listener, TRUE);
      if (first)
        update_timer (front);
    }
  if (self->state == CONNECTION_CHECKING)
    self->state = CONNECTION_GONE;
  else
    connection_free (self);
}

/* HTTP's time, made once a second. */
static const char *
get_date (HarkFront *self)
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

static const char *
get_reason_phrase (guint status)
{
  switch (status)
    {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 426: return "Upgrade Required";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: g_assert_not_reached ();
    }
}

/* Reads what there is and forgets it. Returns: whether more may come */
static gboolean
connection_drain (Connection *self)
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
static void
connection_refuse (Connection *self, const HarkRefusal *refusal, gboolean more_comes)
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
                              refusal->status, get_reason_phrase (refusal->status), get_date (front),
                              refusal->status == 426 ? "close, Upgrade" : "close", strlen (body),
                              refusal->header == NULL ? "" : refusal->header, body);
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
    connection_end (self);
}

static void
on_upgraded (gpointer connection, const guint8 *early, gsize early_len)
{
  Connection *self = connection;
  HarkFront *front = self->front;
  HarkUpgrade *upgrade = hark_upgrade_new (self->fd);
  self->fd = -1;
  upgrade->kind = self->handshake.route->kind;
  upgrade->deflate = self->handshake.extensions != NULL;
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
  hark_upgrade_queue_push (front->upgrades, upgrade);
  connection_end (self);
}

static gboolean
watch (HarkFront *self, int fd, gpointer data)
{
  struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = data };
  return epoll_ctl (self->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
on_refused (gpointer connection, const HarkRefusal *refusal)
{
  Connection *self = connection;
  if (watch (self->front, self->fd, self))
    connection_refuse (self, refusal, TRUE);
  else
    connection_end (self);
}

static void
on_finished (gpointer connection)
{
  connection_end (connection);
}

static const HarkHttpFuncs http_funcs = { on_upgraded, on_refused, on_finished };

/* Gives libsoup a descriptor of its own. Ours stays: by shutting it down an exchange is cut short at any moment, and
   a WebSocket goes on with it when the GIO objects are gone. */
static void
connection_serve (Connection *self, gboolean upgrade)
{
  HarkFront *front = self->front;
  int fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    {
      connection_refuse (self, &hub_busy, FALSE);
      return;
    }
  epoll_ctl (front->epoll, EPOLL_CTL_DEL, self->fd, NULL);
  self->state = CONNECTION_SERVING;
  if (!hark_http_serve (front->http, fd, upgrade ? &self->handshake : NULL, self, NULL))
    connection_end (self);
}

static void
connection_open (Connection *self)
{
  if (hark_upgrade_queue_is_full (self->front->upgrades))
    connection_refuse (self, &hub_busy, FALSE);
  else
    connection_serve (self, TRUE);
}

static void
quit_if_done (HarkFront *self)
{
  if (self->stopping && self->n_checks == 0)
    g_main_loop_quit (self->loop);
}

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  Connection *self = data;
  HarkFront *front = self->front;
  g_autoptr (GError) error = NULL;
  self->identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  front->n_checks--;
  if (self->state == CONNECTION_GONE)
    {
      connection_free (self);
      quit_if_done (front);
      return;
    }
  self->state = CONNECTION_HEAD;
  if (self->identity != NULL)
    connection_open (self);
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED))
    connection_refuse (self, &bad_token, FALSE);
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_OVERLOADED))
    connection_refuse (self, &no_answer, FALSE);
  else
    connection_refuse (self, &failed, FALSE);
}

static void
connection_authenticate (Connection *self)
{
  HarkFront *front = self->front;
  const char *token = self->handshake.token;
  if (front->authenticator == NULL || (token == NULL && front->allow_late_authentication))
    {
      connection_open (self);
      return;
    }
  if (token == NULL || *token == '\0')
    {
      connection_refuse (self, token == NULL ? &no_token : &bad_token, FALSE);
      return;
    }
  self->identity = hark_authenticator_peek (front->authenticator, token);
  if (self->identity != NULL)
    {
      connection_open (self);
      return;
    }
  self->state = CONNECTION_CHECKING;
  front->n_checks++;
  hark_authenticator_check_async (front->authenticator, token, front->cancellable, on_token_checked, self);
}

/* Returns: (nullable): why a request's body is not read; @has_body: whether there is one */
static const HarkRefusal *
check_body (HarkFront *self, const HarkRequestHead *head, gboolean *has_body)
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
  if (bytes > self->limits.max_body)
    return &body_too_large;
  if (hark_request_head_get (head, "Range", NULL) != NULL)
    return &no_ranges;
  if (type != NULL && g_ascii_strncasecmp (type, "multipart/", 10) == 0)
    return &no_multipart;
  *has_body = n_codings > 0 || bytes > 0;
  return NULL;
}

/* The head is complete, in front->buffer. */
static void
connection_take_head (Connection *self, gsize len)
{
  HarkFront *front = self->front;
  HarkRequestHead *head = &front->head;
  gboolean has_body = TRUE;
  const HarkRoute *route;
  const HarkRefusal *refusal = hark_request_head_parse (head, front->buffer, len, front->limits.max_fields);
  hark_counter_add (front->requests, 1);
  if (refusal == NULL)
    refusal = hark_handshake_check_host (head, (const char *const *)front->allowed_hosts);
  if (refusal == NULL)
    refusal = check_body (front, head, &has_body);
  if (refusal != NULL)
    {
      connection_refuse (self, refusal, has_body);
      return;
    }
  route = hark_handshake_find_route (front->routes, front->n_routes, head->path);
  if (route == NULL && hark_request_head_get (head, "Upgrade", NULL) != NULL
      && hark_request_head_has_token (head, "Upgrade", "websocket"))
    {
      connection_refuse (self, &no_such_path, has_body);
      return;
    }
  if (route == NULL)
    {
      connection_serve (self, FALSE);
      return;
    }
  refusal = hark_handshake_check_origin (head, (const char *const *)front->allowed_origins);
  if (refusal == NULL)
    refusal = hark_handshake_read (&self->handshake, head, route, front->deflate);
  if (refusal != NULL)
    connection_refuse (self, refusal, has_body);
  else
    connection_authenticate (self);
}

static void
connection_look (Connection *self, gboolean ended)
{
  HarkFront *front = self->front;
  gssize n = recv (self->fd, front->buffer, front->limits.max_head, MSG_PEEK | MSG_DONTWAIT);
  gsize len;
  if (n < 0 && errno == EAGAIN && !ended)
    return;
  if (n <= 0)
    {
      connection_end (self);
      return;
    }
  if (!g_ascii_isupper (front->buffer[0]) && front->buffer[0] != '\r')
    {
      connection_refuse (self, &not_http, TRUE);
      return;
    }
  len = hark_request_head_find_end (front->buffer, n, &self->scanned);
  if (len > 0)
    connection_take_head (self, len);
  else if ((gsize)n >= front->limits.max_head)
    connection_refuse (self, &head_too_large, TRUE);
  else if (ended)
    connection_refuse (self, &cut_short, FALSE);
}

static gboolean
on_epoll (int fd, GIOCondition condition, gpointer data)
{
  HarkFront *self = data;
  struct epoll_event events[EVENTS_PER_TURN];
  int n = epoll_wait (self->epoll, events, G_N_ELEMENTS (events), 0);
  for (int i = 0; i < n; i++)
    {
      Connection *connection = events[i].data.ptr;
      gboolean ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      if (connection->state == CONNECTION_HEAD)
        connection_look (connection, ended);
      else if (connection->state == CONNECTION_DRAINING && !connection_drain (connection))
        connection_end (connection);
    }
  return G_SOURCE_CONTINUE;
}

/* The first connection has had its time. */
static void
connection_expire (Connection *self)
{
  char byte;
  if (self->state == CONNECTION_SERVING)
    {
      /* libsoup finds the end of the stream and lets go; until then it no longer counts as the oldest. */
      shutdown (self->fd, SHUT_RDWR);
      self->since = g_get_monotonic_time ();
      g_queue_unlink (&self->front->connections, &self->link);
      g_queue_push_tail_link (&self->front->connections, &self->link);
    }
  else if (self->state == CONNECTION_HEAD && recv (self->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
    connection_refuse (self, &too_late, FALSE);
  else
    connection_end (self);
}

static gboolean
on_timer (gpointer data)
{
  HarkFront *self = data;
  gint64 now = g_get_monotonic_time ();
  Connection *first;
  while ((first = g_queue_peek_head (&self->connections)) != NULL)
    {
      gboolean late = now - first->since >= (gint64)self->limits.handshake_ms * 1000;
      gboolean crowded = self->connections.length >= self->limits.max_handshakes
                         && now - first->since >= (gint64)self->limits.crowded_ms * 1000;
      if (!late && !crowded)
        break;
      hark_counter_add (late ? self->timed_out : self->crowded_out, 1);
      connection_expire (first);
    }
  update_timer (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_accepted (int fd, const struct sockaddr *address, gpointer data)
{
  HarkFront *self = data;
  HarkAddressLease *lease = NULL;
  Connection *connection;
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
  connection = g_new0 (Connection, 1);
  connection->front = self;
  connection->link.data = connection;
  connection->fd = fd;
  connection->since = g_get_monotonic_time ();
  connection->lease = lease;
  hark_address_format (address, connection->address);
  g_queue_push_tail_link (&self->connections, &connection->link);
  hark_gauge_set (self->waiting, self->connections.length);
  if (self->connections.length == 1 || self->connections.length == self->limits.max_handshakes)
    update_timer (self);
  if (!watch (self, fd, connection))
    connection_end (connection);
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
    connection_end (g_queue_peek_head (&self->connections));
  g_cancellable_cancel (self->cancellable);
  quit_if_done (self);
  return G_SOURCE_REMOVE;
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
  self->http = hark_http_new (self->metrics, self->expose_metrics, self->limits.max_body, &self->ready, &http_funcs);
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
  g_clear_pointer (&self->addresses, hark_address_table_unref);
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
  self->upgraded = hark_metrics_counter (m, "hark_handshakes_total", "WebSockets opened");
  self->requests = hark_metrics_counter (m, "hark_requests_total", "Requests whose head was read");
  self->refused = hark_metrics_counter (m, "hark_requests_refused_total", "Requests refused by the front, all reasons");
  self->unauthenticated = hark_metrics_counter (m, "hark_handshakes_unauthenticated_total",
                                                "Handshakes refused for want of a good token");
  self->head_too_large = hark_metrics_counter (m, "hark_requests_head_too_large_total",
                                               "Requests refused for a large head or many header fields");
  self->body_too_large = hark_metrics_counter (m, "hark_requests_body_too_large_total",
                                               "Requests refused for a large body");
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
  self->deflate = config->deflate;
  self->allow_late_authentication = config->allow_late_authentication;
  self->expose_metrics = config->expose_metrics;
  self->listener = g_object_ref (listener);
  if (authenticator != NULL)
    self->authenticator = g_object_ref (authenticator);
  self->metrics = g_object_ref (metrics);
  self->addresses = hark_address_table_new (self->limits.max_per_address);
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
  self->upgrades = hark_upgrade_queue_new (context, self->limits.max_upgrades, func, data);
  self->thread = g_thread_new ("front", front_thread, self);
}

/* What `/readyz` says. */
void
hark_front_set_ready (HarkFront *self, gboolean ready)
{
  g_atomic_int_set (&self->ready, ready);
}

/**
 * hark_front_stop:
 *
 * Closes the listening sockets and every connection that was not handed over, and waits for the thread. Afterwards
 * nothing is handed over any more. In the hub's thread.
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
  hark_upgrade_queue_stop (self->upgrades);
  g_clear_object (&self->upgrades);
}
