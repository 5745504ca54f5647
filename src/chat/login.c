/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signing in with a password, for a token that connects, and out. A name that nobody has and a password that is wrong
 * are one and the same to whoever asks: in the answer, and in the work that is done for it (see passwords.c).
 */
#include "chat/login.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rows.h"
#include "chat/token-row.h"
#include "chat/user-row.h"

struct _HarkLogin
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkPasswords *passwords;
  HarkAttempts *attempts;
  HarkTokens *tokens;
  const HarkChatLimits *limits;
  HarkCounter *n_logins;
  HarkCounter *n_wrong;
};

/* login */

typedef struct
{
  HarkRequest parent;
  char *username;
  char *password; /* until it was handed over */
  gint64 expires_in_s;
  gint64 user_id; /* 0: there is none */
  char *hash;     /* (nullable) */
  char *new_hash; /* (nullable) */
  gint64 evicted; /* out: a token that gives way; 0: none */
} Login;

static void
login_clear (gpointer data)
{
  Login *self = data;
  g_free (self->username);
  g_free (self->password);
  g_free (self->hash);
  g_free (self->new_hash);
}

static void
refuse_login (Login *self)
{
  hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_UNAUTHENTICATED,
                                          "\"username\" or \"password\" is not right"));
}

/* Who has as many tokens as may be is not kept out by that: an older login gives way. */
static gboolean
make_room (HarkTransaction *tx, Login *self, GError **error)
{
  HarkLogin *login = self->parent.concern;
  guint n;
  if (!hark_token_row_count (tx, self->user_id, &n, error))
    return FALSE;
  if (n < login->limits->tokens_per_user)
    return TRUE;
  if (!hark_token_row_revoke_oldest_login (tx, self->user_id, &self->evicted, error))
    return FALSE;
  if (self->evicted != 0)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"username\": a user can have %u tokens",
               login->limits->tokens_per_user);
  return FALSE;
}

static gboolean
write_user (HarkTransaction *tx, Login *self, GError **error)
{
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT " HARK_USER_COLUMNS " FROM users u WHERE u.user_id = ?", "i",
                               self->user_id)
      || !hark_rows_require (&rows, "username", error))
    return FALSE;
  hark_json_writer_member (json, "user");
  hark_json_writer_begin_object (json);
  hark_user_row_write_self (&rows, json);
  hark_json_writer_end_object (json);
  return TRUE;
}

/* The password was right when it was looked at; it must still be the user's. */
static gboolean
login_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Login *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  HarkTokenRow row
    = { .user_id = self->user_id, .label = "login", .expires_in_ms = self->expires_in_s * 1000, .by_login = TRUE };
  gint64 one;
  gboolean found;
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM passwords WHERE user_id = ? AND hash = ?",
                                     "it", self->user_id, self->hash))
    return FALSE;
  if (!found)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"username\" or \"password\" is not right");
      return FALSE;
    }
  if (!make_room (tx, self, error) || !hark_token_row_insert (tx, &row, error)
      || (self->new_hash != NULL
          && !hark_transaction_exec (tx, error, "UPDATE passwords SET hash = ? WHERE user_id = ?", "ti", self->new_hash,
                                     self->user_id)))
    return FALSE;
  hark_json_writer_member_string (json, "token", row.token);
  hark_json_writer_member_id (json, "token_id", row.token_id);
  hark_json_writer_member_time (json, "expires_at", row.expires_ms);
  return write_user (tx, self, error);
}

static void
on_logged_in (gpointer request)
{
  Login *self = request;
  HarkLogin *login = self->parent.concern;
  hark_counter_add (login->n_logins, 1);
  hark_attempts_forgive (login->attempts, self->username);
  if (self->evicted != 0)
    hark_tokens_end (login->tokens, self->user_id, self->evicted, "too many logins: this one was the oldest");
}

static void
on_password_checked (gboolean right, const char *hash, const GError *error, gpointer data)
{
  Login *self = data;
  HarkLogin *login = self->parent.concern;
  if (error != NULL)
    {
      hark_request_refuse (self, g_error_copy (error));
    }
  else if (!right)
    {
      hark_counter_add (login->n_wrong, 1);
      refuse_login (self);
    }
  else
    {
      self->new_hash = g_strdup (hash);
      hark_request_write (self, login->store, login_in_thread, on_logged_in);
    }
}

static gboolean
read_hash_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Login *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT p.user_id, p.hash FROM passwords p JOIN users u ON u.user_id = p.user_id"
                               " WHERE u.username = ?",
                               "t", self->username))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    {
      self->user_id = hark_rows_get_int64 (&rows, 0);
      self->hash = g_strdup (hark_rows_get_text (&rows, 1, NULL));
    }
  return hark_rows_check (&local_error, error);
}

static void
on_hash_read (gpointer data, const GError *error, gpointer user_data)
{
  Login *self = data;
  HarkLogin *login = self->parent.concern;
  if (error != NULL)
    hark_request_refuse (self, g_error_copy (error));
  else
    hark_passwords_check (login->passwords, self->password, self->hash, on_password_checked, self);
}

static void
on_login (HarkCommand *command, gpointer concern)
{
  HarkLogin *login = concern;
  Login *self = hark_request_new (sizeof *self, command, concern, login_clear);
  gint64 longest_s = login->limits->login_lifetime_ms / 1000;
  GError *error = NULL;
  self->expires_in_s = longest_s;
  if (hark_field_get_username (command->args, "username", HARK_FIELD_REQUIRED, &self->username, &error)
      && hark_json_object_get_string (command->args, "password", HARK_FIELD_REQUIRED, HARK_PASSWORD_MAX,
                                      &self->password, &error)
      && hark_json_object_get_int (command->args, "expires_in", HARK_FIELD_OPTIONAL, 1, longest_s, &self->expires_in_s,
                                   &error)
      && hark_attempts_take (login->attempts, self->username, command->peer, &error))
    hark_store_read (login->store, read_hash_in_thread, self, NULL, on_hash_read, NULL);
  else
    hark_request_refuse (self, error);
}

/* logout */

typedef struct
{
  HarkRequest parent;
  gint64 token_id;
} Logout;

static gboolean
logout_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Logout *self = data;
  return hark_transaction_exec (tx, error, "UPDATE tokens SET revoked_at = ? WHERE token_id = ? AND revoked_at = 0",
                                "ii", hark_transaction_now_ms (tx), self->token_id);
}

/* It is answered before its session ends. */
static void
on_logged_out (gpointer data, const GError *error, gpointer user_data)
{
  Logout *self = data;
  HarkLogin *login = self->parent.concern;
  if (error != NULL)
    {
      hark_command_fail (self->parent.command, error);
      return;
    }
  hark_request_reply (self);
  hark_tokens_end (login->tokens, self->parent.actor, self->token_id, "signed out");
}

static void
on_logout (HarkCommand *command, gpointer concern)
{
  HarkLogin *login = concern;
  Logout *self = hark_request_new (sizeof *self, command, concern, NULL);
  self->token_id = command->actor->token_id;
  if (self->token_id == 0)
    hark_request_refuse (self, g_error_new (HARK_ERROR, HARK_ERROR_CONFLICT,
                                            "\"logout\" is for tokens of this hub: another's cannot be revoked here"));
  else
    hark_store_write (login->store, logout_in_thread, self, hark_request_free, on_logged_out, NULL);
}

static const HarkCommandSpec specs[] = {
  { "login", HARK_COMMAND_PUBLIC, NULL, on_login },
  { "logout", HARK_COMMAND_HTTP | HARK_COMMAND_BACK_END, NULL, on_logout },
};

HarkLogin *
hark_login_new (HarkHub *hub, HarkStore *store, HarkPasswords *passwords, HarkAttempts *attempts, HarkTokens *tokens,
                HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkLogin *self = g_new0 (HarkLogin, 1);
  self->hub = hub;
  self->store = store;
  self->passwords = passwords;
  self->attempts = attempts;
  self->tokens = tokens;
  self->limits = limits;
  self->n_logins = hark_metrics_counter (metrics, "hark_logins_total", "Tokens made by a password.");
  self->n_wrong = hark_metrics_counter (metrics, "hark_logins_wrong_total", "Names or passwords that were not right.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_login_free (HarkLogin *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
