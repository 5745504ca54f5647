/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transaction.h"

G_BEGIN_DECLS

gboolean hark_rows_require (HarkRows *self, const char *field, GError **error);
const char *hark_rows_get_text_or_empty (const HarkRows *self, guint column);
gboolean hark_rows_check (GError **local_error, GError **error);

G_END_DECLS
