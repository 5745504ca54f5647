/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hub with fake clients, for the tests of what happens between its objects. */
#include "hub-fixture.h"

#include "base/error.h"

void
hub_fixture_set_up (HubFixture *f, gconstpointer data)
{
  const HarkHubLimits defaults = HARK_HUB_LIMITS_DEFAULT;
  if (!f->has_limits)
    f->limits = defaults;
  f->clock = hark_fake_clock_new (1763665555123);
  f->metrics = hark_metrics_new ();
  f->turn = hark_turn_new (NULL);
  f->dispatcher = hark_dispatcher_new (NULL, f->metrics);
  f->ids = hark_ids_new (HARK_CLOCK (f->clock));
  f->protocol = fake_protocol_new ();
  f->hub = hark_hub_new (f->turn, f->dispatcher, HARK_CLOCK (f->clock), f->ids, f->metrics, &f->limits);
}

void
hub_fixture_tear_down (HubFixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->hub);
  g_assert_finalize_object (f->dispatcher);
  g_assert_finalize_object (f->turn);
  g_assert_finalize_object (f->ids);
  g_assert_finalize_object (f->protocol);
  g_assert_finalize_object (f->metrics);
  g_assert_finalize_object (f->clock);
}

/* Returns: (transfer full): a session not yet opened; of nobody when @user_id is 0 */
HarkSession *
hub_fixture_prepare (HubFixture *f, gint64 user_id)
{
  g_autoptr (HarkIdentity) identity
    = user_id != 0 ? hark_identity_new (user_id, "ann", 1, 0, HARK_IDENTITY_NONE) : NULL;
  return hark_session_new (f->hub, HARK_TRANSPORT (fake_transport_new ()), f->protocol, &fake_wire, identity);
}

/* Returns: (transfer none) (nullable): a session the hub keeps */
HarkSession *
hub_fixture_connect (HubFixture *f, gint64 user_id)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, user_id);
  hark_session_open (session);
  return hark_hub_get_session (f->hub, session->id);
}

HarkSubscription *
hub_fixture_subscribe (HubFixture *f, HarkSession *session, const char *text, gint64 cursor, gint64 rev)
{
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (GError) error = NULL;
  HarkSubscription *subscription;
  g_assert_true (hark_topic_parse (text, &topic, NULL));
  subscription = hark_hub_subscribe (f->hub, session, &topic, cursor, rev, &error);
  g_assert_no_error (error);
  return subscription;
}

void
hub_fixture_load (HubFixture *f, HarkSession *session, gint64 user_id)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (hark_hub_load (f->hub, session, &user_id, 1, -1, &error));
  g_assert_no_error (error);
}

void
hub_fixture_publish (HubFixture *f, const char *text, gint64 seq, gint64 rev, const char *json)
{
  g_auto (HarkTopic) topic = { 0 };
  g_autoptr (HarkEvent) event = NULL;
  g_assert_true (hark_topic_parse (text, &topic, NULL));
  event = hark_event_new (&topic, seq, rev, "note", json, strlen (json));
  hark_hub_publish (f->hub, event);
}

gint64
hub_fixture_count (HubFixture *f, const char *counter)
{
  return hark_counter_get (hark_metrics_counter (f->metrics, counter, ""));
}

FakeTransport *
hub_fixture_wire_of (HarkSession *session)
{
  return FAKE_TRANSPORT (session->transport);
}

void
hub_fixture_assert_reads (HarkSession *session, const char *expected)
{
  g_autofree char *line = fake_transport_pop (hub_fixture_wire_of (session));
  g_assert_cmpstr (line, ==, expected);
}

gint64
hub_fixture_get_cursor (HarkSubscription *subscription)
{
  gint64 cursor;
  g_object_get (subscription, "cursor", &cursor, NULL);
  return cursor;
}
