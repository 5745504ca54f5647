/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include "base/error.h"
#include "config.h"

#include <unistd.h>

#define DIRECTORY "org.hark.Directory1"
#define HUB "org.hark.Hub1"

static const HarkBusLimits limits
  = { .max_calls = 4, .max_peers = 8, .max_waiting = 8, .max_monitors = 2, .monitor_window = 4, .changes_ms = 1000 };

static void
set_up (BusFixture *f, gconstpointer data)
{
  bus_fixture_set_up (f, &limits, getuid ());
}

static void
tear_down (BusFixture *f, gconstpointer data)
{
  bus_fixture_tear_down (f);
}

static void
assert_asked (BusFixture *f, const char *expected)
{
  g_autofree char *asked = fake_concern_pop (f->concern);
  g_assert_cmpstr (asked, ==, expected);
}

static void
test_create (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *text = NULL;
  g_test_summary ("A method is asked of the dispatcher as the request it is, and the reply comes back typed.");
  fake_concern_will_reply (f->concern, "create_user", "{\"user_id\":\"42\",\"username\":\"ann\"}");
  reply = bus_fixture_call (f, DIRECTORY, "CreateUser", g_variant_new ("(ssb)", "ann", "", TRUE), &error);
  g_assert_no_error (error);
  text = g_variant_print (reply, TRUE);
  g_assert_cmpstr (text, ==, "('42',)");
  assert_asked (f, "create_user {\"username\":\"ann\",\"admin\":true}");
}

static void
test_session_interest (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) session = NULL;
  g_autoptr (GVariant) topics = NULL;
  g_autoptr (GVariant) users = NULL;
  g_test_summary ("000-6: what a client has loaded can be read: topics with cursors, and users.");
  fake_concern_will_reply (f->concern, "get_session",
                           "{\"session_id\":\"5\",\"topics\":[{\"topic\":\"server/"
                           "7\",\"cursor\":12}],\"users\":[\"9\"]}");
  reply = bus_fixture_call (f, HUB, "GetSession", g_variant_new ("(s)", "5"), &error);
  g_assert_no_error (error);
  session = g_variant_get_child_value (reply, 0);
  topics = g_variant_lookup_value (session, "topics", G_VARIANT_TYPE ("aa{sv}"));
  users = g_variant_lookup_value (session, "users", G_VARIANT_TYPE ("as"));
  g_assert_cmpuint (g_variant_n_children (topics), ==, 1);
  g_assert_cmpuint (g_variant_n_children (users), ==, 1);
  assert_asked (f, "get_session {\"session_id\":\"5\"}");
}

static void
test_error_names (BusFixture *f, gconstpointer data)
{
  g_test_summary ("Each error of the table reaches the caller under its D-Bus name, with its message.");
  for (int code = 0; code < HARK_N_ERRORS; code++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) reply = NULL;
      g_autofree char *name = NULL;
      fake_concern_will_fail (f->concern, HARK_ERROR, code, "\"user_id\": no such user");
      reply = bus_fixture_call (f, DIRECTORY, "DeleteUser", g_variant_new ("(s)", "7"), &error);
      g_assert_null (reply);
      name = bus_fixture_get_error_name (error);
      g_assert_cmpstr (name, ==, hark_error_get_bus_name (code));
      g_dbus_error_strip_remote_error (error);
      g_assert_cmpstr (error->message, ==, "\"user_id\": no such user");
    }
}

static void
test_foreign_error (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_test_summary ("What is not in the table is told as an internal error, without its message.");
  fake_concern_will_fail (f->concern, G_FILE_ERROR, G_FILE_ERROR_ACCES, "secret.db: denied");
  reply = bus_fixture_call (f, DIRECTORY, "ListServers", NULL, &error);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_bad_argument (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_test_summary ("An argument that cannot be meant is refused by name before anybody is asked.");
  reply = bus_fixture_call (f, HUB, "Publish", g_variant_new ("(ss)", "room/lobby", "{nonsense"), &error);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_nonnull (strstr (error->message, "\"data\""));
  assert_asked (f, NULL);
}

static void
test_broken_reply (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_test_summary ("A reply that breaks the contract is an internal error.");
  fake_concern_will_reply (f->concern, "create_user", "{\"user_id\":42}");
  reply = bus_fixture_call (f, DIRECTORY, "CreateUser", g_variant_new ("(ssb)", "ann", "", FALSE), &error);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
}

static void
test_no_concern (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_test_summary ("A request that nobody answers for is UnknownType.");
  hark_dispatcher_remove (f->dispatcher, f->concern);
  reply = bus_fixture_call (f, DIRECTORY, "ListServers", NULL, &error);
  g_assert_null (reply);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE);
}

typedef struct
{
  guint n_replies;
  guint n_overloaded;
} Count;

static void
on_counted (GObject *source, GAsyncResult *result, gpointer data)
{
  Count *count = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  count->n_replies++;
  g_assert_cmpint (reply == NULL, ==, error != NULL);
  count->n_overloaded += g_error_matches (error, HARK_ERROR, HARK_ERROR_OVERLOADED);
}

static void
call_many (BusFixture *f, GDBusConnection *caller, guint n, Count *count)
{
  for (guint i = 0; i < n; i++)
    g_dbus_connection_call (caller, HARK_BUS_NAME, HARK_BUS_PATH, DIRECTORY, "ListServers", NULL, NULL,
                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_counted, count);
}

static gint64
metric (BusFixture *f, const char *name)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, name, ""));
}

static void
test_bound (BusFixture *f, gconstpointer data)
{
  Count count = { 0 };
  g_test_summary ("Calls over the bound are refused at once; those under way are answered when they are.");
  fake_concern_will_wait (f->concern);
  call_many (f, f->caller, 6, &count);
  bus_fixture_wait_for (count.n_replies == 2);
  g_assert_cmpuint (count.n_overloaded, ==, 2);
  g_assert_cmpuint (fake_concern_get_n_waiting (f->concern), ==, 4);
  g_assert_cmpint (hark_counter_get (hark_metrics_gauge (f->metrics, "hark_bus_calls", "")), ==, 4);
  g_assert_cmpint (metric (f, "hark_bus_calls_refused_total"), ==, 2);
  fake_concern_answer_waiting (f->concern);
  bus_fixture_wait_for (count.n_replies == 6);
  g_assert_cmpuint (count.n_overloaded, ==, 2);
  g_assert_cmpint (hark_counter_get (hark_metrics_gauge (f->metrics, "hark_bus_calls", "")), ==, 0);
}

static void
test_caller_leaves (BusFixture *f, gconstpointer data)
{
  GDBusConnection *caller = bus_fixture_connect (f);
  Count count = { 0 };
  Count other = { 0 };
  g_test_summary ("Calls of somebody who has left the bus take no room, and their late answers do no harm.");
  fake_concern_will_wait (f->concern);
  call_many (f, caller, 3, &count);
  call_many (f, f->caller, 1, &other);
  bus_fixture_wait_for (fake_concern_get_n_waiting (f->concern) == 4);
  bus_fixture_disconnect (caller);
  bus_fixture_wait_for (hark_counter_get (hark_metrics_gauge (f->metrics, "hark_bus_calls", "")) == 1);
  fake_concern_answer_waiting (f->concern);
  bus_fixture_wait_for (other.n_replies == 1);
  g_assert_cmpuint (other.n_overloaded, ==, 0);
}

static void
test_stop (BusFixture *f, gconstpointer data)
{
  Count count = { 0 };
  g_test_summary ("Stopping answers the calls that wait, gives the name back, and emits nothing.");
  fake_concern_will_wait (f->concern);
  call_many (f, f->caller, 2, &count);
  bus_fixture_wait_for (fake_concern_get_n_waiting (f->concern) == 2);
  hark_bus_service_stop (f->service);
  bus_fixture_wait_for (count.n_replies == 2);
  g_assert_cmpuint (count.n_overloaded, ==, 2);
  fake_concern_answer_waiting (f->concern);
  g_assert_cmpuint (f->n_lost, ==, 0);
  bus_fixture_stop (f);
  hark_bus_service_start (f->service, G_BUS_TYPE_SESSION, bus_fixture_get_address (f));
  bus_fixture_wait_for (f->n_acquired == 2);
}

static void
test_name_taken (BusFixture *f, gconstpointer data)
{
  g_autoptr (HarkBusService) other = bus_fixture_new_service (f, &limits);
  g_autoptr (GVariant) version = NULL;
  g_test_summary ("A second hub on the bus is told that the name is taken, and takes it from nobody.");
  hark_bus_service_start (other, G_BUS_TYPE_SESSION, bus_fixture_get_address (f));
  bus_fixture_wait_for (f->n_lost == 1);
  g_assert_cmpstr (f->lost_reason, ==, "another program has the name");
  g_assert_cmpuint (f->n_acquired, ==, 1);
  version = bus_fixture_get_property (f, "Version");
  g_assert_nonnull (version);
}

static void
test_no_bus (BusFixture *f, gconstpointer data)
{
  g_autoptr (HarkBusService) other = bus_fixture_new_service (f, &limits);
  g_test_summary ("Without a bus the service says so, and not within start.");
  hark_bus_service_start (other, G_BUS_TYPE_SESSION, "unix:path=/nowhere/at/all");
  g_assert_cmpuint (f->n_lost, ==, 0);
  bus_fixture_wait_for (f->n_lost == 1);
}

static void
test_stop_connecting (BusFixture *f, gconstpointer data)
{
  HarkBusService *other = bus_fixture_new_service (f, &limits);
  g_test_summary ("A service that is stopped while it connects is gone without a word.");
  hark_bus_service_start (other, G_BUS_TYPE_SESSION, bus_fixture_get_address (f));
  hark_bus_service_stop (other);
  bus_fixture_wait_for (G_OBJECT (other)->ref_count == 1);
  g_assert_finalize_object (other);
  g_assert_cmpuint (f->n_lost, ==, 0);
}

static void
test_properties (BusFixture *f, gconstpointer data)
{
  g_autoptr (GVariant) version = bus_fixture_get_property (f, "Version");
  g_autoptr (GVariant) started = bus_fixture_get_property (f, "Started");
  g_autoptr (GVariant) none = bus_fixture_get_property (f, "Sessions");
  g_autoptr (GVariant) one = NULL;
  g_autoptr (GVariant) users = NULL;
  g_test_summary ("Properties are read from the hub when they are asked for.");
  g_assert_cmpstr (g_variant_get_string (version, NULL), ==, HARK_VERSION);
  g_assert_cmpint (g_variant_get_int64 (started), ==, 1763665555123);
  g_assert_cmpuint (g_variant_get_uint32 (none), ==, 0);
  bus_fixture_open_session (f, 7);
  bus_fixture_open_session (f, 7);
  one = bus_fixture_get_property (f, "Sessions");
  users = bus_fixture_get_property (f, "Users");
  g_assert_cmpuint (g_variant_get_uint32 (one), ==, 2);
  g_assert_cmpuint (g_variant_get_uint32 (users), ==, 1);
}

static void
on_properties_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                       const char *signal, GVariant *arguments, gpointer data)
{
  GPtrArray *seen = data;
  g_autoptr (GVariant) changed = g_variant_get_child_value (arguments, 1);
  g_ptr_array_add (seen, g_variant_print (changed, FALSE));
}

static void
test_coalescing (BusFixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) seen = g_ptr_array_new_with_free_func (g_free);
  HarkSession *last = NULL;
  guint id = g_dbus_connection_signal_subscribe (f->caller, HARK_BUS_NAME, "org.freedesktop.DBus.Properties",
                                                 "PropertiesChanged", HARK_BUS_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                 on_properties_changed, seen, NULL);
  g_test_summary ("However much changes, PropertiesChanged comes at most once a second, with what differs then.");
  bus_fixture_settle (f);
  for (guint i = 0; i < 50; i++)
    last = bus_fixture_open_session (f, 7);
  hark_bus_service_set_ready (f->service, TRUE);
  hark_fake_clock_advance (f->clock, 999);
  bus_fixture_settle (f);
  g_assert_cmpuint (seen->len, ==, 0);
  hark_fake_clock_advance (f->clock, 1);
  bus_fixture_wait_for (seen->len == 1);
  g_assert_nonnull (strstr (seen->pdata[0], "'Sessions': <uint32 50>"));
  g_assert_nonnull (strstr (seen->pdata[0], "'Users': <uint32 1>"));
  g_assert_nonnull (strstr (seen->pdata[0], "'Ready': <true>"));
  g_assert_null (strstr (seen->pdata[0], "Version"));
  g_assert_null (strstr (seen->pdata[0], "Topics"));
  hark_session_close (last, HARK_CLOSE_NORMAL, NULL);
  hark_bus_service_set_ready (f->service, FALSE);
  hark_bus_service_set_ready (f->service, TRUE);
  hark_fake_clock_advance (f->clock, 1000);
  bus_fixture_wait_for (seen->len == 2);
  g_assert_cmpstr (seen->pdata[1], ==, "{'Sessions': <uint32 49>}");
  hark_bus_service_set_ready (f->service, FALSE);
  hark_bus_service_set_ready (f->service, TRUE);
  hark_fake_clock_advance (f->clock, 10000);
  bus_fixture_settle (f);
  g_assert_cmpuint (seen->len, ==, 2);
  g_dbus_connection_signal_unsubscribe (f->caller, id);
}

static void
test_metrics (BusFixture *f, gconstpointer data)
{
  HarkHistogram *histogram = hark_metrics_histogram (f->metrics, "hark_test_seconds", "A test.");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GVariant) seconds = NULL;
  double value;
  gint64 sessions;
  g_test_summary ("Metrics1 gives every figure; histograms with their quantiles in seconds.");
  hark_histogram_observe (histogram, 2000000);
  bus_fixture_open_session (f, 7);
  reply = bus_fixture_call (f, "org.hark.Metrics1", "GetAll", NULL, &error);
  g_assert_no_error (error);
  all = g_variant_get_child_value (reply, 0);
  g_assert_true (g_variant_lookup (all, "hark_sessions", "x", &sessions));
  g_assert_cmpint (sessions, ==, 1);
  seconds = g_variant_lookup_value (all, "hark_test_seconds", G_VARIANT_TYPE ("a{sd}"));
  g_assert_cmpuint (g_variant_n_children (seconds), ==, 6);
  g_assert_true (g_variant_lookup (seconds, "count", "d", &value));
  g_assert_cmpfloat (value, ==, 1);
  g_assert_true (g_variant_lookup (seconds, "sum", "d", &value));
  g_assert_cmpfloat (value, ==, 2);
  g_assert_true (g_variant_lookup (seconds, "p999", "d", &value));
  g_assert_cmpfloat_with_epsilon (value, 2, 0.5);
}

static gboolean
on_reload (gpointer data, GError **error)
{
  guint *n = data;
  *n += 1;
  if (*n == 1)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "hark.conf:3: \"lissten\": no such key");
  return FALSE;
}

static void
test_reload (BusFixture *f, gconstpointer data)
{
  g_autoptr (GError) none = NULL;
  g_autoptr (GError) bad = NULL;
  g_autoptr (GError) ok = NULL;
  g_autoptr (GVariant) reply = NULL;
  guint n = 0;
  g_test_summary ("Reload calls whoever was set for it, and tells what is wrong with the configuration.");
  g_assert_null (bus_fixture_call (f, HUB, "Reload", NULL, &none));
  g_assert_error (none, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE);
  hark_bus_service_set_reload (f->service, on_reload, &n);
  reply = bus_fixture_call (f, HUB, "Reload", NULL, &ok);
  g_assert_no_error (ok);
  g_assert_nonnull (reply);
  g_assert_null (bus_fixture_call (f, HUB, "Reload", NULL, &bad));
  g_assert_error (bad, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_nonnull (strstr (bad->message, "\"lissten\""));
  g_assert_cmpuint (n, ==, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  hark_error_register_bus_names ();
#define TEST(name, func) g_test_add ("/bus/service/" name, BusFixture, NULL, set_up, func, tear_down)
  TEST ("create", test_create);
  TEST ("session-interest", test_session_interest);
  TEST ("error-names", test_error_names);
  TEST ("foreign-error", test_foreign_error);
  TEST ("bad-argument", test_bad_argument);
  TEST ("broken-reply", test_broken_reply);
  TEST ("no-concern", test_no_concern);
  TEST ("bound", test_bound);
  TEST ("caller-leaves", test_caller_leaves);
  TEST ("stop", test_stop);
  TEST ("name-taken", test_name_taken);
  TEST ("no-bus", test_no_bus);
  TEST ("stop-connecting", test_stop_connecting);
  TEST ("properties", test_properties);
  TEST ("coalescing", test_coalescing);
  TEST ("metrics", test_metrics);
  TEST ("reload", test_reload);
  return g_test_run ();
}
