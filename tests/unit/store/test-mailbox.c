/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mailbox: one turn for all that was posted together, order, and a store that goes while it hands over. */
#include "store/mailbox.h"

typedef struct
{
  GMainContext *context;
  HarkMailbox *mailbox;
  HarkTurn *turn;
  GString *seen;
  guint repost; /* jobs that the next answers post anew */
} Fixture;

static void
on_deliver (gpointer data)
{
  g_string_append_c (((Fixture *)data)->seen, '|');
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->context = g_main_context_new ();
  self->mailbox = hark_mailbox_new (self->context);
  self->turn = hark_turn_new (self->context);
  self->seen = g_string_new (NULL);
  hark_turn_set_stage (self->turn, HARK_TURN_DELIVER, on_deliver, self);
  hark_mailbox_set_turn (self->mailbox, self->turn);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hark_mailbox_destroy (self->mailbox);
  g_assert_finalize_object (self->turn);
  g_main_context_unref (self->context);
  g_string_free (self->seen, TRUE);
}

static void post (Fixture *self, const char *names);

static void
on_done (gpointer data, const GError *error, gpointer user_data)
{
  Fixture *self = user_data;
  g_string_append_c (self->seen, GPOINTER_TO_INT (data));
  hark_turn_mark (self->turn);
  if (self->repost > 0)
    {
      self->repost--;
      post (self, "r");
    }
}

static void
post (Fixture *self, const char *names)
{
  HarkJobList jobs = { NULL, NULL, 0 };
  for (; *names != '\0'; names++)
    hark_job_list_append (&jobs, hark_job_new (NULL, GINT_TO_POINTER (*names), NULL, on_done, self));
  hark_mailbox_post (self->mailbox, &jobs);
  g_assert_cmpuint (jobs.len, ==, 0);
}

static void
test_one_turn (Fixture *self, gconstpointer data)
{
  g_test_summary ("all that was posted is handed over in order, and the turn ends once");
  post (self, "abc");
  post (self, "de");
  g_assert_cmpstr (self->seen->str, ==, "");
  g_main_context_iteration (self->context, TRUE);
  g_assert_cmpstr (self->seen->str, ==, "abcde|");
  g_assert_false (g_main_context_iteration (self->context, FALSE));
}

static void
test_long_batch (Fixture *self, gconstpointer data)
{
  g_autofree char *many = g_strnfill (10000, 'x');
  guint turns = 0;
  g_test_summary ("a long commit is handed over in parts, so that others get their turn in between");
  post (self, many);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  for (guint i = 0; i < self->seen->len; i++)
    turns += self->seen->str[i] == '|';
  g_assert_cmpuint (self->seen->len, ==, 10000 + turns);
  g_assert_cmpuint (turns, ==, 3);
}

static void
test_flush (Fixture *self, gconstpointer data)
{
  g_test_summary ("flushing hands over what the handing over brings about, too");
  self->repost = 3;
  post (self, "ab");
  hark_mailbox_flush (self->mailbox);
  g_assert_cmpstr (self->seen->str, ==, "ab|rr|r|");
}

static gpointer
post_in_thread (gpointer data)
{
  for (guint i = 0; i < 1000; i++)
    post (data, "t");
  return NULL;
}

static void
test_threads (Fixture *self, gconstpointer data)
{
  GThread *threads[3];
  guint n = 0;
  g_test_summary ("no post is lost, from however many threads");
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("poster", post_in_thread, self);
  while (n < 3000)
    {
      g_main_context_iteration (self->context, TRUE);
      n = 0;
      for (guint i = 0; i < self->seen->len; i++)
        n += self->seen->str[i] == 't';
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

#define test(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  test ("/store/mailbox/one-turn", test_one_turn);
  test ("/store/mailbox/long-batch", test_long_batch);
  test ("/store/mailbox/flush", test_flush);
  test ("/store/mailbox/threads", test_threads);
  return g_test_run ();
}
