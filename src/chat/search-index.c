/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words of messages, in SQLite's FTS5. Indexing a message costs as much as storing it, and nobody waits for it: it
 * is done a moment later and some hundred at a time, with pauses in which messages are stored. Ids grow in the order of
 * commits, so one number says how far the index reaches; a search reads what lies beyond itself (chat/search.c).
 *
 * The index keeps no text (that would double the file), so to take words out it must be told them again: changing
 * what hark_words_split () makes of a text needs a migration that empties the index.
 */
#include "chat/search-index.h"

#include "chat/rows.h"
#include "chat/words.h"

#define BATCH 256
#define PERIOD_MS 200
#define SOON_MS 20

struct _HarkSearchIndex
{
  HarkStore *store; /* unowned, as the next */
  HarkClock *clock;
  HarkCounter *n_indexed;
  guint timeout_id;
  gboolean busy;  /* a batch is under way */
  gboolean woken; /* and there was something new meanwhile */
};

typedef struct
{
  HarkSearchIndex *owner;
  gint64 n; /* out */
} Batch;

gboolean
hark_search_index_get_upto (HarkTransaction *tx, gint64 *upto, GError **error)
{
  *upto = 0;
  return hark_transaction_query_int64 (tx, upto, NULL, error, "SELECT upto FROM message_index_state WHERE id = 1", "");
}

/* @text: (out) (transfer full) (nullable): of a message that is in the index */
static gboolean
get_indexed (HarkTransaction *tx, gint64 message_id, char **text, gsize *len, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT e.text FROM messages e, message_index_state i"
                               " WHERE e.message_id = ? AND i.id = 1 AND e.message_id <= i.upto",
                               "i", message_id))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    {
      const char *found = hark_rows_get_text (&rows, 0, len);
      *text = g_strndup (found, *len);
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
insert (HarkTransaction *tx, gint64 message_id, const HarkWords *words, GError **error)
{
  return hark_transaction_exec (tx, error, "INSERT INTO message_index (rowid, words) VALUES (?, ?)", "iT", message_id,
                                words->folded->str, words->folded->len);
}

gboolean
hark_search_index_remove (HarkTransaction *tx, gint64 message_id, GError **error)
{
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_autofree char *text = NULL;
  gsize len = 0;
  if (!get_indexed (tx, message_id, &text, &len, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  hark_words_split (&words, text, len);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', ?, ?)", "iT",
                                message_id, words.folded->str, words.folded->len);
}

gboolean
hark_search_index_add (HarkTransaction *tx, gint64 message_id, GError **error)
{
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_autofree char *text = NULL;
  gsize len = 0;
  if (!get_indexed (tx, message_id, &text, &len, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  hark_words_split (&words, text, len);
  return insert (tx, message_id, &words, error);
}

static gboolean
index_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Batch *self = data;
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gint64 upto;
  if (!hark_search_index_get_upto (tx, &upto, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT message_id, text FROM messages WHERE message_id > ? ORDER BY message_id"
                                  " LIMIT ?",
                                  "ii", upto, (gint64)BATCH))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const char *text = hark_rows_get_text (&rows, 1, &len);
      upto = hark_rows_get_int64 (&rows, 0);
      self->n++;
      hark_words_split (&words, text, len);
      if (!insert (tx, upto, &words, error))
        return FALSE;
    }
  return hark_rows_check (&local_error, error)
         && (self->n == 0
             || hark_transaction_exec (tx, error, "UPDATE message_index_state SET upto = ? WHERE id = 1", "i", upto));
}

static gboolean on_timeout (gpointer data);

static void
on_indexed (gpointer data, const GError *error, gpointer user_data)
{
  Batch *batch = data;
  HarkSearchIndex *self = batch->owner;
  gboolean more = error == NULL && batch->n == BATCH;
  self->busy = FALSE;
  if (error == NULL)
    hark_counter_add (self->n_indexed, batch->n);
  /* What failed (a full disk) is tried again, whether or not somebody says something. */
  if (more || error != NULL || self->woken)
    self->timeout_id = hark_clock_add_timeout (self->clock, more ? SOON_MS : PERIOD_MS, on_timeout, self);
  self->woken = FALSE;
}

static gboolean
on_timeout (gpointer data)
{
  HarkSearchIndex *self = data;
  Batch *batch = g_new0 (Batch, 1);
  batch->owner = self;
  self->timeout_id = 0;
  self->busy = TRUE;
  hark_store_write (self->store, index_in_thread, batch, g_free, on_indexed, NULL);
  return G_SOURCE_REMOVE;
}

void
hark_search_index_wake (HarkSearchIndex *self)
{
  if (self->busy)
    self->woken = TRUE;
  else if (self->timeout_id == 0)
    self->timeout_id = hark_clock_add_timeout (self->clock, PERIOD_MS, on_timeout, self);
}

HarkSearchIndex *
hark_search_index_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics)
{
  HarkSearchIndex *self = g_new0 (HarkSearchIndex, 1);
  self->store = store;
  self->clock = clock;
  self->n_indexed = hark_metrics_counter (metrics, "hark_messages_indexed_total",
                                          "Chat messages whose words were put into the search index.");
  hark_search_index_wake (self);
  return self;
}

void
hark_search_index_free (HarkSearchIndex *self)
{
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_free (self);
}
