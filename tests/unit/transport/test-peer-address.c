/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/peer-address.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct
{
  const char *text;
  const char *expected; /* NULL: refused */
} texts[] = {
  { "192.0.2.1", "192.0.2.1" },
  { "192.0.2.1:50123", "192.0.2.1:50123" },
  { "2001:db8::1", "2001:db8::1" },
  { "[2001:db8::1]:443", "[2001:db8::1]:443" },
  { "::ffff:192.0.2.1", "192.0.2.1" },
  { "[::ffff:192.0.2.1]:80", "192.0.2.1:80" },
  { "", NULL },
  { ":", NULL },
  { "[]:1", NULL },
  { "unknown", NULL },
  { "192.0.2.1:65536", NULL },
  { "192.0.2.1:x", NULL },
  { "192.0.2.256", NULL },
  { "[192.0.2.1]:80", NULL },
  { "example.org:80", NULL },
};

static void
test_text (void)
{
  g_test_summary ("An address with or without a port comes back as text, and nothing else is one.");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      HarkPeerAddress address;
      gboolean valid = hark_peer_address_init_from_text (&address, texts[i].text);
      g_autofree char *text = hark_peer_address_dup_text (&address);
      g_assert_cmpint (valid, ==, texts[i].expected != NULL);
      g_assert_cmpstr (text, ==, valid ? texts[i].expected : "unknown");
    }
}

static void
test_unix (void)
{
  HarkPeerAddress address;
  g_autofree char *text = NULL;
  int fds[2];
  g_test_summary ("A Unix socket has no address but says what it is.");
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM, 0, fds));
  hark_peer_address_init_from_fd (&address, fds[0]);
  text = hark_peer_address_dup_text (&address);
  g_assert_cmpstr (text, ==, "unix");
  close (fds[0]);
  close (fds[1]);
}

static void
test_not_a_socket (void)
{
  HarkPeerAddress address;
  g_autofree char *text = NULL;
  g_test_summary ("What is no connected socket has an unknown address.");
  hark_peer_address_init_from_fd (&address, -1);
  text = hark_peer_address_dup_text (&address);
  g_assert_cmpstr (text, ==, "unknown");
}

static void
test_network (void)
{
  static const struct
  {
    const char *text;
    const char *network;
    gboolean local;
  } cases[] = {
    { "192.0.2.1:50123", "192.0.2.1", FALSE },
    { "[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64", FALSE },
    { "::ffff:192.0.2.1", "192.0.2.1", FALSE },
    { "127.9.9.9", "127.9.9.9", TRUE },
    { "::ffff:127.0.0.1", "127.0.0.1", TRUE },
    { "::1", "::/64", TRUE },
    { "nonsense", "unknown", TRUE },
  };
  g_test_summary ("What counts as one client is an IPv4 address or an IPv6 network; those of this machine are known.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HarkPeerAddress address;
      g_autofree char *network = NULL;
      hark_peer_address_init_from_text (&address, cases[i].text);
      network = hark_peer_address_dup_network (&address);
      g_assert_cmpstr (network, ==, cases[i].network);
      g_assert_cmpint (hark_peer_address_is_local (&address), ==, cases[i].local);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peer-address/text", test_text);
  g_test_add_func ("/peer-address/network", test_network);
  g_test_add_func ("/peer-address/unix", test_unix);
  g_test_add_func ("/peer-address/not-a-socket", test_not_a_socket);
  return g_test_run ();
}
