/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/buffer.h"

#include <string.h>

G_BEGIN_DECLS

/**
 * HarkBuilder:
 *
 * A HarkBuffer while it grows. Lives on the stack or zeroed inside another struct.
 */
typedef struct
{
  HarkBuffer *buffer; /* (owned) (nullable) */
  gsize capacity;
} HarkBuilder;

#define HARK_BUILDER_INIT                                                                                              \
  {                                                                                                                    \
    NULL, 0                                                                                                            \
  }

guint8 *hark_builder_grow (HarkBuilder *self, gsize len);
HarkBuffer *hark_builder_finish (HarkBuilder *self);
void hark_builder_clear (HarkBuilder *self);

static inline gsize
hark_builder_get_len (const HarkBuilder *self)
{
  return self->buffer != NULL ? self->buffer->len : 0;
}

/* Returns: @len bytes at the end, to be filled by the caller before anything else is appended */
static inline guint8 *
hark_builder_append_uninitialized (HarkBuilder *self, gsize len)
{
  if (self->buffer != NULL && self->buffer->len + len <= self->capacity)
    {
      guint8 *out = self->buffer->data + self->buffer->len;
      self->buffer->len += len;
      return out;
    }
  return hark_builder_grow (self, len);
}

static inline void
hark_builder_append (HarkBuilder *self, gconstpointer data, gsize len)
{
  if (len > 0)
    memcpy (hark_builder_append_uninitialized (self, len), data, len);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkBuilder, hark_builder_clear)

G_END_DECLS
