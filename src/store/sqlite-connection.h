/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/sqlite-options.h"

#include "core/transaction.h"

#include <sqlite3.h>

G_BEGIN_DECLS

/* "Hark": marks a database file as ours. */
#define HARK_SQLITE_APPLICATION_ID 0x4861726b

/**
 * HarkSqliteConnection:
 *
 * One connection to the file, and the transaction that works on it see. Belongs to one thread at a time.
 */
typedef struct
{
  HarkTransaction parent; /* first: works are given this */
  sqlite3 *db;            /* (owned) */
  GHashTable *statements; /* (owned): address of the SQL → HarkStatement (owned) */
  guint running;          /* statements between their start and their reset */
  int outage;             /* what the machine last did to a statement; whoever acts on it sets it back */
  int wal_pages;          /* the log's length after the last commit */
} HarkSqliteConnection;

gboolean hark_sqlite_file_prepare (const char *path, GError **error);
HarkSqliteConnection *hark_sqlite_connection_open (const char *path, const HarkSqliteOptions *options,
                                                   gboolean writable, HarkClock *clock, HarkIds *ids, int *result,
                                                   GError **error);
void hark_sqlite_connection_close (HarkSqliteConnection *self);
int hark_sqlite_connection_run (HarkSqliteConnection *self, const char *sql);
gboolean hark_sqlite_connection_in_transaction (HarkSqliteConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSqliteConnection, hark_sqlite_connection_close)

G_END_DECLS
