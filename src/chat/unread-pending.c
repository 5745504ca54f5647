/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is still to be told of unread numbers. */
#include "chat/unread-pending.h"

static guint
pair_hash (gconstpointer data)
{
  const HarkUnreadPair *pair = data;
  guint64 mix = (guint64)pair->user_id * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)
                ^ (guint64)pair->server_id * G_GUINT64_CONSTANT (0xc2b2ae3d27d4eb4f) ^ (guint64)pair->channel_id;
  return mix >> 32 ^ mix;
}

static gboolean
pair_equal (gconstpointer a, gconstpointer b)
{
  const HarkUnreadPair *left = a, *right = b;
  return left->user_id == right->user_id && left->server_id == right->server_id
         && left->channel_id == right->channel_id;
}

void
hark_unread_pending_init (HarkUnreadPending *self, HarkMetrics *metrics, guint max)
{
  self->channels = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->servers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->urgent = g_hash_table_new_full (pair_hash, pair_equal, g_free, NULL);
  self->pairs = g_hash_table_new_full (pair_hash, pair_equal, g_free, NULL);
  self->max = max;
  self->n_pending = hark_metrics_gauge (metrics, "hark_unread_pending",
                                        "Channels, servers and users whose unread numbers are to be told.");
  self->n_dropped = hark_metrics_counter (metrics, "hark_unread_dropped_total",
                                          "Changes of unread numbers not told because too many were waiting.");
}

void
hark_unread_pending_clear (HarkUnreadPending *self)
{
  g_hash_table_unref (self->channels);
  g_hash_table_unref (self->servers);
  g_hash_table_unref (self->urgent);
  g_hash_table_unref (self->pairs);
}

static guint
count (const HarkUnreadPending *self)
{
  return g_hash_table_size (self->channels) + g_hash_table_size (self->servers) + g_hash_table_size (self->urgent)
         + g_hash_table_size (self->pairs);
}

static gboolean
add (HarkUnreadPending *self, GHashTable *set, gconstpointer key, gsize size)
{
  if (g_hash_table_contains (set, key))
    return TRUE;
  if (count (self) >= self->max)
    {
      hark_counter_add (self->n_dropped, 1);
      return FALSE;
    }
  g_hash_table_add (set, g_memdup2 (key, size));
  hark_gauge_set (self->n_pending, count (self));
  return TRUE;
}

/* Somebody has written in it. Returns: %FALSE when there is no room */
gboolean
hark_unread_pending_add_channel (HarkUnreadPending *self, gint64 channel_id)
{
  return add (self, self->channels, &channel_id, sizeof channel_id);
}

gboolean
hark_unread_pending_add_server (HarkUnreadPending *self, gint64 server_id)
{
  return add (self, self->servers, &server_id, sizeof server_id);
}

gboolean
hark_unread_pending_add_urgent (HarkUnreadPending *self, gint64 user_id, gint64 server_id, gint64 channel_id)
{
  HarkUnreadPair pair = { user_id, server_id, channel_id };
  return add (self, self->urgent, &pair, sizeof pair);
}

gboolean
hark_unread_pending_add_pair (HarkUnreadPending *self, gint64 user_id, gint64 server_id, gint64 channel_id)
{
  HarkUnreadPair pair = { user_id, server_id, channel_id };
  return add (self, self->pairs, &pair, sizeof pair);
}

gboolean
hark_unread_pending_is_empty (const HarkUnreadPending *self)
{
  return count (self) == 0;
}

static GArray *
steal (HarkUnreadPending *self, GHashTable *set, guint size, guint max)
{
  GArray *all = g_array_new (FALSE, FALSE, size);
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, set);
  while (all->len < max && g_hash_table_iter_next (&iter, &key, NULL))
    {
      g_array_append_vals (all, key, 1);
      g_hash_table_iter_remove (&iter);
    }
  hark_gauge_set (self->n_pending, count (self));
  return all;
}

/* Returns: (transfer full) (element-type gint64) */
GArray *
hark_unread_pending_steal_channels (HarkUnreadPending *self)
{
  return steal (self, self->channels, sizeof (gint64), G_MAXUINT);
}

/* Returns: (transfer full) (element-type gint64) */
GArray *
hark_unread_pending_steal_servers (HarkUnreadPending *self)
{
  return steal (self, self->servers, sizeof (gint64), G_MAXUINT);
}

/* Returns: (transfer full) (element-type HarkUnreadPair) */
GArray *
hark_unread_pending_steal_urgent (HarkUnreadPending *self, guint max)
{
  return steal (self, self->urgent, sizeof (HarkUnreadPair), max);
}

/* Returns: (transfer full) (element-type HarkUnreadPair) */
GArray *
hark_unread_pending_steal_pairs (HarkUnreadPending *self)
{
  return steal (self, self->pairs, sizeof (HarkUnreadPair), G_MAXUINT);
}

static GVariant *
save_ids (GHashTable *set)
{
  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer key;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ax"));
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_variant_builder_add (&builder, "x", *(gint64 *)key);
  return g_variant_builder_end (&builder);
}

static GVariant *
save_pairs (GHashTable *set)
{
  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer key;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(xxx)"));
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      const HarkUnreadPair *pair = key;
      g_variant_builder_add (&builder, "(xxx)", pair->user_id, pair->server_id, pair->channel_id);
    }
  return g_variant_builder_end (&builder);
}

/* Returns: (transfer full): floating: all that waits */
GVariant *
hark_unread_pending_save (const HarkUnreadPending *self)
{
  return g_variant_new ("(@ax@ax@a(xxx)@a(xxx))", save_ids (self->channels), save_ids (self->servers),
                        save_pairs (self->urgent), save_pairs (self->pairs));
}

/* Adds what another process had. */
void
hark_unread_pending_restore (HarkUnreadPending *self, GVariant *state)
{
  g_autoptr (GVariantIter) channels = NULL;
  g_autoptr (GVariantIter) servers = NULL;
  g_autoptr (GVariantIter) urgent = NULL;
  g_autoptr (GVariantIter) pairs = NULL;
  gint64 user_id, server_id, channel_id;
  if (!g_variant_is_of_type (state, G_VARIANT_TYPE ("(axaxa(xxx)a(xxx))")))
    return;
  g_variant_get (state, "(axaxa(xxx)a(xxx))", &channels, &servers, &urgent, &pairs);
  while (g_variant_iter_next (channels, "x", &channel_id))
    hark_unread_pending_add_channel (self, channel_id);
  while (g_variant_iter_next (servers, "x", &server_id))
    hark_unread_pending_add_server (self, server_id);
  while (g_variant_iter_next (urgent, "(xxx)", &user_id, &server_id, &channel_id))
    hark_unread_pending_add_urgent (self, user_id, server_id, channel_id);
  while (g_variant_iter_next (pairs, "(xxx)", &user_id, &server_id, &channel_id))
    hark_unread_pending_add_pair (self, user_id, server_id, channel_id);
}
