/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transaction.h"

G_BEGIN_DECLS

/**
 * HarkLogPosition:
 *
 * Where the next event of a topic will stand: taken before the event's JSON is written, because that names @seq.
 */
typedef struct
{
  gint64 topic_id; /* row of the topic */
  gint64 seq;
  gint64 subject; /* 0, unless the event is for those alone who have the part of the topic where this is */
} HarkLogPosition;

gboolean hark_event_log_reserve (HarkTransaction *tx, const HarkTopic *topic, HarkLogPosition *position, GError **error);
gboolean hark_event_log_append (HarkTransaction *tx, const HarkTopic *topic, const HarkLogPosition *position,
                                const char *kind, const char *json, gsize len, GArray *audience, gint64 *rev,
                                GError **error);

/* Reading. */
gboolean hark_event_log_get_rev (HarkTransaction *tx, gint64 *rev, GError **error);
gboolean hark_event_log_get_horizon (HarkTransaction *tx, gint64 *rev, GError **error);
gboolean hark_event_log_get_seq (HarkTransaction *tx, const HarkTopic *topic, gint64 *seq, GError **error);
gboolean hark_event_log_read (HarkTransaction *tx, const HarkTopic *topic, gint64 cursor, guint max, GPtrArray *events,
                              gboolean *reset, gint64 *seq, GError **error);
gboolean hark_event_log_read_since (HarkTransaction *tx, gint64 rev, guint max, GPtrArray *events, GError **error);
gboolean hark_event_log_trim (HarkTransaction *tx, gint64 max_age_ms, gint64 max_events, guint batch, gint64 *trimmed,
                              GError **error);

G_END_DECLS
