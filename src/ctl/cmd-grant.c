/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl grant. */
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "user_id", N_ ("ID") },
  { "username", N_ ("USERNAME") },
  { "role_id", N_ ("ROLE") },
  { "name", N_ ("NAME") },
  { NULL },
};

static void
add_rows (GVariantBuilder *builder, GVariant *rows)
{
  for (gsize i = 0; i < g_variant_n_children (rows); i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);
      g_variant_builder_add_value (builder, row);
    }
}

gboolean
hark_ctl_grant_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) rows = NULL;
  g_autoptr (GVariant) roles = NULL;
  g_autoptr (GVariant) all = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_list_grants_sync (directory, id, &rows, &roles, NULL, error))
    return FALSE;
  add_rows (&builder, rows);
  add_rows (&builder, roles);
  all = g_variant_ref_sink (g_variant_builder_end (&builder));
  hark_ctl_print_rows (ctl, all, columns);
  return TRUE;
}

typedef gboolean (*Call) (HarkBusDirectory1 *directory, const char *channel_id, const char *id,
                          GCancellable *cancellable, GError **error);

/* Either a user or a role is named. */
static gboolean
change (HarkCtl *ctl, HarkCtlInvocation *invocation, Call for_user, Call for_role, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *user = hark_ctl_invocation_get_arg (invocation, 1);
  const char *role = hark_ctl_invocation_get_option (invocation, "role");
  g_autofree char *channel_id = NULL;
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  if ((user == NULL) == (role == NULL))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("either USER or --role must be given"));
      return FALSE;
    }
  channel_id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (channel_id == NULL)
    return FALSE;
  id = user != NULL ? hark_ctl_resolve_user (ctl, user, error) : hark_ctl_resolve_role (ctl, role, error);
  if (id == NULL || !(user != NULL ? for_user : for_role) (directory, channel_id, id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_grant_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  return change (ctl, invocation, hark_bus_directory1_call_grant_channel_sync,
                 hark_bus_directory1_call_grant_channel_to_role_sync, error);
}

gboolean
hark_ctl_grant_remove (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  return change (ctl, invocation, hark_bus_directory1_call_revoke_channel_sync,
                 hark_bus_directory1_call_revoke_channel_from_role_sync, error);
}
