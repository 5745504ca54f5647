/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/api.h"
#include "transport/engine-server.h"
#include "transport/handshake.h"
#include "transport/listener.h"

#include "core/authenticator.h"

G_BEGIN_DECLS

/**
 * HarkFrontLimits:
 * @max_handshakes: connections whose request is not answered yet. At that number the oldest gives way when it has had
 *   @crowded_ms; until then no more are accepted
 * @crowded_ms: what a connection has for its request in any case
 * @handshake_ms: what it has when there is room: then it is closed, in the middle of a request too. A connection that is
 *   kept for a client that polls has as long for the next, and to read an answer
 * @max_per_address: connections of one address, or of one 64-bit IPv6 network, WebSockets included; 0: no bound
 * @count_local: whether connections from this machine are counted too, where a reverse proxy may stand for everybody
 * @max_head: bytes of a request's head, at most %HARK_FRONT_MAX_HEAD; over it, 431
 * @max_fields: header fields in it, at most %HARK_REQUEST_MAX_FIELDS; over it, 431
 * @max_body: bytes of a request's body; over it, 413, when it is announced or while it comes. Of Engine.IO: the limit
 *   of its server
 * @max_upgrades: connections waiting for the hub; over it, 503
 *
 * What those may cost who have not proved who they are. Start from hark_front_limits_init ().
 */
typedef struct
{
  guint32 max_handshakes;
  guint32 crowded_ms;
  guint32 handshake_ms;
  guint32 max_per_address;
  gboolean count_local;
  guint32 max_head;
  guint32 max_fields;
  guint32 max_body;
  guint32 max_upgrades;
} HarkFrontLimits;

/* Larger heads libsoup refuses, without a word. */
#define HARK_FRONT_MAX_HEAD (60 * 1024)

void hark_front_limits_init (HarkFrontLimits *self);

/**
 * HarkFrontConfig:
 * @routes: where WebSockets are opened; static
 * @allowed_hosts: (nullable): see hark_handshake_check_host ()
 * @allowed_origins: (nullable): see hark_handshake_check_origin ()
 * @deflate: whether permessage-deflate is agreed on
 * @deflate_bytes: while those with whom it is can hold less than so much memory all together, see #HarkDeflateBudget
 * @allow_late_authentication: whether a WebSocket is opened for who presents no token; what becomes of it then is
 *   decided by its session
 * @expose_metrics: whether there is a `/metrics`
 * @api: (nullable): who answers below %HARK_API_PREFIX
 * @engine: (nullable): who answers on routes with %HARK_ROUTE_ENGINE
 * @engine_cookie: (nullable): the name of a cookie that holds a polling session's id, as a load balancer may want it
 * @cors_credentials: whether pages of @allowed_origins may send cookies with their polls; never with "*"
 */
typedef struct
{
  HarkFrontLimits limits;
  const HarkRoute *routes;
  guint n_routes;
  const char *const *allowed_hosts;
  const char *const *allowed_origins;
  gboolean deflate;
  gsize deflate_bytes;
  gboolean allow_late_authentication;
  gboolean expose_metrics;
  HarkApi *api;
  HarkEngineServer *engine;
  const char *engine_cookie;
  gboolean cors_credentials;
} HarkFrontConfig;

#define HARK_TYPE_FRONT (hark_front_get_type ())
G_DECLARE_FINAL_TYPE (HarkFront, hark_front, HARK, FRONT, GObject)

HarkFront *hark_front_new (HarkListener *listener, HarkAuthenticator *authenticator, HarkMetrics *metrics,
                           const HarkFrontConfig *config);
void hark_front_start (HarkFront *self, GMainContext *context, HarkUpgradeFunc func, gpointer data);
void hark_front_set_ready (HarkFront *self, gboolean ready);
void hark_front_set_draining (HarkFront *self, gboolean draining);
void hark_front_readmit (HarkFront *self, HarkWebSocket *socket);
void hark_front_stop (HarkFront *self);

G_END_DECLS
