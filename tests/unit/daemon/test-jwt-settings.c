/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The section [jwt]: what makes an issuer, and that each mistake is named by file, line and key. */
#include "daemon/jwt-settings.h"

#include "jwt-signer.h"

#include <glib/gstdio.h>
#include <string.h>

#define NOW_MS G_GINT64_CONSTANT (1763665555123)

typedef struct
{
  char *directory;
  char *path;
  char *environment; /* where relative paths begin */
  GPtrArray *mistakes;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->directory = g_dir_make_tmp ("hark-jwt-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->directory, "harkd.conf", NULL);
  f->environment = g_strconcat ("STATE_DIRECTORY=", f->directory, NULL);
  f->mistakes = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->directory, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (f->directory, name, NULL);
      g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (f->directory), ==, 0);
  g_free (f->directory);
  g_free (f->path);
  g_free (f->environment);
  g_ptr_array_unref (f->mistakes);
}

static void
write_file (Fixture *f, const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (f->directory, name, NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
}

/* @text: the file's. Returns: (nullable) */
static HarkJwtIssuer *
load (Fixture *f, const char *text)
{
  const char *const environment[] = { f->environment, NULL };
  const HarkConfigSources sources = { HARK_CONFIG_SYSTEM, f->path, environment, NULL };
  g_autoptr (HarkConfig) config = NULL;
  HarkJwtIssuer *issuer;
  gboolean ok;
  write_file (f, "harkd.conf", text);
  g_ptr_array_set_size (f->mistakes, 0);
  config = hark_config_load (&sources, f->mistakes);
  g_assert_cmpuint (f->mistakes->len, ==, 0);
  ok = hark_jwt_settings_load (config, 100, &issuer, f->mistakes);
  g_assert_cmpint (ok, ==, f->mistakes->len == 0);
  return issuer;
}

/* @...: pairs of the line and what must be in the mistake; the mistakes in order, and no others */
static void
assert_mistakes (Fixture *f, const char *text, ...)
{
  va_list args;
  guint line, i = 0;
  g_assert_null (load (f, text));
  va_start (args, text);
  while ((line = va_arg (args, guint)) != 0)
    {
      const char *part = va_arg (args, const char *);
      g_autofree char *prefix = g_strdup_printf ("%s:%u: [jwt] ", f->path, line);
      const char *mistake = i < f->mistakes->len ? f->mistakes->pdata[i] : "nothing";
      if (!g_str_has_prefix (mistake, prefix) || strstr (mistake, part) == NULL)
        g_error ("\"%s\" was expected, with \"%s\", and there is: %s", prefix, part, mistake);
      i++;
    }
  va_end (args);
  g_assert_cmpuint (f->mistakes->len, ==, i);
}

#define REST "issuer = https://id.example\naudience = hark\n"

static void
test_off (Fixture *f, gconstpointer data)
{
  g_test_summary ("Without an algorithm there is no issuer, and files that are named are not looked at.");
  g_assert_null (load (f, ""));
  g_assert_cmpuint (f->mistakes->len, ==, 0);
  g_assert_null (load (f, "[jwt]\nkey-file = nowhere\nissuer = x\n"));
  g_assert_cmpuint (f->mistakes->len, ==, 0);
}

static void
test_issuer (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) signer = jwt_signer_new (HARK_JWT_EDDSA), second = jwt_signer_new (HARK_JWT_EDDSA);
  g_autoptr (HarkJwtIssuer) issuer = NULL;
  const HarkJwtRules *rules;
  JwtSigner *const signers[] = { signer, second };
  g_test_summary ("An algorithm, keys, issuer and audience make an issuer, whose tokens by either key are taken.");
  write_file (f, "one.pem", signer->key);
  write_file (f, "two.pem", second->key);
  issuer = load (f, "[jwt]\nalgorithm = EdDSA\nkey-file = one.pem\nsecond-key-file = two.pem\nleeway = 1500ms\n"
                    "max-lifetime = 1h\ncreate-users = yes\n" REST);
  g_assert_nonnull (issuer);
  rules = hark_jwt_issuer_get_rules (issuer);
  g_assert_cmpstr (rules->issuer, ==, "https://id.example");
  g_assert_cmpstr (rules->audience, ==, "hark");
  g_assert_cmpint (rules->leeway_s, ==, 1);
  g_assert_cmpint (rules->max_lifetime_s, ==, 3600);
  g_assert_cmpuint (rules->name_chars, ==, 100);
  g_assert_true (rules->create_users);
  for (guint i = 0; i < G_N_ELEMENTS (signers); i++)
    {
      g_auto (HarkJwtClaims) claims = { NULL };
      g_autoptr (GError) error = NULL;
      g_autofree char *token
        = jwt_signer_sign (signers[i], "{\"alg\":\"EdDSA\"}",
                           "{\"iss\":\"https://id.example\",\"aud\":\"hark\",\"sub\":\"ann\",\"exp\":1763665600}");
      hark_jwt_issuer_check (issuer, token, NOW_MS, &claims, &error);
      g_assert_no_error (error);
    }
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_test_summary (
    "With an algorithm its key, the issuer and the audience are required, and the algorithm's line says so.");
  assert_mistakes (f, "[jwt]\n\nalgorithm = RS256\n", 3, "key-file: it is required", 3, "issuer: it is required", 3,
                   "audience: it is required", 0);
}

static void
test_unreadable (Fixture *f, gconstpointer data)
{
  g_test_summary ("A key that cannot be read is a mistake of the line that names it.");
  assert_mistakes (f, "[jwt]\nalgorithm = RS256\nkey-file = nowhere.pem\nsecond-key-file = /dev/null/x\n" REST, 3,
                   "nowhere.pem", 4, "second-key-file", 0);
}

static void
test_weak (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkJwtIssuer) issuer = NULL;
  g_test_summary ("A secret that is too short is a mistake of the line that names it.");
  write_file (f, "secret", "not thirty-two bytes of a secret\n");
  issuer = load (f, "[jwt]\nalgorithm=HS256\nkey-file=secret\n" REST);
  g_assert_nonnull (issuer);
  write_file (f, "secret", "not thirty-two bytes of secrets\n");
  assert_mistakes (f, "[jwt]\nalgorithm=HS256\n# ours\nkey-file=secret\n" REST, 4, "has 31 bytes, and 32 are the least",
                   0);
}

static void
test_wrong_kind (Fixture *f, gconstpointer data)
{
  g_autoptr (JwtSigner) signer = jwt_signer_new (HARK_JWT_ES256);
  g_test_summary ("A key of another algorithm is a mistake, and a public key is no secret.");
  write_file (f, "key.pem", signer->key);
  assert_mistakes (f, "[jwt]\nalgorithm=RS256\nkey-file=key.pem\n" REST, 3, "no RSA key", 0);
  assert_mistakes (f, "[jwt]\nalgorithm=EdDSA\nkey-file=key.pem\n" REST, 3, "no Ed25519 key", 0);
  assert_mistakes (f, "[jwt]\nalgorithm=HS256\nkey-file=key.pem\n" REST, 3, "no secret", 0);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/jwt-settings/off", test_off);
  ADD ("/jwt-settings/issuer", test_issuer);
  ADD ("/jwt-settings/missing", test_missing);
  ADD ("/jwt-settings/unreadable", test_unreadable);
  ADD ("/jwt-settings/weak", test_weak);
  ADD ("/jwt-settings/wrong-kind", test_wrong_kind);
  return g_test_run ();
}
