/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session's interest in a topic. The object is what outsiders hold and listen to; the link itself stands in the
 * index, which the subscription takes itself out of when it ends.
 */
#include "core/subscription.h"

#include "core/index.h"
#include "core/hub.h"
#include "core/ranges.h"

G_DEFINE_FINAL_TYPE (HarkSubscription, hark_subscription, G_TYPE_OBJECT)

enum
{
  PROP_TOPIC = 1,
  PROP_SESSION,
  PROP_CURSOR,
  N_PROPS
};

enum
{
  ENDED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
hark_subscription_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HarkSubscription *self = HARK_SUBSCRIPTION (object);
  char text[HARK_TOPIC_MAX + 1];
  switch (id)
    {
    case PROP_TOPIC:
      g_value_set_string (value, self->entry != NULL ? hark_topic_format (&self->entry->topic, text) : NULL);
      break;
    case PROP_SESSION:
      g_value_set_object (value, self->session);
      break;
    case PROP_CURSOR:
      g_value_set_int64 (value, hark_subscription_get_cursor (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
hark_subscription_finalize (GObject *object)
{
  HarkSubscription *self = HARK_SUBSCRIPTION (object);
  g_assert (self->session == NULL && self->entry == NULL);
  g_clear_pointer (&self->ranges, g_array_unref);
  G_OBJECT_CLASS (hark_subscription_parent_class)->finalize (object);
}

static void
hark_subscription_class_init (HarkSubscriptionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->get_property = hark_subscription_get_property;
  object_class->finalize = hark_subscription_finalize;
  /* HarkSubscription:topic: its text; %NULL once ended. */
  props[PROP_TOPIC] = g_param_spec_string ("topic", NULL, NULL, NULL, flags);
  /* HarkSubscription:session: %NULL once ended. */
  props[PROP_SESSION] = g_param_spec_object ("session", NULL, NULL, HARK_TYPE_SESSION, flags);
  props[PROP_CURSOR] = g_param_spec_int64 ("cursor", NULL, NULL, 0, G_MAXINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  /**
   * HarkSubscription::ended:
   *
   * It receives nothing any more; both ends are already gone, the cursor is where it stood.
   */
  signals[ENDED]
    = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
hark_subscription_init (HarkSubscription *self)
{
}

HarkSubscription *
hark_subscription_new (HarkSession *session, HarkTopicEntry *entry, gint64 cursor)
{
  HarkSubscription *self = g_object_new (HARK_TYPE_SUBSCRIPTION, NULL);
  self->session = session;
  self->entry = entry;
  self->cursor = cursor;
  return self;
}

/* Returns: the seq of the last event that was handed to the session's transport, which may not have sent it yet */
gint64
hark_subscription_get_handed_over (HarkSubscription *self)
{
  gint64 cursor = MAX (self->cursor, self->entry->published_seq);
  const HarkEvent *waiting = hark_topic_entry_get_waiting (self->entry);
  if (waiting != NULL)
    cursor = MIN (cursor, waiting->seq - 1);
  if (self->missed > 0)
    cursor = MIN (cursor, self->missed - 1);
  return cursor;
}

/**
 * hark_subscriptions_fix:
 * @session: that is ending
 *
 * Sets all its cursors to where they stand, for good. One walk over what its outbox holds does for all: each
 * subscription looking through it by itself would make the end of a session with many topics and a full outbox, which
 * is what a slow one has, cost their product.
 */
void
hark_subscriptions_fix (HarkSession *session)
{
  const HarkOutbox *outbox = session->transport != NULL ? &session->transport->outbox : NULL;
  guint n = session->subscriptions != NULL ? session->subscriptions->len : 0;
  g_autoptr (GHashTable) by_key = NULL;
  g_autofree guint64 *keys = g_new (guint64, n + 1);
  if (outbox != NULL && outbox->count > 0 && n > 0)
    by_key = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < n; i++)
    {
      HarkSubscription *subscription = session->subscriptions->pdata[i];
      subscription->cursor = hark_subscription_get_handed_over (subscription);
      subscription->is_fixed = TRUE;
      keys[i] = hark_topic_key (&subscription->entry->topic);
      if (by_key != NULL)
        g_hash_table_insert (by_key, &keys[i], subscription);
    }
  for (guint i = 0; by_key != NULL && i < outbox->count; i++)
    {
      const HarkBuffer *buffer = hark_outbox_get_nth (outbox, i);
      HarkSubscription *subscription = buffer->seq > 0 ? g_hash_table_lookup (by_key, &buffer->key) : NULL;
      if (subscription != NULL)
        subscription->cursor = MIN (subscription->cursor, buffer->seq - 1);
    }
}

/* Returns: (transfer none) (nullable): %NULL once ended */
const HarkTopic *
hark_subscription_get_topic (HarkSubscription *self)
{
  return self->entry != NULL ? &self->entry->topic : NULL;
}

/**
 * hark_subscription_get_cursor:
 *
 * Returns: the seq of the last event that left for the client. What waits for the turn's end, lies in the outbox or did
 *   not fit into it does not count; what the kernel has taken does, though the client may not have: a client that
 *   counts for itself says so when it resumes.
 */
gint64
hark_subscription_get_cursor (HarkSubscription *self)
{
  gint64 cursor;
  gint64 unsent;
  if (self->entry == NULL || self->is_fixed)
    return self->cursor;
  cursor = hark_subscription_get_handed_over (self);
  if (self->session->transport != NULL
      && hark_outbox_find_unsent (&self->session->transport->outbox, hark_topic_key (&self->entry->topic), &unsent))
    cursor = MIN (cursor, unsent - 1);
  return cursor;
}

/* Whether an event of its topic is about something in the part of the topic that it is to. */
gboolean
hark_subscription_wants (const HarkSubscription *self, const HarkEvent *event)
{
  return event->subject == 0 || self->ranges == NULL || hark_ranges_contain (self->ranges, event->subject);
}

/**
 * hark_subscription_end:
 *
 * Takes it out of its topic and its session. Safe to call again.
 */
void
hark_subscription_end (HarkSubscription *self)
{
  g_autoptr (HarkSubscription) hold = NULL;
  if (self->session == NULL)
    return;
  hold = g_object_ref (self);
  hark_index_unsubscribe (hark_hub_get_index (self->session->hub), self);
  g_signal_emit (self, signals[ENDED], 0);
}
