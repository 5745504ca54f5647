/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Schema steps, and files that are refused: each refused file must be what it was before. */
#include "fault-vfs.h"
#include "store-fixture.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>

#define DIRECTORY "/org/hark/test/migrations/"

#define test(path, func) g_test_add (path, StoreFixture, NULL, store_fixture_set_up, func, store_fixture_tear_down)

static gboolean
open_with (StoreFixture *self, const char *migrations, GError **error)
{
  self->options.migrations = migrations;
  self->store
    = hark_sqlite_store_open (self->path, &self->options, self->clock, self->ids, self->metrics, self->context, error);
  return self->store != NULL;
}

/* The schema and every row of every table, as one text. */
static char *
dump (const char *path)
{
  GString *out = g_string_new (NULL);
  sqlite3 *db = NULL;
  sqlite3_stmt *tables = NULL;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, "unix"), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "SELECT type, name, sql FROM sqlite_schema ORDER BY rowid", -1, &tables,
                                       NULL),
                   ==, SQLITE_OK);
  while (sqlite3_step (tables) == SQLITE_ROW)
    {
      const char *name = (const char *)sqlite3_column_text (tables, 1);
      g_autofree char *sql = g_strdup_printf ("SELECT * FROM \"%s\" ORDER BY rowid", name);
      sqlite3_stmt *rows = NULL;
      g_string_append_printf (out, "%s: %s\n", name, (const char *)sqlite3_column_text (tables, 2));
      if (!g_str_equal ((const char *)sqlite3_column_text (tables, 0), "table"))
        continue;
      g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &rows, NULL), ==, SQLITE_OK);
      while (sqlite3_step (rows) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count (rows); i++)
          g_string_append_printf (out, "  %s\n", (const char *)sqlite3_column_text (rows, i));
      sqlite3_finalize (rows);
    }
  sqlite3_finalize (tables);
  sqlite3_close (db);
  return g_string_free (out, FALSE);
}

static void
test_applies_in_order (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL, *after = NULL;
  GStatBuf status;
  g_test_summary ("steps are applied in order of number, once each, to a file that only its owner may read");
  g_assert_true (open_with (self, DIRECTORY "one", &error));
  g_assert_cmpint (g_stat (self->path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  store_fixture_close (self);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT count(*) FROM log WHERE text = 'ann;'"), ==, 1);
  g_assert_true (open_with (self, DIRECTORY "two", &error));
  store_fixture_close (self);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT count(*) FROM person WHERE age IS NULL"), ==, 1);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT sum(number) FROM hark_migration"), ==, 13);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT applied_at FROM hark_migration"), ==,
                   hark_clock_get_real_ms (self->clock));
  before = dump (self->path);
  g_assert_true (open_with (self, DIRECTORY "two", &error));
  store_fixture_close (self);
  after = dump (self->path);
  g_assert_cmpstr (before, ==, after);
}

typedef struct
{
  const char *name;
  const char *had; /* the schema of the file, applied before */
  const char *migrations;
  const char *message; /* a pattern */
} RefusedCase;

static const RefusedCase refused_cases[] = {
  { "newer", "two", "one", "*schema is newer (002-pets.sql) than this program (001-people.sql)*" },
  { "changed", "one", "changed", "*001-people.sql is not this program's (001-people.sql)*" },
  { "broken", "one", "broken", "*002-broken.sql, statement from line 5: *no such table: nowhere*" },
  { "commits", "one", "commits", "*002-commits.sql, statement from line 2: *not authorized*" },
  { "orphaned-rows", "one", "orphans", "*leave rows of pet without their parents*" },
  { "gap", "one", "gap", "*001-people.sql is not this program's (002-pets.sql)*" },
  { "same-number", "one", "twice", "*have the same number*" },
  { "misnamed", "one", "misnamed", "*misnamed/pets.sql: is not named NNN-name.sql*" },
  { "no-directory", "one", "nothing", "*nothing*does not exist*" },
};

static void
test_refused (StoreFixture *self, gconstpointer data)
{
  const RefusedCase *refused = data;
  g_autofree char *had = g_strconcat (DIRECTORY, refused->had, NULL);
  g_autofree char *migrations = g_strconcat (DIRECTORY, refused->migrations, NULL);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("a schema that is newer, other or fails is refused by name, and the file stays what it was");
  g_assert_true (open_with (self, had, &error));
  store_fixture_close (self);
  before = dump (self->path);
  g_assert_false (open_with (self, migrations, &error));
  g_assert_nonnull (error);
  store_fixture_assert_match (error->message, refused->message);
  g_assert_true (g_str_has_prefix (error->message, self->path));
  after = dump (self->path);
  g_assert_cmpstr (before, ==, after);
  g_clear_error (&error);
  g_assert_true (open_with (self, had, &error));
}

static void
test_broken_from_nothing (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("when a later step fails in a new file the earlier ones are not there either");
  g_assert_false (open_with (self, DIRECTORY "broken", &error));
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT count(*) FROM sqlite_schema"), ==, 0);
  g_clear_error (&error);
  g_assert_true (open_with (self, DIRECTORY "one", &error));
}

static void
test_full_disk (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("a disk that is full while the schema is changed leaves the old one, at whatever write");
  g_assert_true (open_with (self, DIRECTORY "one", &error));
  store_fixture_close (self);
  for (guint after = 0;; after++)
    {
      g_autofree char *before = dump (self->path), *now = NULL;
      fault_vfs_fail (FAULT_FULL, after, G_MAXINT);
      if (open_with (self, DIRECTORY "two", &error))
        break;
      fault_vfs_fail (FAULT_NONE, 0, 0);
      g_assert_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED);
      g_clear_error (&error);
      now = dump (self->path);
      g_assert_cmpstr (before, ==, now);
    }
  fault_vfs_fail (FAULT_NONE, 0, 0);
  store_fixture_close (self);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT sum(number) FROM hark_migration"), ==, 13);
}

static void
assert_untouched (StoreFixture *self, const char *message)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize len_before, len_after;
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_get_contents (self->path, &before, &len_before, NULL));
  g_assert_false (open_with (self, DIRECTORY "one", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  store_fixture_assert_match (error->message, message);
  g_assert_true (g_file_get_contents (self->path, &after, &len_after, NULL));
  g_assert_cmpmem (before, len_before, after, len_after);
}

static void
test_not_a_database (StoreFixture *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (5000, 'x');
  g_test_summary ("a file that is not a database is refused untouched");
  g_assert_true (g_file_set_contents (self->path, "short", -1, NULL));
  assert_untouched (self, "*hark.db: is not a database*");
  g_assert_true (g_file_set_contents (self->path, text, -1, NULL));
  assert_untouched (self, "*hark.db: is not a database*");
}

static void
test_foreign_database (StoreFixture *self, gconstpointer data)
{
  sqlite3 *db = NULL;
  g_test_summary ("another program's database is refused untouched");
  g_assert_cmpint (sqlite3_open (self->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "CREATE TABLE theirs (id INTEGER)", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  assert_untouched (self, "*hark.db: is the database of another program*");
  g_assert_cmpint (sqlite3_open (self->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA application_id = 7", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  assert_untouched (self, "*application id 0x00000007*");
}

static void
test_no_directory (StoreFixture *self, gconstpointer data)
{
  g_autofree char *old G_GNUC_UNUSED = self->path;
  g_autoptr (GError) error = NULL;
  g_test_summary ("a path that cannot be is named in the error");
  self->path = g_build_filename (self->directory, "missing", "hark.db", NULL);
  g_assert_false (open_with (self, NULL, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  g_assert_true (g_str_has_prefix (error->message, self->path));
}

static void
test_read_only (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("a file that can only be read is refused by name");
  g_assert_true (open_with (self, DIRECTORY "one", &error));
  store_fixture_close (self);
  fault_vfs_fail (FAULT_READ_ONLY, 0, G_MAXINT);
  g_assert_false (open_with (self, DIRECTORY "one", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  store_fixture_assert_match (error->message, "*hark.db: cannot be opened: attempt to write a readonly database");
}

static void
test_one_process (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkSqliteStore) second = NULL;
  g_test_summary ("a store that is open is not opened a second time, and can be once it is closed");
  g_assert_true (open_with (self, DIRECTORY "one", &error));
  second
    = hark_sqlite_store_open (self->path, &self->options, self->clock, self->ids, self->metrics, self->context, &error);
  g_assert_null (second);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_clear_error (&error);
  store_fixture_close (self);
  g_assert_true (open_with (self, DIRECTORY "one", &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store_fixture_capture_log ();
  fault_vfs_register ();
  test ("/store/migrations/applies-in-order", test_applies_in_order);
  for (guint i = 0; i < G_N_ELEMENTS (refused_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/store/migrations/refused/", refused_cases[i].name, NULL);
      g_test_add (path, StoreFixture, &refused_cases[i], store_fixture_set_up, test_refused, store_fixture_tear_down);
    }
  test ("/store/migrations/broken-from-nothing", test_broken_from_nothing);
  test ("/store/migrations/full-disk", test_full_disk);
  test ("/store/migrations/not-a-database", test_not_a_database);
  test ("/store/migrations/foreign-database", test_foreign_database);
  test ("/store/migrations/no-directory", test_no_directory);
  test ("/store/migrations/read-only", test_read_only);
  test ("/store/migrations/one-process", test_one_process);
  return g_test_run ();
}
