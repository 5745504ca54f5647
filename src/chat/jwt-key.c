/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The key of an issuer of JWTs, as GnuTLS has it. Which algorithm it is for is said by the configuration, never by a
 * token (RFC 8725 section 3.1); what is too weak is refused when it is read, not when it is used.
 */
#include "chat/jwt-key.h"

#include "base/error.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* As many as the digest has (RFC 7518 section 3.2). */
#define MIN_SECRET_BYTES 32

/* RFC 7518 section 3.3. */
#define MIN_RSA_BITS 2048

/* One number of an ES256 signature. */
#define ES256_HALF 32
#define ED25519_BYTES 64
#define SHA256_BYTES 32

struct _HarkJwtKey
{
  HarkJwtAlgorithm algorithm;
  gnutls_pubkey_t public; /* (owned) (nullable) */
  guint8 *secret;         /* (owned) (nullable): of HS256 */
  gsize secret_len;
};

const char *
hark_jwt_algorithm_get_name (HarkJwtAlgorithm algorithm)
{
  static const char *const names[HARK_N_JWT_ALGORITHMS] = {
    [HARK_JWT_HS256] = "HS256",
    [HARK_JWT_RS256] = "RS256",
    [HARK_JWT_ES256] = "ES256",
    [HARK_JWT_EDDSA] = "EdDSA",
  };
  return names[algorithm];
}

void
hark_jwt_key_free (HarkJwtKey *self)
{
  if (self->public != NULL)
    gnutls_pubkey_deinit (self->public);
  if (self->secret != NULL)
    gnutls_memset (self->secret, 0, self->secret_len);
  g_free (self->secret);
  g_free (self);
}

HarkJwtAlgorithm
hark_jwt_key_get_algorithm (const HarkJwtKey *self)
{
  return self->algorithm;
}

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error_literal (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, what);
  return FALSE;
}

/* The bytes as they are, without the line's end that editors leave. */
static gboolean
read_secret (HarkJwtKey *self, const char *data, gsize len, GError **error)
{
  if (len > 0 && data[len - 1] == '\n')
    len -= len > 1 && data[len - 2] == '\r' ? 2 : 1;
  /* Everybody has the public key: a secret that it is would let everybody in. */
  if (g_strstr_len (data, len, "-----BEGIN ") != NULL)
    return refuse (error, "it is a key in PEM, which is no secret for HS256");
  if (len < MIN_SECRET_BYTES)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                   "the secret has %" G_GSIZE_FORMAT " bytes, and %d are the least for HS256", len, MIN_SECRET_BYTES);
      return FALSE;
    }
  self->secret = g_memdup2 (data, len);
  self->secret_len = len;
  return TRUE;
}

static gboolean
check_rsa (gnutls_pubkey_t key, GError **error)
{
  unsigned int bits;
  if (gnutls_pubkey_get_pk_algorithm (key, &bits) != GNUTLS_PK_RSA)
    return refuse (error, "it is no RSA key, which RS256 needs");
  if (bits >= MIN_RSA_BITS)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "the key has %u bits, and %d are the least for RS256", bits,
               MIN_RSA_BITS);
  return FALSE;
}

static gboolean
check_p256 (gnutls_pubkey_t key, GError **error)
{
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  if (gnutls_pubkey_get_pk_algorithm (key, NULL) != GNUTLS_PK_ECDSA
      || gnutls_pubkey_export_ecc_raw2 (key, &curve, NULL, NULL, 0) != GNUTLS_E_SUCCESS
      || curve != GNUTLS_ECC_CURVE_SECP256R1)
    return refuse (error, "it is no key on the curve P-256, which ES256 needs");
  return TRUE;
}

static gboolean
check_ed25519 (gnutls_pubkey_t key, GError **error)
{
  if (gnutls_pubkey_get_pk_algorithm (key, NULL) != GNUTLS_PK_EDDSA_ED25519)
    return refuse (error, "it is no Ed25519 key, which EdDSA needs");
  return TRUE;
}

static gboolean
read_public (HarkJwtKey *self, const char *data, gsize len, GError **error)
{
  static gboolean (*const checks[HARK_N_JWT_ALGORITHMS]) (gnutls_pubkey_t, GError **) = {
    [HARK_JWT_RS256] = check_rsa,
    [HARK_JWT_ES256] = check_p256,
    [HARK_JWT_EDDSA] = check_ed25519,
  };
  gnutls_datum_t pem = { (unsigned char *)data, len };
  int result;
  if (g_strstr_len (data, len, "PRIVATE KEY-----") != NULL)
    return refuse (error, "it has a private key, which is the issuer's alone; the public one is needed");
  result = gnutls_pubkey_init (&self->public);
  g_assert (result == GNUTLS_E_SUCCESS);
  result = gnutls_pubkey_import (self->public, &pem, GNUTLS_X509_FMT_PEM);
  if (result != GNUTLS_E_SUCCESS)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "it is no public key in PEM: %s",
                   gnutls_strerror (result));
      return FALSE;
    }
  return checks[self->algorithm](self->public, error);
}

/**
 * hark_jwt_key_new:
 * @data: (array length=len): of HS256 the secret itself, otherwise the public key in PEM
 *
 * Returns: (transfer full): the key, or %NULL with %HARK_ERROR_BAD_REQUEST, as a clause: what is wrong with @data
 */
HarkJwtKey *
hark_jwt_key_new (HarkJwtAlgorithm algorithm, const char *data, gsize len, GError **error)
{
  g_autoptr (HarkJwtKey) self = g_new0 (HarkJwtKey, 1);
  self->algorithm = algorithm;
  if (!(algorithm == HARK_JWT_HS256 ? read_secret (self, data, len, error) : read_public (self, data, len, error)))
    return NULL;
  return g_steal_pointer (&self);
}

static gboolean
verify_secret (const HarkJwtKey *self, const gnutls_datum_t *text, const gnutls_datum_t *signature)
{
  guint8 digest[SHA256_BYTES];
  return signature->size == sizeof digest
         && gnutls_hmac_fast (GNUTLS_MAC_SHA256, self->secret, self->secret_len, text->data, text->size, digest)
              == GNUTLS_E_SUCCESS
         && gnutls_memcmp (digest, signature->data, sizeof digest) == 0;
}

static gboolean
verify_public (const HarkJwtKey *self, gnutls_sign_algorithm_t algorithm, const gnutls_datum_t *text,
               const gnutls_datum_t *signature)
{
  return gnutls_pubkey_verify_data2 (self->public, algorithm, 0, text, signature) >= 0;
}

/* JOSE has the two numbers side by side, everybody else in DER. */
static gboolean
verify_es256 (const HarkJwtKey *self, const gnutls_datum_t *text, const gnutls_datum_t *signature)
{
  gnutls_datum_t r = { signature->data, ES256_HALF }, s = { signature->data + ES256_HALF, ES256_HALF };
  gnutls_datum_t der = { NULL, 0 };
  gboolean verified;
  if (signature->size != 2 * ES256_HALF || gnutls_encode_rs_value (&der, &r, &s) != GNUTLS_E_SUCCESS)
    return FALSE;
  verified = verify_public (self, GNUTLS_SIGN_ECDSA_SHA256, text, &der);
  gnutls_free (der.data);
  return verified;
}

/**
 * hark_jwt_key_verify:
 * @text: (array length=len): what was signed
 *
 * Returns: whether who has the key has signed it
 */
gboolean
hark_jwt_key_verify (const HarkJwtKey *self, const char *text, gsize len, const guint8 *signature, gsize signature_len)
{
  gnutls_datum_t signed_text = { (unsigned char *)text, len };
  gnutls_datum_t by = { (unsigned char *)signature, signature_len };
  switch (self->algorithm)
    {
    case HARK_JWT_HS256:
      return verify_secret (self, &signed_text, &by);
    case HARK_JWT_RS256:
      return verify_public (self, GNUTLS_SIGN_RSA_SHA256, &signed_text, &by);
    case HARK_JWT_ES256:
      return verify_es256 (self, &signed_text, &by);
    case HARK_JWT_EDDSA:
      return signature_len == ED25519_BYTES && verify_public (self, GNUTLS_SIGN_EDDSA_ED25519, &signed_text, &by);
    case HARK_N_JWT_ALGORITHMS:
      break;
    }
  g_assert_not_reached ();
}
