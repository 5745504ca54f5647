/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last published events; see recent.h for what they are kept for. */
#include "core/recent.h"

void
hark_recent_init (HarkRecent *self, guint max_events, gsize max_bytes)
{
  *self = (HarkRecent){ 0 };
  g_queue_init (&self->events);
  self->max_events = max_events;
  self->max_bytes = max_bytes;
}

void
hark_recent_clear (HarkRecent *self)
{
  g_queue_clear_full (&self->events, (GDestroyNotify)hark_event_unref);
  self->bytes = 0;
}

/* What the store holds at the start was published by a process before this one. */
void
hark_recent_start_at (HarkRecent *self, gint64 rev)
{
  hark_recent_clear (self);
  self->floor = rev;
  self->rev = rev;
}

/* Takes a holder of @event, which is stored and newer than all before. */
void
hark_recent_push (HarkRecent *self, HarkEvent *event)
{
  g_assert (event->rev > self->rev);
  self->rev = event->rev;
  g_queue_push_tail (&self->events, hark_event_ref (event));
  self->bytes += event->len;
  while (self->events.length > self->max_events || (self->bytes > self->max_bytes && self->events.length > 1))
    {
      g_autoptr (HarkEvent) oldest = g_queue_pop_head (&self->events);
      self->bytes -= oldest->len;
      self->floor = oldest->rev;
    }
}

/* Returns: whether every event after @rev is held */
gboolean
hark_recent_reaches (const HarkRecent *self, gint64 rev)
{
  return rev >= self->floor;
}

/* Calls @func for each event after @rev that is held now, oldest first; it may push. Usually there is none, so the
 * search begins at the newest. */
void
hark_recent_foreach_since (HarkRecent *self, gint64 rev, HarkRecentFunc func, gpointer data)
{
  g_autoptr (GPtrArray) events = NULL;
  GList *link = self->events.tail;
  while (link != NULL && ((HarkEvent *)link->data)->rev > rev)
    link = link->prev;
  link = link != NULL ? link->next : self->events.head;
  if (link == NULL)
    return;
  events = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  for (; link != NULL; link = link->next)
    g_ptr_array_add (events, hark_event_ref (link->data));
  for (guint i = 0; i < events->len; i++)
    func (events->pdata[i], data);
}
