/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One word of a text. */
typedef struct
{
  guint start;   /* characters of the text before it */
  guint n_chars; /* of the text */
  guint offset;  /* of its folded form, in bytes of HarkWords.folded */
  guint len;     /* bytes of that */
} HarkWord;

/**
 * HarkWords:
 *
 * A text cut into the words by which it can be found; on the stack: `g_auto (HarkWords) words = HARK_WORDS_INIT`.
 */
typedef struct
{
  GString *folded; /* (nullable) (owned): the words as they are compared, a space between each two */
  GArray *words;   /* (nullable) (owned) (element-type HarkWord) */
} HarkWords;

#define HARK_WORDS_INIT                                                                                                \
  {                                                                                                                    \
    NULL, NULL                                                                                                         \
  }

void hark_words_split (HarkWords *self, const char *text, gsize len);
void hark_words_clear (HarkWords *self);
gboolean hark_words_contain_at (const HarkWords *self, guint position, const HarkWords *phrase);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkWords, hark_words_clear)

G_END_DECLS
