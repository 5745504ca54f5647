/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of messages: edits, deletions, reactions, answers, and the difference that a client asks for. */
#include "chat-fixture.h"

#include "chat/edits.h"

typedef struct
{
  gint64 ann, bob, eve;
  gint64 server, channel;
} Community;

static void
make (ChatFixture *f, Community *c)
{
  c->ann = chat_fixture_user (f, "ann");
  c->bob = chat_fixture_user (f, "bob");
  c->eve = chat_fixture_user (f, "eve");
  c->server = chat_fixture_server (f, c->ann, "Harbour");
  chat_fixture_join (f, c->server, c->bob);
  c->channel = chat_fixture_channel (f, c->server, "general", FALSE);
}

static gint64
send (Client *client, gint64 channel, const char *text)
{
  g_autoptr (JsonObject) ack
    = client_ask (client, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", channel, text);
  return json_id (ack, "message_id");
}

static JsonObject *
get (Client *client, gint64 channel, const char *range)
{
  return client_ask (client, "get_messages", "\"channel_id\":\"" ID "\"%s", channel, range);
}

/* The texts of a reply's list, each with a space behind it. */
static void
assert_texts (JsonObject *reply, const char *list, const char *expected)
{
  g_autoptr (GString) texts = g_string_new (NULL);
  JsonArray *messages = json_object_get_array_member (reply, list);
  for (guint i = 0; i < json_array_get_length (messages); i++)
    g_string_append_printf (texts, "%s ",
                            json_object_get_string_member (json_array_get_object_element (messages, i), "message"));
  g_assert_cmpstr (texts->str, ==, expected);
}

static void
test_edit (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 id;
  g_autofree char *longest = NULL;
  g_autoptr (JsonObject) event = NULL, reply = NULL;
  g_test_summary (
    "Its author alone changes a message; who has the channel loaded is told, and history has the change.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  id = send (bob, c.channel, "helo");
  client_do (ann, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  client_do (bob, "edit_message", "\"message_id\":\"" ID "\",\"message\":\"hello\"", id);
  event = client_pop_type (ann, "message_update");
  g_assert_cmpint (json_id (event, "message_id"), ==, id);
  g_assert_cmpint (json_id (event, "channel"), ==, c.channel);
  g_assert_cmpint (json_id (event, "server"), ==, c.server);
  g_assert_cmpstr (json_object_get_string_member (event, "message"), ==, "hello");
  g_assert_true (json_object_has_member (event, "edited"));
  g_assert_cmpint (json_object_get_int_member (event, "seq"), ==, 2);
  reply = get (ann, c.channel, "");
  assert_texts (reply, "messages", "hello ");
  g_assert_true (
    json_object_has_member (json_array_get_object_element (json_object_get_array_member (reply, "messages"), 0),
                            "edited"));
  longest = g_strnfill (f->limits.message_chars + 1, 'x');
  client_refused (ann, HARK_ERROR_FORBIDDEN, "message_id", "edit_message",
                  "\"message_id\":\"" ID "\",\"message\":\"mine\"", id);
  client_refused (bob, HARK_ERROR_BAD_REQUEST, "message", "edit_message", "\"message_id\":\"" ID "\",\"message\":\"\"",
                  id);
  client_refused (bob, HARK_ERROR_TOO_LARGE, "message", "edit_message", "\"message_id\":\"" ID "\",\"message\":\"%s\"",
                  id, longest);
  client_refused (bob, HARK_ERROR_NOT_FOUND, "message_id", "edit_message", "\"message_id\":\"1\",\"message\":\"x\"");
  client_refused (chat_fixture_connect (f, c.eve), HARK_ERROR_NOT_FOUND, "message_id", "edit_message",
                  "\"message_id\":\"" ID "\",\"message\":\"x\"", id);
  client_assert_silent (ann);
}

static void
test_delete (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 bobs, anns;
  g_autoptr (JsonObject) event = NULL, reply = NULL, first = NULL, again = NULL;
  g_test_summary ("A message is deleted by its author or by who owns the server; nothing of it is left but its number "
                  "and its sender's id, which does not bring it back.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  first = client_ask (bob, "message", "\"channel\":\"" ID "\",\"message\":\"oops\",\"id\":7", c.channel);
  bobs = json_id (first, "message_id");
  anns = send (ann, c.channel, "stays");
  client_do (bob, "react", "\"message_id\":\"" ID "\",\"emoji\":\"x\"", bobs);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  client_refused (bob, HARK_ERROR_FORBIDDEN, "message_id", "delete_message", "\"message_id\":\"" ID "\"", anns);
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", bobs);
  event = client_pop_type (bob, "message_delete");
  g_assert_cmpint (json_id (event, "message_id"), ==, bobs);
  client_assert_silent (bob);
  reply = get (bob, c.channel, "");
  assert_texts (reply, "messages", "stays ");
  client_refused (ann, HARK_ERROR_NOT_FOUND, "message_id", "delete_message", "\"message_id\":\"" ID "\"", bobs);
  again = client_ask (bob, "message", "\"channel\":\"" ID "\",\"message\":\"oops\",\"id\":7", c.channel);
  g_assert_cmpint (json_id (again, "message_id"), ==, bobs);
  g_assert_cmpint (json_object_get_int_member (again, "seq"), ==, json_object_get_int_member (first, "seq"));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 1);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM reactions"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM reaction_counts"), ==, 0);
  g_free (chat_fixture_call (f, "delete_message", "\"message_id\":\"" ID "\"", anns));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 0);
}

typedef struct
{
  gint64 channel;
  gint64 above;
  gint64 n; /* out */
} CountDeleted;

static gboolean
count_deleted (HarkTransaction *tx, gpointer data, GError **error)
{
  CountDeleted *self = data;
  return hark_messages_count_deleted (tx, self->channel, self->above, &self->n, error);
}

static void
on_counted (gpointer data, const GError *error, gpointer user_data)
{
  g_assert_no_error (error);
}

static void
test_ordinals (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann;
  CountDeleted count = { 0 };
  gint64 ids[5];
  g_test_summary ("A deleted message lowers nobody's ordinal; how many were deleted above a mark can be asked.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = send (ann, c.channel, "m");
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", ids[4]);
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", ids[1]);
  send (ann, c.channel, "m");
  g_assert_cmpint (chat_fixture_count (f, "SELECT last_ordinal FROM channels"), ==, 6);
  g_assert_cmpint (chat_fixture_count (f, "SELECT max(ordinal) FROM messages"), ==, 6);
  count.channel = c.channel;
  count.above = 2;
  hark_store_read (HARK_STORE (f->steps), count_deleted, &count, NULL, on_counted, NULL);
  chat_fixture_settle (f);
  g_assert_cmpint (count.n, ==, 1);
}

static JsonObject *
reactions_of (Client *client, gint64 channel, guint i)
{
  g_autoptr (JsonObject) reply = get (client, channel, "");
  JsonObject *message = json_array_get_object_element (json_object_get_array_member (reply, "messages"), 0);
  if (!json_object_has_member (message, "reactions"))
    return NULL;
  return json_object_ref (json_array_get_object_element (json_object_get_array_member (message, "reactions"), i));
}

static void
test_reactions (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 id;
  g_autoptr (JsonObject) event = NULL, taken = NULL, first = NULL, second = NULL, none = NULL;
  g_test_summary ("A reaction is given once whatever is asked, told once, counted, and shown as mine to who gave it.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  id = send (ann, c.channel, "hi");
  client_do (ann, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  for (guint i = 0; i < 3; i++)
    client_do (bob, "react", "\"message_id\":\"" ID "\",\"emoji\":\"\U0001F44D\"", id);
  event = client_pop_type (ann, "reaction");
  g_assert_cmpstr (json_object_get_string_member (event, "emoji"), ==, "\U0001F44D");
  g_assert_cmpint (json_id (event, "user_id"), ==, c.bob);
  g_assert_cmpint (json_id (event, "message_id"), ==, id);
  g_assert_true (json_object_get_boolean_member (event, "added"));
  g_assert_cmpint (json_object_get_int_member (event, "count"), ==, 1);
  client_assert_silent (ann);
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"\U0001F44D\"", id);
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  first = reactions_of (bob, c.channel, 0);
  g_assert_cmpint (json_object_get_int_member (first, "count"), ==, 2);
  g_assert_true (json_object_get_boolean_member (first, "me"));
  second = reactions_of (bob, c.channel, 1);
  g_assert_cmpstr (json_object_get_string_member (second, "emoji"), ==, "a");
  g_assert_false (json_object_get_boolean_member (second, "me"));
  json_object_unref (client_pop_type (ann, "reaction"));
  json_object_unref (client_pop_type (ann, "reaction"));
  client_do (bob, "unreact", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  client_assert_silent (ann);
  client_do (bob, "unreact", "\"message_id\":\"" ID "\",\"emoji\":\"\U0001F44D\"", id);
  taken = client_pop_type (ann, "reaction");
  g_assert_false (json_object_get_boolean_member (taken, "added"));
  g_assert_cmpint (json_object_get_int_member (taken, "count"), ==, 1);
  client_do (ann, "unreact", "\"message_id\":\"" ID "\",\"emoji\":\"\U0001F44D\"", id);
  client_do (ann, "unreact", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  none = reactions_of (ann, c.channel, 0);
  g_assert_null (none);
}

static void
test_reaction_bounds (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 id;
  g_test_summary ("The length of a reaction, those of a user and the different ones of a message are bounded.");
  f->limits.emoji_chars = 2;
  f->limits.reactions_per_user = 2;
  f->limits.emojis_per_message = 3;
  chat_fixture_stop (f);
  chat_fixture_start (f);
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  id = send (ann, c.channel, "hi");
  client_refused (ann, HARK_ERROR_TOO_LARGE, "emoji", "react", "\"message_id\":\"" ID "\",\"emoji\":\"abc\"", id);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "emoji", "react", "\"message_id\":\"" ID "\",\"emoji\":\" \"", id);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "emoji", "react", "\"message_id\":\"" ID "\"", id);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "message_id", "react", "\"message_id\":\"5\",\"emoji\":\"a\"");
  client_refused (chat_fixture_connect (f, c.eve), HARK_ERROR_NOT_FOUND, "message_id", "react",
                  "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"b\"", id);
  client_refused (ann, HARK_ERROR_TOO_LARGE, "emoji", "react", "\"message_id\":\"" ID "\",\"emoji\":\"c\"", id);
  client_do (bob, "react", "\"message_id\":\"" ID "\",\"emoji\":\"c\"", id);
  client_refused (bob, HARK_ERROR_TOO_LARGE, "emoji", "react", "\"message_id\":\"" ID "\",\"emoji\":\"d\"", id);
  client_do (bob, "react", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
}

static void
test_replies (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 id, other;
  g_autoptr (JsonObject) event = NULL, reply = NULL;
  g_test_summary ("An answer names what it answers, which is of the same channel.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  id = send (ann, c.channel, "who?");
  other = chat_fixture_channel (f, c.server, "other", FALSE);
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"me\",\"reply_to\":\"" ID "\"", c.channel, id);
  client_do (ann, "message", "\"channel\":\"" ID "\",\"message\":\"I\",\"reply_to\":\"" ID "\",\"id\":1", c.channel, id);
  event = client_pop_type (bob, "message");
  g_assert_cmpint (json_id (event, "reply_to"), ==, id);
  reply = get (bob, c.channel, "");
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (json_object_has_member (json_array_get_object_element (json_object_get_array_member (reply,
                                                                                                          "messages"),
                                                                            i),
                                             "reply_to"),
                     ==, i > 0);
  client_refused (ann, HARK_ERROR_NOT_FOUND, "reply_to", "message",
                  "\"channel\":\"" ID "\",\"message\":\"me\",\"reply_to\":\"" ID "\"", other, id);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "reply_to", "message",
                  "\"channel\":\"" ID "\",\"message\":\"me\",\"reply_to\":\"x\"", other);
}

static void
test_difference (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 ids[3];
  g_autofree char *since = NULL, *few = NULL;
  g_autoptr (JsonObject) before = NULL, reply = NULL, none = NULL, reset = NULL, future = NULL;
  JsonArray *removed;
  g_test_summary (
    "Since a rev, what was said or changed and what is gone; everything when that is too much or too old.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = send (ann, c.channel, "m");
  before = get (bob, c.channel, "");
  since = g_strdup_printf (",\"since\":" ID, json_object_get_int_member (before, "rev"));
  none = get (bob, c.channel, since);
  assert_texts (none, "changed", "");
  client_do (ann, "edit_message", "\"message_id\":\"" ID "\",\"message\":\"edited\"", ids[1]);
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", ids[2]);
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", ids[0]);
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", send (ann, c.channel, "short"));
  send (ann, c.channel, "new");
  reply = get (bob, c.channel, since);
  assert_texts (reply, "changed", "edited m new ");
  removed = json_object_get_array_member (reply, "removed");
  g_assert_cmpuint (json_array_get_length (removed), ==, 2);
  g_assert_cmpint (g_ascii_strtoll (json_array_get_string_element (removed, 0), NULL, 10), ==, ids[0]);
  g_assert_false (json_object_has_member (reply, "reset"));
  few = g_strconcat (since, ",\"limit\":2", NULL);
  reset = get (bob, c.channel, few);
  g_assert_true (json_object_get_boolean_member (reset, "reset"));
  assert_texts (reset, "messages", "m new ");
  future = get (bob, c.channel, ",\"since\":99999");
  g_assert_true (json_object_get_boolean_member (future, "reset"));
}

static void
test_places (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann;
  gint64 ids[20];
  g_autofree char *around = NULL, *gone = NULL;
  g_autoptr (JsonObject) at = NULL, later = NULL, middle = NULL, start = NULL;
  g_test_summary ("History begins at a time or lies around a message, also one that is gone.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      ids[i] = send (ann, c.channel, text);
      chat_fixture_advance (f, 60 * 1000);
    }
  /* The first was said at 19:05:55.123. */
  at = get (ann, c.channel, ",\"at\":\"2025-11-20T19:10:00Z\",\"limit\":3");
  assert_texts (at, "messages", "5 6 7 ");
  g_assert_true (json_object_get_boolean_member (at, "more"));
  later = get (ann, c.channel, ",\"at\":\"2025-11-20T20:23:55.123+01:00\"");
  assert_texts (later, "messages", "18 19 ");
  g_assert_false (json_object_get_boolean_member (later, "more"));
  around = g_strdup_printf (",\"around\":\"" ID "\",\"limit\":5", ids[10]);
  middle = get (ann, c.channel, around);
  assert_texts (middle, "messages", "8 9 10 11 12 ");
  g_assert_true (json_object_get_boolean_member (middle, "more"));
  g_assert_true (json_object_get_boolean_member (middle, "more_after"));
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", ids[1]);
  gone = g_strdup_printf (",\"around\":\"" ID "\",\"limit\":4", ids[1]);
  start = get (ann, c.channel, gone);
  assert_texts (start, "messages", "0 2 3 ");
  g_assert_false (json_object_get_boolean_member (start, "more"));
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "at", "get_messages", "\"channel_id\":\"" ID "\",\"at\":\"noon\"",
                  c.channel);
  client_refused (ann, HARK_ERROR_BAD_REQUEST, "around", "get_messages",
                  "\"channel_id\":\"" ID "\",\"before\":\"1\",\"around\":\"1\"", c.channel);
}

static void
test_purge (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann;
  gint64 id;
  g_test_summary ("With a channel go its messages, what was deleted of them, their reactions and their words.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  for (guint i = 0; i < 250; i++)
    send (ann, c.channel, "words");
  id = send (ann, c.channel, "words");
  client_do (ann, "react", "\"message_id\":\"" ID "\",\"emoji\":\"a\"", id);
  client_do (ann, "delete_message", "\"message_id\":\"" ID "\"", send (ann, c.channel, "words"));
  chat_fixture_advance (f, 1000);
  client_do (ann, "delete_channel", "\"channel_id\":\"" ID "\"", c.channel);
  for (guint i = 0; i < 10; i++)
    chat_fixture_advance (f, 10 * 1000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM deleted_messages"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM reactions"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM message_index WHERE message_index MATCH 'words'"), ==,
                   0);
}

/* What a reply would overwrite. */
static void
test_change_while_reading (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *ann, *bob;
  gint64 id;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A chunk that was read before a change that the session has been told is read again.");
  make (f, &c);
  ann = chat_fixture_connect (f, c.ann);
  bob = chat_fixture_connect (f, c.bob);
  id = send (ann, c.channel, "old");
  client_do (bob, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  step_store_hold (f->steps, TRUE);
  client_say (bob, "{\"type\":\"get_messages\",\"channel_id\":\"" ID "\",\"ref\":1}", c.channel);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  client_say (ann, "{\"type\":\"edit_message\",\"message_id\":\"" ID "\",\"message\":\"new\"}", id);
  chat_fixture_settle (f);
  while (step_store_publish_one (f->steps) > 0)
    ;
  step_store_deliver_reads (f->steps);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  json_object_unref (client_pop_type (bob, "message_update"));
  reply = client_pop_type (bob, "get_messages");
  assert_texts (reply, "messages", "new ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/edits/edit", test_edit);
  ADD ("/edits/delete", test_delete);
  ADD ("/edits/ordinals", test_ordinals);
  ADD ("/edits/purge", test_purge);
  ADD ("/edits/while-reading", test_change_while_reading);
  ADD ("/edits/reactions", test_reactions);
  ADD ("/edits/reaction-bounds", test_reaction_bounds);
  ADD ("/edits/replies", test_replies);
  ADD ("/edits/difference", test_difference);
  ADD ("/edits/places", test_places);
  return g_test_run ();
}
