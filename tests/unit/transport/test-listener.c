/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/address-table.h"
#include "transport/listener.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct
{
  HarkMetrics *metrics;
  HarkListener *listener;
  GArray *accepted; /* (element-type int) */
  guint max;        /* after how many to accept no more */
  char address[HARK_ADDRESS_LEN];
} Fixture;

static gboolean
on_accepted (int fd, const struct sockaddr *address, gpointer data)
{
  Fixture *self = data;
  g_array_append_val (self->accepted, fd);
  hark_address_format (address, self->address);
  return self->accepted->len < self->max;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->metrics = hark_metrics_new ();
  self->listener = hark_listener_new (self->metrics);
  self->accepted = g_array_new (FALSE, FALSE, sizeof (int));
  self->max = G_MAXUINT;
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  for (guint i = 0; i < self->accepted->len; i++)
    close (g_array_index (self->accepted, int, i));
  g_array_unref (self->accepted);
  g_assert_finalize_object (self->listener);
  g_assert_finalize_object (self->metrics);
}

static void
start (Fixture *self)
{
  hark_listener_start (self->listener, g_main_context_default (), on_accepted, self);
}

static void
connect_to (Fixture *self, guint i, int fd)
{
  const char *address = hark_listener_get_addresses (self->listener)[i];
  struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  inet.sin_port = htons (atoi (strrchr (address, ':') + 1));
  g_assert_cmpint (connect (fd, (struct sockaddr *)&inet, sizeof inet), ==, 0);
}

static int
connect_tcp (Fixture *self, guint i)
{
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  connect_to (self, i, fd);
  return fd;
}

static int
connect_unix (const char *path)
{
  struct sockaddr_un local = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  g_strlcpy (local.sun_path, path, sizeof local.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&local, sizeof local), ==, 0);
  return fd;
}

static void
wait_for (Fixture *self, guint n)
{
  while (self->accepted->len < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_tcp (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *const *addresses;
  int fd;
  g_test_summary ("Port 0 gives a free port, which is told; a client there is accepted with its address");
  hark_listener_add_tcp (self->listener, "localhost", 0, &error);
  g_assert_no_error (error);
  addresses = hark_listener_get_addresses (self->listener);
  g_assert_true (g_str_has_prefix (addresses[0], "127.0.0.1:"));
  g_assert_cmpstr (addresses[0], !=, "127.0.0.1:0");
  g_assert_null (addresses[1]);
  start (self);
  fd = connect_tcp (self, 0);
  wait_for (self, 1);
  g_assert_true (g_str_has_prefix (self->address, "127.0.0.1:"));
  close (fd);
}

static void
test_errors (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *address;
  int fd;
  g_test_summary ("What is no address, is taken or is no listening socket is refused");
  g_assert_false (hark_listener_add_tcp (self->listener, "example.org", 80, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_assert_false (hark_listener_add_tcp (self->listener, "127.0.0.1", 65536, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_assert_false (hark_listener_add_unix (self->listener, "relative", 0600, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_clear_error (&error);
  g_assert_true (hark_listener_add_tcp (self->listener, "127.0.0.1", 0, NULL));
  address = hark_listener_get_addresses (self->listener)[0];
  g_assert_false (hark_listener_add_tcp (self->listener, "127.0.0.1", atoi (strrchr (address, ':') + 1), &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_clear_error (&error);
  fd = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_false (hark_listener_add_fd (self->listener, fd, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  close (fd);
}

static void
test_unix (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("hark-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  g_autofree char *address = g_strconcat ("unix:", path, NULL);
  struct sockaddr_un local = { .sun_family = AF_UNIX };
  struct stat info;
  int stale, fd;
  g_test_summary ("A Unix socket replaces one that is dead, has its mode, and is removed at the end");
  g_strlcpy (local.sun_path, path, sizeof local.sun_path);
  stale = socket (AF_UNIX, SOCK_STREAM, 0);
  g_assert_cmpint (bind (stale, (struct sockaddr *)&local, sizeof local), ==, 0);
  close (stale);
  hark_listener_add_unix (self->listener, path, 0620, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hark_listener_get_addresses (self->listener)[0], ==, address);
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0620);
  start (self);
  fd = connect_unix (path);
  wait_for (self, 1);
  g_assert_cmpstr (self->address, ==, "unix");
  close (fd);
  hark_listener_stop (self->listener);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_rmdir (dir);
}

static void
test_backlog (Fixture *self, gconstpointer data)
{
  g_autofree char *directory = g_dir_make_tmp ("hark-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "hub.socket", NULL);
  struct sockaddr_un local = { .sun_family = AF_UNIX };
  g_autoptr (GError) error = NULL;
  int fds[4];
  g_test_summary ("The kernel holds as many connections as the backlog says, and one (Linux's way of counting)");
  hark_listener_set_backlog (self->listener, 2);
  hark_listener_add_unix (self->listener, path, 0600, &error);
  g_assert_no_error (error);
  g_strlcpy (local.sun_path, path, sizeof local.sun_path);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = socket (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
      g_assert_cmpint (connect (fds[i], (struct sockaddr *)&local, sizeof local), ==, i < 3 ? 0 : -1);
    }
  g_assert_cmpint (errno, ==, EAGAIN);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  hark_listener_stop (self->listener);
  g_rmdir (directory);
}

static void
test_unix_taken (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("hark-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "socket", NULL);
  HarkListener *other = hark_listener_new (self->metrics);
  g_test_summary ("A Unix socket at which somebody listens is left alone");
  g_assert_true (hark_listener_add_unix (self->listener, path, 0600, NULL));
  g_assert_false (hark_listener_add_unix (other, path, 0600, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
  g_assert_finalize_object (other);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  hark_listener_stop (self->listener);
  g_rmdir (dir);
}

static void
test_passed (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  int passed = socket (AF_INET, SOCK_STREAM, 0);
  int fd;
  g_test_summary ("A listening socket of the service manager's is served");
  g_assert_cmpint (bind (passed, (struct sockaddr *)&inet, sizeof inet), ==, 0);
  g_assert_cmpint (listen (passed, 5), ==, 0);
  hark_listener_add_fd (self->listener, passed, &error);
  g_assert_no_error (error);
  start (self);
  fd = connect_tcp (self, 0);
  wait_for (self, 1);
  close (fd);
}

static void
test_pause (Fixture *self, gconstpointer data)
{
  int fds[5];
  g_test_summary ("Who is told to accept no more leaves clients in the backlog until told to go on");
  g_assert_true (hark_listener_add_tcp (self->listener, "127.0.0.1", 0, NULL));
  self->max = 2;
  start (self);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = connect_tcp (self, 0);
  wait_for (self, 2);
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (self->accepted->len, ==, 2);
  self->max = G_MAXUINT;
  hark_listener_set_accepting (self->listener, TRUE);
  wait_for (self, G_N_ELEMENTS (fds));
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}

static void
test_descriptors (Fixture *self, gconstpointer data)
{
  struct rlimit limit = { 64, 64 };
  HarkCounter *refused = hark_metrics_counter (self->metrics, "hark_connections_refused_descriptors_total", NULL);
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (int));
  int clients[3];
  char byte;
  int fd;
  g_test_summary ("When descriptors run out, clients are closed at once, and served again when there are some");
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  g_assert_true (hark_listener_add_tcp (self->listener, "127.0.0.1", 0, NULL));
  start (self);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    clients[i] = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  while ((fd = dup (0)) >= 0)
    g_array_append_val (held, fd);
  for (guint i = 0; i < 2; i++)
    {
      connect_to (self, 0, clients[i]);
      while (hark_counter_get (refused) < i + 1)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpint (recv (clients[i], &byte, 1, 0), <=, 0);
    }
  g_assert_cmpuint (self->accepted->len, ==, 0);
  g_assert_cmpint (hark_counter_get (refused), ==, 2);
  for (guint i = 0; i < held->len; i++)
    close (g_array_index (held, int, i));
  connect_to (self, 0, clients[2]);
  wait_for (self, 1);
  for (guint i = 0; i < G_N_ELEMENTS (clients); i++)
    close (clients[i]);
}

static void
test_no_reserve (Fixture *self, gconstpointer data)
{
  struct rlimit limit = { 64, 64 };
  g_autoptr (GArray) held = g_array_new (FALSE, FALSE, sizeof (int));
  int client, fd;
  g_test_summary ("Without even the descriptor in reserve the client waits, and is served when there are some");
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      return;
    }
  g_assert_true (hark_listener_add_tcp (self->listener, "127.0.0.1", 0, NULL));
  start (self);
  client = socket (AF_INET, SOCK_STREAM, 0);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  while ((fd = dup (0)) >= 0)
    g_array_append_val (held, fd);
  limit.rlim_cur = 3; /* below all that are open: not even a freed one can be had */
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  connect_to (self, 0, client);
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (self->accepted->len, ==, 0);
  limit.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (guint i = 0; i < held->len; i++)
    close (g_array_index (held, int, i));
  wait_for (self, 1);
  close (client);
}

static void
test_address_table (void)
{
  g_autoptr (HarkAddressTable) table = hark_address_table_new (2);
  struct sockaddr_in four = { .sin_family = AF_INET };
  struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
  HarkAddressLease *leases[5];
  char text[HARK_ADDRESS_LEN];
  g_test_summary ("An address, or a network of IPv6, has as many places as it may and gets them back");
  inet_pton (AF_INET, "192.0.2.1", &four.sin_addr);
  inet_pton (AF_INET6, "2001:db8::1", &six.sin6_addr);
  leases[0] = hark_address_table_acquire (table, (struct sockaddr *)&four);
  leases[1] = hark_address_table_acquire (table, (struct sockaddr *)&four);
  g_assert_nonnull (leases[0]);
  g_assert_nonnull (leases[1]);
  g_assert_null (hark_address_table_acquire (table, (struct sockaddr *)&four));
  leases[2] = hark_address_table_acquire (table, (struct sockaddr *)&six);
  inet_pton (AF_INET6, "2001:db8::ffff:2", &six.sin6_addr);
  leases[3] = hark_address_table_acquire (table, (struct sockaddr *)&six);
  g_assert_null (hark_address_table_acquire (table, (struct sockaddr *)&six));
  inet_pton (AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
  g_assert_null (hark_address_table_acquire (table, (struct sockaddr *)&six));
  hark_address_format ((struct sockaddr *)&six, text);
  g_assert_cmpstr (text, ==, "192.0.2.1:0");
  g_assert_cmpuint (hark_address_table_get_n_addresses (table), ==, 2);
  hark_address_lease_free (leases[0]);
  leases[4] = hark_address_table_acquire (table, (struct sockaddr *)&four);
  g_assert_nonnull (leases[4]);
  for (guint i = 1; i < G_N_ELEMENTS (leases); i++)
    hark_address_lease_free (leases[i]);
  g_assert_cmpuint (hark_address_table_get_n_addresses (table), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/listener/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("tcp", test_tcp);
  ADD ("errors", test_errors);
  ADD ("unix", test_unix);
  ADD ("backlog", test_backlog);
  ADD ("unix-taken", test_unix_taken);
  ADD ("passed", test_passed);
  ADD ("pause", test_pause);
  ADD ("descriptors", test_descriptors);
  ADD ("no-reserve", test_no_reserve);
#undef ADD
  g_test_add_func ("/address-table/places", test_address_table);
  return g_test_run ();
}
