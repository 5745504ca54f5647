/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-options.h"
#include "load-payload.h"

#include <netinet/in.h>

typedef struct LoadConn LoadConn;
typedef struct LoadEngine LoadEngine;
typedef struct LoadProtocol LoadProtocol;

typedef enum
{
  LOAD_CONN_NEW,
  LOAD_CONN_CONNECTING,
  LOAD_CONN_UPGRADING,
  LOAD_CONN_JOINING, /* WebSocket is up, the protocol on it not yet */
  LOAD_CONN_READY,
  LOAD_CONN_CLOSED
} LoadConnState;

typedef enum
{
  LOAD_EVENT_NONE,
  LOAD_EVENT_READY,
  LOAD_EVENT_DELIVERY,
  LOAD_EVENT_ACK,
  LOAD_EVENT_FAILURE
} LoadEventKind;

/* What a protocol makes of one message of the server. */
typedef struct
{
  LoadEventKind kind;
  LoadPayload payload; /* of a delivery */
  uint64_t ref;        /* of an ack */
} LoadEvent;

struct LoadConn
{
  LoadEngine *engine;
  int fd;
  LoadConnState state;
  bool dirty;
  bool want_write;
  uint32_t index;
  int64_t opened_at;

  /* set by the scenario before it opens */
  int room;                   /* for peers: the channel's number, or -1 for the echo */
  const LoadAccount *account; /* unowned, NULL where there are none */
  size_t first_channel;       /* for hark: subscribes to n_channels of the options' list from here on */
  size_t n_channels;

  size_t joined; /* replies to subscriptions so far */
  size_t hint;   /* load_payload_find () */

  uint8_t *rest; /* received, and not yet a whole frame or HTTP head */
  size_t rest_len;
  uint8_t *assembled; /* fragments of one message */
  size_t assembled_len;
  bool fragmented;

  uint8_t *out;
  size_t out_len;
  size_t out_cap;
  size_t out_at;   /* sent */
  size_t frame_at; /* header of the frame between begin and end */

  /* the scenario's */
  uint32_t *expected; /* per publisher: the counter that comes next */
  uint32_t sent;
  uint32_t acked;
  uint32_t in_flight;
  uint64_t order; /* hash over what was received, in order */
};

struct LoadEngine
{
  const LoadOptions *options; /* unowned */
  const LoadProtocol *protocol;
  struct sockaddr_in address;
  int epoll_fd;
  LoadConn **conns; /* (owned) */
  size_t n_conns;
  size_t cap_conns;
  size_t n_ready;
  LoadConn **dirty; /* unowned */
  size_t n_dirty;
  size_t cap_dirty;
  uint8_t *receive_buffer;
  int64_t started;
  int64_t now;     /* nanoseconds since started, as of the last read from a socket */
  int64_t next_id; /* temporary ids of messages: no other run has used them */
  bool failed;
  char failure[256]; /* the first one */

  void (*on_event) (LoadEngine *engine, LoadConn *conn, const LoadEvent *event);
  void (*on_ready) (LoadEngine *engine, LoadConn *conn); /* may be NULL */
  void *scenario;
};

bool load_engine_init (LoadEngine *engine, const LoadOptions *options, const LoadProtocol *protocol);
void load_engine_clear (LoadEngine *engine);
int64_t load_engine_read_clock (LoadEngine *engine);
void load_engine_fail (LoadEngine *engine, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

LoadConn *load_engine_add (LoadEngine *engine);
bool load_engine_open (LoadEngine *engine);
bool load_engine_turn (LoadEngine *engine, int timeout_ms);
bool load_engine_rest (LoadEngine *engine, double seconds);

uint8_t *load_conn_begin_text (LoadConn *conn, size_t len);
void load_conn_end_text (LoadConn *conn, size_t len);
void load_conn_send_text (LoadConn *conn, const char *text);
void load_conn_drop (LoadConn *conn);
