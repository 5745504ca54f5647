/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client without a network, for tests of what is above transports. */
#include "fake-transport.h"

#include "base/error.h"

struct _FakeTransport
{
  HarkTransport parent_instance;
  guint close_code;
  gboolean reading;
};

G_DEFINE_FINAL_TYPE (FakeTransport, fake_transport, HARK_TYPE_TRANSPORT)

static void
fake_wake (HarkTransport *transport)
{
}

static void
fake_close (HarkTransport *transport, guint code, const char *reason)
{
  FAKE_TRANSPORT (transport)->close_code = code;
}

static void
fake_set_reading (HarkTransport *transport, gboolean reading)
{
  FAKE_TRANSPORT (transport)->reading = reading;
}

static char *
fake_dup_address (HarkTransport *transport)
{
  return g_strdup ("fake:1");
}

static void
fake_transport_class_init (FakeTransportClass *klass)
{
  HarkTransportClass *transport_class = (HarkTransportClass *)klass;
  transport_class->name = "fake";
  transport_class->wake = fake_wake;
  transport_class->close = fake_close;
  transport_class->set_reading = fake_set_reading;
  transport_class->dup_address = fake_dup_address;
}

static void
fake_transport_init (FakeTransport *self)
{
  self->reading = TRUE;
}

FakeTransport *
fake_transport_new (void)
{
  return g_object_new (FAKE_TYPE_TRANSPORT, NULL);
}

void
fake_transport_say (FakeTransport *self, const char *text)
{
  hark_transport_emit_message (HARK_TRANSPORT (self), (const guint8 *)text, strlen (text), FALSE);
}

void
fake_transport_hang_up (FakeTransport *self, guint code)
{
  hark_transport_emit_closed (HARK_TRANSPORT (self), code, NULL);
}

/* Returns: (transfer full) (nullable): the next line the client reads, %NULL when nothing waits for it */
char *
fake_transport_pop (FakeTransport *self)
{
  HarkOutbox *outbox = &HARK_TRANSPORT (self)->outbox;
  g_autoptr (GString) line = g_string_new (NULL);
  struct iovec iov;
  while (hark_outbox_peek (outbox, &iov, 1) == 1)
    {
      const char *end = memchr (iov.iov_base, '\n', iov.iov_len);
      gsize n = end != NULL ? (gsize)(end - (char *)iov.iov_base) + 1 : iov.iov_len;
      g_string_append_len (line, iov.iov_base, n - (end != NULL ? 1 : 0));
      hark_outbox_consume (outbox, n);
      if (end != NULL)
        return g_string_free (g_steal_pointer (&line), FALSE);
    }
  return NULL;
}

/* How many wire units lie in the outbox. */
guint
fake_transport_get_n_waiting (FakeTransport *self)
{
  return HARK_TRANSPORT (self)->outbox.count;
}

guint
fake_transport_get_close_code (FakeTransport *self)
{
  return self->close_code;
}

gboolean
fake_transport_is_reading (FakeTransport *self)
{
  return self->reading;
}

static void
fake_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  hark_builder_append (out, event->json, event->len);
  hark_builder_append (out, "\n", 1);
}

static void
fake_append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  hark_builder_append (out, json, len);
  hark_builder_append (out, "\n", 1);
}

const HarkWire fake_wire = { 0, "fake", fake_append_event, fake_append_reply };

struct _FakeProtocol
{
  GObject parent_instance;
};

static void
fake_receive (HarkProtocol *protocol, HarkSession *session, const guint8 *data, gsize len, gboolean binary)
{
  const guint8 *space = memchr (data, ' ', len);
  g_autoptr (GError) error = NULL;
  HarkJsonObject args;
  if (space == NULL)
    {
      g_set_error (&error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "not a request");
      hark_session_refuse (session, NULL, 0, error);
      return;
    }
  if (hark_json_object_parse (&args, (const char *)space + 1, len - (space + 1 - data), &error))
    hark_session_command (session, (const char *)data, space - data, "7", 1, &args);
  else
    hark_session_refuse (session, NULL, 0, error);
}

static void
protocol_iface_init (HarkProtocolInterface *iface)
{
  iface->name = "fake";
  iface->receive = fake_receive;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeProtocol, fake_protocol, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_PROTOCOL, protocol_iface_init))

static void
fake_protocol_class_init (FakeProtocolClass *klass)
{
}

static void
fake_protocol_init (FakeProtocol *self)
{
}

HarkProtocol *
fake_protocol_new (void)
{
  return g_object_new (FAKE_TYPE_PROTOCOL, NULL);
}
