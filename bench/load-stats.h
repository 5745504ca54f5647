/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-conn.h"

/* Times in 64 buckets to each power of two: at most 1.6% wrong, whatever their size. */
#define LOAD_HISTOGRAM_SUB 64
#define LOAD_HISTOGRAM_BUCKETS (LOAD_HISTOGRAM_SUB * 60)

typedef struct
{
  uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
  uint64_t count;
} LoadHistogram;

static inline void
load_histogram_add (LoadHistogram *histogram, int64_t ns)
{
  uint64_t value = ns > 0 ? (uint64_t)ns : 0;
  unsigned shift = value < 2 * LOAD_HISTOGRAM_SUB ? 0 : 57u - (unsigned)__builtin_clzll (value);
  uint64_t index = (uint64_t)shift * LOAD_HISTOGRAM_SUB + (value >> shift);
  histogram->buckets[index < LOAD_HISTOGRAM_BUCKETS ? index : LOAD_HISTOGRAM_BUCKETS - 1]++;
  histogram->count++;
}

double load_histogram_quantile_us (const LoadHistogram *histogram, double quantile);

/* What the server has used so far, and the clock beside it. */
typedef struct
{
  int64_t at;         /* nanoseconds of the engine's clock */
  int64_t server_cpu; /* nanoseconds, all processes and threads */
  int64_t own_cpu;
  int64_t rss; /* bytes; only of load_sample_take_settled () */
  int64_t pss;
} LoadSample;

void load_sample_take (LoadEngine *engine, LoadSample *sample);
void load_sample_take_settled (LoadEngine *engine, LoadSample *sample);

/* One line of JSON and one for people, of the same fields. */
typedef struct
{
  char json[2048];
  char human[2048];
} LoadReport;

void load_report_text (LoadReport *report, const char *key, const char *value);
void load_report_number (LoadReport *report, const char *key, double value);
void load_report_count (LoadReport *report, const char *key, uint64_t value);
void load_report_flag (LoadReport *report, const char *key, bool value);
void load_report_latency (LoadReport *report, const LoadHistogram *histogram);
void load_report_work (LoadReport *report, const LoadSample *from, const LoadSample *to, const char *unit, uint64_t n);
void load_report_print (const LoadReport *report);
