/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWTs where tokens are taken: whom they let in, until when, and what becomes of them when the user is not there. */
#include "chat-fixture.h"
#include "jwt-signer.h"

#include "chat/token-authenticator.h"

#include <string.h>

#define LIFETIME_S 600
#define LEEWAY_S 30
#define AGO_S 60

static const HarkJwtRules rules = {
  .issuer = "https://id.example",
  .audience = "hark",
  .leeway_s = LEEWAY_S,
  .max_lifetime_s = 3600,
  .name_chars = 100,
};

static JwtSigner *signer;

static void
set_issuer (ChatFixture *f, gboolean create_users)
{
  HarkJwtRules its = rules;
  g_autoptr (HarkJwtIssuer) issuer = NULL;
  its.create_users = create_users;
  issuer = hark_jwt_issuer_new (signer->algorithm, &its);
  hark_jwt_issuer_take_key (issuer, jwt_signer_dup_key (signer));
  hark_chat_set_jwt_issuer (f->chat, issuer);
}

static void
set_up (ChatFixture *f, gconstpointer create_users)
{
  chat_fixture_set_up (f, NULL);
  set_issuer (f, create_users != NULL);
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, NULL);
  chat_fixture_stop (f);
  f->limits.token_cache = 20;
  chat_fixture_start (f);
  set_issuer (f, FALSE);
}

static char *
sign (ChatFixture *f, const char *sub, gint64 age_s, const char *more)
{
  gint64 issued = hark_clock_get_real_ms (HARK_CLOCK (f->clock)) / 1000 - age_s;
  g_autofree char *claims
    = g_strdup_printf ("{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"iat\":" ID ",\"exp\":" ID "%s}", rules.issuer,
                       rules.audience, sub, issued, issued + LIFETIME_S, more);
  return jwt_signer_sign (signer, "{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", claims);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncResult **out = data;
  *out = g_object_ref (result);
}

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

static HarkIdentity *
check_good (ChatFixture *f, const char *token)
{
  g_autoptr (GError) error = NULL;
  HarkIdentity *identity = check (f, token, &error);
  g_assert_no_error (error);
  return identity;
}

static void
assert_refused (ChatFixture *f, const char *token, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = check (f, token, &error);
  g_assert_null (identity);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  if (strstr (error->message, why) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, why);
  g_assert_null (hark_authenticator_peek (hark_chat_get_authenticator (f->chat), token));
}

static Client *
connect (ChatFixture *f, HarkIdentity *identity)
{
  Client *client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  chat_fixture_settle (f);
  return client;
}

static gint64
get_counter (ChatFixture *f, const char *name)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, name, ""));
}

static void
test_check (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autofree char *token = sign (f, "ann", 0, "");
  g_autoptr (HarkIdentity) identity = NULL, again = NULL;
  g_test_summary ("A JWT lets the user in whom it names, from the store and then from memory.");
  g_assert_null (hark_authenticator_peek (authenticator, token));
  identity = check_good (f, token);
  g_assert_cmpint (identity->user_id, ==, ann);
  g_assert_cmpint (identity->token_id, ==, 0);
  g_assert_cmpstr (identity->username, ==, "ann");
  g_assert_cmpuint (identity->flags, ==, HARK_IDENTITY_NONE);
  again = hark_authenticator_peek (authenticator, token);
  g_assert_true (again == identity);
  g_assert_true (hark_authenticator_is_current (authenticator, identity));
  chat_fixture_advance (f, 15000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tokens"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users"), ==, 1);
}

static void
test_never_administrator (ChatFixture *f, gconstpointer data)
{
  g_autofree char *reply = chat_fixture_call (f, "create_user", "\"username\":\"root\",\"admin\":true");
  g_autofree char *token = sign (f, "root", 0, ",\"admin\":true,\"is_admin\":true,\"roles\":[\"admin\"]");
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("Nobody is an administrator by a JWT, also who is one by other tokens.");
  g_assert_nonnull (reply);
  identity = check_good (f, token);
  g_assert_cmpuint (identity->flags, ==, HARK_IDENTITY_NONE);
  client_refused (connect (f, identity), HARK_ERROR_FORBIDDEN, NULL, "list_users", "%s", "");
}

static void
test_refused (ChatFixture *f, gconstpointer data)
{
  g_autofree char *good = NULL, *old = NULL;
  g_autofree char *cut = NULL;
  g_test_summary ("A JWT that does not hold lets nobody in, and the error says why; what is no JWT is no token.");
  chat_fixture_user (f, "ann");
  good = sign (f, "ann", 0, "");
  old = sign (f, "ann", LIFETIME_S + LEEWAY_S, "");
  cut = g_strndup (good, strlen (good) - 1);
  assert_refused (f, old, "it has expired");
  assert_refused (f, cut, "signature");
  assert_refused (f, "a.b", "lets nobody in");
  assert_refused (f, "..", "header");
  g_assert_cmpint (get_counter (f, "hark_tokens_refused_total"), ==, 4);
}

static void
test_not_configured (ChatFixture *f, gconstpointer data)
{
  g_autofree char *token = NULL;
  g_test_summary ("Where no issuer is configured a JWT lets nobody in.");
  chat_fixture_user (f, "ann");
  token = sign (f, "ann", 0, "");
  assert_refused (f, token, "lets nobody in");
}

static void
test_expiry (ChatFixture *f, gconstpointer data)
{
  g_autofree char *token = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  Client *client;
  g_test_summary (
    "A session ends when the JWT that let it in has expired, and what was remembered of it does not hold.");
  chat_fixture_user (f, "ann");
  token = sign (f, "ann", LIFETIME_S - 60, "");
  identity = check_good (f, token);
  client = connect (f, identity);
  chat_fixture_advance (f, (60 + LEEWAY_S) * 1000 - 200);
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  chat_fixture_advance (f, 15000);
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_false (hark_authenticator_is_current (hark_chat_get_authenticator (f->chat), identity));
  assert_refused (f, token, "it has expired");
}

static void
test_late (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *token = sign (f, "ann", 0, ""), *foreign = NULL;
  Client *client = chat_fixture_connect_unknown (f);
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A JWT is presented by a first message as well as another token.");
  foreign = g_strdup (token);
  foreign[strlen (foreign) - 2] ^= 1;
  client_refused (client, HARK_ERROR_UNAUTHENTICATED, "token", "authenticate", "\"token\":\"%s\"", foreign);
  reply = client_ask (client, "authenticate", "\"token\":\"%s\"", token);
  g_assert_cmpint (json_id (reply, "user_id"), ==, ann);
}

static void
test_unknown (ChatFixture *f, gconstpointer data)
{
  g_autofree char *token = sign (f, "ann", 0, "");
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("Whom nobody has made a user is refused, and is let in once there is the account.");
  assert_refused (f, token, "\"sub\" is no user here");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users"), ==, 0);
  chat_fixture_user (f, "ann");
  identity = check_good (f, token);
  g_assert_nonnull (identity);
}

static void
test_created (ChatFixture *f, gconstpointer data)
{
  g_autofree char *token = sign (f, "ann", 0, ",\"name\":\"Ann Smith\""), *nameless = sign (f, "bob", 0, "");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (GAsyncResult) first = NULL, second = NULL;
  g_autoptr (HarkIdentity) one = NULL, other = NULL, bob = NULL;
  g_test_summary ("With create-users who is unknown gets an account, once, with the name that the JWT has for it.");
  hark_authenticator_check_async (authenticator, token, NULL, on_checked, &first);
  hark_authenticator_check_async (authenticator, token, NULL, on_checked, &second);
  chat_fixture_settle (f);
  one = hark_authenticator_check_finish (authenticator, first, NULL);
  other = hark_authenticator_check_finish (authenticator, second, NULL);
  g_assert_cmpint (one->user_id, ==, other->user_id);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users"), ==, 1);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE displayname = 'Ann Smith'"
                                          " AND username = 'ann' AND is_admin = 0"),
                   ==, 1);
  bob = check_good (f, nameless);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE displayname = 'bob'"), ==, 1);
  g_assert_cmpint (get_counter (f, "hark_jwt_users_created_total"), ==, 2);
  client_do (connect (f, bob), "get_servers", "%s", "");
}

static void
test_create_fails (ChatFixture *f, gconstpointer data)
{
  g_autofree char *token = sign (f, "ann", 0, "");
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("An account that cannot be stored lets nobody in, and is made at the next try.");
  step_store_fail_writes (f->steps, TRUE);
  identity = check (f, token, &error);
  g_assert_null (identity);
  g_assert_nonnull (error);
  g_assert_cmpint (get_counter (f, "hark_jwt_users_created_total"), ==, 0);
  step_store_fail_writes (f->steps, FALSE);
  identity = check_good (f, token);
  g_assert_cmpint (get_counter (f, "hark_jwt_users_created_total"), ==, 1);
}

static void
test_deleted (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autofree char *token = NULL, *undated = NULL, *bobs = NULL, *newer = NULL, *claims = NULL;
  g_autoptr (HarkIdentity) identity = NULL, bob = NULL, again = NULL, afterwards = NULL;
  Client *client, *stays;
  g_test_summary (
    "Deleting a user ends the sessions of all its JWTs at once. What was issued before brings the account "
    "not back, and lets nobody into another of the name; others' JWTs hold.");
  chat_fixture_user (f, "bob");
  token = sign (f, "ann", AGO_S, "");
  bobs = sign (f, "bob", AGO_S, "");
  identity = check_good (f, token);
  bob = check_good (f, bobs);
  client = connect (f, identity);
  stays = connect (f, bob);
  g_free (chat_fixture_call (f, "delete_user", "\"user_id\":\"" ID "\"", ann));
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (stays), ==, 0);
  g_assert_false (hark_authenticator_is_current (authenticator, identity));
  g_assert_true (hark_authenticator_is_current (authenticator, bob));
  again = hark_authenticator_peek (authenticator, bobs);
  g_assert_true (again == bob);
  assert_refused (f, token, "was deleted after it was issued");
  claims = g_strdup_printf ("{\"iss\":\"%s\",\"aud\":\"hark\",\"sub\":\"ann\",\"exp\":" ID "}", rules.issuer,
                            hark_clock_get_real_ms (HARK_CLOCK (f->clock)) / 1000 + LIFETIME_S);
  undated = jwt_signer_sign (signer, "{\"alg\":\"EdDSA\"}", claims);
  assert_refused (f, undated, "was deleted after it was issued");
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE username = 'ann'"), ==, 0);
  chat_fixture_user (f, "ann");
  assert_refused (f, token, "was deleted after it was issued");
  chat_fixture_advance (f, (LEEWAY_S + 2) * 1000);
  newer = sign (f, "ann", 0, "");
  afterwards = check_good (f, newer);
  g_assert_cmpint (afterwards->user_id, !=, ann);
  assert_refused (f, token, "was deleted after it was issued");
}

static void
test_deleted_under_way (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *token = sign (f, "ann", AGO_S, ""), *args = NULL;
  HarkAuthenticator *authenticator = hark_chat_get_authenticator (f->chat);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("A user who is deleted while the JWT is being looked up is not let in.");
  step_store_hold (f->steps, TRUE);
  hark_authenticator_check_async (authenticator, token, NULL, on_checked, &result);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  args = g_strdup_printf ("{\"user_id\":\"" ID "\"}", ann);
  hark_dispatcher_call (f->dispatcher, f->admin, "delete_user", args, NULL, NULL);
  chat_fixture_settle (f);
  step_store_publish_one (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  g_assert_null (hark_authenticator_check_finish (authenticator, result, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users"), ==, 0);
}

static void
test_renamed (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *token = sign (f, "ann", 0, ""), *newer = sign (f, "anna", 0, "");
  g_autoptr (HarkIdentity) identity = check_good (f, token), renamed = NULL;
  Client *client = connect (f, identity);
  g_test_summary ("A user who is called otherwise now has to present a JWT that says so.");
  g_free (chat_fixture_call (f, "update_user", "\"user_id\":\"" ID "\",\"username\":\"anna\"", ann));
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_DISCONNECTED);
  assert_refused (f, token, "\"sub\" is no user here");
  renamed = check_good (f, newer);
  g_assert_cmpint (renamed->user_id, ==, ann);
}

static void
test_revoked_token (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  gint64 stored
    = chat_fixture_call_id (f, "token_id", "create_token", "\"user_id\":\"" ID "\",\"token\":\"12345678\"", ann);
  g_autofree char *token = sign (f, "ann", 0, "");
  g_autoptr (HarkIdentity) identity = check_good (f, token), by_stored = check_good (f, "12345678");
  Client *client = connect (f, identity), *other = connect (f, by_stored);
  g_test_summary ("Revoking a stored token of a user leaves the user's JWTs alone.");
  g_free (chat_fixture_call (f, "revoke_token", "\"token_id\":\"" ID "\"", stored));
  g_assert_cmpuint (client_get_close_code (client), ==, 0);
  g_assert_cmpuint (client_get_close_code (other), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_true (hark_authenticator_is_current (hark_chat_get_authenticator (f->chat), identity));
}

static void
test_dotted_token (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("A stored token that has two dots, as a JWT has, still lets in.");
  g_free (chat_fixture_call (f, "create_token", "\"user_id\":\"" ID "\",\"token\":\"one.two.three\"", ann));
  identity = check_good (f, "one.two.three");
  g_assert_cmpint (identity->user_id, ==, ann);
  g_assert_cmpint (identity->token_id, !=, 0);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  g_autofree char *first = NULL;
  g_autoptr (HarkIdentity) remembered = NULL, again = NULL;
  g_autofree char *last = NULL;
  g_test_summary ("Memory holds so many JWTs at most; who is not in it is looked up again.");
  chat_fixture_user (f, "ann");
  first = sign (f, "ann", 0, ",\"jti\":\"first\"");
  remembered = check_good (f, first);
  for (guint i = 0; i < f->limits.token_cache; i++)
    {
      g_autofree char *more = g_strdup_printf (",\"jti\":\"%u\"", i);
      g_autofree char *token = sign (f, "ann", 0, more);
      g_autoptr (HarkIdentity) identity = check_good (f, token);
      g_assert_nonnull (identity);
      g_free (last);
      last = g_steal_pointer (&token);
    }
  g_assert_null (hark_authenticator_peek (hark_chat_get_authenticator (f->chat), first));
  again = hark_authenticator_peek (hark_chat_get_authenticator (f->chat), last);
  g_assert_nonnull (again);
  hark_identity_unref (g_steal_pointer (&again));
  again = check_good (f, first);
  g_assert_cmpint (again->user_id, ==, remembered->user_id);
}

static gboolean
backdate_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  return hark_transaction_exec (tx, error, "UPDATE gone_usernames SET gone_at = gone_at - ?", "i",
                                HARK_JWT_MAX_LIFETIME_S * G_GINT64_CONSTANT (1000));
}

static void
test_retention (ChatFixture *f, gconstpointer data)
{
  g_test_summary ("Whose account was deleted is remembered as long as a JWT can live.");
  g_free (chat_fixture_call (f, "delete_user", "\"user_id\":\"" ID "\"", chat_fixture_user (f, "ann")));
  chat_fixture_advance (f, 10000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM gone_usernames WHERE username = 'ann'"), ==, 1);
  hark_store_write (HARK_STORE (f->steps), backdate_in_thread, NULL, NULL, NULL, NULL);
  chat_fixture_advance (f, 10000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM gone_usernames"), ==, 0);
}

#define ADD_JWT(path, create_users, func)                                                                              \
  g_test_add ("/jwt-users/" path, ChatFixture, GINT_TO_POINTER (create_users), set_up, func, chat_fixture_tear_down)

int
main (int argc, char **argv)
{
  int result;
  g_test_init (&argc, &argv, NULL);
  signer = jwt_signer_new (HARK_JWT_EDDSA);
  ADD_JWT ("check", FALSE, test_check);
  ADD_JWT ("never-administrator", FALSE, test_never_administrator);
  ADD_JWT ("refused", FALSE, test_refused);
  ADD ("/jwt-users/not-configured", test_not_configured);
  ADD_JWT ("expiry", FALSE, test_expiry);
  ADD_JWT ("late", FALSE, test_late);
  ADD_JWT ("unknown", FALSE, test_unknown);
  ADD_JWT ("created", TRUE, test_created);
  ADD_JWT ("create-fails", TRUE, test_create_fails);
  ADD_JWT ("deleted", FALSE, test_deleted);
  ADD_JWT ("deleted/create-users", TRUE, test_deleted);
  ADD_JWT ("deleted-under-way", FALSE, test_deleted_under_way);
  ADD_JWT ("deleted-under-way/create-users", TRUE, test_deleted_under_way);
  ADD_JWT ("renamed", FALSE, test_renamed);
  ADD_JWT ("revoked-token", FALSE, test_revoked_token);
  ADD_JWT ("dotted-token", FALSE, test_dotted_token);
  g_test_add ("/jwt-users/bounds", ChatFixture, NULL, set_up_small, test_bounds, chat_fixture_tear_down);
  ADD_JWT ("retention", FALSE, test_retention);
  result = g_test_run ();
  jwt_signer_free (signer);
  return result;
}
