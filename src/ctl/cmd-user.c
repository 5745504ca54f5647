/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl user. */
#include "ctl/changes.h"
#include "ctl/commands.h"
#include "ctl/password.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "user_id", N_ ("ID") },
  { "username", N_ ("USERNAME") },
  { "displayname", N_ ("NAME") },
  { "status", N_ ("STATUS") },
  { "admin", N_ ("ADMIN") },
  { "created", N_ ("CREATED") },
  { NULL },
};

static const HarkCtlColumn fields[] = {
  { "user_id", N_ ("ID") },       { "username", N_ ("Username") },
  { "displayname", N_ ("Name") }, { "profile_pic", N_ ("Picture") },
  { "bio", N_ ("Bio") },          { "activity", N_ ("Activity") },
  { "status", N_ ("Status") },    { "admin", N_ ("Administrator") },
  { "created", N_ ("Created") },  { NULL },
};

static gboolean
get_page (HarkCtl *ctl, const char *after, gpointer data, GVariant **rows, char **next, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *query = data;
  return directory != NULL
         && hark_bus_directory1_call_list_users_sync (directory, after, HARK_CTL_PAGE, query != NULL ? query : "", rows,
                                                      next, NULL, error);
}

gboolean
hark_ctl_user_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *query = hark_ctl_invocation_get_option (invocation, "query");
  g_autoptr (GVariant) rows = hark_ctl_get_all (ctl, get_page, (gpointer)query, error);
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

gboolean
hark_ctl_user_show (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  g_autoptr (GVariant) user = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_get_user_sync (directory, id, &user, NULL, error))
    return FALSE;
  hark_ctl_print_object (ctl, user, fields);
  return TRUE;
}

/* @id: (nullable): the user's; %NULL for one who could not be made */
static gboolean
set_password (HarkCtl *ctl, const char *id, const char *password, GError **error)
{
  HarkBusDirectory1 *directory = id != NULL ? hark_ctl_get_directory (ctl, error) : NULL;
  return directory != NULL && hark_bus_directory1_call_set_password_sync (directory, id, password, NULL, error);
}

gboolean
hark_ctl_user_set_password (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  char *password = id != NULL ? hark_ctl_read_password (error) : NULL;
  gboolean ok = password != NULL && set_password (ctl, id, password, error);
  hark_ctl_free_password (password);
  if (ok)
    hark_ctl_print_done (ctl, NULL, NULL);
  return ok;
}

static gboolean
add_user (HarkCtl *ctl, HarkCtlInvocation *invocation, char **id, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *displayname = hark_ctl_invocation_get_option (invocation, "displayname");
  return directory != NULL
         && hark_bus_directory1_call_create_user_sync (directory, hark_ctl_invocation_get_arg (invocation, 0),
                                                       displayname != NULL ? displayname : "",
                                                       hark_ctl_invocation_has (invocation, "admin"), id, NULL, error);
}

gboolean
hark_ctl_user_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  gboolean has_password = hark_ctl_invocation_has (invocation, "password-stdin");
  char *password = has_password ? hark_ctl_read_password (error) : NULL;
  g_autofree char *id = NULL;
  gboolean ok = (!has_password || password != NULL) && add_user (ctl, invocation, &id, error)
                && (!has_password || set_password (ctl, id, password, error));
  hark_ctl_free_password (password);
  if (ok)
    hark_ctl_print_done (ctl, "user_id", id);
  return ok;
}

gboolean
hark_ctl_user_set (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  static const HarkCtlChange known[] = {
    { "username", "username", HARK_CTL_CHANGE_TEXT },   { "displayname", "displayname", HARK_CTL_CHANGE_TEXT },
    { "picture", "profile_pic", HARK_CTL_CHANGE_TEXT }, { "bio", "bio", HARK_CTL_CHANGE_TEXT },
    { "admin", "admin", HARK_CTL_CHANGE_BOOLEAN },      { NULL },
  };
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_autoptr (GVariant) changes = hark_ctl_collect_changes (invocation, known, &builder, error);
  HarkBusDirectory1 *directory = changes != NULL ? hark_ctl_get_directory (ctl, error) : NULL;
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_update_user_sync (directory, id, changes, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_user_delete (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *id = NULL;
  if (directory == NULL)
    return FALSE;
  id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (id == NULL || !hark_bus_directory1_call_delete_user_sync (directory, id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
