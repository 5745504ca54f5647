/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening the file the way Hark wants it: write-ahead log, foreign keys, nothing trusted that the schema might say.
 * A file that is not ours is told from its header before SQLite has touched it, so it stays as it is.
 */
#include "store/sqlite-connection.h"

#include "store/sqlite-error.h"
#include "store/sqlite-statements.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HEADER_LEN 100
#define APPLICATION_ID_OFFSET 68

static gboolean
set_errno_error (GError **error, const char *path, const char *what)
{
  int code = errno;
  g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: %s: %s", path, what, g_strerror (code));
  return FALSE;
}

static gboolean
check_header (const char *path, const guint8 *header, gssize len, GError **error)
{
  guint32 id;
  if (len == 0)
    return TRUE;
  if (len < HEADER_LEN || memcmp (header, "SQLite format 3", 16) != 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "%s: is not a database; it was left as it is", path);
      return FALSE;
    }
  memcpy (&id, header + APPLICATION_ID_OFFSET, sizeof id);
  if (GUINT32_FROM_BE (id) != HARK_SQLITE_APPLICATION_ID)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL,
                   "%s: is the database of another program (application id 0x%08x); it was left as it is", path,
                   GUINT32_FROM_BE (id));
      return FALSE;
    }
  return TRUE;
}

/**
 * hark_sqlite_file_prepare:
 *
 * Makes an empty file that only we may read, which SQLite then takes for a new database, or sees that the file there is
 * one of ours. SQLite gives its side files the same mode. Must be called before this process has opened the file:
 * closing a descriptor drops the process's locks on it.
 *
 * Returns: %FALSE with %HARK_ERROR_INTERNAL
 */
gboolean
hark_sqlite_file_prepare (const char *path, GError **error)
{
  guint8 header[HEADER_LEN];
  gssize len;
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0)
    return close (fd) == 0 || set_errno_error (error, path, "cannot be made");
  if (errno != EEXIST)
    return set_errno_error (error, path, "cannot be made");
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return set_errno_error (error, path, "cannot be opened");
  len = pread (fd, header, sizeof header, 0);
  if (len < 0)
    set_errno_error (error, path, "cannot be read");
  close (fd);
  return len >= 0 && check_header (path, header, len, error);
}

/* For settings alone: these take no bound values. Returns: SQLite's result code */
static int
set_pragma (sqlite3 *db, const char *format, gint64 value)
{
  char sql[128];
  g_snprintf (sql, sizeof sql, format, value);
  return sqlite3_exec (db, sql, NULL, NULL, NULL);
}

static int
configure (sqlite3 *db, const HarkSqliteOptions *options, gboolean writable)
{
  static const char *const synchronous[]
    = { [HARK_SQLITE_FULL] = "PRAGMA synchronous = FULL", [HARK_SQLITE_NORMAL] = "PRAGMA synchronous = NORMAL" };
  const gint64 page_size = 4096;
  int result = SQLITE_OK;
  sqlite3_busy_timeout (db, options->busy_timeout_ms);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  result = set_pragma (db, "PRAGMA temp_store = MEMORY", 0);
  if (result == SQLITE_OK)
    result = set_pragma (db, "PRAGMA cache_size = -%" G_GINT64_FORMAT,
                         writable ? options->cache_kib : options->reader_cache_kib);
  if (result != SQLITE_OK || !writable)
    return result != SQLITE_OK ? result : set_pragma (db, "PRAGMA query_only = ON", 0);
  result = sqlite3_exec (db, synchronous[options->synchronous], NULL, NULL, NULL);
  if (result == SQLITE_OK)
    result = set_pragma (db, "PRAGMA foreign_keys = ON", 0);
  if (result == SQLITE_OK)
    result = set_pragma (db, "PRAGMA journal_size_limit = %" G_GINT64_FORMAT, options->wal_limit_pages * page_size);
  return result;
}

static gboolean
read_number (sqlite3 *db, const char *sql, gint64 *number, int *result)
{
  sqlite3_stmt *stmt = NULL;
  *result = sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL);
  if (*result == SQLITE_OK)
    *result = sqlite3_step (stmt);
  if (*result == SQLITE_ROW)
    *number = sqlite3_column_int64 (stmt, 0);
  sqlite3_finalize (stmt);
  return *result == SQLITE_ROW;
}

static gboolean
set_write_ahead (sqlite3 *db, int *result)
{
  sqlite3_stmt *stmt = NULL;
  gboolean is_wal = FALSE;
  *result = sqlite3_prepare_v2 (db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
  if (*result == SQLITE_OK)
    *result = sqlite3_step (stmt);
  if (*result == SQLITE_ROW)
    {
      is_wal = g_strcmp0 ((const char *)sqlite3_column_text (stmt, 0), "wal") == 0;
      *result = SQLITE_OK;
    }
  sqlite3_finalize (stmt);
  if (*result == SQLITE_OK && !is_wal)
    *result = SQLITE_CANTOPEN;
  return *result == SQLITE_OK;
}

/*
 * Our mark is set before the write-ahead log is switched on, because only then is it in the file's own header from the
 * first commit on, where hark_sqlite_file_prepare () looks.
 */
static int
mark_and_set_write_ahead (sqlite3 *db)
{
  gint64 id = 0;
  int result;
  if (!read_number (db, "PRAGMA application_id", &id, &result))
    return result;
  if (id == 0)
    result = set_pragma (db, "PRAGMA application_id = %" G_GINT64_FORMAT, HARK_SQLITE_APPLICATION_ID);
  else
    result = SQLITE_OK;
  if (result == SQLITE_OK)
    set_write_ahead (db, &result);
  return result;
}

/*
 * SQLite counts the memory it has under a lock of the whole process, at each allocation; without that a write costs a
 * seventh less. It takes settings of the process only before its first use; where somebody else was first, it stays.
 */
static void
configure_library (void)
{
  static gsize configured;
  if (!g_once_init_enter (&configured))
    return;
  sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0);
  g_once_init_leave (&configured, 1);
}

static int
on_wal_commit (gpointer data, sqlite3 *db, const char *name, int pages)
{
  ((HarkSqliteConnection *)data)->wal_pages = pages;
  return SQLITE_OK;
}

/**
 * hark_sqlite_connection_open:
 * @writable: %FALSE: for a reader; the file must exist and be ours
 * @result: (out): SQLite's result code
 *
 * Returns: (transfer full): an open connection; %NULL with an error as hark_sqlite_error_get_code () says
 */
HarkSqliteConnection *
hark_sqlite_connection_open (const char *path, const HarkSqliteOptions *options, gboolean writable, HarkClock *clock,
                             HarkIds *ids, int *result, GError **error)
{
  g_autoptr (HarkSqliteConnection) self = g_new0 (HarkSqliteConnection, 1);
  int flags = (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  configure_library ();
  self->parent.klass = &hark_sqlite_transaction_class;
  self->parent.writable = writable;
  self->parent.ids = g_object_ref (ids);
  self->parent.clock = g_object_ref (clock);
  self->statements
    = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL, (GDestroyNotify)hark_sqlite_statement_free);
  *result = sqlite3_open_v2 (path, &self->db, flags, options->vfs);
  if (*result == SQLITE_OK && writable && sqlite3_db_readonly (self->db, "main") == 1)
    *result = SQLITE_READONLY;
  if (*result == SQLITE_OK)
    *result = configure (self->db, options, writable);
  if (*result == SQLITE_OK && writable)
    *result = mark_and_set_write_ahead (self->db);
  if (*result != SQLITE_OK)
    {
      g_set_error (error, HARK_ERROR, hark_sqlite_error_get_code (*result), "%s: cannot be opened: %s", path,
                   sqlite3_errstr (*result));
      return NULL;
    }
  if (writable)
    sqlite3_wal_hook (self->db, on_wal_commit, self);
  return g_steal_pointer (&self);
}

void
hark_sqlite_connection_close (HarkSqliteConnection *self)
{
  int result;
  g_hash_table_unref (self->statements);
  result = sqlite3_close (self->db);
  g_assert (result == SQLITE_OK);
  g_clear_object (&self->parent.ids);
  g_clear_object (&self->parent.clock);
  g_free (self);
}

/* Runs a statement constant without values or rows, in or outside of a transaction. Returns: SQLite's result code */
int
hark_sqlite_connection_run (HarkSqliteConnection *self, const char *sql)
{
  int result;
  HarkStatement *statement = hark_sqlite_statement_get (self, sql, &result);
  return statement != NULL ? hark_sqlite_statement_run (statement) : result;
}

gboolean
hark_sqlite_connection_in_transaction (HarkSqliteConnection *self)
{
  return !sqlite3_get_autocommit (self->db);
}
