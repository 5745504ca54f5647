/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session that goes on in another hub, as in another process. */
#include "hub-fixture.h"

#include "base/error.h"
#include "core/session-state.h"

#define REV 10 /* its place in HARK_SESSION_STATE_TYPE */

static HarkSession *
restore (HubFixture *f, GVariant *state, GError **error)
{
  return hark_session_restore (f->hub, HARK_TRANSPORT (fake_transport_new ()), f->protocol, &fake_wire, state, error);
}

static void
on_signal (HarkHub *hub, HarkSession *session, gpointer data)
{
  *(guint *)data += 1;
}

static void
test_goes_on (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  gint64 id = ann->id;
  g_autoptr (GVariant) state = NULL;
  g_autoptr (HarkTransport) transport = NULL;
  g_autoptr (GError) error = NULL;
  guint n_added = 0, n_removed = 0, n_restored = 0;
  HarkSession *again;
  HubFixture other = { 0 };
  g_test_summary ("What it was, had subscribed to and had loaded it has again; nobody hears of an end or a beginning.");
  hub_fixture_subscribe (f, ann, "channel/1", 4, -1);
  hub_fixture_subscribe (f, ann, "app/stock", 7, -1);
  hub_fixture_load (f, ann, 8);
  hub_fixture_publish (f, "channel/1", 5, 10, "5");
  hark_turn_end (f->turn);
  hub_fixture_assert_reads (ann, "5");
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_signal), &n_removed);
  state = g_variant_ref_sink (hark_session_save (ann));
  transport = hark_session_abandon (ann);
  g_assert_cmpuint (n_removed, ==, 0);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_ABNORMAL);

  hub_fixture_set_up (&other, NULL);
  g_signal_connect (other.hub, "session-added", G_CALLBACK (on_signal), &n_added);
  g_signal_connect (other.hub, "session-restored", G_CALLBACK (on_signal), &n_restored);
  again = restore (&other, state, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_added, ==, 0);
  g_assert_cmpuint (n_restored, ==, 1);
  g_assert_cmpint (again->id, ==, id);
  g_assert_cmpint (hark_session_get_user_id (again), ==, 1);
  g_assert_true (hark_hub_has_loaded (other.hub, again, 8));
  g_assert_cmpint (again->subscriptions->len, ==, 2);
  g_assert_cmpint (hark_subscription_get_cursor (again->subscriptions->pdata[0]), ==, 5);
  hub_fixture_publish (&other, "app/stock", 8, 11, "8");
  hark_turn_end (other.turn);
  hub_fixture_assert_reads (again, "8");
  g_assert_null (restore (&other, state, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  hub_fixture_tear_down (&other, NULL);
}

static void
test_catches_up (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (GVariant) saved = NULL;
  g_autoptr (GVariant) state = NULL;
  g_autoptr (HarkTransport) transport = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  HarkSession *again;
  HubFixture other = { 0 };
  g_test_summary ("One whose client has been told up to a rev is told what was published since, and nothing twice.");
  hub_fixture_subscribe (f, ann, "channel/1", 4, -1);
  saved = g_variant_ref_sink (hark_session_save (ann));
  transport = hark_session_abandon (ann);
  fake_transport_hang_up (FAKE_TRANSPORT (transport), HARK_CLOSE_ABNORMAL);
  for (gsize i = 0; i < g_variant_n_children (saved); i++)
    g_ptr_array_add (members,
                     i == REV ? g_variant_ref_sink (g_variant_new_int64 (10)) : g_variant_get_child_value (saved, i));
  state = g_variant_ref_sink (g_variant_new_tuple ((GVariant **)members->pdata, members->len));

  hub_fixture_set_up (&other, NULL);
  hark_hub_set_published_rev (other.hub, 9);
  hub_fixture_publish (&other, "channel/1", 5, 10, "told");
  hub_fixture_publish (&other, "channel/1", 6, 11, "untold");
  hub_fixture_publish (&other, "channel/2", 1, 12, "of another");
  again = restore (&other, state, &error);
  g_assert_no_error (error);
  hark_turn_end (other.turn);
  hub_fixture_assert_reads (again, "untold");
  hub_fixture_tear_down (&other, NULL);
}

static void
test_nobody (HubFixture *f, gconstpointer data)
{
  g_autoptr (GVariant) state = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("A state without a user is refused.");
  state = g_variant_parse (G_VARIANT_TYPE (HARK_SESSION_STATE_TYPE),
                           "(5, 0, 0, 0, 0, false, false, (0, '', 0, 0, 0), [], [], -1, {})", NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (restore (f, state, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

#define TEST(name, func)                                                                                               \
  g_test_add ("/core/session-state/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("goes-on", test_goes_on);
  TEST ("catches-up", test_catches_up);
  TEST ("nobody", test_nobody);
  return g_test_run ();
}
