/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One WebSocket connection after its handshake: bytes in, messages out of them, and the other way round; pings answered,
 * the closing handshake, and an end that is reported exactly once. It never waits: the reactor calls it when the
 * descriptor is ready, at a turn's end, and when its time-out comes due.
 */
#include "transport/websocket.h"

#include "transport/websocket-private.h"

#include "base/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_IOV 64
#define PING_WINDOW_MS 1000

G_DEFINE_FINAL_TYPE (HarkWebSocket, hark_websocket, HARK_TYPE_TRANSPORT)

/* The end. */

static void
report_closed (HarkWebSocket *self)
{
  guint code = self->close_code != 0 ? self->close_code : HARK_CLOSE_ABNORMAL;
  const char *reason = self->close_reason != NULL ? self->close_reason : "";
  if (self->parent_instance.closed)
    return;
  hark_reactor_count_end (self->reactor, code);
  hark_transport_emit_closed (&self->parent_instance, code, reason);
}

static void
drop_buffers (HarkWebSocket *self)
{
  hark_outbox_clear (self->outbox);
  hark_websocket_codec_clear (&self->codec, &self->reactor->context);
  g_clear_pointer (&self->input, g_free);
  g_clear_pointer (&self->pong, hark_buffer_unref);
  g_clear_pointer (&self->pong_queued, hark_buffer_unref);
}

/* Lets go of the descriptor, and reports the end if that was not done. The object stays until the turn is over. */
void
hark_websocket_end (HarkWebSocket *self)
{
  if (self->fd < 0)
    return;
  hark_reactor_remove (self->reactor, self);
  /* Others may hold the descriptor for the next process: closing it is not the end of the connection then. */
  if (self->parent_instance.mark != NULL)
    shutdown (self->fd, SHUT_RDWR);
  close (self->fd);
  self->fd = -1;
  drop_buffers (self);
  report_closed (self);
}

/* Both close frames are through, or there is nothing to wait for. The stream is still read to its end: closing a socket
 * with unread bytes resets it, and the peer might lose our close frame. */
static void
finish_closing (HarkWebSocket *self)
{
  self->lingering = TRUE;
  self->stalled = FALSE;
  shutdown (self->fd, SHUT_WR);
  if (!hark_reactor_watch (self->reactor, self, EPOLLIN))
    {
      hark_websocket_end (self);
      return;
    }
  report_closed (self);
}

/* What is waited for is what can be done now. */
void
hark_websocket_update_watch (HarkWebSocket *self)
{
  guint32 events = 0;
  if (self->fd < 0)
    return;
  if ((self->started && !self->paused && !self->reactor->held) || self->close_queued)
    events |= EPOLLIN;
  if (self->stalled)
    events |= EPOLLOUT;
  if (!hark_reactor_watch (self->reactor, self, events))
    hark_websocket_end (self);
}

static void
wake (HarkWebSocket *self)
{
  if (!self->parent_instance.awake)
    hark_reactor_wake (self->reactor, self);
}

/* Nothing follows a close frame: @closing is or will be set by who calls this, and who travels by the connection fills
 * an outbox that nobody writes any more. */
static void
queue_close (HarkWebSocket *self, guint code)
{
  g_autoptr (HarkBuffer) frame = hark_websocket_encode_close (code, self->close_reason);
  HarkOutbox *outbox = &self->parent_instance.outbox;
  if (self->outbox != outbox)
    {
      hark_outbox_clear (outbox);
      *outbox = *self->outbox;
      hark_outbox_init (self->outbox);
      self->outbox = outbox;
    }
  if (!hark_outbox_push (outbox, frame, G_MAXSIZE))
    {
      hark_outbox_drop_unsent (outbox);
      hark_outbox_push (outbox, frame, G_MAXSIZE);
    }
  g_clear_pointer (&self->pong, hark_buffer_unref);
  self->close_queued = TRUE;
  self->since = hark_reactor_update_now (self->reactor);
  hark_reactor_add_timer (self->reactor, self, self->reactor->limits.close_timeout_ms);
  wake (self);
  if (self->input != NULL)
    hark_reactor_add_ready (self->reactor, self);
  hark_websocket_update_watch (self);
}

/* What the peer sends breaks the rules: it is told, and nothing of it is read any more. */
static void
fail (HarkWebSocket *self, guint code, const char *reason)
{
  self->close_received = TRUE;
  if (code == HARK_CLOSE_TOO_LARGE)
    hark_counter_add (self->reactor->counters.too_large, 1);
  else if (code == HARK_CLOSE_POLICY)
    hark_counter_add (self->reactor->counters.abuse, 1);
  if (!self->close_queued)
    hark_transport_close (&self->parent_instance, code, reason);
  else if (self->close_written)
    finish_closing (self);
}

/* Incoming. */

static void
take_close (HarkWebSocket *self, const HarkWebSocketEvent *event)
{
  self->close_received = TRUE;
  if (self->close_queued)
    {
      if (self->close_written)
        finish_closing (self);
      return;
    }
  self->close_code = event->code;
  self->parent_instance.closing = TRUE;
  queue_close (self, event->code);
  /* Only now: the answer repeats the code, not the reason. */
  self->close_reason = g_strndup ((const char *)event->data, event->len);
}

/* One pong lies in the outbox and one waits for it: more pings than the peer reads pongs replace the latter, as section
 * 5.5.3 allows, instead of filling memory. */
static void
queue_pong (HarkWebSocket *self)
{
  if (self->pong_queued != NULL && self->pong_queued->refs > 1)
    return;
  g_clear_pointer (&self->pong_queued, hark_buffer_unref);
  if (hark_outbox_push (self->outbox, self->pong, G_MAXSIZE))
    self->pong_queued = g_steal_pointer (&self->pong);
}

static void
take_ping (HarkWebSocket *self, const HarkWebSocketEvent *event)
{
  HarkReactor *reactor = self->reactor;
  hark_counter_add (reactor->counters.pings_received, 1);
  if (self->close_queued)
    return;
  if (self->pings == 0 || reactor->now - self->pings_since >= PING_WINDOW_MS)
    {
      self->pings_since = reactor->now;
      self->pings = 0;
    }
  if (++self->pings > reactor->limits.max_pings_per_second)
    {
      fail (self, HARK_CLOSE_POLICY, "too many pings");
      return;
    }
  if (self->pong != NULL)
    {
      hark_counter_add (reactor->counters.pongs_dropped, 1);
      hark_buffer_unref (self->pong);
    }
  self->pong = hark_websocket_encode (HARK_WEBSOCKET_PONG, event->data, event->len);
  wake (self);
}

static void
take_event (HarkWebSocket *self, const HarkWebSocketEvent *event)
{
  switch (event->kind)
    {
    case HARK_WEBSOCKET_EVENT_MESSAGE:
      self->reactor->messages_received++;
      if (!self->parent_instance.closing)
        hark_transport_emit_message (&self->parent_instance, event->data, event->len, event->binary);
      break;
    case HARK_WEBSOCKET_EVENT_PING:
      take_ping (self, event);
      break;
    case HARK_WEBSOCKET_EVENT_CLOSE:
      take_close (self, event);
      break;
    case HARK_WEBSOCKET_EVENT_FAILURE:
      fail (self, event->code, event->reason);
      break;
    case HARK_WEBSOCKET_EVENT_PONG:
    case HARK_WEBSOCKET_EVENT_NONE:
      break;
    }
}

/* Returns: how much of @data is done with; less than @len when the connection's turn is over or it was paused */
static gsize
parse (HarkWebSocket *self, guint8 *data, gsize len)
{
  HarkReactor *reactor = self->reactor;
  guint budget = reactor->limits.message_budget;
  gsize taken = 0;
  while (taken < len && !self->close_received)
    {
      HarkWebSocketEvent event;
      if (self->paused && !self->close_queued)
        break;
      if (budget-- == 0)
        {
          hark_counter_add (reactor->counters.budgets, 1);
          break;
        }
      taken += hark_websocket_codec_next (&self->codec, &reactor->context, data + taken, len - taken, &event);
      take_event (self, &event);
      if (self->fd < 0)
        return len;
    }
  hark_websocket_codec_trim (&self->codec, &reactor->context);
  return self->close_received ? len : taken;
}

static void
keep_input (HarkWebSocket *self, const guint8 *data, gsize len)
{
  self->input = g_malloc (sizeof (HarkWebSocketInput) + len);
  self->input->len = len;
  self->input->offset = 0;
  memcpy (self->input->data, data, len);
  if (!self->paused || self->close_queued)
    hark_reactor_add_ready (self->reactor, self);
}

/* Parses what an earlier turn left, or what came with the handshake. */
void
hark_websocket_parse_input (HarkWebSocket *self)
{
  HarkWebSocketInput *input;
  if (self->fd < 0 || self->input == NULL || ((self->paused || self->reactor->held) && !self->close_queued))
    return;
  input = g_steal_pointer (&self->input);
  input->offset += parse (self, input->data + input->offset, input->len - input->offset);
  if (input->offset == input->len || self->fd < 0)
    {
      g_free (input);
      return;
    }
  self->input = input;
  if (!self->paused || self->close_queued)
    hark_reactor_add_ready (self->reactor, self);
}

/* The descriptor is readable, or broken. */
void
hark_websocket_read (HarkWebSocket *self)
{
  HarkReactor *reactor = self->reactor;
  gssize n;
  gsize taken;
  /* What is left goes first; the kernel keeps the rest, and lets the peer wait. */
  if (self->input != NULL && !self->lingering)
    return;
  if (self->parent_instance.mark != NULL)
    {
      hark_transport_mark_set (self->parent_instance.mark, HARK_MARK_READING);
      wake (self);
    }
  n = recv (self->fd, reactor->scratch, reactor->limits.read_budget, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    {
      hark_websocket_end (self);
      return;
    }
  reactor->bytes_received += n;
  self->seen = reactor->now;
  self->pinged = FALSE;
  if (self->lingering)
    return;
  taken = parse (self, reactor->scratch, n);
  if (taken < (gsize)n)
    keep_input (self, reactor->scratch + taken, n - taken);
}

/* Outgoing. */

static void
on_drained (HarkWebSocket *self)
{
  gboolean was_stalled = self->stalled;
  g_clear_pointer (&self->pong_queued, hark_buffer_unref);
  if (was_stalled)
    {
      self->stalled = FALSE;
      hark_websocket_update_watch (self);
      if (self->fd < 0)
        return;
    }
  if (was_stalled && self->parent_instance.mark != NULL)
    wake (self);
  if (self->close_queued && !self->close_written)
    {
      self->close_written = TRUE;
      if (self->close_received)
        finish_closing (self);
    }
  else if (was_stalled && !self->parent_instance.closing)
    {
      hark_transport_emit_writable (&self->parent_instance);
    }
}

static gssize
send_some (HarkWebSocket *self, gsize *wanted)
{
  struct iovec iov[MAX_IOV];
  guint n = hark_outbox_peek (self->outbox, iov, MAX_IOV);
  struct msghdr message = { .msg_iov = iov, .msg_iovlen = n };
  self->reactor->writes++;
  hark_transport_mark_set (self->parent_instance.mark, HARK_MARK_WRITING);
  if (n == 1)
    {
      *wanted = iov[0].iov_len;
      return send (self->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  *wanted = 0;
  for (guint i = 0; i < n; i++)
    *wanted += iov[i].iov_len;
  return sendmsg (self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Writes what there is, until there is no more or the kernel takes no more. On the hot path: for each receiver. */
static void
write_out (HarkWebSocket *self)
{
  HarkOutbox *outbox = self->outbox;
  HarkReactor *reactor = self->reactor;
  for (;;)
    {
      guint before;
      gsize wanted;
      gssize n;
      if (G_UNLIKELY (self->pong != NULL))
        queue_pong (self);
      before = outbox->count;
      if (before == 0)
        break;
      n = send_some (self, &wanted);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        {
          hark_websocket_end (self);
          return;
        }
      if (n > 0)
        {
          hark_outbox_consume (outbox, n);
          reactor->bytes_sent += n;
          reactor->units_sent += before - outbox->count;
        }
      if (n < (gssize)wanted)
        {
          if (!self->stalled)
            {
              hark_counter_add (reactor->counters.short_writes, 1);
              self->stalled = TRUE;
              hark_websocket_update_watch (self);
            }
          return;
        }
    }
  on_drained (self);
}

/* The turn is over, or the kernel takes more again. */
void
hark_websocket_write (HarkWebSocket *self)
{
  if (self->lingering)
    return;
  write_out (self);
}

/* At the end of a turn, when all there was for it has been given to the kernel, or the kernel takes no more: what the
 * mark says from now on. A write that is not at a turn's end leaves it as it is: what was published since the last one
 * may be among what was written. */
void
hark_websocket_settle (HarkWebSocket *self)
{
  HarkTransportMark *mark = self->parent_instance.mark;
  if (self->fd < 0 || self->outbox->count > 0 || self->pong != NULL)
    return;
  mark->turn = self->reactor->log->turn;
  hark_transport_mark_clear (mark, HARK_MARK_WRITING);
  if (self->input == NULL && self->codec.header_len == 0 && self->codec.part == NULL && !self->parent_instance.owes
      && !self->parent_instance.closing)
    hark_transport_mark_clear (mark, HARK_MARK_READING);
}

/* Time. */

static void
expire_idle (HarkWebSocket *self)
{
  HarkReactor *reactor = self->reactor;
  const HarkReactorLimits *limits = &reactor->limits;
  guint32 silent = reactor->now - self->seen;
  guint32 waited = reactor->now - self->since;
  if (limits->heartbeat_ms == 0)
    return;
  if (self->paused || self->outbox != &self->parent_instance.outbox)
    {
      /* It may have sent anything; we did not look. Or who travels by it sends pings of his own. */
      hark_reactor_add_timer (reactor, self, limits->heartbeat_ms);
    }
  else if (self->pinged && waited >= limits->timeout_ms)
    {
      hark_counter_add (reactor->counters.idle, 1);
      hark_transport_close (&self->parent_instance, HARK_CLOSE_IDLE, "no answer to our ping");
    }
  else if (self->pinged)
    {
      hark_reactor_add_timer (reactor, self, limits->timeout_ms - waited);
    }
  else if (silent < limits->heartbeat_ms)
    {
      hark_reactor_add_timer (reactor, self, limits->heartbeat_ms - silent);
    }
  else
    {
      hark_counter_add (reactor->counters.heartbeats, 1);
      hark_outbox_push (self->outbox, reactor->ping, G_MAXSIZE);
      self->pinged = TRUE;
      self->since = reactor->now;
      hark_reactor_add_timer (reactor, self, limits->timeout_ms);
      wake (self);
    }
}

/* The wheel has come round to it; whether its time has come is seen here. */
void
hark_websocket_expire (HarkWebSocket *self)
{
  HarkReactor *reactor = self->reactor;
  guint32 waited = reactor->now - self->since;
  if (!self->close_queued)
    {
      expire_idle (self);
      return;
    }
  if (waited < reactor->limits.close_timeout_ms)
    {
      hark_reactor_add_timer (reactor, self, reactor->limits.close_timeout_ms - waited);
      return;
    }
  hark_counter_add (reactor->counters.close_timeouts, 1);
  hark_websocket_end (self);
}

/* The transport. */

static void
hark_websocket_wake (HarkTransport *transport)
{
  /* Not checked: this is called for each receiver of each batch. */
  HarkWebSocket *self = (HarkWebSocket *)transport;
  hark_reactor_wake (self->reactor, self);
}

static void
hark_websocket_close (HarkTransport *transport, guint code, const char *reason)
{
  HarkWebSocket *self = HARK_WEBSOCKET (transport);
  if (code == HARK_CLOSE_SLOW)
    hark_counter_add (self->reactor->counters.slow, 1);
  self->close_code = code;
  self->close_reason = g_strdup (reason);
  queue_close (self, code);
}

static void
hark_websocket_set_reading (HarkTransport *transport, gboolean reading)
{
  HarkWebSocket *self = HARK_WEBSOCKET (transport);
  if (self->fd < 0 || self->paused == !reading)
    return;
  self->paused = !reading;
  if (reading)
    {
      self->seen = hark_reactor_update_now (self->reactor);
      self->pinged = FALSE;
      if (self->input != NULL && self->started)
        hark_reactor_add_ready (self->reactor, self);
    }
  if (!self->lingering)
    hark_websocket_update_watch (self);
}

static char *
hark_websocket_dup_address (HarkTransport *transport)
{
  return hark_peer_address_dup_text (&((HarkWebSocket *)transport)->address);
}

static void
hark_websocket_finalize (GObject *object)
{
  HarkWebSocket *self = HARK_WEBSOCKET (object);
  g_assert (self->fd < 0);
  g_free (self->close_reason);
  G_OBJECT_CLASS (hark_websocket_parent_class)->finalize (object);
}

static void
hark_websocket_class_init (HarkWebSocketClass *klass)
{
  HarkTransportClass *transport_class = HARK_TRANSPORT_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = hark_websocket_finalize;
  transport_class->name = "websocket";
  transport_class->wake = hark_websocket_wake;
  transport_class->close = hark_websocket_close;
  transport_class->set_reading = hark_websocket_set_reading;
  transport_class->dup_address = hark_websocket_dup_address;
}

static void
hark_websocket_init (HarkWebSocket *self)
{
  self->fd = -1;
  self->outbox = &self->parent_instance.outbox;
}

/* For hark_reactor_adopt () only. */
HarkWebSocket *
hark_websocket_new (HarkReactor *reactor, int fd, const char *address, gboolean deflate, const guint8 *early,
                    gsize early_len)
{
  HarkWebSocket *self = g_object_new (HARK_TYPE_WEBSOCKET, NULL);
  const int on = 1;
  self->reactor = reactor;
  self->fd = fd;
  self->seen = reactor->now;
  self->parent_instance.max_outbox = reactor->limits.max_outbox;
  hark_websocket_codec_init (&self->codec, deflate);
  if (address == NULL || !hark_peer_address_init_from_text (&self->address, address))
    hark_peer_address_init_from_fd (&self->address, fd);
  /* A turn's messages go in one write: there is nothing to gather. Fails on a Unix socket, which has no such delay. */
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (early_len > 0)
    {
      self->input = g_malloc (sizeof (HarkWebSocketInput) + early_len);
      self->input->len = early_len;
      self->input->offset = 0;
      memcpy (self->input->data, early, early_len);
    }
  return self;
}

/**
 * hark_websocket_start:
 *
 * Begins to read, once the sink is set; what came with the handshake is first. Messages arrive from the main loop, not
 * during the call.
 */
void
hark_websocket_start (HarkWebSocket *self)
{
  if (self->fd < 0 || self->started)
    return;
  self->started = TRUE;
  if (self->input != NULL)
    hark_reactor_add_ready (self->reactor, self);
  hark_websocket_update_watch (self);
}

/* Returns: whether the peer takes frames of hark_deflate_encode_frame () */
gboolean
hark_websocket_is_deflate (HarkWebSocket *self)
{
  return self->codec.deflate;
}

/* Returns: (transfer none): the descriptor; -1 when the connection has ended */
int
hark_websocket_get_fd (HarkWebSocket *self)
{
  return self->fd;
}

/**
 * hark_websocket_steal_fd:
 *
 * Lets go of the connection without ending it: it goes on elsewhere. Nobody is told, and nothing is written any more.
 *
 * Returns: (transfer full): the descriptor; -1 when the connection has ended
 */
int
hark_websocket_steal_fd (HarkWebSocket *self)
{
  int fd = self->fd;
  if (fd < 0)
    return -1;
  hark_reactor_remove (self->reactor, self);
  self->fd = -1;
  self->parent_instance.closing = TRUE;
  self->parent_instance.closed = TRUE;
  drop_buffers (self);
  return fd;
}

/**
 * hark_websocket_write_from:
 * @outbox: (nullable): another transport's; %NULL for the connection's own again
 *
 * From now on what is written lies in @outbox, behind what was queued before. For a transport that travels by this
 * connection: its own limit bounds it, and its hark_transport_send () queues without a detour. It sets %NULL before
 * @outbox goes.
 *
 * Returns: %FALSE when both together are more than an outbox holds
 */
gboolean
hark_websocket_write_from (HarkWebSocket *self, HarkOutbox *outbox)
{
  HarkOutbox *own = &self->parent_instance.outbox;
  if (outbox != NULL && !hark_outbox_prepend (outbox, own))
    return FALSE;
  self->outbox = outbox != NULL ? outbox : own;
  if (self->fd >= 0 && !hark_outbox_is_empty (self->outbox))
    wake (self);
  return TRUE;
}
