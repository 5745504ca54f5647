/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users, as administrators make, list, change and delete them. What users change of themselves is in members.c. */
#include "chat/accounts.h"

#include "base/error.h"
#include "chat/draft.h"
#include "chat/fields.h"
#include "chat/jwt-users.h"
#include "chat/membership.h"
#include "chat/profile.h"
#include "chat/request.h"
#include "chat/rows.h"
#include "chat/user-row.h"

#define PAGE 100
#define MAX_PAGE 1000

struct _HarkAccounts
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkMembership *membership;
  HarkTokenAuthenticator *authenticator;
  const HarkChatLimits *limits;
};

/* create_user */

typedef struct
{
  HarkRequest parent;
  char *username;
  char *displayname;
  gboolean admin;
} CreateUser;

static void
create_user_clear (gpointer data)
{
  CreateUser *self = data;
  g_free (self->username);
  g_free (self->displayname);
}

static gboolean
name_taken (GError **error)
{
  if (error != NULL && g_error_matches (*error, HARK_ERROR, HARK_ERROR_CONFLICT))
    {
      g_clear_error (error);
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"username\": another user has that name");
    }
  return FALSE;
}

/**
 * hark_accounts_insert:
 * @user_id: (out)
 *
 * Makes a user, in a piece of work. %HARK_ERROR_CONFLICT when another has the name.
 */
gboolean
hark_accounts_insert (HarkTransaction *tx, const char *username, const char *displayname, gboolean admin,
                      gint64 *user_id, GError **error)
{
  *user_id = hark_transaction_next_id (tx);
  return hark_transaction_exec (tx, error,
                                "INSERT INTO users (user_id, username, displayname, chosen, is_admin, created_at)"
                                " VALUES (?, ?, ?, 'online', ?, ?)",
                                "ittii", *user_id, username, displayname, (gint64)admin, hark_transaction_now_ms (tx))
         || name_taken (error);
}

/* The names in a request that makes a user; who is to be shown as none is shown as the name was written, capitals and
 * all. */
gboolean
hark_accounts_read_names (const HarkJsonObject *args, const HarkChatLimits *limits, char **username, char **displayname,
                          GError **error)
{
  if (!hark_field_get_username (args, "username", HARK_FIELD_REQUIRED, username, error)
      || !hark_field_get_name (args, "displayname", HARK_FIELD_OPTIONAL, limits->displayname_chars, displayname, error))
    return FALSE;
  return *displayname != NULL
         || hark_json_object_get_string (args, "username", HARK_FIELD_REQUIRED, HARK_USERNAME_MAX, displayname, error);
}

static gboolean
create_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  CreateUser *self = data;
  gint64 id;
  if (!hark_accounts_insert (tx, self->username, self->displayname, self->admin, &id, error))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "user_id", id);
  hark_json_writer_member_string (&self->parent.reply, "username", self->username);
  return TRUE;
}

static void
on_create_user (HarkCommand *command, gpointer concern)
{
  HarkAccounts *accounts = concern;
  CreateUser *self = hark_request_new (sizeof *self, command, accounts, create_user_clear);
  const HarkJsonObject *args = command->args;
  GError *error = NULL;
  if (hark_accounts_read_names (args, accounts->limits, &self->username, &self->displayname, &error)
      && hark_json_object_get_boolean (args, "admin", HARK_FIELD_OPTIONAL, &self->admin, &error))
    hark_request_write (self, accounts->store, create_user_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* list_users, get_user */

static void
write_user (const HarkRows *rows, HarkJsonWriter *json)
{
  hark_user_row_write (rows, json);
  hark_json_writer_member_boolean (json, "admin", hark_rows_get_int64 (rows, HARK_N_USER_COLUMNS) != 0);
  hark_json_writer_member_time (json, "created", hark_rows_get_int64 (rows, HARK_N_USER_COLUMNS + 1));
}

typedef struct
{
  HarkRequest parent;
  gint64 after;
  guint limit;
  char *query;
} ListUsers;

static void
list_users_clear (gpointer data)
{
  g_free (((ListUsers *)data)->query);
}

static gboolean
list_users_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListUsers *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  const char *query = self->query != NULL ? self->query : "";
  gint64 last = 0;
  guint n = 0;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_USER_COLUMNS ", u.is_admin, u.created_at FROM users u"
                               " WHERE u.user_id > ? AND substr(u.username, 1, length(?)) = ?"
                               " ORDER BY u.user_id LIMIT ?",
                               "itti", self->after, query, query, (gint64)self->limit + 1))
    return FALSE;
  hark_json_writer_member (json, "users");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error) && n++ < self->limit)
    {
      last = hark_rows_get_int64 (&rows, 0);
      hark_json_writer_begin_object (json);
      write_user (&rows, json);
      hark_json_writer_end_object (json);
    }
  if (!hark_rows_check (&local_error, error))
    return FALSE;
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "next");
  if (n > self->limit)
    hark_json_writer_id (json, last);
  else
    hark_json_writer_null (json);
  return TRUE;
}

static void
on_list_users (HarkCommand *command, gpointer concern)
{
  HarkAccounts *accounts = concern;
  ListUsers *self = hark_request_new (sizeof *self, command, accounts, list_users_clear);
  GError *error = NULL;
  if (hark_field_get_page (command->args, PAGE, MAX_PAGE, &self->after, &self->limit, &error)
      && hark_field_get_username (command->args, "query", HARK_FIELD_OPTIONAL, &self->query, &error))
    hark_request_read (self, accounts->store, list_users_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

typedef struct
{
  HarkRequest parent;
  gint64 user_id;
  char *username;
} GetUser;

static void
get_user_clear (gpointer data)
{
  g_free (((GetUser *)data)->username);
}

static gboolean
get_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GetUser *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT " HARK_USER_COLUMNS ", u.is_admin, u.created_at FROM users u"
                               " WHERE u.user_id = ? OR u.username = ?",
                               "it", self->user_id, self->username)
      || !hark_rows_require (&rows, self->username != NULL ? "username" : "user_id", error))
    return FALSE;
  write_user (&rows, &self->parent.reply);
  return TRUE;
}

static void
on_get_user (HarkCommand *command, gpointer concern)
{
  HarkAccounts *accounts = concern;
  GetUser *self = hark_request_new (sizeof *self, command, accounts, get_user_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "user_id", HARK_FIELD_OPTIONAL, &self->user_id, &error)
      && hark_field_get_username (command->args, "username", HARK_FIELD_OPTIONAL, &self->username, &error)
      && (self->user_id != 0) == (self->username != NULL))
    g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "either \"user_id\" or \"username\" must be given");
  if (error != NULL)
    hark_request_refuse (self, error);
  else
    hark_request_read (self, accounts->store, get_user_in_thread, NULL);
}

/* update_user */

typedef struct
{
  HarkRequest parent;
  gint64 user_id;
  char *username;
  HarkProfile profile;
  gboolean sets_admin;
  gboolean admin;
  gboolean rights_changed; /* out */
} UpdateUser;

static void
update_user_clear (gpointer data)
{
  UpdateUser *self = data;
  g_free (self->username);
  hark_profile_clear (&self->profile);
}

static gboolean
update_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  UpdateUser *self = data;
  gint64 was_admin;
  gboolean found;
  if (!hark_transaction_query_int64 (tx, &was_admin, &found, error, "SELECT is_admin FROM users WHERE user_id = ?", "i",
                                     self->user_id))
    return FALSE;
  if (!found)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such user");
      return FALSE;
    }
  self->rights_changed = (self->sets_admin && self->admin != was_admin) || self->username != NULL;
  if (self->username != NULL
      && !hark_transaction_exec (tx, error, "UPDATE users SET username = ? WHERE user_id = ?", "ti", self->username,
                                 self->user_id))
    return name_taken (error);
  if (self->sets_admin
      && !hark_transaction_exec (tx, error, "UPDATE users SET is_admin = ? WHERE user_id = ?", "ii",
                                 (gint64)self->admin, self->user_id))
    return FALSE;
  return hark_profile_apply (&self->profile, tx, self->user_id, self->username, error);
}

/* Identities carry name and rights: who has other ones now comes back with a new one. */
static void
on_user_updated (gpointer request)
{
  UpdateUser *self = request;
  HarkAccounts *accounts = self->parent.concern;
  if (!self->rights_changed)
    return;
  hark_token_authenticator_drop_user (accounts->authenticator, self->user_id);
  hark_hub_disconnect_user (accounts->hub, self->user_id, HARK_CLOSE_DISCONNECTED,
                            "your account has changed: connect again");
}

static void
on_update_user (HarkCommand *command, gpointer concern)
{
  HarkAccounts *accounts = concern;
  UpdateUser *self = hark_request_new (sizeof *self, command, accounts, update_user_clear);
  const HarkJsonObject *args = command->args;
  const HarkJsonValue *admin = hark_json_object_get (args, "admin");
  GError *error = NULL;
  self->sets_admin = admin != NULL && admin->token != HARK_JSON_NULL;
  if (hark_json_object_get_id (args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error)
      && hark_field_get_username (args, "username", HARK_FIELD_OPTIONAL, &self->username, &error)
      && hark_json_object_get_boolean (args, "admin", HARK_FIELD_OPTIONAL, &self->admin, &error)
      && hark_profile_read (&self->profile, args, accounts->limits, &error))
    hark_request_write (self, accounts->store, update_user_in_thread, on_user_updated);
  else
    hark_request_refuse (self, error);
}

/* delete_user */

typedef struct
{
  HarkRequest parent;
  gint64 user_id;
  HarkDeparture departure;
} DeleteUser;

static void
delete_user_clear (gpointer data)
{
  hark_departure_clear (&((DeleteUser *)data)->departure);
}

static gboolean
delete_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  DeleteUser *self = data;
  g_autoptr (GArray) servers = NULL;
  gint64 owned;
  gboolean owns;
  if (!hark_transaction_query_int64 (tx, &owned, &owns, error,
                                     "SELECT server_id FROM servers WHERE owner_id = ? LIMIT 1", "i", self->user_id))
    return FALSE;
  if (owns)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT,
                   "\"user_id\": the user owns server %" G_GINT64_FORMAT ", which must have another owner first",
                   owned);
      return FALSE;
    }
  servers = hark_membership_list_servers (tx, self->user_id, error);
  if (servers == NULL)
    return FALSE;
  for (guint i = 0; i < servers->len; i++)
    if (!hark_membership_end (tx, g_array_index (servers, gint64, i), self->user_id, &self->departure, error))
      return FALSE;
  if (!hark_jwt_users_note_gone (tx, self->user_id, error)
      || !hark_transaction_exec (tx, error, "DELETE FROM read_marks WHERE user_id = ?", "i", self->user_id)
      || !hark_transaction_exec (tx, error, "DELETE FROM users WHERE user_id = ?", "i", self->user_id))
    return FALSE;
  if (hark_transaction_get_changes (tx) > 0)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such user");
  return FALSE;
}

static void
on_user_deleted (gpointer request)
{
  DeleteUser *self = request;
  HarkAccounts *accounts = self->parent.concern;
  hark_token_authenticator_drop_user (accounts->authenticator, self->user_id);
  hark_hub_disconnect_user (accounts->hub, self->user_id, HARK_CLOSE_UNAUTHENTICATED, "the account is gone");
  hark_membership_forget_user (accounts->membership, self->user_id, &self->departure);
}

static void
on_delete_user (HarkCommand *command, gpointer concern)
{
  HarkAccounts *accounts = concern;
  DeleteUser *self = hark_request_new (sizeof *self, command, accounts, delete_user_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error))
    hark_request_write (self, accounts->store, delete_user_in_thread, on_user_deleted);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "create_user", HARK_COMMAND_ADMIN, NULL, on_create_user },
  { "list_users", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_list_users },
  { "get_user", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_get_user },
  { "update_user", HARK_COMMAND_ADMIN, NULL, on_update_user },
  { "delete_user", HARK_COMMAND_ADMIN, NULL, on_delete_user },
};

HarkAccounts *
hark_accounts_new (HarkHub *hub, HarkStore *store, HarkMembership *membership, HarkTokenAuthenticator *authenticator,
                   const HarkChatLimits *limits)
{
  HarkAccounts *self = g_new0 (HarkAccounts, 1);
  self->hub = hub;
  self->store = store;
  self->membership = membership;
  self->authenticator = authenticator;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_accounts_free (HarkAccounts *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
