/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * connect: clients come, so many at a time, join and stay; what one costs from SYN until the protocol's own greeting
 * is through, authentication included where the protocol has it.
 */
#include "load-scenario.h"

#define WARMUP_CONNECTIONS 100

static void
on_ready (LoadEngine *engine, LoadConn *conn)
{
  LoadHistogram *latency = engine->scenario;
  load_histogram_add (latency, engine->now - conn->opened_at);
}

static void
add (LoadEngine *engine, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    load_engine_add (engine)->room = 1;
}

bool
load_scenario_connect (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  LoadHistogram latency;
  LoadSample before;
  LoadSample after;
  memset (&latency, 0, sizeof latency);
  engine->scenario = &latency;
  add (engine, WARMUP_CONNECTIONS);
  if (!load_engine_open (engine))
    return false;
  engine->on_ready = on_ready;
  add (engine, options->clients);
  load_sample_take (engine, &before);
  if (!load_engine_open (engine))
    return false;
  load_sample_take (engine, &after);
  if (engine->failed)
    return false;
  load_report_count (report, "concurrency", options->concurrency);
  load_report_work (report, &before, &after, "handshakes", latency.count);
  load_report_latency (report, &latency);
  load_report_flag (report, "ok", true);
  return true;
}
