/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-reader.h"
#include "base/json-writer.h"

G_BEGIN_DECLS

/**
 * json_copy:
 * @writer: empty
 *
 * Reads @data token by token and writes each to @writer, strings decoded and encoded anew: for the case table and the
 * fuzz target.
 *
 * Returns: whether @data is JSON; if not, what @writer holds is of no use
 */
gboolean json_copy (const char *data, gsize len, HarkJsonWriter *writer, GError **error);

G_END_DECLS
