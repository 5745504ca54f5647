/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkForward HarkForward;

HarkForward *hark_forward_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics);
void hark_forward_free (HarkForward *self);

G_END_DECLS
