/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection of one user. It ties a transport (bytes) to a protocol (meaning) and to the hub (everyone else), and
 * ends in one way however it ends: session_end () takes it out of the hub, tells who listens, and lets go of the
 * transport, which finishes its closing handshake without it.
 */
#include "core/session.h"

#include "base/error.h"
#include "core/hub.h"
#include "core/index.h"

G_DEFINE_FINAL_TYPE (HarkSession, hark_session, G_TYPE_OBJECT)

enum
{
  PROP_ID = 1,
  PROP_USER_ID,
  PROP_ADDRESS,
  PROP_PROTOCOL,
  PROP_STATE,
  PROP_SINCE,
  PROP_QUEUED,
  PROP_SENT,
  PROP_RECEIVED,
  N_PROPS
};

enum
{
  COMMAND,
  CLOSED,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

GType
hark_session_state_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
    { HARK_SESSION_CONNECTED, "HARK_SESSION_CONNECTED", "connected" },
    { HARK_SESSION_OPEN, "HARK_SESSION_OPEN", "open" },
    { HARK_SESSION_CLOSED, "HARK_SESSION_CLOSED", "closed" },
    { 0, NULL, NULL },
  };
  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("HarkSessionState", values));
  return type;
}

static void
hark_session_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HarkSession *self = HARK_SESSION (object);
  switch (id)
    {
    case PROP_ID:
      g_value_set_int64 (value, self->id);
      break;
    case PROP_USER_ID:
      g_value_set_int64 (value, hark_session_get_user_id (self));
      break;
    case PROP_ADDRESS:
      g_value_take_string (value, hark_session_dup_address (self));
      break;
    case PROP_PROTOCOL:
      g_value_set_string (value, hark_protocol_get_name (self->protocol));
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_SINCE:
      g_value_set_int64 (value, self->since_ms);
      break;
    case PROP_QUEUED:
      g_value_set_uint64 (value, self->transport != NULL ? self->transport->outbox.bytes : 0);
      break;
    case PROP_SENT:
      g_value_set_uint64 (value, self->sent);
      break;
    case PROP_RECEIVED:
      g_value_set_uint64 (value, self->received);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
hark_session_finalize (GObject *object)
{
  HarkSession *self = HARK_SESSION (object);
  g_assert (!self->in_hub && self->subscriptions == NULL && self->interests == NULL);
  if (self->transport != NULL)
    hark_transport_set_sink (self->transport, NULL, NULL);
  g_clear_object (&self->transport);
  g_clear_object (&self->protocol);
  g_clear_pointer (&self->identity, hark_identity_unref);
  G_OBJECT_CLASS (hark_session_parent_class)->finalize (object);
}

static void
hark_session_class_init (HarkSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  object_class->get_property = hark_session_get_property;
  object_class->finalize = hark_session_finalize;
  props[PROP_ID] = g_param_spec_int64 ("id", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /* HarkSession:user-id: 0 before authentication. */
  props[PROP_USER_ID] = g_param_spec_int64 ("user-id", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  props[PROP_ADDRESS] = g_param_spec_string ("address", NULL, NULL, NULL, flags);
  props[PROP_PROTOCOL] = g_param_spec_string ("protocol", NULL, NULL, NULL, flags);
  props[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, HARK_TYPE_SESSION_STATE, HARK_SESSION_CONNECTED, flags);
  /* HarkSession:since: milliseconds since 1970-01-01 UTC. */
  props[PROP_SINCE] = g_param_spec_int64 ("since", NULL, NULL, 0, G_MAXINT64, 0, flags);
  /* HarkSession:queued: bytes waiting for the client to read. */
  props[PROP_QUEUED] = g_param_spec_uint64 ("queued", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  /* HarkSession:sent: messages to this session alone. */
  props[PROP_SENT] = g_param_spec_uint64 ("sent", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_RECEIVED] = g_param_spec_uint64 ("received", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
  /**
   * HarkSession::command:
   * @command: a HarkCommand, valid during the emission
   *
   * A request came in and is about to be dispatched.
   */
  signals[COMMAND] = g_signal_new ("command", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_POINTER);
  /**
   * HarkSession::closed:
   * @code: a #HarkCloseCode
   * @reason: (nullable)
   *
   * It is over: the session is out of the hub and has no subscriptions any more.
   */
  signals[CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                  G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_STRING);
}

static void
hark_session_init (HarkSession *self)
{
}

static void
session_end (HarkSession *self, guint code, const char *reason)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (self);
  g_autoptr (HarkTransport) transport = NULL;
  if (self->ending)
    return;
  self->ending = TRUE;
  hark_hub_remove_session (self->hub, self, code, reason);
  transport = g_steal_pointer (&self->transport);
  hark_transport_set_sink (transport, NULL, NULL);
  if (!transport->closed)
    hark_transport_close (transport, code, reason);
  self->state = HARK_SESSION_CLOSED;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
  g_signal_emit (self, signals[CLOSED], 0, code, reason);
}

static void
on_transport_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  HarkSession *self = sink;
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (self);
  self->received++;
  hark_protocol_receive (self->protocol, self, data, len, binary);
}

static void
on_transport_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  session_end (sink, code, reason);
}

static const HarkTransportSink session_sink = { on_transport_message, NULL, on_transport_closed };

/**
 * hark_session_new:
 * @transport: (transfer full): without a sink
 * @wire: how @protocol's messages stand in @transport; outlives the session
 * @identity: (nullable): %NULL when the client has yet to say who it is
 *
 * Returns: (transfer full): a session that does nothing until hark_session_open ()
 */
HarkSession *
hark_session_new (HarkHub *hub, HarkTransport *transport, HarkProtocol *protocol, const HarkWire *wire,
                  HarkIdentity *identity)
{
  HarkSession *self = g_object_new (HARK_TYPE_SESSION, NULL);
  self->hub = hub;
  self->transport = transport;
  self->protocol = g_object_ref (protocol);
  self->wire = wire;
  self->identity = identity != NULL ? hark_identity_ref (identity) : NULL;
  hark_transport_set_sink (transport, &session_sink, self);
  return self;
}

/* The hub has it as open before anybody hears of it: those who hear of it may end it. */
static void
open_now (HarkSession *self)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (self);
  self->state = HARK_SESSION_OPEN;
  hark_hub_session_opened (self->hub, self);
  if (self->state == HARK_SESSION_OPEN)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

/**
 * hark_session_open:
 *
 * Puts the session into the hub, which keeps it until it is over. When the hub has too many, it is over at once.
 */
void
hark_session_open (HarkSession *self)
{
  g_autoptr (GError) error = NULL;
  self->since_ms = hark_clock_get_real_ms (hark_hub_get_clock (self->hub));
  if (!hark_hub_add_session (self->hub, self, &error))
    {
      session_end (self, HARK_CLOSE_TRY_LATER, error->message);
      return;
    }
  /* Whoever was told of it may have ended it. */
  if (!self->ending)
    hark_protocol_opened (self->protocol, self);
  if (self->identity != NULL && self->state == HARK_SESSION_CONNECTED && !self->ending)
    open_now (self);
}

/**
 * hark_session_abandon:
 *
 * Takes the session out of the hub without ending it: it goes on in another process, so nobody is told.
 *
 * Returns: (transfer full) (nullable): its transport, without a sink
 */
HarkTransport *
hark_session_abandon (HarkSession *self)
{
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = g_object_ref (self);
  if (self->ending)
    return NULL;
  self->ending = TRUE;
  hark_hub_forget_session (self->hub, self);
  self->state = HARK_SESSION_CLOSED;
  hark_transport_set_sink (self->transport, NULL, NULL);
  return g_steal_pointer (&self->transport);
}

/**
 * hark_session_authenticate:
 * @identity: who it turned out to be
 *
 * Opens a session that began without an identity. %HARK_ERROR_CONFLICT when it has one, %HARK_ERROR_TOO_LARGE when the
 * user has too many sessions, %HARK_ERROR_OFFLINE when it is over.
 */
gboolean
hark_session_authenticate (HarkSession *self, HarkIdentity *identity, GError **error)
{
  if (self->ending)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_OFFLINE, "the session is over");
      return FALSE;
    }
  if (self->state != HARK_SESSION_CONNECTED || self->identity != NULL)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "this session has said who it is");
      return FALSE;
    }
  if (!hark_hub_may_add_user (self->hub, identity->user_id, error))
    return FALSE;
  self->identity = hark_identity_ref (identity);
  open_now (self);
  return TRUE;
}

/* The session goes on with another token of the same user. */
void
hark_session_renew (HarkSession *self, HarkIdentity *identity)
{
  g_autoptr (HarkIdentity) before = self->identity;
  g_return_if_fail (before != NULL && before->user_id == identity->user_id);
  self->identity = hark_identity_ref (identity);
  if (self->transport != NULL)
    hark_transport_mark_set (self->transport->mark, HARK_MARK_UNSAVED);
}

/* Gives who has no account another name, for what the session does from now on. */
void
hark_session_rename (HarkSession *self, const char *username)
{
  g_autoptr (HarkIdentity) before = self->identity;
  g_return_if_fail (before != NULL && (before->flags & HARK_IDENTITY_ANONYMOUS) != 0);
  self->identity = hark_identity_new (before->user_id, username, before->token_id, before->expires_ms, before->flags);
}

/* Returns: 0 before authentication */
gint64
hark_session_get_user_id (HarkSession *self)
{
  return self->identity != NULL ? self->identity->user_id : 0;
}

/* Returns: (transfer full): the peer's address, empty when the session is over */
char *
hark_session_dup_address (HarkSession *self)
{
  return self->transport != NULL ? hark_transport_dup_address (self->transport) : g_strdup ("");
}

/* In. */

/* A client that sends nothing but what is refused is not talking to us: it is disconnected after a bounded number,
 * which each understood request brings down again. */
static void
strike (HarkSession *self)
{
  if (++self->strikes >= hark_hub_get_limits (self->hub)->max_strikes)
    {
      hark_hub_count_abuse (self->hub);
      hark_session_close (self, HARK_CLOSE_POLICY, "too many refused messages");
    }
}

/* What waits is known to the transport: if this process ended now, its client would wait for ever. */
static void
update_owes (HarkSession *self)
{
  HarkTransport *transport = self->transport;
  if (transport == NULL)
    return;
  transport->owes = self->pending > 0 || self->held;
  if (!transport->owes && transport->mark != NULL && !transport->awake && !transport->closed)
    HARK_TRANSPORT_GET_CLASS (transport)->wake (transport);
}

/* Too much under way: the client's next requests wait in its own socket until some are answered. */
static void
update_reading (HarkSession *self)
{
  gboolean full, paused;
  guint max;
  if (self->transport == NULL)
    return;
  max = hark_hub_get_limits (self->hub)->max_pending;
  full = self->paused ? self->pending > max / 2 : self->pending >= max;
  paused = full || self->held;
  if (paused == self->paused)
    return;
  self->paused = paused;
  if (full)
    hark_hub_count_paused (self->hub);
  hark_transport_set_reading (self->transport, !paused);
}

/**
 * hark_session_hold:
 *
 * Puts reading off until hark_session_release (): the client is to be told something before it is answered anything.
 */
void
hark_session_hold (HarkSession *self)
{
  self->held = TRUE;
  update_owes (self);
  update_reading (self);
}

void
hark_session_release (HarkSession *self)
{
  self->held = FALSE;
  update_owes (self);
  update_reading (self);
}

/**
 * hark_session_command:
 * @name: (array length=name_len): the request's type
 * @ref: (nullable) (array length=ref_len): JSON text to be echoed
 * @args: valid during the call
 *
 * A protocol has understood a request.
 */
void
hark_session_command (HarkSession *self, const char *name, gsize name_len, const char *ref, gsize ref_len,
                      const HarkJsonObject *args)
{
  hark_session_take_command (self, hark_command_new (self, self->identity, ref, ref_len), name, name_len, args);
}

/* As hark_session_command (), for a protocol that has put a tag on the command: (transfer full). */
void
hark_session_take_command (HarkSession *self, HarkCommand *command, const char *name, gsize name_len,
                           const HarkJsonObject *args)
{
  if (self->state == HARK_SESSION_CLOSED)
    {
      command->answered = TRUE;
      hark_command_unref (command);
      return;
    }
  self->pending++;
  update_owes (self);
  update_reading (self);
  if (g_signal_has_handler_pending (self, signals[COMMAND], 0, FALSE))
    g_signal_emit (self, signals[COMMAND], 0, command);
  hark_dispatcher_dispatch (hark_hub_get_dispatcher (self->hub), command, name, name_len, args);
}

/**
 * hark_session_refuse:
 * @ref: (nullable) (array length=ref_len)
 *
 * A protocol has not understood a message: the client is told, and it is counted against it.
 */
void
hark_session_refuse (HarkSession *self, const char *ref, gsize ref_len, const GError *error)
{
  hark_session_refuse_command (self, hark_command_new (self, self->identity, ref, ref_len), error);
}

/* As hark_session_refuse (), for a protocol that has put a tag on the command: (transfer full). */
void
hark_session_refuse_command (HarkSession *self, HarkCommand *command, const GError *error)
{
  command->writer = hark_dispatcher_get_writer (hark_hub_get_dispatcher (self->hub));
  self->pending++;
  update_owes (self);
  hark_command_fail (command, error);
  hark_command_unref (command);
}

/* Out. */

/* Notes that @units, events of one topic, do not reach the client: what it resumes from lies before them. */
void
hark_session_miss (HarkSession *self, const HarkBuffer *units)
{
  if (units->rev > 0 && (self->missed_rev == 0 || units->rev < self->missed_rev))
    self->missed_rev = units->rev;
  for (guint i = 0; units->seq > 0 && self->subscriptions != NULL && i < self->subscriptions->len; i++)
    {
      HarkSubscription *subscription = self->subscriptions->pdata[i];
      if (hark_topic_key (&subscription->entry->topic) == units->key
          && (subscription->missed == 0 || units->seq < subscription->missed))
        subscription->missed = units->seq;
    }
}

static void
send (HarkSession *self, HarkBuffer *units)
{
  gboolean fits = hark_transport_send (self->transport, units);
  if (fits && !self->transport->closing)
    return;
  hark_session_miss (self, units);
  if (fits)
    return;
  hark_hub_count_slow (self->hub);
  hark_session_close (self, HARK_CLOSE_SLOW, "too slow: resume to go on");
}

/* A command's answer: for HarkCommand. @json: (nullable): %NULL when the client is not told. */
void
hark_session_answer (HarkSession *self, HarkCommand *command, const char *json, gsize len)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  g_assert (self->pending > 0);
  self->pending--;
  if (self->state == HARK_SESSION_CLOSED)
    return;
  if (json != NULL)
    {
      self->wire->append_reply (self->wire, &builder, command, json, len);
      hark_session_take_units (self, hark_builder_finish (&builder));
    }
  update_owes (self);
  if (command->refused)
    strike (self);
  else if (!command->failed && self->strikes > 0)
    self->strikes--;
  update_reading (self);
}

/* Sends whole wire units to this session alone. */
void
hark_session_send_units (HarkSession *self, HarkBuffer *units)
{
  if (self->state == HARK_SESSION_CLOSED)
    return;
  self->sent++;
  send (self, units);
}

/* As hark_session_send_units (): (transfer full) (nullable). */
void
hark_session_take_units (HarkSession *self, HarkBuffer *units)
{
  if (units == NULL)
    return;
  hark_session_send_units (self, units);
  hark_buffer_unref (units);
}

/**
 * hark_session_send_event:
 *
 * Sends an event to this session alone, whether or not it has the topic, unless it may not see it.
 */
void
hark_session_send_event (HarkSession *self, const HarkEvent *event)
{
  g_auto (HarkBuilder) builder = HARK_BUILDER_INIT;
  HarkBuffer *units;
  if (self->state == HARK_SESSION_CLOSED || !hark_event_may_see (event, hark_session_get_user_id (self)))
    return;
  self->wire->append_event (self->wire, &builder, event);
  units = hark_builder_finish (&builder);
  if (units != NULL)
    {
      units->key = hark_topic_key (&event->topic);
      units->seq = event->seq;
      units->rev = event->rev;
    }
  hark_session_take_units (self, units);
}

/* Sends something that is no event of a topic: @json is the complete object, @kind its type. */
void
hark_session_send_json (HarkSession *self, const char *kind, const char *json, gsize len)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, hark_session_get_user_id (self));
  g_autoptr (HarkEvent) event = hark_event_new (&topic, 0, 0, kind, json, len);
  hark_session_send_event (self, event);
}

/**
 * hark_session_close:
 * @code: a #HarkCloseCode
 * @reason: (nullable): for the client, at most 123 bytes
 *
 * Ends the session, at once for the hub; the client is told by the closing handshake. Does nothing when it is over.
 */
void
hark_session_close (HarkSession *self, guint code, const char *reason)
{
  session_end (self, code, reason);
}

/* Returns: (transfer none) (nullable) */
HarkSubscription *
hark_session_find_subscription (HarkSession *self, const HarkTopic *topic)
{
  for (guint i = 0; self->subscriptions != NULL && i < self->subscriptions->len; i++)
    {
      HarkSubscription *subscription = self->subscriptions->pdata[i];
      if (hark_topic_equal (&subscription->entry->topic, topic))
        return subscription;
    }
  return NULL;
}
