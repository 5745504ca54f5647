/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl notify. */
#include "ctl/commands.h"

#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const struct
{
  const char *option;
  const char *field;
} fields[] = {
  { "action", "action" },          { "action-id", "action_id" }, { "by-user", "by_user" },
  { "content", "action_content" }, { "affected", "affected" },   { "affected-id", "affected_id" },
};

/* Returns: (transfer full): a{sv} */
static GVariant *
collect_fields (HarkCtlInvocation *invocation)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "message",
                         g_variant_new_string (hark_ctl_invocation_get_arg (invocation, 1)));
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      const char *value = hark_ctl_invocation_get_option (invocation, fields[i].option);
      if (value != NULL)
        g_variant_builder_add (&builder, "{sv}", fields[i].field, g_variant_new_string (value));
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

gboolean
hark_ctl_notify (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub;
  g_autoptr (GVariant) values = NULL;
  g_autofree char *user_id = NULL;
  g_autofree char *id = NULL;
  if (!hark_ctl_invocation_has (invocation, "action"))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   _ ("--action must be given: something has happened"));
      return FALSE;
    }
  hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL)
    return FALSE;
  user_id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (user_id == NULL)
    return FALSE;
  values = collect_fields (invocation);
  if (!hark_bus_hub1_call_notify_sync (hub, user_id, values, &id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, "id", id);
  return TRUE;
}
