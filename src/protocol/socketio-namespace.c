/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A namespace: who is connected to it and in which rooms they are. It sends nothing and stores nothing; see
 * socketio-namespaces.c for what does. A room exists as long as somebody is in it.
 */
#include "protocol/socketio-namespace.h"

#include "base/error.h"

#include <string.h>
#include <sys/random.h>

/* Its topics' names begin so: what a native client could subscribe to does not. */
#define TOPIC_PREFIX "app/~"

/**
 * hark_socketio_random_id:
 * @out: (out) (array length=size): gets @size - 1 characters that nobody can guess, and a 0 byte
 */
void
hark_socketio_random_id (char *out, gsize size)
{
  static const char characters[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  g_assert (size <= 256);
  if (getrandom (out, size - 1, 0) != (gssize)size - 1)
    g_error ("getrandom: no randomness");
  /* A letter first: an id is also an argument of programs. */
  for (gsize i = 0; i < size - 1; i++)
    out[i] = characters[i == 0 ? (guchar)out[i] % 52 : (guchar)out[i] & 63];
  out[size - 1] = '\0';
}

static void
socket_free (gpointer data)
{
  HarkSocketioSocket *self = data;
  g_hash_table_unref (self->rooms);
  g_clear_pointer (&self->acks, g_hash_table_unref);
  g_clear_pointer (&self->held, g_ptr_array_unref);
  g_free (self);
}

/**
 * hark_socketio_namespace_new:
 * @name: begins with "/"; without commas, "?", spaces and control characters
 *
 * Returns: (transfer full): nobody is connected; %NULL with %HARK_ERROR_BAD_REQUEST for another name
 */
HarkSocketioNamespace *
hark_socketio_namespace_new (const char *name, const HarkSocketioKind *kind, gpointer data, GError **error)
{
  g_autofree char *text = g_strconcat (TOPIC_PREFIX, name[0] != '\0' ? name + 1 : "", NULL);
  HarkTopic topic = { 0 };
  HarkSocketioNamespace *self;
  if (name[0] != '/' || (name[1] == '\0' && (kind->scope & HARK_SOCKETIO_SCOPE_ROOT) == 0)
      || strpbrk (name, ",?") != NULL || !hark_topic_parse (text, &topic, NULL))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"%s\" is no name of a namespace: \"/\" and text without commas, \"?\" and spaces", name);
      return NULL;
    }
  self = g_new0 (HarkSocketioNamespace, 1);
  self->name = g_strdup (name);
  self->topic = topic;
  self->kind = kind;
  self->data = data;
  self->sockets = g_ptr_array_new_with_free_func (socket_free);
  self->rooms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  self->sids = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
hark_socketio_namespace_free (HarkSocketioNamespace *self)
{
  g_assert (self->sockets->len == 0);
  g_ptr_array_unref (self->sockets);
  g_hash_table_unref (self->rooms);
  g_hash_table_unref (self->sids);
  hark_topic_clear (&self->topic);
  g_free (self->name);
  g_free (self);
}

/* Returns: (transfer none): a socket that is being connected, with an id of its own */
HarkSocketioSocket *
hark_socketio_namespace_add (HarkSocketioNamespace *self, HarkSession *session)
{
  HarkSocketioSocket *socket = g_new0 (HarkSocketioSocket, 1);
  socket->nsp = self;
  socket->session = session;
  socket->rooms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  socket->position = self->sockets->len;
  hark_socketio_random_id (socket->sid, sizeof socket->sid);
  g_ptr_array_add (self->sockets, socket);
  g_hash_table_insert (self->sids, socket->sid, socket);
  return socket;
}

/* Gives the socket the id that it had in a former connection. */
void
hark_socketio_namespace_rename (HarkSocketioSocket *socket, const char *sid)
{
  HarkSocketioNamespace *self = socket->nsp;
  g_hash_table_remove (self->sids, socket->sid);
  g_strlcpy (socket->sid, sid, sizeof socket->sid);
  g_hash_table_insert (self->sids, socket->sid, socket);
}

static void
leave_room (HarkSocketioSocket *self, const char *room)
{
  GPtrArray *members = g_hash_table_lookup (self->nsp->rooms, room);
  g_ptr_array_remove_fast (members, self);
  if (members->len == 0)
    g_hash_table_remove (self->nsp->rooms, room);
}

/* Takes the socket out, and out of its rooms; it is gone then. */
void
hark_socketio_namespace_remove (HarkSocketioSocket *socket)
{
  HarkSocketioNamespace *self = socket->nsp;
  GHashTableIter iter;
  gpointer room;
  g_hash_table_iter_init (&iter, socket->rooms);
  while (g_hash_table_iter_next (&iter, &room, NULL))
    leave_room (socket, room);
  if (g_hash_table_lookup (self->sids, socket->sid) == socket)
    g_hash_table_remove (self->sids, socket->sid);
  if (socket->position != self->sockets->len - 1)
    ((HarkSocketioSocket *)self->sockets->pdata[self->sockets->len - 1])->position = socket->position;
  g_ptr_array_steal_index_fast (self->sockets, socket->position);
  socket_free (socket); /* last: those who wait for its acknowledgements are told */
}

/* Returns: (transfer none) (nullable) */
HarkSocketioSocket *
hark_socketio_namespace_find (HarkSocketioNamespace *self, const char *sid)
{
  return g_hash_table_lookup (self->sids, sid);
}

/* Returns: whether it was not in the room */
gboolean
hark_socketio_socket_join (HarkSocketioSocket *self, const char *room)
{
  GPtrArray *members;
  if (!g_hash_table_add (self->rooms, g_strdup (room)))
    return FALSE;
  members = g_hash_table_lookup (self->nsp->rooms, room);
  if (members == NULL)
    {
      members = g_ptr_array_new ();
      g_hash_table_insert (self->nsp->rooms, g_strdup (room), members);
    }
  g_ptr_array_add (members, self);
  return TRUE;
}

/* Returns: whether it was in the room */
gboolean
hark_socketio_socket_leave (HarkSocketioSocket *self, const char *room)
{
  if (!g_hash_table_contains (self->rooms, room))
    return FALSE;
  leave_room (self, room);
  g_hash_table_remove (self->rooms, room);
  return TRUE;
}

gboolean
hark_socketio_socket_is_in (HarkSocketioSocket *self, const char *room)
{
  return strcmp (self->sid, room) == 0 || g_hash_table_contains (self->rooms, room);
}

static gboolean
is_in_any (HarkSocketioSocket *self, const char *const *rooms)
{
  for (guint i = 0; rooms != NULL && rooms[i] != NULL; i++)
    if (hark_socketio_socket_is_in (self, rooms[i]))
      return TRUE;
  return FALSE;
}

gboolean
hark_socketio_target_is_all (const HarkSocketioTarget *self)
{
  return (self->rooms == NULL || self->rooms[0] == NULL) && self->n_users == 0;
}

gboolean
hark_socketio_socket_is_meant (HarkSocketioSocket *self, const HarkSocketioTarget *target)
{
  gboolean meant = hark_socketio_target_is_all (target) || is_in_any (self, target->rooms);
  for (guint i = 0; !meant && i < target->n_users; i++)
    meant = target->users[i] == hark_session_get_user_id (self->session);
  return meant && !is_in_any (self, target->except);
}

typedef struct
{
  guint64 mark;
  const char *const *except;
  GPtrArray *found;
} Selection;

static void
select_one (HarkSocketioSocket *socket, Selection *selection)
{
  if (!socket->connected || socket->mark == selection->mark)
    return;
  socket->mark = selection->mark;
  if (!is_in_any (socket, selection->except))
    g_ptr_array_add (selection->found, socket);
}

static void
select_room (HarkSocketioNamespace *self, const char *room, Selection *selection)
{
  GPtrArray *members = g_hash_table_lookup (self->rooms, room);
  HarkSocketioSocket *socket = hark_socketio_namespace_find (self, room);
  if (socket != NULL)
    select_one (socket, selection);
  for (guint i = 0; members != NULL && i < members->len; i++)
    select_one (members->pdata[i], selection);
}

static gboolean
is_one_of (gint64 user_id, const HarkSocketioTarget *target)
{
  for (guint i = 0; i < target->n_users; i++)
    if (target->users[i] == user_id)
      return TRUE;
  return FALSE;
}

/**
 * hark_socketio_namespace_select:
 *
 * Returns: (transfer container) (element-type HarkSocketioSocket): the connected sockets that are meant, each once
 */
GPtrArray *
hark_socketio_namespace_select (HarkSocketioNamespace *self, const HarkSocketioTarget *target)
{
  Selection selection = { ++self->last_mark, target->except, g_ptr_array_new () };
  gboolean all = hark_socketio_target_is_all (target);
  for (guint i = 0; target->rooms != NULL && target->rooms[i] != NULL; i++)
    select_room (self, target->rooms[i], &selection);
  for (guint i = 0; (all || target->n_users > 0) && i < self->sockets->len; i++)
    {
      HarkSocketioSocket *socket = self->sockets->pdata[i];
      if (all || is_one_of (hark_session_get_user_id (socket->session), target))
        select_one (socket, &selection);
    }
  return selection.found;
}
