/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What hub.c, which has sessions and events, and hub-interest.c, which joins them, know of each other. */
#include "core/hub.h"

#include "core/recent.h"
#include "core/registry.h"

G_BEGIN_DECLS

/* Whoever is to be called when everything up to @rev is published. */
typedef struct
{
  gint64 rev;
  HarkHubFunc func;
  gpointer data;
} HarkHubWaiter;

struct _HarkHub
{
  GObject parent_instance;
  HarkTurn *turn;             /* (owned) */
  HarkDispatcher *dispatcher; /* (owned) */
  HarkClock *clock;           /* (owned) */
  HarkIds *ids;               /* (owned) */
  HarkIndex *index;           /* (owned) */
  HarkHubLimits limits;
  HarkRegistry registry;
  HarkRecent recent;
  GArray *waiters;     /* (element-type HarkHubWaiter) */
  GPtrArray *personal; /* (element-type HarkEvent) (owned): of personal topics, published in this turn */
  HarkCounter *n_opened;
  HarkCounter *n_closed;
  HarkCounter *n_restored;
  HarkCounter *n_refused;
  HarkCounter *n_abuse;
  HarkCounter *n_paused;
  HarkCounter *n_slow;
  HarkGauge *n_sessions;
  HarkGauge *n_users;
};

void hark_hub_deliver_personal (HarkHub *self);

G_END_DECLS
