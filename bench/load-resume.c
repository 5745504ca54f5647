/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * resume: sessions that have loaded a server, a channel and a page of members are cut all at once; messages are said in
 * the channel while nobody hears; all come back at once and resume. Each must be told each message that it missed once,
 * in order, and the next one that is said when they are all back.
 */
#include "load-native.h"
#include "load-scenario.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 64
#define MISSED 20
#define TOKEN_MAX 128

/* What their end has to write is written. */
#define REST_AFTER_CUT_S 2.0

typedef struct
{
  LoadLedger ledger;
  uint32_t n_sessions; /* the connections behind the first, which speaks */
  bool resuming;
  char (*tokens)[TOKEN_MAX]; /* (owned) by connection: by which it resumes */
  int64_t *cursors;          /* (owned) by connection: of the channel */
  uint64_t acks;
  uint64_t resets;
} Resume;

static bool
copy_token (Resume *self, LoadConn *conn, const uint8_t *data, size_t len)
{
  const uint8_t *at = load_native_find (data, len, "\"resume\":\"");
  const uint8_t *end = at != NULL ? memchr (at, '"', (size_t)(data + len - at)) : NULL;
  if (end == NULL || end - at >= TOKEN_MAX)
    return false;
  memcpy (self->tokens[conn->index], at, (size_t)(end - at));
  self->tokens[conn->index][end - at] = '\0';
  return true;
}

static void
load_everything (LoadConn *conn)
{
  const LoadOptions *options = conn->engine->options;
  size_t first = (conn->index - 1) / PAGE * PAGE;
  char text[512];
  snprintf (text, sizeof text, "{\"type\":\"get_server_channels\",\"server_id\":\"%s\",\"ref\":1}", options->server);
  load_conn_send_text (conn, text);
  snprintf (text, sizeof text,
            "{\"type\":\"get_server_members\",\"server_id\":\"%s\",\"after\":\"%lld\",\"limit\":%d,\"ref\":2}",
            options->server, strtoll (options->accounts[first].user, NULL, 10) - 1, PAGE);
  load_conn_send_text (conn, text);
  snprintf (text, sizeof text, "{\"type\":\"get_messages\",\"channel_id\":\"%s\",\"limit\":1,\"ref\":3}",
            options->channels[0]);
  load_conn_send_text (conn, text);
}

static void
take_up (Resume *self, LoadConn *conn, const char *token)
{
  char text[512];
  snprintf (text, sizeof text, "{\"type\":\"resume\",\"resume\":\"%s\",\"cursors\":{\"channel/%s\":%lld},\"ref\":4}",
            token, conn->engine->options->channels[0], (long long)self->cursors[conn->index]);
  load_conn_send_text (conn, text);
}

static bool
greet (Resume *self, LoadConn *conn, const uint8_t *data, size_t len)
{
  char former[TOKEN_MAX];
  memcpy (former, self->tokens[conn->index], sizeof former);
  if (!copy_token (self, conn, data, len))
    return false;
  if (conn->index == 0)
    return true;
  if (self->resuming)
    take_up (self, conn, former);
  else
    load_everything (conn);
  return true;
}

/* All that was missed stands in the one reply. */
static void
read_missed (Resume *self, LoadConn *conn, const uint8_t *data, size_t len)
{
  const uint8_t *end = data + len;
  const uint8_t *at = data;
  if (load_native_find (data, len, "\"result\":\"reset\"") != NULL)
    self->resets++;
  while ((at = memmem (at, (size_t)(end - at), LOAD_PAYLOAD_MARK, LOAD_PAYLOAD_MARK_LEN)) != NULL)
    {
      LoadPayload payload;
      size_t hint = 0;
      if (load_payload_find (at, (size_t)(end - at), &hint, &payload))
        load_ledger_receive (&self->ledger, conn, 1, &payload);
      at += LOAD_PAYLOAD_MARK_LEN;
    }
  load_histogram_add (&self->ledger.latency, conn->engine->now - conn->opened_at);
}

static void
decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  Resume *self = conn->engine->scenario;
  LoadPayload payload;
  if (load_native_is (data, len, "welcome"))
    event->kind = !greet (self, conn, data, len) ? LOAD_EVENT_FAILURE
                  : conn->index == 0             ? LOAD_EVENT_READY
                                                 : LOAD_EVENT_NONE;
  else if (load_native_is (data, len, "error"))
    event->kind = LOAD_EVENT_FAILURE;
  else if (load_native_is (data, len, "resume"))
    {
      read_missed (self, conn, data, len);
      event->kind = LOAD_EVENT_READY;
    }
  else if (load_native_is (data, len, "get_messages"))
    {
      const uint8_t *more = load_native_find (data, len, "\"more\":");
      if (more == NULL
          || !load_native_find_integer (more, (size_t)(data + len - more), "\"seq\":", &self->cursors[conn->index]))
        event->kind = LOAD_EVENT_FAILURE;
      else
        event->kind = LOAD_EVENT_READY; /* what was asked for first is answered before or soon */
    }
  else if (load_native_is (data, len, "message"))
    {
      if (load_payload_find (data, len, &conn->hint, &payload))
        load_ledger_receive (&self->ledger, conn, 1, &payload);
      else
        self->acks++;
    }
}

static bool
say (Resume *self, LoadEngine *engine, uint32_t first, uint32_t n)
{
  LoadConn *conn = engine->conns[0];
  uint64_t acks = self->acks + n;
  for (uint32_t i = first; i < first + n; i++)
    {
      LoadPayload payload = { 0, i, load_engine_read_clock (engine) };
      char text[1024];
      int head = snprintf (text, sizeof text, "{\"type\":\"message\",\"channel\":\"%s\",\"ref\":5,\"message\":\"",
                           engine->options->channels[0]);
      load_payload_write ((uint8_t *)text + head, 200, &payload);
      snprintf (text + head + 200, 3, "\"}");
      load_conn_send_text (conn, text);
    }
  return load_native_run_until (engine, &self->acks, acks);
}

static void
cut (Resume *self, LoadEngine *engine)
{
  while (engine->n_ready > 1)
    load_conn_drop (engine->conns[engine->n_ready - 1]);
  self->resuming = true;
}

static bool
measure (Resume *self, LoadEngine *engine, LoadReport *report)
{
  LoadSample before;
  LoadSample after;
  bool all;
  if (!load_engine_open (engine) || !load_engine_rest (engine, REST_AFTER_CUT_S))
    return false;
  cut (self, engine);
  if (!load_engine_rest (engine, REST_AFTER_CUT_S) || !say (self, engine, 0, MISSED)
      || !load_engine_rest (engine, REST_AFTER_CUT_S))
    return false;
  load_sample_take (engine, &before);
  all = load_engine_open (engine)
        && load_native_run_until (engine, &self->ledger.done, (uint64_t)MISSED * self->n_sessions);
  load_sample_take (engine, &after);
  all = all && say (self, engine, MISSED, 1)
        && load_native_run_until (engine, &self->ledger.done, (uint64_t)(MISSED + 1) * self->n_sessions);
  if (engine->failed)
    return false;
  self->ledger.wanted = (uint64_t)(MISSED + 1) * self->n_sessions;
  load_report_count (report, "sessions", self->n_sessions);
  load_report_count (report, "missed_each", MISSED);
  load_report_number (report, "seconds", (double)(after.at - before.at) / 1e9);
  load_report_work (report, &before, &after, "resumed", self->n_sessions);
  load_report_count (report, "resets", self->resets);
  load_report_latency (report, &self->ledger.latency);
  return load_ledger_report (&self->ledger, report) && all && self->resets == 0;
}

bool
load_scenario_resume (LoadEngine *engine, LoadReport *report)
{
  static const LoadProtocol PROTOCOL = {
    .name = "hark",
    .needs_accounts = true,
    .path = load_native_path,
    .upgraded = load_native_upgraded,
    .decode = decode,
  };
  const LoadOptions *options = engine->options;
  Resume self = { .n_sessions = options->clients };
  bool ok;
  if (options->n_accounts < self.n_sessions || options->server == NULL || options->n_channels == 0)
    {
      load_engine_fail (engine, "--accounts with %u users, --server and --channels are needed", self.n_sessions);
      return false;
    }
  self.tokens = calloc (self.n_sessions + 1, sizeof *self.tokens);
  self.cursors = calloc (self.n_sessions + 1, sizeof *self.cursors);
  assert (self.tokens != NULL && self.cursors != NULL);
  for (uint32_t i = 0; i <= self.n_sessions; i++)
    {
      LoadConn *conn = load_engine_add (engine);
      conn->account = &options->accounts[i > 0 ? i - 1 : 0];
      load_ledger_expect (conn, 1);
    }
  engine->protocol = &PROTOCOL;
  engine->scenario = &self;
  ok = measure (&self, engine, report);
  free (self.tokens);
  free (self.cursors);
  return ok && !engine->failed;
}
