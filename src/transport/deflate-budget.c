/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bound on what permessage-deflate takes over all connections. A connection holds an inflater only while a message
 * of its client is on the way, but how many do so at once is for the clients to say: a thousand that each begin a
 * message and stop would hold a thousand. So each is counted with the most it can hold, from the handshake on.
 */
#include "transport/deflate-budget.h"

#include "transport/deflate.h"

struct _HarkDeflateBudget
{
  gint refs; /* of the owner and of each lease */
  gsize max_bytes;
  gint n_leases;
  HarkMetrics *metrics; /* (owned): leases may outlive the owner */
  HarkGauge *bytes;
  HarkCounter *n_declined;
};

HarkDeflateBudget *
hark_deflate_budget_new (gsize max_bytes, HarkMetrics *metrics)
{
  HarkDeflateBudget *self = g_new0 (HarkDeflateBudget, 1);
  self->refs = 1;
  self->max_bytes = max_bytes;
  self->metrics = g_object_ref (metrics);
  self->bytes = hark_metrics_gauge (metrics, "hark_compression_bytes",
                                    "Memory that clients with permessage-deflate can come to hold");
  self->n_declined = hark_metrics_counter (metrics, "hark_compression_declined_total",
                                           "Clients served uncompressed because that memory is taken");
  return self;
}

void
hark_deflate_budget_unref (HarkDeflateBudget *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_object_unref (self->metrics);
  g_free (self);
}

/**
 * hark_deflate_budget_acquire:
 *
 * By one thread at a time.
 *
 * Returns: (transfer full) (nullable): %NULL when there is no place
 */
HarkDeflateLease *
hark_deflate_budget_acquire (HarkDeflateBudget *self)
{
  gsize taken = (gsize)g_atomic_int_get (&self->n_leases) * HARK_INFLATER_BYTES;
  if (taken + HARK_INFLATER_BYTES > self->max_bytes)
    {
      hark_counter_add (self->n_declined, 1);
      return NULL;
    }
  g_atomic_int_inc (&self->n_leases);
  g_atomic_int_inc (&self->refs);
  hark_counter_add (self->bytes, HARK_INFLATER_BYTES);
  return self;
}

/* From any thread. */
void
hark_deflate_lease_free (HarkDeflateLease *self)
{
  g_atomic_int_add (&self->n_leases, -1);
  hark_counter_add (self->bytes, -HARK_INFLATER_BYTES);
  hark_deflate_budget_unref (self);
}
