/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store's tests have in common: a store on a real file, jobs that remember their answer, and a gate. */
#include "store-fixture.h"

#include "fault-vfs.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sqlite3.h>

#define DEADLINE_S 60

/* What was logged; of the process, as GLib's writer is. */
static GMutex log_lock;
static GString *log_text;

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  if (level > G_LOG_LEVEL_MESSAGE)
    return G_LOG_WRITER_HANDLED;
  g_mutex_lock (&log_lock);
  for (gsize i = 0; i < n; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      g_string_append_printf (log_text, "%s\n", (const char *)fields[i].value);
  g_mutex_unlock (&log_lock);
  return G_LOG_WRITER_HANDLED;
}

/* From now on warnings are kept for store_fixture_take_log (); a fixture that is torn down must have none left. */
void
store_fixture_capture_log (void)
{
  log_text = g_string_new (NULL);
  g_log_set_writer_func (write_log, NULL, NULL);
}

char *
store_fixture_take_log (void)
{
  char *text;
  g_mutex_lock (&log_lock);
  text = g_string_free (log_text, FALSE);
  log_text = g_string_new (NULL);
  g_mutex_unlock (&log_lock);
  return text;
}

/* @pattern: as of g_pattern_match_simple () */
void
store_fixture_assert_match (const char *text, const char *pattern)
{
  if (!g_pattern_match_simple (pattern, text))
    g_assert_cmpstr (text, ==, pattern);
}

void
store_fixture_set_up (StoreFixture *self, gconstpointer data)
{
  const HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  self->directory = g_dir_make_tmp ("hark-store-XXXXXX", NULL);
  g_assert_nonnull (self->directory);
  self->path = g_build_filename (self->directory, "hark.db", NULL);
  self->options = options;
  self->options.vfs = FAULT_VFS;
  self->options.busy_timeout_ms = 0;
  self->clock = HARK_CLOCK (hark_fake_clock_new (1763600000000));
  self->ids = hark_ids_new (self->clock);
  self->metrics = hark_metrics_new ();
  self->context = g_main_context_new ();
  g_main_context_push_thread_default (self->context);
  self->asks = g_ptr_array_new_with_free_func (g_free);
  self->events = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_mutex_init (&self->gate_lock);
  g_cond_init (&self->gate_cond);
}

void
store_fixture_tear_down (StoreFixture *self, gconstpointer data)
{
  g_autofree char *log = NULL;
  const char *name;
  GDir *directory;
  fault_vfs_fail (FAULT_NONE, 0, 0);
  store_fixture_close (self);
  for (guint i = 0; i < self->asks->len; i++)
    g_assert_true (((Ask *)self->asks->pdata[i])->destroyed);
  g_assert_finalize_object (self->ids);
  g_assert_finalize_object (self->clock);
  g_assert_finalize_object (self->metrics);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  g_ptr_array_unref (self->asks);
  g_array_unref (self->events);
  g_mutex_clear (&self->gate_lock);
  g_cond_clear (&self->gate_cond);
  directory = g_dir_open (self->directory, 0, NULL);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->directory, name, NULL);
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_dir_close (directory);
  g_assert_cmpint (g_rmdir (self->directory), ==, 0);
  g_free (self->directory);
  g_free (self->path);
  log = store_fixture_take_log ();
  g_assert_cmpstr (log, ==, "");
}

static void
on_committed (GPtrArray *events, gpointer user_data)
{
  StoreFixture *self = user_data;
  for (guint i = 0; i < events->len; i++)
    g_array_append_val (self->events, ((HarkEvent *)events->pdata[i])->seq);
}

static gboolean
work_create (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error,
                                "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT UNIQUE, more BLOB)",
                                "");
}

/* Opens the store; the table `note` is there. */
void
store_fixture_open (StoreFixture *self)
{
  g_autoptr (GError) error = NULL;
  self->store
    = hark_sqlite_store_open (self->path, &self->options, self->clock, self->ids, self->metrics, self->context, &error);
  g_assert_no_error (error);
  g_assert_true (hark_sqlite_store_run_sync (self->store, work_create, NULL, &error));
  hark_store_set_committed (HARK_STORE (self->store), on_committed, self);
}

void
store_fixture_close (StoreFixture *self)
{
  if (self->store == NULL)
    return;
  hark_sqlite_store_close (self->store);
  g_assert_finalize_object (self->store);
  self->store = NULL;
}

static gboolean
work_ask (HarkTransaction *transaction, gpointer data, GError **error)
{
  Ask *ask = data;
  g_autofree char *more = g_malloc0 (ask->size + 1);
  gboolean ok = hark_transaction_exec (transaction, error, "INSERT INTO note (id, text, more) VALUES (?1, ?2, ?3)",
                                       "itb", ask->id, ask->text, more, (gsize)ask->size);
  if (ask->stubborn)
    ok = hark_transaction_exec (transaction, ok ? error : NULL, "INSERT INTO note (id) VALUES (?1)", "i", -ask->id)
         && ok;
  if (ask->emit)
    {
      HarkTopic topic = { 0 };
      hark_transaction_emit (transaction, hark_event_new (&topic, ask->id, 0, "note", "{}", 2));
    }
  if (ok && g_strcmp0 (ask->text, "fail") == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "text: so the test wants it");
      return FALSE;
    }
  return ok;
}

static gboolean
work_count (HarkTransaction *transaction, gpointer data, GError **error)
{
  Ask *ask = data;
  return hark_transaction_query_int64 (transaction, &ask->value, NULL, error, "SELECT count(*) FROM note", "");
}

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  Ask *ask = data;
  g_assert_true (user_data == ask->fixture);
  g_assert_cmpint (ask->state, ==, ASK_OPEN);
  g_assert_false (ask->destroyed);
  g_assert_true (error == NULL || error->domain == HARK_ERROR);
  ask->state = error == NULL ? ASK_DONE : ASK_FAILED;
  ask->code = error != NULL ? error->code : 0;
  ask->order = ++ask->fixture->answers;
  ask->thread = g_thread_self ();
}

static void
on_destroy (gpointer data)
{
  Ask *ask = data;
  g_assert_cmpint (ask->state, !=, ASK_OPEN);
  g_assert_false (ask->destroyed);
  ask->destroyed = TRUE;
}

static Ask *
keep (StoreFixture *self, Ask ask)
{
  Ask *kept = g_memdup2 (&ask, sizeof ask);
  kept->fixture = self;
  g_ptr_array_add (self->asks, kept);
  return kept;
}

/* Asks for a row as @ask says. */
Ask *
store_fixture_write (StoreFixture *self, Ask ask)
{
  Ask *kept = keep (self, ask);
  hark_store_write (HARK_STORE (self->store), work_ask, kept, on_destroy, on_done, self);
  return kept;
}

Ask *
store_fixture_insert (StoreFixture *self, gint64 id, const char *text)
{
  return store_fixture_write (self, (Ask){ .id = id, .text = text });
}

/* Asks for the number of rows. */
Ask *
store_fixture_count (StoreFixture *self)
{
  Ask *kept = keep (self, (Ask){ 0 });
  hark_store_read (HARK_STORE (self->store), work_count, kept, on_destroy, on_done, self);
  return kept;
}

static gboolean
work_gate (HarkTransaction *transaction, gpointer data, GError **error)
{
  Ask *ask = data;
  StoreFixture *self = ask->fixture;
  if (!hark_transaction_query_int64 (transaction, &ask->value, NULL, error, "SELECT count(*) FROM note", ""))
    return FALSE;
  g_mutex_lock (&self->gate_lock);
  self->gates_reached++;
  g_cond_broadcast (&self->gate_cond);
  while (!self->gate_open)
    g_cond_wait (&self->gate_cond, &self->gate_lock);
  g_mutex_unlock (&self->gate_lock);
  return hark_transaction_query_int64 (transaction, &ask->value, NULL, error, "SELECT count(*) FROM note", "");
}

/* Keeps the writer or a reader in the middle of a job that has begun to read. */
void
store_fixture_gate (StoreFixture *self, gboolean reader)
{
  Ask *ask = keep (self, (Ask){ 0 });
  self->gate_open = FALSE;
  if (reader)
    hark_store_read (HARK_STORE (self->store), work_gate, ask, on_destroy, on_done, self);
  else
    hark_store_write (HARK_STORE (self->store), work_gate, ask, on_destroy, on_done, self);
}

/* Returns when @n gates since the fixture's beginning have been reached. */
void
store_fixture_wait_gates (StoreFixture *self, guint n)
{
  g_mutex_lock (&self->gate_lock);
  while (self->gates_reached < n)
    g_cond_wait (&self->gate_cond, &self->gate_lock);
  g_mutex_unlock (&self->gate_lock);
}

void
store_fixture_open_gate (StoreFixture *self)
{
  g_mutex_lock (&self->gate_lock);
  self->gate_open = TRUE;
  g_cond_broadcast (&self->gate_cond);
  g_mutex_unlock (&self->gate_lock);
}

static gboolean
on_deadline (gpointer data)
{
  g_error ("no answer within %u s", DEADLINE_S);
  return G_SOURCE_REMOVE;
}

/* Until @ask has its answer; all that were asked for, with NULL. */
void
store_fixture_wait_for (StoreFixture *self, const Ask *ask)
{
  GSource *deadline = g_timeout_source_new_seconds (DEADLINE_S);
  g_source_set_callback (deadline, on_deadline, NULL, NULL);
  g_source_attach (deadline, self->context);
  while (ask != NULL ? ask->state == ASK_OPEN : self->answers < self->asks->len)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (deadline);
  g_source_unref (deadline);
}

void
store_fixture_wait (StoreFixture *self)
{
  store_fixture_wait_for (self, NULL);
}

/* Closes the store; then the rows of the file are exactly those that were answered with success. */
void
store_fixture_assert_file_has_what_was_answered (StoreFixture *self)
{
  gint64 done = 0;
  store_fixture_close (self);
  for (guint i = 0; i < self->asks->len; i++)
    {
      const Ask *ask = self->asks->pdata[i];
      g_autofree char *sql = g_strdup_printf ("SELECT count(*) FROM note WHERE id = %" G_GINT64_FORMAT, ask->id);
      if (ask->id == 0)
        continue;
      g_assert_cmpint (store_fixture_sql (self->path, sql), ==, ask->state == ASK_DONE ? 1 : 0);
      done += ask->state == ASK_DONE;
    }
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT count(*) FROM note"), ==, done);
  g_assert_cmpint (store_fixture_sql (self->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), ==, 1);
}

typedef struct
{
  const char *name;
  gint64 value;
} Sought;

static void
on_metric (const HarkMetric *metric, gpointer data)
{
  Sought *sought = data;
  if (g_str_equal (metric->name, sought->name))
    sought->value
      = hark_counter_get (metric->kind == HARK_METRIC_HISTOGRAM ? &metric->histogram->count : metric->counter);
}

/* The figure of that name; of a histogram the count. */
gint64
store_fixture_counter (StoreFixture *self, const char *name)
{
  Sought sought = { name, -1 };
  hark_metrics_foreach (self->metrics, on_metric, &sought);
  g_assert_cmpint (sought.value, >=, 0);
  return sought.value;
}

/* The first number that @sql gives on a connection of its own, past the store. */
gint64
store_fixture_sql (const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;
  gint64 value;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, "unix"), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  value = sqlite3_column_int64 (stmt, 0);
  sqlite3_finalize (stmt);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return value;
}
