/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who presents a token, from memory or from the store. Used by the front's thread during handshakes and by the hub's;
 * a lock guards what both touch, and nothing is waited for under it. A token that is revoked is dropped from memory
 * after the commit; what was looked up before that is thrown away and looked up again (generation), and an identity
 * that is already on its way to the hub is not current any more (gone).
 *
 * A token is one that the store knows by its hash, or a JWT: then a reader's thread, which looks the user up, verifies
 * it before, so that the hub's has nothing to do with signatures. It is remembered like the others.
 */
#include "chat/token-authenticator.h"

#include "base/error.h"
#include "chat/jwt-users.h"
#include "chat/token.h"

#include <string.h>

/* A revoked token is remembered while handshakes made with it can be under way. */
#define REMEMBER_GONE_MS (10 * 60 * 1000)

/* The use of a token is noted at most this often. */
#define USED_MS (60 * 60 * 1000)

/* Fewer would have those who connect at the same time look each other's tokens up again. */
#define MIN_ENTRIES 16

/* Tokens whose use waits to be noted; those over it are noted at their next use. */
#define MAX_USED 10000

typedef struct
{
  guint8 hash[HARK_TOKEN_HASH_LEN];
  HarkIdentity *identity; /* (owned) */
  gint64 used_ms;         /* when its use was noted */
  GList link;             /* in order, the last used first */
} Entry;

typedef struct
{
  gint64 id; /* of a token, or of a user as a negative number */
  gint64 at; /* milliseconds, monotonic */
} Gone;

struct _HarkTokenAuthenticator
{
  GObject parent_instance;
  HarkStore *store;      /* (owned) */
  HarkClock *clock;      /* (owned) */
  GMainContext *context; /* (owned): the hub's, from which the store is written */
  HarkJwtIssuer *issuer; /* (owned) (nullable) */
  guint max_entries;
  GMutex lock;         /* guards all below */
  GHashTable *entries; /* hash → Entry (owned) */
  GQueue order;        /* of the entries' links */
  GHashTable *gone;    /* id → Gone (owned) */
  GQueue gone_order;   /* (element-type Gone): oldest first */
  GArray *used;        /* (element-type gint64) */
  guint generation;    /* counts what was dropped */
  HarkCounter *n_hits;
  HarkCounter *n_lookups;
  HarkCounter *n_refused;
  HarkCounter *n_created;
};

static void hark_token_authenticator_iface_init (HarkAuthenticatorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkTokenAuthenticator, hark_token_authenticator, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_AUTHENTICATOR, hark_token_authenticator_iface_init))

static guint
hash_hash (gconstpointer key)
{
  guint value;
  memcpy (&value, key, sizeof value); /* SHA-256: any part of it is as good as all */
  return value;
}

static gboolean
hash_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, HARK_TOKEN_HASH_LEN) == 0;
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  hark_identity_unref (entry->identity);
  g_free (entry);
}

static void
hark_token_authenticator_finalize (GObject *object)
{
  HarkTokenAuthenticator *self = HARK_TOKEN_AUTHENTICATOR (object);
  g_hash_table_unref (self->entries);
  g_queue_clear (&self->gone_order);
  g_hash_table_unref (self->gone);
  g_array_unref (self->used);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->issuer, hark_jwt_issuer_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_object (&self->store);
  g_clear_object (&self->clock);
  G_OBJECT_CLASS (hark_token_authenticator_parent_class)->finalize (object);
}

static void
hark_token_authenticator_class_init (HarkTokenAuthenticatorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_token_authenticator_finalize;
}

static void
hark_token_authenticator_init (HarkTokenAuthenticator *self)
{
  g_mutex_init (&self->lock);
  self->entries = g_hash_table_new_full (hash_hash, hash_equal, NULL, entry_free);
  self->gone = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  self->used = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_queue_init (&self->order);
  g_queue_init (&self->gone_order);
}

/**
 * hark_token_authenticator_new:
 * @max_entries: identities remembered
 *
 * Called in the hub's context.
 */
HarkTokenAuthenticator *
hark_token_authenticator_new (HarkStore *store, HarkClock *clock, HarkMetrics *metrics, guint max_entries)
{
  HarkTokenAuthenticator *self = g_object_new (HARK_TYPE_TOKEN_AUTHENTICATOR, NULL);
  self->store = g_object_ref (store);
  self->clock = g_object_ref (clock);
  self->context = g_main_context_ref_thread_default ();
  self->max_entries = MAX (max_entries, MIN_ENTRIES);
  self->n_hits = hark_metrics_counter (metrics, "hark_tokens_remembered_total", "Tokens known from memory.");
  self->n_lookups = hark_metrics_counter (metrics, "hark_tokens_looked_up_total", "Tokens looked up in the store.");
  self->n_refused = hark_metrics_counter (metrics, "hark_tokens_refused_total", "Tokens that let nobody in.");
  self->n_created
    = hark_metrics_counter (metrics, "hark_jwt_users_created_total", "Users made because a JWT named them.");
  return self;
}

/* Whose JWTs let in; before another thread has @self. */
void
hark_token_authenticator_set_jwt_issuer (HarkTokenAuthenticator *self, HarkJwtIssuer *issuer)
{
  self->issuer = hark_jwt_issuer_ref (issuer);
}

/* The functions below are called with the lock held. */

static void
remove_entry (HarkTokenAuthenticator *self, Entry *entry)
{
  g_queue_unlink (&self->order, &entry->link);
  g_hash_table_remove (self->entries, entry->hash);
}

static void
note_use (HarkTokenAuthenticator *self, Entry *entry, gint64 now_ms)
{
  if (entry->identity->token_id == 0 || now_ms - entry->used_ms < USED_MS || self->used->len >= MAX_USED)
    return;
  entry->used_ms = now_ms;
  g_array_append_val (self->used, entry->identity->token_id);
}

static void
remember (HarkTokenAuthenticator *self, const guint8 *hash, HarkIdentity *identity, gint64 now_ms)
{
  Entry *entry = g_hash_table_lookup (self->entries, hash);
  if (entry != NULL)
    remove_entry (self, entry);
  while (g_hash_table_size (self->entries) >= self->max_entries)
    remove_entry (self, self->order.tail->data);
  entry = g_new0 (Entry, 1);
  memcpy (entry->hash, hash, HARK_TOKEN_HASH_LEN);
  entry->identity = hark_identity_ref (identity);
  entry->link.data = entry;
  g_queue_push_head_link (&self->order, &entry->link);
  g_hash_table_add (self->entries, entry);
  note_use (self, entry, now_ms);
}

static gboolean
is_expired (HarkIdentity *identity, gint64 now_ms)
{
  return identity->expires_ms > 0 && identity->expires_ms <= now_ms;
}

static HarkIdentity *
recall (HarkTokenAuthenticator *self, const guint8 *hash, gint64 now_ms)
{
  Entry *entry = g_hash_table_lookup (self->entries, hash);
  if (entry == NULL)
    return NULL;
  if (is_expired (entry->identity, now_ms))
    {
      remove_entry (self, entry);
      return NULL;
    }
  g_queue_unlink (&self->order, &entry->link);
  g_queue_push_head_link (&self->order, &entry->link);
  note_use (self, entry, now_ms);
  return hark_identity_ref (entry->identity);
}

static void
add_gone (HarkTokenAuthenticator *self, gint64 id)
{
  gint64 now = hark_clock_get_monotonic (self->clock) / 1000;
  Gone *gone, *oldest;
  while ((oldest = g_queue_peek_head (&self->gone_order)) != NULL && now - oldest->at > REMEMBER_GONE_MS)
    {
      g_queue_pop_head (&self->gone_order);
      g_hash_table_remove (self->gone, &oldest->id);
    }
  if (g_hash_table_contains (self->gone, &id))
    return;
  gone = g_new (Gone, 1);
  gone->id = id;
  gone->at = now;
  g_queue_push_tail (&self->gone_order, gone);
  g_hash_table_insert (self->gone, &gone->id, gone);
}

/* Whether @identity was found after whatever was dropped: only then is it still remembered. */
static gboolean
is_remembered (HarkTokenAuthenticator *self, HarkIdentity *identity)
{
  for (GList *link = self->order.head; link != NULL; link = link->next)
    if (((Entry *)link->data)->identity == identity)
      return TRUE;
  return FALSE;
}

/* Until here. */

static gboolean
may_be_jwt (HarkTokenAuthenticator *self, const char *token)
{
  return self->issuer != NULL && hark_jwt_is_one (token);
}

static gboolean
may_be_token (HarkTokenAuthenticator *self, const char *token)
{
  return hark_token_is_valid (token) || may_be_jwt (self, token);
}

static HarkIdentity *
token_authenticator_peek (HarkAuthenticator *authenticator, const char *token)
{
  HarkTokenAuthenticator *self = HARK_TOKEN_AUTHENTICATOR (authenticator);
  guint8 hash[HARK_TOKEN_HASH_LEN];
  HarkIdentity *identity;
  gint64 now_ms;
  if (!may_be_token (self, token))
    return NULL;
  now_ms = hark_clock_get_real_ms (self->clock);
  hark_token_hash (token, hash);
  g_mutex_lock (&self->lock);
  identity = recall (self, hash, now_ms);
  g_mutex_unlock (&self->lock);
  if (identity != NULL)
    hark_counter_add (self->n_hits, 1);
  return identity;
}

/* One token being looked up. Shared by a task and a work, which are never at it at the same time. */
typedef struct
{
  guint8 hash[HARK_TOKEN_HASH_LEN];
  guint generation;       /* before the look-up */
  HarkIdentity *identity; /* (owned) (nullable): what was found */
  char *jwt;              /* (owned) (nullable): the token, when it may be one */
  HarkJwtIssuer *issuer;  /* unowned, with @jwt */
  HarkJwtClaims claims;   /* of the JWT, when it is good */
  GError *refusal;        /* (owned) (nullable): what is wrong with it */
  gboolean creates;       /* nobody has an account of its name, and gets one */
  gboolean created;
} Lookup;

static void
lookup_free (gpointer data)
{
  Lookup *lookup = data;
  g_clear_pointer (&lookup->identity, hark_identity_unref);
  hark_jwt_claims_clear (&lookup->claims);
  g_clear_error (&lookup->refusal);
  g_free (lookup->jwt);
  g_free (lookup);
}

/* A key has a scope rather than what its user may do: whose scope we do not know may do nothing. */
static HarkIdentityFlags
read_flags (const HarkRows *rows)
{
  if (!hark_rows_is_null (rows, 5))
    return HARK_IDENTITY_BACKEND;
  return hark_rows_get_int64 (rows, 4) != 0 ? HARK_IDENTITY_ADMIN : HARK_IDENTITY_NONE;
}

static gboolean
look_up_token (HarkTransaction *tx, Lookup *lookup, GError **error)
{
  g_auto (HarkRows) rows = HARK_ROWS_INIT;
  g_autoptr (GError) local_error = NULL;
  if (!hark_transaction_query (tx, &rows, error,
                               "SELECT t.token_id, t.expires_at, u.user_id, u.username, u.is_admin, t.scope FROM "
                               "tokens t"
                               " JOIN users u ON u.user_id = t.user_id WHERE t.hash = ? AND t.revoked_at = 0",
                               "b", lookup->hash, (gsize)HARK_TOKEN_HASH_LEN))
    return FALSE;
  if (hark_rows_next (&rows, &local_error))
    lookup->identity
      = hark_identity_new (hark_rows_get_int64 (&rows, 2), hark_rows_get_text (&rows, 3, NULL),
                           hark_rows_get_int64 (&rows, 0), hark_rows_get_int64 (&rows, 1), read_flags (&rows));
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* The user whom the claims mean, who may be unknown. */
static gboolean
find_user (HarkTransaction *tx, Lookup *lookup, HarkJwtUser *user, GError **error)
{
  if (!hark_jwt_users_find (tx, &lookup->claims, user, &lookup->identity, error))
    return FALSE;
  if (*user == HARK_JWT_USER_GONE)
    g_set_error (&lookup->refusal, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED,
                 "\"token\": the account was deleted after it was issued");
  return TRUE;
}

static gboolean
look_up_jwt (HarkTransaction *tx, Lookup *lookup, GError **error)
{
  HarkJwtUser user;
  hark_jwt_claims_clear (&lookup->claims);
  if (!hark_jwt_issuer_check (lookup->issuer, lookup->jwt, hark_transaction_now_ms (tx), &lookup->claims,
                              &lookup->refusal))
    return TRUE;
  if (!find_user (tx, lookup, &user, error))
    return FALSE;
  lookup->creates = user == HARK_JWT_USER_UNKNOWN && hark_jwt_issuer_get_rules (lookup->issuer)->create_users;
  if (user == HARK_JWT_USER_UNKNOWN && !lookup->creates)
    g_set_error (&lookup->refusal, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\": \"sub\" is no user here");
  return TRUE;
}

static gboolean
look_up_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Lookup *lookup = data;
  g_clear_pointer (&lookup->identity, hark_identity_unref);
  g_clear_error (&lookup->refusal);
  lookup->creates = FALSE;
  if (!look_up_token (tx, lookup, error))
    return FALSE;
  /* An administrator may have chosen a token with two dots: what the store knows goes before. */
  return lookup->identity != NULL || lookup->jwt == NULL || look_up_jwt (tx, lookup, error);
}

/* By now somebody else may have. */
static gboolean
create_user_in_thread (HarkTransaction *tx, gpointer data, GError **error)
{
  Lookup *lookup = data;
  HarkJwtUser user;
  g_clear_pointer (&lookup->identity, hark_identity_unref);
  g_clear_error (&lookup->refusal);
  if (!find_user (tx, lookup, &user, error))
    return FALSE;
  lookup->created = user == HARK_JWT_USER_UNKNOWN;
  return !lookup->created
         || (hark_jwt_users_create (tx, &lookup->claims, error) && find_user (tx, lookup, &user, error));
}

static void look_up (GTask *task);
static void create_user (GTask *task);

static void
refuse (HarkTokenAuthenticator *self, GTask *task, const GError *why)
{
  hark_counter_add (self->n_refused, 1);
  if (why != NULL)
    g_task_return_error (task, g_error_copy (why));
  else
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"token\" lets nobody in");
}

/* @user_data: (transfer full): the task */
static void
on_looked_up (gpointer data, const GError *error, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  HarkTokenAuthenticator *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  gint64 now_ms = hark_clock_get_real_ms (self->clock);
  gboolean again;
  if (error != NULL)
    {
      g_task_return_error (task, g_error_copy (error));
      return;
    }
  if (lookup->creates)
    {
      create_user (g_steal_pointer (&task));
      return;
    }
  if (lookup->identity == NULL || is_expired (lookup->identity, now_ms))
    {
      refuse (self, task, lookup->refusal);
      return;
    }
  g_mutex_lock (&self->lock);
  again = lookup->generation != self->generation;
  if (!again)
    remember (self, lookup->hash, lookup->identity, now_ms);
  g_mutex_unlock (&self->lock);
  if (again)
    look_up (g_object_ref (task));
  else
    g_task_return_pointer (task, g_steal_pointer (&lookup->identity), (GDestroyNotify)hark_identity_unref);
}

/* @task: (transfer full) */
static void
look_up (GTask *task)
{
  HarkTokenAuthenticator *self = g_task_get_source_object (task);
  Lookup *lookup = g_task_get_task_data (task);
  g_mutex_lock (&self->lock);
  lookup->generation = self->generation;
  g_mutex_unlock (&self->lock);
  hark_counter_add (self->n_lookups, 1);
  hark_store_read (self->store, look_up_in_thread, lookup, NULL, on_looked_up, task);
}

static void
on_user_created (gpointer data, const GError *error, gpointer user_data)
{
  Lookup *lookup = data;
  HarkTokenAuthenticator *self = g_task_get_source_object (user_data);
  lookup->creates = FALSE;
  if (error == NULL && lookup->created)
    hark_counter_add (self->n_created, 1);
  on_looked_up (data, error, user_data);
}

static gboolean
on_create_user (gpointer data)
{
  GTask *task = data;
  HarkTokenAuthenticator *self = g_task_get_source_object (task);
  hark_store_write (self->store, create_user_in_thread, g_task_get_task_data (task), NULL, on_user_created,
                    g_object_ref (task));
  return G_SOURCE_REMOVE;
}

/* @task: (transfer full): in which a good JWT names nobody. Only the hub's thread may have the store write. */
static void
create_user (GTask *task)
{
  HarkTokenAuthenticator *self = g_task_get_source_object (task);
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "hark-create-user");
  g_source_set_callback (source, on_create_user, task, g_object_unref);
  g_source_attach (source, self->context);
}

static void
token_authenticator_check_async (HarkAuthenticator *authenticator, const char *token, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer data)
{
  HarkTokenAuthenticator *self = HARK_TOKEN_AUTHENTICATOR (authenticator);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, data);
  HarkIdentity *identity;
  Lookup *lookup;
  g_task_set_source_tag (task, token_authenticator_check_async);
  if (!may_be_token (self, token))
    {
      refuse (self, task, NULL);
      return;
    }
  identity = token_authenticator_peek (authenticator, token);
  if (identity != NULL)
    {
      g_task_return_pointer (task, identity, (GDestroyNotify)hark_identity_unref);
      return;
    }
  lookup = g_new0 (Lookup, 1);
  hark_token_hash (token, lookup->hash);
  if (may_be_jwt (self, token))
    {
      lookup->jwt = g_strdup (token);
      lookup->issuer = self->issuer;
    }
  g_task_set_task_data (task, lookup, lookup_free);
  look_up (g_steal_pointer (&task));
}

static HarkIdentity *
token_authenticator_check_finish (HarkAuthenticator *authenticator, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
token_authenticator_is_current (HarkAuthenticator *authenticator, HarkIdentity *identity)
{
  HarkTokenAuthenticator *self = HARK_TOKEN_AUTHENTICATOR (authenticator);
  gint64 as_user = -identity->user_id;
  gboolean current = TRUE;
  if (is_expired (identity, hark_clock_get_real_ms (self->clock)))
    return FALSE;
  g_mutex_lock (&self->lock);
  if (g_hash_table_contains (self->gone, &identity->token_id) || g_hash_table_contains (self->gone, &as_user))
    current = is_remembered (self, identity);
  g_mutex_unlock (&self->lock);
  return current;
}

static void
hark_token_authenticator_iface_init (HarkAuthenticatorInterface *iface)
{
  iface->peek = token_authenticator_peek;
  iface->check_async = token_authenticator_check_async;
  iface->check_finish = token_authenticator_check_finish;
  iface->is_current = token_authenticator_is_current;
}

/* After a revocation was committed: @token_id of a token, or @user_id of whose tokens all are dropped. */
static void
drop (HarkTokenAuthenticator *self, gint64 token_id, gint64 user_id)
{
  g_mutex_lock (&self->lock);
  self->generation++;
  for (GList *link = self->order.head, *next; link != NULL; link = next)
    {
      Entry *entry = link->data;
      next = link->next;
      if ((token_id != 0 && entry->identity->token_id == token_id)
          || (user_id != 0 && entry->identity->user_id == user_id))
        remove_entry (self, entry);
    }
  add_gone (self, token_id != 0 ? token_id : -user_id);
  g_mutex_unlock (&self->lock);
}

void
hark_token_authenticator_drop_token (HarkTokenAuthenticator *self, gint64 token_id)
{
  drop (self, token_id, 0);
}

/* All identities of a user are void: the user is gone, or may do more or less than before. */
void
hark_token_authenticator_drop_user (HarkTokenAuthenticator *self, gint64 user_id)
{
  drop (self, 0, user_id);
}

GArray *
hark_token_authenticator_steal_used (HarkTokenAuthenticator *self)
{
  GArray *used;
  g_mutex_lock (&self->lock);
  used = g_steal_pointer (&self->used);
  self->used = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_mutex_unlock (&self->lock);
  return used;
}
