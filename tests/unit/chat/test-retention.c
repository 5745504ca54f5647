/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

static void
test_retention (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  gint64 channel = chat_fixture_channel (f, server, "general", FALSE);
  Client *client = chat_fixture_connect (f, ann);
  g_test_summary ("Events beyond their number go, but not the newest; so do the messages of a deleted channel, ended "
                  "sessions and old tombstones.");
  for (guint i = 0; i < 50; i++)
    client_do (client, "message", "\"channel\":\"" ID "\",\"message\":\"m\"", channel);
  client_hang_up (client);
  chat_fixture_advance (f, 10000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM event_log"), ==, f->limits.log_events);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 50);
  g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", channel));
  for (guint i = 0; i < 12; i++)
    g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/x\",\"data\":1"));
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tombstones"), ==, 1);
  chat_fixture_advance (f, 10000);
  chat_fixture_advance (f, 50);
  chat_fixture_advance (f, 50);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM messages"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM read_marks"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM purges"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM tombstones"), ==, 0);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM sessions"), ==, 1);
  chat_fixture_advance (f, f->limits.resume_window_ms);
  chat_fixture_advance (f, 10000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM sessions"), ==, 0);
  chat_fixture_advance (f, f->limits.log_age_ms + 1);
  chat_fixture_advance (f, 10000);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM event_log"), ==, 1);
}

static void
set_up_small (ChatFixture *f, gconstpointer data)
{
  chat_fixture_set_up (f, data);
  chat_fixture_stop (f);
  f->limits.log_events = 10;
  chat_fixture_start (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/retention/all", ChatFixture, NULL, set_up_small, test_retention, chat_fixture_tear_down);
  return g_test_run ();
}
