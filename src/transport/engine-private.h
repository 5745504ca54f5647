/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between engine.c, what a session does, and engine-server.c, which has the sessions, the time and the requests. */
#include "transport/engine-request.h"
#include "transport/engine-server.h"
#include "transport/engineio-codec.h"
#include "transport/wheel.h"

G_BEGIN_DECLS

struct _HarkEngine
{
  HarkTransport parent_instance;

  HarkEngineServer *server; /* unowned: it ends its sessions before it goes; NULL after that */
  HarkWebSocket *socket;    /* (owned) (nullable): by which it travels; NULL: it polls */
  HarkWebSocket *probe;     /* (owned) (nullable): which may replace polling */
  HarkEngineRequest *poll;  /* (owned) (nullable): waits for something to be sent */
  HarkEngineRequest *post;  /* (owned) (nullable): whose body comes, or is being taken */
  HarkAddressLease *lease;  /* (owned) (nullable) */
  HarkWheelLink timer;
  gint64 ping_at;     /* server's milliseconds: the next ping; when @pinged, the end without a pong */
  gint64 upgrade_by;  /* server's milliseconds: the end of @probe */
  gint64 close_by;    /* server's milliseconds: the end when we close and no poll comes */
  guint route_kind;   /* the application's number of what is spoken in it */
  char *address;      /* (owned) */
  char *close_reason; /* (owned) (nullable) */
  guint16 close_code; /* who began to close first said so; 0: nobody did */
  guint8 n_noops;     /* polls sent away since the probe */
  guint pinged : 1;
  guint extended : 1; /* the pong has had its second time */
  guint probed : 1;   /* @probe was answered */
  guint paused : 1;   /* set_reading (FALSE) */
  guint has_body : 1; /* all of it; until then @post's is the front's */
  guint taking : 1;   /* packets of @post are being taken, further up the stack */
  char sid[HARK_ENGINEIO_SID_LEN];
};

typedef struct
{
  HarkGauge *sessions;
  HarkCounter *opened;
  HarkCounter *upgraded;
  HarkCounter *polls;
  HarkCounter *posts;
  HarkCounter *packets;
  HarkCounter *refused;
  HarkCounter *overloaded;
  HarkCounter *overlaps;
  HarkCounter *parse_errors;
  HarkCounter *ping_timeouts;
  HarkCounter *upgrade_timeouts;
} HarkEngineCounters;

struct _HarkEngineServer
{
  GObject parent_instance;
  HarkEngineLimits limits;
  HarkEngineCounters counters;
  HarkEngineOpenedFunc opened;
  gpointer opened_data;
  HarkTurn *turn;         /* (owned) */
  HarkClock *clock;       /* (owned) */
  HarkMetrics *metrics;   /* (owned) */
  HarkHandOver *requests; /* (owned) */
  GHashTable *sessions;   /* sid → HarkEngine (owned) */
  GPtrArray *dirty;       /* (element-type HarkEngine) (owned): to be looked at at the turn's end */
  HarkBuffer *ping;       /* (owned): the unit of a ping */
  HarkWheel wheel;
  guint tick_ms;
  guint tick_id;
  HarkBuffer *payload_units; /* (owned) (nullable): what @payload was made of: the next receiver's are the same */
  GBytes *payload;           /* (owned) (nullable) */
};

/* What the server offers to engine.c. */
gint64 hark_engine_server_get_now (HarkEngineServer *self);
void hark_engine_server_wake (HarkEngineServer *self, HarkEngine *engine);
void hark_engine_server_add_timer (HarkEngineServer *self, HarkEngine *engine, gint64 at);
void hark_engine_server_remove (HarkEngineServer *self, HarkEngine *engine);
GBytes *hark_engine_server_encode (HarkEngineServer *self, HarkEngine *engine, const char *last);

/* Between engine.c and engine-socket.c. */
void hark_engine_schedule (HarkEngine *self);
void hark_engine_restart_ping (HarkEngine *self);
void hark_engine_answer (HarkEngineRequest **request, guint status, const char *type, const char *text);
void hark_engine_answer_poll (HarkEngine *self, const char *packet);
void hark_engine_take_packet (HarkEngine *self, const HarkEngineIOPacket *packet);
void hark_engine_fail_parse (HarkEngine *self);
gboolean hark_engine_use_socket (HarkEngine *self, HarkWebSocket *socket);
void hark_engine_drop_probe (HarkEngine *self);

/* What both offer to the server. */
HarkEngine *hark_engine_new (HarkEngineServer *server, guint route_kind, const char *address, HarkAddressLease *lease);
void hark_engine_open (HarkEngine *self, HarkWebSocket *socket, const char *query);
gboolean hark_engine_can_upgrade (HarkEngine *self);
void hark_engine_take_probe (HarkEngine *self, HarkWebSocket *socket);
void hark_engine_take_poll (HarkEngine *self, HarkEngineRequest *request);
void hark_engine_begin_post (HarkEngine *self, HarkEngineRequest *request);
void hark_engine_take_post (HarkEngine *self);
void hark_engine_lose (HarkEngine *self, HarkEngineRequest *request);
void hark_engine_flush (HarkEngine *self);
void hark_engine_expire (HarkEngine *self);
void hark_engine_end (HarkEngine *self, guint code, const char *reason);

G_END_DECLS
