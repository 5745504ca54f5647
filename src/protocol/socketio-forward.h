/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"

G_BEGIN_DECLS

void hark_socketio_forward_escape (GString *out, const HarkJsonObject *args);
void hark_socketio_forward_write (GString *out, const char *json, gsize len);

G_END_DECLS
