/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking up a session that was cut. What it had joined is joined again, if its user still may; per topic the client
 * gets the events it missed, in order, or the word "reset", and then it must ask anew. The events stand inside the
 * reply: nothing can come between them, and what follows the reply follows them. Users it had loaded are loaded again,
 * and those who have changed meanwhile are told.
 */
#include "chat/resume.h"

#include "base/error.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/user-row.h"
#include "core/event-log.h"
#include "core/ranges.h"

#include <string.h>

/* Cursors that a client may give. */
#define MAX_CURSORS 1000

/* As many as the query for them names. */
#define USERS_AT_A_TIME 16

struct _HarkResume
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkSnapshots *snapshots;
  HarkSessionStore *session_store;
  const HarkChatLimits *limits;
  HarkCounter *n_recovered;
  HarkCounter *n_reset;
};

typedef struct
{
  HarkTopic topic; /* (owned) */
  gint64 cursor;
  GArray *ranges; /* (nullable) (owned) (element-type HarkRange): the part of it that was joined; %NULL: all */
} Cursor;

typedef struct
{
  HarkSnapshot parent;
  HarkResume *resume;
  guint8 hash[HARK_TOKEN_HASH_LEN];
  GArray *cursors;   /* (element-type Cursor): the client's own */
  gint64 session_id; /* out: of the session that is taken up */
  gint64 seen_rev;   /* out: what it had been told of users */
  gsize room;        /* bytes of events that there is still room for */
  GArray *subjects;  /* out (element-type gint64): of the events that it missed */
  guint n_recovered; /* out */
  guint n_reset;     /* out */
} Resuming;

static void
cursor_clear (gpointer data)
{
  Cursor *cursor = data;
  hark_topic_clear (&cursor->topic);
  g_clear_pointer (&cursor->ranges, g_array_unref);
}

static void
resuming_clear (HarkSnapshot *snapshot)
{
  g_array_unref (((Resuming *)snapshot)->cursors);
  g_array_unref (((Resuming *)snapshot)->subjects);
}

static GArray *
cursors_new (void)
{
  GArray *cursors = g_array_new (FALSE, FALSE, sizeof (Cursor));
  g_array_set_clear_func (cursors, cursor_clear);
  return cursors;
}

static Cursor *
find_cursor (GArray *cursors, const HarkTopic *topic)
{
  for (guint i = 0; i < cursors->len; i++)
    if (hark_topic_equal (&g_array_index (cursors, Cursor, i).topic, topic))
      return &g_array_index (cursors, Cursor, i);
  return NULL;
}

/* Works. */

static gboolean
find_session (HarkTransaction *tx, Resuming *self, GArray **loaded, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  const guint8 *packed;
  gint64 ended_at;
  gsize len;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT session_id, user_id, ended_at, rev, loaded FROM sessions WHERE resume_hash = ?",
                               "b", self->hash, sizeof self->hash)
      || !hark_rows_require (&rows, "resume", error))
    return FALSE;
  ended_at = hark_rows_get_int64 (&rows, 2);
  if (hark_rows_get_int64 (&rows, 1) != self->parent.actor
      || (ended_at > 0 && hark_transaction_now_ms (tx) - ended_at > self->resume->limits->resume_window_ms))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"resume\": there is none");
      return FALSE;
    }
  self->session_id = hark_rows_get_int64 (&rows, 0);
  self->seen_rev = hark_rows_get_int64 (&rows, 3);
  *loaded = g_array_new (FALSE, FALSE, sizeof (gint64));
  packed = hark_rows_get_blob (&rows, 4, &len);
  for (gsize i = 0; packed != NULL && i + 8 <= len; i += 8)
    {
      gint64 id;
      memcpy (&id, packed + i, sizeof id);
      id = GINT64_FROM_LE (id);
      g_array_append_val (*loaded, id);
    }
  return TRUE;
}

/* What it had joined, with the client's own word where it has one; and what only the client knows of, which was joined
 * in the moment before a crash. */
static gboolean
list_topics (HarkTransaction *tx, Resuming *self, GArray *topics, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  for (guint i = 0; i < self->cursors->len; i++)
    {
      Cursor *given = &g_array_index (self->cursors, Cursor, i);
      Cursor cursor = { hark_topic_copy (&given->topic), given->cursor, NULL };
      g_array_append_val (topics, cursor);
    }
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT topic, cursor, ranges FROM session_topics WHERE session_id = ? ORDER BY topic",
                               "i", self->session_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      Cursor cursor = { { 0 }, hark_rows_get_int64 (&rows, 1), NULL };
      Cursor *given;
      const guint8 *packed;
      gsize len;
      if (!hark_topic_parse (hark_rows_get_text (&rows, 0, NULL), &cursor.topic, error))
        return FALSE;
      packed = hark_rows_get_blob (&rows, 2, &len);
      cursor.ranges = hark_session_store_unpack_ranges (packed, len);
      given = find_cursor (topics, &cursor.topic);
      if (given == NULL)
        {
          g_array_append_val (topics, cursor);
          continue;
        }
      g_clear_pointer (&given->ranges, g_array_unref);
      given->ranges = g_steal_pointer (&cursor.ranges);
      cursor_clear (&cursor);
    }
  return hark_rows_check (&local_error, error);
}

static gsize
count_bytes (GPtrArray *events)
{
  gsize bytes = 0;
  for (guint i = 0; i < events->len; i++)
    bytes += ((HarkEvent *)events->pdata[i])->len + 1;
  return bytes;
}

static void
write_events (Resuming *self, const Cursor *cursor, GPtrArray *events)
{
  HarkJsonWriter *json = &self->parent.reply;
  hark_json_writer_member (json, "events");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < events->len; i++)
    {
      const HarkEvent *event = events->pdata[i];
      if (!hark_event_may_see (event, self->parent.actor)
          || (event->subject != 0 && cursor->ranges != NULL && !hark_ranges_contain (cursor->ranges, event->subject)))
        continue;
      hark_json_writer_raw (json, event->json, event->len);
      /* Who came into a part of a list is loaded, as if he had been there when it was read. */
      if (event->subject != 0)
        g_array_append_val (self->subjects, event->subject);
    }
  hark_json_writer_end_array (json);
}

static void
join_topic (Resuming *self, const Cursor *cursor, gint64 seq)
{
  if (cursor->ranges == NULL)
    hark_snapshot_add_topic (&self->parent, &cursor->topic, seq, FALSE);
  for (guint i = 0; cursor->ranges != NULL && i < cursor->ranges->len; i++)
    {
      const HarkRange *range = &g_array_index (cursor->ranges, HarkRange, i);
      hark_snapshot_add_part (&self->parent, &cursor->topic, seq, range->after, range->last);
    }
}

/* A topic whose right was lost is told as reset, and not joined: asking anew tells the client the rest. */
static gboolean
recover_topic (HarkTransaction *tx, Resuming *self, const Cursor *cursor, GError **error)
{
  const HarkChatLimits *limits = self->resume->limits;
  HarkAsker asker = { self->parent.actor, self->parent.flags };
  HarkJsonWriter *json = &self->parent.reply;
  g_autoptr (GPtrArray) events = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  char text[HARK_TOPIC_MAX + 1];
  gboolean may, reset = TRUE;
  gint64 seq = 0;
  gsize bytes;
  if (!hark_rights_check_topic (tx, &cursor->topic, &asker, limits->rules, &may, error)
      || (may
          && !hark_event_log_read (tx, &cursor->topic, cursor->cursor, limits->resume_events, events, &reset, &seq,
                                   error)))
    return FALSE;
  /* The client names a list of which the store does not know what part it had. */
  if (cursor->topic.kind == HARK_TOPIC_MEMBERS && cursor->ranges == NULL)
    may = FALSE;
  reset |= !may;
  bytes = count_bytes (events);
  if (bytes > self->room)
    reset = TRUE;
  else
    self->room -= bytes;
  if (may)
    join_topic (self, cursor, seq);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "topic", hark_topic_format (&cursor->topic, text));
  hark_json_writer_member_string (json, "result", reset ? "reset" : "recovered");
  hark_json_writer_member_int (json, "seq", seq);
  if (!reset)
    write_events (self, cursor, events);
  hark_json_writer_end_object (json);
  self->n_reset += reset;
  self->n_recovered += !reset;
  return TRUE;
}

static gboolean
recover_topics (HarkTransaction *tx, Resuming *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_autoptr (GArray) topics = cursors_new ();
  if (!list_topics (tx, self, topics, error))
    return FALSE;
  hark_json_writer_member (json, "topics");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < topics->len; i++)
    if (!recover_topic (tx, self, &g_array_index (topics, Cursor, i), error))
      return FALSE;
  hark_json_writer_end_array (json);
  return TRUE;
}

/*
 * @ids: the last ones may be 0, which is nobody
 * @n: (inout): users loaded again
 *
 * So many at a time, because asking for each alone is most of what a resume costs.
 */
static gboolean
recover_some_users (HarkTransaction *tx, Resuming *self, const gint64 ids[USERS_AT_A_TIME], guint *n, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_USER_COLUMNS ", u.rev, coalesce(t.seq, 0) FROM users u"
                               " LEFT JOIN topics t ON t.name = 'user/' || u.user_id"
                               " WHERE u.user_id IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                               " AND EXISTS (SELECT 1 FROM members a JOIN members b ON b.server_id = a.server_id"
                               " WHERE a.user_id = ? AND b.user_id = u.user_id)",
                               "iiiiiiiiiiiiiiiii", ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7],
                               ids[8], ids[9], ids[10], ids[11], ids[12], ids[13], ids[14], ids[15], self->parent.actor))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      *n += 1;
      hark_snapshot_add_user (&self->parent, hark_rows_get_int64 (&rows, 0),
                              hark_rows_get_int64 (&rows, HARK_N_USER_COLUMNS + 1));
      if (hark_rows_get_int64 (&rows, HARK_N_USER_COLUMNS) <= self->seen_rev)
        continue;
      hark_json_writer_begin_object (json);
      hark_user_row_write (&rows, json);
      hark_json_writer_end_object (json);
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
recover_users (HarkTransaction *tx, Resuming *self, GArray *loaded, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  guint n = 0;
  hark_json_writer_member (json, "changed");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < loaded->len; i += USERS_AT_A_TIME)
    {
      gint64 ids[USERS_AT_A_TIME] = { 0 };
      memcpy (ids, &g_array_index (loaded, gint64, i), MIN (USERS_AT_A_TIME, loaded->len - i) * sizeof *ids);
      if (!recover_some_users (tx, self, ids, &n, error))
        return FALSE;
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member_int (json, "users", n);
  return TRUE;
}

static gboolean
resume_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  Resuming *self = (Resuming *)snapshot;
  g_autoptr (GArray) loaded = NULL;
  self->room = self->resume->limits->resume_bytes;
  self->n_recovered = 0;
  self->n_reset = 0;
  g_array_set_size (self->subjects, 0);
  if (!find_session (tx, self, &loaded, error) || !recover_topics (tx, self, error))
    return FALSE;
  g_array_append_vals (loaded, self->subjects->data, self->subjects->len);
  return recover_users (tx, self, loaded, error);
}

/* The hub's side. */

static gboolean
read_cursor (HarkJsonReader *reader, GArray *cursors, GError **error)
{
  g_autofree char *name = hark_json_string_dup_c (reader->slice);
  Cursor cursor = { { 0 }, 0, NULL };
  if (name == NULL || !hark_topic_parse (name, &cursor.topic, NULL))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"cursors\": a name in it is no topic");
      return FALSE;
    }
  if (hark_json_reader_next (reader, NULL) != HARK_JSON_INTEGER || reader->integer < 0
      || find_cursor (cursors, &cursor.topic) != NULL)
    {
      hark_topic_clear (&cursor.topic);
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "\"cursors\" must have topics, each once, with the seq seen last");
      return FALSE;
    }
  cursor.cursor = reader->integer;
  g_array_append_val (cursors, cursor);
  return TRUE;
}

static gboolean
read_cursors (const HarkJsonObject *args, GArray *cursors, GError **error)
{
  HarkJsonSlice raw = { NULL, 0 };
  HarkJsonReader reader;
  if (!hark_json_object_get_raw_object (args, "cursors", HARK_FIELD_OPTIONAL, &raw, error))
    return FALSE;
  if (raw.data == NULL)
    return TRUE;
  hark_json_reader_init (&reader, raw.data, raw.len);
  hark_json_reader_next (&reader, NULL); /* the bracket: all of it was checked before */
  while (hark_json_reader_next (&reader, NULL) == HARK_JSON_NAME)
    {
      if (cursors->len == MAX_CURSORS)
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"cursors\" has more than %d topics", MAX_CURSORS);
          return FALSE;
        }
      if (!read_cursor (&reader, cursors, error))
        return FALSE;
    }
  return TRUE;
}

static void
on_resumed (HarkSnapshot *snapshot)
{
  Resuming *self = (Resuming *)snapshot;
  hark_counter_add (self->resume->n_recovered, self->n_recovered);
  hark_counter_add (self->resume->n_reset, self->n_reset);
  hark_session_store_forget (self->resume->session_store, self->session_id);
}

static void
on_synced (gpointer data)
{
  Resuming *self = data;
  hark_snapshots_take (self->resume->snapshots, self);
}

/* A connection that was cut may not know it yet: it ends here, and with it what it had joined is written. */
static gboolean
end_former (HarkResume *self, Resuming *resuming, GError **error)
{
  HarkSession *former = hark_session_store_find (self->session_store, resuming->parent.actor, resuming->hash);
  if (former == NULL)
    return TRUE;
  if (former == resuming->parent.command->session)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"resume\": that is this session's own");
      return FALSE;
    }
  hark_session_close (former, HARK_CLOSE_RESUMED, "the session goes on in another connection");
  return TRUE;
}

static void
on_resume (HarkCommand *command, gpointer concern)
{
  HarkResume *resume = concern;
  Resuming *self = hark_snapshot_new (sizeof *self, command, resume_in_thread, resuming_clear);
  g_autofree char *token = NULL;
  GError *error = NULL;
  self->resume = resume;
  self->parent.joined = on_resumed;
  self->cursors = cursors_new ();
  self->subjects = g_array_new (FALSE, FALSE, sizeof (gint64));
  if (hark_json_object_get_string (command->args, "resume", HARK_FIELD_REQUIRED, 256, &token, &error)
      && read_cursors (command->args, self->cursors, &error))
    {
      hark_token_hash (token, self->hash);
      if (end_former (resume, self, &error))
        {
          hark_session_store_sync (resume->session_store, on_synced, self);
          return;
        }
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

static const HarkCommandSpec specs[] = {
  { "resume", HARK_COMMAND_NONE, NULL, on_resume },
};

HarkResume *
hark_resume_new (HarkHub *hub, HarkSnapshots *snapshots, HarkSessionStore *session_store, HarkMetrics *metrics,
                 const HarkChatLimits *limits)
{
  HarkResume *self = g_new0 (HarkResume, 1);
  self->hub = hub;
  self->snapshots = snapshots;
  self->session_store = session_store;
  self->limits = limits;
  self->n_recovered = hark_metrics_counter (metrics, "hark_topics_recovered_total",
                                            "Topics of resumed sessions of which nothing was missed in the end.");
  self->n_reset = hark_metrics_counter (metrics, "hark_topics_reset_total",
                                        "Topics of resumed sessions that had to be asked for anew.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_resume_free (HarkResume *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
