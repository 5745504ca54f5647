/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/* Whose numbers may have changed. @channel_id: 0 for all of the server */
typedef struct
{
  gint64 user_id;
  gint64 server_id;
  gint64 channel_id;
} HarkUnreadPair;

/**
 * HarkUnreadPending:
 *
 * What has happened to unread numbers and is still to be told: channels that were written in, servers whose channels or
 * rights changed, and single users, each once. Bounded in all; what is over the bound is counted and not told.
 */
typedef struct
{
  GHashTable *channels; /* set of ids */
  GHashTable *servers;  /* set of ids */
  GHashTable *urgent;   /* set of HarkUnreadPair: who have read themselves, and are told at once */
  GHashTable *pairs;    /* set of HarkUnreadPair: others */
  guint max;
  HarkGauge *n_pending;
  HarkCounter *n_dropped;
} HarkUnreadPending;

void hark_unread_pending_init (HarkUnreadPending *self, HarkMetrics *metrics, guint max);
void hark_unread_pending_clear (HarkUnreadPending *self);
gboolean hark_unread_pending_add_channel (HarkUnreadPending *self, gint64 channel_id);
gboolean hark_unread_pending_add_server (HarkUnreadPending *self, gint64 server_id);
gboolean hark_unread_pending_add_urgent (HarkUnreadPending *self, gint64 user_id, gint64 server_id, gint64 channel_id);
gboolean hark_unread_pending_add_pair (HarkUnreadPending *self, gint64 user_id, gint64 server_id, gint64 channel_id);
gboolean hark_unread_pending_is_empty (const HarkUnreadPending *self);
GArray *hark_unread_pending_steal_channels (HarkUnreadPending *self);
GArray *hark_unread_pending_steal_servers (HarkUnreadPending *self);
GArray *hark_unread_pending_steal_urgent (HarkUnreadPending *self, guint max);
GArray *hark_unread_pending_steal_pairs (HarkUnreadPending *self);
/* For another process. */
GVariant *hark_unread_pending_save (const HarkUnreadPending *self);
void hark_unread_pending_restore (HarkUnreadPending *self, GVariant *state);

G_END_DECLS
