/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "socketio-fixture.h"

#include "base/error.h"
#include "core/event-log.h"
#include "hark-core-resources.h"
#include "hark-protocol-resources.h"

#include <glib/gstdio.h>
#include <string.h>

#define START_MS G_GINT64_CONSTANT (1763665555123)

struct _FakeAuthenticator
{
  GObject parent_instance;
  GQueue waiting; /* (element-type GTask) */
};

static HarkIdentity *
identify (const char *token)
{
  if (g_str_has_suffix (token, "ann"))
    return hark_identity_new (ANN, "ann", 1, 0, HARK_IDENTITY_NONE);
  if (g_str_has_suffix (token, "bob"))
    return hark_identity_new (BOB, "bob", 2, 0, HARK_IDENTITY_NONE);
  return NULL;
}

static HarkIdentity *
fake_peek (HarkAuthenticator *authenticator, const char *token)
{
  return g_str_has_prefix (token, "slow-") ? NULL : identify (token);
}

static void
answer (GTask *task)
{
  HarkIdentity *identity = identify (g_task_get_task_data (task));
  if (identity != NULL)
    g_task_return_pointer (task, identity, (GDestroyNotify)hark_identity_unref);
  else
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "the token lets nobody in");
}

static void
fake_check_async (HarkAuthenticator *authenticator, const char *token, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer data)
{
  FakeAuthenticator *self = FAKE_AUTHENTICATOR (authenticator);
  GTask *task = g_task_new (authenticator, cancellable, callback, data);
  g_task_set_task_data (task, g_strdup (token), g_free);
  if (g_str_has_prefix (token, "slow-"))
    {
      g_queue_push_tail (&self->waiting, task);
      return;
    }
  answer (task);
  g_object_unref (task);
}

static HarkIdentity *
fake_check_finish (HarkAuthenticator *authenticator, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
fake_is_current (HarkAuthenticator *authenticator, HarkIdentity *identity)
{
  return TRUE;
}

static void
authenticator_iface_init (HarkAuthenticatorInterface *iface)
{
  iface->peek = fake_peek;
  iface->check_async = fake_check_async;
  iface->check_finish = fake_check_finish;
  iface->is_current = fake_is_current;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeAuthenticator, fake_authenticator, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_AUTHENTICATOR, authenticator_iface_init))

static void
fake_authenticator_class_init (FakeAuthenticatorClass *klass)
{
}

static void
fake_authenticator_init (FakeAuthenticator *self)
{
  g_queue_init (&self->waiting);
}

/* Answers who waits. */
void
fake_authenticator_answer (FakeAuthenticator *self)
{
  GTask *task;
  while ((task = g_queue_pop_head (&self->waiting)) != NULL)
    {
      answer (task);
      g_object_unref (task);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Commands. */

static void
on_echo (HarkCommand *command, gpointer data)
{
  const HarkJsonValue *value = hark_json_object_get (command->args, "value");
  HarkJsonWriter *json = hark_command_begin_reply (command);
  if (value != NULL)
    hark_json_writer_forward (json, value->name, value->raw);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

/* As the chat's does. */
static void
on_forward (HarkCommand *command, gpointer data)
{
  SocketioFixture *self = data;
  g_auto (HarkJsonWriter) json = { 0 };
  g_autoptr (GPtrArray) receivers = NULL;
  GError *error = NULL;
  gint64 target;
  gsize len;
  const char *text;
  if (!hark_json_object_get_id (command->args, "target", HARK_FIELD_REQUIRED, &target, &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", "forwarded");
  for (guint i = 0; i < hark_json_object_get_n_members (command->args); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (command->args, i);
      if (!hark_json_slice_equal (member->name, "type") && !hark_json_slice_equal (member->name, "sender"))
        hark_json_writer_forward (&json, member->name, member->raw);
    }
  hark_json_writer_member_id (&json, "sender", hark_command_get_user_id (command));
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  receivers = hark_hub_dup_user_sessions (self->hub, target);
  for (guint i = 0; receivers != NULL && i < receivers->len; i++)
    hark_session_send_json (receivers->pdata[i], "forwarded", text, len);
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "echo", HARK_COMMAND_NONE, NULL, on_echo },
  { "forward", HARK_COMMAND_NONE, NULL, on_forward },
};

/* A client reads lines. */

static guint8 *
append_text (HarkBuilder *out, gsize len)
{
  guint8 *line = hark_builder_append_uninitialized (out, len + 1);
  line[len] = '\n';
  return line;
}

static guint8 *
append_binary (HarkBuilder *out, gsize len)
{
  guint8 *line = hark_builder_append_uninitialized (out, len + 2);
  line[0] = 'b';
  line[len + 1] = '\n';
  return line + 1;
}

static const HarkSocketioFraming framing = { append_text, append_binary };

static void
on_committed (GPtrArray *events, gpointer data)
{
  hark_hub_publish_all (((SocketioFixture *)data)->hub, events);
}

/* What the daemon does when it starts. */
static gboolean
load (HarkTransaction *tx, gpointer data, GError **error)
{
  SocketioFixture *self = data;
  gint64 rev;
  if (!hark_event_log_get_rev (tx, &rev, error))
    return FALSE;
  hark_hub_set_published_rev (self->hub, rev);
  return hark_socketio_load (tx, &self->limits, error);
}

void
socketio_fixture_start (SocketioFixture *self)
{
  HarkSqliteOptions options = HARK_SQLITE_OPTIONS_INIT;
  g_autoptr (GError) error = NULL;
  hark_core_get_resource ();
  hark_protocol_get_resource ();
  options.synchronous = HARK_SQLITE_NORMAL;
  options.migrations = "/org/hark/migrations";
  self->turn = hark_turn_new (NULL);
  self->dispatcher = hark_dispatcher_new (NULL, self->metrics);
  hark_dispatcher_add (self->dispatcher, specs, G_N_ELEMENTS (specs), self);
  self->ids = hark_ids_new (HARK_CLOCK (self->clock));
  self->hub = hark_hub_new (self->turn, self->dispatcher, HARK_CLOCK (self->clock), self->ids, self->metrics,
                            &self->hub_limits);
  self->store
    = hark_sqlite_store_open (self->path, &options, HARK_CLOCK (self->clock), self->ids, self->metrics, NULL, &error);
  g_assert_no_error (error);
  hark_store_set_committed (HARK_STORE (self->store), on_committed, self);
  hark_sqlite_store_set_turn (self->store, self->turn);
  hark_sqlite_store_run_sync (self->store, load, self, &error);
  g_assert_no_error (error);
  self->wires = hark_socketio_wires_new (2, &framing);
  self->namespaces = hark_socketio_namespaces_new (self->hub, self->without_store ? NULL : HARK_STORE (self->store),
                                                   self->wires, self->metrics, &self->limits);
  hark_socketio_namespaces_declare (self->namespaces, "/game", &error);
  g_assert_no_error (error);
}

void
socketio_fixture_stop (SocketioFixture *self)
{
  hark_hub_close_all (self->hub, HARK_CLOSE_RESTART, "the service is stopping");
  hark_sqlite_store_close (self->store);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (self->namespaces);
  hark_dispatcher_remove (self->dispatcher, self);
  g_assert_finalize_object (self->hub);
  hark_socketio_wires_free (self->wires);
  g_assert_finalize_object (self->dispatcher);
  g_assert_finalize_object (self->store);
  g_assert_finalize_object (self->turn);
  g_assert_finalize_object (self->ids);
}

void
socketio_fixture_set_up (SocketioFixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HarkHubLimits hub_limits = HARK_HUB_LIMITS_DEFAULT;
  self->directory = g_dir_make_tmp ("hark-socketio-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->directory, "hark.db", NULL);
  self->clock = hark_fake_clock_new (START_MS);
  self->metrics = hark_metrics_new ();
  self->authenticator = g_object_new (FAKE_TYPE_AUTHENTICATOR, NULL);
  self->hub_limits = hub_limits;
  hark_socketio_limits_init (&self->limits);
  socketio_fixture_start (self);
}

void
socketio_fixture_tear_down (SocketioFixture *self, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (self->directory, 0, NULL);
  const char *name;
  socketio_fixture_stop (self);
  g_clear_pointer (&self->guest, hark_identity_unref);
  g_assert_finalize_object (self->authenticator);
  g_assert_finalize_object (self->metrics);
  g_assert_finalize_object (self->clock);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->directory, name, NULL);
      g_unlink (path);
    }
  g_rmdir (self->directory);
  g_free (self->directory);
  g_free (self->path);
}

static gboolean
do_nothing (HarkTransaction *tx, gpointer data, GError **error)
{
  return TRUE;
}

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
}

/* What was asked of the store is answered, and what is asked in answer to that; what was published is delivered. */
void
socketio_fixture_settle (SocketioFixture *self)
{
  for (guint i = 0; i < 3; i++)
    {
      gboolean done = FALSE;
      hark_store_write (HARK_STORE (self->store), do_nothing, NULL, NULL, on_done, &done);
      hark_turn_end (self->turn);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  hark_turn_end (self->turn);
}

void
socketio_fixture_advance (SocketioFixture *self, guint ms)
{
  hark_fake_clock_advance (self->clock, ms);
  socketio_fixture_settle (self);
}

/* Clients. */

Client *
client_new (SocketioFixture *fixture)
{
  Client *self = g_new0 (Client, 1);
  g_autoptr (HarkProtocol) protocol
    = hark_socketio_new (fixture->namespaces, HARK_AUTHENTICATOR (fixture->authenticator), fixture->guest);
  g_autoptr (HarkSession) session = NULL;
  self->fixture = fixture;
  self->transport = fake_transport_new ();
  session = hark_session_new (fixture->hub, HARK_TRANSPORT (g_object_ref (self->transport)), protocol,
                              hark_socketio_wires_get (fixture->wires, HARK_SOCKETIO_SCOPE_NONE), NULL);
  hark_session_open (session);
  self->session = session->id;
  return self;
}

void
client_free (Client *self)
{
  g_object_unref (self->transport);
  g_free (self->sid);
  g_free (self->pid);
  g_free (self);
}

HarkSession *
client_get_session (Client *self)
{
  return hark_hub_get_session (self->fixture->hub, self->session);
}

void
client_say (Client *self, const char *text)
{
  g_autofree char *copy = g_memdup2 (text, MAX (strlen (text), 1)); /* without a 0 byte */
  hark_transport_emit_message (HARK_TRANSPORT (self->transport), (const guint8 *)copy, strlen (text), FALSE);
}

void
client_send (Client *self, const char *data, gsize len)
{
  hark_transport_emit_message (HARK_TRANSPORT (self->transport), (const guint8 *)data, len, TRUE);
}

char *
client_read (Client *self)
{
  socketio_fixture_settle (self->fixture);
  return fake_transport_pop (self->transport);
}

void
client_expect (Client *self, const char *pattern)
{
  g_autofree char *line = client_read (self);
  if (line == NULL || !g_pattern_match_simple (pattern, line))
    g_error ("expected %s and read %s", pattern, line);
}

void
client_expect_nothing (Client *self)
{
  g_autofree char *line = client_read (self);
  g_assert_cmpstr (line, ==, NULL);
}

void
client_expect_closed (Client *self, guint code)
{
  g_assert_cmpuint (fake_transport_get_close_code (self->transport), ==, code);
  g_assert_null (client_get_session (self));
}

/* Connects to a namespace, and reads what it is greeted with, if it is. @auth: (nullable): JSON */
void
client_connect (Client *self, const char *nsp, const char *auth)
{
  gboolean root = strcmp (nsp, "/") == 0;
  g_autofree char *packet = g_strconcat ("0", root ? "" : nsp, root ? "" : ",", auth, NULL);
  g_autofree char *expected = g_strconcat ("0", root ? "" : nsp, root ? "" : ",", "{\"sid\":\"*", NULL);
  g_autofree char *line = NULL;
  HarkJsonObject object;
  gsize skip = strlen (expected) - strlen ("{\"sid\":\"*");
  client_say (self, packet);
  line = client_read (self);
  if (line == NULL || !g_pattern_match_simple (expected, line))
    g_error ("expected %s and read %s", expected, line);
  g_clear_pointer (&self->sid, g_free);
  g_clear_pointer (&self->pid, g_free);
  g_assert_true (hark_json_object_parse (&object, line + skip, strlen (line + skip), NULL));
  g_assert_true (hark_json_object_get_string (&object, "sid", HARK_FIELD_REQUIRED, 64, &self->sid, NULL));
  g_assert_true (hark_json_object_get_string (&object, "pid", HARK_FIELD_OPTIONAL, 64, &self->pid, NULL));
}

/* The connection is gone without a word. */
void
client_cut (Client *self)
{
  fake_transport_hang_up (self->transport, HARK_CLOSE_ABNORMAL);
  socketio_fixture_settle (self->fixture);
}
