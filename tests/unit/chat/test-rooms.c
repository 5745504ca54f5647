/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

#include "chat/rooms.h"

static Client *
connect_guest (ChatFixture *f)
{
  g_autoptr (HarkIdentity) identity = hark_chat_new_guest (f->chat);
  Client *client = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, client);
  chat_fixture_settle (f);
  return client;
}

/* Takes the welcome, and that it joined the lobby. */
static Client *
connect_heard (ChatFixture *f)
{
  Client *client = connect_guest (f);
  json_object_unref (client_pop_type (client, "welcome"));
  json_object_unref (client_pop_type (client, "user_joined"));
  return client;
}

static void
assert_event (Client *client, const char *type, Client *of, const char *room, const char *username)
{
  g_autoptr (JsonObject) event = client_pop (client);
  g_assert_nonnull (event);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, type);
  g_assert_cmpstr (json_object_get_string_member (event, "room"), ==, room);
  g_assert_cmpstr (json_object_get_string_member (event, "username"), ==, username);
  g_assert_cmpint (json_id (event, "user_id"), ==, of->user_id);
}

static gint64
metric (ChatFixture *f, const char *name)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, name, ""));
}

static gint64
count_rooms (ChatFixture *f)
{
  return hark_counter_get (hark_metrics_gauge (f->metrics, "hark_rooms", ""));
}

static void
test_guests (ChatFixture *f, gconstpointer data)
{
  Client *one, *two;
  g_autoptr (JsonObject) welcome = NULL;
  g_test_summary (
    "Who has no account is Anonymous with an id of its own, in the lobby at once, and told to all there.");
  one = connect_guest (f);
  welcome = client_pop (one);
  g_assert_cmpstr (json_object_get_string_member (welcome, "type"), ==, "welcome");
  g_assert_cmpstr (json_object_get_string_member (json_object_get_object_member (welcome, "user"), "username"), ==,
                   "Anonymous");
  assert_event (one, "user_joined", one, "lobby", "Anonymous");
  two = connect_heard (f);
  g_assert_cmpint (one->user_id, !=, two->user_id);
  assert_event (one, "user_joined", two, "lobby", "Anonymous");
  client_hang_up (two);
  chat_fixture_settle (f);
  assert_event (one, "user_left", two, "lobby", "Anonymous");
  client_assert_silent (one);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM event_log"), ==, 0);
}

static void
test_names (ChatFixture *f, gconstpointer data)
{
  Client *one, *two;
  g_autoptr (JsonObject) greeting = NULL;
  g_autoptr (JsonObject) room = NULL;
  JsonArray *members;
  g_test_summary ("What a session says carries the name that it gave itself, which is gone with it.");
  one = connect_heard (f);
  two = connect_heard (f);
  json_object_unref (client_pop_type (one, "user_joined"));
  client_say (one, "{\"type\":\"setUsername\",\"content\":\"Ann\"}");
  assert_event (two, "user_renamed", one, "lobby", "Ann");
  client_say (one, "{\"type\":\"greeting\",\"content\":\"hello\"}");
  greeting = client_pop_type (two, "greeting");
  g_assert_cmpstr (json_object_get_string_member (greeting, "username"), ==, "Ann");
  g_assert_cmpstr (json_object_get_string_member (greeting, "content"), ==, "hello");
  client_assert_silent (one);
  room = client_ask (two, "get_room", "\"room\":\"lobby\"");
  members = json_object_get_array_member (room, "members");
  g_assert_cmpint (json_array_get_length (members), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (members, 0), "username"), ==, "Ann");
  g_assert_cmpstr (json_object_get_string_member (json_array_get_object_element (members, 1), "username"), ==,
                   "Anonymous");
  g_assert_true (json_object_get_null_member (room, "next"));
  client_hang_up (one);
  chat_fixture_settle (f);
  assert_event (two, "user_left", one, "lobby", "Ann");
  g_clear_pointer (&room, json_object_unref);
  room = client_ask (two, "get_room", "\"room\":\"lobby\"");
  g_assert_cmpint (json_array_get_length (json_object_get_array_member (room, "members")), ==, 1);
}

static void
test_rooms (ChatFixture *f, gconstpointer data)
{
  Client *guest, *user;
  g_autoptr (JsonObject) reply = NULL;
  g_autoptr (JsonObject) event = NULL;
  g_test_summary ("Rooms are joined by name, with and without an account; an empty one is gone.");
  guest = connect_heard (f);
  user = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  client_assert_silent (guest);
  client_refused (user, HARK_ERROR_NOT_FOUND, "room", "publish", "\"room\":\"tea\",\"data\":1");
  client_refused (user, HARK_ERROR_NOT_FOUND, "room", "get_room", "\"room\":\"tea\"");
  client_do (guest, "join", "\"room\":\"tea\"");
  json_object_unref (client_pop_type (guest, "user_joined"));
  reply = client_ask (user, "join", "\"room\":\"tea\"");
  g_assert_cmpint (json_object_get_int_member (reply, "members"), ==, 2);
  json_object_unref (client_pop_type (guest, "user_joined"));
  json_object_unref (client_pop_type (user, "user_joined"));
  client_do (user, "join", "\"room\":\"tea\"");
  client_assert_silent (guest);
  client_do (user, "publish", "\"room\":\"tea\",\"data\":{\"x\":[1]}");
  event = client_pop_type (guest, "published");
  g_assert_cmpint (json_id (event, "user_id"), ==, user->user_id);
  client_assert_silent (user);
  g_assert_cmpint (count_rooms (f), ==, 2);
  client_do (guest, "leave", "\"room\":\"tea\"");
  json_object_unref (client_pop_type (user, "user_left"));
  client_refused (guest, HARK_ERROR_NOT_FOUND, "room", "leave", "\"room\":\"tea\"");
  client_do (user, "leave", "\"room\":\"tea\"");
  g_assert_cmpint (count_rooms (f), ==, 1);
  client_hang_up (guest);
  chat_fixture_settle (f);
  g_assert_cmpint (count_rooms (f), ==, 0);
  client_refused (user, HARK_ERROR_FORBIDDEN, NULL, "setUsername", "\"content\":\"Bob\"");
}

static void
test_refusals (ChatFixture *f, gconstpointer data)
{
  Client *guest = connect_heard (f);
  g_test_summary ("Who has no account gets into rooms and nowhere else; mistakes name the field.");
  client_refused (guest, HARK_ERROR_UNAUTHENTICATED, NULL, "get_servers", "%s", "");
  client_refused (guest, HARK_ERROR_FORBIDDEN, "topic", "subscribe", "\"topic\":\"app/x\"");
  client_refused (guest, HARK_ERROR_FORBIDDEN, "topic", "publish", "\"topic\":\"room/lobby\",\"data\":1");
  client_refused (guest, HARK_ERROR_BAD_REQUEST, "data", "publish", "\"room\":\"lobby\"");
  client_refused (guest, HARK_ERROR_BAD_REQUEST, "content", "greeting", "\"content\":5");
  client_refused (guest, HARK_ERROR_BAD_REQUEST, "content", "setUsername", "\"content\":\" \"");
  client_refused (guest, HARK_ERROR_BAD_REQUEST, "room", "join", "%s", "");
  chat_fixture_refuse (f, HARK_ERROR_BAD_REQUEST, "join", "\"room\":\"x\"");
  client_assert_silent (guest);
}

static void
test_bounds (ChatFixture *f, gconstpointer data)
{
  Client *one, *two, *three, *user;
  g_test_summary ("Rooms, those in one, those of a session, names and data are bounded, and counted beyond.");
  f->limits.rooms = 3;
  f->limits.members_per_room = 2;
  f->limits.rooms_per_session = 2;
  f->limits.room_name_chars = 5;
  f->limits.room_data_bytes = 10;
  chat_fixture_stop (f);
  chat_fixture_start (f);
  one = connect_heard (f);
  two = connect_heard (f);
  three = connect_guest (f);
  g_assert_cmpint (client_get_close_code (three), ==, HARK_CLOSE_TRY_LATER);
  g_assert_cmpint (metric (f, "hark_rooms_refused_members_total"), ==, 1);
  client_do (one, "join", "\"room\":\"a\"");
  client_refused (one, HARK_ERROR_TOO_LARGE, "room", "join", "\"room\":\"b\"");
  g_assert_cmpint (metric (f, "hark_rooms_refused_joined_total"), ==, 1);
  client_do (two, "join", "\"room\":\"b\"");
  user = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  client_refused (user, HARK_ERROR_TOO_LARGE, "room", "join", "\"room\":\"c\"");
  g_assert_cmpint (metric (f, "hark_rooms_refused_rooms_total"), ==, 1);
  client_refused (user, HARK_ERROR_TOO_LARGE, "room", "join", "\"room\":\"lobby\"");
  g_assert_cmpint (metric (f, "hark_rooms_refused_members_total"), ==, 2);
  client_refused (user, HARK_ERROR_TOO_LARGE, "room", "join", "\"room\":\"longer\"");
  client_refused (two, HARK_ERROR_TOO_LARGE, "data", "publish", "\"room\":\"b\",\"data\":\"123456789\"");
  client_do (two, "publish", "\"room\":\"b\",\"data\":\"12345678\"");
  g_assert_cmpint (metric (f, "hark_rooms_refused_size_total"), ==, 2);
  g_assert_cmpint (metric (f, "hark_room_messages_total"), ==, 1);
  client_do (one, "leave", "\"room\":\"a\"");
  client_do (user, "join", "\"room\":\"c\"");
}

static void
test_pages (ChatFixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) first = NULL;
  g_autoptr (JsonObject) second = NULL;
  Client *one = connect_heard (f);
  g_test_summary ("Who is in a room is listed in pages.");
  connect_heard (f);
  connect_heard (f);
  first = client_ask (one, "get_room", "\"room\":\"lobby\",\"limit\":2");
  g_assert_cmpint (json_array_get_length (json_object_get_array_member (first, "members")), ==, 2);
  second = client_ask (one, "get_room", "\"room\":\"lobby\",\"limit\":2,\"after\":\"%s\"",
                       json_object_get_string_member (first, "next"));
  g_assert_cmpint (json_array_get_length (json_object_get_array_member (second, "members")), ==, 1);
  g_assert_true (json_object_get_null_member (second, "next"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/rooms/guests", test_guests);
  ADD ("/rooms/names", test_names);
  ADD ("/rooms/rooms", test_rooms);
  ADD ("/rooms/refusals", test_refusals);
  ADD ("/rooms/bounds", test_bounds);
  ADD ("/rooms/pages", test_pages);
  return g_test_run ();
}
