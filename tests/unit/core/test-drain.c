/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All sessions are closed, one after another, by a clock that is moved by hand. */
#include "hub-fixture.h"

#include "base/error.h"
#include "core/drain.h"

#define N 100

static void
on_removed (HarkHub *hub, HarkSession *session, guint code, const char *reason, GPtrArray *reasons)
{
  g_assert_cmpuint (code, ==, HARK_CLOSE_RESTART);
  g_ptr_array_add (reasons, g_strdup (reason));
}

static void
test_spread (HubFixture *f, gconstpointer data)
{
  HarkDrain *drain = hark_drain_new (f->hub, f->metrics);
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) times = g_hash_table_new (g_str_hash, g_str_equal);
  g_test_summary ("They go evenly over the time, and each is told another moment to come back.");
  for (guint i = 0; i < N; i++)
    hub_fixture_connect (f, i + 1);
  g_signal_connect (f->hub, "session-removed", G_CALLBACK (on_removed), reasons);
  g_assert_cmpuint (hark_drain_start (drain, 60000), ==, N);
  g_assert_true (hark_drain_is_active (drain));
  g_assert_cmpuint (reasons->len, ==, 0);
  hark_fake_clock_advance (f->clock, 15000);
  g_assert_cmpuint (reasons->len, ==, N / 4);
  hark_fake_clock_advance (f->clock, 30000);
  g_assert_cmpuint (reasons->len, ==, N * 3 / 4);
  hark_fake_clock_advance (f->clock, 15000);
  g_assert_cmpuint (reasons->len, ==, N);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
  for (guint i = 0; i < N; i++)
    {
      g_assert_true (g_str_has_prefix (reasons->pdata[i], "{\"retry_after_ms\":"));
      g_hash_table_add (times, reasons->pdata[i]);
    }
  /* A hundred out of sixty thousand: that ten of them are the same does not happen. */
  g_assert_cmpuint (g_hash_table_size (times), >, N - 10);
  g_assert_true (hark_drain_is_active (drain));
  g_assert_finalize_object (drain);
}

static void
test_stopped (HubFixture *f, gconstpointer data)
{
  HarkDrain *drain = hark_drain_new (f->hub, f->metrics);
  g_test_summary ("Stopped half way, it leaves half of them.");
  for (guint i = 0; i < N; i++)
    hub_fixture_connect (f, i + 1);
  hark_drain_start (drain, 1000);
  hark_fake_clock_advance (f->clock, 500);
  hark_drain_stop (drain);
  g_assert_false (hark_drain_is_active (drain));
  hark_fake_clock_advance (f->clock, 5000);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, N / 2);
  g_assert_finalize_object (drain);
}

static void
test_event (HubFixture *f, gconstpointer data)
{
  HarkDrain *drain = hark_drain_new (f->hub, f->metrics);
  HarkSession *session = hub_fixture_connect (f, 1);
  g_autoptr (HarkTransport) transport = g_object_ref (session->transport);
  g_autofree char *line = NULL;
  g_test_summary ("At once, each is told by an event before it is closed; who came in between goes too.");
  hark_drain_start (drain, 0);
  hub_fixture_connect (f, 2);
  hark_fake_clock_advance (f->clock, 1000);
  line = fake_transport_pop (FAKE_TRANSPORT (transport));
  g_assert_true (g_str_has_prefix (line, "{\"type\":\"restart\",\"retry_after_ms\":"));
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (transport)), ==, HARK_CLOSE_RESTART);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
  g_assert_finalize_object (drain);
}

#define TEST(name, func)                                                                                               \
  g_test_add ("/core/drain/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("spread", test_spread);
  TEST ("stopped", test_stopped);
  TEST ("event", test_event);
  return g_test_run ();
}
