/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client says to the application rather than to others: an object without `type` and with `message`. Whoever
 * watches on D-Bus is told at once; a back end with a webhook is told from a queue, and then the client's message is
 * acknowledged when it is there.
 */
#include "chat/client-messages.h"

#include "chat/request.h"

struct _HarkClientMessages
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkDeliveries *deliveries;
  HarkCounter *n_messages;
};

typedef struct
{
  HarkRequest parent;
  HarkJsonWriter json;
} ClientMessage;

static void
client_message_clear (gpointer data)
{
  hark_json_writer_clear (&((ClientMessage *)data)->json);
}

static gboolean
is_envelope (const HarkJsonValue *member)
{
  return hark_json_slice_equal (member->name, "type") || hark_json_slice_equal (member->name, "ref");
}

/* What the client wrote, without what was for us. */
static void
write_content (const HarkJsonObject *args, HarkJsonWriter *json)
{
  hark_json_writer_begin_object (json);
  for (guint i = 0; i < hark_json_object_get_n_members (args); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (args, i);
      if (!is_envelope (member))
        hark_json_writer_forward (json, member->name, member->raw);
    }
  hark_json_writer_end_object (json);
}

static void
write_data (const HarkCommand *command, const char *content, gsize len, HarkJsonWriter *json)
{
  hark_json_writer_begin_object (json);
  hark_json_writer_member_id (json, "session_id", command->session != NULL ? command->session->id : 0);
  hark_json_writer_member_id (json, "user_id", hark_command_get_user_id (command));
  hark_json_writer_member_string (json, "username", command->actor->username);
  hark_json_writer_member_raw (json, "content", content, len);
  hark_json_writer_end_object (json);
}

/* Who gave no ref does not expect to hear anything. */
static void
reply (HarkCommand *command)
{
  if (command->ref != NULL || command->session == NULL)
    hark_command_reply_empty (command);
  else
    hark_command_end_silently (command);
}

static gboolean
queue_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  ClientMessage *self = data;
  HarkClientMessages *messages = self->parent.concern;
  gsize len;
  const char *json = hark_json_writer_peek (&self->json, &len);
  return hark_delivery_queue (messages->deliveries, tx, "client_message", json, len, error);
}

static void
on_queued (gpointer data, const GError *error, gpointer user_data)
{
  ClientMessage *self = data;
  HarkClientMessages *messages = self->parent.concern;
  if (error != NULL)
    {
      hark_command_fail (self->parent.command, error);
      return;
    }
  hark_deliveries_wake (messages->deliveries);
  reply (self->parent.command);
}

static void
on_client_message (HarkCommand *command, gpointer concern)
{
  HarkClientMessages *messages = concern;
  g_auto (HarkJsonWriter) content = { 0 };
  ClientMessage *self;
  HarkJsonSlice message;
  GError *error = NULL;
  gsize len;
  const char *text;
  if (!hark_json_object_get_raw (command->args, "message", HARK_FIELD_REQUIRED, &message, &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  hark_counter_add (messages->n_messages, 1);
  hark_json_writer_init (&content, 0);
  write_content (command->args, &content);
  text = hark_json_writer_peek (&content, &len);
  if (command->session != NULL)
    hark_hub_tell_client_message (messages->hub, command->session, text);
  if (!hark_deliveries_wanted (messages->deliveries))
    {
      reply (command);
      hark_command_unref (command);
      return;
    }
  self = hark_request_new (sizeof *self, command, concern, client_message_clear);
  hark_json_writer_init (&self->json, 0);
  write_data (command, text, len, &self->json);
  hark_store_write (messages->store, queue_in_thread, self, hark_request_free, on_queued, NULL);
}

static const HarkCommandSpec specs[] = {
  { "client_message", HARK_COMMAND_NONE, "client_messages", on_client_message },
};

HarkClientMessages *
hark_client_messages_new (HarkHub *hub, HarkStore *store, HarkDeliveries *deliveries, HarkMetrics *metrics)
{
  HarkClientMessages *self = g_new0 (HarkClientMessages, 1);
  self->hub = hub;
  self->store = store;
  self->deliveries = deliveries;
  self->n_messages
    = hark_metrics_counter (metrics, "hark_client_messages_total", "Messages of clients to the application.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_client_messages_free (HarkClientMessages *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
