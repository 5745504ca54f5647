/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The subscription index: from a topic to the sessions that receive it, and the fan-out over them. Links are kept in
 * two arrays that know each other's positions, so that adding and removing one costs the same whatever the number of
 * receivers, and a link costs bytes rather than objects. Events are collected per topic during a turn and encoded once
 * per wire, all of them into one buffer: a receiver of sixty-four messages is touched once, not sixty-four times.
 */
#include "core/index.h"

#include "base/error.h"
#include "core/hub.h"

/* Bytes of events collected for one topic before the turn is ended early: slow readers' outboxes are bounded in bytes,
 * and a turn must not overrun them all by itself. */
#define MAX_BATCH_BYTES (64 * 1024)

/* Receivers ahead whose session and transport are fetched into the cache: a large fan-out waits for memory only. */
#define PREFETCH 6

struct _HarkIndex
{
  GObject parent_instance;
  HarkTurn *turn;      /* (owned) */
  GHashTable *entries; /* HarkTopic → HarkTopicEntry (owned) */
  GPtrArray *dirty;    /* (element-type HarkTopicEntry): with a batch, in order of their first event */
  gsize batch_bytes;   /* over all dirty entries */
  gint64 waiting_rev;  /* the least among them, or less; 0: nothing stored is */
  GPtrArray *slow;     /* (element-type HarkSession) (owned): over their bound in this delivery */
  guint n_subscriptions;
  guint n_interests;
  guint droppable_percent; /* of an outbox's bound: with more waiting, no droppable event is added */
  HarkCounter *n_events;
  HarkCounter *n_deliveries;
  HarkCounter *n_slow;
  HarkCounter *n_dropped;
};

G_DEFINE_FINAL_TYPE (HarkIndex, hark_index, G_TYPE_OBJECT)

static void
entry_free (gpointer data)
{
  HarkTopicEntry *entry = data;
  g_assert (entry->n_receivers == 0 && entry->batch == NULL);
  hark_topic_clear (&entry->topic);
  g_free (entry->receivers);
  g_free (entry);
}

static void
hark_index_dispose (GObject *object)
{
  HarkIndex *self = HARK_INDEX (object);
  if (self->turn != NULL)
    hark_turn_set_stage (self->turn, HARK_TURN_DELIVER, NULL, NULL);
  g_clear_object (&self->turn);
  G_OBJECT_CLASS (hark_index_parent_class)->dispose (object);
}

static void
hark_index_finalize (GObject *object)
{
  HarkIndex *self = HARK_INDEX (object);
  g_assert (g_hash_table_size (self->entries) == 0);
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->dirty);
  g_ptr_array_unref (self->slow);
  G_OBJECT_CLASS (hark_index_parent_class)->finalize (object);
}

static void
hark_index_class_init (HarkIndexClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_index_dispose;
  object_class->finalize = hark_index_finalize;
}

static void
hark_index_init (HarkIndex *self)
{
  self->entries = g_hash_table_new_full (hark_topic_hash, hark_topic_equal, NULL, entry_free);
  self->dirty = g_ptr_array_new ();
  self->slow = g_ptr_array_new_with_free_func (g_object_unref);
}

HarkIndex *
hark_index_new (HarkTurn *turn, HarkMetrics *metrics)
{
  HarkIndex *self = g_object_new (HARK_TYPE_INDEX, NULL);
  self->turn = g_object_ref (turn);
  self->n_events = hark_metrics_counter (metrics, "hark_events_total", "Events published.");
  self->n_deliveries = hark_metrics_counter (metrics, "hark_deliveries_total", "Events handed to a session's outbox.");
  self->n_slow = hark_metrics_counter (metrics, "hark_sessions_slow_total",
                                       "Sessions disconnected because their outbox passed its bound.");
  self->n_dropped
    = hark_metrics_counter (metrics, "hark_deliveries_dropped_total",
                            "Droppable events (as of who is typing) kept from sessions that read slowly.");
  self->droppable_percent = 100;
  hark_turn_set_stage (turn, HARK_TURN_DELIVER, (HarkTurnFunc)hark_index_deliver, self);
  return self;
}

/* Returns: (nullable): the entry of a topic that has receivers */
HarkTopicEntry *
hark_index_find (HarkIndex *self, const HarkTopic *topic)
{
  return g_hash_table_lookup (self->entries, topic);
}

static HarkTopicEntry *
ensure_entry (HarkIndex *self, const HarkTopic *topic)
{
  HarkTopicEntry *entry = hark_index_find (self, topic);
  if (entry == NULL)
    {
      entry = g_new0 (HarkTopicEntry, 1);
      entry->topic = hark_topic_copy (topic);
      g_hash_table_insert (self->entries, &entry->topic, entry);
    }
  return entry;
}

/* Slow sessions are ended after a delivery, never during one: their end takes receivers out of the arrays. */
static void
end_slow_sessions (HarkIndex *self)
{
  while (self->slow->len > 0)
    {
      g_autoptr (HarkSession) session = g_ptr_array_steal_index_fast (self->slow, self->slow->len - 1);
      if (session->ending)
        continue;
      hark_counter_add (self->n_slow, 1);
      hark_session_close (session, HARK_CLOSE_SLOW, "too slow: resume to go on");
    }
}

/* Of a topic's events the first that is stored: beside stored messages there are others, as of who is typing. */
static const HarkEvent *
find_stored (HarkEvent *const *events, guint n_events)
{
  for (guint i = 0; i < n_events; i++)
    if (events[i]->seq > 0)
      return events[i];
  return NULL;
}

/* Returns: (nullable): the first stored event that was published and waits for the turn's end */
const HarkEvent *
hark_topic_entry_get_waiting (const HarkTopicEntry *self)
{
  return self->batch != NULL ? find_stored ((HarkEvent *const *)self->batch->pdata, self->batch->len) : NULL;
}

/* Returns: (transfer full): never %NULL, so that who asks once for a wire does not ask again */
static HarkBuffer *
encode (HarkIndex *self, const HarkWire *wire, HarkEvent *const *events, guint n_events)
{
  const HarkEvent *stored = find_stored (events, n_events);
  HarkBuilder builder = HARK_BUILDER_INIT;
  HarkBuffer *buffer;
  for (guint i = 0; i < n_events; i++)
    wire->append_event (wire, &builder, events[i]);
  buffer = hark_builder_finish (&builder);
  if (buffer == NULL)
    buffer = hark_buffer_new (NULL, 0);
  buffer->key = hark_topic_key (&events[0]->topic);
  buffer->seq = stored != NULL ? stored->seq : 0;
  buffer->rev = stored != NULL ? stored->rev : 0;
  return buffer;
}

/* A receiver that is not sent what it should be: it is ended as slow, unless it is ending anyway. */
static void
pass_over (HarkIndex *self, HarkSession *session, const HarkBuffer *units)
{
  hark_session_miss (session, units);
  if (session->transport->given_up || session->transport->closing)
    return;
  session->transport->given_up = TRUE;
  g_ptr_array_add (self->slow, g_object_ref (session));
}

/* Whether a droppable event may be added to what waits for a session. Such an event never ends one: what it misses
 * needs no resume. */
static gboolean
has_room (HarkIndex *self, HarkTransport *transport, const HarkBuffer *units)
{
  gsize room = (gsize)transport->max_outbox * self->droppable_percent / 100;
  return !transport->closing && !transport->given_up && transport->outbox.bytes + units->len <= room;
}

static gboolean
is_for_some (const HarkEvent *event)
{
  return event->audience != NULL || event->except != 0 || event->subject != 0;
}

/* Whether a receiver of its topic gets an event that is not for all. */
static gboolean
gets (const HarkReceiver *receiver, const HarkEvent *event)
{
  HarkSession *session = receiver->session;
  return hark_event_may_see (event, hark_session_get_user_id (session))
         && (receiver->is_interest || hark_subscription_wants (session->subscriptions->pdata[receiver->slot], event));
}

/* Gives events of one topic to its receivers; encodes once for each wire there is among them. */
static void
fan_out (HarkIndex *self, HarkTopicEntry *entry, HarkEvent *const *events, guint n_events)
{
  HarkBuffer *encoded[HARK_MAX_WIRES] = { NULL };
  gboolean filtered = is_for_some (events[0]);
  gboolean droppable = events[0]->droppable;
  guint n_delivered = 0;
  for (guint i = 0; i < entry->n_receivers; i++)
    {
      HarkSession *session = entry->receivers[i].session;
      guint wire = session->wire->index;
      if (i + 2 * PREFETCH < entry->n_receivers)
        __builtin_prefetch (&entry->receivers[i + 2 * PREFETCH].session->transport);
      if (i + PREFETCH < entry->n_receivers)
        __builtin_prefetch (entry->receivers[i + PREFETCH].session->transport);
      if (filtered && !gets (&entry->receivers[i], events[0]))
        continue;
      if (encoded[wire] == NULL)
        encoded[wire] = encode (self, session->wire, events, n_events);
      if (encoded[wire]->len == 0)
        continue;
      if (G_UNLIKELY (droppable && !has_room (self, session->transport, encoded[wire])))
        {
          hark_counter_add (self->n_dropped, 1);
          continue;
        }
      if (G_LIKELY (hark_transport_send (session->transport, encoded[wire]) && !session->transport->closing))
        n_delivered++;
      else
        pass_over (self, session, encoded[wire]);
    }
  for (guint i = 0; i < HARK_MAX_WIRES; i++)
    g_clear_pointer (&encoded[i], hark_buffer_unref);
  hark_counter_add (self->n_deliveries, (gint64)n_delivered * n_events);
}

static void
deliver_entry (HarkIndex *self, HarkTopicEntry *entry)
{
  g_autoptr (GPtrArray) batch = g_steal_pointer (&entry->batch);
  if (batch != NULL)
    fan_out (self, entry, (HarkEvent *const *)batch->pdata, batch->len);
}

/* Before the set of receivers changes: what was published so far belongs to those who are in it now. */
static void
settle (HarkIndex *self, HarkTopicEntry *entry)
{
  if (entry->batch == NULL)
    return;
  g_ptr_array_remove (self->dirty, entry);
  if (self->dirty->len == 0)
    self->waiting_rev = 0;
  deliver_entry (self, entry);
  hark_turn_mark (self->turn);
}

/**
 * hark_index_deliver:
 *
 * Hands what was published in this turn to outboxes. The turn calls it.
 */
void
hark_index_deliver (HarkIndex *self)
{
  self->batch_bytes = 0;
  for (guint i = 0; i < self->dirty->len; i++)
    deliver_entry (self, self->dirty->pdata[i]);
  g_ptr_array_set_size (self->dirty, 0);
  self->waiting_rev = 0;
  end_slow_sessions (self);
}

/* Returns: a rev up to which nothing that was published waits for the turn's end, plus one; 0 when nothing stored does.
 * Every session that ends asks, and in a storm they end while thousands of topics wait: it is kept, not looked for. */
gint64
hark_index_get_waiting_rev (HarkIndex *self)
{
  return self->waiting_rev;
}

/* From which part of its outbox's bound on a session gets no droppable events. */
void
hark_index_set_droppable_percent (HarkIndex *self, guint percent)
{
  self->droppable_percent = percent;
}

/**
 * hark_index_publish:
 *
 * Collects an event for the receivers its topic has now; they get it at the turn's end at the latest.
 */
void
hark_index_publish (HarkIndex *self, HarkEvent *event)
{
  HarkTopicEntry *entry = hark_index_find (self, &event->topic);
  hark_counter_add (self->n_events, 1);
  if (entry == NULL)
    return;
  if (event->seq > 0)
    entry->published_seq = event->seq;
  if (is_for_some (event) || event->droppable)
    {
      settle (self, entry);
      fan_out (self, entry, &event, 1);
      hark_turn_mark (self->turn);
      return;
    }
  if (entry->batch == NULL)
    {
      entry->batch = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
      g_ptr_array_add (self->dirty, entry);
    }
  g_ptr_array_add (entry->batch, hark_event_ref (event));
  self->batch_bytes += event->len;
  if (event->seq > 0 && (self->waiting_rev == 0 || event->rev < self->waiting_rev))
    self->waiting_rev = event->rev;
  hark_turn_mark (self->turn);
  if (self->batch_bytes > MAX_BATCH_BYTES)
    hark_turn_end (self->turn);
}

/* Links. */

static guint
add_receiver (HarkIndex *self, HarkTopicEntry *entry, HarkSession *session, guint slot, gboolean is_interest)
{
  HarkReceiver *receiver;
  settle (self, entry);
  if (entry->n_receivers == entry->size)
    {
      /* By a quarter: most of what the index holds are these arrays. */
      entry->size = MAX (entry->size + entry->size / 4, entry->size + 2);
      entry->receivers = g_renew (HarkReceiver, entry->receivers, entry->size);
    }
  receiver = &entry->receivers[entry->n_receivers];
  receiver->session = session;
  receiver->slot = slot;
  receiver->is_interest = is_interest;
  return entry->n_receivers++;
}

static void
remove_receiver (HarkIndex *self, HarkTopicEntry *entry, guint position)
{
  HarkReceiver *last;
  settle (self, entry);
  last = &entry->receivers[--entry->n_receivers];
  if (position != entry->n_receivers)
    {
      entry->receivers[position] = *last;
      if (last->is_interest)
        last->session->interests[last->slot].position = position;
      else
        HARK_SUBSCRIPTION (last->session->subscriptions->pdata[last->slot])->position = position;
    }
  if (entry->n_receivers == 0)
    g_hash_table_remove (self->entries, &entry->topic);
}

/**
 * hark_index_subscribe:
 * @cursor: the topic's seq up to which the session has seen
 *
 * The session must not have a subscription to the topic.
 *
 * Returns: (transfer none): kept by the session
 */
HarkSubscription *
hark_index_subscribe (HarkIndex *self, HarkSession *session, const HarkTopic *topic, gint64 cursor)
{
  HarkTopicEntry *entry = ensure_entry (self, topic);
  HarkSubscription *subscription = hark_subscription_new (session, entry, cursor);
  if (session->subscriptions == NULL)
    session->subscriptions = g_ptr_array_new_full (4, g_object_unref);
  subscription->slot = session->subscriptions->len;
  g_ptr_array_add (session->subscriptions, subscription);
  subscription->position = add_receiver (self, entry, session, subscription->slot, FALSE);
  self->n_subscriptions++;
  return subscription;
}

/* Takes a subscription out of both its ends. */
void
hark_index_unsubscribe (HarkIndex *self, HarkSubscription *subscription)
{
  HarkSession *session = subscription->session;
  guint slot = subscription->slot;
  g_autoptr (HarkSubscription) owned = NULL;
  subscription->cursor = hark_subscription_get_cursor (subscription);
  owned = g_ptr_array_steal_index_fast (session->subscriptions, slot);
  if (slot < session->subscriptions->len)
    {
      HarkSubscription *moved = session->subscriptions->pdata[slot];
      moved->slot = slot;
      moved->entry->receivers[moved->position].slot = slot;
    }
  remove_receiver (self, subscription->entry, subscription->position);
  subscription->session = NULL;
  subscription->entry = NULL;
  self->n_subscriptions--;
}

static int
find_interest (HarkSession *session, HarkTopicEntry *entry)
{
  for (guint i = 0; i < session->n_interests; i++)
    if (session->interests[i].entry == entry)
      return i;
  return -1;
}

/* The shorter of the two lists is searched: a user whom ten thousand have loaded, or a session that has loaded as many,
 * costs no more than the other side. */
static int
find_interest_slot (HarkSession *session, HarkTopicEntry *entry)
{
  if (session->n_interests <= entry->n_receivers)
    return find_interest (session, entry);
  for (guint i = 0; i < entry->n_receivers; i++)
    if (entry->receivers[i].session == session && entry->receivers[i].is_interest)
      return entry->receivers[i].slot;
  return -1;
}

gboolean
hark_index_has_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic)
{
  HarkTopicEntry *entry = hark_index_find (self, topic);
  return entry != NULL && find_interest_slot (session, entry) >= 0;
}

/* Makes room for exactly @n more: sessions load members by the page. */
void
hark_index_reserve_interests (HarkIndex *self, HarkSession *session, guint n)
{
  if (session->n_interests + n <= session->interests_size)
    return;
  session->interests_size = session->n_interests + n;
  session->interests = g_renew (HarkInterest, session->interests, session->interests_size);
}

/* Returns: %FALSE when the session had it already */
gboolean
hark_index_add_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic)
{
  HarkTopicEntry *entry = ensure_entry (self, topic);
  HarkInterest *interest;
  if (find_interest_slot (session, entry) >= 0)
    return FALSE;
  hark_index_reserve_interests (self, session, 1);
  interest = &session->interests[session->n_interests];
  interest->entry = entry;
  interest->position = add_receiver (self, entry, session, session->n_interests, TRUE);
  session->n_interests++;
  self->n_interests++;
  return TRUE;
}

static void
remove_interest_at (HarkIndex *self, HarkSession *session, guint slot)
{
  HarkInterest interest = session->interests[slot];
  HarkInterest *last = &session->interests[--session->n_interests];
  if (slot != session->n_interests)
    {
      session->interests[slot] = *last;
      last->entry->receivers[last->position].slot = slot;
    }
  self->n_interests--;
  remove_receiver (self, interest.entry, interest.position);
}

gboolean
hark_index_remove_interest (HarkIndex *self, HarkSession *session, const HarkTopic *topic)
{
  HarkTopicEntry *entry = hark_index_find (self, topic);
  int slot = entry != NULL ? find_interest_slot (session, entry) : -1;
  if (slot < 0)
    return FALSE;
  remove_interest_at (self, session, slot);
  return TRUE;
}

/* Takes all of a session's links out. */
void
hark_index_remove_session (HarkIndex *self, HarkSession *session)
{
  while (session->subscriptions != NULL && session->subscriptions->len > 0)
    hark_subscription_end (session->subscriptions->pdata[session->subscriptions->len - 1]);
  g_clear_pointer (&session->subscriptions, g_ptr_array_unref);
  while (session->n_interests > 0)
    remove_interest_at (self, session, session->n_interests - 1);
  g_clear_pointer (&session->interests, g_free);
  session->interests_size = 0;
}

guint
hark_index_get_n_topics (HarkIndex *self)
{
  return g_hash_table_size (self->entries);
}

guint
hark_index_get_n_subscriptions (HarkIndex *self)
{
  return self->n_subscriptions;
}

guint
hark_index_get_n_interests (HarkIndex *self)
{
  return self->n_interests;
}
