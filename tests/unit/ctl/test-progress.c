/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bar, as wide as the terminal lets it be. */
#include "ctl/progress.h"

static void
assert_line (guint columns, guint64 total, guint64 done, const char *expected)
{
  g_autoptr (HarkCtlProgress) progress = hark_ctl_progress_new ("Draining", total, FALSE, columns);
  g_autofree char *line = hark_ctl_progress_format (progress, done);
  g_assert_cmpstr (line, ==, expected);
  g_assert_cmpuint (g_utf8_strlen (line, -1), <=, columns);
}

static void
test_bar (void)
{
  g_test_summary ("It fills what the terminal leaves, has an end, and gives way where there is no room.");
  assert_line (40, 1000, 400, "Draining [#####--------]  40%  400/1000");
  assert_line (40, 1000, 0, "Draining [---------------]   0%  0/1000");
  assert_line (40, 1000, 5000, "Draining [############] 100%  1000/1000");
  assert_line (200, 10, 5, "Draining [####################--------------------]  50%  5/10");
  assert_line (24, 1000, 400, "Draining  40%  400/1000");
  assert_line (40, 0, 0, "Draining [##################] 100%  0/0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/progress/bar", test_bar);
  return g_test_run ();
}
