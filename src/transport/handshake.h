/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/request-head.h"

G_BEGIN_DECLS

/* The subprotocol we answer with, and what a browser, which can set no other header, puts its token behind. */
#define HARK_SUBPROTOCOL "hark.v1"
#define HARK_SUBPROTOCOL_TOKEN "hark.token."

/* Bytes of a token; a JWT with a few claims has some hundred. */
#define HARK_MAX_TOKEN 4096
/* Bytes of `?resume=` and of `?cursors=`, decoded. */
#define HARK_MAX_RESUME 256
#define HARK_MAX_CURSORS 4096

typedef enum
{
  HARK_ROUTE_NONE = 0,
  HARK_ROUTE_TOKEN = 1 << 0,     /* one more segment of the path is a token */
  HARK_ROUTE_ENGINE = 1 << 1,    /* of Engine.IO: polled as well, and whoever comes is let in without a token */
  HARK_ROUTE_ANONYMOUS = 1 << 2, /* no token is needed */
  HARK_ROUTE_PAGE = 1 << 3       /* there is a page, too, for who does not ask for a WebSocket */
} HarkRouteFlags;

/**
 * HarkRoute:
 * @path: without a slash at its end, which a request may have or not
 * @kind: what its connections speak; a number of the application's, handed on
 *
 * A path at which WebSockets are opened, or Engine.IO is spoken. Adding a protocol is adding a row to the application's table.
 */
typedef struct
{
  const char *path;
  guint kind;
  HarkRouteFlags flags;
} HarkRoute;

/**
 * HarkHandshake:
 * @route: (unowned)
 * @token: (nullable): as it was presented; never logged, never sent back
 * @subprotocol: whether %HARK_SUBPROTOCOL was offered and is answered
 * @extensions: (nullable): the response's Sec-WebSocket-Extensions; when set, permessage-deflate is on
 * @query: (nullable): the target's query, as it came
 * @resume: (nullable): its `resume`, decoded
 * @cursors: (nullable): its `cursors`, decoded
 *
 * What a client that opens a WebSocket asked for.
 */
typedef struct
{
  const HarkRoute *route;
  gboolean subprotocol;
  char *token;
  char *extensions;
  char *query;
  char *resume;
  char *cursors;
} HarkHandshake;

const HarkRoute *hark_handshake_find_route (const HarkRoute *routes, guint n_routes, const char *path);
const HarkRefusal *hark_handshake_read (HarkHandshake *self, const HarkRequestHead *head, const HarkRoute *route,
                                        gboolean deflate);
void hark_handshake_clear (HarkHandshake *self);

const HarkRefusal *hark_handshake_check_host (const HarkRequestHead *head, const char *const *allowed);
const HarkRefusal *hark_handshake_check_origin (const HarkRequestHead *head, const char *const *allowed);

G_END_DECLS
