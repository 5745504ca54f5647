/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/hand-over.h"

typedef struct
{
  GString *seen;
  guint per_call;
  guint n_calls;
  gboolean stop;
} Receiver;

static char letters[][2] = { "a", "b", "c", "d", "e" };

static guint n_destroyed;

static void
destroy (gpointer item)
{
  n_destroyed++;
}

static void
receive (HarkHandOver *self, gpointer data)
{
  Receiver *receiver = data;
  guint kind;
  gpointer item;
  receiver->n_calls++;
  for (guint i = 0; i < receiver->per_call && (item = hark_hand_over_pop (self, &kind)) != NULL; i++)
    g_string_append_printf (receiver->seen, "%u:%s ", kind, (char *)item);
  if (receiver->stop)
    hark_hand_over_stop (self);
}

static void
iterate (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_order (void)
{
  Receiver receiver = { g_string_new (NULL), 2 };
  HarkHandOver *queue = hark_hand_over_new (NULL, "test", destroy, receive, &receiver);
  g_test_summary ("Things arrive in order, a number of them in a turn.");
  iterate ();
  g_assert_cmpuint (receiver.n_calls, ==, 0);
  for (guint i = 0; i < 5; i++)
    hark_hand_over_push (queue, i, letters[i]);
  g_assert_cmpuint (hark_hand_over_get_length (queue), ==, 5);
  iterate ();
  g_assert_cmpstr (receiver.seen->str, ==, "0:a 1:b 2:c 3:d 4:e ");
  g_assert_cmpuint (receiver.n_calls, ==, 3);
  g_assert_cmpuint (hark_hand_over_get_length (queue), ==, 0);
  g_assert_finalize_object (queue);
  g_string_free (receiver.seen, TRUE);
}

static void
test_stop (void)
{
  Receiver receiver = { g_string_new (NULL), 1, 0, TRUE };
  HarkHandOver *queue = hark_hand_over_new (NULL, "test", destroy, receive, &receiver);
  g_test_summary ("What waits when the receiver stops is destroyed, and what comes later too.");
  n_destroyed = 0;
  for (guint i = 0; i < 3; i++)
    hark_hand_over_push (queue, 0, letters[0]);
  iterate ();
  g_assert_cmpstr (receiver.seen->str, ==, "0:a ");
  g_assert_cmpuint (n_destroyed, ==, 2);
  hark_hand_over_push (queue, 0, letters[0]);
  g_assert_cmpuint (n_destroyed, ==, 3);
  iterate ();
  g_assert_cmpuint (receiver.n_calls, ==, 1);
  g_assert_finalize_object (queue);
  g_string_free (receiver.seen, TRUE);
}

#define N_SENDERS 4
#define N_EACH 20000

static gpointer
send_all (gpointer data)
{
  for (guint i = 0; i < N_EACH; i++)
    hark_hand_over_push (data, 0, GUINT_TO_POINTER (1));
  return NULL;
}

static void
count (HarkHandOver *self, gpointer data)
{
  for (guint i = 0; i < 100 && hark_hand_over_pop (self, NULL) != NULL; i++)
    ++*(guint *)data;
}

static void
test_threads (void)
{
  guint n = 0;
  HarkHandOver *queue = hark_hand_over_new (NULL, "test", destroy, count, &n);
  GThread *threads[N_SENDERS];
  g_test_summary ("Nothing is lost, and no wake-up, when many threads send while one takes.");
  for (guint i = 0; i < N_SENDERS; i++)
    threads[i] = g_thread_new ("sender", send_all, queue);
  while (n < N_SENDERS * N_EACH)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < N_SENDERS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (hark_hand_over_get_length (queue), ==, 0);
  g_assert_finalize_object (queue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hand-over/order", test_order);
  g_test_add_func ("/hand-over/stop", test_stop);
  g_test_add_func ("/hand-over/threads", test_threads);
  return g_test_run ();
}
