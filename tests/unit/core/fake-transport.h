/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/session.h"

G_BEGIN_DECLS

#define FAKE_TYPE_TRANSPORT (fake_transport_get_type ())
G_DECLARE_FINAL_TYPE (FakeTransport, fake_transport, FAKE, TRANSPORT, HarkTransport)

/* A client that reads when it is told to, and says what it is told to. */
FakeTransport *fake_transport_new (void);
void fake_transport_say (FakeTransport *self, const char *text);
void fake_transport_hang_up (FakeTransport *self, guint code);
char *fake_transport_pop (FakeTransport *self);
guint fake_transport_get_n_waiting (FakeTransport *self);
guint fake_transport_get_close_code (FakeTransport *self);
gboolean fake_transport_is_reading (FakeTransport *self);

/* The fake's wire: an event's or reply's JSON and a line end. */
extern const HarkWire fake_wire;

/* The fake's protocol: "NAME {…}" is a request, anything else is refused. */
#define FAKE_TYPE_PROTOCOL (fake_protocol_get_type ())
G_DECLARE_FINAL_TYPE (FakeProtocol, fake_protocol, FAKE, PROTOCOL, GObject)
HarkProtocol *fake_protocol_new (void);

G_END_DECLS
