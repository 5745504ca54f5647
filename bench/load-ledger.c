/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges loss, doubles and order; see load-ledger.h. */
#include "load-ledger.h"

#include <assert.h>
#include <stdlib.h>

/* @conn will receive from so many publishers, from each the counters from 0 on. */
void
load_ledger_expect (LoadConn *conn, uint32_t n_publishers)
{
  conn->expected = calloc (n_publishers, sizeof *conn->expected);
  assert (conn->expected != NULL);
}

/* Returns: whether one more message may be sent; it is counted as sent */
bool
load_ledger_may_send (LoadLedger *ledger)
{
  if (!ledger->sending || ledger->budget == 0)
    return false;
  ledger->budget--;
  return true;
}

void
load_ledger_receive (LoadLedger *ledger, LoadConn *conn, uint32_t n_publishers, const LoadPayload *payload)
{
  uint32_t *expected;
  if (payload->publisher >= n_publishers)
    {
      ledger->foreign++;
      return;
    }
  expected = &conn->expected[payload->publisher];
  if (payload->counter < *expected)
    {
      ledger->repeats++;
      return;
    }
  ledger->gaps += payload->counter - *expected;
  *expected = payload->counter + 1;
  conn->order = (conn->order ^ payload->publisher) * 0x100000001b3u + payload->counter;
  ledger->deliveries++;
  ledger->done++;
}

/* For the @n receivers of one channel: all of them must have seen the publishers interleaved alike. */
void
load_ledger_compare_order (LoadLedger *ledger, LoadEngine *engine, size_t first, size_t n)
{
  for (size_t i = first + 1; i < first + n; i++)
    if (engine->conns[i]->order != engine->conns[first]->order)
      ledger->order_differs = true;
}

/* Counts anew what a phase counts; what is judged in the end goes on. */
void
load_ledger_start_phase (LoadLedger *ledger, uint64_t messages)
{
  ledger->sending = true;
  ledger->budget = messages > 0 ? messages : UINT64_MAX;
  ledger->deliveries = 0;
  ledger->acks = 0;
  memset (&ledger->latency, 0, sizeof ledger->latency);
}

static void
turn_engine (void *engine, int timeout_ms)
{
  load_engine_turn (engine, timeout_ms);
}

/*
 * Lets the scenario send for @seconds or until its messages are sent, then waits for what is still to come. What has
 * not come when nothing came for so long as the options' patience is lost; load_ledger_report () says so.
 */
bool
load_ledger_run_phase (LoadLedger *ledger, LoadEngine *engine, double seconds)
{
  return load_ledger_run_phase_by (ledger, engine, seconds, turn_engine, engine);
}

/* The same for clients that are not the engine's connections: @turn waits at most so many milliseconds. */
bool
load_ledger_run_phase_by (LoadLedger *ledger, LoadEngine *engine, double seconds, LoadTurn turn, void *data)
{
  int64_t patience = (int64_t)(engine->options->patience * 1e9);
  int64_t end = load_engine_read_clock (engine) + (int64_t)(seconds * 1e9);
  int64_t progress = engine->now;
  uint64_t done = ledger->done;
  while (!engine->failed)
    {
      if (ledger->sending && (ledger->budget == 0 || load_engine_read_clock (engine) >= end))
        ledger->sending = false;
      if (!ledger->sending && ledger->done >= ledger->wanted)
        break;
      turn (data, 20);
      if (ledger->done != done)
        {
          done = ledger->done;
          progress = engine->now;
        }
      else if (load_engine_read_clock (engine) - progress > patience)
        break;
    }
  ledger->sending = false;
  return !engine->failed;
}

/* Returns: whether everything that was sent arrived, once and in order */
bool
load_ledger_report (const LoadLedger *ledger, LoadReport *report)
{
  uint64_t missing = ledger->wanted > ledger->done ? ledger->wanted - ledger->done : 0;
  bool ok = missing == 0 && ledger->done == ledger->wanted && ledger->gaps == 0 && ledger->repeats == 0
            && ledger->foreign == 0 && !ledger->order_differs;
  load_report_count (report, "missing", missing);
  load_report_count (report, "gaps", ledger->gaps);
  load_report_count (report, "repeats", ledger->repeats);
  load_report_count (report, "foreign", ledger->foreign);
  load_report_flag (report, "same_order", !ledger->order_differs);
  load_report_flag (report, "ok", ok);
  return ok;
}
