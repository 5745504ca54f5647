/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Base64 as JOSE has it (RFC 7515 section 2): the alphabet that fits in an address, and no padding. Strict, so that
 * bytes have one spelling: what is signed, compared or remembered by its text cannot come again written differently.
 * GLib's decoder skips what it does not know and takes whatever bits are left at the end.
 */
#include "base/base64url.h"

static int
get_value (char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '-')
    return 62;
  return c == '_' ? 63 : -1;
}

/**
 * hark_base64url_decode:
 * @text: (array length=len)
 * @out: (out caller-allocates): %HARK_BASE64URL_MAX_BYTES of @len
 * @out_len: (out): bytes written
 *
 * Returns: whether @text is base64url without padding, other characters, and bits that stand for nothing
 */
gboolean
hark_base64url_decode (const char *text, gsize len, guint8 *out, gsize *out_len)
{
  guint32 bits = 0;
  guint n_bits = 0;
  gsize n = 0;
  if (len % 4 == 1)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    {
      int value = get_value (text[i]);
      if (value < 0)
        return FALSE;
      bits = bits << 6 | (guint32)value;
      n_bits += 6;
      if (n_bits < 8)
        continue;
      n_bits -= 8;
      out[n++] = bits >> n_bits & 0xFF;
      bits &= (1u << n_bits) - 1;
    }
  *out_len = n;
  return bits == 0;
}
