/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl member. */
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "user_id", N_ ("ID") },
  { "username", N_ ("USERNAME") },
  { "displayname", N_ ("NAME") },
  { "nick", N_ ("NICK") },
  { "status", N_ ("STATUS") },
  { "joined", N_ ("JOINED") },
  { NULL },
};

static gboolean
get_page (HarkCtl *ctl, const char *after, gpointer data, GVariant **rows, char **next, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  return directory != NULL
         && hark_bus_directory1_call_list_members_sync (directory, data, after, HARK_CTL_PAGE, rows, next, NULL, error);
}

gboolean
hark_ctl_member_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  g_autoptr (GVariant) rows = id != NULL ? hark_ctl_get_all (ctl, get_page, id, error) : NULL;
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

static gboolean
resolve (HarkCtl *ctl, HarkCtlInvocation *invocation, char **server_id, char **user_id, GError **error)
{
  *server_id = hark_ctl_resolve_server (ctl, hark_ctl_invocation_get_arg (invocation, 0), error);
  if (*server_id == NULL)
    return FALSE;
  *user_id = hark_ctl_resolve_user (ctl, hark_ctl_invocation_get_arg (invocation, 1), error);
  return *user_id != NULL;
}

gboolean
hark_ctl_member_add (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *server_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL || !resolve (ctl, invocation, &server_id, &user_id, error)
      || !hark_bus_directory1_call_add_member_sync (directory, server_id, user_id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_member_remove (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  g_autofree char *server_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL || !resolve (ctl, invocation, &server_id, &user_id, error)
      || !hark_bus_directory1_call_remove_member_sync (directory, server_id, user_id, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}

gboolean
hark_ctl_member_nick (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, error);
  const char *nick = hark_ctl_invocation_get_arg (invocation, 2);
  g_autofree char *server_id = NULL;
  g_autofree char *user_id = NULL;
  if (directory == NULL || !resolve (ctl, invocation, &server_id, &user_id, error)
      || !hark_bus_directory1_call_set_nick_sync (directory, server_id, user_id, nick != NULL ? nick : "", NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
