/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store: senders offer messages at a fixed rate, whatever the server makes of it, and each is acknowledged when it is
 * on disk. Latency counts from when a message was due, not from when it went out, so that a server that holds up its
 * senders does not look better for it. Senders have not loaded the channel and get nothing but acks; a few watchers
 * have, and see that what was acknowledged is also told, once and in order.
 */
#include "load-scenario.h"

#include "load-protocol.h"

#include <assert.h>
#include <stdlib.h>

#define REST_AFTER_OPENING 0.3

typedef struct
{
  LoadLedger ledger;
  uint32_t n_senders; /* the first connections; watchers follow */
  uint32_t n_watchers;
  double rate;
  uint64_t sent;
  int64_t epoch; /* when the first message was due */
  int64_t last_ack;
  uint8_t **acked; /* (owned) per sender, a bit for each message */
  size_t acked_size;
} Store;

static int64_t
due_at (const Store *self, uint64_t n)
{
  return self->epoch + (int64_t)((double)n * 1e9 / self->rate);
}

static void
on_ack (Store *self, LoadConn *conn, uint64_t ref)
{
  uint8_t bit = (uint8_t)(1u << (ref & 7));
  if (conn->index >= self->n_senders || ref >= conn->sent)
    {
      self->ledger.foreign++;
      return;
    }
  if ((self->acked[conn->index][ref / 8] & bit) != 0)
    {
      self->ledger.repeats++;
      return;
    }
  self->acked[conn->index][ref / 8] |= bit;
  self->ledger.acks++;
  self->ledger.done++;
  self->last_ack = conn->engine->now;
  load_histogram_add (&self->ledger.latency, conn->engine->now - due_at (self, ref * self->n_senders + conn->index));
}

static void
on_event (LoadEngine *engine, LoadConn *conn, const LoadEvent *event)
{
  Store *self = engine->scenario;
  if (event->kind == LOAD_EVENT_ACK)
    on_ack (self, conn, event->ref);
  else if (conn->index < self->n_senders)
    self->ledger.foreign++;
  else
    load_ledger_receive (&self->ledger, conn, self->n_senders, &event->payload);
}

/* The senders take turns, so the number of a message says both whose it is and when it is due. */
static void
send_due (Store *self, LoadEngine *engine, uint64_t total)
{
  int64_t now = load_engine_read_clock (engine);
  while (self->sent < total && due_at (self, self->sent) <= now)
    {
      LoadConn *conn = engine->conns[self->sent % self->n_senders];
      LoadPayload payload = { conn->index, conn->sent, due_at (self, self->sent) };
      engine->protocol->publish (conn, &payload, conn->sent);
      conn->sent++;
      self->sent++;
      self->ledger.wanted += 1 + self->n_watchers;
    }
}

static bool
run_phase (Store *self, LoadEngine *engine, uint64_t messages)
{
  uint64_t total = self->sent + messages;
  load_ledger_start_phase (&self->ledger, messages);
  self->epoch = load_engine_read_clock (engine) - (int64_t)((double)self->sent * 1e9 / self->rate);
  while (self->sent < total && !engine->failed)
    {
      send_due (self, engine, total);
      load_engine_turn (engine, 1);
    }
  return load_ledger_run_phase (&self->ledger, engine, 0);
}

static void
store_init (Store *self, LoadEngine *engine, uint64_t messages)
{
  const LoadOptions *options = engine->options;
  memset (self, 0, sizeof *self);
  self->n_senders = options->clients;
  self->n_watchers = options->watchers;
  self->rate = options->rate;
  self->acked_size = (size_t)(messages / self->n_senders / 8 + 2);
  self->acked = calloc (self->n_senders, sizeof *self->acked);
  assert (self->acked != NULL);
  for (uint32_t i = 0; i < self->n_senders + self->n_watchers; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      if (i < self->n_senders)
        {
          self->acked[i] = calloc (self->acked_size, 1);
          assert (self->acked[i] != NULL);
        }
      else
        {
          conn->n_channels = 1;
          load_ledger_expect (conn, self->n_senders);
        }
    }
  engine->scenario = self;
  engine->on_event = on_event;
}

static void
store_clear (Store *self)
{
  for (uint32_t i = 0; i < self->n_senders; i++)
    free (self->acked[i]);
  free (self->acked);
}

bool
load_scenario_store (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  uint64_t warmup = (uint64_t)(options->warmup * options->rate);
  uint64_t messages = options->messages > 0 ? options->messages : (uint64_t)(options->seconds * options->rate);
  Store store;
  LoadSample before;
  LoadSample after;
  bool ok;
  if (!engine->protocol->acks)
    {
      load_engine_fail (engine, "--protocol %s has no acks", engine->protocol->name);
      return false;
    }
  store_init (&store, engine, warmup + messages);
  ok = load_engine_open (engine) && load_engine_rest (engine, REST_AFTER_OPENING) && run_phase (&store, engine, warmup);
  load_sample_take (engine, &before);
  ok = ok && run_phase (&store, engine, messages);
  load_sample_take (engine, &after);
  if (ok && !engine->failed)
    {
      double wall = (double)(store.last_ack - before.at);
      load_ledger_compare_order (&store.ledger, engine, store.n_senders, store.n_watchers);
      load_report_count (report, "senders", options->clients);
      load_report_count (report, "watchers", options->watchers);
      load_report_number (report, "offered_per_s", options->rate);
      load_report_number (report, "acked_per_s", wall > 0 ? (double)store.ledger.acks * 1e9 / wall : 0);
      load_report_work (report, &before, &after, "acks", store.ledger.acks);
      load_report_latency (report, &store.ledger.latency);
      ok = load_ledger_report (&store.ledger, report);
    }
  store_clear (&store);
  return ok && !engine->failed;
}
