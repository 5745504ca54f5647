/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ids.h"
#include "core/dispatcher.h"
#include "core/index.h"
#include "core/session.h"
#include "core/subscription.h"
#include "core/turn.h"

G_BEGIN_DECLS

/**
 * HarkHubLimits:
 *
 * What clients can make the hub keep.
 */
typedef struct
{
  guint max_sessions;          /* in all; 0: no bound */
  guint max_sessions_per_user; /* 0: no bound */
  guint max_subscriptions;     /* of one session */
  guint max_parts;             /* of a topic that one subscription is to */
  guint max_interests;         /* users that one session has loaded */
  guint max_pending;           /* commands of a session under way before its reading is put off */
  guint max_strikes;           /* refused messages before a session is disconnected for abuse */
  guint max_recent;            /* events kept to join snapshots and updates */
  gsize max_recent_bytes;
  guint droppable_percent; /* of an outbox's bound: a session with more waiting gets no droppable events */
} HarkHubLimits;

#define HARK_HUB_LIMITS_DEFAULT                                                                                        \
  {                                                                                                                    \
    0, 100, 1000, 100, 10000, 256, 50, 8192, 8 << 20, 25                                                               \
  }

#define HARK_TYPE_HUB (hark_hub_get_type ())
G_DECLARE_FINAL_TYPE (HarkHub, hark_hub, HARK, HUB, GObject)

/*
 * Signals: `session-connected` (HarkSession): it has yet to say who it is;
 *   `session-added` (HarkSession): it has opened, with a user;
 *   `session-restored` (HarkSession): it goes on, from another process: its client was welcomed there;
 *   `session-removed` (HarkSession, guint code, const char *reason): its subscriptions are still there to be looked at;
 *   `user-online` (gint64 user), `user-offline` (gint64 user): the first session came, the last one went (without grace);
 *   `published` (HarkEvent);
 *   `client-message` (HarkSession, const char *json): what a client says to the application.
 * Properties: sessions, subscriptions, interests, users, topics (all guint, read-only).
 */

HarkHub *hark_hub_new (HarkTurn *turn, HarkDispatcher *dispatcher, HarkClock *clock, HarkIds *ids, HarkMetrics *metrics,
                       const HarkHubLimits *limits);

/* Sessions. */
guint hark_hub_get_n_sessions (HarkHub *self);
HarkSession *hark_hub_get_session (HarkHub *self, gint64 id);
GPtrArray *hark_hub_dup_sessions (HarkHub *self);
GPtrArray *hark_hub_dup_user_sessions (HarkHub *self, gint64 user_id);
guint hark_hub_get_n_user_sessions (HarkHub *self, gint64 user_id);
guint hark_hub_disconnect_user (HarkHub *self, gint64 user_id, guint code, const char *reason);
void hark_hub_close_all (HarkHub *self, guint code, const char *reason);

/* For sessions. */
gboolean hark_hub_add_session (HarkHub *self, HarkSession *session, GError **error);
gboolean hark_hub_may_add_user (HarkHub *self, gint64 user_id, GError **error);
void hark_hub_session_opened (HarkHub *self, HarkSession *session);
gboolean hark_hub_restore_session (HarkHub *self, HarkSession *session, gint64 id, GError **error);
void hark_hub_session_restored (HarkHub *self, HarkSession *session);
void hark_hub_forget_session (HarkHub *self, HarkSession *session);
void hark_hub_remove_session (HarkHub *self, HarkSession *session, guint code, const char *reason);
void hark_hub_count_abuse (HarkHub *self);
void hark_hub_count_paused (HarkHub *self);
void hark_hub_count_slow (HarkHub *self);

/* Events. */
void hark_hub_tell_client_message (HarkHub *self, HarkSession *session, const char *json);
void hark_hub_publish (HarkHub *self, HarkEvent *event);
void hark_hub_publish_all (HarkHub *self, GPtrArray *events);
void hark_hub_set_published_rev (HarkHub *self, gint64 rev);
gint64 hark_hub_get_published_rev (HarkHub *self);

/*
 * Snapshot, then updates, without a gap and without doubles: a reader's snapshot was taken at revision R (the greatest
 * in the event log, read in the same transaction). hark_hub_when_published () calls back once the hub has published up
 * to R, which may be now; the concern then sends its reply and calls hark_hub_subscribe () or hark_hub_load () with R,
 * and what was published after R follows. When the hub no longer remembers back to R these return FALSE with
 * HARK_ERROR_CONFLICT, and the concern takes its snapshot again.
 */
typedef void (*HarkHubFunc) (gpointer data);
void hark_hub_when_published (HarkHub *self, gint64 rev, HarkHubFunc func, gpointer data);
gboolean hark_hub_remembers (HarkHub *self, gint64 rev);
/* Whether an event of the topic that is not of @kind was published after @rev, which the hub remembers. */
gboolean hark_hub_has_published (HarkHub *self, const HarkTopic *topic, gint64 rev, const char *but_kind);

/* Subscribes; for a topic already subscribed to gives that subscription (nothing is sent twice). @cursor is the topic's
 * seq at @rev. TOO_LARGE when the session has too many. */
HarkSubscription *hark_hub_subscribe (HarkHub *self, HarkSession *session, const HarkTopic *topic, gint64 cursor,
                                      gint64 rev, GError **error);
/* Subscribes to the part of a topic that is about the ids greater than @after up to @last; to more of it when called
 * again. What was published about them since @rev follows. TOO_LARGE when the parts are too many. */
HarkSubscription *hark_hub_subscribe_part (HarkHub *self, HarkSession *session, const HarkTopic *topic, gint64 after,
                                           gint64 last, gint64 cursor, gint64 rev, GError **error);
void hark_hub_unsubscribe (HarkHub *self, HarkSession *session, const HarkTopic *topic);
/* Takes the topic from all sessions of a user (0: of everybody), as when a right is lost. */
void hark_hub_unsubscribe_user (HarkHub *self, gint64 user_id, const HarkTopic *topic);

/* From now on the session gets its user's personal topic, beginning with what was published after @rev. Every session of
 * a user does, so it is no subscription: it costs no memory, is in no list and is not resumed. CONFLICT when @rev is too
 * long ago, OFFLINE when the session is over. */
gboolean hark_hub_join_personal (HarkHub *self, HarkSession *session, gint64 rev, GError **error);

/* The light form, without a cursor: for the users a session has loaded (topics of HARK_TOPIC_USER). */
gboolean hark_hub_load (HarkHub *self, HarkSession *session, const gint64 *user_ids, guint n, gint64 rev,
                        GError **error);
void hark_hub_unload (HarkHub *self, HarkSession *session, const gint64 *user_ids, guint n);
gboolean hark_hub_has_loaded (HarkHub *self, HarkSession *session, gint64 user_id);
gint64 hark_hub_get_sent_rev (HarkHub *self, HarkSession *session);
/* (element-type gint64) (transfer full): the users a session has loaded. */
GArray *hark_hub_dup_loaded (HarkHub *self, HarkSession *session);
guint hark_hub_get_n_receivers (HarkHub *self, const HarkTopic *topic);

const HarkHubLimits *hark_hub_get_limits (HarkHub *self);
HarkDispatcher *hark_hub_get_dispatcher (HarkHub *self);
HarkClock *hark_hub_get_clock (HarkHub *self);
HarkTurn *hark_hub_get_turn (HarkHub *self);
HarkIndex *hark_hub_get_index (HarkHub *self);

G_END_DECLS
