/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port that finds out who presents a token. */
#include "core/authenticator.h"

G_DEFINE_INTERFACE (HarkAuthenticator, hark_authenticator, G_TYPE_OBJECT)

static void
hark_authenticator_default_init (HarkAuthenticatorInterface *iface)
{
}

/* Returns: (transfer full) (nullable): the identity, when it is known without waiting */
HarkIdentity *
hark_authenticator_peek (HarkAuthenticator *self, const char *token)
{
  return HARK_AUTHENTICATOR_GET_IFACE (self)->peek (self, token);
}

void
hark_authenticator_check_async (HarkAuthenticator *self, const char *token, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer data)
{
  HARK_AUTHENTICATOR_GET_IFACE (self)->check_async (self, token, cancellable, callback, data);
}

/* Returns: (transfer full): the identity, or %NULL with an error; see #HarkAuthenticatorInterface */
HarkIdentity *
hark_authenticator_check_finish (HarkAuthenticator *self, GAsyncResult *result, GError **error)
{
  return HARK_AUTHENTICATOR_GET_IFACE (self)->check_finish (self, result, error);
}

/* Returns: whether @identity still holds: its token was neither revoked nor has it expired since it was found */
gboolean
hark_authenticator_is_current (HarkAuthenticator *self, HarkIdentity *identity)
{
  return HARK_AUTHENTICATOR_GET_IFACE (self)->is_current (self, identity);
}
