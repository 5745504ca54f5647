/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A state, then its changes, without a gap and without doubles. The state is read in a reader's thread together with
 * the greatest rev in the event log; it is sent when the hub has published up to that rev; and in the same breath the
 * session joins the topics, beginning with what was published after it. A snapshot is taken again when the hub no
 * longer remembers back to it, when rights have changed since, and when the session, having loaded the thing before, has
 * been told something newer than the snapshot says.
 */
#include "chat/snapshot.h"

#include "base/error.h"
#include "core/event-log.h"
#include "core/ranges.h"

#define MAX_ATTEMPTS 4

typedef struct
{
  HarkTopic topic;   /* (owned) */
  gint64 cursor;     /* its seq in the snapshot */
  gboolean is_state; /* the reply replaces what the client knows of it */
  const char *adds;  /* (nullable): the kind of event that leaves the reply right; a constant */
  HarkRange part;    /* what of it; last is 0: all */
} HarkJoin;

typedef struct
{
  gint64 user_id;
  gint64 seq; /* of the user's topic in the snapshot */
} HarkJoinedUser;

struct _HarkSnapshots
{
  HarkHub *hub;       /* unowned */
  HarkStore *store;   /* unowned */
  gint64 expired_rev; /* what was read before this does not count */
  HarkCounter *n_retries;
  void (*changed) (HarkSession *session, gpointer data); /* (nullable) */
  gpointer changed_data;
  HarkSnapshotJoined joined; /* (nullable) */
  gpointer joined_data;
  gint64 serial;
};

static void
join_clear (gpointer data)
{
  hark_topic_clear (&((HarkJoin *)data)->topic);
}

/**
 * hark_snapshot_new:
 * @size: of the struct of which HarkSnapshot is the first member; zeroed
 * @command: (transfer full)
 */
gpointer
hark_snapshot_new (gsize size, HarkCommand *command, HarkSnapshotRead read, HarkSnapshotFunc clear)
{
  HarkSnapshot *self = g_malloc0 (size);
  self->command = command;
  self->actor = hark_command_get_user_id (command);
  self->flags = command->actor != NULL ? command->actor->flags : HARK_IDENTITY_NONE;
  self->read = read;
  self->clear = clear;
  self->topics = g_array_new (FALSE, FALSE, sizeof (HarkJoin));
  g_array_set_clear_func (self->topics, join_clear);
  self->users = g_array_new (FALSE, FALSE, sizeof (HarkJoinedUser));
  hark_json_writer_init (&self->reply, 0);
  return self;
}

void
hark_snapshot_free (gpointer snapshot)
{
  HarkSnapshot *self = snapshot;
  if (self->clear != NULL)
    self->clear (self);
  g_array_unref (self->topics);
  g_array_unref (self->users);
  hark_json_writer_clear (&self->reply);
  hark_command_unref (self->command);
  g_free (self);
}

/* @cursor: the topic's seq as this transaction sees it. @is_state: the reply replaces what the client knew of it. */
void
hark_snapshot_add_topic (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, gboolean is_state)
{
  HarkJoin join = { hark_topic_copy (topic), cursor, is_state, NULL, { 0, 0 } };
  g_array_append_val (self->topics, join);
}

void
hark_snapshot_add_growing (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, const char *adds)
{
  HarkJoin join = { hark_topic_copy (topic), cursor, TRUE, adds, { 0, 0 } };
  g_array_append_val (self->topics, join);
}

void
hark_snapshot_add_part (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, gint64 after, gint64 last)
{
  HarkJoin join = { hark_topic_copy (topic), cursor, TRUE, NULL, { after, last } };
  g_array_append_val (self->topics, join);
}

/* @seq: of the user's topic as this transaction sees it */
void
hark_snapshot_add_user (HarkSnapshot *self, gint64 user_id, gint64 seq)
{
  HarkJoinedUser user = { user_id, seq };
  g_array_append_val (self->users, user);
}

HarkSnapshots *
hark_snapshots_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics)
{
  HarkSnapshots *self = g_new0 (HarkSnapshots, 1);
  self->hub = hub;
  self->store = store;
  self->n_retries = hark_metrics_counter (metrics, "hark_snapshot_retries_total",
                                          "Times a state was read again because it had changed meanwhile.");
  return self;
}

void
hark_snapshots_free (HarkSnapshots *self)
{
  g_free (self);
}

void
hark_snapshots_expire (HarkSnapshots *self, gint64 rev)
{
  self->expired_rev = MAX (self->expired_rev, rev);
}

void
hark_snapshots_set_changed (HarkSnapshots *self, void (*func) (HarkSession *session, gpointer data), gpointer data)
{
  self->changed = func;
  self->changed_data = data;
}

gint64
hark_snapshots_stamp (HarkSnapshots *self)
{
  return ++self->serial;
}

void
hark_snapshots_set_joined (HarkSnapshots *self, HarkSnapshotJoined func, gpointer data)
{
  self->joined = func;
  self->joined_data = data;
}

void
hark_snapshots_changed (HarkSnapshots *self, HarkSession *session)
{
  if (self->changed != NULL)
    self->changed (session, self->changed_data);
}

static gboolean
read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  HarkSnapshot *self = data;
  g_array_set_size (self->topics, 0);
  g_array_set_size (self->users, 0);
  hark_json_writer_reset (&self->reply);
  hark_json_writer_begin_object (&self->reply);
  if (!hark_event_log_get_rev (tx, &self->rev, error) || !self->read (tx, self, error))
    return FALSE;
  hark_json_writer_member_int (&self->reply, "rev", self->rev);
  hark_json_writer_end_object (&self->reply);
  return TRUE;
}

/* Whether the session has been told of something that happened to @topic after @seq. */
static gboolean
was_told_newer (HarkHub *hub, const HarkTopic *topic, gint64 seq)
{
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (hub), topic);
  return entry != NULL && entry->published_seq > seq;
}

/* Whether the snapshot still holds for this session, and @n_new: (out): how many topics it does not have. */
static gboolean
holds (HarkSnapshot *self, HarkSession *session, guint *n_new, gboolean *joined_before)
{
  HarkHub *hub = self->owner->hub;
  *n_new = 0;
  *joined_before = FALSE;
  if (self->rev < self->owner->expired_rev || !hark_hub_remembers (hub, self->rev))
    return FALSE;
  for (guint i = 0; i < self->topics->len; i++)
    {
      HarkJoin *join = &g_array_index (self->topics, HarkJoin, i);
      if (hark_session_find_subscription (session, &join->topic) == NULL)
        {
          *n_new += 1;
          continue;
        }
      *joined_before = TRUE;
      if (join->is_state && was_told_newer (hub, &join->topic, join->cursor)
          && (join->adds == NULL || hark_hub_has_published (hub, &join->topic, self->rev, join->adds)))
        return FALSE;
    }
  for (guint i = 0; i < self->users->len; i++)
    {
      HarkJoinedUser *user = &g_array_index (self->users, HarkJoinedUser, i);
      HarkTopic topic = hark_topic (HARK_TOPIC_USER, user->user_id);
      if (!hark_hub_has_loaded (hub, session, user->user_id))
        continue;
      *joined_before = TRUE;
      if (was_told_newer (hub, &topic, user->seq))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_parts (const HarkJoin *join, HarkSession *session, const HarkHubLimits *limits, GError **error)
{
  HarkSubscription *subscription = join->part.last != 0 ? hark_session_find_subscription (session, &join->topic) : NULL;
  GArray *ranges = subscription != NULL ? subscription->ranges : NULL;
  if (ranges == NULL || ranges->len < limits->max_parts || hark_ranges_meet (ranges, join->part.after, join->part.last))
    return TRUE;
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE,
               "a session can have loaded %u separate parts of a list: \"forget\" some", limits->max_parts);
  return FALSE;
}

static gboolean
check_bounds (HarkSnapshot *self, HarkSession *session, guint n_new, GError **error)
{
  const HarkHubLimits *limits = hark_hub_get_limits (self->owner->hub);
  guint n_subscriptions = session->subscriptions != NULL ? session->subscriptions->len : 0;
  if (n_new > 0 && n_subscriptions + n_new > limits->max_subscriptions)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE,
                   "a session can have %u subscriptions at a time: \"forget\" some", limits->max_subscriptions);
      return FALSE;
    }
  if (session->n_interests + self->users->len > limits->max_interests)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE,
                   "a session can have loaded %u users at a time: \"forget\" some", limits->max_interests);
      return FALSE;
    }
  for (guint i = 0; i < self->topics->len; i++)
    if (!check_parts (&g_array_index (self->topics, HarkJoin, i), session, limits, error))
      return FALSE;
  return TRUE;
}

/* After the checks above nothing here can fail, unless the session ends: then it joins nothing. */
static void
join (HarkSnapshot *self, HarkSession *session)
{
  HarkHub *hub = self->owner->hub;
  g_autofree gint64 *ids = g_new (gint64, self->users->len + 1);
  for (guint i = 0; i < self->topics->len && session->state == HARK_SESSION_OPEN; i++)
    {
      HarkJoin *joining = &g_array_index (self->topics, HarkJoin, i);
      if (joining->part.last == 0)
        hark_hub_subscribe (hub, session, &joining->topic, joining->cursor, self->rev, NULL);
      else
        hark_hub_subscribe_part (hub, session, &joining->topic, joining->part.after, joining->part.last,
                                 joining->cursor, self->rev, NULL);
    }
  for (guint i = 0; i < self->users->len; i++)
    ids[i] = g_array_index (self->users, HarkJoinedUser, i).user_id;
  if (self->users->len > 0 && session->state == HARK_SESSION_OPEN)
    hark_hub_load (hub, session, ids, self->users->len, self->rev, NULL);
}

static void
send_reply (HarkSnapshot *self)
{
  HarkJsonWriter *writer = hark_command_begin_reply (self->command);
  gsize len;
  const char *json = hark_json_writer_peek (&self->reply, &len);
  hark_json_writer_members_raw (writer, json, len);
  hark_command_end_reply (self->command);
}

static void
tell_joined (HarkSnapshot *self, HarkSession *session)
{
  HarkSnapshots *owner = self->owner;
  for (guint i = 0; owner->joined != NULL && i < self->topics->len; i++)
    owner->joined (session, &g_array_index (self->topics, HarkJoin, i).topic, self->serial, owner->joined_data);
}

static void read_again (HarkSnapshot *self);

static void
on_published (gpointer data)
{
  HarkSnapshot *self = data;
  HarkSession *session = self->command->session;
  g_autoptr (GError) error = NULL;
  gboolean joined_before;
  guint n_new;
  if (session == NULL || session->state != HARK_SESSION_OPEN)
    {
      send_reply (self);
      hark_snapshot_free (self);
      return;
    }
  if (!holds (self, session, &n_new, &joined_before))
    {
      read_again (self);
      return;
    }
  /* What the snapshot includes and is still on its way must not come after it. This may end sessions. */
  if (joined_before)
    hark_index_deliver (hark_hub_get_index (self->owner->hub));
  if (!check_bounds (self, session, n_new, &error))
    {
      hark_command_fail (self->command, error);
      hark_snapshot_free (self);
      return;
    }
  send_reply (self);
  join (self, session);
  tell_joined (self, session);
  if (self->joined != NULL)
    self->joined (self);
  if (self->topics->len + self->users->len > 0)
    hark_snapshots_changed (self->owner, session);
  hark_snapshot_free (self);
}

static void
on_read (gpointer data, const GError *error, gpointer user_data)
{
  HarkSnapshot *self = data;
  if (error != NULL)
    {
      hark_command_fail (self->command, error);
      hark_snapshot_free (self);
      return;
    }
  hark_hub_when_published (self->owner->hub, self->rev, on_published, self);
}

static void
read_again (HarkSnapshot *self)
{
  if (self->attempts == MAX_ATTEMPTS)
    {
      g_autoptr (GError) error = g_error_new (HARK_ERROR, HARK_ERROR_OVERLOADED, "it changes too fast to be read");
      hark_command_fail (self->command, error);
      hark_snapshot_free (self);
      return;
    }
  if (self->attempts++ > 0)
    hark_counter_add (self->owner->n_retries, 1);
  self->serial = hark_snapshots_stamp (self->owner);
  hark_store_read (self->owner->store, read_in_thread, self, NULL, on_read, NULL);
}

/**
 * hark_snapshots_take:
 * @snapshot: (transfer full)
 *
 * Has the snapshot read, its reply sent and what it adds joined. For a command of no session only the first two.
 */
void
hark_snapshots_take (HarkSnapshots *self, gpointer snapshot)
{
  ((HarkSnapshot *)snapshot)->owner = self;
  read_again (snapshot);
}
