/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkDeflateBudget:
 *
 * How much memory all connections with permessage-deflate together may come to hold. Who is past it is served as well,
 * uncompressed. Alive as long as there are places taken.
 */
typedef struct _HarkDeflateBudget HarkDeflateBudget;
/* One connection's place in it. */
typedef struct _HarkDeflateBudget HarkDeflateLease;

HarkDeflateBudget *hark_deflate_budget_new (gsize max_bytes, HarkMetrics *metrics);
void hark_deflate_budget_unref (HarkDeflateBudget *self);
HarkDeflateLease *hark_deflate_budget_acquire (HarkDeflateBudget *self);
void hark_deflate_lease_free (HarkDeflateLease *self);

G_END_DECLS
