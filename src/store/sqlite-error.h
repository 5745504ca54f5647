/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"

#include <sqlite3.h>

G_BEGIN_DECLS

HarkError hark_sqlite_error_get_code (int result);
gboolean hark_sqlite_is_outage (int result);
gboolean hark_sqlite_needs_reopen (int result);
void hark_sqlite_set_error (GError **error, int result, const char *text);

G_END_DECLS
