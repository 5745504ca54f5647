/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From what a person writes to an id: digits are an id, everything else a name. A user called by digits alone is
 * written "@42". A channel's name may be told apart by its server's: "lounge/general"; a role's always is.
 */
#include "ctl/resolve.h"

#include "base/error.h"
#include "base/ids.h"

#include <glib/gi18n.h>

#define BAD_REQUEST HARK_ERROR, HARK_ERROR_BAD_REQUEST
#define NOT_FOUND HARK_ERROR, HARK_ERROR_NOT_FOUND

static gboolean
is_id (const char *text)
{
  gint64 id;
  return hark_id_parse (text, strlen (text), &id);
}

/* Returns: (transfer full) (nullable): the id of the user that @text names */
char *
hark_ctl_resolve_user (HarkCtl *ctl, const char *text, GError **error)
{
  HarkBusDirectory1 *directory;
  g_autoptr (GVariant) user = NULL;
  g_autoptr (GError) local_error = NULL;
  char *id = NULL;
  if (is_id (text))
    return g_strdup (text);
  directory = hark_ctl_get_directory (ctl, error);
  if (directory == NULL)
    return NULL;
  if (!hark_bus_directory1_call_find_user_sync (directory, text + (*text == '@'), &user, NULL, &local_error))
    {
      /* The hub names its field, which is not what was typed here. */
      if (g_error_matches (local_error, HARK_ERROR, HARK_ERROR_NOT_FOUND))
        g_set_error (error, NOT_FOUND, _ ("there is no user “%s”"), text);
      else
        g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (!g_variant_lookup (user, "user_id", "s", &id))
    g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, _ ("the hub does not say the id of “%s”"), text);
  return id;
}

/* Returns: (transfer full) (nullable): the @id_field of the one row whose @name_field is @name */
static char *
find_row (GVariant *rows, const char *name_field, const char *name, const char *id_field, GError **error)
{
  g_autofree char *id = NULL;
  gsize n = g_variant_n_children (rows);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);
      const char *row_name;
      const char *row_id;
      if (!g_variant_lookup (row, name_field, "&s", &row_name) || !g_variant_lookup (row, id_field, "&s", &row_id)
          || !g_str_equal (row_name, name))
        continue;
      if (id != NULL)
        {
          g_set_error (error, BAD_REQUEST, _ ("“%s” is the name of %s and of %s: use the id"), name, id, row_id);
          return NULL;
        }
      id = g_strdup (row_id);
    }
  if (id == NULL)
    g_set_error (error, NOT_FOUND, _ ("there is nothing of the name “%s”"), name);
  return g_steal_pointer (&id);
}

/* Returns: (transfer full) (nullable): all servers, an aa{sv} */
GVariant *
hark_ctl_get_servers (HarkCtl *ctl, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  GVariant *rows = NULL;
  if (directory != NULL)
    hark_bus_directory1_call_list_servers_sync (directory, &rows, NULL, error);
  return rows;
}

static gboolean
add_channels (HarkCtl *ctl, GVariantBuilder *builder, const char *server_id, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autoptr (GVariant) rows = NULL;
  gsize n;
  if (directory == NULL || !hark_bus_directory1_call_list_channels_sync (directory, server_id, &rows, NULL, error))
    return FALSE;
  n = g_variant_n_children (rows);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);
      g_variant_builder_add_value (builder, row);
    }
  return TRUE;
}

/* @server_id: (nullable): %NULL for those of all servers. Returns: (transfer full) (nullable): an aa{sv} */
GVariant *
hark_ctl_get_channels (HarkCtl *ctl, const char *server_id, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) servers = NULL;
  gsize n;
  if (server_id != NULL)
    return add_channels (ctl, &builder, server_id, error) ? g_variant_ref_sink (g_variant_builder_end (&builder))
                                                          : NULL;
  servers = hark_ctl_get_servers (ctl, error);
  if (servers == NULL)
    return NULL;
  n = g_variant_n_children (servers);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (servers, i);
      const char *id;
      if (g_variant_lookup (row, "server_id", "&s", &id) && !add_channels (ctl, &builder, id, error))
        return NULL;
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Returns: (transfer full) (nullable): the id of the server that @text names */
char *
hark_ctl_resolve_server (HarkCtl *ctl, const char *text, GError **error)
{
  g_autoptr (GVariant) servers = NULL;
  if (is_id (text))
    return g_strdup (text);
  servers = hark_ctl_get_servers (ctl, error);
  return servers != NULL ? find_row (servers, "server_name", text, "server_id", error) : NULL;
}

/* Returns: (transfer full) (nullable): the id of the channel that @text names */
char *
hark_ctl_resolve_channel (HarkCtl *ctl, const char *text, GError **error)
{
  const char *slash = strrchr (text, '/');
  g_autofree char *server = NULL;
  g_autofree char *server_id = NULL;
  g_autoptr (GVariant) channels = NULL;
  if (is_id (text))
    return g_strdup (text);
  if (slash != NULL)
    {
      server = g_strndup (text, slash - text);
      server_id = hark_ctl_resolve_server (ctl, server, error);
      if (server_id == NULL)
        return NULL;
      text = slash + 1;
    }
  channels = hark_ctl_get_channels (ctl, server_id, error);
  return channels != NULL ? find_row (channels, "name", text, "channel_id", error) : NULL;
}

/* @text: an id, or SERVER/NAME. Returns: (transfer full) (nullable): the id of the role that it names */
char *
hark_ctl_resolve_role (HarkCtl *ctl, const char *text, GError **error)
{
  const char *slash = strchr (text, '/');
  HarkBusDirectory1 *directory;
  g_autofree char *server = NULL;
  g_autofree char *server_id = NULL;
  g_autoptr (GVariant) roles = NULL;
  if (is_id (text))
    return g_strdup (text);
  if (slash == NULL)
    {
      g_set_error (error, BAD_REQUEST, _ ("a role is named by its id, or as SERVER/NAME, and not as “%s”"), text);
      return NULL;
    }
  server = g_strndup (text, slash - text);
  server_id = hark_ctl_resolve_server (ctl, server, error);
  directory = server_id != NULL ? hark_ctl_get_directory (ctl, error) : NULL;
  if (directory == NULL || !hark_bus_directory1_call_list_roles_sync (directory, server_id, &roles, NULL, error))
    return NULL;
  return find_row (roles, "name", slash + 1, "role_id", error);
}
