/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that writes and says what was answered, killed at some moment, again and again on the same file: all that
 * it has said is there, and nothing is torn.
 */
#include "fault-vfs.h"
#include "store-fixture.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CYCLES 20
#define IN_FLIGHT 50

typedef struct
{
  HarkSqliteStore *store;
  gint64 next;
} Child;

static gboolean
work_first (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error,
                                "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT, more BLOB)", "")
         && hark_transaction_query_int64 (transaction, data, NULL, error, "SELECT ifnull(max(id), 0) + 1 FROM note", "");
}

/* Two rows, so that half of a job would be seen. */
static gboolean
work_pair (HarkTransaction *transaction, gpointer data, GError **error)
{
  gint64 id = *(gint64 *)data;
  static const char more[700];
  return hark_transaction_exec (transaction, error, "INSERT INTO note (id, more) VALUES (?1, ?2)", "ib", id, more,
                                sizeof more)
         && hark_transaction_exec (transaction, error, "INSERT INTO note (id, text) VALUES (?1, 'second')", "i", -id);
}

static void write_next (Child *self);

static void
on_written (gpointer data, const GError *error, gpointer user_data)
{
  if (error != NULL || write (STDOUT_FILENO, data, sizeof (gint64)) != sizeof (gint64))
    g_error ("child: %s", error != NULL ? error->message : "cannot answer");
  write_next (user_data);
}

static void
write_next (Child *self)
{
  gint64 id = self->next++;
  hark_store_write (HARK_STORE (self->store), work_pair, g_memdup2 (&id, sizeof id), g_free, on_written, self);
}

/* Until it is killed. */
static void
run_child (const char *path)
{
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkIds) ids = hark_ids_new (clock);
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (GError) error = NULL;
  Child self = { 0 };
  options.wal_checkpoint_pages = 30;
  self.store = hark_sqlite_store_open (path, &options, clock, ids, metrics, NULL, &error);
  if (self.store == NULL || !hark_sqlite_store_run_sync (self.store, work_first, &self.next, &error))
    g_error ("child: %s", error->message);
  for (guint i = 0; i < IN_FLIGHT; i++)
    write_next (&self);
  while (self.store != NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* One life of the child; what it answers is added to @answered. */
static void
run_cycle (StoreFixture *self, const char *program, gboolean first, GArray *answered)
{
  g_autoptr (GError) error = NULL;
  const char *argv[] = { program, "--child", self->path, NULL };
  guint until = g_test_rand_int_range (first ? 1 : 0, 1500); /* answers it may give */
  GPid child;
  int pipe, status;
  gint64 id;
  g_spawn_async_with_pipes (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &child, NULL, &pipe, NULL,
                            &error);
  g_assert_no_error (error);
  for (guint i = 0;; i++)
    {
      if (i == until)
        g_assert_cmpint (kill (child, SIGKILL), ==, 0);
      if (read (pipe, &id, sizeof id) != sizeof id)
        break;
      g_array_append_val (answered, id);
    }
  close (pipe);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

/* Each id that was answered has both of its rows, and none has only one. */
static void
assert_has (const char *path, const GArray *answered)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, "unix"), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "SELECT count(*) FROM note WHERE id IN (?1, -?1)", -1, &stmt, NULL), ==,
                   SQLITE_OK);
  for (guint i = 0; i < answered->len; i++)
    {
      sqlite3_bind_int64 (stmt, 1, g_array_index (answered, gint64, i));
      g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
      g_assert_cmpint (sqlite3_column_int64 (stmt, 0), ==, 2);
      sqlite3_reset (stmt);
    }
  sqlite3_finalize (stmt);
  sqlite3_close (db);
  g_assert_cmpint (store_fixture_sql (path, "SELECT sum(id) FROM note"), ==, 0);
  g_assert_cmpint (store_fixture_sql (path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), ==, 1);
}

static void
test_kill (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GArray) answered = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_test_summary ("a process killed at any moment has stored all that it answered, and nothing by halves");
  for (guint i = 0; i < CYCLES; i++)
    {
      run_cycle (self, data, i == 0, answered);
      assert_has (self->path, answered);
    }
  g_test_message ("%u answers in %u lives", answered->len, CYCLES);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  store_fixture_capture_log ();
  fault_vfs_register ();
  g_test_add ("/store/kill", StoreFixture, argv[0], store_fixture_set_up, test_kill, store_fixture_tear_down);
  return g_test_run ();
}
