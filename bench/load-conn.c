/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The generator's connections: many WebSocket clients on one epoll descriptor in one thread. It shares the machine with
 * the server that it measures, so it does as little as RFC 6455 lets a client do: one recv into one big buffer, frames
 * handed on where they lie, sends gathered per turn. Memory is asserted, not handled: a generator without it is over.
 */
#include "load-conn.h"

#include "load-protocol.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Also the largest message that is understood. */
#define RECEIVE_BUFFER (1024 * 1024)
#define EVENTS_PER_TURN 256
#define HEADER_SPACE 14

/* RFC 6455's own example, whose answer is known without SHA-1. */
#define HANDSHAKE_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define HANDSHAKE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Constant, because nobody listens on loopback, but not 0: some servers have a short cut for that. */
static const uint8_t MASK[8] = { 0x37, 0xfa, 0x21, 0x3d, 0x37, 0xfa, 0x21, 0x3d };

enum
{
  OPCODE_CONTINUATION = 0,
  OPCODE_TEXT = 1,
  OPCODE_BINARY = 2,
  OPCODE_CLOSE = 8,
  OPCODE_PING = 9,
  OPCODE_PONG = 10
};

static int64_t
read_clock (void)
{
  struct timespec ts;
  clock_gettime (CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
on_unexpected_event (LoadEngine *engine, LoadConn *conn, const LoadEvent *event)
{
  load_engine_fail (engine, "connection %u: a message that nobody sent", conn->index);
}

bool
load_engine_init (LoadEngine *engine, const LoadOptions *options, const LoadProtocol *protocol)
{
  memset (engine, 0, sizeof *engine);
  engine->options = options;
  engine->protocol = protocol;
  engine->address.sin_family = AF_INET;
  engine->address.sin_port = htons (options->port);
  engine->started = read_clock ();
  engine->next_id = (int64_t)time (NULL) * 1000000;
  engine->on_event = on_unexpected_event;
  engine->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  engine->receive_buffer = malloc (RECEIVE_BUFFER);
  assert (engine->epoll_fd >= 0 && engine->receive_buffer != NULL);
  if (inet_pton (AF_INET, options->host, &engine->address.sin_addr) != 1)
    load_engine_fail (engine, "--host %s: not an IPv4 address", options->host);
  return !engine->failed;
}

/* Reset, not FIN: ten thousand sockets in TIME_WAIT would take the next run's ports. */
static void
cut (LoadConn *conn)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  if (conn->fd < 0)
    return;
  setsockopt (conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  close (conn->fd);
  conn->fd = -1;
}

static void
conn_free (LoadConn *conn)
{
  cut (conn);
  free (conn->rest);
  free (conn->assembled);
  free (conn->out);
  free (conn->expected);
  free (conn);
}

void
load_engine_clear (LoadEngine *engine)
{
  for (size_t i = 0; i < engine->n_conns; i++)
    conn_free (engine->conns[i]);
  free (engine->conns);
  free (engine->dirty);
  free (engine->receive_buffer);
  close (engine->epoll_fd);
}

/* Nanoseconds since the engine's start; also what engine->now is from now on. */
int64_t
load_engine_read_clock (LoadEngine *engine)
{
  engine->now = read_clock () - engine->started;
  return engine->now;
}

/* The run is over; only the first reason is kept, the others follow from it. */
void
load_engine_fail (LoadEngine *engine, const char *format, ...)
{
  va_list args;
  if (engine->failed)
    return;
  engine->failed = true;
  va_start (args, format);
  vsnprintf (engine->failure, sizeof engine->failure, format, args);
  va_end (args);
}

/* Returns: (transfer none): a connection that load_engine_open () will open */
LoadConn *
load_engine_add (LoadEngine *engine)
{
  LoadConn *conn = calloc (1, sizeof *conn);
  assert (conn != NULL);
  if (engine->n_conns == engine->cap_conns)
    {
      engine->cap_conns = engine->cap_conns > 0 ? engine->cap_conns * 2 : 64;
      engine->conns = realloc (engine->conns, engine->cap_conns * sizeof *engine->conns);
      assert (engine->conns != NULL);
    }
  conn->engine = engine;
  conn->fd = -1;
  conn->index = (uint32_t)engine->n_conns;
  if (engine->options->n_accounts > 0)
    conn->account = &engine->options->accounts[conn->index % engine->options->n_accounts];
  engine->conns[engine->n_conns++] = conn;
  return conn;
}

static void
set_interest (LoadConn *conn, bool write, int operation)
{
  struct epoll_event event = { .events = EPOLLIN | (write ? EPOLLOUT : 0u), .data.ptr = conn };
  conn->want_write = write;
  if (epoll_ctl (conn->engine->epoll_fd, operation, conn->fd, &event) < 0)
    load_engine_fail (conn->engine, "epoll_ctl: %s", strerror (errno));
}

static void
mark_dirty (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  if (conn->dirty)
    return;
  conn->dirty = true;
  if (engine->n_dirty == engine->cap_dirty)
    {
      engine->cap_dirty = engine->cap_dirty > 0 ? engine->cap_dirty * 2 : 64;
      engine->dirty = realloc (engine->dirty, engine->cap_dirty * sizeof *engine->dirty);
      assert (engine->dirty != NULL);
    }
  engine->dirty[engine->n_dirty++] = conn;
}

static uint8_t *
reserve (LoadConn *conn, size_t len)
{
  if (conn->out_len + len > conn->out_cap)
    {
      conn->out_cap = (conn->out_len + len) * 2;
      conn->out = realloc (conn->out, conn->out_cap);
      assert (conn->out != NULL);
    }
  return conn->out + conn->out_len;
}

static uint8_t *
begin_frame (LoadConn *conn, int opcode, size_t len)
{
  uint8_t *at = reserve (conn, len + HEADER_SPACE);
  size_t head;
  at[0] = (uint8_t)(0x80 | opcode);
  if (len < 126)
    {
      at[1] = (uint8_t)(0x80 | len);
      head = 2;
    }
  else
    {
      assert (len <= UINT16_MAX);
      at[1] = 0x80 | 126;
      at[2] = (uint8_t)(len >> 8);
      at[3] = (uint8_t)len;
      head = 4;
    }
  memcpy (at + head, MASK, 4);
  conn->frame_at = conn->out_len + head + 4;
  return conn->out + conn->frame_at;
}

static void
end_frame (LoadConn *conn, size_t len)
{
  uint8_t *at = conn->out + conn->frame_at;
  size_t i = 0;
  uint64_t mask;
  memcpy (&mask, MASK, sizeof mask);
  for (; i + 8 <= len; i += 8)
    {
      uint64_t word;
      memcpy (&word, at + i, 8);
      word ^= mask;
      memcpy (at + i, &word, 8);
    }
  for (; i < len; i++)
    at[i] ^= MASK[i & 3];
  conn->out_len = conn->frame_at + len;
  mark_dirty (conn);
}

/* Returns: where the caller writes exactly @len bytes before load_conn_end_text () */
uint8_t *
load_conn_begin_text (LoadConn *conn, size_t len)
{
  return begin_frame (conn, OPCODE_TEXT, len);
}

void
load_conn_end_text (LoadConn *conn, size_t len)
{
  end_frame (conn, len);
}

void
load_conn_send_text (LoadConn *conn, const char *text)
{
  size_t len = strlen (text);
  memcpy (begin_frame (conn, OPCODE_TEXT, len), text, len);
  end_frame (conn, len);
}

static void
flush (LoadConn *conn)
{
  while (conn->out_at < conn->out_len)
    {
      ssize_t n = send (conn->fd, conn->out + conn->out_at, conn->out_len - conn->out_at, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN)
        {
          if (!conn->want_write)
            set_interest (conn, true, EPOLL_CTL_MOD);
          return;
        }
      if (n < 0)
        {
          load_engine_fail (conn->engine, "connection %u: send: %s", conn->index, strerror (errno));
          return;
        }
      conn->out_at += (size_t)n;
    }
  conn->out_at = conn->out_len = 0;
  if (conn->want_write)
    set_interest (conn, false, EPOLL_CTL_MOD);
}

static void
start_connect (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  const int on = 1;
  conn->opened_at = load_engine_read_clock (engine);
  conn->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (conn->fd < 0)
    {
      load_engine_fail (engine, "socket: %s", strerror (errno));
      return;
    }
  setsockopt (conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  conn->state = LOAD_CONN_CONNECTING;
  if (connect (conn->fd, (struct sockaddr *)&engine->address, sizeof engine->address) < 0 && errno != EINPROGRESS)
    {
      load_engine_fail (engine, "connect: %s", strerror (errno));
      return;
    }
  set_interest (conn, true, EPOLL_CTL_ADD);
}

static void
on_connected (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  char path[512];
  int error = 0;
  socklen_t size = sizeof error;
  int len;
  getsockopt (conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0)
    {
      load_engine_fail (engine, "connect: %s", strerror (error));
      return;
    }
  conn->state = LOAD_CONN_UPGRADING;
  engine->protocol->path (conn, path, sizeof path);
  len = snprintf ((char *)reserve (conn, 1024), 1024,
                  "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: " HANDSHAKE_KEY "\r\nSec-WebSocket-Version: 13\r\n\r\n",
                  path, engine->options->host, engine->options->port);
  assert (len > 0 && len < 1024);
  conn->out_len += (size_t)len;
  mark_dirty (conn);
}

static void
set_ready (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  conn->state = LOAD_CONN_READY;
  engine->n_ready++;
  if (engine->on_ready != NULL)
    engine->on_ready (engine, conn);
}

static void
handle_message (LoadConn *conn, const uint8_t *data, size_t len)
{
  LoadEngine *engine = conn->engine;
  LoadEvent event = { .kind = LOAD_EVENT_NONE };
  engine->protocol->decode (conn, data, len, &event);
  switch (event.kind)
    {
    case LOAD_EVENT_READY:
      set_ready (conn);
      break;
    case LOAD_EVENT_FAILURE:
      load_engine_fail (engine, "connection %u: the server says: %.*s", conn->index, len < 160 ? (int)len : 160,
                        (const char *)data);
      break;
    case LOAD_EVENT_DELIVERY:
    case LOAD_EVENT_ACK:
      engine->on_event (engine, conn, &event);
      break;
    case LOAD_EVENT_NONE:
      break;
    }
}

static void
handle_control (LoadConn *conn, int opcode, const uint8_t *data, size_t len)
{
  if (opcode == OPCODE_PING)
    {
      memcpy (begin_frame (conn, OPCODE_PONG, len), data, len);
      end_frame (conn, len);
    }
  else if (opcode == OPCODE_CLOSE)
    {
      unsigned code = len >= 2 ? (unsigned)(data[0] << 8 | data[1]) : 1005;
      memcpy (begin_frame (conn, OPCODE_CLOSE, len), data, len);
      end_frame (conn, len);
      load_engine_fail (conn->engine, "connection %u: closed by the server: %u %.*s", conn->index, code,
                        len > 2 ? (int)len - 2 : 0, (const char *)data + 2);
    }
  else if (opcode != OPCODE_PONG)
    load_engine_fail (conn->engine, "connection %u: opcode %d", conn->index, opcode);
}

static void
handle_frame (LoadConn *conn, bool fin, int opcode, const uint8_t *data, size_t len)
{
  if (opcode >= OPCODE_CLOSE)
    {
      handle_control (conn, opcode, data, len);
      return;
    }
  if ((opcode == OPCODE_CONTINUATION) != conn->fragmented || opcode > OPCODE_BINARY)
    {
      load_engine_fail (conn->engine, "connection %u: opcode %d out of place", conn->index, opcode);
      return;
    }
  if (fin && !conn->fragmented)
    {
      handle_message (conn, data, len);
      return;
    }
  if (conn->assembled_len + len > RECEIVE_BUFFER)
    {
      load_engine_fail (conn->engine, "connection %u: message too large", conn->index);
      return;
    }
  conn->assembled = realloc (conn->assembled, conn->assembled_len + len + 1);
  assert (conn->assembled != NULL);
  memcpy (conn->assembled + conn->assembled_len, data, len);
  conn->assembled_len += len;
  conn->fragmented = !fin;
  if (fin)
    {
      size_t total = conn->assembled_len;
      conn->assembled_len = 0;
      handle_message (conn, conn->assembled, total);
    }
}

/*
 * Cuts a connection that is ready, so that load_engine_open () opens it again. Only the last one that is ready can be
 * dropped.
 */
void
load_conn_drop (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  assert (conn->state == LOAD_CONN_READY && conn->index + 1 == engine->n_ready);
  cut (conn);
  engine->n_ready--;
  conn->state = LOAD_CONN_NEW;
  conn->want_write = false;
  conn->fragmented = false;
  conn->joined = conn->hint = conn->rest_len = conn->assembled_len = conn->out_len = conn->out_at = 0;
}

/* Returns: the bytes of @data that were whole frames */
static size_t
handle_frames (LoadConn *conn, const uint8_t *data, size_t len)
{
  size_t at = 0;
  while (len - at >= 2 && !conn->engine->failed)
    {
      const uint8_t *frame = data + at;
      size_t head = 2;
      uint64_t size = frame[1] & 0x7f;
      if ((frame[0] & 0x70) != 0 || (frame[1] & 0x80) != 0)
        {
          load_engine_fail (conn->engine, "connection %u: masked frame or reserved bits", conn->index);
          break;
        }
      if (size == 126)
        {
          if (len - at < 4)
            break;
          size = (uint64_t)(frame[2] << 8 | frame[3]);
          head = 4;
        }
      else if (size == 127)
        {
          if (len - at < 10)
            break;
          size = 0;
          for (int i = 2; i < 10; i++)
            size = size << 8 | frame[i];
          head = 10;
        }
      if (size > RECEIVE_BUFFER / 2)
        {
          load_engine_fail (conn->engine, "connection %u: frame too large", conn->index);
          break;
        }
      if (len - at < head + size)
        break;
      at += head + size;
      handle_frame (conn, (frame[0] & 0x80) != 0, frame[0] & 15, frame + head, size);
    }
  return at;
}

/* Returns: the bytes of the response's head, 0 while it is not all there */
static size_t
handle_response (LoadConn *conn, const uint8_t *data, size_t len)
{
  LoadEngine *engine = conn->engine;
  const uint8_t *end = memmem (data, len, "\r\n\r\n", 4);
  size_t head;
  if (end == NULL)
    return 0;
  head = (size_t)(end - data) + 4;
  if (head < 12 || memcmp (data, "HTTP/1.1 101", 12) != 0
      || memmem (data, head, HANDSHAKE_ACCEPT, strlen (HANDSHAKE_ACCEPT)) == NULL)
    {
      load_engine_fail (engine, "connection %u: handshake refused: %.*s", conn->index,
                        (int)strcspn ((const char *)data, "\r"), (const char *)data);
      return head;
    }
  conn->state = LOAD_CONN_JOINING;
  if (engine->protocol->upgraded == NULL)
    set_ready (conn);
  else
    engine->protocol->upgraded (conn);
  return head;
}

static void
on_readable (LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  uint8_t *buffer = engine->receive_buffer;
  size_t len = conn->rest_len;
  size_t used = 0;
  ssize_t n;
  assert (buffer != NULL); /* or gcc takes it for possible when it instruments */
  if (len > 0)
    memcpy (buffer, conn->rest, len);
  n = recv (conn->fd, buffer + len, RECEIVE_BUFFER - len, 0);
  if (n < 0 && errno == EAGAIN)
    return;
  if (n <= 0)
    {
      conn->state = LOAD_CONN_CLOSED;
      load_engine_fail (engine, "connection %u: %s", conn->index, n == 0 ? "end of stream" : strerror (errno));
      return;
    }
  load_engine_read_clock (engine);
  len += (size_t)n;
  if (conn->state == LOAD_CONN_UPGRADING)
    used = handle_response (conn, buffer, len);
  if (conn->state >= LOAD_CONN_JOINING)
    used += handle_frames (conn, buffer + used, len - used);
  conn->rest_len = len - used;
  if (conn->rest_len > 0)
    {
      conn->rest = realloc (conn->rest, conn->rest_len);
      assert (conn->rest != NULL);
      memcpy (conn->rest, buffer + used, conn->rest_len);
    }
}

static void
flush_dirty (LoadEngine *engine)
{
  for (size_t i = 0; i < engine->n_dirty; i++)
    {
      engine->dirty[i]->dirty = false;
      if (!engine->dirty[i]->want_write)
        flush (engine->dirty[i]);
    }
  engine->n_dirty = 0;
}

/*
 * One turn of the loop: what was asked to be sent goes out, at most @timeout_ms are waited for something to come, and
 * the scenario hears of it.
 */
bool
load_engine_turn (LoadEngine *engine, int timeout_ms)
{
  struct epoll_event events[EVENTS_PER_TURN];
  int n;
  flush_dirty (engine);
  n = epoll_wait (engine->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);
  if (n < 0 && errno != EINTR)
    load_engine_fail (engine, "epoll_wait: %s", strerror (errno));
  for (int i = 0; i < n && !engine->failed; i++)
    {
      LoadConn *conn = events[i].data.ptr;
      if (conn->state == LOAD_CONN_CONNECTING)
        {
          on_connected (conn);
          continue;
        }
      if ((events[i].events & EPOLLOUT) != 0)
        flush (conn);
      if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
        on_readable (conn);
    }
  flush_dirty (engine);
  return !engine->failed;
}

/* Opens all that were added, so many at a time as the options say, until all of them have joined. */
bool
load_engine_open (LoadEngine *engine)
{
  size_t next = engine->n_ready;
  int64_t deadline = load_engine_read_clock (engine) + (int64_t)(engine->options->patience * 1e9);
  size_t seen = engine->n_ready;
  while (engine->n_ready < engine->n_conns && !engine->failed)
    {
      while (next < engine->n_conns && next - engine->n_ready < engine->options->concurrency && !engine->failed)
        start_connect (engine->conns[next++]);
      load_engine_turn (engine, 100);
      if (engine->n_ready > seen)
        {
          seen = engine->n_ready;
          deadline = engine->now + (int64_t)(engine->options->patience * 1e9);
        }
      else if (load_engine_read_clock (engine) > deadline)
        load_engine_fail (engine, "%zu of %zu connections have joined, and no more for %.0f s", engine->n_ready,
                          engine->n_conns, engine->options->patience);
    }
  return !engine->failed;
}

/* Lets @seconds go by, and answers pings meanwhile. */
bool
load_engine_rest (LoadEngine *engine, double seconds)
{
  int64_t end = load_engine_read_clock (engine) + (int64_t)(seconds * 1e9);
  while (!engine->failed && load_engine_read_clock (engine) < end)
    load_engine_turn (engine, 10);
  return !engine->failed;
}
