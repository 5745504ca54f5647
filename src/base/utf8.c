/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-8 in pieces. Nearly all that is fed is ASCII, taken sixteen bytes at a time, or characters that lie whole in the
 * piece; only a character cut by the piece's end goes through the state. Which second bytes a lead allows is what keeps
 * overlong forms, surrogates and values above U+10FFFF out (Unicode 15, table 3-7).
 */
#include "base/utf8.h"

#define HIGH_BITS G_GUINT64_CONSTANT (0x8080808080808080)
#define INVALID G_MAXUINT32

static inline guint32
make_state (guint due, guint lowest, guint highest)
{
  return due | lowest << 8 | highest << 16;
}

/* The state after @lead, which is not ASCII. */
static guint32
state_after_lead (guint8 lead)
{
  if (lead < 0xC2 || lead > 0xF4)
    return INVALID;
  if (lead < 0xE0)
    return make_state (1, 0x80, 0xBF);
  if (lead < 0xF0)
    return make_state (2, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
  return make_state (3, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
}

static guint32
state_after_continuation (guint32 state, guint8 byte)
{
  guint due = state & 0xFF;
  if (byte < (state >> 8 & 0xFF) || byte > (state >> 16 & 0xFF))
    return INVALID;
  return due == 1 ? 0 : make_state (due - 1, 0x80, 0xBF);
}

static inline const guint8 *
skip_ascii (const guint8 *p, const guint8 *end)
{
  while (end - p >= 16)
    {
      guint64 words[2];
      memcpy (words, p, sizeof words);
      if (((words[0] | words[1]) & HIGH_BITS) != 0)
        break;
      p += sizeof words;
    }
  while (p < end && *p < 0x80)
    p++;
  return p;
}

/**
 * hark_utf8_feed:
 * @data: (array length=len): the next bytes
 *
 * Returns: %FALSE as soon as the bytes fed so far cannot become valid UTF-8 by any continuation, and ever after
 */
gboolean
hark_utf8_feed (HarkUtf8 *self, const guint8 *data, gsize len)
{
  const guint8 *p = data;
  const guint8 *end;
  guint32 state = self->state;
  if (state == INVALID || len == 0)
    return state != INVALID;
  end = data + len;
  while (p < end)
    {
      guint n;
      if (state != 0)
        {
          state = state_after_continuation (state, *p++);
        }
      else if (*p < 0x80)
        {
          p = skip_ascii (p, end);
        }
      else if ((n = hark_utf8_char_len (p, end - p)) > 0)
        {
          p += n;
        }
      else
        {
          state = state_after_lead (*p++);
        }
      if (state == INVALID)
        break;
    }
  self->state = state;
  return state != INVALID;
}

/**
 * hark_utf8_validate:
 * @data: (array length=len): a whole text; may hold zero bytes
 *
 * Returns: whether @data is valid UTF-8
 */
gboolean
hark_utf8_validate (const guint8 *data, gsize len)
{
  HarkUtf8 utf8;
  hark_utf8_init (&utf8);
  return hark_utf8_feed (&utf8, data, len) && hark_utf8_is_complete (&utf8);
}
