/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the service manager is told and gives, with a datagram socket in its place. Passed sockets begin at descriptor
 * 3, which this process may have in use: a second one is started with them.
 */
#include "daemon/service-manager.h"

#include "base/error.h"

#include <gio/gunixsocketaddress.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *directory;
  char *path;
  GSocket *socket;
  HarkFakeClock *clock;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;
  fixture->directory = g_dir_make_tmp ("hark-notify-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->directory, "notify", NULL);
  fixture->socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_socket_set_blocking (fixture->socket, FALSE);
  address = g_unix_socket_address_new (fixture->path);
  g_socket_bind (fixture->socket, address, FALSE, &error);
  g_assert_no_error (error);
  g_setenv ("NOTIFY_SOCKET", fixture->path, TRUE);
  g_unsetenv ("WATCHDOG_USEC");
  g_unsetenv ("WATCHDOG_PID");
  fixture->clock = hark_fake_clock_new (0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unsetenv ("NOTIFY_SOCKET");
  g_object_unref (fixture->socket);
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
  g_free (fixture->path);
  g_free (fixture->directory);
  g_assert_finalize_object (fixture->clock);
}

static void
assert_told (Fixture *fixture, const char *expected)
{
  char message[512];
  g_autoptr (GError) error = NULL;
  gssize len = g_socket_receive (fixture->socket, message, sizeof message - 1, NULL, &error);
  if (expected == NULL)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      return;
    }
  g_assert_no_error (error);
  message[len] = '\0';
  g_assert_cmpstr (message, ==, expected);
}

static void
test_states (Fixture *fixture, gconstpointer data)
{
  HarkServiceManager *manager = hark_service_manager_new (HARK_CLOCK (fixture->clock));
  g_test_summary ("Each change of state is one message, in the order in which it happened");
  hark_service_manager_ready (manager, "Listening on 127.0.0.1:8000");
  assert_told (fixture, "READY=1\nSTATUS=Listening on 127.0.0.1:8000");
  hark_service_manager_status (manager, "2 sessions\nREADY=0");
  assert_told (fixture, "STATUS=2 sessions READY=0");
  hark_service_manager_reloading (manager);
  assert_told (fixture, "RELOADING=1\nMONOTONIC_USEC=1000000\nSTATUS=Reloading");
  hark_service_manager_stopping (manager, "Stopping");
  assert_told (fixture, "STOPPING=1\nSTATUS=Stopping");
  assert_told (fixture, NULL);
  g_assert_finalize_object (manager);
}

static void
test_watchdog (Fixture *fixture, gconstpointer data)
{
  g_autofree char *pid = g_strdup_printf ("%d", (int)getpid ());
  HarkServiceManager *manager;
  g_test_summary ("A sign of life goes out three times in the watchdog's time, until the end");
  g_setenv ("WATCHDOG_USEC", "30000000", TRUE);
  g_setenv ("WATCHDOG_PID", pid, TRUE);
  manager = hark_service_manager_new (HARK_CLOCK (fixture->clock));
  hark_fake_clock_advance (fixture->clock, 9999);
  assert_told (fixture, NULL);
  hark_fake_clock_advance (fixture->clock, 1);
  assert_told (fixture, "WATCHDOG=1");
  hark_fake_clock_advance (fixture->clock, 20000);
  assert_told (fixture, "WATCHDOG=1");
  assert_told (fixture, "WATCHDOG=1");
  assert_told (fixture, NULL);
  g_assert_finalize_object (manager);
  hark_fake_clock_advance (fixture->clock, 60000);
  assert_told (fixture, NULL);
}

static void
test_unmanaged (Fixture *fixture, gconstpointer data)
{
  HarkServiceManager *manager;
  g_autoptr (GArray) sockets = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("Without a service manager nothing is sent, nothing is watched, and there are no sockets");
  g_unsetenv ("NOTIFY_SOCKET");
  manager = hark_service_manager_new (HARK_CLOCK (fixture->clock));
  hark_service_manager_ready (manager, "Ready");
  hark_fake_clock_advance (fixture->clock, 60000);
  assert_told (fixture, NULL);
  sockets = hark_service_manager_take_sockets (manager, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (sockets->len, ==, 0);
  g_assert_finalize_object (manager);
}

/* What the second process says of the sockets it was given. */
static int
report_sockets (void)
{
  g_autoptr (HarkClock) clock = hark_clock_new ();
  g_autoptr (HarkServiceManager) manager = hark_service_manager_new (clock);
  g_autofree char *pid = g_strdup_printf ("%d", (int)getpid ());
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) again = NULL;
  g_autoptr (GArray) sockets = NULL;
  g_setenv ("LISTEN_PID", pid, TRUE);
  sockets = hark_service_manager_take_sockets (manager, &error);
  if (sockets == NULL)
    {
      g_print ("%s\n", error->message);
      return 0;
    }
  for (guint i = 0; i < sockets->len; i++)
    {
      const HarkPassedSocket *passed = &g_array_index (sockets, HarkPassedSocket, i);
      g_autoptr (GSocket) socket = g_socket_new_from_fd (dup (passed->fd), NULL);
      g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);
      g_print ("%s %u\n", passed->name, g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
    }
  again = hark_service_manager_take_sockets (manager, &error);
  g_print ("then %u\n", again->len);
  return 0;
}

static GSocket *
make_socket (GSocketType type, guint16 *port)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, type, G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_socket_bind (socket, any, TRUE, &error);
  g_assert_no_error (error);
  if (type == G_SOCKET_TYPE_STREAM)
    g_socket_listen (socket, &error);
  g_assert_no_error (error);
  bound = g_socket_get_local_address (socket, &error);
  g_assert_no_error (error);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return socket;
}

static char *
pass_sockets (GSocket *first, GSocket *second, const char *names)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  char *out = NULL;
  g_subprocess_launcher_take_fd (launcher, dup (g_socket_get_fd (first)), 3);
  g_subprocess_launcher_take_fd (launcher, dup (g_socket_get_fd (second)), 4);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDS", "2", TRUE);
  g_subprocess_launcher_setenv (launcher, "LISTEN_FDNAMES", names, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, "/proc/self/exe", "--report-sockets", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 0);
  return out;
}

static void
test_sockets (Fixture *fixture, gconstpointer data)
{
  guint16 first_port;
  guint16 second_port;
  g_autoptr (GSocket) first = make_socket (G_SOCKET_TYPE_STREAM, &first_port);
  g_autoptr (GSocket) second = make_socket (G_SOCKET_TYPE_STREAM, &second_port);
  g_autofree char *expected = g_strdup_printf ("http %u\nlocal %u\nthen 0\n", first_port, second_port);
  g_autofree char *out = NULL;
  g_test_summary ("Passed sockets arrive in order, with their names, once");
  out = pass_sockets (first, second, "http:local");
  g_assert_cmpstr (out, ==, expected);
}

static void
test_wrong_socket (Fixture *fixture, gconstpointer data)
{
  guint16 port;
  g_autoptr (GSocket) first = make_socket (G_SOCKET_TYPE_STREAM, &port);
  g_autoptr (GSocket) second = make_socket (G_SOCKET_TYPE_DATAGRAM, &port);
  g_autofree char *out = NULL;
  g_test_summary ("A socket on which nothing can be accepted is refused by name");
  out = pass_sockets (first, second, "http:odd");
  g_assert_cmpstr (out, ==, "The socket \"odd\" from the service manager is no listening stream socket (Accept=yes?)\n");
}

#define ADD(name, func) g_test_add ("/service-manager/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--report-sockets") == 0)
    return report_sockets ();
  g_test_init (&argc, &argv, NULL);
  ADD ("states", test_states);
  ADD ("watchdog", test_watchdog);
  ADD ("unmanaged", test_unmanaged);
  ADD ("sockets", test_sockets);
  ADD ("wrong-socket", test_wrong_socket);
  return g_test_run ();
}
