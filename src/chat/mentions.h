/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/fields.h"
#include "chat/message-row.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* The name after an `@`, as it stands in the text and without the punctuation that may only end a sentence. */
typedef struct
{
  char whole[HARK_USERNAME_MAX + 1];
  char bare[HARK_USERNAME_MAX + 1];
} HarkMentionedName;

GArray *hark_mentions_parse (const char *text, gsize len, guint max);

/* For works. */
gboolean hark_mentions_store (HarkTransaction *tx, HarkMessageRow *row, gint64 ordinal, guint max, char **mentions,
                              GError **error);

G_END_DECLS
