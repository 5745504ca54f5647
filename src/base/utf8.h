/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/**
 * HarkUtf8:
 *
 * A UTF-8 validator that is fed in pieces, wherever they are cut. A WebSocket text message must fail at the first byte
 * that no continuation could make right (RFC 6455 section 8.1), while its later frames are still under way, so the
 * check cannot wait for the whole message; g_utf8_validate () can neither be continued nor tell cut from wrong.
 */
typedef struct
{
  guint32 state; /* 0 between characters; otherwise bytes still due | lowest next byte << 8 | highest << 16 */
} HarkUtf8;

static inline void
hark_utf8_init (HarkUtf8 *self)
{
  self->state = 0;
}

gboolean hark_utf8_feed (HarkUtf8 *self, const guint8 *data, gsize len);

/* Whether what was fed so far is valid and ends where a character ends. */
static inline gboolean
hark_utf8_is_complete (const HarkUtf8 *self)
{
  return self->state == 0;
}

gboolean hark_utf8_validate (const guint8 *data, gsize len);

/**
 * hark_utf8_char_len:
 * @p: (array length=len): at least one byte
 *
 * Returns: bytes of the character that begins at @p; 0 when it is not valid, or cut
 */
static inline guint
hark_utf8_char_len (const guint8 *p, gsize len)
{
  guint8 lead = p[0];
  if (lead < 0x80)
    return 1;
  if (lead < 0xE0)
    return lead >= 0xC2 && len >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
  if (lead < 0xF0)
    {
      if (len < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
        return 0;
      if ((lead == 0xE0 && p[1] < 0xA0) || (lead == 0xED && p[1] > 0x9F))
        return 0;
      return 3;
    }
  if (lead > 0xF4 || len < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
    return 0;
  if ((lead == 0xF0 && p[1] < 0x90) || (lead == 0xF4 && p[1] > 0x8F))
    return 0;
  return 4;
}

G_END_DECLS
