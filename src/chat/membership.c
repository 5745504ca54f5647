/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who belongs to which server: coming, going, and what goes with it. Who leaves loses the server's channels at once;
 * who then shares no server with somebody any more has no business with that somebody's status either, which is looked
 * up after the commit for the few who have loaded each other.
 */
#include "chat/membership.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/member-row.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/user-row.h"
#include "core/ranges.h"

#define PAGE 100
#define MAX_PAGE 1000

struct _HarkMembership
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  HarkNotifications *notifications;
  const HarkChatLimits *limits;
};

void
hark_departure_clear (HarkDeparture *self)
{
  g_clear_pointer (&self->servers, g_array_unref);
  g_clear_pointer (&self->channels, g_array_unref);
}

static gboolean
append_ids (HarkRows *rows, GArray *ids, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  while (hark_rows_next (rows, &local_error))
    {
      gint64 id = hark_rows_get_int64 (rows, 0);
      g_array_append_val (ids, id);
    }
  return hark_rows_check (&local_error, error);
}

/* Notes a server and its channels, of which there must be no deliveries any more. */
gboolean
hark_departure_add_server (HarkDeparture *self, HarkTransaction *tx, gint64 server_id, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (self->servers == NULL)
    {
      self->servers = g_array_new (FALSE, FALSE, sizeof (gint64));
      self->channels = g_array_new (FALSE, FALSE, sizeof (gint64));
    }
  g_array_append_val (self->servers, server_id);
  return hark_transaction_query (tx, &rows, error, "SELECT channel_id FROM channels WHERE server_id = ?", "i", server_id)
         && append_ids (&rows, self->channels, error);
}

GArray *
hark_membership_list_servers (HarkTransaction *tx, gint64 user_id, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT server_id FROM members WHERE user_id = ?", "i", user_id)
      || !append_ids (&rows, ids, error))
    return NULL;
  return g_steal_pointer (&ids);
}

static gboolean
check_room (HarkTransaction *tx, gint64 server_id, gint64 user_id, const HarkChatLimits *limits, GError **error)
{
  gint64 n_servers, n_members = 0, one;
  gboolean user_exists, is_member;
  if (!hark_transaction_query_int64 (tx, &one, &user_exists, error, "SELECT 1 FROM users WHERE user_id = ?", "i",
                                     user_id)
      || !hark_rights_is_member (tx, server_id, user_id, &is_member, error)
      || !hark_transaction_query_int64 (tx, &n_servers, NULL, error, "SELECT count(*) FROM members WHERE user_id = ?",
                                        "i", user_id)
      || !hark_transaction_query_int64 (tx, &n_members, NULL, error,
                                        "SELECT n_members FROM servers WHERE server_id = ?", "i", server_id))
    return FALSE;
  if (!user_exists)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such user");
  else if (is_member)
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"user_id\": the user is a member already");
  else if (n_servers >= limits->servers_per_user)
    g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"user_id\": a user can be a member of %u servers",
                 limits->servers_per_user);
  else if (n_members >= limits->members_per_server)
    g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"server_id\": a server can have %u members",
                 limits->members_per_server);
  else
    return TRUE;
  return FALSE;
}

static gboolean
emit_show (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, "add_server", error)
      || !hark_transaction_query (tx, &rows, error, "SELECT name, icon FROM servers WHERE server_id = ?", "i", server_id)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", server_id);
  hark_json_writer_member_string (&draft.json, "server_name", hark_rows_get_text (&rows, 0, NULL));
  hark_json_writer_member_string (&draft.json, "server_icon", hark_rows_get_text_or_empty (&rows, 1));
  hark_json_writer_member_int (&draft.json, "unread", 0);
  return hark_draft_end (&draft, tx, NULL, rev, error);
}

/**
 * hark_membership_begin:
 * @server_id: exists
 *
 * Makes a user a member. %HARK_ERROR_NOT_FOUND, %HARK_ERROR_CONFLICT for who is one, %HARK_ERROR_TOO_LARGE.
 */
gboolean
hark_membership_begin (HarkTransaction *tx, gint64 server_id, gint64 user_id, const HarkChatLimits *limits,
                       HarkArrival *arrival, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, server_id);
  return check_room (tx, server_id, user_id, limits, error) && emit_show (tx, server_id, user_id, &arrival->rev, error)
         && hark_event_log_get_seq (tx, &topic, &arrival->cursor, error)
         && hark_transaction_exec (tx, error,
                                   "INSERT INTO members (server_id, user_id, joined_id, joined_at, joined_rev)"
                                   " VALUES (?, ?, ?, ?, ?)",
                                   "iiiii", server_id, user_id, hark_transaction_next_id (tx),
                                   hark_transaction_now_ms (tx), arrival->rev)
         && hark_member_emit_add (tx, server_id, user_id, &arrival->member_rev, error)
         && hark_transaction_exec (tx, error, "UPDATE members SET rev = ? WHERE server_id = ? AND user_id = ?", "iii",
                                   arrival->member_rev, server_id, user_id)
         && hark_transaction_exec (tx, error, "UPDATE servers SET n_members = n_members + 1 WHERE server_id = ?", "i",
                                   server_id);
}

/* Ends a membership that there is. */
gboolean
hark_membership_end (HarkTransaction *tx, gint64 server_id, gint64 user_id, HarkDeparture *departure, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  if (!hark_departure_add_server (departure, tx, server_id, error)
      || !hark_draft_begin (&draft, tx, &topic, "remove_server", error))
    return FALSE;
  hark_json_writer_member_id (&draft.json, "server_id", server_id);
  return hark_draft_end (&draft, tx, NULL, &departure->rev, error)
         && hark_member_emit_remove (tx, server_id, user_id, &departure->rev, error)
         && hark_transaction_exec (tx, error,
                                   "DELETE FROM grants WHERE user_id = ?"
                                   " AND channel_id IN (SELECT channel_id FROM channels WHERE server_id = ?)",
                                   "ii", user_id, server_id)
         && hark_transaction_exec (tx, error,
                                   "DELETE FROM read_marks WHERE user_id = ?"
                                   " AND channel_id IN (SELECT channel_id FROM channels WHERE server_id = ?)",
                                   "ii", user_id, server_id)
         && hark_transaction_exec (tx, error, "DELETE FROM members WHERE server_id = ? AND user_id = ?", "ii",
                                   server_id, user_id)
         && hark_transaction_exec (tx, error, "UPDATE servers SET n_members = n_members - 1 WHERE server_id = ?", "i",
                                   server_id)
         && hark_rights_bury (tx, HARK_TOMBSTONE_SERVER, user_id, 0, server_id, departure->rev, error)
         && hark_rights_bury (tx, HARK_TOMBSTONE_MEMBER, server_id, 0, user_id, departure->rev, error);
}

/* Who has the page on which the new member is has him loaded, as if he had been there when it was read. Beyond its bound
 * of users a session is told of him, and not of what becomes of him. */
static void
load_member (HarkMembership *self, gint64 server_id, gint64 user_id, gint64 rev)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_MEMBERS, server_id);
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (self->hub), &topic);
  g_autoptr (GPtrArray) sessions = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    {
      HarkSession *session = entry->receivers[i].session;
      HarkSubscription *subscription = session->subscriptions->pdata[entry->receivers[i].slot];
      if (hark_ranges_contain (subscription->ranges, user_id))
        g_ptr_array_add (sessions, g_object_ref (session));
    }
  for (guint i = 0; i < sessions->len; i++)
    if (hark_hub_load (self->hub, sessions->pdata[i], &user_id, 1, rev, NULL))
      hark_snapshots_changed (self->snapshots, sessions->pdata[i]);
}

/* Sessions that watch their user's list of servers watch the new one too. */
void
hark_membership_arrived (HarkMembership *self, gint64 server_id, gint64 user_id, const HarkArrival *arrival)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self->hub, user_id);
  HarkTopic inbox = hark_topic (HARK_TOPIC_INBOX, user_id), topic = hark_topic (HARK_TOPIC_SERVER, server_id);
  /* A list of servers that is being read would be joined without the new one. */
  hark_snapshots_expire (self->snapshots, arrival->member_rev);
  load_member (self, server_id, user_id, arrival->member_rev);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      g_autoptr (GError) error = NULL;
      if (session->state != HARK_SESSION_OPEN || hark_session_find_subscription (session, &inbox) == NULL)
        continue;
      /* Beyond its bound the session has the server once it asks for it, and is told then that it has too many. */
      if (hark_hub_subscribe (self->hub, session, &topic, arrival->cursor, arrival->rev, &error) != NULL)
        hark_snapshots_changed (self->snapshots, session);
    }
}

/* Who still shares a server. */

typedef struct
{
  gint64 viewer;
  gint64 viewed;
  gboolean shares;
} Pair;

typedef struct
{
  HarkMembership *membership;
  GArray *pairs; /* (element-type Pair) */
} Review;

static void
review_free (gpointer data)
{
  Review *review = data;
  g_array_unref (review->pairs);
  g_free (review);
}

static gboolean
review_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Review *review = data;
  for (guint i = 0; i < review->pairs->len; i++)
    {
      Pair *pair = &g_array_index (review->pairs, Pair, i);
      gint64 one;
      if (!hark_transaction_query_int64 (tx, &one, &pair->shares, error,
                                         "SELECT 1 FROM members a JOIN members b ON b.server_id = a.server_id"
                                         " WHERE a.user_id = ? AND b.user_id = ? LIMIT 1",
                                         "ii", pair->viewer, pair->viewed))
        return FALSE;
    }
  return TRUE;
}

static void
unload (HarkMembership *self, gint64 viewer, gint64 viewed)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self->hub, viewer);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      hark_hub_unload (self->hub, sessions->pdata[i], &viewed, 1);
      hark_snapshots_changed (self->snapshots, sessions->pdata[i]);
    }
}

/* When the store cannot say, they are taken for strangers: they can load each other again. */
static void
on_reviewed (gpointer data, const GError *error, gpointer user_data)
{
  Review *review = data;
  for (guint i = 0; i < review->pairs->len; i++)
    {
      Pair *pair = &g_array_index (review->pairs, Pair, i);
      if (error != NULL || !pair->shares)
        unload (review->membership, pair->viewer, pair->viewed);
    }
}

static Review *
review_new (HarkMembership *self)
{
  Review *review = g_new (Review, 1);
  review->membership = self;
  review->pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  return review;
}

static void
review_add (Review *review, gint64 viewer, gint64 viewed)
{
  Pair pair = { viewer, viewed, FALSE };
  if (viewer != viewed)
    g_array_append_val (review->pairs, pair);
}

static void
review_start (Review *review)
{
  if (review->pairs->len > 0)
    hark_store_read (review->membership->store, review_in_thread, review, review_free, on_reviewed, NULL);
  else
    review_free (review);
}

/* Adds everyone whom a user's sessions have loaded. */
static void
review_add_loaded (Review *review, gint64 user_id)
{
  HarkHub *hub = review->membership->hub;
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (hub, user_id);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      g_autoptr (GArray) loaded = hark_hub_dup_loaded (hub, sessions->pdata[i]);
      for (guint j = 0; j < loaded->len; j++)
        review_add (review, user_id, g_array_index (loaded, gint64, j));
    }
}

/* Returns: (transfer full) (element-type HarkSession): who has loaded a user */
static GPtrArray *
list_watchers (HarkHub *hub, gint64 user_id)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_id);
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (hub), &topic);
  GPtrArray *sessions = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    if (entry->receivers[i].is_interest)
      g_ptr_array_add (sessions, g_object_ref (entry->receivers[i].session));
  return sessions;
}

static void
end_topics (HarkMembership *self, gint64 user_id, const HarkDeparture *departure)
{
  hark_snapshots_expire (self->snapshots, departure->rev);
  for (guint i = 0; departure->servers != NULL && i < departure->servers->len; i++)
    {
      gint64 server_id = g_array_index (departure->servers, gint64, i);
      HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, server_id), members = hark_topic (HARK_TOPIC_MEMBERS, server_id);
      hark_hub_unsubscribe_user (self->hub, user_id, &topic);
      hark_hub_unsubscribe_user (self->hub, user_id, &members);
    }
  for (guint i = 0; departure->channels != NULL && i < departure->channels->len; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, g_array_index (departure->channels, gint64, i));
      hark_hub_unsubscribe_user (self->hub, user_id, &topic);
    }
}

/* A user has left: nothing of the server is delivered any more. */
void
hark_membership_departed (HarkMembership *self, gint64 user_id, const HarkDeparture *departure)
{
  g_autoptr (GPtrArray) watchers = list_watchers (self->hub, user_id);
  Review *review = review_new (self);
  end_topics (self, user_id, departure);
  review_add_loaded (review, user_id);
  for (guint i = 0; i < watchers->len; i++)
    review_add (review, hark_session_get_user_id (watchers->pdata[i]), user_id);
  review_start (review);
}

/* A user is gone altogether. */
void
hark_membership_forget_user (HarkMembership *self, gint64 user_id, const HarkDeparture *departure)
{
  g_autoptr (GPtrArray) watchers = list_watchers (self->hub, user_id);
  hark_snapshots_expire (self->snapshots, departure->rev);
  for (guint i = 0; i < watchers->len; i++)
    {
      hark_hub_unload (self->hub, watchers->pdata[i], &user_id, 1);
      hark_snapshots_changed (self->snapshots, watchers->pdata[i]);
    }
}

/* A server is gone. @members: (element-type gint64): who belonged to it */
void
hark_membership_forget_server (HarkMembership *self, GArray *members, const HarkDeparture *departure)
{
  end_topics (self, 0, departure);
  for (guint i = 0; i < members->len; i++)
    {
      gint64 user_id = g_array_index (members, gint64, i);
      Review *review;
      if (hark_hub_get_n_user_sessions (self->hub, user_id) == 0)
        continue;
      review = review_new (self);
      review_add_loaded (review, user_id);
      review_start (review);
    }
}

/* add_member, kick_member, leave_server */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  gint64 user_id;
  HarkArrival arrival;
  HarkDeparture departure;
} MemberRequest;

static void
member_request_clear (gpointer data)
{
  hark_departure_clear (&((MemberRequest *)data)->departure);
}

/* Returns: (nullable): %NULL when it was refused */
static MemberRequest *
member_request_new (HarkCommand *command, gpointer concern)
{
  MemberRequest *self = hark_request_new (sizeof *self, command, concern, member_request_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error))
    return self;
  hark_request_refuse (self, error);
  return NULL;
}

static gboolean
add_member_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  MemberRequest *self = data;
  HarkMembership *membership = self->parent.concern;
  HarkStanding standing;
  return hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin, HARK_PERMISSION_OWN,
                                    &standing, error)
         && hark_membership_begin (tx, self->server_id, self->user_id, membership->limits, &self->arrival, error)
         && (standing.owner_id == self->parent.actor
             || hark_notification_raise_member (membership->notifications, tx, self->server_id, self->user_id, error));
}

static void
on_member_added (gpointer request)
{
  MemberRequest *self = request;
  hark_membership_arrived (self->parent.concern, self->server_id, self->user_id, &self->arrival);
}

static void
on_add_member (HarkCommand *command, gpointer concern)
{
  HarkMembership *membership = concern;
  MemberRequest *self = member_request_new (command, concern);
  if (self != NULL)
    hark_request_write (self, membership->store, add_member_in_thread, on_member_added);
}

static gboolean
kick_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  MemberRequest *self = data;
  HarkStanding standing;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                  HARK_PERMISSION_KICK_MEMBERS, &standing, error)
      || !hark_rights_check_rank (tx, self->server_id, &standing, self->user_id, error))
    return FALSE;
  if (standing.owner_id == self->user_id)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"user_id\": the owner stays until there is another");
      return FALSE;
    }
  return hark_membership_end (tx, self->server_id, self->user_id, &self->departure, error);
}

static void
on_member_gone (gpointer request)
{
  MemberRequest *self = request;
  hark_membership_departed (self->parent.concern, self->user_id, &self->departure);
}

static void
on_kick_member (HarkCommand *command, gpointer concern)
{
  HarkMembership *membership = concern;
  MemberRequest *self = member_request_new (command, concern);
  if (self != NULL)
    hark_request_write (self, membership->store, kick_in_thread, on_member_gone);
}

static gboolean
leave_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  MemberRequest *self = data;
  HarkStanding standing;
  if (!hark_rights_check_member (tx, self->server_id, self->user_id, error)
      || !hark_rights_get_standing (tx, self->server_id, self->user_id, FALSE, &standing, error))
    return FALSE;
  if (standing.owner_id == self->user_id)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT,
                   "\"server_id\": its owner stays until there is another, or deletes it");
      return FALSE;
    }
  return hark_membership_end (tx, self->server_id, self->user_id, &self->departure, error);
}

static void
on_leave_server (HarkCommand *command, gpointer concern)
{
  HarkMembership *membership = concern;
  MemberRequest *self = hark_request_new (sizeof *self, command, concern, member_request_clear);
  GError *error = NULL;
  self->user_id = self->parent.actor;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error))
    hark_request_write (self, membership->store, leave_in_thread, on_member_gone);
  else
    hark_request_refuse (self, error);
}

/* list_members */

typedef struct
{
  HarkRequest parent;
  gint64 server_id;
  gint64 after;
  guint limit;
} ListMembers;

static gboolean
list_members_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListMembers *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  HarkStanding standing;
  gint64 last = 0;
  guint n = 0;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, self->parent.is_admin,
                                  HARK_PERMISSION_MANAGE_SERVER, &standing, error)
      || !hark_transaction_query (tx, &rows, error,
                                  "SELECT " HARK_MEMBER_COLUMNS ", m.joined_at FROM members m"
                                  " JOIN users u ON u.user_id = m.user_id"
                                  " WHERE m.server_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
                                  "iii", self->server_id, self->after, (gint64)self->limit + 1))
    return FALSE;
  hark_json_writer_member (json, "members");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error) && n++ < self->limit)
    {
      last = hark_rows_get_int64 (&rows, 0);
      hark_json_writer_begin_object (json);
      hark_member_row_write (&rows, json);
      hark_json_writer_member_time (json, "joined", hark_rows_get_int64 (&rows, HARK_N_MEMBER_COLUMNS));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "next");
  if (n > self->limit)
    hark_json_writer_id (json, last);
  else
    hark_json_writer_null (json);
  return hark_rows_check (&local_error, error);
}

static void
on_list_members (HarkCommand *command, gpointer concern)
{
  HarkMembership *membership = concern;
  ListMembers *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, &error)
      && hark_field_get_page (command->args, PAGE, MAX_PAGE, &self->after, &self->limit, &error))
    hark_request_read (self, membership->store, list_members_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "add_member", HARK_COMMAND_NONE, NULL, on_add_member },
  { "kick_member", HARK_COMMAND_NONE, NULL, on_kick_member },
  { "leave_server", HARK_COMMAND_NONE, NULL, on_leave_server },
  { "list_members", HARK_COMMAND_BACK_END, NULL, on_list_members },
};

HarkMembership *
hark_membership_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkNotifications *notifications,
                     const HarkChatLimits *limits)
{
  HarkMembership *self = g_new0 (HarkMembership, 1);
  self->notifications = notifications;
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_membership_free (HarkMembership *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
