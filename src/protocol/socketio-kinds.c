/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said in namespaces. Everything becomes a command of the dispatcher's, so that quotas, pauses and refusals are
 * those of all requests: in "/" any, in the others the few that they are for, and in those of the back end's one that
 * tells it.
 */
#include "protocol/socketio-kinds.h"

#include "base/error.h"
#include "protocol/socketio-forward.h"
#include "protocol/socketio-namespaces.h"

#include <string.h>

/* @command: (transfer full) */
static void
refuse (HarkSocketioSocket *socket, HarkCommand *command, const GError *error)
{
  hark_session_refuse_command (socket->session, command, error);
}

/* @command: (transfer full) */
static void
take (HarkSocketioSocket *socket, HarkCommand *command, HarkJsonSlice name, const HarkJsonObject *args)
{
  hark_session_take_command (socket->session, command, name.data, name.len, args);
}

/* An event's data is one object, or none. */
static gboolean
read_args (const HarkSocketioPacket *packet, HarkJsonObject *args, GError **error)
{
  if (packet->n_args == 0)
    return hark_json_object_parse (args, "{}", 2, error);
  if (packet->n_args == 1 && packet->args.data[0] == '{')
    return hark_json_object_parse (args, packet->args.data, packet->args.len, error);
  g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "an event's data is one object");
  return FALSE;
}

/* @command: (transfer full). Members that the native protocol has taken travel under other names. */
static void
take_forward (HarkSocketioSocket *socket, HarkCommand *command, HarkJsonSlice name, const HarkJsonObject *args)
{
  g_autoptr (GString) escaped = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  HarkJsonObject again;
  hark_socketio_forward_escape (escaped, args);
  if (hark_json_object_parse (&again, escaped->str, escaped->len, &error))
    take (socket, command, name, &again);
  else
    refuse (socket, command, error);
}

/* @command: (transfer full) */
static void
take_request (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  g_autoptr (GError) error = NULL;
  HarkJsonObject args;
  if (!read_args (packet, &args, &error))
    refuse (socket, command, error);
  else if (hark_json_slice_equal (packet->name, "forward"))
    take_forward (socket, command, packet->name, &args);
  else
    take (socket, command, packet->name, &args);
}

/* @command: (transfer full). @names: those of the native protocol's requests that the namespace lets through */
static void
take_one_of (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet,
             const char *const *names)
{
  g_autoptr (GError) error = NULL;
  for (; *names != NULL; names++)
    if (hark_json_slice_equal (packet->name, *names))
      {
        take_request (socket, command, packet);
        return;
      }
  g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no such event in %s", socket->nsp->name);
  refuse (socket, command, error);
}

static void
forward_take_event (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  static const char *const names[] = { "forward", NULL };
  take_one_of (socket, command, packet, names);
}

static void
notifications_take_event (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  static const char *const names[] = { "get_notifications", "ack_notification", NULL };
  take_one_of (socket, command, packet, names);
}

static void
chat_take_event (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  static const HarkJsonSlice name = { HARK_SOCKETIO_COMMAND_MESSAGE, G_N_ELEMENTS (HARK_SOCKETIO_COMMAND_MESSAGE) - 1 };
  g_autoptr (GError) error = NULL;
  HarkJsonObject args;
  if (!hark_json_slice_equal (packet->name, "message"))
    {
      g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no such event in %s", socket->nsp->name);
      refuse (socket, command, error);
      return;
    }
  if (!read_args (packet, &args, &error))
    {
      refuse (socket, command, error);
      return;
    }
  ((HarkSocketioTag *)command->tag)->args
    = g_strndup (packet->n_args > 0 ? packet->args.data : "{}", packet->n_args > 0 ? packet->args.len : 2);
  take (socket, command, name, &args);
}

void
hark_socketio_take_as (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet,
                       const char *request)
{
  HarkJsonSlice slice = { request, strlen (request) };
  HarkSocketioTag *tag = command->tag;
  g_autofree char *name = hark_json_string_dup_c (packet->name);
  g_autoptr (GError) error = NULL;
  HarkJsonObject none;
  if (name == NULL)
    {
      g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "an event's name has no U+0000");
      refuse (socket, command, error);
      return;
    }
  tag->sid = g_strdup (socket->sid);
  tag->name = g_steal_pointer (&name);
  tag->args = packet->args.data != NULL ? g_strndup (packet->args.data, packet->args.len) : g_strdup ("");
  hark_json_object_parse (&none, "{}", 2, NULL);
  take (socket, command, slice, &none);
}

/* Data is whatever the back end and its clients agree on. */
static void
back_end_take_event (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet)
{
  hark_socketio_take_as (socket, command, packet, HARK_SOCKETIO_COMMAND_EVENT);
}

const HarkSocketioKind hark_socketio_kind_root = { .scope = HARK_SOCKETIO_SCOPE_ROOT, .take_event = take_request };
const HarkSocketioKind hark_socketio_kind_forward
  = { .scope = HARK_SOCKETIO_SCOPE_FORWARD, .take_event = forward_take_event };
const HarkSocketioKind hark_socketio_kind_notifications
  = { .scope = HARK_SOCKETIO_SCOPE_NOTIFICATIONS, .take_event = notifications_take_event };
const HarkSocketioKind hark_socketio_kind_chat = { .is_logged = TRUE, .take_event = chat_take_event };
const HarkSocketioKind hark_socketio_kind_back_end = { .is_logged = TRUE, .take_event = back_end_take_event };
