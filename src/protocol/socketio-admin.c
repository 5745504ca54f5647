/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The namespace /admin, for the page of npm @socket.io/admin-ui: an administrator logs in with name and token, is told
 * of sockets, rooms and events, and makes sockets join, leave and go. Nobody there, nothing is watched and nothing told.
 */
#include "protocol/socketio-admin.h"

#include "base/error.h"
#include "protocol/socketio-admin-json.h"

#include <string.h>

#define NAME "/admin"
#define STATS_MS 2000
#define MAX_FIELD 256

/* Events that are told one by one, within STATS_MS; more are left out. */
#define MAX_TOLD 2000

typedef struct
{
  char *id;               /* (owned): what the page comes back with */
  HarkIdentity *identity; /* (owned) */
  gint64 until;           /* milliseconds since 1970 */
} Login;

struct _HarkSocketioAdmin
{
  HarkSocketioNamespaces *namespaces; /* unowned, as the next */
  HarkHub *hub;
  HarkAuthenticator *authenticator; /* (owned) */
  HarkClock *clock;                 /* (owned) */
  GCancellable *cancellable;        /* (owned) */
  GQueue logins;                    /* (element-type Login) (owned): oldest first */
  gboolean is_verbose;
  guint n_admins;
  guint n_told;
  GHashTable *transports; /* sid → name of the transport that was told; a constant */
  guint stats_id;
  gint64 started_at;
  HarkSocketioAdminStats stats;
  gulong handlers[2]; /* of the namespaces */
  gulong hub_handlers[2];
};

static void
login_free (gpointer data)
{
  Login *login = data;
  g_free (login->id);
  hark_identity_unref (login->identity);
  g_free (login);
}

/* Telling. */

static void
on_told (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  /* What is written here is JSON, and the namespace is ours: that is all that could be wrong. */
  if (!hark_socketio_namespaces_emit_finish (HARK_SOCKETIO_NAMESPACES (source), result, NULL, &error))
    g_warning ("/admin is not told: %s", error->message);
}

/* @sid: (nullable): to whom alone. @json: the event's arguments, begun as an array, which ends here. */
static void
tell (HarkSocketioAdmin *self, const char *sid, const char *event, gboolean is_volatile, HarkJsonWriter *json)
{
  const char *rooms[] = { sid, NULL };
  HarkSocketioTarget target = { .rooms = sid != NULL ? rooms : NULL };
  g_autofree char *args = NULL;
  gsize len;
  hark_json_writer_end_array (json);
  args = hark_json_writer_steal (json, &len);
  hark_socketio_namespaces_emit_async (self->namespaces, NAME, &target, is_volatile, event, args, on_told, NULL);
}

static void
begin (HarkJsonWriter *json)
{
  hark_json_writer_init (json, 0);
  hark_json_writer_begin_array (json);
}

static void
write_now (HarkSocketioAdmin *self, HarkJsonWriter *json)
{
  hark_json_writer_time_ms (json, hark_clock_get_real_ms (self->clock));
}

/* Whether one more event may be told before the next figures. */
static gboolean
may_tell (HarkSocketioAdmin *self, const HarkSocketioSocket *socket)
{
  return strcmp (socket->nsp->name, NAME) != 0 && self->n_told++ < MAX_TOLD;
}

static void
on_received (const HarkSocketioSocket *socket, const HarkSocketioPacket *packet, gpointer data)
{
  HarkSocketioAdmin *self = data;
  g_auto (HarkJsonWriter) json = { 0 };
  self->stats.packets_in++;
  if (!self->is_verbose || !may_tell (self, socket))
    return;
  begin (&json);
  hark_json_writer_string (&json, socket->nsp->name);
  hark_json_writer_string (&json, socket->sid);
  hark_socketio_admin_write_packet (&json, packet);
  write_now (self, &json);
  tell (self, NULL, "event_received", TRUE, &json);
}

static void
on_sent (const HarkSocketioSocket *socket, const HarkEvent *event, gpointer data)
{
  HarkSocketioAdmin *self = data;
  g_auto (HarkJsonWriter) json = { 0 };
  if (!self->is_verbose || !may_tell (self, socket))
    return;
  begin (&json);
  hark_json_writer_string (&json, socket->nsp->name);
  hark_json_writer_string (&json, socket->sid);
  if (!hark_socketio_admin_write_event (&json, event))
    return;
  write_now (self, &json);
  tell (self, NULL, "event_sent", TRUE, &json);
}

static void
on_room (const HarkSocketioSocket *socket, const char *room, gboolean joined, gpointer data)
{
  HarkSocketioAdmin *self = data;
  g_auto (HarkJsonWriter) json = { 0 };
  if (!self->is_verbose)
    return;
  begin (&json);
  hark_json_writer_string (&json, socket->nsp->name);
  hark_json_writer_string (&json, room);
  hark_json_writer_string (&json, socket->sid);
  write_now (self, &json);
  tell (self, NULL, joined ? "room_joined" : "room_left", FALSE, &json);
}

static const HarkSocketioObserver observer = { on_received, on_sent, on_room };

/* Figures. */

static void
tell_stats (HarkSocketioAdmin *self, const char *sid)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (self->hub);
  g_auto (HarkJsonWriter) json = { 0 };
  self->stats.n_clients = self->stats.n_polling = 0;
  for (guint i = 0; i < sessions->len; i++)
    {
      const HarkSession *session = sessions->pdata[i];
      if (strcmp (hark_protocol_get_name (session->protocol), "socket.io") != 0 || session->transport == NULL)
        continue;
      self->stats.n_clients++;
      self->stats.n_polling += g_str_equal (hark_transport_get_name (session->transport), "polling");
    }
  self->stats.at_ms = hark_clock_get_real_ms (self->clock);
  self->stats.uptime_ms = self->stats.at_ms - self->started_at;
  begin (&json);
  hark_socketio_admin_write_stats (&json, &self->stats, self->namespaces);
  tell (self, sid, "server_stats", FALSE, &json);
}

typedef struct
{
  HarkSocketioAdmin *admin;
  GPtrArray *changes; /* (element-type utf8): JSON */
} Upgrades;

static void
find_upgrade (const HarkSocketioSocket *socket, gpointer data)
{
  Upgrades *upgrades = data;
  const char *now = socket->session->transport != NULL ? hark_transport_get_name (socket->session->transport) : NULL;
  g_auto (HarkJsonWriter) json = { 0 };
  if (now == NULL || !socket->connected || g_hash_table_lookup (upgrades->admin->transports, socket->sid) == now)
    return;
  g_hash_table_insert (upgrades->admin->transports, g_strdup (socket->sid), (gpointer)now);
  begin (&json);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "id", socket->sid);
  hark_json_writer_member_string (&json, "nsp", socket->nsp->name);
  hark_json_writer_member_string (&json, "transport", now);
  hark_json_writer_end_object (&json);
  hark_json_writer_end_array (&json);
  g_ptr_array_add (upgrades->changes, hark_json_writer_steal (&json, NULL));
}

/* A connection that was upgraded: no one tells of it, so it is looked at now and then. Telling may end sockets, so it
 * comes after. */
static void
tell_upgrades (HarkSocketioAdmin *self)
{
  static const HarkSocketioTarget all = { NULL };
  g_autoptr (GPtrArray) changes = g_ptr_array_new_with_free_func (g_free);
  Upgrades upgrades = { self, changes };
  hark_socketio_namespaces_foreach (self->namespaces, find_upgrade, &upgrades);
  for (guint i = 0; i < changes->len; i++)
    hark_socketio_namespaces_emit_async (self->namespaces, NAME, &all, FALSE, "socket_updated", changes->pdata[i],
                                         on_told, NULL);
}

static gboolean
on_stats (gpointer data)
{
  HarkSocketioAdmin *self = data;
  tell_stats (self, NULL);
  if (self->is_verbose)
    tell_upgrades (self);
  self->n_told = 0;
  self->stats.connections = self->stats.disconnections = self->stats.packets_in = 0;
  return G_SOURCE_CONTINUE;
}

static void
on_hub_added (HarkHub *hub, HarkSession *session, HarkSocketioAdmin *self)
{
  self->stats.connections += strcmp (hark_protocol_get_name (session->protocol), "socket.io") == 0;
}

static void
on_hub_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkSocketioAdmin *self)
{
  self->stats.disconnections += strcmp (hark_protocol_get_name (session->protocol), "socket.io") == 0;
}

static void
watch (HarkSocketioAdmin *self)
{
  memset (&self->stats, 0, sizeof self->stats);
  self->n_told = 0;
  hark_socketio_namespaces_set_observer (self->namespaces, &observer, self);
  self->stats_id = hark_clock_add_timeout (self->clock, STATS_MS, on_stats, self);
  self->hub_handlers[0] = g_signal_connect (self->hub, "session-connected", G_CALLBACK (on_hub_added), self);
  self->hub_handlers[1] = g_signal_connect (self->hub, "session-removed", G_CALLBACK (on_hub_removed), self);
}

static void
unwatch (HarkSocketioAdmin *self)
{
  hark_socketio_namespaces_set_observer (self->namespaces, NULL, NULL);
  hark_clock_clear_timeout (self->clock, &self->stats_id);
  g_hash_table_remove_all (self->transports);
  for (guint i = 0; i < G_N_ELEMENTS (self->hub_handlers); i++)
    g_clear_signal_handler (&self->hub_handlers[i], self->hub);
}

/* Coming and going. */

static void
write_one (const HarkSocketioSocket *socket, gpointer data)
{
  if (socket->connected)
    hark_socketio_admin_write_socket (data, socket);
}

/* Returns: (transfer none): by which the page comes back: one for each administrator */
static const char *
remember (HarkSocketioAdmin *self, HarkIdentity *identity)
{
  Login *login;
  for (GList *i = self->logins.head; i != NULL; i = i->next)
    {
      login = i->data;
      if (login->identity->user_id == identity->user_id && login->identity->token_id == identity->token_id)
        return login->id;
    }
  if (self->logins.length == HARK_SOCKETIO_ADMIN_MAX_LOGINS)
    login_free (g_queue_pop_head (&self->logins));
  login = g_new (Login, 1);
  login->id = g_malloc (HARK_SOCKETIO_PID_LEN);
  hark_socketio_random_id (login->id, HARK_SOCKETIO_PID_LEN);
  login->identity = hark_identity_ref (identity);
  login->until = hark_clock_get_real_ms (self->clock) + HARK_SOCKETIO_ADMIN_LOGIN_MS;
  g_queue_push_tail (&self->logins, login);
  return login->id;
}

static void
greet (HarkSocketioAdmin *self, const char *sid, HarkSession *session)
{
  g_auto (HarkJsonWriter) login = { 0 };
  g_auto (HarkJsonWriter) config = { 0 };
  g_auto (HarkJsonWriter) sockets = { 0 };
  begin (&login);
  hark_json_writer_string (&login, remember (self, session->identity));
  tell (self, sid, "session", FALSE, &login);
  begin (&config);
  hark_socketio_admin_write_config (&config, self->is_verbose);
  tell (self, sid, "config", FALSE, &config);
  if (self->is_verbose)
    {
      begin (&sockets);
      hark_json_writer_begin_array (&sockets);
      hark_socketio_namespaces_foreach (self->namespaces, write_one, &sockets);
      hark_json_writer_end_array (&sockets);
      tell (self, sid, "all_sockets", FALSE, &sockets);
    }
  tell_stats (self, sid);
}

static void
on_connected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
              gboolean recovered, HarkSocketioAdmin *self)
{
  HarkSocketioNamespace *space = hark_socketio_namespaces_find (namespaces, nsp);
  HarkSocketioSocket *socket = space != NULL ? hark_socketio_namespace_find (space, sid) : NULL;
  gboolean is_admin = strcmp (nsp, NAME) == 0;
  g_auto (HarkJsonWriter) json = { 0 };
  if (socket == NULL)
    return;
  if (is_admin && self->n_admins++ == 0)
    watch (self);
  if (self->n_admins > 0 && self->is_verbose)
    {
      begin (&json);
      hark_socketio_admin_write_socket (&json, socket);
      write_now (self, &json);
      tell (self, NULL, "socket_connected", FALSE, &json);
    }
  if (is_admin)
    greet (self, sid, session);
}

static void
on_disconnected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
                 gboolean may_return, HarkSocketioAdmin *self)
{
  g_auto (HarkJsonWriter) json = { 0 };
  if (strcmp (nsp, NAME) == 0 && --self->n_admins == 0)
    unwatch (self);
  g_hash_table_remove (self->transports, sid);
  if (self->n_admins == 0 || !self->is_verbose)
    return;
  begin (&json);
  hark_json_writer_string (&json, nsp);
  hark_json_writer_string (&json, sid);
  hark_json_writer_string (&json, may_return ? "transport close" : "server namespace disconnect");
  write_now (self, &json);
  tell (self, NULL, "socket_disconnected", FALSE, &json);
}

/* Logging in. */

static GError *
new_refusal (void)
{
  /* The page knows these words. */
  return g_error_new_literal (HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "invalid credentials");
}

typedef struct
{
  GTask *task;    /* (owned) */
  char *username; /* (owned) (nullable) */
} Check;

/* @task: (transfer full) */
static void
end_check (GTask *task, HarkIdentity *identity, const char *username)
{
  g_autoptr (GTask) owned G_GNUC_UNUSED = task;
  if (identity != NULL && (identity->flags & HARK_IDENTITY_ADMIN) != 0
      && (username == NULL || g_ascii_strcasecmp (username, identity->username) == 0))
    g_task_return_pointer (task, hark_identity_ref (identity), (GDestroyNotify)hark_identity_unref);
  else
    g_task_return_error (task, new_refusal ());
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  Check *check = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  if (error != NULL && !g_error_matches (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED))
    {
      g_task_return_error (check->task, g_steal_pointer (&error));
      g_object_unref (check->task);
    }
  else
    {
      end_check (check->task, identity, check->username);
    }
  g_free (check->username);
  g_free (check);
}

/* Returns: (transfer none) (nullable): who has logged in before */
static HarkIdentity *
find_login (HarkSocketioAdmin *self, const char *id)
{
  for (GList *i = self->logins.head; i != NULL; i = i->next)
    {
      Login *login = i->data;
      if (strlen (id) == HARK_SOCKETIO_PID_LEN - 1 && strcmp (login->id, id) == 0
          && login->until > hark_clock_get_real_ms (self->clock)
          && hark_authenticator_is_current (self->authenticator, login->identity))
        return login->identity;
    }
  return NULL;
}

static char *
get_field (const HarkJsonObject *auth, const char *name)
{
  char *text = NULL;
  /* What is no text, or too long, is no credential either. */
  return hark_json_object_get_string (auth, name, HARK_FIELD_OPTIONAL, MAX_FIELD, &text, NULL) ? text : NULL;
}

static void
admin_check (HarkSocketioNamespace *nsp, const HarkJsonObject *auth, GTask *task)
{
  HarkSocketioAdmin *self = nsp->data;
  g_autofree char *login = get_field (auth, "sessionId");
  g_autofree char *username = get_field (auth, "username");
  g_autofree char *password = get_field (auth, "password");
  HarkIdentity *known = login != NULL ? find_login (self, login) : NULL;
  g_autoptr (HarkIdentity) peeked = NULL;
  Check *check;
  if (known != NULL || password == NULL || *password == '\0')
    {
      end_check (g_object_ref (task), known, NULL);
      return;
    }
  peeked = hark_authenticator_peek (self->authenticator, password);
  if (peeked != NULL)
    {
      end_check (g_object_ref (task), peeked, username);
      return;
    }
  check = g_new (Check, 1);
  check->task = g_object_ref (task);
  check->username = g_steal_pointer (&username);
  hark_authenticator_check_async (self->authenticator, password, self->cancellable, on_checked, check);
}

/* What the page asks for. */

static void
admin_take_event (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  hark_socketio_take_as (socket, command, packet, HARK_SOCKETIO_COMMAND_ADMIN);
}

static const HarkSocketioKind kind = { .check = admin_check, .take_event = admin_take_event };

typedef struct
{
  char *nsp;  /* (owned) */
  char *text; /* (owned) (nullable): a room's or event's name */
  gboolean close;
  char *filter; /* (owned) (nullable): a room, or a socket's id */
  char *rest;   /* (owned) (nullable): a JSON array */
} Wish;

static void
wish_clear (Wish *self)
{
  g_free (self->nsp);
  g_free (self->text);
  g_free (self->filter);
  g_free (self->rest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wish, wish_clear)

/* The array was checked before: it ends. */
static void
read_rest (Wish *wish, HarkJsonReader *reader)
{
  g_auto (HarkJsonWriter) json = { 0 };
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_array (&json);
  while (hark_json_reader_next (reader, NULL) != HARK_JSON_END_ARRAY)
    {
      HarkJsonSlice raw;
      hark_json_reader_skip_value (reader, &raw, NULL);
      hark_json_writer_raw (&json, raw.data, raw.len);
    }
  hark_json_writer_end_array (&json);
  wish->rest = hark_json_writer_steal (&json, NULL);
}

/* @form: letters for the arguments, in order: n namespace, t text, b boolean, f filter (may be left out, or null), *
 * whatever follows. @args: a JSON array */
static gboolean
read_wish (Wish *wish, const char *args, const char *form, GError **error)
{
  HarkJsonReader reader;
  hark_json_reader_init (&reader, args, strlen (args));
  hark_json_reader_next (&reader, NULL);
  for (; *form != '\0'; form++)
    {
      HarkJsonToken token;
      if (*form == '*')
        {
          read_rest (wish, &reader);
          return TRUE;
        }
      token = hark_json_reader_next (&reader, NULL);
      if (*form == 'b' && (token == HARK_JSON_TRUE || token == HARK_JSON_FALSE))
        wish->close = token == HARK_JSON_TRUE;
      else if (*form == 'n' && token == HARK_JSON_STRING)
        wish->nsp = hark_json_string_dup_c (reader.slice);
      else if (*form == 't' && token == HARK_JSON_STRING)
        wish->text = hark_json_string_dup_c (reader.slice);
      else if (*form == 'f' && token == HARK_JSON_STRING)
        wish->filter = hark_json_string_dup_c (reader.slice);
      else if (*form == 'f' && token == HARK_JSON_END_ARRAY)
        return TRUE;
      else if (*form != 'f' || token != HARK_JSON_NULL)
        {
          g_set_error_literal (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "that is not what the page asks for");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
fulfil (HarkSocketioAdmin *self, const char *name, const char *args, GError **error)
{
  g_auto (Wish) wish = { 0 };
  const char *form = strcmp (name, "emit") == 0          ? "nft*"
                     : strcmp (name, "join") == 0        ? "ntf"
                     : strcmp (name, "leave") == 0       ? "ntf"
                     : strcmp (name, "_disconnect") == 0 ? "nbf"
                                                         : NULL;
  const char *rooms[] = { NULL, NULL };
  HarkSocketioTarget target = { NULL };
  if (form == NULL)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no such event in " NAME);
      return FALSE;
    }
  if (!read_wish (&wish, args, form, error))
    return FALSE;
  if (wish.filter != NULL && *wish.filter != '\0')
    {
      rooms[0] = wish.filter;
      target.rooms = rooms;
    }
  if (wish.nsp == NULL || (strchr (form, 't') != NULL && wish.text == NULL))
    {
      g_set_error_literal (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "names have no U+0000");
      return FALSE;
    }
  if (*name == 'j')
    return hark_socketio_namespaces_join (self->namespaces, wish.nsp, &target, wish.text, NULL, error);
  if (*name == 'l')
    return hark_socketio_namespaces_leave (self->namespaces, wish.nsp, &target, wish.text, NULL, error);
  if (*name == '_')
    return hark_socketio_namespaces_disconnect (self->namespaces, wish.nsp, &target, wish.close, NULL, error);
  hark_socketio_namespaces_emit_async (self->namespaces, wish.nsp, &target, FALSE, wish.text, wish.rest, on_told, NULL);
  return TRUE;
}

static void
on_admin_event (HarkCommand *command, gpointer concern)
{
  g_autoptr (HarkCommand) owned G_GNUC_UNUSED = command;
  const HarkSocketioTag *tag = command->tag;
  g_autofree char *args = NULL;
  GError *error = NULL;
  if (command->tag_free != hark_socketio_tag_free || tag->args == NULL || strcmp (tag->nsp, NAME) != 0)
    {
      hark_command_take_error (command, g_error_new (HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE,
                                                     "\"type\": there is no request \"%s\"", command->spec->name));
      return;
    }
  args = g_strdup_printf ("[%s]", tag->args);
  if (fulfil (concern, tag->name, args, &error))
    hark_socketio_acks_answer_command (command, NULL, 0);
  else
    hark_command_take_error (command, error);
}

static const HarkCommandSpec specs[] = {
  { HARK_SOCKETIO_COMMAND_ADMIN, HARK_COMMAND_ADMIN, NULL, on_admin_event },
};

/**
 * hark_socketio_admin_new:
 * @namespaces: outlived by nothing of this
 *
 * Returns: (transfer full): with the namespace /admin
 */
HarkSocketioAdmin *
hark_socketio_admin_new (HarkSocketioNamespaces *namespaces, HarkHub *hub, HarkAuthenticator *authenticator,
                         gboolean is_verbose, GError **error)
{
  HarkSocketioAdmin *self = g_new0 (HarkSocketioAdmin, 1);
  self->namespaces = namespaces;
  self->hub = hub;
  self->authenticator = g_object_ref (authenticator);
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->cancellable = g_cancellable_new ();
  self->is_verbose = is_verbose;
  self->started_at = hark_clock_get_real_ms (self->clock);
  g_queue_init (&self->logins);
  self->transports = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  self->handlers[0] = g_signal_connect (namespaces, "connected", G_CALLBACK (on_connected), self);
  self->handlers[1] = g_signal_connect (namespaces, "disconnected", G_CALLBACK (on_disconnected), self);
  if (hark_socketio_namespaces_add (namespaces, NAME, &kind, self, error) != NULL)
    return self;
  hark_socketio_admin_free (self);
  return NULL;
}

/* After the hub's sessions have ended, and before the namespaces go. */
void
hark_socketio_admin_free (HarkSocketioAdmin *self)
{
  unwatch (self);
  g_cancellable_cancel (self->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (self->handlers); i++)
    g_clear_signal_handler (&self->handlers[i], self->namespaces);
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_queue_clear_full (&self->logins, login_free);
  g_hash_table_unref (self->transports);
  g_object_unref (self->cancellable);
  g_object_unref (self->authenticator);
  g_object_unref (self->clock);
  g_free (self);
}
