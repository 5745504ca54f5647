/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sessions have subscribed to and loaded. Joining is where snapshot and updates meet: who has read what was so at
 * some rev is told what has been published since, before anything newer reaches him.
 */
#include "core/hub-private.h"

#include "base/error.h"
#include "core/ranges.h"

/* A session may have ended while what it asked for was read. */
static gboolean
check_open (HarkSession *session, GError **error)
{
  if (session->state == HARK_SESSION_OPEN && !session->ending)
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_OFFLINE, "the session is over");
  return FALSE;
}

static gboolean
check_remembers (HarkHub *self, gint64 rev, GError **error)
{
  if (rev < 0 || hark_hub_remembers (self, rev))
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "too much has changed since that was read");
  return FALSE;
}

typedef struct
{
  HarkHub *hub;
  HarkSession *session;
  const HarkTopic *topic; /* (nullable): %NULL for users in @added */
  GHashTable *added;      /* (nullable): user ids */
  const HarkRange *part;  /* (nullable): what is wanted of @topic, without what is had of it already */
  GArray *had;            /* (nullable) */
} Replay;

static gboolean
is_in_part (const Replay *replay, const HarkEvent *event)
{
  if (replay->part == NULL || event->subject == 0)
    return replay->had == NULL || event->subject != 0;
  return event->subject > replay->part->after && event->subject <= replay->part->last
         && (replay->had == NULL || !hark_ranges_contain (replay->had, event->subject));
}

static void
replay_event (HarkEvent *event, gpointer data)
{
  Replay *replay = data;
  gboolean wanted = replay->topic != NULL
                      ? hark_topic_equal (&event->topic, replay->topic) && is_in_part (replay, event)
                      : event->topic.kind == HARK_TOPIC_USER && g_hash_table_contains (replay->added, &event->topic.id);
  if (wanted)
    hark_session_send_event (replay->session, event);
}

static HarkSubscription *
subscribe (HarkHub *self, HarkSession *session, const HarkTopic *topic, const HarkRange *part, gint64 cursor,
           gint64 rev, GError **error)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (session);
  HarkSubscription *subscription = hark_session_find_subscription (session, topic);
  g_autoptr (GArray) had = NULL;
  Replay replay = { self, session, topic, NULL, part, NULL };
  if (!check_open (session, error))
    return NULL;
  if (subscription != NULL && (part == NULL || subscription->ranges == NULL))
    return subscription;
  if (subscription == NULL
      && (session->subscriptions != NULL && session->subscriptions->len >= self->limits.max_subscriptions))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "a session can have %u subscriptions at a time",
                   self->limits.max_subscriptions);
      return NULL;
    }
  if (subscription != NULL && !hark_ranges_meet (subscription->ranges, part->after, part->last)
      && subscription->ranges->len >= self->limits.max_parts)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "a session can have %u separate parts of a list",
                   self->limits.max_parts);
      return NULL;
    }
  if (!check_remembers (self, rev, error))
    return NULL;
  if (subscription == NULL)
    subscription = hark_index_subscribe (self->index, session, topic, cursor);
  else
    had = replay.had = g_array_copy (subscription->ranges);
  if (part != NULL)
    {
      if (subscription->ranges == NULL)
        subscription->ranges = hark_ranges_new ();
      hark_ranges_add (subscription->ranges, part->after, part->last);
    }
  if (rev >= 0)
    hark_recent_foreach_since (&self->recent, rev, replay_event, &replay);
  return check_open (session, error) ? subscription : NULL;
}

/**
 * hark_hub_subscribe:
 * @cursor: the topic's seq in the snapshot that was taken at @rev
 * @rev: the revision of the snapshot the client has been sent; -1: none, updates begin now
 *
 * From now on the session receives the topic, beginning with what was published after @rev.
 *
 * Returns: (transfer none) (nullable): the subscription, also when there was one (then nothing is replayed);
 *   %HARK_ERROR_TOO_LARGE beyond the bound, %HARK_ERROR_CONFLICT when @rev is too long ago, %HARK_ERROR_OFFLINE when
 *   the session is over, also when it is because it was too slow for what is replayed
 */
HarkSubscription *
hark_hub_subscribe (HarkHub *self, HarkSession *session, const HarkTopic *topic, gint64 cursor, gint64 rev,
                    GError **error)
{
  return subscribe (self, session, topic, NULL, cursor, rev, error);
}

HarkSubscription *
hark_hub_subscribe_part (HarkHub *self, HarkSession *session, const HarkTopic *topic, gint64 after, gint64 last,
                         gint64 cursor, gint64 rev, GError **error)
{
  HarkRange part = { after, last };
  return subscribe (self, session, topic, &part, cursor, rev, error);
}

void
hark_hub_unsubscribe (HarkHub *self, HarkSession *session, const HarkTopic *topic)
{
  HarkSubscription *subscription = hark_session_find_subscription (session, topic);
  if (subscription != NULL)
    hark_subscription_end (subscription);
}

/* Takes the topic from all sessions of @user_id, or of everybody when that is 0. */
void
hark_hub_unsubscribe_user (HarkHub *self, gint64 user_id, const HarkTopic *topic)
{
  HarkTopicEntry *entry = hark_index_find (self->index, topic);
  g_autoptr (GPtrArray) ending = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    {
      HarkReceiver *receiver = &entry->receivers[i];
      if (!receiver->is_interest && (user_id == 0 || hark_session_get_user_id (receiver->session) == user_id))
        g_ptr_array_add (ending, g_object_ref (receiver->session->subscriptions->pdata[receiver->slot]));
    }
  for (guint i = 0; i < ending->len; i++)
    hark_subscription_end (ending->pdata[i]);
}

gboolean
hark_hub_join_personal (HarkHub *self, HarkSession *session, gint64 rev, GError **error)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (session);
  HarkTopic topic = hark_topic (HARK_TOPIC_PERSONAL, hark_session_get_user_id (session));
  Replay replay = { self, session, &topic, NULL, NULL, NULL };
  if (!check_open (session, error) || !check_remembers (self, rev, error))
    return FALSE;
  /* What waits for the end of the turn is replayed. */
  hark_hub_deliver_personal (self);
  hark_recent_foreach_since (&self->recent, rev, replay_event, &replay);
  session->personal = TRUE;
  return check_open (session, error);
}

static guint
count_new (HarkHub *self, HarkSession *session, const gint64 *user_ids, guint n)
{
  guint n_new = 0;
  for (guint i = 0; i < n; i++)
    n_new += !hark_hub_has_loaded (self, session, user_ids[i]);
  return n_new;
}

/**
 * hark_hub_load:
 * @user_ids: (array length=n)
 * @rev: as for hark_hub_subscribe ()
 *
 * The session has loaded these users: from now on it receives their changes, once each however often it loads them.
 *
 * Returns: %FALSE with %HARK_ERROR_TOO_LARGE beyond the bound, %HARK_ERROR_CONFLICT when @rev is too long ago,
 *   %HARK_ERROR_OFFLINE when the session is over, also when it is because it was too slow for what is replayed
 */
gboolean
hark_hub_load (HarkHub *self, HarkSession *session, const gint64 *user_ids, guint n, gint64 rev, GError **error)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (session);
  g_autoptr (GHashTable) added = NULL;
  Replay replay = { self, session, NULL, NULL, NULL, NULL };
  if (!check_open (session, error))
    return FALSE;
  if (session->n_interests + n > self->limits.max_interests
      && session->n_interests + count_new (self, session, user_ids, n) > self->limits.max_interests)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "a session can have loaded %u users at a time",
                   self->limits.max_interests);
      return FALSE;
    }
  if (!check_remembers (self, rev, error))
    return FALSE;
  added = g_hash_table_new (g_int64_hash, g_int64_equal);
  hark_index_reserve_interests (self->index, session, n);
  for (guint i = 0; i < n; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_ids[i]);
      if (hark_index_add_interest (self->index, session, &topic))
        g_hash_table_add (added, (gpointer)&user_ids[i]);
    }
  replay.added = added;
  if (rev >= 0)
    hark_recent_foreach_since (&self->recent, rev, replay_event, &replay);
  return check_open (session, error);
}

void
hark_hub_unload (HarkHub *self, HarkSession *session, const gint64 *user_ids, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_ids[i]);
      hark_index_remove_interest (self->index, session, &topic);
    }
}

gboolean
hark_hub_has_loaded (HarkHub *self, HarkSession *session, gint64 user_id)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_USER, user_id);
  return hark_index_has_interest (self->index, session, &topic);
}

/**
 * hark_hub_get_sent_rev:
 *
 * Returns: the rev up to which everything meant for the session has left for it, as hark_subscription_get_cursor () has
 *   it for a topic: what a session that comes back must be told of the users it had loaded is what changed since
 */
gint64
hark_hub_get_sent_rev (HarkHub *self, HarkSession *session)
{
  gint64 waiting = hark_index_get_waiting_rev (self->index);
  gint64 unsent = session->transport != NULL ? hark_outbox_get_unsent_rev (&session->transport->outbox) : 0;
  gint64 rev = self->recent.rev;
  if (waiting > 0)
    rev = MIN (rev, waiting - 1);
  if (unsent > 0)
    rev = MIN (rev, unsent - 1);
  if (session->missed_rev > 0)
    rev = MIN (rev, session->missed_rev - 1);
  return rev;
}

/* Returns: (transfer full) (element-type gint64): the users the session has loaded, in no order */
GArray *
hark_hub_dup_loaded (HarkHub *self, HarkSession *session)
{
  GArray *ids = g_array_sized_new (FALSE, FALSE, sizeof (gint64), session->n_interests);
  for (guint i = 0; i < session->n_interests; i++)
    g_array_append_val (ids, session->interests[i].entry->topic.id);
  return ids;
}

guint
hark_hub_get_n_receivers (HarkHub *self, const HarkTopic *topic)
{
  HarkTopicEntry *entry = hark_index_find (self->index, topic);
  if (topic->kind == HARK_TOPIC_PERSONAL)
    return hark_hub_get_n_user_sessions (self, topic->id);
  return entry != NULL ? entry->n_receivers : 0;
}
