/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/unread-counts.h"

G_BEGIN_DECLS

typedef struct _HarkUnreadTold HarkUnreadTold;

/* What a user has been told last of a server. */
typedef struct
{
  gint64 server_id;
  gint64 serial;    /* when; see hark_snapshots_stamp () */
  gint64 marked;    /* when they have read in it last */
  gint64 unread;    /* of all its channels; -1: not told */
  gint64 mentions;  /* likewise */
  GArray *channels; /* (element-type HarkUnreadCount): those told last */
} HarkToldServer;

HarkUnreadTold *hark_unread_told_new (void);
void hark_unread_told_free (HarkUnreadTold *self);

HarkToldServer *hark_unread_told_find (HarkUnreadTold *self, gint64 user_id, gint64 server_id);
HarkToldServer *hark_unread_told_ensure (HarkUnreadTold *self, gint64 user_id, gint64 server_id);
void hark_unread_told_forget_user (HarkUnreadTold *self, gint64 user_id);

gboolean hark_told_server_knows (const HarkToldServer *self, const HarkUnreadCount *count);
void hark_told_server_note (HarkToldServer *self, const HarkUnreadCount *count);
void hark_told_server_forget (HarkToldServer *self);

G_END_DECLS
