/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/membership.h"
#include "chat/notifications.h"

G_BEGIN_DECLS

typedef struct _HarkInvitations HarkInvitations;

HarkInvitations *hark_invitations_new (HarkHub *hub, HarkStore *store, HarkMembership *membership,
                                       HarkNotifications *notifications, HarkMetrics *metrics,
                                       const HarkChatLimits *limits);
void hark_invitations_free (HarkInvitations *self);

/* For works: those that wait for the user's answer, oldest first. */
typedef void (*HarkInvitationFunc) (const char *json, gsize len, gpointer data);
gboolean hark_invitations_read (HarkTransaction *tx, gint64 invited_id, guint max, HarkInvitationFunc func,
                                gpointer data, GError **error);

G_END_DECLS
