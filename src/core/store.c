/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port through which things outlive the process; see store.h for the contract. */
#include "core/store.h"

G_DEFINE_INTERFACE (HarkStore, hark_store, G_TYPE_OBJECT)

static void
hark_store_default_init (HarkStoreInterface *iface)
{
}

/**
 * hark_store_write:
 * @data: (transfer full): freed with @destroy in the hub's context, after @done
 * @done: (nullable)
 */
void
hark_store_write (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                  gpointer user_data)
{
  HARK_STORE_GET_IFACE (self)->write (self, work, data, destroy, done, user_data);
}

/* As hark_store_write (), for work that only reads, from any thread. */
void
hark_store_read (HarkStore *self, HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done,
                 gpointer user_data)
{
  HARK_STORE_GET_IFACE (self)->read (self, work, data, destroy, done, user_data);
}

/* Sets who publishes what works emit. */
void
hark_store_set_committed (HarkStore *self, HarkCommitted func, gpointer user_data)
{
  HARK_STORE_GET_IFACE (self)->set_committed (self, func, user_data);
}
