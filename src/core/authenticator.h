/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/identity.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define HARK_TYPE_AUTHENTICATOR (hark_authenticator_get_type ())
G_DECLARE_INTERFACE (HarkAuthenticator, hark_authenticator, HARK, AUTHENTICATOR, GObject)

/**
 * HarkAuthenticator:
 * @peek: from memory, without waiting; %NULL when it must be looked up
 * @check_async: looks a token up; the callback comes in the caller's thread-default context
 * @check_finish: (transfer full): the identity, or %HARK_ERROR_UNAUTHENTICATED (no such token, expired, revoked),
 *   %HARK_ERROR_OVERLOADED or %HARK_ERROR_INTERNAL
 *
 * Finds out who presents a token. Callable from the front thread and from the hub's: implementations lock.
 */
struct _HarkAuthenticatorInterface
{
  GTypeInterface parent_iface;
  HarkIdentity *(*peek) (HarkAuthenticator *self, const char *token);
  void (*check_async) (HarkAuthenticator *self, const char *token, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer data);
  HarkIdentity *(*check_finish) (HarkAuthenticator *self, GAsyncResult *result, GError **error);
  gboolean (*is_current) (HarkAuthenticator *self, HarkIdentity *identity);
};

HarkIdentity *hark_authenticator_peek (HarkAuthenticator *self, const char *token);
void hark_authenticator_check_async (HarkAuthenticator *self, const char *token, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer data);
HarkIdentity *hark_authenticator_check_finish (HarkAuthenticator *self, GAsyncResult *result, GError **error);
gboolean hark_authenticator_is_current (HarkAuthenticator *self, HarkIdentity *identity);

G_END_DECLS
