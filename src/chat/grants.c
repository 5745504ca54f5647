/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may see a private channel: given and taken back one by one. */
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
  gint64 user_id;
  gboolean lost; /* out: the user cannot see it any more */
  gint64 rev;    /* out */
} GrantRequest;

/* Returns: (nullable): %NULL when it was refused */
static GrantRequest *
grant_request_new (HarkCommand *command, gpointer concern)
{
  GrantRequest *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &self->channel_id, &error)
      && hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error))
    return self;
  hark_request_refuse (self, error);
  return NULL;
}

static gboolean
check_grant (HarkTransaction *tx, GrantRequest *self, const HarkChannelRights *rights, GError **error)
{
  HarkGrants *grants = self->parent.concern;
  gint64 n;
  gboolean is_member;
  if (!hark_rights_is_member (tx, rights->server_id, self->user_id, &is_member, error)
      || !hark_transaction_query_int64 (tx, &n, NULL, error, "SELECT count(*) FROM grants WHERE channel_id = ?", "i",
                                        self->channel_id))
    return FALSE;
  if (!is_member)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such member");
  else if (n >= grants->limits->grants_per_channel)
    g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"channel_id\": a channel can be granted to %u users",
                 grants->limits->grants_per_channel);
  else
    return TRUE;
  return FALSE;
}

/* What was said before somebody could see it does not count as unread. */
static gboolean
mark_as_read (HarkTransaction *tx, GrantRequest *self, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO read_marks (user_id, channel_id, ordinal)"
                                " SELECT ?, channel_id, last_ordinal FROM channels WHERE channel_id = ?"
                                " ON CONFLICT (user_id, channel_id) DO UPDATE SET ordinal = excluded.ordinal",
                                "ii", self->user_id, self->channel_id);
}

static gboolean
grant_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GrantRequest *self = data;
  HarkChannelRights rights;
  gboolean could;
  if (!hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
      || !hark_rights_may_see (tx, self->channel_id, self->user_id, &could, error)
      || !check_grant (tx, self, &rights, error)
      || !hark_transaction_exec (tx, error,
                                 "INSERT INTO grants (channel_id, user_id) VALUES (?, ?) ON CONFLICT DO NOTHING", "ii",
                                 self->channel_id, self->user_id))
    return FALSE;
  if (could)
    return TRUE;
  return mark_as_read (tx, self, error)
         && hark_channel_emit (tx, self->channel_id, "show_channel", hark_ids_single (self->user_id), &self->rev, error)
         && hark_transaction_exec (tx, error, "UPDATE grants SET rev = ? WHERE channel_id = ? AND user_id = ?", "iii",
                                   self->rev, self->channel_id, self->user_id);
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
revoke_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GrantRequest *self = data;
  HarkChannelRights rights;
  gboolean can;
  if (!hark_rights_manage_channel (tx, self->channel_id, self->parent.actor, self->parent.is_admin, &rights, error)
      || !hark_transaction_exec (tx, error, "DELETE FROM grants WHERE channel_id = ? AND user_id = ?", "ii",
                                 self->channel_id, self->user_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": the channel was not granted to that user");
      return FALSE;
    }
  if (!hark_rights_may_see (tx, self->channel_id, self->user_id, &can, error))
    return FALSE;
  self->lost = !can;
  return can
         || hark_channel_emit_hide (tx, rights.server_id, self->channel_id, hark_ids_single (self->user_id), &self->rev,
                                    error);
}

static void
on_revoked (gpointer request)
{
  GrantRequest *self = request;
  HarkGrants *grants = self->parent.concern;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, self->channel_id);
  if (!self->lost)
    return;
  hark_snapshots_expire (grants->snapshots, self->rev);
  hark_hub_unsubscribe_user (grants->hub, self->user_id, &topic);
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
  return hark_rows_check (&local_error, error);
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
  { "list_grants", HARK_COMMAND_NONE, NULL, on_list_grants },
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
