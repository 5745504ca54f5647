/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"
#include "core/back-end.h"

G_BEGIN_DECLS

#define HARK_TYPE_WEBHOOK (hark_webhook_get_type ())
G_DECLARE_FINAL_TYPE (HarkWebhook, hark_webhook, HARK, WEBHOOK, GObject)

HarkWebhook *hark_webhook_new (HarkClock *clock, const char *url, const char *secret, guint timeout_ms);

G_END_DECLS
