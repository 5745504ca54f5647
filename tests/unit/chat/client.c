/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client as tests speak as it: asks and gets the reply, while everything else waits in order. */
#include "client.h"

#include "chat-fixture.h"
#include "fake-transport.h"

Client *
client_new (gpointer fixture, HarkHub *hub, HarkProtocol *protocol, HarkIdentity *identity)
{
  Client *self = g_new0 (Client, 1);
  g_autoptr (HarkSession) session = NULL;
  self->fixture = fixture;
  self->transport = g_object_ref (fake_transport_new ());
  self->user_id = identity != NULL ? identity->user_id : 0;
  g_queue_init (&self->unread);
  session = hark_session_new (hub, HARK_TRANSPORT (self->transport), protocol, &fake_wire, identity);
  hark_session_open (session);
  self->session_id = session->id;
  return self;
}

void
client_free (Client *self)
{
  g_queue_clear_full (&self->unread, (GDestroyNotify)json_object_unref);
  g_clear_object (&self->transport);
  g_free (self->resume);
  g_free (self);
}

/* Takes what has come. */
static void
receive (Client *self)
{
  char *line;
  while ((line = fake_transport_pop (self->transport)) != NULL)
    {
      g_autofree char *owned = line;
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonParser) parser = json_parser_new ();
      json_parser_load_from_data (parser, owned, -1, &error);
      g_assert_no_error (error);
      g_queue_push_tail (&self->unread, json_object_ref (json_node_get_object (json_parser_get_root (parser))));
    }
}

static void
say (Client *self, const char *text)
{
  HarkSession *session = hark_hub_get_session (((ChatFixture *)self->fixture)->hub, self->session_id);
  g_assert_nonnull (session);
  fake_transport_say (self->transport, text);
}

void
client_say (Client *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  say (self, text);
}

static JsonObject *
find (Client *self, const char *member, const char *text, gint64 number)
{
  receive (self);
  for (GList *link = self->unread.head; link != NULL; link = link->next)
    {
      JsonObject *object = link->data;
      gboolean found = json_object_has_member (object, member)
                       && (text != NULL ? g_strcmp0 (json_object_get_string_member (object, member), text) == 0
                                        : json_object_get_int_member (object, member) == number);
      if (found)
        {
          g_queue_delete_link (&self->unread, link);
          return object;
        }
    }
  return NULL;
}

static JsonObject *
ask (Client *self, const char *type, const char *members)
{
  guint ref = ++self->next_ref;
  g_autofree char *text
    = g_strdup_printf ("{\"type\":\"%s\",\"ref\":%u%s%s}", type, ref, *members != '\0' ? "," : "", members);
  JsonObject *reply;
  say (self, text);
  chat_fixture_settle (self->fixture);
  reply = find (self, "ref", NULL, ref);
  if (reply == NULL)
    g_error ("no reply to %s", text);
  return reply;
}

JsonObject *
client_ask (Client *self, const char *type, const char *format, ...)
{
  g_autofree char *members = NULL;
  JsonObject *reply;
  va_list args;
  va_start (args, format);
  members = g_strdup_vprintf (format, args);
  va_end (args);
  reply = ask (self, type, members);
  if (g_strcmp0 (json_object_get_string_member (reply, "type"), type) != 0)
    g_error ("%s {%s}: %s", type, members, json_object_get_string_member (reply, "message"));
  return reply;
}

/* @field: (nullable): what the message must name */
void
client_refused (Client *self, HarkError code, const char *field, const char *type, const char *format, ...)
{
  g_autofree char *members = NULL;
  g_autofree char *name = NULL;
  g_autoptr (JsonObject) reply = NULL;
  va_list args;
  va_start (args, format);
  members = g_strdup_vprintf (format, args);
  va_end (args);
  reply = ask (self, type, members);
  g_assert_cmpstr (json_object_get_string_member (reply, "type"), ==, "error");
  g_assert_cmpstr (json_object_get_string_member (reply, "code"), ==, hark_error_get_wire_name (code));
  if (field == NULL)
    return;
  name = g_strdup_printf ("\"%s\"", field);
  if (strstr (json_object_get_string_member (reply, "message"), name) == NULL)
    g_error ("%s {%s}: the error does not name %s: %s", type, members, name,
             json_object_get_string_member (reply, "message"));
}

JsonObject *
client_pop (Client *self)
{
  receive (self);
  return g_queue_pop_head (&self->unread);
}

JsonObject *
client_pop_type (Client *self, const char *type)
{
  JsonObject *object = find (self, "type", type, 0);
  if (object == NULL)
    g_error ("no %s came", type);
  return object;
}

void
client_assert_silent (Client *self)
{
  g_autoptr (JsonObject) object = client_pop (self);
  g_autofree char *text = object != NULL ? json_text (object) : NULL;
  g_assert_cmpstr (text, ==, NULL);
}

guint
client_get_close_code (Client *self)
{
  return fake_transport_get_close_code (self->transport);
}

void
client_hang_up (Client *self)
{
  fake_transport_hang_up (self->transport, HARK_CLOSE_ABNORMAL);
}

gint64
json_id (JsonObject *object, const char *member)
{
  return g_ascii_strtoll (json_object_get_string_member (object, member), NULL, 10);
}

char *
json_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}
