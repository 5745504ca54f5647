/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords as they are set: by their user, who knows the old one, by an administrator, and by who makes an account of
 * one's own. Another password ends what the old one has let in.
 */
#include "chat/credentials.h"

#include "base/error.h"
#include "chat/accounts.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rows.h"
#include "chat/token-row.h"

struct _HarkCredentials
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkPasswords *passwords;
  HarkAttempts *attempts;
  HarkTokens *tokens;
  const HarkChatLimits *limits;
  HarkCounter *n_registered;
};

/* A password that somebody is to have from now on. */
static gboolean
get_new_password (HarkCredentials *self, const HarkJsonObject *args, char **password, GError **error)
{
  if (!hark_json_object_get_string (args, "password", HARK_FIELD_REQUIRED, HARK_PASSWORD_MAX, password, error))
    return FALSE;
  if (g_utf8_strlen (*password, -1) >= self->limits->password_chars)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"password\" must have at least %u characters",
               self->limits->password_chars);
  return FALSE;
}

/* set_password, set_user_password */

typedef struct
{
  HarkRequest parent;
  gint64 user_id;
  gint64 token_id;    /* that stays; 0: none */
  char *username;     /* (nullable): of who asks for another password of one's own */
  char *old_password; /* (nullable) */
  char *password;
  char *old_hash;  /* (nullable): what there was */
  char *hash;      /* (nullable) */
  GArray *revoked; /* (element-type gint64) (owned): out */
} SetPassword;

static void
set_password_clear (gpointer data)
{
  SetPassword *self = data;
  g_free (self->username);
  g_free (self->old_password);
  g_free (self->password);
  g_free (self->old_hash);
  g_free (self->hash);
  g_clear_pointer (&self->revoked, g_array_unref);
}

/* Of two who change it at once, both knowing the old one, the second does not know it any more. */
static gboolean
check_unchanged (HarkTransaction *tx, SetPassword *self, GError **error)
{
  gint64 one;
  gboolean found;
  if (!hark_transaction_query_int64 (tx, &one, &found, error,
                                     "SELECT 1 FROM users u LEFT JOIN passwords p ON p.user_id = u.user_id"
                                     " WHERE u.user_id = ? AND p.hash IS ?",
                                     "it", self->user_id, self->old_hash))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "\"old_password\": it has been changed meanwhile");
  return found;
}

static gboolean
check_user (HarkTransaction *tx, SetPassword *self, GError **error)
{
  gint64 one;
  gboolean found;
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM users WHERE user_id = ?", "i",
                                     self->user_id))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such user");
  return found;
}

static gboolean
set_password_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SetPassword *self = data;
  self->revoked = g_array_new (FALSE, FALSE, sizeof (gint64));
  return (self->username != NULL ? check_unchanged (tx, self, error) : check_user (tx, self, error))
         && hark_transaction_exec (tx, error,
                                   "INSERT INTO passwords (user_id, hash, changed_at) VALUES (?, ?, ?)"
                                   " ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash,"
                                   " changed_at = excluded.changed_at",
                                   "iti", self->user_id, self->hash, hark_transaction_now_ms (tx))
         && hark_token_row_revoke_logins (tx, self->user_id, self->token_id, self->revoked, error);
}

static void
on_password_set (gpointer request)
{
  SetPassword *self = request;
  HarkCredentials *credentials = self->parent.concern;
  for (guint i = 0; i < self->revoked->len; i++)
    hark_tokens_end (credentials->tokens, self->user_id, g_array_index (self->revoked, gint64, i),
                     "the password was changed");
}

static void
on_password_made (gboolean right, const char *hash, const GError *error, gpointer data)
{
  SetPassword *self = data;
  HarkCredentials *credentials = self->parent.concern;
  if (error != NULL)
    {
      hark_request_refuse (self, g_error_copy (error));
      return;
    }
  self->hash = g_strdup (hash);
  hark_request_write (self, credentials->store, set_password_in_thread, on_password_set);
}

static void
on_old_checked (gboolean right, const char *hash, const GError *error, gpointer data)
{
  SetPassword *self = data;
  HarkCredentials *credentials = self->parent.concern;
  if (error != NULL)
    {
      hark_request_refuse (self, g_error_copy (error));
      return;
    }
  if (!right)
    {
      hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"old_password\" is not the password"));
      return;
    }
  hark_attempts_forgive (credentials->attempts, self->username);
  hark_passwords_make (credentials->passwords, self->password, on_password_made, self);
}

static gboolean
read_old_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  SetPassword *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error, "SELECT hash FROM passwords WHERE user_id = ?", "i", self->user_id))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    self->old_hash = g_strdup (hark_rows_get_text (&rows, 0, NULL));
  return hark_rows_check (&local_error, error);
}

/* Who has none yet has come by a token, and needs no other proof. */
static void
on_old_read (gpointer data, const GError *error, gpointer user_data)
{
  SetPassword *self = data;
  HarkCredentials *credentials = self->parent.concern;
  if (error != NULL)
    hark_request_refuse (self, g_error_copy (error));
  else if (self->old_hash == NULL)
    hark_passwords_make (credentials->passwords, self->password, on_password_made, self);
  else if (self->old_password == NULL)
    hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"old_password\" is missing"));
  else
    hark_passwords_check (credentials->passwords, self->old_password, self->old_hash, on_old_checked, self);
}

static void
on_set_password (HarkCommand *command, gpointer concern)
{
  HarkCredentials *credentials = concern;
  SetPassword *self = hark_request_new (sizeof *self, command, concern, set_password_clear);
  GError *error = NULL;
  self->user_id = self->parent.actor;
  self->token_id = command->actor->token_id;
  self->username = g_strdup (command->actor->username);
  if (get_new_password (credentials, command->args, &self->password, &error)
      && hark_json_object_get_string (command->args, "old_password", HARK_FIELD_OPTIONAL, HARK_PASSWORD_MAX,
                                      &self->old_password, &error)
      && hark_attempts_take (credentials->attempts, self->username, command->peer, &error))
    hark_store_read (credentials->store, read_old_in_thread, self, NULL, on_old_read, NULL);
  else
    hark_request_refuse (self, error);
}

static void
on_set_user_password (HarkCommand *command, gpointer concern)
{
  HarkCredentials *credentials = concern;
  SetPassword *self = hark_request_new (sizeof *self, command, concern, set_password_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error)
      && get_new_password (credentials, command->args, &self->password, &error))
    hark_passwords_make (credentials->passwords, self->password, on_password_made, self);
  else
    hark_request_refuse (self, error);
}

/* register */

typedef struct
{
  HarkRequest parent;
  char *username;
  char *displayname;
  char *password;
  char *hash; /* (nullable) */
} Register;

static void
register_clear (gpointer data)
{
  Register *self = data;
  g_free (self->username);
  g_free (self->displayname);
  g_free (self->password);
  g_free (self->hash);
}

static gboolean
register_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Register *self = data;
  gint64 id;
  if (!hark_accounts_insert (tx, self->username, self->displayname, FALSE, &id, error)
      || !hark_transaction_exec (tx, error, "INSERT INTO passwords (user_id, hash, changed_at) VALUES (?, ?, ?)", "iti",
                                 id, self->hash, hark_transaction_now_ms (tx)))
    return FALSE;
  hark_json_writer_member_id (&self->parent.reply, "user_id", id);
  hark_json_writer_member_string (&self->parent.reply, "username", self->username);
  return TRUE;
}

static void
on_registered (gpointer request)
{
  HarkCredentials *credentials = ((Register *)request)->parent.concern;
  hark_counter_add (credentials->n_registered, 1);
}

static void
on_first_made (gboolean right, const char *hash, const GError *error, gpointer data)
{
  Register *self = data;
  HarkCredentials *credentials = self->parent.concern;
  if (error != NULL)
    {
      hark_request_refuse (self, g_error_copy (error));
      return;
    }
  self->hash = g_strdup (hash);
  hark_request_write (self, credentials->store, register_in_thread, on_registered);
}

static gboolean
check_registration (HarkCredentials *self, GError **error)
{
  if (self->limits->registration)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"register\": accounts are made by administrators here");
  return FALSE;
}

static void
on_register (HarkCommand *command, gpointer concern)
{
  HarkCredentials *credentials = concern;
  Register *self = hark_request_new (sizeof *self, command, concern, register_clear);
  GError *error = NULL;
  if (check_registration (credentials, &error)
      && hark_accounts_read_names (command->args, credentials->limits, &self->username, &self->displayname, &error)
      && get_new_password (credentials, command->args, &self->password, &error)
      && hark_attempts_take_registration (credentials->attempts, command->peer, &error))
    hark_passwords_make (credentials->passwords, self->password, on_first_made, self);
  else
    hark_request_refuse (self, error);
}

static const HarkCommandSpec specs[] = {
  { "set_password", HARK_COMMAND_HTTP, NULL, on_set_password },
  { "set_user_password", HARK_COMMAND_ADMIN, NULL, on_set_user_password },
  { "register", HARK_COMMAND_PUBLIC, NULL, on_register },
};

HarkCredentials *
hark_credentials_new (HarkHub *hub, HarkStore *store, HarkPasswords *passwords, HarkAttempts *attempts,
                      HarkTokens *tokens, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkCredentials *self = g_new0 (HarkCredentials, 1);
  self->hub = hub;
  self->store = store;
  self->passwords = passwords;
  self->attempts = attempts;
  self->tokens = tokens;
  self->limits = limits;
  self->n_registered = hark_metrics_counter (metrics, "hark_registrations_total", "Accounts that users have made.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_credentials_free (HarkCredentials *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
