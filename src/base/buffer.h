/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkBuffer:
 *
 * Immutable bytes with a count of holders: what a fan-out shares. A GBytes costs an atomic operation and a second
 * allocation per holder; a fan-out to ten thousand sessions makes ten thousand holders, all in the hub's thread, so
 * this one counts plainly and carries its bytes behind itself. Belongs to one thread at a time.
 */
typedef struct
{
  guint refs;
  guint32 len; /* bytes in @data */
  guint64 key; /* what the bytes are about, when they hold events: see hark_topic_key (); otherwise 0 */
  gint64 seq;  /* of the first stored one of these events, 0 for none: where a cursor stops while it is not sent */
  gint64 rev;  /* of that event */
  guint8 data[];
} HarkBuffer;

HarkBuffer *hark_buffer_new (gconstpointer data, gsize len);
HarkBuffer *hark_buffer_new_uninitialized (gsize len);
void hark_buffer_free (HarkBuffer *self);

static inline HarkBuffer *
hark_buffer_ref (HarkBuffer *self)
{
  self->refs++;
  return self;
}

static inline void
hark_buffer_unref (HarkBuffer *self)
{
  if (--self->refs == 0)
    hark_buffer_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkBuffer, hark_buffer_unref)

G_END_DECLS
