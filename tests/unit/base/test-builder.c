/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/builder.h"

static void
test_nothing (void)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_test_summary ("Nothing appended is no buffer.");
  hark_builder_append (&builder, NULL, 0);
  g_assert_cmpuint (hark_builder_get_len (&builder), ==, 0);
  g_assert_null (hark_builder_finish (&builder));
}

static void
test_pieces (void)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) buffer = NULL;
  g_autoptr (GString) expected = g_string_new (NULL);
  g_test_summary ("Pieces of every size come out one behind the other, through every growth.");
  for (guint i = 0; i < 2000; i++)
    {
      g_autofree char *piece = g_strnfill (i % 37, 'a' + i % 26);
      g_string_append (expected, piece);
      hark_builder_append (&builder, piece, strlen (piece));
      g_assert_cmpuint (hark_builder_get_len (&builder), ==, expected->len);
    }
  buffer = hark_builder_finish (&builder);
  g_assert_cmpmem (buffer->data, buffer->len, expected->str, expected->len);
  g_assert_cmpuint (buffer->refs, ==, 1);
  g_assert_cmpuint (buffer->key, ==, 0);
  g_assert_cmpint (buffer->seq, ==, 0);
  g_assert_cmpint (buffer->rev, ==, 0);
}

static void
test_in_place (void)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) buffer = NULL;
  g_test_summary ("Room that was asked for is filled afterwards, beside what was appended before.");
  hark_builder_append (&builder, "<", 1);
  memset (hark_builder_append_uninitialized (&builder, 3000), 'x', 3000);
  hark_builder_append (&builder, ">", 1);
  buffer = hark_builder_finish (&builder);
  g_assert_cmpuint (buffer->len, ==, 3002);
  g_assert_cmpint (buffer->data[0], ==, '<');
  g_assert_cmpint (buffer->data[1], ==, 'x');
  g_assert_cmpint (buffer->data[3000], ==, 'x');
  g_assert_cmpint (buffer->data[3001], ==, '>');
}

static void
test_again (void)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) first = NULL;
  g_autoptr (HarkBuffer) second = NULL;
  g_test_summary ("A finished builder begins anew and does not touch what it gave.");
  hark_builder_append (&builder, "one", 3);
  first = hark_builder_finish (&builder);
  g_assert_cmpuint (hark_builder_get_len (&builder), ==, 0);
  hark_builder_append (&builder, "two!", 4);
  second = hark_builder_finish (&builder);
  g_assert_cmpmem (first->data, first->len, "one", 3);
  g_assert_cmpmem (second->data, second->len, "two!", 4);
}

static void
test_trimmed (void)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) buffer = NULL;
  g_autofree char *many = g_strnfill (40000, 'm');
  g_test_summary ("A buffer that grew far beyond its bytes keeps all of them when the rest is given back.");
  hark_builder_append (&builder, many, 40000);
  hark_builder_append (&builder, "end", 3);
  buffer = hark_builder_finish (&builder);
  g_assert_cmpuint (buffer->len, ==, 40003);
  g_assert_cmpmem (buffer->data, 40000, many, 40000);
  g_assert_cmpmem (buffer->data + 40000, 3, "end", 3);
}

static void
test_clear (void)
{
  HarkBuilder builder = HARK_BUILDER_INIT;
  g_test_summary ("A builder that is cleared forgets what was appended, and may be cleared again.");
  hark_builder_append (&builder, "x", 1);
  hark_builder_clear (&builder);
  g_assert_cmpuint (hark_builder_get_len (&builder), ==, 0);
  hark_builder_clear (&builder);
  g_assert_null (hark_builder_finish (&builder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/builder/nothing", test_nothing);
  g_test_add_func ("/builder/pieces", test_pieces);
  g_test_add_func ("/builder/in-place", test_in_place);
  g_test_add_func ("/builder/again", test_again);
  g_test_add_func ("/builder/trimmed", test_trimmed);
  g_test_add_func ("/builder/clear", test_clear);
  return g_test_run ();
}
