/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/event.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define HARK_TYPE_BROKER (hark_broker_get_type ())
G_DECLARE_INTERFACE (HarkBroker, hark_broker, HARK, BROKER, GObject)

/**
 * HarkBroker:
 *
 * Carries committed events to every hub that has receivers for them. Signal: `received` (GPtrArray of HarkEvent), for
 * each batch, in order.
 */
struct _HarkBrokerInterface
{
  GTypeInterface parent_iface;
  void (*publish) (HarkBroker *self, GPtrArray *events);
};

void hark_broker_publish (HarkBroker *self, GPtrArray *events);

/* For implementations. */
void hark_broker_emit_received (HarkBroker *self, GPtrArray *events);

G_END_DECLS
