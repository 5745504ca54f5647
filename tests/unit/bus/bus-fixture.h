/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/service.h"
#include "fake-concern.h"
#include "fake-transport.h"

G_BEGIN_DECLS

/* A hub on a bus of its own, and a caller on that bus. */
typedef struct
{
  GTestDBus *bus;
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkTurn *turn;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkProtocol *protocol;
  HarkHub *hub;
  FakeConcern *concern;
  HarkBusAuthority *authority;
  HarkBusService *service;
  GDBusConnection *caller;
  guint n_acquired;
  guint n_lost;
  char *lost_reason;
} BusFixture;

void bus_fixture_set_up (BusFixture *self, const HarkBusLimits *limits, uid_t uid);
void bus_fixture_tear_down (BusFixture *self);
const char *bus_fixture_get_address (BusFixture *self);
GDBusConnection *bus_fixture_connect (BusFixture *self);
void bus_fixture_disconnect (GDBusConnection *connection);
HarkSession *bus_fixture_open_session (BusFixture *self, gint64 user_id);
HarkBusService *bus_fixture_new_service (BusFixture *self, const HarkBusLimits *limits);

GVariant *bus_fixture_call_from (BusFixture *self, GDBusConnection *caller, const char *interface, const char *method,
                                 GVariant *arguments, GError **error);
GVariant *bus_fixture_call (BusFixture *self, const char *interface, const char *method, GVariant *arguments,
                            GError **error);
GVariant *bus_fixture_get_property (BusFixture *self, const char *name);
char *bus_fixture_get_error_name (const GError *error);

/* Iterates until the condition is true. */
#define bus_fixture_wait_for(condition)                                                                                \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    while (!(condition))                                                                                               \
      g_main_context_iteration (NULL, TRUE);                                                                           \
  }                                                                                                                    \
  G_STMT_END

/* Stops the service, and waits until the bus knows. */
void bus_fixture_stop (BusFixture *self);

/* Everything that the caller had sent and the hub has answered to is done after this. */
void bus_fixture_settle (BusFixture *self);

G_END_DECLS
