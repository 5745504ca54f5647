/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages of a server's members, and what a user changes of how others see them. A page is a window over the ids of
 * users: the same window asked for with `since` gives what has changed inside it and loads the same users again, so
 * that a client that comes back keeps its pages true one by one.
 */
#include "chat/members.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/member-row.h"
#include "chat/presence-store.h"
#include "chat/profile.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/user-row.h"
#include "core/event-log.h"

#define PAGE 64
#define MAX_PAGE 100

struct _HarkMembers
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkSnapshots *snapshots;
  const HarkChatLimits *limits;
};

/* get_server_members */

typedef struct
{
  HarkSnapshot parent;
  gint64 server_id;
  gint64 after;
  guint limit;
  gint64 since;
} GetMembers;

/* @last: (out): where the window ends: the last id of a full page that is not the last, otherwise open */
static gboolean
read_members (HarkTransaction *tx, GetMembers *self, gboolean all, gint64 *last, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  gint64 end = G_MAXINT64;
  guint n = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_MEMBER_COLUMNS ", u.rev, m.rev, coalesce(t.seq, 0) FROM members m"
                               " JOIN users u ON u.user_id = m.user_id"
                               " LEFT JOIN topics t ON t.name = 'user/' || m.user_id"
                               " WHERE m.server_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
                               "iii", self->server_id, self->after, (gint64)self->limit + 1))
    return FALSE;
  while (hark_rows_next (&rows, &local_error) && n++ < self->limit)
    {
      gint64 newest = MAX (hark_rows_get_int64 (&rows, HARK_N_MEMBER_COLUMNS),
                           hark_rows_get_int64 (&rows, HARK_N_MEMBER_COLUMNS + 1));
      end = hark_rows_get_int64 (&rows, 0);
      hark_snapshot_add_user (&self->parent, end, hark_rows_get_int64 (&rows, HARK_N_MEMBER_COLUMNS + 2));
      if (!all && newest <= self->since)
        continue;
      hark_json_writer_begin_object (json);
      hark_member_row_write (&rows, json);
      hark_json_writer_end_object (json);
    }
  *last = n > self->limit ? end : G_MAXINT64;
  return hark_rows_check (&local_error, error);
}

static gboolean
read_removed (HarkTransaction *tx, GetMembers *self, gint64 last, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT DISTINCT t.thing_id FROM tombstones t"
                               " WHERE t.kind = 3 AND t.scope_id = ? AND t.user_id = 0 AND t.rev > ?"
                               " AND t.thing_id > ? AND t.thing_id <= ? AND NOT EXISTS"
                               " (SELECT 1 FROM members m WHERE m.server_id = t.scope_id AND m.user_id = t.thing_id)",
                               "iiii", self->server_id, self->since, self->after, last))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    hark_json_writer_id (json, hark_rows_get_int64 (&rows, 0));
  return hark_rows_check (&local_error, error);
}

static gboolean
get_members_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  GetMembers *self = (GetMembers *)snapshot;
  HarkJsonWriter *json = &snapshot->reply;
  HarkTopic topic = hark_topic (HARK_TOPIC_MEMBERS, self->server_id);
  gboolean all;
  gint64 last, seq;
  if (!hark_rights_check_member (tx, self->server_id, snapshot->actor, error)
      || !hark_rights_check_since (tx, self->since, &all, error) || !hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  hark_json_writer_member_id (json, "server_id", self->server_id);
  if (all && self->since >= 0)
    hark_json_writer_member_boolean (json, "reset", TRUE);
  hark_json_writer_member (json, all ? "members" : "changed");
  hark_json_writer_begin_array (json);
  if (!read_members (tx, self, all, &last, error))
    return FALSE;
  hark_json_writer_end_array (json);
  hark_snapshot_add_part (snapshot, &topic, seq, self->after, last);
  if (!all)
    {
      hark_json_writer_member (json, "removed");
      hark_json_writer_begin_array (json);
      if (!read_removed (tx, self, last, error))
        return FALSE;
      hark_json_writer_end_array (json);
    }
  hark_json_writer_member (json, "next");
  if (last < G_MAXINT64)
    hark_json_writer_id (json, last);
  else
    hark_json_writer_null (json);
  return TRUE;
}

static void
on_get_server_members (HarkCommand *command, gpointer concern)
{
  HarkMembers *members = concern;
  GetMembers *self = hark_snapshot_new (sizeof *self, command, get_members_in_thread, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && hark_field_get_page (command->args, PAGE, MAX_PAGE, &self->after, &self->limit, &error)
      && hark_field_get_since (command->args, &self->since, &error))
    {
      hark_snapshots_take (members->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

/* set_status */

typedef struct
{
  HarkRequest parent;
  const char *chosen; /* a constant */
} SetStatus;

static gboolean
set_status_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SetStatus *self = data;
  return hark_presence_store_choose (tx, self->parent.actor, self->chosen, error);
}

static void
on_set_status (HarkCommand *command, gpointer concern)
{
  static const char *const known[] = { "online", "idle", "dnd", "offline" };
  HarkMembers *members = concern;
  SetStatus *self = hark_request_new (sizeof *self, command, concern, NULL);
  HarkJsonSlice text = { NULL, 0 };
  GError *error = NULL;
  if (!hark_json_object_get_text (command->args, "status", HARK_FIELD_REQUIRED, &text, &error))
    {
      hark_request_refuse (self, error);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (hark_json_slice_equal (text, known[i]))
      self->chosen = known[i];
  if (self->chosen != NULL)
    hark_request_write (self, members->store, set_status_in_thread, NULL);
  else
    hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                                            "\"status\" must be \"online\", \"idle\", \"dnd\" or \"offline\""));
}

/* set_profile */

typedef struct
{
  HarkRequest parent;
  HarkProfile profile;
} SetProfile;

static void
set_profile_clear (gpointer data)
{
  hark_profile_clear (&((SetProfile *)data)->profile);
}

static gboolean
set_profile_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SetProfile *self = data;
  return hark_profile_apply (&self->profile, tx, self->parent.actor, NULL, error);
}

static void
on_set_profile (HarkCommand *command, gpointer concern)
{
  HarkMembers *members = concern;
  SetProfile *self = hark_request_new (sizeof *self, command, concern, set_profile_clear);
  GError *error = NULL;
  if (hark_profile_read (&self->profile, command->args, members->limits, &error))
    hark_request_write (self, members->store, set_profile_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* set_nick */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  gint64 user_id;
  char *nick;
  gint64 rev;
} SetNick;

static void
set_nick_clear (gpointer data)
{
  g_free (((SetNick *)data)->nick);
}

static gboolean
may_set_nick (HarkTransaction *tx, SetNick *self, GError **error)
{
  HarkStanding standing;
  if (self->user_id == self->parent.actor)
    return hark_rights_check_member (tx, self->server_id, self->user_id, error);
  return hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                    HARK_PERMISSION_MANAGE_NICKS, &standing, error)
         && hark_rights_check_rank (tx, self->server_id, &standing, self->user_id, error);
}

static gboolean
set_nick_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SetNick *self = data;
  return may_set_nick (tx, self, error)
         && hark_transaction_exec (tx, error, "UPDATE members SET nick = ? WHERE server_id = ? AND user_id = ?", "tii",
                                   hark_field_or_null (self->nick), self->server_id, self->user_id)
         && hark_member_emit_update (tx, self->server_id, self->user_id, &self->rev, error);
}

static void
on_set_nick (HarkCommand *command, gpointer concern)
{
  HarkMembers *members = concern;
  SetNick *self = hark_request_new (sizeof *self, command, concern, set_nick_clear);
  GError *error = NULL;
  self->user_id = self->parent.actor;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && hark_json_object_get_id (command->args, "user_id", HARK_FIELD_OPTIONAL, &self->user_id, &error)
      && hark_field_get_text (command->args, "nick", HARK_FIELD_REQUIRED, members->limits->displayname_chars,
                              &self->nick, &error))
    hark_request_write (self, members->store, set_nick_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "get_server_members", HARK_COMMAND_NONE, NULL, on_get_server_members },
  { "set_status", HARK_COMMAND_NONE, NULL, on_set_status },
  { "set_nick", HARK_COMMAND_NONE, NULL, on_set_nick },
  { "set_profile", HARK_COMMAND_NONE, NULL, on_set_profile },
};

HarkMembers *
hark_members_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkMembers *self = g_new0 (HarkMembers, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_members_free (HarkMembers *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
