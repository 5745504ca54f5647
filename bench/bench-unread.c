/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unread numbers cost. First a user who has been away: all their numbers of a thousand channels with a million
 * messages, in the reader's thread. Then what a post costs in a server of ten and of fifty thousand members, everything
 * included, with ten of them there in each: the process's CPU time, in turns, the median.
 *
 *   bench-unread [POSTS]
 */
#include "base/error.h"
#include "chat/chat.h"
#include "chat/unread-counts.h"
#include "fake-transport.h"
#include "protocol/native.h"
#include "store/sqlite-store.h"

#include "hark-core-resources.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <time.h>

#define ID "%" G_GINT64_FORMAT
#define IN_FLIGHT 500
#define N_SERVERS 10
#define CHANNELS_PER_SERVER 100
#define N_MESSAGES 1000000
#define N_MEMBERS 50000
#define N_THERE 10
#define RUNS 9
#define READS 101

typedef struct
{
  HarkDispatcher *dispatcher;
  HarkHub *hub;
  HarkTurn *turn;
  HarkStore *store;
  HarkIdentity *admin;
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
wait (Bench *bench)
{
  while (bench->waiting > 0)
    g_main_context_iteration (NULL, TRUE);
}

static gint64
call_id (Bench *bench, const char *field, const char *name, const char *format, ...)
{
  g_autofree char *args = NULL;
  HarkJsonObject object;
  gint64 id = 0;
  va_list list;
  va_start (list, format);
  args = g_strdup_vprintf (format, list);
  va_end (list);
  bench->waiting++;
  hark_dispatcher_call (bench->dispatcher, bench->admin, name, args, on_answer, bench);
  wait (bench);
  if (!hark_json_object_parse (&object, bench->reply, bench->reply_len, NULL)
      || !hark_json_object_get_id (&object, field, HARK_FIELD_REQUIRED, &id, NULL))
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

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare_doubles);
  return values[n / 2];
}

/* Works are waited for: nothing else is under way. */

typedef struct
{
  Bench *bench;
  gint64 server, user;
  gint64 n;           /* rows to make */
  double took[READS]; /* by the clock */
  double cpu[READS];  /* of the reader's thread */
  guint n_counts;
} Work;

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  if (error != NULL)
    g_error ("%s", error->message);
  ((Work *)data)->bench->waiting--;
}

/* As many messages in every channel of the server, written as if they had been said. */
static gboolean
fill_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Work *work = data;
  gint64 first = hark_transaction_next_id (tx);
  return hark_transaction_exec (tx, error,
                                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                                " INSERT INTO messages (message_id, channel_id, seq, ordinal, author_id, text,"
                                " created_at) SELECT ? + c.channel_id % 1000000 * 100000 + n.i, c.channel_id, n.i, n.i,"
                                " s.owner_id, 'what somebody has said in here', 0 FROM n, channels c"
                                " JOIN servers s ON s.server_id = c.server_id WHERE c.server_id = ?",
                                "iii", work->n, first, work->server)
         && hark_transaction_exec (tx, error, "UPDATE channels SET last_ordinal = ? WHERE server_id = ?", "ii", work->n,
                                   work->server);
}

static gboolean
mark_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Work *work = data;
  return hark_transaction_exec (tx, error,
                                "INSERT INTO read_marks (user_id, channel_id, ordinal) SELECT ?, channel_id,"
                                " last_ordinal / 2 FROM channels WHERE channel_id % 2 = 0",
                                "i", work->user)
         && hark_transaction_exec (tx, error,
                                   "INSERT INTO mentions (user_id, channel_id, ordinal, message_id)"
                                   " SELECT ?, channel_id, ordinal, message_id FROM messages WHERE ordinal % 100 = 7",
                                   "i", work->user);
}

static gboolean
add_members_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Work *work = data;
  gint64 first = hark_transaction_next_id (tx);
  return hark_transaction_exec (tx, error,
                                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                                " INSERT INTO users (user_id, username, displayname, chosen, created_at)"
                                " SELECT ? + i * 16, 'member' || ? || '-' || i, 'Member', 'online', 0 FROM n",
                                "iii", work->n, first, work->server)
         && hark_transaction_exec (tx, error,
                                   "INSERT INTO members (server_id, user_id, joined_id, joined_at)"
                                   " SELECT ?, user_id, ?, 0 FROM users WHERE username LIKE 'member' || ? || '-%'",
                                   "iii", work->server, first, work->server)
         && hark_transaction_exec (tx, error, "UPDATE servers SET n_members = n_members + ? WHERE server_id = ?", "ii",
                                   work->n, work->server);
}

static gboolean
read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Work *work = data;
  for (guint i = 0; i < READS; i++)
    {
      g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (HarkUnreadCount));
      double begun = seconds (CLOCK_MONOTONIC), cpu_begun = seconds (CLOCK_THREAD_CPUTIME_ID);
      if (!hark_unread_counts_read (tx, work->user, -1, counts, error))
        return FALSE;
      work->took[i] = seconds (CLOCK_MONOTONIC) - begun;
      work->cpu[i] = seconds (CLOCK_THREAD_CPUTIME_ID) - cpu_begun;
      work->n_counts = counts->len;
    }
  return TRUE;
}

static void
run (Work *work, HarkWork func)
{
  work->bench->waiting++;
  hark_store_write (work->bench->store, func, work, NULL, on_done, NULL);
  wait (work->bench);
}

static void
measure_read (Work *work, const char *what)
{
  double first;
  work->bench->waiting++;
  hark_store_read (work->bench->store, read_in_thread, work, NULL, on_done, NULL);
  wait (work->bench);
  if (work->n_counts != N_SERVERS * CHANNELS_PER_SERVER)
    g_error ("%u channels were counted", work->n_counts);
  first = work->took[0];
  g_print ("%-58s %6.2f ms   CPU %.2f ms   the first time %.2f ms\n", what, median (work->took, READS) * 1e3,
           median (work->cpu, READS) * 1e3, first * 1e3);
}

static void
measure_away (Bench *bench)
{
  gint64 owner = call_id (bench, "user_id", "create_user", "{\"username\":\"owner\"}");
  Work work = { .bench = bench, .n = N_MESSAGES / N_SERVERS / CHANNELS_PER_SERVER };
  work.user = call_id (bench, "user_id", "create_user", "{\"username\":\"away\"}");
  for (guint i = 0; i < N_SERVERS; i++)
    {
      work.server = call_id (bench, "server_id", "create_server", "{\"name\":\"s\",\"owner_id\":\"" ID "\"}", owner);
      for (guint j = 0; j < CHANNELS_PER_SERVER; j++)
        call_id (bench, "channel_id", "create_channel", "{\"server_id\":\"" ID "\",\"name\":\"c\"}", work.server);
      bench->waiting++;
      {
        g_autofree char *args
          = g_strdup_printf ("{\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", work.server, work.user);
        hark_dispatcher_call (bench->dispatcher, bench->admin, "add_member", args, on_answer, bench);
      }
      wait (bench);
      run (&work, fill_in_thread);
    }
  measure_read (&work, "1,000 channels, 1,000,000 messages, nothing read");
  run (&work, mark_in_thread);
  measure_read (&work, "the same, half of them read in, 10 mentions in each");
}

/* A session that reads whatever comes. */
typedef struct
{
  FakeTransport *transport;
  HarkSession *session;
} Tab;

static void
drain (Tab *tabs, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      char *line;
      while ((line = fake_transport_pop (tabs[i].transport)) != NULL)
        g_free (line);
    }
}

static void
settle (Bench *bench, Tab *tabs, guint n)
{
  for (gint64 end = g_get_monotonic_time () + 600 * 1000; g_get_monotonic_time () < end;)
    {
      while (g_main_context_iteration (NULL, FALSE))
        ;
      drain (tabs, n);
      g_usleep (1000);
    }
}

typedef struct
{
  gint64 server, channel;
  HarkIdentity *author;
  Tab tabs[N_THERE];
  double took[RUNS];
} Community;

static void
make_community (Bench *bench, HarkProtocol *protocol, Community *c, guint n_members)
{
  Work work = { .bench = bench, .n = n_members - N_THERE };
  gint64 users[N_THERE];
  for (guint i = 0; i < N_THERE; i++)
    users[i] = call_id (bench, "user_id", "create_user", "{\"username\":\"there%u-%u\"}", n_members, i);
  c->server = call_id (bench, "server_id", "create_server", "{\"name\":\"s\",\"owner_id\":\"" ID "\"}", users[0]);
  c->channel = call_id (bench, "channel_id", "create_channel", "{\"server_id\":\"" ID "\",\"name\":\"c\"}", c->server);
  c->author = hark_identity_new (users[0], "there", 0, 0, HARK_IDENTITY_NONE);
  work.server = c->server;
  if (work.n > 0)
    run (&work, add_members_in_thread);
  for (guint i = 0; i < N_THERE; i++)
    {
      g_autoptr (HarkIdentity) identity = hark_identity_new (users[i], "there", 0, 0, HARK_IDENTITY_NONE);
      Tab *tab = &c->tabs[i];
      g_autofree char *text = g_strdup_printf ("{\"type\":\"get_messages\",\"channel_id\":\"" ID "\"}", c->channel);
      if (i > 0)
        {
          g_autofree char *args
            = g_strdup_printf ("{\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", c->server, users[i]);
          bench->waiting++;
          hark_dispatcher_call (bench->dispatcher, bench->admin, "add_member", args, on_answer, bench);
          wait (bench);
        }
      tab->transport = g_object_ref (fake_transport_new ());
      tab->session = hark_session_new (bench->hub, HARK_TRANSPORT (tab->transport), protocol, &fake_wire, identity);
      hark_session_open (tab->session);
      fake_transport_say (tab->transport, "{\"type\":\"get_servers\"}");
      fake_transport_say (tab->transport, text);
    }
  settle (bench, c->tabs, N_THERE);
}

static void
post (Bench *bench, Community *c, guint n, guint run)
{
  double begun = seconds (CLOCK_PROCESS_CPUTIME_ID);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *args = g_strdup_printf ("{\"channel\":\"" ID "\",\"message\":\"%0180d\"}", c->channel, i);
      bench->waiting++;
      hark_dispatcher_call (bench->dispatcher, c->author, "message", args, on_answer, bench);
      while (bench->waiting >= IN_FLIGHT)
        g_main_context_iteration (NULL, TRUE);
      if (i % 100 == 0)
        drain (c->tabs, N_THERE);
    }
  wait (bench);
  drain (c->tabs, N_THERE);
  c->took[run] = (seconds (CLOCK_PROCESS_CPUTIME_ID) - begun) / n;
}

static void
measure_posts (Bench *bench, HarkProtocol *protocol, guint n)
{
  Community small = { 0 }, large = { 0 };
  double of_small, of_large;
  make_community (bench, protocol, &small, N_THERE);
  make_community (bench, protocol, &large, N_MEMBERS);
  post (bench, &small, n / 4, 0);
  post (bench, &large, n / 4, 0);
  for (guint i = 0; i < RUNS; i++)
    {
      post (bench, &small, n, i);
      post (bench, &large, n, i);
    }
  of_small = median (small.took, RUNS);
  of_large = median (large.took, RUNS);
  g_print ("%-58s %6.2f us\n", "a post, 10 members, 10 there: CPU of everything", of_small * 1e6);
  g_print ("%-58s %6.2f us   ratio %.3f\n", "a post, 50,000 members, 10 there", of_large * 1e6, of_large / of_small);
  for (guint i = 0; i < N_THERE; i++)
    {
      g_object_unref (small.tabs[i].session);
      g_object_unref (small.tabs[i].transport);
      g_object_unref (large.tabs[i].session);
      g_object_unref (large.tabs[i].transport);
    }
  hark_identity_unref (small.author);
  hark_identity_unref (large.author);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 20000;
  g_autofree char *directory = g_dir_make_tmp ("hark-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "hark.db", NULL);
  g_autofree char *lock = g_strconcat (path, "-lock", NULL);
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkMetrics) metrics = hark_metrics_new ();
  g_autoptr (HarkIds) ids = hark_ids_new (clock);
  g_autoptr (HarkProtocol) protocol = hark_native_new ();
  HarkTurn *turn = hark_turn_new (NULL);
  HarkHubLimits hub_limits = HARK_HUB_LIMITS_DEFAULT;
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  HarkChatLimits limits;
  Bench bench = { NULL };
  HarkPresence *presence;
  HarkSqliteStore *store;
  HarkChat *chat;
  GError *error = NULL;
  hark_core_get_resource ();
  hark_chat_limits_init (&limits);
  options.migrations = "/org/hark/migrations";
  bench.turn = turn;
  bench.admin = hark_identity_new (0, "admin", 0, 0, HARK_IDENTITY_ADMIN);
  bench.dispatcher = hark_dispatcher_new (NULL, metrics);
  bench.hub = hark_hub_new (turn, bench.dispatcher, clock, ids, metrics, &hub_limits);
  presence = hark_presence_new (bench.hub, clock, 1000);
  store = hark_sqlite_store_open (path, &options, clock, ids, metrics, NULL, &error);
  if (store == NULL)
    g_error ("%s", error->message);
  bench.store = HARK_STORE (store);
  hark_store_set_committed (bench.store, on_committed, &bench);
  hark_sqlite_store_set_turn (store, turn);
  chat = hark_chat_new (bench.hub, bench.store, presence, ids, metrics, &limits);
  if (!hark_sqlite_store_run_sync (store, hark_chat_load, chat, &error))
    g_error ("%s", error->message);
  measure_posts (&bench, protocol, n);
  measure_away (&bench);
  hark_hub_close_all (bench.hub, HARK_CLOSE_GOING_AWAY, "the end");
  settle (&bench, NULL, 0);
  hark_sqlite_store_close (store);
  g_object_unref (chat);
  g_object_unref (store);
  g_object_unref (presence);
  g_object_unref (bench.hub);
  g_object_unref (bench.dispatcher);
  g_object_unref (turn);
  hark_identity_unref (bench.admin);
  g_free (bench.reply);
  g_unlink (path);
  g_unlink (lock);
  g_rmdir (directory);
  return 0;
}
