/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for people. Text that users wrote is shown as it is, in as many terminal columns as it takes (two for wide
 * characters, none for combining ones), except for control characters: a display name must not drive the terminal of
 * who lists it. When the table is wider than the terminal, the widest columns give way first.
 */
#include "ctl/table.h"

#include <string.h>

#define GAP 2
#define MIN_COLUMN 6
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

struct _HarkTable
{
  guint n_columns;
  guint64 right;    /* bit n: column n is aligned to the right */
  GPtrArray *cells; /* (element-type utf8) (owned): row by row, the first row is the header */
};

HarkTable *
hark_table_new (guint n_columns)
{
  HarkTable *self = g_new0 (HarkTable, 1);
  self->n_columns = n_columns;
  self->cells = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
hark_table_free (HarkTable *self)
{
  g_ptr_array_unref (self->cells);
  g_free (self);
}

/* Aligns a column to the right, as numbers are. */
void
hark_table_set_right (HarkTable *self, guint column)
{
  self->right |= G_GUINT64_CONSTANT (1) << column;
}

/* @text: (transfer full): the next cell, row by row, those of the header first; valid UTF-8 */
void
hark_table_take_cell (HarkTable *self, char *text)
{
  g_ptr_array_add (self->cells, hark_text_clean (text));
  g_free (text);
}

static guint
get_columns (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

/* Returns: how many columns of a terminal @text takes */
guint
hark_text_get_columns (const char *text)
{
  guint columns = 0;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    columns += get_columns (g_utf8_get_char (p));
  return columns;
}

/* Returns: (transfer full): @text, cut with an ellipsis to at most @columns */
char *
hark_text_cut (const char *text, guint columns)
{
  guint used = 0;
  const char *p = text;
  if (hark_text_get_columns (text) <= columns)
    return g_strdup (text);
  for (; *p != '\0'; p = g_utf8_next_char (p))
    {
      used += get_columns (g_utf8_get_char (p));
      if (used > columns - 1)
        break;
    }
  return g_strdup_printf ("%.*s…", (int)(p - text), text);
}

/* Returns: (transfer full): @text without what would drive a terminal; U+FFFD stands in its place */
char *
hark_text_clean (const char *text)
{
  GString *out = g_string_new (NULL);
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      GUnicodeType type = g_unichar_type (c);
      gboolean is_bidi = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
      g_string_append_unichar (out, type == G_UNICODE_CONTROL || is_bidi || type == G_UNICODE_LINE_SEPARATOR
                                        || type == G_UNICODE_PARAGRAPH_SEPARATOR
                                      ? 0xfffd
                                      : c);
    }
  return g_string_free (out, FALSE);
}

static void
fit (guint *widths, guint n, guint width)
{
  guint total = GAP * (n - 1);
  for (guint i = 0; i < n; i++)
    total += widths[i];
  while (total > width)
    {
      guint widest = 0;
      for (guint i = 1; i < n; i++)
        if (widths[i] > widths[widest])
          widest = i;
      if (widths[widest] <= MIN_COLUMN)
        return; /* narrower than anybody could read: the terminal wraps */
      widths[widest]--;
      total--;
    }
}

/**
 * hark_table_format:
 * @width: columns of the terminal; 0 for as wide as it gets
 * @bold_header: whether the first row is printed in bold
 *
 * Returns: (transfer full): all rows, a line each
 */
char *
hark_table_format (HarkTable *self, guint width, gboolean bold_header)
{
  GString *out = g_string_new (NULL);
  g_autofree guint *widths = g_new0 (guint, self->n_columns);
  for (guint i = 0; i < self->cells->len; i++)
    widths[i % self->n_columns] = MAX (widths[i % self->n_columns], hark_text_get_columns (self->cells->pdata[i]));
  if (width > 0)
    fit (widths, self->n_columns, width);
  for (guint i = 0; i < self->cells->len; i++)
    {
      guint column = i % self->n_columns;
      gboolean is_last = column == self->n_columns - 1;
      gboolean is_right = (self->right >> column & 1) != 0;
      g_autofree char *text = hark_text_cut (self->cells->pdata[i], widths[column]);
      guint space = widths[column] - hark_text_get_columns (text);
      if (i == 0 && bold_header)
        g_string_append (out, BOLD);
      g_string_append_printf (out, "%*s%s", is_right ? (int)space : 0, "", text);
      if (i == self->n_columns - 1 && bold_header)
        g_string_append (out, PLAIN);
      if (is_last)
        g_string_append_c (out, '\n');
      else
        g_string_append_printf (out, "%*s", (int)(GAP + (is_right ? 0 : space)), "");
    }
  return g_string_free (out, FALSE);
}
