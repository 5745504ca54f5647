/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A few threads that read, each with a connection of its own, so that a slow history or search query delays neither a
 * message nor another query. Each job is one read transaction, begun after the job was asked for: it sees all that was
 * committed before, and nothing of what is committed while it runs.
 */
#include "store/sqlite-reader-pool.h"

#include "store/job-queue.h"
#include "store/sqlite-error.h"
#include "store/sqlite-health.h"

typedef struct
{
  HarkSqliteReaderPool *pool;
  HarkSqliteConnection *connection; /* (owned) */
  HarkSqliteHealth health;
  gboolean reopen; /* the connection is doubtful */
  GThread *thread; /* (nullable) */
} Reader;

struct _HarkSqliteReaderPool
{
  const char *path; /* the store's, as are the next four */
  const HarkSqliteOptions *options;
  HarkClock *clock;
  HarkIds *ids;
  HarkMailbox *mailbox;
  const HarkSqliteMetrics *metrics;
  HarkJobQueue queue;
  guint n_readers;
  Reader readers[];
};

static gboolean
on_finished (gpointer data)
{
  HarkJob *job = data;
  if (job->done != NULL)
    job->done (job->data, job->error, job->user_data);
  return G_SOURCE_REMOVE;
}

/**
 * hark_sqlite_deliver:
 * @job: (transfer full): a finished one
 *
 * Ends the job in the context where it was asked for.
 */
void
hark_sqlite_deliver (HarkMailbox *mailbox, HarkJob *job)
{
  GSource *source;
  if (job->context == NULL)
    {
      HarkJobList list = { NULL, NULL, 0 };
      hark_job_list_append (&list, job);
      hark_mailbox_post (mailbox, &list);
      return;
    }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "hark-store-read");
  g_source_set_callback (source, on_finished, job, (GDestroyNotify)hark_job_free);
  g_source_attach (source, job->context);
  g_source_unref (source);
}

/* Returns: SQLite's result code */
static int
reopen (Reader *self)
{
  HarkSqliteReaderPool *pool = self->pool;
  int result;
  HarkSqliteConnection *fresh
    = hark_sqlite_connection_open (pool->path, pool->options, FALSE, pool->clock, pool->ids, &result, NULL);
  if (fresh == NULL)
    return result;
  hark_sqlite_connection_close (self->connection);
  self->connection = fresh;
  self->reopen = FALSE;
  return SQLITE_OK;
}

/* Returns: how it ended for the machine; the job's own error is in the job */
static int
run_job (Reader *self, HarkJob *job)
{
  HarkSqliteConnection *connection;
  gboolean ok;
  int result = self->reopen ? reopen (self) : SQLITE_OK;
  connection = self->connection;
  if (result == SQLITE_OK)
    result = hark_sqlite_connection_run (connection, "BEGIN");
  if (result != SQLITE_OK)
    {
      hark_sqlite_set_error (&job->error, result, NULL);
      return result;
    }
  connection->outage = SQLITE_OK;
  ok = job->work (&connection->parent, job->data, &job->error);
  g_assert (connection->running == 0);
  g_assert (ok == (job->error == NULL));
  if (hark_sqlite_connection_in_transaction (connection))
    hark_sqlite_connection_run (connection, "ROLLBACK");
  self->reopen |= hark_sqlite_connection_in_transaction (connection);
  return connection->outage;
}

static gpointer
read_in_thread (gpointer data)
{
  Reader *self = data;
  HarkSqliteReaderPool *pool = self->pool;
  const HarkSqliteMetrics *metrics = pool->metrics;
  HarkJobList list = { NULL, NULL, 0 };
  while (hark_job_queue_pop (&pool->queue, &list, 1, 0, -1))
    {
      HarkJob *job = hark_job_list_pop (&list);
      int result = run_job (self, job);
      self->reopen |= hark_sqlite_needs_reopen (result);
      hark_sqlite_health_note (&self->health, result);
      hark_counter_add (job->error == NULL ? metrics->reads : metrics->failed_reads, 1);
      hark_histogram_observe (metrics->read_time, g_get_monotonic_time () - job->asked);
      hark_sqlite_deliver (pool->mailbox, job);
    }
  return NULL;
}

/**
 * hark_sqlite_reader_pool_new:
 * @path: must outlive the pool, as must all the other arguments
 */
HarkSqliteReaderPool *
hark_sqlite_reader_pool_new (const char *path, const HarkSqliteOptions *options, HarkClock *clock, HarkIds *ids,
                             const HarkSqliteMetrics *metrics, HarkMailbox *mailbox, GError **error)
{
  g_autoptr (HarkSqliteReaderPool) self
    = g_malloc0 (sizeof (HarkSqliteReaderPool) + options->readers * sizeof (Reader));
  self->path = path;
  self->options = options;
  self->clock = clock;
  self->ids = ids;
  self->mailbox = mailbox;
  self->metrics = metrics;
  hark_job_queue_init (&self->queue, options->max_queue_read, metrics->read_queue);
  for (guint i = 0; i < options->readers; i++)
    {
      Reader *reader = &self->readers[i];
      int result;
      reader->pool = self;
      reader->health.what = "read";
      reader->connection = hark_sqlite_connection_open (path, options, FALSE, clock, ids, &result, error);
      if (reader->connection == NULL)
        return NULL;
      self->n_readers++;
    }
  for (guint i = 0; i < self->n_readers; i++)
    self->readers[i].thread = g_thread_new ("hark-reader", read_in_thread, &self->readers[i]);
  return g_steal_pointer (&self);
}

/* @job: (transfer full): when it was taken. From any thread. Returns: %FALSE when the queue is full or finished */
gboolean
hark_sqlite_reader_pool_push (HarkSqliteReaderPool *self, HarkJob *job)
{
  return hark_job_queue_push (&self->queue, job);
}

/* Runs what waits, then ends the threads and closes their connections. */
void
hark_sqlite_reader_pool_finish (HarkSqliteReaderPool *self)
{
  hark_job_queue_close (&self->queue);
  for (guint i = 0; i < self->n_readers; i++)
    {
      g_clear_pointer (&self->readers[i].thread, g_thread_join);
      g_clear_pointer (&self->readers[i].connection, hark_sqlite_connection_close);
    }
}

void
hark_sqlite_reader_pool_free (HarkSqliteReaderPool *self)
{
  hark_sqlite_reader_pool_finish (self);
  hark_job_queue_clear (&self->queue);
  g_free (self);
}
