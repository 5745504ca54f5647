/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which JWTs let in, and for each that must not, that it is refused and why. */
#include "jwt-signer.h"

#include "base/error.h"
#include "chat/jwt.h"

#include <string.h>

#define NOW_S G_GINT64_CONSTANT (1763665555)
#define NOW_MS (NOW_S * 1000 + 123)

/* Of all tokens here, seconds from now. */
#define LIFETIME_S 600

static const HarkJwtRules rules = {
  .issuer = "https://id.example",
  .audience = "hark",
  .leeway_s = 30,
  .max_lifetime_s = 3600,
  .name_chars = 20,
};

typedef struct
{
  HarkJwtAlgorithm algorithm;
  JwtSigner *signer;
  HarkJwtIssuer *issuer;
} Fixture;

static void
set_up (Fixture *f, gconstpointer algorithm)
{
  f->algorithm = GPOINTER_TO_INT (algorithm);
  f->signer = jwt_signer_new (f->algorithm);
  f->issuer = hark_jwt_issuer_new (f->algorithm, &rules);
  hark_jwt_issuer_take_key (f->issuer, jwt_signer_dup_key (f->signer));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  jwt_signer_free (f->signer);
  hark_jwt_issuer_unref (f->issuer);
}

/* @dates, @more: members to add, each behind a comma */
static char *
make_claims (const char *iss, const char *aud, const char *dates, const char *more)
{
  return g_strdup_printf ("{\"iss\":\"%s\",\"aud\":%s,\"sub\":\"ann\"%s%s}", iss, aud, dates, more);
}

static char *
make_good_claims (const char *more)
{
  g_autofree char *dates
    = g_strdup_printf (",\"iat\":%" G_GINT64_FORMAT ",\"exp\":%" G_GINT64_FORMAT, NOW_S, NOW_S + LIFETIME_S);
  return make_claims (rules.issuer, "\"hark\"", dates, more);
}

static char *
make_header (HarkJwtAlgorithm algorithm, const char *more)
{
  return g_strdup_printf ("{\"alg\":\"%s\"%s}", hark_jwt_algorithm_get_name (algorithm), more);
}

static char *
sign (Fixture *f, const char *claims)
{
  g_autofree char *header = make_header (f->algorithm, ",\"typ\":\"JWT\"");
  return jwt_signer_sign (f->signer, header, claims);
}

static char *
sign_dates (Fixture *f, const char *format, ...)
{
  g_autofree char *dates = NULL;
  g_autofree char *claims = NULL;
  va_list args;
  va_start (args, format);
  dates = g_strdup_vprintf (format, args);
  va_end (args);
  claims = make_claims (rules.issuer, "\"hark\"", dates, "");
  return sign (f, claims);
}

static void
assert_taken (Fixture *f, const char *token)
{
  g_auto (HarkJwtClaims) claims = { NULL };
  g_autoptr (GError) error = NULL;
  hark_jwt_issuer_check (f->issuer, token, NOW_MS, &claims, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (claims.subject, ==, "ann");
}

static void
assert_refused (Fixture *f, const char *token, const char *why)
{
  g_auto (HarkJwtClaims) claims = { NULL };
  g_autoptr (GError) error = NULL;
  g_assert_false (hark_jwt_issuer_check (f->issuer, token, NOW_MS, &claims, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED);
  if (strstr (error->message, why) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, why);
  g_assert_null (claims.subject);
}

static void
assert_claims_refused (Fixture *f, const char *claims, const char *why)
{
  g_autofree char *token = sign (f, claims);
  assert_refused (f, token, why);
}

/* Header @more, and the same claims. */
static char *
sign_header (Fixture *f, HarkJwtAlgorithm algorithm, const char *more)
{
  g_autofree char *header = make_header (algorithm, more);
  g_autofree char *claims = make_good_claims ("");
  return jwt_signer_sign (f->signer, header, claims);
}

static void
test_good (Fixture *f, gconstpointer data)
{
  g_auto (HarkJwtClaims) claims = { NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = make_good_claims (",\"name\":\"Ann Smith\",\"nbf\":1763665000,\"unknown\":{\"a\":[1,2]}");
  g_autofree char *token = sign (f, text);
  g_test_summary ("A token of the configured issuer is taken, and says who it is, by which name, and until when.");
  g_assert_true (hark_jwt_is_one (token));
  hark_jwt_issuer_check (f->issuer, token, NOW_MS, &claims, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (claims.subject, ==, "ann");
  g_assert_cmpstr (claims.name, ==, "Ann Smith");
  g_assert_cmpint (claims.issued_ms, ==, (NOW_S - rules.leeway_s) * 1000);
  g_assert_cmpint (claims.expires_ms, ==, (NOW_S + LIFETIME_S + rules.leeway_s) * 1000);
}

static void
test_wrong_signature (Fixture *f, gconstpointer data)
{
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = sign (f, claims);
  g_autofree char *header = make_header (f->algorithm, "");
  g_autofree char *foreign = NULL;
  g_autoptr (JwtSigner) other = f->algorithm == HARK_JWT_HS256
                                  ? jwt_signer_new_secret ("another secret, as long as the other", 36)
                                  : jwt_signer_new (f->algorithm);
  char *payload = strchr (token, '.') + 1;
  char *signature = strrchr (token, '.') + 1;
  g_test_summary ("A token signed with another key, or of which anything was changed, is refused.");
  foreign = jwt_signer_sign (other, header, claims);
  assert_refused (f, foreign, "the signature is not the issuer's");
  payload[4] = payload[4] == 'A' ? 'B' : 'A';
  assert_refused (f, token, "the signature is not the issuer's");
  g_free (g_steal_pointer (&token));
  token = sign (f, claims);
  signature = strrchr (token, '.') + 1;
  signature[3] = signature[3] == 'A' ? 'B' : 'A';
  assert_refused (f, token, "the signature is not the issuer's");
  *signature = '\0';
  assert_refused (f, token, "the signature is not the issuer's");
}

static void
test_truncated (Fixture *f, gconstpointer data)
{
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = sign (f, claims);
  g_test_summary ("A token of which only a part came is refused, wherever it was cut.");
  for (gsize len = strlen (token); len-- > 0;)
    {
      g_autofree char *cut = g_strndup (token, len);
      assert_refused (f, cut, "\"token\": ");
    }
}

static void
test_none (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "none", "None", "NONE", "nOnE", "" };
  g_autofree char *claims = make_good_claims ("");
  g_test_summary ("\"none\" is no algorithm, with a signature or without one.");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *header = g_strdup_printf ("{\"alg\":\"%s\"}", names[i]);
      g_autofree char *token = jwt_signer_sign (f->signer, header, claims);
      assert_refused (f, token, "\"alg\" is not");
      strrchr (token, '.')[1] = '\0';
      assert_refused (f, token, "\"alg\" is not");
    }
}

static void
test_no_algorithm (Fixture *f, gconstpointer data)
{
  static const char *const headers[]
    = { "{}", "{\"alg\":null}", "{\"alg\":[\"HS256\"]}", "{\"alg\":256}", "{\"ALG\":\"HS256\"}", "{\"alg\":\"hs256\"}" };
  g_autofree char *claims = make_good_claims ("");
  g_test_summary ("A header that names no algorithm, or not as text, is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autofree char *token = jwt_signer_sign (f->signer, headers[i], claims);
      assert_refused (f, token, "\"alg\" is not");
    }
}

static void
test_public_key_as_secret (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) swapped = jwt_signer_new_secret (f->signer->key, f->signer->key_len);
  g_autofree char *header = make_header (HARK_JWT_HS256, "");
  g_autofree char *lying = make_header (f->algorithm, "");
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = jwt_signer_sign (swapped, header, claims);
  g_autofree char *other = jwt_signer_sign (swapped, lying, claims);
  g_test_summary (
    "RS256 to HS256: a token signed with the public key as the secret is refused, whatever it calls itself.");
  assert_refused (f, token, "\"alg\" is not");
  assert_refused (f, other, "the signature is not");
}

static void
test_other_algorithm (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) eddsa = jwt_signer_new (HARK_JWT_EDDSA);
  g_autofree char *header = make_header (HARK_JWT_EDDSA, "");
  g_autofree char *lying = make_header (HARK_JWT_ES256, "");
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = jwt_signer_sign (eddsa, header, claims);
  g_autofree char *other = jwt_signer_sign (eddsa, lying, claims);
  g_autofree char *renamed = sign_header (f, HARK_JWT_EDDSA, "");
  g_test_summary ("ES256 to EdDSA: a token by another algorithm is refused, and so is ours under the other's name.");
  assert_refused (f, token, "\"alg\" is not");
  assert_refused (f, other, "the signature is not");
  assert_refused (f, renamed, "\"alg\" is not");
}

static void
test_header_key (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) own = jwt_signer_new_secret ("the attacker's own secret, long enough", 38);
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token
    = jwt_signer_sign (own,
                       "{\"alg\":\"HS256\",\"kid\":\"/dev/null\",\"jku\":\"http://127.0.0.1/\",\"jwk\":"
                       "{\"kty\":\"oct\",\"k\":\"dGhlIGF0dGFja2VyJ3Mgb3duIHNlY3JldCwgbG9uZyBlbm91Z2g\"}}",
                       claims);
  g_autofree char *ours = sign_header (f, HARK_JWT_HS256, ",\"kid\":\"no such key\"");
  g_test_summary ("A key that the header carries, names or points to does not count, and an unknown kid does no harm.");
  assert_refused (f, token, "the signature is not");
  assert_taken (f, ours);
}

static void
test_crit (Fixture *f, gconstpointer data)
{
  g_autofree char *token = sign_header (f, HARK_JWT_HS256, ",\"crit\":[\"exp\"],\"exp\":1");
  g_autofree char *empty = sign_header (f, HARK_JWT_HS256, ",\"crit\":[]");
  g_test_summary ("A header that says what must be understood is refused: nothing of it is.");
  assert_refused (f, token, "\"crit\"");
  assert_refused (f, empty, "\"crit\"");
}

static void
test_type (Fixture *f, gconstpointer data)
{
  static const char *const good[] = { "JWT", "jwt", "at+jwt", "application/at+jwt" };
  static const char *const bad[] = { "\"logout+jwt\"", "\"secevent+jwt\"", "\"\"", "null", "1" };
  g_autofree char *none = sign_header (f, HARK_JWT_HS256, "");
  g_test_summary ("A token says that it is one to get in with, or nothing; one for another purpose is refused.");
  assert_taken (f, none);
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *more = g_strdup_printf (",\"typ\":\"%s\"", good[i]);
      g_autofree char *token = sign_header (f, HARK_JWT_HS256, more);
      assert_taken (f, token);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *more = g_strdup_printf (",\"typ\":%s", bad[i]);
      g_autofree char *token = sign_header (f, HARK_JWT_HS256, more);
      assert_refused (f, token, "\"typ\"");
    }
}

static void
test_expired (Fixture *f, gconstpointer data)
{
  g_autofree char *within = sign_dates (f, ",\"iat\":%" G_GINT64_FORMAT ",\"exp\":%" G_GINT64_FORMAT, NOW_S - 100,
                                        NOW_S - rules.leeway_s + 1);
  g_autofree char *expired
    = sign_dates (f, ",\"iat\":%" G_GINT64_FORMAT ",\"exp\":%" G_GINT64_FORMAT, NOW_S - 100, NOW_S - rules.leeway_s);
  g_autofree char *long_ago = sign_dates (f, ",\"exp\":0");
  g_test_summary ("A token whose exp is over is refused, but for the leeway.");
  assert_taken (f, within);
  assert_refused (f, expired, "it has expired");
  assert_refused (f, long_ago, "it has expired");
}

static void
test_no_expiry (Fixture *f, gconstpointer data)
{
  g_autofree char *token = sign_dates (f, ",\"iat\":%" G_GINT64_FORMAT, NOW_S);
  g_test_summary ("A token that would hold for ever is refused.");
  assert_refused (f, token, "\"exp\" is required");
}

static void
test_not_before (Fixture *f, gconstpointer data)
{
  g_autofree char *within = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"nbf\":%" G_GINT64_FORMAT,
                                        NOW_S + LIFETIME_S, NOW_S + rules.leeway_s);
  g_autofree char *early = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"nbf\":%" G_GINT64_FORMAT, NOW_S + LIFETIME_S,
                                       NOW_S + rules.leeway_s + 1);
  g_test_summary ("A token whose nbf is in the future is refused, but for the leeway.");
  assert_taken (f, within);
  assert_refused (f, early, "\"nbf\" is in the future");
}

static void
test_issued_later (Fixture *f, gconstpointer data)
{
  g_autofree char *within = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"iat\":%" G_GINT64_FORMAT,
                                        NOW_S + LIFETIME_S, NOW_S + rules.leeway_s);
  g_autofree char *early = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"iat\":%" G_GINT64_FORMAT, NOW_S + LIFETIME_S,
                                       NOW_S + rules.leeway_s + 1);
  g_test_summary ("A token whose iat is in the future is refused, but for the leeway.");
  assert_taken (f, within);
  assert_refused (f, early, "\"iat\" is in the future");
}

static void
test_lifetime (Fixture *f, gconstpointer data)
{
  g_autofree char *longest
    = sign_dates (f, ",\"iat\":%" G_GINT64_FORMAT ",\"exp\":%" G_GINT64_FORMAT, NOW_S, NOW_S + rules.max_lifetime_s);
  g_autofree char *longer = sign_dates (f, ",\"iat\":%" G_GINT64_FORMAT ",\"exp\":%" G_GINT64_FORMAT, NOW_S - 1,
                                        NOW_S + rules.max_lifetime_s);
  g_autofree char *undated = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT, NOW_S + rules.max_lifetime_s);
  g_autofree char *undated_longer = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT, NOW_S + rules.max_lifetime_s + 1);
  g_autofree char *endless = sign_dates (f, ",\"exp\":9007199254740991");
  g_test_summary ("A token that lives longer than is configured is refused; without iat it lives from now on.");
  assert_taken (f, longest);
  assert_refused (f, longer, "lives longer");
  assert_taken (f, undated);
  assert_refused (f, undated_longer, "lives longer");
  assert_refused (f, endless, "lives longer");
}

static void
test_dates (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = {
    "\"1763669000\"", "-1", "1e400", "9007199254740993", "99999999999999999999", "null", "true", "[1]", "{}", "-0.5"
  };
  g_autofree char *fraction = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ".75", NOW_S + LIFETIME_S);
  g_autofree char *exponent = sign_dates (f, ",\"exp\":1.7636656e9");
  g_test_summary ("Dates are numbers of seconds, with a fraction or without; anything else is refused by its name.");
  assert_taken (f, fraction);
  assert_taken (f, exponent);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *exp = sign_dates (f, ",\"exp\":%s", bad[i]);
      g_autofree char *nbf = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"nbf\":%s", NOW_S + LIFETIME_S, bad[i]);
      g_autofree char *iat = sign_dates (f, ",\"exp\":%" G_GINT64_FORMAT ",\"iat\":%s", NOW_S + LIFETIME_S, bad[i]);
      assert_refused (f, exp, "\"exp\" is no time");
      assert_refused (f, nbf, "\"nbf\" is no time");
      assert_refused (f, iat, "\"iat\" is no time");
    }
}

static void
test_issuer (Fixture *f, gconstpointer data)
{
  static const char *const members[] = { "",
                                         "\"iss\":null,",
                                         "\"iss\":1,",
                                         "\"iss\":[\"https://id.example\"],",
                                         "\"iss\":\"https://id.example/\",",
                                         "\"iss\":\"HTTPS://ID.EXAMPLE\",",
                                         "\"iss\":\"\"," };
  g_test_summary ("A token of another issuer, or of none, is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autofree char *claims = g_strdup_printf ("{%s\"aud\":\"hark\",\"sub\":\"ann\",\"exp\":%" G_GINT64_FORMAT "}",
                                                 members[i], NOW_S + LIFETIME_S);
      assert_claims_refused (f, claims, "\"iss\"");
    }
}

static void
test_audience (Fixture *f, gconstpointer data)
{
  static const char *const good[] = { "\"hark\"", "[\"hark\"]", "[\"a\",\"hark\",\"b\"]", "\"h\\u0061rk\"" };
  static const char *const bad[]
    = { "\"other\"", "\"\"", "[]", "[\"other\"]", "[\"hark\",1]", "[[\"hark\"]]", "{\"hark\":true}", "null", "1" };
  g_autofree char *dates = g_strdup_printf (",\"exp\":%" G_GINT64_FORMAT, NOW_S + LIFETIME_S);
  g_autofree char *absent = g_strdup_printf ("{\"iss\":\"%s\",\"sub\":\"ann\"%s}", rules.issuer, dates);
  g_test_summary ("A token is for us when aud is our name, or an array with it; one for others is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *claims = make_claims (rules.issuer, good[i], dates, "");
      g_autofree char *token = sign (f, claims);
      assert_taken (f, token);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *claims = make_claims (rules.issuer, bad[i], dates, "");
      assert_claims_refused (f, claims, "\"aud\"");
    }
  assert_claims_refused (f, absent, "\"aud\"");
}

static void
test_subject (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "",
                                     ",\"sub\":\"\"",
                                     ",\"sub\":null",
                                     ",\"sub\":7",
                                     ",\"sub\":\"Ann\"",
                                     ",\"sub\":\"an n\"",
                                     ",\"sub\":\"ann@example.org\"",
                                     ",\"sub\":\"ann\\u0000\"",
                                     ",\"sub\":\"a23456789012345678901234567890123\"",
                                     ",\"sub\":[\"ann\"]" };
  g_test_summary ("sub is a username as it is written here; what is none is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *claims = g_strdup_printf ("{\"iss\":\"%s\",\"aud\":\"hark\",\"exp\":%" G_GINT64_FORMAT "%s}",
                                                 rules.issuer, NOW_S + LIFETIME_S, bad[i]);
      assert_claims_refused (f, claims, "\"sub\"");
    }
}

static void
test_name (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { ",\"name\":\"\"", ",\"name\":7", ",\"name\":null", ",\"name\":\"a\\nb\"",
                                     ",\"name\":\"a name of more than twenty characters\"" };
  g_test_summary ("A name that cannot be shown is left away.");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto (HarkJwtClaims) claims = { NULL };
      g_autoptr (GError) error = NULL;
      g_autofree char *text = make_good_claims (bad[i]);
      g_autofree char *token = sign (f, text);
      hark_jwt_issuer_check (f->issuer, token, NOW_MS, &claims, &error);
      g_assert_no_error (error);
      g_assert_null (claims.name);
    }
}

static void
test_duplicates (Fixture *f, gconstpointer data)
{
  static const char *const headers[]
    = { "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}" };
  g_autofree char *good = make_good_claims ("");
  g_autofree char *sub = make_good_claims (",\"sub\":\"bob\"");
  g_autofree char *exp = make_good_claims (",\"exp\":1");
  g_test_summary ("A member that is there twice, of which readers would take the one or the other, is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autofree char *token = jwt_signer_sign (f->signer, headers[i], good);
      assert_refused (f, token, "is there twice");
    }
  assert_claims_refused (f, sub, "\"sub\" is there twice");
  assert_claims_refused (f, exp, "\"exp\" is there twice");
}

static void
test_json (Fixture *f, gconstpointer data)
{
  static const char *const bad[]
    = { "", "null", "[]", "\"{}\"", "{", "{}}", "{\"iss\":'x'}", "{,}", "\xff", "{\"a\":01}" };
  g_autofree char *header = make_header (f->algorithm, "");
  g_autofree char *claims = make_good_claims ("");
  g_test_summary ("A header or payload that is not one object in strict JSON is refused.");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *payload = jwt_signer_sign (f->signer, header, bad[i]);
      g_autofree char *head = jwt_signer_sign (f->signer, bad[i], claims);
      assert_refused (f, payload, "the payload is not one object");
      assert_refused (f, head, "the header is not one object");
    }
}

static void
test_base64 (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "%s=", "%s==", "%s\n", "%s ", "%s+", "%s/", "%sA" };
  g_autofree char *header = make_header (f->algorithm, ",\"a\":\"bc\""); /* 27 bytes: 36 characters, none left over */
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = jwt_signer_sign (f->signer, header, claims);
  g_auto (GStrv) parts = g_strsplit (token, ".", 3);
  g_test_summary ("A part that is not strict base64url is refused, also when it is signed as it stands.");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GString) bad_header = g_string_new (bad[i]), bad_signature = g_string_new (bad[i]);
      g_autofree char *text = NULL, *signature = NULL, *first = NULL, *last = NULL;
      g_string_replace (bad_header, "%s", parts[0], 1);
      text = g_strdup_printf ("%s.%s", bad_header->str, parts[1]);
      signature = jwt_signer_sign_text (f->signer, text);
      first = g_strdup_printf ("%s.%s", text, signature);
      assert_refused (f, first, "the header is not base64url");
      g_string_replace (bad_signature, "%s", parts[2], 1);
      last = g_strdup_printf ("%s.%s.%s", parts[0], parts[1], bad_signature->str);
      if (strcmp (bad[i], "%sA") != 0) /* which is one more byte, and not the signature */
        assert_refused (f, last, "the signature is not base64url");
      else
        assert_refused (f, last, "the signature is not");
    }
}

static void
test_payload_base64 (Fixture *f, gconstpointer data)
{
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = sign (f, claims);
  g_auto (GStrv) parts = g_strsplit (token, ".", 3);
  g_autofree char *text = g_strdup_printf ("%s.%s=", parts[0], parts[1]);
  g_autofree char *signature = jwt_signer_sign_text (f->signer, text);
  g_autofree char *padded = g_strdup_printf ("%s.%s", text, signature);
  g_test_summary ("A payload that is not strict base64url is refused, though it was signed by the issuer.");
  assert_refused (f, padded, "the payload is not base64url");
}

static void
test_parts (Fixture *f, gconstpointer data)
{
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *token = sign (f, claims);
  g_autofree char *four = g_strconcat (token, ".", NULL);
  g_autofree char *five = g_strconcat (token, ".a.b", NULL);
  static const char *const bad[] = { "", ".", "abc", "abc.def" };
  g_test_summary ("What has not exactly three parts is no JWT; nor is an encrypted one, which has five.");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (hark_jwt_is_one (bad[i]));
      assert_refused (f, bad[i], "three parts");
    }
  g_assert_false (hark_jwt_is_one (four));
  assert_refused (f, four, "three parts");
  assert_refused (f, five, "three parts");
  g_assert_true (hark_jwt_is_one (".."));
  assert_refused (f, "..", "the header is not one object");
}

/* A good token of exactly @len characters. */
static char *
sign_long (Fixture *f, gsize len)
{
  for (gsize fill = 0;; fill++)
    {
      g_autofree char *padding = g_strnfill (fill, 'x');
      g_autofree char *more = g_strdup_printf (",\"fill\":\"%s\"", padding);
      g_autofree char *claims = make_good_claims (more);
      g_autofree char *token = sign (f, claims);
      if (strlen (token) >= len)
        return g_steal_pointer (&token);
    }
}

static void
test_oversized (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = sign_long (f, HARK_JWT_MAX_LEN - 1);
  g_autofree char *longer = sign_long (f, HARK_JWT_MAX_LEN + 1);
  g_test_summary ("A token over the bound is refused before anything of it is read, one at the bound is not.");
  g_assert_cmpuint (strlen (longest), <=, HARK_JWT_MAX_LEN);
  assert_taken (f, longest);
  assert_refused (f, longer, "it is too long");
}

static void
test_two_keys (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) next = jwt_signer_new (f->algorithm);
  g_autofree char *header = make_header (f->algorithm, "");
  g_autofree char *claims = make_good_claims ("");
  g_autofree char *old_token = jwt_signer_sign (f->signer, header, claims);
  g_autofree char *new_token = jwt_signer_sign (next, header, claims);
  g_test_summary ("While the issuer changes its key, tokens by either key are taken.");
  assert_refused (f, new_token, "the signature is not");
  hark_jwt_issuer_take_key (f->issuer, jwt_signer_dup_key (next));
  assert_taken (f, new_token);
  assert_taken (f, old_token);
}

static void
test_no_keys (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkJwtIssuer) issuer = hark_jwt_issuer_new (f->algorithm, &rules);
  g_auto (HarkJwtClaims) claims = { NULL };
  g_autofree char *text = make_good_claims ("");
  g_autofree char *token = sign (f, text);
  g_test_summary ("An issuer without keys lets nobody in.");
  g_assert_false (hark_jwt_issuer_check (issuer, token, NOW_MS, &claims, NULL));
}

#define ADD(path, algorithm, func)                                                                                     \
  g_test_add ("/jwt/" path, Fixture, GINT_TO_POINTER (algorithm), set_up, func, tear_down)
#define ADD_ALL(path, func)                                                                                            \
  ADD (path "/hs256", HARK_JWT_HS256, func);                                                                           \
  ADD (path "/rs256", HARK_JWT_RS256, func);                                                                           \
  ADD (path "/es256", HARK_JWT_ES256, func);                                                                           \
  ADD (path "/eddsa", HARK_JWT_EDDSA, func)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ALL ("good", test_good);
  ADD_ALL ("wrong-signature", test_wrong_signature);
  ADD_ALL ("none", test_none);
  ADD ("truncated/hs256", HARK_JWT_HS256, test_truncated);
  ADD ("truncated/es256", HARK_JWT_ES256, test_truncated);
  ADD ("no-algorithm", HARK_JWT_HS256, test_no_algorithm);
  ADD ("public-key-as-secret", HARK_JWT_RS256, test_public_key_as_secret);
  ADD ("other-algorithm", HARK_JWT_ES256, test_other_algorithm);
  ADD ("header-key", HARK_JWT_HS256, test_header_key);
  ADD ("crit", HARK_JWT_HS256, test_crit);
  ADD ("type", HARK_JWT_HS256, test_type);
  ADD ("expired", HARK_JWT_HS256, test_expired);
  ADD ("no-expiry", HARK_JWT_HS256, test_no_expiry);
  ADD ("not-before", HARK_JWT_HS256, test_not_before);
  ADD ("issued-later", HARK_JWT_HS256, test_issued_later);
  ADD ("lifetime", HARK_JWT_HS256, test_lifetime);
  ADD ("dates", HARK_JWT_HS256, test_dates);
  ADD ("issuer", HARK_JWT_HS256, test_issuer);
  ADD ("audience", HARK_JWT_HS256, test_audience);
  ADD ("subject", HARK_JWT_HS256, test_subject);
  ADD ("name", HARK_JWT_HS256, test_name);
  ADD ("duplicates", HARK_JWT_HS256, test_duplicates);
  ADD ("json", HARK_JWT_HS256, test_json);
  ADD ("base64", HARK_JWT_HS256, test_base64);
  ADD ("payload-base64", HARK_JWT_HS256, test_payload_base64);
  ADD ("parts", HARK_JWT_HS256, test_parts);
  ADD ("oversized", HARK_JWT_HS256, test_oversized);
  ADD ("two-keys", HARK_JWT_EDDSA, test_two_keys);
  ADD ("no-keys", HARK_JWT_HS256, test_no_keys);
  return g_test_run ();
}
