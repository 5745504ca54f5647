/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between socketio-namespaces.c, which has the sockets, and socketio-backend.c, what is done with them. */
#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

struct _HarkSocketioNamespaces
{
  GObject parent_instance;
  HarkHub *hub;               /* unowned: outlives its clients, and these hold us */
  HarkDispatcher *dispatcher; /* (owned) */
  HarkStore *store;           /* (owned) (nullable): nothing is logged without */
  HarkSocketioWires *wires;   /* unowned: the application's */
  HarkSocketioLimits limits;
  HarkSocketioAcks *acks; /* (owned) */
  GHashTable *by_name;    /* name → HarkSocketioNamespace (owned) */
  GHashTable *by_topic;   /* HarkTopic → HarkSocketioNamespace */
  GHashTable *welcomes;   /* id of a session → HarkEvent (owned): its welcome, or an empty one */
  gulong published_id;
  guint n_logged; /* sockets of namespaces whose events are logged */
  guint n_connecting;
  const char *kind_all; /* interned */
  const char *kind_some;
  guint event_signal;
  const HarkSocketioObserver *observer; /* (nullable) */
  gpointer observer_data;
  HarkGauge *n_sockets;
  HarkCounter *n_fresh;
  HarkCounter *n_recovered;
  HarkCounter *n_emitted;
  HarkCounter *n_client_events;
  HarkCounter *n_offences[HARK_SOCKETIO_N_OFFENCES];
};

extern const HarkCommandSpec hark_socketio_client_commands[];
extern const guint hark_socketio_n_client_commands;

gboolean hark_socketio_namespaces_logs (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp);
void hark_socketio_namespaces_deliver (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp,
                                       const HarkSocketioTarget *target, gboolean is_volatile, const HarkEvent *event);

G_END_DECLS
