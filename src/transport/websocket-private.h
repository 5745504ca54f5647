/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between websocket.c, what a connection does, and reactor.c, when it does it. */

#include "transport/peer-address.h"
#include "transport/reactor.h"
#include "transport/websocket-codec.h"
#include "transport/wheel.h"

G_BEGIN_DECLS

/* Bytes received and not yet parsed: the connection's turn was over, or it is not to be read from. */
typedef struct
{
  guint32 len;
  guint32 offset;
  guint8 data[];
} HarkWebSocketInput;

/* There are ten thousands of these, most of them idle: what is rare is behind a pointer. */
struct _HarkWebSocket
{
  HarkTransport parent_instance;

  HarkOutbox *outbox;   /* unowned: what is written: its own, or that of who travels by it */
  HarkReactor *reactor; /* unowned: it ends its connections before it goes; NULL after that */
  int fd;               /* (owned): -1 when ended */
  guint32 index;        /* in the reactor's connections */
  HarkWebSocketCodec codec;
  HarkWebSocketInput *input; /* (owned) (nullable) */
  HarkBuffer *pong;          /* (owned) (nullable): the answer to the latest ping, not yet in the outbox */
  HarkBuffer *pong_queued;   /* (owned) (nullable): the one before: while the outbox holds it, @pong waits */
  HarkWheelLink timer;
  char *close_reason;  /* (owned) (nullable) */
  guint32 seen;        /* reactor's milliseconds: when bytes last came */
  guint32 since;       /* reactor's milliseconds: when our ping was sent or the closing handshake began */
  guint32 pings_since; /* reactor's milliseconds */
  guint16 pings;       /* since then */
  guint16 close_code;  /* who began to close first said so; 0: nobody did */
  HarkPeerAddress address;
  guint32 events; /* of epoll, as registered */
  guint started : 1;
  guint registered : 1;     /* with epoll */
  guint ready : 1;          /* in the reactor's list of those with input to parse */
  guint paused : 1;         /* set_reading (FALSE) */
  guint stalled : 1;        /* the kernel took no more: waiting for EPOLLOUT */
  guint pinged : 1;         /* our ping is unanswered */
  guint close_queued : 1;   /* our close frame is in the outbox or beyond */
  guint close_written : 1;  /* the kernel has it */
  guint close_received : 1; /* the peer's, or the peer broke the rules and none is waited for */
  guint lingering : 1;      /* nothing more is sent; what comes is dropped until the stream ends */
};

G_STATIC_ASSERT (sizeof (struct _HarkWebSocket) <= 256);

/* What websocket.c offers to the reactor. */
HarkWebSocket *hark_websocket_new (HarkReactor *reactor, int fd, const char *address, gboolean deflate,
                                   const guint8 *early, gsize early_len);
void hark_websocket_read (HarkWebSocket *self);
void hark_websocket_parse_input (HarkWebSocket *self);
void hark_websocket_write (HarkWebSocket *self);
void hark_websocket_expire (HarkWebSocket *self);
void hark_websocket_update_watch (HarkWebSocket *self);
void hark_websocket_settle (HarkWebSocket *self);
void hark_websocket_end (HarkWebSocket *self);

/* Figures of all connections together. */
typedef struct
{
  HarkGauge *connections;
  HarkCounter *accepted;
  HarkCounter *bytes_received;
  HarkCounter *messages_received;
  HarkCounter *pings_received;
  HarkCounter *bytes_sent;
  HarkCounter *units_sent;
  HarkCounter *writes;
  HarkCounter *short_writes;
  HarkCounter *budgets;
  HarkCounter *pongs_dropped;
  HarkCounter *heartbeats;
  HarkCounter *too_large;
  HarkCounter *abuse;
  HarkCounter *slow;
  HarkCounter *idle;
  HarkCounter *close_timeouts;
} HarkReactorCounters;

struct _HarkReactor
{
  GObject parent_instance;

  HarkReactorLimits limits;
  HarkReactorCounters counters;
  HarkWebSocketContext context;
  HarkTurn *turn;       /* (owned) */
  HarkClock *clock;     /* (owned) */
  HarkMetrics *metrics; /* (owned) */
  GSource *source;      /* (owned) */
  int epoll_fd;
  guint8 *scratch;        /* (owned): where connections are read to, limits.read_budget bytes */
  HarkBuffer *ping;       /* (owned): the frame of our heartbeat */
  GPtrArray *connections; /* (element-type HarkWebSocket) (owned) */
  GPtrArray *dirty;       /* (element-type HarkWebSocket): to be written to at the turn's end */
  GPtrArray *ready;       /* (element-type HarkWebSocket): with input to parse */
  GPtrArray *ended;       /* (element-type HarkWebSocket) (owned): may still lie in the two above */
  guint busy;             /* in a loop over connections: none may be freed */
  gboolean held;          /* nothing is read */
  HarkTransportLog *log;  /* (nullable) unowned */
  HarkReactorRevFunc rev_func;
  gpointer rev_data;
  gint64 epoch; /* microseconds: monotonic time of millisecond 0 */
  guint32 now;  /* milliseconds since, as of this turn; wraps */
  HarkWheel wheel;
  guint tick_ms;
  guint tick_id;

  /* Added to the counters once per turn. */
  gint64 bytes_received;
  gint64 messages_received;
  gint64 bytes_sent;
  gint64 units_sent;
  gint64 writes;
};

/* What the reactor offers to websocket.c. */
guint32 hark_reactor_update_now (HarkReactor *self);
void hark_reactor_wake (HarkReactor *self, HarkWebSocket *socket);
void hark_reactor_add_ready (HarkReactor *self, HarkWebSocket *socket);
void hark_reactor_add_timer (HarkReactor *self, HarkWebSocket *socket, guint32 ms);
gboolean hark_reactor_watch (HarkReactor *self, HarkWebSocket *socket, guint32 events);
void hark_reactor_remove (HarkReactor *self, HarkWebSocket *socket);
void hark_reactor_count_end (HarkReactor *self, guint code);

G_END_DECLS
