/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/config.h"

G_BEGIN_DECLS

gboolean hark_upgrade_request (HarkConfig *config, GError **error);

G_END_DECLS
