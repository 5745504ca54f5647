/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One log line per outage; see sqlite-health.h. */
#include "store/sqlite-health.h"

#include "store/sqlite-error.h"

/**
 * hark_sqlite_health_note:
 * @result: how the last attempt ended; what tells nothing of the machine counts as success
 */
void
hark_sqlite_health_note (HarkSqliteHealth *self, int result)
{
  gboolean failing = hark_sqlite_is_outage (result);
  if (failing == self->failing)
    return;
  self->failing = failing;
  if (self->gauge != NULL)
    hark_gauge_set (self->gauge, failing);
  if (failing)
    g_warning ("The store cannot %s: %s (SQLite result %d)", self->what, sqlite3_errstr (result), result);
  else
    g_message ("The store can %s again", self->what);
}
