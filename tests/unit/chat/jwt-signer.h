/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/jwt-key.h"

#include <gnutls/abstract.h>

G_BEGIN_DECLS

/* An issuer's side: makes keys and signs with them. */
typedef struct
{
  HarkJwtAlgorithm algorithm;
  gnutls_privkey_t private; /* not of HS256 */
  char *key;                /* what the other side is configured with: PEM, or the secret */
  gsize key_len;
} JwtSigner;

JwtSigner *jwt_signer_new (HarkJwtAlgorithm algorithm);
JwtSigner *jwt_signer_new_secret (const char *secret, gsize len);
void jwt_signer_free (JwtSigner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JwtSigner, jwt_signer_free)

HarkJwtKey *jwt_signer_dup_key (JwtSigner *self);
char *jwt_signer_sign_text (JwtSigner *self, const char *text);
char *jwt_signer_sign (JwtSigner *self, const char *header, const char *claims);

char *jwt_base64url (gconstpointer data, gsize len);
char *jwt_dup_public_pem (gnutls_pubkey_t key);

G_END_DECLS
