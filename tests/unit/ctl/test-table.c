/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/table.h"

static HarkTable *
table_of (guint n_columns, const char *const *cells, guint n)
{
  HarkTable *table = hark_table_new (n_columns);
  for (guint i = 0; i < n; i++)
    hark_table_take_cell (table, g_strdup (cells[i]));
  return table;
}

static void
assert_formats (HarkTable *table, guint width, const char *expected)
{
  g_autofree char *text = hark_table_format (table, width, FALSE);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_columns (void)
{
  static const char *const cells[] = { "ID", "NAME", "SENT", "1", "ann", "5", "22", "bob", "12345" };
  g_autoptr (HarkTable) table = table_of (3, cells, G_N_ELEMENTS (cells));
  g_test_summary ("Columns are as wide as their widest cell; numbers stand at the right; no line ends in spaces.");
  hark_table_set_right (table, 2);
  assert_formats (table, 0, "ID  NAME   SENT\n1   ann       5\n22  bob   12345\n");
}

static void
test_header (void)
{
  static const char *const cells[] = { "ID", "NAME", "1", "ann" };
  g_autoptr (HarkTable) table = table_of (2, cells, G_N_ELEMENTS (cells));
  g_autofree char *bold = hark_table_format (table, 0, TRUE);
  g_test_summary ("Only the first line is bold, and only when that is asked for.");
  g_assert_cmpstr (bold, ==, "\033[1mID  NAME\033[0m\n1   ann\n");
}

static void
test_fit (void)
{
  static const char *const cells[] = { "12345678", "a very long name that is", "short" };
  g_autoptr (HarkTable) table = table_of (3, cells, G_N_ELEMENTS (cells));
  g_test_summary ("When the terminal is narrower than the table, the widest column gives way, with an ellipsis.");
  assert_formats (table, 41, "12345678  a very long name that is  short\n");
  assert_formats (table, 40, "12345678  a very long name that …  short\n");
  assert_formats (table, 27, "12345678  a very lo…  short\n");
  assert_formats (table, 20, "12345…  a ver…  short\n");
  assert_formats (table, 1, "12345…  a ver…  short\n");
}

static void
test_width (void)
{
  g_autofree char *cut = hark_text_cut ("日本語テキスト", 6);
  g_autofree char *even = hark_text_cut ("日本語テキスト", 7);
  g_autofree char *whole = hark_text_cut ("日本語テキスト", 14);
  g_test_summary ("Wide characters take two columns and combining ones none; a cut never splits one.");
  g_assert_cmpuint (hark_text_get_columns ("日本"), ==, 4);
  g_assert_cmpuint (hark_text_get_columns ("e\314\201"), ==, 1);
  g_assert_cmpuint (hark_text_get_columns ("äöü"), ==, 3);
  g_assert_cmpuint (hark_text_get_columns (""), ==, 0);
  g_assert_cmpstr (cut, ==, "日本…");
  g_assert_cmpstr (even, ==, "日本語…");
  g_assert_cmpstr (whole, ==, "日本語テキスト");
}

static void
test_clean (void)
{
  g_autofree char *text = hark_text_clean ("a\033[2Jb\nc\td\177e\342\200\256f\302\233g");
  g_test_summary ("Control characters and changes of direction do not reach the terminal.");
  g_assert_cmpstr (text, ==, "a\357\277\275[2Jb\357\277\275c\357\277\275d\357\277\275e\357\277\275f\357\277\275g");
}

static void
test_empty (void)
{
  g_autoptr (HarkTable) table = hark_table_new (3);
  g_test_summary ("A table without rows is nothing.");
  assert_formats (table, 80, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/table/columns", test_columns);
  g_test_add_func ("/ctl/table/header", test_header);
  g_test_add_func ("/ctl/table/fit", test_fit);
  g_test_add_func ("/ctl/table/width", test_width);
  g_test_add_func ("/ctl/table/clean", test_clean);
  g_test_add_func ("/ctl/table/empty", test_empty);
  return g_test_run ();
}
