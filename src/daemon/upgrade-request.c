/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkd --upgrade: asks the daemon that runs to go on as the program that is installed now. */
#include <config.h>

#include "daemon/upgrade-request.h"

#include "base/error.h"
#include "bus/service.h"

#include <glib/gi18n.h>

static GDBusConnection *
connect_to (const char *where, GError **error)
{
  if (g_str_equal (where, "system"))
    return g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (g_str_equal (where, "session"))
    return g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, error);
  return g_dbus_connection_new_for_address_sync (where,
                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                   | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                 NULL, NULL, error);
}

/**
 * hark_upgrade_request:
 *
 * Returns: whether the daemon on the configured bus has begun; otherwise what it, or the bus, said
 */
gboolean
hark_upgrade_request (HarkConfig *config, GError **error)
{
  const char *where = hark_config_get_string (config, HARK_SETTING_BUS_TYPE);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GVariant) reply = NULL;
  if (g_str_equal (where, "none"))
    {
      g_set_error_literal (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST,
                           _ ("the daemon is on no bus (bus.type is none): send it the signal USR2 instead"));
      return FALSE;
    }
  connection = connect_to (where, error);
  if (connection == NULL)
    return FALSE;
  reply = g_dbus_connection_call_sync (connection, HARK_BUS_NAME, HARK_BUS_PATH, "org.hark.Hub1", "Upgrade", NULL, NULL,
                                       G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, error);
  if (reply == NULL && error != NULL && *error != NULL)
    g_dbus_error_strip_remote_error (*error);
  return reply != NULL;
}
