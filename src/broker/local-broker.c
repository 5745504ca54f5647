/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The broker of a hub that is alone: what is published is received, at once. */
#include "broker/local-broker.h"

struct _HarkLocalBroker
{
  GObject parent_instance;
};

static void
local_publish (HarkBroker *broker, GPtrArray *events)
{
  hark_broker_emit_received (broker, events);
}

static void
broker_iface_init (HarkBrokerInterface *iface)
{
  iface->publish = local_publish;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkLocalBroker, hark_local_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_BROKER, broker_iface_init))

static void
hark_local_broker_class_init (HarkLocalBrokerClass *klass)
{
}

static void
hark_local_broker_init (HarkLocalBroker *self)
{
}

HarkBroker *
hark_local_broker_new (void)
{
  return g_object_new (HARK_TYPE_LOCAL_BROKER, NULL);
}
