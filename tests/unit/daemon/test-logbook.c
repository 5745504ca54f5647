/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a process that is killed leaves behind, as the next one reads it. */
#include "daemon/logbook.h"

#include "base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void
test_slots (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkLogbook) ours = hark_logbook_new (3, &error);
  g_autoptr (HarkLogbook) next = NULL;
  HarkTransportMark *mark;
  g_test_summary ("What is written in one is read in the other, without anything in between.");
  g_assert_no_error (error);
  mark = hark_logbook_claim (ours, 1, 77, HARK_MARK_UNSAVED | HARK_MARK_PLAIN);
  next = hark_logbook_open (dup (hark_logbook_get_fd (ours)), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (hark_logbook_get_n_slots (next), ==, 3);
  g_assert_cmpint (hark_logbook_get_session (next, 0), ==, 0);
  g_assert_cmpint (hark_logbook_get_session (next, 1), ==, 77);
  g_assert_cmpint (hark_logbook_get_session (next, 99), ==, 0);
  g_assert_cmpuint (hark_logbook_get_flags (next, 1), ==, HARK_MARK_UNSAVED | HARK_MARK_PLAIN);
  hark_transport_mark_clear (mark, HARK_MARK_UNSAVED);
  g_assert_cmpuint (hark_logbook_get_flags (next, 1), ==, HARK_MARK_PLAIN);
  hark_logbook_release (ours, 1);
  g_assert_cmpint (hark_logbook_get_session (next, 1), ==, 0);
}

static void
test_revs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkLogbook) logbook = hark_logbook_new (2, &error);
  HarkTransportLog *log = hark_logbook_get_log (logbook);
  HarkTransportMark *mark = hark_logbook_claim (logbook, 0, 5, 0);
  g_test_summary ("In the middle of a flush those that had their turn have all of it, and the others what was before.");
  hark_logbook_claim (logbook, 1, 6, 0);
  log->previous_rev = 10;
  log->rev = 12;
  log->turn = 4;
  g_assert_cmpint (hark_logbook_get_rev (logbook, 0), ==, 12);
  log->is_flushing = TRUE;
  mark->turn = 4;
  g_assert_cmpint (hark_logbook_get_rev (logbook, 0), ==, 12);
  g_assert_cmpint (hark_logbook_get_rev (logbook, 1), ==, 10);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  int fd = memfd_create ("not-a-logbook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_test_summary ("What is no logbook, or could shrink under who reads it, is refused.");
  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  g_assert_null (hark_logbook_open (dup (fd), &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK), ==, 0);
  g_assert_null (hark_logbook_open (fd, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/daemon/logbook/slots", test_slots);
  g_test_add_func ("/daemon/logbook/revs", test_revs);
  g_test_add_func ("/daemon/logbook/refused", test_refused);
  return g_test_run ();
}
