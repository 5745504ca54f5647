/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/turn.h"

typedef struct
{
  HarkTurn *turn;
  GString *log;
  guint marks; /* how often the deliver stage marks again */
} Fixture;

static void
on_deliver (gpointer data)
{
  Fixture *f = data;
  g_string_append_c (f->log, 'd');
  if (f->marks > 0)
    {
      f->marks--;
      hark_turn_mark (f->turn);
    }
}

static void
on_flush (gpointer data)
{
  g_string_append_c (((Fixture *)data)->log, 'f');
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->turn = hark_turn_new (NULL);
  f->log = g_string_new (NULL);
  hark_turn_set_stage (f->turn, HARK_TURN_FLUSH, on_flush, f);
  hark_turn_set_stage (f->turn, HARK_TURN_DELIVER, on_deliver, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->turn);
  g_string_free (f->log, TRUE);
}

static void
test_unmarked (Fixture *f, gconstpointer data)
{
  g_test_summary ("A turn in which nothing was marked ends without a stage.");
  hark_turn_end (f->turn);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_assert_cmpstr (f->log->str, ==, "");
}

static void
test_order (Fixture *f, gconstpointer data)
{
  g_test_summary ("The end of a turn delivers, then flushes, once however often it was marked.");
  hark_turn_mark (f->turn);
  hark_turn_mark (f->turn);
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "df");
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "df");
}

static void
test_mark_again (Fixture *f, gconstpointer data)
{
  g_test_summary ("A stage that marks again is run again at once.");
  f->marks = 2;
  hark_turn_mark (f->turn);
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "dfdfdf");
  g_assert_false (g_main_context_pending (NULL));
}

static void
test_mark_for_ever (Fixture *f, gconstpointer data)
{
  g_test_summary ("Stages that mark again and again leave the rest to the next iterations of the loop.");
  f->marks = 9;
  hark_turn_mark (f->turn);
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "dfdfdfdf");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->log->len, ==, 2 * 10);
  g_assert_cmpuint (f->marks, ==, 0);
}

static gboolean
on_idle (gpointer data)
{
  hark_turn_mark (((Fixture *)data)->turn);
  return G_SOURCE_REMOVE;
}

static void
test_source (Fixture *f, gconstpointer data)
{
  g_test_summary ("A turn that nobody ends is ended by the loop.");
  g_idle_add (on_idle, f);
  while (f->log->len == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (f->log->str, ==, "df");
  g_assert_false (g_main_context_pending (NULL));
}

static void
on_deliver_ends (gpointer data)
{
  Fixture *f = data;
  g_string_append_c (f->log, '<');
  if (f->marks > 0)
    {
      f->marks--;
      hark_turn_mark (f->turn);
      hark_turn_end (f->turn);
    }
  g_string_append_c (f->log, '>');
}

static void
test_ended_inside (Fixture *f, gconstpointer data)
{
  g_test_summary ("A turn is not ended inside a stage: what was marked there is done after it.");
  hark_turn_set_stage (f->turn, HARK_TURN_DELIVER, on_deliver_ends, f);
  f->marks = 1;
  hark_turn_mark (f->turn);
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "<>f<>f");
}

static void
test_cleared (Fixture *f, gconstpointer data)
{
  g_test_summary ("A stage that was cleared is passed over.");
  hark_turn_set_stage (f->turn, HARK_TURN_DELIVER, NULL, NULL);
  hark_turn_mark (f->turn);
  hark_turn_end (f->turn);
  g_assert_cmpstr (f->log->str, ==, "f");
}

static void
on_flush_drops (gpointer data)
{
  g_object_unref (data);
}

static void
test_dropped (void)
{
  HarkTurn *turn;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_test_summary ("The last holder may let go of a turn at its own end.");
  turn = hark_turn_new (context);
  hark_turn_set_stage (turn, HARK_TURN_FLUSH, on_flush_drops, turn);
  g_object_add_weak_pointer (G_OBJECT (turn), (gpointer *)&turn);
  hark_turn_mark (turn);
  g_main_context_iteration (context, FALSE);
  g_assert_null (turn);
  g_assert_false (g_main_context_iteration (context, FALSE));
}

#define ADD(name, func) g_test_add ("/turn/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("unmarked", test_unmarked);
  ADD ("order", test_order);
  ADD ("mark-again", test_mark_again);
  ADD ("mark-for-ever", test_mark_for_ever);
  ADD ("source", test_source);
  ADD ("ended-inside", test_ended_inside);
  ADD ("cleared", test_cleared);
  g_test_add_func ("/turn/dropped", test_dropped);
  return g_test_run ();
}
