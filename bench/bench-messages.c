/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What messages cost in the store's threads, without a network.
 *
 *   bench-messages [MESSAGES]           saying one, in the writer's thread: from the right to say it to its event, without
 *                                       the commit's fsync, the price that group commit cannot share out
 *   bench-messages history [MESSAGES]   reading a page of a channel of so many, in the reader's; also a line of JSON
 */
#include "chat/chat.h"
#include "store/sqlite-store.h"

#include "hark-core-resources.h"

#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT 1000
#define N_AUTHORS 100

typedef struct
{
  HarkDispatcher *dispatcher;
  HarkHub *hub;
  HarkTurn *turn;
  HarkSqliteStore *store;
  guint waiting;
  char *reply; /* (owned) (nullable): of the last call */
  gsize reply_len;
} Bench;

static void
on_committed (GPtrArray *events, gpointer data)
{
  hark_hub_publish_all (((Bench *)data)->hub, events);
}

static void
on_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  Bench *bench = data;
  if (error != NULL)
    g_error ("%s", error->message);
  bench->waiting--;
  g_free (bench->reply);
  bench->reply = g_strndup (json, len);
  bench->reply_len = len;
}

static void
call (Bench *bench, HarkIdentity *actor, const char *name, const char *args)
{
  bench->waiting++;
  hark_dispatcher_call (bench->dispatcher, actor, name, args, on_answer, bench);
}

static gint64
call_id (Bench *bench, HarkIdentity *actor, const char *field, const char *name, const char *format, ...)
{
  g_autofree char *args = NULL;
  HarkJsonObject object;
  gint64 id = 0;
  va_list list;
  va_start (list, format);
  args = g_strdup_vprintf (format, list);
  va_end (list);
  call (bench, actor, name, args);
  while (bench->waiting > 0)
    g_main_context_iteration (NULL, TRUE);
  if (field != NULL
      && (!hark_json_object_parse (&object, bench->reply, bench->reply_len, NULL)
          || !hark_json_object_get_id (&object, field, HARK_FIELD_REQUIRED, &id, NULL)))
    g_error ("%s: %s", name, bench->reply);
  return id;
}

static double
seconds (clockid_t clock)
{
  struct timespec now;
  clock_gettime (clock, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

#define ID "%" G_GINT64_FORMAT

static void
measure (Bench *bench, HarkIdentity *authors[N_AUTHORS], gint64 channel, guint n, const char *what)
{
  double wall = seconds (CLOCK_MONOTONIC), all = seconds (CLOCK_PROCESS_CPUTIME_ID),
         hub = seconds (CLOCK_THREAD_CPUTIME_ID);
  static gint64 next_id = 1700000000000;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *args
        = g_strdup_printf ("{\"channel\":\"" ID "\",\"message\":\"%0180d\",\"id\":" ID "}", channel, i, next_id++);
      call (bench, authors[i % N_AUTHORS], "message", args);
      while (bench->waiting >= IN_FLIGHT)
        g_main_context_iteration (NULL, TRUE);
    }
  while (bench->waiting > 0)
    g_main_context_iteration (NULL, TRUE);
  wall = seconds (CLOCK_MONOTONIC) - wall;
  all = seconds (CLOCK_PROCESS_CPUTIME_ID) - all;
  hub = seconds (CLOCK_THREAD_CPUTIME_ID) - hub;
  g_print ("%-34s %8.0f /s   writer %6.2f us   hub %6.2f us\n", what, n / wall, (all - hub) / n * 1e6, hub / n * 1e6);
}

/* History. */

#define FILL_BATCH 10000
#define N_PAGES 500

typedef struct
{
  gint64 channel;
  gint64 author;
  gint64 first_id; /* of the channel; 0 before the first batch */
  gint64 n;        /* stored so far */
} Fill;

/* Messages as they lie there after a long time: each tenth has reactions. All are in the search index, as far as that
 * knows: it is not what is measured. */
static gboolean
fill_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Fill *self = data;
  gint64 base, end;
  if (self->first_id == 0)
    self->first_id = hark_transaction_next_id (tx);
  base = self->n;
  end = base + FILL_BATCH;
  if (!hark_transaction_exec (tx, error,
                              "WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
                              " INSERT INTO messages (message_id, channel_id, seq, ordinal, author_id, text, "
                              "created_at,"
                              " reacted) SELECT ? + i, ?, i + 1, i + 1, ?, printf ('%0180d', i), ?, i % 10 = 0 FROM n",
                              "iiiiii", base, end, self->first_id, self->channel, self->author,
                              hark_transaction_now_ms (tx))
      || !hark_transaction_exec (tx, error,
                                 "INSERT INTO reaction_counts (message_id, position, emoji, count)"
                                 " SELECT message_id, 1, 'x', 3 FROM messages WHERE reacted = 1 AND message_id >= ?",
                                 "i", self->first_id + base)
      || !hark_transaction_exec (tx, error, "UPDATE message_index_state SET upto = ?", "i", self->first_id + end)
      || !hark_transaction_exec (tx, error, "UPDATE channels SET last_ordinal = ? WHERE channel_id = ?", "ii", end,
                                 self->channel))
    return FALSE;
  self->n = end;
  return TRUE;
}

static void
on_filled (gpointer data, const GError *error, gpointer user_data)
{
  if (error != NULL)
    g_error ("%s", error->message);
  ((Bench *)user_data)->waiting--;
}

static void
fill (Bench *bench, Fill *fill, gint64 n)
{
  while (fill->n < n)
    {
      bench->waiting++;
      hark_store_write (HARK_STORE (bench->store), fill_in_thread, fill, NULL, on_filled, bench);
      while (bench->waiting > 0)
        g_main_context_iteration (NULL, TRUE);
    }
}

/* Pages all over the channel when @spread, else always the newest. Returns: milliseconds of CPU in the reader's thread */
static double
measure_pages (Bench *bench, HarkIdentity *author, const Fill *filled, const char *range, gboolean spread, guint limit,
               const char *what)
{
  double wall = seconds (CLOCK_MONOTONIC), all = seconds (CLOCK_PROCESS_CPUTIME_ID),
         hub = seconds (CLOCK_THREAD_CPUTIME_ID);
  guint64 place = 1;
  for (guint i = 0; i < N_PAGES; i++)
    {
      g_autofree char *where = NULL;
      g_autofree char *args = NULL;
      place = (place * 6364136223846793005u + 1442695040888963407u);
      where = spread ? g_strdup_printf (",\"%s\":\"" ID "\"", range,
                                        filled->first_id + (gint64)((place >> 20) % (guint64)filled->n))
                     : g_strdup ("");
      args = g_strdup_printf ("{\"channel_id\":\"" ID "\",\"limit\":%u%s}", filled->channel, limit, where);
      call (bench, author, "get_messages", args);
      while (bench->waiting > 0)
        g_main_context_iteration (NULL, TRUE);
    }
  wall = (seconds (CLOCK_MONOTONIC) - wall) / N_PAGES;
  all = (seconds (CLOCK_PROCESS_CPUTIME_ID) - all) / N_PAGES;
  hub = (seconds (CLOCK_THREAD_CPUTIME_ID) - hub) / N_PAGES;
  g_printerr ("%-46s reader %6.3f ms   until answered %6.3f ms\n", what, (all - hub) * 1e3, wall * 1e3);
  return (all - hub) * 1e3;
}

static void
run_history (Bench *bench, HarkIdentity *author, gint64 channel, gint64 n)
{
  Fill filled = { channel, author->user_id, 0, 0 };
  double first, middle, around, largest;
  fill (bench, &filled, n);
  first = measure_pages (bench, author, &filled, NULL, FALSE, 50, "the newest 50");
  middle = measure_pages (bench, author, &filled, "before", TRUE, 50, "50 before some message");
  around = measure_pages (bench, author, &filled, "around", TRUE, 50, "50 around some message");
  largest = measure_pages (bench, author, &filled, "before", TRUE, 100, "100 before some message");
  g_print ("{\"ok\":true,\"messages\":" ID ",\"first_ms\":%.3f,\"middle_ms\":%.3f,\"around_ms\":%.3f,"
           "\"largest_ms\":%.3f}\n",
           filled.n, first, middle, around, largest);
}

int
main (int argc, char **argv)
{
  gboolean history = argc > 1 && strcmp (argv[1], "history") == 0;
  const char *number = argc > (history ? 2 : 1) ? argv[history ? 2 : 1] : history ? "1000000" : "100000";
  guint n = g_ascii_strtoull (number, NULL, 10);
  g_autofree char *directory = g_dir_make_tmp ("hark-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "hark.db", NULL);
  g_autofree char *lock = g_strconcat (path, "-lock", NULL);
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (HarkIds) ids = hark_ids_new (clock);
  HarkTurn *turn = hark_turn_new (NULL);
  HarkHubLimits hub_limits = HARK_HUB_LIMITS_DEFAULT;
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  HarkChatLimits limits;
  HarkIdentity *admin = hark_identity_new (0, "admin", 0, 0, HARK_IDENTITY_ADMIN);
  HarkIdentity *authors[N_AUTHORS];
  gint64 server = 0, open, private;
  Bench bench = { NULL };
  HarkPresence *presence;
  HarkSqliteStore *store;
  HarkChat *chat;
  GError *error = NULL;
  hark_core_get_resource ();
  hark_chat_limits_init (&limits);
  options.migrations = "/org/hark/migrations";
  bench.turn = turn;
  bench.dispatcher = hark_dispatcher_new (NULL, metrics);
  bench.hub = hark_hub_new (turn, bench.dispatcher, clock, ids, metrics, &hub_limits);
  presence = hark_presence_new (bench.hub, clock, 1000);
  store = hark_sqlite_store_open (path, &options, clock, ids, metrics, NULL, &error);
  bench.store = store;
  if (store == NULL)
    g_error ("%s", error->message);
  hark_store_set_committed (HARK_STORE (store), on_committed, &bench);
  hark_sqlite_store_set_turn (store, turn);
  chat = hark_chat_new (bench.hub, HARK_STORE (store), presence, ids, metrics, &limits);
  if (!hark_sqlite_store_run_sync (store, hark_chat_load, chat, &error))
    g_error ("%s", error->message);
  for (guint i = 0; i < N_AUTHORS; i++)
    {
      gint64 user = call_id (&bench, admin, "user_id", "create_user", "{\"username\":\"author%u\"}", i);
      authors[i] = hark_identity_new (user, "author", 0, 0, HARK_IDENTITY_NONE);
      if (i == 0)
        server
          = call_id (&bench, admin, "server_id", "create_server", "{\"name\":\"s\",\"owner_id\":\"" ID "\"}", user);
      else
        call_id (&bench, admin, NULL, "add_member", "{\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server, user);
    }
  open
    = call_id (&bench, admin, "channel_id", "create_channel", "{\"server_id\":\"" ID "\",\"name\":\"open\"}", server);
  private = call_id (&bench, admin, "channel_id", "create_channel",
                     "{\"server_id\":\"" ID "\",\"name\":\"private\",\"private\":true}", server);
  for (guint i = 1; i < N_AUTHORS; i++)
    call_id (&bench, admin, NULL, "grant_channel", "{\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"}", private,
             authors[i]->user_id);
  if (history)
    {
      run_history (&bench, authors[1], open, n);
    }
  else
    {
      measure (&bench, authors, open, n / 10, "(warming up)");
      measure (&bench, authors, open, n, "an open channel");
      measure (&bench, authors, private, n, "a private channel");
    }
  hark_sqlite_store_close (store);
  g_object_unref (chat);
  g_object_unref (store);
  g_object_unref (presence);
  g_object_unref (bench.hub);
  g_object_unref (bench.dispatcher);
  g_object_unref (turn);
  for (guint i = 0; i < N_AUTHORS; i++)
    hark_identity_unref (authors[i]);
  hark_identity_unref (admin);
  g_free (bench.reply);
  g_unlink (path);
  g_unlink (lock);
  g_rmdir (directory);
  return 0;
}
