/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl role. */
#include "ctl/changes.h"
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "role_id", N_ ("ID") },
  { "name", N_ ("NAME") },
  { "position", N_ ("POSITION"), HARK_CTL_CELL_NUMBER },
  { "permissions", N_ ("PERMISSIONS") },
  { NULL },
};

gboolean
hark_ctl_role_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) rows = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_list_roles_sync (directory, id, &rows, NULL, error))
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

gboolean
hark_ctl_role_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_auto (GStrv) permissions = hark_ctl_split_list (hark_ctl_invocation_get_option (invocation, "permissions"));
  g_autofree char *server_id = NULL;
  g_autofree char *id = NULL;
  gint64 position = 1;
  if (directory == NULL || !hark_ctl_invocation_get_int (invocation, "position", 1, G_MAXINT32, &position, error))
    return FALSE;
  server_id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (server_id == NULL
      || !hark_bus_directory1_call_create_role_sync (directory, server_id, hark_ctl_invocation_get_arg (invocation, 1),
                                                     position, (const char *const *)permissions, &id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, "role_id", id);
  return TRUE;
}

gboolean
hark_ctl_role_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  static const HarkCtlChange known[] = {
    { "name", "name", HARK_CTL_CHANGE_TEXT },
    { "position", "position", HARK_CTL_CHANGE_NUMBER },
    { "permissions", "permissions", HARK_CTL_CHANGE_LIST },
    { NULL },
  };
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) changes = hark_ctl_collect_changes (invocation, known, &builder, error);
  HarkBusDirectory1 *directory = changes != NULL ? hark_ctl_get_directory (ctl, error) : NULL;
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_role (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_update_role_sync (directory, id, changes, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_role_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_role (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_delete_role_sync (directory, id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

typedef gboolean (*Call) (HarkBusDirectory1 *directory, const char *role_id, const char *user_id,
                          GCancellable *cancellable, GError **error);

static gboolean
call_for_user (HarkCtl *ctl, HarkCtlInvocation *invocation, Call call, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *role_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL)
    return FALSE;
  role_id = hark_ctl_resolve_role (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  user_id = role_id != NULL ? hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 1), error) : NULL;
  if (user_id == NULL || !call (directory, role_id, user_id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_role_assign (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  return call_for_user (ctl, invocation, hark_bus_directory1_call_assign_role_sync, error);
}

gboolean
hark_ctl_role_unassign (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  return call_for_user (ctl, invocation, hark_bus_directory1_call_unassign_role_sync, error);
}
