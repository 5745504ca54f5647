/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signs JWTs as an issuer does, with keys of its own. */
#include "jwt-signer.h"

#include <gnutls/crypto.h>
#include <string.h>

#define RSA_BITS 2048
#define HALF 32

static const char secret[] = "a secret of 32 bytes, or of more";

char *
jwt_base64url (gconstpointer data, gsize len)
{
  char *text = g_base64_encode (data, len);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

char *
jwt_dup_public_pem (gnutls_pubkey_t key)
{
  gnutls_datum_t pem;
  char *text;
  g_assert_cmpint (gnutls_pubkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), ==, GNUTLS_E_SUCCESS);
  text = g_strndup ((const char *)pem.data, pem.size);
  gnutls_free (pem.data);
  return text;
}

JwtSigner *
jwt_signer_new_secret (const char *text, gsize len)
{
  JwtSigner *self = g_new0 (JwtSigner, 1);
  self->algorithm = HARK_JWT_HS256;
  self->key = g_memdup2 (text, len);
  self->key_len = len;
  return self;
}

/* A new key of its own; the secret is always the same. */
JwtSigner *
jwt_signer_new (HarkJwtAlgorithm algorithm)
{
  JwtSigner *self;
  gnutls_pubkey_t public;
  int result;
  if (algorithm == HARK_JWT_HS256)
    return jwt_signer_new_secret (secret, strlen (secret));
  self = g_new0 (JwtSigner, 1);
  self->algorithm = algorithm;
  gnutls_privkey_init (&self->private);
  if (algorithm == HARK_JWT_RS256)
    result = gnutls_privkey_generate (self->private, GNUTLS_PK_RSA, RSA_BITS, 0);
  else if (algorithm == HARK_JWT_ES256)
    result
      = gnutls_privkey_generate (self->private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0);
  else
    result = gnutls_privkey_generate (self->private, GNUTLS_PK_EDDSA_ED25519,
                                      GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_ED25519), 0);
  g_assert_cmpint (result, ==, GNUTLS_E_SUCCESS);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_privkey (public, self->private, 0, 0), ==, GNUTLS_E_SUCCESS);
  self->key = jwt_dup_public_pem (public);
  self->key_len = strlen (self->key);
  gnutls_pubkey_deinit (public);
  return self;
}

void
jwt_signer_free (JwtSigner *self)
{
  if (self->private != NULL)
    gnutls_privkey_deinit (self->private);
  g_free (self->key);
  g_free (self);
}

HarkJwtKey *
jwt_signer_dup_key (JwtSigner *self)
{
  g_autoptr (GError) error = NULL;
  HarkJwtKey *key = hark_jwt_key_new (self->algorithm, self->key, self->key_len, &error);
  g_assert_no_error (error);
  return key;
}

/* A number of any length, at the end of @HALF bytes. */
static void
put_half (guint8 *out, const gnutls_datum_t *number)
{
  gsize skip = number->size > HALF ? number->size - HALF : 0;
  memset (out, 0, HALF);
  memcpy (out + HALF - (number->size - skip), number->data + skip, number->size - skip);
}

static char *
sign_private (JwtSigner *self, const gnutls_datum_t *text)
{
  static const gnutls_sign_algorithm_t algorithms[HARK_N_JWT_ALGORITHMS] = {
    [HARK_JWT_RS256] = GNUTLS_SIGN_RSA_SHA256,
    [HARK_JWT_ES256] = GNUTLS_SIGN_ECDSA_SHA256,
    [HARK_JWT_EDDSA] = GNUTLS_SIGN_EDDSA_ED25519,
  };
  gnutls_datum_t signature, r, s;
  guint8 raw[2 * HALF];
  char *encoded;
  g_assert_cmpint (gnutls_privkey_sign_data2 (self->private, algorithms[self->algorithm], 0, text, &signature), ==,
                   GNUTLS_E_SUCCESS);
  if (self->algorithm == HARK_JWT_ES256)
    {
      g_assert_cmpint (gnutls_decode_rs_value (&signature, &r, &s), ==, GNUTLS_E_SUCCESS);
      put_half (raw, &r);
      put_half (raw + HALF, &s);
      gnutls_free (r.data);
      gnutls_free (s.data);
      encoded = jwt_base64url (raw, sizeof raw);
    }
  else
    {
      encoded = jwt_base64url (signature.data, signature.size);
    }
  gnutls_free (signature.data);
  return encoded;
}

/* Returns: (transfer full): the signature of @text, in base64url */
char *
jwt_signer_sign_text (JwtSigner *self, const char *text)
{
  gnutls_datum_t datum = { (unsigned char *)text, strlen (text) };
  guint8 digest[32];
  if (self->algorithm != HARK_JWT_HS256)
    return sign_private (self, &datum);
  gnutls_hmac_fast (GNUTLS_MAC_SHA256, self->key, self->key_len, datum.data, datum.size, digest);
  return jwt_base64url (digest, sizeof digest);
}

/* Returns: (transfer full): a token, whatever @header says of its algorithm */
char *
jwt_signer_sign (JwtSigner *self, const char *header, const char *claims)
{
  g_autofree char *first = jwt_base64url (header, strlen (header));
  g_autofree char *second = jwt_base64url (claims, strlen (claims));
  g_autofree char *text = g_strconcat (first, ".", second, NULL);
  g_autofree char *signature = jwt_signer_sign_text (self, text);
  return g_strconcat (text, ".", signature, NULL);
}
