/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

#define PEER "192.0.2.1"

static gint64
user_with_password (ChatFixture *f, const char *name, const char *password)
{
  gint64 id = chat_fixture_user (f, name);
  g_free (chat_fixture_call (f, "set_user_password", "\"user_id\":\"" ID "\",\"password\":\"%s\"", id, password));
  return id;
}

static JsonObject *
login (ChatFixture *f, const char *name, const char *password, GError **error)
{
  return chat_fixture_post (f, NULL, PEER, "login", error, "\"username\":\"%s\",\"password\":\"%s\"", name, password);
}

static char *
dup_token (JsonObject *reply)
{
  return g_strdup (json_object_get_string_member (reply, "token"));
}

static void
assert_wrong (ChatFixture *f, const char *name, const char *password)
{
  g_autoptr (GError) error = NULL;
  JsonObject *reply = login (f, name, password, &error);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  g_assert_cmpstr (error->message, ==, "\"username\" or \"password\" is not right");
}

static gint64
counter (ChatFixture *f, const char *name)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, name, ""));
}

static void
test_login (ChatFixture *f, gconstpointer data)
{
  gint64 ann = user_with_password (f, "ann", "correct horse");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) reply = login (f, "Ann", "correct horse", &error);
  g_autoptr (HarkIdentity) identity = NULL;
  g_autofree char *token = NULL;
  g_test_summary ("Who knows a user's password gets a token for the user, good for the configured time.");
  g_assert_no_error (error);
  token = dup_token (reply);
  identity = chat_fixture_check_token (f, token, &error);
  g_assert_no_error (error);
  g_assert_cmpint (identity->user_id, ==, ann);
  g_assert_cmpint (identity->token_id, ==, json_id (reply, "token_id"));
  g_assert_cmpint (identity->expires_ms, ==,
                   hark_clock_get_real_ms (HARK_CLOCK (f->clock)) + f->limits.login_lifetime_ms);
  g_assert_cmpint (json_id (json_object_get_object_member (reply, "user"), "user_id"), ==, ann);
  g_assert_cmpint (counter (f, "hark_logins_total"), ==, 1);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM passwords WHERE hash LIKE '$argon2id$%'"), ==, 1);
}

static void
test_wrong (ChatFixture *f, gconstpointer data)
{
  gint64 before;
  g_test_summary (
    "A user that there is not, one without a password and a wrong one are answered alike, with like work.");
  user_with_password (f, "ann", "correct horse");
  chat_fixture_user (f, "bob");
  before = counter (f, "hark_passwords_computed_total");
  assert_wrong (f, "ann", "correct horsf");
  g_assert_cmpint (counter (f, "hark_passwords_computed_total"), ==, before + 1);
  assert_wrong (f, "nobody", "correct horse");
  g_assert_cmpint (counter (f, "hark_passwords_computed_total"), ==, before + 2);
  assert_wrong (f, "bob", "");
  g_assert_cmpint (counter (f, "hark_passwords_computed_total"), ==, before + 3);
  g_assert_cmpint (counter (f, "hark_logins_wrong_total"), ==, 3);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tokens"), ==, 0);
}

static void
test_fields (ChatFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *args;
    HarkError code;
    const char *field;
  } cases[] = {
    { "\"password\":\"x\"", HARK_ERROR_BAD_REQUEST, "\"username\"" },
    { "\"username\":\"ann\"", HARK_ERROR_BAD_REQUEST, "\"password\"" },
    { "\"username\":\"a b\",\"password\":\"x\"", HARK_ERROR_BAD_REQUEST, "\"username\"" },
    { "\"username\":\"ann\",\"password\":7", HARK_ERROR_BAD_REQUEST, "\"password\"" },
    { "\"username\":\"ann\",\"password\":\"x\\u0000\"", HARK_ERROR_BAD_REQUEST, "\"password\"" },
    { "\"username\":\"ann\",\"password\":\"x\",\"expires_in\":0", HARK_ERROR_BAD_REQUEST, "\"expires_in\"" },
    { "\"username\":\"ann\",\"password\":\"x\",\"expires_in\":999999999", HARK_ERROR_BAD_REQUEST, "\"expires_in\"" },
  };
  g_autofree char *endless = g_strnfill (1025, 'x');
  g_autoptr (GError) error = NULL;
  g_test_summary ("What is wrong with a request is named, and is no attempt.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) refusal = NULL;
      g_assert_null (chat_fixture_post (f, NULL, PEER, "login", &refusal, "%s", cases[i].args));
      g_assert_error (refusal, HARK_ERROR, (int)cases[i].code);
      g_assert_nonnull (strstr (refusal->message, cases[i].field));
    }
  g_assert_null (login (f, "ann", endless, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  g_assert_cmpint (hark_counter_get (hark_metrics_gauge (f->metrics, "hark_attempts_users", "")), ==, 0);
}

static void
test_limits (ChatFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) reply = NULL;
  guint wait_ms;
  g_test_summary (
    "Wrong passwords are limited, so that then the right one is not looked at either; a right one in time ends it.");
  user_with_password (f, "ann", "correct horse");
  for (guint i = 0; i < f->limits.attempts_per_user - 1; i++)
    assert_wrong (f, "ann", "wrong");
  reply = login (f, "ann", "correct horse", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < f->limits.attempts_per_user; i++)
    assert_wrong (f, "ann", "wrong");
  g_assert_null (login (f, "ann", "correct horse", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_true (hark_error_get_retry_after (error, &wait_ms));
  g_clear_error (&error);
  chat_fixture_advance (f, wait_ms);
  g_clear_pointer (&reply, json_object_unref);
  reply = login (f, "ann", "correct horse", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < f->limits.attempts_per_user; i++)
    assert_wrong (f, "nobody", "wrong");
  g_assert_null (login (f, "nobody", "wrong", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
}

static void
test_eviction (ChatFixture *f, gconstpointer data)
{
  gint64 ann = user_with_password (f, "ann", "correct horse");
  g_autoptr (GError) error = NULL;
  g_autofree char *oldest = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  Client *client;
  g_test_summary ("Who signs in once more than tokens may be loses the oldest of these, and its sessions.");
  g_free (chat_fixture_call (f, "create_token", "\"user_id\":\"" ID "\"", ann));
  for (guint i = 0; i < f->limits.tokens_per_user - 1; i++)
    {
      g_autoptr (JsonObject) reply = login (f, "ann", "correct horse", &error);
      g_assert_no_error (error);
      if (i == 0)
        oldest = dup_token (reply);
    }
  identity = chat_fixture_check_token (f, oldest, &error);
  client = chat_fixture_connect_as (f, identity);
  json_object_unref (login (f, "ann", "correct horse", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_null (chat_fixture_check_token (f, oldest, NULL));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tokens WHERE revoked_at = 0"), ==,
                   f->limits.tokens_per_user);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tokens WHERE revoked_at = 0 AND by_login = 0"), ==, 1);
}

static void
test_changed_meanwhile (ChatFixture *f, gconstpointer data)
{
  gint64 ann = user_with_password (f, "ann", "correct horse");
  HarkIdentity *nobody = NULL;
  g_autofree char *args = g_strdup_printf ("{\"user_id\":\"" ID "\"}", ann);
  g_autoptr (GError) error = NULL;
  g_test_summary ("A password that was right when it was looked at lets nobody in when the user is gone by then.");
  step_store_hold (f->steps, TRUE);
  hark_dispatcher_call (f->dispatcher, f->admin, "delete_user", args, NULL, NULL);
  step_store_hold (f->steps, FALSE);
  g_assert_null (
    chat_fixture_post (f, nobody, PEER, "login", &error, "\"username\":\"ann\",\"password\":\"correct horse\""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM passwords"), ==, 0);
}

static void
test_overloaded (ChatFixture *f, gconstpointer data)
{
  guint n_overloaded = 0;
  g_test_summary ("More logins at once than are computed and wait are told to come again.");
  for (guint i = 0; i < 60; i++)
    {
      g_autofree char *args = g_strdup_printf ("{\"username\":\"user-%u\",\"password\":\"x\"}", i);
      hark_dispatcher_call_from (f->dispatcher, NULL, NULL, "login", args, NULL, NULL);
    }
  chat_fixture_settle (f);
  n_overloaded = counter (f, "hark_passwords_overloaded_total");
  g_assert_cmpuint (n_overloaded, >, 0);
  g_assert_cmpuint (n_overloaded + counter (f, "hark_logins_wrong_total"), ==, 60);
}

static void
test_stop (ChatFixture *f, gconstpointer data)
{
  g_test_summary ("Logins that are under way when the hub ends are answered.");
  hark_dispatcher_call_from (f->dispatcher, NULL, NULL, "login", "{\"username\":\"ann\",\"password\":\"x\"}", NULL,
                             NULL);
  hark_chat_flush (f->chat);
  chat_fixture_settle (f);
  g_assert_cmpint (counter (f, "hark_logins_wrong_total"), ==, 0);
  chat_fixture_stop (f);
  chat_fixture_start (f);
}

static void
test_logout (ChatFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *token = NULL, *other_token = NULL;
  g_autoptr (HarkIdentity) identity = NULL, other = NULL;
  g_autoptr (HarkIdentity) jwt = NULL;
  Client *one, *two, *stays;
  gint64 ann;
  g_autoptr (JsonObject) first = NULL, second = NULL;
  g_test_summary ("Signing out revokes the token that it came with and closes its sessions, and no others.");
  ann = user_with_password (f, "ann", "correct horse");
  first = login (f, "ann", "correct horse", NULL);
  second = login (f, "ann", "correct horse", NULL);
  token = dup_token (first);
  other_token = dup_token (second);
  identity = chat_fixture_check_token (f, token, NULL);
  other = chat_fixture_check_token (f, other_token, NULL);
  one = chat_fixture_connect_as (f, identity);
  stays = chat_fixture_connect_as (f, other);
  json_object_unref (chat_fixture_post (f, identity, PEER, "logout", &error, "%s", ""));
  g_assert_no_error (error);
  g_assert_cmpuint (client_get_close_code (one), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (stays), ==, 0);
  g_assert_null (chat_fixture_check_token (f, token, NULL));
  two = chat_fixture_connect_as (f, other);
  json_object_unref (client_ask (two, "logout", "%s", ""));
  g_assert_cmpuint (client_get_close_code (two), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (stays), ==, HARK_CLOSE_UNAUTHENTICATED);
  jwt = hark_identity_new (ann, "ann", 0, 0, HARK_IDENTITY_NONE);
  g_assert_null (chat_fixture_post (f, jwt, PEER, "logout", &error, "%s", ""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
}

static void
test_not_in_sessions (ChatFixture *f, gconstpointer data)
{
  Client *unknown = chat_fixture_connect_unknown (f);
  Client *client = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_test_summary ("Nobody signs in or registers over a session.");
  client_refused (unknown, HARK_ERROR_UNKNOWN_TYPE, "type", "login", "\"username\":\"ann\",\"password\":\"x\"");
  client_refused (client, HARK_ERROR_UNKNOWN_TYPE, "type", "register", "\"username\":\"bob\",\"password\":\"x\"");
  client_refused (unknown, HARK_ERROR_UNAUTHENTICATED, NULL, "logout", "%s", "");
}

static void
set_up_few (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.tokens_per_user = 4;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/login/login", test_login);
  ADD ("/login/wrong", test_wrong);
  ADD ("/login/fields", test_fields);
  ADD ("/login/limits", test_limits);
  g_test_add ("/login/eviction", ChatFixture, NULL, set_up_few, test_eviction, chat_fixture_tear_down);
  ADD ("/login/changed-meanwhile", test_changed_meanwhile);
  ADD ("/login/overloaded", test_overloaded);
  ADD ("/login/stop", test_stop);
  ADD ("/login/logout", test_logout);
  ADD ("/login/not-in-sessions", test_not_in_sessions);
  return g_test_run ();
}
