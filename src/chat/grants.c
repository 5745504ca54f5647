/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may see a private channel: given to users and roles, and taken back, one by one. */
#include "chat/grants.h"

#include "base/error.h"
#include "chat/channel-events.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/unread.h"
#include "core/event-log.h"

struct _HarkGrants
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  const HarkChatLimits *limits;
};

typedef struct
{
  HarkRequest parent;
  gint64 channel_id;
  gint64 user_id;  /* 0: a role's */
  gint64 role_id;  /* 0: a user's */
  GArray *viewers; /* out (nullable): who alone may see it now; %NULL: all members */
  gint64 rev;      /* out */
} GrantRequest;

static void
grant_request_clear (gpointer data)
{
  g_clear_pointer (&((GrantRequest *)data)->viewers, g_array_unref);
}

/* Returns: (nullable): %NULL when it was refused */
static GrantRequest *
grant_request_new (HarkCommand *command, gpointer concern)
{
  GrantRequest *self = hark_request_new (sizeof *self, command, concern, grant_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && hark_json_object_get_id (command->args, "user_id", HARK_FIELD_OPTIONAL, &self->user_id, &error)
      && hark_json_object_get_id (command->args, "role_id", HARK_FIELD_OPTIONAL, &self->role_id, &error)
      && (self->user_id == 0) == (self->role_id == 0))
    g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "either \"user_id\" or \"role_id\" is needed");
  if (error == NULL)
    return self;
  hark_request_refuse (self, error);
  return NULL;
}

static gboolean
check_role (HarkTransaction *tx, GrantRequest *self, const HarkChannelRights *rights, GError **error)
{
  gint64 one;
  gboolean found;
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM roles WHERE role_id = ? AND server_id = ?",
                                     "ii", self->role_id, rights->server_id))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"role_id\": there is none in that server");
  else if (self->role_id == rights->server_id)
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT,
                 "\"role_id\": a channel that everybody sees is one that is not private");
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_user (HarkTransaction *tx, GrantRequest *self, const HarkChannelRights *rights, GError **error)
{
  gboolean is_member;
  if (!hark_rights_is_member (tx, rights->server_id, self->user_id, &is_member, error))
    return FALSE;
  if (!is_member)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such member");
  return is_member;
}

static gboolean
check_grant (HarkTransaction *tx, GrantRequest *self, const HarkChannelRights *rights, GError **error)
{
  HarkGrants *grants = self->parent.concern;
  gint64 n;
  if (!(self->role_id != 0 ? check_role (tx, self, rights, error) : check_user (tx, self, rights, error))
      || !hark_transaction_query_int64 (tx, &n, NULL, error,
                                        "SELECT (SELECT count(*) FROM grants WHERE channel_id = ?1)"
                                        " + (SELECT count(*) FROM role_grants WHERE channel_id = ?1)",
                                        "i", self->channel_id))
    return FALSE;
  if (n < grants->limits->grants_per_channel)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE,
               "\"channel_id\": a channel can be granted to %u users and roles", grants->limits->grants_per_channel);
  return FALSE;
}

/* Tells who gained and who lost the channel by what was stored in between. */
static gboolean
finish (HarkTransaction *tx, GrantRequest *self, const HarkChannelRights *rights, GArray *before, GError **error)
{
  g_autoptr (GArray) gained = NULL;
  if (!hark_channel_list_viewers (tx, self->channel_id, &self->viewers, error))
    return FALSE;
  if (before == NULL || self->viewers == NULL)
    return TRUE;
  gained = hark_ids_subtract (self->viewers, before);
  for (guint i = 0; i < gained->len; i++)
    if (!hark_channel_mark_as_read (tx, self->channel_id, g_array_index (gained, gint64, i), error))
      return FALSE;
  return hark_channel_emit_difference (tx, rights->server_id, self->channel_id, before, self->viewers, &self->rev,
                                       error);
}

static gboolean
store_grant (HarkTransaction *tx, GrantRequest *self, GError **error)
{
  if (self->role_id != 0)
    return hark_transaction_exec (tx, error,
                                  "INSERT INTO role_grants (channel_id, role_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
                                  "ii", self->channel_id, self->role_id);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO grants (channel_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", "ii",
                                self->channel_id, self->user_id);
}

static gboolean
set_rev (HarkTransaction *tx, GrantRequest *self, GError **error)
{
  if (self->rev == 0)
    return TRUE;
  if (self->role_id != 0)
    return hark_transaction_exec (tx, error, "UPDATE role_grants SET rev = ? WHERE channel_id = ? AND role_id = ?",
                                  "iii", self->rev, self->channel_id, self->role_id);
  return hark_transaction_exec (tx, error, "UPDATE grants SET rev = ? WHERE channel_id = ? AND user_id = ?", "iii",
                                self->rev, self->channel_id, self->user_id);
}

static gboolean
grant_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GrantRequest *self = data;
  g_autoptr (GArray) before = NULL;
  HarkChannelRights rights;
  return hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
         && hark_channel_list_viewers (tx, self->channel_id, &before, error) && check_grant (tx, self, &rights, error)
         && store_grant (tx, self, error) && finish (tx, self, &rights, before, error) && set_rev (tx, self, error);
}

static void
on_grant_channel (HarkCommand *command, gpointer concern)
{
  HarkGrants *grants = concern;
  GrantRequest *self = grant_request_new (command, concern);
  if (self != NULL)
    hark_request_write (self, grants->store, grant_in_thread, NULL);
}

static gboolean
remove_grant (HarkTransaction *tx, GrantRequest *self, GError **error)
{
  if (self->role_id != 0
        ? !hark_transaction_exec (tx, error, "DELETE FROM role_grants WHERE channel_id = ? AND role_id = ?", "ii",
                                  self->channel_id, self->role_id)
        : !hark_transaction_exec (tx, error, "DELETE FROM grants WHERE channel_id = ? AND user_id = ?", "ii",
                                  self->channel_id, self->user_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) > 0)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"%s\": the channel was not granted to that %s",
               self->role_id != 0 ? "role_id" : "user_id", self->role_id != 0 ? "role" : "user");
  return FALSE;
}

static gboolean
revoke_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GrantRequest *self = data;
  g_autoptr (GArray) before = NULL;
  HarkChannelRights rights;
  return hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
         && hark_channel_list_viewers (tx, self->channel_id, &before, error) && remove_grant (tx, self, error)
         && finish (tx, self, &rights, before, error);
}

static void
on_revoked (gpointer request)
{
  GrantRequest *self = request;
  HarkGrants *grants = self->parent.concern;
  if (self->rev == 0)
    return;
  hark_snapshots_expire (grants->snapshots, self->rev);
  hark_channel_keep_only (grants->hub, self->channel_id, self->viewers);
}

static void
on_revoke_channel (HarkCommand *command, gpointer concern)
{
  HarkGrants *grants = concern;
  GrantRequest *self = grant_request_new (command, concern);
  if (self != NULL)
    hark_request_write (self, grants->store, revoke_in_thread, on_revoked);
}

typedef struct
{
  HarkRequest parent;
  gint64 channel_id;
} ListGrants;

static gboolean
list_roles (HarkTransaction *tx, gint64 channel_id, HarkJsonWriter *json, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT r.role_id, r.name FROM role_grants g JOIN roles r ON r.role_id = g.role_id"
                               " WHERE g.channel_id = ? ORDER BY r.role_id",
                               "i", channel_id))
    return FALSE;
  hark_json_writer_member (json, "roles");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "role_id", hark_rows_get_int64 (&rows, 0));
      hark_json_writer_member_string (json, "name", hark_rows_get_text (&rows, 1, NULL));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

static gboolean
list_grants_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListGrants *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  HarkChannelRights rights;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT u.user_id, u.username FROM grants g JOIN users u ON u.user_id = g.user_id"
                                  " WHERE g.channel_id = ? ORDER BY u.user_id",
                                  "i", self->channel_id))
    return FALSE;
  hark_json_writer_member (json, "grants");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "user_id", hark_rows_get_int64 (&rows, 0));
      hark_json_writer_member_string (json, "username", hark_rows_get_text (&rows, 1, NULL));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  if (!hark_rows_check (&local_error, error))
    return FALSE;
  hark_rows_end (&rows);
  return list_roles (tx, self->channel_id, json, error);
}

static void
on_list_grants (HarkCommand *command, gpointer concern)
{
  HarkGrants *grants = concern;
  ListGrants *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error))
    hark_request_read (self, grants->store, list_grants_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "grant_channel", HARK_COMMAND_NONE, NULL, on_grant_channel },
  { "revoke_channel", HARK_COMMAND_NONE, NULL, on_revoke_channel },
  { "list_grants", HARK_COMMAND_BACK_END, NULL, on_list_grants },
};

HarkGrants *
hark_grants_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkGrants *self = g_new0 (HarkGrants, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_grants_free (HarkGrants *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
