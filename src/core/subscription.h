/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/session.h"

G_BEGIN_DECLS

/**
 * HarkSubscription:
 *
 * A session's interest in a topic, with the cursor it has reached. Knows both ends and takes itself out of both; ends
 * with its session at the latest. Made by hark_hub_subscribe ().
 *
 * Signal: `ended`, once. Properties: topic, session, cursor.
 */
struct _HarkSubscription
{
  GObject parent_instance;
  HarkSession *session;  /* unowned: the session keeps the subscription; %NULL when ended */
  HarkTopicEntry *entry; /* unowned: entries live while they have receivers; %NULL when ended */
  gint64 cursor;         /* where it began; see hark_subscription_get_cursor () */
  gint64 missed;         /* seq of the first event its session could not be sent; 0: none */
  GArray *ranges;        /* (nullable) (owned) (element-type HarkRange): the part of the topic it is to; %NULL: all */
  gboolean is_fixed;     /* the session is ending: @cursor is where it ends */
  guint32 position;      /* in the entry's receivers */
  guint32 slot;          /* in the session's subscriptions */
};

#define HARK_TYPE_SUBSCRIPTION (hark_subscription_get_type ())
typedef GObjectClass HarkSubscriptionClass;
GType hark_subscription_get_type (void);
#define HARK_SUBSCRIPTION(o) (G_TYPE_CHECK_INSTANCE_CAST ((o), HARK_TYPE_SUBSCRIPTION, HarkSubscription))
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSubscription, g_object_unref)

const HarkTopic *hark_subscription_get_topic (HarkSubscription *self);
gint64 hark_subscription_get_cursor (HarkSubscription *self);
gint64 hark_subscription_get_handed_over (HarkSubscription *self);
gboolean hark_subscription_wants (const HarkSubscription *self, const HarkEvent *event);
void hark_subscription_end (HarkSubscription *self);

/* For the index. */
void hark_subscriptions_fix (HarkSession *session);
HarkSubscription *hark_subscription_new (HarkSession *session, HarkTopicEntry *entry, gint64 cursor);

G_END_DECLS
