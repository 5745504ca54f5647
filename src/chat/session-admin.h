/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

typedef struct _HarkSessionAdmin HarkSessionAdmin;

HarkSessionAdmin *hark_session_admin_new (HarkHub *hub);
void hark_session_admin_free (HarkSessionAdmin *self);

G_END_DECLS
