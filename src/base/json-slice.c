/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The strings of a JSON text, decoded only when somebody asks, and compared without being decoded: most strings that
 * pass through a hub are forwarded as they came. A decoded string is never longer than its slice, so a slice's length
 * is always room enough.
 */
#include "base/json-slice.h"

#include <string.h>

static guint
hex_unit (const char *digits)
{
  guint unit = 0;
  for (guint i = 0; i < 4; i++)
    unit = unit << 4 | g_ascii_xdigit_value (digits[i]);
  return unit;
}

static guint
put_utf8 (guint c, char *out)
{
  if (c < 0x80)
    {
      out[0] = c;
      return 1;
    }
  if (c < 0x800)
    {
      out[0] = 0xC0 | c >> 6;
      out[1] = 0x80 | (c & 0x3F);
      return 2;
    }
  if (c < 0x10000)
    {
      out[0] = 0xE0 | c >> 12;
      out[1] = 0x80 | (c >> 6 & 0x3F);
      out[2] = 0x80 | (c & 0x3F);
      return 3;
    }
  out[0] = 0xF0 | c >> 18;
  out[1] = 0x80 | (c >> 12 & 0x3F);
  out[2] = 0x80 | (c >> 6 & 0x3F);
  out[3] = 0x80 | (c & 0x3F);
  return 4;
}

/* Decodes the escape at *@p, moves *@p behind it. Returns: bytes written to @out */
static guint
decode_escape (const char **p, char out[4])
{
  const char *s = *p;
  guint unit;
  *p += 2;
  switch (s[1])
    {
    case 'b':
      out[0] = '\b';
      return 1;
    case 'f':
      out[0] = '\f';
      return 1;
    case 'n':
      out[0] = '\n';
      return 1;
    case 'r':
      out[0] = '\r';
      return 1;
    case 't':
      out[0] = '\t';
      return 1;
    case 'u':
      unit = hex_unit (s + 2);
      *p += 4;
      if (unit >= 0xD800 && unit < 0xE000)
        {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (hex_unit (s + 8) - 0xDC00);
          *p += 6;
        }
      return put_utf8 (unit, out);
    default:
      out[0] = s[1];
      return 1;
    }
}

/* Walks the decoded bytes of a slice one by one, for what is rare enough: names with escapes. */
typedef struct
{
  const char *p;
  const char *end;
  char pending[4]; /* decoded and not yet given */
  guint n_pending;
  guint i_pending;
} Decoder;

static void
decoder_init (Decoder *self, HarkJsonSlice slice)
{
  self->p = slice.data;
  self->end = slice.data + slice.len;
  self->n_pending = self->i_pending = 0;
}

/* Returns: the next byte, or -1 at the end */
static int
decoder_next (Decoder *self)
{
  if (self->i_pending < self->n_pending)
    return (guchar)self->pending[self->i_pending++];
  if (self->p == self->end)
    return -1;
  if (*self->p != '\\')
    return (guchar)*self->p++;
  self->n_pending = decode_escape (&self->p, self->pending);
  self->i_pending = 1;
  return (guchar)self->pending[0];
}

/**
 * hark_json_slice_decode:
 * @out: room for as many bytes as the slice has
 *
 * Returns: bytes written to @out, which gets no 0 byte at its end and may hold some inside
 */
gsize
hark_json_slice_decode (HarkJsonSlice self, char *out)
{
  const char *p = self.data;
  const char *end = p + self.len;
  char *o = out;
  while (p < end)
    {
      const char *slash = memchr (p, '\\', end - p);
      gsize run = (slash != NULL ? slash : end) - p;
      memcpy (o, p, run);
      o += run;
      p += run;
      if (slash != NULL)
        {
          char bytes[4];
          guint n = decode_escape (&p, bytes);
          memcpy (o, bytes, n);
          o += n;
        }
    }
  return o - out;
}

/**
 * hark_json_slice_get_decoded_len:
 *
 * Returns: bytes of the string once decoded, at most those of the slice
 */
gsize
hark_json_slice_get_decoded_len (HarkJsonSlice self)
{
  const char *p = self.data;
  const char *end = p + self.len;
  gsize len = 0;
  while (p < end)
    {
      const char *slash = memchr (p, '\\', end - p);
      char bytes[4];
      len += (slash != NULL ? slash : end) - p;
      if (slash == NULL)
        break;
      p = slash;
      len += decode_escape (&p, bytes);
    }
  return len;
}

/**
 * hark_json_slice_decode_into:
 * @out: (array length=size): a buffer of any size
 * @len: (out): bytes written
 *
 * Returns: %FALSE, with @out and @len untouched, when the decoded string does not fit
 */
gboolean
hark_json_slice_decode_into (HarkJsonSlice self, char *out, gsize size, gsize *len)
{
  if (self.len > size && hark_json_slice_get_decoded_len (self) > size)
    return FALSE;
  *len = hark_json_slice_decode (self, out);
  return TRUE;
}

/**
 * hark_json_slice_has_nul:
 *
 * Returns: whether the decoded string holds U+0000, which only an escape can bring in: such a string cannot be a C string
 */
gboolean
hark_json_slice_has_nul (HarkJsonSlice self)
{
  const char *p = self.data;
  const char *end = p + self.len;
  while (p < end && (p = memchr (p, '\\', end - p)) != NULL)
    {
      char bytes[4];
      decode_escape (&p, bytes);
      if (bytes[0] == '\0')
        return TRUE;
    }
  return FALSE;
}

/**
 * hark_json_slice_equal_slice:
 *
 * Returns: whether both are the same once decoded
 */
gboolean
hark_json_slice_equal_slice (HarkJsonSlice self, HarkJsonSlice other)
{
  Decoder a;
  Decoder b;
  int byte;
  if (self.len == other.len && (self.len == 0 || memcmp (self.data, other.data, self.len) == 0))
    return TRUE;
  decoder_init (&a, self);
  decoder_init (&b, other);
  do
    {
      byte = decoder_next (&a);
      if (byte != decoder_next (&b))
        return FALSE;
    }
  while (byte >= 0);
  return TRUE;
}

/**
 * hark_json_slice_equal:
 * @text: UTF-8, taken as it is, not as JSON
 *
 * Returns: whether the slice decodes to @text
 */
gboolean
hark_json_slice_equal (HarkJsonSlice self, const char *text)
{
  gsize len = strlen (text);
  Decoder decoder;
  if (self.len < len)
    return FALSE;
  if (self.len == 0 || memchr (self.data, '\\', self.len) == NULL)
    return self.len == len && memcmp (self.data, text, len) == 0;
  decoder_init (&decoder, self);
  for (gsize i = 0; i < len; i++)
    {
      if (decoder_next (&decoder) != (guchar)text[i])
        return FALSE;
    }
  return decoder_next (&decoder) < 0;
}

static inline guint64
mix (guint64 hash, guint64 word)
{
  hash = (hash ^ word) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  return hash ^ hash >> 29;
}

/* The last @n bytes, fewer than eight, as the low bytes of a word; loads overlap, which sets the same bits twice. */
static inline guint64
tail_word (const char *data, gsize n)
{
  const guchar *bytes = (const guchar *)data;
  guint32 first;
  guint32 last;
  if (n == 0)
    return 0;
  if (n < 4)
    return bytes[0] | (guint64)bytes[n / 2] << 8 * (n / 2) | (guint64)bytes[n - 1] << 8 * (n - 1);
  memcpy (&first, data, 4);
  memcpy (&last, data + n - 4, 4);
  return GUINT32_FROM_LE (first) | (guint64)GUINT32_FROM_LE (last) << 8 * (n - 4);
}

/**
 * hark_json_slice_hash:
 * @escaped: whether the slice holds an escape; the reader knows
 *
 * Returns: a number that is the same for slices which decode to the same string. It is not keyed: for sets so small
 *   that a search of all of them is bearable too.
 */
guint64
hark_json_slice_hash (HarkJsonSlice self, gboolean escaped)
{
  guint64 hash = 0;
  guint64 word = 0;
  gsize len = 0;
  if (!escaped)
    {
      for (; self.len - len >= 8; len += 8)
        {
          memcpy (&word, self.data + len, 8);
          hash = mix (hash, GUINT64_FROM_LE (word));
        }
      word = tail_word (self.data + len, self.len - len);
      len = self.len;
    }
  else
    {
      Decoder decoder;
      int byte;
      decoder_init (&decoder, self);
      while ((byte = decoder_next (&decoder)) >= 0)
        {
          word |= (guint64)byte << 8 * (len % 8);
          if (++len % 8 == 0)
            {
              hash = mix (hash, word);
              word = 0;
            }
        }
    }
  return mix (hash, word) ^ len;
}

/**
 * hark_json_string_dup:
 * @len: (out) (optional): bytes of the string
 *
 * Returns: (transfer full): the decoded string and a 0 byte. It may hold further 0 bytes, from \u0000: use @len, or
 *   hark_json_string_dup_c ()
 */
char *
hark_json_string_dup (HarkJsonSlice slice, gsize *len)
{
  char *text = g_malloc (slice.len + 1);
  gsize n = hark_json_slice_decode (slice, text);
  text[n] = '\0';
  if (len != NULL)
    *len = n;
  return text;
}

/**
 * hark_json_string_dup_c:
 *
 * Returns: (transfer full) (nullable): the decoded string; %NULL when it holds U+0000
 */
char *
hark_json_string_dup_c (HarkJsonSlice slice)
{
  gsize len;
  g_autofree char *text = hark_json_string_dup (slice, &len);
  return strlen (text) == len ? g_steal_pointer (&text) : NULL;
}
