/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happens in channels that somebody is told of wherever he looks: that he was mentioned, and that somebody has
 * reacted to what he wrote. Stored with the message or the reaction, or not at all.
 */
#include "chat/message-notifications.h"

#include "chat/rows.h"

#include <string.h>

/* Bytes of a message that a notification repeats. */
#define MAX_EXCERPT 200

static char *
dup_excerpt (const char *text, gsize len)
{
  const char *end = text + len;
  if (len > MAX_EXCERPT)
    end = g_utf8_find_prev_char (text, text + MAX_EXCERPT + 1);
  return g_strndup (text, end - text);
}

/* @ids: (out) (element-type gint64): of those other than the author: nobody is told what he does himself */
static gboolean
find_mentioned (HarkTransaction *tx, const HarkMessageRow *row, GArray *ids, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT user_id FROM mentions WHERE user_id <> ? AND channel_id = ? AND message_id = ?",
                               "iii", row->author_id, row->channel_id, row->message_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0);
      g_array_append_val (ids, id);
    }
  return hark_rows_check (&local_error, error);
}

/* @username: (out) (transfer full), as @message */
static gboolean
describe (HarkTransaction *tx, gint64 user_id, const char *what, char **username, char **message, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT username, displayname FROM users WHERE user_id = ?", "i",
                               user_id)
      || !hark_rows_require (&rows, "user_id", error))
    return FALSE;
  *username = g_strdup (hark_rows_get_text (&rows, 0, NULL));
  *message = g_strdup_printf ("%s %s", hark_rows_get_text (&rows, 1, NULL), what);
  return TRUE;
}

/**
 * hark_message_notify_mentioned:
 * @row: a message that mentions somebody, whose mentions have been stored
 */
gboolean
hark_message_notify_mentioned (HarkNotifications *notifications, HarkTransaction *tx, const HarkMessageRow *row,
                               GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *message = NULL;
  g_autofree char *username = NULL;
  g_autofree char *excerpt = dup_excerpt (row->text.data, row->text.len);
  char message_id[HARK_ID_LEN], channel_id[HARK_ID_LEN];
  HarkNotification notification = { .action = "mention", .action_content = excerpt, .affected = "channel" };
  if (!find_mentioned (tx, row, ids, error)
      || (ids->len > 0 && !describe (tx, row->author_id, "mentioned you", &username, &message, error)))
    return FALSE;
  notification.message = message;
  notification.by_user = username;
  notification.action_id = hark_id_format (row->message_id, message_id);
  notification.affected_id = hark_id_format (row->channel_id, channel_id);
  for (guint i = 0; i < ids->len; i++)
    if (!hark_notification_raise (notifications, tx, g_array_index (ids, gint64, i), &notification, error))
      return FALSE;
  return TRUE;
}

/**
 * hark_message_notify_reaction:
 * @author_id: of the message: who is told
 * @actor: who has reacted
 */
gboolean
hark_message_notify_reaction (HarkNotifications *notifications, HarkTransaction *tx, gint64 message_id,
                              gint64 author_id, gint64 actor, const char *emoji, GError **error)
{
  g_autofree char *message = NULL;
  g_autofree char *username = NULL;
  char id[HARK_ID_LEN];
  HarkNotification notification = { .action = "reaction", .action_content = emoji, .affected = "message" };
  if (author_id == actor)
    return TRUE;
  if (!describe (tx, actor, "reacted to your message", &username, &message, error))
    return FALSE;
  notification.message = message;
  notification.by_user = username;
  notification.action_id = notification.affected_id = hark_id_format (message_id, id);
  return hark_notification_raise (notifications, tx, author_id, &notification, error);
}
