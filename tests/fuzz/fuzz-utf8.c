/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-8 fed in two pieces, cut anywhere, and byte by byte, is judged as it is in one; GLib judges the same; and the
 * byte at which it fails is the first after which no continuation helps.
 */
#include "base/utf8.h"

#include <stdint.h>

#define MAX_CUTS 512 /* so that a long input takes no quadratic time */

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Whether some continuation makes the text, which was taken so far, valid. */
static gboolean
can_be_completed (const HarkUtf8 *utf8)
{
  static const guint8 seconds[] = { 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF };
  if (hark_utf8_is_complete (utf8))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++)
    {
      HarkUtf8 copy = *utf8;
      guint left = 3;
      if (!hark_utf8_feed (&copy, &seconds[i], 1))
        continue;
      while (!hark_utf8_is_complete (&copy) && left-- > 0)
        hark_utf8_feed (&copy, (const guint8 *)"\x80", 1);
      if (hark_utf8_is_complete (&copy))
        return TRUE;
    }
  return FALSE;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gboolean valid = hark_utf8_validate (data, size);
  HarkUtf8 bytewise;
  gsize taken = 0;
  if (memchr (data, 0, size) == NULL) /* which g_utf8_validate () refuses */
    g_assert_cmpint (valid, ==, g_utf8_validate_len ((const char *)data, size, NULL));
  hark_utf8_init (&bytewise);
  while (taken < size && hark_utf8_feed (&bytewise, data + taken, 1))
    {
      g_assert_true (can_be_completed (&bytewise));
      taken++;
    }
  g_assert_cmpint (taken == size && hark_utf8_is_complete (&bytewise), ==, valid);
  for (gsize cut = 0; cut <= MIN (size, MAX_CUTS); cut++)
    {
      HarkUtf8 utf8;
      hark_utf8_init (&utf8);
      g_assert_cmpint (hark_utf8_feed (&utf8, data, cut), ==, cut <= taken);
      g_assert_cmpint (hark_utf8_feed (&utf8, data + cut, size - cut), ==, taken == size);
      g_assert_cmpint (hark_utf8_is_complete (&utf8), ==, valid);
    }
  return 0;
}
