/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes that @len characters can stand for at most. */
#define HARK_BASE64URL_MAX_BYTES(len) ((len) / 4 * 3 + 2)

gboolean hark_base64url_decode (const char *text, gsize len, guint8 *out, gsize *out_len);

G_END_DECLS
