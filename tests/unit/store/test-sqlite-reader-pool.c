/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The readers: what they see, side by side, where the answer comes, bounds, and a disk that cannot be read. */
#include "fault-vfs.h"
#include "store-fixture.h"

#include <string.h>

#define test(path, func) g_test_add (path, StoreFixture, NULL, store_fixture_set_up, func, store_fixture_tear_down)

static void
test_sees_committed (StoreFixture *self, gconstpointer data)
{
  g_test_summary ("a read sees all that was answered before it was asked for");
  store_fixture_open (self);
  for (guint i = 1; i <= 200; i++)
    {
      const Ask *ask;
      store_fixture_insert (self, i, NULL);
      store_fixture_wait (self);
      ask = store_fixture_count (self);
      store_fixture_wait (self);
      g_assert_cmpint (ask->value, ==, i);
    }
  g_assert_cmpint (store_fixture_counter (self, "hark_store_reads_total"), ==, 200);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_read_seconds"), ==, 200);
}

static void
test_side_by_side (StoreFixture *self, gconstpointer data)
{
  const Ask *ask;
  g_test_summary ("a slow read sees one state throughout and delays neither writes nor other reads");
  store_fixture_open (self);
  store_fixture_insert (self, 1, NULL);
  store_fixture_wait (self);
  store_fixture_gate (self, TRUE);
  store_fixture_wait_gates (self, 1);
  ask = store_fixture_insert (self, 2, NULL);
  store_fixture_wait_for (self, ask);
  g_assert_cmpint (ask->state, ==, ASK_DONE);
  ask = store_fixture_count (self);
  store_fixture_wait_for (self, ask);
  g_assert_cmpint (ask->value, ==, 2);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  ask = self->asks->pdata[1];
  g_assert_cmpint (ask->value, ==, 1);
}

static void
test_bound (StoreFixture *self, gconstpointer data)
{
  const Ask *refused;
  g_test_summary ("a read beyond the queue's bound is overloaded, not from within the call");
  self->options.max_queue_read = 3;
  store_fixture_open (self);
  store_fixture_gate (self, TRUE);
  store_fixture_wait_gates (self, 1);
  store_fixture_gate (self, TRUE);
  store_fixture_wait_gates (self, 2);
  for (guint i = 0; i < 3; i++)
    store_fixture_count (self);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_read_queue_jobs"), ==, 3);
  refused = store_fixture_count (self);
  g_assert_cmpint (refused->state, ==, ASK_OPEN);
  store_fixture_wait_for (self, refused);
  g_assert_cmpint (refused->code, ==, HARK_ERROR_OVERLOADED);
  g_assert_cmpint (store_fixture_counter (self, "hark_store_overloads_total"), ==, 1);
  store_fixture_open_gate (self);
  store_fixture_wait (self);
  g_assert_cmpuint (self->answers, ==, 6);
}

typedef struct
{
  StoreFixture *fixture;
  Ask ask;
} Other;

static gboolean
work_value (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_query_int64 (transaction, &((Ask *)data)->value, NULL, error, "SELECT 42", "");
}

static void
on_value (gpointer data, const GError *error, gpointer user_data)
{
  Ask *ask = data;
  ask->thread = g_thread_self ();
  ask->state = error == NULL ? ASK_DONE : ASK_FAILED;
}

static gpointer
read_elsewhere (gpointer data)
{
  Other *other = data;
  GMainContext *context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  hark_store_read (HARK_STORE (other->fixture->store), work_value, &other->ask, NULL, on_value, NULL);
  while (other->ask.state == ASK_OPEN)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return g_thread_self ();
}

static void
test_other_thread (StoreFixture *self, gconstpointer data)
{
  Other others[4];
  GThread *threads[4];
  g_test_summary ("a read asked for in another thread is answered in that thread");
  store_fixture_open (self);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      others[i] = (Other){ .fixture = self };
      threads[i] = g_thread_new ("other", read_elsewhere, &others[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      gpointer thread = g_thread_join (threads[i]);
      g_assert_cmpint (others[i].ask.state, ==, ASK_DONE);
      g_assert_cmpint (others[i].ask.value, ==, 42);
      g_assert_true (thread == others[i].ask.thread);
    }
}

static gboolean
work_write (HarkTransaction *transaction, gpointer data, GError **error)
{
  return hark_transaction_exec (transaction, error, "INSERT INTO note (id) VALUES (1)", "");
}

static void
on_error (gpointer data, const GError *error, gpointer user_data)
{
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
  *(gboolean *)user_data = TRUE;
}

static void
test_cannot_write (StoreFixture *self, gconstpointer data)
{
  gboolean answered = FALSE;
  g_autofree char *log = NULL;
  g_test_summary ("a reader cannot write");
  store_fixture_open (self);
  hark_store_read (HARK_STORE (self->store), work_write, NULL, NULL, on_error, &answered);
  while (!answered)
    g_main_context_iteration (self->context, TRUE);
  store_fixture_assert_file_has_what_was_answered (self);
  log = store_fixture_take_log ();
}

static void
test_fault (StoreFixture *self, gconstpointer data)
{
  const Ask *ask;
  g_autofree char *log = NULL;
  g_test_summary ("while the disk cannot be read reads get an error, and after it an answer");
  self->options.readers = 1;
  store_fixture_open (self);
  for (guint i = 1; i <= 3; i++)
    {
      ask = store_fixture_count (self);
      store_fixture_wait (self);
      g_assert_cmpint (ask->value, ==, i - 1);
      store_fixture_insert (self, i, NULL);
      store_fixture_wait (self);
      fault_vfs_fail (FAULT_READ, 0, G_MAXINT);
      for (guint j = 0; j < 3; j++)
        {
          ask = store_fixture_count (self);
          store_fixture_wait (self);
          g_assert_cmpint (ask->state, ==, ASK_FAILED);
          g_assert_cmpint (ask->code, ==, HARK_ERROR_INTERNAL);
        }
      fault_vfs_fail (FAULT_NONE, 0, 0);
      ask = store_fixture_count (self);
      store_fixture_wait (self);
      g_assert_cmpint (ask->value, ==, i);
      g_free (log);
      log = store_fixture_take_log ();
      store_fixture_assert_match (log, "The store cannot read: disk I/O error (SQLite result *)\nThe store can read "
                                       "again\n");
      store_fixture_close (self);
      store_fixture_open (self);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  store_fixture_capture_log ();
  fault_vfs_register ();
  test ("/store/readers/sees-committed", test_sees_committed);
  test ("/store/readers/side-by-side", test_side_by_side);
  test ("/store/readers/bound", test_bound);
  test ("/store/readers/other-thread", test_other_thread);
  test ("/store/readers/cannot-write", test_cannot_write);
  test ("/store/readers/fault", test_fault);
  return g_test_run ();
}
