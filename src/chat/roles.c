/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The roles of a server: names for what members may do. Who manages roles acts below himself only: on roles lower than
 * his highest, and with permissions that he has; otherwise he would make himself what he likes. Everybody has the role
 * whose id is the server's, at position 0.
 */
#include "chat/roles.h"

#include "base/error.h"
#include "chat/channel-events.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/permissions.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "core/event-log.h"

#define MAX_POSITION 1000

struct _HarkRoles
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  const HarkChatLimits *limits;
};

/* For works. */

gboolean
hark_roles_add_everyone (HarkTransaction *tx, gint64 server_id, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO roles (role_id, server_id, name, position, permissions)"
                                " VALUES (?, ?, 'everyone', 0, ?)",
                                "iii", server_id, server_id, (gint64)HARK_PERMISSION_INVITE_MEMBERS);
}

gboolean
hark_role_is_everyone (const HarkRole *self)
{
  return self->role_id == self->server_id;
}

/* Nobody gives what he has not, or touches who is as high. */
static gboolean
check_below (const HarkStanding *standing, gint64 position, guint permissions, const char *field, GError **error)
{
  if (position >= standing->rank)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"%s\": that is not below your highest role", field);
  else if (permissions & ~standing->permissions)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"permissions\": you have not all of them yourself");
  else
    return TRUE;
  return FALSE;
}

static gboolean
find_role (HarkRole *self, HarkTransaction *tx, gint64 role_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT server_id, position, permissions FROM roles WHERE role_id = ?",
                               "i", role_id)
      || !hark_rows_require (&rows, "role_id", error))
    return FALSE;
  self->role_id = role_id;
  self->server_id = hark_rows_get_int64 (&rows, 0);
  self->position = hark_rows_get_int64 (&rows, 1);
  self->permissions = hark_rows_get_int64 (&rows, 2);
  return TRUE;
}

static gboolean
manage (HarkRole *self, HarkTransaction *tx, gint64 role_id, gint64 actor, gboolean is_admin, HarkStanding *standing,
        GError **error)
{
  g_autoptr (GError) local_error = NULL;
  if (!find_role (self, tx, role_id, error))
    return FALSE;
  if (hark_rights_manage_server (tx, self->server_id, actor, is_admin, HARK_PERMISSION_MANAGE_ROLES, standing,
                                 &local_error))
    return check_below (standing, self->position, 0, "role_id", error);
  /* What was asked for is a role. */
  if (g_error_matches (local_error, HARK_ERROR, HARK_ERROR_NOT_FOUND))
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"role_id\": there is none");
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

gboolean
hark_role_manage (HarkRole *self, HarkTransaction *tx, gint64 role_id, gint64 actor, gboolean is_admin, GError **error)
{
  HarkStanding standing;
  return manage (self, tx, role_id, actor, is_admin, &standing, error);
}

/* Reading. */

static void
write_role (const HarkRows *rows, HarkJsonWriter *json)
{
  hark_json_writer_member_id (json, "role_id", hark_rows_get_int64 (rows, 0));
  hark_json_writer_member_string (json, "name", hark_rows_get_text (rows, 1, NULL));
  hark_json_writer_member_int (json, "position", hark_rows_get_int64 (rows, 2));
  hark_permissions_write (json, "permissions", hark_rows_get_int64 (rows, 3));
}

static gboolean
write_roles (HarkTransaction *tx, gint64 server_id, HarkJsonWriter *json, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT role_id, name, position, permissions FROM roles WHERE server_id = ?"
                               " ORDER BY position, role_id",
                               "i", server_id))
    return FALSE;
  hark_json_writer_member (json, "roles");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      write_role (&rows, json);
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

static gboolean
write_own (HarkTransaction *tx, gint64 server_id, gint64 user_id, HarkJsonWriter *json, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT role_id FROM member_roles WHERE server_id = ? AND user_id = ? ORDER BY role_id",
                               "ii", server_id, user_id))
    return FALSE;
  hark_json_writer_member (json, "own");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    hark_json_writer_id (json, hark_rows_get_int64 (&rows, 0));
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

typedef struct
{
  HarkSnapshot parent;
  gint64 server_id;
} GetRoles;

static gboolean
get_roles_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetRoles *self = (GetRoles *)snapshot;
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->server_id);
  gint64 seq;
  if (!hark_rights_check_member (tx, self->server_id, snapshot->actor, error)
      || !hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  hark_snapshot_add_topic (snapshot, &topic, seq, TRUE);
  hark_json_writer_member_id (&snapshot->reply, "server_id", self->server_id);
  return write_roles (tx, self->server_id, &snapshot->reply, error)
         && write_own (tx, self->server_id, snapshot->actor, &snapshot->reply, error);
}

static void
on_get_server_roles (HarkCommand *command, gpointer concern)
{
  HarkRoles *roles = concern;
  GetRoles *self = hark_snapshot_new (sizeof *self, command, get_roles_in_thread, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error))
    {
      hark_snapshots_take (roles->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
} ListRoles;

static gboolean
list_roles_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListRoles *self = data;
  HarkStanding standing;
  return hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                    HARK_PERMISSION_MANAGE_ROLES, &standing, error)
         && write_roles (tx, self->server_id, &self->parent.reply, error);
}

static void
on_list_roles (HarkCommand *command, gpointer concern)
{
  HarkRoles *roles = concern;
  ListRoles *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error))
    hark_request_read (self, roles->store, list_roles_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* Changing. */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  gint64 role_id;
  char *name;      /* (nullable) */
  gint64 position; /* 0: not given */
  gboolean gives_permissions;
  guint permissions;
  GArray *channels;   /* out (nullable) (element-type gint64): private ones that were seen by the role */
  GPtrArray *viewers; /* out (nullable) (element-type GArray): of each of them, who still sees it */
  gint64 rev;         /* out */
} RoleRequest;

static void
role_request_clear (gpointer data)
{
  RoleRequest *self = data;
  g_free (self->name);
  g_clear_pointer (&self->channels, g_array_unref);
  g_clear_pointer (&self->viewers, g_ptr_array_unref);
}

static gboolean
read_fields (RoleRequest *self, HarkFieldNeed name_need, const HarkChatLimits *limits, GError **error)
{
  const HarkJsonObject *args = self->parent.command->args;
  return hark_field_get_name (args, "name", name_need, limits->name_chars, &self->name, error)
         && hark_json_object_get_int (args, "position", HARK_FIELD_OPTIONAL, 1, MAX_POSITION, &self->position, error)
         && hark_permissions_read (args, "permissions", &self->gives_permissions, &self->permissions, error);
}

static gboolean
emit (HarkTransaction *tx, RoleRequest *self, const char *type, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->server_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, type, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT role_id, name, position, permissions FROM roles WHERE role_id = ?", "i",
                                  self->role_id)
      || !hark_rows_require (&rows, "role_id", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", self->server_id);
  write_role (&rows, &draft.json);
  hark_rows_end (&rows);
  return hark_draft_end (&draft, tx, NULL, &self->rev, error)
         && hark_transaction_exec (tx, error, "UPDATE roles SET rev = ? WHERE role_id = ?", "ii", self->rev,
                                   self->role_id);
}

static gboolean
create_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RoleRequest *self = data;
  HarkRoles *roles = self->parent.concern;
  HarkStanding standing;
  gint64 n;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                  HARK_PERMISSION_MANAGE_ROLES, &standing, error)
      || !check_below (&standing, MAX (self->position, 1), self->permissions, "position", error)
      || !hark_transaction_query_int64 (tx, &n, NULL, error, "SELECT count(*) FROM roles WHERE server_id = ?", "i",
                                        self->server_id))
    return FALSE;
  /* Everybody's does not count. */
  if (n > roles->limits->roles_per_server)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"server_id\": a server can have %u roles",
                   roles->limits->roles_per_server);
      return FALSE;
    }
  self->role_id = hark_transaction_next_id (tx);
  hark_json_writer_member_id (&self->parent.reply, "role_id", self->role_id);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO roles (role_id, server_id, name, position, permissions)"
                                " VALUES (?, ?, ?, ?, ?)",
                                "iitii", self->role_id, self->server_id, self->name, MAX (self->position, 1),
                                (gint64)self->permissions)
         && emit (tx, self, "add_role", error);
}

static void
on_create_role (HarkCommand *command, gpointer concern)
{
  HarkRoles *roles = concern;
  RoleRequest *self = hark_request_new (sizeof *self, command, concern, role_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && read_fields (self, HARK_FIELD_REQUIRED, roles->limits, &error))
    hark_request_write (self, roles->store, create_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static gboolean
check_everyone (const RoleRequest *self, const HarkRole *role, GError **error)
{
  if (!hark_role_is_everyone (role) || (self->name == NULL && self->position == 0))
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT,
               "\"role_id\": of everybody's role only the permissions can change");
  return FALSE;
}

static gboolean
update_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RoleRequest *self = data;
  HarkStanding standing;
  HarkRole role;
  if (!manage (&role, tx, self->role_id, self->parent.actor, self->parent.is_admin, &standing, error)
      || !check_everyone (self, &role, error)
      || !check_below (&standing, MAX (self->position, role.position), self->permissions, "position", error))
    return FALSE;
  self->server_id = role.server_id;
  if (self->name == NULL && self->position == 0 && !self->gives_permissions)
    return TRUE;
  if (self->name != NULL
      && !hark_transaction_exec (tx, error, "UPDATE roles SET name = ? WHERE role_id = ?", "ti", self->name,
                                 self->role_id))
    return FALSE;
  if (self->position != 0
      && !hark_transaction_exec (tx, error, "UPDATE roles SET position = ? WHERE role_id = ?", "ii", self->position,
                                 self->role_id))
    return FALSE;
  if (self->gives_permissions
      && !hark_transaction_exec (tx, error, "UPDATE roles SET permissions = ? WHERE role_id = ?", "ii",
                                 (gint64)self->permissions, self->role_id))
    return FALSE;
  return emit (tx, self, "update_role", error);
}

static void
on_update_role (HarkCommand *command, gpointer concern)
{
  HarkRoles *roles = concern;
  RoleRequest *self = hark_request_new (sizeof *self, command, concern, role_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "role_id", HARK_FIELD_REQUIRED, &self->role_id, &error)
      && read_fields (self, HARK_FIELD_OPTIONAL, roles->limits, &error))
    hark_request_write (self, roles->store, update_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* delete_role */

static gboolean
list_channels (HarkTransaction *tx, RoleRequest *self, GPtrArray *before, GError **error)
{
  self->channels = hark_channel_list_of_role (tx, self->role_id, error);
  for (guint i = 0; self->channels != NULL && i < self->channels->len; i++)
    {
      GArray *viewers = hark_rights_list_viewers (tx, g_array_index (self->channels, gint64, i), error);
      if (viewers == NULL)
        return FALSE;
      g_ptr_array_add (before, viewers);
    }
  return self->channels != NULL;
}

static gboolean
emit_lost (HarkTransaction *tx, RoleRequest *self, GPtrArray *before, GError **error)
{
  self->viewers = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  for (guint i = 0; i < self->channels->len; i++)
    {
      gint64 channel_id = g_array_index (self->channels, gint64, i);
      GArray *after = hark_rights_list_viewers (tx, channel_id, error);
      if (after == NULL)
        return FALSE;
      g_ptr_array_add (self->viewers, after);
      if (!hark_channel_emit_difference (tx, self->server_id, channel_id, before->pdata[i], after, &self->rev, error))
        return FALSE;
    }
  return TRUE;
}

/* One event for whoever has any of the members loaded: a role may have been everybody's. */
static gboolean
emit_removed (HarkTransaction *tx, RoleRequest *self, const char *type, HarkTopicKind kind, GError **error)
{
  HarkTopic topic = hark_topic (kind, self->server_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, type, error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", self->server_id);
  hark_json_writer_member_id (&draft.json, "role_id", self->role_id);
  return hark_draft_end (&draft, tx, NULL, &self->rev, error);
}

static gboolean
delete_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RoleRequest *self = data;
  g_autoptr (GPtrArray) before = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  HarkRole role;
  if (!hark_role_manage (&role, tx, self->role_id, self->parent.actor, self->parent.is_admin, error))
    return FALSE;
  if (hark_role_is_everyone (&role))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"role_id\": everybody's role stays");
      return FALSE;
    }
  self->server_id = role.server_id;
  return list_channels (tx, self, before, error) && emit_removed (tx, self, "remove_role", HARK_TOPIC_SERVER, error)
         && emit_removed (tx, self, "clear_role", HARK_TOPIC_MEMBERS, error)
         && hark_transaction_exec (tx, error,
                                   "UPDATE members SET rev = ? WHERE server_id = ? AND user_id IN"
                                   " (SELECT user_id FROM member_roles WHERE role_id = ?)",
                                   "iii", self->rev, self->server_id, self->role_id)
         && hark_transaction_exec (tx, error, "DELETE FROM roles WHERE role_id = ?", "i", self->role_id)
         && emit_lost (tx, self, before, error);
}

static void
on_deleted (gpointer request)
{
  RoleRequest *self = request;
  HarkRoles *roles = self->parent.concern;
  if (self->channels->len > 0)
    hark_snapshots_expire (roles->snapshots, self->rev);
  for (guint i = 0; i < self->channels->len; i++)
    hark_channel_keep_only (roles->hub, g_array_index (self->channels, gint64, i), self->viewers->pdata[i]);
}

static void
on_delete_role (HarkCommand *command, gpointer concern)
{
  HarkRoles *roles = concern;
  RoleRequest *self = hark_request_new (sizeof *self, command, concern, role_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "role_id", HARK_FIELD_REQUIRED, &self->role_id, &error))
    hark_request_write (self, roles->store, delete_in_thread, on_deleted);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "get_server_roles", HARK_COMMAND_NONE, NULL, on_get_server_roles },
  { "list_roles", HARK_COMMAND_BACK_END, NULL, on_list_roles },
  { "create_role", HARK_COMMAND_NONE, NULL, on_create_role },
  { "update_role", HARK_COMMAND_NONE, NULL, on_update_role },
  { "delete_role", HARK_COMMAND_NONE, NULL, on_delete_role },
};

HarkRoles *
hark_roles_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkRoles *self = g_new0 (HarkRoles, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_roles_free (HarkRoles *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
