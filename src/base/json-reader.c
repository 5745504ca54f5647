/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON pull reader. json-glib is not let near what clients send: deep nesting ends the process, invalid texts pass,
 * and each value is an allocation. Here the nesting is 64 bits, one per open container, and every token is a slice of
 * the text. A reader must never look at a byte before having compared with the end: there is no 0 byte to stop at.
 */
#include "base/json-reader.h"

#include "base/error.h"
#include "base/json-scan.h"
#include "base/utf8.h"

G_STATIC_ASSERT (HARK_JSON_MAX_DEPTH <= 64);

/* What may come next. */
enum
{
  STATE_VALUE,
  STATE_FIRST_ELEMENT, /* a value or ] */
  STATE_FIRST_NAME,    /* a name or } */
  STATE_AFTER_VALUE,
  STATE_FAILED
};

/**
 * hark_json_reader_init:
 * @data: (array length=len) (nullable): the text; borrowed
 */
void
hark_json_reader_init (HarkJsonReader *self, const char *data, gsize len)
{
  if (data == NULL) /* as an empty message may be */
    data = "";
  self->data = data;
  self->end = data + len;
  self->p = data;
  self->what = NULL;
  self->objects = 0;
  self->depth = 0;
  self->state = STATE_VALUE;
  self->escaped = FALSE;
  self->token = HARK_JSON_ERROR;
  self->integer = 0;
  self->slice.data = data;
  self->slice.len = 0;
}

static HarkJsonToken
report (HarkJsonReader *self, GError **error)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "Not JSON at byte %" G_GSIZE_FORMAT ": %s",
               hark_json_reader_get_offset (self), self->what);
  return self->token = HARK_JSON_ERROR;
}

/* Makes the reader end here, for the reason @what. */
static HarkJsonToken
fail (HarkJsonReader *self, const char *p, const char *what, GError **error)
{
  self->state = STATE_FAILED;
  self->p = p;
  self->what = p == self->end ? "the text ends too early" : what;
  return report (self, error);
}

static inline const char *
skip_space (const char *p, const char *end)
{
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

static inline HarkJsonToken
accept (HarkJsonReader *self, HarkJsonToken token, const char *start, const char *stop, const char *next)
{
  self->slice.data = start;
  self->slice.len = stop - start;
  self->p = next;
  return self->token = token;
}

static inline gboolean
is_in_object (const HarkJsonReader *self)
{
  return (self->objects >> (self->depth - 1) & 1) != 0;
}

/* Four hexadecimal digits. Returns: the UTF-16 unit, or -1 */
static int
read_unit (const char *p, const char *end)
{
  int unit = 0;
  if (end - p < 4)
    return -1;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (p[i]);
      if (digit < 0)
        return -1;
      unit = unit << 4 | digit;
    }
  return unit;
}

/* The escape at @p. Returns: what is behind it; %NULL with *@what set */
static const char *
skip_escape (const char *p, const char *end, const char **what)
{
  int unit;
  *what = "no such escape";
  if (end - p < 2)
    return NULL;
  switch (p[1])
    {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return p + 2;
    case 'u':
      break;
    default:
      return NULL;
    }
  unit = read_unit (p + 2, end);
  *what = "\\u takes four hexadecimal digits";
  if (unit < 0)
    return NULL;
  p += 6;
  if (unit < 0xD800 || unit > 0xDFFF)
    return p;
  *what = "half of a surrogate pair";
  if (unit > 0xDBFF || end - p < 6 || p[0] != '\\' || p[1] != 'u')
    return NULL;
  unit = read_unit (p + 2, end);
  return unit >= 0xDC00 && unit <= 0xDFFF ? p + 6 : NULL;
}

/* A string from behind its opening quote on. Returns: the closing quote; %NULL after fail () */
static inline const char *
scan_string (HarkJsonReader *self, const char *p, GError **error)
{
  const char *end = self->end;
  self->escaped = FALSE;
  for (;;)
    {
      guchar c;
      p = hark_json_scan (p, end, TRUE);
      if (p == end)
        {
          fail (self, p, NULL, error);
          return NULL;
        }
      c = *p;
      if (c == '"')
        return p;
      if (c >= 0x80)
        {
          do
            {
              guint n = hark_utf8_char_len ((const guint8 *)p, end - p);
              if (n == 0)
                {
                  fail (self, p, "not UTF-8", error);
                  return NULL;
                }
              p += n;
            }
          while (p < end && (guchar)*p >= 0x80);
        }
      else if (c == '\\')
        {
          const char *what;
          const char *next = skip_escape (p, end, &what);
          if (next == NULL)
            {
              fail (self, p, what, error);
              return NULL;
            }
          self->escaped = TRUE;
          p = next;
        }
      else
        {
          fail (self, p, "a control character must be escaped", error);
          return NULL;
        }
    }
}

/* A name and the colon behind it. */
static HarkJsonToken
read_name (HarkJsonReader *self, const char *p, GError **error)
{
  const char *start = p + 1;
  const char *stop;
  if (p == self->end || *p != '"')
    return fail (self, p, "expected the name of a member in quotes", error);
  stop = scan_string (self, start, error);
  if (stop == NULL)
    return HARK_JSON_ERROR;
  p = skip_space (stop + 1, self->end);
  if (p == self->end || *p != ':')
    return fail (self, p, "expected a colon behind the name of a member", error);
  self->state = STATE_VALUE;
  return accept (self, HARK_JSON_NAME, start, stop, p + 1);
}

static HarkJsonToken
read_string (HarkJsonReader *self, const char *p, GError **error)
{
  const char *start = p + 1;
  const char *stop = scan_string (self, start, error);
  if (stop == NULL)
    return HARK_JSON_ERROR;
  self->state = STATE_AFTER_VALUE;
  return accept (self, HARK_JSON_STRING, start, stop, stop + 1);
}

static inline const char *
skip_digits (const char *p, const char *end)
{
  while (p < end && g_ascii_isdigit (*p))
    p++;
  return p;
}

static HarkJsonToken
read_number (HarkJsonReader *self, const char *p, GError **error)
{
  const char *start = p;
  const char *end = self->end;
  gboolean negative = *p == '-';
  gboolean exact = TRUE;
  const char *digits;
  guint64 value = 0;
  p += negative;
  digits = p;
  while (p < end && g_ascii_isdigit (*p))
    value = value * 10 + (*p++ - '0'); /* wraps only beyond 19 digits, where it is not used */
  if (p == digits)
    return fail (self, p, "expected a digit", error);
  if (*digits == '0' && p - digits > 1)
    return fail (self, digits, "a number has no leading zero", error);
  /* -0 is not the integer 0: it must be forwarded as it is. */
  if (p - digits > 19 || value > (guint64)G_MAXINT64 + negative || (negative && value == 0))
    exact = FALSE;
  if (p < end && *p == '.')
    {
      digits = p + 1;
      p = skip_digits (digits, end);
      if (p == digits)
        return fail (self, p, "expected a digit behind the point", error);
      exact = FALSE;
    }
  if (p < end && (*p == 'e' || *p == 'E'))
    {
      p++;
      if (p < end && (*p == '+' || *p == '-'))
        p++;
      digits = p;
      p = skip_digits (digits, end);
      if (p == digits)
        return fail (self, p, "expected a digit in the exponent", error);
      exact = FALSE;
    }
  self->state = STATE_AFTER_VALUE;
  if (exact)
    self->integer = (gint64)(negative ? 0 - value : value);
  return accept (self, exact ? HARK_JSON_INTEGER : HARK_JSON_NUMBER, start, p, p);
}

static HarkJsonToken
read_word (HarkJsonReader *self, const char *p, const char *word, gsize len, HarkJsonToken token, GError **error)
{
  gsize i = 0;
  while (i < len && p + i < self->end && p[i] == word[i])
    i++;
  if (i < len)
    return fail (self, p + i, "expected true, false or null", error);
  self->state = STATE_AFTER_VALUE;
  return accept (self, token, p, p + len, p + len);
}

static HarkJsonToken
open_container (HarkJsonReader *self, const char *p, gboolean is_object, GError **error)
{
  if (self->depth == HARK_JSON_MAX_DEPTH)
    return fail (self, p, "nested deeper than " G_STRINGIFY (HARK_JSON_MAX_DEPTH) " levels", error);
  self->objects &= ~(G_GUINT64_CONSTANT (1) << self->depth);
  self->objects |= (guint64)is_object << self->depth;
  self->depth++;
  self->state = is_object ? STATE_FIRST_NAME : STATE_FIRST_ELEMENT;
  return accept (self, is_object ? HARK_JSON_BEGIN_OBJECT : HARK_JSON_BEGIN_ARRAY, p, p + 1, p + 1);
}

static HarkJsonToken
close_container (HarkJsonReader *self, const char *p)
{
  HarkJsonToken token = is_in_object (self) ? HARK_JSON_END_OBJECT : HARK_JSON_END_ARRAY;
  self->depth--;
  self->state = STATE_AFTER_VALUE;
  return accept (self, token, p, p + 1, p + 1);
}

static HarkJsonToken
read_value (HarkJsonReader *self, const char *p, GError **error)
{
  if (p == self->end)
    return fail (self, p, NULL, error);
  switch (*p)
    {
    case '"':
      return read_string (self, p, error);
    case '{':
      return open_container (self, p, TRUE, error);
    case '[':
      return open_container (self, p, FALSE, error);
    case 't':
      return read_word (self, p, "true", 4, HARK_JSON_TRUE, error);
    case 'f':
      return read_word (self, p, "false", 5, HARK_JSON_FALSE, error);
    case 'n':
      return read_word (self, p, "null", 4, HARK_JSON_NULL, error);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return read_number (self, p, error);
    default:
      return fail (self, p, "expected a value", error);
    }
}

/**
 * hark_json_reader_next:
 *
 * Reads on by one token. Raises %HARK_ERROR_BAD_REQUEST with the byte and what was wrong there.
 *
 * Returns: the token; %HARK_JSON_END only when the whole text was one valid value
 */
HarkJsonToken
hark_json_reader_next (HarkJsonReader *self, GError **error)
{
  const char *end = self->end;
  const char *p = skip_space (self->p, end);
  switch (self->state)
    {
    case STATE_VALUE:
      break;
    case STATE_FIRST_ELEMENT:
      if (p < end && *p == ']')
        return close_container (self, p);
      break;
    case STATE_FIRST_NAME:
      if (p < end && *p == '}')
        return close_container (self, p);
      return read_name (self, p, error);
    case STATE_AFTER_VALUE:
      if (self->depth == 0)
        {
          if (p == end)
            return accept (self, HARK_JSON_END, p, p, p);
          return fail (self, p, "expected the end of the text", error);
        }
      if (p == end)
        return fail (self, p, NULL, error);
      if (*p == (is_in_object (self) ? '}' : ']'))
        return close_container (self, p);
      if (*p != ',')
        return fail (self, p, is_in_object (self) ? "expected a comma or }" : "expected a comma or ]", error);
      p = skip_space (p + 1, end);
      if (is_in_object (self))
        return read_name (self, p, error);
      break;
    default:
      return report (self, error);
    }
  return read_value (self, p, error);
}

/**
 * hark_json_reader_skip_value:
 * @raw: (out) (optional): the value's bytes, a string's quotes included
 *
 * Reads to the end of a value whose beginning is the current token, or which the current token names; before the first
 * token, of the text's value. It is checked in every respect, and nothing is allocated.
 *
 * Returns: %FALSE when the value is not valid; see hark_json_reader_next ()
 */
gboolean
hark_json_reader_skip_value (HarkJsonReader *self, HarkJsonSlice *raw, GError **error)
{
  const char *start;
  /* ERROR: nothing was read yet; or reading failed, and does again. */
  if ((self->token == HARK_JSON_NAME || self->token == HARK_JSON_ERROR)
      && hark_json_reader_next (self, error) == HARK_JSON_ERROR)
    return FALSE;
  start = self->slice.data - (self->token == HARK_JSON_STRING);
  if (self->token == HARK_JSON_BEGIN_OBJECT || self->token == HARK_JSON_BEGIN_ARRAY)
    {
      guint outside = self->depth - 1;
      do
        {
          if (hark_json_reader_next (self, error) == HARK_JSON_ERROR)
            return FALSE;
        }
      while (self->depth > outside);
    }
  if (raw != NULL)
    {
      raw->data = start;
      raw->len = self->p - start;
    }
  return TRUE;
}
