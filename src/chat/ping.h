/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkPing HarkPing;

HarkPing *hark_ping_new (HarkHub *hub);
void hark_ping_free (HarkPing *self);

G_END_DECLS
