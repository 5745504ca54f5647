/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was said: chunks of a channel's messages, or what has become of them since, and from then on what is new. */
#include "chat/history.h"

#include "base/error.h"
#include "base/ids.h"
#include "chat/fields.h"
#include "chat/message-row.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "core/event-log.h"

#define CHUNK 50
#define MAX_CHUNK 100

/* Events looked through for what has changed. */
#define MAX_DELTA_EVENTS 1000

/* Bytes of a time. */
#define MAX_TIME 40

struct _HarkHistory
{
  HarkHub *hub;             /* unowned */
  HarkSnapshots *snapshots; /* unowned */
};

typedef struct
{
  HarkSnapshot parent;
  gint64 channel_id;
  gint64 before; /* 0: not given, as all that follow */
  gint64 after;
  gint64 around;
  gint64 since; /* -1: not given */
  gint64 limit;
} GetMessages;

/* Writes the rows of a query that has begun, @limit of them. @n: (out): how many there were */
static gboolean
write_rows (HarkTransaction *tx, GetMessages *self, HarkRows *rows, gint64 limit, gint64 *n, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_autoptr (GError) local_error = NULL;
  for (*n = 0; hark_rows_next (rows, &local_error); *n += 1)
    {
      if (*n >= limit)
        continue;
      hark_json_writer_begin_object (json);
      if (!hark_message_row_write_stored (tx, rows, self->parent.actor, json, error))
        return FALSE;
      hark_json_writer_end_object (json);
    }
  return hark_rows_check (&local_error, error);
}

/* The messages before an id, the newest of them, oldest first. One more than asked for is found, to know whether there
 * is more: it is the first. */
static gboolean
write_before (HarkTransaction *tx, GetMessages *self, gint64 before, gint64 limit, gboolean *more, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 found = 0, n;
  if (!hark_transaction_query_int64 (tx, &found, NULL, error,
                                     "SELECT count(*) FROM (SELECT 1 FROM messages WHERE channel_id = ?"
                                     " AND message_id < ? LIMIT ?) AS chunk",
                                     "iii", self->channel_id, before, limit + 1))
    return FALSE;
  *more = found > limit;
  return hark_transaction_query (tx, &rows, error,
                                 "SELECT " HARK_MESSAGE_COLUMNS " FROM (SELECT message_id FROM messages"
                                 " WHERE channel_id = ? AND message_id < ? ORDER BY message_id DESC LIMIT ?) AS chunk"
                                 " JOIN messages e ON e.message_id = chunk.message_id" HARK_MESSAGE_JOINS
                                 " ORDER BY e.message_id",
                                 "iii", self->channel_id, before, limit)
         && write_rows (tx, self, &rows, limit, &n, error);
}

/* The messages after an id, oldest first; here the one too many is the last. */
static gboolean
write_after (HarkTransaction *tx, GetMessages *self, gint64 after, gint64 before, gint64 limit, gboolean *more,
             GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 n;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_MESSAGE_COLUMNS " FROM messages e" HARK_MESSAGE_JOINS
                               " WHERE e.channel_id = ? AND e.message_id > ? AND e.message_id < ?"
                               " ORDER BY e.message_id LIMIT ?",
                               "iiii", self->channel_id, after, before, limit + 1)
      || !write_rows (tx, self, &rows, limit, &n, error))
    return FALSE;
  *more = n > limit;
  return TRUE;
}

static gboolean
write_chunk (HarkTransaction *tx, GetMessages *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  gint64 before = self->before != 0 ? self->before : G_MAXINT64;
  gboolean more = FALSE, more_after = FALSE, done;
  hark_json_writer_member (json, "messages");
  hark_json_writer_begin_array (json);
  if (self->around != 0)
    done = write_before (tx, self, self->around, self->limit / 2, &more, error)
           && write_after (tx, self, self->around - 1, G_MAXINT64, self->limit - self->limit / 2, &more_after, error);
  else if (self->after != 0)
    done = write_after (tx, self, self->after, before, self->limit, &more, error);
  else
    done = write_before (tx, self, before, self->limit, &more, error);
  hark_json_writer_end_array (json);
  hark_json_writer_member_boolean (json, "more", more);
  if (self->around != 0)
    hark_json_writer_member_boolean (json, "more_after", more_after);
  return done;
}

/* What has changed. */

static gboolean
contains (GArray *ids, gint64 id)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, gint64, i) == id)
      return TRUE;
  return FALSE;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

/* Which messages the channel's events since then were about: the log is the list of changes, so that saying something
 * does not have to write one. @reset: (out): they are too many to be told one by one */
static gboolean
list_changed (HarkTransaction *tx, GetMessages *self, GArray *ids, gboolean *reset, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  char name[HARK_TOPIC_MAX + 1];
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  guint n = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT l.rev, l.payload FROM topics t JOIN event_log l ON l.topic_id = t.topic_id"
                               " WHERE t.name = ? ORDER BY l.seq DESC",
                               "t", hark_topic_format (&topic, name)))
    return FALSE;
  while (!*reset && hark_rows_next (&rows, &local_error) && hark_rows_get_int64 (&rows, 0) > self->since)
    {
      HarkJsonObject event;
      gint64 id = 0;
      gsize len;
      const char *payload = hark_rows_get_text (&rows, 1, &len);
      if (!hark_json_object_parse (&event, payload, len, error)
          || !hark_json_object_get_id (&event, "message_id", HARK_FIELD_OPTIONAL, &id, error))
        return FALSE;
      if (id != 0 && !contains (ids, id))
        g_array_append_val (ids, id);
      *reset = ++n > MAX_DELTA_EVENTS || ids->len > self->limit;
    }
  g_array_sort (ids, compare_ids);
  return hark_rows_check (&local_error, error);
}

/* Takes out of @ids what is written: what is left is gone. */
static gboolean
write_changed (HarkTransaction *tx, GetMessages *self, GArray *ids, GError **error)
{
  guint i = 0;
  hark_json_writer_member (&self->parent.reply, "changed");
  hark_json_writer_begin_array (&self->parent.reply);
  while (i < ids->len)
    {
      g_auto (HarkRows) rows = HARK_ROWS_INIT;
      gint64 n;
      if (!hark_transaction_query (tx, &rows, error,
                                   "SELECT " HARK_MESSAGE_COLUMNS " FROM messages e" HARK_MESSAGE_JOINS
                                   " WHERE e.message_id = ? AND e.channel_id = ?",
                                   "ii", g_array_index (ids, gint64, i), self->channel_id)
          || !write_rows (tx, self, &rows, 1, &n, error))
        return FALSE;
      if (n > 0)
        g_array_remove_index (ids, i);
      else
        i++;
    }
  hark_json_writer_end_array (&self->parent.reply);
  return TRUE;
}

static gboolean
write_difference (HarkTransaction *tx, GetMessages *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  gboolean reset;
  if (!hark_rights_check_since (tx, self->since, &reset, error)
      || (!reset && !list_changed (tx, self, ids, &reset, error)))
    return FALSE;
  if (reset)
    {
      hark_json_writer_member_boolean (json, "reset", TRUE);
      return write_chunk (tx, self, error);
    }
  if (!write_changed (tx, self, ids, error))
    return FALSE;
  hark_json_writer_member (json, "removed");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < ids->len; i++)
    hark_json_writer_id (json, g_array_index (ids, gint64, i));
  hark_json_writer_end_array (json);
  return TRUE;
}

static gboolean
get_messages_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetMessages *self = (GetMessages *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  gint64 seq;
  gboolean may;
  if (!hark_rights_may_see (tx, self->channel_id, snapshot->actor, &may, error))
    return FALSE;
  if (!may)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"channel_id\": there is none");
      return FALSE;
    }
  if (!hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  hark_snapshot_add_growing (snapshot, &topic, seq, "message");
  hark_json_writer_member_id (json, "channel_id", self->channel_id);
  if (!(self->since >= 0 ? write_difference : write_chunk) (tx, self, error))
    return FALSE;
  hark_json_writer_member_int (json, "seq", seq);
  return TRUE;
}

/* A time stands for the first id that could have been made then: ids sort by time. */
static gboolean
get_time (const HarkJsonObject *args, const char *field, gint64 *after, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;
  if (!hark_json_object_get_string (args, field, HARK_FIELD_OPTIONAL, MAX_TIME, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  time = g_date_time_new_from_iso8601 (text, utc);
  if (time == NULL)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" must be a time as in 2026-01-31T12:00:00Z", field);
      return FALSE;
    }
  *after
    = MAX (hark_id_at_time_ms (g_date_time_to_unix (time) * 1000 + g_date_time_get_microsecond (time) / 1000) - 1, 1);
  return TRUE;
}

static gboolean
check_one_way (const HarkJsonObject *args, GError **error)
{
  static const char *const ways[] = { "before", "after", "at", "around", "since" };
  const char *first = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      const HarkJsonValue *value = hark_json_object_get (args, ways[i]);
      if (value == NULL || value->token == HARK_JSON_NULL)
        continue;
      if (first != NULL && i > 1) /* "before" and "after" go together */
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"%s\" and \"%s\" do not go together", first,
                       ways[i]);
          return FALSE;
        }
      first = ways[i];
    }
  return TRUE;
}

static void
on_get_messages (HarkCommand *command, gpointer concern)
{
  HarkHistory *history = concern;
  const HarkJsonObject *args = command->args;
  GetMessages *self = hark_snapshot_new (sizeof *self, command, get_messages_in_thread, NULL);
  GError *error = NULL;
  self->limit = CHUNK;
  if (hark_json_object_get_id (args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && hark_json_object_get_id (args, "before", HARK_FIELD_OPTIONAL, &self->before, &error)
      && hark_json_object_get_id (args, "after", HARK_FIELD_OPTIONAL, &self->after, &error)
      && hark_json_object_get_id (args, "around", HARK_FIELD_OPTIONAL, &self->around, &error)
      && get_time (args, "at", &self->after, &error) && hark_field_get_since (args, &self->since, &error)
      && hark_json_object_get_int (args, "limit", HARK_FIELD_OPTIONAL, 1, MAX_CHUNK, &self->limit, &error)
      && check_one_way (args, &error))
    {
      hark_snapshots_take (history->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

static const HarkCommandSpec specs[] = {
  { "get_messages", HARK_COMMAND_NONE, NULL, on_get_messages },
};

HarkHistory *
hark_history_new (HarkHub *hub, HarkSnapshots *snapshots)
{
  HarkHistory *self = g_new0 (HarkHistory, 1);
  self->hub = hub;
  self->snapshots = snapshots;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_history_free (HarkHistory *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
