/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include "base/error.h"

static void
on_name_acquired (BusFixture *self)
{
  self->n_acquired++;
}

static void
on_name_lost (BusFixture *self, const char *reason)
{
  self->n_lost++;
  g_free (self->lost_reason);
  self->lost_reason = g_strdup (reason);
}

HarkBusService *
bus_fixture_new_service (BusFixture *self, const HarkBusLimits *limits)
{
  HarkBusService *service
    = hark_bus_service_new (self->hub, self->metrics, HARK_CLOCK (self->clock), self->authority, limits);
  g_signal_connect_swapped (service, "name-acquired", G_CALLBACK (on_name_acquired), self);
  g_signal_connect_swapped (service, "name-lost", G_CALLBACK (on_name_lost), self);
  return service;
}

void
bus_fixture_set_up (BusFixture *self, const HarkBusLimits *limits, uid_t uid)
{
  HarkHubLimits hub_limits = HARK_HUB_LIMITS_DEFAULT;
  memset (self, 0, sizeof *self);
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (self->bus);
  self->clock = hark_fake_clock_new (1763665555123);
  self->metrics = hark_metrics_new ();
  self->turn = hark_turn_new (NULL);
  self->dispatcher = hark_dispatcher_new (NULL, self->metrics);
  self->ids = hark_ids_new (HARK_CLOCK (self->clock));
  self->protocol = fake_protocol_new ();
  self->hub
    = hark_hub_new (self->turn, self->dispatcher, HARK_CLOCK (self->clock), self->ids, self->metrics, &hub_limits);
  self->concern = fake_concern_new (self->dispatcher);
  self->authority = hark_bus_authority_new (uid, limits);
  self->service = bus_fixture_new_service (self, limits);
  hark_bus_service_start (self->service, G_BUS_TYPE_SESSION, bus_fixture_get_address (self));
  bus_fixture_wait_for (self->n_acquired == 1);
  self->caller = bus_fixture_connect (self);
}

static void
drain (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

void
bus_fixture_tear_down (BusFixture *self)
{
  bus_fixture_disconnect (g_steal_pointer (&self->caller));
  hark_bus_service_stop (self->service);
  drain ();
  g_assert_finalize_object (self->service);
  g_assert_finalize_object (self->authority);
  g_assert_finalize_object (self->concern);
  g_assert_finalize_object (self->hub);
  g_assert_finalize_object (self->dispatcher);
  g_assert_finalize_object (self->turn);
  g_assert_finalize_object (self->ids);
  g_assert_finalize_object (self->protocol);
  g_assert_finalize_object (self->metrics);
  g_assert_finalize_object (self->clock);
  g_test_dbus_down (self->bus);
  g_assert_finalize_object (self->bus);
  g_free (self->lost_reason);
}

const char *
bus_fixture_get_address (BusFixture *self)
{
  return g_test_dbus_get_bus_address (self->bus);
}

/* Returns: (transfer full): one more program on the bus */
GDBusConnection *
bus_fixture_connect (BusFixture *self)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection
    = g_dbus_connection_new_for_address_sync (bus_fixture_get_address (self),
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);
  g_assert_no_error (error);
  return connection;
}

/* @connection: (transfer full) */
void
bus_fixture_disconnect (GDBusConnection *connection)
{
  g_autoptr (GError) error = NULL;
  g_dbus_connection_close_sync (connection, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (connection);
}

/* Returns: (transfer none): a session that the hub keeps */
HarkSession *
bus_fixture_open_session (BusFixture *self, gint64 user_id)
{
  g_autoptr (HarkIdentity) identity = hark_identity_new (user_id, "ann", 1, 0, HARK_IDENTITY_NONE);
  g_autoptr (HarkSession) session
    = hark_session_new (self->hub, HARK_TRANSPORT (fake_transport_new ()), self->protocol, &fake_wire, identity);
  hark_session_open (session);
  return hark_hub_get_session (self->hub, session->id);
}

typedef struct
{
  GVariant *reply;
  GError *error;
  gboolean is_done;
} Answer;

static void
on_reply (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &answer->error);
  answer->is_done = TRUE;
}

GVariant *
bus_fixture_call_from (BusFixture *self, GDBusConnection *caller, const char *interface, const char *method,
                       GVariant *arguments, GError **error)
{
  Answer answer = { 0 };
  g_dbus_connection_call (caller, HARK_BUS_NAME, HARK_BUS_PATH, interface, method, arguments, NULL,
                          G_DBUS_CALL_FLAGS_NONE, 20000, NULL, on_reply, &answer);
  bus_fixture_wait_for (answer.is_done);
  if (answer.error != NULL)
    g_propagate_error (error, answer.error);
  return answer.reply;
}

GVariant *
bus_fixture_call (BusFixture *self, const char *interface, const char *method, GVariant *arguments, GError **error)
{
  return bus_fixture_call_from (self, self->caller, interface, method, arguments, error);
}

/* Returns: (transfer full): of org.hark.Hub1 */
GVariant *
bus_fixture_get_property (BusFixture *self, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = bus_fixture_call (self, "org.freedesktop.DBus.Properties", "Get",
                                                 g_variant_new ("(ss)", "org.hark.Hub1", name), &error);
  GVariant *value;
  g_assert_no_error (error);
  g_variant_get (reply, "(v)", &value);
  return value;
}

/* Returns: (transfer full): "org.hark.Hub1.Error.…" */
char *
bus_fixture_get_error_name (const GError *error)
{
  return g_dbus_error_encode_gerror (error);
}

void
bus_fixture_settle (BusFixture *self)
{
  g_autoptr (GVariant) version = bus_fixture_get_property (self, "Version");
  g_assert_true (g_variant_is_of_type (version, G_VARIANT_TYPE_STRING));
  drain ();
}

void
bus_fixture_stop (BusFixture *self)
{
  gboolean has_owner = TRUE;
  hark_bus_service_stop (self->service);
  while (has_owner)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) reply
        = g_dbus_connection_call_sync (self->caller, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "NameHasOwner", g_variant_new ("(s)", HARK_BUS_NAME),
                                       NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
      g_assert_no_error (error);
      g_variant_get (reply, "(b)", &has_owner);
      drain ();
    }
}
