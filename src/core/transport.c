/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port through which messages come and go; see transport.h for the contract. */
#include "core/transport.h"

#include "base/error.h"

G_DEFINE_ABSTRACT_TYPE (HarkTransport, hark_transport, G_TYPE_OBJECT)

static void
hark_transport_finalize (GObject *object)
{
  hark_outbox_clear (&HARK_TRANSPORT (object)->outbox);
  G_OBJECT_CLASS (hark_transport_parent_class)->finalize (object);
}

static void
hark_transport_class_init (HarkTransportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_transport_finalize;
}

static void
hark_transport_init (HarkTransport *self)
{
  hark_outbox_init (&self->outbox);
  self->max_outbox = 1 << 20;
}

/* Sets who is told of messages and of the end; %NULL for nobody. */
void
hark_transport_set_sink (HarkTransport *self, const HarkTransportSink *sink, gpointer data)
{
  self->sink = sink;
  self->sink_data = data;
}

/**
 * hark_transport_send:
 * @units: whole wire units; a holder is added
 *
 * Queues @units to be written at the turn's end. On the hot path: called for each receiver of each batch.
 *
 * Returns: %FALSE when they do not fit into the outbox's bound, or @self was given up: nothing was queued, and the
 *   caller decides what becomes of the slow reader. %TRUE otherwise, also when the transport is closing and they are
 *   not wanted any more.
 */
gboolean
hark_transport_send (HarkTransport *self, HarkBuffer *units)
{
  if (G_UNLIKELY (self->closing))
    return TRUE;
  if (G_UNLIKELY (self->given_up || !hark_outbox_push (&self->outbox, units, self->max_outbox)))
    return FALSE;
  if (!self->awake)
    HARK_TRANSPORT_GET_CLASS (self)->wake (self);
  return TRUE;
}

/**
 * hark_transport_close:
 * @code: a #HarkCloseCode
 * @reason: (nullable): at most 123 bytes of UTF-8
 *
 * Begins to end the transport: what was queued before is still written as far as the peer takes it within the closing
 * time-out. With %HARK_CLOSE_SLOW what was not begun is dropped. The sink's closed () follows, later.
 */
void
hark_transport_close (HarkTransport *self, guint code, const char *reason)
{
  if (self->closing || self->closed)
    return;
  if (code == HARK_CLOSE_SLOW)
    hark_outbox_drop_unsent (&self->outbox);
  HARK_TRANSPORT_GET_CLASS (self)->close (self, code, reason);
  self->closing = TRUE;
}

/**
 * hark_transport_set_reading:
 * @reading: %FALSE to let the peer wait, by the means of its protocol, until it is set to %TRUE again
 */
void
hark_transport_set_reading (HarkTransport *self, gboolean reading)
{
  HARK_TRANSPORT_GET_CLASS (self)->set_reading (self, reading);
}

/* Returns: (transfer full): the peer's address as text, "127.0.0.1:50123" */
char *
hark_transport_dup_address (HarkTransport *self)
{
  return HARK_TRANSPORT_GET_CLASS (self)->dup_address (self);
}

const char *
hark_transport_get_name (HarkTransport *self)
{
  HarkTransportClass *klass = HARK_TRANSPORT_GET_CLASS (self);
  return klass->get_name != NULL ? klass->get_name (self) : klass->name;
}

void
hark_transport_emit_message (HarkTransport *self, const guint8 *data, gsize len, gboolean binary)
{
  if (self->sink != NULL)
    self->sink->message (self->sink_data, self, data, len, binary);
}

void
hark_transport_emit_writable (HarkTransport *self)
{
  if (self->sink != NULL && self->sink->writable != NULL)
    self->sink->writable (self->sink_data, self);
}

void
hark_transport_emit_closed (HarkTransport *self, guint code, const char *reason)
{
  g_assert (!self->closed);
  self->closed = TRUE;
  self->closing = TRUE;
  if (self->sink != NULL)
    self->sink->closed (self->sink_data, self, code, reason);
}
