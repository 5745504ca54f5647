/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkNotifications HarkNotifications;

/**
 * HarkNotification:
 *
 * What a user is told: "John reacted to your comment". All are texts, ids too; %NULL is sent as "".
 */
typedef struct
{
  const char *message;        /* the whole in words */
  const char *action;         /* what has happened: "reaction" */
  const char *action_id;      /* which one: "23" */
  const char *by_user;        /* the username of who did it */
  const char *action_content; /* what it consists of: "laugh" */
  const char *affected;       /* what it was done to: "comment" */
  const char *affected_id;    /* which one: "79" */
} HarkNotification;

HarkNotifications *hark_notifications_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics,
                                           const HarkChatLimits *limits);
void hark_notifications_free (HarkNotifications *self);

/* For works. */
gboolean hark_notification_raise (HarkNotifications *self, HarkTransaction *tx, gint64 user_id,
                                  const HarkNotification *notification, GError **error);
gboolean hark_notification_raise_member (HarkNotifications *self, HarkTransaction *tx, gint64 server_id, gint64 user_id,
                                         GError **error);

/* What happened last and was not acknowledged, oldest first. */
typedef void (*HarkNotificationFunc) (const char *json, gsize len, gpointer data);
gboolean hark_notifications_read (HarkTransaction *tx, gint64 user_id, guint max, gsize max_bytes,
                                  HarkNotificationFunc func, gpointer data, gint64 *waiting, GError **error);

G_END_DECLS
