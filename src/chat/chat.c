/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the hub is used for: the list of concerns, in the order in which they need each other. A new concern is a file
 * pair, a migration if it has tables, and a line or two here.
 */
#include "chat/chat.h"

#include "chat/accounts.h"
#include "chat/attempts.h"
#include "chat/channels.h"
#include "chat/credentials.h"
#include "chat/edits.h"
#include "chat/client-messages.h"
#include "chat/deliveries.h"
#include "chat/forward.h"
#include "chat/grants.h"
#include "chat/history.h"
#include "chat/interest.h"
#include "chat/invitations.h"
#include "chat/login.h"
#include "chat/members.h"
#include "chat/membership.h"
#include "chat/messages.h"
#include "chat/passwords.h"
#include "chat/ping.h"
#include "chat/notifications.h"
#include "chat/presence-store.h"
#include "chat/personal.h"
#include "chat/publish.h"
#include "chat/reactions.h"
#include "chat/refresh.h"
#include "chat/resume.h"
#include "chat/retention.h"
#include "chat/revival.h"
#include "chat/role-members.h"
#include "chat/roles.h"
#include "chat/rooms.h"
#include "chat/search-index.h"
#include "chat/search.h"
#include "chat/servers.h"
#include "chat/session-admin.h"
#include "chat/session-store.h"
#include "chat/sessions.h"
#include "chat/snapshot.h"
#include "chat/token-authenticator.h"
#include "chat/token-expiry.h"
#include "chat/tokens.h"
#include "chat/topic-review.h"
#include "chat/typing.h"
#include "chat/unread.h"
#include "core/event-log.h"

#include "hark-chat-resources.h"

struct _HarkChat
{
  GObject parent_instance;
  HarkHub *hub; /* (owned), as all that follow */
  HarkStore *store;
  HarkPresence *presence;
  HarkIds *ids;
  HarkClock *clock;
  HarkMetrics *metrics;
  HarkChatLimits limits;
  char **lists[3]; /* (owned): those of the limits, which a reload of the configuration frees */
  HarkTopicRules *topic_rules;
  GHashTable *kept;  /* session id → Kept (both owned): those that go on from the process before */
  GArray *lost;      /* (element-type HarkLostSession) (owned) */
  GPtrArray *missed; /* (element-type HarkEvent) (owned): what some of them have not been told */
  gint64 kept_rev;   /* the least rev of those that are revived; G_MAXINT64: none is */
  HarkTokenAuthenticator *authenticator;
  HarkSnapshots *snapshots;
  HarkMembership *membership;
  HarkDeliveries *deliveries;
  HarkClientMessages *client_messages;
  HarkNotifications *notifications;
  HarkInvitations *invitations;
  HarkPersonal *personal;
  HarkAccounts *accounts;
  HarkTokens *tokens;
  HarkTokenExpiry *token_expiry;
  HarkRefresh *refresh;
  HarkPasswords *passwords;
  HarkAttempts *attempts;
  HarkLogin *login;
  HarkCredentials *credentials;
  HarkServers *servers;
  HarkChannels *channels;
  HarkGrants *grants;
  HarkRoles *roles;
  HarkRoleMembers *role_members;
  HarkPresenceStore *presence_store;
  HarkMembers *members;
  HarkSearchIndex *search_index;
  HarkMessages *messages;
  HarkEdits *edits;
  HarkReactions *reactions;
  HarkTyping *typing;
  HarkSearch *search;
  HarkHistory *history;
  HarkUnread *unread;
  HarkInterests *interests;
  HarkRooms *rooms;
  HarkPublish *publish;
  HarkTopicReview *topic_review;
  HarkForward *forward;
  HarkPing *ping;
  HarkSessionStore *session_store;
  HarkSessions *sessions;
  HarkResume *resume;
  HarkSessionAdmin *session_admin;
  HarkRetention *retention;
};

G_DEFINE_FINAL_TYPE (HarkChat, hark_chat, G_TYPE_OBJECT)

/* A session of the process before. */
typedef struct
{
  gint64 rev;        /* it is read from the store, its client having been told up to here; -1: it is not read */
  GVariant *session; /* (owned) (nullable) */
  char *address;     /* (owned) (nullable) */
  GVariant *state;   /* (owned) (nullable) */
} Kept;

static void
kept_free (gpointer data)
{
  Kept *kept = data;
  g_clear_pointer (&kept->session, g_variant_unref);
  g_clear_pointer (&kept->state, g_variant_unref);
  g_free (kept->address);
  g_free (kept);
}

static void
hark_chat_dispose (GObject *object)
{
  HarkChat *self = HARK_CHAT (object);
  if (self->passwords != NULL)
    hark_passwords_stop (self->passwords);
  g_clear_pointer (&self->retention, hark_retention_free);
  g_clear_pointer (&self->session_admin, hark_session_admin_free);
  g_clear_pointer (&self->resume, hark_resume_free);
  g_clear_pointer (&self->sessions, hark_sessions_free);
  g_clear_pointer (&self->session_store, hark_session_store_free);
  g_clear_pointer (&self->ping, hark_ping_free);
  g_clear_pointer (&self->forward, hark_forward_free);
  g_clear_pointer (&self->topic_review, hark_topic_review_free);
  g_clear_pointer (&self->publish, hark_publish_free);
  g_clear_pointer (&self->rooms, hark_rooms_free);
  g_clear_pointer (&self->interests, hark_interests_free);
  g_clear_pointer (&self->unread, hark_unread_free);
  g_clear_pointer (&self->history, hark_history_free);
  g_clear_pointer (&self->search, hark_search_free);
  g_clear_pointer (&self->typing, hark_typing_free);
  g_clear_pointer (&self->reactions, hark_reactions_free);
  g_clear_pointer (&self->edits, hark_edits_free);
  g_clear_pointer (&self->messages, hark_messages_free);
  g_clear_pointer (&self->search_index, hark_search_index_free);
  g_clear_pointer (&self->members, hark_members_free);
  g_clear_pointer (&self->presence_store, hark_presence_store_free);
  g_clear_pointer (&self->role_members, hark_role_members_free);
  g_clear_pointer (&self->roles, hark_roles_free);
  g_clear_pointer (&self->grants, hark_grants_free);
  g_clear_pointer (&self->channels, hark_channels_free);
  g_clear_pointer (&self->servers, hark_servers_free);
  g_clear_pointer (&self->credentials, hark_credentials_free);
  g_clear_pointer (&self->login, hark_login_free);
  g_clear_pointer (&self->attempts, hark_attempts_free);
  g_clear_pointer (&self->passwords, hark_passwords_free);
  g_clear_pointer (&self->refresh, hark_refresh_free);
  g_clear_pointer (&self->token_expiry, hark_token_expiry_free);
  g_clear_pointer (&self->tokens, hark_tokens_free);
  g_clear_pointer (&self->accounts, hark_accounts_free);
  g_clear_pointer (&self->client_messages, hark_client_messages_free);
  g_clear_pointer (&self->deliveries, hark_deliveries_free);
  g_clear_pointer (&self->personal, hark_personal_free);
  g_clear_pointer (&self->invitations, hark_invitations_free);
  g_clear_pointer (&self->notifications, hark_notifications_free);
  g_clear_pointer (&self->membership, hark_membership_free);
  g_clear_pointer (&self->snapshots, hark_snapshots_free);
  g_clear_object (&self->authenticator);
  g_clear_object (&self->presence);
  g_clear_object (&self->store);
  g_clear_object (&self->hub);
  g_clear_object (&self->ids);
  g_clear_object (&self->clock);
  g_clear_object (&self->metrics);
  G_OBJECT_CLASS (hark_chat_parent_class)->dispose (object);
}

static void
hark_chat_finalize (GObject *object)
{
  HarkChat *self = HARK_CHAT (object);
  for (guint i = 0; i < G_N_ELEMENTS (self->lists); i++)
    g_strfreev (self->lists[i]);
  g_clear_pointer (&self->topic_rules, hark_topic_rules_free);
  g_hash_table_unref (self->kept);
  g_array_unref (self->lost);
  g_ptr_array_unref (self->missed);
  G_OBJECT_CLASS (hark_chat_parent_class)->finalize (object);
}

static void
hark_chat_class_init (HarkChatClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_chat_finalize;
  G_OBJECT_CLASS (klass)->dispose = hark_chat_dispose;
}

static void
hark_chat_init (HarkChat *self)
{
  self->kept = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, kept_free);
  self->lost = g_array_new (FALSE, FALSE, sizeof (HarkLostSession));
  self->missed = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  self->kept_rev = G_MAXINT64;
}

static void
add_concerns (HarkChat *self)
{
  HarkHub *hub = self->hub;
  HarkStore *store = self->store;
  const HarkChatLimits *limits = &self->limits;
  HarkAuthenticator *authenticator;
  self->authenticator = hark_token_authenticator_new (store, self->clock, self->metrics, limits->token_cache);
  authenticator = HARK_AUTHENTICATOR (self->authenticator);
  self->snapshots = hark_snapshots_new (hub, store, self->metrics);
  self->deliveries = hark_deliveries_new (store, self->clock, self->metrics, limits);
  self->client_messages = hark_client_messages_new (hub, store, self->deliveries, self->metrics);
  self->notifications = hark_notifications_new (hub, store, self->metrics, limits);
  self->membership = hark_membership_new (hub, store, self->snapshots, self->notifications, limits);
  self->invitations = hark_invitations_new (hub, store, self->membership, self->notifications, self->metrics, limits);
  self->personal = hark_personal_new (hub, store, limits);
  self->accounts = hark_accounts_new (hub, store, self->membership, self->authenticator, limits);
  self->tokens = hark_tokens_new (hub, store, self->authenticator, limits);
  self->token_expiry = hark_token_expiry_new (hub, limits->expiry_warning_ms);
  self->refresh = hark_refresh_new (hub, store, authenticator, self->token_expiry, limits);
  self->passwords = hark_passwords_new (self->metrics, &limits->password);
  self->attempts = hark_attempts_new (self->clock, self->metrics, limits);
  self->login = hark_login_new (hub, store, self->passwords, self->attempts, self->tokens, self->metrics, limits);
  self->credentials
    = hark_credentials_new (hub, store, self->passwords, self->attempts, self->tokens, self->metrics, limits);
  self->servers = hark_servers_new (hub, store, self->snapshots, self->membership, limits);
  self->channels = hark_channels_new (hub, store, self->snapshots, limits);
  self->grants = hark_grants_new (hub, store, self->snapshots, limits);
  self->roles = hark_roles_new (hub, store, self->snapshots, limits);
  self->role_members = hark_role_members_new (hub, store, self->snapshots);
  self->presence_store = hark_presence_store_new (self->presence, store, self->clock);
  self->members = hark_members_new (hub, store, self->snapshots, limits);
  self->search_index = hark_search_index_new (store, self->clock, self->metrics);
  self->messages = hark_messages_new (hub, store, self->search_index, self->notifications, self->metrics, limits);
  self->edits = hark_edits_new (hub, store, self->metrics, limits);
  self->reactions = hark_reactions_new (hub, store, self->notifications, self->metrics, limits);
  self->typing = hark_typing_new (hub, self->metrics, limits);
  self->search = hark_search_new (hub, store, limits);
  self->history = hark_history_new (hub, self->snapshots);
  self->unread = hark_unread_new (hub, store, self->snapshots, self->metrics, limits);
  self->interests = hark_interests_new (hub, self->snapshots, limits);
  self->forward = hark_forward_new (hub, store, self->metrics);
  self->ping = hark_ping_new (hub);
  self->session_store = hark_session_store_new (hub, store, self->snapshots, limits);
  self->sessions = hark_sessions_new (hub, store, self->session_store, authenticator, self->personal, limits);
  /* Behind the sessions: a guest is welcomed before it is in the lobby. */
  self->rooms = hark_rooms_new (hub, self->metrics, limits);
  self->publish = hark_publish_new (hub, store, self->rooms, self->metrics, limits);
  self->topic_review = hark_topic_review_new (hub, store, self->snapshots, limits->rules);
  self->resume = hark_resume_new (hub, self->snapshots, self->session_store, self->metrics, limits);
  self->session_admin = hark_session_admin_new (hub, self->metrics);
  self->retention = hark_retention_new (store, self->clock, self->metrics, limits);
}

/**
 * hark_chat_new:
 * @limits: copied
 *
 * Makes the concerns, which register their commands with the hub's dispatcher. The hub's sessions must have ended and
 * the store have answered all it was asked before the chat goes.
 */
HarkChat *
hark_chat_new (HarkHub *hub, HarkStore *store, HarkPresence *presence, HarkIds *ids, HarkMetrics *metrics,
               const HarkChatLimits *limits)
{
  HarkChat *self = g_object_new (HARK_TYPE_CHAT, NULL);
  hark_chat_get_resource (); /* so that the linker keeps the migrations */
  self->hub = g_object_ref (hub);
  self->store = g_object_ref (store);
  self->presence = g_object_ref (presence);
  self->ids = g_object_ref (ids);
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->metrics = g_object_ref (metrics);
  self->limits = *limits;
  self->lists[0] = g_strdupv ((char **)limits->notification_actions);
  self->lists[1] = g_strdupv ((char **)limits->notification_affected);
  self->lists[2] = g_strdupv ((char **)limits->notification_raised);
  self->limits.notification_actions = (const char *const *)self->lists[0];
  self->limits.notification_affected = (const char *const *)self->lists[1];
  self->limits.notification_raised = (const char *const *)self->lists[2];
  self->topic_rules = hark_topic_rules_new (limits->topic_rules, NULL);
  g_assert (self->topic_rules != NULL); /* whoever sets them has looked at each */
  self->limits.topic_rules = NULL;
  self->limits.rules = self->topic_rules;
  add_concerns (self);
  return self;
}

static gboolean
see_ids (HarkTransaction *tx, HarkIds *ids, GError **error)
{
  gint64 newest = 0;
  if (!hark_transaction_query_int64 (tx, &newest, NULL, error,
                                     "SELECT coalesce(max(id), 0) FROM (SELECT max(message_id) AS id FROM messages"
                                     " UNION ALL SELECT max(message_id) FROM deleted_messages"
                                     " UNION ALL SELECT upto FROM message_index_state"
                                     " UNION ALL SELECT max(user_id) FROM users UNION ALL SELECT max(token_id) FROM "
                                     "tokens"
                                     " UNION ALL SELECT max(server_id) FROM servers"
                                     " UNION ALL SELECT max(channel_id) FROM channels"
                                     " UNION ALL SELECT max(joined_id) FROM members"
                                     " UNION ALL SELECT max(notification_id) FROM notifications"
                                     " UNION ALL SELECT max(invitation_id) FROM invitations"
                                     " UNION ALL SELECT max(delivery_id) FROM deliveries"
                                     " UNION ALL SELECT max(session_id) FROM sessions) AS newest",
                                     ""))
    return FALSE;
  hark_ids_seen (ids, newest);
  return TRUE;
}

/* Of each session that a process that was killed has left. One whose row is not there has ended. */
static gboolean
revive_sessions (HarkTransaction *tx, HarkChat *self, GError **error)
{
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, self->kept);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      Kept *kept = value;
      if (kept->rev < 0)
        continue;
      if (!hark_revival_read (tx, *(gint64 *)key, kept->rev, self->limits.rules, &kept->session, &kept->address,
                              &kept->state, error))
        return FALSE;
      if (kept->session == NULL)
        g_hash_table_iter_remove (&iter);
    }
  return TRUE;
}

/* What was stored and may not have been told; when that is more than the hub would remember, nobody is told. */
static gboolean
read_missed (HarkTransaction *tx, HarkChat *self, gint64 *rev, GError **error)
{
  guint max = hark_hub_get_limits (self->hub)->max_recent;
  if (self->kept_rev >= *rev)
    return TRUE;
  if (!hark_event_log_read_since (tx, self->kept_rev, max + 1, self->missed, error))
    return FALSE;
  if (self->missed->len > max)
    g_ptr_array_set_size (self->missed, 0);
  else
    *rev = self->kept_rev;
  return TRUE;
}

/**
 * hark_chat_load:
 * @chat: a #HarkChat
 *
 * A #HarkWork for the start, in the hub's thread before anything else is asked for: takes up what the process before
 * has left. Ids go on where they were, also when the calendar was set back; sessions that went on have ended, but for those that are kept; who was
 * online has the grace time to come back.
 */
gboolean
hark_chat_load (HarkTransaction *tx, gpointer chat, GError **error)
{
  HarkChat *self = chat;
  gint64 rev;
  if (!hark_event_log_get_rev (tx, &rev, error) || !see_ids (tx, self->ids, error) || !revive_sessions (tx, self, error)
      || !read_missed (tx, self, &rev, error) || !hark_session_store_load (tx, self->kept, self->lost, error)
      || !hark_presence_store_load (tx, self->presence, error))
    return FALSE;
  hark_hub_set_published_rev (self->hub, rev);
  return TRUE;
}

/* Returns: (transfer full): who connects without an account */
HarkIdentity *
hark_chat_new_guest (HarkChat *self)
{
  return hark_rooms_new_guest (self->hub);
}

/* Returns: (transfer none): who tells what tokens are worth, in any thread */
HarkAuthenticator *
hark_chat_get_authenticator (HarkChat *self)
{
  return HARK_AUTHENTICATOR (self->authenticator);
}

/* Whose JWTs let in, too; before anybody comes. */
void
hark_chat_set_jwt_issuer (HarkChat *self, HarkJwtIssuer *issuer)
{
  hark_token_authenticator_set_jwt_issuer (self->authenticator, issuer);
}

/* Who is told what clients say to the application, from now on; %HarkChatLimits.webhook must be set. */
void
hark_chat_set_back_end (HarkChat *self, HarkBackEnd *back_end)
{
  hark_deliveries_set_back_end (self->deliveries, back_end);
}

/**
 * hark_chat_tell_back_end:
 * @kind: lower case and "_"
 * @json: (array length=len): any JSON value
 *
 * For what happens outside of the chat, as in another protocol: queued with the rest, posted as `kind` and `data`.
 */
void
hark_chat_tell_back_end (HarkChat *self, const char *kind, const char *json, gsize len)
{
  hark_deliveries_add (self->deliveries, kind, json, len);
}

/* See hark_sessions_resume (). */
void
hark_chat_resume (HarkChat *self, HarkSession *session, const char *token, const char *cursors)
{
  hark_sessions_resume (self->sessions, session, token, cursors);
}

/**
 * hark_chat_flush:
 *
 * Gives the store what is otherwise written a moment later, and asks it for nothing more: when the process is about to end, after its sessions.
 */
void
hark_chat_flush (HarkChat *self)
{
  hark_session_store_flush (self->session_store);
  hark_deliveries_stop (self->deliveries);
  hark_passwords_stop (self->passwords);
}

/* Returns: (transfer none): who closes all sessions when an administrator wants it */
HarkDrain *
hark_chat_get_drain (HarkChat *self)
{
  return hark_session_admin_get_drain (self->session_admin);
}

/* Into another process. */

/**
 * hark_chat_keep_session:
 * @rev: up to which its client was told everything, when what else there is to know of it is in the store alone; -1: the
 *   process before has handed it on
 *
 * Before hark_chat_load (): a session whose connection is still there goes on.
 */
void
hark_chat_keep_session (HarkChat *self, gint64 session_id, gint64 rev)
{
  Kept *kept = g_new0 (Kept, 1);
  kept->rev = rev;
  if (rev >= 0)
    self->kept_rev = MIN (self->kept_rev, rev);
  g_hash_table_insert (self->kept, g_memdup2 (&session_id, sizeof session_id), kept);
}

/* After hark_chat_load (). @session, @state: (out) (transfer full): what hark_session_restore () and
 * hark_chat_restore_session () need. Returns: %FALSE when the store has nothing of it */
gboolean
hark_chat_take_revived (HarkChat *self, gint64 session_id, GVariant **session, char **address, GVariant **state)
{
  Kept *kept = g_hash_table_lookup (self->kept, &session_id);
  if (kept == NULL || kept->session == NULL)
    return FALSE;
  *session = g_steal_pointer (&kept->session);
  *address = g_steal_pointer (&kept->address);
  *state = g_steal_pointer (&kept->state);
  return TRUE;
}

/* After hark_chat_load (), and before sessions are taken up: the hub publishes what the process before had stored and may
 * not have told. */
void
hark_chat_go_on (HarkChat *self)
{
  hark_hub_publish_all (self->hub, self->missed);
  g_ptr_array_set_size (self->missed, 0);
}

/* After hark_chat_load (). Returns: (transfer none) (element-type HarkLostSession): sessions that ended with the process before,
 * which did not live to say so */
GArray *
hark_chat_get_lost (HarkChat *self)
{
  return self->lost;
}

/**
 * hark_chat_save_session:
 *
 * Returns: (transfer full): floating: of %HARK_CHAT_STATE_TYPE, for hark_chat_restore_session () in another process
 */
GVariant *
hark_chat_save_session (HarkChat *self, HarkSession *session)
{
  return g_variant_new ("(@ay@asba{sv})", hark_session_store_save (self->session_store, session),
                        hark_rooms_save (self->rooms, session),
                        hark_token_expiry_has_warned (self->token_expiry, session), NULL);
}

/* Of a session that has just been taken over. */
void
hark_chat_restore_session (HarkChat *self, HarkSession *session, GVariant *state)
{
  g_autoptr (GVariant) resume = NULL;
  g_autoptr (GVariant) rooms = NULL;
  gboolean warned;
  g_variant_get (state, "(@ay@asb@a{sv})", &resume, &rooms, &warned, NULL);
  hark_session_store_restore (self->session_store, session, resume);
  hark_rooms_restore (self->rooms, session, rooms);
  if (session->identity->expires_ms > 0)
    hark_token_expiry_restore (self->token_expiry, session, warned);
}

/* Returns: (transfer full): floating: what is still to be done, for hark_chat_restore () in another process; the store
 *   has been closed before */
GVariant *
hark_chat_save (HarkChat *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_variant_dict_insert_value (&dict, "unread", hark_unread_feed_save (hark_unread_get_feed (self->unread)));
  return g_variant_dict_end (&dict);
}

void
hark_chat_restore (HarkChat *self, GVariant *state)
{
  g_autoptr (GVariant) unread = g_variant_lookup_value (state, "unread", NULL);
  if (unread != NULL)
    hark_unread_feed_restore (hark_unread_get_feed (self->unread), unread);
}
