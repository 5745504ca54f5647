/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Socket.IO on the wire: the hub's events as packets, whole units of the transport, encoded once for all sessions that
 * are connected to the same namespaces. A session changes its wire when it connects to one of those in which the hub's
 * own events are told; the others have topics of their own.
 */
#include "protocol/socketio-wires.h"

#include "core/session.h"
#include "protocol/socketio-forward.h"

#include <string.h>

typedef struct
{
  HarkWire wire;
  HarkSocketioWires *owner;
  HarkSocketioScope scopes;
} ScopedWire;

struct _HarkSocketioWires
{
  ScopedWire wires[HARK_SOCKETIO_N_WIRES];
  HarkSocketioFraming framing;
  HarkSocketioWelcomeFunc welcome; /* (nullable) */
  gpointer welcome_data;
  GString *scratch; /* for one packet's payload at a time */
  GString *header;
  const char *kind_forwarded; /* interned, as an event's kind is */
  const char *kind_notification;
  const char *kind_welcome;
  const char *kind_all;
  const char *kind_some;
};

HarkSocketioTag *
hark_socketio_tag_new (const char *nsp, gint64 id)
{
  HarkSocketioTag *self = g_new0 (HarkSocketioTag, 1);
  self->nsp = nsp;
  self->id = id;
  return self;
}

void
hark_socketio_tag_free (gpointer tag)
{
  HarkSocketioTag *self = tag;
  g_free (self->sid);
  g_free (self->name);
  g_free (self->args);
  g_free (self);
}

/* Packets. */

static void
append_attachment (HarkSocketioWires *self, HarkBuilder *out, GBytes *bytes)
{
  gsize len;
  gconstpointer data = g_bytes_get_data (bytes, &len);
  guint8 *to = self->framing.append_binary (out, len);
  if (len > 0)
    memcpy (to, data, len);
}

static HarkSocketioType
get_binary_type (HarkSocketioType type)
{
  return type == HARK_SOCKETIO_EVENT ? HARK_SOCKETIO_BINARY_EVENT : HARK_SOCKETIO_BINARY_ACK;
}

/**
 * hark_socketio_wires_append_packet:
 * @type: not of the binary ones: it becomes that when there is something binary in @payload
 * @id: %HARK_SOCKETIO_NO_ID for none
 * @payload: (array length=len) (nullable): JSON
 *
 * Appends the units of a packet.
 */
void
hark_socketio_wires_append_packet (HarkSocketioWires *self, HarkBuilder *out, HarkSocketioType type, const char *nsp,
                                   gint64 id, const char *payload, gsize len)
{
  g_autoptr (GPtrArray) attachments = NULL;
  g_autoptr (GString) extracted = NULL;
  guint8 *to;
  if ((type == HARK_SOCKETIO_EVENT || type == HARK_SOCKETIO_ACK) && hark_socketio_has_binary (payload, len))
    {
      attachments = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      extracted = g_string_sized_new (len);
      if (hark_socketio_extract (extracted, payload, len, attachments))
        {
          type = get_binary_type (type);
          payload = extracted->str;
          len = extracted->len;
        }
    }
  g_string_truncate (self->header, 0);
  hark_socketio_append_header (self->header, type, attachments != NULL ? attachments->len : 0, nsp, id);
  to = self->framing.append_text (out, self->header->len + len);
  memcpy (to, self->header->str, self->header->len);
  if (len > 0)
    memcpy (to + self->header->len, payload, len);
  for (guint i = 0; attachments != NULL && i < attachments->len; i++)
    append_attachment (self, out, attachments->pdata[i]);
}

static GString *
begin_payload (HarkSocketioWires *self, const char *name)
{
  g_string_truncate (self->scratch, 0);
  g_string_append (self->scratch, "[\"");
  g_string_append (self->scratch, name);
  g_string_append (self->scratch, "\",");
  return self->scratch;
}

static void
end_payload (HarkSocketioWires *self, HarkBuilder *out, const char *nsp)
{
  g_string_append_c (self->scratch, ']');
  hark_socketio_wires_append_packet (self, out, HARK_SOCKETIO_EVENT, nsp, HARK_SOCKETIO_NO_ID, self->scratch->str,
                                     self->scratch->len);
}

static void
append_json_event (HarkSocketioWires *self, HarkBuilder *out, const char *nsp, const char *name, const char *json,
                   gsize len)
{
  g_string_append_len (begin_payload (self, name), json, len);
  end_payload (self, out, nsp);
}

/**
 * hark_socketio_wires_append_event:
 * @event: of one of the kinds %HARK_SOCKETIO_KIND_ALL and %HARK_SOCKETIO_KIND_SOME
 *
 * Appends the packet of a namespace's event. Behind its arguments stands its number on the namespace's topic: what the
 * client gives back as the offset from which it wants to be told what it missed. It takes every string in that place
 * for one, so none is sent without.
 */
void
hark_socketio_wires_append_event (HarkSocketioWires *self, HarkBuilder *out, const HarkEvent *event)
{
  HarkJsonObject object;
  HarkJsonSlice nsp = { NULL, 0 }, packet = { NULL, 0 };
  gint64 offset = event->seq;
  g_autofree char *name = NULL;
  if (!hark_json_object_parse (&object, event->json, event->len, NULL)
      || !hark_json_object_get_text (&object, "namespace", HARK_FIELD_REQUIRED, &nsp, NULL)
      || !hark_json_object_get_raw_array (&object, "packet", HARK_FIELD_REQUIRED, &packet, NULL)
      || !hark_json_object_get_int (&object, "offset", HARK_FIELD_OPTIONAL, -1, G_MAXINT64, &offset, NULL))
    {
      g_warning ("an event of a Socket.IO namespace cannot be read");
      return;
    }
  name = hark_json_string_dup_c (nsp);
  g_string_truncate (self->scratch, 0);
  g_string_append_len (self->scratch, packet.data, packet.len - 1);
  if (offset >= 0)
    g_string_append_printf (self->scratch, ",\"%" G_GINT64_FORMAT "\"", offset);
  end_payload (self, out, name);
}

/* The wire. */

static void
append_native_event (const ScopedWire *self, HarkBuilder *out, const HarkEvent *event)
{
  HarkSocketioWires *owner = self->owner;
  if (event->kind == owner->kind_welcome && owner->welcome != NULL)
    owner->welcome (event, owner->welcome_data);
  if ((self->scopes & HARK_SOCKETIO_SCOPE_ROOT) != 0)
    append_json_event (owner, out, "/", event->kind, event->json, event->len);
  if ((self->scopes & HARK_SOCKETIO_SCOPE_FORWARD) != 0 && event->kind == owner->kind_forwarded)
    {
      hark_socketio_forward_write (begin_payload (owner, event->kind), event->json, event->len);
      end_payload (owner, out, "/forward");
    }
  if ((self->scopes & HARK_SOCKETIO_SCOPE_NOTIFICATIONS) != 0 && event->kind == owner->kind_notification)
    append_json_event (owner, out, "/notifications", event->kind, event->json, event->len);
}

static void
wire_append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  const ScopedWire *self = (const ScopedWire *)wire;
  if (event->kind == self->owner->kind_all)
    hark_socketio_wires_append_event (self->owner, out, event);
  else if (event->kind != self->owner->kind_some)
    append_native_event (self, out, event);
}

/* A request without a tag is one that the hub makes for the client, as when it takes a session up again. */
static void
wire_append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  const ScopedWire *self = (const ScopedWire *)wire;
  const HarkSocketioTag *tag = command->tag;
  GString *scratch = self->owner->scratch;
  if (tag != NULL && tag->id != HARK_SOCKETIO_NO_ID)
    {
      g_string_truncate (scratch, 0);
      g_string_append (scratch, tag->is_array ? "" : "[");
      g_string_append_len (scratch, json, len);
      g_string_append (scratch, tag->is_array ? "" : "]");
      hark_socketio_wires_append_packet (self->owner, out, HARK_SOCKETIO_ACK, tag->nsp, tag->id, scratch->str,
                                         scratch->len);
    }
  else if (command->failed && (tag != NULL || (self->scopes & HARK_SOCKETIO_SCOPE_ROOT) != 0))
    append_json_event (self->owner, out, tag != NULL ? tag->nsp : "/", "error", json, len);
  else if (tag == NULL && command->spec != NULL && (self->scopes & HARK_SOCKETIO_SCOPE_ROOT) != 0)
    append_json_event (self->owner, out, "/", command->spec->name, json, len);
}

/**
 * hark_socketio_wires_new:
 * @first_index: of %HARK_SOCKETIO_N_WIRES wires that follow one another in the hub
 */
HarkSocketioWires *
hark_socketio_wires_new (guint first_index, const HarkSocketioFraming *framing)
{
  HarkSocketioWires *self = g_new0 (HarkSocketioWires, 1);
  g_assert (first_index + HARK_SOCKETIO_N_WIRES <= HARK_MAX_WIRES);
  self->framing = *framing;
  self->scratch = g_string_sized_new (1024);
  self->header = g_string_sized_new (64);
  self->kind_forwarded = g_intern_static_string ("forwarded");
  self->kind_notification = g_intern_static_string ("notification");
  self->kind_welcome = g_intern_static_string ("welcome");
  self->kind_all = g_intern_static_string (HARK_SOCKETIO_KIND_ALL);
  self->kind_some = g_intern_static_string (HARK_SOCKETIO_KIND_SOME);
  for (guint i = 0; i < HARK_SOCKETIO_N_WIRES; i++)
    {
      ScopedWire *wire = &self->wires[i];
      wire->wire = (HarkWire){ first_index + i, "Socket.IO", wire_append_event, wire_append_reply };
      wire->owner = self;
      wire->scopes = i;
    }
  return self;
}

void
hark_socketio_wires_free (HarkSocketioWires *self)
{
  g_string_free (self->scratch, TRUE);
  g_string_free (self->header, TRUE);
  g_free (self);
}

/* Returns: (transfer none): the wire of sessions that are connected to these */
const HarkWire *
hark_socketio_wires_get (HarkSocketioWires *self, HarkSocketioScope scopes)
{
  return &self->wires[scopes].wire;
}

/* Sets who is told of each welcome, before it is written. */
void
hark_socketio_wires_set_welcome (HarkSocketioWires *self, HarkSocketioWelcomeFunc func, gpointer data)
{
  self->welcome = func;
  self->welcome_data = data;
}
