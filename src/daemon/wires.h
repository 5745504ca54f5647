/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio-wires.h"

G_BEGIN_DECLS

/**
 * HarkWires:
 *
 * The wires of a daemon: each protocol inside each transport's framing. Protocols and transports do not know each
 * other; this is where they are put together.
 */
typedef struct _HarkWires HarkWires;

HarkWires *hark_wires_new (void);
void hark_wires_free (HarkWires *self);
const HarkWire *hark_wires_get_native (HarkWires *self, gboolean deflate);
const HarkWire *hark_wires_get_plain (HarkWires *self);
const HarkWire *hark_wires_get_engine (HarkWires *self);
HarkSocketioWires *hark_wires_get_socketio (HarkWires *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkWires, hark_wires_free)

G_END_DECLS
