/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/deliveries.h"
#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkClientMessages HarkClientMessages;

HarkClientMessages *hark_client_messages_new (HarkHub *hub, HarkStore *store, HarkDeliveries *deliveries,
                                              HarkMetrics *metrics);
void hark_client_messages_free (HarkClientMessages *self);

G_END_DECLS
