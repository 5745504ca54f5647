/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a word is, for the index, for queries and for marking what was found: one answer for all three. Letters and
 * digits in a row, in small letters and without Latin accents. Scripts that put no spaces between words (Chinese,
 * Japanese, Korean with its particles, Thai …) are cut into characters: 北京 is found in 我在北京吃饭 as two characters
 * that follow each other, and a word of one or two characters is found too, which an index of trigrams could not do.
 * An emoji is a word.
 */
#include "chat/words.h"

#include <string.h>

typedef enum
{
  BETWEEN,
  PART,  /* of a word of several characters */
  ALONE, /* a word of its own */
  MARK   /* belongs to what is before it */
} Kind;

static gboolean
is_cut_into_characters (gunichar c)
{
  switch (g_unichar_get_script (c))
    {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_BOPOMOFO:
    case G_UNICODE_SCRIPT_YI:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
    case G_UNICODE_SCRIPT_TIBETAN:
      return TRUE;
    default:
      return FALSE;
    }
}

static Kind
kind_of (gunichar c)
{
  if (c < 0x80)
    return g_ascii_isalnum (c) ? PART : BETWEEN;
  if (g_unichar_ismark (c))
    return MARK;
  if (g_unichar_type (c) == G_UNICODE_OTHER_SYMBOL)
    return ALONE;
  if (!g_unichar_isalnum (c))
    return BETWEEN;
  return is_cut_into_characters (c) ? ALONE : PART;
}

/* Appends nothing that the index would cut at: ASCII that is neither letter nor digit. */
static void
fold (GString *out, gunichar c)
{
  gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
  gsize n;
  if (c < 0x80)
    {
      g_string_append_c (out, g_ascii_tolower (c));
      return;
    }
  n = g_unichar_fully_decompose (c, TRUE, parts, G_N_ELEMENTS (parts));
  for (gsize i = 0; i < n; i++)
    {
      gboolean is_accent = parts[i] >= 0x300 && parts[i] < 0x370;
      if (!is_accent && (parts[i] >= 0x80 || g_ascii_isalnum (parts[i])))
        g_string_append_unichar (out, g_unichar_tolower (parts[i]));
    }
}

static void
begin_word (HarkWords *self, guint position)
{
  HarkWord word = { position, 0, 0, 0 };
  if (self->folded->len > 0)
    g_string_append_c (self->folded, ' ');
  word.offset = self->folded->len;
  g_array_append_val (self->words, word);
}

/* One that folded to nothing is none. */
static void
end_word (HarkWords *self)
{
  HarkWord *word = &g_array_index (self->words, HarkWord, self->words->len - 1);
  word->len = self->folded->len - word->offset;
  if (word->len > 0)
    return;
  g_string_truncate (self->folded, word->offset > 0 ? word->offset - 1 : 0);
  g_array_set_size (self->words, self->words->len - 1);
}

/**
 * hark_words_split:
 * @text: (array length=len): valid UTF-8
 *
 * May be called again for another text.
 */
void
hark_words_split (HarkWords *self, const char *text, gsize len)
{
  Kind before = BETWEEN;
  guint position = 0;
  if (self->folded == NULL)
    {
      self->folded = g_string_new (NULL);
      self->words = g_array_new (FALSE, FALSE, sizeof (HarkWord));
    }
  g_string_truncate (self->folded, 0);
  g_array_set_size (self->words, 0);
  for (const char *p = text; p < text + len; p = g_utf8_next_char (p), position++)
    {
      gunichar c = g_utf8_get_char (p);
      Kind kind = kind_of (c);
      gboolean goes_on = before != BETWEEN && (kind == MARK || (kind == PART && before == PART));
      if (before != BETWEEN && !goes_on)
        end_word (self);
      if (kind == BETWEEN || (kind == MARK && !goes_on))
        {
          before = BETWEEN;
          continue;
        }
      if (!goes_on)
        begin_word (self, position);
      g_array_index (self->words, HarkWord, self->words->len - 1).n_chars++;
      fold (self->folded, c);
      before = kind == MARK ? before : kind;
    }
  if (before != BETWEEN)
    end_word (self);
}

void
hark_words_clear (HarkWords *self)
{
  if (self->folded != NULL)
    g_string_free (g_steal_pointer (&self->folded), TRUE);
  g_clear_pointer (&self->words, g_array_unref);
}

/* Whether the words from @position on are those of @phrase, which has been split too. */
gboolean
hark_words_contain_at (const HarkWords *self, guint position, const HarkWords *phrase)
{
  const HarkWord *word;
  if (position + phrase->words->len > self->words->len)
    return FALSE;
  word = &g_array_index (self->words, HarkWord, position);
  for (guint i = 0; i < phrase->words->len; i++)
    {
      const HarkWord *wanted = &g_array_index (phrase->words, HarkWord, i);
      if (word[i].len != wanted->len
          || memcmp (self->folded->str + word[i].offset, phrase->folded->str + wanted->offset, wanted->len) != 0)
        return FALSE;
    }
  return TRUE;
}
