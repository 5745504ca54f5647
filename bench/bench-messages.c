/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a chat message costs in the writer's thread, from the right to say it to its event, without the commit's fsync
 * and without a network: the price that group commit cannot share out. Also forwarding, which touches no store.
 *
 *   bench-messages [MESSAGES]
 */
#include "chat/chat.h"
#include "store/sqlite-store.h"

#include "hark-core-resources.h"

#include <glib/gstdio.h>
#include <time.h>

#define IN_FLIGHT 1000
#define N_AUTHORS 100

typedef struct
{
  HarkDispatcher *dispatcher;
  HarkHub *hub;
  HarkTurn *turn;
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

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 100000;
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
  measure (&bench, authors, open, n / 10, "(warming up)");
  measure (&bench, authors, open, n, "an open channel");
  measure (&bench, authors, private, n, "a private channel");
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
