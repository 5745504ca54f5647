/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * JsonCase:
 *
 * A text and what RFC 8259, read strictly, says of it: a name that begins with y_ must be accepted, one with n_ refused.
 */
typedef struct
{
  const char *name;
  const char *text;
  gsize len;
  const char *rewritten; /* (nullable): what the writer makes of it; %NULL: the same bytes */
  gsize rewritten_len;
  guint times; /* above 0: @text so often, then @middle, then @close so often */
  const char *middle;
  const char *close;
} JsonCase;

extern const JsonCase json_cases[];
extern const guint n_json_cases;

/* The text of @self, to be freed. */
char *json_case_dup_text (const JsonCase *self, gsize *len);

G_END_DECLS
