/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * presence: everybody has loaded the page of members that they are on. Half of them, every second one, leaves at once and
 * comes back at once; the others, the watchers, must hear of each of their page once. What a change costs on its way to
 * one watcher is compared with a message's to one of the same connections in a channel, one in flight and as many
 * as there are changes to a page. The daemon's grace time must be some seconds, to tell its share of the leaving
 * from that of the telling.
 */
#include "load-native.h"
#include "load-scenario.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 64
#define QUIET_S 1.0
/* After all have left, and before the grace time has passed. */
#define REST_AFTER_LEAVING_S 2.0
#define ROUNDS_ALONE 16

typedef struct
{
  uint32_t n_users;    /* the first accounts, in the order of their ids */
  uint32_t n_watchers; /* the first connections; who moves follows */
  int64_t *ids;        /* (owned) */
  uint64_t *seen;      /* (owned) by connection, a bit for each user of its page */
  const char *status;  /* what watchers hear; NULL: nothing is counted */
  uint64_t done;       /* changes that watchers have heard of, or deliveries of messages */
  uint64_t heard;      /* the same, and those that reached who has just come */
  uint64_t joined;     /* the channel */
  uint64_t repeats;
  uint64_t foreign;
} Presence;

/* Watchers are the even users, the others move. */
static uint32_t
user_of (const Presence *self, uint32_t index)
{
  return index < self->n_watchers ? index * 2 : (index - self->n_watchers) * 2 + 1;
}

static uint32_t
count_movers (const Presence *self, uint32_t user)
{
  uint32_t first = user / PAGE * PAGE;
  uint32_t n = self->n_users - first < PAGE ? self->n_users - first : PAGE;
  return n / 2;
}

static void
hear_status (Presence *self, LoadConn *conn, const uint8_t *data, size_t len)
{
  uint32_t first = user_of (self, conn->index) / PAGE * PAGE;
  uint32_t place = 0;
  uint64_t bit;
  int64_t id;
  if (self->status == NULL)
    return;
  self->heard++;
  if (conn->index >= self->n_watchers)
    return;
  if (!load_native_find_integer (data, len, "\"user_id\":", &id))
    id = 0;
  while (place < PAGE && first + place < self->n_users && self->ids[first + place] != id)
    place++;
  if (place == PAGE || place % 2 == 0 || load_native_find (data, len, self->status) == NULL)
    {
      self->foreign++;
      return;
    }
  bit = UINT64_C (1) << place;
  if ((self->seen[conn->index] & bit) != 0)
    {
      self->repeats++;
      return;
    }
  self->seen[conn->index] |= bit;
  self->done++;
}

static void
load_page (Presence *self, LoadConn *conn)
{
  uint32_t first = user_of (self, conn->index) / PAGE * PAGE;
  char text[256];
  snprintf (text, sizeof text,
            "{\"type\":\"get_server_members\",\"server_id\":\"%s\",\"after\":\"%lld\",\"limit\":%d,\"ref\":1}",
            conn->engine->options->server, (long long)self->ids[first] - 1, PAGE);
  load_conn_send_text (conn, text);
}

static void
decode (LoadConn *conn, const uint8_t *data, size_t len, LoadEvent *event)
{
  Presence *self = conn->engine->scenario;
  LoadPayload payload;
  if (load_native_is (data, len, "user_status_change"))
    hear_status (self, conn, data, len);
  else if (load_native_is (data, len, "error"))
    event->kind = LOAD_EVENT_FAILURE;
  else if (load_native_is (data, len, "welcome"))
    load_page (self, conn);
  else if (load_native_is (data, len, "get_server_members"))
    event->kind = conn->state == LOAD_CONN_JOINING ? LOAD_EVENT_READY : LOAD_EVENT_FAILURE;
  else if (load_native_is (data, len, "get_messages"))
    self->joined++;
  else if (load_payload_find (data, len, &conn->hint, &payload))
    self->done++;
}

static void
start_phase (Presence *self, const char *status)
{
  self->status = status;
  self->done = 0;
  self->heard = 0;
  memset (self->seen, 0, self->n_watchers * sizeof *self->seen);
}

static uint64_t
count_wanted (const Presence *self)
{
  uint64_t wanted = 0;
  for (uint32_t i = 0; i < self->n_watchers; i++)
    wanted += count_movers (self, user_of (self, i));
  return wanted;
}

/* Until nothing has come for a while. */
static bool
settle (Presence *self, LoadEngine *engine)
{
  uint64_t before;
  start_phase (self, "");
  do
    {
      before = self->heard;
      load_engine_rest (engine, QUIET_S);
    }
  while (self->heard > before && !engine->failed);
  return !engine->failed;
}

static bool
leave (Presence *self, LoadEngine *engine, LoadSample *left)
{
  start_phase (self, "\"status\":\"offline\"");
  while (engine->n_ready > self->n_watchers)
    load_conn_drop (engine->conns[engine->n_ready - 1]);
  if (!load_engine_rest (engine, REST_AFTER_LEAVING_S))
    return false;
  if (self->done > 0)
    load_engine_fail (engine, "users went offline within %.0f s: presence.grace is too short", REST_AFTER_LEAVING_S);
  load_sample_take (engine, left);
  return load_native_run_until (engine, &self->done, count_wanted (self));
}

static bool
come (Presence *self, LoadEngine *engine)
{
  start_phase (self, "\"status\":\"online\"");
  return load_engine_open (engine) && load_native_run_until (engine, &self->done, count_wanted (self));
}

static bool
join_channel (Presence *self, LoadEngine *engine)
{
  char text[128];
  snprintf (text, sizeof text, "{\"type\":\"get_messages\",\"channel_id\":\"%s\",\"limit\":1,\"ref\":2}",
            engine->options->channels[0]);
  for (uint32_t i = 0; i < self->n_watchers; i++)
    load_conn_send_text (engine->conns[i], text);
  return load_native_run_until (engine, &self->joined, self->n_watchers);
}

/* @rounds times @window messages at once, each round when all have the one before */
static bool
fan_out (Presence *self, LoadEngine *engine, uint32_t rounds, uint32_t window)
{
  LoadConn *conn = engine->conns[self->n_watchers / 2];
  self->done = 0;
  for (uint32_t i = 0; i < rounds; i++)
    {
      for (uint32_t n = 0; n < window; n++)
        {
          LoadPayload payload = { 0, n, load_engine_read_clock (engine) };
          char text[512] = "";
          int head = snprintf (text, sizeof text, "{\"type\":\"message\",\"channel\":\"%s\",\"ref\":3,\"message\":\"",
                               engine->options->channels[0]);
          load_payload_write ((uint8_t *)text + head, LOAD_PAYLOAD_MIN, &payload);
          snprintf (text + head + LOAD_PAYLOAD_MIN, 3, "\"}");
          load_conn_send_text (conn, text);
        }
      if (!load_native_run_until (engine, &self->done, (uint64_t)(i + 1) * window * self->n_watchers))
        return false;
    }
  return true;
}

static double
us_per (const LoadSample *from, const LoadSample *to, uint64_t n)
{
  return n > 0 ? (double)(to->server_cpu - from->server_cpu) / 1000.0 / (double)n : 0;
}

static bool
measure (Presence *self, LoadEngine *engine, LoadReport *report)
{
  uint64_t wanted = count_wanted (self);
  uint32_t window = PAGE / 2;
  LoadSample start;
  LoadSample left;
  LoadSample told;
  LoadSample away;
  LoadSample back;
  LoadSample plain[3];
  uint64_t n_told;
  uint64_t n_back;
  uint64_t n_alone = (uint64_t)ROUNDS_ALONE * self->n_watchers;
  uint64_t n_together = (uint64_t)window * self->n_watchers;
  bool all;
  if (!load_engine_open (engine) || !settle (self, engine))
    return false;
  load_sample_take (engine, &start);
  all = leave (self, engine, &left);
  load_sample_take (engine, &told);
  n_told = self->done;
  load_sample_take (engine, &away);
  all = all && come (self, engine);
  load_sample_take (engine, &back);
  n_back = self->heard;
  if (engine->failed || (all && !(settle (self, engine) && join_channel (self, engine) && fan_out (self, engine, 1, 1))))
    return false;
  load_sample_take (engine, &plain[0]);
  all = all && fan_out (self, engine, ROUNDS_ALONE, 1);
  load_sample_take (engine, &plain[1]);
  all = all && fan_out (self, engine, 1, window);
  load_sample_take (engine, &plain[2]);
  if (engine->failed)
    return false;
  load_report_count (report, "users", self->n_users);
  load_report_count (report, "watchers", self->n_watchers);
  load_report_work (report, &left, &told, "changes", n_told);
  load_report_number (report, "cpu_us_leaving", us_per (&start, &told, n_told));
  load_report_number (report, "cpu_us_coming", us_per (&away, &back, n_back));
  load_report_number (report, "cpu_us_message", us_per (&plain[0], &plain[1], n_alone));
  load_report_number (report, "cpu_us_messages", us_per (&plain[1], &plain[2], n_together));
  load_report_number (report, "ratio", us_per (&left, &told, n_told) / us_per (&plain[0], &plain[1], n_alone));
  load_report_count (report, "wanted", wanted);
  load_report_count (report, "lost", all ? 0 : wanted - n_told);
  load_report_count (report, "repeats", self->repeats);
  load_report_count (report, "foreign", self->foreign);
  all = all && self->repeats == 0 && self->foreign == 0;
  load_report_flag (report, "ok", all);
  return all;
}

bool
load_scenario_presence (LoadEngine *engine, LoadReport *report)
{
  static const LoadProtocol PROTOCOL = {
    .name = "hark",
    .needs_accounts = true,
    .path = load_native_path,
    .upgraded = load_native_upgraded,
    .decode = decode,
  };
  const LoadOptions *options = engine->options;
  Presence self = { .n_users = options->clients & ~1u };
  bool ok;
  if (options->n_accounts < self.n_users || options->server == NULL || options->n_channels == 0)
    {
      load_engine_fail (engine, "--accounts with %u users, --server and --channels are needed", self.n_users);
      return false;
    }
  self.n_watchers = self.n_users / 2;
  self.ids = calloc (self.n_users, sizeof *self.ids);
  self.seen = calloc (self.n_watchers, sizeof *self.seen);
  assert (self.ids != NULL && self.seen != NULL);
  for (uint32_t i = 0; i < self.n_users; i++)
    {
      self.ids[i] = strtoll (options->accounts[i].user, NULL, 10);
      load_engine_add (engine)->account = &options->accounts[user_of (&self, i)];
    }
  engine->protocol = &PROTOCOL;
  engine->scenario = &self;
  ok = measure (&self, engine, report);
  free (self.ids);
  free (self.seen);
  return ok && !engine->failed;
}
