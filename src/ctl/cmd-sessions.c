/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl sessions. */
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "session_id", N_ ("ID") },
  { "username", N_ ("USER") },
  { "address", N_ ("ADDRESS") },
  { "protocol", N_ ("PROTOCOL") },
  { "since", N_ ("SINCE") },
  { "queued", N_ ("QUEUED"), HARK_CTL_CELL_NUMBER },
  { "sent", N_ ("SENT"), HARK_CTL_CELL_NUMBER },
  { "received", N_ ("RECEIVED"), HARK_CTL_CELL_NUMBER },
  { "subscriptions", N_ ("TOPICS"), HARK_CTL_CELL_NUMBER },
  { "loaded", N_ ("LOADED"), HARK_CTL_CELL_NUMBER },
  { NULL },
};

static const HarkCtlColumn fields[] = {
  { "session_id", N_ ("ID") },
  { "user_id", N_ ("User ID") },
  { "username", N_ ("User") },
  { "address", N_ ("Address") },
  { "protocol", N_ ("Protocol") },
  { "since", N_ ("Since") },
  { "queued", N_ ("Bytes queued") },
  { "sent", N_ ("Messages sent") },
  { "received", N_ ("Messages received") },
  { "subscriptions", N_ ("Topics") },
  { "loaded", N_ ("Users loaded") },
  { "users", N_ ("Their IDs") },
  { NULL },
};

static const HarkCtlColumn topic_columns[] = {
  { "topic", N_ ("TOPIC") },
  { "cursor", N_ ("CURSOR"), HARK_CTL_CELL_NUMBER },
  { NULL },
};

static gboolean
get_page (HarkCtl *ctl, const char *after, gpointer data, GVariant **rows, char **next, GError **error)
{
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, error);
  const char *user_id = data;
  return hub != NULL
         && hark_bus_hub1_call_list_sessions_sync (hub, after, HARK_CTL_PAGE, user_id != NULL ? user_id : "", rows,
                                                   next, NULL, error);
}

gboolean
hark_ctl_sessions_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *user = hark_ctl_invocation_get_option (invocation, "user");
  g_autofree char *user_id = NULL;
  g_autoptr (GVariant) rows = NULL;
  if (user != NULL)
    {
      user_id = hark_ctl_resolve_user (ctl, user, error);
      if (user_id == NULL)
        return FALSE;
    }
  rows = hark_ctl_get_all (ctl, get_page, user_id, error);
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

gboolean
hark_ctl_sessions_show (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, error);
  g_autoptr (GVariant) session = NULL;
  g_autoptr (GVariant) topics = NULL;
  if (hub == NULL
      || !hark_bus_hub1_call_get_session_sync (hub, hark_ctl_invocation_get_arg (invocation, 0), &session, NULL, error))
    return FALSE;
  hark_ctl_print_object (ctl, session, fields);
  topics = g_variant_lookup_value (session, "topics", G_VARIANT_TYPE ("aa{sv}"));
  if (topics != NULL && g_variant_n_children (topics) > 0 && !hark_ctl_is_json (ctl))
    {
      hark_ctl_print (ctl, "");
      hark_ctl_print_rows (ctl, topics, topic_columns);
    }
  return TRUE;
}

static gboolean
disconnect_user (HarkCtl *ctl, const char *user, const char *reason, GError **error)
{
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, error);
  g_autofree char *id = NULL;
  g_autofree char *number = NULL;
  guint n = 0;
  if (hub == NULL)
    return FALSE;
  id = hark_ctl_resolve_user (ctl, user, error);
  if (id == NULL || !hark_bus_hub1_call_disconnect_user_sync (hub, id, reason, &n, NULL, error))
    return FALSE;
  number = g_strdup_printf ("%u", n);
  hark_ctl_print_done (ctl, "sessions", number);
  return TRUE;
}

gboolean
hark_ctl_sessions_disconnect (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *session = hark_ctl_invocation_get_arg (invocation, 0);
  const char *user = hark_ctl_invocation_get_option (invocation, "user");
  const char *reason = hark_ctl_invocation_get_option (invocation, "reason");
  HarkBusHub1 *hub;
  reason = reason != NULL ? reason : "";
  if ((session == NULL) == (user == NULL))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("give either SESSION or --user"));
      return FALSE;
    }
  if (user != NULL)
    return disconnect_user (ctl, user, reason, error);
  hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL || !hark_bus_hub1_call_disconnect_sync (hub, session, reason, NULL, error))
    return FALSE;
  hark_ctl_print_done (ctl, NULL, NULL);
  return TRUE;
}
