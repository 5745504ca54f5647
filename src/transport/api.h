/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "core/authenticator.h"
#include "core/dispatcher.h"
#include "transport/peer-address.h"

G_BEGIN_DECLS

/* libsoup's, which who includes this need not have. */
typedef struct _SoupServerMessage SoupServerMessage;

/* Where its requests are: behind it stands a command's name. */
#define HARK_API_PREFIX "/api/v1/"

#define HARK_TYPE_API (hark_api_get_type ())
G_DECLARE_FINAL_TYPE (HarkApi, hark_api, HARK, API, GObject)

/**
 * HarkApiLimits:
 * @max_requests: under way at a time; over it, 503
 * @rate_per_address: a second, in the long run, of one address that is not of this machine; 0: no bound. Over it, 429
 * @burst_per_address: of them at once
 * @max_addresses: of which that is remembered
 * @forwarded_for: what comes from this machine comes from a reverse proxy, which has put the client's address last into
 *   X-Forwarded-For
 */
typedef struct
{
  guint max_requests;
  guint rate_per_address;
  guint burst_per_address;
  guint max_addresses;
  gboolean forwarded_for;
} HarkApiLimits;

HarkApi *hark_api_new (HarkDispatcher *dispatcher, HarkAuthenticator *authenticator, HarkClock *clock,
                       HarkMetrics *metrics, const HarkApiLimits *limits);

/* The front's. */
void hark_api_attach (HarkApi *self, GMainContext *context);
void hark_api_detach (HarkApi *self);
void hark_api_serve (HarkApi *self, SoupServerMessage *message, const HarkPeerAddress *peer, const char *name);

G_END_DECLS
