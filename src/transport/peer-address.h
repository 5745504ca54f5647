/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkPeerAddress:
 *
 * Where a client comes from, in 20 bytes inside of its connection: as text it would cost an allocation each, and asked
 * of the socket it is gone when the log wants it, after a reset.
 */
typedef struct
{
  guint8 bytes[16];
  guint16 port;   /* 0: not known */
  guint16 family; /* AF_INET, AF_INET6, AF_UNIX; 0: not known */
} HarkPeerAddress;

gboolean hark_peer_address_init_from_text (HarkPeerAddress *self, const char *text);
gboolean hark_peer_address_is_local (const HarkPeerAddress *self);
char *hark_peer_address_dup_network (const HarkPeerAddress *self);
void hark_peer_address_init_from_fd (HarkPeerAddress *self, int fd);
char *hark_peer_address_dup_text (const HarkPeerAddress *self);

G_END_DECLS
