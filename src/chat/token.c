/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets that clients present: access tokens, resume tokens. Only their hashes are kept. */
#include "chat/token.h"

#include <string.h>
#include <unistd.h>

#define MIN_CHARS 8
#define MAX_CHARS 128

/* A token of 256 bits that nobody can guess: from the kernel, not from GLib's generator, which is none for secrets. */
void
hark_token_make (char out[HARK_TOKEN_LEN])
{
  guint8 bytes[32];
  g_autofree char *text = NULL;
  if (getentropy (bytes, sizeof bytes) != 0)
    g_error ("the kernel gives no random numbers"); /* cannot be: the buffer is small and the call is there */
  text = g_base64_encode (bytes, sizeof bytes);
  for (guint i = 0; i < HARK_TOKEN_LEN - 1; i++)
    out[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
  out[HARK_TOKEN_LEN - 1] = '\0';
}

/* Whether @token could be one: one that an administrator chose counts too. */
gboolean
hark_token_is_valid (const char *token)
{
  gsize len = strspn (token, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._~-");
  return token[len] == '\0' && len >= MIN_CHARS && len <= MAX_CHARS;
}

void
hark_token_hash (const char *token, guint8 out[HARK_TOKEN_HASH_LEN])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize len = HARK_TOKEN_HASH_LEN;
  g_checksum_update (checksum, (const guchar *)token, strlen (token));
  g_checksum_get_digest (checksum, out, &len);
}
