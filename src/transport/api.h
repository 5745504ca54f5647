/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "core/authenticator.h"
#include "core/dispatcher.h"

G_BEGIN_DECLS

/* libsoup's, which who includes this need not have. */
typedef struct _SoupServerMessage SoupServerMessage;

/* Where its requests are: behind it stands a command's name. */
#define HARK_API_PREFIX "/api/v1/"

#define HARK_TYPE_API (hark_api_get_type ())
G_DECLARE_FINAL_TYPE (HarkApi, hark_api, HARK, API, GObject)

HarkApi *hark_api_new (HarkDispatcher *dispatcher, HarkAuthenticator *authenticator, HarkMetrics *metrics,
                       guint max_requests);

/* The front's. */
void hark_api_attach (HarkApi *self, GMainContext *context);
void hark_api_detach (HarkApi *self);
void hark_api_serve (HarkApi *self, SoupServerMessage *message, const char *name);

G_END_DECLS
