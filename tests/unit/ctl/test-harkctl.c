/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program itself, against a hub whose answers are given here. */
#include "bus-fixture.h"

#include "base/error.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

static const HarkBusLimits limits = HARK_BUS_LIMITS_DEFAULT;

static void
set_up (BusFixture *f, gconstpointer data)
{
  bus_fixture_set_up (f, &limits, getuid ());
}

static void
set_up_for_another (BusFixture *f, gconstpointer data)
{
  bus_fixture_set_up (f, &limits, getuid () + 1);
}

static void
tear_down (BusFixture *f, gconstpointer data)
{
  bus_fixture_tear_down (f);
}

typedef struct
{
  char *out;
  char *err;
  int status;
  gboolean is_done;
} Run;

static void
run_clear (Run *run)
{
  g_free (run->out);
  g_free (run->err);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
on_finished (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;
  g_autoptr (GError) error = NULL;
  g_subprocess_communicate_utf8_finish (G_SUBPROCESS (source), result, &run->out, &run->err, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (G_SUBPROCESS (source)));
  run->status = g_subprocess_get_exit_status (G_SUBPROCESS (source));
  run->is_done = TRUE;
}

/* @line: arguments, quoted as in a shell; "harkctl" and the bus are added. */
static GSubprocess *
start (BusFixture *f, const char *line, const char *input, Run *run)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
    G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *command = g_strdup_printf ("'%s' %s", g_getenv ("HARKCTL"), line);
  g_auto (GStrv) argv = NULL;
  GSubprocess *process;
  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  g_subprocess_launcher_setenv (launcher, "DBUS_SESSION_BUS_ADDRESS", bus_fixture_get_address (f), TRUE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C.UTF-8", TRUE);
  g_subprocess_launcher_setenv (launcher, "TZ", "UTC", TRUE);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *)argv, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8_async (process, input, NULL, on_finished, run);
  return process;
}

static void
run_harkctl (BusFixture *f, const char *line, const char *input, Run *run)
{
  g_autoptr (GSubprocess) process = start (f, line, input, run);
  bus_fixture_wait_for (run->is_done);
  g_assert_null (g_subprocess_get_identifier (process));
}

static void
assert_prints (BusFixture *f, const char *line, const char *expected)
{
  g_auto (Run) run = { 0 };
  run_harkctl (f, line, NULL, &run);
  g_assert_cmpstr (run.err, ==, "");
  g_assert_cmpstr (run.out, ==, expected);
  g_assert_cmpint (run.status, ==, EX_OK);
}

static void
assert_fails (BusFixture *f, const char *line, int status, const char *message)
{
  g_auto (Run) run = { 0 };
  run_harkctl (f, line, NULL, &run);
  g_assert_cmpstr (run.err, ==, message);
  g_assert_cmpstr (run.out, ==, "");
  g_assert_cmpint (run.status, ==, status);
}

static void
assert_asked (BusFixture *f, const char *expected)
{
  g_autofree char *asked = fake_concern_pop (f->concern);
  g_assert_cmpstr (asked, ==, expected);
}

static void
test_requests (BusFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *line;
    const char *asked;
  } cases[] = {
    { "user add ann --displayname 'Ann A' --admin",
      "create_user {\"username\":\"ann\",\"displayname\":\"Ann A\",\"admin\":true}" },
    { "user set 7 --bio '' --admin no", "update_user {\"user_id\":\"7\",\"bio\":\"\",\"admin\":false}" },
    { "user set 7 --username a --displayname b --picture c",
      "update_user {\"user_id\":\"7\",\"username\":\"a\",\"displayname\":\"b\",\"profile_pic\":\"c\"}" },
    { "token create 7 --scope backend", "create_token {\"user_id\":\"7\",\"scope\":\"backend\"}" },
    { "user delete 7", "delete_user {\"user_id\":\"7\"}" },
    { "token revoke 8", "revoke_token {\"token_id\":\"8\"}" },
    { "server add Lounge --owner 7 --icon i.png",
      "create_server {\"name\":\"Lounge\",\"owner_id\":\"7\",\"icon\":\"i.png\"}" },
    { "server set 3 --owner 8", "update_server {\"server_id\":\"3\",\"owner_id\":\"8\"}" },
    { "server delete 3", "delete_server {\"server_id\":\"3\"}" },
    { "member add 3 7", "add_member {\"server_id\":\"3\",\"user_id\":\"7\"}" },
    { "member remove 3 7", "kick_member {\"server_id\":\"3\",\"user_id\":\"7\"}" },
    { "channel add 3 general --category Talk --private --position 0",
      "create_channel "
      "{\"server_id\":\"3\",\"name\":\"general\",\"category\":\"Talk\",\"private\":true,\"position\":0}" },
    { "channel set 4 --name x --private yes --position 2",
      "update_channel {\"channel_id\":\"4\",\"name\":\"x\",\"private\":true,\"position\":2}" },
    { "channel delete 4", "delete_channel {\"channel_id\":\"4\"}" },
    { "grant add 4 7", "grant_channel {\"channel_id\":\"4\",\"user_id\":\"7\"}" },
    { "grant remove 4 7", "revoke_channel {\"channel_id\":\"4\",\"user_id\":\"7\"}" },
    { "grant add 4 --role 6", "grant_channel {\"channel_id\":\"4\",\"role_id\":\"6\"}" },
    { "grant remove 4 --role 6", "revoke_channel {\"channel_id\":\"4\",\"role_id\":\"6\"}" },
    { "member nick 3 7 Cap", "set_nick {\"server_id\":\"3\",\"user_id\":\"7\",\"nick\":\"Cap\"}" },
    { "member nick 3 7", "set_nick {\"server_id\":\"3\",\"user_id\":\"7\",\"nick\":\"\"}" },
    { "role add 3 crew --position 2 --permissions kick_members,manage_roles",
      "create_role {\"server_id\":\"3\",\"name\":\"crew\",\"position\":2,\"permissions\":[\"kick_members\","
      "\"manage_roles\"]}" },
    { "role add 3 guests", "create_role {\"server_id\":\"3\",\"name\":\"guests\",\"position\":1,\"permissions\":[]}" },
    { "role set 6 --name hands --permissions ''",
      "update_role {\"role_id\":\"6\",\"name\":\"hands\",\"permissions\":[]}" },
    { "role delete 6", "delete_role {\"role_id\":\"6\"}" },
    { "role assign 6 7", "assign_role {\"role_id\":\"6\",\"user_id\":\"7\"}" },
    { "role unassign 6 7", "unassign_role {\"role_id\":\"6\",\"user_id\":\"7\"}" },
    { "sessions disconnect 5 --reason 'go home'", "disconnect_session {\"session_id\":\"5\",\"reason\":\"go home\"}" },
    { "sessions disconnect --user 7", "disconnect_user {\"user_id\":\"7\"}" },
    { "publish room/lobby '{\"a\": 1}'", "publish {\"topic\":\"room/lobby\",\"data\":{\"a\": 1}}" },
  };
  g_test_summary ("Each command asks for what it says.");
  fake_concern_will_reply (f->concern, "create_user", "{\"user_id\":\"42\"}");
  fake_concern_will_reply (f->concern, "create_token", "{\"token_id\":\"8\",\"token\":\"s3cret\",\"expires\":null}");
  fake_concern_will_reply (f->concern, "create_server", "{\"server_id\":\"43\"}");
  fake_concern_will_reply (f->concern, "create_role", "{\"role_id\":\"44\"}");
  fake_concern_will_reply (f->concern, "create_channel", "{\"channel_id\":\"44\"}");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Run) run = { 0 };
      run_harkctl (f, cases[i].line, NULL, &run);
      g_assert_cmpstr (run.err, ==, "");
      g_assert_cmpint (run.status, ==, EX_OK);
      assert_asked (f, cases[i].asked);
      assert_asked (f, NULL);
    }
}

static void
test_results (BusFixture *f, gconstpointer data)
{
  g_test_summary ("People and scripts get the bare result, programs JSON.");
  fake_concern_will_reply (f->concern, "create_user", "{\"user_id\":\"42\"}");
  fake_concern_will_reply (f->concern, "create_token", "{\"token_id\":\"8\",\"token\":\"s3cret\",\"expires\":null}");
  fake_concern_will_reply (f->concern, "publish", "{\"seq\":12}");
  fake_concern_will_reply (f->concern, "disconnect_user", "{\"sessions\":3}");
  assert_prints (f, "user add ann", "42\n");
  assert_prints (f, "user add ann --json", "{\"user_id\":\"42\"}\n");
  assert_prints (f, "user delete 7", "");
  assert_prints (f, "user delete 7 --json", "{}\n");
  assert_prints (f, "token create 7 --expires 30d", "s3cret\n");
  assert_prints (f, "publish room/x null", "12\n");
  assert_prints (f, "publish room/x null --json", "{\"seq\":12}\n");
  assert_prints (f, "sessions disconnect --user 7", "3\n");
}

#define ROW                                                                                                            \
  "{\"user_id\":\"9\",\"username\":\"ann\",\"displayname\":\"Ann \\u001b[2J\",\"admin\":true,\"bio\":null,"            \
  "\"status\":\"online\",\"created\":\"2025-11-20T19:05:55.123Z\"}"

static void
test_listing (BusFixture *f, gconstpointer data)
{
  g_test_summary ("A listing is a table for people, without control characters, and an array for programs.");
  fake_concern_will_reply (f->concern, "list_users", "{\"users\":[" ROW "]}");
  assert_prints (f, "user list",
                 "ID  USERNAME  NAME      STATUS  ADMIN  CREATED\n"
                 "9   ann       Ann \357\277\275[2J  online  yes    2025-11-20 19:05:55\n");
  assert_asked (f, "list_users {\"limit\":256}");
  assert_prints (f, "user --no-legend", "9  ann  Ann \357\277\275[2J  online  yes  2025-11-20 19:05:55\n");
  assert_prints (f, "user list --query a --json",
                 "[{\"user_id\":\"9\",\"username\":\"ann\",\"displayname\":\"Ann \\u001b[2J\",\"admin\":true,"
                 "\"status\":\"online\",\"created\":\"2025-11-20T19:05:55.123Z\"}]\n");
}

static void
test_show (BusFixture *f, gconstpointer data)
{
  g_test_summary ("One thing is shown field by field; a session with what it has loaded.");
  fake_concern_will_reply (f->concern, "get_session",
                           "{\"session_id\":\"5\",\"user_id\":\"9\",\"username\":\"ann\",\"address\":\"127.0.0.1:5\","
                           "\"protocol\":\"native\",\"since\":\"2025-11-20T19:05:55Z\",\"queued\":0,\"sent\":4,"
                           "\"received\":3,\"subscriptions\":1,\"loaded\":2,"
                           "\"topics\":[{\"topic\":\"server/7\",\"cursor\":12}],\"users\":[\"8\",\"9\"]}");
  assert_prints (f, "sessions show 5",
                 "               ID: 5\n"
                 "          User ID: 9\n"
                 "             User: ann\n"
                 "          Address: 127.0.0.1:5\n"
                 "         Protocol: native\n"
                 "            Since: 2025-11-20 19:05:55\n"
                 "     Bytes queued: 0\n"
                 "    Messages sent: 4\n"
                 "Messages received: 3\n"
                 "           Topics: 1\n"
                 "     Users loaded: 2\n"
                 "        Their IDs: 8 9\n"
                 "\n"
                 "TOPIC     CURSOR\n"
                 "server/7      12\n");
}

static void
test_names (BusFixture *f, gconstpointer data)
{
  g_test_summary ("Users, servers and channels are found by name; a name that two have is refused with both ids.");
  fake_concern_will_reply (f->concern, "get_user", "{\"user_id\":\"9\"}");
  fake_concern_will_reply (f->concern, "list_servers",
                           "{\"servers\":[{\"server_id\":\"3\",\"server_name\":\"Lounge\"},"
                           "{\"server_id\":\"4\",\"server_name\":\"Twin\"},{\"server_id\":\"5\",\"server_name\":"
                           "\"Twin\"}]}");
  fake_concern_will_reply (f->concern, "list_channels", "{\"channels\":[{\"channel_id\":\"6\",\"name\":\"general\"}]}");
  assert_prints (f, "grant add Lounge/general ann", "");
  assert_asked (f, "list_servers {}");
  assert_asked (f, "list_channels {\"server_id\":\"3\"}");
  assert_asked (f, "get_user {\"username\":\"ann\"}");
  assert_asked (f, "grant_channel {\"channel_id\":\"6\",\"user_id\":\"9\"}");
  assert_prints (f, "user delete @42", "");
  assert_asked (f, "get_user {\"username\":\"42\"}");
  assert_asked (f, "delete_user {\"user_id\":\"9\"}");
  assert_fails (f, "server delete Twin", EX_USAGE, "harkctl: “Twin” is the name of 4 and of 5: use the id\n");
  assert_fails (f, "server delete Nowhere", EX_DATAERR, "harkctl: there is nothing of the name “Nowhere”\n");
  assert_fails (f, "channel delete general", EX_USAGE, "harkctl: “general” is the name of 6 and of 6: use the id\n");
}

static void
test_exit_codes (BusFixture *f, gconstpointer data)
{
  g_test_summary ("What the hub refuses ends with the error table's code and the hub's message.");
  for (int code = 0; code < HARK_N_ERRORS; code++)
    {
      fake_concern_will_fail (f->concern, HARK_ERROR, code, "\"user_id\": wrong");
      assert_fails (f, "user delete 7", hark_error_get_exit_code (code), "harkctl: \"user_id\": wrong\n");
    }
}

static void
test_usage (BusFixture *f, gconstpointer data)
{
  g_test_summary ("What was not understood ends with EX_USAGE, before anybody is asked.");
  assert_fails (f, "", EX_USAGE, "harkctl: what is to be done? “harkctl help” lists it\n");
  assert_fails (f, "user frob", EX_USAGE, "harkctl: “user” has no “frob”; “harkctl help user” lists what it has\n");
  assert_fails (f, "server add x", EX_USAGE, "harkctl: --owner must be given: a server is somebody's\n");
  assert_fails (f, "user set 7", EX_USAGE, "harkctl: nothing to change was given; see --help\n");
  assert_fails (f, "sessions disconnect", EX_USAGE, "harkctl: give either SESSION or --user\n");
  assert_fails (f, "sessions disconnect 5 --user 7", EX_USAGE, "harkctl: give either SESSION or --user\n");
  assert_fails (f, "token create 7 --expires never", EX_USAGE,
                "harkctl: --expires: “never” is not a time such as “30d”, “12h” or “90s”\n");
  assert_fails (f, "help frob", EX_USAGE, "harkctl: there is no “frob”\n");
  assert_asked (f, NULL);
}

static void
test_unavailable (BusFixture *f, gconstpointer data)
{
  g_auto (Run) run = { 0 };
  g_auto (Run) no_bus = { 0 };
  g_test_summary ("Without a hub, or without a bus, it ends with EX_UNAVAILABLE.");
  bus_fixture_stop (f);
  run_harkctl (f, "status", NULL, &run);
  g_assert_cmpint (run.status, ==, EX_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (run.err, "harkctl: "));
  run_harkctl (f, "user list --address unix:path=/nowhere/at/all", NULL, &no_bus);
  g_assert_cmpint (no_bus.status, ==, EX_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (no_bus.err, "harkctl: the message bus cannot be reached: "));
}

static void
test_forbidden (BusFixture *f, gconstpointer data)
{
  g_test_summary ("Whom the hub does not let in is told so, with EX_NOPERM.");
  assert_fails (f, "user list", EX_NOPERM, "harkctl: you may not administer this hub\n");
}

static void
test_paging (BusFixture *f, gconstpointer data)
{
  g_test_summary ("All pages are asked for: a page that says that there is more is followed by the next.");
  fake_concern_will_reply_once (f->concern, "list_members",
                                "{\"members\":[{\"user_id\":\"1\",\"username\":\"ann\",\"joined\":\"2025-11-20T19:05:"
                                "55Z\"}],"
                                "\"next\":\"1\"}");
  fake_concern_will_reply (f->concern, "list_members", "{\"members\":[{\"user_id\":\"2\",\"username\":\"bob\"}]}");
  assert_prints (f, "member list 3 --no-legend", "1  ann  -  -  -  2025-11-20 19:05:55\n2  bob  -  -  -  -\n");
  assert_asked (f, "list_members {\"server_id\":\"3\",\"limit\":256}");
  assert_asked (f, "list_members {\"server_id\":\"3\",\"after\":\"1\",\"limit\":256}");
  assert_asked (f, NULL);
}

static void
test_status (BusFixture *f, gconstpointer data)
{
  g_auto (Run) run = { 0 };
  g_test_summary ("status shows the properties; --json under the names that JSON has everywhere.");
  bus_fixture_open_session (f, 7);
  hark_bus_service_set_ready (f->service, TRUE);
  run_harkctl (f, "status --json", NULL, &run);
  g_assert_cmpint (run.status, ==, EX_OK);
  g_assert_nonnull (strstr (run.out, "\"sessions\":1"));
  g_assert_nonnull (strstr (run.out, "\"ready\":true"));
  g_assert_nonnull (strstr (run.out, "\"started\":\"2025-11-20T19:05:55.123Z\""));
}

static void
test_metrics (BusFixture *f, gconstpointer data)
{
  g_test_summary ("metrics shows the figures whose names begin so, in order.");
  hark_counter_add (hark_metrics_counter (f->metrics, "hark_zz_b_total", "B."), 5);
  hark_counter_add (hark_metrics_counter (f->metrics, "hark_zz_a_total", "A."), 70);
  hark_histogram_observe (hark_metrics_histogram (f->metrics, "hark_zz_c_seconds", "C."), 0);
  assert_prints (f, "metrics hark_zz",
                 "NAME               VALUE  P50  P99\n"
                 "hark_zz_a_total       70    -    -\n"
                 "hark_zz_b_total        5    -    -\n"
                 "hark_zz_c_seconds      1    0    0\n");
  assert_prints (f, "metrics hark_zz --json",
                 "{\"hark_zz_a_total\":70,\"hark_zz_b_total\":5,\"hark_zz_c_seconds\":{\"count\":1,\"sum\":0,\"p50\":0,"
                 "\"p90\":0,\"p99\":0,\"p999\":0}}\n");
}

static void
test_password (BusFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *input;
    int status;
  } bad[] = { { "", EX_USAGE }, { "\xff\n", EX_USAGE } };
  g_auto (Run) set = { 0 }, add = { 0 }, longer = { 0 };
  g_autofree char *endless = g_strnfill (5000, 'x');
  g_test_summary ("A password is the first line of standard input, and what is none reaches no hub.");
  run_harkctl (f, "user set-password 7", "correct horse\nmore\n", &set);
  g_assert_cmpstr (set.err, ==, "");
  assert_asked (f, "set_user_password {\"user_id\":\"7\",\"password\":\"correct horse\"}");
  fake_concern_will_reply (f->concern, "create_user", "{\"user_id\":\"42\"}");
  run_harkctl (f, "user add ann --password-stdin", "correct horse", &add);
  g_assert_cmpint (add.status, ==, EX_OK);
  g_assert_cmpstr (add.out, ==, "42\n");
  assert_asked (f, "create_user {\"username\":\"ann\"}");
  assert_asked (f, "set_user_password {\"user_id\":\"42\",\"password\":\"correct horse\"}");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (Run) run = { 0 };
      run_harkctl (f, "user add ann --password-stdin", bad[i].input, &run);
      g_assert_cmpint (run.status, ==, bad[i].status);
      assert_asked (f, NULL);
    }
  run_harkctl (f, "user set-password 7", endless, &longer);
  g_assert_cmpint (longer.status, ==, EX_DATAERR);
  assert_asked (f, NULL);
}

static void
test_stdin (BusFixture *f, gconstpointer data)
{
  g_auto (Run) run = { 0 };
  g_test_summary ("publish takes its JSON from standard input for a dash.");
  run_harkctl (f, "publish app/x -", "[1,2]\n", &run);
  g_assert_cmpint (run.status, ==, EX_OK);
  assert_asked (f, "publish {\"topic\":\"app/x\",\"data\":[1,2]}");
}

static gint64
n_monitors (BusFixture *f)
{
  return hark_counter_get (hark_metrics_gauge (f->metrics, "hark_bus_monitors", ""));
}

static void
test_monitor (BusFixture *f, gconstpointer data)
{
  g_auto (Run) run = { 0 };
  g_autoptr (GSubprocess) process = start (f, "monitor --json", NULL, &run);
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (HarkEvent) event = NULL;
  g_test_summary ("monitor prints a line for each thing that happens; when the hub goes, so does it.");
  bus_fixture_wait_for (n_monitors (f) == 1);
  hark_topic_parse ("room/lobby", &topic, NULL);
  event = hark_event_new (&topic, 3, 0, "note", "{}", 2);
  hark_hub_publish (f->hub, event);
  bus_fixture_settle (f);
  hark_bus_service_stop (f->service);
  bus_fixture_wait_for (run.is_done);
  g_assert_null (g_subprocess_get_identifier (process));
  g_assert_cmpint (run.status, ==, EX_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (run.out, "{\"signal\":\"Published\",\"time\":\""));
  g_assert_true (g_str_has_suffix (run.out, "\"topic\":\"room/lobby\",\"seq\":3,\"kind\":\"note\",\"receivers\":0}\n"));
}

static void
test_interrupt (BusFixture *f, gconstpointer data)
{
  g_auto (Run) run = { 0 };
  g_autoptr (GSubprocess) process = start (f, "monitor", NULL, &run);
  g_test_summary ("monitor ends well when it is interrupted.");
  bus_fixture_wait_for (n_monitors (f) == 1);
  g_subprocess_send_signal (process, SIGINT);
  bus_fixture_wait_for (run.is_done);
  g_assert_cmpint (run.status, ==, EX_OK);
}

static void
test_complete (BusFixture *f, gconstpointer data)
{
  g_test_summary ("Completion offers the names of what the hub has.");
  fake_concern_will_reply (f->concern, "list_users",
                           "{\"users\":[{\"username\":\"ann\"},{\"username\":\"a b\"},{\"username\":\"anton\"}]}");
  fake_concern_will_reply (f->concern, "list_servers",
                           "{\"servers\":[{\"server_id\":\"3\",\"server_name\":\"Lounge\"}]}");
  assert_prints (f, "--complete user show an", "ann\nanton\n");
  assert_asked (f, "list_users {\"limit\":200,\"query\":\"an\"}");
  assert_prints (f, "--complete server add x --owner ''", "ann\nanton\n");
  assert_prints (f, "--complete channel list ''", "Lounge\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  hark_error_register_bus_names ();
#define TEST(name, func) g_test_add ("/ctl/harkctl/" name, BusFixture, NULL, set_up, func, tear_down)
  TEST ("requests", test_requests);
  TEST ("results", test_results);
  TEST ("listing", test_listing);
  TEST ("show", test_show);
  TEST ("names", test_names);
  TEST ("exit-codes", test_exit_codes);
  TEST ("usage", test_usage);
  TEST ("unavailable", test_unavailable);
  TEST ("paging", test_paging);
  TEST ("status", test_status);
  TEST ("metrics", test_metrics);
  TEST ("stdin", test_stdin);
  TEST ("password", test_password);
  TEST ("monitor", test_monitor);
  TEST ("interrupt", test_interrupt);
  TEST ("complete", test_complete);
  g_test_add ("/ctl/harkctl/forbidden", BusFixture, NULL, set_up_for_another, test_forbidden, tear_down);
  return g_test_run ();
}
