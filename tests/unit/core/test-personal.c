/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hub-fixture.h"

#include "base/error.h"

static void
join (HubFixture *f, HarkSession *session, gint64 rev)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (hark_hub_join_personal (f->hub, session, rev, &error));
  g_assert_no_error (error);
}

static void
test_user_alone (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1), *tab = hub_fixture_connect (f, 1), *bob = hub_fixture_connect (f, 2);
  HarkSession *early = hub_fixture_connect (f, 1);
  g_test_summary ("A personal event goes to the sessions of its user that have joined, and to nobody else.");
  join (f, ann, 0);
  join (f, tab, 0);
  join (f, bob, 0);
  hub_fixture_publish (f, "personal/1", 1, 1, "a");
  hub_fixture_publish (f, "personal/1", 2, 2, "b");
  hark_turn_end (f->turn);
  hub_fixture_assert_reads (ann, "a");
  hub_fixture_assert_reads (ann, "b");
  hub_fixture_assert_reads (ann, NULL);
  hub_fixture_assert_reads (tab, "a");
  hub_fixture_assert_reads (tab, "b");
  hub_fixture_assert_reads (tab, NULL);
  hub_fixture_assert_reads (bob, NULL);
  hub_fixture_assert_reads (early, NULL);
  g_assert_null (ann->subscriptions);
}

static void
test_joins (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1), *tab = hub_fixture_connect (f, 1);
  g_test_summary ("Who joins at a revision is replayed what came after it, once, also what waits for the turn's end.");
  join (f, ann, 0);
  hub_fixture_publish (f, "personal/1", 1, 1, "a");
  hark_turn_end (f->turn);
  hub_fixture_publish (f, "personal/1", 2, 2, "b");
  hub_fixture_publish (f, "personal/2", 1, 3, "x");
  join (f, tab, 1);
  hark_turn_end (f->turn);
  hub_fixture_assert_reads (ann, "a");
  hub_fixture_assert_reads (ann, "b");
  hub_fixture_assert_reads (ann, NULL);
  hub_fixture_assert_reads (tab, "b");
  hub_fixture_assert_reads (tab, NULL);
}

static void
test_refused (HubFixture *f, gconstpointer data)
{
  HarkSession *ann = hub_fixture_connect (f, 1);
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (ann);
  g_autoptr (GError) too_old = NULL, over = NULL;
  g_test_summary ("Nobody joins at a revision that is forgotten, and no session that is over.");
  hark_hub_set_published_rev (f->hub, 5);
  g_assert_false (hark_hub_join_personal (f->hub, ann, 4, &too_old));
  g_assert_error (too_old, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_assert_false (ann->personal);
  hark_session_close (ann, HARK_CLOSE_NORMAL, NULL);
  g_assert_false (hark_hub_join_personal (f->hub, ann, 5, &over));
  g_assert_error (over, HARK_ERROR, HARK_ERROR_OFFLINE);
}

#define ADD(name, func)                                                                                                \
  g_test_add ("/personal/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  ADD ("user-alone", test_user_alone);
  ADD ("joins", test_joins);
  ADD ("refused", test_refused);
  return g_test_run ();
}
