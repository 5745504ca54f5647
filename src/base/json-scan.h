/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/*
 * Finds the end of a run of plain characters in a JSON string, eight bytes at a time: what the reader and the writer
 * spend their time on. Plain C, so that it is the same on every machine. Private to base/json-*.c.
 */

#define HARK_JSON_ONES G_GUINT64_CONSTANT (0x0101010101010101)
#define HARK_JSON_HIGHS G_GUINT64_CONSTANT (0x8080808080808080)

/*
 * For each byte below 0x20, equal to '"' or equal to '\\': its high bit. A byte above a found one may be reported too,
 * since subtraction borrows; the lowest is always right, and is the only one that is looked at.
 */
static inline guint64
hark_json_specials (guint64 word)
{
  guint64 quote = word ^ HARK_JSON_ONES * '"';
  guint64 slash = word ^ HARK_JSON_ONES * '\\';
  guint64 control = (word - HARK_JSON_ONES * 0x20) & ~word;
  quote = (quote - HARK_JSON_ONES) & ~quote;
  slash = (slash - HARK_JSON_ONES) & ~slash;
  return (control | quote | slash) & HARK_JSON_HIGHS;
}

/* The first byte from @p on that is a control character, quote, backslash or (@stop_at_high) not ASCII; or @end. */
static inline const char *
hark_json_scan (const char *p, const char *end, gboolean stop_at_high)
{
  while (end - p >= 8)
    {
      guint64 word;
      guint64 found;
      memcpy (&word, p, sizeof word);
      word = GUINT64_FROM_LE (word);
      found = hark_json_specials (word);
      if (stop_at_high)
        found |= word & HARK_JSON_HIGHS;
      if (found != 0)
        return p + __builtin_ctzll (found) / 8;
      p += 8;
    }
  while (p < end)
    {
      guchar c = *p;
      if (c < 0x20 || c == '"' || c == '\\' || (stop_at_high && c >= 0x80))
        break;
      p++;
    }
  return p;
}

G_END_DECLS
