/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/outbox.h"

static void
push (HarkOutbox *outbox, const char *text)
{
  g_autoptr (HarkBuffer) buffer = hark_buffer_new (text, strlen (text));
  g_assert_true (hark_outbox_push (outbox, buffer, 1000));
}

static char *
read_bytes (HarkOutbox *outbox, gsize max)
{
  GString *text = g_string_new (NULL);
  struct iovec iov[8];
  guint n = hark_outbox_peek (outbox, iov, G_N_ELEMENTS (iov));
  for (guint i = 0; i < n; i++)
    g_string_append_len (text, iov[i].iov_base, iov[i].iov_len);
  g_string_truncate (text, MIN (max, text->len));
  hark_outbox_consume (outbox, text->len);
  return g_string_free (text, FALSE);
}

static void
test_order (void)
{
  HarkOutbox outbox;
  g_autoptr (GString) sent = g_string_new (NULL), received = g_string_new (NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_test_summary ("Bytes come out as they went in, however they are cut.");
  hark_outbox_init (&outbox);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *text = g_strdup_printf ("<%u>", i);
      g_autofree char *got = NULL;
      push (&outbox, text);
      g_string_append (sent, text);
      got = read_bytes (&outbox, g_rand_int_range (rand, 0, 9));
      g_string_append (received, got);
      g_assert_cmpuint (outbox.bytes, ==, sent->len - received->len);
    }
  while (!hark_outbox_is_empty (&outbox))
    {
      g_autofree char *got = read_bytes (&outbox, 7);
      g_string_append (received, got);
    }
  g_assert_cmpstr (sent->str, ==, received->str);
  hark_outbox_clear (&outbox);
}

static void
test_bound (void)
{
  HarkOutbox outbox;
  g_autoptr (HarkBuffer) big = hark_buffer_new ("0123456789", 10), small = hark_buffer_new ("ab", 2);
  g_test_summary ("The bound is in bytes; one unit larger than it still passes when nothing else waits.");
  hark_outbox_init (&outbox);
  g_assert_true (hark_outbox_push (&outbox, big, 5));
  g_assert_false (hark_outbox_push (&outbox, small, 5));
  g_assert_cmpuint (outbox.bytes, ==, 10);
  hark_outbox_consume (&outbox, 10);
  g_assert_true (hark_outbox_push (&outbox, small, 5));
  g_assert_true (hark_outbox_push (&outbox, small, 5));
  g_assert_false (hark_outbox_push (&outbox, small, 5));
  hark_outbox_clear (&outbox);
}

static void
test_drop (void)
{
  HarkOutbox outbox;
  g_autofree char *rest = NULL;
  gint64 seq = 0;
  g_autoptr (HarkBuffer) tagged = hark_buffer_new ("event", 5);
  g_test_summary ("Dropping keeps the unit that was begun, so that what follows stands at a border.");
  hark_outbox_init (&outbox);
  push (&outbox, "first");
  tagged->key = 77;
  tagged->seq = 12;
  g_assert_true (hark_outbox_push (&outbox, tagged, 1000));
  g_assert_true (hark_outbox_find_unsent (&outbox, 77, &seq));
  g_assert_cmpint (seq, ==, 12);
  g_assert_false (hark_outbox_find_unsent (&outbox, 78, &seq));
  hark_outbox_consume (&outbox, 2);
  hark_outbox_drop_unsent (&outbox);
  rest = read_bytes (&outbox, 100);
  g_assert_cmpstr (rest, ==, "rst");
  g_assert_true (hark_outbox_is_empty (&outbox));
  push (&outbox, "again");
  hark_outbox_drop_unsent (&outbox);
  g_assert_true (hark_outbox_is_empty (&outbox));
  g_assert_cmpuint (outbox.bytes, ==, 0);
  hark_outbox_clear (&outbox);
}

static void
test_prepend (void)
{
  HarkOutbox outbox, before;
  g_autofree char *rest = NULL;
  g_autoptr (HarkBuffer) empty = hark_buffer_new ("", 0);
  g_test_summary ("What is put before comes first, from where it was sent to; too many are refused.");
  hark_outbox_init (&outbox);
  hark_outbox_init (&before);
  push (&outbox, "three ");
  g_assert_true (hark_outbox_prepend (&outbox, &before));
  push (&before, "one ");
  push (&before, "two ");
  hark_outbox_consume (&before, 2);
  g_assert_true (hark_outbox_prepend (&outbox, &before));
  g_assert_true (hark_outbox_is_empty (&before));
  g_assert_cmpuint (outbox.bytes, ==, 12);
  rest = read_bytes (&outbox, 100);
  g_assert_cmpstr (rest, ==, "e two three ");
  while (hark_outbox_push (&outbox, empty, 1000))
    ;
  push (&before, "one");
  g_assert_false (hark_outbox_prepend (&outbox, &before));
  g_assert_cmpuint (before.count, ==, 1);
  hark_outbox_clear (&before);
  hark_outbox_clear (&outbox);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outbox/order", test_order);
  g_test_add_func ("/outbox/bound", test_bound);
  g_test_add_func ("/outbox/drop", test_drop);
  g_test_add_func ("/outbox/prepend", test_prepend);
  return g_test_run ();
}
