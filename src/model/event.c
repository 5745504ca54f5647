/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One change on a topic, as a value that threads hand to each other. */
#include "model/event.h"

#include <string.h>

/**
 * hark_event_new:
 * @kind: (not nullable): will be interned
 * @json: (array length=len): copied
 *
 * Returns: (transfer full): an event for everyone who has the topic
 */
HarkEvent *
hark_event_new (const HarkTopic *topic, gint64 seq, gint64 rev, const char *kind, const char *json, gsize len)
{
  HarkEvent *self = g_malloc (sizeof (HarkEvent) + len);
  g_atomic_ref_count_init (&self->refs);
  self->topic = hark_topic_copy (topic);
  self->seq = seq;
  self->rev = rev;
  self->kind = g_intern_string (kind);
  self->audience = NULL;
  self->except = 0;
  self->subject = 0;
  self->droppable = FALSE;
  self->len = len;
  memcpy (self->json, json, len);
  return self;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

/**
 * hark_event_take_audience:
 * @audience: (transfer full) (element-type gint64): user ids, in any order
 *
 * Restricts the event to some users. Before anyone else has it.
 */
void
hark_event_take_audience (HarkEvent *self, GArray *audience)
{
  g_clear_pointer (&self->audience, g_array_unref);
  g_array_sort (audience, compare_ids);
  self->audience = audience;
}

/* Keeps the event from one user, as from who caused it. For what is not stored; before anyone else has it. */
void
hark_event_set_except (HarkEvent *self, gint64 user_id)
{
  self->except = user_id;
}

/* Makes the event the first to be left out when a receiver is slow. For what is not stored; before anyone else has it. */
void
hark_event_set_droppable (HarkEvent *self)
{
  self->droppable = TRUE;
}

gboolean
hark_event_may_see (const HarkEvent *self, gint64 user_id)
{
  if (self->except != 0 && self->except == user_id)
    return FALSE;
  return self->audience == NULL || g_array_binary_search (self->audience, &user_id, compare_ids, NULL);
}

HarkEvent *
hark_event_ref (HarkEvent *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
hark_event_unref (HarkEvent *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  hark_topic_clear (&self->topic);
  g_clear_pointer (&self->audience, g_array_unref);
  g_free (self);
}
