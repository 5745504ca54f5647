/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/jwt-key.h"

G_BEGIN_DECLS

/* Characters of a JWT; as many as a token may have anywhere. */
#define HARK_JWT_MAX_LEN 4096

/* The longest that a JWT can be let live by the configuration. */
#define HARK_JWT_MAX_LIFETIME_S (366 * 24 * 60 * 60)

/**
 * HarkJwtRules:
 * @issuer, @audience: what `iss` must be and `aud` must have
 * @leeway_s: by how much the issuer's clock and ours may differ
 * @max_lifetime_s: between `iat`, or now where there is none, and `exp`
 * @name_chars: of `name`; a longer one is left away
 * @create_users: whether `sub` may be a user whom nobody has made before
 *
 * What is asked of a JWT beside its signature.
 */
typedef struct
{
  const char *issuer;
  const char *audience;
  gint64 leeway_s;
  gint64 max_lifetime_s;
  guint name_chars;
  gboolean create_users;
} HarkJwtRules;

/**
 * HarkJwtClaims:
 *
 * What a JWT says that was found good.
 */
typedef struct
{
  char *subject;     /* a user's name */
  char *name;        /* (nullable): to be shown */
  gint64 issued_ms;  /* milliseconds since 1970: not before then; 0: it does not say */
  gint64 expires_ms; /* the same: from then on it does not hold, leeway included */
} HarkJwtClaims;

void hark_jwt_claims_clear (HarkJwtClaims *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkJwtClaims, hark_jwt_claims_clear)

/**
 * HarkJwtIssuer:
 *
 * Whose JWTs let in: its keys and what is asked of its tokens. Immutable once it has its keys; may then be used by
 * several threads at a time.
 */
typedef struct _HarkJwtIssuer HarkJwtIssuer;

HarkJwtIssuer *hark_jwt_issuer_new (HarkJwtAlgorithm algorithm, const HarkJwtRules *rules);
HarkJwtIssuer *hark_jwt_issuer_ref (HarkJwtIssuer *self);
void hark_jwt_issuer_unref (HarkJwtIssuer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkJwtIssuer, hark_jwt_issuer_unref)

void hark_jwt_issuer_take_key (HarkJwtIssuer *self, HarkJwtKey *key);
const HarkJwtRules *hark_jwt_issuer_get_rules (HarkJwtIssuer *self);
gboolean hark_jwt_issuer_check (HarkJwtIssuer *self, const char *token, gint64 now_ms, HarkJwtClaims *claims,
                                GError **error);

gboolean hark_jwt_is_one (const char *token);

G_END_DECLS
