/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event log: the one place where a topic's seq and the overall rev are given out, in the transaction that stores
 * what they count. Clients that come back, and clients that ask what changed, read from here.
 */
#include "core/event-log.h"

#include "base/error.h"

/**
 * hark_event_log_reserve:
 * @position: (out): where the topic's next event will stand
 *
 * To be followed by hark_event_log_append () in the same work, or not at all: then the work must fail.
 */
gboolean
hark_event_log_reserve (HarkTransaction *tx, const HarkTopic *topic, HarkLogPosition *position, GError **error)
{
  char name[HARK_TOPIC_MAX + 1];
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  /* Of a statement that changes and returns, the first step makes all changes: the rest of its rows need no stepping
   * (sqlite.org/lang_returning.html, section 2.1). */
  if (!hark_transaction_query (tx, &rows, error,
                               "INSERT INTO topics (name, seq) VALUES (?, 1)"
                               " ON CONFLICT (name) DO UPDATE SET seq = seq + 1 RETURNING topic_id, seq",
                               "t", hark_topic_format (topic, name))
      || !hark_rows_next (&rows, error))
    return FALSE;
  position->topic_id = hark_rows_get_int64 (&rows, 0);
  position->seq = hark_rows_get_int64 (&rows, 1);
  position->subject = 0;
  return TRUE;
}

static GByteArray *
pack_audience (GArray *audience)
{
  GByteArray *packed = g_byte_array_sized_new (audience->len * 8);
  for (guint i = 0; i < audience->len; i++)
    {
      gint64 id = GINT64_TO_LE (g_array_index (audience, gint64, i));
      g_byte_array_append (packed, (const guint8 *)&id, sizeof id);
    }
  return packed;
}

static GArray *
unpack_audience (const guint8 *data, gsize len)
{
  GArray *audience = g_array_sized_new (FALSE, FALSE, sizeof (gint64), len / 8);
  for (gsize i = 0; i + 8 <= len; i += 8)
    {
      gint64 id;
      memcpy (&id, data + i, sizeof id);
      id = GINT64_FROM_LE (id);
      g_array_append_val (audience, id);
    }
  return audience;
}

/**
 * hark_event_log_append:
 * @position: from hark_event_log_reserve (); with a subject there is no @audience
 * @json: (array length=len): the complete object a native client gets, with `type` and `seq`
 * @audience: (nullable) (transfer full) (element-type gint64): the only users who may see it
 * @rev: (out) (optional): the event's rev
 *
 * Stores an event and has it published after the commit.
 */
gboolean
hark_event_log_append (HarkTransaction *tx, const HarkTopic *topic, const HarkLogPosition *position, const char *kind,
                       const char *json, gsize len, GArray *audience, gint64 *rev, GError **error)
{
  g_autoptr (HarkEvent) event = hark_event_new (topic, position->seq, 0, kind, json, len);
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GByteArray) packed = NULL; /* bound without a copy: outlives the step */
  gint64 now = hark_transaction_now_ms (tx);
  gboolean started;
  event->subject = position->subject;
  if (position->subject != 0)
    {
      started
        = hark_transaction_query (tx, &rows, error,
                                  "INSERT INTO event_log (topic_id, seq, kind, payload, at, subject)"
                                  " VALUES (?, ?, ?, ?, ?, ?) RETURNING rev",
                                  "iitTii", position->topic_id, position->seq, kind, json, len, now, position->subject);
    }
  else if (audience == NULL)
    {
      started = hark_transaction_query (tx, &rows, error,
                                        "INSERT INTO event_log (topic_id, seq, kind, payload, at)"
                                        " VALUES (?, ?, ?, ?, ?) RETURNING rev",
                                        "iitTi", position->topic_id, position->seq, kind, json, len, now);
    }
  else
    {
      packed = pack_audience (audience);
      hark_event_take_audience (event, audience);
      started = hark_transaction_query (tx, &rows, error,
                                        "INSERT INTO event_log (topic_id, seq, kind, payload, at, audience)"
                                        " VALUES (?, ?, ?, ?, ?, ?) RETURNING rev",
                                        "iitTib", position->topic_id, position->seq, kind, json, len, now, packed->data,
                                        (gsize)packed->len);
    }
  if (!started || !hark_rows_next (&rows, error))
    return FALSE;
  event->rev = hark_rows_get_int64 (&rows, 0);
  if (rev != NULL)
    *rev = event->rev;
  hark_transaction_emit (tx, g_steal_pointer (&event));
  return TRUE;
}

/* The greatest rev there is; 0 before the first event. */
gboolean
hark_event_log_get_rev (HarkTransaction *tx, gint64 *rev, GError **error)
{
  return hark_transaction_query_int64 (tx, rev, NULL, error, "SELECT coalesce(max(rev), 0) FROM event_log", "");
}

/* The rev from which on every event is still there: a client that has seen that much can be told what changed since.
 * The newest event is never trimmed, so that the log knows how far it has counted. */
gboolean
hark_event_log_get_horizon (HarkTransaction *tx, gint64 *rev, GError **error)
{
  return hark_transaction_query_int64 (tx, rev, NULL, error, "SELECT coalesce(min(rev) - 1, 0) FROM event_log", "");
}

/* How many events a topic has ever had; 0 for one that never had any. */
gboolean
hark_event_log_get_seq (HarkTransaction *tx, const HarkTopic *topic, gint64 *seq, GError **error)
{
  char name[HARK_TOPIC_MAX + 1];
  *seq = 0;
  return hark_transaction_query_int64 (tx, seq, NULL, error, "SELECT seq FROM topics WHERE name = ?", "t",
                                       hark_topic_format (topic, name));
}

/* @rows: seq, rev, kind, payload, audience, subject. Returns: (transfer full) */
static HarkEvent *
build_event (HarkRows *rows, const HarkTopic *topic)
{
  gsize len, audience_len;
  const char *json = hark_rows_get_text (rows, 3, &len);
  HarkEvent *event = hark_event_new (topic, hark_rows_get_int64 (rows, 0), hark_rows_get_int64 (rows, 1),
                                     hark_rows_get_text (rows, 2, NULL), json, len);
  if (!hark_rows_is_null (rows, 4))
    {
      const guint8 *packed = hark_rows_get_blob (rows, 4, &audience_len);
      hark_event_take_audience (event, unpack_audience (packed, audience_len));
    }
  event->subject = hark_rows_get_int64 (rows, 5);
  return event;
}

/**
 * hark_event_log_read:
 * @cursor: the seq of the last event the reader has seen
 * @max: events at most
 * @events: (element-type HarkEvent): what came after @cursor is added, oldest first
 * @reset: (out): whether that cannot be said any more: the log does not reach back to @cursor, @cursor is from the
 *   future, or there would be more than @max. Then nothing is added
 * @seq: (out): how many events the topic has
 */
gboolean
hark_event_log_read (HarkTransaction *tx, const HarkTopic *topic, gint64 cursor, guint max, GPtrArray *events,
                     gboolean *reset, gint64 *seq, GError **error)
{
  char name[HARK_TOPIC_MAX + 1];
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  guint before = events->len;
  gint64 next = cursor + 1;
  *reset = FALSE;
  if (!hark_event_log_get_seq (tx, topic, seq, error))
    return FALSE;
  if (cursor == *seq)
    return TRUE;
  if (cursor > *seq || cursor < 0 || *seq - cursor > max)
    {
      *reset = TRUE;
      return TRUE;
    }
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT l.seq, l.rev, l.kind, l.payload, l.audience, coalesce(l.subject, 0) FROM topics "
                               "t"
                               " JOIN event_log l ON l.topic_id = t.topic_id"
                               " WHERE t.name = ? AND l.seq > ? ORDER BY l.seq",
                               "ti", hark_topic_format (topic, name), cursor))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gint64 found = hark_rows_get_int64 (&rows, 0);
      g_ptr_array_add (events, build_event (&rows, topic));
      if (found != next)
        break;
      next++;
    }
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (next != *seq + 1)
    {
      g_ptr_array_set_size (events, before);
      *reset = TRUE;
    }
  return TRUE;
}

/**
 * hark_event_log_read_since:
 * @events: (element-type HarkEvent): what came after @rev on all topics is added, in its order; at most @max, the oldest
 */
gboolean
hark_event_log_read_since (HarkTransaction *tx, gint64 rev, guint max, GPtrArray *events, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT l.seq, l.rev, l.kind, l.payload, l.audience, coalesce(l.subject, 0), t.name"
                               " FROM event_log l JOIN topics t ON t.topic_id = l.topic_id"
                               " WHERE l.rev > ? ORDER BY l.rev LIMIT ?",
                               "ii", rev, (gint64)max))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      g_auto (HarkTopic) topic = { 0 };
      if (!hark_topic_parse (hark_rows_get_text (&rows, 6, NULL), &topic, error))
        return FALSE;
      g_ptr_array_add (events, build_event (&rows, &topic));
    }
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/**
 * hark_event_log_trim:
 * @max_age_ms: older events go; 0: none for their age
 * @max_events: more events than this go, oldest first; 0: none for their number
 * @batch: events removed at most in this call: the writer is not to be held up
 * @trimmed: (out): how many were removed
 */
gboolean
hark_event_log_trim (HarkTransaction *tx, gint64 max_age_ms, gint64 max_events, guint batch, gint64 *trimmed,
                     GError **error)
{
  gint64 newest, upto = 0;
  *trimmed = 0;
  if (!hark_event_log_get_rev (tx, &newest, error))
    return FALSE;
  if (max_age_ms > 0
      && !hark_transaction_query_int64 (tx, &upto, NULL, error,
                                        "SELECT coalesce(max(rev), 0) FROM (SELECT rev, at FROM event_log ORDER BY rev"
                                        " LIMIT ?) AS oldest WHERE at < ?",
                                        "ii", (gint64)batch, hark_transaction_now_ms (tx) - max_age_ms))
    return FALSE;
  if (max_events > 0)
    upto = MAX (upto, newest - max_events);
  if (!hark_transaction_exec (tx, error,
                              "DELETE FROM event_log WHERE rev IN"
                              " (SELECT rev FROM event_log WHERE rev <= ? AND rev < ? ORDER BY rev LIMIT ?)",
                              "iii", upto, newest, (gint64)batch))
    return FALSE;
  *trimmed = hark_transaction_get_changes (tx);
  return TRUE;
}
