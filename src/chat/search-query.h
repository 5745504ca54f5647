/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"
#include "chat/words.h"

G_BEGIN_DECLS

/**
 * HarkSearchQuery:
 * @match: what FTS5 is asked
 *
 * What somebody searches for: words and "phrases" that must all be there, and -those that must not.
 */
typedef struct
{
  char *match;        /* (owned) */
  GPtrArray *with;    /* (element-type HarkWords) (owned) */
  GPtrArray *without; /* likewise */
} HarkSearchQuery;

HarkSearchQuery *hark_search_query_new (const char *text, GError **error);
void hark_search_query_free (HarkSearchQuery *self);
gboolean hark_search_query_matches (const HarkSearchQuery *self, const HarkWords *words);
void hark_search_query_write_snippet (const HarkSearchQuery *self, const char *text, gsize len, const HarkWords *words,
                                      HarkJsonWriter *json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSearchQuery, hark_search_query_free)

G_END_DECLS
