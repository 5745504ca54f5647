/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unread numbers as they change. A message costs a note that its channel was written in, whatever the number of members;
 * the rest is put off and done for all that was noted, for those who are there and have the server loaded: their
 * numbers are read in a reader's thread, a few users at a time and one such read after another, and told when they are
 * not what was told before. A round that takes long is followed by as long a rest, so that where very many are there
 * the numbers come later and not at the price of everything else.
 */
#include "chat/unread-feed.h"

#include "chat/unread-pending.h"
#include "chat/unread-teller.h"
#include "core/event-log.h"

/* Users of one read, half of them for those who have read themselves. */
#define BATCH 64

/* More channels than this of one server are told as a whole. */
#define MAX_CHANNELS 8

/* More users than this who have gained or lost a channel at once are not told apart from all others. */
#define MAX_AUDIENCE 64

/* A server whose numbers have changed. */
typedef struct
{
  gint64 server_id;
  GArray *channels; /* (owned) (nullable) (element-type gint64): where; %NULL: anywhere */
} Affected;

/* Whose numbers are to be read, and what of them told. */
typedef struct
{
  gint64 user_id;
  gint64 server_id;
  GArray *channels; /* (owned) (nullable): as above */
} Item;

typedef struct
{
  HarkUnreadFeed *feed;
  GArray *items;  /* (element-type Item) */
  GArray *counts; /* out (element-type HarkUnreadCount) */
  GArray *ends;   /* out (element-type guint): where the counts of each item end */
  gint64 serial;
  gint64 rev; /* out */
} Job;

typedef struct
{
  HarkUnreadFeed *feed;
  GArray *channels; /* (element-type gint64) */
  GArray *servers;  /* out (element-type gint64): 0 for a channel that is gone */
} Lookup;

struct _HarkUnreadFeed
{
  HarkHub *hub; /* unowned, as the next two */
  HarkStore *store;
  HarkSnapshots *snapshots;
  HarkClock *clock; /* (owned) */
  const HarkChatLimits *limits;
  HarkUnreadPending pending;
  HarkUnreadTeller *teller; /* (owned) */
  GHashTable *homes;   /* channel id → server id (both owned): those looked up, forgotten when they are too many */
  GHashTable *moved;   /* server id → serial (both owned): when its receivers were listed last */
  gint64 moved_before; /* of servers that are not in @moved any more */
  GPtrArray *affected; /* (element-type Affected) (owned): of this round, whose receivers are not listed yet */
  GArray *items;       /* (element-type Item): of this round, not read yet */
  gboolean running;
  gint64 began; /* microseconds, monotonic: the round */
  guint timeout_id;
  gulong published_id;
  gulong offline_id;
  const char *message_kind; /* interned, as the next four */
  const char *delete_kind;
  const char *show_kind;
  const char *hide_kind;
  const char *add_kind;
};

static void
affected_free (gpointer data)
{
  Affected *affected = data;
  g_clear_pointer (&affected->channels, g_array_unref);
  g_free (affected);
}

static void
item_clear (gpointer data)
{
  g_clear_pointer (&((Item *)data)->channels, g_array_unref);
}

static GArray *
items_new (void)
{
  GArray *items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (items, item_clear);
  return items;
}

static void
job_free (Job *job)
{
  g_array_unref (job->items);
  g_array_unref (job->counts);
  g_array_unref (job->ends);
  g_free (job);
}

/* Rounds. */

static void go_on (HarkUnreadFeed *self);
static gboolean on_timeout (gpointer data);

static void
schedule (HarkUnreadFeed *self, guint ms)
{
  if (self->timeout_id == 0 && !self->running)
    self->timeout_id = hark_clock_add_timeout (self->clock, ms, on_timeout, self);
}

static void
end_round (HarkUnreadFeed *self)
{
  gint64 took = (hark_clock_get_monotonic (self->clock) - self->began) / 1000;
  self->running = FALSE;
  if (!hark_unread_pending_is_empty (&self->pending) || self->items->len > 0 || self->affected->len > 0)
    schedule (self, CLAMP (took, self->limits->unread_interval_ms, G_MAXINT));
}

static gboolean
read_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Job *job = data;
  if (!hark_event_log_get_rev (tx, &job->rev, error))
    return FALSE;
  for (guint i = 0; i < job->items->len; i++)
    {
      const Item *item = &g_array_index (job->items, Item, i);
      if (!hark_unread_counts_read_server (tx, item->user_id, item->server_id, job->counts, error))
        return FALSE;
      g_array_append_val (job->ends, job->counts->len);
    }
  return TRUE;
}

static void
on_job_published (gpointer data)
{
  Job *job = data;
  HarkUnreadFeed *self = job->feed;
  const HarkUnreadCount *counts = (const HarkUnreadCount *)(gpointer)job->counts->data;
  guint first = 0;
  /* The messages that are counted come before the numbers. */
  hark_index_deliver (hark_hub_get_index (self->hub));
  for (guint i = 0; i < job->items->len; i++)
    {
      const Item *item = &g_array_index (job->items, Item, i);
      guint end = g_array_index (job->ends, guint, i);
      HarkUnreadNumbers numbers = { item->user_id, item->channels, counts + first, end - first, job->serial, job->rev };
      if (end > first)
        hark_unread_teller_tell (self->teller, &numbers);
      first = end;
    }
  job_free (job);
  go_on (self);
}

/* What the store could not read now is read in a later round. */
static void
on_read (gpointer data, const GError *error, gpointer user_data)
{
  Job *job = data;
  HarkUnreadFeed *self = job->feed;
  if (error == NULL)
    {
      hark_hub_when_published (self->hub, job->rev, on_job_published, job);
      return;
    }
  for (guint i = 0; i < job->items->len; i++)
    {
      const Item *item = &g_array_index (job->items, Item, i);
      hark_unread_pending_add_pair (&self->pending, item->user_id, item->server_id, 0);
    }
  job_free (job);
  end_round (self);
}

static void
add_pairs (GArray *items, GArray *pairs)
{
  for (guint i = 0; i < pairs->len; i++)
    {
      const HarkUnreadPair *pair = &g_array_index (pairs, HarkUnreadPair, i);
      Item item = { pair->user_id, pair->server_id, NULL };
      if (pair->channel_id != 0)
        {
          item.channels = g_array_new (FALSE, FALSE, sizeof (gint64));
          g_array_append_val (item.channels, pair->channel_id);
        }
      g_array_append_val (items, item);
    }
}

static void
take_items (HarkUnreadFeed *self, GArray *items)
{
  while (items->len < BATCH && self->items->len > 0)
    {
      Item *last = &g_array_index (self->items, Item, self->items->len - 1);
      Item item = { last->user_id, last->server_id, g_steal_pointer (&last->channels) };
      g_array_set_size (self->items, self->items->len - 1);
      g_array_append_val (items, item);
    }
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *)a, right = *(const gint64 *)b;
  return left < right ? -1 : left > right;
}

/* Notes that whoever loads the server from now on must have read it from now on. */
static void
note_moved (HarkUnreadFeed *self, gint64 server_id)
{
  gint64 serial = hark_snapshots_stamp (self->snapshots);
  if (g_hash_table_size (self->moved) >= self->limits->unread_pending)
    {
      g_hash_table_remove_all (self->moved);
      self->moved_before = serial;
    }
  g_hash_table_insert (self->moved, g_memdup2 (&server_id, sizeof server_id), g_memdup2 (&serial, sizeof serial));
}

/* Lists who is there and has the server loaded, each once. */
static void
list_receivers (HarkUnreadFeed *self, const Affected *affected)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, affected->server_id);
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (self->hub), &topic);
  g_autoptr (GArray) users = g_array_new (FALSE, FALSE, sizeof (gint64));
  note_moved (self, affected->server_id);
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    {
      gint64 user_id = hark_session_get_user_id (entry->receivers[i].session);
      g_array_append_val (users, user_id);
    }
  g_array_sort (users, compare_ids);
  for (guint i = 0; i < users->len; i++)
    {
      Item item = { g_array_index (users, gint64, i), affected->server_id, NULL };
      if (i > 0 && item.user_id == g_array_index (users, gint64, i - 1))
        continue;
      item.channels = affected->channels != NULL ? g_array_ref (affected->channels) : NULL;
      g_array_append_val (self->items, item);
    }
}

static void
go_on (HarkUnreadFeed *self)
{
  g_autoptr (GArray) items = items_new ();
  g_autoptr (GArray) urgent = hark_unread_pending_steal_urgent (&self->pending, BATCH / 2);
  Job *job;
  add_pairs (items, urgent);
  while (self->items->len == 0 && self->affected->len > 0)
    {
      Affected *affected = g_ptr_array_steal_index_fast (self->affected, self->affected->len - 1);
      list_receivers (self, affected);
      affected_free (affected);
    }
  take_items (self, items);
  if (items->len == 0)
    {
      end_round (self);
      return;
    }
  job = g_new0 (Job, 1);
  job->feed = self;
  job->items = g_steal_pointer (&items);
  job->counts = g_array_new (FALSE, FALSE, sizeof (HarkUnreadCount));
  job->ends = g_array_new (FALSE, FALSE, sizeof (guint));
  job->serial = hark_snapshots_stamp (self->snapshots);
  hark_store_read (self->store, read_in_thread, job, NULL, on_read, NULL);
}

static Affected *
ensure_affected (HarkUnreadFeed *self, GHashTable *by_server, gint64 server_id)
{
  Affected *affected = g_hash_table_lookup (by_server, &server_id);
  if (affected != NULL)
    return affected;
  affected = g_new0 (Affected, 1);
  affected->server_id = server_id;
  affected->channels = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_ptr_array_add (self->affected, affected);
  g_hash_table_insert (by_server, &affected->server_id, affected);
  return affected;
}

/* Where channels are is known: which servers that makes. */
static void
gather (HarkUnreadFeed *self, GArray *channels)
{
  g_autoptr (GHashTable) by_server = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GArray) servers = hark_unread_pending_steal_servers (&self->pending);
  g_autoptr (GArray) pairs = hark_unread_pending_steal_pairs (&self->pending);
  add_pairs (self->items, pairs);
  for (guint i = 0; i < servers->len; i++)
    g_clear_pointer (&ensure_affected (self, by_server, g_array_index (servers, gint64, i))->channels, g_array_unref);
  for (guint i = 0; i < channels->len; i++)
    {
      gint64 channel_id = g_array_index (channels, gint64, i);
      const gint64 *home = g_hash_table_lookup (self->homes, &channel_id);
      Affected *affected;
      if (home == NULL || *home == 0)
        continue;
      affected = ensure_affected (self, by_server, *home);
      if (affected->channels != NULL && affected->channels->len == MAX_CHANNELS)
        g_clear_pointer (&affected->channels, g_array_unref);
      if (affected->channels != NULL)
        g_array_append_val (affected->channels, channel_id);
    }
  go_on (self);
}

static gboolean
look_up_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Lookup *lookup = data;
  for (guint i = 0; i < lookup->channels->len; i++)
    {
      gint64 server_id = 0;
      if (!hark_transaction_query_int64 (tx, &server_id, NULL, error,
                                         "SELECT server_id FROM channels WHERE channel_id = ?", "i",
                                         g_array_index (lookup->channels, gint64, i)))
        return FALSE;
      g_array_append_val (lookup->servers, server_id);
    }
  return TRUE;
}

static void
lookup_free (gpointer data)
{
  Lookup *lookup = data;
  g_array_unref (lookup->channels);
  g_array_unref (lookup->servers);
  g_free (lookup);
}

static void
on_looked_up (gpointer data, const GError *error, gpointer user_data)
{
  Lookup *lookup = data;
  HarkUnreadFeed *self = lookup->feed;
  for (guint i = 0; i < lookup->channels->len; i++)
    {
      gint64 *channel_id = &g_array_index (lookup->channels, gint64, i);
      if (error != NULL)
        hark_unread_pending_add_channel (&self->pending, *channel_id);
      else
        g_hash_table_insert (self->homes, g_memdup2 (channel_id, sizeof *channel_id),
                             g_memdup2 (&g_array_index (lookup->servers, gint64, i), sizeof (gint64)));
    }
  if (error == NULL)
    gather (self, lookup->channels);
  else
    end_round (self);
}

/* A channel never moves: those that are not known are looked up, in one read, and all of a round are together again. */
static void
look_up (HarkUnreadFeed *self)
{
  g_autoptr (GArray) channels = hark_unread_pending_steal_channels (&self->pending);
  gboolean all_known = TRUE;
  Lookup *lookup;
  for (guint i = 0; i < channels->len && all_known; i++)
    all_known = g_hash_table_contains (self->homes, &g_array_index (channels, gint64, i));
  if (all_known)
    {
      gather (self, channels);
      return;
    }
  if (g_hash_table_size (self->homes) + channels->len > self->limits->unread_pending)
    g_hash_table_remove_all (self->homes);
  lookup = g_new0 (Lookup, 1);
  lookup->feed = self;
  lookup->channels = g_steal_pointer (&channels);
  lookup->servers = g_array_new (FALSE, FALSE, sizeof (gint64));
  hark_store_read (self->store, look_up_in_thread, lookup, lookup_free, on_looked_up, NULL);
}

static void
begin_round (HarkUnreadFeed *self)
{
  self->running = TRUE;
  self->began = hark_clock_get_monotonic (self->clock);
}

static gboolean
on_timeout (gpointer data)
{
  HarkUnreadFeed *self = data;
  self->timeout_id = 0;
  /* One for those who have read themselves may be under way: it comes back here when it has ended. */
  if (!self->running)
    {
      begin_round (self);
      look_up (self);
    }
  return G_SOURCE_REMOVE;
}

/* What a user has done is told without waiting for what others do. */
static void
hurry (HarkUnreadFeed *self)
{
  if (self->running)
    return;
  begin_round (self);
  go_on (self);
}

/* What happens. */

static void
on_rights_changed (HarkUnreadFeed *self, HarkEvent *event)
{
  HarkTopicEntry *entry = hark_index_find (hark_hub_get_index (self->hub), &event->topic);
  gint64 server_id = event->topic.id;
  note_moved (self, server_id);
  if (event->audience == NULL || event->audience->len > MAX_AUDIENCE)
    {
      hark_unread_pending_add_server (&self->pending, server_id);
      schedule (self, self->limits->unread_interval_ms);
      return;
    }
  for (guint i = 0; entry != NULL && i < entry->n_receivers; i++)
    {
      gint64 user_id = hark_session_get_user_id (entry->receivers[i].session);
      if (hark_event_may_see (event, user_id))
        hark_unread_pending_add_pair (&self->pending, user_id, server_id, 0);
    }
  schedule (self, self->limits->unread_interval_ms);
}

static void
on_published (HarkHub *hub, HarkEvent *event, gpointer data)
{
  HarkUnreadFeed *self = data;
  if (event->topic.kind == HARK_TOPIC_CHANNEL)
    {
      if (event->seq == 0 || (event->kind != self->message_kind && event->kind != self->delete_kind))
        return;
      hark_unread_pending_add_channel (&self->pending, event->topic.id);
      schedule (self, self->limits->unread_interval_ms);
    }
  else if (event->topic.kind == HARK_TOPIC_SERVER)
    {
      /* A channel that was made just now is empty. */
      if (event->kind == self->hide_kind || (event->kind == self->show_kind && event->audience != NULL))
        on_rights_changed (self, event);
    }
  else if (event->topic.kind == HARK_TOPIC_INBOX && event->kind == self->add_kind)
    {
      /* Whoever comes back to a server begins anew there. */
      hark_unread_teller_forget_user (self->teller, event->topic.id);
    }
}

static void
on_user_offline (HarkHub *hub, gint64 user_id, gpointer data)
{
  hark_unread_teller_forget_user (((HarkUnreadFeed *)data)->teller, user_id);
}

void
hark_unread_feed_mark (HarkUnreadFeed *self, gint64 user_id, gint64 server_id, gint64 channel_id)
{
  if (hark_hub_get_n_user_sessions (self->hub, user_id) == 0)
    return;
  hark_unread_teller_mark (self->teller, user_id, server_id);
  hark_unread_pending_add_urgent (&self->pending, user_id, server_id, channel_id);
  hurry (self);
}

void
hark_unread_feed_check (HarkUnreadFeed *self, HarkSession *session, gint64 server_id, gint64 serial)
{
  gint64 user_id = hark_session_get_user_id (session);
  const gint64 *moved = g_hash_table_lookup (self->moved, &server_id);
  gboolean has_moved = (moved != NULL ? *moved : self->moved_before) > serial;
  gboolean was_told = hark_unread_teller_was_told (self->teller, user_id, server_id, serial);
  if (!has_moved && !was_told)
    return;
  hark_unread_teller_renew (self->teller, user_id, server_id);
  hark_unread_pending_add_urgent (&self->pending, user_id, server_id, 0);
  hurry (self);
}

static void
on_joined (HarkSession *session, const HarkTopic *topic, gint64 serial, gpointer data)
{
  if (topic->kind == HARK_TOPIC_SERVER)
    hark_unread_feed_check (data, session, topic->id, serial);
}

/* What a round had taken waits again; the store has answered all it was asked. */
GVariant *
hark_unread_feed_save (HarkUnreadFeed *self)
{
  for (guint i = 0; i < self->affected->len; i++)
    hark_unread_pending_add_server (&self->pending, ((Affected *)self->affected->pdata[i])->server_id);
  for (guint i = 0; i < self->items->len; i++)
    {
      const Item *item = &g_array_index (self->items, Item, i);
      hark_unread_pending_add_pair (&self->pending, item->user_id, item->server_id, 0);
    }
  return hark_unread_pending_save (&self->pending);
}

void
hark_unread_feed_restore (HarkUnreadFeed *self, GVariant *state)
{
  hark_unread_pending_restore (&self->pending, state);
  if (!hark_unread_pending_is_empty (&self->pending))
    schedule (self, self->limits->unread_interval_ms);
}

HarkUnreadFeed *
hark_unread_feed_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMetrics *metrics,
                      const HarkChatLimits *limits)
{
  HarkUnreadFeed *self = g_new0 (HarkUnreadFeed, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->limits = limits;
  self->message_kind = g_intern_static_string ("message");
  self->delete_kind = g_intern_static_string ("message_delete");
  self->show_kind = g_intern_static_string ("show_channel");
  self->hide_kind = g_intern_static_string ("hide_channel");
  self->add_kind = g_intern_static_string ("add_server");
  hark_unread_pending_init (&self->pending, metrics, limits->unread_pending);
  self->teller = hark_unread_teller_new (hub, snapshots, metrics);
  self->homes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->moved = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->affected = g_ptr_array_new_with_free_func (affected_free);
  self->items = items_new ();
  self->published_id = g_signal_connect (hub, "published", G_CALLBACK (on_published), self);
  self->offline_id = g_signal_connect (hub, "user-offline", G_CALLBACK (on_user_offline), self);
  hark_snapshots_set_joined (snapshots, on_joined, self);
  return self;
}

void
hark_unread_feed_free (HarkUnreadFeed *self)
{
  hark_snapshots_set_joined (self->snapshots, NULL, NULL);
  g_signal_handler_disconnect (self->hub, self->published_id);
  g_signal_handler_disconnect (self->hub, self->offline_id);
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_array_unref (self->items);
  g_ptr_array_unref (self->affected);
  g_hash_table_unref (self->moved);
  g_hash_table_unref (self->homes);
  hark_unread_teller_free (self->teller);
  hark_unread_pending_clear (&self->pending);
  g_object_unref (self->clock);
  g_free (self);
}
