/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chat as the daemon puts it together, without a network and with a clock that tests move. */
#include "chat-fixture.h"

#include "base/error.h"
#include "fake-transport.h"
#include "hark-core-resources.h"
#include "protocol/native.h"

#include <glib/gstdio.h>
#include <sqlite3.h>

#define START_MS G_GINT64_CONSTANT (1763665555123)

/* Of messages nothing is told but where a test asks for it. */
static const char *const raised[] = { "invitation", NULL };

static void
on_committed (GPtrArray *events, gpointer data)
{
  ChatFixture *self = data;
  hark_hub_publish_all (self->hub, events);
}

void
chat_fixture_start (ChatFixture *self)
{
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  g_autoptr (GError) error = NULL;
  hark_core_get_resource ();
  options.synchronous = HARK_SQLITE_NORMAL;
  options.migrations = "/org/hark/migrations";
  self->turn = hark_turn_new (NULL);
  self->dispatcher = hark_dispatcher_new (NULL, self->metrics);
  self->ids = hark_ids_new (HARK_CLOCK (self->clock));
  self->protocol = hark_native_new ();
  self->hub = hark_hub_new (self->turn, self->dispatcher, HARK_CLOCK (self->clock), self->ids, self->metrics,
                            &self->hub_limits);
  self->presence = hark_presence_new (self->hub, HARK_CLOCK (self->clock), self->grace_ms);
  self->store
    = hark_sqlite_store_open (self->path, &options, HARK_CLOCK (self->clock), self->ids, self->metrics, NULL, &error);
  g_assert_no_error (error);
  self->steps = step_store_new (HARK_STORE (self->store));
  hark_store_set_committed (HARK_STORE (self->steps), on_committed, self);
  hark_sqlite_store_set_turn (self->store, self->turn);
  self->chat
    = hark_chat_new (self->hub, HARK_STORE (self->steps), self->presence, self->ids, self->metrics, &self->limits);
  hark_sqlite_store_run_sync (self->store, hark_chat_load, self->chat, &error);
  g_assert_no_error (error);
}

/* As a daemon that is told to end. */
void
chat_fixture_stop (ChatFixture *self)
{
  hark_hub_close_all (self->hub, HARK_CLOSE_GOING_AWAY, "the hub is going away");
  chat_fixture_advance (self, 300);
  g_ptr_array_set_size (self->clients, 0);
  hark_sqlite_store_close (self->store);
  g_assert_finalize_object (self->chat);
  g_assert_finalize_object (self->steps);
  g_assert_finalize_object (self->store);
  g_assert_finalize_object (self->presence);
  g_assert_finalize_object (self->hub);
  g_assert_finalize_object (self->dispatcher);
  g_assert_finalize_object (self->turn);
  g_assert_finalize_object (self->ids);
  g_assert_finalize_object (self->protocol);
}

void
chat_fixture_set_up (ChatFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HarkHubLimits hub_limits = HARK_HUB_LIMITS_DEFAULT;
  self->directory = g_dir_make_tmp ("hark-chat-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->directory, "hark.db", NULL);
  self->clock = hark_fake_clock_new (START_MS);
  self->metrics = hark_metrics_new ();
  self->hub_limits = hub_limits;
  self->hub_limits.max_strikes = 10000;
  hark_chat_limits_init (&self->limits);
  self->limits.notification_raised = raised;
  /* As cheap as libsodium makes them. */
  self->limits.password = (HarkPasswordCost){ 1, 8192, 2, 8 };
  self->passwords = hark_metrics_gauge (self->metrics, "hark_passwords_under_way", "Passwords under way.");
  self->grace_ms = 1000;
  self->admin = hark_identity_new (0, "admin", 0, 0, HARK_IDENTITY_ADMIN);
  self->clients = g_ptr_array_new_with_free_func ((GDestroyNotify)client_free);
  chat_fixture_start (self);
}

static void
remove_files (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);
      g_unlink (path);
    }
  g_rmdir (directory);
}

void
chat_fixture_tear_down (ChatFixture *self, gconstpointer data)
{
  chat_fixture_stop (self);
  g_ptr_array_unref (self->clients);
  hark_identity_unref (self->admin);
  g_assert_finalize_object (self->metrics);
  g_assert_finalize_object (self->clock);
  remove_files (self->directory);
  g_free (self->directory);
  g_free (self->path);
}

/* What other threads have in hand. */
static gboolean
is_busy (ChatFixture *self)
{
  return step_store_get_n_under_way (self->steps) > 0 || hark_counter_get (self->passwords) > 0;
}

/* What is asked for in answer to an answer is waited for too. */
void
chat_fixture_settle (ChatFixture *self)
{
  do
    {
      while (g_main_context_iteration (NULL, is_busy (self)))
        ;
      hark_turn_end (self->turn);
    }
  while (is_busy (self) || g_main_context_pending (NULL));
}

void
chat_fixture_advance (ChatFixture *self, guint ms)
{
  chat_fixture_settle (self);
  hark_fake_clock_advance (self->clock, ms);
  chat_fixture_settle (self);
}

typedef struct
{
  gboolean done;
  char *reply;
  GError *error;
} Answer;

static void
on_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  Answer *answer = data;
  answer->done = TRUE;
  answer->reply = json != NULL ? g_strndup (json, len) : NULL;
  answer->error = error != NULL ? g_error_copy (error) : NULL;
}

static char *
call (ChatFixture *self, const char *name, const char *format, va_list args, GError **error)
{
  g_autofree char *members = g_strdup_vprintf (format, args);
  g_autofree char *text = g_strdup_printf ("{%s}", members);
  Answer answer = { FALSE };
  hark_dispatcher_call (self->dispatcher, self->admin, name, text, on_answer, &answer);
  chat_fixture_settle (self);
  g_assert_true (answer.done);
  if (answer.error != NULL)
    g_propagate_error (error, answer.error);
  return answer.reply;
}

char *
chat_fixture_call (ChatFixture *self, const char *name, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;
  char *reply;
  va_start (args, format);
  reply = call (self, name, format, args, &error);
  va_end (args);
  if (error != NULL)
    g_error ("%s: %s", name, error->message);
  return reply;
}

void
chat_fixture_refuse (ChatFixture *self, HarkError code, const char *name, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;
  char *reply;
  va_start (args, format);
  reply = call (self, name, format, args, &error);
  va_end (args);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, (int)code);
}

gint64
chat_fixture_call_id (ChatFixture *self, const char *field, const char *name, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reply = NULL;
  HarkJsonObject object;
  va_list args;
  gint64 id;
  va_start (args, format);
  reply = call (self, name, format, args, &error);
  va_end (args);
  if (error != NULL)
    g_error ("%s: %s", name, error->message);
  hark_json_object_parse (&object, reply, strlen (reply), &error);
  g_assert_no_error (error);
  hark_json_object_get_id (&object, field, HARK_FIELD_REQUIRED, &id, &error);
  g_assert_no_error (error);
  return id;
}

JsonObject *
chat_fixture_post (ChatFixture *self, HarkIdentity *actor, const char *peer, const char *name, GError **error,
                   const char *format, ...)
{
  g_autofree char *members = NULL;
  g_autofree char *text = NULL;
  g_autofree char *reply = NULL;
  g_autoptr (JsonNode) node = NULL;
  Answer answer = { FALSE };
  va_list args;
  va_start (args, format);
  members = g_strdup_vprintf (format, args);
  va_end (args);
  text = g_strdup_printf ("{%s}", members);
  hark_dispatcher_call_from (self->dispatcher, actor, peer, name, text, on_answer, &answer);
  chat_fixture_settle (self);
  g_assert_true (answer.done);
  reply = answer.reply;
  if (answer.error != NULL)
    {
      g_propagate_error (error, answer.error);
      return NULL;
    }
  node = json_from_string (reply, NULL);
  return json_node_dup_object (node);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **)data = g_object_ref (result);
}

HarkIdentity *
chat_fixture_check_token (ChatFixture *self, const char *token, GError **error)
{
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (self->chat);
  g_autoptr (GAsyncResult) result = NULL;
  hark_authenticator_check_async (authenticator, token, NULL, on_checked, &result);
  chat_fixture_settle (self);
  g_assert_nonnull (result);
  return hark_authenticator_check_finish (authenticator, result, error);
}

/* The single number of a query, from the file itself. */
gint64
chat_fixture_count (ChatFixture *self, const char *sql)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;
  gint64 value;
  g_assert_cmpint (sqlite3_open_v2 (self->path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  value = sqlite3_column_int64 (stmt, 0);
  sqlite3_finalize (stmt);
  sqlite3_close (db);
  return value;
}

gint64
chat_fixture_user (ChatFixture *self, const char *name)
{
  return chat_fixture_call_id (self, "user_id", "create_user", "\"username\":\"%s\"", name);
}

gint64
chat_fixture_server (ChatFixture *self, gint64 owner, const char *name)
{
  return chat_fixture_call_id (self, "server_id", "create_server", "\"name\":\"%s\",\"owner_id\":\"" ID "\"", name,
                               owner);
}

gint64
chat_fixture_channel (ChatFixture *self, gint64 server, const char *name, gboolean private)
{
  return chat_fixture_call_id (self, "channel_id", "create_channel",
                               "\"server_id\":\"" ID "\",\"name\":\"%s\",\"private\":%s", server, name,
                               private ? "true" : "false");
}

void
chat_fixture_join (ChatFixture *self, gint64 server, gint64 user)
{
  g_autofree char *reply
    = chat_fixture_call (self, "add_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, user);
  g_assert_nonnull (reply);
}

static Client *
connect (ChatFixture *self, HarkIdentity *identity)
{
  Client *client = client_new (self, self->hub, self->protocol, identity);
  g_ptr_array_add (self->clients, client);
  chat_fixture_settle (self);
  return client;
}

Client *
chat_fixture_connect (ChatFixture *self, gint64 user)
{
  g_autofree char *name = g_strdup_printf ("user-" ID, user);
  g_autoptr (HarkIdentity) identity = hark_identity_new (user, name, 1, 0, HARK_IDENTITY_NONE);
  Client *client = connect (self, identity);
  g_autoptr (JsonObject) welcome = client_pop (client);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  client->resume = g_strdup (json_object_get_string_member (welcome, "resume"));
  return client;
}

Client *
chat_fixture_connect_as (ChatFixture *self, HarkIdentity *identity)
{
  return connect (self, identity);
}

/* A client that has not said who it is. */
Client *
chat_fixture_connect_unknown (ChatFixture *self)
{
  return connect (self, NULL);
}
