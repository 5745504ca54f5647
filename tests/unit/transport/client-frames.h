/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a client would send, right or wrong. */

#include <glib.h>
#include <string.h>

typedef enum
{
  FORM_SHORTEST,
  FORM_7 = 2,
  FORM_16 = 4,
  FORM_64 = 10
} LengthForm;

static inline void
append_header (GByteArray *out, guint8 first, gsize len, LengthForm form, const guint8 *mask)
{
  guint8 header[10] = { first };
  if (form == FORM_SHORTEST)
    form = len < 126 ? FORM_7 : len < 65536 ? FORM_16 : FORM_64;
  header[1] = form == FORM_7 ? len : form == FORM_16 ? 126 : 127;
  if (mask != NULL)
    header[1] |= 0x80;
  for (guint i = 2; i < form; i++)
    header[i] = (guint64)len >> (8 * (form - 1 - i));
  g_byte_array_append (out, header, form);
  if (mask != NULL)
    g_byte_array_append (out, mask, 4);
}

/* @data may be NULL, for @len times the letter a. */
static inline void
append_frame_full (GByteArray *out, guint8 first, const void *data, gsize len, LengthForm form, gboolean masked)
{
  static const guint8 mask[4] = { 0x37, 0xFA, 0x21, 0x3D };
  guint start;
  append_header (out, first, len, form, masked ? mask : NULL);
  start = out->len;
  g_byte_array_set_size (out, start + len);
  if (data != NULL)
    memcpy (out->data + start, data, len);
  else
    memset (out->data + start, 'a', len);
  for (gsize i = 0; masked && i < len; i++)
    out->data[start + i] ^= mask[i % 4];
}

static inline void
append_frame (GByteArray *out, guint8 first, const void *data, gsize len)
{
  append_frame_full (out, first, data, len, FORM_SHORTEST, TRUE);
}
