/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program on the bus as the far end of a session: what it asks comes in as messages, events go out as signals to it
 * alone, and replies as those of the calls that asked. All of it lies in the outbox in its order. The bus takes what it
 * is given without a bound, so after a window of signals it is asked something, and until it has answered nothing more
 * goes out: a bus that is slow, or a program that does not read, fills the outbox, like any slow reader.
 */
#include "bus/peer-transport.h"

#include "base/error.h"
#include "base/json-object.h"
#include "core/hub.h"

#include <string.h>

#define INTERFACE "org.hark.Peer1"
#define EVENT_MARK 'E'
#define REPLY_MARK 'R'

struct _HarkBusPeerTransport
{
  HarkTransport parent_instance;
  GDBusConnection *connection; /* (owned) */
  char *path;                  /* (owned) */
  char *name;                  /* (owned): unique */
  GHashTable *calls;           /* ref → GDBusMethodInvocation (owned): not yet answered */
  guint next_ref;
  guint window;
  guint sent;         /* signals since the bus was asked */
  gboolean is_asking; /* the bus has not answered */
  gboolean paused;    /* set_reading (FALSE) */
  gboolean has_left;  /* nobody is there to be told */
  guint flush_id;
};

G_DEFINE_FINAL_TYPE (HarkBusPeerTransport, hark_bus_peer_transport, HARK_TYPE_TRANSPORT)

/* The wire. */

static void
append (HarkBuilder *out, char mark, const char *json, gsize len)
{
  guint8 *at = hark_builder_append_uninitialized (out, len + 2);
  at[0] = mark;
  memcpy (at + 1, json, len);
  at[len + 1] = '\0';
}

static void
append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  append (out, EVENT_MARK, event->json, event->len);
}

static void
append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  append (out, REPLY_MARK, json, len);
}

const HarkWire hark_bus_peer_wire = { HARK_BUS_PEER_WIRE_INDEX, "native, on the bus", append_event, append_reply };

/* Out. */

static void flush (HarkBusPeerTransport *self);

static void
send_signal (HarkBusPeerTransport *self, const char *signal, GVariant *parameters)
{
  self->sent++;
  g_dbus_connection_emit_signal (self->connection, self->name, self->path, INTERFACE, signal, parameters, NULL);
}

static void
on_bus_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkBusPeerTransport) self = data;
  GVariant *reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_clear_pointer (&reply, g_variant_unref);
  /* An error is an answer too: the connection has ended. */
  self->is_asking = FALSE;
  self->sent = 0;
  flush (self);
}

static void
ask_bus (HarkBusPeerTransport *self)
{
  if (self->is_asking || self->sent < self->window / 2)
    return;
  self->is_asking = TRUE;
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetId", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_bus_answer, g_object_ref (self));
}

static HarkError
find_code (const char *wire_name)
{
  for (guint code = 0; code < HARK_N_ERRORS; code++)
    if (g_strcmp0 (hark_error_get_wire_name (code), wire_name) == 0)
      return code;
  return HARK_ERROR_INTERNAL;
}

static void
return_error (GDBusMethodInvocation *invocation, const HarkJsonObject *reply)
{
  g_autofree char *code = NULL;
  g_autofree char *message = NULL;
  hark_json_object_get_string (reply, "code", HARK_FIELD_OPTIONAL, 64, &code, NULL);
  hark_json_object_get_string (reply, "message", HARK_FIELD_OPTIONAL, 4096, &message, NULL);
  g_dbus_method_invocation_return_error_literal (invocation, HARK_ERROR, find_code (code),
                                                 message != NULL ? message : "");
}

/* The ref is ours, and stands behind the type. */
static char *
strip_ref (const char *json, guint ref)
{
  g_autofree char *member = g_strdup_printf (",\"ref\":%u", ref);
  const char *at = strstr (json, member);
  if (at == NULL)
    return g_strdup (json);
  return g_strdup_printf ("%.*s%s", (int)(at - json), json, at + strlen (member));
}

/* What has no ref answers no call: it is told like an event. */
static void
give_reply (HarkBusPeerTransport *self, const char *json)
{
  g_autoptr (GError) error = NULL;
  GDBusMethodInvocation *invocation = NULL;
  HarkJsonObject reply;
  gint64 ref = 0;
  g_autofree char *type = NULL;
  g_autofree char *text = NULL;
  if (!hark_json_object_parse (&reply, json, strlen (json), &error)
      || !hark_json_object_get_int (&reply, "ref", HARK_FIELD_OPTIONAL, 1, G_MAXUINT, &ref, NULL)
      || !g_hash_table_steal_extended (self->calls, GUINT_TO_POINTER (ref), NULL, (gpointer *)&invocation))
    {
      send_signal (self, "Event", g_variant_new ("(s)", json));
      return;
    }
  hark_json_object_get_string (&reply, "type", HARK_FIELD_OPTIONAL, 64, &type, NULL);
  if (g_strcmp0 (type, "error") == 0)
    {
      return_error (invocation, &reply);
      return;
    }
  text = strip_ref (json, ref);
  if (g_str_equal (g_dbus_method_invocation_get_method_name (invocation), "Subscribe"))
    {
      gint64 seq = 0;
      hark_json_object_get_int (&reply, "seq", HARK_FIELD_OPTIONAL, 0, G_MAXINT64, &seq, NULL);
      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(x)", seq));
    }
  else if (g_str_equal (g_dbus_method_invocation_get_method_name (invocation), "Unsubscribe"))
    {
      g_dbus_method_invocation_return_value (invocation, NULL);
    }
  else
    {
      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", text));
    }
}

/* One buffer holds whole units. */
static void
give_units (HarkBusPeerTransport *self, const char *data, gsize len)
{
  const char *end = data + len;
  while (data < end)
    {
      gsize unit = strlen (data);
      if (*data == REPLY_MARK)
        give_reply (self, data + 1);
      else
        send_signal (self, "Event", g_variant_new ("(s)", data + 1));
      data += unit + 1;
    }
}

static void
flush (HarkBusPeerTransport *self)
{
  HarkOutbox *outbox = &self->parent_instance.outbox;
  struct iovec iov;
  if (self->has_left || self->parent_instance.closed)
    return;
  while (self->sent < self->window && hark_outbox_peek (outbox, &iov, 1) > 0)
    {
      g_autoptr (HarkBuffer) buffer = hark_buffer_ref (hark_outbox_get_first (outbox));
      hark_outbox_consume (outbox, iov.iov_len);
      give_units (self, (const char *)buffer->data, buffer->len);
    }
  ask_bus (self);
}

static gboolean
on_flush (gpointer data)
{
  g_autoptr (HarkBusPeerTransport) self = g_object_ref (data);
  self->flush_id = 0;
  self->parent_instance.awake = FALSE;
  flush (self);
  return G_SOURCE_REMOVE;
}

/* The transport. */

static void
hark_bus_peer_transport_wake (HarkTransport *transport)
{
  HarkBusPeerTransport *self = HARK_BUS_PEER_TRANSPORT (transport);
  transport->awake = TRUE;
  if (self->flush_id == 0)
    self->flush_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_flush, self, NULL);
}

static void
drop_calls (HarkBusPeerTransport *self)
{
  GHashTableIter iter;
  gpointer invocation;
  g_hash_table_iter_init (&iter, self->calls);
  while (g_hash_table_iter_next (&iter, NULL, &invocation))
    {
      g_hash_table_iter_steal (&iter);
      g_dbus_method_invocation_return_error_literal (invocation, HARK_ERROR, HARK_ERROR_OFFLINE,
                                                     "the session has ended");
    }
}

/* The end, reported once: there is no closing handshake. */
static void
end (HarkBusPeerTransport *self, guint code, const char *reason)
{
  g_autoptr (HarkBusPeerTransport) hold G_GNUC_UNUSED = g_object_ref (self);
  g_clear_handle_id (&self->flush_id, g_source_remove);
  drop_calls (self);
  hark_outbox_clear (&self->parent_instance.outbox);
  hark_transport_emit_closed (&self->parent_instance, code, reason != NULL ? reason : "");
  g_object_unref (self);
}

static gboolean
on_closing (gpointer data)
{
  g_autoptr (HarkBusPeerTransport) self = data;
  if (!self->parent_instance.closed)
    end (self, HARK_CLOSE_NORMAL, NULL);
  return G_SOURCE_REMOVE;
}

/* What was queued before goes first, as far as the window lets it. */
static void
hark_bus_peer_transport_close (HarkTransport *transport, guint code, const char *reason)
{
  HarkBusPeerTransport *self = HARK_BUS_PEER_TRANSPORT (transport);
  flush (self);
  if (!self->has_left)
    {
      g_autofree char *text = g_utf8_make_valid (reason != NULL ? reason : "", -1);
      send_signal (self, "Closed", g_variant_new ("(us)", code, text));
    }
  g_idle_add (on_closing, g_object_ref (self));
}

static void
hark_bus_peer_transport_set_reading (HarkTransport *transport, gboolean reading)
{
  HARK_BUS_PEER_TRANSPORT (transport)->paused = !reading;
}

static char *
hark_bus_peer_transport_dup_address (HarkTransport *transport)
{
  return g_strdup (HARK_BUS_PEER_TRANSPORT (transport)->name);
}

static void
hark_bus_peer_transport_finalize (GObject *object)
{
  HarkBusPeerTransport *self = HARK_BUS_PEER_TRANSPORT (object);
  g_assert (g_hash_table_size (self->calls) == 0);
  g_hash_table_unref (self->calls);
  g_object_unref (self->connection);
  g_free (self->path);
  g_free (self->name);
  G_OBJECT_CLASS (hark_bus_peer_transport_parent_class)->finalize (object);
}

static void
hark_bus_peer_transport_class_init (HarkBusPeerTransportClass *klass)
{
  HarkTransportClass *transport_class = HARK_TRANSPORT_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = hark_bus_peer_transport_finalize;
  transport_class->name = "bus";
  transport_class->wake = hark_bus_peer_transport_wake;
  transport_class->close = hark_bus_peer_transport_close;
  transport_class->set_reading = hark_bus_peer_transport_set_reading;
  transport_class->dup_address = hark_bus_peer_transport_dup_address;
}

static void
hark_bus_peer_transport_init (HarkBusPeerTransport *self)
{
  self->calls = g_hash_table_new (NULL, NULL);
}

/**
 * hark_bus_peer_transport_new:
 * @name: unique: whom it leads to
 * @window: signals before the bus has said that it took them
 *
 * Returns: (transfer none): it keeps itself until it has closed
 */
HarkBusPeerTransport *
hark_bus_peer_transport_new (GDBusConnection *connection, const char *path, const char *name, guint window,
                             guint max_outbox)
{
  HarkBusPeerTransport *self = g_object_new (HARK_TYPE_BUS_PEER_TRANSPORT, NULL);
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->name = g_strdup (name);
  self->window = MAX (window, 2);
  self->parent_instance.max_outbox = max_outbox;
  return self;
}

/* Puts our ref into the object. Returns: (transfer full) (nullable) */
static char *
add_ref (const char *json, guint ref, GError **error)
{
  HarkJsonObject request;
  const char *open;
  if (!hark_json_object_parse (&request, json, strlen (json), error))
    return NULL;
  if (hark_json_object_get (&request, "ref") != NULL)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST, "\"ref\": the call itself is answered");
      return NULL;
    }
  open = strchr (json, '{');
  return g_strdup_printf ("{\"ref\":%u%s%s", ref, hark_json_object_get_n_members (&request) > 0 ? "," : "", open + 1);
}

/**
 * hark_bus_peer_transport_request:
 * @json: a request without `ref`
 * @invocation: (transfer full): is answered when the request is
 */
void
hark_bus_peer_transport_request (HarkBusPeerTransport *self, const char *json, GDBusMethodInvocation *invocation)
{
  g_autoptr (HarkBusPeerTransport) hold G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;
  guint ref = self->next_ref == G_MAXINT ? 1 : self->next_ref + 1;
  if (self->paused)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_OVERLOADED, "too many requests of this session are under way");
  else if (strlen (json) > self->parent_instance.max_outbox)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "the request is too large");
  else
    message = add_ref (json, ref, &error);
  if (message == NULL)
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return;
    }
  self->next_ref = ref;
  g_hash_table_insert (self->calls, GUINT_TO_POINTER (ref), invocation);
  hark_transport_emit_message (&self->parent_instance, (const guint8 *)message, strlen (message), FALSE);
}

/* The program has left the bus, or wants no more: the session ends without a word. */
void
hark_bus_peer_transport_hang_up (HarkBusPeerTransport *self)
{
  self->has_left = TRUE;
  if (!self->parent_instance.closed)
    end (self, HARK_CLOSE_GOING_AWAY, NULL);
}
