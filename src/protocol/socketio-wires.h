/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/wire.h"
#include "protocol/socketio-codec.h"

G_BEGIN_DECLS

/**
 * HarkSocketioFraming:
 *
 * How messages stand in the transport's units: each function appends the unit of one message of @len bytes and returns
 * where these are to be written, before anything else is appended. Protocols and transports do not know each other.
 */
typedef struct
{
  guint8 *(*append_text) (HarkBuilder *out, gsize len);
  guint8 *(*append_binary) (HarkBuilder *out, gsize len);
} HarkSocketioFraming;

/* What of the hub's own events a connection is to be sent: by the namespaces it has connected to. */
typedef enum
{
  HARK_SOCKETIO_SCOPE_NONE = 0,
  HARK_SOCKETIO_SCOPE_ROOT = 1 << 0,         /* "/": all of them */
  HARK_SOCKETIO_SCOPE_FORWARD = 1 << 1,      /* "/forward" */
  HARK_SOCKETIO_SCOPE_NOTIFICATIONS = 1 << 2 /* "/notifications" */
} HarkSocketioScope;

/* There is one wire for each set of scopes: sessions that are sent the same share the bytes. */
#define HARK_SOCKETIO_N_WIRES 8

/* The kinds of events that are packets of a namespace: for all who are connected to it, or for some. */
#define HARK_SOCKETIO_KIND_ALL "socketio"
#define HARK_SOCKETIO_KIND_SOME "socketio_to"

/**
 * HarkSocketioTag:
 * @nsp: unowned: the namespace's
 * @id: of the acknowledgement that is wanted
 * @sid: (owned) (nullable): of the socket that sent an event which is no request, as the two that follow
 * @name: the event's name
 * @args: the event's arguments, JSON values with commas between
 * @is_array: the answer is all the acknowledgement's arguments, not one of them
 *
 * A command's tag: what its reply needs to find its way back.
 */
typedef struct
{
  const char *nsp;
  gint64 id;
  char *sid;
  char *name;
  char *args;
  gboolean is_array;
} HarkSocketioTag;

HarkSocketioTag *hark_socketio_tag_new (const char *nsp, gint64 id);
void hark_socketio_tag_free (gpointer tag);

typedef struct _HarkSocketioWires HarkSocketioWires;

/* @event: the hub's welcome to a session: it goes to "/", which may not be connected yet. */
typedef void (*HarkSocketioWelcomeFunc) (const HarkEvent *event, gpointer data);

HarkSocketioWires *hark_socketio_wires_new (guint first_index, const HarkSocketioFraming *framing);
void hark_socketio_wires_free (HarkSocketioWires *self);
const HarkWire *hark_socketio_wires_get (HarkSocketioWires *self, HarkSocketioScope scopes);
void hark_socketio_wires_set_welcome (HarkSocketioWires *self, HarkSocketioWelcomeFunc func, gpointer data);

void hark_socketio_wires_append_packet (HarkSocketioWires *self, HarkBuilder *out, HarkSocketioType type,
                                        const char *nsp, gint64 id, const char *payload, gsize len);
void hark_socketio_wires_append_event (HarkSocketioWires *self, HarkBuilder *out, const HarkEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSocketioWires, hark_socketio_wires_free)

G_END_DECLS
