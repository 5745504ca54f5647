/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has which role: given and taken one by one, and with it what channels the role sees. */
#include "chat/role-members.h"

#include "base/error.h"
#include "chat/channel-events.h"
#include "chat/draft.h"
#include "chat/member-row.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/roles.h"
#include "chat/rows.h"

struct _HarkRoleMembers
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
};

typedef struct
{
  HarkRequest parent;
  gint64 role_id;
  gint64 user_id;
  HarkRole role;
  GArray *channels; /* out (nullable) (element-type gint64): private ones that the role sees, and the user not */
  gint64 rev;       /* out */
} RoleMember;

static void
role_member_clear (gpointer data)
{
  g_clear_pointer (&((RoleMember *)data)->channels, g_array_unref);
}

/* What those of the role's channels are that the user cannot see without it. */
static gboolean
list_channels (HarkTransaction *tx, RoleMember *self, GError **error)
{
  g_autoptr (GArray) all = hark_channel_list_of_role (tx, self->role_id, error);
  g_clear_pointer (&self->channels, g_array_unref);
  self->channels = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; all != NULL && i < all->len; i++)
    {
      gint64 channel_id = g_array_index (all, gint64, i);
      gboolean may;
      if (!hark_rights_may_see (tx, channel_id, self->user_id, &may, error))
        return FALSE;
      if (!may)
        g_array_append_val (self->channels, channel_id);
    }
  return all != NULL;
}

static gboolean
find (HarkTransaction *tx, RoleMember *self, GError **error)
{
  gboolean is_member;
  if (!hark_role_manage (&self->role, tx, self->role_id, self->parent.actor, self->parent.is_admin, error)
      || !hark_rights_is_member (tx, self->role.server_id, self->user_id, &is_member, error))
    return FALSE;
  if (!is_member)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such member");
  else if (hark_role_is_everyone (&self->role))
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"role_id\": everybody has it");
  else
    return TRUE;
  return FALSE;
}

/* Members are told of others by what they have loaded; of oneself, whoever has loaded the server. */
static gboolean
emit_own (HarkTransaction *tx, RoleMember *self, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, self->role.server_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_draft_begin (&draft, tx, &topic, "own_roles", error)
      || !hark_transaction_query (tx, &rows,
                                  error, "SELECT role_id FROM member_roles WHERE server_id = ? AND user_id = ? ORDER BY role_id",
                                  "ii", self->role.server_id, self->user_id))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", self->role.server_id);
  hark_json_writer_member (&draft.json, "own");
  hark_json_writer_begin_array (&draft.json);
  while (hark_rows_next (&rows, &local_error))
    hark_json_writer_id (&draft.json, hark_rows_get_int64 (&rows, 0));
  hark_json_writer_end_array (&draft.json);
  if (!hark_rows_check (&local_error, error))
    return FALSE;
  hark_rows_end (&rows);
  return hark_draft_end (&draft, tx, hark_ids_single (self->user_id), &self->rev, error);
}

static gboolean
assign_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RoleMember *self = data;
  if (!find (tx, self, error) || !list_channels (tx, self, error)
      || !hark_transaction_exec (tx, error,
                                 "INSERT INTO member_roles (server_id, user_id, role_id) VALUES (?, ?, ?)"
                                 " ON CONFLICT DO NOTHING",
                                 "iii", self->role.server_id, self->user_id, self->role_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"user_id\": the member has that role already");
      return FALSE;
    }
  for (guint i = 0; i < self->channels->len; i++)
    {
      gint64 channel_id = g_array_index (self->channels, gint64, i);
      if (!hark_channel_mark_as_read (tx, channel_id, self->user_id, error)
          || !hark_channel_emit (tx, channel_id, "show_channel", hark_ids_single (self->user_id), &self->rev, error))
        return FALSE;
    }
  return emit_own (tx, self, error)
         && hark_member_emit_update (tx, self->role.server_id, self->user_id, &self->rev, error)
         && hark_transaction_exec (tx,
                                   error, "UPDATE member_roles SET rev = ? WHERE server_id = ? AND user_id = ? AND role_id = ?",
                                   "iiii", self->rev, self->role.server_id, self->user_id, self->role_id);
}

static gboolean
unassign_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RoleMember *self = data;
  if (!find (tx, self, error)
      || !hark_transaction_exec (tx, error,
                                 "DELETE FROM member_roles WHERE server_id = ? AND user_id = ? AND role_id = ?", "iii",
                                 self->role.server_id, self->user_id, self->role_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": the member does not have that role");
      return FALSE;
    }
  if (!list_channels (tx, self, error))
    return FALSE;
  for (guint i = 0; i < self->channels->len; i++)
    if (!hark_channel_emit_hide (tx, self->role.server_id, g_array_index (self->channels, gint64, i),
                                 hark_ids_single (self->user_id), &self->rev, error))
      return FALSE;
  return emit_own (tx, self, error)
         && hark_member_emit_update (tx, self->role.server_id, self->user_id, &self->rev, error);
}

/* The role's channels are delivered no more. */
static void
on_unassigned (gpointer request)
{
  RoleMember *self = request;
  HarkRoleMembers *concern = self->parent.concern;
  if (self->channels->len > 0)
    hark_snapshots_expire (concern->snapshots, self->rev);
  for (guint i = 0; i < self->channels->len; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, g_array_index (self->channels, gint64, i));
      hark_hub_unsubscribe_user (concern->hub, self->user_id, &topic);
    }
}

static void
take (HarkCommand *command, gpointer concern, HarkWork work, HarkRequestFunc done)
{
  HarkRoleMembers *role_members = concern;
  RoleMember *self = hark_request_new (sizeof *self, command, concern, role_member_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "role_id", HARK_FIELD_REQUIRED, &self->role_id, &error)
      && hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error))
    hark_request_write (self, role_members->store, work, done);
  else
    hark_request_refuse (self, error);
}

static void
on_assign_role (HarkCommand *command, gpointer concern)
{
  take (command, concern, assign_in_thread, NULL);
}

static void
on_unassign_role (HarkCommand *command, gpointer concern)
{
  take (command, concern, unassign_in_thread, on_unassigned);
}

static const HarkCommandSpec specs[] = {
  { "assign_role", HARK_COMMAND_NONE, NULL, on_assign_role },
  { "unassign_role", HARK_COMMAND_NONE, NULL, on_unassign_role },
};

HarkRoleMembers *
hark_role_members_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots)
{
  HarkRoleMembers *self = g_new0 (HarkRoleMembers, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_role_members_free (HarkRoleMembers *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
