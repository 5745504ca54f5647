/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  char *token;            /* (owned) */
  HarkIdentity *identity; /* (owned) */
  Client *client;
} Holder;

static void
holder_clear (Holder *self)
{
  g_free (self->token);
  hark_identity_unref (self->identity);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Holder, holder_clear)

static char *
create_token (ChatFixture *f, gint64 user, guint expires_in_s)
{
  g_autofree char *text
    = chat_fixture_call (f, "create_token", "\"user_id\":\"" ID "\",\"expires_in_s\":%u", user, expires_in_s);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  return g_strdup (json_object_get_string_member (json_node_get_object (node), "token"));
}

/* A session by a token that lives so long; its welcome was read. */
static Holder
connect (ChatFixture *f, gint64 user, guint expires_in_s)
{
  Holder self = { create_token (f, user, expires_in_s), NULL, NULL };
  g_autoptr (JsonObject) welcome = NULL;
  self.identity = chat_fixture_check_token (f, self.token, NULL);
  self.client = chat_fixture_connect_as (f, self.identity);
  welcome = client_pop (self.client);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  return self;
}

static void
assert_warned (ChatFixture *f, Holder *holder, guint in_ms)
{
  g_autoptr (JsonObject) warning = client_pop (holder->client);
  char expected[HARK_TIME_LEN];
  g_assert_nonnull (warning);
  g_assert_cmpstr (json_object_get_string_member (warning, "type"), ==, "token_expiring");
  hark_time_format (hark_clock_get_real_ms (HARK_CLOCK (f->clock)) + in_ms, expected);
  g_assert_cmpstr (json_object_get_string_member (warning, "expires_at"), ==, expected);
}

static void
test_expiry (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_auto (Holder) later = connect (f, ann, 200), sooner = connect (f, ann, 100), never = connect (f, ann, 0);
  g_test_summary (
    "Each session is warned a minute before its token runs out, and ends to the millisecond when it does.");
  chat_fixture_advance (f, 39999);
  client_assert_silent (sooner.client);
  chat_fixture_advance (f, 1);
  assert_warned (f, &sooner, 60000);
  chat_fixture_advance (f, 59999);
  g_assert_cmpuint (client_get_close_code (sooner.client), ==, 0);
  client_assert_silent (sooner.client);
  chat_fixture_advance (f, 1);
  g_assert_cmpuint (client_get_close_code (sooner.client), ==, HARK_CLOSE_UNAUTHENTICATED);
  client_assert_silent (later.client);
  chat_fixture_advance (f, 40000);
  assert_warned (f, &later, 60000);
  chat_fixture_advance (f, 60000);
  g_assert_cmpuint (client_get_close_code (later.client), ==, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_cmpuint (client_get_close_code (never.client), ==, 0);
  client_assert_silent (never.client);
}

static void
test_short (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_auto (Holder) holder = connect (f, ann, 10);
  g_test_summary ("A token that runs out soon is told of right after the welcome.");
  chat_fixture_advance (f, 1);
  assert_warned (f, &holder, 9999);
  chat_fixture_advance (f, 9999);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, HARK_CLOSE_UNAUTHENTICATED);
}

static void
test_before_welcome (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *token = create_token (f, ann, 10);
  g_autoptr (HarkIdentity) identity = chat_fixture_check_token (f, token, NULL);
  g_autoptr (JsonObject) welcome = NULL, warning = NULL;
  Client *client;
  g_test_summary ("The welcome is the first thing that a client hears, however long it takes.");
  step_store_hold (f->steps, TRUE);
  client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  hark_fake_clock_advance (f->clock, 5000);
  client_assert_silent (client);
  step_store_begin_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  chat_fixture_advance (f, 200);
  welcome = client_pop (client);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  warning = client_pop (client);
  g_assert_cmpstr (json_object_get_string_member (warning, "type"), ==, "token_expiring");
}

static void
test_refresh (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  g_auto (Holder) holder = connect (f, ann, 100);
  g_autofree char *next = create_token (f, ann, 300), *bobs = create_token (f, bob, 300);
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A session goes on with a new token of the same user's, and with no other.");
  client_refused (holder.client, HARK_ERROR_FORBIDDEN, "token", "refresh_token", "\"token\":\"%s\"", bobs);
  client_refused (holder.client, HARK_ERROR_UNAUTHENTICATED, "token", "refresh_token", "\"token\":\"wrong-token\"");
  client_refused (holder.client, HARK_ERROR_FORBIDDEN, "token", "refresh_token", "%s", "");
  reply = client_ask (holder.client, "refresh_token", "\"token\":\"%s\"", next);
  g_assert_true (json_object_has_member (reply, "expires_at"));
  g_assert_false (json_object_has_member (reply, "token"));
  chat_fixture_advance (f, 200000);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, 0);
  chat_fixture_advance (f, 40000);
  assert_warned (f, &holder, 60000);
  chat_fixture_advance (f, 60000);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, HARK_CLOSE_UNAUTHENTICATED);
}

static void
test_refresh_forever (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_auto (Holder) holder = connect (f, ann, 100);
  g_autofree char *next = create_token (f, ann, 0);
  g_autoptr (JsonObject) reply = client_ask (holder.client, "refresh_token", "\"token\":\"%s\"", next);
  g_test_summary ("A session whose new token does not run out does not end, until that one is revoked.");
  g_assert_true (json_object_get_null_member (reply, "expires_at"));
  chat_fixture_advance (f, 1000000);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, 0);
  client_assert_silent (holder.client);
  g_free (chat_fixture_call (f, "revoke_token", "\"token_id\":\"" ID "\"", holder.identity->token_id));
  g_assert_cmpuint (client_get_close_code (holder.client), ==, 0);
}

static void
test_ask (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_auto (Holder) holder = connect (f, ann, 100), never = connect (f, ann, 0);
  g_autoptr (JsonObject) reply = NULL;
  g_autoptr (HarkIdentity) identity = NULL, jwt = hark_identity_new (ann, "ann", 0, 0, HARK_IDENTITY_NONE);
  Client *another;
  g_test_summary ("Where it is allowed a session is given another token for the asking, and goes on with it.");
  reply = client_ask (holder.client, "refresh_token", "%s", "");
  identity = chat_fixture_check_token (f, json_object_get_string_member (reply, "token"), NULL);
  g_assert_cmpint (identity->user_id, ==, ann);
  chat_fixture_advance (f, 101000);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, 0);
  g_free (chat_fixture_call (f, "revoke_token", "\"token_id\":\"" ID "\"", identity->token_id));
  g_assert_cmpuint (client_get_close_code (holder.client), ==, HARK_CLOSE_UNAUTHENTICATED);
  client_refused (never.client, HARK_ERROR_CONFLICT, NULL, "refresh_token", "%s", "");
  another = chat_fixture_connect_as (f, jwt);
  client_refused (another, HARK_ERROR_FORBIDDEN, "token", "refresh_token", "%s", "");
}

static void
test_ask_too_late (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_auto (Holder) holder = connect (f, ann, 100);
  g_test_summary ("A token that is revoked while another is asked for gives none, and what is left answers nobody.");
  step_store_hold (f->steps, TRUE);
  client_say (holder.client, "{\"type\":\"refresh_token\"}");
  hark_fake_clock_advance (f->clock, 100000);
  g_assert_cmpuint (client_get_close_code (holder.client), ==, HARK_CLOSE_UNAUTHENTICATED);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
}

static void
test_back_end (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  g_autofree char *text = chat_fixture_call (f, "create_token", "\"user_id\":\"" ID "\",\"scope\":\"backend\"", ann);
  g_autofree char *listed = chat_fixture_call (f, "list_tokens", "%s", "");
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  const char *key = json_object_get_string_member (json_node_get_object (node), "token");
  g_autoptr (HarkIdentity) identity = chat_fixture_check_token (f, key, NULL);
  g_auto (Holder) holder = connect (f, ann, 100);
  g_autoptr (GError) error = NULL;
  Client *client;
  static const char *const allowed[] = { "list_users", "list_sessions", "list_servers" };
  static const char *const forbidden[]
    = { "create_user",  "update_user",  "delete_user",   "set_user_password", "create_token",
        "list_tokens",  "revoke_token", "create_server", "disconnect_user",   "get_servers",
        "set_password", "message",      "refresh_token" };
  g_test_summary ("A back end's key notifies and reads, administers nothing, and opens no session.");
  g_assert_cmpuint (identity->flags, ==, HARK_IDENTITY_BACKEND);
  g_assert_nonnull (strstr (listed, "\"scope\":\"backend\""));
  for (guint i = 0; i < G_N_ELEMENTS (allowed); i++)
    {
      json_object_unref (chat_fixture_post (f, identity, NULL, allowed[i], &error, "%s", ""));
      g_assert_no_error (error);
    }
  json_object_unref (
    chat_fixture_post (f, identity, NULL, "notify", &error, "\"user\":\"ann\",\"message\":\"hi\",\"action\":\"post\""));
  g_assert_no_error (error);
  json_object_unref (chat_fixture_post (f, identity, NULL, "publish", &error, "\"topic\":\"app/x\",\"data\":1"));
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (forbidden); i++)
    {
      g_assert_null (chat_fixture_post (f, identity, NULL, forbidden[i], &error, "%s", ""));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN);
      g_clear_error (&error);
    }
  client = chat_fixture_connect_as (f, identity);
  g_assert_cmpuint (client_get_close_code (client), ==, HARK_CLOSE_UNAUTHENTICATED);
  client_refused (holder.client, HARK_ERROR_FORBIDDEN, "token", "refresh_token", "\"token\":\"%s\"", key);
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "create_token", "\"user_id\":\"" ID "\",\"scope\":\"root\"", ann);
}

static void
set_up_refresh (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.refresh = TRUE;
  chat_fixture_start (f);
}

#define ADD_REFRESH(path, func) g_test_add (path, ChatFixture, NULL, set_up_refresh, func, chat_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/refresh/expiry", test_expiry);
  ADD ("/refresh/short", test_short);
  ADD ("/refresh/before-welcome", test_before_welcome);
  ADD ("/refresh/refresh", test_refresh);
  ADD ("/refresh/forever", test_refresh_forever);
  ADD_REFRESH ("/refresh/ask", test_ask);
  ADD_REFRESH ("/refresh/ask-too-late", test_ask_too_late);
  ADD ("/refresh/back-end", test_back_end);
  return g_test_run ();
}
