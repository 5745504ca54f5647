/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Request and reply. echo: each client has one message in flight and the server sends it back. forward: clients in
 * pairs; the first sends an object to the second's user, the second sends it back to the first's, and each way is a
 * delivery. Latency is the round trip's in both.
 */
#include "load-scenario.h"

#include "load-protocol.h"

#define REST_AFTER_OPENING 0.3

typedef struct
{
  LoadLedger ledger;
  uint32_t step; /* of the requesters among the connections: 1 for echo, 2 for forward */
} Pairs;

static void
request (Pairs *self, LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  LoadPayload payload = { conn->index, conn->sent, 0 };
  if (!load_ledger_may_send (&self->ledger))
    return;
  payload.stamp = load_engine_read_clock (engine);
  if (self->step == 1)
    engine->protocol->echo (conn, &payload);
  else
    engine->protocol->forward (conn, engine->conns[conn->index + 1]->account, &payload);
  conn->sent++;
  self->ledger.wanted += self->step;
}

static void
on_event (LoadEngine *engine, LoadConn *conn, const LoadEvent *event)
{
  Pairs *self = engine->scenario;
  uint32_t requester = conn->index - conn->index % self->step;
  LoadPayload payload = event->payload;
  if (event->kind != LOAD_EVENT_DELIVERY)
    return;
  if (payload.publisher != requester)
    {
      self->ledger.foreign++;
      return;
    }
  payload.publisher = 0; /* each hears of one only */
  load_ledger_receive (&self->ledger, conn, 1, &payload);
  if (conn->index != requester)
    {
      engine->protocol->forward (conn, engine->conns[requester]->account, &event->payload);
      return;
    }
  load_histogram_add (&self->ledger.latency, engine->now - payload.stamp);
  request (self, conn);
}

static bool
run_phase (Pairs *self, LoadEngine *engine, double seconds, uint64_t messages)
{
  load_ledger_start_phase (&self->ledger, messages);
  for (size_t i = 0; i < engine->n_conns; i += self->step)
    request (self, engine->conns[i]);
  return load_ledger_run_phase (&self->ledger, engine, seconds);
}

static bool
run (LoadEngine *engine, LoadReport *report, uint32_t step)
{
  const LoadOptions *options = engine->options;
  Pairs pairs = { .step = step };
  LoadSample before;
  LoadSample after;
  for (uint32_t i = 0; i < options->clients / step * step; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      conn->room = -1;
      load_ledger_expect (conn, 1);
    }
  engine->scenario = &pairs;
  engine->on_event = on_event;
  if (!load_engine_open (engine) || !load_engine_rest (engine, REST_AFTER_OPENING)
      || !run_phase (&pairs, engine, options->warmup, 0))
    return false;
  load_sample_take (engine, &before);
  if (!run_phase (&pairs, engine, options->seconds, options->messages))
    return false;
  load_sample_take (engine, &after);
  if (engine->failed)
    return false;
  load_report_count (report, "clients", engine->n_conns);
  load_report_work (report, &before, &after, "deliveries", pairs.ledger.deliveries);
  load_report_latency (report, &pairs.ledger.latency);
  return load_ledger_report (&pairs.ledger, report);
}

bool
load_scenario_echo (LoadEngine *engine, LoadReport *report)
{
  if (engine->protocol->echo == NULL)
    {
      load_engine_fail (engine, "--protocol %s has no echo", engine->protocol->name);
      return false;
    }
  return run (engine, report, 1);
}

bool
load_scenario_forward (LoadEngine *engine, LoadReport *report)
{
  if (engine->protocol->forward == NULL)
    {
      load_engine_fail (engine, "--protocol %s has no forwarding", engine->protocol->name);
      return false;
    }
  /* What is sent to a user reaches all his sessions: with two of them everything would arrive twice. */
  if (engine->options->clients > engine->options->n_accounts)
    {
      load_engine_fail (engine, "--clients %u: each needs an account of its own, and there are %zu",
                        engine->options->clients, engine->options->n_accounts);
      return false;
    }
  return run (engine, report, 2);
}
