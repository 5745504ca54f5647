/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "core/subscription.h"
#include "core/turn.h"

G_BEGIN_DECLS

/* A topic's half of a link: who receives, and where the session keeps its half. */
typedef struct
{
  HarkSession *session; /* unowned: a session takes its links out before it goes */
  guint32 slot;         /* in the session's subscriptions or interests */
  gboolean is_interest;
} HarkReceiver;

/**
 * HarkTopicEntry:
 *
 * A topic that somebody has subscribed to or loaded. Exists as long as it has receivers.
 */
struct _HarkTopicEntry
{
  HarkTopic topic; /* (owned) */
  HarkReceiver *receivers;
  guint32 n_receivers;
  guint32 size;
  GPtrArray *batch;     /* (nullable) (owned) (element-type HarkEvent): published in this turn, not yet delivered */
  gint64 published_seq; /* of the last event given to @batch or delivered */
};

const HarkEvent *hark_topic_entry_get_waiting (const HarkTopicEntry *self);

#define HARK_TYPE_INDEX (hark_index_get_type ())
G_DECLARE_FINAL_TYPE (HarkIndex, hark_index, HARK, INDEX, GObject)

HarkIndex *hark_index_new (HarkTurn *turn, HarkMetrics *metrics);

HarkTopicEntry *hark_index_find (HarkIndex *self, const HarkTopic *topic);
HarkSubscription *hark_index_subscribe (HarkIndex *self, HarkSession *session, const HarkTopic *topic, gint64 cursor);
void hark_index_unsubscribe (HarkIndex *self, HarkSubscription *subscription);
gboolean hark_index_has_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic);
void hark_index_reserve_interests (HarkIndex *self, HarkSession *session, guint n);
gboolean hark_index_add_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic);
gboolean hark_index_remove_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic);
void hark_index_remove_session (HarkIndex *self, HarkSession *session);

void hark_index_set_droppable_percent (HarkIndex *self, guint percent);
void hark_index_publish (HarkIndex *self, HarkEvent *event);
void hark_index_deliver (HarkIndex *self);
gint64 hark_index_get_waiting_rev (HarkIndex *self);

guint hark_index_get_n_topics (HarkIndex *self);
guint hark_index_get_n_subscriptions (HarkIndex *self);
guint hark_index_get_n_interests (HarkIndex *self);

G_END_DECLS
