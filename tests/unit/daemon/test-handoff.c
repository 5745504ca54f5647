/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one process writes down for the next, and what that refuses to read. */
#include "daemon/handoff.h"

#include "base/error.h"
#include "core/session-state.h"
#include "transport/websocket-state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMBERS "(" HARK_WEBSOCKET_STATE_TYPE HARK_SESSION_STATE_TYPE HARK_CHAT_STATE_TYPE "(bia{sv}))"
#define ONE                                                                                                            \
  "[('c0', (('unix', true, [], nothing, [], [], [], {}), (7, 0, 0, 0, 0, true, true, (5, 'ann', 0, 0, 0), [], [],"     \
  " -1, {}), ([], [], false, {}), (true, 0, {})))]"
#define STATE "(uint32 %u, @a{sv} {'listeners': <[(5, '/run/x')]>}, @a(s" MEMBERS ") %s)"

static GVariant *
make (guint version, const char *connections)
{
  g_autofree char *text = g_strdup_printf (STATE, version, connections);
  g_autoptr (GError) error = NULL;
  GVariant *state = g_variant_parse (NULL, text, NULL, NULL, &error);
  g_assert_no_error (error);
  return state;
}

static void
test_round (void)
{
  g_autoptr (GVariant) state = make (1, ONE);
  g_autoptr (GVariant) read = NULL;
  g_autoptr (GVariant) listeners = NULL;
  g_autoptr (GError) error = NULL;
  int fd = hark_handoff_write (state, &error);
  g_test_summary ("What is written is read, and cannot be changed in between.");
  g_assert_no_error (error);
  g_assert_cmpint (write (fd, "x", 1), ==, -1);
  g_assert_cmpint (ftruncate (fd, 0), ==, -1);
  read = hark_handoff_read (fd, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_equal (state, read));
  g_assert_cmpuint (hark_handoff_get_n_connections (read), ==, 1);
  listeners = hark_handoff_get_listeners (read);
  g_assert_cmpuint (g_variant_n_children (listeners), ==, 1);
}

static void
assert_refused (int fd)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (hark_handoff_read (fd, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
}

static void
test_refused (void)
{
  g_autoptr (GVariant) newer = make (2, "[]");
  g_autoptr (GError) error = NULL;
  int fd;
  g_test_summary ("Another version, bytes that are no state, and what could change under the reader are refused.");
  assert_refused (hark_handoff_write (newer, &error));
  fd = memfd_create ("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_assert_cmpint (write (fd, "state", 5), ==, 5);
  assert_refused (dup (fd));
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), ==, 0);
  assert_refused (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/daemon/handoff/round", test_round);
  g_test_add_func ("/daemon/handoff/refused", test_refused);
  return g_test_run ();
}
