/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

typedef struct
{
  gint64 ann, bob, eve, server;
  Client *owner, *invited;
} Scene;

static Scene
set_scene (ChatFixture *f)
{
  Scene s = { 0 };
  s.ann = chat_fixture_user (f, "ann");
  s.bob = chat_fixture_user (f, "bob");
  s.eve = chat_fixture_user (f, "eve");
  s.server = chat_fixture_server (f, s.ann, "Harbour");
  s.owner = chat_fixture_connect (f, s.ann);
  s.invited = chat_fixture_connect (f, s.bob);
  return s;
}

static void
invite (Scene *s, const char *name)
{
  client_do (s->owner, "invitation", "\"invited\":\"%s\",\"server_id\":\"" ID "\"", name, s->server);
}

static void
test_accept (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  Client *tab = chat_fixture_connect (f, s.bob), *stranger = chat_fixture_connect (f, s.eve);
  g_autoptr (JsonObject) event = NULL, other = NULL, notice = NULL, accepted = NULL, member = NULL;
  g_test_summary ("001-4: an invitation reaches the invited user's sessions alone, accepting makes a member, and who "
                  "invited hears of it.");
  invite (&s, "Bob");
  event = client_pop_type (s.invited, "invitation");
  g_assert_cmpstr (json_object_get_string_member (event, "invited"), ==, "bob");
  g_assert_cmpstr (json_object_get_string_member (event, "invited_img"), ==, "");
  g_assert_cmpstr (json_object_get_string_member (event, "inviting"), ==, "ann");
  g_assert_cmpint (json_id (event, "server_id"), ==, s.server);
  other = client_pop_type (tab, "invitation");
  notice = client_pop_type (s.invited, "notification");
  g_assert_cmpstr (json_object_get_string_member (notice, "message"), ==, "ann invited you to Harbour");
  client_assert_silent (s.owner);
  client_assert_silent (stranger);
  client_do (s.invited, "get_servers", "%s", "");
  client_do (s.invited, "accept_invitation", "\"server_id\":\"" ID "\"", s.server);
  json_object_unref (client_pop_type (s.invited, "add_server"));
  accepted = client_pop_type (s.owner, "accept_invitation");
  g_assert_cmpstr (json_object_get_string_member (accepted, "invited"), ==, "bob");
  member = client_pop_type (s.owner, "notification");
  g_assert_cmpstr (json_object_get_string_member (member, "action"), ==, "member");
  client_assert_silent (s.invited);
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  client_refused (s.owner, HARK_ERROR_RATE_LIMITED, NULL, "invitation", "\"invited\":\"bob\",\"server_id\":\"" ID "\"",
                  s.server);
  hark_fake_clock_advance (f->clock, 1501);
  client_refused (s.owner, HARK_ERROR_CONFLICT, "invited", "invitation", "\"invited\":\"bob\",\"server_id\":\"" ID "\"",
                  s.server);
}

static void
test_never_offered (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  Client *stranger = chat_fixture_connect (f, s.eve);
  g_test_summary ("001-4: what was never offered, was withdrawn or declined or is too old cannot be accepted.");
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  invite (&s, "bob");
  json_object_unref (client_pop_type (s.invited, "invitation"));
  client_refused (stranger, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  client_refused (stranger, HARK_ERROR_NOT_FOUND, "server_id", "cancel_invitation",
                  "\"invited\":\"bob\",\"server_id\":\"" ID "\"", s.server);
  client_do (s.owner, "cancel_invitation", "\"invited\":\"bob\",\"server_id\":\"" ID "\"", s.server);
  json_object_unref (client_pop_type (s.invited, "cancel_invitation"));
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  hark_fake_clock_advance (f->clock, 1501);
  invite (&s, "bob");
  client_do (s.invited, "cancel_invitation", "\"server_id\":\"" ID "\"", s.server);
  json_object_unref (client_pop_type (s.owner, "cancel_invitation"));
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  hark_fake_clock_advance (f->clock, 1501);
  invite (&s, "bob");
  hark_fake_clock_advance (f->clock, f->limits.invitation_age_ms);
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "accept_invitation", "\"server_id\":\"" ID "\"",
                  s.server);
  invite (&s, "bob");
  client_do (s.invited, "accept_invitation", "\"server_id\":\"" ID "\"", s.server);
}

static void
test_away (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  gint64 second = chat_fixture_server (f, s.ann, "Second");
  Client *client;
  g_autoptr (JsonObject) first_event = NULL, second_event = NULL, list = NULL, made = NULL;
  g_test_summary ("Invitations that wait are given to each session that connects, in order and once.");
  invite (&s, "eve");
  hark_fake_clock_advance (f->clock, 1501);
  client_do (s.owner, "invitation", "\"invited\":" ID ",\"server_id\":\"" ID "\"", s.eve, second);
  client = chat_fixture_connect (f, s.eve);
  first_event = client_pop_type (client, "invitation");
  second_event = client_pop_type (client, "invitation");
  g_assert_cmpint (json_id (first_event, "server_id"), ==, s.server);
  g_assert_cmpint (json_id (second_event, "server_id"), ==, second);
  g_assert_cmpint (json_object_get_int_member (first_event, "seq"), <, json_object_get_int_member (second_event, "seq"));
  json_object_unref (client_pop_type (client, "notification"));
  json_object_unref (client_pop_type (client, "notification"));
  client_assert_silent (client);
  list = client_ask (client, "get_invitations", "%s", "");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (list, "invitations")), ==, 2);
  made = client_ask (s.owner, "get_invitations", "%s", "");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (made, "made")), ==, 2);
}

static void
test_refused (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  g_test_summary ("Strangers cannot invite, nobody invites themselves, members, or who does not exist; and who invited "
                  "and has left has not invited.");
  client_refused (s.invited, HARK_ERROR_NOT_FOUND, "server_id", "invitation",
                  "\"invited\":\"eve\",\"server_id\":\"" ID "\"", s.server);
  client_refused (s.owner, HARK_ERROR_BAD_REQUEST, "invited", "invitation",
                  "\"invited\":\"ann\",\"server_id\":\"" ID "\"", s.server);
  client_refused (s.owner, HARK_ERROR_NOT_FOUND, "invited", "invitation",
                  "\"invited\":\"zoe\",\"server_id\":\"" ID "\"", s.server);
  client_refused (s.owner, HARK_ERROR_BAD_REQUEST, "server_id", "invitation", "\"invited\":\"bob\"");
  client_refused (s.owner, HARK_ERROR_BAD_REQUEST, "invited", "invitation", "\"server_id\":\"" ID "\"", s.server);
  chat_fixture_refuse (f, HARK_ERROR_FORBIDDEN, "invitation", "\"invited\":\"bob\",\"server_id\":\"" ID "\"", s.server);
  invite (&s, "bob");
  hark_fake_clock_advance (f->clock, 1501);
  client_refused (s.owner, HARK_ERROR_CONFLICT, "invited", "invitation", "\"invited\":\"bob\",\"server_id\":\"" ID "\"",
                  s.server);
}

static void
test_interval (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  guint refused = 0;
  g_test_summary ("001-5: 1,500 ms after an invitation another to the same user is refused, by name or id, without a "
                  "strike; 1,501 ms after it passes; another user and accepting are not concerned.");
  for (guint i = 0; i < 60; i++)
    client_say (s.owner, "{\"type\":\"invitation\",\"invited\":%s,\"server_id\":\"" ID "\"}",
                i % 2 == 0 ? "\"bob\"" : "\"BOB\"", s.server);
  chat_fixture_settle (f);
  for (g_autoptr (JsonObject) reply = client_pop (s.owner); reply != NULL; reply = client_pop (s.owner))
    {
      refused += g_strcmp0 (json_object_get_string_member_with_default (reply, "code", ""), "rate_limited") == 0;
      json_object_unref (reply);
    }
  g_assert_cmpuint (refused, ==, 59);
  g_assert_cmpuint (client_get_close_code (s.owner), ==, 0);
  json_object_unref (client_pop_type (s.invited, "invitation"));
  json_object_unref (client_pop_type (s.invited, "notification"));
  client_assert_silent (s.invited);
  invite (&s, "eve");
  client_do (s.owner, "cancel_invitation", "\"invited\":\"" ID "\",\"server_id\":\"" ID "\"", s.bob, s.server);
  hark_fake_clock_advance (f->clock, 1500);
  client_refused (s.owner, HARK_ERROR_RATE_LIMITED, NULL, "invitation", "\"invited\":" ID ",\"server_id\":\"" ID "\"",
                  s.bob, s.server);
  hark_fake_clock_advance (f->clock, 1);
  invite (&s, "bob");
  client_do (s.invited, "accept_invitation", "\"server_id\":\"" ID "\"", s.server);
}

static void
set_up_raised (ChatFixture *f, gconstpointer data)
{
  static const char *const raised[] = { "invitation", "member", NULL };
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.notification_raised = raised;
  chat_fixture_start (f);
}

static void
set_up_bounds (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.invitations_per_user = 2;
  chat_fixture_start (f);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  gint64 servers[3];
  g_test_summary ("Invitations that wait are bounded for who invites and for who is invited.");
  chat_fixture_user (f, "zoe");
  invite (&s, "bob");
  invite (&s, "eve");
  client_refused (s.owner, HARK_ERROR_TOO_LARGE, "invited", "invitation",
                  "\"invited\":\"zoe\",\"server_id\":\"" ID "\"", s.server);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *name = g_strdup_printf ("owner%u", i);
      gint64 owner = chat_fixture_user (f, name);
      Client *client = chat_fixture_connect (f, owner);
      servers[i] = chat_fixture_server (f, owner, "S");
      if (i < 2)
        client_do (client, "invitation", "\"invited\":\"zoe\",\"server_id\":\"" ID "\"", servers[i]);
      else
        client_refused (client, HARK_ERROR_TOO_LARGE, "invited", "invitation",
                        "\"invited\":\"zoe\",\"server_id\":\"" ID "\"", servers[i]);
    }
}

static void
test_swept (ChatFixture *f, gconstpointer data)
{
  Scene s = set_scene (f);
  g_test_summary ("Invitations that are too old are removed.");
  invite (&s, "bob");
  chat_fixture_advance (f, f->limits.invitation_age_ms);
  chat_fixture_advance (f, 20 * 1000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM invitations"), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/invitations/accept", ChatFixture, NULL, set_up_raised, test_accept, chat_fixture_tear_down);
  ADD ("/invitations/never-offered", test_never_offered);
  ADD ("/invitations/away", test_away);
  ADD ("/invitations/refused", test_refused);
  ADD ("/invitations/interval", test_interval);
  g_test_add ("/invitations/bounds", ChatFixture, NULL, set_up_bounds, test_bounds, chat_fixture_tear_down);
  ADD ("/invitations/swept", test_swept);
  return g_test_run ();
}
