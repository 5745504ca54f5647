/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding what was said, in a reader's thread: of the channels that the asker may see now. What the index does not have
 * yet, the messages of the last moment, is read and compared here, so that a search misses nothing; it comes first.
 * Of what the index finds, the newest are weighed: who looks for a word that is everywhere does not keep the thread.
 */
#include "chat/search.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/message-row.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/search-index.h"
#include "chat/search-query.h"

#define PAGE 20
#define MAX_PAGE 50
#define MAX_OFFSET 1000

/* Messages found that are weighed, and messages beyond the index that are looked at; of each the newest. */
#define MAX_WEIGHED 10000
#define MAX_TAIL 5000

struct _HarkSearch
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  const HarkChatLimits *limits;
};

typedef struct
{
  HarkRequest parent;
  HarkSearchQuery *query; /* (owned) */
  gint64 server_id;       /* 0: any, as the next two */
  gint64 channel_id;
  gint64 author_id;
  gint64 limit;
  gint64 offset;
  gint64 n_passed; /* results before the page that were counted off */
  gint64 n_listed;
  gboolean more;
} SearchMessages;

static void
search_clear (gpointer data)
{
  g_clear_pointer (&((SearchMessages *)data)->query, hark_search_query_free);
}

static gboolean
write_result (HarkTransaction *tx, SearchMessages *self, const HarkRows *rows, const HarkWords *words, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  gsize len;
  const char *text = hark_rows_get_text (rows, 5, &len);
  self->n_listed++;
  hark_json_writer_begin_object (json);
  if (!hark_message_row_write_stored (tx, rows, self->parent.actor, json, error))
    return FALSE;
  hark_search_query_write_snippet (self->query, text, len, words, json);
  hark_json_writer_end_object (json);
  return TRUE;
}

#define SQL_MAY_BE_FOUND                                                                                               \
  " AND (? = 0 OR c.server_id = ?) AND (? = 0 OR c.channel_id = ?) AND (? = 0 OR e.author_id = ?)"                     \
  " AND " HARK_SQL_MAY_SEE

static gboolean
list_tail (HarkTransaction *tx, SearchMessages *self, gint64 upto, gboolean *partial, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_autoptr (GError) local_error = NULL;
  gint64 n = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_MESSAGE_COLUMNS " FROM messages e" HARK_MESSAGE_JOINS
                               " JOIN servers s ON s.server_id = c.server_id"
                               " JOIN members m ON m.server_id = s.server_id AND m.user_id = ?"
                               " WHERE e.message_id > ?" SQL_MAY_BE_FOUND " ORDER BY e.message_id DESC LIMIT ?",
                               "iiiiiiiii", self->parent.actor, upto, self->server_id, self->server_id, self->channel_id,
                               self->channel_id, self->author_id, self->author_id, (gint64)MAX_TAIL + 1))
    return FALSE;
  while (!self->more && n < MAX_TAIL && hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const char *text = hark_rows_get_text (&rows, 5, &len);
      n++;
      hark_words_split (&words, text, len);
      if (!hark_search_query_matches (self->query, &words))
        continue;
      if (self->n_passed < self->offset)
        self->n_passed++;
      else if (self->n_listed == self->limit)
        self->more = TRUE;
      else if (!write_result (tx, self, &rows, &words, error))
        return FALSE;
    }
  *partial = n == MAX_TAIL;
  return hark_rows_check (&local_error, error);
}

static gboolean
list_indexed (HarkTransaction *tx, SearchMessages *self, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_auto (HarkWords) words = HARK_WORDS_INIT;
  g_autoptr (GError) local_error = NULL;
  /* CROSS JOIN: the index is asked first, whatever SQLite thinks of it. */
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_MESSAGE_COLUMNS " FROM (SELECT id, score FROM"
                               " (SELECT message_index.rowid AS id, bm25(message_index) AS score FROM message_index"
                               " CROSS JOIN messages e ON e.message_id = message_index.rowid"
                               " CROSS JOIN channels c ON c.channel_id = e.channel_id"
                               " CROSS JOIN servers s ON s.server_id = c.server_id"
                               " CROSS JOIN members m ON m.server_id = s.server_id AND m.user_id = ?"
                               " WHERE message_index MATCH ?" SQL_MAY_BE_FOUND
                               " ORDER BY message_index.rowid DESC LIMIT ?) AS found"
                               " ORDER BY score, id DESC LIMIT ? OFFSET ?) AS hit"
                               " JOIN messages e ON e.message_id = hit.id" HARK_MESSAGE_JOINS
                               " ORDER BY hit.score, hit.id DESC",
                               "itiiiiiiiii", self->parent.actor, self->query->match, self->server_id, self->server_id,
                               self->channel_id, self->channel_id, self->author_id, self->author_id,
                               (gint64)MAX_WEIGHED, self->limit - self->n_listed + 1, self->offset - self->n_passed))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const char *text = hark_rows_get_text (&rows, 5, &len);
      if (self->n_listed == self->limit)
        {
          self->more = TRUE;
          break;
        }
      hark_words_split (&words, text, len);
      if (!write_result (tx, self, &rows, &words, error))
        return FALSE;
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
check_scope (HarkTransaction *tx, SearchMessages *self, GError **error)
{
  gboolean may = TRUE;
  if (self->server_id != 0 && !hark_rights_check_member (tx, self->server_id, self->parent.actor, error))
    return FALSE;
  if (self->channel_id != 0 && !hark_rights_may_see (tx, self->channel_id, self->parent.actor, &may, error))
    return FALSE;
  if (!may)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"channel_id\": there is none");
  return may;
}

static gboolean
search_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SearchMessages *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  gboolean partial;
  gint64 upto;
  if (!check_scope (tx, self, error) || !hark_search_index_get_upto (tx, &upto, error))
    return FALSE;
  hark_json_writer_member (json, "results");
  hark_json_writer_begin_array (json);
  if (!list_tail (tx, self, upto, &partial, error) || (!self->more && !list_indexed (tx, self, error)))
    return FALSE;
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "next");
  if (self->more && self->offset + self->limit <= MAX_OFFSET)
    hark_json_writer_int (json, self->offset + self->limit);
  else
    hark_json_writer_null (json);
  if (partial)
    hark_json_writer_member_boolean (json, "partial", TRUE);
  return TRUE;
}

static void
on_search_messages (HarkCommand *command, gpointer concern)
{
  HarkSearch *search = concern;
  const HarkJsonObject *args = command->args;
  SearchMessages *self = hark_request_new (sizeof *self, command, concern, search_clear);
  g_autofree char *text = NULL;
  GError *error = NULL;
  self->limit = PAGE;
  if (hark_field_get_text (args, "query", HARK_FIELD_REQUIRED, search->limits->query_chars, &text, &error)
      && hark_json_object_get_id (args, "server_id", HARK_FIELD_OPTIONAL, &self->server_id, &error)
      && hark_json_object_get_id (args, "channel_id", HARK_FIELD_OPTIONAL, &self->channel_id, &error)
      && hark_json_object_get_id (args, "author_id", HARK_FIELD_OPTIONAL, &self->author_id, &error)
      && hark_json_object_get_int (args, "limit", HARK_FIELD_OPTIONAL, 1, MAX_PAGE, &self->limit, &error)
      && hark_json_object_get_int (args, "offset", HARK_FIELD_OPTIONAL, 0, MAX_OFFSET, &self->offset, &error))
    self->query = hark_search_query_new (text, &error);
  if (self->query != NULL)
    hark_request_read (self, search->store, search_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "search_messages", HARK_COMMAND_NONE, NULL, on_search_messages },
};

HarkSearch *
hark_search_new (HarkHub *hub, HarkStore *store, const HarkChatLimits *limits)
{
  HarkSearch *self = g_new0 (HarkSearch, 1);
  self->hub = hub;
  self->store = store;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_search_free (HarkSearch *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
