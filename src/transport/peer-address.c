/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client's address in few bytes; see peer-address.h. */
#include "transport/peer-address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void
set_inet6 (HarkPeerAddress *self, const struct in6_addr *address)
{
  /* What a socket for both kinds calls an IPv4 client. */
  if (IN6_IS_ADDR_V4MAPPED (address))
    {
      self->family = AF_INET;
      memcpy (self->bytes, address->s6_addr + 12, 4);
      return;
    }
  self->family = AF_INET6;
  memcpy (self->bytes, address->s6_addr, 16);
}

static gboolean
set_host (HarkPeerAddress *self, const char *host)
{
  struct in_addr inet;
  struct in6_addr inet6;
  if (inet_pton (AF_INET, host, &inet) == 1)
    {
      self->family = AF_INET;
      memcpy (self->bytes, &inet, 4);
      return TRUE;
    }
  if (inet_pton (AF_INET6, host, &inet6) == 1)
    {
      set_inet6 (self, &inet6);
      return TRUE;
    }
  return FALSE;
}

/**
 * hark_peer_address_init_from_text:
 * @text: "192.0.2.1", "192.0.2.1:50123", "2001:db8::1", "[2001:db8::1]:50123"
 *
 * Returns: whether it is one of these
 */
gboolean
hark_peer_address_init_from_text (HarkPeerAddress *self, const char *text)
{
  g_autofree char *host = NULL;
  const char *colon = strrchr (text, ':');
  guint64 port = 0;
  *self = (HarkPeerAddress){ 0 };
  if (set_host (self, text))
    return TRUE;
  if (colon == NULL || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return FALSE;
  if (text[0] == '[' && colon - text >= 2 && colon[-1] == ']')
    host = g_strndup (text + 1, colon - text - 2);
  else
    host = g_strndup (text, colon - text);
  if ((text[0] == '[') != (strchr (host, ':') != NULL) || !set_host (self, host))
    return FALSE;
  self->port = port;
  return TRUE;
}

/* Asks the socket. */
void
hark_peer_address_init_from_fd (HarkPeerAddress *self, int fd)
{
  struct sockaddr_storage storage = { 0 };
  socklen_t len = sizeof storage;
  *self = (HarkPeerAddress){ 0 };
  if (getpeername (fd, (struct sockaddr *)&storage, &len) != 0)
    return;
  if (storage.ss_family == AF_INET)
    {
      const struct sockaddr_in *inet = (const struct sockaddr_in *)&storage;
      self->family = AF_INET;
      memcpy (self->bytes, &inet->sin_addr, 4);
      self->port = ntohs (inet->sin_port);
    }
  else if (storage.ss_family == AF_INET6)
    {
      const struct sockaddr_in6 *inet6 = (const struct sockaddr_in6 *)&storage;
      set_inet6 (self, &inet6->sin6_addr);
      self->port = ntohs (inet6->sin6_port);
    }
  else if (storage.ss_family == AF_UNIX)
    {
      self->family = AF_UNIX;
    }
}

/* Returns: (transfer full): "192.0.2.1:50123", "[2001:db8::1]:50123", without the port if there is none, "unix" or "unknown" */
char *
hark_peer_address_dup_text (const HarkPeerAddress *self)
{
  char host[INET6_ADDRSTRLEN];
  if (self->family == AF_UNIX)
    return g_strdup ("unix");
  if (self->family != AF_INET && self->family != AF_INET6)
    return g_strdup ("unknown");
  inet_ntop (self->family, self->bytes, host, sizeof host);
  if (self->port == 0)
    return g_strdup (host);
  return g_strdup_printf (self->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, self->port);
}

/* Returns: whether it is on this machine, or not known */
gboolean
hark_peer_address_is_local (const HarkPeerAddress *self)
{
  struct in6_addr inet6;
  if (self->family == AF_INET)
    return self->bytes[0] == IN_LOOPBACKNET;
  if (self->family != AF_INET6)
    return TRUE;
  memcpy (&inet6, self->bytes, sizeof inet6);
  return IN6_IS_ADDR_LOOPBACK (&inet6);
}

/**
 * hark_peer_address_dup_network:
 *
 * Returns: (transfer full): what counts as one client where clients are counted: "192.0.2.1", "2001:db8:1:2::/64", which
 *   is what one customer gets, "unix" or "unknown"
 */
char *
hark_peer_address_dup_network (const HarkPeerAddress *self)
{
  HarkPeerAddress network = *self;
  g_autofree char *text = NULL;
  network.port = 0;
  if (self->family == AF_INET6)
    memset (network.bytes + 8, 0, 8);
  text = hark_peer_address_dup_text (&network);
  return self->family == AF_INET6 ? g_strconcat (text, "/64", NULL) : g_steal_pointer (&text);
}
