/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared immutable bytes; see buffer.h for why these are not GBytes. */
#include "base/buffer.h"

#include <string.h>

/**
 * hark_buffer_new_uninitialized:
 * @len: bytes, below 4 GiB
 *
 * Returns: (transfer full): a buffer that the caller fills before anyone else sees it
 */
HarkBuffer *
hark_buffer_new_uninitialized (gsize len)
{
  HarkBuffer *self;
  g_assert (len <= G_MAXUINT32);
  self = g_malloc (sizeof (HarkBuffer) + len);
  self->refs = 1;
  self->len = len;
  self->key = 0;
  self->seq = 0;
  self->rev = 0;
  return self;
}

/**
 * hark_buffer_new:
 * @data: (array length=len): copied
 *
 * Returns: (transfer full): a buffer with a copy of @data
 */
HarkBuffer *
hark_buffer_new (gconstpointer data, gsize len)
{
  HarkBuffer *self = hark_buffer_new_uninitialized (len);
  if (len > 0)
    memcpy (self->data, data, len);
  return self;
}

/* Only for hark_buffer_unref (). */
void
hark_buffer_free (HarkBuffer *self)
{
  g_free (self);
}
