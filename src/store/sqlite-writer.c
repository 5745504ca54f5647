/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one thread that writes. It takes all jobs that wait, runs each inside a savepoint of its own, commits them
 * together and posts them to the hub together: the wait for the disk is paid once for all who came while the previous
 * one lasted. What is answered with success was committed before; when a commit fails, all of its jobs have failed.
 */
#include "store/sqlite-writer.h"

#include "store/migrations.h"
#include "store/sqlite-error.h"
#include "store/sqlite-health.h"

/* After this long without a job the log is copied into the file. */
#define IDLE_US (G_USEC_PER_SEC / 2)
/* How long a log over its limit makes the writer wait for a reader that holds on to it. */
#define RESTART_WAIT_MS 50

struct _HarkSqliteWriter
{
  const char *path; /* the store's, as are the next four */
  const HarkSqliteOptions *options;
  HarkClock *clock;
  HarkIds *ids;
  HarkMailbox *mailbox;
  const HarkSqliteMetrics *metrics;
  HarkJobQueue queue;
  GThread *thread; /* (nullable): from the first job on */

  /* The thread's own from here on. */
  HarkSqliteConnection *connection; /* (owned) */
  int outage;                       /* what went wrong in the running batch, or %SQLITE_OK */
  gboolean reopen;                  /* the connection is doubtful */
  int next_checkpoint;              /* pages in the log */
  HarkSqliteHealth health;
  HarkSqliteHealth checkpoint_health;
};

/* All of the jobs from @job to @end, exclusive, have not happened. */
static void
fail_jobs (HarkSqliteWriter *self, HarkJob *job, const HarkJob *end, int result)
{
  for (; job != end; job = job->next)
    {
      GError *error = NULL;
      hark_sqlite_set_error (&error, result, NULL);
      hark_job_take_error (job, error);
    }
  self->outage = result;
  self->reopen |= hark_sqlite_needs_reopen (result);
  hark_counter_add (self->metrics->failed_commits, 1);
}

/*
 * A new connection is opened before the old one is closed: with the last one the log's index would go, and a log that
 * is read anew shows commits whose fsync failed and who were answered with an error. Returns: SQLite's result code
 */
static int
reopen (HarkSqliteWriter *self)
{
  int result;
  HarkSqliteConnection *fresh
    = hark_sqlite_connection_open (self->path, self->options, TRUE, self->clock, self->ids, &result, NULL);
  if (fresh == NULL)
    return result;
  fresh->wal_pages = self->connection->wal_pages;
  hark_sqlite_connection_close (self->connection);
  self->connection = fresh;
  self->reopen = FALSE;
  return SQLITE_OK;
}

/* Returns: whether the transaction lives on */
static gboolean
undo_job (HarkSqliteConnection *connection)
{
  return hark_sqlite_connection_in_transaction (connection)
         && hark_sqlite_connection_run (connection, "ROLLBACK TO job") == SQLITE_OK
         && hark_sqlite_connection_run (connection, "RELEASE job") == SQLITE_OK;
}

/* Returns: whether the transaction lives on; the job may have failed all the same */
static gboolean
run_job (HarkSqliteWriter *self, HarkJob *job)
{
  HarkSqliteConnection *connection = self->connection;
  HarkTransaction *transaction = &connection->parent;
  gboolean ok;
  if (hark_sqlite_connection_run (connection, "SAVEPOINT job") != SQLITE_OK)
    return FALSE;
  ok = job->work (transaction, job->data, &job->error);
  g_assert (connection->running == 0);
  g_assert (ok == (job->error == NULL));
  job->events = g_steal_pointer (&transaction->events);
  if (ok && hark_sqlite_connection_in_transaction (connection))
    return hark_sqlite_connection_run (connection, "RELEASE job") == SQLITE_OK;
  g_clear_pointer (&job->events, g_ptr_array_unref);
  return undo_job (connection);
}

static void
roll_back (HarkSqliteWriter *self)
{
  if (hark_sqlite_connection_in_transaction (self->connection))
    hark_sqlite_connection_run (self->connection, "ROLLBACK");
  self->reopen |= hark_sqlite_connection_in_transaction (self->connection);
}

static gboolean
commit (HarkSqliteWriter *self, HarkJob *first, guint n)
{
  gint64 start = g_get_monotonic_time (), now;
  int result = hark_sqlite_connection_run (self->connection, "COMMIT");
  if (result != SQLITE_OK)
    {
      roll_back (self);
      fail_jobs (self, first, NULL, result);
      return FALSE;
    }
  now = g_get_monotonic_time ();
  hark_counter_add (self->metrics->commits, 1);
  hark_gauge_set (self->metrics->batch, n);
  hark_histogram_observe (self->metrics->commit_time, now - start);
  for (HarkJob *job = first; job != NULL; job = job->next)
    if (job->error == NULL)
      hark_histogram_observe (self->metrics->write_time, now - job->asked);
  return TRUE;
}

/**
 * run_transaction:
 * @first: a job; all that follow it belong to the batch
 *
 * Returns: (nullable): the first job that had no part in the transaction. When a job makes SQLite roll back everything,
 *   those before it have failed with it; they cannot be run again, as a work may have changed its data. Those after it
 *   get a transaction of their own.
 */
static HarkJob *
run_transaction (HarkSqliteWriter *self, HarkJob *first)
{
  guint n = 0;
  int result = SQLITE_OK;
  if (self->reopen)
    result = reopen (self);
  self->connection->outage = SQLITE_OK;
  if (result == SQLITE_OK)
    result = hark_sqlite_connection_run (self->connection, "BEGIN IMMEDIATE");
  if (result != SQLITE_OK)
    {
      fail_jobs (self, first, NULL, result);
      return NULL;
    }
  for (HarkJob *job = first; job != NULL; job = job->next, n++)
    if (!run_job (self, job))
      {
        HarkJob *next = job->next;
        result = self->connection->outage != SQLITE_OK ? self->connection->outage : SQLITE_ABORT_ROLLBACK;
        roll_back (self);
        fail_jobs (self, first, next, result);
        return next;
      }
  if (commit (self, first, n))
    self->outage = self->connection->outage;
  self->reopen |= hark_sqlite_needs_reopen (self->outage);
  return NULL;
}

static void
run_batch (HarkSqliteWriter *self, HarkJobList *batch)
{
  guint failed = 0;
  for (HarkJob *job = batch->head; job != NULL;)
    job = run_transaction (self, job);
  for (HarkJob *job = batch->head; job != NULL; job = job->next)
    failed += job->error != NULL;
  hark_counter_add (self->metrics->jobs, batch->len - failed);
  hark_counter_add (self->metrics->failed_jobs, failed);
  hark_sqlite_health_note (&self->health, self->outage);
}

/* Copies the log into the file as far as readers let it. */
static void
checkpoint (HarkSqliteWriter *self, int mode)
{
  int pages = 0, copied = 0;
  int result = sqlite3_wal_checkpoint_v2 (self->connection->db, NULL, mode, &pages, &copied);
  hark_sqlite_health_note (&self->checkpoint_health, (result & 0xff) == SQLITE_BUSY ? SQLITE_OK : result);
  if (result == SQLITE_OK)
    {
      hark_counter_add (self->metrics->checkpoints, 1);
      if (copied == pages)
        self->connection->wal_pages = 0;
    }
  self->next_checkpoint = self->connection->wal_pages + self->options->wal_checkpoint_pages;
  hark_gauge_set (self->metrics->wal_pages, self->connection->wal_pages);
}

/* A log that is wholly copied is begun anew by the next commit, unless a reader still looks at it. */
static void
checkpoint_if_long (HarkSqliteWriter *self)
{
  sqlite3 *db = self->connection->db;
  int pages = self->connection->wal_pages;
  hark_gauge_set (self->metrics->wal_pages, pages);
  if (pages < self->next_checkpoint)
    return;
  if ((guint)pages < self->options->wal_limit_pages)
    {
      checkpoint (self, SQLITE_CHECKPOINT_PASSIVE);
      return;
    }
  sqlite3_busy_timeout (db, RESTART_WAIT_MS);
  checkpoint (self, SQLITE_CHECKPOINT_RESTART);
  sqlite3_busy_timeout (db, self->options->busy_timeout_ms);
}

static gpointer
write_in_thread (gpointer data)
{
  HarkSqliteWriter *self = data;
  HarkJobList batch = { NULL, NULL, 0 };
  while (hark_job_queue_pop (&self->queue, &batch, self->options->max_batch, self->options->batch_ms,
                             self->connection->wal_pages > 0 ? IDLE_US : -1))
    {
      if (batch.len == 0)
        {
          checkpoint (self, SQLITE_CHECKPOINT_PASSIVE);
          continue;
        }
      run_batch (self, &batch);
      hark_mailbox_post (self->mailbox, &batch);
      checkpoint_if_long (self);
    }
  return NULL;
}

/**
 * hark_sqlite_writer_new:
 * @path: must outlive the writer, as must @options, @clock, @ids, @metrics and @mailbox
 *
 * Opens the file for writing and brings its schema up to date.
 */
HarkSqliteWriter *
hark_sqlite_writer_new (const char *path, const HarkSqliteOptions *options, HarkClock *clock, HarkIds *ids,
                        const HarkSqliteMetrics *metrics, HarkMailbox *mailbox, GError **error)
{
  int result;
  g_autoptr (HarkSqliteConnection) connection
    = hark_sqlite_connection_open (path, options, TRUE, clock, ids, &result, error);
  HarkSqliteWriter *self;
  if (connection == NULL)
    return NULL;
  if (options->migrations != NULL && !hark_migrations_apply (connection->db, options->migrations, clock, error))
    {
      g_prefix_error (error, "%s: ", path);
      return NULL;
    }
  self = g_new0 (HarkSqliteWriter, 1);
  self->path = path;
  self->options = options;
  self->clock = clock;
  self->ids = ids;
  self->mailbox = mailbox;
  self->metrics = metrics;
  self->connection = g_steal_pointer (&connection);
  self->next_checkpoint = options->wal_checkpoint_pages;
  self->health = (HarkSqliteHealth){ "write", metrics->failing, FALSE };
  self->checkpoint_health = (HarkSqliteHealth){ "copy its log into the file", NULL, FALSE };
  hark_job_queue_init (&self->queue, options->max_queue, metrics->write_queue);
  return self;
}

/* Runs a work in the calling thread; before the first push only. What it emits is dropped. */
gboolean
hark_sqlite_writer_run_sync (HarkSqliteWriter *self, HarkWork work, gpointer data, GError **error)
{
  HarkJob *job = hark_job_new (work, data, NULL, NULL, NULL);
  HarkJobList batch = { NULL, NULL, 0 };
  gboolean ok;
  g_assert (self->thread == NULL);
  hark_job_list_append (&batch, job);
  run_batch (self, &batch);
  ok = job->error == NULL;
  if (!ok)
    g_propagate_error (error, g_steal_pointer (&job->error));
  hark_job_free (job);
  return ok;
}

/* @job: (transfer full): when it was taken. Returns: %FALSE when the queue is full or finished */
gboolean
hark_sqlite_writer_push (HarkSqliteWriter *self, HarkJob *job)
{
  if (!hark_job_queue_push (&self->queue, job))
    return FALSE;
  if (self->thread == NULL)
    self->thread = g_thread_new ("hark-writer", write_in_thread, self);
  return TRUE;
}

/* As hark_sqlite_writer_push () for each of @list, in one piece; what is left in it was refused. */
void
hark_sqlite_writer_push_list (HarkSqliteWriter *self, HarkJobList *list)
{
  hark_job_queue_push_list (&self->queue, list);
  if (self->thread == NULL)
    self->thread = g_thread_new ("hark-writer", write_in_thread, self);
}

/* Runs what waits, then ends the thread, copies the log into the file and closes it. Posts to the mailbox. */
void
hark_sqlite_writer_finish (HarkSqliteWriter *self)
{
  hark_job_queue_close (&self->queue);
  g_clear_pointer (&self->thread, g_thread_join);
  checkpoint (self, SQLITE_CHECKPOINT_TRUNCATE);
  g_clear_pointer (&self->connection, hark_sqlite_connection_close);
}

void
hark_sqlite_writer_free (HarkSqliteWriter *self)
{
  hark_job_queue_clear (&self->queue);
  g_clear_pointer (&self->connection, hark_sqlite_connection_close);
  g_free (self);
}
