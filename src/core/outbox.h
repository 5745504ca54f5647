/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/buffer.h"

#include <sys/uio.h>

G_BEGIN_DECLS

/**
 * HarkOutbox:
 *
 * The bytes on their way to one client: a queue of shared buffers that counts what it holds. Embedded in the
 * transport; an empty one owns no memory. Each buffer holds whole wire units (frames): a boundary of buffers is a
 * place where something else may be put between.
 */
typedef struct
{
  union
  {
    HarkBuffer *embedded[2]; /* the ring while @capacity is that of this array: most outboxes never hold more */
    HarkBuffer **items;      /* (owned): the ring when it is larger */
  };
  guint16 capacity;
  guint16 head;
  guint16 count;
  guint32 offset; /* bytes of the first buffer that are already sent */
  gsize bytes;    /* not yet sent, over all buffers */
} HarkOutbox;

void hark_outbox_init (HarkOutbox *self);
void hark_outbox_clear (HarkOutbox *self);
gboolean hark_outbox_push (HarkOutbox *self, HarkBuffer *buffer, gsize max_bytes);
guint hark_outbox_peek (const HarkOutbox *self, struct iovec *iov, guint n_iov);
void hark_outbox_consume (HarkOutbox *self, gsize bytes);
HarkBuffer *hark_outbox_get_nth (const HarkOutbox *self, guint i);
HarkBuffer *hark_outbox_get_first (const HarkOutbox *self);
gboolean hark_outbox_prepend (HarkOutbox *self, HarkOutbox *before);
void hark_outbox_drop_unsent (HarkOutbox *self);
gboolean hark_outbox_find_unsent (const HarkOutbox *self, guint64 key, gint64 *seq);
gint64 hark_outbox_get_unsent_rev (const HarkOutbox *self);

static inline gboolean
hark_outbox_is_empty (const HarkOutbox *self)
{
  return self->count == 0;
}

G_END_DECLS
