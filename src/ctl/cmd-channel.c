/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl channel. */
#include "ctl/changes.h"
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "channel_id", N_ ("ID") },
  { "server_id", N_ ("SERVER") },
  { "name", N_ ("NAME") },
  { "category", N_ ("CATEGORY") },
  { "private", N_ ("PRIVATE") },
  { "position", N_ ("POSITION"), HARK_CTL_CELL_NUMBER },
  { "messages", N_ ("MESSAGES"), HARK_CTL_CELL_NUMBER },
  { NULL },
};

gboolean
hark_ctl_channel_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *server = hark_ctl_invocation_get_arg (invocation, 0);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) rows = NULL;
  if (server != NULL)
    {
      id = hark_ctl_resolve_server (ctl, server, error);
      if (id == NULL)
        return FALSE;
    }
  rows = hark_ctl_get_channels (ctl, id, error);
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

gboolean
hark_ctl_channel_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *category = hark_ctl_invocation_get_option (invocation, "category");
  gint64 position = -1;
  g_autofree char *server_id = NULL;
  g_autofree char *id = NULL;
  if (directory == NULL || !hark_ctl_invocation_get_int (invocation, "position", 0, G_MAXINT32, &position, error))
    return FALSE;
  server_id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (server_id == NULL
      || !hark_bus_directory1_call_create_channel_sync (directory, server_id,
                                                        hark_ctl_invocation_get_arg (invocation, 1),
                                                        category != NULL ? category : "",
                                                        hark_ctl_invocation_has (invocation, "private"), position, &id,
                                                        NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, "channel_id", id);
  return TRUE;
}

gboolean
hark_ctl_channel_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  static const HarkCtlChange known[] = {
    { "name", "name", HARK_CTL_CHANGE_TEXT },
    { "category", "category", HARK_CTL_CHANGE_TEXT },
    { "private", "private", HARK_CTL_CHANGE_BOOLEAN },
    { "position", "position", HARK_CTL_CHANGE_NUMBER },
    { NULL },
  };
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) changes = hark_ctl_collect_changes (invocation, known, &builder, error);
  HarkBusDirectory1 *directory = changes != NULL ? hark_ctl_get_directory (ctl, error) : NULL;
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_update_channel_sync (directory, id, changes, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_channel_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_channel (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_delete_channel_sync (directory, id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
