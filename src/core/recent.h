/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/event.h"

G_BEGIN_DECLS

/**
 * HarkRecent:
 *
 * The last stored events the hub has published, for joining a snapshot taken a moment ago with the updates since.
 * Bounded in number and bytes; embedded in the hub.
 */
typedef struct
{
  GQueue events; /* (element-type HarkEvent) (owned), oldest first */
  gsize bytes;
  guint max_events;
  gsize max_bytes;
  gint64 floor; /* the rev of the newest event that is no longer held */
  gint64 rev;   /* of the newest event published */
} HarkRecent;

typedef void (*HarkRecentFunc) (HarkEvent *event, gpointer data);

void hark_recent_init (HarkRecent *self, guint max_events, gsize max_bytes);
void hark_recent_clear (HarkRecent *self);
void hark_recent_start_at (HarkRecent *self, gint64 rev);
void hark_recent_push (HarkRecent *self, HarkEvent *event);
gboolean hark_recent_reaches (const HarkRecent *self, gint64 rev);
void hark_recent_foreach_since (HarkRecent *self, gint64 rev, HarkRecentFunc func, gpointer data);

G_END_DECLS
