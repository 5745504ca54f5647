/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/engine.h"
#include "transport/hand-over.h"
#include "transport/upgrade.h"

#include "core/turn.h"

#include "base/clock.h"
#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkEngineLimits:
 * @max_sessions: sessions there may be; over it, a handshake is answered 503
 * @max_payload: bytes of a POST's body, and of a poll's answer when it has more than one packet; told to clients as
 *   `maxPayload`. To be the same as the reactor's `max_message`, which bounds what comes by WebSocket
 * @max_packets: packets in one body; over it, the session is closed as for a packet that is none
 * @packet_budget: packets taken of one body in a turn before others are served
 * @max_outbox: bytes waiting for one client; what becomes of a client over it is its session's decision
 * @ping_interval_ms: from a pong to the next ping
 * @ping_timeout_ms: from a ping to the session's end; once made longer when something else comes meanwhile
 * @upgrade_timeout_ms: what a WebSocket that is to replace polling has for its probe and its `upgrade` packet
 * @close_timeout_ms: how long a session that we close waits for a poll to tell
 *
 * What one client may cost the others. Start from hark_engine_limits_init ().
 */
typedef struct
{
  guint32 max_sessions;
  guint32 max_payload;
  guint32 max_packets;
  guint32 packet_budget;
  guint32 max_outbox;
  guint32 ping_interval_ms;
  guint32 ping_timeout_ms;
  guint32 upgrade_timeout_ms;
  guint32 close_timeout_ms;
} HarkEngineLimits;

void hark_engine_limits_init (HarkEngineLimits *self);

/**
 * HarkEngineOpenedFunc:
 * @transport: (transfer none): a new session; its server holds it until it has closed. Its sink is to be set now
 * @query: (nullable): of the request it came with, as it came
 */
typedef void (*HarkEngineOpenedFunc) (HarkEngine *transport, const char *query, gpointer data);

#define HARK_TYPE_ENGINE_SERVER (hark_engine_server_get_type ())
G_DECLARE_FINAL_TYPE (HarkEngineServer, hark_engine_server, HARK, ENGINE_SERVER, GObject)

HarkEngineServer *hark_engine_server_new (GMainContext *context, HarkTurn *turn, HarkClock *clock, HarkMetrics *metrics,
                                          const HarkEngineLimits *limits, HarkEngineOpenedFunc opened, gpointer data);
void hark_engine_server_adopt (HarkEngineServer *self, HarkUpgrade *upgrade, HarkReactor *reactor);
void hark_engine_server_close_all (HarkEngineServer *self, guint code, const char *reason);
guint hark_engine_server_get_n_sessions (HarkEngineServer *self);

/* For the front: where its requests go, and how long their bodies may be. */
HarkHandOver *hark_engine_server_get_requests (HarkEngineServer *self);
guint32 hark_engine_server_get_max_payload (HarkEngineServer *self);

G_END_DECLS
