/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

#include "fake-transport.h"

G_BEGIN_DECLS

/**
 * HubFixture:
 *
 * A hub on a fake clock, without quotas, to which fake clients connect. For g_test_add (): a test that wants other
 * bounds than the default sets @limits in a set-up of its own before it calls hub_fixture_set_up ().
 */
typedef struct
{
  HarkHubLimits limits;
  gboolean has_limits; /* @limits are the test's */
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkTurn *turn;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkProtocol *protocol;
  HarkHub *hub;
} HubFixture;

void hub_fixture_set_up (HubFixture *f, gconstpointer data);
void hub_fixture_tear_down (HubFixture *f, gconstpointer data);

HarkSession *hub_fixture_prepare (HubFixture *f, gint64 user_id);
HarkSession *hub_fixture_connect (HubFixture *f, gint64 user_id);
HarkSubscription *hub_fixture_subscribe (HubFixture *f, HarkSession *session, const char *topic, gint64 cursor,
                                         gint64 rev);
void hub_fixture_load (HubFixture *f, HarkSession *session, gint64 user_id);
void hub_fixture_publish (HubFixture *f, const char *topic, gint64 seq, gint64 rev, const char *json);
gint64 hub_fixture_count (HubFixture *f, const char *counter);

FakeTransport *hub_fixture_wire_of (HarkSession *session);
void hub_fixture_assert_reads (HarkSession *session, const char *expected);
gint64 hub_fixture_get_cursor (HarkSubscription *subscription);

G_END_DECLS
