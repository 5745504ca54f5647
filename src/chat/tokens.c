/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens as administrators make, list and revoke them, and what becomes of sessions for whom they matter: one that
 * presents its token late, one that never does, and those whose token is revoked. See token-expiry.c for those whose
 * token runs out.
 */
#include "chat/tokens.h"

#include "base/error.h"
#include "chat/fields.h"
#include "chat/request.h"
#include "chat/rows.h"
#include "chat/token-row.h"

#define MAX_EXPIRY_S (G_GINT64_CONSTANT (100) * 366 * 24 * 60 * 60)

/* How often it is noted which tokens were used. */
#define SWEEP_MS (15 * 1000)

typedef struct
{
  gint64 session_id;
  gint64 due; /* microseconds, monotonic */
} Deadline;

struct _HarkTokens
{
  HarkHub *hub; /* unowned, as the next */
  HarkStore *store;
  HarkTokenAuthenticator *authenticator; /* (owned) */
  HarkClock *clock;                      /* (owned) */
  const HarkChatLimits *limits;          /* unowned */
  GQueue deadlines; /* (element-type Deadline) (owned): sessions to say who they are, first due first */
  gulong connected_id;
  gulong added_id;
  guint deadline_id;
  guint sweep_id;
};

/* create_token */

typedef struct
{
  HarkRequest parent;
  gint64 user_id;
  char *label;
  char *token;         /* (nullable): to be made up */
  char *scope;         /* (nullable) */
  gint64 expires_in_s; /* 0: never */
} CreateToken;

static void
create_token_clear (gpointer data)
{
  CreateToken *self = data;
  g_free (self->label);
  g_free (self->token);
  g_free (self->scope);
}

static gboolean
check_room (HarkTransaction *tx, CreateToken *self, GError **error)
{
  HarkTokens *tokens = self->parent.concern;
  gint64 one;
  gboolean found;
  guint n;
  if (!hark_transaction_query_int64 (tx, &one, &found, error, "SELECT 1 FROM users WHERE user_id = ?", "i",
                                     self->user_id)
      || !hark_token_row_count (tx, self->user_id, &n, error))
    return FALSE;
  if (!found)
    g_set_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"user_id\": there is no such user");
  else if (n >= tokens->limits->tokens_per_user)
    g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"user_id\": a user can have %u tokens",
                 tokens->limits->tokens_per_user);
  else
    return TRUE;
  return FALSE;
}

static gboolean
create_token_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  CreateToken *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  HarkTokenRow row = { .user_id = self->user_id,
                       .token = self->token,
                       .label = hark_field_or_null (self->label),
                       .scope = self->scope,
                       .expires_in_ms = self->expires_in_s * 1000 };
  if (!check_room (tx, self, error) || !hark_token_row_insert (tx, &row, error))
    return FALSE;
  hark_json_writer_member_id (json, "token_id", row.token_id);
  hark_json_writer_member_string (json, "token", row.token);
  hark_json_writer_member (json, "expires");
  if (row.expires_ms > 0)
    hark_json_writer_time_ms (json, row.expires_ms);
  else
    hark_json_writer_null (json);
  return TRUE;
}

static gboolean
check_token (CreateToken *self, GError **error)
{
  if (self->token != NULL && !hark_token_is_valid (self->token))
    g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                 "\"token\" must be 8 to 128 of A-Z, a-z, 0-9, \".\", \"_\", \"~\" and \"-\"");
  else if (self->scope != NULL && !g_str_equal (self->scope, HARK_SCOPE_BACK_END))
    g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"scope\" must be \"" HARK_SCOPE_BACK_END "\", or absent");
  else
    return TRUE;
  return FALSE;
}

static void
on_create_token (HarkCommand *command, gpointer concern)
{
  HarkTokens *tokens = concern;
  const HarkJsonObject *args = command->args;
  CreateToken *self = hark_request_new (sizeof *self, command, concern, create_token_clear);
  GError *error = NULL;
  if (hark_json_object_get_id (args, "user_id", HARK_FIELD_REQUIRED, &self->user_id, &error)
      && hark_field_get_text (args, "label", HARK_FIELD_OPTIONAL, tokens->limits->name_chars, &self->label, &error)
      && hark_json_object_get_int (args, "expires_in_s", HARK_FIELD_OPTIONAL, 0, MAX_EXPIRY_S, &self->expires_in_s,
                                   &error)
      && hark_json_object_get_string (args, "token", HARK_FIELD_OPTIONAL, 4096, &self->token, &error)
      && hark_json_object_get_string (args, "scope", HARK_FIELD_OPTIONAL, 32, &self->scope, &error)
      && check_token (self, &error))
    hark_request_write (self, tokens->store, create_token_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* list_tokens */

typedef struct
{
  HarkRequest parent;
  gint64 user_id; /* 0: all */
} ListTokens;

static void
write_time_if_set (HarkJsonWriter *json, const char *name, gint64 time)
{
  if (time > 0)
    hark_json_writer_member_time (json, name, time);
}

static gboolean
list_tokens_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ListTokens *self = data;
  HarkJsonWriter *json = &self->parent.reply;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT token_id, user_id, label, created_at, expires_at, revoked_at, last_used, scope"
                               " FROM tokens WHERE ? = 0 OR user_id = ? ORDER BY token_id",
                               "ii", self->user_id, self->user_id))
    return FALSE;
  hark_json_writer_member (json, "tokens");
  hark_json_writer_begin_array (json);
  while (hark_rows_next (&rows, &local_error))
    {
      hark_json_writer_begin_object (json);
      hark_json_writer_member_id (json, "token_id", hark_rows_get_int64 (&rows, 0));
      hark_json_writer_member_id (json, "user_id", hark_rows_get_int64 (&rows, 1));
      hark_json_writer_member_string (json, "label", hark_rows_get_text_or_empty (&rows, 2));
      hark_json_writer_member_time (json, "created", hark_rows_get_int64 (&rows, 3));
      write_time_if_set (json, "expires", hark_rows_get_int64 (&rows, 4));
      hark_json_writer_member_boolean (json, "revoked", hark_rows_get_int64 (&rows, 5) > 0);
      write_time_if_set (json, "last_used", hark_rows_get_int64 (&rows, 6));
      if (!hark_rows_is_null (&rows, 7))
        hark_json_writer_member_string (json, "scope", hark_rows_get_text (&rows, 7, NULL));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  return hark_rows_check (&local_error, error);
}

static void
on_list_tokens (HarkCommand *command, gpointer concern)
{
  HarkTokens *tokens = concern;
  ListTokens *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "user_id", HARK_FIELD_OPTIONAL, &self->user_id, &error))
    hark_request_read (self, tokens->store, list_tokens_in_thread, NULL);
  else
    hark_request_refuse (self, error);
}

/* revoke_token */

typedef struct
{
  HarkRequest parent;
  gint64 token_id;
  gint64 user_id; /* out */
} RevokeToken;

static gboolean
revoke_token_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  RevokeToken *self = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT user_id FROM tokens WHERE token_id = ?", "i", self->token_id)
      || !hark_rows_require (&rows, "token_id", error))
    return FALSE;
  self->user_id = hark_rows_get_int64 (&rows, 0);
  return hark_transaction_exec (tx, error, "UPDATE tokens SET revoked_at = ? WHERE token_id = ? AND revoked_at = 0",
                                "ii", hark_transaction_now_ms (tx), self->token_id);
}

/**
 * hark_tokens_end:
 * @reason: for the clients
 *
 * What has to be done after it was committed that a token lets nobody in any more: its sessions end.
 */
void
hark_tokens_end (HarkTokens *self, gint64 user_id, gint64 token_id, const char *reason)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self->hub, user_id);
  hark_token_authenticator_drop_token (self->authenticator, token_id);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      if (session->identity->token_id == token_id)
        hark_session_close (session, HARK_CLOSE_UNAUTHENTICATED, reason);
    }
}

static void
on_token_revoked (gpointer request)
{
  RevokeToken *self = request;
  hark_tokens_end (self->parent.concern, self->user_id, self->token_id, "the token was revoked");
}

static void
on_revoke_token (HarkCommand *command, gpointer concern)
{
  HarkTokens *tokens = concern;
  RevokeToken *self = hark_request_new (sizeof *self, command, concern, NULL);
  GError *error = NULL;
  if (hark_json_object_get_id (command->args, "token_id", HARK_FIELD_REQUIRED, &self->token_id, &error))
    hark_request_write (self, tokens->store, revoke_token_in_thread, on_token_revoked);
  else
    hark_request_refuse (self, error);
}

/* authenticate */

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkCommand) command = data;
  HarkSession *session = command->session;
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  HarkJsonWriter *writer;
  if (identity == NULL || !hark_session_authenticate (session, identity, &error))
    {
      hark_command_fail (command, error);
      return;
    }
  writer = hark_command_begin_reply (command);
  hark_json_writer_member_id (writer, "user_id", identity->user_id);
  hark_json_writer_member_id (writer, "session", session->id);
  hark_command_end_reply (command);
}

static void
on_authenticate (HarkCommand *command, gpointer concern)
{
  HarkTokens *self = concern;
  g_autofree char *token = NULL;
  GError *error = NULL;
  if (!hark_json_object_get_string (command->args, "token", HARK_FIELD_REQUIRED, 4096, &token, &error)
      || command->session == NULL)
    {
      if (error == NULL)
        g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"authenticate\" is for sessions");
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  hark_authenticator_check_async (HARK_AUTHENTICATOR (self->authenticator), token, NULL, on_token_checked, command);
}

/* Deadlines. */

static gboolean
on_deadline (gpointer data)
{
  HarkTokens *self = data;
  gint64 now = hark_clock_get_monotonic (self->clock);
  Deadline *first;
  self->deadline_id = 0;
  while ((first = g_queue_peek_head (&self->deadlines)) != NULL && first->due <= now)
    {
      HarkSession *session = hark_hub_get_session (self->hub, first->session_id);
      g_free (g_queue_pop_head (&self->deadlines));
      if (session != NULL && session->state == HARK_SESSION_CONNECTED)
        hark_session_close (session, HARK_CLOSE_UNAUTHENTICATED, "no token was presented in time");
    }
  if (first != NULL)
    self->deadline_id = hark_clock_add_timeout (self->clock, (first->due - now + 999) / 1000, on_deadline, self);
  return G_SOURCE_REMOVE;
}

static void
on_hub_session_connected (HarkHub *hub, HarkSession *session, HarkTokens *self)
{
  Deadline *deadline;
  if (hark_protocol_keeps_time (session->protocol))
    return;
  deadline = g_new (Deadline, 1);
  deadline->session_id = session->id;
  deadline->due = hark_clock_get_monotonic (self->clock) + (gint64)self->limits->authenticate_ms * 1000;
  g_queue_push_tail (&self->deadlines, deadline);
  if (self->deadline_id == 0)
    self->deadline_id = hark_clock_add_timeout (self->clock, self->limits->authenticate_ms, on_deadline, self);
}

/* When all others have heard of it: it is over then. */
static void
on_hub_session_added (HarkHub *hub, HarkSession *session, HarkTokens *self)
{
  if ((session->identity->flags & HARK_IDENTITY_BACKEND) != 0)
    hark_session_close (session, HARK_CLOSE_UNAUTHENTICATED, "a back end's key is for requests by HTTP");
}

static gboolean
note_used_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  GArray *used = data;
  for (guint i = 0; i < used->len; i++)
    if (!hark_transaction_exec (tx, error, "UPDATE tokens SET last_used = ? WHERE token_id = ?", "ii",
                                hark_transaction_now_ms (tx), g_array_index (used, gint64, i)))
      return FALSE;
  return TRUE;
}

static void
note_used (HarkTokens *self)
{
  g_autoptr (GArray) used = hark_token_authenticator_steal_used (self->authenticator);
  if (used->len > 0)
    hark_store_write (self->store, note_used_in_thread, g_steal_pointer (&used), (GDestroyNotify)g_array_unref, NULL,
                      NULL);
}

static gboolean
on_sweep (gpointer data)
{
  HarkTokens *self = data;
  note_used (self);
  return G_SOURCE_CONTINUE;
}

static const HarkCommandSpec specs[] = {
  { "create_token", HARK_COMMAND_ADMIN, NULL, on_create_token },
  { "list_tokens", HARK_COMMAND_ADMIN, NULL, on_list_tokens },
  { "revoke_token", HARK_COMMAND_ADMIN, NULL, on_revoke_token },
  { "authenticate", HARK_COMMAND_ANONYMOUS | HARK_COMMAND_UNAUTHENTICATED, NULL, on_authenticate },
};

HarkTokens *
hark_tokens_new (HarkHub *hub, HarkStore *store, HarkTokenAuthenticator *authenticator, const HarkChatLimits *limits)
{
  HarkTokens *self = g_new0 (HarkTokens, 1);
  self->hub = hub;
  self->store = store;
  self->authenticator = g_object_ref (authenticator);
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->limits = limits;
  g_queue_init (&self->deadlines);
  self->connected_id = g_signal_connect (hub, "session-connected", G_CALLBACK (on_hub_session_connected), self);
  self->added_id = g_signal_connect_after (hub, "session-added", G_CALLBACK (on_hub_session_added), self);
  self->sweep_id = hark_clock_add_timeout (self->clock, SWEEP_MS, on_sweep, self);
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_tokens_free (HarkTokens *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  hark_clock_clear_timeout (self->clock, &self->sweep_id);
  hark_clock_clear_timeout (self->clock, &self->deadline_id);
  g_clear_signal_handler (&self->connected_id, self->hub);
  g_clear_signal_handler (&self->added_id, self->hub);
  g_queue_clear_full (&self->deadlines, g_free);
  g_clear_object (&self->authenticator);
  g_clear_object (&self->clock);
  g_free (self);
}
