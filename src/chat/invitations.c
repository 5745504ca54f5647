/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Being asked to a server. An invitation waits until the invited user accepts or declines it, until who invited takes it
 * back, or until it is too old; the other of the two is told of each step on all sessions. A row is an invitation that
 * waits, so what was never offered, was withdrawn or was answered cannot be accepted.
 */
#include "chat/invitations.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/intervals.h"
#include "chat/request.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/user-ref.h"

/* The columns of an invitation `i`, of its users `a` (inviting) and `b` (invited) and of its server `s`. */
#define COLUMNS                                                                                                        \
  "i.invitation_id, b.username, b.profile_pic, b.user_id, a.username, a.profile_pic, a.user_id, s.server_id, s.name,"  \
  " s.icon, i.seq, i.created_at, i.expires_at"
#define TABLES                                                                                                         \
  " FROM invitations i JOIN users a ON a.user_id = i.inviting_id JOIN users b ON b.user_id = i.invited_id"             \
  " JOIN servers s ON s.server_id = i.server_id"

struct _HarkInvitations
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkMembership *membership;
  HarkNotifications *notifications;
  const HarkChatLimits *limits;
  HarkIntervals *intervals; /* (owned) */
  HarkCounter *n_made;
  HarkCounter *n_accepted;
};

typedef struct
{
  HarkRequest parent;
  const char *method;
  HarkUserRef target; /* as it was named */
  gboolean has_target;
  gint64 target_id; /* 0: none */
  gint64 server_id;
  HarkWork work;
  HarkRequestFunc done; /* (nullable) */
  HarkArrival arrival;
} Invitation;

/* Works. */

static void
write_row (const HarkRows *rows, HarkJsonWriter *json)
{
  hark_json_writer_member_id (json, "invitation_id", hark_rows_get_int64 (rows, 0));
  hark_json_writer_member_string (json, "invited", hark_rows_get_text (rows, 1, NULL));
  hark_json_writer_member_string (json, "invited_img", hark_rows_get_text_or_empty (rows, 2));
  hark_json_writer_member_id (json, "invited_id", hark_rows_get_int64 (rows, 3));
  hark_json_writer_member_string (json, "inviting", hark_rows_get_text (rows, 4, NULL));
  hark_json_writer_member_string (json, "inviting_img", hark_rows_get_text_or_empty (rows, 5));
  hark_json_writer_member_id (json, "inviting_id", hark_rows_get_int64 (rows, 6));
  hark_json_writer_member_id (json, "server_id", hark_rows_get_int64 (rows, 7));
  hark_json_writer_member_string (json, "server_name", hark_rows_get_text (rows, 8, NULL));
  hark_json_writer_member_string (json, "server_icon", hark_rows_get_text_or_empty (rows, 9));
  hark_json_writer_member_time (json, "timestamp", hark_rows_get_int64 (rows, 11));
  hark_json_writer_member_time (json, "expires", hark_rows_get_int64 (rows, 12));
}

/* Goes to the one that waits, from @inviting_id (0: whoever that is); %HARK_ERROR_NOT_FOUND. */
static gboolean
find_waiting (HarkTransaction *tx, HarkRows *rows, gint64 server_id, gint64 inviting_id, gint64 invited_id,
              GError **error)
{
  return hark_transaction_query (tx, rows, error,
                                 "SELECT " COLUMNS TABLES " WHERE i.invited_id = ? AND i.server_id = ?"
                                 " AND i.expires_at > ? AND (? = 0 OR i.inviting_id = ?)",
                                 "iiiii", invited_id, server_id, hark_transaction_now_ms (tx), inviting_id, inviting_id)
         && hark_rows_require (rows, "server_id", error);
}

/* Tells @user_id of a step, about the row that waits. */
static gboolean
emit (HarkTransaction *tx, const char *type, gint64 user_id, gint64 server_id, gint64 invited_id, const char *by,
      gint64 *seq, GError **error)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_PERSONAL, user_id);
  g_auto (HarkDraft) draft = HARK_DRAFT_INIT;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_draft_begin (&draft, tx, &topic, type, error) || !find_waiting (tx, &rows, server_id, 0, invited_id, error))
    return FALSE;
  write_row (&rows, &draft.json);
  if (by != NULL)
    hark_json_writer_member_string (&draft.json, "by", by);
  hark_rows_end (&rows);
  *seq = draft.position.seq;
  return hark_draft_end (&draft, tx, NULL, NULL, error);
}

static gboolean
check_number (HarkTransaction *tx, const char *sql, gint64 user_id, const char *what, const HarkChatLimits *limits,
              GError **error)
{
  gint64 n;
  if (!hark_transaction_query_int64 (tx, &n, NULL, error, sql, "ii", user_id, hark_transaction_now_ms (tx)))
    return FALSE;
  if (n < limits->invitations_per_user)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"invited\": %u invitations %s a user can wait for an answer",
               limits->invitations_per_user, what);
  return FALSE;
}

static gboolean
check_new (Invitation *self, HarkTransaction *tx, GError **error)
{
  const HarkChatLimits *limits = ((HarkInvitations *)self->parent.concern)->limits;
  gboolean is_member, waits;
  HarkStanding standing;
  gint64 one;
  if (!hark_rights_manage_server (tx, self->server_id, self->parent.actor, FALSE, HARK_PERMISSION_INVITE_MEMBERS,
                                  &standing, error)
      || !hark_rights_is_member (tx, self->server_id, self->target_id, &is_member, error)
      || !hark_transaction_query_int64 (tx, &one, &waits, error,
                                        "SELECT 1 FROM invitations WHERE invited_id = ? AND server_id = ?"
                                        " AND expires_at > ?",
                                        "iii", self->target_id, self->server_id, hark_transaction_now_ms (tx)))
    return FALSE;
  if (is_member || waits)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"invited\": the user is %s already",
                   is_member ? "a member" : "invited");
      return FALSE;
    }
  return check_number (tx, "SELECT count(*) FROM invitations WHERE inviting_id = ? AND expires_at > ?",
                       self->parent.actor, "of", limits, error)
         && check_number (tx, "SELECT count(*) FROM invitations WHERE invited_id = ? AND expires_at > ?",
                          self->target_id, "to", limits, error);
}

static gboolean
notify_invited (Invitation *self, HarkTransaction *tx, gint64 invitation_id, GError **error)
{
  HarkInvitations *invitations = self->parent.concern;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, invitation_id);
  g_autofree char *server = g_strdup_printf ("%" G_GINT64_FORMAT, self->server_id);
  g_autofree char *username = NULL;
  g_autofree char *name = NULL;
  g_autofree char *message = NULL;
  HarkNotification notification = { 0 };
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT u.username, u.displayname, s.name FROM users u, servers s"
                               " WHERE u.user_id = ? AND s.server_id = ?",
                               "ii", self->parent.actor, self->server_id)
      || !hark_rows_require (&rows, "server_id", error))
    return FALSE;
  username = g_strdup (hark_rows_get_text (&rows, 0, NULL));
  name = g_strdup (hark_rows_get_text (&rows, 2, NULL));
  message = g_strdup_printf ("%s invited you to %s", hark_rows_get_text (&rows, 1, NULL), name);
  hark_rows_end (&rows);
  notification.message = message;
  notification.action = "invitation";
  notification.action_id = id;
  notification.by_user = username;
  notification.action_content = name;
  notification.affected = "server";
  notification.affected_id = server;
  return hark_notification_raise (invitations->notifications, tx, self->target_id, &notification, error);
}

static gboolean
invite_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Invitation *self = data;
  HarkInvitations *invitations = self->parent.concern;
  gint64 now = hark_transaction_now_ms (tx), id, seq;
  if (!check_new (self, tx, error)
      || !hark_transaction_exec (tx, error, "DELETE FROM invitations WHERE invited_id = ? AND server_id = ?", "ii",
                                 self->target_id, self->server_id))
    return FALSE;
  id = hark_transaction_next_id (tx);
  if (!hark_transaction_exec (tx, error,
                              "INSERT INTO invitations (invitation_id, server_id, inviting_id, invited_id, seq,"
                              " created_at, expires_at) VALUES (?, ?, ?, ?, 0, ?, ?)",
                              "iiiiii", id, self->server_id, self->parent.actor, self->target_id, now,
                              now + invitations->limits->invitation_age_ms)
      || !emit (tx, "invitation", self->target_id, self->server_id, self->target_id, NULL, &seq, error)
      || !hark_transaction_exec (tx, error, "UPDATE invitations SET seq = ? WHERE invitation_id = ?", "ii", seq, id)
      || !notify_invited (self, tx, id, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "invitation_id", id);
  return TRUE;
}

static gboolean
remove_row (HarkTransaction *tx, gint64 server_id, gint64 invited_id, GError **error)
{
  return hark_transaction_exec (tx, error, "DELETE FROM invitations WHERE invited_id = ? AND server_id = ?", "ii",
                                invited_id, server_id);
}

static gboolean
withdraw_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Invitation *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 seq;
  if (!find_waiting (tx, &rows, self->server_id, self->parent.actor, self->target_id, error))
    return FALSE;
  hark_rows_end (&rows);
  return emit (tx, "cancel_invitation", self->target_id, self->server_id, self->target_id, "inviting", &seq, error)
         && remove_row (tx, self->server_id, self->target_id, error);
}

static gboolean
decline_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Invitation *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 inviting_id, seq;
  if (!find_waiting (tx, &rows, self->server_id, 0, self->parent.actor, error))
    return FALSE;
  inviting_id = hark_rows_get_int64 (&rows, 6);
  hark_rows_end (&rows);
  return emit (tx, "cancel_invitation", inviting_id, self->server_id, self->parent.actor, "invited", &seq, error)
         && remove_row (tx, self->server_id, self->parent.actor, error);
}

/* Whoever may not invite any more has not invited either. */
static gboolean
check_inviting (HarkTransaction *tx, gint64 server_id, gint64 inviting_id, GError **error)
{
  HarkStanding standing;
  if (!hark_rights_get_standing (tx, server_id, inviting_id, FALSE, &standing, error))
    return FALSE;
  if (standing.permissions & HARK_PERMISSION_INVITE_MEMBERS)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"server_id\": there is no invitation any more");
  return FALSE;
}

static gboolean
accept_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Invitation *self = data;
  HarkInvitations *invitations = self->parent.concern;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  gint64 inviting_id, seq;
  if (!find_waiting (tx, &rows, self->server_id, 0, self->parent.actor, error))
    return FALSE;
  inviting_id = hark_rows_get_int64 (&rows, 6);
  hark_rows_end (&rows);
  return check_inviting (tx, self->server_id, inviting_id, error)
         && hark_membership_begin (tx, self->server_id, self->parent.actor, invitations->limits, &self->arrival, error)
         && emit (tx, "accept_invitation", inviting_id, self->server_id, self->parent.actor, NULL, &seq, error)
         && remove_row (tx, self->server_id, self->parent.actor, error)
         && hark_notification_raise_member (invitations->notifications, tx, self->server_id, self->parent.actor, error);
}

/**
 * hark_invitations_read:
 *
 * Gives each as the event that told of it, with names and pictures as they are now.
 */
gboolean
hark_invitations_read (HarkTransaction *tx, gint64 invited_id, guint max, HarkInvitationFunc func, gpointer data,
                       GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_auto (HarkJsonWriter) json = { 0 };
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " COLUMNS TABLES " JOIN members m ON m.server_id = i.server_id"
                               " AND m.user_id = i.inviting_id WHERE i.invited_id = ? AND i.expires_at > ?"
                               " ORDER BY i.invitation_id LIMIT ?",
                               "iii", invited_id, hark_transaction_now_ms (tx), (gint64)max))
    return FALSE;
  hark_json_writer_init (&json, 0);
  while (hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const char *text;
      hark_json_writer_reset (&json);
      hark_json_writer_begin_object (&json);
      hark_json_writer_member_string (&json, "type", "invitation");
      hark_json_writer_member_int (&json, "seq", hark_rows_get_int64 (&rows, 10));
      write_row (&rows, &json);
      hark_json_writer_end_object (&json);
      text = hark_json_writer_peek (&json, &len);
      func (text, len, data);
    }
  return hark_rows_check (&local_error, error);
}

/* The hub's side. */

static void
on_arrived (gpointer request)
{
  Invitation *self = request;
  HarkInvitations *invitations = self->parent.concern;
  hark_counter_add (invitations->n_accepted, 1);
  hark_membership_arrived (invitations->membership, self->server_id, self->parent.actor, &self->arrival);
}

static void
on_made (gpointer request)
{
  Invitation *self = request;
  hark_counter_add (((HarkInvitations *)self->parent.concern)->n_made, 1);
}

static gboolean
resolve_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Invitation *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (self->has_target && !hark_user_ref_find (&self->target, tx, "invited", &self->target_id, error))
    return FALSE;
  if (self->work == withdraw_in_thread && self->target_id == self->parent.actor)
    self->work = decline_in_thread;
  if (self->work != decline_in_thread)
    return TRUE;
  /* Declining is done to who has invited. */
  if (!find_waiting (tx, &rows, self->server_id, 0, self->parent.actor, error))
    return FALSE;
  self->target_id = hark_rows_get_int64 (&rows, 6);
  return TRUE;
}

/* The bound is on users, whichever way they are named: so it comes after the names, and before anything is written. */
static void
on_resolved (gpointer data, const GError *error, gpointer user_data)
{
  Invitation *self = data;
  HarkInvitations *invitations = self->parent.concern;
  GError *refusal = error != NULL ? g_error_copy (error) : NULL;
  if (refusal == NULL && self->target_id == self->parent.actor)
    g_set_error (&refusal, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"invited\" must be somebody else");
  if (refusal == NULL
      && !hark_intervals_take (invitations->intervals, self->method, self->parent.actor, self->target_id, &refusal))
    self->parent.command->spared = TRUE;
  if (refusal != NULL)
    hark_request_refuse (self, refusal);
  else
    hark_request_write (self, invitations->store, self->work, self->done);
}

static Invitation *
invitation_new (HarkCommand *command, gpointer concern, GError **error)
{
  Invitation *self = hark_request_new (sizeof *self, command, concern, NULL);
  self->method = command->spec->name;
  if (self->parent.actor == 0)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "only users invite and are invited");
  else
    hark_json_object_get_id (command->args, "server_id", HARK_FIELD_REQUIRED, &self->server_id, error);
  return self;
}

static void
on_invitation (HarkCommand *command, gpointer concern)
{
  HarkInvitations *invitations = concern;
  GError *error = NULL;
  Invitation *self = invitation_new (command, concern, &error);
  self->work = invite_in_thread;
  self->done = on_made;
  self->has_target = TRUE;
  if (error == NULL && hark_user_ref_get (command->args, "invited", &self->target, &error))
    hark_store_read (invitations->store, resolve_in_thread, self, NULL, on_resolved, NULL);
  else
    hark_request_refuse (self, error);
}

/* Who names somebody else takes back; who names nobody, or themselves as pages do, declines. */
static void
on_cancel_invitation (HarkCommand *command, gpointer concern)
{
  HarkInvitations *invitations = concern;
  const HarkJsonValue *invited = hark_json_object_get (command->args, "invited");
  GError *error = NULL;
  Invitation *self = invitation_new (command, concern, &error);
  self->has_target = invited != NULL && invited->token != HARK_JSON_NULL;
  self->work = self->has_target ? withdraw_in_thread : decline_in_thread;
  if (error == NULL && (!self->has_target || hark_user_ref_get (command->args, "invited", &self->target, &error)))
    hark_store_read (invitations->store, resolve_in_thread, self, NULL, on_resolved, NULL);
  else
    hark_request_refuse (self, error);
}

static void
on_accept_invitation (HarkCommand *command, gpointer concern)
{
  HarkInvitations *invitations = concern;
  GError *error = NULL;
  Invitation *self = invitation_new (command, concern, &error);
  if (error == NULL)
    hark_request_write (self, invitations->store, accept_in_thread, on_arrived);
  else
    hark_request_refuse (self, error);
}

/* get_invitations */

static void
write_one (const char *json, gsize len, gpointer data)
{
  hark_json_writer_raw (data, json, len);
}

static gboolean
write_made (HarkTransaction *tx, gint64 inviting_id, HarkJsonWriter *json, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " COLUMNS TABLES " WHERE i.inviting_id = ? AND i.expires_at > ?"
                               " ORDER BY i.invitation_id",
                               "ii", inviting_id, hark_transaction_now_ms (tx)))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      write_row (&rows, json);
      hark_json_writer_end_object (json);
    }
  return hark_rows_check (&local_error, error);
}

static gboolean
get_invitations_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  HarkRequest *self = data;
  HarkInvitations *invitations = self->concern;
  hark_json_writer_member (&self->reply, "invitations");
  hark_json_writer_begin_array (&self->reply);
  if (!hark_invitations_read (tx, self->actor, invitations->limits->invitations_per_user, write_one, &self->reply,
                              error))
    return FALSE;
  hark_json_writer_end_array (&self->reply);
  hark_json_writer_member (&self->reply, "made");
  hark_json_writer_begin_array (&self->reply);
  if (!write_made (tx, self->actor, &self->reply, error))
    return FALSE;
  hark_json_writer_end_array (&self->reply);
  return TRUE;
}

static void
on_get_invitations (HarkCommand *command, gpointer concern)
{
  HarkInvitations *invitations = concern;
  HarkRequest *self = hark_request_new (sizeof *self, command, concern, NULL);
  hark_request_read (self, invitations->store, get_invitations_in_thread, NULL);
}

static const HarkCommandSpec specs[] = {
  { "invitation", HARK_COMMAND_NONE, NULL, on_invitation },
  { "cancel_invitation", HARK_COMMAND_NONE, NULL, on_cancel_invitation },
  { "accept_invitation", HARK_COMMAND_NONE, NULL, on_accept_invitation },
  { "get_invitations", HARK_COMMAND_NONE, NULL, on_get_invitations },
};

HarkInvitations *
hark_invitations_new (HarkHub *hub, HarkStore *store, HarkMembership *membership, HarkNotifications *notifications,
                      HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkInvitations *self = g_new0 (HarkInvitations, 1);
  self->hub = hub;
  self->store = store;
  self->membership = membership;
  self->notifications = notifications;
  self->limits = limits;
  self->intervals = hark_intervals_new (hark_hub_get_clock (hub), metrics, limits->invitation_interval_ms,
                                        limits->invitation_intervals);
  self->n_made = hark_metrics_counter (metrics, "hark_invitations_total", "Invitations made.");
  self->n_accepted = hark_metrics_counter (metrics, "hark_invitations_accepted_total", "Invitations accepted.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_invitations_free (HarkInvitations *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  hark_intervals_free (self->intervals);
  g_free (self);
}
