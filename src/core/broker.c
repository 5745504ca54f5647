/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The port between a commit and the hubs: one hub on one machine, or several that act as one. */
#include "core/broker.h"

G_DEFINE_INTERFACE (HarkBroker, hark_broker, G_TYPE_OBJECT)

static guint received_signal;

static void
hark_broker_default_init (HarkBrokerInterface *iface)
{
  received_signal = g_signal_new ("received", HARK_TYPE_BROKER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                  G_TYPE_PTR_ARRAY);
}

/* @events: (element-type HarkEvent): of one commit, in order */
void
hark_broker_publish (HarkBroker *self, GPtrArray *events)
{
  HARK_BROKER_GET_IFACE (self)->publish (self, events);
}

void
hark_broker_emit_received (HarkBroker *self, GPtrArray *events)
{
  g_signal_emit (self, received_signal, 0, events);
}
