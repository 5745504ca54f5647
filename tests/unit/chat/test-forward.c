/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "fake-transport.h"

static void
test_forward (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  Client *tabs[3], *bobs[2];
  g_autofree char *expected = NULL;
  g_test_summary ("003-4 to 003-6: every session of the target and the sender's other ones get the object byte for "
                  "byte, with the true sender.");
  for (guint i = 0; i < 3; i++)
    tabs[i] = chat_fixture_connect (f, ann);
  for (guint i = 0; i < 2; i++)
    bobs[i] = chat_fixture_connect (f, bob);
  client_say (tabs[0],
              "{\"type\":\"forward\",\"ref\":9,\"n\":12345678901234567890,\"target\":" ID ",\"sender\":\"1\","
              "\"x\":{\"y\":[1.50,null]},\"\\u0061\":1e2}",
              bob);
  chat_fixture_settle (f);
  expected = g_strdup_printf ("{\"type\":\"forwarded\",\"n\":12345678901234567890,\"target\":" ID
                              ",\"x\":{\"y\":[1.50,null]},\"\\u0061\":1e2,\"sender\":\"" ID "\"}",
                              bob, ann);
  for (guint i = 0; i < 4; i++)
    {
      Client *receiver = i < 2 ? bobs[i] : tabs[i - 1];
      g_autofree char *line = fake_transport_pop (receiver->transport);
      g_assert_cmpstr (line, ==, expected);
      client_assert_silent (receiver);
    }
  json_object_unref (client_pop_type (tabs[0], "forward"));
  client_assert_silent (tabs[0]);
}

static void
test_nobody (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  Client *tab = chat_fixture_connect (f, ann), *other = chat_fixture_connect (f, ann);
  g_test_summary (
    "A target without a session is offline, one that does not exist is not found, and nothing is echoed.");
  client_refused (tab, HARK_ERROR_OFFLINE, "target", "forward", "\"target\":\"" ID "\"", bob);
  client_refused (tab, HARK_ERROR_NOT_FOUND, "target", "forward", "\"target\":\"1\"");
  client_refused (tab, HARK_ERROR_BAD_REQUEST, "target", "forward", "\"target\":\"bob\"");
  client_refused (tab, HARK_ERROR_BAD_REQUEST, "target", "forward", "%s", "");
  client_assert_silent (other);
}

static void
test_to_oneself (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann");
  Client *tab = chat_fixture_connect (f, ann), *other = chat_fixture_connect (f, ann);
  g_test_summary ("Forwarding to oneself reaches one's other sessions, once.");
  client_do (tab, "forward", "\"target\":\"" ID "\"", ann);
  json_object_unref (client_pop_type (other, "forwarded"));
  client_assert_silent (other);
  client_assert_silent (tab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/forward/to-all", test_forward);
  ADD ("/forward/nobody", test_nobody);
  ADD ("/forward/to-oneself", test_to_oneself);
  return g_test_run ();
}
