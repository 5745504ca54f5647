/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is meant by `@name` in a message: those among the channel's viewers whose name stands there as a word of its own.
 * They are found inside the work that stores the message, so that event, history and counters say the same; a message
 * without an `@` costs a look for one.
 */
#include "chat/mentions.h"

#include "base/json-writer.h"
#include "chat/rights.h"
#include "chat/rows.h"

#include <string.h>

/* Whether a name goes on with it. Names are Latin: other scripts are written up to them without a space. */
static gboolean
is_word (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum (c);
  return g_unichar_isalnum (c) && g_unichar_get_script (c) == G_UNICODE_SCRIPT_LATIN;
}

/* Whether the `@` at @at stands inside something else: an address of mail, a link, another `@`. */
static gboolean
is_inside (const char *text, const char *at)
{
  const char *p = at;
  while (p > text && (p[-1] == '_' || p[-1] == '-'))
    p--;
  if (p == text)
    return FALSE;
  if (p == at && strchr ("+@/%=", p[-1]) != NULL)
    return TRUE;
  return is_word (g_utf8_get_char (g_utf8_find_prev_char (text, p)));
}

static gboolean
read_name (const char *name, const char *end, HarkMentionedName *out)
{
  gsize len = 0, bare;
  while (name + len < end && (g_ascii_isalnum (name[len]) || strchr ("_.-", name[len]) != NULL) && name[len] != '\0')
    len++;
  if (len == 0 || len > HARK_USERNAME_MAX
      || (name + len < end && (name[len] == '@' || is_word (g_utf8_get_char_validated (name + len, end - name - len)))))
    return FALSE;
  for (gsize i = 0; i < len; i++)
    out->whole[i] = g_ascii_tolower (name[i]);
  out->whole[len] = '\0';
  for (bare = len; bare > 0 && strchr ("_.-", out->whole[bare - 1]) != NULL; bare--)
    ;
  memcpy (out->bare, out->whole, bare);
  out->bare[bare] = '\0';
  return TRUE;
}

static gboolean
has_name (GArray *names, const HarkMentionedName *name)
{
  for (guint i = 0; i < names->len; i++)
    if (strcmp (g_array_index (names, HarkMentionedName, i).whole, name->whole) == 0)
      return TRUE;
  return FALSE;
}

/**
 * hark_mentions_parse:
 * @max: names that count; whoever comes after them is not meant
 *
 * Returns: (transfer full) (nullable) (element-type HarkMentionedName): names, each once, whether or not somebody bears
 *   them; %NULL when there is no `@` in it
 */
GArray *
hark_mentions_parse (const char *text, gsize len, guint max)
{
  const char *end = text + len;
  GArray *names = NULL;
  for (const char *at = memchr (text, '@', len); at != NULL; at = memchr (at + 1, '@', end - at - 1))
    {
      HarkMentionedName name;
      if (names == NULL)
        names = g_array_new (FALSE, FALSE, sizeof (HarkMentionedName));
      if (names->len == max)
        break;
      if (!is_inside (text, at) && read_name (at + 1, end, &name) && !has_name (names, &name))
        g_array_append_val (names, name);
    }
  return names;
}

/* @user_id: (out): 0 when nobody who may see the channel is called that */
static gboolean
find_user (HarkTransaction *tx, const HarkMentionedName *name, gint64 channel_id, gint64 *user_id, GError **error)
{
  *user_id = 0;
  return hark_transaction_query_int64 (tx, user_id, NULL, error,
                                       "SELECT u.user_id FROM users u JOIN channels c ON c.channel_id = ?"
                                       " JOIN servers s ON s.server_id = c.server_id"
                                       " JOIN members m ON m.server_id = c.server_id AND m.user_id = u.user_id"
                                       " WHERE u.username IN (?, ?) AND " HARK_SQL_MAY_SEE
                                       " ORDER BY length(u.username) DESC LIMIT 1",
                                       "itt", channel_id, name->whole, name->bare);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

/* Returns: (transfer full) (element-type gint64) (nullable): sorted, each once; %NULL with an error */
static GArray *
find_users (HarkTransaction *tx, GArray *names, gint64 channel_id, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < names->len; i++)
    {
      gint64 id;
      gboolean known = FALSE;
      if (!find_user (tx, &g_array_index (names, HarkMentionedName, i), channel_id, &id, error))
        return NULL;
      for (guint j = 0; j < ids->len; j++)
        known |= g_array_index (ids, gint64, j) == id;
      if (id != 0 && !known)
        g_array_append_val (ids, id);
    }
  g_array_sort (ids, compare_ids);
  return g_steal_pointer (&ids);
}

static gboolean
store_users (HarkTransaction *tx, HarkMessageRow *row, gint64 ordinal, GArray *ids, char **mentions, GError **error)
{
  g_auto (HarkJsonWriter) json;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_array (&json);
  for (guint i = 0; i < ids->len; i++)
    {
      gint64 id = g_array_index (ids, gint64, i);
      if (!hark_transaction_exec (tx, error,
                                  "INSERT INTO mentions (user_id, channel_id, ordinal, message_id) VALUES (?, ?, ?, ?)",
                                  "iiii", id, row->channel_id, ordinal, row->message_id))
        return FALSE;
      hark_json_writer_id (&json, id);
    }
  hark_json_writer_end_array (&json);
  *mentions = hark_json_writer_steal (&json, &row->mentions.len);
  row->mentions.data = *mentions;
  return TRUE;
}

/**
 * hark_mentions_store:
 * @row: the message, but for its mentions, which are set
 * @max: see hark_mentions_parse ()
 * @mentions: (out) (nullable): what @row points to then
 *
 * Finds who is mentioned and notes it.
 */
gboolean
hark_mentions_store (HarkTransaction *tx, HarkMessageRow *row, gint64 ordinal, guint max, char **mentions,
                     GError **error)
{
  g_autoptr (GArray) names = hark_mentions_parse (row->text.data, row->text.len, max);
  g_autoptr (GArray) ids = NULL;
  if (names == NULL || names->len == 0)
    return TRUE;
  ids = find_users (tx, names, row->channel_id, error);
  return ids != NULL && (ids->len == 0 || store_users (tx, row, ordinal, ids, mentions, error));
}
