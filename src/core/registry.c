/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of sessions and of users who have some; see registry.h. */
#include "core/registry.h"

typedef struct
{
  gint64 id;
  GPtrArray *sessions; /* (element-type HarkSession), unowned: the registry keeps them */
  gboolean announced;  /* others were told that the user is there */
} HarkRegistryUser;

static void
user_free (gpointer data)
{
  HarkRegistryUser *user = data;
  g_ptr_array_unref (user->sessions);
  g_free (user);
}

void
hark_registry_init (HarkRegistry *self)
{
  self->sessions = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_object_unref);
  self->users = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, user_free);
}

void
hark_registry_clear (HarkRegistry *self)
{
  g_clear_pointer (&self->sessions, g_hash_table_unref);
  g_clear_pointer (&self->users, g_hash_table_unref);
}

guint
hark_registry_get_n_sessions (const HarkRegistry *self)
{
  return g_hash_table_size (self->sessions);
}

guint
hark_registry_get_n_users (const HarkRegistry *self)
{
  return g_hash_table_size (self->users);
}

guint
hark_registry_get_n_user_sessions (const HarkRegistry *self, gint64 user_id)
{
  HarkRegistryUser *user = g_hash_table_lookup (self->users, &user_id);
  return user != NULL ? user->sessions->len : 0;
}

/* Returns: (transfer none) (nullable) */
HarkSession *
hark_registry_find (const HarkRegistry *self, gint64 id)
{
  return g_hash_table_lookup (self->sessions, &id);
}

/* Returns: (transfer full) (element-type HarkSession): all, held, in no order */
GPtrArray *
hark_registry_dup_sessions (const HarkRegistry *self)
{
  GPtrArray *sessions = g_ptr_array_new_full (g_hash_table_size (self->sessions), g_object_unref);
  GHashTableIter iter;
  gpointer session;
  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &session))
    g_ptr_array_add (sessions, g_object_ref (session));
  return sessions;
}

/* Returns: (transfer full) (nullable) (element-type HarkSession): a user's sessions, held; %NULL for none */
GPtrArray *
hark_registry_dup_user_sessions (const HarkRegistry *self, gint64 user_id)
{
  HarkRegistryUser *user = g_hash_table_lookup (self->users, &user_id);
  GPtrArray *sessions;
  if (user == NULL)
    return NULL;
  sessions = g_ptr_array_new_full (user->sessions->len, g_object_unref);
  for (guint i = 0; i < user->sessions->len; i++)
    g_ptr_array_add (sessions, g_object_ref (user->sessions->pdata[i]));
  return sessions;
}

/* Takes a holder of a session, whose id is set. */
void
hark_registry_add (HarkRegistry *self, HarkSession *session)
{
  g_hash_table_insert (self->sessions, &session->id, g_object_ref (session));
}

void
hark_registry_remove (HarkRegistry *self, HarkSession *session)
{
  g_hash_table_remove (self->sessions, &session->id);
}

/* A session has a user now. */
void
hark_registry_add_to_user (HarkRegistry *self, HarkSession *session)
{
  gint64 user_id = hark_session_get_user_id (session);
  HarkRegistryUser *user = g_hash_table_lookup (self->users, &user_id);
  if (user == NULL)
    {
      user = g_new0 (HarkRegistryUser, 1);
      user->id = user_id;
      user->sessions = g_ptr_array_new ();
      g_hash_table_insert (self->users, &user->id, user);
    }
  session->user_position = user->sessions->len;
  g_ptr_array_add (user->sessions, session);
}

/* Returns: whether that was the last session of a user who was announced */
gboolean
hark_registry_remove_from_user (HarkRegistry *self, HarkSession *session)
{
  gint64 user_id = hark_session_get_user_id (session);
  HarkRegistryUser *user = g_hash_table_lookup (self->users, &user_id);
  gboolean announced = user->announced;
  g_ptr_array_remove_index_fast (user->sessions, session->user_position);
  if (session->user_position < user->sessions->len)
    HARK_SESSION (user->sessions->pdata[session->user_position])->user_position = session->user_position;
  if (user->sessions->len > 0)
    return FALSE;
  g_hash_table_remove (self->users, &user_id);
  return announced;
}

/* Returns: whether the user is there and was not announced before; now it is */
gboolean
hark_registry_announce (HarkRegistry *self, gint64 user_id)
{
  HarkRegistryUser *user = g_hash_table_lookup (self->users, &user_id);
  if (user == NULL || user->announced)
    return FALSE;
  user->announced = TRUE;
  return TRUE;
}
