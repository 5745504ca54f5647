/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a token's hash: SHA-256. */
#define HARK_TOKEN_HASH_LEN 32
/* Characters of a token that we make: 32 random bytes in base64url, and the 0 byte. */
#define HARK_TOKEN_LEN 44

void hark_token_make (char out[HARK_TOKEN_LEN]);
gboolean hark_token_is_valid (const char *token);
void hark_token_hash (const char *token, guint8 out[HARK_TOKEN_HASH_LEN]);

G_END_DECLS
