/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer: shared commits, savepoints, order, events, bounds, and disks that fail. */
#include "fault-vfs.h"
#include "store-fixture.h"

#include <sqlite3.h>
#include <string.h>

#define test(path, func) g_test_add (path, StoreFixture, NULL, store_fixture_set_up, func, store_fixture_tear_down)

static void
test_group_commit (StoreFixture *self, gconstpointer data)
{
  gint64 before;
  g_test_summary ("jobs that come while one runs share the next commit");
  store_fixture_open (self);
  before = store_fixture_counter (self, "hark_store_commits_total");
  store_fixture_gate (self, FALSE);
  store_fixture_wait_gates (self, 1);
  for (guint i = 1; i <= 500; i++)
    store_fixture_insert (self, i, NULL);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_write_queue_jobs"), ==, 500);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_commits_total") - before, ==, 2);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_batch_jobs"), ==, 500);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_write_queue_jobs"), ==, 0);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_commit_seconds"), ==, before + 2);
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_max_batch (StoreFixture *self, gconstpointer data)
{
  gint64 before;
  g_test_summary ("a commit has no more jobs than the bound");
  self->options.max_batch = 100;
  store_fixture_open (self);
  before = store_fixture_counter (self, "hark_store_commits_total");
  store_fixture_gate (self, FALSE);
  store_fixture_wait_gates (self, 1);
  for (guint i = 1; i <= 250; i++)
    store_fixture_insert (self, i, NULL);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_commits_total") - before, ==, 4);
  for (guint i = 0; i < self->asks->len; i++)
    g_assert_cmpuint (((Ask *)self->asks->pdata[i])->order, ==, i + 1);
}

static void
test_linger (StoreFixture *self, gconstpointer data)
{
  gint64 before;
  g_test_summary ("with a lingering batch jobs one after the other share a commit");
  self->options.batch_ms = 3600 * 1000;
  self->options.max_batch = 10;
  store_fixture_open (self);
  before = store_fixture_counter (self, "hark_store_commits_total");
  for (guint i = 1; i <= 20; i++)
    store_fixture_insert (self, i, NULL);
  store_fixture_wait (self);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_commits_total") - before, ==, 2);
  store_fixture_insert (self, 21, NULL);
  store_fixture_assert_file_has_what_was_answered (self);
  self->options.batch_ms = 1;
  store_fixture_open (self);
  store_fixture_insert (self, 22, NULL);
  store_fixture_wait (self);
}

static void
test_savepoints (StoreFixture *self, gconstpointer data)
{
  Ask *good, *failed, *doubled, *later;
  g_test_summary ("a job that fails in a shared commit is undone alone and gets its own error");
  store_fixture_open (self);
  store_fixture_gate (self, FALSE);
  store_fixture_wait_gates (self, 1);
  good = store_fixture_insert (self, 1, "a");
  failed = store_fixture_insert (self, 2, "fail");
  doubled = store_fixture_insert (self, 3, "a");
  later = store_fixture_insert (self, 4, "b");
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  g_assert_cmpint (good->state, ==, ASK_DONE);
  g_assert_cmpint (failed->state, ==, ASK_FAILED);
  g_assert_cmpint (failed->code, ==, HARK_ERROR_FORBIDDEN);
  g_assert_cmpint (doubled->state, ==, ASK_FAILED);
  g_assert_cmpint (doubled->code, ==, HARK_ERROR_CONFLICT);
  g_assert_cmpint (later->state, ==, ASK_DONE);
  g_assert_cmpuint (later->order, ==, 5);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_failed_jobs_total"), ==, 2);
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_events (StoreFixture *self, gconstpointer data)
{
  guint n = 0;
  g_test_summary ("events come in the order of the jobs, without those of jobs that failed");
  store_fixture_open (self);
  for (gint64 i = 1; i <= 300; i++)
    store_fixture_write (self, (Ask){ .id = i, .text = i % 7 == 0 ? "fail" : NULL, .emit = i % 3 != 0 });
  g_assert_cmpuint (self->events->len, ==, 0);
  store_fixture_wait (self);
  for (gint64 i = 1; i <= 300; i++)
    {
      const Ask *ask = self->asks->pdata[i - 1];
      g_assert_cmpint (ask->state, ==, i % 7 == 0 ? ASK_FAILED : ASK_DONE);
      if (ask->emit && ask->state == ASK_DONE)
        {
          g_assert_cmpuint (n, <, self->events->len);
          g_assert_cmpint (g_array_index (self->events, gint64, n++), ==, i);
        }
    }
  g_assert_cmpuint (n, ==, self->events->len);
}

static void
test_bound (StoreFixture *self, gconstpointer data)
{
  Ask *refused;
  g_test_summary ("a job beyond the queue's bound is overloaded, not from within the call");
  self->options.max_queue = 5;
  store_fixture_open (self);
  store_fixture_gate (self, FALSE);
  store_fixture_wait_gates (self, 1);
  for (guint i = 1; i <= 5; i++)
    store_fixture_insert (self, i, NULL);
  refused = store_fixture_insert (self, 6, NULL);
  g_assert_cmpint (refused->state, ==, ASK_OPEN);
  store_fixture_wait_for (self, refused);
  g_assert_cmpint (refused->code, ==, HARK_ERROR_OVERLOADED);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_overloads_total"), ==, 1);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  store_fixture_insert (self, 7, NULL);
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_close_runs_all (StoreFixture *self, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (self->path, "-wal", NULL);
  Ask *late;
  g_test_summary ("closing runs what waits, answers it, and leaves no log; what comes later is overloaded");
  store_fixture_open (self);
  for (guint i = 1; i <= 1000; i++)
    store_fixture_insert (self, i, NULL);
  hark_sqlite_store_close (self->store);
  g_assert_cmpuint (self->answers, ==, 1000);
  g_assert_false (g_file_test (wal, G_FILE_TEST_EXISTS));
  late = store_fixture_insert (self, 1001, NULL);
  g_assert_cmpint (late->state, ==, ASK_OPEN);
  store_fixture_wait (self);
  g_assert_cmpint (late->code, ==, HARK_ERROR_OVERLOADED);
  late = store_fixture_count (self);
  store_fixture_wait (self);
  g_assert_cmpint (late->code, ==, HARK_ERROR_OVERLOADED);
  late->id = 1002;
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_checkpoint (StoreFixture *self, gconstpointer data)
{
  g_autofree char *wal = g_strconcat (self->path, "-wal", NULL);
  g_autofree char *content = NULL;
  gsize len = 0;
  g_test_summary ("a long log is copied into the file between commits and does not grow without bound");
  self->options.wal_checkpoint_pages = 20;
  store_fixture_open (self);
  for (guint i = 1; i <= 200; i++)
    {
      store_fixture_write (self, (Ask){ .id = i, .size = 3000 });
      store_fixture_wait (self);
    }
  g_assert_cmpint (store_fixture_counter (self, "hark_store_checkpoints_total"), >=, 10);
  g_assert_true (g_file_get_contents (wal, &content, &len, NULL));
  g_assert_cmpuint (len, <, 60 * 4200);
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_checkpoint_waits_for_no_reader (StoreFixture *self, gconstpointer data)
{
  g_test_summary ("a reader that stays in the log delays its copying, not the writer, also over the limit");
  self->options.wal_checkpoint_pages = 5;
  self->options.wal_limit_pages = 20;
  store_fixture_open (self);
  store_fixture_gate (self, TRUE);
  store_fixture_wait_gates (self, 1);
  for (guint i = 1; i <= 40; i++)
    {
      const Ask *ask = store_fixture_write (self, (Ask){ .id = i, .size = 3000 });
      store_fixture_wait_for (self, ask);
    }
  g_assert_cmpint (store_fixture_counter (self, "hark_store_wal_pages"), >, 40);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  for (guint i = 41; i <= 60; i++)
    {
      store_fixture_write (self, (Ask){ .id = i, .size = 3000 });
      store_fixture_wait (self);
    }
  g_assert_cmpint (store_fixture_counter (self, "hark_store_wal_pages"), <, 10);
  store_fixture_assert_file_has_what_was_answered (self);
}

typedef struct
{
  Fault fault;
  const char *name;
  HarkError code;
  const char *log;
} FaultCase;

static const FaultCase fault_cases[] = {
  { FAULT_FULL, "full", HARK_ERROR_OVERLOADED, "The store cannot write: database or disk is full*" },
  { FAULT_WRITE, "write", HARK_ERROR_INTERNAL, "The store cannot write: disk I/O error*" },
  { FAULT_SYNC, "sync", HARK_ERROR_INTERNAL, "The store cannot write: disk I/O error*" },
  { FAULT_READ_ONLY, "read-only", HARK_ERROR_INTERNAL, "The store cannot write: disk I/O error*" },
};

static void
write_some (StoreFixture *self, gint64 *next_id, guint n, gboolean one_by_one)
{
  for (guint i = 0; i < n; i++)
    {
      store_fixture_write (self, (Ask){ .id = ++*next_id, .size = 2000, .emit = TRUE });
      if (one_by_one)
        store_fixture_wait (self);
    }
  store_fixture_wait (self);
}

static guint
count_failed (StoreFixture *self, guint from, const FaultCase *fault)
{
  guint failed = 0;
  for (guint i = from; i < self->asks->len; i++)
    {
      const Ask *ask = self->asks->pdata[i];
      if (ask->state == ASK_FAILED)
        g_assert_cmpint (ask->code, ==, fault->code);
      failed += ask->state == ASK_FAILED;
    }
  return failed;
}

/* What is said of checkpoints, which may succeed and fail in between, is not looked at. */
static void
assert_one_outage (const char *log, const char *pattern)
{
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  guint begun = 0, ended = 0;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      begun += g_pattern_match_simple (pattern, lines[i]);
      ended += g_str_equal (lines[i], "The store can write again");
      g_assert_true (lines[i][0] == '\0' || strstr (lines[i], "write") != NULL
                     || strstr (lines[i], "copy its log") != NULL);
    }
  g_assert_cmpuint (begun, ==, 1);
  g_assert_cmpuint (ended, ==, 1);
}

static void
test_fault (StoreFixture *self, gconstpointer data)
{
  const FaultCase *fault = data;
  gint64 next_id = 0;
  g_test_summary ("while the disk fails senders get an error, nothing is acknowledged that is not stored, and after it "
                  "all goes on");
  self->options.wal_checkpoint_pages = 12;
  store_fixture_open (self);
  for (guint after = 0; after < 12; after++)
    {
      g_autofree char *log = NULL;
      guint from;
      write_some (self, &next_id, 5, TRUE);
      from = self->asks->len;
      fault_vfs_fail (fault->fault, after, G_MAXINT);
      write_some (self, &next_id, 20, TRUE);
      write_some (self, &next_id, 20, FALSE);
      g_assert_cmpuint (fault_vfs_get_hits (), >, 0);
      g_assert_cmpuint (count_failed (self, from, fault), >, 20);
      g_assert_cmpint (store_fixture_counter (self, "hark_store_failing"), ==, 1);
      g_assert_cmpint (store_fixture_counter (self, "hark_store_failed_commits_total"), >, 0);
      fault_vfs_fail (FAULT_NONE, 0, 0);
      from = self->asks->len;
      write_some (self, &next_id, 3, TRUE);
      g_assert_cmpuint (count_failed (self, from, fault), ==, 0);
      g_assert_cmpint (store_fixture_counter (self, "hark_store_failing"), ==, 0);
      log = store_fixture_take_log ();
      assert_one_outage (log, fault->log);
    }
  for (guint i = 0, n = 0; i < self->asks->len; i++)
    {
      const Ask *ask = self->asks->pdata[i];
      if (ask->state == ASK_DONE)
        g_assert_cmpint (g_array_index (self->events, gint64, n++), ==, ask->id);
    }
  store_fixture_assert_file_has_what_was_answered (self);
  g_free (store_fixture_take_log ());
}

static void
test_lost_transaction (StoreFixture *self, gconstpointer data)
{
  g_autofree char *log = NULL;
  g_test_summary ("when a job's error rolls back everything, the jobs before it fail too and those after it do not");
  self->options.cache_kib = 40;
  store_fixture_open (self);
  store_fixture_insert (self, 1, NULL);
  store_fixture_wait (self);
  store_fixture_gate (self, FALSE);
  store_fixture_wait_gates (self, 1);
  for (guint i = 2; i <= 6; i++)
    store_fixture_write (self, (Ask){ .id = i, .emit = TRUE });
  store_fixture_write (self, (Ask){ .id = 7, .size = 1024 * 1024, .stubborn = TRUE, .emit = TRUE });
  for (guint i = 8; i <= 10; i++)
    store_fixture_write (self, (Ask){ .id = i, .emit = TRUE });
  fault_vfs_fail (FAULT_WRITE, 3, 1);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  log = store_fixture_take_log ();
  for (guint i = 0; i < self->asks->len; i++)
    {
      const Ask *ask = self->asks->pdata[i];
      g_assert_cmpint (ask->state, ==, ask->id >= 2 && ask->id <= 7 ? ASK_FAILED : ASK_DONE);
      if (ask->state == ASK_FAILED)
        g_assert_cmpint (ask->code, ==, HARK_ERROR_INTERNAL);
    }
  g_assert_cmpuint (self->events->len, ==, 3);
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_locked (StoreFixture *self, gconstpointer data)
{
  sqlite3 *other = NULL;
  Ask *ask;
  g_autofree char *log = NULL;
  g_test_summary ("a database that another process has locked is overloaded until it lets go");
  store_fixture_open (self);
  g_assert_cmpint (sqlite3_open_v2 (self->path, &other, SQLITE_OPEN_READWRITE, "unix"), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  for (guint i = 1; i <= 3; i++)
    {
      ask = store_fixture_insert (self, i, NULL);
      store_fixture_wait (self);
      g_assert_cmpint (ask->code, ==, HARK_ERROR_OVERLOADED);
    }
  ask = store_fixture_count (self);
  store_fixture_wait (self);
  g_assert_cmpint (ask->state, ==, ASK_DONE);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_failing"), ==, 1);
  g_assert_cmpint (sqlite3_exec (other, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  ask->id = 100;
  ask = store_fixture_insert (self, 4, NULL);
  store_fixture_wait (self);
  g_assert_cmpint (ask->state, ==, ASK_DONE);
  sqlite3_close (other);
  log = store_fixture_take_log ();
  g_assert_cmpstr (log, ==, "The store cannot write: database is locked (SQLite result 5)\nThe store can write again\n");
  ((Ask *)self->asks->pdata[3])->id = 0;
  store_fixture_assert_file_has_what_was_answered (self);
}

static void
test_waits_for_lock (StoreFixture *self, gconstpointer data)
{
  sqlite3 *other = NULL;
  Ask *ask;
  g_test_summary ("a lock that goes within the time-out is waited for");
  self->options.busy_timeout_ms = 60000;
  store_fixture_open (self);
  g_assert_cmpint (sqlite3_open_v2 (self->path, &other, SQLITE_OPEN_READWRITE, "unix"), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);
  ask = store_fixture_insert (self, 1, NULL);
  g_assert_cmpint (sqlite3_exec (other, "COMMIT", NULL, NULL, NULL), ==, SQLITE_OK);
  store_fixture_wait (self);
  g_assert_cmpint (ask->state, ==, ASK_DONE);
  sqlite3_close (other);
}

static gboolean
work_emit_and_note (HarkTransaction *transaction, gpointer data, GError **error)
{
  HarkTopic topic = { 0 };
  hark_transaction_emit (transaction, hark_event_new (&topic, 1, 0, "note", "{}", 2));
  return hark_transaction_exec (transaction, error, "INSERT INTO note (id) VALUES (?1)", "i", *(gint64 *)data);
}

static void
test_run_sync (StoreFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gint64 id = 5;
  g_test_summary ("before the first write works run in the caller's thread, committed or with their error");
  store_fixture_open (self);
  g_assert_true (hark_sqlite_store_run_sync (self->store, work_emit_and_note, &id, &error));
  g_assert_no_error (error);
  g_assert_false (hark_sqlite_store_run_sync (self->store, work_emit_and_note, &id, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_clear_error (&error);
  fault_vfs_fail (FAULT_FULL, 0, G_MAXINT);
  id = 6;
  g_assert_false (hark_sqlite_store_run_sync (self->store, work_emit_and_note, &id, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED);
  fault_vfs_fail (FAULT_NONE, 0, 0);
  store_fixture_close (self);
  g_assert_cmpuint (self->events->len, ==, 0);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT sum(id) FROM note"), ==, 5);
  g_free (store_fixture_take_log ());
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store_fixture_capture_log ();
  fault_vfs_register ();
  test ("/store/writer/group-commit", test_group_commit);
  test ("/store/writer/max-batch", test_max_batch);
  test ("/store/writer/linger", test_linger);
  test ("/store/writer/savepoints", test_savepoints);
  test ("/store/writer/events", test_events);
  test ("/store/writer/bound", test_bound);
  test ("/store/writer/close-runs-all", test_close_runs_all);
  test ("/store/writer/checkpoint", test_checkpoint);
  test ("/store/writer/checkpoint-waits-for-no-reader", test_checkpoint_waits_for_no_reader);
  for (guint i = 0; i < G_N_ELEMENTS (fault_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/store/writer/fault/", fault_cases[i].name, NULL);
      g_test_add (path, StoreFixture, &fault_cases[i], store_fixture_set_up, test_fault, store_fixture_tear_down);
    }
  test ("/store/writer/lost-transaction", test_lost_transaction);
  test ("/store/writer/locked", test_locked);
  test ("/store/writer/waits-for-lock", test_waits_for_lock);
  test ("/store/writer/run-sync", test_run_sync);
  return g_test_run ();
}
