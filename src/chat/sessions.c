/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The beginning of a session: the welcome. It tells clients who they are, which the store knows, and precedes every
 * reply: until it is sent, nothing of the client is read.
 */
#include "chat/sessions.h"

#include "base/error.h"
#include "chat/personal.h"
#include "chat/rows.h"
#include "chat/user-row.h"

#include <string.h>

struct _HarkSessions
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkSessionStore *session_store;
  HarkAuthenticator *authenticator; /* (owned) */
  HarkPersonal *personal;           /* unowned, as the next */
  const HarkChatLimits *limits;
  GHashTable *welcomes; /* session id → Welcome, unowned: the store's work has it */
  gulong added_id;
};

typedef struct
{
  HarkSessions *sessions;
  gint64 session_id;
  gint64 user_id;
  char resume[HARK_TOKEN_LEN];
  HarkJsonWriter user;
  HarkCatchUp *catch_up;
  char *request; /* (owned) (nullable): a resume to be asked for when the welcome is sent */
} Welcome;

static void
welcome_free (gpointer data)
{
  Welcome *welcome = data;
  g_hash_table_remove (welcome->sessions->welcomes, &welcome->session_id);
  g_clear_pointer (&welcome->catch_up, hark_catch_up_free);
  hark_json_writer_clear (&welcome->user);
  g_free (welcome->request);
  g_free (welcome);
}

static void
send_welcome (HarkSessions *self, HarkSession *session, const char *user, gsize user_len, const char *resume)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", "welcome");
  hark_json_writer_member_id (&json, "session", session->id);
  hark_json_writer_member_raw (&json, "user", user, user_len);
  hark_json_writer_member_string (&json, "resume", resume);
  hark_json_writer_member_int (&json, "heartbeat", self->limits->heartbeat_ms);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_session_send_json (session, "welcome", text, len);
}

static void
ask_to_resume (HarkSession *session, const char *request)
{
  HarkJsonObject args;
  g_autoptr (GError) error = NULL;
  if (hark_json_object_parse (&args, request, strlen (request), &error))
    hark_session_command (session, "resume", strlen ("resume"), NULL, 0, &args);
  else
    hark_session_refuse (session, NULL, 0, error);
}

static gboolean
read_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Welcome *welcome = data;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  if (!hark_transaction_query (tx, &rows, error, "SELECT " HARK_USER_COLUMNS " FROM users u WHERE u.user_id = ?", "i",
                               welcome->user_id)
      || !hark_rows_require (&rows, "user", error))
    return FALSE;
  hark_json_writer_begin_object (&welcome->user);
  hark_user_row_write_self (&rows, &welcome->user);
  hark_json_writer_end_object (&welcome->user);
  hark_rows_end (&rows);
  return hark_catch_up_read (tx, welcome->catch_up, error);
}

static void
on_user_read (gpointer data, const GError *error, gpointer user_data)
{
  Welcome *welcome = data;
  HarkSessions *self = welcome->sessions;
  HarkSession *session = hark_hub_get_session (self->hub, welcome->session_id);
  g_autoptr (HarkSession) hold = NULL;
  gsize len;
  const char *user;
  if (session == NULL)
    return;
  hold = g_object_ref (session);
  if (g_error_matches (error, HARK_ERROR, HARK_ERROR_NOT_FOUND)
      || !hark_authenticator_is_current (self->authenticator, session->identity))
    {
      hark_session_close (session, HARK_CLOSE_UNAUTHENTICATED, "the token lets nobody in any more");
      return;
    }
  if (error != NULL)
    {
      hark_session_close (session, hark_error_get_close_code (hark_error_get_code (error)), "the store does not answer");
      return;
    }
  user = hark_json_writer_peek (&welcome->user, &len);
  send_welcome (self, session, user, len, welcome->resume);
  hark_session_release (session);
  hark_catch_up_send (g_steal_pointer (&welcome->catch_up));
  if (welcome->request != NULL)
    ask_to_resume (session, welcome->request);
}

static void
welcome_guest (HarkSessions *self, HarkSession *session)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *user;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "username", session->identity->username);
  hark_json_writer_end_object (&json);
  user = hark_json_writer_peek (&json, &len);
  send_welcome (self, session, user, len, NULL);
}

static void
on_hub_session_added (HarkHub *hub, HarkSession *session, HarkSessions *self)
{
  Welcome *welcome;
  if ((session->identity->flags & HARK_IDENTITY_ANONYMOUS) != 0)
    {
      welcome_guest (self, session);
      return;
    }
  welcome = g_new0 (Welcome, 1);
  welcome->sessions = self;
  welcome->session_id = session->id;
  welcome->user_id = session->identity->user_id;
  welcome->catch_up = hark_catch_up_new (self->personal, session->id, welcome->user_id);
  hark_json_writer_init (&welcome->user, 0);
  session->resumable = TRUE;
  hark_session_store_add (self->session_store, session, welcome->resume);
  g_hash_table_insert (self->welcomes, &welcome->session_id, welcome);
  hark_session_hold (session);
  hark_store_read (self->store, read_user_in_thread, welcome, welcome_free, on_user_read, NULL);
}

/**
 * hark_sessions_resume:
 * @session: that has just opened
 * @token: what a former session's welcome gave as `resume`
 * @cursors: (nullable): JSON: what the client has seen, as in the request "resume"
 *
 * Asks for what the request "resume" asks for, once the session has been welcomed: for who presents the token when
 * connecting.
 */
void
hark_sessions_resume (HarkSessions *self, HarkSession *session, const char *token, const char *cursors)
{
  Welcome *welcome = g_hash_table_lookup (self->welcomes, &session->id);
  g_auto (HarkJsonWriter) json = { 0 };
  g_autofree char *request = NULL;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "resume", token);
  if (cursors != NULL && *cursors != '\0')
    hark_json_writer_member_raw (&json, "cursors", cursors, strlen (cursors));
  hark_json_writer_end_object (&json);
  request = hark_json_writer_steal (&json, NULL);
  if (welcome == NULL)
    {
      ask_to_resume (session, request);
      return;
    }
  g_free (welcome->request);
  welcome->request = g_steal_pointer (&request);
}

HarkSessions *
hark_sessions_new (HarkHub *hub, HarkStore *store, HarkSessionStore *session_store, HarkAuthenticator *authenticator,
                   HarkPersonal *personal, const HarkChatLimits *limits)
{
  HarkSessions *self = g_new0 (HarkSessions, 1);
  self->hub = hub;
  self->store = store;
  self->session_store = session_store;
  self->authenticator = g_object_ref (authenticator);
  self->personal = personal;
  self->limits = limits;
  self->welcomes = g_hash_table_new (g_int64_hash, g_int64_equal);
  self->added_id = g_signal_connect (hub, "session-added", G_CALLBACK (on_hub_session_added), self);
  return self;
}

void
hark_sessions_free (HarkSessions *self)
{
  g_clear_signal_handler (&self->added_id, self->hub);
  g_assert (g_hash_table_size (self->welcomes) == 0); /* the store has been closed before */
  g_hash_table_unref (self->welcomes);
  g_clear_object (&self->authenticator);
  g_free (self);
}
