/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions and what they have loaded, in the store: so that one that was cut can be taken up again, by the next process
 * too. Nobody waits for it, so it is written lazily: what has changed is collected for a moment and written together.
 * A cursor is written when a topic is joined and when the session ends; a client that counts for itself says better
 * when it resumes.
 */
#include "chat/session-store.h"

#include "chat/rows.h"
#include "core/ranges.h"

#include <string.h>

#define FLUSH_MS 250
#define RETRY_MS 1000

/* Sessions in one work: the messages of others wait for it. */
#define MAX_BATCH 100

typedef struct
{
  HarkTopic topic; /* (owned) */
  gint64 cursor;
  GArray *ranges; /* (nullable) (owned) (element-type HarkRange) */
} TopicRow;

/* A session as it is written. */
typedef struct
{
  gint64 session_id;
  gint64 user_id;
  guint8 hash[HARK_TOKEN_HASH_LEN];
  gint64 opened_at;
  gint64 ended_at; /* 0: goes on */
  gint64 rev;
  gint64 token_id;
  gint64 expires_at;
  gint64 flags;
  char *protocol;
  char *address;
  GArray *topics; /* (element-type TopicRow) */
  GArray *loaded; /* (element-type gint64) */
} SessionRow;

typedef struct
{
  gint64 id;
  gint64 user_id;
  guint8 hash[HARK_TOKEN_HASH_LEN];
  gboolean dirty;
  guint n_writing;  /* works under way that write it */
  SessionRow *last; /* (owned) (nullable): as it ended */
} Record;

typedef struct
{
  HarkHubFunc func;
  gpointer data;
} Waiter;

struct _HarkSessionStore
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkSnapshots *snapshots;
  HarkClock *clock; /* (owned) */
  const HarkChatLimits *limits;
  GHashTable *records; /* session id → Record (owned) */
  GQueue dirty;        /* (element-type gint64) (owned): ids in the order they became dirty */
  GArray *waiters;     /* (element-type Waiter) */
  guint n_writing;     /* works under way */
  gulong removed_id;
  guint flush_id;
  guint alive_id;
};

static void
topic_row_clear (gpointer data)
{
  TopicRow *row = data;
  hark_topic_clear (&row->topic);
  g_clear_pointer (&row->ranges, g_array_unref);
}

static void
session_row_free (gpointer data)
{
  SessionRow *row = data;
  g_free (row->protocol);
  g_free (row->address);
  g_array_unref (row->topics);
  g_array_unref (row->loaded);
  g_free (row);
}

static void
record_free (gpointer data)
{
  Record *record = data;
  g_clear_pointer (&record->last, session_row_free);
  g_free (record);
}

/* Works. */

/* Returns: (transfer full) (nullable): see hark_session_store_unpack_ranges () */
static GByteArray *
pack_ranges (GArray *ranges)
{
  GByteArray *packed = ranges != NULL ? g_byte_array_new () : NULL;
  for (guint i = 0; ranges != NULL && i < ranges->len; i++)
    {
      const HarkRange *range = &g_array_index (ranges, HarkRange, i);
      gint64 pair[2] = { GINT64_TO_LE (range->after), GINT64_TO_LE (range->last) };
      g_byte_array_append (packed, (const guint8 *)pair, sizeof pair);
    }
  return packed;
}

/* Returns: (transfer full) (nullable): %NULL: all of the topic */
GArray *
hark_session_store_unpack_ranges (const guint8 *data, gsize len)
{
  GArray *ranges = data != NULL ? hark_ranges_new () : NULL;
  gint64 pair[2];
  for (gsize i = 0; data != NULL && i + sizeof pair <= len; i += sizeof pair)
    {
      memcpy (pair, data + i, sizeof pair);
      hark_ranges_add (ranges, GINT64_FROM_LE (pair[0]), GINT64_FROM_LE (pair[1]));
    }
  return ranges;
}

static gboolean
write_topics (HarkTransaction *tx, const SessionRow *row, GError **error)
{
  if (!hark_transaction_exec (tx, error, "DELETE FROM session_topics WHERE session_id = ?", "i", row->session_id))
    return FALSE;
  for (guint i = 0; i < row->topics->len; i++)
    {
      const TopicRow *topic = &g_array_index (row->topics, TopicRow, i);
      g_autoptr (GByteArray) packed = pack_ranges (topic->ranges);
      char text[HARK_TOPIC_MAX + 1];
      if (!hark_transaction_exec (tx, error,
                                  "INSERT INTO session_topics (session_id, topic, cursor, ranges) VALUES (?, ?, ?, ?)",
                                  "itib", row->session_id, hark_topic_format (&topic->topic, text), topic->cursor,
                                  packed != NULL ? packed->data : NULL, packed != NULL ? (gsize)packed->len : 0))
        return FALSE;
    }
  return TRUE;
}

/* Of a user who connects again and again the oldest ended sessions go. */
static gboolean
trim_ended (HarkTransaction *tx, gint64 user_id, guint max, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions"
                                " WHERE user_id = ? AND ended_at > 0 ORDER BY ended_at DESC, session_id DESC"
                                " LIMIT 1000 OFFSET ?)",
                                "ii", user_id, (gint64)max);
}

/* The user may be gone by now: then there is nothing to keep. */
static gboolean
write_session (HarkTransaction *tx, const SessionRow *row, guint max_kept, GError **error)
{
  g_autofree gint64 *loaded = g_new (gint64, row->loaded->len + 1);
  for (guint i = 0; i < row->loaded->len; i++)
    loaded[i] = GINT64_TO_LE (g_array_index (row->loaded, gint64, i));
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO sessions (session_id, resume_hash, user_id, opened_at, ended_at, protocol,"
                              " address, rev, loaded, token_id, expires_at, flags)"
                              " SELECT ?, ?, user_id, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM users"
                              " WHERE user_id = ? ON CONFLICT (session_id) DO UPDATE SET ended_at = excluded.ended_at,"
                              " rev = excluded.rev, loaded = excluded.loaded, token_id = excluded.token_id,"
                              " expires_at = excluded.expires_at, flags = excluded.flags",
                              "ibiittibiiii", row->session_id, row->hash, sizeof row->hash, row->opened_at,
                              row->ended_at, row->protocol, row->address, row->rev, loaded,
                              (gsize)row->loaded->len * sizeof (gint64), row->token_id, row->expires_at, row->flags,
                              row->user_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) == 0)
    return TRUE;
  return write_topics (tx, row, error) && (row->ended_at == 0 || trim_ended (tx, row->user_id, max_kept, error));
}

typedef struct
{
  HarkSessionStore *owner;
  guint max_kept;
  GPtrArray *rows; /* (element-type SessionRow) */
} Batch;

static void
batch_free (gpointer data)
{
  Batch *batch = data;
  g_ptr_array_unref (batch->rows);
  g_free (batch);
}

static gboolean
write_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Batch *batch = data;
  for (guint i = 0; i < batch->rows->len; i++)
    if (!write_session (tx, batch->rows->pdata[i], batch->max_kept, error))
      return FALSE;
  return TRUE;
}

static gboolean
find_lost (HarkTransaction *tx, GHashTable *kept, gint64 alive_ms, GArray *lost, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT session_id, user_id, opened_at FROM sessions WHERE ended_at = 0", ""))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      HarkLostSession session = { hark_rows_get_int64 (&rows, 0), hark_rows_get_int64 (&rows, 1),
                                  MAX (alive_ms, hark_rows_get_int64 (&rows, 2)) };
      if (!g_hash_table_contains (kept, &session.session_id))
        g_array_append_val (lost, session);
    }
  return hark_rows_check (&local_error, error);
}

gboolean
hark_session_store_load (HarkTransaction *tx, GHashTable *kept, GArray *lost, GError **error)
{
  gint64 alive_ms = 0;
  if (!hark_transaction_query_int64 (tx, &alive_ms, NULL, error, "SELECT alive_at FROM life", "")
      || !find_lost (tx, kept, alive_ms, lost, error))
    return FALSE;
  for (guint i = 0; i < lost->len; i++)
    if (!hark_transaction_exec (tx, error, "UPDATE sessions SET ended_at = ? WHERE session_id = ?", "ii",
                                hark_transaction_now_ms (tx), g_array_index (lost, HarkLostSession, i).session_id))
      return FALSE;
  return TRUE;
}

static gboolean
write_alive_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO life (only_row, alive_at) VALUES (1, ?)"
                                " ON CONFLICT (only_row) DO UPDATE SET alive_at = excluded.alive_at",
                                "i", hark_transaction_now_ms (tx));
}

/* The hub's side. */

static gboolean
on_alive (gpointer data)
{
  HarkSessionStore *self = data;
  if (g_hash_table_size (self->records) > 0)
    hark_store_write (self->store, write_alive_in_thread, NULL, NULL, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static SessionRow *
session_row_new (HarkSessionStore *self, HarkSession *session, const Record *record, gint64 ended_at)
{
  SessionRow *row = g_new0 (SessionRow, 1);
  guint n_topics = session->subscriptions != NULL ? session->subscriptions->len : 0;
  row->session_id = record->id;
  row->user_id = record->user_id;
  memcpy (row->hash, record->hash, sizeof row->hash);
  row->opened_at = session->since_ms;
  row->ended_at = ended_at;
  row->rev = hark_hub_get_sent_rev (self->hub, session);
  row->token_id = session->identity->token_id;
  row->expires_at = session->identity->expires_ms;
  row->flags = session->identity->flags;
  row->protocol = g_strdup (hark_protocol_get_name (session->protocol));
  row->address = hark_session_dup_address (session);
  row->loaded = hark_hub_dup_loaded (self->hub, session);
  row->topics = g_array_sized_new (FALSE, FALSE, sizeof (TopicRow), n_topics);
  g_array_set_clear_func (row->topics, topic_row_clear);
  for (guint i = 0; i < n_topics; i++)
    {
      HarkSubscription *subscription = session->subscriptions->pdata[i];
      const HarkTopic *subscribed = hark_subscription_get_topic (subscription);
      TopicRow topic;
      /* Whoever has reserved it resumes it. */
      if (hark_topic_is_reserved (subscribed))
        continue;
      topic = (TopicRow){ hark_topic_copy (subscribed), hark_subscription_get_cursor (subscription),
                          subscription->ranges != NULL ? g_array_copy (subscription->ranges) : NULL };
      g_array_append_val (row->topics, topic);
    }
  return row;
}

static gboolean
on_flush (gpointer data)
{
  HarkSessionStore *self = data;
  self->flush_id = 0;
  hark_session_store_flush (self);
  return G_SOURCE_REMOVE;
}

static void
flush_later (HarkSessionStore *self, guint ms)
{
  if (self->flush_id == 0)
    self->flush_id = hark_clock_add_timeout (self->clock, ms, on_flush, self);
}

/* Whether the store has what there is to know of a session: its connection says it to who comes after us. */
static void
mark_unsaved (HarkSessionStore *self, gint64 session_id, gboolean is_unsaved)
{
  HarkSession *session = hark_hub_get_session (self->hub, session_id);
  HarkTransportMark *mark = session != NULL && session->transport != NULL ? session->transport->mark : NULL;
  if (is_unsaved)
    hark_transport_mark_set (mark, HARK_MARK_UNSAVED);
  else if (mark != NULL && session->personal)
    hark_transport_mark_clear (mark, HARK_MARK_UNSAVED);
}

static void
mark_dirty (HarkSessionStore *self, Record *record)
{
  if (record->dirty)
    return;
  mark_unsaved (self, record->id, TRUE);
  record->dirty = TRUE;
  g_queue_push_tail (&self->dirty, g_memdup2 (&record->id, sizeof record->id));
}

/* An ended session whose end is in the store needs no record any more. */
static void
settle_row (HarkSessionStore *self, const SessionRow *row)
{
  const Record *record = g_hash_table_lookup (self->records, &row->session_id);
  if (row->ended_at > 0)
    g_hash_table_remove (self->records, &row->session_id);
  else if (record != NULL && !record->dirty && record->n_writing == 0)
    mark_unsaved (self, row->session_id, FALSE);
}

/* @row: (transfer full): could not be written: an ended session is known from it alone */
static void
take_back_row (HarkSessionStore *self, SessionRow *row)
{
  Record *record = g_hash_table_lookup (self->records, &row->session_id);
  if (record != NULL)
    mark_dirty (self, record);
  if (record != NULL && row->ended_at > 0)
    record->last = row;
  else
    session_row_free (row);
}

static void
call_waiters (HarkSessionStore *self)
{
  g_autoptr (GArray) waiters = g_steal_pointer (&self->waiters);
  self->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  for (guint i = 0; i < waiters->len; i++)
    g_array_index (waiters, Waiter, i).func (g_array_index (waiters, Waiter, i).data);
}

static void
on_written (gpointer data, const GError *error, gpointer user_data)
{
  Batch *batch = data;
  HarkSessionStore *self = batch->owner;
  self->n_writing--;
  for (guint i = 0; i < batch->rows->len; i++)
    {
      Record *record = g_hash_table_lookup (self->records, &((SessionRow *)batch->rows->pdata[i])->session_id);
      if (record != NULL)
        record->n_writing--;
    }
  if (error == NULL)
    {
      for (guint i = 0; i < batch->rows->len; i++)
        settle_row (self, batch->rows->pdata[i]);
    }
  else
    {
      while (batch->rows->len > 0)
        take_back_row (self, g_ptr_array_steal_index_fast (batch->rows, batch->rows->len - 1));
      flush_later (self, RETRY_MS);
    }
  if (self->n_writing == 0)
    call_waiters (self);
}

static void
write_batch (HarkSessionStore *self)
{
  Batch *batch = g_new (Batch, 1);
  batch->owner = self;
  batch->max_kept = self->limits->kept_sessions_per_user;
  batch->rows = g_ptr_array_new_with_free_func (session_row_free);
  while (batch->rows->len < MAX_BATCH && !g_queue_is_empty (&self->dirty))
    {
      g_autofree gint64 *id = g_queue_pop_head (&self->dirty);
      Record *record = g_hash_table_lookup (self->records, id);
      HarkSession *session = hark_hub_get_session (self->hub, *id);
      SessionRow *row;
      if (record == NULL)
        continue;
      record->dirty = FALSE;
      if (record->last == NULL && session == NULL)
        continue;
      row = record->last != NULL ? g_steal_pointer (&record->last) : session_row_new (self, session, record, 0);
      record->n_writing++;
      g_ptr_array_add (batch->rows, row);
    }
  self->n_writing++;
  hark_store_write (self->store, write_in_thread, batch, batch_free, on_written, NULL);
}

void
hark_session_store_flush (HarkSessionStore *self)
{
  while (!g_queue_is_empty (&self->dirty))
    write_batch (self);
}

static void
on_session_changed (HarkSession *session, gpointer data)
{
  HarkSessionStore *self = data;
  Record *record = g_hash_table_lookup (self->records, &session->id);
  if (record == NULL || record->last != NULL)
    return;
  mark_dirty (self, record);
  flush_later (self, FLUSH_MS);
}

static void
on_hub_session_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, HarkSessionStore *self)
{
  Record *record = g_hash_table_lookup (self->records, &session->id);
  if (record == NULL)
    return;
  record->last = session_row_new (self, session, record, hark_clock_get_real_ms (self->clock));
  mark_dirty (self, record);
  flush_later (self, FLUSH_MS);
}

HarkSessionStore *
hark_session_store_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkSessionStore *self = g_new0 (HarkSessionStore, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->records = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, record_free);
  self->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  g_queue_init (&self->dirty);
  self->removed_id = g_signal_connect (hub, "session-removed", G_CALLBACK (on_hub_session_removed), self);
  hark_snapshots_set_changed (snapshots, on_session_changed, self);
  self->alive_id = hark_clock_add_timeout (self->clock, HARK_SESSION_STORE_ALIVE_MS, on_alive, self);
  return self;
}

void
hark_session_store_free (HarkSessionStore *self)
{
  hark_snapshots_set_changed (self->snapshots, NULL, NULL);
  hark_clock_clear_timeout (self->clock, &self->flush_id);
  hark_clock_clear_timeout (self->clock, &self->alive_id);
  g_clear_signal_handler (&self->removed_id, self->hub);
  g_queue_clear_full (&self->dirty, g_free);
  g_hash_table_unref (self->records);
  g_array_unref (self->waiters);
  g_clear_object (&self->clock);
  g_free (self);
}

void
hark_session_store_add (HarkSessionStore *self, HarkSession *session, char token[HARK_TOKEN_LEN])
{
  Record *record = g_new0 (Record, 1);
  hark_token_make (token);
  record->id = session->id;
  record->user_id = hark_session_get_user_id (session);
  hark_token_hash (token, record->hash);
  g_hash_table_insert (self->records, &record->id, record);
  mark_dirty (self, record);
  flush_later (self, FLUSH_MS);
}

GVariant *
hark_session_store_save (HarkSessionStore *self, HarkSession *session)
{
  const Record *record = g_hash_table_lookup (self->records, &session->id);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, record != NULL ? (const char *)record->hash : "",
                                    record != NULL ? sizeof record->hash : 0, 1);
}

/* Its row is in the store as it was: it is written when it changes. */
void
hark_session_store_restore (HarkSessionStore *self, HarkSession *session, GVariant *state)
{
  gsize len;
  const guint8 *hash = g_variant_get_fixed_array (state, &len, 1);
  Record *record;
  if (len != HARK_TOKEN_HASH_LEN)
    return;
  record = g_new0 (Record, 1);
  record->id = session->id;
  record->user_id = hark_session_get_user_id (session);
  memcpy (record->hash, hash, len);
  g_hash_table_insert (self->records, &record->id, record);
}

HarkSession *
hark_session_store_find (HarkSessionStore *self, gint64 user_id, const guint8 hash[HARK_TOKEN_HASH_LEN])
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self->hub, user_id);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      Record *record = g_hash_table_lookup (self->records, &session->id);
      if (record != NULL && memcmp (record->hash, hash, HARK_TOKEN_HASH_LEN) == 0)
        return session; /* the hub keeps it */
    }
  return NULL;
}

void
hark_session_store_sync (HarkSessionStore *self, HarkHubFunc func, gpointer data)
{
  Waiter waiter = { func, data };
  hark_session_store_flush (self);
  if (self->n_writing == 0)
    {
      func (data);
      return;
    }
  g_array_append_val (self->waiters, waiter);
}

typedef struct
{
  gint64 session_id;
} Forgetting;

static gboolean
forget_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  return hark_transaction_exec (tx, error, "DELETE FROM sessions WHERE session_id = ?", "i",
                                ((Forgetting *)data)->session_id);
}

void
hark_session_store_forget (HarkSessionStore *self, gint64 session_id)
{
  Forgetting *forgetting = g_new (Forgetting, 1);
  forgetting->session_id = session_id;
  g_hash_table_remove (self->records, &session_id);
  hark_store_write (self->store, forget_in_thread, forgetting, g_free, NULL, NULL);
}

/* Sessions waiting to be written. */
guint
hark_session_store_get_n_dirty (HarkSessionStore *self)
{
  return g_queue_get_length (&self->dirty);
}
