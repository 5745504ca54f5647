/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where finished jobs arrive in the hub's thread. One source for all of them, woken once for a whole commit: an idle
 * source per job would cost more than the job. When it has handed over what there is it ends the turn, so that a
 * commit's events are delivered and written together.
 */
#include "store/mailbox.h"

/* Jobs in one dispatch: after a long commit the sockets get their turn in between. */
#define MAX_DISPATCH 4096

struct _HarkMailbox
{
  GSource source;
  GMutex lock;
  HarkJobList posted; /* guarded by lock */
  gint waiting;       /* atomic: there is something to hand over */
  HarkJobList ready;  /* the hub's: taken from posted, not yet handed over */
  HarkCommitted committed;
  gpointer committed_data;
  HarkTurn *turn; /* (nullable) (owned) */
};

/* Returns: whether some are left */
static gboolean
hand_over (HarkMailbox *self, guint max)
{
  g_mutex_lock (&self->lock);
  hark_job_list_move (&self->ready, &self->posted, G_MAXUINT);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < max && self->ready.len > 0; i++)
    {
      HarkJob *job = hark_job_list_pop (&self->ready);
      if (job->events != NULL && self->committed != NULL)
        self->committed (job->events, self->committed_data);
      hark_job_finish (job);
    }
  if (self->turn != NULL)
    hark_turn_end (self->turn);
  return self->ready.len > 0;
}

/* Not by the source's ready time: setting that back wakes the loop for one more empty turn after each commit. */
static gboolean
mailbox_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return g_atomic_int_get (&((HarkMailbox *)source)->waiting);
}

static gboolean
mailbox_check (GSource *source)
{
  return g_atomic_int_get (&((HarkMailbox *)source)->waiting);
}

static gboolean
mailbox_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  HarkMailbox *self = (HarkMailbox *)source;
  g_atomic_int_set (&self->waiting, FALSE);
  if (hand_over (self, MAX_DISPATCH))
    g_atomic_int_set (&self->waiting, TRUE);
  return G_SOURCE_CONTINUE;
}

static void
mailbox_finalize (GSource *source)
{
  HarkMailbox *self = (HarkMailbox *)source;
  g_assert (self->posted.len == 0 && self->ready.len == 0);
  g_mutex_clear (&self->lock);
  g_clear_object (&self->turn);
}

static GSourceFuncs mailbox_funcs = { mailbox_prepare, mailbox_check, mailbox_dispatch, mailbox_finalize };

/* Returns: (transfer full): a mailbox that is emptied by @context */
HarkMailbox *
hark_mailbox_new (GMainContext *context)
{
  GSource *source = g_source_new (&mailbox_funcs, sizeof (HarkMailbox));
  g_mutex_init (&((HarkMailbox *)source)->lock);
  g_source_set_static_name (source, "hark-store");
  g_source_attach (source, context);
  return (HarkMailbox *)source;
}

/* Detaches and frees it; it must have been flushed, and nobody may post any more. */
void
hark_mailbox_destroy (HarkMailbox *self)
{
  g_source_destroy ((GSource *)self);
  g_source_unref ((GSource *)self);
}

void
hark_mailbox_set_committed (HarkMailbox *self, HarkCommitted func, gpointer user_data)
{
  self->committed = func;
  self->committed_data = user_data;
}

void
hark_mailbox_set_turn (HarkMailbox *self, HarkTurn *turn)
{
  g_set_object (&self->turn, turn);
}

/**
 * hark_mailbox_post:
 * @jobs: finished ones; emptied
 *
 * From any thread.
 */
void
hark_mailbox_post (HarkMailbox *self, HarkJobList *jobs)
{
  gboolean wake;
  g_mutex_lock (&self->lock);
  wake = self->posted.len == 0 && jobs->len > 0;
  hark_job_list_move (&self->posted, jobs, G_MAXUINT);
  g_mutex_unlock (&self->lock);
  if (!wake)
    return;
  g_atomic_int_set (&self->waiting, TRUE);
  g_main_context_wakeup (g_source_get_context ((GSource *)self));
}

/* Hands over all there is, and what that brings about, in the calling thread: the hub's, at the end. */
void
hark_mailbox_flush (HarkMailbox *self)
{
  gboolean more = TRUE;
  while (more)
    {
      hand_over (self, G_MAXUINT);
      g_mutex_lock (&self->lock);
      more = self->posted.len > 0;
      g_mutex_unlock (&self->lock);
    }
}
