/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saying unread numbers to the sessions of a user that have the server loaded: of one channel as existing clients
 * expect it, or of a whole server when that is less to say. What the user was told last is not said again. A session
 * that is too slow for it ends while it is told, and with the last one what was remembered of its user goes: so
 * everything is noted before anything is said.
 */
#include "chat/unread-teller.h"

#include "chat/unread-told.h"

struct _HarkUnreadTeller
{
  HarkHub *hub; /* unowned, as the next */
  HarkSnapshots *snapshots;
  HarkUnreadTold *told; /* (owned) */
  HarkJsonWriter json;
  HarkCounter *n_told;
};

static void
send (HarkUnreadTeller *self, gint64 user_id, gint64 server_id)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self->hub, user_id);
  HarkTopic topic = hark_topic (HARK_TOPIC_SERVER, server_id);
  gsize len;
  const char *json = hark_json_writer_peek (&self->json, &len);
  for (guint i = 0; sessions != NULL && i < sessions->len; i++)
    {
      HarkSession *session = sessions->pdata[i];
      if (session->state != HARK_SESSION_OPEN || hark_session_find_subscription (session, &topic) == NULL)
        continue;
      hark_session_send_json (session, "unread", json, len);
      hark_counter_add (self->n_told, 1);
    }
}

static HarkJsonWriter *
begin_event (HarkUnreadTeller *self, gint64 server_id)
{
  HarkJsonWriter *json = &self->json;
  hark_json_writer_reset (json);
  hark_json_writer_begin_object (json);
  hark_json_writer_member_string (json, "type", "unread");
  hark_json_writer_member_id (json, "server_id", server_id);
  return json;
}

static void
end_event (HarkUnreadTeller *self, const HarkUnreadCount *sum, gint64 rev)
{
  hark_json_writer_member_int (&self->json, "server_unread", sum->unread);
  hark_json_writer_member_int (&self->json, "server_mentions", sum->mentions);
  hark_json_writer_member_int (&self->json, "rev", rev);
  hark_json_writer_end_object (&self->json);
}

static void
tell_channel (HarkUnreadTeller *self, const HarkUnreadNumbers *numbers, const HarkUnreadCount *count,
              const HarkUnreadCount *sum)
{
  HarkJsonWriter *json = begin_event (self, count->server_id);
  hark_json_writer_member_id (json, "channel_id", count->channel_id);
  hark_json_writer_member_int (json, "channel_unread", count->unread);
  hark_json_writer_member_int (json, "mentions", count->mentions);
  end_event (self, sum, numbers->rev);
  send (self, numbers->user_id, count->server_id);
}

static void
tell_server (HarkUnreadTeller *self, const HarkUnreadNumbers *numbers, const HarkUnreadCount *sum)
{
  HarkJsonWriter *json = begin_event (self, sum->server_id);
  hark_json_writer_member (json, "channels");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < numbers->n_counts; i++)
    if (numbers->counts[i].unread > 0)
      hark_unread_count_write (&numbers->counts[i], json);
  hark_json_writer_end_array (json);
  end_event (self, sum, numbers->rev);
  send (self, numbers->user_id, sum->server_id);
}

static gboolean
contains (GArray *ids, gint64 id)
{
  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, gint64, i) == id)
      return TRUE;
  return FALSE;
}

static HarkUnreadCount
add_up (const HarkUnreadNumbers *numbers)
{
  HarkUnreadCount sum = { .server_id = numbers->counts[0].server_id };
  for (guint i = 0; i < numbers->n_counts; i++)
    {
      sum.unread += numbers->counts[i].unread;
      sum.mentions += numbers->counts[i].mentions;
    }
  return sum;
}

/* Returns: (transfer full) (element-type HarkUnreadCount): of channels that were written in those that are news, or one
 *   of them when the sum alone is; noted */
static GArray *
note_news (const HarkUnreadNumbers *numbers, HarkToldServer *told, gboolean is_sum_news)
{
  GArray *news = g_array_new (FALSE, FALSE, sizeof (HarkUnreadCount));
  const HarkUnreadCount *any = NULL;
  for (guint i = 0; i < numbers->n_counts; i++)
    {
      const HarkUnreadCount *count = &numbers->counts[i];
      if (!contains (numbers->channels, count->channel_id))
        continue;
      any = count;
      if (hark_told_server_knows (told, count))
        continue;
      hark_told_server_note (told, count);
      g_array_append_vals (news, count, 1);
    }
  if (news->len == 0 && is_sum_news && any != NULL)
    g_array_append_vals (news, any, 1);
  return news;
}

static void
note_all (const HarkUnreadNumbers *numbers, HarkToldServer *told)
{
  hark_told_server_forget (told);
  for (guint i = 0; i < numbers->n_counts; i++)
    if (numbers->counts[i].unread > 0)
      hark_told_server_note (told, &numbers->counts[i]);
}

void
hark_unread_teller_tell (HarkUnreadTeller *self, const HarkUnreadNumbers *numbers)
{
  HarkUnreadCount sum = add_up (numbers);
  g_autoptr (GArray) news = NULL;
  HarkToldServer *told;
  gboolean is_sum_news, was_zero;
  if (hark_hub_get_n_user_sessions (self->hub, numbers->user_id) == 0)
    return;
  told = hark_unread_told_ensure (self->told, numbers->user_id, sum.server_id);
  if (told->marked > numbers->serial)
    return;
  is_sum_news = told->unread != sum.unread || told->mentions != sum.mentions;
  was_zero = told->unread == 0;
  if (numbers->channels != NULL)
    news = note_news (numbers, told, is_sum_news);
  else
    note_all (numbers, told);
  told->serial = hark_snapshots_stamp (self->snapshots);
  told->unread = sum.unread;
  told->mentions = sum.mentions;
  for (guint i = 0; news != NULL && i < news->len; i++)
    tell_channel (self, numbers, &g_array_index (news, HarkUnreadCount, i), &sum);
  if (news == NULL && !(was_zero && sum.unread == 0))
    tell_server (self, numbers, &sum);
}

void
hark_unread_teller_mark (HarkUnreadTeller *self, gint64 user_id, gint64 server_id)
{
  HarkToldServer *told = hark_unread_told_ensure (self->told, user_id, server_id);
  told->marked = told->serial = hark_snapshots_stamp (self->snapshots);
}

gboolean
hark_unread_teller_was_told (HarkUnreadTeller *self, gint64 user_id, gint64 server_id, gint64 serial)
{
  HarkToldServer *told = hark_unread_told_find (self->told, user_id, server_id);
  return told != NULL && told->serial > serial;
}

void
hark_unread_teller_renew (HarkUnreadTeller *self, gint64 user_id, gint64 server_id)
{
  HarkToldServer *told = hark_unread_told_find (self->told, user_id, server_id);
  if (told != NULL)
    hark_told_server_forget (told);
}

void
hark_unread_teller_forget_user (HarkUnreadTeller *self, gint64 user_id)
{
  hark_unread_told_forget_user (self->told, user_id);
}

HarkUnreadTeller *
hark_unread_teller_new (HarkHub *hub, HarkSnapshots *snapshots, HarkMetrics *metrics)
{
  HarkUnreadTeller *self = g_new0 (HarkUnreadTeller, 1);
  self->hub = hub;
  self->snapshots = snapshots;
  self->told = hark_unread_told_new ();
  hark_json_writer_init (&self->json, 0);
  self->n_told = hark_metrics_counter (metrics, "hark_unread_events_total", "Unread numbers told to sessions.");
  return self;
}

void
hark_unread_teller_free (HarkUnreadTeller *self)
{
  hark_json_writer_clear (&self->json);
  hark_unread_told_free (self->told);
  g_free (self);
}
