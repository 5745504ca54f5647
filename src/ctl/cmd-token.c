/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl token. */
#include "ctl/commands.h"
#include "ctl/format.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "token_id", N_ ("ID") },     { "user_id", N_ ("USER") },    { "label", N_ ("LABEL") },
  { "created", N_ ("CREATED") }, { "expires", N_ ("EXPIRES") }, { "last_used", N_ ("LAST USED") },
  { "revoked", N_ ("REVOKED") }, { "scope", N_ ("SCOPE") },     { NULL },
};

gboolean
hark_ctl_token_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *user = hark_ctl_invocation_get_arg (invocation, 0);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) rows = NULL;
  if (directory == NULL)
    return FALSE;
  id = user != NULL ? hark_ctl_resolve_user (ctl, user, error) : g_strdup ("");
  if (id == NULL || !hark_bus_directory1_call_list_tokens_sync (directory, id, &rows, NULL, error))
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

/* People get the token alone, as $(harkctl token create ann) wants it. */
gboolean
hark_ctl_token_create (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *label = hark_ctl_invocation_get_option (invocation, "label");
  const char *scope = hark_ctl_invocation_get_option (invocation, "scope");
  gint64 expires_in = 0;
  gint64 expires = 0;
  g_autofree char *user_id = NULL;
  g_autofree char *id = NULL;
  g_autofree char *token = NULL;
  if (directory == NULL || !hark_ctl_invocation_get_seconds (invocation, "expires", &expires_in, error))
    return FALSE;
  user_id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (user_id == NULL
      || !hark_bus_directory1_call_create_token_sync (directory, user_id, label != NULL ? label : "", expires_in,
                                                      scope != NULL ? scope : "", &id, &token, &expires, NULL, error))
    return FALSE;
  if (hark_ctl_is_json (ctl))
    {
      g_autoptr (GVariant) object = g_variant_ref_sink (
        g_variant_new_parsed ("{'token_id': <%s>, 'token': <%s>, 'expires': <%x>}", id, token, expires));
      g_autofree char *json = hark_ctl_format_json (object);
      hark_ctl_print (ctl, json);
    }
  else
    hark_ctl_print (ctl, token);
  return TRUE;
}

gboolean
hark_ctl_token_revoke (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  if (directory == NULL
      || !hark_bus_directory1_call_revoke_token_sync (directory, hark_ctl_invocation_get_arg (invocation, 0), NULL,
                                                      error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
