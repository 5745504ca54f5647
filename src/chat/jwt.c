/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * JSON Web Tokens (RFC 7519), as RFC 8725 wants them checked: the algorithm, the issuer and the audience are the
 * configuration's, and the token has only to agree. Nothing of a token is believed before its signature was verified,
 * and of its header nothing at all: a key it names, carries or points to is never used. Functions over bytes, which
 * wait for nothing and may run in any thread.
 */
#include "chat/jwt.h"

#include "base/base64url.h"
#include "base/error.h"
#include "base/json-object.h"
#include "chat/fields.h"

#include <string.h>

/* Of which integers stay exact in every reader of JSON. */
#define MAX_DATE 9007199254740991.0

struct _HarkJwtIssuer
{
  gatomicrefcount refs;
  HarkJwtAlgorithm algorithm;
  HarkJwtRules rules; /* with texts of its own */
  GPtrArray *keys;    /* (element-type HarkJwtKey) (owned) */
};

/* A token, taken apart. */
typedef struct
{
  const char *text; /* what is signed: the first two parts, and the dot between them */
  gsize len;
  gsize header_len;
  const char *signature;
} Parts;

void
hark_jwt_claims_clear (HarkJwtClaims *self)
{
  g_clear_pointer (&self->subject, g_free);
  g_clear_pointer (&self->name, g_free);
}

/**
 * hark_jwt_issuer_new:
 * @rules: copied
 *
 * Returns: (transfer full): an issuer without keys, whose tokens let nobody in
 */
HarkJwtIssuer *
hark_jwt_issuer_new (HarkJwtAlgorithm algorithm, const HarkJwtRules *rules)
{
  HarkJwtIssuer *self = g_new0 (HarkJwtIssuer, 1);
  g_atomic_ref_count_init (&self->refs);
  self->algorithm = algorithm;
  self->rules = *rules;
  self->rules.issuer = g_strdup (rules->issuer);
  self->rules.audience = g_strdup (rules->audience);
  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_jwt_key_free);
  return self;
}

HarkJwtIssuer *
hark_jwt_issuer_ref (HarkJwtIssuer *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
hark_jwt_issuer_unref (HarkJwtIssuer *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free ((char *)self->rules.issuer);
  g_free ((char *)self->rules.audience);
  g_ptr_array_unref (self->keys);
  g_free (self);
}

/* @key: (transfer full): of the issuer's algorithm; before anybody else has @self */
void
hark_jwt_issuer_take_key (HarkJwtIssuer *self, HarkJwtKey *key)
{
  g_return_if_fail (hark_jwt_key_get_algorithm (key) == self->algorithm);
  g_ptr_array_add (self->keys, key);
}

const HarkJwtRules *
hark_jwt_issuer_get_rules (HarkJwtIssuer *self)
{
  return &self->rules;
}

static gboolean
refuse (GError **error, const char *what)
{
  g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\": %s", what);
  return FALSE;
}

/* Returns: whether there are three parts of the compact serialisation (RFC 7515 section 7.1), of whatever */
static gboolean
split (const char *token, Parts *parts)
{
  const char *first = strchr (token, '.');
  const char *second = first != NULL ? strchr (first + 1, '.') : NULL;
  if (second == NULL || strchr (second + 1, '.') != NULL)
    return FALSE;
  parts->text = token;
  parts->header_len = first - token;
  parts->len = second - token;
  parts->signature = second + 1;
  return TRUE;
}

/* Returns: whether @token, by its form, is a JWT: it may be a bad one */
gboolean
hark_jwt_is_one (const char *token)
{
  Parts parts;
  return split (token, &parts);
}

/* Returns: (transfer full) (nullable): the object that @text, in base64url, stands for; @object points into it */
static char *
read_object (const char *text, gsize len, const char *what, HarkJsonObject *object, GError **error)
{
  g_autofree char *json = g_malloc (HARK_BASE64URL_MAX_BYTES (len) + 1);
  g_autoptr (GError) local_error = NULL;
  gsize json_len;
  if (!hark_base64url_decode (text, len, (guint8 *)json, &json_len))
    g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\": the %s is not base64url", what);
  else if (!hark_json_object_parse (object, json, json_len, &local_error))
    g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\": the %s is not one object in JSON: %s", what,
                 local_error->message);
  else
    {
      json[json_len] = '\0'; /* so that reading a number ends */
      return g_steal_pointer (&json);
    }
  return NULL;
}

/* Returns: whether @object has @name, a string, and it is @expected */
static gboolean
has_text (const HarkJsonObject *object, const char *name, const char *expected)
{
  const HarkJsonValue *value = hark_json_object_get (object, name);
  return value != NULL && value->token == HARK_JSON_STRING
         && hark_json_slice_equal (hark_json_value_get_text (value), expected);
}

/* What is signed by the same issuer for another purpose (RFC 8725 section 3.11) says so here. */
static gboolean
is_right_type (const HarkJsonObject *header)
{
  static const char *const types[] = { "JWT", "AT+JWT", "APPLICATION/JWT", "APPLICATION/AT+JWT" };
  g_autofree char *type = NULL;
  g_autofree char *upper = NULL;
  if (hark_json_object_get (header, "typ") == NULL)
    return TRUE;
  if (!hark_json_object_get_string (header, "typ", HARK_FIELD_REQUIRED, 32, &type, NULL))
    return FALSE;
  upper = g_ascii_strup (type, -1);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strcmp (upper, types[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_header (HarkJwtIssuer *self, const Parts *parts, GError **error)
{
  HarkJsonObject header;
  g_autofree char *json = read_object (parts->text, parts->header_len, "header", &header, error);
  if (json == NULL)
    return FALSE;
  if (!has_text (&header, "alg", hark_jwt_algorithm_get_name (self->algorithm)))
    return refuse (error, "\"alg\" is not the algorithm that is configured");
  /* What must be understood is not: no extension is. */
  if (hark_json_object_get (&header, "crit") != NULL)
    return refuse (error, "\"crit\" asks for what is not supported");
  if (!is_right_type (&header))
    return refuse (error, "\"typ\" is that of another kind of token");
  return TRUE;
}

static gboolean
check_signature (HarkJwtIssuer *self, const Parts *parts, GError **error)
{
  gsize len = strlen (parts->signature), signature_len;
  g_autofree guint8 *signature = g_malloc (HARK_BASE64URL_MAX_BYTES (len));
  if (!hark_base64url_decode (parts->signature, len, signature, &signature_len))
    return refuse (error, "the signature is not base64url");
  for (guint i = 0; i < self->keys->len; i++)
    if (hark_jwt_key_verify (self->keys->pdata[i], parts->text, parts->len, signature, signature_len))
      return TRUE;
  return refuse (error, "the signature is not the issuer's");
}

/* @out: seconds since 1970, as RFC 7519's NumericDate; what comes after the point does not count. */
static gboolean
read_date (const HarkJsonObject *claims, const char *name, gboolean *found, gint64 *out, GError **error)
{
  const HarkJsonValue *value = hark_json_object_get (claims, name);
  double number;
  *found = value != NULL;
  if (value == NULL)
    return TRUE;
  number = value->token == HARK_JSON_INTEGER  ? (double)value->integer
           : value->token == HARK_JSON_NUMBER ? g_ascii_strtod (value->raw.data, NULL)
                                              : -1;
  if (!(number >= 0 && number <= MAX_DATE))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\": \"%s\" is no time in seconds since 1970",
                   name);
      return FALSE;
    }
  *out = (gint64)number;
  return TRUE;
}

static gboolean
check_times (HarkJwtIssuer *self, const HarkJsonObject *object, gint64 now_ms, HarkJwtClaims *claims, GError **error)
{
  const HarkJwtRules *rules = &self->rules;
  gint64 now = now_ms / 1000, expires = 0, begins = 0, issued = 0;
  gboolean has_expires, has_begins, has_issued;
  if (!read_date (object, "exp", &has_expires, &expires, error)
      || !read_date (object, "nbf", &has_begins, &begins, error)
      || !read_date (object, "iat", &has_issued, &issued, error))
    return FALSE;
  if (!has_expires)
    return refuse (error, "\"exp\" is required");
  claims->expires_ms = (expires + rules->leeway_s) * 1000;
  claims->issued_ms = has_issued ? MAX (0, issued - rules->leeway_s) * 1000 : 0;
  if (claims->expires_ms <= now_ms)
    return refuse (error, "it has expired");
  if (has_begins && begins > now + rules->leeway_s)
    return refuse (error, "\"nbf\" is in the future");
  if (has_issued && issued > now + rules->leeway_s)
    return refuse (error, "\"iat\" is in the future");
  if (expires - (has_issued ? issued : now) > rules->max_lifetime_s)
    return refuse (error, "it lives longer than is allowed");
  return TRUE;
}

/* `aud` is a text, or an array of texts of which one is ours. */
static gboolean
is_for (const HarkJsonObject *claims, const char *audience)
{
  HarkJsonSlice array = { NULL, 0 };
  HarkJsonReader reader;
  HarkJsonToken token;
  gboolean found = FALSE;
  if (has_text (claims, "aud", audience))
    return TRUE;
  if (!hark_json_object_get_raw_array (claims, "aud", HARK_FIELD_REQUIRED, &array, NULL))
    return FALSE;
  hark_json_reader_init (&reader, array.data, array.len);
  hark_json_reader_next (&reader, NULL); /* the bracket: all of it was checked before */
  while ((token = hark_json_reader_next (&reader, NULL)) == HARK_JSON_STRING)
    found |= hark_json_slice_equal (reader.slice, audience);
  return found && token == HARK_JSON_END_ARRAY;
}

/* As users' names are written here, small letters and all: "Ann" and "ann" may be two people to the issuer. */
static gboolean
read_subject (const HarkJsonObject *object, HarkJwtClaims *claims, GError **error)
{
  g_autofree char *as_written = NULL;
  if (!hark_field_get_username (object, "sub", HARK_FIELD_REQUIRED, &claims->subject, NULL)
      || !hark_json_object_get_string (object, "sub", HARK_FIELD_REQUIRED, HARK_USERNAME_MAX, &as_written, NULL)
      || strcmp (as_written, claims->subject) != 0)
    return refuse (error, "\"sub\" must be a username: 1 to 32 of a-z, 0-9, \"_\", \".\" and \"-\"");
  return TRUE;
}

static gboolean
check_claims (HarkJwtIssuer *self, const HarkJsonObject *object, gint64 now_ms, HarkJwtClaims *claims, GError **error)
{
  if (!has_text (object, "iss", self->rules.issuer))
    return refuse (error, "\"iss\" is not the issuer that is configured");
  if (!is_for (object, self->rules.audience))
    return refuse (error, "\"aud\" is not, or has not, the audience that is configured");
  if (!check_times (self, object, now_ms, claims, error) || !read_subject (object, claims, error))
    return FALSE;
  /* Who has no name that can be shown is shown as the user is called. */
  hark_field_get_name (object, "name", HARK_FIELD_OPTIONAL, self->rules.name_chars, &claims->name, NULL);
  return TRUE;
}

/**
 * hark_jwt_issuer_check:
 * @now_ms: milliseconds since 1970
 * @claims: (out): what it says; to be cleared when it was found good
 *
 * Returns: whether @token is a JWT of this issuer's that holds now; if not, %HARK_ERROR_UNAUTHENTICATED says why not
 */
gboolean
hark_jwt_issuer_check (HarkJwtIssuer *self, const char *token, gint64 now_ms, HarkJwtClaims *claims, GError **error)
{
  g_auto (HarkJwtClaims) found = { NULL };
  HarkJsonObject object;
  g_autofree char *json = NULL;
  Parts parts;
  if (strnlen (token, HARK_JWT_MAX_LEN + 1) > HARK_JWT_MAX_LEN)
    return refuse (error, "it is too long");
  if (!split (token, &parts))
    return refuse (error, "it has not the three parts of a JWT");
  if (!check_header (self, &parts, error) || !check_signature (self, &parts, error))
    return FALSE;
  json = read_object (parts.text + parts.header_len + 1, parts.len - parts.header_len - 1, "payload", &object, error);
  if (json == NULL || !check_claims (self, &object, now_ms, &found, error))
    return FALSE;
  *claims = found;
  memset (&found, 0, sizeof found);
  return TRUE;
}
