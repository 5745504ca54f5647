/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkTable:
 *
 * Rows of text in columns that fit a terminal.
 */
typedef struct _HarkTable HarkTable;

HarkTable *hark_table_new (guint n_columns);
void hark_table_free (HarkTable *self);
void hark_table_set_right (HarkTable *self, guint column);
void hark_table_take_cell (HarkTable *self, char *text);
char *hark_table_format (HarkTable *self, guint width, gboolean bold_header);

guint hark_text_get_columns (const char *text);
char *hark_text_cut (const char *text, guint columns);
char *hark_text_clean (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkTable, hark_table_free)

G_END_DECLS
