/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes on their way to one client. A ring rather than a linked list: a fan-out pushes to ten thousand of these in
 * one turn and each is emptied at the turn's end, so neither may allocate per message. The ring begins inside the outbox,
 * which spares a fan-out one fetch from memory for each receiver, and what it has grown by is given back when it runs empty.
 */
#include "core/outbox.h"

#define EMBEDDED_CAPACITY G_N_ELEMENTS (((HarkOutbox *)NULL)->embedded)
#define MAX_CAPACITY 32768

void
hark_outbox_init (HarkOutbox *self)
{
  *self = (HarkOutbox){ .capacity = EMBEDDED_CAPACITY };
}

static inline HarkBuffer *const *
get_ring (const HarkOutbox *self)
{
  return self->capacity == EMBEDDED_CAPACITY ? self->embedded : self->items;
}

/* @i: counted from the first; below or equal to the count, which is where the next goes */
static inline HarkBuffer **
slot (const HarkOutbox *self, guint i)
{
  return (HarkBuffer **)&get_ring (self)[(self->head + i) & (self->capacity - 1)];
}

void
hark_outbox_clear (HarkOutbox *self)
{
  for (guint i = 0; i < self->count; i++)
    hark_buffer_unref (*slot (self, i));
  if (self->capacity > EMBEDDED_CAPACITY)
    g_free (self->items);
  hark_outbox_init (self);
}

static void
grow (HarkOutbox *self)
{
  guint capacity = self->capacity * 2;
  HarkBuffer **items = g_new (HarkBuffer *, capacity);
  for (guint i = 0; i < self->count; i++)
    items[i] = *slot (self, i);
  if (self->capacity > EMBEDDED_CAPACITY)
    g_free (self->items);
  self->items = items;
  self->capacity = capacity;
  self->head = 0;
}

/**
 * hark_outbox_push:
 * @buffer: a holder is added
 * @max_bytes: the bound
 *
 * Returns: %FALSE, with nothing queued, when the outbox would hold more than @max_bytes. A single buffer larger than
 *   the bound is let into an empty outbox: otherwise it could never be sent.
 */
gboolean
hark_outbox_push (HarkOutbox *self, HarkBuffer *buffer, gsize max_bytes)
{
  if (self->bytes + buffer->len > max_bytes && self->count > 0)
    return FALSE;
  if (self->count == self->capacity)
    {
      if (self->capacity == MAX_CAPACITY)
        return FALSE;
      grow (self);
    }
  *slot (self, self->count) = hark_buffer_ref (buffer);
  self->count++;
  self->bytes += buffer->len;
  return TRUE;
}

/**
 * hark_outbox_peek:
 * @iov: (array length=n_iov) (out caller-allocates): what to send next
 *
 * Returns: how many of @iov were filled
 */
guint
hark_outbox_peek (const HarkOutbox *self, struct iovec *iov, guint n_iov)
{
  guint n = MIN (n_iov, self->count);
  for (guint i = 0; i < n; i++)
    {
      HarkBuffer *buffer = *slot (self, i);
      iov[i].iov_base = buffer->data;
      iov[i].iov_len = buffer->len;
    }
  if (n > 0)
    {
      iov[0].iov_base = (guint8 *)iov[0].iov_base + self->offset;
      iov[0].iov_len -= self->offset;
    }
  return n;
}

/**
 * hark_outbox_consume:
 * @bytes: how many of the peeked bytes were sent
 */
void
hark_outbox_consume (HarkOutbox *self, gsize bytes)
{
  g_assert (bytes <= self->bytes);
  self->bytes -= bytes;
  while (self->count > 0)
    {
      HarkBuffer *buffer = *slot (self, 0);
      gsize left = buffer->len - self->offset;
      if (bytes < left)
        {
          self->offset += bytes;
          return;
        }
      bytes -= left;
      self->offset = 0;
      self->head = (self->head + 1) & (self->capacity - 1);
      self->count--;
      hark_buffer_unref (buffer);
    }
  if (self->capacity > EMBEDDED_CAPACITY)
    hark_outbox_clear (self);
}

/* Returns: (transfer none): the buffer before which @i others are sent; @i is below the count */
HarkBuffer *
hark_outbox_get_nth (const HarkOutbox *self, guint i)
{
  return *slot (self, i);
}

/* Returns: (transfer none) (nullable): the buffer that is sent first */
HarkBuffer *
hark_outbox_get_first (const HarkOutbox *self)
{
  return self->count > 0 ? *slot (self, 0) : NULL;
}

/**
 * hark_outbox_prepend:
 * @self: of whose first buffer nothing was sent
 * @before: (inout): what goes before it; empty afterwards
 *
 * Returns: %FALSE, with nothing changed, when both together are too many
 */
gboolean
hark_outbox_prepend (HarkOutbox *self, HarkOutbox *before)
{
  HarkOutbox behind = *self;
  if (before->count == 0)
    return TRUE;
  if (self->count + before->count > MAX_CAPACITY)
    return FALSE;
  g_assert (self->offset == 0);
  *self = *before;
  hark_outbox_init (before);
  for (guint i = 0; i < behind.count; i++)
    hark_outbox_push (self, *slot (&behind, i), G_MAXSIZE);
  hark_outbox_clear (&behind);
  return TRUE;
}

/**
 * hark_outbox_drop_unsent:
 *
 * Drops every buffer of which nothing was sent yet: what remains ends at a frame border, so that a close frame can
 * follow.
 */
void
hark_outbox_drop_unsent (HarkOutbox *self)
{
  guint keep = self->count > 0 && self->offset > 0 ? 1 : 0;
  while (self->count > keep)
    {
      HarkBuffer *buffer = *slot (self, self->count - 1);
      self->bytes -= buffer->len;
      self->count--;
      hark_buffer_unref (buffer);
    }
}

/**
 * hark_outbox_find_unsent:
 * @key: from hark_topic_key ()
 * @seq: (out): of the first stored event on that topic that is not wholly sent
 *
 * Returns: whether there is one
 */
gboolean
hark_outbox_find_unsent (const HarkOutbox *self, guint64 key, gint64 *seq)
{
  for (guint i = 0; i < self->count; i++)
    {
      HarkBuffer *buffer = *slot (self, i);
      if (buffer->key == key && buffer->seq > 0)
        {
          *seq = buffer->seq;
          return TRUE;
        }
    }
  return FALSE;
}

/* Returns: the least rev of what is not wholly sent; 0 when no stored event is among it */
gint64
hark_outbox_get_unsent_rev (const HarkOutbox *self)
{
  gint64 rev = 0;
  for (guint i = 0; i < self->count; i++)
    {
      HarkBuffer *buffer = *slot (self, i);
      if (buffer->rev > 0 && (rev == 0 || buffer->rev < rev))
        rev = buffer->rev;
    }
  return rev;
}
