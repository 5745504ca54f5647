/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session goes on with another token: one that its client has got elsewhere, or, where that is allowed, one that it is
 * given for the asking. The old one stays good for who else uses it, until it runs out.
 */
#include "chat/refresh.h"

#include "base/error.h"
#include "chat/request.h"
#include "chat/token-row.h"

struct _HarkRefresh
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkAuthenticator *authenticator;
  HarkTokenExpiry *expiry;
  const HarkChatLimits *limits;
};

typedef struct
{
  HarkRequest parent;
  HarkIdentity *identity; /* (owned): before */
  gint64 token_id;        /* out, as the next */
  gint64 expires_ms;
} Refresh;

static void
refresh_clear (gpointer data)
{
  g_clear_pointer (&((Refresh *)data)->identity, hark_identity_unref);
}

static gboolean
renew (HarkRefresh *self, HarkSession *session, HarkIdentity *identity, GError **error)
{
  if (session->state != HARK_SESSION_OPEN)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_OFFLINE, "the session is over");
      return FALSE;
    }
  if (identity->user_id != session->identity->user_id)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"token\" is another user's");
      return FALSE;
    }
  if ((identity->flags & HARK_IDENTITY_BACKEND) != 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"token\" is a back end's key");
      return FALSE;
    }
  hark_session_renew (session, identity);
  hark_token_expiry_renew (self->expiry, session);
  return TRUE;
}

static void
write_expiry (HarkJsonWriter *json, gint64 expires_ms)
{
  hark_json_writer_member (json, "expires_at");
  if (expires_ms > 0)
    hark_json_writer_time_ms (json, expires_ms);
  else
    hark_json_writer_null (json);
}

/* With a token. */

static void
on_token_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  Refresh *request = data;
  HarkRefresh *self = request->parent.concern;
  GError *error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  if (identity == NULL || !renew (self, request->parent.command->session, identity, &error))
    {
      hark_request_refuse (request, error);
      return;
    }
  write_expiry (&request->parent.reply, identity->expires_ms);
  hark_request_reply (request);
  hark_request_free (request);
}

/* Without. */

static gboolean
make_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Refresh *request = data;
  HarkRefresh *self = request->parent.concern;
  HarkJsonWriter *json = &request->parent.reply;
  HarkTokenRow row = { .user_id = request->parent.actor,
                       .label = "refresh",
                       .expires_in_ms = self->limits->login_lifetime_ms,
                       .by_login = TRUE };
  gint64 one;
  gboolean good;
  guint n;
  if (!hark_transaction_query_int64 (tx, &one, &good, error,
                                     "SELECT 1 FROM tokens WHERE token_id = ? AND revoked_at = 0 AND expires_at > ?",
                                     "ii", request->identity->token_id, hark_transaction_now_ms (tx))
      || !hark_token_row_count (tx, row.user_id, &n, error))
    return FALSE;
  if (!good)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "the session's token lets nobody in any more");
      return FALSE;
    }
  if (n >= self->limits->tokens_per_user)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "a user can have %u tokens", self->limits->tokens_per_user);
      return FALSE;
    }
  if (!hark_token_row_insert (tx, &row, error))
    return FALSE;
  request->token_id = row.token_id;
  request->expires_ms = row.expires_ms;
  hark_json_writer_member_string (json, "token", row.token);
  hark_json_writer_member_id (json, "token_id", row.token_id);
  write_expiry (json, row.expires_ms);
  return TRUE;
}

/* The session may have ended or have another token by now: then only the client's next connection uses this one. */
static void
on_made (gpointer data)
{
  Refresh *request = data;
  HarkSession *session = request->parent.command->session;
  g_autoptr (HarkIdentity) identity = NULL;
  if (session->identity != request->identity)
    return;
  identity = hark_identity_new (request->identity->user_id, request->identity->username, request->token_id,
                                request->expires_ms, request->identity->flags);
  renew (request->parent.concern, session, identity, NULL);
}

static gboolean
may_make (HarkRefresh *self, HarkIdentity *identity, GError **error)
{
  if (!self->limits->refresh)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"token\" is missing: none is made here for the asking");
  else if (identity->token_id == 0)
    g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"token\" is missing: another has issued this session's");
  else if (identity->expires_ms == 0)
    g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "the session's token does not expire");
  else
    return TRUE;
  return FALSE;
}

static void
on_refresh_token (HarkCommand *command, gpointer concern)
{
  HarkRefresh *self = concern;
  Refresh *request = hark_request_new (sizeof *request, command, concern, refresh_clear);
  g_autofree char *token = NULL;
  GError *error = NULL;
  request->identity = hark_identity_ref (command->actor);
  if (command->session == NULL)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"refresh_token\" is for sessions");
  else if (hark_json_object_get_string (command->args, "token", HARK_FIELD_OPTIONAL, 4096, &token, &error)
           && token == NULL)
    may_make (self, command->actor, &error);
  if (error != NULL)
    hark_request_refuse (request, error);
  else if (token != NULL)
    hark_authenticator_check_async (self->authenticator, token, NULL, on_token_checked, request);
  else
    hark_request_write (request, self->store, make_in_thread, on_made);
}

static const HarkCommandSpec specs[] = {
  { "refresh_token", HARK_COMMAND_NONE, NULL, on_refresh_token },
};

HarkRefresh *
hark_refresh_new (HarkHub *hub, HarkStore *store, HarkAuthenticator *authenticator, HarkTokenExpiry *expiry,
                  const HarkChatLimits *limits)
{
  HarkRefresh *self = g_new0 (HarkRefresh, 1);
  self->hub = hub;
  self->store = store;
  self->authenticator = authenticator;
  self->expiry = expiry;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_refresh_free (HarkRefresh *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
