/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Of an object below /org/hark/Hub1/sessions: what its last element means. */
typedef struct
{
  gint64 session_id;
  char *topic; /* (owned) (nullable): of a subscription */
} HarkBusNode;

gboolean hark_bus_node_parse (const char *node, HarkBusNode *out);
void hark_bus_node_clear (HarkBusNode *self);
char *hark_bus_node_format (gint64 session_id, const HarkTopic *topic);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkBusNode, hark_bus_node_clear)

GVariant *hark_bus_session_get_property (HarkSession *session, const char *base, const char *name);
GVariant *hark_bus_subscription_get_property (HarkHub *hub, HarkSubscription *subscription, const char *base,
                                              const char *name);

G_END_DECLS
