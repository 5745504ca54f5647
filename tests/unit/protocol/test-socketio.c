/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection: what it takes, what it refuses, and what ends it. tests/socketio/README.md has the protocol's text. */
#include "socketio-fixture.h"

#include "base/error.h"

#include <string.h>

#define SIO_TEST(path, name)                                                                                           \
  g_test_add ("/socketio/" path, SocketioFixture, NULL, socketio_fixture_set_up, name, socketio_fixture_tear_down)

static void
test_connect (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("A CONNECT with a token is answered with an id, and the session is that user's");
  client_say (ann, "0{\"token\":\"ann\"}");
  client_expect (ann, "0{\"sid\":\"????????????????????\"}");
  client_expect_nothing (ann);
  g_assert_cmpint (hark_session_get_user_id (client_get_session (ann)), ==, ANN);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, ANN), ==, 1);
}

static void
test_refused (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) client = client_new (f);
  g_test_summary ("A CONNECT without a token, or with a wrong one, is answered with an error that has a code");
  client_say (client, "0");
  client_expect (client, "4{\"message\":\"\\\"token\\\" is required\",\"data\":{\"code\":\"unauthenticated\",*");
  client_say (client, "0{\"token\":\"nobody\"}");
  socketio_fixture_settle (f);
  client_expect (client, "4{\"message\":\"the token lets nobody in\",\"data\":{\"code\":\"unauthenticated\",*");
  client_say (client, "0/chat,{\"token\":7}");
  client_expect (client, "4/chat,{\"message\":\"\\\"token\\\" must be a string\",\"data\":{\"code\":\"bad_request\",*");
  client_say (client, "0{\"token\":\"a\",\"token\":\"b\"}");
  client_expect (client, "4{*bad_request*");
  client_connect (client, "/", "{\"token\":\"ann\"}");
}

static void
test_refusals (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) client = client_new (f);
  g_test_summary ("Who is refused too often is not answered any more");
  for (guint i = 0; i < f->limits.refusals; i++)
    {
      g_assert_nonnull (client_get_session (client));
      client_say (client, i % 2 == 0 ? "0" : "0/none,");
    }
  client_expect_closed (client, HARK_CLOSE_POLICY);
}

static void
test_unknown_namespace (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) client = client_new (f);
  g_test_summary ("A namespace that there is not is refused in the words of the reference");
  client_say (client, "0/random,{\"token\":\"ann\"}");
  client_expect (client, "4/random,{\"message\":\"Invalid namespace\"}");
  client_say (client, "0/random");
  client_expect (client, "4/random,{\"message\":\"Invalid namespace\"}");
  client_say (client, "0/chat/more,");
  client_expect (client, "4/chat/more,{\"message\":\"Invalid namespace\"}");
}

static void
test_namespaces (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autofree char *first = NULL;
  g_test_summary ("One connection has many namespaces, each with an id of its own, and one user");
  client_connect (ann, "/chat", "{\"token\":\"ann\"}");
  first = g_strdup (ann->sid);
  client_expect (ann, "2/chat,[\"welcome\",{\"sid\":\"*\"},\"0\"]");
  client_connect (ann, "/forward", NULL);
  g_assert_cmpstr (first, !=, ann->sid);
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (ann, "0/notifications,{\"token\":\"bob\"}");
  client_expect (ann, "4/notifications,{*\"code\":\"forbidden\"*");
  client_say (ann, "0/notifications?x=1,");
  client_expect (ann, "0/notifications,{\"sid\":\"*");
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 1);
}

static void
test_slow_token (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("A token that must be looked up is waited for, and those who present none with it");
  client_say (ann, "0{\"token\":\"slow-ann\"}");
  client_say (ann, "0/forward,");
  client_expect_nothing (ann);
  fake_authenticator_answer (f->authenticator);
  client_expect (ann, "0{\"sid\":*");
  client_expect (ann, "0/forward,{\"sid\":*");
}

static void
test_slow_refusal (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) client = client_new (f);
  g_test_summary ("When the token that was waited for is wrong, so are those who presented none");
  client_say (client, "0{\"token\":\"slow-nobody\"}");
  client_say (client, "0/forward,");
  fake_authenticator_answer (f->authenticator);
  client_expect (client, "4{\"message\":\"the token lets nobody in\"*");
  client_expect (client, "4/forward,{\"message\":\"\\\"token\\\" is required\"*");
}

static void
test_gone_meanwhile (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("A client that goes while its token is looked up leaves nothing behind");
  client_say (ann, "0{\"token\":\"slow-ann\"}");
  client_cut (ann);
  fake_authenticator_answer (f->authenticator);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
test_early_event (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("An event for a namespace whose CONNECT is not yet answered ends the connection");
  client_say (ann, "0{\"token\":\"slow-ann\"}");
  client_say (ann, "2[\"echo\",{}]");
  client_expect_closed (ann, HARK_CLOSE_PROTOCOL_ERROR);
  fake_authenticator_answer (f->authenticator);
}

static void
test_connect_twice (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("A CONNECT that is repeated before it is answered is answered once");
  client_say (ann, "0{\"token\":\"slow-ann\"}");
  client_say (ann, "0{\"token\":\"slow-ann\"}");
  client_expect_nothing (ann);
  fake_authenticator_answer (f->authenticator);
  client_expect (ann, "0{\"sid\":\"????????????????????\"}");
  client_expect_nothing (ann);
}

static void
test_connect_timeout (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) silent = client_new (f);
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("Who has connected to no namespace in time is closed, who has is not");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (silent, "0/none,");
  socketio_fixture_advance (f, f->limits.connect_timeout_ms - 1);
  g_assert_nonnull (client_get_session (silent));
  socketio_fixture_advance (f, 1);
  client_expect_closed (silent, HARK_CLOSE_UNAUTHENTICATED);
  g_assert_nonnull (client_get_session (ann));
}

static void
test_guest (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) client = NULL;
  g_test_summary ("Where guests are let in, no token is needed");
  f->guest = hark_identity_new (-1, "Anonymous", 0, 0, HARK_IDENTITY_ANONYMOUS);
  client = client_new (f);
  client_connect (client, "/chat", NULL);
  client_expect (client, "2/chat,[\"welcome\",*");
  client_say (client, "2[\"echo\",{}]");
  client_expect_closed (client, HARK_CLOSE_PROTOCOL_ERROR);
}

static void
test_wrong_packets (SocketioFixture *f, gconstpointer data)
{
  static const char *const wrong[] = {
    "",
    "9",
    "abc",
    "0{\"token\":\"ann\"}",    /* is connected */
    "2/chat,[\"message\",{}]", /* is not */
    "1/chat,",
    "3/chat,1[]",
    "4{\"message\":\"no\"}", /* only a server says that */
    "2",
    "2{}",
    "2[]",
    "2[\"disconnect\"]",
    "2[\"echo\",{}",
    "5[\"echo\"]",
    "50-[\"echo\"]",
    "0[]",
    "1{}",
  };
  g_test_summary ("What is no packet, or none that may come now, ends the connection, and nobody else's");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (Client) ann = client_new (f);
      g_autoptr (Client) bob = client_new (f);
      g_test_message ("%s", wrong[i]);
      client_connect (ann, "/", "{\"token\":\"ann\"}");
      client_connect (bob, "/", "{\"token\":\"bob\"}");
      client_say (ann, wrong[i]);
      client_expect_closed (ann, HARK_CLOSE_PROTOCOL_ERROR);
      g_assert_nonnull (client_get_session (bob));
      client_cut (bob);
    }
}

static void
test_first_packet (SocketioFixture *f, gconstpointer data)
{
  static const char *const firsts[] = { "2[\"echo\",{}]", "1", "31[]", "4{}", "51-[\"a\"]" };
  g_test_summary ("When the first packet is no CONNECT, the connection ends");
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    {
      g_autoptr (Client) client = client_new (f);
      client_say (client, firsts[i]);
      if (firsts[i][0] == '5')
        client_send (client, "x", 1);
      client_expect_closed (client, HARK_CLOSE_PROTOCOL_ERROR);
    }
}

static void
test_requests (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("In / an event is a request and its acknowledgement the reply; without an id only errors are told");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (ann, "20[\"echo\",{\"value\":[1,2]}]");
  client_expect (ann, "30[{\"type\":\"echo\",\"value\":[1,2]}]");
  client_say (ann, "29007199254740991[\"echo\",{}]");
  client_expect (ann, "39007199254740991[{\"type\":\"echo\"}]");
  client_say (ann, "21[\"echo\"]");
  client_expect (ann, "31[{\"type\":\"echo\"}]");
  client_say (ann, "2[\"echo\",{\"value\":1}]");
  client_expect_nothing (ann);
  client_say (ann, "22[\"none\",{}]");
  client_expect (ann, "32[{\"type\":\"error\",\"code\":\"unknown_type\",*}]");
  client_say (ann, "2[\"none\",{}]");
  client_expect (ann, "2[\"error\",{\"type\":\"error\",\"code\":\"unknown_type\",*}]");
  client_say (ann, "23[\"chat_message\",{\"message\":\"x\"}]");
  client_expect (ann, "33[{\"type\":\"error\",\"code\":\"unknown_type\",*}]");
  client_say (ann, "24[7,{}]");
  client_expect (ann, "34[{\"type\":\"error\",\"code\":\"unknown_type\",*}]");
}

static void
test_data_is_an_object (SocketioFixture *f, gconstpointer data)
{
  static const char *const values[] = { "[]", "\"text\"", "1", "1.5", "true", "null", "{},{}", "{},\"x\"" };
  static const char *const namespaces[] = { "/", "/chat", "/forward", "/notifications" };
  static const char *const events[] = { "echo", "message", "forward", "get_notifications" };
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("Data is always one object: anything else is answered with an error, and the connection lives");
  for (guint i = 0; i < G_N_ELEMENTS (namespaces); i++)
    {
      const char *prefix = i == 0 ? "" : namespaces[i];
      const char *comma = i == 0 ? "" : ",";
      client_connect (ann, namespaces[i], "{\"token\":\"ann\"}");
      if (i == 1)
        client_expect (ann, "2/chat,[\"welcome\",*");
      for (guint j = 0; j < G_N_ELEMENTS (values); j++)
        {
          g_autofree char *asked = g_strdup_printf ("2%s%s7[\"%s\",%s]", prefix, comma, events[i], values[j]);
          g_autofree char *told = g_strdup_printf ("2%s%s[\"%s\",%s]", prefix, comma, events[i], values[j]);
          g_autofree char *reply
            = g_strdup_printf ("3%s%s7[{\"type\":\"error\",\"code\":\"bad_request\"*", prefix, comma);
          g_autofree char *event
            = g_strdup_printf ("2%s%s[\"error\",{\"type\":\"error\",\"code\":\"bad_request\"*", prefix, comma);
          client_say (ann, asked);
          client_expect (ann, reply);
          client_say (ann, told);
          client_expect (ann, event);
          for (guint k = 0; k < 3; k++) /* what is understood makes up for what was not */
            client_say (ann, "2[\"echo\",{}]");
        }
    }
}

static void
test_abuse (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("Who sends mostly what is refused is disconnected, as in the native protocol");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  for (guint i = 0; i < f->hub_limits.max_strikes; i++)
    {
      g_assert_nonnull (client_get_session (ann));
      client_say (ann, "2[\"echo\",7]");
    }
  client_expect_closed (ann, HARK_CLOSE_POLICY);
}

static void
test_wrong_namespace_event (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("A namespace knows its own events: the native protocol is in / alone");
  client_connect (ann, "/forward", "{\"token\":\"ann\"}");
  client_say (ann, "2/forward,1[\"echo\",{}]");
  client_expect (ann, "3/forward,1[{\"type\":\"error\",\"code\":\"unknown_type\",*");
  client_connect (ann, "/chat", NULL);
  client_expect (ann, "2/chat,[\"welcome\",*");
  client_say (ann, "2/chat,1[\"forward\",{\"target\":1}]");
  client_expect (ann, "3/chat,1[{\"type\":\"error\",\"code\":\"unknown_type\",*");
}

static void
send_native (Client *client, const char *kind, const char *json)
{
  hark_session_send_json (client_get_session (client), kind, json, strlen (json));
}

static void
test_events (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("The hub's events go to the namespaces that have them, and to none that is not connected");
  client_connect (ann, "/chat", "{\"token\":\"ann\"}");
  client_expect (ann, "2/chat,[\"welcome\",*");
  send_native (ann, "forwarded", "{\"type\":\"forwarded\",\"a\":1,\"sender\":\"2\"}");
  send_native (ann, "notification", "{\"type\":\"notification\",\"message\":\"x\"}");
  client_expect_nothing (ann);
  client_connect (ann, "/notifications", NULL);
  send_native (ann, "forwarded", "{\"type\":\"forwarded\",\"a\":1,\"sender\":\"2\"}");
  send_native (ann, "notification", "{\"type\":\"notification\",\"message\":\"x\"}");
  client_expect (ann, "2/notifications,[\"notification\",{\"type\":\"notification\",\"message\":\"x\"}]");
  client_connect (ann, "/forward", NULL);
  send_native (ann, "forwarded", "{\"type\":\"forwarded\",\"a\":1,\"sender\":\"2\"}");
  client_expect (ann, "2/forward,[\"forwarded\",{\"a\":1,\"sender\":2}]");
  client_connect (ann, "/", NULL);
  send_native (ann, "forwarded", "{\"type\":\"forwarded\",\"a\":1,\"sender\":\"2\"}");
  client_expect (ann, "2[\"forwarded\",{\"type\":\"forwarded\",\"a\":1,\"sender\":\"2\"}]");
  client_expect (ann, "2/forward,[\"forwarded\",{\"a\":1,\"sender\":2}]");
  client_say (ann, "1");
  send_native (ann, "user_update", "{\"type\":\"user_update\"}");
  send_native (ann, "notification", "{\"type\":\"notification\"}");
  client_expect (ann, "2/notifications,[\"notification\",*");
  client_expect_nothing (ann);
}

static void
test_welcome (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autofree char *text = NULL;
  g_test_summary ("The hub's welcome comes in /, right behind the answer to its CONNECT, however late that is");
  client_connect (ann, "/forward", "{\"token\":\"ann\"}");
  text = g_strdup_printf ("{\"type\":\"welcome\",\"session\":\"%" G_GINT64_FORMAT "\",\"resume\":\"x\"}", ann->session);
  send_native (ann, "welcome", text);
  client_expect_nothing (ann);
  client_connect (ann, "/", NULL);
  client_expect (ann, "2[\"welcome\",{\"type\":\"welcome\",*\"resume\":\"x\"}]");
  client_expect_nothing (ann);
}

static void
test_forward (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autoptr (Client) bob = client_new (f);
  g_test_summary ("What is forwarded arrives as it was sent, its sender written by the hub, as an integer");
  client_connect (ann, "/forward", "{\"token\":\"ann\"}");
  client_connect (bob, "/forward", "{\"token\":\"bob\"}");
  client_say (
    ann,
    "2/forward,[\"forward\",{\"target\":2,\"type\":\"offer\",\"ref\":[1],\"sender\":9,\"big\":12345678901234567890,"
    "\"deep\":{\"type\":1.50}}]");
  client_expect (bob,
                 "2/forward,[\"forwarded\",{\"target\":2,\"type\":\"offer\",\"ref\":[1],\"big\":12345678901234567890,"
                 "\"deep\":{\"type\":1.50},\"sender\":1}]");
  client_say (ann, "2/forward,5[\"forward\",{\"target\":\"x\"}]");
  client_expect (ann, "3/forward,5[{\"type\":\"error\",\"code\":\"bad_request\",*target*");
  client_say (ann, "2/forward,6[\"forward\",{\"target\":2}]");
  client_expect (ann, "3/forward,6[{\"type\":\"forward\"}]");
  client_expect (bob, "2/forward,[\"forwarded\",{\"target\":2,\"sender\":1}]");
}

static void
test_binary (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autoptr (Client) bob = client_new (f);
  g_test_summary ("Attachments go both ways, several of them and in order");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (ann, "52-3[\"echo\",{\"value\":[{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]}]");
  client_send (ann, "one", 3);
  client_expect_nothing (ann);
  client_send (ann, "two", 3);
  client_expect (ann, "62-3[{\"type\":\"echo\",\"value\":[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,"
                      "\"num\":1}]}]");
  client_expect (ann, "btwo");
  client_expect (ann, "bone");
  client_connect (ann, "/forward", NULL);
  client_connect (bob, "/forward", "{\"token\":\"bob\"}");
  client_say (ann, "51-/forward,[\"forward\",{\"target\":2,\"file\":{\"_placeholder\":true,\"num\":0}}]");
  client_send (ann, "", 0);
  client_expect (bob,
                 "51-/forward,[\"forwarded\",{\"target\":2,\"file\":{\"_placeholder\":true,\"num\":0},\"sender\":1}]");
  client_expect (bob, "b");
}

static void
test_wrong_binary (SocketioFixture *f, gconstpointer data)
{
  static const char *const wrong[] = {
    "51-[\"echo\",{\"value\":{\"_placeholder\":true,\"num\":1}}]",
    "51-[\"echo\",{\"value\":[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]}]",
    "51-[{\"_placeholder\":true,\"num\":0}]",
  };
  g_test_summary ("Binary messages that belong to no packet, and packets that misplace theirs, end the connection");
  for (guint i = 0; i < G_N_ELEMENTS (wrong) + 2; i++)
    {
      g_autoptr (Client) ann = client_new (f);
      client_connect (ann, "/", "{\"token\":\"ann\"}");
      if (i < G_N_ELEMENTS (wrong))
        client_say (ann, wrong[i]);
      if (i <= G_N_ELEMENTS (wrong))
        {
          client_send (ann, "x", 1);
        }
      else
        {
          client_say (ann, "51-[\"echo\",{\"_placeholder\":true,\"num\":0}]");
          client_say (ann, "2[\"echo\",{}]");
        }
      client_expect_closed (ann, HARK_CLOSE_PROTOCOL_ERROR);
    }
}

static void
test_large_attachments (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_autofree char *half = g_malloc0 (f->limits.attachment_bytes / 2 + 1);
  g_test_summary ("A packet's attachments are bounded all together");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (ann, "52-[\"echo\",{}]");
  client_send (ann, half, f->limits.attachment_bytes / 2 + 1);
  client_send (ann, half, f->limits.attachment_bytes / 2 + 1);
  client_expect_closed (ann, HARK_CLOSE_TOO_LARGE);
}

static void
test_disconnect (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("Leaving one namespace leaves the others, gets no answer, and the way back is open");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_connect (ann, "/forward", NULL);
  client_say (ann, "1/forward,");
  client_expect_nothing (ann);
  client_say (ann, "21[\"echo\",{}]");
  client_expect (ann, "31[*");
  client_connect (ann, "/forward", NULL);
  client_say (ann, "1");
  client_say (ann, "1/forward");
  client_expect_nothing (ann);
  g_assert_nonnull (client_get_session (ann));
  client_connect (ann, "/", NULL);
}

static void
test_stray_ack (SocketioFixture *f, gconstpointer data)
{
  g_autoptr (Client) ann = client_new (f);
  g_test_summary ("An acknowledgement that nobody waits for is nothing");
  client_connect (ann, "/", "{\"token\":\"ann\"}");
  client_say (ann, "37[\"x\"]");
  client_say (ann, "61-0[{\"_placeholder\":true,\"num\":0}]");
  client_send (ann, "x", 1);
  client_say (ann, "21[\"echo\",{}]");
  client_expect (ann, "31[*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  SIO_TEST ("connect", test_connect);
  SIO_TEST ("refused", test_refused);
  SIO_TEST ("refusals", test_refusals);
  SIO_TEST ("unknown-namespace", test_unknown_namespace);
  SIO_TEST ("namespaces", test_namespaces);
  SIO_TEST ("slow-token", test_slow_token);
  SIO_TEST ("slow-refusal", test_slow_refusal);
  SIO_TEST ("gone-meanwhile", test_gone_meanwhile);
  SIO_TEST ("early-event", test_early_event);
  SIO_TEST ("connect-twice", test_connect_twice);
  SIO_TEST ("connect-timeout", test_connect_timeout);
  SIO_TEST ("guest", test_guest);
  SIO_TEST ("wrong-packets", test_wrong_packets);
  SIO_TEST ("first-packet", test_first_packet);
  SIO_TEST ("requests", test_requests);
  SIO_TEST ("data-is-an-object", test_data_is_an_object);
  SIO_TEST ("abuse", test_abuse);
  SIO_TEST ("wrong-namespace-event", test_wrong_namespace_event);
  SIO_TEST ("events", test_events);
  SIO_TEST ("welcome", test_welcome);
  SIO_TEST ("forward", test_forward);
  SIO_TEST ("binary", test_binary);
  SIO_TEST ("wrong-binary", test_wrong_binary);
  SIO_TEST ("large-attachments", test_large_attachments);
  SIO_TEST ("disconnect", test_disconnect);
  SIO_TEST ("stray-ack", test_stray_ack);
  return g_test_run ();
}
