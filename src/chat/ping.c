/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is somebody there, how long does an answer take, and what time does the server think it is? A page in a browser
 * neither sends WebSocket's pings nor sees them, so the protocol has one of its own.
 */
#include "chat/ping.h"

struct _HarkPing
{
  HarkHub *hub; /* unowned */
};

static void
on_ping (HarkCommand *command, gpointer concern)
{
  HarkPing *self = concern;
  const HarkJsonValue *data = hark_json_object_get (command->args, "data");
  HarkJsonWriter *writer = hark_command_begin_reply (command);
  if (data != NULL)
    hark_json_writer_member_raw (writer, "data", data->raw.data, data->raw.len);
  hark_json_writer_member_time (writer, "time", hark_clock_get_real_ms (hark_hub_get_clock (self->hub)));
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "ping", HARK_COMMAND_ANONYMOUS, NULL, on_ping },
};

HarkPing *
hark_ping_new (HarkHub *hub)
{
  HarkPing *self = g_new0 (HarkPing, 1);
  self->hub = hub;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_ping_free (HarkPing *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
