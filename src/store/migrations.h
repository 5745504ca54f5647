/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/clock.h"

#include <sqlite3.h>

G_BEGIN_DECLS

gboolean hark_migrations_apply (sqlite3 *db, const char *directory, HarkClock *clock, GError **error);

G_END_DECLS
