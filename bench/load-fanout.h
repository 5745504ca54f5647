/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-ledger.h"

/* Everyone is in one channel, some publish, each with a window of messages in flight, and every message goes to all. */
typedef struct
{
  LoadLedger ledger;
  uint32_t n_publishers;
  uint32_t n_receivers;   /* the first connections of the engine */
  LoadConn **publishers;  /* (owned) */
  uint32_t *publisher_of; /* connection's index to publisher's, or UINT32_MAX */
} LoadFanout;

void load_fanout_init (LoadFanout *self, LoadEngine *engine, uint32_t n_receivers, uint32_t n_publishers);
void load_fanout_clear (LoadFanout *self);
bool load_fanout_run (LoadFanout *self, LoadEngine *engine, double seconds, uint64_t messages);
