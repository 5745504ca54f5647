/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl status, reload, upgrade. */
#include "ctl/commands.h"
#include "ctl/format.h"

#include <glib/gi18n.h>

static const HarkCtlColumn fields[] = {
  { "version", N_ ("Version") },
  { "ready", N_ ("Ready") },
  { "draining", N_ ("Draining") },
  { "started", N_ ("Started") },
  { "uptime", N_ ("Running for") },
  { "sessions", N_ ("Sessions") },
  { "users", N_ ("Users online") },
  { "subscriptions", N_ ("Subscriptions") },
  { "interests", N_ ("Loaded users") },
  { "topics", N_ ("Topics") },
  { NULL },
};

/* The properties under the names that JSON has everywhere, and the time that the daemon runs. */
static GVariant *
describe (HarkCtl *ctl, GVariant *properties)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  g_variant_iter_init (&iter, properties);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      g_autofree char *field = g_ascii_strdown (name, -1);
      if (g_str_equal (field, "started") && !hark_ctl_is_json (ctl))
        {
          g_autofree char *uptime = hark_ctl_format_duration (g_get_real_time () / 1000 - g_variant_get_int64 (value));
          g_variant_builder_add (&builder, "{sv}", "uptime", g_variant_new_string (uptime));
        }
      g_variant_builder_add (&builder, "{sv}", field, value);
      g_variant_unref (value);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

gboolean
hark_ctl_status (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  GDBusConnection *connection = hark_ctl_get_connection (ctl, error);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariant) status = NULL;
  if (connection == NULL)
    return FALSE;
  reply = g_dbus_connection_call_sync (connection, HARK_BUS_NAME, HARK_BUS_PATH, "org.freedesktop.DBus.Properties",
                                       "GetAll", g_variant_new ("(s)", HARK_BUS_NAME), G_VARIANT_TYPE ("(a{sv})"),
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  status = describe (ctl, properties);
  hark_ctl_print_object (ctl, status, fields);
  return TRUE;
}

gboolean
hark_ctl_reload (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL || !hark_bus_hub1_call_reload_sync (hub, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_upgrade (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL || !hark_bus_hub1_call_upgrade_sync (hub, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
