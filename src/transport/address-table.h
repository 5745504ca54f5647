/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/**
 * HarkAddressTable:
 *
 * How many connections each address has. Counted from accept to the connection's end, wherever it has gone meanwhile:
 * locked, and alive as long as there are leases.
 */
typedef struct _HarkAddressTable HarkAddressTable;
/* One connection's place in it. */
typedef struct _HarkAddressLease HarkAddressLease;

HarkAddressTable *hark_address_table_new (guint max_per_address);
void hark_address_table_unref (HarkAddressTable *self);
HarkAddressLease *hark_address_table_acquire (HarkAddressTable *self, const struct sockaddr *address);
guint hark_address_table_get_n_addresses (HarkAddressTable *self);
void hark_address_lease_free (HarkAddressLease *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkAddressTable, hark_address_table_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkAddressLease, hark_address_lease_free)

/* "[0123:…:255.255.255.255]:65535" and the 0 byte. */
#define HARK_ADDRESS_LEN 64
void hark_address_format (const struct sockaddr *address, char out[HARK_ADDRESS_LEN]);
gboolean hark_address_is_local (const struct sockaddr *address);

G_END_DECLS
