/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/websocket.h"

#include "core/turn.h"

#include "base/clock.h"
#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkReactorLimits:
 * @max_message: bytes of a whole message, inflated and assembled; over it, 1009
 * @max_fragments: frames of one message; over it, 1008
 * @max_outbox: bytes waiting for one client; what becomes of a client over it is its session's decision, 4008
 * @read_budget: bytes read from one connection in a turn before others are served
 * @message_budget: messages and control frames taken from one connection in a turn before others are served
 * @max_pings_per_second: pings answered in a second; over it, 1008
 * @heartbeat_ms: silence after which we send a ping; 0: never
 * @timeout_ms: silence after that ping with which we close, 4002
 * @close_timeout_ms: how long we wait for what is queued to be taken, the peer's close frame and the end of its stream
 *
 * What one client may cost the others. Start from hark_reactor_limits_init ().
 */
typedef struct
{
  guint32 max_message;
  guint32 max_fragments;
  guint32 max_outbox;
  guint32 read_budget;
  guint32 message_budget;
  guint32 max_pings_per_second;
  guint32 heartbeat_ms;
  guint32 timeout_ms;
  guint32 close_timeout_ms;
} HarkReactorLimits;

void hark_reactor_limits_init (HarkReactorLimits *self);

#define HARK_TYPE_REACTOR (hark_reactor_get_type ())
G_DECLARE_FINAL_TYPE (HarkReactor, hark_reactor, HARK, REACTOR, GObject)

HarkReactor *hark_reactor_new (GMainContext *context, HarkTurn *turn, HarkClock *clock, HarkMetrics *metrics,
                               const HarkReactorLimits *limits);
HarkWebSocket *hark_reactor_adopt (HarkReactor *self, int fd, const char *address, gboolean deflate,
                                   const guint8 *early, gsize early_len);
void hark_reactor_close_all (HarkReactor *self, guint code, const char *reason);
void hark_reactor_set_reading (HarkReactor *self, gboolean reading);
/* Returns: the rev up to which everything is published. */
typedef gint64 (*HarkReactorRevFunc) (gpointer data);
void hark_reactor_set_log (HarkReactor *self, HarkTransportLog *log, HarkReactorRevFunc rev_func, gpointer data);
guint hark_reactor_get_n_connections (HarkReactor *self);

G_END_DECLS
