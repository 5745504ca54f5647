/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/jwt.h"
#include "daemon/config.h"

G_BEGIN_DECLS

gboolean hark_jwt_settings_load (HarkConfig *config, guint name_chars, HarkJwtIssuer **issuer, GPtrArray *mistakes);

G_END_DECLS
