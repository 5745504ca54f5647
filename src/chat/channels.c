/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The channels of servers. Who may see one is decided in rights.c, and changed here and in grants.c. */
#include "chat/channels.h"

#include "base/error.h"
#include "chat/channel-events.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/unread.h"
#include "core/event-log.h"

#define MAX_POSITION 1000000

struct _HarkChannels
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  const HarkChatLimits *limits;
};

/* get_server_channels */

typedef struct
{
  HarkSnapshot parent;
  gint64 server_id;
  gint64 since;
} GetChannels;

static gboolean
read_channels (HarkTransaction *tx, GetChannels *self, gboolean all, GArray *unread, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT c.channel_id, c.name, c.category, c.position, c.private, " HARK_SQL_UNREAD ","
                               " c.rev > ?1 OR EXISTS (SELECT 1 FROM grants n WHERE n.channel_id = c.channel_id"
                               " AND n.user_id = m.user_id AND n.rev > ?1)"
                               " OR EXISTS (SELECT 1 FROM role_grants n JOIN member_roles o ON o.role_id = n.role_id"
                               " WHERE n.channel_id = c.channel_id AND o.server_id = m.server_id"
                               " AND o.user_id = m.user_id AND (n.rev > ?1 OR o.rev > ?1))"
                               " FROM members m JOIN servers s ON s.server_id = m.server_id"
                               " JOIN channels c ON c.server_id = m.server_id"
                               " LEFT JOIN read_marks r ON r.user_id = m.user_id AND r.channel_id = c.channel_id"
                               " WHERE m.server_id = ?2 AND m.user_id = ?3 AND " HARK_SQL_MAY_SEE
                               " ORDER BY c.position, c.channel_id",
                               "iii", self->since, self->server_id, self->parent.actor))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0), n_unread = hark_rows_get_int64 (&rows, 5);
      if (n_unread > 0)
        {
          g_array_append_val (unread, id);
          g_array_append_val (unread, n_unread);
        }
      if (!all && !hark_rows_get_int64 (&rows, 6))
        continue;
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "channel_id", id);
      hark_json_writer_member_string (json, "name", hark_rows_get_text (&rows, 1, NULL));
      hark_json_writer_member_string (json, "category", hark_rows_get_text_or_empty (&rows, 2));
      hark_json_writer_member_int (json, "position", hark_rows_get_int64 (&rows, 3));
      hark_json_writer_member_boolean (json, "private", hark_rows_get_int64 (&rows, 4) != 0);
      hark_json_writer_member_int (json, "unread", n_unread);
      hark_json_writer_end_object (json);
    }
  return hark_rows_check (&local_error, error);
}

/* What was taken from everybody or from this user, and was not given back. */
static gboolean
read_removed (HarkTransaction *tx, GetChannels *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT DISTINCT t.thing_id FROM tombstones t"
                               " WHERE t.kind = 2 AND t.scope_id = ? AND t.user_id IN (0, ?) AND t.rev > ?"
                               " AND NOT EXISTS (SELECT 1 FROM channels c JOIN servers s ON s.server_id = c.server_id"
                               " JOIN members m ON m.server_id = c.server_id AND m.user_id = ?"
                               " WHERE c.channel_id = t.thing_id AND " HARK_SQL_MAY_SEE ")",
                               "iiii", self->server_id, self->parent.actor, self->since, self->parent.actor))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    hark_json_writer_id (json, hark_rows_get_int64 (&rows, 0));
  return hark_rows_check (&local_error, error);
}

/* Who joined later than @since was told of nothing before. @all: (inout) */
static gboolean
check_joined (HarkTransaction *tx, GetChannels *self, gboolean *all, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT joined_rev FROM members WHERE server_id = ? AND user_id = ?",
                               "ii", self->server_id, self->parent.actor)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  *all |= hark_rows_get_int64 (&rows, 0) > self->since;
  return TRUE;
}

static gboolean
get_channels_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetChannels *self = (GetChannels *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->server_id);
  g_autoptr (GArray) unread = g_array_new (FALSE, FALSE, sizeof (gint64));
  gboolean all;
  gint64 seq;
  if (!hark_rights_check_since (tx, self->since, &all, error) || !check_joined (tx, self, &all, error)
      || !hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  hark_snapshot_add_topic (snapshot, &topic, seq, TRUE);
  hark_json_writer_member_id (json, "server_id", self->server_id);
  if (all && self->since >= 0)
    hark_json_writer_member_boolean (json, "reset", TRUE);
  hark_json_writer_member (json, all ? "channels" : "changed");
  hark_json_writer_begin_array (json);
  if (!read_channels (tx, self, all, unread, error))
    return FALSE;
  hark_json_writer_end_array (json);
  if (all)
    return TRUE;
  hark_json_writer_member (json, "removed");
  hark_json_writer_begin_array (json);
  if (!read_removed (tx, self, error))
    return FALSE;
  hark_json_writer_end_array (json);
  hark_unread_write (json, unread);
  return TRUE;
}

static void
on_get_server_channels (HarkCommand *command, gpointer concern)
{
  HarkChannels *channels = concern;
  GetChannels *self = hark_snapshot_new (sizeof *self, command, get_channels_in_thread, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && hark_field_get_since (command->args, &self->since, &error))
    {
      hark_snapshots_take (channels->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

/* create_channel, update_channel, delete_channel */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  gint64 channel_id;
  char *name;       /* (nullable) */
  char *category;   /* (nullable) */
  gint64 position;  /* -1: not given */
  gint64 private;   /* -1: not given */
  GArray *viewers;  /* out (nullable): the only users who may still see it */
  gboolean is_gone; /* out */
  gint64 rev;       /* out */
} ChannelRequest;

static void
channel_request_clear (gpointer data)
{
  ChannelRequest *self = data;
  g_free (self->name);
  g_free (self->category);
  g_clear_pointer (&self->viewers, g_array_unref);
}

static gboolean
read_fields (ChannelRequest *self, HarkFieldNeed name_need, const HarkChatLimits *limits, GError **error)
{
  const HarkJsonObject *args = self->parent.command->args;
  const HarkJsonValue *private = hark_json_object_get (args, "private");
  gboolean is_private = FALSE;
  self->position = -1;
  if (!hark_field_get_name (args, "name", name_need, limits->name_chars, &self->name, error)
      || !hark_field_get_text (args, "category", HARK_FIELD_OPTIONAL, limits->name_chars, &self->category, error)
      || !hark_json_object_get_int (args, "position", HARK_FIELD_OPTIONAL, -1, MAX_POSITION, &self->position, error)
      || !hark_json_object_get_boolean (args, "private", HARK_FIELD_OPTIONAL, &is_private, error))
    return FALSE;
  self->private = private != NULL && private->token != HARK_JSON_NULL ? is_private : -1;
  return TRUE;
}

static gboolean
check_room (HarkTransaction *tx, ChannelRequest *self, const HarkChatLimits *limits, GError **error)
{
  gint64 n = 0;
  if (!hark_transaction_query_int64 (tx, &n, NULL, error, "SELECT n_channels FROM servers WHERE server_id = ?", "i",
                                     self->server_id))
    return FALSE;
  if (n < limits->channels_per_server)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"server_id\": a server can have %u channels",
               limits->channels_per_server);
  return FALSE;
}

static gboolean
set_rev (HarkTransaction *tx, gint64 channel_id, gint64 rev, GError **error)
{
  return hark_transaction_exec (tx, error, "UPDATE channels SET rev = ? WHERE channel_id = ?", "ii", rev, channel_id);
}

/* Who makes a private channel sees it. */
static gboolean
grant_to_maker (HarkTransaction *tx, ChannelRequest *self, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO grants (channel_id, user_id)"
                                " SELECT ?, user_id FROM members WHERE server_id = ? AND user_id = ?",
                                "iii", self->channel_id, self->server_id, self->parent.actor);
}

static gboolean
create_channel_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ChannelRequest *self = data;
  HarkChannels *channels = self->parent.concern;
  g_autoptr (GArray) viewers = NULL;
  HarkStanding standing;
  gint64 last = -1;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                  HARK_PERMISSION_MANAGE_CHANNELS, &standing, error)
      || !check_room (tx, self, channels->limits, error)
      || !hark_transaction_query_int64 (tx, &last, NULL, error,
                                        "SELECT coalesce(max(position), -1) FROM channels WHERE server_id = ?", "i",
                                        self->server_id))
    return FALSE;
  self->channel_id = hark_transaction_next_id (tx);
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO channels (channel_id, server_id, name, category, position, private, "
                              "created_at)"
                              " VALUES (?, ?, ?, ?, ?, ?, ?)",
                              "iittiii", self->channel_id, self->server_id, self->name,
                              hark_field_or_null (self->category),
                              self->position >= 0 ? self->position : MIN (last + 1, MAX_POSITION),
                              (gint64)(self->private == TRUE), hark_transaction_now_ms (tx))
      || !hark_transaction_exec (tx, error, "UPDATE servers SET n_channels = n_channels + 1 WHERE server_id = ?", "i",
                                 self->server_id)
      || (self->private == TRUE && standing.owner_id != self->parent.actor && !grant_to_maker (tx, self, error))
      || !hark_channel_list_viewers (tx, self->channel_id, &viewers, error)
      || !hark_channel_emit (tx, self->channel_id, "show_channel", g_steal_pointer (&viewers), &self->rev, error)
      || !set_rev (tx, self->channel_id, self->rev, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "channel_id", self->channel_id);
  return TRUE;
}

static void
on_create_channel (HarkCommand *command, gpointer concern)
{
  HarkChannels *channels = concern;
  ChannelRequest *self = hark_request_new (sizeof *self, command, concern, channel_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && read_fields (self, HARK_FIELD_REQUIRED, channels->limits, &error))
    hark_request_write (self, channels->store, create_channel_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static gboolean
store_fields (HarkTransaction *tx, ChannelRequest *self, GError **error)
{
  gint64 id = self->channel_id;
  if (self->name != NULL
      && !hark_transaction_exec (tx, error, "UPDATE channels SET name = ? WHERE channel_id = ?", "ti", self->name, id))
    return FALSE;
  if (self->category != NULL
      && !hark_transaction_exec (tx, error, "UPDATE channels SET category = ? WHERE channel_id = ?", "ti",
                                 hark_field_or_null (self->category), id))
    return FALSE;
  if (self->position >= 0
      && !hark_transaction_exec (tx, error, "UPDATE channels SET position = ? WHERE channel_id = ?", "ii",
                                 self->position, id))
    return FALSE;
  return self->private < 0
         || hark_transaction_exec (tx, error, "UPDATE channels SET private = ? WHERE channel_id = ?", "ii",
                                   self->private, id);
}

/* Who could and still can see it. Returns: (transfer full) (nullable): %NULL: all members */
static GArray *
intersect (GArray *before, GArray *after)
{
  g_autoptr (GArray) gained = NULL;
  if (before == NULL || after == NULL)
    return before != NULL ? g_array_ref (before) : after != NULL ? g_array_ref (after) : NULL;
  gained = hark_ids_subtract (after, before);
  return hark_ids_subtract (after, gained);
}

static gboolean
update_channel_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ChannelRequest *self = data;
  g_autoptr (GArray) before = NULL;
  HarkChannelRights rights;
  if (!hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error))
    return FALSE;
  if (self->name == NULL && self->category == NULL && self->position < 0 && self->private < 0)
    return TRUE;
  return hark_channel_list_viewers (tx, self->channel_id, &before, error) && store_fields (tx, self, error)
         && hark_channel_list_viewers (tx, self->channel_id, &self->viewers, error)
         && hark_channel_emit_difference (tx, rights.server_id, self->channel_id, before, self->viewers, &self->rev,
                                          error)
         && hark_channel_emit (tx, self->channel_id, "update_channel", intersect (before, self->viewers), &self->rev,
                               error)
         && set_rev (tx, self->channel_id, self->rev, error);
}

static void
on_channel_changed (gpointer request)
{
  ChannelRequest *self = request;
  HarkChannels *channels = self->parent.concern;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  if (!self->is_gone && self->viewers == NULL)
    return;
  hark_snapshots_expire (channels->snapshots, self->rev);
  if (self->is_gone)
    hark_hub_unsubscribe_user (channels->hub, 0, &topic);
  else
    hark_channel_keep_only (channels->hub, self->channel_id, self->viewers);
}

static void
on_update_channel (HarkCommand *command, gpointer concern)
{
  HarkChannels *channels = concern;
  ChannelRequest *self = hark_request_new (sizeof *self, command, concern, channel_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && read_fields (self, HARK_FIELD_OPTIONAL, channels->limits, &error))
    hark_request_write (self, channels->store, update_channel_in_thread, on_channel_changed);
  else
    hark_request_refuse (self, error);
}

static gboolean
delete_channel_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ChannelRequest *self = data;
  HarkChannelRights rights;
  GArray *viewers = NULL;
  self->is_gone = TRUE;
  return hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
         && hark_channel_list_viewers (tx, self->channel_id, &viewers, error)
         && hark_channel_emit_hide (tx, rights.server_id, self->channel_id, viewers, &self->rev, error)
         && hark_transaction_exec (tx, error, "DELETE FROM channels WHERE channel_id = ?", "i", self->channel_id)
         && hark_transaction_exec (tx, error, "INSERT INTO purges (channel_id) VALUES (?)", "i", self->channel_id)
         && hark_transaction_exec (tx, error, "UPDATE servers SET n_channels = n_channels - 1 WHERE server_id = ?", "i",
                                   rights.server_id);
}

static void
on_delete_channel (HarkCommand *command, gpointer concern)
{
  HarkChannels *channels = concern;
  ChannelRequest *self = hark_request_new (sizeof *self, command, concern, channel_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error))
    hark_request_write (self, channels->store, delete_channel_in_thread, on_channel_changed);
  else
    hark_request_refuse (self, error);
}

/* list_channels */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
} ListChannels;

static gboolean
list_channels_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListChannels *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  HarkStanding standing;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                  HARK_PERMISSION_MANAGE_CHANNELS, &standing, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT channel_id, name, category, private, position, last_ordinal, created_at"
                                  " FROM channels WHERE server_id = ? ORDER BY position, channel_id",
                                  "i", self->server_id))
    return FALSE;
  hark_json_writer_member (json, "channels");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "channel_id", hark_rows_get_int64 (&rows, 0));
      hark_json_writer_member_id (json, "server_id", self->server_id);
      hark_json_writer_member_string (json, "name", hark_rows_get_text (&rows, 1, NULL));
      hark_json_writer_member_string (json, "category", hark_rows_get_text_or_empty (&rows, 2));
      hark_json_writer_member_boolean (json, "private", hark_rows_get_int64 (&rows, 3) != 0);
      hark_json_writer_member_int (json, "position", hark_rows_get_int64 (&rows, 4));
      hark_json_writer_member_int (json, "messages", hark_rows_get_int64 (&rows, 5));
      hark_json_writer_member_time (json, "created", hark_rows_get_int64 (&rows, 6));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

static void
on_list_channels (HarkCommand *command, gpointer concern)
{
  HarkChannels *channels = concern;
  ListChannels *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error))
    hark_request_read (self, channels->store, list_channels_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "get_server_channels", HARK_COMMAND_NONE, NULL, on_get_server_channels },
  { "create_channel", HARK_COMMAND_NONE, NULL, on_create_channel },
  { "update_channel", HARK_COMMAND_NONE, NULL, on_update_channel },
  { "delete_channel", HARK_COMMAND_NONE, NULL, on_delete_channel },
  { "list_channels", HARK_COMMAND_BACK_END, NULL, on_list_channels },
};

HarkChannels *
hark_channels_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkChannels *self = g_new0 (HarkChannels, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_channels_free (HarkChannels *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
