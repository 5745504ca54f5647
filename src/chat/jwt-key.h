/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Those of RFC 7518 and RFC 8037 that are in use, one of each kind. */
typedef enum
{
  HARK_JWT_HS256, /* a secret that we share with the issuer */
  HARK_JWT_RS256,
  HARK_JWT_ES256,
  HARK_JWT_EDDSA, /* Ed25519 */
  HARK_N_JWT_ALGORITHMS
} HarkJwtAlgorithm;

/**
 * HarkJwtKey:
 *
 * What the signatures of an issuer are checked with, for one algorithm alone: a public key can never be taken for a
 * secret. Immutable, and used by several threads at a time.
 */
typedef struct _HarkJwtKey HarkJwtKey;

const char *hark_jwt_algorithm_get_name (HarkJwtAlgorithm algorithm);

HarkJwtKey *hark_jwt_key_new (HarkJwtAlgorithm algorithm, const char *data, gsize len, GError **error);
void hark_jwt_key_free (HarkJwtKey *self);
HarkJwtAlgorithm hark_jwt_key_get_algorithm (const HarkJwtKey *self);
gboolean hark_jwt_key_verify (const HarkJwtKey *self, const char *text, gsize len, const guint8 *signature,
                              gsize signature_len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkJwtKey, hark_jwt_key_free)

G_END_DECLS
