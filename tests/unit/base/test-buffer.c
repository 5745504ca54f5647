/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/buffer.h"

#include <string.h>

static void
test_copies (void)
{
  char text[] = "hello";
  g_autoptr (HarkBuffer) buffer = NULL;
  g_test_summary ("A buffer has a copy of its bytes, which are about nothing until somebody says so.");
  buffer = hark_buffer_new (text, 5);
  text[0] = 'j';
  g_assert_cmpmem (buffer->data, buffer->len, "hello", 5);
  g_assert_cmpuint (buffer->key, ==, 0);
  g_assert_cmpint (buffer->seq, ==, 0);
  g_assert_cmpint (buffer->rev, ==, 0);
}

static void
test_empty (void)
{
  g_autoptr (HarkBuffer) buffer = hark_buffer_new (NULL, 0);
  g_test_summary ("No bytes are a buffer too.");
  g_assert_cmpuint (buffer->len, ==, 0);
}

static void
test_holders (void)
{
  HarkBuffer *buffer = hark_buffer_new_uninitialized (3);
  g_test_summary ("The bytes stay until the last holder lets go.");
  memcpy (buffer->data, "abc", 3);
  g_assert_true (hark_buffer_ref (buffer) == buffer);
  hark_buffer_ref (buffer);
  g_assert_cmpuint (buffer->refs, ==, 3);
  hark_buffer_unref (buffer);
  hark_buffer_unref (buffer);
  g_assert_cmpuint (buffer->refs, ==, 1);
  g_assert_cmpmem (buffer->data, buffer->len, "abc", 3);
  hark_buffer_unref (buffer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/buffer/copies", test_copies);
  g_test_add_func ("/buffer/empty", test_empty);
  g_test_add_func ("/buffer/holders", test_holders);
  return g_test_run ();
}
