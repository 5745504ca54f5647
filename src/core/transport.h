/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/outbox.h"
#include "core/transport-mark.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_TRANSPORT (hark_transport_get_type ())
/* Spelled out, because the fields are public: the hub's fan-out reads them for each receiver. */
typedef struct _HarkTransport HarkTransport;
typedef struct _HarkTransportClass HarkTransportClass;
#define HARK_TRANSPORT(o) (G_TYPE_CHECK_INSTANCE_CAST ((o), HARK_TYPE_TRANSPORT, HarkTransport))
#define HARK_TRANSPORT_CLASS(c) (G_TYPE_CHECK_CLASS_CAST ((c), HARK_TYPE_TRANSPORT, HarkTransportClass))
#define HARK_TRANSPORT_GET_CLASS(o) ((HarkTransportClass *)((GTypeInstance *)(o))->g_class)
GType hark_transport_get_type (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkTransport, g_object_unref)

/**
 * HarkTransportSink:
 * @message: one whole message arrived; @data is valid during the call only (and may not be 0-terminated)
 * @writable: the outbox has run empty after a write that could not finish
 * @closed: the transport has ended, once, as the last call; @code is %HARK_CLOSE_ABNORMAL when the peer said none
 *
 * Who listens to a transport: a session, or the bare server of the benchmarks. Plain calls, not signals: each message
 * passes here. Any of them may close the transport; the transport holds a reference to itself during a call.
 */
typedef struct
{
  void (*message) (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary);
  void (*writable) (gpointer sink, HarkTransport *transport); /* (nullable) */
  void (*closed) (gpointer sink, HarkTransport *transport, guint code, const char *reason);
} HarkTransportSink;

/**
 * HarkTransport:
 *
 * A connection that carries messages both ways, whatever it is made of: WebSocket, long polling, a D-Bus peer. What is
 * to be sent lies in @outbox as whole wire units, which the transport's implementation writes at the turn's end.
 *
 * Contract of an implementation: it calls hark_transport_emit_closed () exactly once, however it ends; after that it
 * calls nothing. wake () only notes that there is something to write. It owns a reference to itself until it has closed.
 */
struct _HarkTransport
{
  GObject parent_instance;
  HarkOutbox outbox;
  const HarkTransportSink *sink; /* (nullable) */
  gpointer sink_data;            /* unowned: whoever sets it clears it */
  HarkTransportMark *mark;       /* (nullable) unowned: whoever sets it keeps it until the transport has closed */
  guint32 max_outbox;            /* bytes */
  guint awake : 1;               /* wake () was called and the outbox not yet looked at: owned by the implementation */
  guint closing : 1;             /* close () was called or the peer began to: nothing more is queued */
  guint closed : 1;              /* emit_closed () was called */
  guint owes : 1;                /* what its client has asked for is not answered */
  guint given_up : 1;            /* too slow, and about to be closed: nothing more is queued, lest there be a gap */
};

struct _HarkTransportClass
{
  GObjectClass parent_class;

  const char *name;                              /* "websocket", "bus" */
  const char *(*get_name) (HarkTransport *self); /* (nullable): where it changes */
  void (*wake) (HarkTransport *self);
  void (*close) (HarkTransport *self, guint code, const char *reason);
  void (*set_reading) (HarkTransport *self, gboolean reading);
  char *(*dup_address) (HarkTransport *self);
};

void hark_transport_set_sink (HarkTransport *self, const HarkTransportSink *sink, gpointer data);
gboolean hark_transport_send (HarkTransport *self, HarkBuffer *units);
void hark_transport_close (HarkTransport *self, guint code, const char *reason);
void hark_transport_set_reading (HarkTransport *self, gboolean reading);
char *hark_transport_dup_address (HarkTransport *self);
const char *hark_transport_get_name (HarkTransport *self);

/* For implementations. */
void hark_transport_emit_message (HarkTransport *self, const guint8 *data, gsize len, gboolean binary);
void hark_transport_emit_writable (HarkTransport *self);
void hark_transport_emit_closed (HarkTransport *self, guint code, const char *reason);

G_END_DECLS
