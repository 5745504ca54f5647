/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens in namespaces: the chat, what back ends do, and coming back without having missed anything. */
#include "socketio-fixture.h"

#include "base/error.h"

#include <string.h>

#define NSP_TEST(path, name)                                                                                           \
  g_test_add ("/socketio-namespaces/" path, SocketioFixture, NULL, socketio_fixture_set_up, name,                      \
              socketio_fixture_tear_down)

static const HarkSocketioTarget all = { NULL };

/* Connects, and reads the greeting. */
static Client *
enter_new (SocketioFixture *f, const char *nsp, const char *token)
{
  Client *client = client_new (f);
  g_autofree char *auth = g_strdup_printf ("{\"token\":\"%s\"}", token);
  g_autofree char *greeting = g_strdup_printf ("2%s,[\"welcome\",{\"sid\":\"*\"},\"*\"]", nsp);
  client_connect (client, nsp, auth);
  client_expect (client, greeting);
  return client;
}

static Client *
come_back (SocketioFixture *f, const char *nsp, const char *token, const char *pid, const char *offset)
{
  Client *client = client_new (f);
  g_autofree char *auth = g_strdup_printf ("{\"pid\":\"%s\",\"offset\":\"%s\",\"token\":\"%s\"}", pid, offset, token);
  client_connect (client, nsp, auth);
  return client;
}

static void
say_message (Client *client, const char *text)
{
  g_autofree char *packet = g_strdup_printf ("2/chat,[\"message\",{\"message\":\"%s\"}]", text);
  client_say (client, packet);
}

static void
expect_message (Client *client, const char *text, guint offset)
{
  g_autofree char *packet = g_strdup_printf ("2/chat,[\"message\",{\"message\":\"%s\"},\"%u\"]", text, offset);
  client_expect (client, packet);
}

/* The chat. */

static void
test_chat (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) tab = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) elsewhere = client_new (f);
  Client *clients[] = { ann, tab, bob };
  g_test_summary ("What one says in /chat arrives at all who are connected to it, the sender too, as it was said");
  client_connect (elsewhere, "/", "{\"token\":\"bob\"}");
  client_say (ann, "2/chat,4[\"message\",{ \"message\":\"hi\",\"username\":\"Ann\",\"timestamp\":1.50}]");
  socketio_fixture_settle (f);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    {
      if (i == 0)
        client_expect (ann, "3/chat,4[{\"type\":\"chat_message\",\"seq\":1}]");
      client_expect (clients[i],
                     "2/chat,[\"message\",{ \"message\":\"hi\",\"username\":\"Ann\",\"timestamp\":1.50},\"1\"]");
      client_expect_nothing (clients[i]);
    }
  client_expect_nothing (elsewhere);
}

static void
test_chat_refused (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autofree char *text = g_strnfill (f->limits.message_bytes + 1, 'x');
  g_autofree char *packet = g_strdup_printf ("2/chat,3[\"message\",{\"message\":\"%s\"}]", text);
  g_test_summary ("A chat message has a text of bounded length, and the error names it");
  client_say (ann, "2/chat,1[\"message\",{\"username\":\"Ann\"}]");
  client_expect (ann, "3/chat,1[{\"type\":\"error\",\"code\":\"bad_request\",\"message\":\"\\\"message\\\"*");
  client_say (ann, "2/chat,2[\"message\",{\"message\":7}]");
  client_expect (ann, "3/chat,2[{\"type\":\"error\",\"code\":\"bad_request\",\"message\":\"\\\"message\\\"*");
  client_say (ann, packet);
  client_expect (ann, "3/chat,3[{\"type\":\"error\",\"code\":\"too_large\",\"message\":\"\\\"message\\\"*");
}

static void
test_chat_binary (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_test_summary ("Attachments of a chat message are stored with it and arrive at all");
  client_say (ann, "51-/chat,[\"message\",{\"message\":\"look\",\"file\":{\"_placeholder\":true,\"num\":0}}]");
  client_send (ann, "\x01\x02\x03", 3);
  client_expect (bob, "51-/chat,[\"message\",{\"message\":\"look\",\"file\":{\"_placeholder\":true,\"num\":0}},\"1\"]");
  client_expect (bob, "b\x01\x02\x03");
}

static void
test_unlogged (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = NULL;
  g_autoptr (Client) bob = NULL;
  g_test_summary ("Where nothing is recovered nothing is stored, and messages arrive all the same");
  socketio_fixture_stop (f);
  f->limits.recovery_ms = 0;
  socketio_fixture_start (f);
  ann = client_new (f);
  bob = client_new (f);
  client_connect (ann, "/chat", "{\"token\":\"ann\"}");
  g_assert_null (ann->pid);
  client_connect (bob, "/chat", "{\"token\":\"bob\"}");
  client_say (ann, "2/chat,1[\"message\",{\"message\":\"hi\"}]");
  client_expect (bob, "2/chat,[\"message\",{\"message\":\"hi\"},\"0\"]");
  client_expect (ann, "3/chat,1[{\"type\":\"chat_message\"}]");
  client_expect (ann, "2/chat,[\"message\",{\"message\":\"hi\"},\"0\"]");
}

/* Coming back. */

static void
test_recover (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) back = NULL;
  g_test_summary ("Who was cut off and comes back is the same socket, and gets what it missed, in order and once");
  say_message (bob, "seen");
  expect_message (ann, "seen", 1);
  client_cut (ann);
  say_message (bob, "missed 1");
  say_message (bob, "missed 2");
  socketio_fixture_settle (f);
  back = come_back (f, "/chat", "ann", ann->pid, "1");
  g_assert_cmpstr (back->sid, ==, ann->sid);
  g_assert_cmpstr (back->pid, ==, ann->pid);
  expect_message (back, "missed 1", 2);
  expect_message (back, "missed 2", 3);
  say_message (bob, "live");
  expect_message (back, "live", 4);
  client_expect_nothing (back);
}

static void
test_recover_unsent (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) back = NULL;
  g_test_summary ("What had left for a client that did not get it is what it has not seen");
  say_message (bob, "on its way");
  socketio_fixture_settle (f);
  client_cut (ann);
  back = come_back (f, "/chat", "ann", ann->pid, "0");
  g_assert_cmpstr (back->pid, ==, ann->pid);
  expect_message (back, "on its way", 1);
  client_expect_nothing (back);
}

static void
test_recover_restart (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) back = NULL;
  g_test_summary ("That holds over a restart of the daemon too");
  say_message (bob, "one");
  say_message (bob, "two");
  expect_message (ann, "one", 1);
  client_expect (bob, "*one*");
  client_expect (bob, "*two*");
  socketio_fixture_stop (f);
  socketio_fixture_start (f);
  back = come_back (f, "/chat", "ann", ann->pid, "1");
  g_assert_cmpstr (back->pid, ==, ann->pid);
  g_assert_cmpstr (back->sid, ==, ann->sid);
  expect_message (back, "two", 2);
  client_expect_nothing (back);
}

static void
test_recover_twice (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) second = NULL;
  g_autoptr (Client) third = NULL;
  g_test_summary ("Coming back again and again is the same as once, and of two at once the later one is it");
  client_cut (ann);
  second = come_back (f, "/chat", "ann", ann->pid, "0");
  g_assert_cmpstr (second->pid, ==, ann->pid);
  third = come_back (f, "/chat", "ann", ann->pid, "0");
  g_assert_cmpstr (third->pid, ==, ann->pid);
  g_assert_cmpstr (third->sid, ==, ann->sid);
  client_expect_closed (second, HARK_CLOSE_RESUMED);
  say_message (third, "here");
  expect_message (third, "here", 1);
}

static void
test_stale_offset (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) fresh = NULL;
  g_autoptr (Client) back = NULL;
  g_test_summary ("An offset of a former connection, which the client's library keeps, does not bring back its events");
  say_message (bob, "old");
  expect_message (ann, "old", 1);
  client_say (ann, "1/chat,");
  say_message (bob, "while away");
  fresh = enter_new (f, "/chat", "ann");
  say_message (bob, "missed");
  socketio_fixture_settle (f);
  client_cut (fresh);
  back = come_back (f, "/chat", "ann", fresh->pid, "1");
  g_assert_cmpstr (back->pid, ==, fresh->pid);
  expect_message (back, "missed", 3);
  client_expect_nothing (back);
}

static void
assert_fresh (SocketioFixture *f, const char *token, const char *pid, const char *offset)
{
  g_autoptr (Client) back = come_back (f, "/chat", token, pid, offset);
  g_assert_nonnull (back->pid);
  g_assert_cmpstr (back->pid, !=, pid);
  client_expect (back, "2/chat,[\"welcome\",*");
  client_expect_nothing (back);
  client_cut (back);
}

static void
test_not_recovered (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) left = enter_new (f, "/chat", "ann");
  g_autoptr (Client) game = enter_new (f, "/game", "ann");
  g_test_summary (
    "Nobody takes up what is another's, another namespace's, given up, unknown, of the future, or too old");
  say_message (bob, "one");
  socketio_fixture_settle (f);
  client_cut (ann);
  client_cut (game);
  client_say (left, "1/chat,");
  client_cut (left);
  assert_fresh (f, "bob", ann->pid, "0");
  assert_fresh (f, "ann", game->pid, "0");
  assert_fresh (f, "ann", left->pid, "0");
  assert_fresh (f, "ann", "nothing", "0");
  assert_fresh (f, "ann", ann->pid, "-1");
  assert_fresh (f, "ann", ann->pid, "x");
  assert_fresh (f, "ann", ann->pid, "2");
}

static void
test_too_late (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/chat", "ann");
  g_autoptr (Client) tab = enter_new (f, "/chat", "ann");
  g_autoptr (Client) back = NULL;
  g_test_summary ("A socket can be taken up for as long as is configured, and not longer");
  client_cut (ann);
  client_cut (tab);
  socketio_fixture_advance (f, f->limits.recovery_ms);
  back = come_back (f, "/chat", "ann", ann->pid, "0");
  g_assert_cmpstr (back->pid, ==, ann->pid);
  socketio_fixture_advance (f, 1);
  assert_fresh (f, "ann", tab->pid, "0");
}

static void
test_too_much (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = NULL;
  g_autoptr (Client) tab = NULL;
  g_autoptr (Client) bob = NULL;
  g_autoptr (Client) back = NULL;
  g_test_summary ("Who missed more than is configured, in number or bytes, is told that it did: it begins anew");
  socketio_fixture_stop (f);
  f->limits.recovery_events = 3;
  f->limits.recovery_bytes = 400;
  socketio_fixture_start (f);
  ann = enter_new (f, "/chat", "ann");
  tab = enter_new (f, "/chat", "ann");
  bob = enter_new (f, "/chat", "bob");
  client_cut (ann);
  client_cut (tab);
  for (guint i = 0; i < 3; i++)
    say_message (bob, "x");
  socketio_fixture_settle (f);
  back = come_back (f, "/chat", "ann", ann->pid, "0");
  g_assert_cmpstr (back->pid, ==, ann->pid);
  say_message (bob, "x");
  socketio_fixture_settle (f);
  assert_fresh (f, "ann", tab->pid, "0");
  client_cut (back);
  client_say (bob,
              "2/chat,[\"message\",{\"message\":\"x\",\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}]");
  socketio_fixture_settle (f);
  assert_fresh (f, "ann", ann->pid, "4");
}

static void
test_kept_per_user (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify)client_free);
  g_autoptr (Client) another = NULL;
  g_autoptr (Client) back = NULL;
  g_test_summary ("Of one user's sockets the newest are kept, as many as is configured");
  socketio_fixture_stop (f);
  f->limits.kept_per_user = 3;
  socketio_fixture_start (f);
  for (guint i = 0; i < 4; i++)
    {
      g_ptr_array_add (clients, enter_new (f, "/chat", "ann"));
      client_cut (clients->pdata[i]);
      socketio_fixture_advance (f, 10);
    }
  another = enter_new (f, "/chat", "ann");
  assert_fresh (f, "ann", ((Client *)clients->pdata[0])->pid, "0");
  back = come_back (f, "/chat", "ann", ((Client *)clients->pdata[3])->pid, "0");
  g_assert_cmpstr (back->pid, ==, ((Client *)clients->pdata[3])->pid);
}

static void
test_while_connecting (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_autoptr (Client) ann = client_new (f);
  g_autofree char *connected = NULL;
  g_autofree char *welcome = NULL;
  g_test_summary ("What is said while a socket is being connected comes once, right behind the greeting");
  say_message (bob, "before");
  client_say (ann, "0/chat,{\"token\":\"ann\"}");
  for (guint i = 0; i < 5; i++)
    say_message (bob, "meanwhile");
  connected = client_read (ann);
  g_assert_true (g_str_has_prefix (connected, "0/chat,"));
  welcome = client_read (ann);
  g_assert_true (g_pattern_match_simple ("2/chat,[\"welcome\",*,\"1\"]", welcome));
  for (guint i = 0; i < 5; i++)
    expect_message (ann, "meanwhile", 2 + i);
  say_message (bob, "after");
  expect_message (ann, "after", 7);
  client_expect_nothing (ann);
}

static void
test_gone_while_connecting (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autoptr (Client) bob = enter_new (f, "/chat", "bob");
  g_test_summary ("A client that goes while its socket is being connected leaves nothing behind");
  client_say (ann, "0/chat,{\"token\":\"ann\"}");
  fake_transport_hang_up (ann->transport, HARK_CLOSE_ABNORMAL);
  say_message (bob, "x");
  expect_message (bob, "x", 1);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 1);
}

/* Back ends. */

typedef struct
{
  GString *text;
  gint64 ack;
} Seen;

static gboolean
on_event (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session, const char *name,
          const char *args, gint64 ack, Seen *seen)
{
  g_string_append_printf (seen->text, "%s %s %s;", nsp, name, args);
  seen->ack = ack;
  return TRUE;
}

static void
on_connected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
              gboolean recovered, Seen *seen)
{
  g_string_append_printf (seen->text, "+%s %s;", nsp, recovered ? "again" : "new");
}

static void
on_disconnected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
                 gboolean may_return, Seen *seen)
{
  g_string_append_printf (seen->text, "-%s %s;", nsp, may_return ? "cut" : "left");
}

static void
test_back_end_events (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  Seen seen = { text, 0 };
  g_test_summary ("Events in a declared namespace are the back end's, with any data, and it acknowledges them");
  client_say (ann, "2/game,1[\"move\",{}]");
  client_expect (ann, "3/game,1[{\"type\":\"error\",\"code\":\"offline\",*");
  g_signal_connect (f->namespaces, "event", G_CALLBACK (on_event), &seen);
  client_say (ann, "2/game,[\"move\",\"left\",[1, 2]]");
  client_say (ann, "2/game,[\"wait\"]");
  g_assert_cmpstr (text->str, ==, "/game move [\"left\",[1, 2]];/game wait [];");
  g_assert_cmpint (seen.ack, ==, 0);
  g_string_truncate (text, 0);
  client_say (ann, "51-/game,7[\"save\",{\"_placeholder\":true,\"num\":0}]");
  client_send (ann, "\x01\x02\x03", 3);
  g_assert_cmpstr (text->str, ==, "/game save [{\"$binary\":\"AQID\"}];");
  g_assert_false (hark_socketio_namespaces_acknowledge (f->namespaces, seen.ack, "{}", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  client_expect_nothing (ann);
  hark_socketio_namespaces_acknowledge (f->namespaces, seen.ack, "[\"ok\",{\"$binary\":\"AQID\"}]", &error);
  g_assert_no_error (error);
  client_expect (ann, "61-/game,7[\"ok\",{\"_placeholder\":true,\"num\":0}]");
  client_expect (ann, "b\x01\x02\x03");
  g_assert_false (hark_socketio_namespaces_acknowledge (f->namespaces, seen.ack, "[]", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_NOT_FOUND);
}

static void
test_back_end_silent (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) bob = enter_new (f, "/game", "bob");
  g_autoptr (GString) text = g_string_new (NULL);
  Seen seen = { text, 0 };
  g_test_summary ("A back end that does not answer costs the client its answer, not its connection");
  g_signal_connect (f->namespaces, "event", G_CALLBACK (on_event), &seen);
  client_say (ann, "2/game,1[\"move\",{}]");
  client_say (bob, "2/game,1[\"move\",{}]");
  client_cut (bob);
  socketio_fixture_advance (f, f->limits.ack_timeout_ms);
  client_expect (ann, "3/game,1[{\"type\":\"error\",\"code\":\"offline\",*");
  client_say (ann, "2/game,2[\"move\",{}]");
}

static void
test_back_end_slow (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  Seen seen = { text, 0 };
  g_test_summary ("What the back end owes is bounded");
  socketio_fixture_stop (f);
  f->limits.pending_acks = 3;
  socketio_fixture_start (f);
  ann = enter_new (f, "/game", "ann");
  g_signal_connect (f->namespaces, "event", G_CALLBACK (on_event), &seen);
  for (guint i = 0; i < 3; i++)
    client_say (ann, "2/game,1[\"move\",{}]");
  client_expect_nothing (ann);
  client_say (ann, "2/game,2[\"move\",{}]");
  client_expect (ann, "3/game,2[{\"type\":\"error\",\"code\":\"overloaded\",*");
}

static void
on_emitted (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **)data = g_object_ref (result);
}

static gint64
emit_to (SocketioFixture *f, const char *nsp, const HarkSocketioTarget *target, gboolean is_volatile, const char *name,
         const char *args, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  gint64 seq = -1;
  hark_socketio_namespaces_emit_async (f->namespaces, nsp, target, is_volatile, name, args, on_emitted, &result);
  socketio_fixture_settle (f);
  g_assert_nonnull (result);
  hark_socketio_namespaces_emit_finish (f->namespaces, result, &seq, error);
  return seq;
}

static void
emit_ok (SocketioFixture *f, const HarkSocketioTarget *target, const char *name)
{
  g_autoptr (GError) error = NULL;
  emit_to (f, "/game", target, FALSE, name, "[{\"a\":1}]", &error);
  g_assert_no_error (error);
}

/* Whether the client has read an event of that name, and nothing else. */
static void
expect_game (Client *client, const char *name)
{
  g_autofree char *packet = g_strdup_printf ("2/game,[\"%s\",{\"a\":1},\"*\"]", name);
  client_expect (client, packet);
  client_expect_nothing (client);
}

static void
test_emit (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) tab = enter_new (f, "/game", "ann");
  g_autoptr (Client) bob = enter_new (f, "/game", "bob");
  const char *const red[] = { "red", NULL };
  const char *const red_and_blue[] = { "red", "blue", NULL };
  const char *const one[] = { bob->sid, NULL };
  const gint64 users[] = { ANN };
  HarkSocketioTarget to_red = { red }, to_both = { red_and_blue }, to_bob = { one };
  HarkSocketioTarget to_user = { NULL, users, 1 }, but_bob = { NULL, NULL, 0, one };
  HarkSocketioTarget user_but_red = { NULL, users, 1, red };
  const char *const tab_only[] = { tab->sid, NULL };
  HarkSocketioTarget to_tab = { tab_only };
  g_autoptr (GError) error = NULL;
  guint n;
  g_test_summary ("A back end reaches all, a room, several rooms once, a user, one socket, and all but some");
  g_assert_true (hark_socketio_namespaces_join (f->namespaces, "/game", &to_user, "red", &n, &error));
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (hark_socketio_namespaces_join (f->namespaces, "/game", &to_tab, "blue", &n, &error));
  g_assert_cmpuint (n, ==, 1);
  emit_ok (f, &all, "all");
  expect_game (ann, "all");
  expect_game (tab, "all");
  expect_game (bob, "all");
  emit_ok (f, &to_red, "red");
  expect_game (ann, "red");
  expect_game (tab, "red");
  client_expect_nothing (bob);
  emit_ok (f, &to_both, "both");
  expect_game (ann, "both");
  expect_game (tab, "both");
  client_expect_nothing (bob);
  emit_ok (f, &to_bob, "bob");
  client_expect_nothing (ann);
  expect_game (bob, "bob");
  emit_ok (f, &but_bob, "but-bob");
  expect_game (ann, "but-bob");
  expect_game (tab, "but-bob");
  client_expect_nothing (bob);
  emit_ok (f, &to_user, "user");
  expect_game (ann, "user");
  expect_game (tab, "user");
  client_expect_nothing (bob);
  g_assert_true (hark_socketio_namespaces_leave (f->namespaces, "/game", &to_tab, "red", &n, &error));
  g_assert_cmpuint (n, ==, 1);
  emit_ok (f, &user_but_red, "user-but-red");
  client_expect_nothing (ann);
  expect_game (tab, "user-but-red");
  client_cut (tab);
  emit_ok (f, &to_both, "left");
  expect_game (ann, "left");
}

static void
test_emit_order (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  const char *const one[] = { ann->sid, NULL };
  HarkSocketioTarget to_ann = { one };
  GAsyncResult *results[6] = { NULL };
  g_test_summary ("Events for all and for some arrive in the order of their numbers");
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    hark_socketio_namespaces_emit_async (f->namespaces, "/game", i % 2 == 0 ? &all : &to_ann, FALSE, "e", "[]",
                                         on_emitted, &results[i]);
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    {
      g_autofree char *packet = g_strdup_printf ("2/game,[\"e\",\"%u\"]", i + 1);
      client_expect (ann, packet);
    }
  for (guint i = 0; i < G_N_ELEMENTS (results); i++)
    g_clear_object (&results[i]);
}

static void
test_emit_refused (SocketioFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *nsp, *name, *args;
    HarkError code;
  } cases[] = {
    { "/none", "e", "[]", HARK_ERROR_NOT_FOUND },      { "/game", "e", "{}", HARK_ERROR_BAD_REQUEST },
    { "/game", "e", "", HARK_ERROR_BAD_REQUEST },      { "/game", "e", "[1", HARK_ERROR_BAD_REQUEST },
    { "/game", "", "[]", HARK_ERROR_BAD_REQUEST },     { "/game", "connect", "[]", HARK_ERROR_BAD_REQUEST },
    { "/game", "\xFF", "[]", HARK_ERROR_BAD_REQUEST },
  };
  g_test_summary ("What cannot be emitted is refused, and the error names what is wrong");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      emit_to (f, cases[i].nsp, &all, FALSE, cases[i].name, cases[i].args, &error);
      g_assert_error (error, HARK_ERROR, (int)cases[i].code);
    }
}

static void
test_rooms_refused (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann G_GNUC_UNUSED = enter_new (f, "/game", "ann");
  g_autofree char *long_name = g_strnfill (HARK_SOCKETIO_MAX_ROOM + 1, 'x');
  const char *const names[] = { "", "a\nb", "\xFF", long_name };
  g_autoptr (GError) error = NULL;
  g_test_summary ("Rooms have names of one line, and a socket is in a bounded number of them");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_assert_false (hark_socketio_namespaces_join (f->namespaces, "/game", &all, names[i], NULL, &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_clear_error (&error);
    }
  for (guint i = 0; i < f->limits.rooms_per_socket; i++)
    {
      g_autofree char *name = g_strdup_printf ("room %u", i);
      g_assert_true (hark_socketio_namespaces_join (f->namespaces, "/game", &all, name, NULL, &error));
    }
  g_assert_true (hark_socketio_namespaces_join (f->namespaces, "/game", &all, "room 0", NULL, &error));
  g_assert_false (hark_socketio_namespaces_join (f->namespaces, "/game", &all, "one more", NULL, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
}

static void
test_volatile (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) bob = enter_new (f, "/game", "bob");
  g_autoptr (Client) back = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("A volatile event is for those who have taken everything else, and is not brought back");
  emit_ok (f, &all, "stored");
  expect_game (ann, "stored");
  g_assert_cmpint (emit_to (f, "/game", &all, TRUE, "now", "[\"text\"]", &error), ==, 0);
  g_assert_no_error (error);
  client_expect (ann, "2/game,[\"now\",\"text\",\"1\"]");
  expect_game (bob, "stored");
  client_cut (bob);
  back = come_back (f, "/game", "bob", bob->pid, "1");
  g_assert_cmpstr (back->pid, ==, bob->pid);
  client_expect_nothing (back);
}

static void
test_recover_rooms (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) back = NULL;
  const char *const rooms[] = { "red", NULL };
  const char *const others[] = { "blue", NULL };
  const char *const one[] = { ann->sid, NULL };
  const gint64 users[] = { ANN }, strangers[] = { BOB };
  HarkSocketioTarget to_red = { rooms }, to_blue = { others }, to_ann = { one };
  HarkSocketioTarget to_user = { NULL, users, 1 }, to_other = { NULL, strangers, 1 }, but_ann = { NULL, NULL, 0, one };
  g_autoptr (GString) text = g_string_new (NULL);
  Seen seen = { text, 0 };
  g_test_summary ("Who comes back is in its rooms, gets what was for it, and nothing that was for others");
  hark_socketio_namespaces_join (f->namespaces, "/game", &all, "red", NULL, NULL);
  socketio_fixture_settle (f);
  socketio_fixture_stop (f);
  socketio_fixture_start (f);
  g_signal_connect (f->namespaces, "connected", G_CALLBACK (on_connected), &seen);
  g_signal_connect (f->namespaces, "disconnected", G_CALLBACK (on_disconnected), &seen);
  emit_ok (f, &to_red, "red");
  emit_ok (f, &to_blue, "blue");
  emit_ok (f, &to_ann, "ann");
  emit_ok (f, &to_other, "other");
  emit_ok (f, &to_user, "user");
  emit_ok (f, &but_ann, "but-ann");
  emit_ok (f, &all, "all");
  back = come_back (f, "/game", "ann", ann->pid, "0");
  g_assert_cmpstr (back->pid, ==, ann->pid);
  client_expect (back, "2/game,[\"red\",{\"a\":1},\"1\"]");
  client_expect (back, "2/game,[\"ann\",{\"a\":1},\"3\"]");
  client_expect (back, "2/game,[\"user\",{\"a\":1},\"5\"]");
  client_expect (back, "2/game,[\"all\",{\"a\":1},\"7\"]");
  client_expect_nothing (back);
  emit_ok (f, &to_red, "live");
  expect_game (back, "live");
  client_say (back, "1/game,");
  g_assert_cmpstr (text->str, ==, "+/game again;-/game left;");
  g_signal_handlers_disconnect_by_data (f->namespaces, &seen);
}

static void
on_requested (GObject *source, GAsyncResult *result, gpointer data)
{
  GString *text = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *args = hark_socketio_namespaces_request_finish (HARK_SOCKETIO_NAMESPACES (source), result, &error);
  g_string_append_printf (text, "%s;", args != NULL ? args : hark_error_get_wire_name (error->code));
}

static void
request (SocketioFixture *f, const char *sid, GString *text)
{
  hark_socketio_namespaces_request_async (f->namespaces, "/game", sid, "ask", "[1]", 1000, on_requested, text);
}

static void
test_request (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (GString) text = g_string_new (NULL);
  g_test_summary ("A client acknowledges what the back end asks it, once; silence and absence are told");
  request (f, ann->sid, text);
  request (f, ann->sid, text);
  client_expect (ann, "2/game,0[\"ask\",1]");
  client_expect (ann, "2/game,1[\"ask\",1]");
  client_say (ann, "61-/game,1[\"yes\",{\"_placeholder\":true,\"num\":0}]");
  client_send (ann, "\x01\x02\x03", 3);
  client_say (ann, "3/game,1[\"again\"]");
  client_say (ann, "3/game,0[]");
  socketio_fixture_settle (f);
  g_assert_cmpstr (text->str, ==, "[\"yes\",{\"$binary\":\"AQID\"}];[];");
  g_string_truncate (text, 0);
  request (f, "nobody", text);
  request (f, ann->sid, text);
  socketio_fixture_advance (f, 1000);
  g_assert_cmpstr (text->str, ==, "not_found;offline;");
  g_string_truncate (text, 0);
  request (f, ann->sid, text);
  client_cut (ann);
  g_assert_cmpstr (text->str, ==, "offline;");
}

static void
test_request_bound (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (GString) text = g_string_new (NULL);
  g_test_summary ("What a client owes is bounded");
  for (guint i = 0; i < f->limits.pending_acks + 1; i++)
    request (f, ann->sid, text);
  socketio_fixture_settle (f);
  g_assert_cmpstr (text->str, ==, "overloaded;");
  client_cut (ann);
}

static void
test_disconnect (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) bob = enter_new (f, "/game", "bob");
  const gint64 users[] = { ANN };
  HarkSocketioTarget to_ann = { NULL, users, 1 };
  g_autoptr (GError) error = NULL;
  guint n;
  g_test_summary ("A back end ends sockets, which leaves their connections, or these too");
  g_assert_true (hark_socketio_namespaces_disconnect (f->namespaces, "/game", &to_ann, FALSE, &n, &error));
  g_assert_cmpuint (n, ==, 1);
  client_expect (ann, "1/game,");
  g_assert_nonnull (client_get_session (ann));
  client_say (ann, "0/game,");
  client_expect (ann, "0/game,*");
  g_assert_true (hark_socketio_namespaces_disconnect (f->namespaces, "/game", &all, TRUE, &n, &error));
  g_assert_cmpuint (n, ==, 2);
  client_expect_closed (ann, HARK_CLOSE_DISCONNECTED);
  client_expect_closed (bob, HARK_CLOSE_DISCONNECTED);
}

static void
test_declare (SocketioFixture *f, gconstpointer data)
{
  static const char *const wrong[] = { "", "/", "game", "/a,b", "/a?b", "/a b", "/a\nb" };
  g_autoptr (GError) error = NULL;
  g_test_summary ("A namespace's name can stand in a packet, and there is one of a name");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_false (hark_socketio_namespaces_declare (f->namespaces, wrong[i], &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_clear_error (&error);
    }
  g_assert_false (hark_socketio_namespaces_declare (f->namespaces, "/chat", &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_true (hark_socketio_namespaces_declare (f->namespaces, "/a/b", &error));
}

static void
count (const HarkSocketioSocket *socket, gpointer data)
{
  (*(guint *)data)++;
}

static void
test_list (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = enter_new (f, "/game", "ann");
  g_autoptr (Client) bob G_GNUC_UNUSED = enter_new (f, "/chat", "bob");
  guint n = 0;
  g_test_summary ("All connected sockets can be listed");
  client_connect (ann, "/", NULL);
  hark_socketio_namespaces_foreach (f->namespaces, count, &n);
  g_assert_cmpuint (n, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  NSP_TEST ("chat", test_chat);
  NSP_TEST ("chat-refused", test_chat_refused);
  NSP_TEST ("chat-binary", test_chat_binary);
  NSP_TEST ("unlogged", test_unlogged);
  NSP_TEST ("recover", test_recover);
  NSP_TEST ("recover-unsent", test_recover_unsent);
  NSP_TEST ("recover-restart", test_recover_restart);
  NSP_TEST ("recover-twice", test_recover_twice);
  NSP_TEST ("stale-offset", test_stale_offset);
  NSP_TEST ("not-recovered", test_not_recovered);
  NSP_TEST ("too-late", test_too_late);
  NSP_TEST ("too-much", test_too_much);
  NSP_TEST ("kept-per-user", test_kept_per_user);
  NSP_TEST ("while-connecting", test_while_connecting);
  NSP_TEST ("gone-while-connecting", test_gone_while_connecting);
  NSP_TEST ("back-end-events", test_back_end_events);
  NSP_TEST ("back-end-silent", test_back_end_silent);
  NSP_TEST ("back-end-slow", test_back_end_slow);
  NSP_TEST ("emit", test_emit);
  NSP_TEST ("emit-order", test_emit_order);
  NSP_TEST ("emit-refused", test_emit_refused);
  NSP_TEST ("rooms-refused", test_rooms_refused);
  NSP_TEST ("volatile", test_volatile);
  NSP_TEST ("recover-rooms", test_recover_rooms);
  NSP_TEST ("request", test_request);
  NSP_TEST ("request-bound", test_request_bound);
  NSP_TEST ("disconnect", test_disconnect);
  NSP_TEST ("declare", test_declare);
  NSP_TEST ("list", test_list);
  return g_test_run ();
}
