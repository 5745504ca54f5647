/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  char *token;
  gint64 id;
} Token;

static Token
create_token (ChatFixture *f, gint64 user, const char *more)
{
  g_autofree char *text = chat_fixture_call (f, "create_token", "\"user_id\":\"" ID "\"%s", user, more);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  JsonObject *reply = json_node_get_object (node);
  Token token = { g_strdup (json_object_get_string_member (reply, "token")), json_id (reply, "token_id") };
  return token;
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **out = data;
  *out = g_object_ref (result);
}

/* Returns: (transfer full) (nullable): who it lets in, as the store and memory say */
static HarkIdentity *
check (ChatFixture *f, const char *token, GError **error)
{
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (GAsyncResult) result = NULL;
  hark_authenticator_check_async (authenticator, token, NULL, on_checked, &result);
  chat_fixture_settle (f);
  g_assert_nonnull (result);
  return hark_authenticator_check_finish (authenticator, result, error);
}

static void
assert_refused (ChatFixture *f, const char *token)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = check (f, token, &error);
  g_assert_null (identity);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  g_assert_null (hark_authenticator_peek (hark_chat_get_authenticator (f->chat), token));
}

static void
test_check (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, "");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (HarkIdentity) identity = NULL, again = NULL;
  g_autofree char *sql = NULL;
  g_test_summary ("A token lets its user in, from the store and then from memory; only its hash is stored.");
  g_assert_cmpuint (strlen (token.token), ==, 43);
  g_assert_null (hark_authenticator_peek (authenticator, token.token));
  identity = check (f, token.token, NULL);
  g_assert_cmpint (identity->user_id, ==, ann);
  g_assert_cmpint (identity->token_id, ==, token.id);
  g_assert_cmpstr (identity->username, ==, "ann");
  again = hark_authenticator_peek (authenticator, token.token);
  g_assert_true (again == identity);
  g_assert_true (hark_authenticator_is_current (authenticator, identity));
  sql = g_strdup_printf ("SELECT count(*) FROM tokens WHERE CAST(hash AS TEXT) LIKE '%%%s%%' OR length(hash) <> 32",
                         token.token);
  g_assert_cmpint (chat_fixture_count (f, sql), ==, 0);
  assert_refused (f, "nonsense");
  assert_refused (f, "short");
  assert_refused (f, "");
  assert_refused (f, "with space in it");
  chat_fixture_advance (f, 15000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tokens WHERE last_used > 0"), ==, 1);
  g_free (token.token);
}

static void
test_chosen (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, ",\"token\":\"123456789\",\"label\":\"the source's\"");
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("004-1: an administrator can choose the token, once.");
  g_assert_cmpstr (token.token, ==, "123456789");
  identity = check (f, "123456789", NULL);
  g_assert_cmpint (identity->user_id, ==, ann);
  chat_fixture_refuse (f, HARK_ERROR_CONFLICT, "create_token", "\"user_id\":\"" ID "\",\"token\":\"123456789\"", ann);
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_token", "\"user_id\":\"" ID "\",\"token\":\"1234567\"", ann);
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_token", "\"user_id\":\"" ID "\",\"token\":\"12345678/\"", ann);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "create_token", "\"user_id\":\"1\"");
  g_free (token.token);
}

static void
test_revoke (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, ""), other = create_token (f, ann, "");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (HarkIdentity) identity = check (f, token.token, NULL), others = check (f, other.token, NULL);
  Client *client, *stays;
  g_test_summary (
    "Revoking a token closes its sessions, and what was remembered of it or is on its way does not hold.");
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  stays = client_new (f, f->hub, f->protocol, others);
  g_ptr_array_add (f->clients, stays);
  chat_fixture_settle (f);
  g_free (chat_fixture_call (f, "revoke_token", "\"token_id\":\"" ID "\"", token.id));
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (stays), ==, 0);
  g_assert_false (hark_authenticator_is_current (authenticator, identity));
  g_assert_true (hark_authenticator_is_current (authenticator, others));
  assert_refused (f, token.token);
  chat_fixture_refuse (f, HARK_ERROR_NOT_FOUND, "revoke_token", "\"token_id\":\"1\"");
  g_free (token.token);
  g_free (other.token);
}

static void
test_revoke_under_way (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, "");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *args = NULL;
  g_test_summary ("A token that is revoked while it is being looked up lets nobody in.");
  step_store_hold (f->steps, TRUE);
  hark_authenticator_check_async (authenticator, token.token, NULL, on_checked, &result);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  args = g_strdup_printf ("{\"token_id\":\"" ID "\"}", token.id);
  hark_dispatcher_call (f->dispatcher, f->admin, "revoke_token", args, NULL, NULL);
  chat_fixture_settle (f);
  step_store_publish_one (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  g_assert_null (hark_authenticator_check_finish (authenticator, result, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  g_free (token.token);
}

static void
test_expiry (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, ",\"expires_in_s\":60");
  g_autoptr (HarkIdentity) identity = check (f, token.token, NULL);
  Client *client;
  g_test_summary ("A token that has run out lets nobody in, and ends the sessions it had let in.");
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  chat_fixture_advance (f, 59000);
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  chat_fixture_advance (f, 15000);
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  assert_refused (f, token.token);
  g_assert_false (hark_authenticator_is_current (hark_chat_get_authenticator (f->chat), identity));
  g_free (token.token);
}

static void
test_late (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token token = create_token (f, ann, "");
  Client *client = chat_fixture_connect_unknown (f), *silent = chat_fixture_connect_unknown (f);
  g_autoptr (JsonObject) welcome = NULL, reply = NULL;
  g_test_summary ("Who connects without a token can do nothing but present one, within the time for it.");
  client_refused (client, HARK_ERROR_UNAUTHENTICATED, NULL, "get_servers", "%s", "");
  client_refused (client, HARK_ERROR_UNAUTHENTICATED, "token", "authenticate", "\"token\":\"wrong-token\"");
  client_refused (client, HARK_ERROR_BAD_REQUEST, "token", "authenticate", "%s", "");
  reply = client_ask (client, "authenticate", "\"token\":\"%s\"", token.token);
  g_assert_cmpint (json_id (reply, "user_id"), ==, ann);
  welcome = client_pop_type (client, "welcome");
  client_do (client, "get_servers", "%s", "");
  client_refused (client, HARK_ERROR_CONFLICT, NULL, "authenticate", "\"token\":\"%s\"", token.token);
  chat_fixture_advance (f, f->limits.authenticate_ms - 1);
  g_assert_cmpuint (client_get_close_code (silent), ==, 0);
  chat_fixture_advance (f, 1);
  g_assert_cmpuint (client_get_close_code (silent), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  g_free (token.token);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Token tokens[40];
  g_autoptr (HarkIdentity) first = NULL;
  g_test_summary ("A user has so many tokens at most, and memory holds so many identities at most.");
  for (guint i = 0; i < f->limits.tokens_per_user; i++)
    tokens[i] = create_token (f, ann, "");
  chat_fixture_refuse (f, HARK_ERROR_TOO_LARGE, "create_token", "\"user_id\":\"" ID "\"", ann);
  g_free (chat_fixture_call (f, "revoke_token", "\"token_id\":\"" ID "\"", tokens[0].id));
  g_free (tokens[0].token);
  tokens[0] = create_token (f, ann, "");
  for (guint i = 0; i < f->limits.tokens_per_user; i++)
    {
      g_autoptr (HarkIdentity) identity = check (f, tokens[i].token, NULL);
      g_assert_nonnull (identity);
    }
  g_assert_null (hark_authenticator_peek (hark_chat_get_authenticator (f->chat), tokens[0].token));
  first = hark_authenticator_peek (hark_chat_get_authenticator (f->chat), tokens[f->limits.tokens_per_user - 1].token);
  g_assert_nonnull (first);
  for (guint i = 0; i < f->limits.tokens_per_user; i++)
    g_free (tokens[i].token);
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.tokens_per_user = 40;
  f->limits.token_cache = 20;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tokens/check", test_check);
  ADD ("/tokens/004-1", test_chosen);
  ADD ("/tokens/revoke", test_revoke);
  ADD ("/tokens/revoke-under-way", test_revoke_under_way);
  ADD ("/tokens/expiry", test_expiry);
  ADD ("/tokens/late", test_late);
  g_test_add ("/tokens/bounds", ChatFixture, NULL, set_up_small, test_bounds, chat_fixture_tear_down);
  return g_test_run ();
}
