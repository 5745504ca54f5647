/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor: no server at all. One thread writes to so many loopback connections in turn, as many messages in one send as
 * the window says, and reads them back: what the kernel of this machine takes for a delivery before a server has done
 * anything. Times from two machines, or from two moments of one that is shared, compare through this.
 */
#include "load-scenario.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_HEADER 4
#define ROUNDS_AT_ONCE 10

typedef struct
{
  uint32_t n;
  int *senders;   /* (owned) */
  int *receivers; /* (owned) */
  uint8_t *buffer;
  size_t len; /* of one send */
} Floor;

static int64_t
thread_cpu (void)
{
  struct timespec ts;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
  return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static bool
open_pairs (Floor *self, LoadEngine *engine)
{
  struct sockaddr_in address = engine->address;
  socklen_t size = sizeof address;
  const int on = 1;
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_port = 0;
  if (listener < 0 || bind (listener, (struct sockaddr *)&address, size) < 0 || listen (listener, 128) < 0
      || getsockname (listener, (struct sockaddr *)&address, &size) < 0)
    load_engine_fail (engine, "listen: %s", strerror (errno));
  for (uint32_t i = 0; i < self->n && !engine->failed; i++)
    {
      self->senders[i] = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (self->senders[i] < 0 || connect (self->senders[i], (struct sockaddr *)&address, size) < 0)
        load_engine_fail (engine, "connect: %s", strerror (errno));
      else if ((self->receivers[i] = accept4 (listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
        load_engine_fail (engine, "accept: %s", strerror (errno));
      else
        setsockopt (self->senders[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
  if (listener >= 0)
    close (listener);
  return !engine->failed;
}

static void
send_all (Floor *self, LoadEngine *engine)
{
  for (uint32_t i = 0; i < self->n; i++)
    if (send (self->senders[i], self->buffer, self->len, MSG_NOSIGNAL) != (ssize_t)self->len)
      load_engine_fail (engine, "send: %s", strerror (errno));
}

static void
receive_all (Floor *self, LoadEngine *engine)
{
  for (uint32_t i = 0; i < self->n; i++)
    if (recv (self->receivers[i], self->buffer, self->len, MSG_WAITALL) != (ssize_t)self->len)
      load_engine_fail (engine, "recv: %s", strerror (errno));
}

static void
close_all (int *fds, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    if (fds[i] > 0)
      close (fds[i]);
  free (fds);
}

bool
load_scenario_floor (LoadEngine *engine, LoadReport *report)
{
  const LoadOptions *options = engine->options;
  Floor self = { .n = options->clients, .len = options->window * (options->size + FRAME_HEADER) };
  int64_t end = (int64_t)(options->seconds * 1e9);
  int64_t cpu = 0;
  uint64_t deliveries = 0;
  self.senders = calloc (self.n, sizeof *self.senders);
  self.receivers = calloc (self.n, sizeof *self.receivers);
  self.buffer = calloc (1, self.len);
  assert (self.senders != NULL && self.receivers != NULL && self.buffer != NULL);
  if (open_pairs (&self, engine))
    end += load_engine_read_clock (engine);
  while (!engine->failed && load_engine_read_clock (engine) < end)
    for (int i = 0; i < ROUNDS_AT_ONCE && !engine->failed; i++)
      {
        int64_t start = thread_cpu ();
        send_all (&self, engine);
        cpu += thread_cpu () - start;
        deliveries += (uint64_t)self.n * options->window;
        receive_all (&self, engine);
      }
  close_all (self.senders, self.n);
  close_all (self.receivers, self.n);
  free (self.buffer);
  if (engine->failed)
    return false;
  load_report_count (report, "clients", options->clients);
  load_report_count (report, "window", options->window);
  load_report_count (report, "deliveries", deliveries);
  load_report_number (report, "cpu_us", deliveries > 0 ? (double)cpu / 1000.0 / (double)deliveries : 0);
  load_report_flag (report, "ok", true);
  return true;
}
