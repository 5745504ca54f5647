/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What storing a message costs: jobs that write as a chat message does (five rows in tables and indexes) through the
 * store, with a number of them in flight, beside the same statements given to SQLite directly in transactions of the
 * same size. The difference is the price of queue, savepoint and hand-over.
 */
#include "store/sqlite-store.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TEXT                                                                                                           \
  "two hundred bytes of what people say to each other, which is about what a message in a chat has on average, and "   \
  "a little more, so that it becomes as long as it is said to be, all of the way to the end."

static const char *const schema
  = "CREATE TABLE channel (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL);"
    "CREATE TABLE message (id INTEGER PRIMARY KEY, channel INTEGER NOT NULL, author INTEGER NOT NULL,"
    " client_id TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE UNIQUE INDEX message_client_id ON message (author, channel, client_id);"
    "CREATE TABLE event (rev INTEGER PRIMARY KEY, topic TEXT NOT NULL, seq INTEGER NOT NULL, json BLOB NOT NULL);"
    "CREATE UNIQUE INDEX event_topic ON event (topic, seq);"
    "INSERT INTO channel (id, seq) VALUES (42, 0);";

static const char sql_seq[] = "UPDATE channel SET seq = ?1 WHERE id = ?2";
static const char sql_message[]
  = "INSERT INTO message (id, channel, author, client_id, text) VALUES (?1, ?2, ?3, ?4, ?5)";
static const char sql_event[] = "INSERT INTO event (rev, topic, seq, json) VALUES (?1, ?2, ?3, ?4)";

typedef struct
{
  guint jobs;
  guint in_flight;
  guint asked;
  guint done;
  HarkStore *store;
  gint64 *latencies; /* microseconds, one for each job */
} Run;

typedef struct
{
  gint64 id;
  gint64 asked; /* microseconds */
  char client_id[24];
} Message;

static gboolean
work_message (HarkTransaction *transaction, gpointer data, GError **error)
{
  const Message *message = data;
  HarkTopic topic = { 0 };
  if (!hark_transaction_exec (transaction, error, sql_seq, "ii", message->id, (gint64)42)
      || !hark_transaction_exec (transaction, error, sql_message, "iiitt", message->id, (gint64)42, message->id % 100,
                                 message->client_id, TEXT)
      || !hark_transaction_exec (transaction, error, sql_event, "itib", message->id, "channel/42", message->id, TEXT,
                                 sizeof TEXT - 1))
    return FALSE;
  hark_transaction_emit (transaction,
                         hark_event_new (&topic, message->id, message->id, "message", TEXT, sizeof TEXT - 1));
  return TRUE;
}

static void ask (Run *self);

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  Run *self = user_data;
  Message *message = data;
  if (error != NULL)
    g_error ("%s", error->message);
  self->latencies[self->done++] = g_get_monotonic_time () - message->asked;
  if (self->asked < self->jobs)
    ask (self);
}

static void
ask (Run *self)
{
  Message *message = g_new (Message, 1);
  message->id = ++self->asked;
  message->asked = g_get_monotonic_time ();
  g_snprintf (message->client_id, sizeof message->client_id, "c%u", self->asked);
  hark_store_write (self->store, work_message, message, g_free, on_done, self);
}

static void
on_committed (GPtrArray *events, gpointer user_data)
{
  *(guint *)user_data += events->len;
}

static double
cpu_us (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void
check (int result, sqlite3 *db)
{
  if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
    g_error ("%s", sqlite3_errmsg (db));
}

static sqlite3_stmt *
prepare (sqlite3 *db, const char *sql)
{
  sqlite3_stmt *stmt = NULL;
  check (sqlite3_prepare_v3 (db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL), db);
  return stmt;
}

static void
step (sqlite3 *db, sqlite3_stmt *stmt)
{
  check (sqlite3_step (stmt), db);
  sqlite3_reset (stmt);
}

/* @batch: jobs in one commit. Returns: microseconds of CPU for each job */
static double
run_raw (const char *path, gboolean normal, guint jobs, guint batch)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *begin, *commit, *seq, *message, *event;
  double start;
  check (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL), db);
  check (sqlite3_exec (db, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;", NULL,
                       NULL, NULL),
         db);
  check (sqlite3_exec (db, normal ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", NULL, NULL, NULL), db);
  check (sqlite3_exec (db, schema, NULL, NULL, NULL), db);
  begin = prepare (db, "BEGIN IMMEDIATE");
  commit = prepare (db, "COMMIT");
  seq = prepare (db, sql_seq);
  message = prepare (db, sql_message);
  event = prepare (db, sql_event);
  start = cpu_us ();
  for (guint i = 1; i <= jobs; i++)
    {
      char client_id[24];
      g_snprintf (client_id, sizeof client_id, "c%u", i);
      if (i % batch == 1 || batch == 1)
        step (db, begin);
      sqlite3_bind_int64 (seq, 1, i);
      sqlite3_bind_int64 (seq, 2, 42);
      step (db, seq);
      sqlite3_bind_int64 (message, 1, i);
      sqlite3_bind_int64 (message, 2, 42);
      sqlite3_bind_int64 (message, 3, i % 100);
      sqlite3_bind_text (message, 4, client_id, -1, SQLITE_STATIC);
      sqlite3_bind_text (message, 5, TEXT, -1, SQLITE_STATIC);
      step (db, message);
      sqlite3_bind_int64 (event, 1, i);
      sqlite3_bind_text (event, 2, "channel/42", -1, SQLITE_STATIC);
      sqlite3_bind_int64 (event, 3, i);
      sqlite3_bind_blob (event, 4, TEXT, sizeof TEXT - 1, SQLITE_STATIC);
      step (db, event);
      if (i % batch == 0 || i == jobs)
        step (db, commit);
    }
  start = (cpu_us () - start) / jobs;
  sqlite3_finalize (begin);
  sqlite3_finalize (commit);
  sqlite3_finalize (seq);
  sqlite3_finalize (message);
  sqlite3_finalize (event);
  sqlite3_close (db);
  return start;
}

static gboolean
work_schema (HarkTransaction *transaction, gpointer data, GError **error)
{
  g_auto (GStrv) statements = data;
  for (guint i = 0; statements[i] != NULL; i++)
    if (statements[i][0] != '\0' && !hark_transaction_exec (transaction, error, g_intern_string (statements[i]), ""))
      return FALSE;
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

typedef struct
{
  double per_second;
  double per_commit;
  double cpu;      /* microseconds for each job */
  double p50, p99; /* milliseconds */
} Result;

static Result
run_store (const char *path, const HarkSqliteOptions *options, guint jobs, guint in_flight)
{
  Result result;
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkIds) ids = hark_ids_new (clock);
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkSqliteStore) store = hark_sqlite_store_open (path, options, clock, ids, metrics, NULL, &error);
  HarkCounter *commits = hark_metrics_counter (metrics, "hark_store_commits_total", "");
  Run self = { .jobs = jobs, .in_flight = in_flight };
  guint events = 0;
  gint64 start, commits_before;
  double cpu, s;
  if (store == NULL || !hark_sqlite_store_run_sync (store, work_schema, g_strsplit (schema, ";", -1), &error))
    g_error ("%s", error->message);
  hark_store_set_committed (HARK_STORE (store), on_committed, &events);
  self.store = HARK_STORE (store);
  self.latencies = g_new (gint64, jobs);
  commits_before = hark_counter_get (commits);
  start = g_get_monotonic_time ();
  cpu = cpu_us ();
  for (guint i = 0; i < MIN (in_flight, jobs); i++)
    ask (&self);
  while (self.done < jobs)
    g_main_context_iteration (NULL, TRUE);
  cpu = (cpu_us () - cpu) / jobs;
  s = (g_get_monotonic_time () - start) / 1e6;
  g_assert (events == jobs);
  qsort (self.latencies, jobs, sizeof (gint64), compare);
  result = (Result){ jobs / s, (double)jobs / (hark_counter_get (commits) - commits_before), cpu,
                     self.latencies[jobs / 2] / 1e3, self.latencies[jobs * 99 / 100] / 1e3 };
  g_free (self.latencies);
  return result;
}

static void
remove_file (const char *path)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *file = g_strconcat (path, suffixes[i], NULL);
      g_unlink (file);
    }
}

int
main (int argc, char **argv)
{
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  gboolean normal = FALSE;
  int jobs = 0, max_batch = options.max_batch, batch_ms = 0;
  g_autofree char *flight = NULL, *directory = NULL, *path = NULL;
  g_auto (GStrv) flights = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[]
    = { { "jobs", 'n', 0, G_OPTION_ARG_INT, &jobs, "Jobs in each run (default: as many as take a second or so)", "N" },
        { "in-flight", 'f', 0, G_OPTION_ARG_STRING, &flight, "Jobs in flight (default 1,16,64,1000)", "N,N" },
        { "normal", 0, 0, G_OPTION_ARG_NONE, &normal, "Do not wait for the disk at each commit", NULL },
        { "max-batch", 0, 0, G_OPTION_ARG_INT, &max_batch, "Jobs in one commit", "N" },
        { "batch-ms", 0, 0, G_OPTION_ARG_INT, &batch_ms, "How long a commit waits for more", "MS" },
        { "directory", 'd', 0, G_OPTION_ARG_FILENAME, &directory, "Where the file is made", "PATH" },
        { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new ("- what storing a message costs");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 64;
    }
  options.synchronous = normal ? HARK_SQLITE_NORMAL : HARK_SQLITE_FULL;
  options.max_batch = max_batch;
  options.batch_ms = batch_ms;
  flights = g_strsplit (flight != NULL ? flight : "1,16,64,1000", ",", -1);
  path = g_strdup_printf ("%s/hark-bench-%d.db", directory != NULL ? directory : g_get_tmp_dir (), (int)getpid ());
  g_print ("synchronous=%s; CPU in us per job: all threads of the store, SQLite alone, the difference\n",
           normal ? "NORMAL" : "FULL");
  g_print ("%9s %10s %10s %9s %10s %10s %10s %9s %9s\n", "in flight", "jobs/s", "rows/s", "jobs/comm", "CPU", "raw CPU",
           "overhead", "p50 ms", "p99 ms");
  for (guint i = 0; flights[i] != NULL; i++)
    {
      guint in_flight = CLAMP (g_ascii_strtoull (flights[i], NULL, 10), 1, options.max_queue);
      guint n = jobs > 0 ? (guint)jobs : CLAMP (in_flight * 2000, 4000, 100000);
      Result result;
      double raw;
      remove_file (path);
      result = run_store (path, &options, n, in_flight);
      remove_file (path);
      raw = run_raw (path, normal, n, MAX ((guint)(result.per_commit + 0.5), 1));
      g_print ("%9u %10.0f %10.0f %9.1f %10.2f %10.2f %10.2f %9.2f %9.2f\n", in_flight, result.per_second,
               result.per_second * 5, result.per_commit, result.cpu, raw, result.cpu - raw, result.p50, result.p99);
    }
  remove_file (path);
  return 0;
}
