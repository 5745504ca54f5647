/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing a file's schema up to date. Each step is a text NNN-name.sql in a GResource; the file remembers number, name
 * and checksum of those it has had. All that are due are applied in one transaction: a step that fails leaves the file
 * as the previous program knew it. A file with a step that this program does not have was written by a newer one, and
 * is refused: nothing in it may be lost because somebody started an old binary.
 */
#include "store/migrations.h"

#include "store/sqlite-error.h"

#include <gio/gio.h>
#include <string.h>

typedef struct
{
  gint64 number;
  char *name; /* the file's, "003-messages.sql" */
  GBytes *text;
  char *checksum; /* SHA-256 of text */
} Migration;

static void
migration_clear (gpointer data)
{
  Migration *self = data;
  g_free (self->name);
  g_bytes_unref (self->text);
  g_free (self->checksum);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  gint64 left = ((const Migration *)a)->number, right = ((const Migration *)b)->number;
  return left < right ? -1 : left > right;
}

static gboolean
parse_number (const char *name, gint64 *number)
{
  gsize digits = strspn (name, "0123456789");
  *number = g_ascii_strtoll (name, NULL, 10);
  return digits > 0 && digits < 10 && *number > 0 && name[digits] == '-' && g_str_has_suffix (name, ".sql");
}

static gboolean
load_one (GArray *migrations, const char *directory, const char *name, GError **error)
{
  g_autofree char *path = g_build_path ("/", directory, name, NULL);
  g_autoptr (GBytes) text = NULL;
  Migration migration = { 0 };
  if (!parse_number (name, &migration.number))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: is not named NNN-name.sql", path);
      return FALSE;
    }
  text = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  if (text == NULL)
    return FALSE;
  migration.name = g_strdup (name);
  migration.checksum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, text);
  migration.text = g_steal_pointer (&text);
  g_array_append_val (migrations, migration);
  return TRUE;
}

static GArray *
load_all (const char *directory, GError **error)
{
  g_autoptr (GArray) migrations = g_array_new (FALSE, FALSE, sizeof (Migration));
  g_auto (GStrv) names = g_resources_enumerate_children (directory, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  g_array_set_clear_func (migrations, migration_clear);
  if (names == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++)
    if (!load_one (migrations, directory, names[i], error))
      return NULL;
  g_array_sort (migrations, compare_numbers);
  for (guint i = 1; i < migrations->len; i++)
    {
      const Migration *a = &g_array_index (migrations, Migration, i - 1);
      const Migration *b = &g_array_index (migrations, Migration, i);
      if (a->number == b->number)
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: %s and %s have the same number", directory, a->name,
                       b->name);
          return NULL;
        }
    }
  return g_steal_pointer (&migrations);
}

static gboolean
set_sql_error (GError **error, sqlite3 *db, int result)
{
  hark_sqlite_set_error (error, result, hark_sqlite_is_outage (result) ? NULL : sqlite3_errmsg (db));
  return FALSE;
}

static gboolean
run (sqlite3 *db, const char *sql, GError **error)
{
  int result = sqlite3_exec (db, sql, NULL, NULL, NULL);
  return result == SQLITE_OK || set_sql_error (error, db, result);
}

/* The i-th step the file has had must be our i-th. */
static gboolean
check_applied (const GArray *migrations, guint i, gint64 number, const char *name, const char *checksum, GError **error)
{
  const Migration *newest = migrations->len > 0 ? &g_array_index (migrations, Migration, migrations->len - 1) : NULL;
  const Migration *ours = i < migrations->len ? &g_array_index (migrations, Migration, i) : NULL;
  if (newest == NULL || number > newest->number)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL,
                   "store: the file's schema is newer (%s) than this program (%s); it was left as it is", name,
                   newest != NULL ? newest->name : "none");
      return FALSE;
    }
  if (ours == NULL || ours->number != number || g_strcmp0 (ours->checksum, checksum) != 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL,
                   "store: the file's schema step %s is not this program's (%s); it was left as it is", name,
                   ours != NULL ? ours->name : "none");
      return FALSE;
    }
  return TRUE;
}

/* @applied: (out): how many of @migrations the file has had */
static gboolean
read_applied (sqlite3 *db, const GArray *migrations, guint *applied, GError **error)
{
  sqlite3_stmt *stmt = NULL;
  gboolean ok = TRUE;
  int result = sqlite3_table_column_metadata (db, "main", "hark_migration", "number", NULL, NULL, NULL, NULL, NULL);
  *applied = 0;
  if (result == SQLITE_ERROR)
    return TRUE; /* no such table: a new file */
  if (result == SQLITE_OK)
    result
      = sqlite3_prepare_v2 (db, "SELECT number, name, checksum FROM hark_migration ORDER BY number", -1, &stmt, NULL);
  while (ok && result == SQLITE_OK && (result = sqlite3_step (stmt)) == SQLITE_ROW)
    {
      ok = check_applied (migrations, *applied, sqlite3_column_int64 (stmt, 0),
                          (const char *)sqlite3_column_text (stmt, 1), (const char *)sqlite3_column_text (stmt, 2),
                          error);
      *applied += 1;
      result = SQLITE_OK;
    }
  if (ok && result != SQLITE_DONE)
    ok = set_sql_error (error, db, result);
  sqlite3_finalize (stmt);
  return ok;
}

/* A step that commits by itself could not be taken back. */
static int
authorize (gpointer data, int action, const char *a, const char *b, const char *c, const char *d)
{
  return action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT || action == SQLITE_ATTACH ? SQLITE_DENY
                                                                                               : SQLITE_OK;
}

static guint
count_lines (const char *from, const char *to)
{
  guint lines = 1;
  for (; from < to; from++)
    lines += *from == '\n';
  return lines;
}

static gboolean
run_text (sqlite3 *db, const Migration *migration, GError **error)
{
  gsize len;
  const char *text = g_bytes_get_data (migration->text, &len);
  const char *end = text + len, *at = text;
  while (at < end)
    {
      sqlite3_stmt *stmt = NULL;
      const char *start = at;
      int result = sqlite3_prepare_v2 (db, at, end - at, &stmt, &at);
      while (result == SQLITE_OK && stmt != NULL && (result = sqlite3_step (stmt)) == SQLITE_ROW)
        result = SQLITE_OK;
      if (result != SQLITE_OK && result != SQLITE_DONE)
        {
          set_sql_error (error, db, result);
          g_prefix_error (error, "schema step %s, statement from line %u: ", migration->name,
                          count_lines (text, start + strspn (start, " \t\r\n")));
          sqlite3_finalize (stmt);
          return FALSE;
        }
      sqlite3_finalize (stmt);
    }
  return TRUE;
}

static gboolean
record (sqlite3 *db, const Migration *migration, HarkClock *clock, GError **error)
{
  sqlite3_stmt *stmt = NULL;
  int result
    = sqlite3_prepare_v2 (db, "INSERT INTO hark_migration (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
                          -1, &stmt, NULL);
  if (result == SQLITE_OK)
    {
      sqlite3_bind_int64 (stmt, 1, migration->number);
      sqlite3_bind_text (stmt, 2, migration->name, -1, SQLITE_STATIC);
      sqlite3_bind_text (stmt, 3, migration->checksum, -1, SQLITE_STATIC);
      sqlite3_bind_int64 (stmt, 4, hark_clock_get_real_ms (clock));
      result = sqlite3_step (stmt);
    }
  sqlite3_finalize (stmt);
  return result == SQLITE_DONE || set_sql_error (error, db, result);
}

static gboolean
check_foreign_keys (sqlite3 *db, GError **error)
{
  sqlite3_stmt *stmt = NULL;
  int result = sqlite3_prepare_v2 (db, "PRAGMA foreign_key_check", -1, &stmt, NULL);
  if (result == SQLITE_OK)
    result = sqlite3_step (stmt);
  if (result == SQLITE_ROW)
    g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL,
                 "store: the schema steps leave rows of %s without their parents",
                 (const char *)sqlite3_column_text (stmt, 0));
  else if (result != SQLITE_DONE)
    set_sql_error (error, db, result);
  sqlite3_finalize (stmt);
  return result == SQLITE_DONE;
}

static gboolean
apply_from (sqlite3 *db, const GArray *migrations, guint first, HarkClock *clock, GError **error)
{
  guint applied;
  if (!read_applied (db, migrations, &applied, error))
    return FALSE;
  if (applied != first)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "store: another process is changing the file's schema");
      return FALSE;
    }
  if (!run (db,
            "CREATE TABLE IF NOT EXISTS hark_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)",
            error))
    return FALSE;
  for (guint i = first; i < migrations->len; i++)
    {
      const Migration *migration = &g_array_index (migrations, Migration, i);
      gboolean ok;
      sqlite3_set_authorizer (db, authorize, NULL);
      ok = run_text (db, migration, error);
      sqlite3_set_authorizer (db, NULL, NULL);
      if (!ok || !record (db, migration, clock, error))
        return FALSE;
    }
  return check_foreign_keys (db, error) && run (db, "COMMIT", error);
}

/**
 * hark_migrations_apply:
 * @db: a connection that may write and has no transaction
 * @directory: GResource path of the texts
 *
 * Applies what is due, in order of number. Foreign keys are enforced at the end only: rebuilding a table is how SQLite
 * changes one.
 *
 * Returns: %FALSE with an error when @db has steps that are not ours or a step failed; then nothing was changed
 */
gboolean
hark_migrations_apply (sqlite3 *db, const char *directory, HarkClock *clock, GError **error)
{
  g_autoptr (GArray) migrations = load_all (directory, error);
  gboolean ok;
  guint applied;
  if (migrations == NULL || !read_applied (db, migrations, &applied, error))
    return FALSE;
  if (applied == migrations->len)
    return TRUE;
  if (!run (db, "PRAGMA foreign_keys = OFF", error) || !run (db, "BEGIN IMMEDIATE", error))
    return FALSE;
  ok = apply_from (db, migrations, applied, clock, error);
  if (!ok && !sqlite3_get_autocommit (db))
    sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return run (db, "PRAGMA foreign_keys = ON", ok ? error : NULL) && ok;
}
