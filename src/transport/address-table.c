/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections per address, so that one machine cannot take all that there are. An IPv6 network of 64 bits, which is
 * what one customer gets, counts as one address. The lease is the counter's row itself: taking one is a look-up,
 * giving it back none.
 */
#include "transport/address-table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct _HarkAddressTable
{
  gint refs; /* of the owner and of each row */
  guint max_per_address;
  GMutex lock;
  GHashTable *rows; /* (element-type HarkAddressLease): a set, not owning */
};

struct _HarkAddressLease
{
  HarkAddressTable *table; /* (owned) */
  guint64 key;             /* the upper half of an IPv6 address, or an IPv4 one; those of Unix sockets are all 0 */
  guint count;
};

static guint
row_hash (gconstpointer p)
{
  guint64 key = ((const HarkAddressLease *)p)->key * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  return key >> 32;
}

static gboolean
row_equal (gconstpointer a, gconstpointer b)
{
  return ((const HarkAddressLease *)a)->key == ((const HarkAddressLease *)b)->key;
}

HarkAddressTable *
hark_address_table_new (guint max_per_address)
{
  HarkAddressTable *self = g_new0 (HarkAddressTable, 1);
  self->refs = 1;
  self->max_per_address = max_per_address;
  g_mutex_init (&self->lock);
  self->rows = g_hash_table_new (row_hash, row_equal);
  return self;
}

void
hark_address_table_unref (HarkAddressTable *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_assert (g_hash_table_size (self->rows) == 0);
  g_hash_table_unref (self->rows);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* An IPv4 address, also one mapped into IPv6, or %NULL */
static const guint8 *
get_ipv4 (const struct sockaddr *address)
{
  const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
  if (address->sa_family == AF_INET)
    return (const guint8 *)&((const struct sockaddr_in *)address)->sin_addr;
  if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED (six))
    return six->s6_addr + 12;
  return NULL;
}

static guint64
get_key (const struct sockaddr *address)
{
  const guint8 *four = get_ipv4 (address);
  guint64 key = 0;
  if (four != NULL)
    memcpy (&key, four, 4);
  else if (address->sa_family == AF_INET6)
    memcpy (&key, ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr, 8);
  return key;
}

/**
 * hark_address_table_acquire:
 *
 * Returns: (transfer full) (nullable): a place, or %NULL when the address has as many as it may
 */
HarkAddressLease *
hark_address_table_acquire (HarkAddressTable *self, const struct sockaddr *address)
{
  HarkAddressLease key = { .key = get_key (address) };
  HarkAddressLease *row;
  g_mutex_lock (&self->lock);
  row = g_hash_table_lookup (self->rows, &key);
  if (row == NULL && self->max_per_address > 0)
    {
      row = g_new0 (HarkAddressLease, 1);
      row->table = self;
      row->key = key.key;
      g_atomic_int_inc (&self->refs);
      g_hash_table_add (self->rows, row);
    }
  if (row == NULL || row->count >= self->max_per_address)
    row = NULL;
  else
    row->count++;
  g_mutex_unlock (&self->lock);
  return row;
}

guint
hark_address_table_get_n_addresses (HarkAddressTable *self)
{
  guint n;
  g_mutex_lock (&self->lock);
  n = g_hash_table_size (self->rows);
  g_mutex_unlock (&self->lock);
  return n;
}

/* From any thread. */
void
hark_address_lease_free (HarkAddressLease *self)
{
  HarkAddressTable *table = self->table;
  gboolean last;
  g_mutex_lock (&table->lock);
  last = --self->count == 0;
  if (last)
    g_hash_table_remove (table->rows, self);
  g_mutex_unlock (&table->lock);
  if (!last)
    return;
  g_free (self);
  hark_address_table_unref (table);
}

/* Writes the address as people do: "127.0.0.1:50123", "[::1]:50123", "unix". */
void
hark_address_format (const struct sockaddr *address, char out[HARK_ADDRESS_LEN])
{
  char host[INET6_ADDRSTRLEN];
  const guint8 *four = get_ipv4 (address);
  guint port = g_ntohs (((const struct sockaddr_in *)address)->sin_port); /* at the same place in both */
  if (four != NULL)
    g_snprintf (out, HARK_ADDRESS_LEN, "%u.%u.%u.%u:%u", four[0], four[1], four[2], four[3], port);
  else if (address->sa_family == AF_INET6)
    g_snprintf (out, HARK_ADDRESS_LEN, "[%s]:%u",
                inet_ntop (AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, host, sizeof host), port);
  else
    g_strlcpy (out, "unix", HARK_ADDRESS_LEN);
}

/* Returns: whether the peer is on this machine */
gboolean
hark_address_is_local (const struct sockaddr *address)
{
  const guint8 *four = get_ipv4 (address);
  if (four != NULL)
    return four[0] == 127;
  if (address->sa_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK (&((const struct sockaddr_in6 *)address)->sin6_addr);
  return TRUE;
}
