/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl emit and harkctl sockets: what happens in Socket.IO namespaces. */
#include "ctl/commands.h"
#include "ctl/resolve.h"

#include "base/json-writer.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "sid", N_ ("SOCKET") },  { "session_id", N_ ("SESSION") }, { "username", N_ ("USER") },
  { "since", N_ ("SINCE") }, { "rooms", N_ ("ROOMS") },        { NULL },
};

/* @value: (nullable) */
static void
write_one (HarkJsonWriter *json, const char *name, const char *value)
{
  if (value == NULL)
    return;
  hark_json_writer_member (json, name);
  hark_json_writer_begin_array (json);
  hark_json_writer_string (json, value);
  hark_json_writer_end_array (json);
}

/* Returns: (transfer full) (nullable): whom --room, --user and --except mean, as JSON; empty for all */
static char *
read_target (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *room = hark_ctl_invocation_get_option (invocation, "room");
  const char *user = hark_ctl_invocation_get_option (invocation, "user");
  const char *except = hark_ctl_invocation_get_option (invocation, "except");
  g_auto (HarkJsonWriter) json = { 0 };
  g_autofree char *user_id = NULL;
  if (room == NULL && user == NULL && except == NULL)
    return g_strdup ("");
  if (user != NULL)
    {
      user_id = hark_ctl_resolve_user (ctl, user, error);
      if (user_id == NULL)
        return NULL;
    }
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  write_one (&json, "rooms", room);
  write_one (&json, "users", user_id);
  write_one (&json, "except", except);
  hark_json_writer_end_object (&json);
  return hark_json_writer_steal (&json, NULL);
}

gboolean
hark_ctl_emit (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *args = hark_ctl_invocation_get_option (invocation, "args");
  g_autofree char *target = read_target (ctl, invocation, error);
  HarkBusSocketIO1 *socketio = target != NULL ? hark_ctl_get_socketio (ctl, error) : NULL;
  g_autofree char *number = NULL;
  gint64 seq = 0;
  if (socketio == NULL
      || !hark_bus_socket_io1_call_emit_sync (socketio, hark_ctl_invocation_get_arg (invocation, 0), target,
                                              hark_ctl_invocation_get_arg (invocation, 1), args != NULL ? args : "",
                                              hark_ctl_invocation_get_option (invocation, "volatile") != NULL, &seq,
                                              NULL, error))
    return FALSE;
  number = g_strdup_printf (hark_ctl_is_json (ctl) ? "{\"seq\":%" G_GINT64_FORMAT "}" : "%" G_GINT64_FORMAT, seq);
  hark_ctl_print (ctl, number);
  return TRUE;
}

typedef struct
{
  const char *nsp;
  const char *target;
} Page;

static gboolean
get_page (HarkCtl *ctl, const char *after, gpointer data, GVariant **rows, char **next, GError **error)
{
  HarkBusSocketIO1 *socketio = hark_ctl_get_socketio (ctl, error);
  const Page *page = data;
  return socketio != NULL
         && hark_bus_socket_io1_call_list_sockets_sync (socketio, page->nsp, page->target, after, HARK_CTL_PAGE, rows,
                                                        next, NULL, error);
}

gboolean
hark_ctl_sockets_list (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *target = read_target (ctl, invocation, error);
  Page page = { hark_ctl_invocation_get_arg (invocation, 0), target };
  g_autoptr (GVariant) rows = target != NULL ? hark_ctl_get_all (ctl, get_page, &page, error) : NULL;
  if (rows == NULL)
    return FALSE;
  hark_ctl_print_rows (ctl, rows, columns);
  return TRUE;
}

static gboolean
print_sockets (HarkCtl *ctl, guint n)
{
  g_autofree char *number = g_strdup_printf ("%u", n);
  hark_ctl_print_done (ctl, "sockets", number);
  return TRUE;
}

gboolean
hark_ctl_sockets_join (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *target = read_target (ctl, invocation, error);
  HarkBusSocketIO1 *socketio = target != NULL ? hark_ctl_get_socketio (ctl, error) : NULL;
  guint n = 0;
  return socketio != NULL
         && hark_bus_socket_io1_call_join_sync (socketio, hark_ctl_invocation_get_arg (invocation, 0), target,
                                                hark_ctl_invocation_get_arg (invocation, 1), &n, NULL, error)
         && print_sockets (ctl, n);
}

gboolean
hark_ctl_sockets_leave (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *target = read_target (ctl, invocation, error);
  HarkBusSocketIO1 *socketio = target != NULL ? hark_ctl_get_socketio (ctl, error) : NULL;
  guint n = 0;
  return socketio != NULL
         && hark_bus_socket_io1_call_leave_sync (socketio, hark_ctl_invocation_get_arg (invocation, 0), target,
                                                 hark_ctl_invocation_get_arg (invocation, 1), &n, NULL, error)
         && print_sockets (ctl, n);
}

gboolean
hark_ctl_sockets_disconnect (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  g_autofree char *target = read_target (ctl, invocation, error);
  HarkBusSocketIO1 *socketio = target != NULL ? hark_ctl_get_socketio (ctl, error) : NULL;
  gboolean whole = hark_ctl_invocation_get_option (invocation, "close") != NULL;
  guint n = 0;
  return socketio != NULL
         && hark_bus_socket_io1_call_disconnect_sockets_sync (socketio, hark_ctl_invocation_get_arg (invocation, 0),
                                                              target, whole, &n, NULL, error)
         && print_sockets (ctl, n);
}
