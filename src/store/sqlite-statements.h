/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/sqlite-connection.h"

G_BEGIN_DECLS

extern const HarkTransactionClass hark_sqlite_transaction_class;

HarkStatement *hark_sqlite_statement_get (HarkSqliteConnection *connection, const char *sql, int *result);
int hark_sqlite_statement_run (HarkStatement *self);
void hark_sqlite_statement_free (HarkStatement *self);

G_END_DECLS
