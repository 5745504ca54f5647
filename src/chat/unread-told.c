/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What users who are there were told last, so that who writes in a busy channel is not told again and again that they
 * have read it. It is a memory for saying less, not for being right: what is not in it is told.
 */
#include "chat/unread-told.h"

/* Channels of one server that are remembered for one user. */
#define MAX_CHANNELS 16

struct _HarkUnreadTold
{
  GHashTable *users; /* user id → GPtrArray of HarkToldServer (owned) */
};

static void
told_server_free (gpointer data)
{
  HarkToldServer *server = data;
  g_array_unref (server->channels);
  g_free (server);
}

HarkUnreadTold *
hark_unread_told_new (void)
{
  HarkUnreadTold *self = g_new0 (HarkUnreadTold, 1);
  self->users = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  return self;
}

void
hark_unread_told_free (HarkUnreadTold *self)
{
  g_hash_table_unref (self->users);
  g_free (self);
}

/* Returns: (transfer none) (nullable) */
HarkToldServer *
hark_unread_told_find (HarkUnreadTold *self, gint64 user_id, gint64 server_id)
{
  GPtrArray *servers = g_hash_table_lookup (self->users, &user_id);
  for (guint i = 0; servers != NULL && i < servers->len; i++)
    if (((HarkToldServer *)servers->pdata[i])->server_id == server_id)
      return servers->pdata[i];
  return NULL;
}

/* Returns: (transfer none) */
HarkToldServer *
hark_unread_told_ensure (HarkUnreadTold *self, gint64 user_id, gint64 server_id)
{
  HarkToldServer *server = hark_unread_told_find (self, user_id, server_id);
  GPtrArray *servers;
  if (server != NULL)
    return server;
  servers = g_hash_table_lookup (self->users, &user_id);
  if (servers == NULL)
    {
      servers = g_ptr_array_new_with_free_func (told_server_free);
      g_hash_table_insert (self->users, g_memdup2 (&user_id, sizeof user_id), servers);
    }
  server = g_new0 (HarkToldServer, 1);
  server->server_id = server_id;
  server->unread = -1;
  server->mentions = -1;
  server->channels = g_array_new (FALSE, FALSE, sizeof (HarkUnreadCount));
  g_ptr_array_add (servers, server);
  return server;
}

void
hark_unread_told_forget_user (HarkUnreadTold *self, gint64 user_id)
{
  g_hash_table_remove (self->users, &user_id);
}

/* Whether saying this of a channel again would say nothing new. */
gboolean
hark_told_server_knows (const HarkToldServer *self, const HarkUnreadCount *count)
{
  for (guint i = 0; i < self->channels->len; i++)
    {
      const HarkUnreadCount *told = &g_array_index (self->channels, HarkUnreadCount, i);
      if (told->channel_id == count->channel_id)
        return told->unread == count->unread && told->mentions == count->mentions;
    }
  return FALSE;
}

void
hark_told_server_note (HarkToldServer *self, const HarkUnreadCount *count)
{
  for (guint i = 0; i < self->channels->len; i++)
    if (g_array_index (self->channels, HarkUnreadCount, i).channel_id == count->channel_id)
      {
        g_array_index (self->channels, HarkUnreadCount, i) = *count;
        return;
      }
  if (self->channels->len == MAX_CHANNELS)
    g_array_remove_index (self->channels, 0);
  g_array_append_val (self->channels, *count);
}

/* A session may know less than was told: everything is news again. */
void
hark_told_server_forget (HarkToldServer *self)
{
  self->unread = -1;
  self->mentions = -1;
  g_array_set_size (self->channels, 0);
}
