/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prepared statements, and the transaction class made of them. Concerns write their SQL as constants, so a statement
 * is found again by the constant's address; it is prepared once per connection and kept. What only a programmer can do
 * wrong ends the program here: two statements in one string, too few values, a statement started while it runs.
 */
#include "store/sqlite-statements.h"

#include "store/sqlite-error.h"

#include <string.h>

/* Bound values longer than this are not kept after the statement has run. */
#define MAX_KEPT_VALUE 4096

struct _HarkStatement
{
  HarkSqliteConnection *connection; /* unowned: it owns us */
  sqlite3_stmt *stmt;
  guint n_params;
  guint n_bound;
  gboolean running;
  gboolean large; /* a bound value is worth freeing */
};

void
hark_sqlite_statement_free (HarkStatement *self)
{
  sqlite3_finalize (self->stmt);
  g_free (self);
}

/**
 * hark_sqlite_statement_get:
 * @sql: a string constant
 * @result: (out): SQLite's result code
 *
 * Returns: (transfer none) (nullable): the statement, prepared now or before
 */
HarkStatement *
hark_sqlite_statement_get (HarkSqliteConnection *connection, const char *sql, int *result)
{
  HarkStatement *self = g_hash_table_lookup (connection->statements, sql);
  sqlite3_stmt *stmt = NULL;
  const char *tail = NULL;
  if (self != NULL)
    {
      g_assert (strcmp (sqlite3_sql (self->stmt), sql) == 0);
      *result = SQLITE_OK;
      return self;
    }
  *result = sqlite3_prepare_v3 (connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
  if (*result != SQLITE_OK)
    return NULL;
  g_assert (stmt != NULL && *tail == '\0');
  self = g_new0 (HarkStatement, 1);
  self->connection = connection;
  self->stmt = stmt;
  self->n_params = sqlite3_bind_parameter_count (stmt);
  g_hash_table_insert (connection->statements, (gpointer)sql, self);
  return self;
}

/* Steps once and resets; for statements without values and rows. Returns: SQLite's result code */
int
hark_sqlite_statement_run (HarkStatement *self)
{
  int result = sqlite3_step (self->stmt);
  sqlite3_reset (self->stmt);
  return result == SQLITE_DONE || result == SQLITE_ROW ? SQLITE_OK : result;
}

static void
fail (HarkSqliteConnection *connection, int result, GError **error)
{
  if (hark_sqlite_is_outage (result))
    {
      connection->outage = result;
      hark_sqlite_set_error (error, result, NULL);
      return;
    }
  hark_sqlite_set_error (error, result, sqlite3_errmsg (connection->db));
}

/*
 * After some errors SQLite has rolled back everything. A work that goes on regardless would then write outside of any
 * transaction, each statement a commit of its own: it is stopped here.
 */
static HarkStatement *
transaction_prepare (HarkTransaction *transaction, const char *sql, GError **error)
{
  HarkSqliteConnection *connection = (HarkSqliteConnection *)transaction;
  HarkStatement *self;
  int result;
  if (!hark_sqlite_connection_in_transaction (connection))
    {
      hark_sqlite_set_error (error, connection->outage != SQLITE_OK ? connection->outage : SQLITE_ABORT_ROLLBACK, NULL);
      return NULL;
    }
  self = hark_sqlite_statement_get (connection, sql, &result);
  if (self == NULL)
    {
      fail (connection, result, error);
      return NULL;
    }
  g_assert (!self->running);
  self->running = TRUE;
  self->n_bound = 0;
  connection->running++;
  return self;
}

static void
statement_bind_int64 (HarkStatement *self, guint index, gint64 value)
{
  int result = sqlite3_bind_int64 (self->stmt, index + 1, value);
  g_assert (result == SQLITE_OK);
  self->n_bound++;
}

static void
statement_bind_text (HarkStatement *self, guint index, const char *text, gssize len)
{
  gsize size = len < 0 ? strlen (text) : (gsize)len;
  int result = sqlite3_bind_text64 (self->stmt, index + 1, text, size, SQLITE_TRANSIENT, SQLITE_UTF8);
  g_assert (result == SQLITE_OK);
  self->n_bound++;
  self->large |= size > MAX_KEPT_VALUE;
}

static void
statement_bind_blob (HarkStatement *self, guint index, gconstpointer data, gsize len)
{
  /* SQLite takes a NULL pointer for SQL NULL; no bytes are a value all the same. */
  int result = sqlite3_bind_blob64 (self->stmt, index + 1, data != NULL ? data : "", len, SQLITE_TRANSIENT);
  g_assert (result == SQLITE_OK);
  self->n_bound++;
  self->large |= len > MAX_KEPT_VALUE;
}

static void
statement_bind_null (HarkStatement *self, guint index)
{
  int result = sqlite3_bind_null (self->stmt, index + 1);
  g_assert (result == SQLITE_OK);
  self->n_bound++;
}

static int
transaction_step (HarkTransaction *transaction, HarkStatement *self, GError **error)
{
  int result;
  g_assert (self->n_bound == self->n_params);
  result = sqlite3_step (self->stmt);
  if (G_LIKELY (result == SQLITE_ROW))
    return 1;
  if (G_LIKELY (result == SQLITE_DONE))
    return 0;
  fail (self->connection, result, error);
  return -1;
}

static gboolean
statement_is_null (HarkStatement *self, guint column)
{
  return sqlite3_column_type (self->stmt, column) == SQLITE_NULL;
}

static gint64
statement_get_int64 (HarkStatement *self, guint column)
{
  return sqlite3_column_int64 (self->stmt, column);
}

static const char *
statement_get_text (HarkStatement *self, guint column, gsize *len)
{
  const char *text = (const char *)sqlite3_column_text (self->stmt, column);
  if (len != NULL)
    *len = sqlite3_column_bytes (self->stmt, column);
  return text;
}

static gconstpointer
statement_get_blob (HarkStatement *self, guint column, gsize *len)
{
  gconstpointer data = sqlite3_column_blob (self->stmt, column);
  *len = sqlite3_column_bytes (self->stmt, column);
  return data;
}

static void
statement_reset (HarkStatement *self)
{
  sqlite3_reset (self->stmt);
  if (self->large)
    {
      sqlite3_clear_bindings (self->stmt);
      self->large = FALSE;
    }
  self->running = FALSE;
  self->connection->running--;
}

static gint64
transaction_get_changes (HarkTransaction *transaction)
{
  return sqlite3_changes64 (((HarkSqliteConnection *)transaction)->db);
}

const HarkTransactionClass hark_sqlite_transaction_class = {
  .prepare = transaction_prepare,
  .bind_int64 = statement_bind_int64,
  .bind_text = statement_bind_text,
  .bind_blob = statement_bind_blob,
  .bind_null = statement_bind_null,
  .step = transaction_step,
  .is_null = statement_is_null,
  .get_int64 = statement_get_int64,
  .get_text = statement_get_text,
  .get_blob = statement_get_blob,
  .reset = statement_reset,
  .get_changes = transaction_get_changes,
};
