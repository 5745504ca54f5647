/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/api.h"
#include "transport/handshake.h"

#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkHttpFuncs:
 * @upgraded: the handshake is answered; @early is what the client sent behind its request
 * @refused: the body has grown too large, and nothing is answered yet
 * @finished: the exchange is over, or the client has gone
 *
 * How an exchange ends: by exactly one of these, when libsoup has let go of the connection.
 */
typedef struct
{
  void (*upgraded) (gpointer connection, const guint8 *early, gsize early_len);
  void (*refused) (gpointer connection, const HarkRefusal *refusal);
  void (*finished) (gpointer connection);
} HarkHttpFuncs;

/**
 * HarkHttp:
 *
 * What libsoup serves: `/healthz`, `/readyz`, `/metrics`, what #HarkApi answers, the 404 of everything else, and the answer to a WebSocket
 * handshake. Belongs to the thread in which it is made.
 */
typedef struct _HarkHttp HarkHttp;

HarkHttp *hark_http_new (HarkMetrics *metrics, gboolean expose_metrics, gsize max_body, HarkApi *api, const gint *ready,
                         const HarkHttpFuncs *funcs);
void hark_http_free (HarkHttp *self);
gboolean hark_http_serve (HarkHttp *self, int fd, const HarkHandshake *handshake, gpointer connection, GError **error);

char *hark_http_format_error (HarkError code, const char *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkHttp, hark_http_free)

G_END_DECLS
