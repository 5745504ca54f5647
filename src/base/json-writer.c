/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON writer. Text goes in by runs between the few characters that need an escape; "/" and U+2028 need none. One
 * flag says whether a comma is due: whatever ends a value sets it, whatever opens a container or a member clears it.
 */
#include "base/json-writer.h"

#include "base/clock.h"
#include "base/json-reader.h"
#include "base/json-scan.h"

#define FIRST_SIZE 512

/**
 * hark_json_writer_init:
 * @headroom: bytes to leave free in front of the text
 */
void
hark_json_writer_init (HarkJsonWriter *self, gsize headroom)
{
  memset (self, 0, sizeof *self);
  self->headroom = headroom;
}

void
hark_json_writer_clear (HarkJsonWriter *self)
{
  g_clear_pointer (&self->data, g_free);
  hark_json_writer_init (self, self->headroom);
}

/* Begins a new text in the same memory. */
void
hark_json_writer_reset (HarkJsonWriter *self)
{
  self->len = 0;
  self->depth = 0;
  self->needs_comma = FALSE;
  self->is_named = FALSE;
}

static void
grow (HarkJsonWriter *self, gsize needed)
{
  self->size = MAX (MAX (needed, self->size * 2), FIRST_SIZE);
  self->data = g_realloc (self->data, self->size);
}

/* Returns: where the next @n bytes go. There is always room for a 0 byte behind them. */
static inline char *
reserve (HarkJsonWriter *self, gsize n)
{
  gsize needed = self->headroom + self->len + n + 1;
  if (G_UNLIKELY (needed > self->size))
    grow (self, needed);
  return self->data + self->headroom + self->len;
}

static inline gboolean
is_in_object (const HarkJsonWriter *self)
{
  return self->depth > 0 && (self->objects >> (self->depth - 1) & 1) != 0;
}

/* Before a value of at most @n bytes. Returns: where it goes, behind a comma if one is due */
static inline char *
begin_value (HarkJsonWriter *self, gsize n)
{
  char *p = reserve (self, n + 1);
  g_assert (is_in_object (self) ? self->is_named : self->depth > 0 || self->len == 0);
  if (self->needs_comma)
    *p++ = ',';
  self->needs_comma = TRUE;
  self->is_named = FALSE;
  return p;
}

/* After the value, which ends at @p. */
static inline void
end_value (HarkJsonWriter *self, const char *p)
{
  self->len = p - self->data - self->headroom;
}

static void
begin_container (HarkJsonWriter *self, gboolean is_object)
{
  char *p = begin_value (self, 1);
  g_assert (self->depth < HARK_JSON_MAX_DEPTH);
  *p++ = is_object ? '{' : '[';
  end_value (self, p);
  self->objects &= ~(G_GUINT64_CONSTANT (1) << self->depth);
  self->objects |= (guint64)is_object << self->depth;
  self->depth++;
  self->needs_comma = FALSE;
}

static void
end_container (HarkJsonWriter *self, gboolean is_object)
{
  char *p = reserve (self, 1);
  g_assert (self->depth > 0 && is_in_object (self) == is_object && !self->is_named);
  *p = is_object ? '}' : ']';
  self->len++;
  self->depth--;
  self->needs_comma = TRUE;
}

void
hark_json_writer_begin_object (HarkJsonWriter *self)
{
  begin_container (self, TRUE);
}

void
hark_json_writer_end_object (HarkJsonWriter *self)
{
  end_container (self, TRUE);
}

void
hark_json_writer_begin_array (HarkJsonWriter *self)
{
  begin_container (self, FALSE);
}

void
hark_json_writer_end_array (HarkJsonWriter *self)
{
  end_container (self, FALSE);
}

/**
 * hark_json_writer_member_len:
 * @name: (array length=len): what is to stand between the quotes, escaped already if it needs to be
 */
void
hark_json_writer_member_len (HarkJsonWriter *self, const char *name, gsize len)
{
  char *p = reserve (self, len + 4);
  g_assert (is_in_object (self) && !self->is_named);
  if (self->needs_comma)
    *p++ = ',';
  *p++ = '"';
  memcpy (p, name, len);
  p += len;
  *p++ = '"';
  *p++ = ':';
  end_value (self, p);
  self->needs_comma = FALSE;
  self->is_named = TRUE;
}

static char *
put_escape (char *p, guchar c)
{
  static const char hex[] = "0123456789abcdef";
  static const char letters[0x20] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
  *p++ = '\\';
  if (c >= 0x20)
    {
      *p++ = c;
    }
  else if (letters[c] != '\0')
    {
      *p++ = letters[c];
    }
  else
    {
      memcpy (p, "u00", 3);
      p[3] = hex[c >> 4];
      p[4] = hex[c & 0xF];
      p += 5;
    }
  return p;
}

/**
 * hark_json_writer_string_len:
 * @text: (array length=len): valid UTF-8, of which every character, U+0000 too, is written
 */
void
hark_json_writer_string_len (HarkJsonWriter *self, const char *text, gsize len)
{
  const char *end = text + len;
  char *p = begin_value (self, len + 2);
  *p++ = '"';
  for (;;)
    {
      const char *stop = hark_json_scan (text, end, FALSE);
      memcpy (p, text, stop - text);
      p += stop - text;
      if (stop == end)
        break;
      /* The longest escape, what is left of the text as it is, and the quote. */
      end_value (self, p);
      p = reserve (self, 6 + (end - stop) + 1);
      p = put_escape (p, *stop);
      text = stop + 1;
    }
  *p++ = '"';
  end_value (self, p);
}

/* Writes the digits of @value. Returns: what is behind them */
static char *
put_digits (char *p, guint64 value)
{
  char digits[20];
  char *d = digits + sizeof digits;
  do
    *--d = '0' + value % 10;
  while ((value /= 10) > 0);
  memcpy (p, d, digits + sizeof digits - d);
  return p + (digits + sizeof digits - d);
}

static char *
put_int (char *p, gint64 value)
{
  if (value >= 0)
    return put_digits (p, value);
  *p++ = '-';
  return put_digits (p, 0 - (guint64)value);
}

void
hark_json_writer_int (HarkJsonWriter *self, gint64 value)
{
  end_value (self, put_int (begin_value (self, 20), value));
}

void
hark_json_writer_boolean (HarkJsonWriter *self, gboolean value)
{
  hark_json_writer_raw (self, value ? "true" : "false", value ? 4 : 5);
}

void
hark_json_writer_null (HarkJsonWriter *self)
{
  hark_json_writer_raw (self, "null", 4);
}

/* An id, which is a string on the wire. */
void
hark_json_writer_id (HarkJsonWriter *self, gint64 id)
{
  char *p = begin_value (self, 22);
  *p++ = '"';
  p = put_int (p, id);
  *p++ = '"';
  end_value (self, p);
}

/* Milliseconds since 1970-01-01 UTC, as RFC 3339. */
void
hark_json_writer_time_ms (HarkJsonWriter *self, gint64 real_ms)
{
  char *p = begin_value (self, HARK_TIME_LEN + 1);
  *p++ = '"';
  hark_time_format (real_ms, p);
  p += HARK_TIME_LEN - 1;
  *p++ = '"';
  end_value (self, p);
}

/**
 * hark_json_writer_raw:
 * @data: (array length=len): one JSON value, as a reader's raw slice is
 */
void
hark_json_writer_raw (HarkJsonWriter *self, const char *data, gsize len)
{
  char *p = begin_value (self, len);
  memcpy (p, data, len);
  end_value (self, p + len);
}

/**
 * hark_json_writer_members_raw:
 * @data: (array length=len): an object, as a writer has made it: without space around it
 *
 * Puts the members of a finished object into the object that is being written: what one thread has written goes into
 * the reply that another begins, without being read again.
 */
void
hark_json_writer_members_raw (HarkJsonWriter *self, const char *data, gsize len)
{
  char *p;
  g_assert (len >= 2 && data[0] == '{' && data[len - 1] == '}' && is_in_object (self) && !self->is_named);
  if (len == 2)
    return;
  p = reserve (self, len - 1);
  if (self->needs_comma)
    *p++ = ',';
  memcpy (p, data + 1, len - 2);
  self->needs_comma = TRUE;
  end_value (self, p + len - 2);
}

/**
 * hark_json_writer_peek:
 * @len: (out) (optional): bytes of the text
 *
 * Returns: the text, with a 0 byte behind it, until the writer is next touched; the bytes of the headroom in front of
 *   it are the caller's to fill
 */
char *
hark_json_writer_peek (HarkJsonWriter *self, gsize *len)
{
  char *end = reserve (self, 0);
  g_assert (self->depth == 0);
  *end = '\0';
  if (len != NULL)
    *len = self->len;
  return end - self->len;
}

/**
 * hark_json_writer_steal:
 * @len: (out) (optional): bytes of the text
 *
 * Returns: (transfer full): the headroom, the text and a 0 byte; the writer begins anew with the same headroom
 */
char *
hark_json_writer_steal (HarkJsonWriter *self, gsize *len)
{
  char *data;
  hark_json_writer_peek (self, len);
  data = g_steal_pointer (&self->data);
  hark_json_writer_init (self, self->headroom);
  return data;
}
