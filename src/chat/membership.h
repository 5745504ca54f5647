/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/notifications.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkMembership HarkMembership;

HarkMembership *hark_membership_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots,
                                     HarkNotifications *notifications, const HarkChatLimits *limits);
void hark_membership_free (HarkMembership *self);

/* A user has come to belong to a server: what the work tells the hub. */
typedef struct
{
  gint64 rev;        /* of the event that tells the user */
  gint64 cursor;     /* of the server's topic at that moment */
  gint64 member_rev; /* of the event that tells the other members */
} HarkArrival;

/* A user, or all of a server, have ceased to. Zeroed to begin with. */
typedef struct
{
  gint64 rev;       /* of the last event that says so */
  GArray *servers;  /* (nullable) (element-type gint64) */
  GArray *channels; /* (nullable) (element-type gint64): of these servers */
} HarkDeparture;

void hark_departure_clear (HarkDeparture *self);
gboolean hark_departure_add_server (HarkDeparture *self, HarkTransaction *tx, gint64 server_id, GError **error);

/* For works. */
gboolean hark_membership_begin (HarkTransaction *tx, gint64 server_id, gint64 user_id, const HarkChatLimits *limits,
                                HarkArrival *arrival, GError **error);
gboolean hark_membership_end (HarkTransaction *tx, gint64 server_id, gint64 user_id, HarkDeparture *departure,
                              GError **error);
GArray *hark_membership_list_servers (HarkTransaction *tx, gint64 user_id, GError **error);

/* For the hub, right after the events of the work were published. */
void hark_membership_arrived (HarkMembership *self, gint64 server_id, gint64 user_id, const HarkArrival *arrival);
void hark_membership_departed (HarkMembership *self, gint64 user_id, const HarkDeparture *departure);
void hark_membership_forget_user (HarkMembership *self, gint64 user_id, const HarkDeparture *departure);
void hark_membership_forget_server (HarkMembership *self, GArray *members, const HarkDeparture *departure);

G_END_DECLS
