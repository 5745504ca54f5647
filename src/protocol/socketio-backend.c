/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done in namespaces: what a back end emits, whom it makes join, and what clients say there. Clients' events
 * are commands of the dispatcher's, so that quotas, pauses and refusals are those of all requests.
 */
#include "base/error.h"
#include "protocol/socketio-namespaces-private.h"

#include <string.h>

#define MAX_NAME 128

/* Sending. */

typedef struct
{
  HarkSession *session; /* (owned) */
} Receiver;

static void
receiver_clear (gpointer data)
{
  g_object_unref (((Receiver *)data)->session);
}

/**
 * hark_socketio_namespaces_deliver:
 * @is_volatile: whether those who have not taken what was sent before are left out
 *
 * Sends an event to those who are meant, behind what was published before. Sending may end sessions, so they are held.
 */
void
hark_socketio_namespaces_deliver (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp,
                                  const HarkSocketioTarget *target, gboolean is_volatile, const HarkEvent *event)
{
  g_autoptr (GArray) receivers = g_array_new (FALSE, FALSE, sizeof (Receiver));
  g_autoptr (GPtrArray) sockets = NULL;
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) units = NULL;
  g_array_set_clear_func (receivers, receiver_clear);
  hark_index_deliver (hark_hub_get_index (self->hub));
  sockets = hark_socketio_namespace_select (nsp, target);
  for (guint i = 0; i < sockets->len; i++)
    {
      const HarkSocketioSocket *socket = sockets->pdata[i];
      Receiver receiver = { socket->session };
      if (socket->session->transport == NULL
          || (is_volatile && !hark_outbox_is_empty (&socket->session->transport->outbox)))
        continue;
      g_object_ref (receiver.session);
      g_array_append_val (receivers, receiver);
      if (G_UNLIKELY (self->observer != NULL))
        self->observer->sent (socket, event, self->observer_data);
    }
  if (receivers->len == 0)
    return;
  hark_socketio_wires_append_event (self->wires, &out, event);
  units = hark_builder_finish (&out);
  for (guint i = 0; units != NULL && i < receivers->len; i++)
    hark_session_send_units (g_array_index (receivers, Receiver, i).session, units);
}

static HarkSocketioNamespace *
find_namespace (HarkSocketioNamespaces *self, const char *name, GError **error)
{
  HarkSocketioNamespace *nsp = hark_socketio_namespaces_find (self, name);
  if (nsp == NULL)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"namespace\": there is no \"%s\"", name);
  return nsp;
}

/* Returns: (transfer full) (nullable): the JSON of a packet of an event; %HARK_ERROR_BAD_REQUEST */
static char *
make_packet (const char *name, const char *args, gsize *len, GError **error)
{
  g_auto (HarkJsonWriter) json = { 0 };
  HarkSocketioPacket packet = { .type = HARK_SOCKETIO_EVENT };
  HarkSocketioPacket checked = { .type = HARK_SOCKETIO_ACK };
  HarkJsonReader reader;
  const char *text;
  if (strlen (name) > MAX_NAME || *name == '\0' || !g_utf8_validate (name, -1, NULL))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"event\" must be text of 1 to %d bytes", MAX_NAME);
      return NULL;
    }
  if (!hark_socketio_read_payload (&checked, args, strlen (args), NULL))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"args\" must be a JSON array");
      return NULL;
    }
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_array (&json);
  hark_json_writer_string (&json, name);
  hark_json_reader_init (&reader, args, strlen (args));
  hark_json_reader_next (&reader, NULL);
  while (hark_json_reader_next (&reader, NULL) != HARK_JSON_END_ARRAY)
    {
      HarkJsonSlice raw;
      hark_json_reader_skip_value (&reader, &raw, NULL);
      hark_json_writer_raw (&json, raw.data, raw.len);
    }
  hark_json_writer_end_array (&json);
  text = hark_json_writer_peek (&json, len);
  if (hark_socketio_read_payload (&packet, text, *len, NULL))
    return hark_json_writer_steal (&json, len);
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"event\": \"%s\" is reserved", name);
  return NULL;
}

/* What is not logged. Events for all go where logged ones go, so that they stay in order with them. */
static void
emit_now (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp, const HarkSocketioTarget *target,
          gboolean is_volatile, const HarkSocketioEmission *emission)
{
  g_autoptr (HarkEvent) event
    = hark_socketio_emission_make_event (emission, 0, nsp->kind->is_logged ? nsp->published_seq : -1);
  if (event->kind == self->kind_all && !is_volatile && nsp->kind->is_logged)
    hark_hub_publish (self->hub, event);
  else
    hark_socketio_namespaces_deliver (self, nsp, target, is_volatile, event);
}

static void
on_emitted (gpointer data, const GError *error, gpointer user_data)
{
  HarkSocketioEmission *emission = data;
  g_autoptr (GTask) task = user_data;
  if (error != NULL)
    g_task_return_error (task, g_error_copy (error));
  else
    g_task_return_int (task, emission->seq);
}

/**
 * hark_socketio_namespaces_emit_async:
 * @nsp: a namespace
 * @target: whom it is for
 * @is_volatile: it may be lost: it is not stored, and who is slow does not get it
 * @name: the event's
 * @args: its arguments, a JSON array
 *
 * Emits an event. It is done when the event is stored.
 */
void
hark_socketio_namespaces_emit_async (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target,
                                     gboolean is_volatile, const char *name, const char *args,
                                     GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  GError *error = NULL;
  HarkSocketioNamespace *space = find_namespace (self, nsp, &error);
  gsize len = 0;
  g_autofree char *packet = space != NULL ? make_packet (name, args, &len, &error) : NULL;
  HarkSocketioEmission *emission;
  g_task_set_source_tag (task, hark_socketio_namespaces_emit_async);
  if (packet == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  hark_counter_add (self->n_emitted, 1);
  emission = hark_socketio_emission_new (space, target, packet, len);
  if (!is_volatile && hark_socketio_namespaces_logs (self, space))
    {
      hark_store_write (self->store, hark_socketio_emission_in_thread, emission, hark_socketio_emission_free,
                        on_emitted, g_steal_pointer (&task));
      return;
    }
  emit_now (self, space, target, is_volatile, emission);
  hark_socketio_emission_free (emission);
  g_task_return_int (task, 0);
}

/**
 * hark_socketio_namespaces_emit_finish:
 * @seq: (out) (optional): the event's number in its namespace, 0 when it was not stored
 *
 * Returns: %FALSE with %HARK_ERROR_NOT_FOUND, %HARK_ERROR_BAD_REQUEST (an argument is not what it must be), or what the
 *   store says
 */
gboolean
hark_socketio_namespaces_emit_finish (HarkSocketioNamespaces *self, GAsyncResult *result, gint64 *seq, GError **error)
{
  GError *local_error = NULL;
  gssize value = g_task_propagate_int (G_TASK (result), &local_error);
  if (seq != NULL)
    *seq = value;
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}

/**
 * hark_socketio_namespaces_request_async:
 * @sid: of a socket
 * @timeout_ms: what the client has to acknowledge
 *
 * Emits an event to one client, and waits for its acknowledgement.
 */
void
hark_socketio_namespaces_request_async (HarkSocketioNamespaces *self, const char *nsp, const char *sid,
                                        const char *name, const char *args, guint timeout_ms,
                                        GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  GError *error = NULL;
  HarkSocketioNamespace *space = find_namespace (self, nsp, &error);
  gsize len = 0;
  g_autofree char *packet = space != NULL ? make_packet (name, args, &len, &error) : NULL;
  HarkSocketioSocket *socket = packet != NULL ? hark_socketio_namespace_find (space, sid) : NULL;
  gint64 id;
  g_task_set_source_tag (task, hark_socketio_namespaces_request_async);
  if (packet == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (socket == NULL || !socket->connected)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"sid\": there is no such socket");
      return;
    }
  id = hark_socketio_acks_expect (self->acks, socket, timeout_ms, task);
  if (id == HARK_SOCKETIO_NO_ID)
    {
      hark_socketio_namespaces_count (self, HARK_SOCKETIO_LIMITED);
      return;
    }
  hark_counter_add (self->n_emitted, 1);
  hark_index_deliver (hark_hub_get_index (self->hub));
  socket = hark_socketio_namespace_find (space, sid);
  if (socket != NULL)
    hark_socketio_namespaces_send (self, socket->session, HARK_SOCKETIO_EVENT, space->name, id, packet, len);
}

/**
 * hark_socketio_namespaces_request_finish:
 *
 * Returns: (transfer full): the acknowledgement's arguments, a JSON array; %NULL with %HARK_ERROR_OFFLINE when the
 *   client has gone or been silent, %HARK_ERROR_OVERLOADED when it owes too many, %HARK_ERROR_NOT_FOUND or
 *   %HARK_ERROR_BAD_REQUEST
 */
char *
hark_socketio_namespaces_request_finish (HarkSocketioNamespaces *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * hark_socketio_namespaces_acknowledge:
 * @ack: from the signal `event`
 * @args: a JSON array
 *
 * Returns: %FALSE with %HARK_ERROR_NOT_FOUND when nobody waits for it any more, %HARK_ERROR_BAD_REQUEST
 */
gboolean
hark_socketio_namespaces_acknowledge (HarkSocketioNamespaces *self, gint64 ack, const char *args, GError **error)
{
  HarkSocketioPacket checked = { .type = HARK_SOCKETIO_ACK };
  if (!hark_socketio_read_payload (&checked, args, strlen (args), NULL))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"args\" must be a JSON array");
      return FALSE;
    }
  if (hark_socketio_acks_answer (self->acks, ack, args, strlen (args)))
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"ack\": nobody waits for it");
  return FALSE;
}

/* Rooms. */

static gboolean
check_room (const char *room, GError **error)
{
  gsize len = strlen (room);
  if (len > 0 && len <= HARK_SOCKETIO_MAX_ROOM && strchr (room, '\n') == NULL && g_utf8_validate (room, -1, NULL))
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"room\" must be one line of text, of 1 to %d bytes",
               HARK_SOCKETIO_MAX_ROOM);
  return FALSE;
}

/* @n: (out) (optional): how many sockets have changed */
static gboolean
change_rooms (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target, const char *room,
              gboolean join, guint *n, GError **error)
{
  HarkSocketioNamespace *space = find_namespace (self, nsp, error);
  g_autoptr (GPtrArray) sockets = NULL;
  guint n_changed = 0;
  if (space == NULL || !check_room (room, error))
    return FALSE;
  sockets = hark_socketio_namespace_select (space, target);
  for (guint i = 0; join && i < sockets->len; i++)
    {
      HarkSocketioSocket *socket = sockets->pdata[i];
      if (g_hash_table_size (socket->rooms) < self->limits.rooms_per_socket || hark_socketio_socket_is_in (socket, room))
        continue;
      hark_socketio_namespaces_count (self, HARK_SOCKETIO_LIMITED);
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"room\": a socket can be in %u rooms",
                   self->limits.rooms_per_socket);
      return FALSE;
    }
  for (guint i = 0; i < sockets->len; i++)
    {
      HarkSocketioSocket *socket = sockets->pdata[i];
      if (!(join ? hark_socketio_socket_join (socket, room) : hark_socketio_socket_leave (socket, room)))
        continue;
      n_changed++;
      if (self->observer != NULL)
        self->observer->room (socket, room, join, self->observer_data);
      if (socket->recoverable)
        hark_socketio_store_change (self->store, &self->limits, socket->pid_hash, socket->rooms, HARK_SOCKETIO_ROW_KEEP);
    }
  if (n != NULL)
    *n = n_changed;
  return TRUE;
}

/**
 * hark_socketio_namespaces_join:
 * @n: (out) (optional): how many sockets were not in the room
 *
 * Makes those who are connected and meant join a room.
 *
 * Returns: %FALSE with %HARK_ERROR_NOT_FOUND, %HARK_ERROR_BAD_REQUEST, or %HARK_ERROR_TOO_LARGE when one of them would
 *   be in too many: then none has joined
 */
gboolean
hark_socketio_namespaces_join (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target,
                               const char *room, guint *n, GError **error)
{
  return change_rooms (self, nsp, target, room, TRUE, n, error);
}

gboolean
hark_socketio_namespaces_leave (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target,
                                const char *room, guint *n, GError **error)
{
  return change_rooms (self, nsp, target, room, FALSE, n, error);
}

/**
 * hark_socketio_namespaces_disconnect:
 * @close: whether the connections end, with all their namespaces
 * @n: (out) (optional): how many sockets there were
 *
 * Ends sockets. Their clients do not come back by themselves.
 */
gboolean
hark_socketio_namespaces_disconnect (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target,
                                     gboolean close, guint *n, GError **error)
{
  HarkSocketioNamespace *space = find_namespace (self, nsp, error);
  g_autoptr (GPtrArray) sockets = NULL;
  g_autoptr (GPtrArray) sids = g_ptr_array_new_with_free_func (g_free);
  if (space == NULL)
    return FALSE;
  sockets = hark_socketio_namespace_select (space, target);
  for (guint i = 0; i < sockets->len; i++)
    g_ptr_array_add (sids, g_strdup (((const HarkSocketioSocket *)sockets->pdata[i])->sid));
  if (n != NULL)
    *n = sids->len;
  for (guint i = 0; i < sids->len; i++)
    {
      HarkSocketioSocket *socket = hark_socketio_namespace_find (space, sids->pdata[i]);
      g_autoptr (HarkSession) session = socket != NULL ? g_object_ref (socket->session) : NULL;
      if (socket == NULL)
        continue;
      hark_socketio_namespaces_send (self, session, HARK_SOCKETIO_DISCONNECT, space->name, HARK_SOCKETIO_NO_ID, NULL, 0);
      socket = hark_socketio_namespace_find (space, sids->pdata[i]);
      if (socket != NULL)
        hark_socketio_namespaces_remove (self, socket, FALSE);
      if (close)
        hark_session_close (session, HARK_CLOSE_DISCONNECTED, "disconnected by an administrator");
    }
  return TRUE;
}

/* What clients say. */

/* Whether a command came from a Socket.IO client. Others can name it, and learn that there is no such request. */
static gboolean
is_ours (HarkCommand *command)
{
  if (command->tag_free == hark_socketio_tag_free && ((const HarkSocketioTag *)command->tag)->args != NULL)
    return TRUE;
  hark_command_take_error (command, g_error_new (HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE,
                                                 "\"type\": there is no request \"%s\"", command->spec->name));
  hark_command_unref (command);
  return FALSE;
}

static void
reply_seq (HarkCommand *command, gint64 seq)
{
  HarkJsonWriter *json = hark_command_begin_reply (command);
  if (seq > 0)
    hark_json_writer_member_int (json, "seq", seq);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_message_stored (gpointer data, const GError *error, gpointer user_data)
{
  HarkCommand *command = user_data;
  if (error == NULL)
    {
      reply_seq (command, ((HarkSocketioEmission *)data)->seq);
      return;
    }
  hark_command_fail (command, error);
  hark_command_unref (command);
}

static gboolean
check_message (HarkSocketioNamespaces *self, const HarkJsonObject *args, GError **error)
{
  g_autofree char *message = NULL;
  return hark_json_object_get_string (args, "message", HARK_FIELD_REQUIRED, self->limits.message_bytes, &message, error);
}

/* "message" in /chat: as it is, to all. */
static void
on_chat_message (HarkCommand *command, gpointer concern)
{
  static const HarkSocketioTarget all = { NULL };
  HarkSocketioNamespaces *self = concern;
  const HarkSocketioTag *tag = command->tag;
  g_autofree char *packet = NULL;
  HarkSocketioNamespace *nsp;
  HarkSocketioEmission *emission;
  GError *error = NULL;
  if (!is_ours (command))
    return;
  if (!check_message (self, command->args, &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  nsp = hark_socketio_namespaces_find (self, tag->nsp);
  packet = g_strdup_printf ("[\"message\",%s]", tag->args);
  emission = hark_socketio_emission_new (nsp, &all, packet, strlen (packet));
  if (hark_socketio_namespaces_logs (self, nsp))
    {
      hark_store_write (self->store, hark_socketio_emission_in_thread, emission, hark_socketio_emission_free,
                        on_message_stored, command);
      return;
    }
  emit_now (self, nsp, &all, FALSE, emission);
  hark_socketio_emission_free (emission);
  reply_seq (command, 0);
}

/* An event for the back end. */
static void
on_client_event (HarkCommand *command, gpointer concern)
{
  HarkSocketioNamespaces *self = concern;
  g_autoptr (HarkCommand) owned = NULL;
  const HarkSocketioTag *tag = command->tag;
  g_autofree char *args = NULL;
  GError *error = NULL;
  gboolean taken = FALSE;
  gint64 ack = 0;
  if (!is_ours (command))
    return;
  owned = command;
  if (tag->id != HARK_SOCKETIO_NO_ID)
    ack = hark_socketio_acks_add (self->acks, command, &error);
  if (error != NULL)
    {
      hark_socketio_namespaces_count (self, HARK_SOCKETIO_LIMITED);
      hark_command_take_error (command, error);
      return;
    }
  hark_counter_add (self->n_client_events, 1);
  args = g_strdup_printf ("[%s]", tag->args);
  g_signal_emit (self, self->event_signal, 0, tag->nsp, tag->sid, command->session, tag->name, args, ack, &taken);
  if (taken && ack == 0)
    hark_socketio_acks_answer_command (command, NULL, 0);
  else if (!taken && ack != 0)
    hark_socketio_acks_drop (self->acks, ack);
  else if (!taken)
    hark_command_take_error (command, g_error_new_literal (HARK_ERROR, HARK_ERROR_OFFLINE, "no back end listens"));
}

const HarkCommandSpec hark_socketio_client_commands[] = {
  { HARK_SOCKETIO_COMMAND_MESSAGE, HARK_COMMAND_ANONYMOUS | HARK_COMMAND_UNMETERED, "messages", on_chat_message },
  { HARK_SOCKETIO_COMMAND_EVENT, HARK_COMMAND_ANONYMOUS, NULL, on_client_event },
};
const guint hark_socketio_n_client_commands = G_N_ELEMENTS (hark_socketio_client_commands);
