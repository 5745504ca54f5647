/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/snapshot.h"
#include "chat/unread-counts.h"

G_BEGIN_DECLS

typedef struct _HarkUnreadTeller HarkUnreadTeller;

/* A user's numbers of one server as they were read. */
typedef struct
{
  gint64 user_id;
  GArray *channels;              /* (nullable) (element-type gint64): what may be news; %NULL: all of the server */
  const HarkUnreadCount *counts; /* (array length=n_counts): all of the server that the user sees, at least one */
  guint n_counts;
  gint64 serial; /* when they were asked for, see hark_snapshots_stamp () */
  gint64 rev;    /* at which they were read */
} HarkUnreadNumbers;

HarkUnreadTeller *hark_unread_teller_new (HarkHub *hub, HarkSnapshots *snapshots, HarkMetrics *metrics);
void hark_unread_teller_free (HarkUnreadTeller *self);
void hark_unread_teller_tell (HarkUnreadTeller *self, const HarkUnreadNumbers *numbers);

/* A user has read: numbers that were asked for before are not told any more. */
void hark_unread_teller_mark (HarkUnreadTeller *self, gint64 user_id, gint64 server_id);
/* Whether something of the server was told, or is about to be, after @serial. */
gboolean hark_unread_teller_was_told (HarkUnreadTeller *self, gint64 user_id, gint64 server_id, gint64 serial);
/* A session may know less than was told: all of the server is news again. */
void hark_unread_teller_renew (HarkUnreadTeller *self, gint64 user_id, gint64 server_id);
void hark_unread_teller_forget_user (HarkUnreadTeller *self, gint64 user_id);

G_END_DECLS
