/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far somebody has read. A message costs the same few writes whatever the number of members, because what is kept
 * is one mark for each channel that somebody has read in, and not a counter for each who has not. What is counted from
 * that is in unread-counts.c, how it reaches who is there in unread-feed.c.
 */
#include "chat/unread.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "core/event-log.h"

struct _HarkUnread
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkSnapshots *snapshots;
  HarkUnreadFeed *feed; /* (owned) */
};

/* Moves a mark forward, for who has written; never back: what somebody has read stays read. */
gboolean
hark_unread_mark (HarkTransaction *tx, gint64 user_id, gint64 channel_id, gint64 ordinal, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO read_marks (user_id, channel_id, ordinal) VALUES (?, ?, ?)"
                                " ON CONFLICT (user_id, channel_id) DO UPDATE SET ordinal = excluded.ordinal"
                                " WHERE excluded.ordinal > read_marks.ordinal",
                                "iii", user_id, channel_id, ordinal);
}

/* @unread: ids and numbers, in turn. Counters change with every message, so a reply about changes has all that are not
 * 0. */
void
hark_unread_write (HarkJsonWriter *json, GArray *unread)
{
  hark_json_writer_member (json, "unread");
  hark_json_writer_begin_object (json);
  for (guint i = 0; i + 1 < unread->len; i += 2)
    {
      char digits[HARK_ID_LEN];
      hark_json_writer_member_int (json, hark_id_format (g_array_index (unread, gint64, i), digits),
                                   g_array_index (unread, gint64, i + 1));
    }
  hark_json_writer_end_object (json);
}

/* mark_read */

typedef struct
{
  HarkRequest parent;
  gint64 channel_id; /* 0: all of the server */
  gint64 server_id;  /* out, when a channel was given */
  gint64 message_id; /* 0: up to the newest */
  gboolean moved;    /* out: something was read that was not before */
} MarkRead;

static gboolean
find_ordinal (HarkTransaction *tx, MarkRead *self, gint64 *ordinal, GError **error)
{
  gboolean found;
  if (self->message_id == 0)
    return hark_transaction_query_int64 (tx, ordinal, NULL, error,
                                         "SELECT last_ordinal FROM channels WHERE channel_id = ?", "i",
                                         self->channel_id);
  if (!hark_transaction_query_int64 (tx, ordinal, &found, error,
                                     "SELECT ordinal FROM messages WHERE message_id = ? AND channel_id = ?", "ii",
                                     self->message_id, self->channel_id))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"message_id\": there is none in that channel");
  return found;
}

/* What was unread before, by the member's own mark or by when they joined. */
#define FROM_SEEN                                                                                                      \
  " FROM members m JOIN servers s ON s.server_id = m.server_id JOIN channels c ON c.server_id = m.server_id"           \
  " LEFT JOIN read_marks r ON r.user_id = m.user_id AND r.channel_id = c.channel_id"

#define MOVE                                                                                                           \
  " ON CONFLICT (user_id, channel_id) DO UPDATE SET ordinal = excluded.ordinal, rev = excluded.rev"                    \
  " WHERE excluded.ordinal > read_marks.ordinal"

static gboolean
mark_channel (HarkTransaction *tx, MarkRead *self, gint64 rev, GError **error)
{
  gint64 ordinal = 0;
  if (!find_ordinal (tx, self, &ordinal, error)
      || !hark_transaction_exec (tx, error,
                                 "INSERT INTO read_marks (user_id, channel_id, ordinal, rev)"
                                 " SELECT m.user_id, c.channel_id, ?, ?" FROM_SEEN
                                 " WHERE m.user_id = ? AND c.channel_id = ? AND ? > " HARK_SQL_READ MOVE,
                                 "iiiii", ordinal, rev, self->parent.actor, self->channel_id, ordinal))
    return FALSE;
  self->moved = hark_transaction_get_changes (tx) > 0;
  return TRUE;
}

static gboolean
mark_server (HarkTransaction *tx, MarkRead *self, gint64 rev, GError **error)
{
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO read_marks (user_id, channel_id, ordinal, rev)"
                              " SELECT m.user_id, c.channel_id, c.last_ordinal, ?" FROM_SEEN
                              " WHERE m.user_id = ? AND m.server_id = ? AND c.last_ordinal > " HARK_SQL_READ
                              " AND " HARK_SQL_MAY_SEE MOVE,
                              "iii", rev, self->parent.actor, self->server_id))
    return FALSE;
  self->moved = hark_transaction_get_changes (tx) > 0;
  return TRUE;
}

static gboolean
find_server (HarkTransaction *tx, MarkRead *self, GError **error)
{
  gboolean may;
  if (!hark_rights_may_see (tx, self->channel_id, self->parent.actor, &may, error))
    return FALSE;
  if (!may)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"channel_id\": there is none");
      return FALSE;
    }
  return hark_transaction_query_int64 (tx, &self->server_id, NULL, error,
                                       "SELECT server_id FROM channels WHERE channel_id = ?", "i", self->channel_id);
}

static gboolean
write_channel (HarkTransaction *tx, MarkRead *self, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_SQL_UNREAD FROM_SEEN " WHERE m.user_id = ? AND c.channel_id = ?", "ii",
                               self->parent.actor, self->channel_id)
      || !hark_rows_require (&rows, "channel_id", error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "channel_id", self->channel_id);
  hark_json_writer_member_int (&self->parent.reply, "unread", hark_rows_get_int64 (&rows, 0));
  return TRUE;
}

static gboolean
mark_read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  MarkRead *self = data;
  gint64 rev;
  if (!hark_event_log_get_rev (tx, &rev, error))
    return FALSE;
  if (self->channel_id != 0)
    return find_server (tx, self, error) && mark_channel (tx, self, rev, error) && write_channel (tx, self, error);
  if (!hark_rights_check_member (tx, self->server_id, self->parent.actor, error) || !mark_server (tx, self, rev, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "server_id", self->server_id);
  hark_json_writer_member_int (&self->parent.reply, "unread", 0);
  return TRUE;
}

static void
on_marked (gpointer request)
{
  MarkRead *self = request;
  HarkUnread *unread = self->parent.concern;
  if (self->moved)
    hark_unread_feed_mark (unread->feed, self->parent.actor, self->server_id, self->channel_id);
}

static gboolean
check_fields (MarkRead *self, GError **error)
{
  if ((self->channel_id != 0) == (self->server_id != 0))
    g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "either \"channel_id\" or \"server_id\" must be given");
  else if (self->message_id != 0 && self->channel_id == 0)
    g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"message_id\" needs a \"channel_id\"");
  else
    return TRUE;
  return FALSE;
}

static void
on_mark_read (HarkCommand *command, gpointer concern)
{
  HarkUnread *unread = concern;
  const HarkJsonObject *args = command->args;
  MarkRead *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (args, "channel_id", HARK_FIELD_OPTIONAL, &self->channel_id, &error)
      && hark_json_object_get_id (args, "server_id", HARK_FIELD_OPTIONAL, &self->server_id, &error)
      && hark_json_object_get_id (args, "message_id", HARK_FIELD_OPTIONAL, &self->message_id, &error)
      && check_fields (self, &error))
    hark_request_write (self, unread->store, mark_read_in_thread, on_marked);
  else
    hark_request_refuse (self, error);
}

/* get_unread */

typedef struct
{
  HarkSnapshot parent;
  HarkUnread *unread;
  gint64 since;
} GetUnread;

/* One server: of all its channels the sum, and those that are asked for. */
static void
write_server (HarkJsonWriter *json, const HarkUnreadCount *counts, guint n, gboolean all)
{
  gint64 unread = 0, mentions = 0;
  gboolean changed = FALSE;
  for (guint i = 0; i < n; i++)
    {
      unread += counts[i].unread;
      mentions += counts[i].mentions;
      changed |= counts[i].changed;
    }
  if (all ? unread == 0 : !changed)
    return;
  hark_json_writer_begin_object (json);
  hark_json_writer_member_id (json, "server_id", counts->server_id);
  hark_json_writer_member_int (json, "unread", unread);
  hark_json_writer_member_int (json, "mentions", mentions);
  hark_json_writer_member (json, "channels");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < n; i++)
    if (all ? counts[i].unread > 0 : counts[i].changed && counts[i].channel_id != 0)
      hark_unread_count_write (&counts[i], json);
  hark_json_writer_end_array (json);
  hark_json_writer_end_object (json);
}

static gboolean
get_unread_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetUnread *self = (GetUnread *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (HarkUnreadCount));
  gboolean all;
  if (!hark_rights_check_since (tx, self->since, &all, error)
      || !hark_unread_counts_read (tx, snapshot->actor, all ? -1 : self->since, counts, error))
    return FALSE;
  if (all && self->since >= 0)
    hark_json_writer_member_boolean (json, "reset", TRUE);
  hark_json_writer_member (json, all ? "servers" : "changed");
  hark_json_writer_begin_array (json);
  for (guint first = 0, end; first < counts->len; first = end)
    {
      const HarkUnreadCount *count = &g_array_index (counts, HarkUnreadCount, first);
      for (end = first + 1;
           end < counts->len && g_array_index (counts, HarkUnreadCount, end).server_id == count->server_id; end++)
        ;
      write_server (json, count, end - first, all);
    }
  hark_json_writer_end_array (json);
  return TRUE;
}

/* What was told of a server since its numbers were read is told again: it stands before them now. */
static void
on_sent (HarkSnapshot *snapshot)
{
  GetUnread *self = (GetUnread *)snapshot;
  HarkSession *session = snapshot->command->session;
  for (guint i = 0; session->subscriptions != NULL && i < session->subscriptions->len; i++)
    {
      const HarkTopic *topic = &HARK_SUBSCRIPTION (session->subscriptions->pdata[i])->entry->topic;
      if (topic->kind == HARK_TOPIC_SERVER)
        hark_unread_feed_check (self->unread->feed, session, topic->id, snapshot->serial);
    }
}

static void
on_get_unread (HarkCommand *command, gpointer concern)
{
  HarkUnread *unread = concern;
  GetUnread *self = hark_snapshot_new (sizeof *self, command, get_unread_in_thread, NULL);
  GError *error = NULL;
  self->unread = unread;
  self->parent.joined = on_sent;
  if (hark_field_get_since (command->args, &self->since, &error))
    {
      hark_snapshots_take (unread->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

static const HarkCommandSpec specs[] = {
  { "mark_read", HARK_COMMAND_NONE, NULL, on_mark_read },
  { "get_unread", HARK_COMMAND_NONE, NULL, on_get_unread },
};

HarkUnread *
hark_unread_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMetrics *metrics,
                 const HarkChatLimits *limits)
{
  HarkUnread *self = g_new0 (HarkUnread, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->feed = hark_unread_feed_new (hub, store, snapshots, metrics, limits);
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

/* Returns: (transfer none) */
HarkUnreadFeed *
hark_unread_get_feed (HarkUnread *self)
{
  return self->feed;
}

void
hark_unread_free (HarkUnread *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  hark_unread_feed_free (self->feed);
  g_free (self);
}
