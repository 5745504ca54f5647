/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one place where the store's threads wait. A GAsyncQueue takes one element at a time and signals at each push;
 * here a thread takes all that waits at once and is only woken when it sleeps.
 */
#include "store/job-queue.h"

/* @max: jobs; @gauge: shows how many wait */
void
hark_job_queue_init (HarkJobQueue *self, guint max, HarkGauge *gauge)
{
  *self = (HarkJobQueue){ .max = max, .wanted = 1, .gauge = gauge };
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
}

void
hark_job_queue_clear (HarkJobQueue *self)
{
  g_assert (self->jobs.len == 0);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
}

/**
 * hark_job_queue_push:
 * @job: (transfer full): only when it was taken
 *
 * Returns: %FALSE when the queue is full or closed
 */
gboolean
hark_job_queue_push (HarkJobQueue *self, HarkJob *job)
{
  gboolean taken, wake;
  g_mutex_lock (&self->lock);
  taken = !self->closed && self->jobs.len < self->max;
  if (taken)
    {
      hark_job_list_append (&self->jobs, job);
      hark_gauge_set (self->gauge, self->jobs.len);
    }
  wake = taken && self->waiting > 0 && self->jobs.len >= self->wanted;
  g_mutex_unlock (&self->lock);
  if (wake)
    g_cond_signal (&self->cond);
  return taken;
}

/**
 * hark_job_queue_push_list:
 * @list: emptied of what is taken; what is left in it was refused
 *
 * As hark_job_queue_push () for each, but a thread sees all of them or none.
 */
void
hark_job_queue_push_list (HarkJobQueue *self, HarkJobList *list)
{
  gboolean wake = FALSE;
  g_mutex_lock (&self->lock);
  if (!self->closed && self->jobs.len < self->max)
    {
      hark_job_list_move (&self->jobs, list, self->max - self->jobs.len);
      hark_gauge_set (self->gauge, self->jobs.len);
      wake = self->waiting > 0 && self->jobs.len >= self->wanted;
    }
  g_mutex_unlock (&self->lock);
  if (wake)
    g_cond_signal (&self->cond);
}

/* Returns: %FALSE when @until has passed */
static gboolean
wait_until (HarkJobQueue *self, gint64 until)
{
  gboolean in_time = TRUE;
  self->waiting++;
  if (until < 0)
    g_cond_wait (&self->cond, &self->lock);
  else
    in_time = g_cond_wait_until (&self->cond, &self->lock, until);
  self->waiting--;
  return in_time;
}

/**
 * hark_job_queue_pop:
 * @list: gets jobs, in order
 * @max: at most so many
 * @linger_ms: how long to wait for @max jobs when there is one; only for a queue with a single thread
 * @timeout_us: how long to wait for the first, or -1
 *
 * Returns: %FALSE when the queue is closed and empty; %TRUE with nothing in @list at the time-out
 */
gboolean
hark_job_queue_pop (HarkJobQueue *self, HarkJobList *list, guint max, guint linger_ms, gint64 timeout_us)
{
  gint64 until = timeout_us < 0 ? -1 : g_get_monotonic_time () + timeout_us;
  gboolean more;
  g_mutex_lock (&self->lock);
  while (self->jobs.len == 0 && !self->closed)
    if (!wait_until (self, until))
      break;
  if (linger_ms > 0 && self->jobs.len > 0)
    {
      until = self->jobs.head->asked + (gint64)linger_ms * 1000;
      self->wanted = max;
      while (self->jobs.len < max && !self->closed)
        if (!wait_until (self, until))
          break;
      self->wanted = 1;
    }
  hark_job_list_move (list, &self->jobs, max);
  hark_gauge_set (self->gauge, self->jobs.len);
  more = list->len > 0 || !self->closed;
  g_mutex_unlock (&self->lock);
  return more;
}

/* Refuses what comes from now on; what waits is still handed out. */
void
hark_job_queue_close (HarkJobQueue *self)
{
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
}
