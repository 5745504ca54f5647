/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a back end does in Socket.IO namespaces, as requests: emit, ask, acknowledge, have sockets join and leave rooms,
 * disconnect and list them. They are administrators' requests like others, so D-Bus, harkctl and HTTP carry them
 * without knowing them.
 */
#include "protocol/socketio-commands.h"

#include "base/error.h"

#include <string.h>

#define MAX_NAMESPACE 256
#define MAX_EVENT 128
/* Rooms, users and exceptions of one target, each. */
#define MAX_TARGETS 256
#define MAX_PAGE 256

typedef struct
{
  char *nsp;
  GPtrArray *rooms;  /* (element-type utf8) (owned), %NULL-terminated */
  GArray *users;     /* (element-type gint64) (owned) */
  GPtrArray *except; /* (element-type utf8) (owned), %NULL-terminated */
  HarkSocketioTarget target;
} Aim;

static void
aim_clear (Aim *self)
{
  g_free (self->nsp);
  g_clear_pointer (&self->rooms, g_ptr_array_unref);
  g_clear_pointer (&self->users, g_array_unref);
  g_clear_pointer (&self->except, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Aim, aim_clear)

static gboolean
refuse_list (const char *name, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" must be a list of at most %d names of rooms", name,
               MAX_TARGETS);
  return FALSE;
}

/* @rooms: gets the names, and %NULL behind them */
static gboolean
read_rooms (const HarkJsonObject *object, const char *name, GPtrArray *rooms, GError **error)
{
  HarkJsonSlice raw = { NULL, 0 };
  HarkJsonReader reader;
  HarkJsonToken token;
  if (!hark_json_object_get_raw_array (object, name, HARK_FIELD_OPTIONAL, &raw, error))
    return FALSE;
  if (raw.data != NULL)
    {
      hark_json_reader_init (&reader, raw.data, raw.len);
      hark_json_reader_next (&reader, NULL);
      while ((token = hark_json_reader_next (&reader, NULL)) == HARK_JSON_STRING)
        {
          char *room = hark_json_string_dup_c (reader.slice);
          if (room == NULL || rooms->len >= MAX_TARGETS)
            {
              g_free (room);
              return refuse_list (name, error);
            }
          g_ptr_array_add (rooms, room);
        }
      if (token != HARK_JSON_END_ARRAY)
        return refuse_list (name, error);
    }
  g_ptr_array_add (rooms, NULL);
  return TRUE;
}

/* An empty list is a list: what is for nobody is not for everybody. */
static gboolean
is_there (const HarkJsonObject *object, const char *name)
{
  const HarkJsonValue *value = hark_json_object_get (object, name);
  return value != NULL && value->token != HARK_JSON_NULL;
}

static gboolean
read_target (const HarkJsonObject *args, Aim *aim, GError **error)
{
  HarkJsonSlice raw = { NULL, 0 };
  HarkJsonObject object;
  if (!hark_json_object_get_raw_object (args, "target", HARK_FIELD_OPTIONAL, &raw, error)
      || !hark_json_object_parse (&object, raw.data != NULL ? raw.data : "{}", raw.data != NULL ? raw.len : 2, error)
      || !read_rooms (&object, "rooms", aim->rooms, error) || !read_rooms (&object, "except", aim->except, error)
      || !hark_json_object_get_ids (&object, "users", HARK_FIELD_OPTIONAL, MAX_TARGETS, aim->users, error))
    return FALSE;
  for (guint i = 0; i < hark_json_object_get_n_members (&object); i++)
    {
      HarkJsonSlice name = hark_json_object_get_nth (&object, i)->name;
      if (hark_json_slice_equal (name, "rooms") || hark_json_slice_equal (name, "users")
          || hark_json_slice_equal (name, "except"))
        continue;
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"target\" has \"rooms\", \"users\" and \"except\", and no \"%.*s\"", (int)name.len, name.data);
      return FALSE;
    }
  if ((is_there (&object, "rooms") || is_there (&object, "users")) && aim->rooms->len == 1 && aim->users->len == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"target\" names nobody; without \"rooms\" and \"users\" it is everybody");
      return FALSE;
    }
  aim->target = (HarkSocketioTarget){ aim->rooms->len > 1 ? (const char *const *)aim->rooms->pdata : NULL,
                                      (const gint64 *)aim->users->data, aim->users->len,
                                      aim->except->len > 1 ? (const char *const *)aim->except->pdata : NULL };
  return TRUE;
}

/* Where something is to be done, and to whom. */
static gboolean
read_aim (const HarkJsonObject *args, Aim *aim, GError **error)
{
  aim->rooms = g_ptr_array_new_with_free_func (g_free);
  aim->except = g_ptr_array_new_with_free_func (g_free);
  aim->users = g_array_new (FALSE, FALSE, sizeof (gint64));
  return hark_json_object_get_string (args, "namespace", HARK_FIELD_REQUIRED, MAX_NAMESPACE, &aim->nsp, error)
         && read_target (args, aim, error);
}

/* The event and its arguments, which are the list "args", or none. */
static gboolean
read_event (const HarkJsonObject *args, char **name, char **list, GError **error)
{
  HarkJsonSlice raw = { "[]", 2 };
  if (!hark_json_object_get_string (args, "event", HARK_FIELD_REQUIRED, MAX_EVENT, name, error)
      || !hark_json_object_get_raw_array (args, "args", HARK_FIELD_OPTIONAL, &raw, error))
    return FALSE;
  *list = g_strndup (raw.data, raw.len);
  return TRUE;
}

/* @error: (transfer full) */
static void
refuse (HarkCommand *command, GError *error)
{
  hark_command_take_error (command, error);
  hark_command_unref (command);
}

static void
on_emitted (GObject *source, GAsyncResult *result, gpointer data)
{
  HarkCommand *command = data;
  HarkJsonWriter *json;
  GError *error = NULL;
  gint64 seq;
  if (!hark_socketio_namespaces_emit_finish (HARK_SOCKETIO_NAMESPACES (source), result, &seq, &error))
    {
      refuse (command, error);
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_int (json, "seq", seq);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_emit (HarkCommand *command, gpointer concern)
{
  g_auto (Aim) aim = { 0 };
  g_autofree char *event = NULL;
  g_autofree char *list = NULL;
  gboolean is_volatile = FALSE;
  GError *error = NULL;
  if (!read_aim (command->args, &aim, &error) || !read_event (command->args, &event, &list, &error)
      || !hark_json_object_get_boolean (command->args, "volatile", HARK_FIELD_OPTIONAL, &is_volatile, &error))
    refuse (command, error);
  else
    hark_socketio_namespaces_emit_async (concern, aim.nsp, &aim.target, is_volatile, event, list, on_emitted, command);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer data)
{
  HarkCommand *command = data;
  HarkJsonWriter *json;
  GError *error = NULL;
  g_autofree char *list = hark_socketio_namespaces_request_finish (HARK_SOCKETIO_NAMESPACES (source), result, &error);
  if (list == NULL)
    {
      refuse (command, error);
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_raw (json, "answer", list, strlen (list));
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_request (HarkCommand *command, gpointer concern)
{
  g_autofree char *nsp = NULL;
  g_autofree char *sid = NULL;
  g_autofree char *event = NULL;
  g_autofree char *list = NULL;
  gint64 timeout = hark_socketio_namespaces_get_limits (concern)->ack_timeout_ms;
  GError *error = NULL;
  if (!hark_json_object_get_string (command->args, "namespace", HARK_FIELD_REQUIRED, MAX_NAMESPACE, &nsp, &error)
      || !hark_json_object_get_string (command->args, "sid", HARK_FIELD_REQUIRED, HARK_SOCKETIO_SID_LEN, &sid, &error)
      || !read_event (command->args, &event, &list, &error)
      || !hark_json_object_get_int (command->args, "timeout_ms", HARK_FIELD_OPTIONAL, 1, 3600000, &timeout, &error))
    refuse (command, error);
  else
    hark_socketio_namespaces_request_async (concern, nsp, sid, event, list, timeout, on_answered, command);
}

static void
on_acknowledge (HarkCommand *command, gpointer concern)
{
  HarkJsonSlice raw = { "[]", 2 };
  g_autofree char *list = NULL;
  gint64 ack;
  GError *error = NULL;
  if (!hark_json_object_get_int (command->args, "ack", HARK_FIELD_REQUIRED, 1, G_MAXINT64, &ack, &error)
      || !hark_json_object_get_raw_array (command->args, "args", HARK_FIELD_OPTIONAL, &raw, &error))
    {
      refuse (command, error);
      return;
    }
  list = g_strndup (raw.data, raw.len);
  if (!hark_socketio_namespaces_acknowledge (concern, ack, list, &error))
    {
      refuse (command, error);
      return;
    }
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static void
reply_sockets (HarkCommand *command, guint n)
{
  HarkJsonWriter *json = hark_command_begin_reply (command);
  hark_json_writer_member_int (json, "sockets", n);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
change_room (HarkCommand *command, HarkSocketioNamespaces *namespaces, gboolean join)
{
  g_auto (Aim) aim = { 0 };
  g_autofree char *room = NULL;
  GError *error = NULL;
  guint n = 0;
  if (!read_aim (command->args, &aim, &error)
      || !hark_json_object_get_string (command->args, "room", HARK_FIELD_REQUIRED, HARK_SOCKETIO_MAX_ROOM, &room, &error)
      || !(join ? hark_socketio_namespaces_join (namespaces, aim.nsp, &aim.target, room, &n, &error)
                : hark_socketio_namespaces_leave (namespaces, aim.nsp, &aim.target, room, &n, &error)))
    refuse (command, error);
  else
    reply_sockets (command, n);
}

static void
on_join (HarkCommand *command, gpointer concern)
{
  change_room (command, concern, TRUE);
}

static void
on_leave (HarkCommand *command, gpointer concern)
{
  change_room (command, concern, FALSE);
}

static void
on_disconnect (HarkCommand *command, gpointer concern)
{
  g_auto (Aim) aim = { 0 };
  gboolean whole = FALSE;
  GError *error = NULL;
  guint n = 0;
  if (!read_aim (command->args, &aim, &error)
      || !hark_json_object_get_boolean (command->args, "close", HARK_FIELD_OPTIONAL, &whole, &error)
      || !hark_socketio_namespaces_disconnect (concern, aim.nsp, &aim.target, whole, &n, &error))
    refuse (command, error);
  else
    reply_sockets (command, n);
}

/* Listing. */

static int
compare_sids (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(HarkSocketioSocket *const *)a)->sid, (*(HarkSocketioSocket *const *)b)->sid);
}

static void
write_socket (HarkJsonWriter *json, HarkSocketioSocket *socket)
{
  GHashTableIter iter;
  gpointer room;
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "sid", socket->sid);
  hark_json_writer_member_id (json, "session_id", socket->session->id);
  hark_json_writer_member_id (json, "user_id", hark_session_get_user_id (socket->session));
  hark_json_writer_member_string (json, "username", socket->session->identity->username);
  hark_json_writer_member_time (json, "since", socket->since_ms);
  hark_json_writer_member (json, "rooms");
  hark_json_writer_begin_array (json);
  g_hash_table_iter_init (&iter, socket->rooms);
  while (g_hash_table_iter_next (&iter, &room, NULL))
    hark_json_writer_string (json, room);
  hark_json_writer_end_array (json);
  hark_json_writer_end_object (json);
}

/* In the order of their ids, which is no order in time: what a page goes on from. */
static void
write_page (HarkJsonWriter *json, GPtrArray *sockets, const char *after, guint limit)
{
  guint n = 0;
  guint i = 0;
  g_ptr_array_sort (sockets, compare_sids);
  hark_json_writer_member (json, "sockets");
  hark_json_writer_begin_array (json);
  for (; i < sockets->len && n < limit; i++)
    {
      HarkSocketioSocket *socket = sockets->pdata[i];
      if (after != NULL && strcmp (socket->sid, after) <= 0)
        continue;
      write_socket (json, socket);
      n++;
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member_string (json, "next",
                                  i < sockets->len ? ((HarkSocketioSocket *)sockets->pdata[i - 1])->sid : NULL);
}

static void
on_list (HarkCommand *command, gpointer concern)
{
  g_auto (Aim) aim = { 0 };
  g_autofree char *after = NULL;
  g_autoptr (GPtrArray) sockets = NULL;
  HarkSocketioNamespace *nsp;
  gint64 limit = MAX_PAGE;
  GError *error = NULL;
  if (!read_aim (command->args, &aim, &error)
      || !hark_json_object_get_string (command->args, "after", HARK_FIELD_OPTIONAL, HARK_SOCKETIO_SID_LEN, &after,
                                       &error)
      || !hark_json_object_get_int (command->args, "limit", HARK_FIELD_OPTIONAL, 1, MAX_PAGE, &limit, &error))
    {
      refuse (command, error);
      return;
    }
  nsp = hark_socketio_namespaces_find (concern, aim.nsp);
  if (nsp == NULL)
    {
      refuse (command, g_error_new (HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"namespace\": there is no \"%s\"", aim.nsp));
      return;
    }
  sockets = hark_socketio_namespace_select (nsp, &aim.target);
  write_page (hark_command_begin_reply (command), sockets, after, limit);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "socketio_emit", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_emit },
  { "socketio_request", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_request },
  { "socketio_acknowledge", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_acknowledge },
  { "socketio_join", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_join },
  { "socketio_leave", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_leave },
  { "socketio_disconnect", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_disconnect },
  { "socketio_list", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_list },
};

void
hark_socketio_commands_add (HarkSocketioNamespaces *namespaces, HarkDispatcher *dispatcher)
{
  hark_dispatcher_add (dispatcher, specs, G_N_ELEMENTS (specs), namespaces);
}
