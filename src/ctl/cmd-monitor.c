/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * harkctl monitor: a line for each thing that happens, until it is interrupted or the hub goes. The hub sends these
 * signals to us alone, from StartMonitor on, so no match rule is needed.
 */
#include "ctl/commands.h"

#include "base/json-writer.h"
#include "ctl/format.h"
#include "ctl/table.h"

#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>

typedef struct
{
  HarkCtl *ctl;
  GMainLoop *loop;
  char *hub; /* (owned): its unique name: others may send us signals too */
  gboolean is_lost;
} Monitor;

/* {"signal":"Published","time":…,"topic":…}: the arguments under their names in the XML. */
static void
print_json (const char *signal, const GDBusSignalInfo *info, GVariant *arguments)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  hark_json_writer_init (&writer, 0);
  hark_json_writer_begin_object (&writer);
  hark_json_writer_member_string (&writer, "signal", signal);
  hark_json_writer_member_time (&writer, "time", g_get_real_time () / 1000);
  for (guint i = 0; info->args != NULL && info->args[i] != NULL; i++)
    {
      g_autoptr (GVariant) value = g_variant_get_child_value (arguments, i);
      hark_json_writer_member (&writer, info->args[i]->name);
      hark_ctl_write_json (&writer, info->args[i]->name, value);
    }
  hark_json_writer_end_object (&writer);
  g_print ("%s\n", hark_json_writer_peek (&writer, NULL));
}

static void
print_line (const char *signal, const GDBusSignalInfo *info, GVariant *arguments)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");
  g_print ("%s.%03d %-13s", time, g_date_time_get_microsecond (now) / 1000, signal);
  for (guint i = 0; info->args != NULL && info->args[i] != NULL; i++)
    {
      g_autoptr (GVariant) value = g_variant_get_child_value (arguments, i);
      g_autofree char *text = hark_ctl_format_value (info->args[i]->name, value);
      g_autofree char *clean = hark_text_clean (text);
      g_print (" %s=%s", info->args[i]->name, clean);
    }
  g_print ("\n");
}

static void
on_hub_signal (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
               const char *signal, GVariant *arguments, gpointer data)
{
  Monitor *monitor = data;
  const GDBusSignalInfo *info = g_dbus_interface_info_lookup_signal (hark_bus_hub1_interface_info (), signal);
  if (info == NULL || g_strcmp0 (sender, monitor->hub) != 0)
    return;
  if (hark_ctl_is_json (monitor->ctl))
    print_json (signal, info, arguments);
  else
    print_line (signal, info, arguments);
  fflush (stdout);
}

static void
on_hub_vanished (GDBusConnection *connection, const char *name, gpointer data)
{
  Monitor *monitor = data;
  monitor->is_lost = TRUE;
  g_main_loop_quit (monitor->loop);
}

static gboolean
on_interrupted (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_CONTINUE;
}

/* Returns: (transfer full) (nullable): the unique name of the hub, which has begun to send us signals */
static char *
start_monitor (GDBusConnection *connection, GError **error)
{
  g_autoptr (GDBusMessage) call
    = g_dbus_message_new_method_call (HARK_BUS_NAME, HARK_BUS_PATH, HARK_BUS_NAME, "StartMonitor");
  g_autoptr (GDBusMessage) reply
    = g_dbus_connection_send_message_with_reply_sync (connection, call, G_DBUS_SEND_MESSAGE_FLAGS_NONE, -1, NULL, NULL,
                                                      error);
  if (reply == NULL || g_dbus_message_to_gerror (reply, error))
    return NULL;
  return g_strdup (g_dbus_message_get_sender (reply));
}

/* Begins to watch, and does until it is over. Returns: whether it ended because somebody wanted it to */
static gboolean
watch (Monitor *self, GDBusConnection *connection, GError **error)
{
  guint id;
  self->hub = start_monitor (connection, error);
  if (self->hub == NULL)
    return FALSE;
  id = g_bus_watch_name_on_connection (connection, HARK_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_hub_vanished,
                                       self, NULL);
  g_main_loop_run (self->loop);
  g_bus_unwatch_name (id);
  if (self->is_lost)
    g_set_error (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER, _ ("the hub has gone"));
  return !self->is_lost;
}

gboolean
hark_ctl_monitor (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Monitor monitor = { ctl, loop, NULL, FALSE };
  GDBusConnection *connection = hark_ctl_get_connection (ctl, error);
  guint subscription;
  guint interrupt;
  guint terminate;
  gboolean is_well;
  if (connection == NULL)
    return FALSE;
  subscription = g_dbus_connection_signal_subscribe (connection, NULL, HARK_BUS_NAME, NULL, HARK_BUS_PATH, NULL,
                                                     G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, on_hub_signal, &monitor, NULL);
  interrupt = g_unix_signal_add (SIGINT, on_interrupted, loop);
  terminate = g_unix_signal_add (SIGTERM, on_interrupted, loop);
  is_well = watch (&monitor, connection, error);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  g_dbus_connection_signal_unsubscribe (connection, subscription);
  g_free (monitor.hub);
  return is_well;
}
