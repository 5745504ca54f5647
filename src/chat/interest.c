/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session wants to hear of, said outright: free topics are subscribed to, anything loaded can be forgotten. */
#include "chat/interest.h"

#include "base/error.h"
#include "chat/rights.h"
#include "core/event-log.h"

struct _HarkInterests
{
  HarkHub *hub; /* unowned, as the next */
  HarkSnapshots *snapshots;
  const HarkChatLimits *limits;
};

static void
refuse (HarkCommand *command, GError *error)
{
  hark_command_take_error (command, error);
  hark_command_unref (command);
}

/* forget */

static void
forget_topics (HarkInterests *self, HarkSession *session, HarkTopicKind kind, GArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    {
      HarkTopic topic = hark_topic (kind, g_array_index (ids, gint64, i));
      hark_hub_unsubscribe (self->hub, session, &topic);
    }
}

static void
on_forget (HarkCommand *command, gpointer concern)
{
  HarkInterests *self = concern;
  HarkSession *session = command->session;
  guint max = self->limits->ids_per_forget;
  g_autoptr (GArray) servers = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) channels = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) members = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) users = g_array_new (FALSE, FALSE, sizeof (gint64));
  GError *error = NULL;
  if (!hark_json_object_get_ids (command->args, "servers", HARK_FIELD_OPTIONAL, max, servers, &error)
      || !hark_json_object_get_ids (command->args, "channels", HARK_FIELD_OPTIONAL, max, channels, &error)
      || !hark_json_object_get_ids (command->args, "members", HARK_FIELD_OPTIONAL, max, members, &error)
      || !hark_json_object_get_ids (command->args, "users", HARK_FIELD_OPTIONAL, max, users, &error))
    {
      refuse (command, error);
      return;
    }
  if (session != NULL)
    {
      forget_topics (self, session, HARK_TOPIC_SERVER, servers);
      forget_topics (self, session, HARK_TOPIC_MEMBERS, servers);
      forget_topics (self, session, HARK_TOPIC_CHANNEL, channels);
      forget_topics (self, session, HARK_TOPIC_MEMBERS, members);
      hark_hub_unload (self->hub, session, (const gint64 *)(gpointer)users->data, users->len);
      hark_snapshots_changed (self->snapshots, session);
    }
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

/* subscribe, unsubscribe */

static gboolean
get_topic (HarkCommand *command, HarkTopic *topic, GError **error)
{
  g_autofree char *text = NULL;
  return hark_json_object_get_string (command->args, "topic", HARK_FIELD_REQUIRED, HARK_TOPIC_MAX, &text, error)
         && hark_topic_parse (text, topic, error);
}

typedef struct
{
  HarkSnapshot parent;
  HarkTopic topic; /* (owned) */
  const HarkChatLimits *limits;
} Subscribe;

static void
subscribe_clear (HarkSnapshot *snapshot)
{
  hark_topic_clear (&((Subscribe *)snapshot)->topic);
}

static gboolean
subscribe_in_thread (HarkTransaction *tx, HarkSnapshot *snapshot, GError **error)
{
  Subscribe *self = (Subscribe *)snapshot;
  char text[HARK_TOPIC_MAX + 1];
  HarkAsker asker = { snapshot->actor, snapshot->flags };
  gboolean may;
  gint64 seq;
  if (!hark_rights_check_topic (tx, &self->topic, &asker, self->limits->rules, &may, error))
    return FALSE;
  /* Of members those are told of who are on a page that was asked for. */
  may &= self->topic.kind != HARK_TOPIC_MEMBERS;
  if (!may)
    {
      gboolean is_named = self->topic.name != NULL;
      g_set_error (error, HARK_ERROR, is_named ? HARK_ERROR_FORBIDDEN : HARK_ERROR_NOT_FOUND, "\"topic\": %s",
                   is_named ? "you may not subscribe to it" : "there is none to subscribe to");
      return FALSE;
    }
  if (!hark_event_log_get_seq (tx, &self->topic, &seq, error))
    return FALSE;
  hark_snapshot_add_topic (snapshot, &self->topic, seq, FALSE);
  hark_json_writer_member_string (&snapshot->reply, "topic", hark_topic_format (&self->topic, text));
  hark_json_writer_member_int (&snapshot->reply, "seq", seq);
  return TRUE;
}

static void
on_subscribe (HarkCommand *command, gpointer concern)
{
  HarkInterests *interests = concern;
  Subscribe *self = hark_snapshot_new (sizeof *self, command, subscribe_in_thread, subscribe_clear);
  GError *error = NULL;
  self->limits = interests->limits;
  if (get_topic (command, &self->topic, &error))
    {
      hark_snapshots_take (interests->snapshots, self);
      return;
    }
  hark_command_take_error (command, error);
  hark_snapshot_free (self);
}

static void
on_unsubscribe (HarkCommand *command, gpointer concern)
{
  HarkInterests *self = concern;
  g_auto (HarkTopic) topic = { 0 };
  GError *error = NULL;
  if (!get_topic (command, &topic, &error))
    {
      refuse (command, error);
      return;
    }
  if (command->session != NULL)
    {
      hark_hub_unsubscribe (self->hub, command->session, &topic);
      hark_snapshots_changed (self->snapshots, command->session);
    }
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "forget", HARK_COMMAND_NONE, NULL, on_forget },
  { "subscribe", HARK_COMMAND_ANONYMOUS, NULL, on_subscribe },
  { "unsubscribe", HARK_COMMAND_ANONYMOUS, NULL, on_unsubscribe },
};

HarkInterests *
hark_interests_new (HarkHub *hub, HarkSnapshots *snapshots, const HarkChatLimits *limits)
{
  HarkInterests *self = g_new0 (HarkInterests, 1);
  self->hub = hub;
  self->snapshots = snapshots;
  self->limits = limits;
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_interests_free (HarkInterests *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_free (self);
}
