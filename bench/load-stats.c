/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is measured beside the messages: the server's CPU time and memory, from the kernel's accounts of its processes,
 * and how a run's figures are written down. CPU time is a process's CPU clock: utime and stime of all its threads, the
 * ended ones too, but in nanoseconds where /proc/PID/stat has hundredths of a second.
 */
#include "load-stats.h"

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_TREE 256

/* Long enough for a collector that was asked to run, and for the kernel to free what was closed. */
#define SETTLE_SECONDS 1.0

double
load_histogram_quantile_us (const LoadHistogram *histogram, double quantile)
{
  uint64_t wanted = (uint64_t)ceil (quantile * (double)histogram->count);
  uint64_t seen = 0;
  for (uint64_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++)
    {
      seen += histogram->buckets[i];
      if (seen >= wanted && seen > 0)
        {
          uint64_t shift = i < 2 * LOAD_HISTOGRAM_SUB ? 0 : i / LOAD_HISTOGRAM_SUB - 1;
          uint64_t value = (i - shift * LOAD_HISTOGRAM_SUB) << shift;
          return (double)value / 1000.0;
        }
    }
  return 0;
}

static int64_t
nanoseconds (const struct timespec *ts)
{
  return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

static size_t
add_children (pid_t pid, pid_t *pids, size_t n)
{
  char path[64];
  DIR *dir;
  struct dirent *entry;
  snprintf (path, sizeof path, "/proc/%d/task", (int)pid);
  dir = opendir (path);
  if (dir == NULL)
    return n;
  while ((entry = readdir (dir)) != NULL)
    {
      char children[384];
      FILE *file;
      int child;
      if (entry->d_name[0] == '.')
        continue;
      snprintf (children, sizeof children, "%s/%s/children", path, entry->d_name);
      file = fopen (children, "re");
      if (file == NULL)
        continue;
      while (n < MAX_TREE && fscanf (file, "%d", &child) == 1)
        {
          pids[n++] = (pid_t)child;
          n = add_children ((pid_t)child, pids, n);
        }
      fclose (file);
    }
  closedir (dir);
  return n;
}

static size_t
list_processes (const LoadOptions *options, pid_t pids[MAX_TREE])
{
  size_t n = 0;
  for (size_t i = 0; i < options->n_pids; i++)
    {
      pids[n++] = options->pids[i];
      if (options->tree)
        n = add_children (options->pids[i], pids, n);
    }
  return n;
}

static void
add_memory (pid_t pid, LoadSample *sample)
{
  char path[64];
  char line[256];
  FILE *file;
  snprintf (path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
  file = fopen (path, "re");
  if (file == NULL)
    return;
  while (fgets (line, sizeof line, file) != NULL)
    {
      long long kib;
      if (sscanf (line, "Rss: %lld", &kib) == 1)
        sample->rss += kib * 1024;
      else if (sscanf (line, "Pss: %lld", &kib) == 1)
        sample->pss += kib * 1024;
    }
  fclose (file);
}

void
load_sample_take (LoadEngine *engine, LoadSample *sample)
{
  pid_t pids[MAX_TREE];
  size_t n = list_processes (engine->options, pids);
  struct timespec ts;
  memset (sample, 0, sizeof *sample);
  sample->at = load_engine_read_clock (engine);
  for (size_t i = 0; i < n; i++)
    {
      clockid_t clock;
      if (clock_getcpuclockid (pids[i], &clock) != 0 || clock_gettime (clock, &ts) != 0)
        {
          load_engine_fail (engine, "process %d: no CPU time; has the server ended?", (int)pids[i]);
          return;
        }
      sample->server_cpu += nanoseconds (&ts);
    }
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &ts);
  sample->own_cpu = nanoseconds (&ts);
}

/* With memory: asks a server that collects garbage to do so, where the options name a signal for it, and waits. */
void
load_sample_take_settled (LoadEngine *engine, LoadSample *sample)
{
  pid_t pids[MAX_TREE];
  size_t n;
  if (engine->options->settle_signal != 0)
    for (size_t i = 0; i < engine->options->n_pids; i++)
      kill (engine->options->pids[i], engine->options->settle_signal);
  load_engine_rest (engine, SETTLE_SECONDS);
  load_sample_take (engine, sample);
  n = list_processes (engine->options, pids);
  for (size_t i = 0; i < n; i++)
    add_memory (pids[i], sample);
}

static void
append (LoadReport *report, const char *key, const char *value, const char *quote)
{
  size_t json = strlen (report->json);
  size_t human = strlen (report->human);
  snprintf (report->json + json, sizeof report->json - json, "%s\"%s\":%s%s%s", json > 0 ? "," : "{", key, quote, value,
            quote);
  snprintf (report->human + human, sizeof report->human - human, "%s%s %s", human > 0 ? ", " : "", key, value);
}

void
load_report_text (LoadReport *report, const char *key, const char *value)
{
  append (report, key, value, "\"");
}

void
load_report_number (LoadReport *report, const char *key, double value)
{
  char text[32];
  snprintf (text, sizeof text, fabs (value) < 10 ? "%.4f" : "%.1f", value);
  append (report, key, text, "");
}

void
load_report_count (LoadReport *report, const char *key, uint64_t value)
{
  char text[32];
  snprintf (text, sizeof text, "%llu", (unsigned long long)value);
  append (report, key, text, "");
}

void
load_report_flag (LoadReport *report, const char *key, bool value)
{
  append (report, key, value ? "true" : "false", "");
}

void
load_report_latency (LoadReport *report, const LoadHistogram *histogram)
{
  load_report_number (report, "p50_us", load_histogram_quantile_us (histogram, 0.5));
  load_report_number (report, "p99_us", load_histogram_quantile_us (histogram, 0.99));
}

/* The server's CPU time for each of @n, how many there were in a second, and how busy both sides' cores were. */
void
load_report_work (LoadReport *report, const LoadSample *from, const LoadSample *to, const char *unit, uint64_t n)
{
  double wall = (double)(to->at - from->at);
  char key[64];
  load_report_count (report, unit, n);
  snprintf (key, sizeof key, "%s_per_s", unit);
  load_report_number (report, key, wall > 0 ? (double)n * 1e9 / wall : 0);
  load_report_number (report, "cpu_us", n > 0 ? (double)(to->server_cpu - from->server_cpu) / 1000.0 / (double)n : 0);
  load_report_number (report, "server_busy", wall > 0 ? (double)(to->server_cpu - from->server_cpu) / wall : 0);
  load_report_number (report, "load_busy", wall > 0 ? (double)(to->own_cpu - from->own_cpu) / wall : 0);
}

void
load_report_print (const LoadReport *report)
{
  fprintf (stderr, "%s\n", report->human);
  printf ("%s}\n", report->json);
  fflush (stdout);
}
