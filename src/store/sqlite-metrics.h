/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkSqliteMetrics:
 *
 * The store's figures; valid as long as the registry they come from.
 */
typedef struct
{
  HarkCounter *jobs;        /* writing jobs that were committed */
  HarkCounter *failed_jobs; /* writing jobs that ended with an error, for whatever reason */
  HarkCounter *commits;
  HarkCounter *failed_commits;
  HarkCounter *overloads; /* jobs refused at a queue's bound */
  HarkCounter *reads;
  HarkCounter *failed_reads;
  HarkCounter *checkpoints;
  HarkGauge *failing;
  HarkGauge *batch; /* jobs in the last commit */
  HarkGauge *write_queue;
  HarkGauge *read_queue;
  HarkGauge *wal_pages;
  HarkHistogram *write_time;  /* from the call to the commit */
  HarkHistogram *commit_time; /* the commit alone */
  HarkHistogram *read_time;   /* from the call to the result */
} HarkSqliteMetrics;

void hark_sqlite_metrics_init (HarkSqliteMetrics *self, HarkMetrics *metrics);

G_END_DECLS
