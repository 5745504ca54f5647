/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may see and change what. Asked inside the work that needs to know, so that a right lost a moment ago is lost:
 * nothing here is remembered. Who may not know that something exists hears that it does not.
 */
#include "chat/rights.h"

#include "base/error.h"
#include "chat/rows.h"
#include "core/event-log.h"

static gboolean
not_found (const char *field, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"%s\": there is none", field);
  return FALSE;
}

static gboolean
check_permission (const HarkStanding *standing, HarkPermission permission, const char *field, GError **error)
{
  if (standing->permissions & permission)
    return TRUE;
  if (permission == HARK_PERMISSION_OWN)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"%s\": only the server's owner may do that", field);
  else
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"%s\": that needs the permission %s", field,
                 hark_permission_get_name (permission));
  return FALSE;
}

/* What everybody's role gives, and the member's own. */
static gboolean
add_roles (HarkTransaction *tx, gint64 server_id, gint64 user_id, HarkStanding *standing, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT permissions, position FROM roles WHERE role_id = ? UNION ALL"
                               " SELECT r.permissions, r.position FROM member_roles mr"
                               " JOIN roles r ON r.role_id = mr.role_id WHERE mr.server_id = ? AND mr.user_id = ?",
                               "iii", server_id, server_id, user_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      standing->permissions |= hark_rows_get_int64 (&rows, 0);
      standing->rank = MAX (standing->rank, hark_rows_get_int64 (&rows, 1));
    }
  return hark_rows_check (&local_error, error);
}

/**
 * hark_rights_get_standing:
 * @is_admin: of the hub: above every owner
 * @standing: (out)
 *
 * Returns: %FALSE with %HARK_ERROR_NOT_FOUND for a server that there is not, and for who is no member
 */
gboolean
hark_rights_get_standing (HarkTransaction *tx, gint64 server_id, gint64 user_id, gboolean is_admin,
                          HarkStanding *standing, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gboolean is_member;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT s.owner_id, m.user_id FROM servers s"
                               " LEFT JOIN members m ON m.server_id = s.server_id AND m.user_id = ?"
                               " WHERE s.server_id = ?",
                               "ii", user_id, server_id)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  standing->owner_id = hark_rows_get_int64 (&rows, 0);
  standing->permissions = HARK_PERMISSIONS_ALL;
  standing->rank = G_MAXINT64;
  is_member = !hark_rows_is_null (&rows, 1);
  hark_rows_end (&rows);
  if (is_admin || standing->owner_id == user_id)
    return TRUE;
  if (!is_member)
    return not_found ("server_id", error);
  standing->permissions = 0;
  standing->rank = 0;
  return add_roles (tx, server_id, user_id, standing, error);
}

/**
 * hark_rights_manage_server:
 * @standing: (out)
 *
 * Returns: whether @actor has @permission there; %HARK_ERROR_FORBIDDEN for members who have not, %HARK_ERROR_NOT_FOUND
 *   for everybody else
 */
gboolean
hark_rights_manage_server (HarkTransaction *tx, gint64 server_id, gint64 actor, gboolean is_admin,
                           HarkPermission permission, HarkStanding *standing, GError **error)
{
  return hark_rights_get_standing (tx, server_id, actor, is_admin, standing, error)
         && check_permission (standing, permission, "server_id", error);
}

/* As hark_rights_manage_server () with the permission to manage channels, for the server of one; a member who may not
 * see the channel hears NOT_FOUND. */
gboolean
hark_rights_manage_channel (HarkTransaction *tx, gint64 channel_id, gint64 actor, gboolean is_admin,
                            HarkChannelRights *channel, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  HarkStanding standing;
  gboolean may_see;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT c.server_id, s.owner_id, c.private, m.user_id IS NOT NULL AND " HARK_SQL_MAY_SEE
                               " FROM channels c JOIN servers s ON s.server_id = c.server_id"
                               " LEFT JOIN members m ON m.server_id = s.server_id AND m.user_id = ?"
                               " WHERE c.channel_id = ?",
                               "ii", actor, channel_id)
      || !hark_rows_require (&rows, "channel_id", error))
    return FALSE;
  channel->server_id = hark_rows_get_int64 (&rows, 0);
  channel->owner_id = hark_rows_get_int64 (&rows, 1);
  channel->private = hark_rows_get_int64 (&rows, 2) != 0;
  may_see = hark_rows_get_int64 (&rows, 3) != 0;
  hark_rows_end (&rows);
  if (is_admin || channel->owner_id == actor)
    return TRUE;
  if (!may_see)
    return not_found ("channel_id", error);
  return hark_rights_get_standing (tx, channel->server_id, actor, FALSE, &standing, error)
         && check_permission (&standing, HARK_PERMISSION_MANAGE_CHANNELS, "channel_id", error);
}

/**
 * hark_rights_check_rank:
 * @standing: of who acts on another member
 *
 * Nobody acts on who is as high, and nobody on the owner but the owner and administrators.
 */
gboolean
hark_rights_check_rank (HarkTransaction *tx, gint64 server_id, const HarkStanding *standing, gint64 user_id,
                        GError **error)
{
  HarkStanding other;
  gboolean is_member;
  if (!hark_rights_is_member (tx, server_id, user_id, &is_member, error))
    return FALSE;
  if (!is_member)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such member");
      return FALSE;
    }
  if (!hark_rights_get_standing (tx, server_id, user_id, FALSE, &other, error))
    return FALSE;
  if (standing->rank == G_MAXINT64 || other.rank < standing->rank)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"user_id\": that member's highest role is not below yours");
  return FALSE;
}

gboolean
hark_rights_is_member (HarkTransaction *tx, gint64 server_id, gint64 user_id, gboolean *is_member, GError **error)
{
  gint64 one;
  return hark_transaction_query_int64 (tx, &one, is_member, error,
                                       "SELECT 1 FROM members WHERE server_id = ? AND user_id = ?", "ii", server_id,
                                       user_id);
}

/* Whether @user_id belongs to the server; %HARK_ERROR_NOT_FOUND for the server otherwise. */
gboolean
hark_rights_check_member (HarkTransaction *tx, gint64 server_id, gint64 user_id, GError **error)
{
  gboolean is_member;
  if (!hark_rights_is_member (tx, server_id, user_id, &is_member, error))
    return FALSE;
  return is_member || not_found ("server_id", error);
}

/* @may: (out): whether the channel exists and @user_id may see it */
gboolean
hark_rights_may_see (HarkTransaction *tx, gint64 channel_id, gint64 user_id, gboolean *may, GError **error)
{
  gint64 one;
  return hark_transaction_query_int64 (tx, &one, may, error,
                                       "SELECT 1 FROM channels c JOIN servers s ON s.server_id = c.server_id"
                                       " JOIN members m ON m.server_id = c.server_id AND m.user_id = ?"
                                       " WHERE c.channel_id = ? AND " HARK_SQL_MAY_SEE,
                                       "ii", user_id, channel_id);
}

/**
 * hark_rights_check_topic:
 * @rules: of the free topics
 * @may: (out): whether @asker may be subscribed to @topic
 */
gboolean
hark_rights_check_topic (HarkTransaction *tx, const HarkTopic *topic, const HarkAsker *asker,
                         const HarkTopicRules *rules, gboolean *may, GError **error)
{
  *may = FALSE;
  switch (topic->kind)
    {
    case HARK_TOPIC_SERVER:
    case HARK_TOPIC_MEMBERS:
      return hark_rights_is_member (tx, topic->id, asker->user_id, may, error);
    case HARK_TOPIC_CHANNEL:
      return hark_rights_may_see (tx, topic->id, asker->user_id, may, error);
    case HARK_TOPIC_INBOX:
      *may = topic->id == asker->user_id;
      return TRUE;
    case HARK_TOPIC_ROOM:
    case HARK_TOPIC_APP:
      return hark_topic_rules_check (rules, tx, topic, HARK_TOPIC_SUBSCRIBE, asker, may, error);
    default: /* users are loaded, not subscribed to */
      return TRUE;
    }
}

/* Takes the ids of a query that has begun. */
GArray *
hark_ids_collect (HarkRows *rows, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GError) local_error = NULL;
  while (hark_rows_next (rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (rows, 0);
      g_array_append_val (ids, id);
    }
  if (!hark_rows_check (&local_error, error))
    return NULL;
  return g_steal_pointer (&ids);
}

GArray *
hark_rights_list_members (HarkTransaction *tx, gint64 server_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT user_id FROM members WHERE server_id = ? ORDER BY user_id",
                               "i", server_id))
    return NULL;
  return hark_ids_collect (&rows, error);
}

/* Who may see a channel that is private. */
GArray *
hark_rights_list_viewers (HarkTransaction *tx, gint64 channel_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT s.owner_id FROM channels c JOIN servers s ON s.server_id = c.server_id"
                               " WHERE c.channel_id = ?"
                               " UNION SELECT g.user_id FROM grants g WHERE g.channel_id = ?"
                               " UNION SELECT mr.user_id FROM role_grants rg"
                               " JOIN member_roles mr ON mr.role_id = rg.role_id WHERE rg.channel_id = ? ORDER BY 1",
                               "iii", channel_id, channel_id, channel_id))
    return NULL;
  return hark_ids_collect (&rows, error);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

gboolean
hark_ids_contains (GArray *sorted, gint64 id)
{
  return g_array_binary_search (sorted, &id, compare_ids, NULL);
}

/* Both sorted. Returns: (transfer full): what is in @from and not in @what */
GArray *
hark_ids_subtract (GArray *from, GArray *what)
{
  GArray *left = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < from->len; i++)
    {
      gint64 id = g_array_index (from, gint64, i);
      if (!hark_ids_contains (what, id))
        g_array_append_val (left, id);
    }
  return left;
}

GArray *
hark_ids_single (gint64 id)
{
  GArray *ids = g_array_sized_new (FALSE, FALSE, sizeof (gint64), 1);
  g_array_append_val (ids, id);
  return ids;
}

/**
 * hark_rights_bury:
 * @user_id: for whom alone; 0: for all
 * @rev: of the event that says so
 *
 * Remembers that something is gone from a list, for clients that ask what has changed.
 */
gboolean
hark_rights_bury (HarkTransaction *tx, HarkTombstoneKind kind, gint64 scope_id, gint64 user_id, gint64 thing_id,
                  gint64 rev, GError **error)
{
  return hark_transaction_exec (tx, error,
                                "INSERT INTO tombstones (kind, scope_id, user_id, thing_id, rev)"
                                " VALUES (?, ?, ?, ?, ?)",
                                "iiiii", (gint64)kind, scope_id, user_id, thing_id, rev);
}

/* @reset: (out): whether the log no longer, or not yet, reaches to @since; always when @since is negative */
gboolean
hark_rights_check_since (HarkTransaction *tx, gint64 since, gboolean *reset, GError **error)
{
  gint64 horizon, rev;
  *reset = TRUE;
  if (since < 0)
    return TRUE;
  if (!hark_event_log_get_horizon (tx, &horizon, error) || !hark_event_log_get_rev (tx, &rev, error))
    return FALSE;
  *reset = since < horizon || since > rev;
  return TRUE;
}
