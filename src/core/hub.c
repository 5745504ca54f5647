/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where sessions meet: who they are (registry.c), what they have subscribed to and loaded, and the events on their way
 * to them. The hub knows no concern, no protocol and no transport; it tells who listens what happened and does what it
 * is told.
 */
#include "core/hub-private.h"

#include "base/error.h"

G_DEFINE_FINAL_TYPE (HarkHub, hark_hub, G_TYPE_OBJECT)

enum
{
  PROP_SESSIONS = 1,
  PROP_SUBSCRIPTIONS,
  PROP_INTERESTS,
  PROP_USERS,
  PROP_TOPICS,
  N_PROPS
};

enum
{
  SESSION_CONNECTED,
  SESSION_ADDED,
  SESSION_RESTORED,
  SESSION_REMOVED,
  USER_ONLINE,
  USER_OFFLINE,
  PUBLISHED,
  CLIENT_MESSAGE,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
hark_hub_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HarkHub *self = HARK_HUB (object);
  switch (id)
    {
    case PROP_SESSIONS:
      g_value_set_uint (value, hark_registry_get_n_sessions (&self->registry));
      break;
    case PROP_SUBSCRIPTIONS:
      g_value_set_uint (value, hark_index_get_n_subscriptions (self->index));
      break;
    case PROP_INTERESTS:
      g_value_set_uint (value, hark_index_get_n_interests (self->index));
      break;
    case PROP_USERS:
      g_value_set_uint (value, hark_registry_get_n_users (&self->registry));
      break;
    case PROP_TOPICS:
      g_value_set_uint (value, hark_index_get_n_topics (self->index));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
hark_hub_dispose (GObject *object)
{
  HarkHub *self = HARK_HUB (object);
  if (self->registry.sessions != NULL)
    hark_hub_close_all (self, HARK_CLOSE_GOING_AWAY, "the hub is going away");
  g_clear_object (&self->index);
  g_clear_object (&self->dispatcher);
  g_clear_object (&self->turn);
  g_clear_object (&self->ids);
  G_OBJECT_CLASS (hark_hub_parent_class)->dispose (object);
}

static void
hark_hub_finalize (GObject *object)
{
  HarkHub *self = HARK_HUB (object);
  hark_registry_clear (&self->registry);
  hark_recent_clear (&self->recent);
  g_array_unref (self->waiters);
  g_ptr_array_unref (self->personal);
  g_clear_object (&self->clock);
  G_OBJECT_CLASS (hark_hub_parent_class)->finalize (object);
}

static void
hark_hub_class_init (HarkHubClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  static const char *const names[N_PROPS] = { NULL, "sessions", "subscriptions", "interests", "users", "topics" };
  object_class->get_property = hark_hub_get_property;
  object_class->dispose = hark_hub_dispose;
  object_class->finalize = hark_hub_finalize;
  for (guint i = PROP_SESSIONS; i < N_PROPS; i++)
    props[i] = g_param_spec_uint (names[i], NULL, NULL, 0, G_MAXUINT, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[SESSION_CONNECTED] = g_signal_new ("session-connected", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                             G_TYPE_NONE, 1, HARK_TYPE_SESSION);
  signals[SESSION_RESTORED] = g_signal_new ("session-restored", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                            G_TYPE_NONE, 1, HARK_TYPE_SESSION);
  signals[SESSION_ADDED]
    = g_signal_new ("session-added", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, HARK_TYPE_SESSION);
  signals[SESSION_REMOVED] = g_signal_new ("session-removed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                           3, HARK_TYPE_SESSION, G_TYPE_UINT, G_TYPE_STRING);
  signals[USER_ONLINE]
    = g_signal_new ("user-online", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  signals[USER_OFFLINE]
    = g_signal_new ("user-offline", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_INT64);
  signals[PUBLISHED]
    = g_signal_new ("published", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[CLIENT_MESSAGE] = g_signal_new ("client-message", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                          2, HARK_TYPE_SESSION, G_TYPE_STRING);
}

static void
hark_hub_init (HarkHub *self)
{
  hark_registry_init (&self->registry);
  self->waiters = g_array_new (FALSE, FALSE, sizeof (HarkHubWaiter));
  self->personal = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
}

/* What was published to users in person in this turn goes out now. */
void
hark_hub_deliver_personal (HarkHub *self)
{
  /* Who is too slow for one ends, and that may publish more. */
  for (guint i = 0; i < self->personal->len; i++)
    {
      HarkEvent *event = self->personal->pdata[i];
      g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self, event->topic.id);
      for (guint j = 0; sessions != NULL && j < sessions->len; j++)
        if (((HarkSession *)sessions->pdata[j])->personal)
          hark_session_send_event (sessions->pdata[j], event);
    }
  g_ptr_array_set_size (self->personal, 0);
}

static void
deliver (gpointer data)
{
  HarkHub *self = data;
  hark_index_deliver (self->index);
  hark_hub_deliver_personal (self);
}

HarkHub *
hark_hub_new (HarkTurn *turn, HarkDispatcher *dispatcher, HarkClock *clock, HarkIds *ids, HarkMetrics *metrics,
              const HarkHubLimits *limits)
{
  HarkHub *self = g_object_new (HARK_TYPE_HUB, NULL);
  self->turn = g_object_ref (turn);
  self->dispatcher = g_object_ref (dispatcher);
  self->clock = g_object_ref (clock);
  self->ids = g_object_ref (ids);
  self->limits = *limits;
  self->index = hark_index_new (turn, metrics);
  hark_index_set_droppable_percent (self->index, limits->droppable_percent);
  hark_turn_set_stage (turn, HARK_TURN_DELIVER, deliver, self);
  hark_recent_init (&self->recent, limits->max_recent, limits->max_recent_bytes);
  self->n_opened = hark_metrics_counter (metrics, "hark_sessions_opened_total", "Sessions that began.");
  self->n_restored
    = hark_metrics_counter (metrics, "hark_sessions_restored_total", "Sessions taken over from the process before.");
  self->n_closed = hark_metrics_counter (metrics, "hark_sessions_closed_total", "Sessions that ended.");
  self->n_refused
    = hark_metrics_counter (metrics, "hark_sessions_refused_total", "Sessions refused because there were too many.");
  self->n_abuse = hark_metrics_counter (metrics, "hark_sessions_abuse_total",
                                        "Sessions disconnected for too many refused messages.");
  self->n_paused = hark_metrics_counter (metrics, "hark_sessions_paused_total",
                                         "Times a session's reading was put off: too many requests under way.");
  self->n_slow = hark_metrics_counter (metrics, "hark_sessions_slow_total",
                                       "Sessions disconnected because their outbox passed its bound.");
  self->n_sessions = hark_metrics_gauge (metrics, "hark_sessions", "Sessions now.");
  self->n_users = hark_metrics_gauge (metrics, "hark_users_online", "Users who have a session.");
  return self;
}

/* Sessions. */

guint
hark_hub_get_n_sessions (HarkHub *self)
{
  return hark_registry_get_n_sessions (&self->registry);
}

/* Returns: (transfer none) (nullable) */
HarkSession *
hark_hub_get_session (HarkHub *self, gint64 id)
{
  return hark_registry_find (&self->registry, id);
}

/* Returns: (transfer full) (element-type HarkSession): all, held, in no order */
GPtrArray *
hark_hub_dup_sessions (HarkHub *self)
{
  return hark_registry_dup_sessions (&self->registry);
}

/* Returns: (transfer full) (nullable) (element-type HarkSession): a user's sessions, held; %NULL for none */
GPtrArray *
hark_hub_dup_user_sessions (HarkHub *self, gint64 user_id)
{
  return hark_registry_dup_user_sessions (&self->registry, user_id);
}

guint
hark_hub_get_n_user_sessions (HarkHub *self, gint64 user_id)
{
  return hark_registry_get_n_user_sessions (&self->registry, user_id);
}

static guint
close_sessions (GPtrArray *sessions, guint code, const char *reason)
{
  for (guint i = 0; i < sessions->len; i++)
    hark_session_close (sessions->pdata[i], code, reason);
  return sessions->len;
}

/* Returns: how many sessions were ended */
guint
hark_hub_disconnect_user (HarkHub *self, gint64 user_id, guint code, const char *reason)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_user_sessions (self, user_id);
  return sessions != NULL ? close_sessions (sessions, code, reason) : 0;
}

void
hark_hub_close_all (HarkHub *self, guint code, const char *reason)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (self);
  close_sessions (sessions, code, reason);
}

/* Whether one more session of a user is within the bounds; %HARK_ERROR_TOO_LARGE otherwise. */
gboolean
hark_hub_may_add_user (HarkHub *self, gint64 user_id, GError **error)
{
  guint max = self->limits.max_sessions_per_user;
  if (max == 0 || user_id == 0 || hark_hub_get_n_user_sessions (self, user_id) < max)
    return TRUE;
  hark_counter_add (self->n_refused, 1);
  g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "a user can have %u sessions at a time", max);
  return FALSE;
}

static gboolean
may_add (HarkHub *self, HarkSession *session, GError **error)
{
  if (self->limits.max_sessions > 0 && hark_registry_get_n_sessions (&self->registry) >= self->limits.max_sessions)
    {
      hark_counter_add (self->n_refused, 1);
      g_set_error (error, HARK_ERROR, HARK_ERROR_OVERLOADED, "the hub has all the sessions it can have");
      return FALSE;
    }
  return hark_hub_may_add_user (self, hark_session_get_user_id (session), error);
}

static void
add (HarkHub *self, HarkSession *session)
{
  session->in_hub = TRUE;
  hark_registry_add (&self->registry, session);
  hark_gauge_set (self->n_sessions, hark_registry_get_n_sessions (&self->registry));
}

/* Registers a session: for hark_session_open (). %HARK_ERROR_OVERLOADED or %HARK_ERROR_TOO_LARGE beyond the bounds. */
gboolean
hark_hub_add_session (HarkHub *self, HarkSession *session, GError **error)
{
  if (!may_add (self, session, error))
    return FALSE;
  session->id = hark_ids_next (self->ids);
  add (self, session);
  hark_counter_add (self->n_opened, 1);
  if (session->identity == NULL)
    g_signal_emit (self, signals[SESSION_CONNECTED], 0, session);
  return TRUE;
}

/* Whether it comes and goes without being told: who has no account is of no interest to those who load users. */
static gboolean
is_anonymous (HarkSession *session)
{
  return session->identity != NULL && (session->identity->flags & HARK_IDENTITY_ANONYMOUS) != 0;
}

/* A session has a user now: for hark_session_open () and hark_session_authenticate (). */
void
hark_hub_session_opened (HarkHub *self, HarkSession *session)
{
  gint64 user_id = hark_session_get_user_id (session);
  hark_registry_add_to_user (&self->registry, session);
  hark_gauge_set (self->n_users, hark_registry_get_n_users (&self->registry));
  g_signal_emit (self, signals[SESSION_ADDED], 0, session);
  /* Whoever was told may have ended it: then the user has not been here. */
  if (hark_registry_announce (&self->registry, user_id) && !is_anonymous (session))
    g_signal_emit (self, signals[USER_ONLINE], 0, user_id);
}

/* Registers a session of another process: for hark_session_restore (). Errors as hark_hub_add_session (), and
 * %HARK_ERROR_CONFLICT when there is one of that id. */
gboolean
hark_hub_restore_session (HarkHub *self, HarkSession *session, gint64 id, GError **error)
{
  if (hark_registry_find (&self->registry, id) != NULL)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "there is a session of that id");
      return FALSE;
    }
  if (!may_add (self, session, error))
    return FALSE;
  hark_ids_seen (self->ids, id);
  session->id = id;
  add (self, session);
  session->state = HARK_SESSION_OPEN;
  hark_registry_add_to_user (&self->registry, session);
  hark_gauge_set (self->n_users, hark_registry_get_n_users (&self->registry));
  hark_counter_add (self->n_restored, 1);
  return TRUE;
}

/* It has again what it had: for hark_session_restore (). */
void
hark_hub_session_restored (HarkHub *self, HarkSession *session)
{
  gint64 user_id = hark_session_get_user_id (session);
  g_signal_emit (self, signals[SESSION_RESTORED], 0, session);
  if (hark_registry_announce (&self->registry, user_id) && !is_anonymous (session))
    g_signal_emit (self, signals[USER_ONLINE], 0, user_id);
}

/* Takes a session out that goes on in another process: for hark_session_abandon (). */
void
hark_hub_forget_session (HarkHub *self, HarkSession *session)
{
  if (!session->in_hub)
    return;
  session->in_hub = FALSE;
  hark_index_remove_session (self->index, session);
  if (session->state == HARK_SESSION_OPEN)
    hark_registry_remove_from_user (&self->registry, session);
  hark_registry_remove (&self->registry, session);
}

/* Takes a session out: for sessions, when they end. */
void
hark_hub_remove_session (HarkHub *self, HarkSession *session, guint code, const char *reason)
{
  gint64 user_id = hark_session_get_user_id (session);
  gboolean was_open = session->state == HARK_SESSION_OPEN;
  gboolean last = FALSE;
  if (!session->in_hub)
    return;
  session->in_hub = FALSE;
  hark_subscriptions_fix (session);
  if (was_open)
    g_signal_emit (self, signals[SESSION_REMOVED], 0, session, code, reason);
  hark_index_remove_session (self->index, session);
  if (was_open)
    last = hark_registry_remove_from_user (&self->registry, session);
  hark_counter_add (self->n_closed, 1);
  hark_registry_remove (&self->registry, session);
  hark_gauge_set (self->n_users, hark_registry_get_n_users (&self->registry));
  hark_gauge_set (self->n_sessions, hark_registry_get_n_sessions (&self->registry));
  if (last && !is_anonymous (session))
    g_signal_emit (self, signals[USER_OFFLINE], 0, user_id);
}

void
hark_hub_count_abuse (HarkHub *self)
{
  hark_counter_add (self->n_abuse, 1);
}

void
hark_hub_count_paused (HarkHub *self)
{
  hark_counter_add (self->n_paused, 1);
}

void
hark_hub_count_slow (HarkHub *self)
{
  hark_counter_add (self->n_slow, 1);
}

/* Events. */

/* Tells who listens what a client has said to the application: an object, as JSON. */
void
hark_hub_tell_client_message (HarkHub *self, HarkSession *session, const char *json)
{
  if (g_signal_has_handler_pending (self, signals[CLIENT_MESSAGE], 0, FALSE))
    g_signal_emit (self, signals[CLIENT_MESSAGE], 0, session, json);
}

static void
run_waiters (HarkHub *self)
{
  while (self->waiters->len > 0 && g_array_index (self->waiters, HarkHubWaiter, 0).rev <= self->recent.rev)
    {
      HarkHubWaiter waiter = g_array_index (self->waiters, HarkHubWaiter, 0);
      g_array_remove_index (self->waiters, 0);
      waiter.func (waiter.data);
    }
}

static void
publish_one (HarkHub *self, HarkEvent *event)
{
  if (event->rev > 0)
    hark_recent_push (&self->recent, event);
  if (g_signal_has_handler_pending (self, signals[PUBLISHED], 0, FALSE))
    g_signal_emit (self, signals[PUBLISHED], 0, event);
  if (event->topic.kind == HARK_TOPIC_PERSONAL)
    {
      g_ptr_array_add (self->personal, hark_event_ref (event));
      hark_turn_mark (self->turn);
      return;
    }
  hark_index_publish (self->index, event);
}

/**
 * hark_hub_publish:
 *
 * Gives an event to those who have its topic. Stored events come in the order of their rev.
 */
void
hark_hub_publish (HarkHub *self, HarkEvent *event)
{
  publish_one (self, event);
  if (event->rev > 0)
    run_waiters (self);
}

/**
 * hark_hub_publish_all:
 * @events: (element-type HarkEvent): of one commit, in order
 *
 * As hark_hub_publish () for each.
 */
void
hark_hub_publish_all (HarkHub *self, GPtrArray *events)
{
  for (guint i = 0; i < events->len; i++)
    publish_one (self, events->pdata[i]);
  run_waiters (self);
}

/* At the start: everything up to @rev is history. */
void
hark_hub_set_published_rev (HarkHub *self, gint64 rev)
{
  hark_recent_start_at (&self->recent, rev);
}

gint64
hark_hub_get_published_rev (HarkHub *self)
{
  return self->recent.rev;
}

/**
 * hark_hub_when_published:
 * @func: called once, now or when everything up to @rev has been published
 */
void
hark_hub_when_published (HarkHub *self, gint64 rev, HarkHubFunc func, gpointer data)
{
  HarkHubWaiter waiter = { rev, func, data };
  guint position = self->waiters->len;
  if (rev <= self->recent.rev)
    {
      func (data);
      return;
    }
  while (position > 0 && g_array_index (self->waiters, HarkHubWaiter, position - 1).rev > rev)
    position--;
  g_array_insert_val (self->waiters, position, waiter);
}

/* Whether what was published after @rev can still be replayed. */
gboolean
hark_hub_remembers (HarkHub *self, gint64 rev)
{
  return hark_recent_reaches (&self->recent, rev);
}

typedef struct
{
  const HarkTopic *topic;
  const char *but_kind;
  gboolean found;
} Sought;

static void
seek_event (HarkEvent *event, gpointer data)
{
  Sought *sought = data;
  sought->found |= hark_topic_equal (&event->topic, sought->topic) && strcmp (event->kind, sought->but_kind) != 0;
}

gboolean
hark_hub_has_published (HarkHub *self, const HarkTopic *topic, gint64 rev, const char *but_kind)
{
  Sought sought = { topic, but_kind, FALSE };
  hark_recent_foreach_since (&self->recent, rev, seek_event, &sought);
  return sought.found;
}

const HarkHubLimits *
hark_hub_get_limits (HarkHub *self)
{
  return &self->limits;
}

HarkDispatcher *
hark_hub_get_dispatcher (HarkHub *self)
{
  return self->dispatcher;
}

HarkClock *
hark_hub_get_clock (HarkHub *self)
{
  return self->clock;
}

HarkTurn *
hark_hub_get_turn (HarkHub *self)
{
  return self->turn;
}

HarkIndex *
hark_hub_get_index (HarkHub *self)
{
  return self->index;
}
