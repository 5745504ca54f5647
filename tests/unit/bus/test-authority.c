/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include "base/error.h"

#include <unistd.h>

static const HarkBusLimits limits
  = { .max_calls = 100, .max_peers = 2, .max_waiting = 3, .max_monitors = 2, .monitor_window = 4, .changes_ms = 1000 };

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

static void
assert_refused (BusFixture *f, const GDBusInterfaceInfo *info, const GDBusMethodInfo *method)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    {
      g_autofree char *zeros = g_new0 (char, 64);
      g_variant_builder_add_value (&builder,
                                   g_variant_new_from_data (G_VARIANT_TYPE (method->in_args[i]->signature), zeros,
                                                            g_str_equal (method->in_args[i]->signature, "a{sv}") ? 0 : 1,
                                                            FALSE, NULL, NULL));
    }
  g_assert_null (bus_fixture_call (f, info->name, method->name, g_variant_builder_end (&builder), &error));
  name = bus_fixture_get_error_name (error);
  g_assert_cmpstr (name, ==, "org.hark.Hub1.Error.Forbidden");
}

static void
test_denied (BusFixture *f, gconstpointer data)
{
  GDBusInterfaceInfo *infos[]
    = { hark_bus_hub1_interface_info (), hark_bus_directory1_interface_info (), hark_bus_metrics1_interface_info () };
  g_autofree char *asked = NULL;
  g_test_summary ("Another user is refused by every method of every interface, and nothing is asked of the hub.");
  for (guint i = 0; i < G_N_ELEMENTS (infos); i++)
    for (guint m = 0; infos[i]->methods[m] != NULL; m++)
      assert_refused (f, infos[i], infos[i]->methods[m]);
  asked = fake_concern_pop (f->concern);
  g_assert_null (asked);
}

static void
test_figures (BusFixture *f, gconstpointer data)
{
  g_autoptr (GVariant) sessions = bus_fixture_get_property (f, "Sessions");
  g_test_summary ("The figures among the properties are for everybody.");
  g_assert_cmpuint (g_variant_get_uint32 (sessions), ==, 0);
}

typedef struct
{
  GPtrArray *order; /* of answers, as they came */
  guint n_allowed;
  guint n_refused;
  guint n_overloaded;
} Count;

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  Count *count = data;
  g_autoptr (GError) error = NULL;
  if (hark_bus_authority_check_finish (HARK_BUS_AUTHORITY (source), result, &error))
    count->n_allowed++;
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_FORBIDDEN))
    count->n_refused++;
  else if (g_error_matches (error, HARK_ERROR, HARK_ERROR_OVERLOADED))
    count->n_overloaded++;
  else
    g_assert_no_error (error);
}

static void
test_waiting_bound (BusFixture *f, gconstpointer data)
{
  const char *sender = g_dbus_connection_get_unique_name (f->caller);
  GDBusConnection *connection = bus_fixture_connect (f);
  Count count = { 0 };
  g_test_summary ("Calls that wait for the bus to say whose they are have a bound.");
  for (guint i = 0; i < 5; i++)
    hark_bus_authority_check_async (f->authority, connection, sender, HARK_BUS_ACTION_ADMINISTER, FALSE, on_checked,
                                    &count);
  bus_fixture_wait_for (count.n_allowed + count.n_overloaded + count.n_refused == 5);
  g_assert_cmpuint (count.n_allowed, ==, 3);
  g_assert_cmpuint (count.n_overloaded, ==, 2);
  hark_bus_authority_check_async (f->authority, connection, sender, HARK_BUS_ACTION_ADMINISTER, FALSE, on_checked,
                                  &count);
  bus_fixture_wait_for (count.n_allowed == 4);
  hark_bus_authority_forget (f->authority);
  bus_fixture_disconnect (connection);
}

static void
test_peer_bound (BusFixture *f, gconstpointer data)
{
  GDBusConnection *callers[2] = { bus_fixture_connect (f), bus_fixture_connect (f) };
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later_error = NULL;
  g_autoptr (GVariant) first = bus_fixture_call (f, "org.hark.Metrics1", "GetAll", NULL, NULL);
  g_autoptr (GVariant) second = bus_fixture_call_from (f, callers[0], "org.hark.Metrics1", "GetAll", NULL, NULL);
  g_autoptr (GVariant) third = bus_fixture_call_from (f, callers[1], "org.hark.Metrics1", "GetAll", NULL, &error);
  g_autoptr (GVariant) later = NULL;
  g_test_summary ("Callers that are remembered have a bound; one that leaves makes room.");
  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_null (third);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED);
  bus_fixture_disconnect (callers[0]);
  /* The bus tells of the leaving before it answers whoever asks after it. */
  bus_fixture_settle (f);
  later = bus_fixture_call_from (f, callers[1], "org.hark.Metrics1", "GetAll", NULL, &later_error);
  g_assert_no_error (later_error);
  g_assert_nonnull (later);
  bus_fixture_disconnect (callers[1]);
}

static void
test_nobody (BusFixture *f, gconstpointer data)
{
  GDBusConnection *connection = bus_fixture_connect (f);
  Count count = { 0 };
  g_test_summary ("A caller that does not exist, and one without a name, may not.");
  hark_bus_authority_check_async (f->authority, connection, ":1.4711", HARK_BUS_ACTION_ADMINISTER, FALSE, on_checked,
                                  &count);
  hark_bus_authority_check_async (f->authority, connection, NULL, HARK_BUS_ACTION_ADMINISTER, FALSE, on_checked, &count);
  bus_fixture_wait_for (count.n_refused == 2);
  hark_bus_authority_forget (f->authority);
  bus_fixture_disconnect (connection);
}

static void
test_forget (BusFixture *f, gconstpointer data)
{
  const char *sender = g_dbus_connection_get_unique_name (f->caller);
  GDBusConnection *connection = bus_fixture_connect (f);
  Count count = { 0 };
  g_test_summary ("Whoever waits when the bus goes away is refused.");
  hark_bus_authority_check_async (f->authority, connection, sender, HARK_BUS_ACTION_ADMINISTER, FALSE, on_checked,
                                  &count);
  hark_bus_authority_forget (f->authority);
  bus_fixture_wait_for (count.n_refused == 1);
  bus_fixture_settle (f);
  g_assert_cmpuint (count.n_allowed, ==, 0);
  bus_fixture_disconnect (connection);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  hark_error_register_bus_names ();
  g_test_add ("/bus/authority/denied", BusFixture, NULL, set_up_for_another, test_denied, tear_down);
  g_test_add ("/bus/authority/figures", BusFixture, NULL, set_up_for_another, test_figures, tear_down);
  g_test_add ("/bus/authority/waiting-bound", BusFixture, NULL, set_up, test_waiting_bound, tear_down);
  g_test_add ("/bus/authority/peer-bound", BusFixture, NULL, set_up, test_peer_bound, tear_down);
  g_test_add ("/bus/authority/nobody", BusFixture, NULL, set_up, test_nobody, tear_down);
  g_test_add ("/bus/authority/forget", BusFixture, NULL, set_up, test_forget, tear_down);
  return g_test_run ();
}
