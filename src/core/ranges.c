/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pages of a long list that a session has: pages that were read one after the other are one range, so that who
 * scrolls through fifty thousand members costs as much as who looks at the first of them.
 */
#include "core/ranges.h"

GArray *
hark_ranges_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (HarkRange));
}

/* The first range that ends at @id or later: where @id is, if it is in any. */
static guint
find (GArray *ranges, gint64 id)
{
  guint from = 0, to = ranges->len;
  while (from < to)
    {
      guint middle = from + (to - from) / 2;
      if (g_array_index (ranges, HarkRange, middle).last < id)
        from = middle + 1;
      else
        to = middle;
    }
  return from;
}

gboolean
hark_ranges_contain (GArray *ranges, gint64 id)
{
  guint i = find (ranges, id);
  return i < ranges->len && g_array_index (ranges, HarkRange, i).after < id;
}

/* Whether adding this range would make no more of them. */
gboolean
hark_ranges_meet (GArray *ranges, gint64 after, gint64 last)
{
  guint i = find (ranges, after);
  return i < ranges->len && g_array_index (ranges, HarkRange, i).after <= last;
}

/**
 * hark_ranges_add:
 * @after: less than @last
 */
void
hark_ranges_add (GArray *ranges, gint64 after, gint64 last)
{
  guint first = find (ranges, after), n = 0;
  HarkRange range = { after, last };
  while (first + n < ranges->len && g_array_index (ranges, HarkRange, first + n).after <= last)
    {
      const HarkRange *met = &g_array_index (ranges, HarkRange, first + n);
      range.after = MIN (range.after, met->after);
      range.last = MAX (range.last, met->last);
      n++;
    }
  if (n > 0)
    g_array_remove_range (ranges, first, n);
  g_array_insert_val (ranges, first, range);
}
