/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-stats.h"

/*
 * What was sent and what came of it. Every scenario keeps one: it says when a phase is over, and in the end whether
 * everything arrived, once and in order.
 */
typedef struct
{
  bool sending;    /* new messages may start */
  uint64_t budget; /* how many more */
  uint64_t wanted; /* deliveries and acks that what was sent must cause */
  uint64_t done;
  uint64_t deliveries;
  uint64_t acks;

  uint64_t gaps;    /* counters that were passed over */
  uint64_t repeats; /* counters that had already been there, or passed over */
  uint64_t foreign; /* messages of nobody */
  bool order_differs;

  LoadHistogram latency;
} LoadLedger;

void load_ledger_expect (LoadConn *conn, uint32_t n_publishers);
bool load_ledger_may_send (LoadLedger *ledger);
void load_ledger_receive (LoadLedger *ledger, LoadConn *conn, uint32_t n_publishers, const LoadPayload *payload);
void load_ledger_compare_order (LoadLedger *ledger, LoadEngine *engine, size_t first, size_t n);
void load_ledger_start_phase (LoadLedger *ledger, uint64_t messages);
bool load_ledger_run_phase (LoadLedger *ledger, LoadEngine *engine, double seconds);
typedef void (*LoadTurn) (void *data, int timeout_ms);
bool load_ledger_run_phase_by (LoadLedger *ledger, LoadEngine *engine, double seconds, LoadTurn turn, void *data);
bool load_ledger_report (const LoadLedger *ledger, LoadReport *report);
