/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store in one SQLite file: a writer, a few readers and the mailbox in which their results arrive. This type only
 * puts them together and refuses what they have no room for; it knows no table of any concern.
 */
#include "store/sqlite-store.h"

#include "store/file-lock.h"
#include "store/mailbox.h"
#include "store/sqlite-metrics.h"
#include "store/sqlite-reader-pool.h"
#include "store/sqlite-writer.h"

#include "base/error.h"

#include <unistd.h>

struct _HarkSqliteStore
{
  GObject parent_instance;
  char *path;
  HarkSqliteOptions options; /* its strings are owned */
  HarkClock *clock;          /* (owned) */
  HarkIds *ids;              /* (owned) */
  HarkMetrics *registry;     /* (owned): keeps the figures alive */
  HarkSqliteMetrics metrics;
  GMainContext *context;         /* (owned): the hub's */
  HarkMailbox *mailbox;          /* (owned) */
  HarkSqliteWriter *writer;      /* (nullable) (owned) */
  HarkSqliteReaderPool *readers; /* (nullable) (owned) */
  HarkTurn *turn;                /* (nullable) (owned) */
  HarkJobList turned;            /* what this turn wants written; empty without @turn */
  int lock_fd;                   /* (owned): -1 before it is taken */
  gboolean closed;
};

static void hark_sqlite_store_iface_init (HarkStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkSqliteStore, hark_sqlite_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_STORE, hark_sqlite_store_iface_init))

static void
refuse (HarkSqliteStore *self, HarkJob *job, const char *field, guint max)
{
  hark_counter_add (self->metrics.overloads, 1);
  hark_job_take_error (job, g_error_new (HARK_ERROR, HARK_ERROR_OVERLOADED,
                                         "store: %s: %u jobs wait already, or it is being closed", field, max));
  hark_sqlite_deliver (self->mailbox, job);
}

static void
sqlite_store_write (HarkStore *store, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                    gpointer user_data)
{
  HarkSqliteStore *self = HARK_SQLITE_STORE (store);
  HarkJob *job = hark_job_new (work, data, destroy, done, user_data);
  if (self->turn != NULL && self->turned.len < self->options.max_queue)
    {
      hark_job_list_append (&self->turned, job);
      hark_turn_mark (self->turn);
    }
  else if (self->turn != NULL || !hark_sqlite_writer_push (self->writer, job))
    refuse (self, job, "max_queue", self->options.max_queue);
}

/* What one turn has read off the network goes into one commit: given job by job, the writer would wake for the first,
 * commit it alone, and every fan-out would be written to the sockets twice. */
static void
submit_turn (gpointer data)
{
  HarkSqliteStore *self = data;
  HarkJob *job;
  if (self->turned.len == 0)
    return;
  hark_sqlite_writer_push_list (self->writer, &self->turned);
  while ((job = hark_job_list_pop (&self->turned)) != NULL)
    refuse (self, job, "max_queue", self->options.max_queue);
}

static void
leave_turn (HarkSqliteStore *self)
{
  if (self->turn == NULL)
    return;
  submit_turn (self);
  hark_turn_set_stage (self->turn, HARK_TURN_SUBMIT, NULL, NULL);
  g_clear_object (&self->turn);
}

static void
sqlite_store_read (HarkStore *store, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                   gpointer user_data)
{
  HarkSqliteStore *self = HARK_SQLITE_STORE (store);
  HarkJob *job = hark_job_new (work, data, destroy, done, user_data);
  job->context = g_main_context_ref_thread_default ();
  if (job->context == self->context)
    g_clear_pointer (&job->context, g_main_context_unref);
  if (!hark_sqlite_reader_pool_push (self->readers, job))
    refuse (self, job, "max_queue_read", self->options.max_queue_read);
}

static void
sqlite_store_set_committed (HarkStore *store, HarkCommitted func, gpointer user_data)
{
  hark_mailbox_set_committed (HARK_SQLITE_STORE (store)->mailbox, func, user_data);
}

static void
hark_sqlite_store_iface_init (HarkStoreInterface *iface)
{
  iface->write = sqlite_store_write;
  iface->read = sqlite_store_read;
  iface->set_committed = sqlite_store_set_committed;
}

static void
hark_sqlite_store_dispose (GObject *object)
{
  HarkSqliteStore *self = HARK_SQLITE_STORE (object);
  if (self->mailbox != NULL)
    {
      hark_sqlite_store_close (self);
      g_clear_pointer (&self->mailbox, hark_mailbox_destroy);
    }
  G_OBJECT_CLASS (hark_sqlite_store_parent_class)->dispose (object);
}

static void
hark_sqlite_store_finalize (GObject *object)
{
  HarkSqliteStore *self = HARK_SQLITE_STORE (object);
  g_clear_pointer (&self->readers, hark_sqlite_reader_pool_free);
  g_clear_pointer (&self->writer, hark_sqlite_writer_free);
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  g_clear_object (&self->clock);
  g_clear_object (&self->ids);
  g_clear_object (&self->registry);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self->path);
  g_free ((char *)self->options.vfs);
  g_free ((char *)self->options.migrations);
  G_OBJECT_CLASS (hark_sqlite_store_parent_class)->finalize (object);
}

static void
hark_sqlite_store_class_init (HarkSqliteStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_sqlite_store_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_sqlite_store_finalize;
}

static void
hark_sqlite_store_init (HarkSqliteStore *self)
{
  self->lock_fd = -1;
}

/**
 * hark_sqlite_store_open:
 * @path: of the file, which is made when there is none
 * @options: (nullable): copied; %NULL: %HARK_SQLITE_OPTIONS_INIT
 * @clock: may be read in any thread
 * @hub_context: (nullable): where write () is called and its results arrive; %NULL: the default context
 *
 * Opens the file and brings its schema up to date, in the calling thread. A file that is not a database, is another
 * program's, has a newer schema or cannot be migrated is left as it is.
 *
 * Returns: (transfer full): a store, or %NULL with an error that names the file and the reason: %HARK_ERROR_CONFLICT when
 *   another process has it open
 */
HarkSqliteStore *
hark_sqlite_store_open (const char *path, const HarkSqliteOptions *options, HarkClock *clock, HarkIds *ids,
                        HarkMetrics *metrics, GMainContext *hub_context, GError **error)
{
  static const HarkSqliteOptions defaults = HARK_SQLITE_OPTIONS_INIT;
  g_autoptr (HarkSqliteStore) self = g_object_new (HARK_TYPE_SQLITE_STORE, NULL);
  self->path = g_strdup (path);
  self->options = options != NULL ? *options : defaults;
  self->options.vfs = g_strdup (self->options.vfs);
  self->options.migrations = g_strdup (self->options.migrations);
  self->options.readers = MAX (self->options.readers, 1);
  self->options.max_batch = MAX (self->options.max_batch, 1);
  self->clock = g_object_ref (clock);
  self->ids = g_object_ref (ids);
  self->registry = g_object_ref (metrics);
  hark_sqlite_metrics_init (&self->metrics, metrics);
  self->context = g_main_context_ref (hub_context != NULL ? hub_context : g_main_context_default ());
  self->mailbox = hark_mailbox_new (self->context);
  self->lock_fd = hark_file_lock_take (self->path, error);
  if (self->lock_fd < 0)
    return NULL;
  if (!hark_sqlite_file_prepare (self->path, error))
    return NULL;
  self->writer
    = hark_sqlite_writer_new (self->path, &self->options, self->clock, self->ids, &self->metrics, self->mailbox, error);
  if (self->writer == NULL)
    return NULL;
  self->readers = hark_sqlite_reader_pool_new (self->path, &self->options, self->clock, self->ids, &self->metrics,
                                               self->mailbox, error);
  if (self->readers == NULL)
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * hark_sqlite_store_run_sync:
 * @data: stays the caller's
 *
 * Runs and commits a work in the calling thread, for the start of a program. Only before the first write: from then on
 * the file is the writer's. Events it emits are dropped, as nobody listens yet.
 *
 * Returns: %FALSE with the work's error, or the reason why it could not be committed
 */
gboolean
hark_sqlite_store_run_sync (HarkSqliteStore *self, HarkWork work, gpointer data, GError **error)
{
  return hark_sqlite_writer_run_sync (self->writer, work, data, error);
}

/* @turn: (nullable): ended after each handing over of results, so that a commit's events leave together; and what one
 * turn writes is given to the writer at its end. */
void
hark_sqlite_store_set_turn (HarkSqliteStore *self, HarkTurn *turn)
{
  leave_turn (self);
  hark_mailbox_set_turn (self->mailbox, turn);
  g_set_object (&self->turn, turn);
  if (turn != NULL)
    hark_turn_set_stage (turn, HARK_TURN_SUBMIT, submit_turn, self);
}

/**
 * hark_sqlite_store_close:
 *
 * Runs all that was asked for before, waits for the disk, hands over all results, and leaves the file without a log
 * beside it. In the hub's thread. What is asked for later is refused.
 */
void
hark_sqlite_store_close (HarkSqliteStore *self)
{
  g_autoptr (HarkSqliteStore) hold G_GNUC_UNUSED = g_object_ref (self);
  if (self->closed)
    return;
  leave_turn (self);
  self->closed = TRUE;
  if (self->readers != NULL)
    hark_sqlite_reader_pool_finish (self->readers);
  if (self->writer != NULL)
    hark_sqlite_writer_finish (self->writer);
  hark_mailbox_flush (self->mailbox);
}
