/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the front hands to the hub: a socket, and what its client said when it opened it. */
#include "transport/upgrade.h"

#include <string.h>
#include <unistd.h>

static GQuark address_lease_quark (void);
G_DEFINE_QUARK (hark - address - lease, address_lease)
static GQuark deflate_lease_quark (void);
G_DEFINE_QUARK (hark - deflate - lease, deflate_lease)

/* @fd: (transfer full) */
HarkUpgrade *
hark_upgrade_new (int fd)
{
  HarkUpgrade *self = g_new0 (HarkUpgrade, 1);
  self->fd = fd;
  return self;
}

void
hark_upgrade_free (HarkUpgrade *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->identity, hark_identity_unref);
  g_clear_pointer (&self->lease, hark_address_lease_free);
  g_clear_pointer (&self->deflate, hark_deflate_lease_free);
  g_free (self->query);
  g_free (self->resume);
  g_free (self->cursors);
  g_free (self->early);
  g_free (self);
}

/* @address, @deflate: (transfer full) (nullable): given back when @socket goes */
void
hark_upgrade_give_places (HarkWebSocket *socket, HarkAddressLease *address, HarkDeflateLease *deflate)
{
  if (address != NULL)
    g_object_set_qdata_full (G_OBJECT (socket), address_lease_quark (), address,
                             (GDestroyNotify)hark_address_lease_free);
  if (deflate != NULL)
    g_object_set_qdata_full (G_OBJECT (socket), deflate_lease_quark (), deflate,
                             (GDestroyNotify)hark_deflate_lease_free);
}

/**
 * hark_upgrade_adopt:
 *
 * Gives the socket to @reactor. The places among its address's connections and among those that compress are given back
 * when the WebSocket goes.
 *
 * Returns: as hark_reactor_adopt ()
 */
HarkWebSocket *
hark_upgrade_adopt (HarkUpgrade *self, HarkReactor *reactor)
{
  HarkWebSocket *socket;
  int fd = self->fd;
  self->fd = -1;
  socket = hark_reactor_adopt (reactor, fd, strcmp (self->address, "unix") == 0 ? NULL : self->address,
                               self->deflate != NULL, self->early, self->early_len);
  hark_upgrade_give_places (socket, g_steal_pointer (&self->lease), g_steal_pointer (&self->deflate));
  return socket;
}
