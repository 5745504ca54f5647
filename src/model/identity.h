/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  HARK_IDENTITY_NONE = 0,
  HARK_IDENTITY_ADMIN = 1 << 0,     /* may use the commands of administration */
  HARK_IDENTITY_ANONYMOUS = 1 << 1, /* has no account */
  HARK_IDENTITY_BACKEND = 1 << 2    /* a back end of the application, by its own key */
} HarkIdentityFlags;

/**
 * HarkIdentity:
 *
 * Who presented a token: what authentication finds out and every session made with that token shares. Immutable;
 * counted atomically, because the front thread finds it and the hub's thread uses it.
 */
typedef struct
{
  gatomicrefcount refs;
  gint64 user_id;
  gint64 token_id;   /* 0: not by a stored token */
  gint64 expires_ms; /* milliseconds since 1970; 0: never */
  HarkIdentityFlags flags;
  char username[];
} HarkIdentity;

HarkIdentity *hark_identity_new (gint64 user_id, const char *username, gint64 token_id, gint64 expires_ms,
                                 HarkIdentityFlags flags);
HarkIdentity *hark_identity_ref (HarkIdentity *self);
void hark_identity_unref (HarkIdentity *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkIdentity, hark_identity_unref)

G_END_DECLS
