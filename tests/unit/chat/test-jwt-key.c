/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and signatures, by the examples of RFC 7515 and RFC 8037 and by keys made here. */
#include "jwt-signer.h"

#include "base/base64url.h"
#include "base/error.h"

#include <string.h>

#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

typedef struct
{
  guint8 data[512];
  gsize len;
} Bytes;

static gnutls_datum_t
decode (const char *text, Bytes *bytes)
{
  g_assert_true (hark_base64url_decode (text, strlen (text), bytes->data, &bytes->len));
  return (gnutls_datum_t){ bytes->data, bytes->len };
}

/* The signature holds, and does not when it or the text is another. */
static void
assert_vector (HarkJwtKey *key, const char *text, const char *signature)
{
  g_autofree char *other = g_strdup (text);
  Bytes bytes;
  decode (signature, &bytes);
  g_assert_true (hark_jwt_key_verify (key, text, strlen (text), bytes.data, bytes.len));
  other[strlen (other) - 1] ^= 1;
  g_assert_false (hark_jwt_key_verify (key, other, strlen (other), bytes.data, bytes.len));
  g_assert_false (hark_jwt_key_verify (key, text, strlen (text), bytes.data, bytes.len - 1));
  g_assert_false (hark_jwt_key_verify (key, text, strlen (text), bytes.data, 0));
  for (gsize i = 0; i < bytes.len; i += 7)
    {
      bytes.data[i] ^= 0x10;
      g_assert_false (hark_jwt_key_verify (key, text, strlen (text), bytes.data, bytes.len));
      bytes.data[i] ^= 0x10;
    }
}

static HarkJwtKey *
import (HarkJwtAlgorithm algorithm, gnutls_pubkey_t public)
{
  g_autofree char *pem = jwt_dup_public_pem (public);
  g_autoptr (GError) error = NULL;
  HarkJwtKey *key = hark_jwt_key_new (algorithm, pem, strlen (pem), &error);
  g_assert_no_error (error);
  gnutls_pubkey_deinit (public);
  return key;
}

static void
test_hs256 (void)
{
  g_autoptr (HarkJwtKey) key = NULL;
  Bytes secret;
  g_test_summary ("RFC 7515 A.1: HS256.");
  decode ("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", &secret);
  key = hark_jwt_key_new (HARK_JWT_HS256, (const char *)secret.data, secret.len, NULL);
  assert_vector (key, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD,
                 "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

static void
test_rs256 (void)
{
  g_autoptr (HarkJwtKey) key = NULL;
  gnutls_pubkey_t public;
  gnutls_datum_t n, e;
  Bytes bytes[2];
  g_test_summary ("RFC 7515 A.2: RS256.");
  n = decode (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
    "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
    "TW9gb54h4FRWyuXpoQ",
    &bytes[0]);
  e = decode ("AQAB", &bytes[1]);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_rsa_raw (public, &n, &e), ==, GNUTLS_E_SUCCESS);
  key = import (HARK_JWT_RS256, public);
  assert_vector (
    key, "eyJhbGciOiJSUzI1NiJ9." PAYLOAD,
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdb"
    "F9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383"
    "LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWy"
    "wlVmtVrBp0igcN_IoypGlUPQGe77Rw");
}

static void
test_es256 (void)
{
  g_autoptr (HarkJwtKey) key = NULL;
  gnutls_pubkey_t public;
  gnutls_datum_t x, y;
  Bytes bytes[2];
  g_test_summary ("RFC 7515 A.3: ES256.");
  x = decode ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", &bytes[0]);
  y = decode ("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", &bytes[1]);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_ecc_raw (public, GNUTLS_ECC_CURVE_SECP256R1, &x, &y), ==, GNUTLS_E_SUCCESS);
  key = import (HARK_JWT_ES256, public);
  assert_vector (key, "eyJhbGciOiJFUzI1NiJ9." PAYLOAD,
                 "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
}

static void
test_zeros (void)
{
  static const guint8 zeros[256] = { 0 };
  g_test_summary ("A signature of nothing but zeros, which some libraries took for one of anybody's, is none.");
  for (guint i = 0; i < HARK_N_JWT_ALGORITHMS; i++)
    {
      g_autoptr (JwtSigner) signer = jwt_signer_new (i);
      g_autoptr (HarkJwtKey) key = jwt_signer_dup_key (signer);
      for (gsize len = 0; len <= sizeof zeros; len += 32)
        g_assert_false (hark_jwt_key_verify (key, "text", 4, zeros, len));
    }
}

static void
test_eddsa (void)
{
  g_autoptr (HarkJwtKey) key = NULL;
  gnutls_pubkey_t public;
  gnutls_datum_t x;
  Bytes bytes;
  g_test_summary ("RFC 8037 A.4: EdDSA.");
  x = decode ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", &bytes);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_ecc_raw (public, GNUTLS_ECC_CURVE_ED25519, &x, NULL), ==, GNUTLS_E_SUCCESS);
  key = import (HARK_JWT_EDDSA, public);
  assert_vector (key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                 "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

static void
test_short_numbers (void)
{
  g_autoptr (JwtSigner) signer = jwt_signer_new (HARK_JWT_ES256);
  g_autoptr (HarkJwtKey) key = jwt_signer_dup_key (signer);
  guint found = 0;
  g_test_summary ("ES256 signatures whose numbers are short, and begin with zeros here, hold as well.");
  for (guint i = 0; found != 3 && i < 20000; i++)
    {
      g_autofree char *text = g_strdup_printf ("text %u", i);
      g_autofree char *signature = jwt_signer_sign_text (signer, text);
      Bytes bytes;
      decode (signature, &bytes);
      g_assert_true (hark_jwt_key_verify (key, text, strlen (text), bytes.data, bytes.len));
      found |= (bytes.data[0] == 0 ? 1 : 0) | (bytes.data[32] == 0 ? 2 : 0);
    }
  g_assert_cmpuint (found, ==, 3);
}

static void
assert_refused (HarkJwtAlgorithm algorithm, const char *data, gsize len, const char *why)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkJwtKey) key = hark_jwt_key_new (algorithm, data, len, &error);
  g_assert_null (key);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  if (strstr (error->message, why) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, why);
}

static void
test_weak_secret (void)
{
  static const char text[] = "0123456789abcdef0123456789abcdef\r\n";
  g_autoptr (HarkJwtKey) key = NULL;
  g_autoptr (JwtSigner) signer = jwt_signer_new_secret (text, 32);
  g_autofree char *signature = jwt_signer_sign_text (signer, "text");
  Bytes bytes;
  g_test_summary ("A secret has 32 bytes or more; the line's end behind it is none of them.");
  assert_refused (HARK_JWT_HS256, "", 0, "has 0 bytes, and 32 are");
  assert_refused (HARK_JWT_HS256, text, 31, "has 31 bytes");
  assert_refused (HARK_JWT_HS256, "0123456789abcdef0123456789abcde\n", 32, "has 31 bytes");
  assert_refused (HARK_JWT_HS256, "\n", 1, "has 0 bytes");
  key = hark_jwt_key_new (HARK_JWT_HS256, text, strlen (text), NULL);
  decode (signature, &bytes);
  g_assert_true (hark_jwt_key_verify (key, "text", 4, bytes.data, bytes.len));
}

static void
test_weak_rsa (void)
{
  gnutls_privkey_t private;
  gnutls_pubkey_t public;
  g_autofree char *pem = NULL;
  g_test_summary ("An RSA key has 2048 bits or more.");
  gnutls_privkey_init (&private);
  g_assert_cmpint (gnutls_privkey_generate (private, GNUTLS_PK_RSA, 1024, 0), ==, GNUTLS_E_SUCCESS);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_privkey (public, private, 0, 0), ==, GNUTLS_E_SUCCESS);
  pem = jwt_dup_public_pem (public);
  assert_refused (HARK_JWT_RS256, pem, strlen (pem), "has 1024 bits, and 2048 are");
  gnutls_pubkey_deinit (public);
  gnutls_privkey_deinit (private);
}

static void
test_other_curve (void)
{
  gnutls_privkey_t private;
  gnutls_pubkey_t public;
  g_autofree char *pem = NULL;
  g_test_summary ("ES256 is on the curve P-256 and on no other.");
  gnutls_privkey_init (&private);
  g_assert_cmpint (gnutls_privkey_generate (private, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP384R1),
                                            0),
                   ==, GNUTLS_E_SUCCESS);
  gnutls_pubkey_init (&public);
  g_assert_cmpint (gnutls_pubkey_import_privkey (public, private, 0, 0), ==, GNUTLS_E_SUCCESS);
  pem = jwt_dup_public_pem (public);
  assert_refused (HARK_JWT_ES256, pem, strlen (pem), "P-256");
  gnutls_pubkey_deinit (public);
  gnutls_privkey_deinit (private);
}

static void
test_wrong_kind (void)
{
  g_autoptr (JwtSigner) ec = jwt_signer_new (HARK_JWT_ES256), ed = jwt_signer_new (HARK_JWT_EDDSA);
  gnutls_x509_privkey_t private;
  gnutls_datum_t pem;
  g_test_summary ("A key of another kind, a private one, and what is no key at all are refused, each by its name.");
  assert_refused (HARK_JWT_RS256, ec->key, ec->key_len, "no RSA key");
  assert_refused (HARK_JWT_ES256, ed->key, ed->key_len, "P-256");
  assert_refused (HARK_JWT_EDDSA, ec->key, ec->key_len, "no Ed25519 key");
  assert_refused (HARK_JWT_HS256, ec->key, ec->key_len, "no secret");
  assert_refused (HARK_JWT_ES256, "not a key", 9, "no public key in PEM");
  assert_refused (HARK_JWT_ES256, "", 0, "no public key in PEM");
  g_assert_cmpint (gnutls_privkey_export_x509 (ec->private, &private), ==, GNUTLS_E_SUCCESS);
  g_assert_cmpint (gnutls_x509_privkey_export2_pkcs8 (private, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), ==,
                   GNUTLS_E_SUCCESS);
  assert_refused (HARK_JWT_ES256, (const char *)pem.data, pem.size, "private key");
  gnutls_free (pem.data);
  gnutls_x509_privkey_deinit (private);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/jwt-key/hs256", test_hs256);
  g_test_add_func ("/jwt-key/rs256", test_rs256);
  g_test_add_func ("/jwt-key/es256", test_es256);
  g_test_add_func ("/jwt-key/eddsa", test_eddsa);
  g_test_add_func ("/jwt-key/zeros", test_zeros);
  g_test_add_func ("/jwt-key/short-numbers", test_short_numbers);
  g_test_add_func ("/jwt-key/weak-secret", test_weak_secret);
  g_test_add_func ("/jwt-key/weak-rsa", test_weak_rsa);
  g_test_add_func ("/jwt-key/other-curve", test_other_curve);
  g_test_add_func ("/jwt-key/wrong-kind", test_wrong_kind);
  return g_test_run ();
}
