/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restart: sessions that have loaded a channel hear somebody speak in it, a message every 20 ms; the server is told by
 * SIGUSR2 to go on as another process. Nobody may be disconnected, and each must hear each message once and in order.
 * What is measured is the longest silence that each hears.
 */
#include "load-native.h"
#include "load-scenario.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define INTERVAL_NS (20 * 1000 * 1000)

typedef struct
{
  LoadLedger ledger;
  LoadHistogram pauses;
  uint32_t n_sessions; /* the connections behind the first, which speaks */
  int64_t *heard_at;   /* (owned) by connection */
  int64_t *silence;    /* (owned) by connection: the longest since the restart began */
  bool restarting;
  uint64_t spoken;
  uint64_t acks;
} Restart;

static void
hear (Restart *self, LoadConn *conn, const LoadPayload *payload)
{
  int64_t now = conn->engine->now;
  int64_t silence = now - self->heard_at[conn->index];
  load_ledger_receive (&self->ledger, conn, 1, payload);
  load_histogram_add (&self->ledger.latency, now - payload->stamp);
  if (self->restarting && silence > self->silence[conn->index])
    self->silence[conn->index] = silence;
  self->heard_at[conn->index] = now;
}

static void
decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  Restart *self = conn->engine->scenario;
  LoadPayload payload;
  if (load_native_is (data, len, "welcome"))
    {
      char text[256];
      snprintf (text, sizeof text, "{\"type\":\"get_messages\",\"channel_id\":\"%s\",\"limit\":1,\"ref\":3}",
                conn->engine->options->channels[0]);
      if (conn->index == 0)
        event->kind = LOAD_EVENT_READY;
      else
        load_conn_send_text (conn, text);
    }
  else if (load_native_is (data, len, "error"))
    event->kind = LOAD_EVENT_FAILURE;
  else if (load_native_is (data, len, "get_messages"))
    event->kind = LOAD_EVENT_READY;
  else if (load_native_is (data, len, "message"))
    {
      if (load_payload_find (data, len, &conn->hint, &payload))
        hear (self, conn, &payload);
      else
        self->acks++;
    }
}

static void
speak (Restart *self, LoadEngine *engine)
{
  LoadPayload payload = { 0, (uint32_t)self->spoken++, load_engine_read_clock (engine) };
  char text[1024];
  int head = snprintf (text, sizeof text, "{\"type\":\"message\",\"channel\":\"%s\",\"ref\":5,\"message\":\"",
                       engine->options->channels[0]);
  load_payload_write ((uint8_t *)text + head, 200, &payload);
  snprintf (text + head + 200, 3, "\"}");
  load_conn_send_text (engine->conns[0], text);
}

/* Speaks at the right times, whether the last was heard or not. */
static bool
go_on (Restart *self, LoadEngine *engine, double seconds)
{
  int64_t now = load_engine_read_clock (engine);
  int64_t end = now + (int64_t)(seconds * 1e9);
  int64_t next = now;
  while ((now = load_engine_read_clock (engine)) < end)
    {
      if (now >= next)
        {
          speak (self, engine);
          next += INTERVAL_NS;
        }
      if (!load_engine_turn (engine, 1))
        return false;
    }
  return true;
}

static bool
measure (Restart *self, LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  bool all;
  if (!load_engine_open (engine) || !load_engine_rest (engine, 1.0) || !go_on (self, engine, options->warmup))
    return false;
  self->restarting = true;
  for (size_t i = 0; i < options->n_pids; i++)
    if (kill (options->pids[i], SIGUSR2) != 0)
      load_engine_fail (engine, "kill %d", (int)options->pids[i]);
  all = go_on (self, engine, options->seconds)
        && load_native_run_until (engine, &self->ledger.done, self->spoken * self->n_sessions);
  if (engine->failed)
    return false;
  self->ledger.wanted = self->spoken * self->n_sessions;
  for (uint32_t i = 1; i <= self->n_sessions; i++)
    load_histogram_add (&self->pauses, self->silence[i]);
  load_report_count (report, "sessions", self->n_sessions);
  load_report_count (report, "messages", self->spoken);
  load_report_number (report, "pause_p50_ms", load_histogram_quantile_us (&self->pauses, 0.5) / 1000);
  load_report_number (report, "pause_p99_ms", load_histogram_quantile_us (&self->pauses, 0.99) / 1000);
  load_report_number (report, "pause_max_ms", load_histogram_quantile_us (&self->pauses, 1) / 1000);
  return load_ledger_report (&self->ledger, report) && all;
}

bool
load_scenario_restart (LoadEngine *engine, LoadReport *report)
{
  static const LoadProtocol PROTOCOL = {
    .name = "hark",
    .needs_accounts = true,
    .path = load_native_path,
    .upgraded = load_native_upgraded,
    .decode = decode,
  };
  const LoadOptions *options = engine->options;
  Restart self = { .n_sessions = options->clients };
  bool ok;
  if (options->n_accounts == 0 || options->n_channels == 0 || options->n_pids == 0)
    {
      load_engine_fail (engine, "--accounts, --channels and --pid are needed");
      return false;
    }
  self.heard_at = calloc (self.n_sessions + 1, sizeof *self.heard_at);
  self.silence = calloc (self.n_sessions + 1, sizeof *self.silence);
  assert (self.heard_at != NULL && self.silence != NULL);
  for (uint32_t i = 0; i <= self.n_sessions; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      conn->account = &options->accounts[i % options->n_accounts];
      load_ledger_expect (conn, 1);
    }
  engine->protocol = &PROTOCOL;
  engine->scenario = &self;
  ok = measure (&self, engine, report);
  free (self.heard_at);
  free (self.silence);
  return ok && !engine->failed;
}
