/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fanout: everyone is in one channel, some of them publish, each with a window of messages in flight, and every message
 * goes to all. idle: a channel with one member who talks to himself, alone on the server and then among thousands who
 * are connected and silent; what the thousands cost in memory, and what they cost him.
 */
#include "load-fanout.h"

#include "load-protocol.h"
#include "load-scenario.h"

#include <assert.h>
#include <stdlib.h>

/* A server may answer the handshake before it has put the connection in its channel. */
#define REST_AFTER_OPENING 0.3

static void
publish (LoadFanout *self, LoadConn *conn)
{
  LoadEngine *engine = conn->engine;
  while (conn->in_flight < engine->options->window && load_ledger_may_send (&self->ledger))
    {
      LoadPayload payload = { self->publisher_of[conn->index], conn->sent, load_engine_read_clock (engine) };
      engine->protocol->publish (conn, &payload, conn->sent);
      conn->sent++;
      conn->in_flight++;
      self->ledger.wanted += self->n_receivers + (engine->protocol->acks ? 1 : 0);
    }
}

static void
settle_one (LoadFanout *self, LoadConn *conn)
{
  conn->in_flight--;
  publish (self, conn);
}

static void
on_event (LoadEngine *engine, LoadConn *conn, const LoadEvent *event)
{
  LoadFanout *self = engine->scenario;
  if (event->kind == LOAD_EVENT_ACK)
    {
      if (event->ref != conn->acked)
        load_engine_fail (engine, "connection %u: ack %llu where %u was to come", conn->index,
                          (unsigned long long)event->ref, conn->acked);
      conn->acked++;
      self->ledger.acks++;
      self->ledger.done++;
      if (engine->options->window_by_ack)
        settle_one (self, conn);
      return;
    }
  if (conn->index >= self->n_receivers)
    {
      load_engine_fail (engine, "connection %u: a message of a channel that it has not joined", conn->index);
      return;
    }
  load_ledger_receive (&self->ledger, conn, self->n_publishers, &event->payload);
  load_histogram_add (&self->ledger.latency, engine->now - event->payload.stamp);
  if (!engine->options->window_by_ack && self->publisher_of[conn->index] == event->payload.publisher)
    settle_one (self, conn);
}

/* Returns: whether nothing broke off; what is judged stands in self->ledger */
bool
load_fanout_run (LoadFanout *self, LoadEngine *engine, double seconds, uint64_t messages)
{
  load_ledger_start_phase (&self->ledger, messages);
  for (uint32_t i = 0; i < self->n_publishers; i++)
    publish (self, self->publishers[i]);
  return load_ledger_run_phase (&self->ledger, engine, seconds);
}

/* Adds @n_receivers connections to an engine that has none, of which @n_publishers publish to all. */
void
load_fanout_init (LoadFanout *self, LoadEngine *engine, uint32_t n_receivers, uint32_t n_publishers)
{
  memset (self, 0, sizeof *self);
  self->n_publishers = n_publishers;
  self->n_receivers = n_receivers;
  self->publishers = calloc (n_publishers, sizeof *self->publishers);
  self->publisher_of = malloc (n_receivers * sizeof *self->publisher_of);
  assert (self->publishers != NULL && self->publisher_of != NULL);
  for (uint32_t i = 0; i < n_receivers; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      conn->room = 0;
      conn->first_channel = 0;
      conn->n_channels = 1;
      load_ledger_expect (conn, n_publishers);
      self->publisher_of[i] = UINT32_MAX;
    }
  /* In the middle of their share: being served first or last would be something special. */
  for (uint32_t i = 0; i < n_publishers; i++)
    {
      uint32_t index = (uint32_t)((2 * (uint64_t)i + 1) * n_receivers / (2 * n_publishers));
      self->publishers[i] = engine->conns[index];
      self->publisher_of[index] = i;
    }
  engine->scenario = self;
  engine->on_event = on_event;
}

void
load_fanout_clear (LoadFanout *self)
{
  free (self->publishers);
  free (self->publisher_of);
}

static bool
check_publishes (LoadEngine *engine)
{
  if (engine->protocol->publish == NULL)
    load_engine_fail (engine, "--protocol %s has no publishing", engine->protocol->name);
  if (engine->options->window_by_ack && !engine->protocol->acks)
    load_engine_fail (engine, "--window-by ack: --protocol %s has no acks", engine->protocol->name);
  return !engine->failed;
}

bool
load_scenario_fanout (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  LoadFanout fanout;
  LoadSample before;
  LoadSample after;
  bool ok;
  if (!check_publishes (engine))
    return false;
  if (options->publishers > options->clients)
    {
      load_engine_fail (engine, "--publishers %u: more than --clients", options->publishers);
      return false;
    }
  load_fanout_init (&fanout, engine, options->clients, options->publishers);
  ok = load_engine_open (engine) && load_engine_rest (engine, REST_AFTER_OPENING)
       && load_fanout_run (&fanout, engine, options->warmup, 0);
  load_sample_take (engine, &before);
  ok = ok && load_fanout_run (&fanout, engine, options->seconds, options->messages);
  load_sample_take (engine, &after);
  if (ok && !engine->failed)
    {
      load_ledger_compare_order (&fanout.ledger, engine, 0, fanout.n_receivers);
      load_report_count (report, "clients", options->clients);
      load_report_count (report, "publishers", options->publishers);
      load_report_count (report, "window", options->window);
      load_report_work (report, &before, &after, "deliveries", fanout.ledger.deliveries);
      load_report_latency (report, &fanout.ledger.latency);
      ok = load_ledger_report (&fanout.ledger, report);
    }
  load_fanout_clear (&fanout);
  return ok && !engine->failed;
}

static double
cpu_us_per_message (const LoadSample *from, const LoadSample *to, uint64_t n)
{
  return n > 0 ? (double)(to->server_cpu - from->server_cpu) / 1000.0 / (double)n : 0;
}

static bool
open_idle (LoadEngine *engine)
{
  const LoadOptions *options = engine->options;
  for (uint32_t i = 0; i < options->idle; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      conn->room = 1;
      conn->first_channel = 1;
      conn->n_channels = options->n_channels > 1 ? options->n_channels - 1 : 0;
    }
  return load_engine_open (engine);
}

bool
load_scenario_idle (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  LoadFanout fanout;
  LoadSample alone[2];
  LoadSample among[2];
  LoadSample quiet[2];
  uint64_t n_alone;
  bool ok;
  if (!check_publishes (engine))
    return false;
  load_fanout_init (&fanout, engine, 1, 1);
  ok = load_engine_open (engine) && load_engine_rest (engine, REST_AFTER_OPENING)
       && load_fanout_run (&fanout, engine, options->warmup, 0);
  load_sample_take (engine, &alone[0]);
  ok = ok && load_fanout_run (&fanout, engine, options->seconds, options->messages);
  load_sample_take (engine, &alone[1]);
  n_alone = fanout.ledger.deliveries;

  load_sample_take_settled (engine, &quiet[0]);
  ok = ok && open_idle (engine);
  load_sample_take_settled (engine, &quiet[1]);

  ok = ok && load_fanout_run (&fanout, engine, options->warmup, 0);
  load_sample_take (engine, &among[0]);
  ok = ok && load_fanout_run (&fanout, engine, options->seconds, options->messages);
  load_sample_take (engine, &among[1]);
  if (ok && !engine->failed)
    {
      double cpu_alone = cpu_us_per_message (&alone[0], &alone[1], n_alone);
      double cpu_among = cpu_us_per_message (&among[0], &among[1], fanout.ledger.deliveries);
      double idle = options->idle > 0 ? options->idle : 1;
      load_report_count (report, "idle", options->idle);
      load_report_work (report, &among[0], &among[1], "messages", fanout.ledger.deliveries);
      load_report_number (report, "cpu_us_alone", cpu_alone);
      load_report_number (report, "cpu_ratio", cpu_alone > 0 ? cpu_among / cpu_alone : 0);
      load_report_number (report, "rss_kib_per_idle", (double)(quiet[1].rss - quiet[0].rss) / 1024.0 / idle);
      load_report_number (report, "pss_kib_per_idle", (double)(quiet[1].pss - quiet[0].pss) / 1024.0 / idle);
      load_report_number (report, "cpu_us_per_handshake",
                          (double)(quiet[1].server_cpu - quiet[0].server_cpu) / 1000.0 / idle);
      load_report_latency (report, &fanout.ledger.latency);
      ok = load_ledger_report (&fanout.ledger, report);
    }
  load_fanout_clear (&fanout);
  return ok && !engine->failed;
}
