/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

/* A server of ann's, with bob and eve in it. */
typedef struct
{
  gint64 ann, bob, eve, server;
  Client *anns, *bobs, *eves;
} Harbour;

static void
make_harbour (ChatFixture *f, Harbour *h)
{
  h->ann = chat_fixture_user (f, "ann");
  h->bob = chat_fixture_user (f, "bob");
  h->eve = chat_fixture_user (f, "eve");
  h->server = chat_fixture_server (f, h->ann, "Harbour");
  chat_fixture_join (f, h->server, h->bob);
  chat_fixture_join (f, h->server, h->eve);
  h->anns = chat_fixture_connect (f, h->ann);
  h->bobs = chat_fixture_connect (f, h->bob);
  h->eves = chat_fixture_connect (f, h->eve);
}

static gint64
make_role (Client *client, gint64 server, const char *name, const char *permissions, gint64 position)
{
  g_autoptr (JsonObject) reply
    = client_ask (client, "create_role",
                  "\"server_id\":\"" ID "\",\"name\":\"%s\",\"permissions\":[%s],\"position\":" ID, server, name,
                  permissions, position);
  return json_id (reply, "role_id");
}

static void
assign (Client *client, gint64 role, gint64 user)
{
  client_do (client, "assign_role", "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", role, user);
}

static void
assert_event (Client *client, const char *type, const char *member, gint64 id)
{
  g_autoptr (JsonObject) event = client_pop (client);
  g_assert_nonnull (event);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, type);
  g_assert_cmpint (json_id (event, member), ==, id);
}

static void
test_told (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  g_autoptr (JsonObject) reply = NULL, added = NULL, updated = NULL, own = NULL;
  JsonArray *list;
  gint64 role;
  g_test_summary ("Roles are told to who has loaded them, and one's own to oneself; everybody's is the server's.");
  make_harbour (f, &h);
  reply = client_ask (h.bobs, "get_server_roles", "\"server_id\":\"" ID "\"", h.server);
  list = json_object_get_array_member (reply, "roles");
  g_assert_cmpuint (json_array_get_length (list), ==, 1);
  g_assert_cmpint (json_id (json_array_get_object_element (list, 0), "role_id"), ==, h.server);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (reply, "own")), ==, 0);
  role = make_role (h.anns, h.server, "crew", "\"manage_channels\",\"kick_members\"", 5);
  added = client_pop_type (h.bobs, "add_role");
  g_assert_cmpint (json_object_get_int_member (added, "position"), ==, 5);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (added, "permissions")), ==, 2);
  client_assert_silent (h.eves);
  client_do (h.anns, "update_role", "\"role_id\":\"" ID "\",\"name\":\"hands\",\"permissions\":[]", role);
  updated = client_pop_type (h.bobs, "update_role");
  g_assert_cmpstr (json_object_get_string_member (updated, "name"), ==, "hands");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (updated, "permissions")), ==, 0);
  client_do (h.eves, "get_server_roles", "\"server_id\":\"" ID "\"", h.server);
  assign (h.anns, role, h.bob);
  own = client_pop_type (h.bobs, "own_roles");
  g_assert_cmpint (g_ascii_strtoll (json_array_get_string_element (json_object_get_array_member (own, "own"), 0), NULL,
                                    10),
                   ==, role);
  client_assert_silent (h.eves);
  client_do (h.anns, "delete_role", "\"role_id\":\"" ID "\"", role);
  assert_event (h.bobs, "remove_role", "role_id", role);
  assert_event (h.eves, "remove_role", "role_id", role);
  client_assert_silent (h.bobs);
  client_refused (h.anns, HARK_ERROR_CONFLICT, "role_id", "delete_role", "\"role_id\":\"" ID "\"", h.server);
  client_refused (h.anns, HARK_ERROR_CONFLICT, "role_id", "update_role", "\"role_id\":\"" ID "\",\"name\":\"x\"",
                  h.server);
}

static void
test_below (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  gint64 high, low, own;
  g_test_summary ("Who manages roles acts below himself only, and gives nothing that he has not.");
  make_harbour (f, &h);
  high = make_role (h.anns, h.server, "high", "\"manage_server\"", 20);
  own = make_role (h.anns, h.server, "own", "\"manage_roles\",\"kick_members\",\"manage_nicks\"", 10);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "server_id", "create_role", "\"server_id\":\"" ID "\",\"name\":\"x\"",
                  h.server);
  assign (h.anns, own, h.bob);
  low = make_role (h.bobs, h.server, "low", "\"kick_members\"", 9);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "position", "create_role",
                  "\"server_id\":\"" ID "\",\"name\":\"x\",\"position\":10", h.server);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "permissions", "create_role",
                  "\"server_id\":\"" ID "\",\"name\":\"x\",\"permissions\":[\"manage_server\"]", h.server);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "position", "update_role", "\"role_id\":\"" ID "\",\"position\":11",
                  low);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "permissions", "update_role",
                  "\"role_id\":\"" ID "\",\"permissions\":[\"manage_channels\"]", low);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "role_id", "update_role", "\"role_id\":\"" ID "\",\"name\":\"mine\"",
                  own);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "role_id", "assign_role",
                  "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", high, h.bob);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "role_id", "delete_role", "\"role_id\":\"" ID "\"", high);
  assign (h.bobs, low, h.eve);
  client_refused (h.eves, HARK_ERROR_FORBIDDEN, "user_id", "kick_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", h.server, h.bob);
  client_refused (h.eves, HARK_ERROR_FORBIDDEN, "user_id", "kick_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", h.server, h.ann);
  client_refused (h.anns, HARK_ERROR_CONFLICT, "user_id", "kick_member",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", h.server, h.ann);
  client_do (h.bobs, "set_nick", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\",\"nick\":\"deck\"", h.server, h.eve);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "user_id", "set_nick",
                  "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\",\"nick\":\"x\"", h.server, h.ann);
  client_do (h.bobs, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", h.server, h.eve);
  client_refused (h.eves, HARK_ERROR_NOT_FOUND, "role_id", "assign_role",
                  "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", low, h.eve);
  client_refused (h.bobs, HARK_ERROR_NOT_FOUND, "user_id", "assign_role",
                  "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", low, h.eve);
}

typedef struct
{
  const char *permission;
  const char *request;
  const char *members; /* with the id of what it is about */
} Case;

/* What each permission opens, and the lack of it closes. */
static const Case cases[] = {
  { "manage_server", "update_server", "\"server_id\":\"%s\",\"name\":\"Port\"" },
  { "manage_channels", "create_channel", "\"server_id\":\"%s\",\"name\":\"dock\"" },
  { "manage_roles", "list_roles", "\"server_id\":\"%s\"" },
  { "kick_members", "kick_member", "\"server_id\":\"%s\",\"user_id\":\"%e\"" },
  { "manage_nicks", "set_nick", "\"server_id\":\"%s\",\"user_id\":\"%e\",\"nick\":\"n\"" },
  { "invite_members", "invitation", "\"server_id\":\"%s\",\"invited\":\"zoe\"" },
  { "manage_channels", "update_channel", "\"channel_id\":\"%c\",\"name\":\"quay\"" },
  { "manage_channels", "delete_channel", "\"channel_id\":\"%c\"" },
  { "manage_channels", "list_grants", "\"channel_id\":\"%c\"" },
  { "manage_messages", "delete_message", "\"message_id\":\"%m\"" },
};

static char *
fill_in (const char *members, const Harbour *h, gint64 channel, gint64 message)
{
  GString *text = g_string_new (members);
  const struct
  {
    const char *what;
    gint64 id;
  } ids[] = { { "%s", h->server }, { "%e", h->eve }, { "%c", channel }, { "%m", message } };
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autofree char *id = g_strdup_printf (ID, ids[i].id);
      g_string_replace (text, ids[i].what, id, 0);
    }
  return g_string_free (text, FALSE);
}

static void
test_permissions (ChatFixture *f, gconstpointer data)
{
  const Case *c = data;
  Harbour h;
  gint64 role, channel, message;
  g_autofree char *members = NULL, *permission = g_strdup_printf ("\"%s\"", c->permission);
  g_autoptr (JsonObject) sent = NULL;
  g_test_summary ("A request that needs a permission is refused without it, and done with it.");
  make_harbour (f, &h);
  chat_fixture_user (f, "zoe");
  channel = chat_fixture_channel (f, h.server, "general", FALSE);
  sent = client_ask (h.anns, "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", channel);
  message = json_id (sent, "message_id");
  /* Everybody may invite, unless somebody says otherwise. */
  client_do (h.anns, "update_role", "\"role_id\":\"" ID "\",\"permissions\":[]", h.server);
  members = fill_in (c->members, &h, channel, message);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, NULL, c->request, "%s", members);
  role = make_role (h.anns, h.server, "crew", permission, 3);
  assign (h.anns, role, h.bob);
  chat_fixture_advance (f, 2000);
  client_do (h.bobs, c->request, "%s", members);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "server_id", "delete_server", "\"server_id\":\"" ID "\"", h.server);
  client_refused (h.bobs, HARK_ERROR_FORBIDDEN, "server_id", "update_server",
                  "\"server_id\":\"" ID "\",\"owner_id\":\"" ID "\"", h.server, h.bob);
}

static gboolean
sees (Client *client, gint64 channel)
{
  client_say (client, "{\"type\":\"get_messages\",\"channel_id\":\"" ID "\",\"ref\":\"sees\"}", channel);
  chat_fixture_settle (client->fixture);
  for (;;)
    {
      g_autoptr (JsonObject) object = client_pop (client);
      g_assert_nonnull (object);
      if (json_object_has_member (object, "ref") && json_object_has_member (object, "code"))
        return FALSE;
      if (json_object_has_member (object, "ref") && json_object_has_member (object, "messages"))
        return TRUE;
    }
}

static void
test_channels (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  gint64 role, channel;
  g_autoptr (JsonObject) grants = NULL;
  g_autoptr (JsonObject) before = NULL;
  g_test_summary ("000-4: a channel granted to a role is shown to who has it, and hidden and silent at once without.");
  make_harbour (f, &h);
  channel = chat_fixture_channel (f, h.server, "crew", TRUE);
  role = make_role (h.anns, h.server, "crew", "", 1);
  client_do (h.anns, "message", "\"channel\":\"" ID "\",\"message\":\"old\"", channel);
  client_do (h.bobs, "get_server_channels", "\"server_id\":\"" ID "\"", h.server);
  client_do (h.eves, "get_server_channels", "\"server_id\":\"" ID "\"", h.server);
  client_do (h.anns, "grant_channel", "\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"", channel, role);
  client_assert_silent (h.bobs);
  assign (h.anns, role, h.bob);
  assert_event (h.bobs, "show_channel", "id", channel);
  json_object_unref (client_pop_type (h.bobs, "own_roles"));
  before = client_ask (h.bobs, "get_unread", "%s", "");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (before, "servers")), ==, 0);
  g_assert_true (sees (h.bobs, channel));
  g_assert_false (sees (h.eves, channel));
  grants = client_ask (h.anns, "list_grants", "\"channel_id\":\"" ID "\"", channel);
  g_assert_cmpint (json_id (json_array_get_object_element (json_object_get_array_member (grants, "roles"), 0),
                            "role_id"),
                   ==, role);
  client_do (h.anns, "unassign_role", "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", role, h.bob);
  assert_event (h.bobs, "hide_channel", "id", channel);
  json_object_unref (client_pop_type (h.bobs, "own_roles"));
  client_do (h.anns, "message", "\"channel\":\"" ID "\",\"message\":\"secret\"", channel);
  client_assert_silent (h.bobs);
  g_assert_false (sees (h.bobs, channel));
  assign (h.anns, role, h.bob);
  assert_event (h.bobs, "show_channel", "id", channel);
  json_object_unref (client_pop_type (h.bobs, "own_roles"));
  g_assert_true (sees (h.bobs, channel));
  client_do (h.anns, "revoke_channel", "\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"", channel, role);
  assert_event (h.bobs, "hide_channel", "id", channel);
  client_do (h.anns, "grant_channel", "\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"", channel, role);
  assert_event (h.bobs, "show_channel", "id", channel);
  g_assert_true (sees (h.bobs, channel));
  client_do (h.anns, "delete_role", "\"role_id\":\"" ID "\"", role);
  json_object_unref (client_pop_type (h.bobs, "remove_role"));
  assert_event (h.bobs, "hide_channel", "id", channel);
  client_do (h.anns, "message", "\"channel\":\"" ID "\",\"message\":\"secret\"", channel);
  client_assert_silent (h.bobs);
  client_refused (h.anns, HARK_ERROR_CONFLICT, "role_id", "grant_channel",
                  "\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"", channel, h.server);
  client_refused (h.anns, HARK_ERROR_BAD_REQUEST, "user_id", "grant_channel", "\"channel_id\":\"" ID "\"", channel);
}

static void
test_maker (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  gint64 channel;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("Who may make channels sees the private one he made; another with that permission does not.");
  make_harbour (f, &h);
  client_do (h.anns, "update_role", "\"role_id\":\"" ID "\",\"permissions\":[\"manage_channels\"]", h.server);
  reply
    = client_ask (h.bobs, "create_channel", "\"server_id\":\"" ID "\",\"name\":\"mine\",\"private\":true", h.server);
  channel = json_id (reply, "channel_id");
  g_assert_true (sees (h.bobs, channel));
  g_assert_true (sees (h.anns, channel));
  client_refused (h.eves, HARK_ERROR_NOT_FOUND, "channel_id", "update_channel",
                  "\"channel_id\":\"" ID "\",\"name\":\"x\"", channel);
  client_do (h.bobs, "update_channel", "\"channel_id\":\"" ID "\",\"name\":\"ours\"", channel);
}

static void
test_leave (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  gint64 channel;
  g_test_summary ("Who leaves hears nothing more of the server; its owner has to stay.");
  make_harbour (f, &h);
  channel = chat_fixture_channel (f, h.server, "general", FALSE);
  client_do (h.bobs, "get_servers", "%s", "");
  g_assert_true (sees (h.bobs, channel));
  client_do (h.bobs, "leave_server", "\"server_id\":\"" ID "\"", h.server);
  assert_event (h.bobs, "remove_server", "server_id", h.server);
  client_do (h.anns, "message", "\"channel\":\"" ID "\",\"message\":\"gone?\"", channel);
  client_assert_silent (h.bobs);
  g_assert_false (sees (h.bobs, channel));
  client_refused (h.bobs, HARK_ERROR_NOT_FOUND, "server_id", "leave_server", "\"server_id\":\"" ID "\"", h.server);
  client_refused (h.anns, HARK_ERROR_CONFLICT, "server_id", "leave_server", "\"server_id\":\"" ID "\"", h.server);
  client_do (h.anns, "update_server", "\"server_id\":\"" ID "\",\"owner_id\":\"" ID "\"", h.server, h.eve);
  client_do (h.anns, "leave_server", "\"server_id\":\"" ID "\"", h.server);
}

static void
set_up_few (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.roles_per_server = 2;
  chat_fixture_start (f);
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  Harbour h;
  gint64 role;
  g_test_summary ("Beyond the bound on a server's roles another is refused, and one may take the place of another.");
  make_harbour (f, &h);
  make_role (h.anns, h.server, "one", "", 1);
  role = make_role (h.anns, h.server, "two", "", 1);
  client_refused (h.anns, HARK_ERROR_TOO_LARGE, "server_id", "create_role", "\"server_id\":\"" ID "\",\"name\":\"x\"",
                  h.server);
  client_do (h.anns, "delete_role", "\"role_id\":\"" ID "\"", role);
  make_role (h.anns, h.server, "three", "", 1);
  client_refused (h.anns, HARK_ERROR_BAD_REQUEST, "permissions", "update_role",
                  "\"role_id\":\"" ID "\",\"permissions\":[\"fly\"]", h.server);
  client_refused (h.anns, HARK_ERROR_BAD_REQUEST, "permissions", "update_role",
                  "\"role_id\":\"" ID "\",\"permissions\":\"kick_members\"", h.server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/roles/told", test_told);
  ADD ("/roles/below", test_below);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/roles/permissions/%s/%s", cases[i].permission, cases[i].request);
      g_test_add (path, ChatFixture, &cases[i], chat_fixture_set_up, test_permissions, chat_fixture_tear_down);
    }
  ADD ("/roles/000-4", test_channels);
  ADD ("/roles/maker", test_maker);
  ADD ("/roles/leave", test_leave);
  g_test_add ("/roles/bound", ChatFixture, NULL, set_up_few, test_bound, chat_fixture_tear_down);
  return g_test_run ();
}
