/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/job.h"

#include "base/metrics.h"

G_BEGIN_DECLS

/**
 * HarkJobQueue:
 *
 * Jobs that wait for a thread. Bounded: a push beyond the bound is refused rather than waited for, because the hub
 * never waits. Threads wait in it until there is something to do.
 */
typedef struct
{
  GMutex lock; /* guards all below */
  GCond cond;
  HarkJobList jobs;
  guint max;
  guint waiting; /* threads in cond */
  guint wanted;  /* jobs before a waiting thread is woken */
  gboolean closed;
  HarkGauge *gauge;
} HarkJobQueue;

void hark_job_queue_init (HarkJobQueue *self, guint max, HarkGauge *gauge);
void hark_job_queue_clear (HarkJobQueue *self);
gboolean hark_job_queue_push (HarkJobQueue *self, HarkJob *job);
void hark_job_queue_push_list (HarkJobQueue *self, HarkJobList *list);
gboolean hark_job_queue_pop (HarkJobQueue *self, HarkJobList *list, guint max, guint linger_ms, gint64 timeout_us);
void hark_job_queue_close (HarkJobQueue *self);

G_END_DECLS
