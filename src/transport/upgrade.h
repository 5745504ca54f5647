/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/address-table.h"
#include "transport/deflate-budget.h"
#include "transport/reactor.h"

#include "model/identity.h"

G_BEGIN_DECLS

/**
 * HarkUpgrade:
 * @fd: (owned): the connected socket, non-blocking, behind the 101 response
 * @kind: of the route it came by
 * @deflate: (owned) (nullable): the place among those with whom permessage-deflate was agreed on
 * @subprotocol: whether the client asked for, and was answered, %HARK_SUBPROTOCOL
 * @identity: (owned) (nullable): whose token was presented; %NULL when none was
 * @query, @resume, @cursors: (owned) (nullable): see #HarkHandshake
 * @early: (owned) (nullable): bytes the client sent behind its request's head
 * @lease: (owned) (nullable): the connection's place among those of its address
 *
 * A connection whose handshake is done, on its way from the front's thread to the hub's.
 */
typedef struct
{
  int fd;
  guint kind;
  HarkDeflateLease *deflate;
  gboolean subprotocol;
  char address[HARK_ADDRESS_LEN];
  HarkIdentity *identity;
  char *query;
  char *resume;
  char *cursors;
  guint8 *early;
  gsize early_len;
  HarkAddressLease *lease;
} HarkUpgrade;

/**
 * HarkUpgradeFunc:
 * @upgrade: (transfer full)
 */
typedef void (*HarkUpgradeFunc) (HarkUpgrade *upgrade, gpointer data);

HarkUpgrade *hark_upgrade_new (int fd);
void hark_upgrade_free (HarkUpgrade *self);
HarkWebSocket *hark_upgrade_adopt (HarkUpgrade *self, HarkReactor *reactor);
void hark_upgrade_give_places (HarkWebSocket *socket, HarkAddressLease *address, HarkDeflateLease *deflate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkUpgrade, hark_upgrade_free)

G_END_DECLS
