/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "chat/chat-limits.h"
#include "core/back-end.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkDeliveries HarkDeliveries;

HarkDeliveries *hark_deliveries_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics,
                                     const HarkChatLimits *limits);
void hark_deliveries_stop (HarkDeliveries *self);
void hark_deliveries_free (HarkDeliveries *self);

/* @back_end: (nullable): who is told from now on */
void hark_deliveries_set_back_end (HarkDeliveries *self, HarkBackEnd *back_end);

/* Whether there is a back end to queue something for. */
gboolean hark_deliveries_wanted (HarkDeliveries *self);

/* For works. @json: (array length=len): any JSON value, told as `data`. OVERLOADED when too many wait. */
gboolean hark_delivery_queue (HarkDeliveries *self, HarkTransaction *tx, const char *kind, const char *json, gsize len,
                              GError **error);
/* The same in the hub's thread, in a work of its own: for who has nothing else to store. Does not wait; what finds the
 * queue full, or the store, is counted and gone. */
void hark_deliveries_add (HarkDeliveries *self, const char *kind, const char *json, gsize len);
/* In the hub's thread, after such a work was committed: something may wait. */
void hark_deliveries_wake (HarkDeliveries *self);

G_END_DECLS
