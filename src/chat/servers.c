/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers: communities with members and channels. Who owns one decides; administrators may too. */
#include "chat/servers.h"

#include "base/error.h"
#include "chat/channel-events.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/roles.h"
#include "chat/rows.h"
#include "chat/unread.h"

struct _HarkServers
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  HarkMembership *membership;
  const HarkChatLimits *limits;
};

static void
write_name_and_icon (HarkJsonWriter *json, const HarkRows *rows, guint column)
{
  hark_json_writer_member_string (json, "server_name", hark_rows_get_text (rows, column, NULL));
  hark_json_writer_member_string (json, "server_icon", hark_rows_get_text_or_empty (rows, column + 1));
}

/* get_servers */

typedef struct
{
  HarkSnapshot parent;
  gint64 since;
} GetServers;

/* All servers are looked at also when only changes are wanted: the session is told of changes to all of them. */
static gboolean
read_servers (HarkTransaction *tx, GetServers *self, gboolean all, GArray *unread, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT s.server_id, s.name, s.icon, s.rev, m.joined_rev, coalesce(t.seq, 0),"
                               " (SELECT coalesce(sum(" HARK_SQL_UNREAD "), 0) FROM channels c LEFT JOIN read_marks r"
                               " ON r.user_id = m.user_id AND r.channel_id = c.channel_id"
                               " WHERE c.server_id = s.server_id AND " HARK_SQL_MAY_SEE ")"
                               " FROM members m JOIN servers s ON s.server_id = m.server_id"
                               " LEFT JOIN topics t ON t.name = 'server/' || s.server_id"
                               " WHERE m.user_id = ? ORDER BY s.server_id",
                               "i", self->parent.actor))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0), n_unread = hark_rows_get_int64 (&rows, 6);
      HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, id);
      hark_snapshot_add_topic (&self->parent, &topic, hark_rows_get_int64 (&rows, 5), TRUE);
      if (n_unread > 0)
        {
          g_array_append_val (unread, id);
          g_array_append_val (unread, n_unread);
        }
      if (!all && hark_rows_get_int64 (&rows, 3) <= self->since && hark_rows_get_int64 (&rows, 4) <= self->since)
        continue;
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "server_id", id);
      write_name_and_icon (json, &rows, 1);
      hark_json_writer_member_int (json, "unread", n_unread);
      hark_json_writer_end_object (json);
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
read_removed (HarkTransaction *tx, GetServers *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT DISTINCT t.thing_id FROM tombstones t"
                               " WHERE t.kind = 1 AND t.scope_id = ? AND t.user_id = 0 AND t.rev > ? AND NOT EXISTS"
                               " (SELECT 1 FROM members m WHERE m.server_id = t.thing_id AND m.user_id = t.scope_id)",
                               "ii", self->parent.actor, self->since))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    hark_json_writer_id (json, hark_rows_get_int64 (&rows, 0));
  return hark_rows_check (&local_error, error);
}

static gboolean
get_servers_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetServers *self = (GetServers *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  HarkTopic inbox = hark_topic (HARK_TOPIC_INBOX, snapshot->actor);
  g_autoptr (GArray) unread = g_array_new (FALSE, FALSE, sizeof (gint64));
  gboolean all;
  gint64 seq;
  if (!hark_rights_check_since (tx, self->since, &all, error) || !hark_event_log_get_seq (tx, &inbox, &seq, error))
    return FALSE;
  hark_snapshot_add_topic (snapshot, &inbox, seq, TRUE);
  if (all && self->since >= 0)
    hark_json_writer_member_boolean (json, "reset", TRUE);
  hark_json_writer_member (json, all ? "servers" : "changed");
  hark_json_writer_begin_array (json);
  if (!read_servers (tx, self, all, unread, error))
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
on_get_servers (HarkCommand *command, gpointer concern)
{
  HarkServers *servers = concern;
  GetServers *self = hark_snapshot_new (sizeof *self, command, get_servers_in_thread, NULL);
  GError *error = NULL;
  if (hark_field_get_since (command->args, &self->since, &error))
    {
      hark_snapshots_take (servers->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

/* create_server */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  char *name;      /* (nullable) */
  char *icon;      /* (nullable) */
  gint64 owner_id; /* 0: stays */
  HarkArrival arrival;
  GArray *lost; /* (nullable) (element-type gint64): channels that an owner cannot see any more */
  gint64 old_owner;
  gint64 rev;
} ServerRequest;

static void
server_request_clear (gpointer data)
{
  ServerRequest *self = data;
  g_free (self->name);
  g_free (self->icon);
  g_clear_pointer (&self->lost, g_array_unref);
}

static gboolean
read_fields (ServerRequest *self, HarkFieldNeed name_need, const HarkChatLimits *limits, GError **error)
{
  const HarkJsonObject *args = self->parent.command->args;
  return hark_field_get_name (args, "name", name_need, limits->name_chars, &self->name, error)
         && hark_json_object_get_string (args, "icon", HARK_FIELD_OPTIONAL, limits->picture_bytes, &self->icon, error)
         && hark_json_object_get_id (args, "owner_id", HARK_FIELD_OPTIONAL, &self->owner_id, error);
}

static gboolean
create_server_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ServerRequest *self = data;
  HarkServers *servers = self->parent.concern;
  gint64 one;
  gboolean found;
  self->server_id = hark_transaction_next_id (tx);
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM users WHERE user_id = ?", "i",
                                     self->owner_id))
    return FALSE;
  if (!found)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"owner_id\": there is no such user");
      return FALSE;
    }
  if (!hark_transaction_exec (tx,
                              error, "INSERT INTO servers (server_id, name, icon, owner_id, created_at) VALUES (?, ?, ?, ?, ?)",
                              "ittii", self->server_id, self->name, hark_field_or_null (self->icon), self->owner_id,
                              hark_transaction_now_ms (tx))
      || !hark_roles_add_everyone (tx, self->server_id, error)
      || !hark_membership_begin (tx, self->server_id, self->owner_id, servers->limits, &self->arrival, error)
      || !hark_transaction_exec (tx, error, "UPDATE servers SET rev = ? WHERE server_id = ?", "ii", self->arrival.rev,
                                 self->server_id))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "server_id", self->server_id);
  return TRUE;
}

static void
on_server_created (gpointer request)
{
  ServerRequest *self = request;
  HarkServers *servers = self->parent.concern;
  hark_membership_arrived (servers->membership, self->server_id, self->owner_id, &self->arrival);
}

static void
on_create_server (HarkCommand *command, gpointer concern)
{
  HarkServers *servers = concern;
  ServerRequest *self = hark_request_new (sizeof *self, command, concern, server_request_clear);
  GError *error = NULL;
  if (read_fields (self, HARK_FIELD_REQUIRED, servers->limits, &error))
    {
      if (self->owner_id == 0)
        self->owner_id = self->parent.actor;
      if (self->owner_id == 0)
        g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"owner_id\" is missing");
      else if (self->owner_id != self->parent.actor && !self->parent.is_admin)
        g_set_error (&error, HARK_ERROR, HARK_ERROR_FORBIDDEN,
                     "\"owner_id\": only administrators make servers for others");
    }
  if (error != NULL)
    hark_request_refuse (self, error);
  else
    hark_request_write (self, servers->store, create_server_in_thread, on_server_created);
}

/* update_server */

static gboolean
list_private (HarkTransaction *tx, gint64 server_id, GArray *ids, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error, "SELECT channel_id FROM channels WHERE server_id = ? AND private = 1",
                               "i", server_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (&rows, 0);
      g_array_append_val (ids, id);
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
check_new_owner (HarkTransaction *tx, ServerRequest *self, GError **error)
{
  gboolean is_member;
  if (!hark_rights_is_member (tx, self->server_id, self->owner_id, &is_member, error))
    return FALSE;
  if (!is_member)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"owner_id\": there is no such member");
  return is_member;
}

/* An owner sees all private channels; a former owner only those that were granted. */
static gboolean
change_owner (HarkTransaction *tx, ServerRequest *self, GError **error)
{
  g_autoptr (GArray) channels = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GPtrArray) before = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  if (!check_new_owner (tx, self, error) || !list_private (tx, self->server_id, channels, error))
    return FALSE;
  for (guint i = 0; i < channels->len; i++)
    {
      GArray *viewers = hark_rights_list_viewers (tx, g_array_index (channels, gint64, i), error);
      if (viewers == NULL)
        return FALSE;
      g_ptr_array_add (before, viewers);
    }
  if (!hark_transaction_exec (tx, error, "UPDATE servers SET owner_id = ? WHERE server_id = ?", "ii", self->owner_id,
                              self->server_id))
    return FALSE;
  self->lost = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < channels->len; i++)
    {
      gint64 channel_id = g_array_index (channels, gint64, i);
      g_autoptr (GArray) after = hark_rights_list_viewers (tx, channel_id, error);
      if (after == NULL
          || !hark_channel_emit_difference (tx, self->server_id, channel_id, before->pdata[i], after, &self->rev, error)
          || !hark_transaction_exec (tx, error, "UPDATE channels SET rev = ? WHERE channel_id = ?", "ii", self->rev,
                                     channel_id))
        return FALSE;
      if (!hark_ids_contains (after, self->old_owner))
        g_array_append_val (self->lost, channel_id);
    }
  return TRUE;
}

static gboolean
emit_update (HarkTransaction *tx, ServerRequest *self, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->server_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, "update_server", error)
      || !hark_transaction_query (tx, &rows, error, "SELECT name, icon FROM servers WHERE server_id = ?", "i",
                                  self->server_id)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", self->server_id);
  write_name_and_icon (&draft.json, &rows, 0);
  hark_rows_end (&rows);
  return hark_draft_end (&draft, tx, NULL, &self->rev, error)
         && hark_transaction_exec (tx, error, "UPDATE servers SET rev = ? WHERE server_id = ?", "ii", self->rev,
                                   self->server_id);
}

static gboolean
update_server_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ServerRequest *self = data;
  HarkPermission needed = self->owner_id != 0 ? HARK_PERMISSION_OWN : HARK_PERMISSION_MANAGE_SERVER;
  HarkStanding standing;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin, needed, &standing,
                                  error))
    return FALSE;
  self->old_owner = standing.owner_id;
  if (self->name == NULL && self->icon == NULL && self->owner_id == 0)
    return TRUE;
  if (self->name != NULL
      && !hark_transaction_exec (tx, error, "UPDATE servers SET name = ? WHERE server_id = ?", "ti", self->name,
                                 self->server_id))
    return FALSE;
  if (self->icon != NULL
      && !hark_transaction_exec (tx, error, "UPDATE servers SET icon = ? WHERE server_id = ?", "ti",
                                 hark_field_or_null (self->icon), self->server_id))
    return FALSE;
  if (self->owner_id != 0 && self->owner_id != self->old_owner && !change_owner (tx, self, error))
    return FALSE;
  return emit_update (tx, self, error);
}

static void
on_server_updated (gpointer request)
{
  ServerRequest *self = request;
  HarkServers *servers = self->parent.concern;
  if (self->lost == NULL || self->lost->len == 0)
    return;
  hark_snapshots_expire (servers->snapshots, self->rev);
  for (guint i = 0; i < self->lost->len; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, g_array_index (self->lost, gint64, i));
      hark_hub_unsubscribe_user (servers->hub, self->old_owner, &topic);
    }
}

static void
on_update_server (HarkCommand *command, gpointer concern)
{
  HarkServers *servers = concern;
  ServerRequest *self = hark_request_new (sizeof *self, command, concern, server_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && read_fields (self, HARK_FIELD_OPTIONAL, servers->limits, &error))
    hark_request_write (self, servers->store, update_server_in_thread, on_server_updated);
  else
    hark_request_refuse (self, error);
}

/* delete_server */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  GArray *members; /* (element-type gint64) */
  HarkDeparture departure;
} DeleteServer;

static void
delete_server_clear (gpointer data)
{
  DeleteServer *self = data;
  g_clear_pointer (&self->members, g_array_unref);
  hark_departure_clear (&self->departure);
}

static gboolean
delete_server_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  DeleteServer *self = data;
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->server_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  HarkStanding standing;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin, HARK_PERMISSION_OWN,
                                  &standing, error)
      || !hark_departure_add_server (&self->departure, tx, self->server_id, error)
      || !hark_draft_begin (&draft, tx, &topic, "remove_server", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", self->server_id);
  self->members = hark_rights_list_members (tx, self->server_id, error);
  if (self->members == NULL || !hark_draft_end (&draft, tx, NULL, &self->departure.rev, error))
    return FALSE;
  for (guint i = 0; i < self->members->len; i++)
    if (!hark_rights_bury (tx, HARK_TOMBSTONE_SERVER, g_array_index (self->members, gint64, i), 0, self->server_id,
                           self->departure.rev, error))
      return FALSE;
  return hark_transaction_exec (tx, error,
                                "INSERT INTO purges (channel_id) SELECT channel_id FROM channels WHERE server_id = ?",
                                "i", self->server_id)
         && hark_transaction_exec (tx, error, "DELETE FROM servers WHERE server_id = ?", "i", self->server_id);
}

static void
on_server_deleted (gpointer request)
{
  DeleteServer *self = request;
  HarkServers *servers = self->parent.concern;
  hark_membership_forget_server (servers->membership, self->members, &self->departure);
}

static void
on_delete_server (HarkCommand *command, gpointer concern)
{
  HarkServers *servers = concern;
  DeleteServer *self = hark_request_new (sizeof *self, command, concern, delete_server_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error))
    hark_request_write (self, servers->store, delete_server_in_thread, on_server_deleted);
  else
    hark_request_refuse (self, error);
}

/* list_servers */

static gboolean
list_servers_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  HarkRequest *self = data;
  HarkJsonWriter *json = &self->reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT server_id, name, icon, owner_id, n_members, n_channels, created_at FROM servers"
                               " ORDER BY server_id",
                               ""))
    return FALSE;
  hark_json_writer_member (json, "servers");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "server_id", hark_rows_get_int64 (&rows, 0));
      write_name_and_icon (json, &rows, 1);
      hark_json_writer_member_id (json, "owner_id", hark_rows_get_int64 (&rows, 3));
      hark_json_writer_member_int (json, "members", hark_rows_get_int64 (&rows, 4));
      hark_json_writer_member_int (json, "channels", hark_rows_get_int64 (&rows, 5));
      hark_json_writer_member_time (json, "created", hark_rows_get_int64 (&rows, 6));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

static void
on_list_servers (HarkCommand *command, gpointer concern)
{
  HarkServers *servers = concern;
  HarkRequest *self = hark_request_new (sizeof *self, command, concern, NULL);
  hark_request_read (self, servers->store, list_servers_in_thread, NULL);
}

static const HarkCommandSpec specs[] = {
  { "get_servers", HARK_COMMAND_NONE, NULL, on_get_servers },
  { "create_server", HARK_COMMAND_NONE, NULL, on_create_server },
  { "update_server", HARK_COMMAND_NONE, NULL, on_update_server },
  { "delete_server", HARK_COMMAND_NONE, NULL, on_delete_server },
  { "list_servers", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_list_servers },
};

HarkServers *
hark_servers_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMembership *membership,
                  const HarkChatLimits *limits)
{
  HarkServers *self = g_new0 (HarkServers, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->membership = membership;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_servers_free (HarkServers *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
