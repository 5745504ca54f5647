/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has lost a role, or a server and its roles, may have lost free topics too: what his sessions are subscribed to is
 * looked at again, and what is not allowed any more ends.
 */
#include "chat/topic-review.h"

#include "base/json-writer.h"

struct _HarkTopicReview
{
  HarkHub *hub; /* unowned, as all that follow */
  HarkStore *store;
  HarkSnapshots *snapshots;
  const HarkTopicRules *rules;
  const char *own_roles; /* kinds of events: interned */
  const char *remove_role;
  const char *remove_server;
  gulong published_id;
};

typedef struct
{
  gint64 session_id;
  HarkAsker asker;
  HarkTopic topic; /* (owned) */
  gboolean may;
} Item;

typedef struct
{
  HarkTopicReview *owner;
  GArray *items; /* (element-type Item) */
} Review;

static void
item_clear (gpointer data)
{
  hark_topic_clear (&((Item *)data)->topic);
}

static void
review_free (gpointer data)
{
  Review *review = data;
  g_array_unref (review->items);
  g_free (review);
}

static gboolean
review_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Review *review = data;
  for (guint i = 0; i < review->items->len; i++)
    {
      Item *item = &g_array_index (review->items, Item, i);
      if (!hark_topic_rules_check (review->owner->rules, tx, &item->topic, HARK_TOPIC_SUBSCRIBE, &item->asker,
                                   &item->may, error))
        return FALSE;
    }
  return TRUE;
}

static void
end (HarkTopicReview *self, const Item *item)
{
  HarkSession *session = hark_hub_get_session (self->hub, item->session_id);
  g_auto (HarkJsonWriter) json = { 0 };
  char text[HARK_TOPIC_MAX + 1];
  const char *data;
  gsize len;
  if (session == NULL || hark_session_find_subscription (session, &item->topic) == NULL)
    return;
  hark_hub_unsubscribe (self->hub, session, &item->topic);
  hark_snapshots_changed (self->snapshots, session);
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", "unsubscribed");
  hark_json_writer_member_string (&json, "topic", hark_topic_format (&item->topic, text));
  hark_json_writer_end_object (&json);
  data = hark_json_writer_peek (&json, &len);
  hark_session_send_json (session, "unsubscribed", data, len);
}

/* When the store cannot say, nobody has lost anything: whoever resumes or subscribes is checked then. */
static void
on_reviewed (gpointer data, const GError *error, gpointer user_data)
{
  Review *review = data;
  for (guint i = 0; error == NULL && i < review->items->len; i++)
    {
      const Item *item = &g_array_index (review->items, Item, i);
      if (!item->may)
        end (review->owner, item);
    }
}

static void
add_session (Review *review, HarkSession *session)
{
  guint n = session->subscriptions != NULL ? session->subscriptions->len : 0;
  for (guint i = 0; i < n; i++)
    {
      const HarkTopic *topic = hark_subscription_get_topic (session->subscriptions->pdata[i]);
      Item item = { session->id, { hark_session_get_user_id (session), session->identity->flags }, { 0 }, FALSE };
      if ((topic->kind != HARK_TOPIC_APP && topic->kind != HARK_TOPIC_ROOM) || hark_topic_is_reserved (topic))
        continue;
      item.topic = hark_topic_copy (topic);
      g_array_append_val (review->items, item);
    }
}

/* @user_id: whose sessions; 0: everybody's */
static void
start (HarkTopicReview *self, gint64 user_id)
{
  g_autoptr (GPtrArray) sessions
    = user_id != 0 ? hark_hub_dup_user_sessions (self->hub, user_id) : hark_hub_dup_sessions (self->hub);
  Review *review = g_new (Review, 1);
  review->owner = self;
  review->items = g_array_new (FALSE, FALSE, sizeof (Item));
  g_array_set_clear_func (review->items, item_clear);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    if (((HarkSession *)sessions->pdata[i])->identity != NULL)
      add_session (review, sessions->pdata[i]);
  if (review->items->len > 0)
    hark_store_read (self->store, review_in_thread, review, review_free, on_reviewed, NULL);
  else
    review_free (review);
}

static void
on_published (HarkHub *hub, HarkEvent *event, HarkTopicReview *self)
{
  if (event->kind == self->own_roles && event->audience != NULL && event->audience->len > 0)
    start (self, g_array_index (event->audience, gint64, 0));
  else if (event->kind == self->remove_role)
    start (self, 0);
  else if (event->kind == self->remove_server)
    start (self, event->topic.kind == HARK_TOPIC_INBOX ? event->topic.id : 0);
}

HarkTopicReview *
hark_topic_review_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkTopicRules *rules)
{
  HarkTopicReview *self = g_new0 (HarkTopicReview, 1);
  self->hub = hub;
  self->store = store;
  self->snapshots = snapshots;
  self->rules = rules;
  self->own_roles = g_intern_static_string ("own_roles");
  self->remove_role = g_intern_static_string ("remove_role");
  self->remove_server = g_intern_static_string ("remove_server");
  if (hark_topic_rules_ask_roles (rules))
    self->published_id = g_signal_connect (hub, "published", G_CALLBACK (on_published), self);
  return self;
}

void
hark_topic_review_free (HarkTopicReview *self)
{
  g_clear_signal_handler (&self->published_id, self->hub);
  g_free (self);
}
