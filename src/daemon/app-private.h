/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between app.c, which builds the daemon, and app-stop.c, which takes it apart or hands it on. */
#include "daemon/app.h"

#include "broker/local-broker.h"
#include "bus/service.h"
#include "chat/chat.h"
#include "core/presence.h"
#include "daemon/handoff.h"
#include "daemon/service-manager.h"
#include "daemon/wires.h"
#include "protocol/socketio-admin.h"
#include "protocol/socketio.h"
#include "store/sqlite-store.h"
#include "transport/front.h"

G_BEGIN_DECLS

#define HARK_APP_MAX_ROUTES 4

/* What comes after this process. */
typedef enum
{
  HARK_APP_END,     /* nothing */
  HARK_APP_UPGRADE, /* another program in its place */
  HARK_APP_RESTART  /* the service manager starts another, and keeps the connections meanwhile */
} HarkAppEnd;

struct _HarkApp
{
  GObject parent_instance;
  HarkConfig *config; /* (owned) */
  gboolean demo;
  HarkAppReloadFunc reload;
  gpointer reload_data;
  HarkAppUpgradeFunc upgrade;
  gpointer upgrade_data;

  HarkClock *clock; /* (owned), like all that follow */
  HarkIds *ids;
  HarkMetrics *metrics;
  HarkServiceManager *manager;
  HarkTurn *turn;
  HarkSqliteStore *store;
  HarkBroker *broker;
  HarkQuota *quota;
  HarkDispatcher *dispatcher;
  HarkHub *hub;
  HarkPresence *presence;
  HarkChat *chat;
  HarkProtocol *native;
  HarkWires *wires;
  HarkReactor *reactor;
  HarkEngineServer *engine;              /* (nullable) */
  HarkSocketioNamespaces *namespaces;    /* (nullable) */
  HarkSocketioAdmin *socketio_admin;     /* (nullable) */
  HarkRoute routes[HARK_APP_MAX_ROUTES]; /* those that are on */
  guint n_routes;
  gboolean anonymous; /* who has no token is let in without an account */
  HarkListener *listener;
  HarkFront *front;
  HarkBusService *bus;

  guint waiting_for; /* WAIT_FOR_… */
  gboolean ready;
  gboolean stopping;
  HarkAppEnd end;
  HarkDescriptorStore *descriptors; /* (nullable): without a service manager */
  HarkLogbook *logbook;             /* (owned) (nullable): of a process before that was killed */
  GVariant *handoff;                /* (owned) (nullable): what the process before has left */
  gboolean is_stored;               /* its descriptors are with the service manager */
  GVariant *listeners;              /* (owned) (nullable): that are handed on */
  int handoff_fd;                   /* (owned): -1: nothing is handed on in place */
  guint stop_id;
  gint64 stop_by; /* microseconds, monotonic */
};

enum
{
  HARK_APP_FAILED,
  HARK_APP_STOPPED,
  HARK_APP_N_SIGNALS
};

extern guint hark_app_signals[HARK_APP_N_SIGNALS];

void hark_app_take_apart (HarkApp *self);
HarkHandoffParts hark_app_get_handoff_parts (HarkApp *self);

G_END_DECLS
