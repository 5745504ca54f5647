/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "fake-transport.h"

static void
test_ping (ChatFixture *f, gconstpointer data)
{
  Client *ann = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_autofree char *line = NULL;
  char now[HARK_TIME_LEN];
  g_autofree char *expected = NULL;
  g_test_summary ("What is sent with a ping comes back as it was written, with the server's time.");
  client_say (ann, "{\"type\":\"ping\",\"ref\":7,\"data\":{\"a\":[1.50,\"\\u00e4\"]}}");
  chat_fixture_settle (f);
  hark_time_format (hark_clock_get_real_ms (HARK_CLOCK (f->clock)), now);
  expected = g_strdup_printf ("{\"type\":\"ping\",\"ref\":7,\"data\":{\"a\":[1.50,\"\\u00e4\"]},\"time\":\"%s\"}", now);
  line = fake_transport_pop (ann->transport);
  g_assert_cmpstr (line, ==, expected);
}

static void
test_without_data (ChatFixture *f, gconstpointer data)
{
  Client *ann = chat_fixture_connect (f, chat_fixture_user (f, "ann"));
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A ping needs nothing.");
  reply = client_ask (ann, "ping", "%s", "");
  g_assert_false (json_object_has_member (reply, "data"));
  g_assert_true (json_object_has_member (reply, "time"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/chat/ping/data", test_ping);
  ADD ("/chat/ping/empty", test_without_data);
  return g_test_run ();
}
