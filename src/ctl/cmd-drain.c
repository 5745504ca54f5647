/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl drain. */
#include "ctl/commands.h"
#include "ctl/progress.h"

#include <glib/gi18n.h>

/* How often it is asked how far it is. */
#define POLL_US (200 * 1000)

static gboolean
get_figures (GDBusConnection *connection, guint *sessions, gboolean *draining, GError **error)
{
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariant) reply
    = g_dbus_connection_call_sync (connection, HARK_BUS_NAME, HARK_BUS_PATH, "org.freedesktop.DBus.Properties",
                                   "GetAll", g_variant_new ("(s)", HARK_BUS_NAME), G_VARIANT_TYPE ("(a{sv})"),
                                   G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, error);
  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  *sessions = 0;
  *draining = FALSE;
  g_variant_lookup (properties, "Sessions", "u", sessions);
  g_variant_lookup (properties, "Draining", "b", draining);
  return TRUE;
}

/* Until nobody is left, or somebody has stopped it. */
static gboolean
wait (HarkCtl *ctl, guint total, GError **error)
{
  GDBusConnection *connection = hark_ctl_get_connection (ctl, error);
  guint columns;
  gboolean is_terminal = hark_ctl_progress_is_wanted (&columns);
  g_autoptr (HarkCtlProgress) progress = hark_ctl_progress_new (_ ("Draining"), total, is_terminal, columns);
  guint sessions;
  gboolean draining;
  for (;;)
    {
      if (!get_figures (connection, &sessions, &draining, error))
        return FALSE;
      hark_ctl_progress_update (progress, total - MIN (sessions, total));
      if (sessions == 0)
        return TRUE;
      if (!draining)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("somebody has stopped it"));
          return FALSE;
        }
      g_usleep (POLL_US);
    }
}

gboolean
hark_ctl_drain (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub;
  g_autofree char *number = NULL;
  gint64 over_s = 0;
  guint sessions;
  if (!hark_ctl_invocation_get_seconds (invocation, "over", &over_s, error))
    return FALSE;
  hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL)
    return FALSE;
  if (hark_ctl_invocation_has (invocation, "stop"))
    {
      if (!hark_bus_hub1_call_stop_drain_sync (hub, NULL, error))
        return FALSE;
      hark_ctl_print_done (ctl, NULL, NULL);
      return TRUE;
    }
  if (!hark_bus_hub1_call_drain_sync (hub, over_s * 1000, &sessions, NULL, error)
      || (!hark_ctl_invocation_has (invocation, "no-wait") && !wait (ctl, sessions, error)))
    return FALSE;
  number = g_strdup_printf ("%u", sessions);
  hark_ctl_print_done (ctl, "sessions", number);
  return TRUE;
}
