/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl server. */
#include "ctl/changes.h"
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "server_id", N_ ("ID") },
  { "server_name", N_ ("NAME") },
  { "owner_id", N_ ("OWNER") },
  { "members", N_ ("MEMBERS"), HARK_CTL_CELL_NUMBER },
  { "channels", N_ ("CHANNELS"), HARK_CTL_CELL_NUMBER },
  { "created", N_ ("CREATED") },
  { NULL },
};

gboolean
hark_ctl_server_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autoptr (GVariant) rows = hark_ctl_get_servers (ctl, error);
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

gboolean
hark_ctl_server_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory;
  const char *owner = hark_ctl_invocation_get_option (invocation, "owner");
  const char *icon = hark_ctl_invocation_get_option (invocation, "icon");
  g_autofree char *owner_id = NULL;
  g_autofree char *id = NULL;
  if (owner == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("--owner must be given: a server is somebody's"));
      return FALSE;
    }
  directory = hark_ctl_get_directory (ctl, error);
  if (directory == NULL)
    return FALSE;
  owner_id = hark_ctl_resolve_user (ctl, owner, error);
  if (owner_id == NULL
      || !hark_bus_directory1_call_create_server_sync (directory, hark_ctl_invocation_get_arg (invocation, 0), owner_id,
                                                       icon != NULL ? icon : "", &id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, "server_id", id);
  return TRUE;
}

gboolean
hark_ctl_server_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  static const HarkCtlChange known[] = {
    { "name", "name", HARK_CTL_CHANGE_TEXT },
    { "icon", "icon", HARK_CTL_CHANGE_TEXT },
    { NULL },
  };
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *owner = hark_ctl_invocation_get_option (invocation, "owner");
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) changes = NULL;
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  if (owner != NULL)
    {
      g_autofree char *owner_id = hark_ctl_resolve_user (ctl, owner, error);
      if (owner_id == NULL)
        return FALSE;
      g_variant_builder_add (&builder, "{sv}", "owner_id", g_variant_new_string (owner_id));
    }
  changes = hark_ctl_collect_changes (invocation, known, &builder, error);
  id = changes != NULL ? hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error) : NULL;
  if (id == NULL || !hark_bus_directory1_call_update_server_sync (directory, id, changes, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_server_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_delete_server_sync (directory, id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
