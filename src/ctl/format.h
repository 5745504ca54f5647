/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"

#include <gio/gio.h>

G_BEGIN_DECLS

char *hark_ctl_format_value (const char *field, GVariant *value);
char *hark_ctl_format_duration (gint64 ms);
void hark_ctl_write_json (HarkJsonWriter *writer, const char *field, GVariant *value);
char *hark_ctl_format_json (GVariant *value);

G_END_DECLS
