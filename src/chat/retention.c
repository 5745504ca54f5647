/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What has been kept long enough goes: old events and tombstones, tokens and sessions that are over, messages of
 * channels that are gone. A little at a time, because messages wait for the same writer; when there was more than that,
 * again soon.
 */
#include "chat/retention.h"

#include "chat/edits.h"
#include "chat/jwt.h"
#include "core/event-log.h"

#define PERIOD_MS (10 * 1000)
#define SOON_MS 50

/* Rows removed of each kind in one work. */
#define BATCH 2000

/* How long an expired or revoked token can still be listed. */
#define KEEP_TOKEN_MS (G_GINT64_CONSTANT (30) * 24 * 60 * 60 * 1000)

struct _HarkRetention
{
  HarkStore *store; /* unowned, as the next */
  HarkClock *clock;
  const HarkChatLimits *limits;
  HarkCounter *n_trimmed;
  guint timeout_id;
};

typedef struct
{
  HarkRetention *owner;
  gint64 n_events; /* out */
  gboolean more;   /* out */
} Sweep;

static gboolean
remove_rows (HarkTransaction *tx, Sweep *sweep, GError **error, const char *sql, gint64 before)
{
  if (!hark_transaction_exec (tx, error, sql, "ii", before, (gint64)BATCH))
    return FALSE;
  sweep->more |= hark_transaction_get_changes (tx) >= BATCH;
  return TRUE;
}

static gboolean
purge_channel (HarkTransaction *tx, Sweep *sweep, GError **error)
{
  gint64 channel_id;
  gboolean found, more = FALSE;
  if (!hark_transaction_query_int64 (tx, &channel_id, &found, error, "SELECT channel_id FROM purges LIMIT 1", ""))
    return FALSE;
  if (!found)
    return TRUE;
  sweep->more = TRUE;
  if (!hark_edits_purge (tx, channel_id, &more, error) || more)
    return more;
  return hark_transaction_exec (tx, error, "DELETE FROM read_marks WHERE channel_id = ?", "i", channel_id)
         && hark_transaction_exec (tx, error, "DELETE FROM purges WHERE channel_id = ?", "i", channel_id);
}

static gboolean
sweep_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Sweep *sweep = data;
  const HarkChatLimits *limits = sweep->owner->limits;
  gint64 now = hark_transaction_now_ms (tx), horizon;
  if (!hark_event_log_trim (tx, limits->log_age_ms, limits->log_events, BATCH, &sweep->n_events, error)
      || !hark_event_log_get_horizon (tx, &horizon, error))
    return FALSE;
  sweep->more |= sweep->n_events >= BATCH;
  return remove_rows (tx, sweep, error,
                      "DELETE FROM tombstones WHERE tombstone_id IN"
                      " (SELECT tombstone_id FROM tombstones WHERE rev <= ? LIMIT ?)",
                      horizon)
         && remove_rows (tx, sweep, error,
                         "DELETE FROM tokens WHERE token_id IN (SELECT token_id FROM tokens"
                         " WHERE expires_at > 0 AND expires_at < ? LIMIT ?)",
                         now - KEEP_TOKEN_MS)
         && remove_rows (tx, sweep, error,
                         "DELETE FROM tokens WHERE token_id IN (SELECT token_id FROM tokens"
                         " WHERE revoked_at > 0 AND revoked_at < ? LIMIT ?)",
                         now - KEEP_TOKEN_MS)
         && remove_rows (tx, sweep, error,
                         "DELETE FROM gone_usernames WHERE username IN (SELECT username FROM gone_usernames"
                         " WHERE gone_at < ? LIMIT ?)",
                         now - HARK_JWT_MAX_LIFETIME_S * G_GINT64_CONSTANT (1000))
         && remove_rows (tx, sweep, error,
                         "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions"
                         " WHERE ended_at > 0 AND ended_at < ? LIMIT ?)",
                         now - limits->resume_window_ms)
         && remove_rows (tx, sweep, error,
                         "DELETE FROM invitations WHERE invitation_id IN (SELECT invitation_id FROM invitations"
                         " WHERE expires_at <= ? LIMIT ?)",
                         now)
         && purge_channel (tx, sweep, error);
}

static gboolean on_timeout (gpointer data);

static void
on_swept (gpointer data, const GError *error, gpointer user_data)
{
  Sweep *sweep = data;
  HarkRetention *self = sweep->owner;
  hark_counter_add (self->n_trimmed, error == NULL ? sweep->n_events : 0);
  self->timeout_id
    = hark_clock_add_timeout (self->clock, error == NULL && sweep->more ? SOON_MS : PERIOD_MS, on_timeout, self);
}

static gboolean
on_timeout (gpointer data)
{
  HarkRetention *self = data;
  Sweep *sweep = g_new0 (Sweep, 1);
  sweep->owner = self;
  self->timeout_id = 0;
  hark_store_write (self->store, sweep_in_thread, sweep, g_free, on_swept, NULL);
  return G_SOURCE_REMOVE;
}

HarkRetention *
hark_retention_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkRetention *self = g_new0 (HarkRetention, 1);
  self->store = store;
  self->clock = clock;
  self->limits = limits;
  self->n_trimmed = hark_metrics_counter (metrics, "hark_events_trimmed_total", "Events removed from the log.");
  self->timeout_id = hark_clock_add_timeout (clock, PERIOD_MS, on_timeout, self);
  return self;
}

void
hark_retention_free (HarkRetention *self)
{
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_free (self);
}
