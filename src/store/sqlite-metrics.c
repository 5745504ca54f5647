/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names under which the store's figures are found. */
#include "store/sqlite-metrics.h"

void
hark_sqlite_metrics_init (HarkSqliteMetrics *self, HarkMetrics *metrics)
{
  self->jobs = hark_metrics_counter (metrics, "hark_store_jobs_total", "Writing jobs committed.");
  self->failed_jobs
    = hark_metrics_counter (metrics, "hark_store_failed_jobs_total", "Writing jobs that ended with an error.");
  self->commits = hark_metrics_counter (metrics, "hark_store_commits_total", "Commits, each of one or more jobs.");
  self->failed_commits
    = hark_metrics_counter (metrics, "hark_store_failed_commits_total", "Transactions that could not be committed.");
  self->overloads
    = hark_metrics_counter (metrics, "hark_store_overloads_total", "Jobs refused because a queue was full.");
  self->reads = hark_metrics_counter (metrics, "hark_store_reads_total", "Reading jobs done.");
  self->failed_reads
    = hark_metrics_counter (metrics, "hark_store_failed_reads_total", "Reading jobs that ended with an error.");
  self->checkpoints
    = hark_metrics_counter (metrics, "hark_store_checkpoints_total", "Times the log was copied into the file.");
  self->failing = hark_metrics_gauge (metrics, "hark_store_failing", "1 while the store cannot write, otherwise 0.");
  self->batch = hark_metrics_gauge (metrics, "hark_store_batch_jobs", "Jobs in the last commit.");
  self->write_queue = hark_metrics_gauge (metrics, "hark_store_write_queue_jobs", "Writing jobs that wait.");
  self->read_queue = hark_metrics_gauge (metrics, "hark_store_read_queue_jobs", "Reading jobs that wait.");
  self->wal_pages
    = hark_metrics_gauge (metrics, "hark_store_wal_pages", "Pages in the log that are not yet in the file.");
  self->write_time
    = hark_metrics_histogram (metrics, "hark_store_write_seconds", "From asking for a write to its commit.");
  self->commit_time = hark_metrics_histogram (metrics, "hark_store_commit_seconds", "The commit alone.");
  self->read_time
    = hark_metrics_histogram (metrics, "hark_store_read_seconds", "From asking for a read to its result.");
}
