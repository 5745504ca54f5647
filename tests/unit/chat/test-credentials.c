/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

#define PEER "192.0.2.1"

static char *
login (ChatFixture *f, const char *name, const char *password)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) reply
    = chat_fixture_post (f, NULL, PEER, "login", &error, "\"username\":\"%s\",\"password\":\"%s\"", name, password);
  if (reply != NULL)
    return g_strdup (json_object_get_string_member (reply, "token"));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  return NULL;
}

static void
test_admin (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *old = NULL, *none = NULL, *token = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  Client *client;
  g_test_summary ("An administrator sets a password; another one ends what the old one has let in.");
  g_free (chat_fixture_call (f, "set_user_password", "\"user_id\":\"" ID "\",\"password\":\"correct horse\"", ann));
  old = login (f, "ann", "correct horse");
  identity = chat_fixture_check_token (f, old, NULL);
  client = chat_fixture_connect_as (f, identity);
  g_free (chat_fixture_call (f, "set_user_password", "\"user_id\":\"" ID "\",\"password\":\"battery staple\"", ann));
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_null (chat_fixture_check_token (f, old, NULL));
  none = login (f, "ann", "correct horse");
  g_assert_null (none);
  token = login (f, "ann", "battery staple");
  g_assert_nonnull (token);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "set_user_password",
                       "\"user_id\":\"1\",\"password\":\"battery staple\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "set_user_password", "\"password\":\"battery staple\"");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "set_user_password",
                       "\"user_id\":\"" ID "\",\"password\":\"seven77\"", ann);
}

static void
test_own (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *token = NULL, *elsewhere = NULL, *made = NULL, *again = NULL;
  g_autoptr (HarkIdentity) identity = NULL, other = NULL, kept = NULL;
  Client *client, *there;
  g_test_summary ("Users set their own passwords: the first without, any other with the old one; other logins end.");
  client = chat_fixture_connect (f, ann);
  client_do (client, "set_password", "\"password\":\"correct horse\"");
  client_refused (client, HARK_ERROR_BAD_REQUEST, "old_password", "set_password", "\"password\":\"battery staple\"");
  client_refused (client, HARK_ERROR_FORBIDDEN, "old_password", "set_password",
                  "\"password\":\"battery staple\",\"old_password\":\"wrong\"");
  client_refused (client, HARK_ERROR_BAD_REQUEST, "password", "set_password",
                  "\"password\":\"seven77\",\"old_password\":\"correct horse\"");
  token = login (f, "ann", "correct horse");
  elsewhere = login (f, "ann", "correct horse");
  identity = chat_fixture_check_token (f, token, NULL);
  other = chat_fixture_check_token (f, elsewhere, NULL);
  there = chat_fixture_connect_as (f, other);
  json_object_unref (chat_fixture_post (f, identity, PEER, "set_password", NULL,
                                        "\"password\":\"battery staple\",\"old_password\":\"correct horse\""));
  g_assert_cmpuint (client_get_close_code (there), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  kept = chat_fixture_check_token (f, token, NULL);
  g_assert_nonnull (kept);
  made = login (f, "ann", "battery staple");
  g_assert_nonnull (made);
  again = login (f, "ann", "correct horse");
  g_assert_null (again);
}

static void
test_own_limited (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autoptr (HarkIdentity) identity = hark_identity_new (ann, "ann", 1, 0, HARK_IDENTITY_NONE);
  g_autoptr (GError) error = NULL;
  g_test_summary ("The old password is tried as often as one to sign in, no matter in how many sessions.");
  g_free (chat_fixture_call (f, "set_user_password", "\"user_id\":\"" ID "\",\"password\":\"correct horse\"", ann));
  for (guint i = 0; i < f->limits.attempts_per_user; i++)
    {
      g_assert_null (chat_fixture_post (f, identity, NULL, "set_password", &error,
                                        "\"password\":\"battery staple\",\"old_password\":\"wrong\""));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN);
      g_clear_error (&error);
    }
  g_assert_null (chat_fixture_post (f, identity, NULL, "set_password", &error,
                                    "\"password\":\"battery staple\",\"old_password\":\"correct horse\""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
}

static void
test_both (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *client = chat_fixture_connect (f, ann);
  g_autoptr (JsonObject) one = NULL, two = NULL;
  gboolean first;
  g_test_summary ("Of two who change a password at once with the same old one, the second does not know it any more.");
  client_do (client, "set_password", "\"password\":\"correct horse\"");
  client_say (client, "{\"type\":\"set_password\",\"password\":\"battery staple\",\"old_password\":\"correct horse\"}");
  client_say (client, "{\"type\":\"set_password\",\"password\":\"third password\",\"old_password\":\"correct horse\"}");
  chat_fixture_settle (f);
  one = client_pop (client);
  two = client_pop (client);
  first = g_str_equal (json_object_get_string_member (one, "type"), "set_password");
  g_assert_true (first);
  g_assert_cmpstr (json_object_get_string_member (two, "code"), ==, "conflict");
}

static JsonObject *
post_register (ChatFixture *f, const char *peer, GError **error, const char *name)
{
  return chat_fixture_post (f, NULL, peer, "register", error, "\"username\":\"%s\",\"password\":\"correct horse\"",
                            name);
}

static void
test_register (ChatFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) reply = NULL;
  g_autofree char *token = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("Where it is allowed anybody makes an account, which is no administrator's, and signs in.");
  reply = post_register (f, PEER, &error, "Ann");
  g_assert_no_error (error);
  token = login (f, "ann", "correct horse");
  identity = chat_fixture_check_token (f, token, NULL);
  g_assert_cmpint (identity->user_id, ==, json_id (reply, "user_id"));
  g_assert_cmpuint (identity->flags, ==, HARK_IDENTITY_NONE);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE displayname = 'Ann'"), ==, 1);
  g_assert_null (post_register (f, PEER, &error, "ANN"));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_null (post_register (f, PEER, &error, "a b"));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_assert_null (chat_fixture_post (f, NULL, PEER, "register", &error, "\"username\":\"eve\",\"password\":\"short\""));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  json_object_unref (chat_fixture_post (f, NULL, PEER, "register", &error,
                                        "\"username\":\"eve\",\"password\":\"correct horse\",\"admin\":true"));
  g_assert_no_error (error);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE is_admin = 1"), ==, 0);
}

static void
test_register_limited (ChatFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint wait_ms;
  g_test_summary ("One address makes so many accounts, and more later.");
  for (guint i = 0; i < f->limits.registrations_per_address; i++)
    {
      g_autofree char *name = g_strdup_printf ("user-%u", i);
      json_object_unref (post_register (f, PEER, &error, name));
      g_assert_no_error (error);
    }
  g_assert_null (post_register (f, PEER, &error, "eve"));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED);
  g_assert_true (hark_error_get_retry_after (error, &wait_ms));
  g_clear_error (&error);
  json_object_unref (post_register (f, "192.0.2.2", &error, "fay"));
  g_assert_no_error (error);
  chat_fixture_advance (f, wait_ms);
  json_object_unref (post_register (f, PEER, &error, "eve"));
  g_assert_no_error (error);
}

static void
test_register_off (ChatFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_test_summary ("Where it is not allowed nobody makes an account.");
  g_assert_null (post_register (f, PEER, &error, "ann"));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users"), ==, 0);
}

static void
set_up_open (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.registration = TRUE;
  chat_fixture_start (f);
}

#define ADD_OPEN(path, func) g_test_add (path, ChatFixture, NULL, set_up_open, func, chat_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/credentials/admin", test_admin);
  ADD ("/credentials/own", test_own);
  ADD ("/credentials/own-limited", test_own_limited);
  ADD ("/credentials/both", test_both);
  ADD_OPEN ("/credentials/register", test_register);
  ADD_OPEN ("/credentials/register-limited", test_register_limited);
  ADD ("/credentials/register-off", test_register_off);
  return g_test_run ();
}
