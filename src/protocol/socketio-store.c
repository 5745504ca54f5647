/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of Socket.IO outlives the process: the events of namespaces, in the event log, each under its namespace's one
 * topic and so in one order; and the sockets that may come back for what they missed. An event for some names them in
 * its JSON: whether somebody who was away was meant is decided when it comes back.
 */
#include "protocol/socketio-store.h"

#include "base/error.h"
#include "core/event-log.h"

#include <string.h>

/* Sockets forgotten with each that ends: more than come, so that none stay. */
#define PURGE_BATCH 16

void
hark_socketio_limits_init (HarkSocketioLimits *self)
{
  *self = (HarkSocketioLimits){
    .connect_timeout_ms = 45000,
    .recovery_ms = 2 * 60 * 1000,
    .recovery_events = 1000,
    .recovery_bytes = 512 * 1024,
    .kept_per_user = 100,
    .attachment_bytes = 256 * 1024,
    .rooms_per_socket = 100,
    .pending_acks = 256,
    .ack_timeout_ms = 30000,
    .refusals = 10,
    .message_bytes = 16 * 1024,
  };
}

void
hark_socketio_hash_pid (const char *pid, guint8 hash[HARK_SOCKETIO_PID_HASH_LEN])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize len = HARK_SOCKETIO_PID_HASH_LEN;
  g_checksum_update (checksum, (const guchar *)pid, strlen (pid));
  g_checksum_get_digest (checksum, hash, &len);
}

/* Sockets. */

HarkSocketioClaim *
hark_socketio_claim_new (const HarkSocketioLimits *limits, const HarkSocketioNamespace *nsp, gint64 user_id)
{
  HarkSocketioClaim *self = g_new0 (HarkSocketioClaim, 1);
  self->limits = limits;
  self->nsp = g_strdup (nsp->name);
  self->topic = hark_topic_copy (&nsp->topic);
  self->user_id = user_id;
  self->rooms = g_ptr_array_new_with_free_func (g_free);
  self->events = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  return self;
}

void
hark_socketio_claim_free (gpointer claim)
{
  HarkSocketioClaim *self = claim;
  g_free (self->nsp);
  hark_topic_clear (&self->topic);
  g_ptr_array_unref (self->rooms);
  g_ptr_array_unref (self->events);
  g_free (self);
}

static gsize
count_bytes (GPtrArray *events)
{
  gsize bytes = 0;
  for (guint i = 0; i < events->len; i++)
    bytes += ((const HarkEvent *)events->pdata[i])->len;
  return bytes;
}

static void
take_rooms (GPtrArray *rooms, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      g_ptr_array_add (rooms, g_strdup (lines[i]));
}

/* @found: (out): whether there is such a socket, of this user, which was here not too long ago */
static gboolean
find_former (HarkTransaction *tx, HarkSocketioClaim *self, gint64 *start, gboolean *found, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  *found = FALSE;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT sid, start, rooms FROM socketio_sockets WHERE pid_hash = ? AND namespace = ?"
                               " AND user_id = ? AND (ended_at = 0 OR ended_at >= ?)",
                               "btii", self->former_hash, sizeof self->former_hash, self->nsp, self->user_id,
                               hark_transaction_now_ms (tx) - self->limits->recovery_ms))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    {
      *found = TRUE;
      g_strlcpy (self->sid, hark_rows_get_text (&rows, 0, NULL), sizeof self->sid);
      *start = hark_rows_get_int64 (&rows, 1);
      take_rooms (self->rooms, hark_rows_get_text (&rows, 2, NULL));
    }
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* Takes the former socket up, if all that it missed is still there. A client's offset may be from a connection before
 * its last, of which it has seen nothing yet. */
static gboolean
recover (HarkTransaction *tx, HarkSocketioClaim *self, GError **error)
{
  gboolean found, reset = TRUE;
  gint64 start = 0;
  gint64 seq;
  if (!find_former (tx, self, &start, &found, error))
    return FALSE;
  if (found
      && !hark_event_log_read (tx, &self->topic, MAX (self->offset, start), self->limits->recovery_events, self->events,
                               &reset, &seq, error))
    return FALSE;
  self->recovered = !reset && count_bytes (self->events) <= self->limits->recovery_bytes;
  return !found
         || hark_transaction_exec (tx, error,
                                   self->recovered ? "UPDATE socketio_sockets SET ended_at = 0 WHERE pid_hash = ?"
                                                   : "DELETE FROM socketio_sockets WHERE pid_hash = ?",
                                   "b", self->former_hash, sizeof self->former_hash);
}

static gboolean
add_socket (HarkTransaction *tx, HarkSocketioClaim *self, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO socketio_sockets (pid_hash, namespace, sid, user_id, start, rooms)"
                                " VALUES (?, ?, ?, ?, ?, '')",
                                "bttii", self->hash, sizeof self->hash, self->nsp, self->sid, self->user_id, self->seq)
         && hark_transaction_exec (tx, error,
                                   "DELETE FROM socketio_sockets WHERE pid_hash IN (SELECT pid_hash FROM"
                                   " socketio_sockets WHERE user_id = ? AND ended_at > 0 ORDER BY ended_at DESC"
                                   " LIMIT 1000 OFFSET ?)",
                                   "ii", self->user_id, (gint64)self->limits->kept_per_user);
}

/* Work for the writer: whoever comes back must find the next one gone. */
gboolean
hark_socketio_claim_in_thread (HarkTransaction *tx, gpointer claim, GError **error)
{
  HarkSocketioClaim *self = claim;
  char sid[HARK_SOCKETIO_SID_LEN];
  memcpy (sid, self->sid, sizeof sid);
  self->recovered = FALSE;
  g_ptr_array_set_size (self->rooms, 0);
  g_ptr_array_set_size (self->events, 0);
  if (!hark_event_log_get_rev (tx, &self->rev, error) || !hark_event_log_get_seq (tx, &self->topic, &self->seq, error)
      || (self->wanted && !recover (tx, self, error)))
    return FALSE;
  if (self->recovered)
    return TRUE;
  memcpy (self->sid, sid, sizeof sid);
  g_ptr_array_set_size (self->rooms, 0);
  g_ptr_array_set_size (self->events, 0);
  return add_socket (tx, self, error);
}

typedef struct
{
  guint8 hash[HARK_SOCKETIO_PID_HASH_LEN];
  char *rooms;
  HarkSocketioRowChange change;
  gint64 recovery_ms;
} RowChange;

static void
row_change_free (gpointer data)
{
  RowChange *self = data;
  g_free (self->rooms);
  g_free (self);
}

static gboolean
purge (HarkTransaction *tx, gint64 recovery_ms, gint64 n, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "DELETE FROM socketio_sockets WHERE pid_hash IN (SELECT pid_hash FROM socketio_sockets"
                                " WHERE ended_at > 0 AND ended_at < ? ORDER BY ended_at LIMIT ?)",
                                "ii", hark_transaction_now_ms (tx) - recovery_ms, n);
}

static gboolean
change_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RowChange *self = data;
  switch (self->change)
    {
    case HARK_SOCKETIO_ROW_KEEP:
      return hark_transaction_exec (tx, error, "UPDATE socketio_sockets SET rooms = ? WHERE pid_hash = ?", "tb",
                                    self->rooms, self->hash, sizeof self->hash);
    case HARK_SOCKETIO_ROW_END:
      return hark_transaction_exec (tx, error,
                                    "UPDATE socketio_sockets SET rooms = coalesce(?, rooms), ended_at = ?"
                                    " WHERE pid_hash = ?",
                                    "tib", self->rooms, hark_transaction_now_ms (tx), self->hash, sizeof self->hash)
             && purge (tx, self->recovery_ms, PURGE_BATCH, error);
    default:
      return hark_transaction_exec (tx, error, "DELETE FROM socketio_sockets WHERE pid_hash = ?", "b", self->hash,
                                    sizeof self->hash);
    }
}

static void
on_changed (gpointer data, const GError *error, gpointer user_data)
{
  if (error != NULL)
    g_message ("a Socket.IO socket's rooms and end are not stored, so that it may not be recovered: %s", error->message);
}

/* Writes what has become of a socket that can be recovered. @rooms: (nullable): %NULL when that is not known */
void
hark_socketio_store_change (HarkStore *store, const HarkSocketioLimits *limits,
                            const guint8 hash[HARK_SOCKETIO_PID_HASH_LEN], GHashTable *rooms,
                            HarkSocketioRowChange change)
{
  RowChange *self = g_new0 (RowChange, 1);
  memcpy (self->hash, hash, sizeof self->hash);
  self->change = change;
  self->recovery_ms = limits->recovery_ms;
  if (rooms != NULL)
    {
      GString *text = g_string_new (NULL);
      GHashTableIter iter;
      gpointer room;
      g_hash_table_iter_init (&iter, rooms);
      while (g_hash_table_iter_next (&iter, &room, NULL))
        g_string_append_printf (text, "%s\n", (const char *)room);
      self->rooms = g_string_free (text, FALSE);
    }
  hark_store_write (store, change_in_thread, self, row_change_free, on_changed, NULL);
}

/**
 * hark_socketio_load:
 * @limits: #HarkSocketioLimits
 *
 * Work for the start: sockets of a process that could not end them end now.
 */
gboolean
hark_socketio_load (HarkTransaction *tx, gpointer limits, GError **error)
{
  return hark_transaction_exec (tx, error, "UPDATE socketio_sockets SET ended_at = ? WHERE ended_at = 0", "i",
                                hark_transaction_now_ms (tx))
         && purge (tx, ((const HarkSocketioLimits *)limits)->recovery_ms, G_MAXINT32, error);
}

/* Events. */

HarkSocketioEmission *
hark_socketio_emission_new (const HarkSocketioNamespace *nsp, const HarkSocketioTarget *target, const char *packet,
                            gsize len)
{
  HarkSocketioEmission *self = g_new0 (HarkSocketioEmission, 1);
  self->nsp = g_strdup (nsp->name);
  self->topic = hark_topic_copy (&nsp->topic);
  self->packet = g_strndup (packet, len);
  self->rooms = g_strdupv ((char **)target->rooms);
  self->except = g_strdupv ((char **)target->except);
  self->users = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (target->n_users > 0)
    g_array_append_vals (self->users, target->users, target->n_users);
  return self;
}

void
hark_socketio_emission_free (gpointer emission)
{
  HarkSocketioEmission *self = emission;
  g_free (self->nsp);
  hark_topic_clear (&self->topic);
  g_free (self->packet);
  g_strfreev (self->rooms);
  g_strfreev (self->except);
  g_array_unref (self->users);
  g_free (self);
}

static gboolean
is_for_all (const HarkSocketioEmission *self)
{
  return self->rooms == NULL && self->users->len == 0 && self->except == NULL;
}

static const char *
get_kind (const HarkSocketioEmission *self)
{
  return is_for_all (self) ? HARK_SOCKETIO_KIND_ALL : HARK_SOCKETIO_KIND_SOME;
}

static void
write_strings (HarkJsonWriter *json, const char *name, char **strings)
{
  if (strings == NULL)
    return;
  hark_json_writer_member (json, name);
  hark_json_writer_begin_array (json);
  for (guint i = 0; strings[i] != NULL; i++)
    hark_json_writer_string (json, strings[i]);
  hark_json_writer_end_array (json);
}

/* @offset: what clients are told as the offset of what has no number itself; -1: nothing, it is of no use to them */
static void
write_event (const HarkSocketioEmission *self, HarkJsonWriter *json, gint64 seq, gint64 offset)
{
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "type", get_kind (self));
  if (seq > 0)
    hark_json_writer_member_int (json, "seq", seq);
  else
    hark_json_writer_member_int (json, "offset", offset);
  hark_json_writer_member_string (json, "namespace", self->nsp);
  write_strings (json, "rooms", self->rooms);
  write_strings (json, "except", self->except);
  if (self->users->len > 0)
    {
      hark_json_writer_member (json, "users");
      hark_json_writer_begin_array (json);
      for (guint i = 0; i < self->users->len; i++)
        hark_json_writer_id (json, g_array_index (self->users, gint64, i));
      hark_json_writer_end_array (json);
    }
  hark_json_writer_member_raw (json, "packet", self->packet, strlen (self->packet));
  hark_json_writer_end_object (json);
}

/* Returns: (transfer full): an event that is not logged */
HarkEvent *
hark_socketio_emission_make_event (const HarkSocketioEmission *self, gint64 seq, gint64 offset)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  write_event (self, &json, seq, offset);
  text = hark_json_writer_peek (&json, &len);
  return hark_event_new (&self->topic, seq, 0, get_kind (self), text, len);
}

/* Work for the writer. */
gboolean
hark_socketio_emission_in_thread (HarkTransaction *tx, gpointer emission, GError **error)
{
  HarkSocketioEmission *self = emission;
  g_auto (HarkJsonWriter) json = { 0 };
  HarkLogPosition position;
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  if (!hark_event_log_reserve (tx, &self->topic, &position, error))
    return FALSE;
  self->seq = position.seq;
  write_event (self, &json, position.seq, 0);
  text = hark_json_writer_peek (&json, &len);
  return hark_event_log_append (tx, &self->topic, &position, get_kind (self), text, len, NULL, NULL, error);
}

static char **
read_strings (const HarkJsonObject *object, const char *name)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  HarkJsonSlice raw = { NULL, 0 };
  HarkJsonReader reader;
  if (!hark_json_object_get_raw_array (object, name, HARK_FIELD_OPTIONAL, &raw, NULL) || raw.data == NULL)
    return NULL;
  hark_json_reader_init (&reader, raw.data, raw.len);
  hark_json_reader_next (&reader, NULL);
  while (hark_json_reader_next (&reader, NULL) == HARK_JSON_STRING)
    {
      char *text = hark_json_string_dup_c (reader.slice);
      if (text != NULL)
        g_ptr_array_add (strings, text);
    }
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&strings), FALSE);
}

/* Reads for whom an event is. One that cannot be read is for nobody. */
void
hark_socketio_audience_read (HarkSocketioAudience *self, const HarkEvent *event)
{
  HarkJsonObject object;
  *self = (HarkSocketioAudience){ .users = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  if (hark_json_object_parse (&object, event->json, event->len, NULL)
      && hark_json_object_get_ids (&object, "users", HARK_FIELD_OPTIONAL, G_MAXUINT, self->users, NULL))
    {
      self->rooms = read_strings (&object, "rooms");
      self->except = read_strings (&object, "except");
    }
  else
    {
      static const char *const nobody[] = { "", NULL };
      self->rooms = g_strdupv ((char **)nobody);
    }
  self->target = (HarkSocketioTarget){ (const char *const *)self->rooms, (const gint64 *)self->users->data,
                                       self->users->len, (const char *const *)self->except };
}

void
hark_socketio_audience_clear (HarkSocketioAudience *self)
{
  g_clear_pointer (&self->rooms, g_strfreev);
  g_clear_pointer (&self->except, g_strfreev);
  g_clear_pointer (&self->users, g_array_unref);
}
