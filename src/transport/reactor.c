/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One epoll descriptor for all connections, in one GSource on the hub's context: a GSource for each would make every
 * turn of the loop cost as much as there are connections (measured: 3.7 ms a message at 9,000). What a turn produces is
 * collected, each connection once, and written at the turn's end in one system call per connection.
 */
#include "transport/reactor.h"

#include "transport/websocket-private.h"

#include "base/error.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_EVENTS 256
#define MIN_READ_BUDGET 512
#define MIN_TICK_MS 5
#define MAX_TICK_MS 1000
#define TICKS_PER_TIMEOUT 8
#define PREFETCH_AHEAD 4

G_DEFINE_FINAL_TYPE (HarkReactor, hark_reactor, G_TYPE_OBJECT)

typedef struct
{
  GSource source;
  HarkReactor *reactor; /* unowned: it destroys the source */
  gpointer tag;
} ReactorSource;

/* Sets what a hub does that is told nothing else. */
void
hark_reactor_limits_init (HarkReactorLimits *self)
{
  *self = (HarkReactorLimits){
    .max_message = 64 * 1024,
    .max_fragments = 1024,
    .max_outbox = 1024 * 1024,
    .read_budget = 64 * 1024,
    .message_budget = 256,
    .max_pings_per_second = 32,
    .heartbeat_ms = 25000,
    .timeout_ms = 20000,
    .close_timeout_ms = 5000,
  };
}

/* What is counted. */

#define PREFIX "hark_websocket_"

static void
init_counters (HarkReactor *self)
{
  HarkReactorCounters *c = &self->counters;
  HarkMetrics *m = self->metrics;
  c->connections = hark_metrics_gauge (m, PREFIX "connections", "WebSocket connections that are open.");
  c->accepted
    = hark_metrics_counter (m, PREFIX "accepted_total", "WebSocket connections taken over after the handshake.");
  c->bytes_received = hark_metrics_counter (m, PREFIX "received_bytes_total", "Bytes read, frames' headers included.");
  c->messages_received = hark_metrics_counter (m, PREFIX "received_messages_total", "Whole messages read.");
  c->pings_received = hark_metrics_counter (m, PREFIX "received_pings_total", "Pings read.");
  c->bytes_sent = hark_metrics_counter (m, PREFIX "sent_bytes_total", "Bytes written, frames' headers included.");
  c->units_sent = hark_metrics_counter (m, PREFIX "sent_units_total",
                                        "Buffers written, each of one or more frames that were encoded together.");
  c->writes = hark_metrics_counter (m, PREFIX "writes_total", "System calls that wrote.");
  c->short_writes = hark_metrics_counter (m, PREFIX "short_writes_total",
                                          "Writes after which a connection had to wait for its reader.");
  c->budgets = hark_metrics_counter (m, PREFIX "budgets_total",
                                     "Times a connection had more messages than one turn allows and went to the back "
                                     "of the line.");
  c->pongs_dropped = hark_metrics_counter (m, PREFIX "dropped_pongs_total",
                                           "Pings not answered because a later one was answered instead.");
  c->heartbeats = hark_metrics_counter (m, PREFIX "heartbeats_total", "Pings sent to silent clients.");
  c->too_large = hark_metrics_counter (m, PREFIX "too_large_total", "Messages over the bound on their size.");
  c->abuse = hark_metrics_counter (m, PREFIX "abuse_total", "Too many pings or fragments.");
  c->slow = hark_metrics_counter (m, PREFIX "slow_readers_total", "Outboxes over the bound on their size.");
  c->idle = hark_metrics_counter (m, PREFIX "idle_timeouts_total", "Clients that did not answer a ping in time.");
  c->close_timeouts
    = hark_metrics_counter (m, PREFIX "close_timeouts_total", "Closing handshakes not completed in time.");
}

static const struct
{
  guint code;
  const char *name;
} reasons[] = {
  { HARK_CLOSE_NORMAL, PREFIX "disconnects_normal_total" },
  { HARK_CLOSE_GOING_AWAY, PREFIX "disconnects_going_away_total" },
  { HARK_CLOSE_PROTOCOL_ERROR, PREFIX "disconnects_protocol_error_total" },
  { HARK_CLOSE_NO_STATUS, PREFIX "disconnects_no_status_total" },
  { HARK_CLOSE_ABNORMAL, PREFIX "disconnects_abnormal_total" },
  { HARK_CLOSE_INVALID_DATA, PREFIX "disconnects_invalid_data_total" },
  { HARK_CLOSE_POLICY, PREFIX "disconnects_policy_total" },
  { HARK_CLOSE_TOO_LARGE, PREFIX "disconnects_too_large_total" },
  { HARK_CLOSE_RESTART, PREFIX "disconnects_restart_total" },
  { HARK_CLOSE_UNAUTHENTICATED, PREFIX "disconnects_unauthenticated_total" },
  { HARK_CLOSE_IDLE, PREFIX "disconnects_idle_total" },
  { HARK_CLOSE_SLOW, PREFIX "disconnects_slow_total" },
  { HARK_CLOSE_DISCONNECTED, PREFIX "disconnects_administrator_total" },
  { HARK_CLOSE_RESUMED, PREFIX "disconnects_resumed_total" },
};

/* A connection has ended with @code. */
void
hark_reactor_count_end (HarkReactor *self, guint code)
{
  const char *name = PREFIX "disconnects_other_total";
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].code == code)
      name = reasons[i].name;
  hark_counter_add (hark_metrics_counter (self->metrics, name, "Connections that ended, by close code."), 1);
}

static void
publish (HarkCounter *counter, gint64 *value)
{
  if (*value == 0)
    return;
  hark_counter_add (counter, *value);
  *value = 0;
}

static void
publish_figures (HarkReactor *self)
{
  publish (self->counters.bytes_received, &self->bytes_received);
  publish (self->counters.messages_received, &self->messages_received);
  publish (self->counters.bytes_sent, &self->bytes_sent);
  publish (self->counters.units_sent, &self->units_sent);
  publish (self->counters.writes, &self->writes);
}

/* What websocket.c asks for. */

guint32
hark_reactor_update_now (HarkReactor *self)
{
  self->now = (guint32)((hark_clock_get_monotonic (self->clock) - self->epoch) / 1000);
  return self->now;
}

/* To be written to at the turn's end; once per turn. */
void
hark_reactor_wake (HarkReactor *self, HarkWebSocket *socket)
{
  socket->parent_instance.awake = TRUE;
  g_ptr_array_add (self->dirty, socket);
  hark_turn_mark (self->turn);
}

/* It has input to parse: at the back of the line. */
void
hark_reactor_add_ready (HarkReactor *self, HarkWebSocket *socket)
{
  if (socket->ready)
    return;
  socket->ready = TRUE;
  g_ptr_array_add (self->ready, socket);
}

void
hark_reactor_add_timer (HarkReactor *self, HarkWebSocket *socket, guint32 ms)
{
  hark_wheel_add (&self->wheel, &socket->timer, ms / self->tick_ms + 1);
}

/**
 * hark_reactor_watch:
 * @events: of epoll; 0 is registered too, and wakes only when the connection breaks
 *
 * Returns: %FALSE when the kernel has no memory for it
 */
gboolean
hark_reactor_watch (HarkReactor *self, HarkWebSocket *socket, guint32 events)
{
  struct epoll_event event = { events, { .ptr = socket } };
  int operation = socket->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (socket->registered ? socket->events == events : events == 0)
    return TRUE;
  if (epoll_ctl (self->epoll_fd, operation, socket->fd, &event) != 0)
    {
      g_message ("cannot watch a connection: %s", g_strerror (errno));
      return FALSE;
    }
  socket->events = events;
  socket->registered = TRUE;
  return TRUE;
}

/* A broken connection that is not to be read now would wake the loop for ever. */
static void
unwatch (HarkReactor *self, HarkWebSocket *socket)
{
  if (!socket->registered)
    return;
  epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, socket->fd, NULL);
  socket->registered = FALSE;
  socket->events = 0;
}

/* Takes an ended connection out. It is freed when no list and no loop can hold it any more. */
void
hark_reactor_remove (HarkReactor *self, HarkWebSocket *socket)
{
  GPtrArray *connections = self->connections;
  unwatch (self, socket);
  hark_wheel_remove (&socket->timer);
  ((HarkWebSocket *)connections->pdata[connections->len - 1])->index = socket->index;
  g_ptr_array_remove_index_fast (connections, socket->index);
  g_ptr_array_add (self->ended, socket);
  hark_counter_add (self->counters.connections, -1);
  if (connections->len == 0)
    hark_clock_clear_timeout (self->clock, &self->tick_id);
  hark_turn_mark (self->turn);
}

static void
reap (HarkReactor *self)
{
  guint kept = 0;
  if (self->busy > 0)
    return;
  for (guint i = 0; i < self->ended->len; i++)
    {
      HarkWebSocket *socket = self->ended->pdata[i];
      if (socket->parent_instance.awake || socket->ready)
        {
          self->ended->pdata[kept++] = socket;
          continue;
        }
      socket->reactor = NULL;
      g_object_unref (socket);
    }
  g_ptr_array_set_size (self->ended, kept);
}

/* The loop. */

static void
handle_event (HarkReactor *self, HarkWebSocket *socket, guint32 events)
{
  if (socket->fd >= 0 && (events & EPOLLOUT) != 0)
    hark_websocket_write (socket);
  if (socket->fd < 0 || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
    return;
  if ((socket->events & EPOLLIN) != 0)
    hark_websocket_read (socket);
  else if (socket->events == 0)
    unwatch (self, socket);
}

static void
handle_ready (HarkReactor *self)
{
  guint n = self->ready->len;
  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    {
      HarkWebSocket *socket = self->ready->pdata[i];
      socket->ready = FALSE;
      hark_websocket_parse_input (socket);
    }
  g_ptr_array_remove_range (self->ready, 0, n);
}

static void
run (HarkReactor *self)
{
  struct epoll_event events[MAX_EVENTS];
  int n;
  /* Whoever is told of something may let go of the reactor. */
  g_object_ref (self);
  hark_reactor_update_now (self);
  self->busy++;
  /* First what earlier turns left: whoever leaves something in this one is served in the next. */
  handle_ready (self);
  n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, 0);
  for (int i = 0; i < n; i++)
    handle_event (self, events[i].data.ptr, events[i].events);
  self->busy--;
  hark_turn_end (self->turn);
  publish_figures (self);
  reap (self);
  g_object_unref (self);
}

static void
begin_flush (HarkReactor *self)
{
  HarkTransportLog *log = self->log;
  if (log == NULL)
    return;
  /* Each step leaves what can be read: see HarkTransportLog. */
  log->previous_rev = log->rev;
  log->turn++;
  log->is_flushing = TRUE;
  log->rev = self->rev_func (self->rev_data);
}

static void
on_turn_flush (gpointer data)
{
  HarkReactor *self = data;
  GPtrArray *dirty = self->dirty;
  guint n = dirty->len;
  g_object_ref (self);
  self->busy++;
  begin_flush (self);
  for (guint i = 0; i < n; i++)
    {
      HarkWebSocket *socket = dirty->pdata[i];
      if (i + PREFETCH_AHEAD < n)
        __builtin_prefetch (dirty->pdata[i + PREFETCH_AHEAD]);
      socket->parent_instance.awake = FALSE;
      /* One that waits for its reader is written to when that has read. */
      if (socket->fd >= 0 && !socket->stalled)
        hark_websocket_write (socket);
      if (G_UNLIKELY (socket->parent_instance.mark != NULL))
        hark_websocket_settle (socket);
    }
  if (self->log != NULL)
    self->log->is_flushing = FALSE;
  if (n > 0)
    g_ptr_array_remove_range (dirty, 0, n);
  self->busy--;
  publish_figures (self);
  reap (self);
  g_object_unref (self);
}

static void
on_wheel_expired (HarkWheelLink *link, gpointer data)
{
  hark_websocket_expire ((HarkWebSocket *)((guint8 *)link - G_STRUCT_OFFSET (HarkWebSocket, timer)));
}

static gboolean
on_tick (gpointer data)
{
  HarkReactor *self = data;
  gboolean go_on;
  g_object_ref (self);
  hark_reactor_update_now (self);
  self->busy++;
  hark_wheel_advance (&self->wheel, on_wheel_expired, self);
  self->busy--;
  hark_turn_end (self->turn);
  go_on = self->tick_id != 0;
  g_object_unref (self);
  return go_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
reactor_source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return ((ReactorSource *)source)->reactor->ready->len > 0;
}

static gboolean
reactor_source_check (GSource *source)
{
  ReactorSource *self = (ReactorSource *)source;
  return self->reactor->ready->len > 0 || g_source_query_unix_fd (source, self->tag) != 0;
}

static gboolean
reactor_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  run (((ReactorSource *)source)->reactor);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs reactor_source_funcs
  = { reactor_source_prepare, reactor_source_check, reactor_source_dispatch, NULL };

static void
release_list (GPtrArray *list, gboolean dirty)
{
  for (guint i = 0; i < list->len; i++)
    {
      HarkWebSocket *socket = list->pdata[i];
      if (dirty)
        socket->parent_instance.awake = FALSE;
      else
        socket->ready = FALSE;
    }
  g_ptr_array_set_size (list, 0);
}

static void
hark_reactor_dispose (GObject *object)
{
  HarkReactor *self = HARK_REACTOR (object);
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_clear_pointer (&self->source, g_source_unref);
    }
  while (self->connections->len > 0)
    {
      HarkWebSocket *socket = self->connections->pdata[self->connections->len - 1];
      if (socket->close_code == 0)
        socket->close_code = HARK_CLOSE_GOING_AWAY;
      hark_websocket_end (socket);
    }
  release_list (self->dirty, TRUE);
  release_list (self->ready, FALSE);
  reap (self);
  if (self->turn != NULL)
    hark_turn_set_stage (self->turn, HARK_TURN_FLUSH, NULL, NULL);
  g_clear_object (&self->turn);
  g_clear_object (&self->clock);
  g_clear_object (&self->metrics);
  G_OBJECT_CLASS (hark_reactor_parent_class)->dispose (object);
}

static void
hark_reactor_finalize (GObject *object)
{
  HarkReactor *self = HARK_REACTOR (object);
  hark_websocket_context_clear (&self->context);
  hark_buffer_unref (self->ping);
  g_ptr_array_unref (self->connections);
  g_ptr_array_unref (self->dirty);
  g_ptr_array_unref (self->ready);
  g_ptr_array_unref (self->ended);
  g_free (self->scratch);
  if (self->epoll_fd >= 0)
    close (self->epoll_fd);
  G_OBJECT_CLASS (hark_reactor_parent_class)->finalize (object);
}

static void
hark_reactor_class_init (HarkReactorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_reactor_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_reactor_finalize;
}

static void
hark_reactor_init (HarkReactor *self)
{
  self->epoll_fd = -1;
  self->connections = g_ptr_array_new ();
  self->dirty = g_ptr_array_new ();
  self->ready = g_ptr_array_new ();
  self->ended = g_ptr_array_new ();
  self->ping = hark_websocket_encode (HARK_WEBSOCKET_PING, NULL, 0);
  hark_wheel_init (&self->wheel);
}

static guint
shortest_timeout (const HarkReactorLimits *limits)
{
  guint shortest = limits->close_timeout_ms;
  if (limits->heartbeat_ms > 0)
    shortest = MIN (shortest, MIN (limits->heartbeat_ms, limits->timeout_ms));
  return shortest;
}

/**
 * hark_reactor_new:
 * @context: (nullable): the hub's, the thread-default one of all who call the connections
 * @turn: whose flush stage is the reactor's from now on
 * @limits: copied
 *
 * Returns: (transfer full): a reactor without connections
 */
HarkReactor *
hark_reactor_new (GMainContext *context, HarkTurn *turn, HarkClock *clock, HarkMetrics *metrics,
                  const HarkReactorLimits *limits)
{
  HarkReactor *self = g_object_new (HARK_TYPE_REACTOR, NULL);
  ReactorSource *source;
  self->limits = *limits;
  self->limits.read_budget = MAX (limits->read_budget, MIN_READ_BUDGET);
  self->limits.message_budget = MAX (limits->message_budget, 1);
  self->context.max_message = limits->max_message;
  self->context.max_fragments = limits->max_fragments;
  self->turn = g_object_ref (turn);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  self->scratch = g_malloc (self->limits.read_budget);
  self->tick_ms = CLAMP (shortest_timeout (limits) / TICKS_PER_TIMEOUT, MIN_TICK_MS, MAX_TICK_MS);
  self->epoch = hark_clock_get_monotonic (clock);
  init_counters (self);
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  if (self->epoll_fd < 0)
    g_error ("epoll_create1: %s", g_strerror (errno));
  self->source = g_source_new (&reactor_source_funcs, sizeof (ReactorSource));
  source = (ReactorSource *)self->source;
  source->reactor = self;
  source->tag = g_source_add_unix_fd (self->source, self->epoll_fd, G_IO_IN);
  g_source_set_static_name (self->source, "hark-reactor");
  g_source_attach (self->source, context);
  hark_turn_set_stage (turn, HARK_TURN_FLUSH, on_turn_flush, self);
  return self;
}

/**
 * hark_reactor_adopt:
 * @fd: (transfer full): a connected stream socket, its handshake written; its blocking mode does not matter
 * @address: (nullable): the client's, as text, where it is not the socket's peer (behind a proxy)
 * @deflate: whether permessage-deflate was negotiated, see hark_deflate_negotiate ()
 * @early: (array length=early_len): what was read behind the handshake
 *
 * Takes over a connection. Nothing is read of it before hark_websocket_start ().
 *
 * Returns: (transfer none): the transport, which the reactor holds until it has closed
 */
HarkWebSocket *
hark_reactor_adopt (HarkReactor *self, int fd, const char *address, gboolean deflate, const guint8 *early,
                    gsize early_len)
{
  HarkWebSocket *socket;
  g_assert (fd >= 0);
  hark_reactor_update_now (self);
  socket = hark_websocket_new (self, fd, address, deflate, early, early_len);
  socket->index = self->connections->len;
  g_ptr_array_add (self->connections, socket);
  if (self->limits.heartbeat_ms > 0)
    hark_reactor_add_timer (self, socket, self->limits.heartbeat_ms);
  if (self->tick_id == 0)
    self->tick_id = hark_clock_add_timeout (self->clock, self->tick_ms, on_tick, self);
  hark_counter_add (self->counters.connections, 1);
  hark_counter_add (self->counters.accepted, 1);
  return socket;
}

/* Begins to close every connection; hark_reactor_get_n_connections () says how many have not yet ended. */
void
hark_reactor_close_all (HarkReactor *self, guint code, const char *reason)
{
  self->busy++;
  /* From the end: one that ends at once is replaced by the last. */
  for (guint i = self->connections->len; i > 0; i--)
    if (i <= self->connections->len)
      hark_transport_close (self->connections->pdata[i - 1], code, reason);
  self->busy--;
}

/**
 * hark_reactor_set_reading:
 *
 * Whether what clients send is read, of all of them. What they send otherwise waits with the kernel; what is to be
 * written is written all the same, and closing handshakes are completed.
 */
void
hark_reactor_set_reading (HarkReactor *self, gboolean reading)
{
  if (self->held == !reading)
    return;
  self->held = !reading;
  self->busy++;
  /* From the end: one that cannot be watched ends, and is replaced by the last. */
  for (guint i = self->connections->len; i > 0; i--)
    {
      HarkWebSocket *socket = self->connections->pdata[MIN (i, self->connections->len) - 1];
      if (!socket->lingering)
        hark_websocket_update_watch (socket);
      if (reading && socket->fd >= 0 && socket->started && !socket->paused && socket->input != NULL)
        hark_reactor_add_ready (self, socket);
    }
  self->busy--;
}

/**
 * hark_reactor_set_log:
 * @log: (nullable): outlives the reactor; together with the marks of the transports it says, if this process is killed,
 *   which of the connections can be gone on with, and from where
 * @rev_func: called at each turn's end
 */
void
hark_reactor_set_log (HarkReactor *self, HarkTransportLog *log, HarkReactorRevFunc rev_func, gpointer data)
{
  self->log = log;
  self->rev_func = rev_func;
  self->rev_data = data;
}

guint
hark_reactor_get_n_connections (HarkReactor *self)
{
  return self->connections->len;
}
