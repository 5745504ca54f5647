/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/snapshot.h"
#include "chat/topic-rules.h"

G_BEGIN_DECLS

typedef struct _HarkTopicReview HarkTopicReview;

HarkTopicReview *hark_topic_review_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots,
                                        const HarkTopicRules *rules);
void hark_topic_review_free (HarkTopicReview *self);

G_END_DECLS
