/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Short answers under a message. Who reacted how is a row, and how many did is another, so that showing a message costs
 * the same whether ten or ten thousand have. Asking for what is so already changes nothing and tells nobody.
 */
#include "chat/reactions.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/message-notifications.h"
#include "chat/request.h"
#include "chat/rows.h"

struct _HarkReactions
{
  HarkHub *hub; /* unowned, as the next three */
  HarkStore *store;
  HarkNotifications *notifications;
  const HarkChatLimits *limits;
  HarkCounter *n_reactions;
};

typedef struct
{
  HarkRequest parent;
  gint64 message_id;
  char *emoji; /* (owned) */
  gboolean add;
  guint max_emojis;   /* different ones of a message */
  guint max_per_user; /* of one user */
  gboolean changed;   /* out */
} React;

static void
react_clear (gpointer data)
{
  g_free (((React *)data)->emoji);
}

gboolean
hark_reactions_write (HarkTransaction *tx, gint64 message_id, gint64 actor, HarkJsonWriter *json, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gboolean begun = FALSE;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT n.emoji, n.count, EXISTS (SELECT 1 FROM reactions x"
                               " WHERE x.message_id = n.message_id AND x.user_id = ? AND x.emoji = n.emoji)"
                               " FROM reaction_counts n WHERE n.message_id = ? ORDER BY n.position",
                               "ii", actor, message_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      if (!begun)
        {
          hark_json_writer_member (json, "reactions");
          hark_json_writer_begin_array (json);
        }
      begun = TRUE;
      hark_json_writer_begin_object (json);
      hark_json_writer_member_string (json, "emoji", hark_rows_get_text (&rows, 0, NULL));
      hark_json_writer_member_int (json, "count", hark_rows_get_int64 (&rows, 1));
      hark_json_writer_member_boolean (json, "me", hark_rows_get_int64 (&rows, 2) != 0);
      hark_json_writer_end_object (json);
    }
  if (begun)
    hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

gboolean
hark_reactions_remove (HarkTransaction *tx, gint64 message_id, GError **error)
{
  return hark_transaction_exec (tx, error, "DELETE FROM reactions WHERE message_id = ?", "i", message_id)
         && hark_transaction_exec (tx, error, "DELETE FROM reaction_counts WHERE message_id = ?", "i", message_id);
}

static gboolean
check_bounds (HarkTransaction *tx, React *self, gboolean is_new_emoji, GError **error)
{
  gint64 n = 0;
  if (is_new_emoji)
    {
      if (!hark_transaction_query_int64 (tx, &n, NULL, error,
                                         "SELECT count(*) FROM reaction_counts WHERE message_id = ?", "i",
                                         self->message_id))
        return FALSE;
      if (n >= self->max_emojis)
        {
          g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE,
                       "\"emoji\": a message can have %u different ones at most", self->max_emojis);
          return FALSE;
        }
    }
  if (!hark_transaction_query_int64 (tx, &n, NULL, error,
                                     "SELECT count(*) FROM reactions WHERE message_id = ? AND user_id = ?", "ii",
                                     self->message_id, self->parent.actor))
    return FALSE;
  if (n < self->max_per_user)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"emoji\": one user can give a message %u at most",
               self->max_per_user);
  return FALSE;
}

/* @count: (inout): of this emoji; @position: 0 when there is none yet */
static gboolean
add (HarkTransaction *tx, React *self, gint64 position, gint64 *count, GError **error)
{
  if (!check_bounds (tx, self, position == 0, error)
      || !hark_transaction_exec (tx, error, "INSERT INTO reactions (message_id, user_id, emoji) VALUES (?, ?, ?)",
                                 "iit", self->message_id, self->parent.actor, self->emoji))
    return FALSE;
  *count += 1;
  if (position != 0)
    return hark_transaction_exec (tx, error,
                                  "UPDATE reaction_counts SET count = count + 1 WHERE message_id = ? AND position = ?",
                                  "ii", self->message_id, position);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO reaction_counts (message_id, position, emoji, count)"
                                " SELECT ?, 1 + coalesce(max(position), 0), ?, 1 FROM reaction_counts"
                                " WHERE message_id = ?",
                                "iti", self->message_id, self->emoji, self->message_id)
         && hark_transaction_exec (tx, error, "UPDATE messages SET reacted = 1 WHERE message_id = ? AND reacted = 0",
                                   "i", self->message_id);
}

static gboolean
take_away (HarkTransaction *tx, React *self, gint64 position, gint64 *count, GError **error)
{
  *count -= 1;
  return hark_transaction_exec (tx, error, "DELETE FROM reactions WHERE message_id = ? AND user_id = ? AND emoji = ?",
                                "iit", self->message_id, self->parent.actor, self->emoji)
         && hark_transaction_exec (tx, error,
                                   "UPDATE reaction_counts SET count = count - 1 WHERE message_id = ? AND position = ?",
                                   "ii", self->message_id, position)
         && hark_transaction_exec (tx, error,
                                   "DELETE FROM reaction_counts WHERE message_id = ? AND position = ? AND count = 0",
                                   "ii", self->message_id, position);
}

static gboolean
tell (HarkTransaction *tx, React *self, const HarkMessagePlace *place, gint64 count, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, place->channel_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, "reaction", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "message_id", self->message_id);
  hark_json_writer_member_id (&draft.json, "server", place->server_id);
  hark_json_writer_member_id (&draft.json, "channel", place->channel_id);
  hark_json_writer_member_string (&draft.json, "emoji", self->emoji);
  hark_json_writer_member_id (&draft.json, "user_id", self->parent.actor);
  hark_json_writer_member_boolean (&draft.json, "added", self->add);
  hark_json_writer_member_int (&draft.json, "count", count);
  return hark_draft_end (&draft, tx, NULL, NULL, error);
}

static gboolean
find_reaction (HarkTransaction *tx, React *self, gint64 *position, gint64 *count, gboolean *mine, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gint64 one;
  *position = *count = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT position, count FROM reaction_counts WHERE message_id = ? AND emoji = ?", "it",
                               self->message_id, self->emoji))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    {
      *position = hark_rows_get_int64 (&rows, 0);
      *count = hark_rows_get_int64 (&rows, 1);
    }
  return hark_rows_check (&local_error, error)
         && hark_transaction_query_int64 (tx, &one, mine, error,
                                          "SELECT 1 FROM reactions WHERE message_id = ? AND user_id = ? AND emoji = ?",
                                          "iit", self->message_id, self->parent.actor, self->emoji);
}

static gboolean
react_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  React *self = data;
  HarkReactions *reactions = self->parent.concern;
  HarkMessagePlace place;
  gint64 position, count;
  gboolean mine;
  if (!hark_message_find (tx, self->message_id, self->parent.actor, FALSE, &place, error)
      || !find_reaction (tx, self, &position, &count, &mine, error))
    return FALSE;
  self->changed = mine != self->add;
  if (self->changed
      && (!(self->add ? add : take_away) (tx, self, position, &count, error) || !tell (tx, self, &place, count, error)))
    return FALSE;
  if (self->changed && self->add
      && !hark_message_notify_reaction (reactions->notifications, tx, self->message_id, place.author_id,
                                        self->parent.actor, self->emoji, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "message_id", self->message_id);
  hark_json_writer_member_int (&self->parent.reply, "count", count);
  return TRUE;
}

static void
on_reacted (gpointer data)
{
  React *self = data;
  HarkReactions *reactions = self->parent.concern;
  hark_counter_add (reactions->n_reactions, self->changed && self->add ? 1 : 0);
}

static void
ask (HarkCommand *command, HarkReactions *reactions, gboolean add_it)
{
  const HarkJsonObject *args = command->args;
  const HarkChatLimits *limits = reactions->limits;
  React *self = hark_request_new (sizeof *self, command, reactions, react_clear);
  GError *error = NULL;
  self->add = add_it;
  self->max_emojis = limits->emojis_per_message;
  self->max_per_user = limits->reactions_per_user;
  if (hark_json_object_get_id (args, "message_id", HARK_FIELD_REQUIRED, &self->message_id, &error)
      && hark_field_get_name (args, "emoji", HARK_FIELD_REQUIRED, limits->emoji_chars, &self->emoji, &error))
    hark_request_write (self, reactions->store, react_in_thread, on_reacted);
  else
    hark_request_refuse (self, error);
}

static void
on_react (HarkCommand *command, gpointer concern)
{
  ask (command, concern, TRUE);
}

static void
on_unreact (HarkCommand *command, gpointer concern)
{
  ask (command, concern, FALSE);
}

static const HarkCommandSpec specs[] = {
  { "react", HARK_COMMAND_NONE, NULL, on_react },
  { "unreact", HARK_COMMAND_NONE, NULL, on_unreact },
};

HarkReactions *
hark_reactions_new (HarkHub *hub, HarkStore *store, HarkNotifications *notifications, HarkMetrics *metrics,
                    const HarkChatLimits *limits)
{
  HarkReactions *self = g_new0 (HarkReactions, 1);
  self->hub = hub;
  self->store = store;
  self->notifications = notifications;
  self->limits = limits;
  self->n_reactions = hark_metrics_counter (metrics, "hark_reactions_total", "Reactions given to messages.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_reactions_free (HarkReactions *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
