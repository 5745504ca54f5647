/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of work and lists of them. */
#include "store/job.h"

HarkJob *
hark_job_new (HarkWork work, gpointer data, GDestroyNotify destroy, HarkWorkDone done, gpointer user_data)
{
  HarkJob *self = g_new (HarkJob, 1);
  *self = (HarkJob){ NULL, work, data, destroy, done, user_data, g_get_monotonic_time (), NULL, NULL, NULL };
  return self;
}

/* Without telling anyone; data and result go. */
void
hark_job_free (HarkJob *self)
{
  g_clear_pointer (&self->events, g_ptr_array_unref);
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_clear_error (&self->error);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self);
}

/* Tells who asked, and frees. */
void
hark_job_finish (HarkJob *self)
{
  if (self->done != NULL)
    self->done (self->data, self->error, self->user_data);
  hark_job_free (self);
}

/**
 * hark_job_take_error:
 * @error: (transfer full): instead of what the job had found out: none of it is stored
 */
void
hark_job_take_error (HarkJob *self, GError *error)
{
  g_clear_error (&self->error);
  g_clear_pointer (&self->events, g_ptr_array_unref);
  self->error = error;
}

/* Moves the first @max jobs of @from to the end of @self. */
void
hark_job_list_move (HarkJobList *self, HarkJobList *from, guint max)
{
  HarkJob *last;
  if (from->len > max)
    {
      for (guint i = 0; i < max; i++)
        hark_job_list_append (self, hark_job_list_pop (from));
      return;
    }
  if (from->len == 0)
    return;
  last = self->tail;
  if (last != NULL)
    last->next = from->head;
  else
    self->head = from->head;
  self->tail = from->tail;
  self->len += from->len;
  *from = (HarkJobList){ NULL, NULL, 0 };
}
