/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who presented a token. */
#include "model/identity.h"

#include <string.h>

HarkIdentity *
hark_identity_new (gint64 user_id, const char *username, gint64 token_id, gint64 expires_ms, HarkIdentityFlags flags)
{
  gsize size = strlen (username) + 1;
  HarkIdentity *self = g_malloc (sizeof (HarkIdentity) + size);
  g_atomic_ref_count_init (&self->refs);
  self->user_id = user_id;
  self->token_id = token_id;
  self->expires_ms = expires_ms;
  self->flags = flags;
  memcpy (self->username, username, size);
  return self;
}

HarkIdentity *
hark_identity_ref (HarkIdentity *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
hark_identity_unref (HarkIdentity *self)
{
  if (g_atomic_ref_count_dec (&self->refs))
    g_free (self);
}
