/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include "base/error.h"

#include <unistd.h>

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
on_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *signal,
           GVariant *arguments, gpointer data)
{
  g_autofree char *text = g_variant_print (arguments, FALSE);
  g_ptr_array_add (data, g_strdup_printf ("%s%s", signal, text));
}

/* Returns: (transfer none): where the signals that @caller receives are collected; the connection keeps it */
static GPtrArray *
listen_as (GDBusConnection *caller)
{
  GPtrArray *seen = g_ptr_array_new_with_free_func (g_free);
  g_dbus_connection_signal_subscribe (caller, NULL, HUB, NULL, HARK_BUS_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE,
                                      on_signal, seen, (GDestroyNotify)g_ptr_array_unref);
  return seen;
}

static void
start (BusFixture *f, GDBusConnection *caller)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = bus_fixture_call_from (f, caller, HUB, "StartMonitor", NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (reply);
}

static void
publish (BusFixture *f, gint64 seq)
{
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (HarkEvent) event = NULL;
  g_assert_true (hark_topic_parse ("room/lobby", &topic, NULL));
  event = hark_event_new (&topic, seq, 0, "note", "{}", 2);
  hark_hub_publish (f->hub, event);
}

static gint64
n_monitors (BusFixture *f)
{
  return hark_counter_get (hark_metrics_gauge (f->metrics, "hark_bus_monitors", ""));
}

static void
test_signals (BusFixture *f, gconstpointer data)
{
  GPtrArray *seen = listen_as (f->caller);
  HarkSession *session;
  char buffer[HARK_ID_LEN];
  const char *id;
  g_autofree char *address = NULL;
  g_autofree char *opened = NULL;
  g_autofree char *closed = NULL;
  g_test_summary ("A monitor is told of sessions that come and go, and of what is published.");
  start (f, f->caller);
  session = bus_fixture_open_session (f, 7);
  id = hark_id_format (session->id, buffer);
  address = hark_session_dup_address (session);
  publish (f, 3);
  hark_session_close (session, HARK_CLOSE_DISCONNECTED, "enough");
  bus_fixture_wait_for (seen->len == 3);
  opened = g_strdup_printf ("SessionOpened('%s', '7', 'ann', '%s')", id, address);
  closed = g_strdup_printf ("SessionClosed('%s', '7', 4010, 'enough', %" G_GINT64_FORMAT ")", id,
                            hark_clock_get_real_ms (HARK_CLOCK (f->clock)));
  g_assert_cmpstr (seen->pdata[0], ==, opened);
  g_assert_cmpstr (seen->pdata[1], ==, "Published('room/lobby', 3, 'note', 0)");
  g_assert_cmpstr (seen->pdata[2], ==, closed);
}

static void
test_alone (BusFixture *f, gconstpointer data)
{
  GDBusConnection *other = bus_fixture_connect (f);
  GPtrArray *seen = listen_as (f->caller);
  GPtrArray *others = listen_as (other);
  g_autoptr (GVariant) stopped = NULL;
  g_test_summary ("Only who asked gets signals, once however often it asked, and none after StopMonitor.");
  publish (f, 1);
  start (f, f->caller);
  start (f, f->caller);
  publish (f, 2);
  bus_fixture_wait_for (seen->len == 1);
  g_assert_cmpstr (seen->pdata[0], ==, "Published('room/lobby', 2, 'note', 0)");
  g_assert_cmpint (n_monitors (f), ==, 1);
  stopped = bus_fixture_call (f, HUB, "StopMonitor", NULL, NULL);
  g_assert_nonnull (stopped);
  g_assert_cmpint (n_monitors (f), ==, 0);
  publish (f, 3);
  bus_fixture_settle (f);
  g_assert_cmpuint (seen->len, ==, 1);
  g_assert_cmpuint (others->len, ==, 0);
  bus_fixture_disconnect (other);
}

static void
test_bound (BusFixture *f, gconstpointer data)
{
  GDBusConnection *others[2] = { bus_fixture_connect (f), bus_fixture_connect (f) };
  g_autoptr (GError) error = NULL;
  g_test_summary ("There are only so many monitors; one that leaves the bus is none any more.");
  start (f, f->caller);
  start (f, others[0]);
  g_assert_null (bus_fixture_call_from (f, others[1], HUB, "StartMonitor", NULL, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  bus_fixture_disconnect (others[0]);
  bus_fixture_wait_for (n_monitors (f) == 1);
  start (f, others[1]);
  bus_fixture_disconnect (others[1]);
}

static void
test_window (BusFixture *f, gconstpointer data)
{
  GPtrArray *seen = listen_as (f->caller);
  HarkCounter *missed = hark_metrics_counter (f->metrics, "hark_bus_signals_missed_total", "");
  g_test_summary ("What the bus does not take in time is counted, and the monitor is told how much it was.");
  start (f, f->caller);
  for (guint i = 1; i <= 10; i++)
    publish (f, i);
  g_assert_cmpint (hark_counter_get (missed), ==, 6);
  bus_fixture_wait_for (seen->len == 5);
  g_assert_cmpstr (seen->pdata[3], ==, "Published('room/lobby', 4, 'note', 0)");
  g_assert_cmpstr (seen->pdata[4], ==, "Missed(6,)");
  publish (f, 11);
  bus_fixture_wait_for (seen->len == 6);
  g_assert_cmpstr (seen->pdata[5], ==, "Published('room/lobby', 11, 'note', 0)");
}

static void
test_stop (BusFixture *f, gconstpointer data)
{
  GPtrArray *seen = listen_as (f->caller);
  g_test_summary ("When the service leaves the bus, monitoring ends with it.");
  start (f, f->caller);
  for (guint i = 1; i <= 10; i++)
    publish (f, i);
  hark_bus_service_stop (f->service);
  g_assert_cmpint (n_monitors (f), ==, 0);
  publish (f, 11);
  bus_fixture_stop (f);
  hark_bus_service_start (f->service, G_BUS_TYPE_SESSION, bus_fixture_get_address (f));
  bus_fixture_wait_for (f->n_acquired == 2);
  publish (f, 12);
  bus_fixture_settle (f);
  for (guint i = 0; i < seen->len; i++)
    g_assert_cmpstr (seen->pdata[i], !=, "Published('room/lobby', 12, 'note', 0)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  hark_error_register_bus_names ();
#define TEST(name, func) g_test_add ("/bus/monitors/" name, BusFixture, NULL, set_up, func, tear_down)
  TEST ("signals", test_signals);
  TEST ("alone", test_alone);
  TEST ("bound", test_bound);
  TEST ("window", test_window);
  TEST ("stop", test_stop);
  return g_test_run ();
}
