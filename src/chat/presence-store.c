/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Presence as others are told of it, in the store: so that a page of members says the same as the events that follow
 * it, and so that after a crash those who do not come back go offline. Changes are collected while a work is under way
 * and written together: a page of ten thousand users that reloads is a few works, not ten thousand. What could not be
 * written is tried again, because nobody else would say it.
 */
#include "chat/presence-store.h"

#include "chat/draft.h"
#include "chat/rows.h"
#include "chat/user-row.h"

#define RETRY_MS 1000

/* Users in one work: the messages of others wait for it. */
#define MAX_BATCH 500

struct _HarkPresenceStore
{
  HarkPresence *presence; /* (owned) */
  HarkStore *store;       /* unowned */
  HarkClock *clock;       /* unowned */
  GHashTable *pending;    /* user id → online */
  gint64 last_id;         /* up to which the last batch went */
  gulong changed_id;
  gboolean writing;
  guint retry_id;
};

typedef struct
{
  gint64 user_id;
  gboolean online;
} Change;

typedef struct
{
  HarkPresenceStore *owner;
  GArray *changes; /* (element-type Change) */
} Batch;

static void
batch_free (gpointer data)
{
  Batch *batch = data;
  g_array_unref (batch->changes);
  g_free (batch);
}

/* Tells those who have loaded the user, and remembers when they were told. */
static gboolean
emit_status (HarkTransaction *tx, gint64 user_id, const char *status, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  gint64 rev;
  if (!hark_draft_begin (&draft, tx, &topic, "user_status_change", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "user_id", user_id);
  hark_json_writer_member_string (&draft.json, "status", status);
  return hark_draft_end (&draft, tx, NULL, &rev, error)
         && hark_transaction_exec (tx, error, "UPDATE users SET rev = ? WHERE user_id = ?", "ii", rev, user_id);
}

/* @online: -1: as it is. @chosen: (nullable): as it is. Somebody who is gone has no presence. */
static gboolean
set_presence (HarkTransaction *tx, gint64 user_id, int online, const char *chosen, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  const char *before, *after;
  gboolean is_online;
  if (!hark_transaction_query (tx, &rows, error, "SELECT online, chosen FROM users WHERE user_id = ?", "i", user_id))
    return FALSE;
  if (!hark_rows_next (&rows, &local_error))
    return hark_rows_check (&local_error, error);
  is_online = online >= 0 ? online : hark_rows_get_int64 (&rows, 0) != 0;
  before = hark_user_status (hark_rows_get_int64 (&rows, 0) != 0, hark_rows_get_text (&rows, 1, NULL));
  after = hark_user_status (is_online, chosen != NULL ? chosen : hark_rows_get_text (&rows, 1, NULL));
  hark_rows_end (&rows);
  if (online >= 0
      && !hark_transaction_exec (tx, error, "UPDATE users SET online = ? WHERE user_id = ?", "ii", (gint64)online,
                                 user_id))
    return FALSE;
  if (chosen != NULL
      && !hark_transaction_exec (tx, error, "UPDATE users SET chosen = ? WHERE user_id = ?", "ti", chosen, user_id))
    return FALSE;
  return before == after || emit_status (tx, user_id, after, error);
}

/* Makes @chosen the status with which a user wants to be seen. */
gboolean
hark_presence_store_choose (HarkTransaction *tx, gint64 user_id, const char *chosen, GError **error)
{
  return set_presence (tx, user_id, -1, chosen, error);
}

static gboolean
write_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Batch *batch = data;
  for (guint i = 0; i < batch->changes->len; i++)
    {
      Change *change = &g_array_index (batch->changes, Change, i);
      if (!set_presence (tx, change->user_id, change->online, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static void write_pending (HarkPresenceStore *self);

static gboolean
on_retry (gpointer data)
{
  HarkPresenceStore *self = data;
  self->retry_id = 0;
  write_pending (self);
  return G_SOURCE_REMOVE;
}

static void
add_pending (HarkPresenceStore *self, gint64 user_id, gboolean online)
{
  g_hash_table_insert (self->pending, g_memdup2 (&user_id, sizeof user_id), GINT_TO_POINTER (online));
}

static void
on_written (gpointer data, const GError *error, gpointer user_data)
{
  Batch *batch = data;
  HarkPresenceStore *self = batch->owner;
  self->writing = FALSE;
  if (error == NULL)
    {
      write_pending (self);
      return;
    }
  for (guint i = 0; i < batch->changes->len; i++)
    {
      Change *change = &g_array_index (batch->changes, Change, i);
      if (!g_hash_table_contains (self->pending, &change->user_id))
        add_pending (self, change->user_id, change->online);
    }
  if (self->retry_id == 0)
    self->retry_id = hark_clock_add_timeout (self->clock, RETRY_MS, on_retry, self);
}

static int
compare_changes (gconstpointer a, gconstpointer b)
{
  const Change *left = a, *right = b;
  return left->user_id < right->user_id ? -1 : left->user_id > right->user_id;
}

/* In the order of ids, from where the last batch ended, and round again: pages of members are windows over ids, so
 * those who have loaded a page hear of a storm on it in one go. */
static void
fill_batch (HarkPresenceStore *self, GArray *changes)
{
  GHashTableIter iter;
  gpointer key, value;
  guint first = 0;
  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      Change change = { *(gint64 *)key, GPOINTER_TO_INT (value) };
      g_array_append_val (changes, change);
    }
  g_array_sort (changes, compare_changes);
  while (first < changes->len && g_array_index (changes, Change, first).user_id <= self->last_id)
    first++;
  if (first < changes->len)
    g_array_remove_range (changes, 0, first);
  g_array_set_size (changes, MIN (changes->len, MAX_BATCH));
  self->last_id = g_array_index (changes, Change, changes->len - 1).user_id;
  for (guint i = 0; i < changes->len; i++)
    g_hash_table_remove (self->pending, &g_array_index (changes, Change, i).user_id);
}

static void
write_pending (HarkPresenceStore *self)
{
  Batch *batch;
  if (self->writing || self->retry_id != 0 || g_hash_table_size (self->pending) == 0)
    return;
  batch = g_new (Batch, 1);
  batch->owner = self;
  batch->changes = g_array_new (FALSE, FALSE, sizeof (Change));
  fill_batch (self, batch->changes);
  self->writing = TRUE;
  hark_store_write (self->store, write_in_thread, batch, batch_free, on_written, NULL);
}

static void
on_presence_changed (HarkPresence *presence, gint64 user_id, gboolean online, HarkPresenceStore *self)
{
  if (user_id <= 0)
    return;
  add_pending (self, user_id, online);
  write_pending (self);
}

/* At the start: who was online when the process before ended goes offline unless a session comes. */
gboolean
hark_presence_store_load (HarkTransaction *tx, HarkPresence *presence, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error, "SELECT user_id FROM users WHERE online = 1", ""))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    hark_presence_expect (presence, hark_rows_get_int64 (&rows, 0));
  return hark_rows_check (&local_error, error);
}

HarkPresenceStore *
hark_presence_store_new (HarkPresence *presence, HarkStore *store, HarkClock *clock)
{
  HarkPresenceStore *self = g_new0 (HarkPresenceStore, 1);
  self->presence = g_object_ref (presence);
  self->store = store;
  self->clock = clock;
  self->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->changed_id = g_signal_connect (presence, "changed", G_CALLBACK (on_presence_changed), self);
  return self;
}

void
hark_presence_store_free (HarkPresenceStore *self)
{
  hark_clock_clear_timeout (self->clock, &self->retry_id);
  g_clear_signal_handler (&self->changed_id, self->presence);
  g_clear_object (&self->presence);
  g_hash_table_unref (self->pending);
  g_free (self);
}
