/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl grant. */
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "user_id", N_ ("ID") },
  { "username", N_ ("USERNAME") },
  { NULL },
};

gboolean
hark_ctl_grant_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) rows = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_list_grants_sync (directory, id, &rows, NULL, error))
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

static gboolean
resolve (HarkCtl *ctl, HarkCtlInvocation *invocation, char **channel_id, char **user_id, GError **error)
{
  *channel_id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (*channel_id == NULL)
    return FALSE;
  *user_id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 1), error);
  return *user_id != NULL;
}

gboolean
hark_ctl_grant_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *channel_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL || !resolve (ctl, invocation, &channel_id, &user_id, error)
      || !hark_bus_directory1_call_grant_channel_sync (directory, channel_id, user_id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_grant_remove (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *channel_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL || !resolve (ctl, invocation, &channel_id, &user_id, error)
      || !hark_bus_directory1_call_revoke_channel_sync (directory, channel_id, user_id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
