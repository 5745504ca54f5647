/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients by long polling, Engine.IO 4 with Socket.IO 5 in it. polling: everyone is in one namespace, one of them
 * publishes, and each delivery is the answer to a request that waited. waiting: a few clients by WebSocket talk alone,
 * and then beside thousands whose polls wait; what the thousands cost them in latency.
 *
 * Opening is done with blocking calls, one client after the other: it is not measured. While it is measured each client
 * has one connection on which its poll waits; posts go over a second one.
 */
#include "load-scenario.h"

#include "load-fanout.h"
#include "load-protocol.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_SID 64
#define REQUEST_SIZE 4096
#define ANSWER_SIZE (256 * 1024)
#define EVENTS_PER_TURN 256
/* Of the WebSocket sessions that talk while others' polls wait. */
#define TALKERS 10
#define REST_AFTER_OPENING 0.3

typedef struct Poller Poller;

/* One HTTP connection, with at most one request under way. */
typedef struct
{
  Poller *poller;
  int fd;
  bool busy;
  char *rest; /* of an answer that is not all there */
  size_t rest_len;
} Http;

struct Poller
{
  LoadConn *conn; /* unowned: the ledger's account of what this client received; never opened */
  char sid[MAX_SID];
  Http get;
  Http post;
  bool owes_pong;
};

typedef struct
{
  LoadEngine *engine;
  LoadLedger ledger;
  Poller *pollers; /* (owned) */
  size_t n_pollers;
  Poller *publisher;
  uint32_t to_publish; /* messages that wait for the post under way */
  int epoll_fd;
  char *answer; /* (owned) */
} Polling;

static int
connect_to (LoadEngine *engine)
{
  const int on = 1;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *)&engine->address, sizeof engine->address) < 0)
    {
      load_engine_fail (engine, "connect: %s", strerror (errno));
      if (fd >= 0)
        close (fd);
      return -1;
    }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void
disconnect (Http *http)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  if (http->fd >= 0)
    {
      setsockopt (http->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
      close (http->fd);
    }
  free (http->rest);
}

static void
send_request (Polling *self, Http *http, const char *method, const char *body, size_t len)
{
  LoadEngine *engine = self->engine;
  char request[REQUEST_SIZE];
  const char *sid = http->poller->sid;
  int n = snprintf (request, sizeof request,
                    "%s /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: %s:%u\r\n"
                    "Content-Type: text/plain;charset=UTF-8\r\n%s%zu\r\n\r\n",
                    method, *sid != '\0' ? "&sid=" : "", sid, engine->options->host, engine->options->port,
                    "Content-Length: ", len);
  assert (n > 0 && (size_t)n + len < sizeof request);
  if (len > 0)
    memcpy (request + n, body, len);
  http->busy = true;
  /* A few hundred bytes on a connection that has nothing else under way: they fit. */
  if (send (http->fd, request, (size_t)n + len, MSG_NOSIGNAL) != n + (ssize_t)len)
    load_engine_fail (engine, "%s: %s", method, strerror (errno));
}

/* Returns: the bytes of an answer in @data, 0 while it is not all there. Its body is a part of @data. */
static size_t
parse_answer (Polling *self, char *data, size_t len, char **body, size_t *body_len)
{
  static const char KEY[] = "\r\ncontent-length:";
  char *end = memmem (data, len, "\r\n\r\n", 4);
  char *at;
  if (end == NULL)
    return 0;
  *end = '\0';
  at = strcasestr (data, KEY);
  if (len < 12 || memcmp (data, "HTTP/1.1 200", 12) != 0 || at == NULL)
    {
      load_engine_fail (self->engine, "poll refused: %.120s", data);
      return 0;
    }
  *body = end + 4;
  *body_len = strtoul (at + sizeof KEY - 1, NULL, 10);
  *end = '\r';
  return (size_t)(*body - data) + *body_len <= len ? (size_t)(*body - data) + *body_len : 0;
}

/* Reads what has come. Returns: whether there is a whole answer, which is in self->answer */
static bool
read_answer (Polling *self, Http *http, char **body, size_t *body_len)
{
  size_t len = http->rest_len;
  ssize_t n;
  size_t used;
  if (len > 0)
    memcpy (self->answer, http->rest, len);
  n = recv (http->fd, self->answer + len, ANSWER_SIZE - 1 - len, 0);
  if (n < 0 && errno == EAGAIN)
    return false;
  if (n <= 0)
    {
      load_engine_fail (self->engine, "poll: %s", n == 0 ? "end of stream" : strerror (errno));
      return false;
    }
  load_engine_read_clock (self->engine);
  len += (size_t)n;
  self->answer[len] = '\0';
  used = parse_answer (self, self->answer, len, body, body_len);
  http->rest_len = used > 0 ? len - used : len;
  if (http->rest_len > 0)
    {
      http->rest = realloc (http->rest, http->rest_len);
      assert (http->rest != NULL);
      memcpy (http->rest, self->answer + used, http->rest_len);
    }
  if (used > 0)
    http->busy = false;
  return used > 0;
}

/* While opening: one request and its whole answer. */
static bool
exchange (Polling *self, Http *http, const char *method, const char *text, char **body, size_t *len)
{
  send_request (self, http, method, text, strlen (text));
  while (!self->engine->failed)
    if (read_answer (self, http, body, len))
      {
        (*body)[*len] = '\0'; /* nothing more comes on this connection before it is asked for */
        return true;
      }
  return false;
}

static bool
open_session (Polling *self, Poller *poller)
{
  char connect_packet[512];
  char *body;
  char *sid;
  size_t len;
  if (!exchange (self, &poller->get, "GET", "", &body, &len))
    return false;
  sid = strstr (body, "\"sid\":\"");
  if (*body != '0' || sid == NULL || sscanf (sid + 7, "%63[^\"]", poller->sid) != 1)
    {
      load_engine_fail (self->engine, "the server opens with: %.100s", body);
      return false;
    }
  load_socketio_connect (poller->conn, connect_packet, sizeof connect_packet);
  if (!exchange (self, &poller->post, "POST", connect_packet, &body, &len))
    return false;
  if (!exchange (self, &poller->get, "GET", "", &body, &len))
    return false;
  if (memcmp (body, "40", 2) != 0)
    load_engine_fail (self->engine, "the server connects with: %.100s", body);
  return !self->engine->failed;
}

static void
watch (Polling *self, Http *http)
{
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = http };
  fcntl (http->fd, F_SETFL, O_NONBLOCK);
  if (epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, http->fd, &event) < 0)
    load_engine_fail (self->engine, "epoll_ctl: %s", strerror (errno));
}

static bool
polling_init (Polling *self, LoadEngine *engine, size_t n, int room)
{
  memset (self, 0, sizeof *self);
  self->engine = engine;
  self->pollers = calloc (n, sizeof *self->pollers);
  self->answer = malloc (ANSWER_SIZE);
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  assert (self->pollers != NULL && self->answer != NULL && self->epoll_fd >= 0);
  for (size_t i = 0; i < n; i++)
    self->pollers[i].get.fd = self->pollers[i].post.fd = -1;
  for (self->n_pollers = 0; self->n_pollers < n && !engine->failed; self->n_pollers++)
    {
      Poller *poller = &self->pollers[self->n_pollers];
      poller->conn = load_engine_add (engine); /* and not opened */
      poller->conn->room = room;
      load_ledger_expect (poller->conn, 1);
      poller->get.poller = poller->post.poller = poller;
      poller->get.fd = connect_to (engine);
      poller->post.fd = connect_to (engine);
      if (engine->failed || !open_session (self, poller))
        continue;
      watch (self, &poller->get);
      watch (self, &poller->post);
      send_request (self, &poller->get, "GET", "", 0);
    }
  self->publisher = &self->pollers[n / 2];
  return !engine->failed;
}

static void
polling_clear (Polling *self)
{
  for (size_t i = 0; i < self->n_pollers; i++)
    {
      disconnect (&self->pollers[i].get);
      disconnect (&self->pollers[i].post);
    }
  free (self->pollers);
  free (self->answer);
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
}

static void
post_what_waits (Polling *self, Poller *poller)
{
  LoadEngine *engine = self->engine;
  LoadConn *conn = poller->conn;
  char packet[REQUEST_SIZE - 512];
  LoadPayload payload = { 0, conn->sent, 0 };
  if (poller->post.busy)
    return;
  if (poller->owes_pong)
    {
      poller->owes_pong = false;
      send_request (self, &poller->post, "POST", "3", 1);
    }
  else if (poller == self->publisher && self->to_publish > 0)
    {
      payload.stamp = load_engine_read_clock (engine);
      send_request (self, &poller->post, "POST", packet, load_socketio_publish (conn, &payload, packet, sizeof packet));
      self->to_publish--;
      conn->sent++;
    }
}

static void
publish (Polling *self)
{
  LoadConn *conn = self->publisher->conn;
  while (conn->in_flight < self->engine->options->window && load_ledger_may_send (&self->ledger))
    {
      conn->in_flight++;
      self->to_publish++;
      self->ledger.wanted += self->n_pollers;
    }
  post_what_waits (self, self->publisher);
}

static void
handle_packets (Polling *self, Poller *poller, const char *body, size_t len)
{
  const char *end = body + len;
  while (body < end)
    {
      const char *separator = memchr (body, 0x1e, (size_t)(end - body));
      size_t size = (size_t)((separator != NULL ? separator : end) - body);
      LoadPayload payload;
      if (*body == '2')
        poller->owes_pong = true;
      else if (load_payload_find ((const uint8_t *)body, size, &poller->conn->hint, &payload))
        {
          load_ledger_receive (&self->ledger, poller->conn, 1, &payload);
          load_histogram_add (&self->ledger.latency, self->engine->now - payload.stamp);
          if (poller == self->publisher)
            poller->conn->in_flight--;
        }
      else if (*body != '6')
        load_engine_fail (self->engine, "the server says: %.*s", size < 160 ? (int)size : 160, body);
      body += size + 1;
    }
}

static void
handle_ready (Polling *self, Http *http)
{
  Poller *poller = http->poller;
  char *body;
  size_t len;
  if (!read_answer (self, http, &body, &len))
    return;
  if (http == &poller->get)
    {
      handle_packets (self, poller, body, len);
      send_request (self, http, "GET", "", 0);
    }
  if (poller == self->publisher)
    publish (self);
  else
    post_what_waits (self, poller);
}

static void
turn (void *data, int timeout_ms)
{
  Polling *self = data;
  struct epoll_event events[EVENTS_PER_TURN];
  int n = epoll_wait (self->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
  for (int i = 0; i < n && !self->engine->failed; i++)
    handle_ready (self, events[i].data.ptr);
}

static bool
run_phase (Polling *self, double seconds, uint64_t messages)
{
  load_ledger_start_phase (&self->ledger, messages);
  publish (self);
  return load_ledger_run_phase_by (&self->ledger, self->engine, seconds, turn, self);
}

static bool
check_protocol (LoadEngine *engine)
{
  if (strcmp (engine->protocol->name, "chat") != 0)
    load_engine_fail (engine, "--protocol %s: only chat can poll", engine->protocol->name);
  return !engine->failed;
}

bool
load_scenario_polling (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  Polling polling;
  LoadSample before;
  LoadSample after;
  bool ok;
  if (!check_protocol (engine))
    return false;
  ok = polling_init (&polling, engine, options->clients, 0) && run_phase (&polling, options->warmup, 0);
  load_sample_take (engine, &before);
  ok = ok && run_phase (&polling, options->seconds, options->messages);
  load_sample_take (engine, &after);
  if (ok)
    {
      load_ledger_compare_order (&polling.ledger, engine, 0, polling.n_pollers);
      load_report_count (report, "clients", options->clients);
      load_report_count (report, "window", options->window);
      load_report_work (report, &before, &after, "deliveries", polling.ledger.deliveries);
      load_report_latency (report, &polling.ledger.latency);
      ok = load_ledger_report (&polling.ledger, report);
    }
  polling_clear (&polling);
  return ok && !engine->failed;
}

static double
ratio (double a, double b)
{
  return b > 0 ? a / b : 0;
}

bool
load_scenario_waiting (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  Polling polling = { .epoll_fd = -1 };
  LoadFanout talk;
  LoadHistogram alone;
  LoadSample before;
  LoadSample after;
  bool ok;
  if (!check_protocol (engine))
    return false;
  load_fanout_init (&talk, engine, TALKERS, 1);
  ok = load_engine_open (engine) && load_engine_rest (engine, REST_AFTER_OPENING)
       && load_fanout_run (&talk, engine, options->warmup, 0)
       && load_fanout_run (&talk, engine, options->seconds, options->messages);
  alone = talk.ledger.latency;
  ok = ok && polling_init (&polling, engine, options->idle, 1) && load_fanout_run (&talk, engine, options->warmup, 0);
  load_sample_take (engine, &before);
  ok = ok && load_fanout_run (&talk, engine, options->seconds, options->messages);
  load_sample_take (engine, &after);
  if (ok)
    {
      double p50 = load_histogram_quantile_us (&alone, 0.5);
      double p99 = load_histogram_quantile_us (&alone, 0.99);
      load_report_count (report, "waiting", options->idle);
      load_report_work (report, &before, &after, "deliveries", talk.ledger.deliveries);
      load_report_latency (report, &talk.ledger.latency);
      load_report_number (report, "p50_us_alone", p50);
      load_report_number (report, "p99_us_alone", p99);
      load_report_number (report, "p50_ratio", ratio (load_histogram_quantile_us (&talk.ledger.latency, 0.5), p50));
      load_report_number (report, "p99_ratio", ratio (load_histogram_quantile_us (&talk.ledger.latency, 0.99), p99));
      ok = load_ledger_report (&talk.ledger, report);
    }
  polling_clear (&polling);
  load_fanout_clear (&talk);
  return ok && !engine->failed;
}
