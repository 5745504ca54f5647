/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every command needs: the connection, made when it is first asked for (help needs none), the two ways of
 * printing, and what a failure means to the shell.
 */
#include "ctl/ctl.h"

#include "base/error.h"
#include "ctl/format.h"
#include "ctl/table.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define PROXY_FLAGS                                                                                                    \
  (G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS                               \
   | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION)

struct _HarkCtl
{
  GBusType type;
  char *address; /* (owned) (nullable): instead of @type */
  gboolean json;
  gboolean legend;
  GDBusConnection *connection;  /* (owned) (nullable) */
  HarkBusHub1 *hub;             /* (owned) (nullable) */
  HarkBusDirectory1 *directory; /* (owned) (nullable) */
  HarkBusSocketIO1 *socketio;   /* (owned) (nullable) */
};

/**
 * hark_ctl_new:
 * @type: which bus, when @address is %NULL
 * @json: whether to print for programs
 * @legend: whether tables have a first line with titles
 */
HarkCtl *
hark_ctl_new (GBusType type, const char *address, gboolean json, gboolean legend)
{
  HarkCtl *self = g_new0 (HarkCtl, 1);
  self->type = type;
  self->address = g_strdup (address);
  self->json = json;
  self->legend = legend;
  return self;
}

void
hark_ctl_free (HarkCtl *self)
{
  g_clear_object (&self->directory);
  g_clear_object (&self->socketio);
  g_clear_object (&self->hub);
  g_clear_object (&self->connection);
  g_free (self->address);
  g_free (self);
}

gboolean
hark_ctl_is_json (HarkCtl *self)
{
  return self->json;
}

/* Returns: (transfer none) (nullable) */
GDBusConnection *
hark_ctl_get_connection (HarkCtl *self, GError **error)
{
  g_autofree char *found = NULL;
  const char *address = self->address;
  if (self->connection != NULL)
    return self->connection;
  if (address == NULL)
    address = found = g_dbus_address_get_for_bus_sync (self->type, NULL, error);
  if (address != NULL)
    self->connection = g_dbus_connection_new_for_address_sync (address,
                                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                                 | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                               NULL, NULL, error);
  if (self->connection == NULL)
    g_prefix_error (error, _ ("the message bus cannot be reached: "));
  else
    g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  return self->connection;
}

/* Returns: (transfer none) (nullable) */
HarkBusHub1 *
hark_ctl_get_hub (HarkCtl *self, GError **error)
{
  if (self->hub == NULL && hark_ctl_get_connection (self, error) != NULL)
    self->hub = hark_bus_hub1_proxy_new_sync (self->connection, PROXY_FLAGS, HARK_BUS_NAME, HARK_BUS_PATH, NULL, error);
  return self->hub;
}

/* Returns: (transfer none) (nullable) */
HarkBusDirectory1 *
hark_ctl_get_directory (HarkCtl *self, GError **error)
{
  if (self->directory == NULL && hark_ctl_get_connection (self, error) != NULL)
    self->directory
      = hark_bus_directory1_proxy_new_sync (self->connection, PROXY_FLAGS, HARK_BUS_NAME, HARK_BUS_PATH, NULL, error);
  return self->directory;
}

/* Returns: (transfer none) (nullable) */
HarkBusSocketIO1 *
hark_ctl_get_socketio (HarkCtl *self, GError **error)
{
  if (self->socketio == NULL && hark_ctl_get_connection (self, error) != NULL)
    self->socketio
      = hark_bus_socket_io1_proxy_new_sync (self->connection, PROXY_FLAGS, HARK_BUS_NAME, HARK_BUS_PATH, NULL, error);
  return self->socketio;
}

/**
 * hark_ctl_get_all:
 * @get_page: called until it gives an empty `next`
 *
 * Returns: (transfer full) (nullable): the rows of all pages, an aa{sv}
 */
GVariant *
hark_ctl_get_all (HarkCtl *self, HarkCtlPageFunc get_page, gpointer data, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autofree char *after = g_strdup ("");
  do
    {
      g_autoptr (GVariant) rows = NULL;
      g_autofree char *next = NULL;
      GVariantIter iter;
      GVariant *row;
      if (!get_page (self, after, data, &rows, &next, error))
        return NULL;
      g_variant_iter_init (&iter, rows);
      while ((row = g_variant_iter_next_value (&iter)) != NULL)
        {
          g_variant_builder_add_value (&builder, row);
          g_variant_unref (row);
        }
      g_free (after);
      after = g_steal_pointer (&next);
    }
  while (*after != '\0');
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Prints a line. */
void
hark_ctl_print (HarkCtl *self, const char *text)
{
  g_print ("%s\n", text);
}

/* Columns of the terminal, 0 when it is none: what goes into a file or pipe is never cut. */
static guint
get_width (void)
{
  struct winsize size;
  if (!isatty (STDOUT_FILENO) || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

static void
print_json (HarkCtl *self, GVariant *value)
{
  g_autofree char *json = hark_ctl_format_json (value);
  hark_ctl_print (self, json);
}

static void
add_cell (HarkTable *table, GVariant *row, const char *field)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (row, field, NULL);
  hark_table_take_cell (table, hark_ctl_format_value (field, value));
}

/**
 * hark_ctl_print_rows:
 * @rows: an aa{sv}
 * @columns: what a table shows of it; JSON has everything
 *
 * Prints a listing.
 */
void
hark_ctl_print_rows (HarkCtl *self, GVariant *rows, const HarkCtlColumn *columns)
{
  g_autoptr (HarkTable) table = NULL;
  g_autofree char *text = NULL;
  guint n = 0;
  gsize n_rows = g_variant_n_children (rows);
  if (self->json)
    {
      print_json (self, rows);
      return;
    }
  while (columns[n].field != NULL)
    n++;
  table = hark_table_new (n);
  for (guint i = 0; i < n; i++)
    {
      if (columns[i].cell == HARK_CTL_CELL_NUMBER)
        hark_table_set_right (table, i);
      if (self->legend)
        hark_table_take_cell (table, g_strdup (_ (columns[i].title)));
    }
  for (gsize r = 0; r < n_rows; r++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, r);
      for (guint i = 0; i < n; i++)
        add_cell (table, row, columns[i].field);
    }
  text = hark_table_format (table, get_width (), self->legend && isatty (STDOUT_FILENO));
  g_print ("%s", text);
}

/**
 * hark_ctl_print_object:
 * @object: an a{sv}
 * @fields: what is shown of it to people; JSON has everything
 *
 * Prints one thing, a line for each field.
 */
void
hark_ctl_print_object (HarkCtl *self, GVariant *object, const HarkCtlColumn *fields)
{
  guint width = 0;
  if (self->json)
    {
      print_json (self, object);
      return;
    }
  for (const HarkCtlColumn *field = fields; field->field != NULL; field++)
    width = MAX (width, hark_text_get_columns (_ (field->title)));
  for (const HarkCtlColumn *field = fields; field->field != NULL; field++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (object, field->field, NULL);
      g_autofree char *text = hark_ctl_format_value (field->field, value);
      g_autofree char *clean = hark_text_clean (text);
      g_print ("%*s%s: %s\n", (int)(width - hark_text_get_columns (_ (field->title))), "", _ (field->title), clean);
    }
}

/**
 * hark_ctl_print_done:
 * @field: (nullable): the name of what came of it
 * @value: (nullable): what came of it: a new thing's id
 *
 * Prints the result of a change: JSON for programs, the bare value for people and `$(…)`, nothing when there is none.
 */
void
hark_ctl_print_done (HarkCtl *self, const char *field, const char *value)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  if (self->json)
    {
      g_autoptr (GVariant) object = NULL;
      if (field != NULL)
        g_variant_dict_insert (&dict, field, "s", value);
      object = g_variant_ref_sink (g_variant_dict_end (&dict));
      print_json (self, object);
    }
  else if (value != NULL)
    hark_ctl_print (self, value);
}

/**
 * hark_ctl_get_exit_code:
 *
 * Returns: what harkctl ends with: a code of sysexits.h, of the error table for what the hub said
 */
int
hark_ctl_get_exit_code (const GError *error)
{
  if (error->domain == HARK_ERROR)
    return hark_error_get_exit_code (error->code);
  if (error->domain == G_OPTION_ERROR)
    return EX_USAGE;
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_AUTH_FAILED))
    return EX_NOPERM;
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS))
    return EX_PROTOCOL;
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return EX_TEMPFAIL;
  if (error->domain == G_DBUS_ERROR || error->domain == G_IO_ERROR)
    return EX_UNAVAILABLE;
  return EX_SOFTWARE;
}
