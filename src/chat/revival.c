/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session of a process that was killed, from what that had stored: in the same form as one that a process hands on, so
 * that it is gone on with in the same way. What the store does not know, the logbook of connections does: whether there
 * is more to know, and up to which rev its client was told everything.
 */
#include "chat/revival.h"

#include "chat/chat-state.h"
#include "chat/rights.h"
#include "chat/rows.h"
#include "chat/session-store.h"
#include "chat/token.h"
#include "core/event-log.h"
#include "core/ranges.h"

#include <string.h>

static GVariant *
pack_ranges (GArray *ranges)
{
  GVariantBuilder builder;
  if (ranges == NULL)
    return g_variant_new_maybe (G_VARIANT_TYPE ("a(xx)"), NULL);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(xx)"));
  for (guint i = 0; i < ranges->len; i++)
    g_variant_builder_add (&builder, "(xx)", g_array_index (ranges, HarkRange, i).after,
                           g_array_index (ranges, HarkRange, i).last);
  return g_variant_new_maybe (NULL, g_variant_builder_end (&builder));
}

/* A right may have been lost in the moment before the end. */
static gboolean
add_topic (HarkTransaction *tx, GVariantBuilder *builder, const char *text, GArray *ranges, const HarkAsker *asker,
           const HarkTopicRules *rules, GError **error)
{
  g_auto (HarkTopic) topic = { 0 };
  gboolean may;
  gint64 seq;
  if (!hark_topic_parse (text, &topic, error) || !hark_rights_check_topic (tx, &topic, asker, rules, &may, error)
      || !hark_event_log_get_seq (tx, &topic, &seq, error))
    return FALSE;
  if (may)
    g_variant_builder_add (builder, "(sxt@ma(xx))", text, seq, (guint64)0, pack_ranges (ranges));
  return TRUE;
}

typedef struct
{
  char *topic;
  GArray *ranges; /* (nullable) */
} TopicRow;

static void
topic_row_clear (gpointer data)
{
  TopicRow *row = data;
  g_free (row->topic);
  g_clear_pointer (&row->ranges, g_array_unref);
}

static gboolean
read_topics (HarkTransaction *tx, gint64 session_id, GArray *topics, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT topic, ranges FROM session_topics WHERE session_id = ? ORDER BY topic", "i",
                               session_id))
    return FALSE;
  while (hark_rows_next (&rows, &local_error))
    {
      gsize len;
      const guint8 *packed = hark_rows_get_blob (&rows, 1, &len);
      TopicRow row = { g_strdup (hark_rows_get_text (&rows, 0, NULL)), hark_session_store_unpack_ranges (packed, len) };
      g_array_append_val (topics, row);
    }
  return hark_rows_check (&local_error, error);
}

static GVariant *
build_subscriptions (HarkTransaction *tx, gint64 session_id, const HarkAsker *asker, const HarkTopicRules *rules,
                     GError **error)
{
  g_autoptr (GArray) topics = g_array_new (FALSE, FALSE, sizeof (TopicRow));
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(sxtma(xx))"));
  g_array_set_clear_func (topics, topic_row_clear);
  if (!read_topics (tx, session_id, topics, error))
    return NULL;
  for (guint i = 0; i < topics->len; i++)
    {
      const TopicRow *row = &g_array_index (topics, TopicRow, i);
      if (!add_topic (tx, &builder, row->topic, row->ranges, asker, rules, error))
        return NULL;
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
build_loaded (const guint8 *packed, gsize len)
{
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ax"));
  for (gsize i = 0; packed != NULL && i + sizeof (gint64) <= len; i += sizeof (gint64))
    {
      gint64 id;
      memcpy (&id, packed + i, sizeof id);
      g_variant_builder_add (&builder, "x", GINT64_FROM_LE (id));
    }
  return g_variant_builder_end (&builder);
}

/**
 * hark_revival_read:
 * @rev: up to which the session's client was told everything
 * @session: (out) (nullable): for hark_session_restore (); %NULL: the store does not know that session, or it has ended
 * @address: (out) (nullable): where its client is
 * @chat: (out) (nullable): for hark_chat_restore_session ()
 */
gboolean
hark_revival_read (HarkTransaction *tx, gint64 session_id, gint64 rev, const HarkTopicRules *rules, GVariant **session,
                   char **address, GVariant **chat, GError **error)
{
  g_autofree char *username = NULL;
  g_autoptr (GVariant) loaded = NULL;
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  HarkAsker asker;
  GVariant *subscriptions;
  gint64 token_id, expires_ms, opened_ms;
  const guint8 *hash, *packed;
  gsize len;
  *session = *chat = NULL;
  *address = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT s.user_id, u.username, s.token_id, s.expires_at, s.flags, s.opened_at,"
                               " s.resume_hash, s.loaded, s.address FROM sessions s JOIN users u ON u.user_id = "
                               "s.user_id"
                               " WHERE s.session_id = ? AND s.ended_at = 0",
                               "i", session_id))
    return FALSE;
  if (!hark_rows_next (&rows, &local_error))
    return hark_rows_check (&local_error, error);
  asker = (HarkAsker){ hark_rows_get_int64 (&rows, 0), hark_rows_get_int64 (&rows, 4) };
  username = g_strdup (hark_rows_get_text (&rows, 1, NULL));
  token_id = hark_rows_get_int64 (&rows, 2);
  expires_ms = hark_rows_get_int64 (&rows, 3);
  opened_ms = hark_rows_get_int64 (&rows, 5);
  hash = hark_rows_get_blob (&rows, 6, &len);
  *chat = g_variant_ref_sink (hark_chat_state_new (hash, len));
  packed = hark_rows_get_blob (&rows, 7, &len);
  loaded = g_variant_ref_sink (build_loaded (packed, len));
  *address = g_strdup (hark_rows_get_text (&rows, 8, NULL));
  hark_rows_end (&rows);
  subscriptions = build_subscriptions (tx, session_id, &asker, rules, error);
  if (subscriptions == NULL)
    return FALSE;
  *session
    = g_variant_ref_sink (g_variant_new ("(xxttqbb(xsxxu)@a(sxtma(xx))@axxa{sv})", session_id, opened_ms, (guint64)0,
                                         (guint64)0, 0, TRUE, TRUE, asker.user_id, username, token_id, expires_ms,
                                         (guint)asker.flags, subscriptions, loaded, rev, NULL));
  return TRUE;
}
