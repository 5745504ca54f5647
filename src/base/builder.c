/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared bytes while they are being put together; becomes a HarkBuffer without a copy. */
#include "base/builder.h"

/* For hark_builder_append_uninitialized (): makes room for @len more bytes. */
guint8 *
hark_builder_grow (HarkBuilder *self, gsize len)
{
  gsize old = hark_builder_get_len (self);
  gsize capacity = MAX (old + len, MAX (self->capacity * 2, 512));
  g_assert (capacity <= G_MAXUINT32);
  self->buffer = g_realloc (self->buffer, sizeof (HarkBuffer) + capacity);
  self->buffer->refs = 1;
  self->buffer->key = 0;
  self->buffer->seq = 0;
  self->buffer->rev = 0;
  self->buffer->len = old + len;
  self->capacity = capacity;
  return self->buffer->data + old;
}

/* Returns: (transfer full) (nullable): what was appended, %NULL for nothing; the builder is empty again */
HarkBuffer *
hark_builder_finish (HarkBuilder *self)
{
  HarkBuffer *buffer = g_steal_pointer (&self->buffer);
  /* A fan-out may keep this until its slowest reader has taken it: what is not used is given back. */
  if (buffer != NULL && self->capacity - buffer->len > 4096)
    buffer = g_realloc (buffer, sizeof (HarkBuffer) + buffer->len);
  self->capacity = 0;
  return buffer;
}

void
hark_builder_clear (HarkBuilder *self)
{
  g_clear_pointer (&self->buffer, hark_buffer_free);
  self->capacity = 0;
}
