/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what a person types to what FTS5 understands. The person's text never reaches FTS5: it is cut into words as
 * messages are, and of those, which are letters and digits alone, a query is made. So there is no syntax to get wrong.
 */
#include "chat/search-query.h"

#include "base/error.h"

#include <string.h>

/* Characters of a snippet, and of those how many stand before the first thing found. */
#define SNIPPET_CHARS 160
#define SNIPPET_LEAD 40

static void
words_free (gpointer data)
{
  hark_words_clear (data);
  g_free (data);
}

static void
add_phrase (HarkSearchQuery *self, gboolean excluded, const char *text, gsize len)
{
  HarkWords *phrase = g_new0 (HarkWords, 1);
  hark_words_split (phrase, text, len);
  if (phrase->words->len > 0)
    g_ptr_array_add (excluded ? self->without : self->with, phrase);
  else
    words_free (phrase);
}

static gboolean
is_space (const char *p)
{
  return g_unichar_isspace (g_utf8_get_char (p));
}

/* A quotation mark opens a phrase where a word could begin; one that is not closed reaches to the end. */
static void
parse (HarkSearchQuery *self, const char *p)
{
  while (*p != '\0')
    {
      gboolean excluded;
      const char *begin;
      if (is_space (p))
        {
          p = g_utf8_next_char (p);
          continue;
        }
      excluded = p[0] == '-' && p[1] != '\0' && !is_space (p + 1);
      p += excluded ? 1 : 0;
      if (*p == '"')
        {
          begin = ++p;
          p += strcspn (p, "\"");
          add_phrase (self, excluded, begin, p - begin);
          p += *p == '"' ? 1 : 0;
          continue;
        }
      begin = p;
      while (*p != '\0' && *p != '"' && !is_space (p))
        p = g_utf8_next_char (p);
      add_phrase (self, excluded, begin, p - begin);
    }
}

static char *
make_match (const HarkSearchQuery *self)
{
  GString *match = g_string_new ("(");
  for (guint i = 0; i < self->with->len; i++)
    g_string_append_printf (match, "%s\"%s\"", i > 0 ? " AND " : "", ((HarkWords *)self->with->pdata[i])->folded->str);
  g_string_append_c (match, ')');
  for (guint i = 0; i < self->without->len; i++)
    g_string_append_printf (match, " NOT \"%s\"", ((HarkWords *)self->without->pdata[i])->folded->str);
  return g_string_free (match, FALSE);
}

/**
 * hark_search_query_new:
 *
 * Returns: (transfer full): %NULL with %HARK_ERROR_BAD_REQUEST when there is nothing in it to look for
 */
HarkSearchQuery *
hark_search_query_new (const char *text, GError **error)
{
  g_autoptr (HarkSearchQuery) self = g_new0 (HarkSearchQuery, 1);
  self->with = g_ptr_array_new_with_free_func (words_free);
  self->without = g_ptr_array_new_with_free_func (words_free);
  parse (self, text);
  if (self->with->len == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"query\" must have a word to look for");
      return NULL;
    }
  self->match = make_match (self);
  return g_steal_pointer (&self);
}

void
hark_search_query_free (HarkSearchQuery *self)
{
  g_ptr_array_unref (self->with);
  g_ptr_array_unref (self->without);
  g_free (self->match);
  g_free (self);
}

static gboolean
contains (const HarkWords *words, const HarkWords *phrase)
{
  for (guint i = 0; i + phrase->words->len <= words->words->len; i++)
    if (hark_words_contain_at (words, i, phrase))
      return TRUE;
  return FALSE;
}

/* What FTS5 would say of a text. */
gboolean
hark_search_query_matches (const HarkSearchQuery *self, const HarkWords *words)
{
  for (guint i = 0; i < self->with->len; i++)
    if (!contains (words, self->with->pdata[i]))
      return FALSE;
  for (guint i = 0; i < self->without->len; i++)
    if (contains (words, self->without->pdata[i]))
      return FALSE;
  return TRUE;
}

/* How many words from @position on are one of the phrases, the longest; 0: none is. */
static guint
find_at (const HarkSearchQuery *self, const HarkWords *words, guint position)
{
  guint longest = 0;
  for (guint i = 0; i < self->with->len; i++)
    {
      const HarkWords *phrase = self->with->pdata[i];
      if (phrase->words->len > longest && hark_words_contain_at (words, position, phrase))
        longest = phrase->words->len;
    }
  return longest;
}

/* As JavaScript counts. */
static guint
count_units (const char *from, const char *to)
{
  guint units = 0;
  for (const char *p = from; p < to; p = g_utf8_next_char (p))
    units += g_utf8_get_char (p) > 0xFFFF ? 2 : 1;
  return units;
}

/**
 * hark_search_query_write_snippet:
 * @words: of @text
 *
 * Writes `snippet`, the part of the text around the first thing found, and `highlights`: where in the snippet the things
 * found are, as pairs of start and length in UTF-16 units.
 */
void
hark_search_query_write_snippet (const HarkSearchQuery *self, const char *text, gsize len, const HarkWords *words,
                                 HarkJsonWriter *json)
{
  const HarkWord *word = (const HarkWord *)(gpointer)words->words->data;
  guint n_words = words->words->len, first = 0, start, chars = 0;
  const char *begin = text, *end;
  while (first < n_words && find_at (self, words, first) == 0)
    first++;
  start = first < n_words && word[first].start > SNIPPET_LEAD ? word[first].start - SNIPPET_LEAD : 0;
  begin = g_utf8_offset_to_pointer (text, start);
  for (end = begin; end < text + len && chars < SNIPPET_CHARS; chars++)
    end = g_utf8_next_char (end);
  hark_json_writer_member (json, "snippet");
  hark_json_writer_string_len (json, begin, end - begin);
  hark_json_writer_member (json, "highlights");
  hark_json_writer_begin_array (json);
  for (guint i = first; i < n_words;)
    {
      guint n = find_at (self, words, i), from, to;
      if (n == 0)
        {
          i++;
          continue;
        }
      from = word[i].start - start;
      to = word[i + n - 1].start + word[i + n - 1].n_chars - start;
      if (to > chars)
        break;
      hark_json_writer_begin_array (json);
      hark_json_writer_int (json, count_units (begin, g_utf8_offset_to_pointer (begin, from)));
      hark_json_writer_int (json,
                            count_units (g_utf8_offset_to_pointer (begin, from), g_utf8_offset_to_pointer (begin, to)));
      hark_json_writer_end_array (json);
      i += n;
    }
  hark_json_writer_end_array (json);
}
