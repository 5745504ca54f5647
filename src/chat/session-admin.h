/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/drain.h"
#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkSessionAdmin HarkSessionAdmin;

HarkSessionAdmin *hark_session_admin_new (HarkHub *hub, HarkMetrics *metrics);
void hark_session_admin_free (HarkSessionAdmin *self);
HarkDrain *hark_session_admin_get_drain (HarkSessionAdmin *self);

G_END_DECLS
