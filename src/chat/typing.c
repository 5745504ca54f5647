/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is writing right now. Nothing is stored and nothing is read: who has the channel loaded may see it, because a
 * right that is lost unloads it. Pages say so at every key, so of one user in one channel it is told once in a while;
 * and who does not keep up with reading is not told at all.
 */
#include "chat/typing.h"

#include "base/error.h"

struct _HarkTyping
{
  HarkHub *hub; /* unowned, as the next */
  const HarkChatLimits *limits;
  GHashTable *recent; /* (element-type Told) (owned): its own key and value */
  GQueue order;       /* (element-type Told): the same, oldest first */
  HarkJsonWriter writer;
  HarkCounter *n_told;
  HarkCounter *n_coalesced;
};

typedef struct
{
  gint64 user_id;
  gint64 channel_id;
  gint64 until; /* monotonic: until then it is not told again */
} Told;

static guint
told_hash (gconstpointer data)
{
  const Told *self = data;
  guint64 mixed = (guint64)self->user_id * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15) ^ (guint64)self->channel_id;
  return g_int64_hash (&mixed);
}

static gboolean
told_equal (gconstpointer a, gconstpointer b)
{
  const Told *left = a, *right = b;
  return left->user_id == right->user_id && left->channel_id == right->channel_id;
}

static void
forget_old (HarkTyping *self, gint64 now)
{
  const Told *oldest;
  while ((oldest = g_queue_peek_head (&self->order)) != NULL && oldest->until <= now)
    g_hash_table_remove (self->recent, g_queue_pop_head (&self->order));
}

/* Whether it is to be told now; notes that it was. Beyond the bound nothing is told until something is forgotten. */
static gboolean
is_due (HarkTyping *self, gint64 user_id, gint64 channel_id)
{
  gint64 now = hark_clock_get_monotonic (hark_hub_get_clock (self->hub));
  Told key = { user_id, channel_id, now + (gint64)self->limits->typing_ms * 1000 };
  Told *told;
  forget_old (self, now);
  if (g_hash_table_contains (self->recent, &key) || g_hash_table_size (self->recent) >= self->limits->typing_max)
    return FALSE;
  told = g_memdup2 (&key, sizeof key);
  g_hash_table_add (self->recent, told);
  g_queue_push_tail (&self->order, told);
  return TRUE;
}

static void
tell (HarkTyping *self, const HarkTopic *topic, const HarkIdentity *who)
{
  HarkJsonWriter *json = &self->writer;
  g_autoptr (HarkEvent) event = NULL;
  const char *text;
  gsize len;
  hark_json_writer_reset (json);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "type", "typing");
  hark_json_writer_member_id (json, "channel_id", topic->id);
  hark_json_writer_member_id (json, "user_id", who->user_id);
  hark_json_writer_member_string (json, "username", who->username);
  hark_json_writer_end_object (json);
  text = hark_json_writer_peek (json, &len);
  event = hark_event_new (topic, 0, 0, "typing", text, len);
  hark_event_set_droppable (event);
  hark_event_set_except (event, who->user_id);
  hark_hub_publish (self->hub, event);
}

static void
on_typing (HarkCommand *command, gpointer concern)
{
  HarkTyping *self = concern;
  HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 0);
  GError *error = NULL;
  if (!hark_json_object_get_id (command->args, "channel_id", HARK_FIELD_REQUIRED, &topic.id, &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  if (command->session == NULL || hark_session_find_subscription (command->session, &topic) == NULL)
    {
      hark_command_take_error (command, g_error_new (HARK_ERROR, HARK_ERROR_NOT_FOUND,
                                                     "\"channel_id\": there is none that this session has loaded"));
      hark_command_unref (command);
      return;
    }
  if (is_due (self, hark_command_get_user_id (command), topic.id))
    {
      hark_counter_add (self->n_told, 1);
      tell (self, &topic, command->actor);
    }
  else
    hark_counter_add (self->n_coalesced, 1);
  hark_command_end_silently (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "typing", HARK_COMMAND_NONE, NULL, on_typing },
};

HarkTyping *
hark_typing_new (HarkHub *hub, HarkMetrics *metrics, const HarkChatLimits *limits)
{
  HarkTyping *self = g_new0 (HarkTyping, 1);
  self->hub = hub;
  self->limits = limits;
  self->recent = g_hash_table_new_full (told_hash, told_equal, g_free, NULL);
  g_queue_init (&self->order);
  hark_json_writer_init (&self->writer, 0);
  self->n_told = hark_metrics_counter (metrics, "hark_typing_total", "Times it was told that somebody is typing.");
  self->n_coalesced = hark_metrics_counter (metrics, "hark_typing_coalesced_total",
                                            "Times it was not told again, because it had just been.");
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_typing_free (HarkTyping *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_queue_clear (&self->order);
  g_hash_table_unref (self->recent);
  hark_json_writer_clear (&self->writer);
  g_free (self);
}
