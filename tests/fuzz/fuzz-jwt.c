/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JWTs: what comes is taken as a token as it stands, and, with its first line as the header and the rest as the claims,
 * is signed as the issuer would, so that what is read behind the signature is reached too. What is found good is what
 * was asked for, and base64url has one spelling.
 */
#include "chat/jwt.h"

#include "base/base64url.h"
#include "base/error.h"
#include "chat/fields.h"

#include <gnutls/crypto.h>
#include <stdint.h>
#include <string.h>

#define NOW_S G_GINT64_CONSTANT (1763665555)
#define LEEWAY_S 30
#define MAX_LIFETIME_S 3600

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char secret[] = "a secret of 32 bytes, or of more";

static HarkJwtIssuer *
get_issuer (void)
{
  static HarkJwtIssuer *issuer;
  static const HarkJwtRules rules = {
    .issuer = "i",
    .audience = "a",
    .leeway_s = LEEWAY_S,
    .max_lifetime_s = MAX_LIFETIME_S,
    .name_chars = 20,
  };
  if (issuer == NULL)
    {
      issuer = hark_jwt_issuer_new (HARK_JWT_HS256, &rules);
      hark_jwt_issuer_take_key (issuer, hark_jwt_key_new (HARK_JWT_HS256, secret, strlen (secret), NULL));
    }
  return issuer;
}

static char *
encode (const void *data, gsize len)
{
  char *text = g_base64_encode (data, len);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  text[strcspn (text, "=")] = '\0';
  return text;
}

/* Returns: whether it was found good */
static gboolean
check (const char *token)
{
  g_auto (HarkJwtClaims) claims = { NULL };
  g_autoptr (GError) error = NULL;
  gboolean good = hark_jwt_issuer_check (get_issuer (), token, NOW_S * 1000, &claims, &error);
  g_assert_true (good == (error == NULL));
  if (!good)
    {
      g_assert_true (error->domain == HARK_ERROR && error->code == HARK_ERROR_UNAUTHENTICATED);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return FALSE;
    }
  g_assert_true (hark_jwt_is_one (token));
  g_assert_cmpuint (strlen (claims.subject), >=, 1);
  g_assert_cmpuint (strlen (claims.subject), <=, HARK_USERNAME_MAX);
  g_assert_cmpuint (strspn (claims.subject, G_CSET_a_2_z G_CSET_DIGITS "_.-"), ==, strlen (claims.subject));
  g_assert_true (claims.name == NULL || g_utf8_validate (claims.name, -1, NULL));
  g_assert_cmpint (claims.expires_ms, >, NOW_S * 1000);
  g_assert_cmpint (claims.expires_ms, <=, (NOW_S + 2 * LEEWAY_S + MAX_LIFETIME_S) * 1000);
  g_assert_cmpint (claims.issued_ms, <=, NOW_S * 1000);
  return TRUE;
}

static void
check_signed (const char *text, gsize len)
{
  const char *end = memchr (text, '\n', len);
  gsize header_len = end != NULL ? (gsize)(end - text) : len;
  g_autofree char *header = encode (text, header_len);
  g_autofree char *payload = end != NULL ? encode (end + 1, len - header_len - 1) : g_strdup ("");
  g_autofree char *input = g_strconcat (header, ".", payload, NULL);
  g_autofree char *signature = NULL;
  g_autofree char *token = NULL;
  guint8 digest[32];
  gnutls_hmac_fast (GNUTLS_MAC_SHA256, secret, strlen (secret), input, strlen (input), digest);
  signature = encode (digest, sizeof digest);
  token = g_strconcat (input, ".", signature, NULL);
  if (!check (token))
    return;
  token[strlen (token) - 2] ^= 1;
  g_assert_false (check (token));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autofree guint8 *bytes = g_malloc (HARK_BASE64URL_MAX_BYTES (size));
  gsize len;
  if (hark_base64url_decode ((const char *)data, size, bytes, &len))
    {
      g_autofree char *again = encode (bytes, len);
      g_assert_cmpmem (again, strlen (again), data, size);
    }
  check (text);
  check_signed ((const char *)data, size);
  return 0;
}
