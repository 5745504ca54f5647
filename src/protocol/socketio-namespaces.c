/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All namespaces of a hub: how a socket gets into one, how it learns what it missed, and how what happens in one
 * reaches those it is for. Events of a logged namespace are stored first, then published by the hub like any other:
 * those for all go through the subscription index, which encodes them once; those for some are sent from here, after
 * what was published before them. So each socket receives its namespace's events in the order of their numbers, and
 * the number of the last one it has seen says all that is needed to go on from there.
 */
#include "protocol/socketio-namespaces.h"

#include "base/error.h"
#include "protocol/socketio-commands.h"
#include "protocol/socketio-kinds.h"
#include "protocol/socketio-namespaces-private.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (HarkSocketioNamespaces, hark_socketio_namespaces, G_TYPE_OBJECT)

enum
{
  CONNECTED,
  DISCONNECTED,
  EVENT,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
hark_socketio_namespaces_dispose (GObject *object)
{
  HarkSocketioNamespaces *self = HARK_SOCKETIO_NAMESPACES (object);
  if (self->dispatcher != NULL)
    hark_dispatcher_remove (self->dispatcher, self);
  hark_socketio_wires_set_welcome (self->wires, NULL, NULL);
  g_clear_pointer (&self->acks, hark_socketio_acks_free);
  g_clear_object (&self->dispatcher);
  g_clear_object (&self->store);
  G_OBJECT_CLASS (hark_socketio_namespaces_parent_class)->dispose (object);
}

static void
hark_socketio_namespaces_finalize (GObject *object)
{
  HarkSocketioNamespaces *self = HARK_SOCKETIO_NAMESPACES (object);
  g_assert (g_hash_table_size (self->welcomes) == 0 && self->n_connecting == 0);
  g_hash_table_unref (self->welcomes);
  g_hash_table_unref (self->by_topic);
  g_hash_table_unref (self->by_name);
  G_OBJECT_CLASS (hark_socketio_namespaces_parent_class)->finalize (object);
}

static void
hark_socketio_namespaces_class_init (HarkSocketioNamespacesClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GType type = G_TYPE_FROM_CLASS (klass);
  object_class->dispose = hark_socketio_namespaces_dispose;
  object_class->finalize = hark_socketio_namespaces_finalize;
  signals[CONNECTED] = g_signal_new ("connected", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 4,
                                     G_TYPE_STRING, G_TYPE_STRING, HARK_TYPE_SESSION, G_TYPE_BOOLEAN);
  signals[DISCONNECTED] = g_signal_new ("disconnected", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 4,
                                        G_TYPE_STRING, G_TYPE_STRING, HARK_TYPE_SESSION, G_TYPE_BOOLEAN);
  signals[EVENT]
    = g_signal_new ("event", type, G_SIGNAL_RUN_LAST, 0, g_signal_accumulator_true_handled, NULL, NULL, G_TYPE_BOOLEAN,
                    6, G_TYPE_STRING, G_TYPE_STRING, HARK_TYPE_SESSION, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_INT64);
}

static void
hark_socketio_namespaces_init (HarkSocketioNamespaces *self)
{
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)hark_socketio_namespace_free);
  self->by_topic = g_hash_table_new (hark_topic_hash, hark_topic_equal);
  self->welcomes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)hark_event_unref);
}

/**
 * hark_socketio_namespaces_add:
 * @name: "/something"
 * @kind: a constant
 * @data: what @kind finds in the namespace; outlives us
 *
 * Returns: (transfer none): a namespace, from the start on; %NULL with %HARK_ERROR_BAD_REQUEST for a name that cannot be
 *   one, %HARK_ERROR_CONFLICT when there is one
 */
HarkSocketioNamespace *
hark_socketio_namespaces_add (HarkSocketioNamespaces *self, const char *name, const HarkSocketioKind *kind,
                              gpointer data, GError **error)
{
  HarkSocketioNamespace *nsp = hark_socketio_namespace_new (name, kind, data, error);
  if (nsp == NULL)
    return NULL;
  if (g_hash_table_contains (self->by_name, name))
    {
      hark_socketio_namespace_free (nsp);
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT, "there is a namespace \"%s\"", name);
      return NULL;
    }
  g_hash_table_insert (self->by_name, nsp->name, nsp);
  g_hash_table_insert (self->by_topic, &nsp->topic, nsp);
  return nsp;
}

/**
 * hark_socketio_namespaces_declare:
 * @name: "/something"
 *
 * A namespace of the back end's, from the start on.
 *
 * Returns: %FALSE with %HARK_ERROR_BAD_REQUEST for a name that cannot be one, %HARK_ERROR_CONFLICT when there is one
 */
gboolean
hark_socketio_namespaces_declare (HarkSocketioNamespaces *self, const char *name, GError **error)
{
  return hark_socketio_namespaces_add (self, name, &hark_socketio_kind_back_end, NULL, error) != NULL;
}

HarkSocketioNamespace *
hark_socketio_namespaces_find (HarkSocketioNamespaces *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

const HarkSocketioLimits *
hark_socketio_namespaces_get_limits (HarkSocketioNamespaces *self)
{
  return &self->limits;
}

HarkSocketioWires *
hark_socketio_namespaces_get_wires (HarkSocketioNamespaces *self)
{
  return self->wires;
}

/* Calls @func for each connected socket; it must not end any. */
void
hark_socketio_namespaces_foreach (HarkSocketioNamespaces *self, HarkSocketioSocketFunc func, gpointer data)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      HarkSocketioNamespace *nsp = value;
      for (guint i = 0; i < nsp->sockets->len; i++)
        if (((HarkSocketioSocket *)nsp->sockets->pdata[i])->connected)
          func (nsp->sockets->pdata[i], data);
    }
}

void
hark_socketio_namespaces_count (HarkSocketioNamespaces *self, HarkSocketioOffence offence)
{
  hark_counter_add (self->n_offences[offence], 1);
}

/* Sends one packet to one session. */
void
hark_socketio_namespaces_send (HarkSocketioNamespaces *self, HarkSession *session, HarkSocketioType type,
                               const char *nsp, gint64 id, const char *payload, gsize len)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  hark_socketio_wires_append_packet (self->wires, &out, type, nsp, id, payload, len);
  hark_session_take_units (session, hark_builder_finish (&out));
}

/* The hub's welcome to a session goes to "/", whenever that is connected. */

static void
on_welcome (const HarkEvent *event, gpointer data)
{
  HarkSocketioNamespaces *self = data;
  HarkJsonObject object;
  gint64 id;
  if (hark_json_object_parse (&object, event->json, event->len, NULL)
      && hark_json_object_get_id (&object, "session", HARK_FIELD_REQUIRED, &id, NULL)
      && g_hash_table_contains (self->welcomes, &id))
    g_hash_table_replace (self->welcomes, g_memdup2 (&id, sizeof id), hark_event_ref ((HarkEvent *)event));
}

void
hark_socketio_namespaces_add_session (HarkSocketioNamespaces *self, HarkSession *session)
{
  HarkTopic topic = hark_topic (HARK_TOPIC_INBOX, 0);
  g_hash_table_replace (self->welcomes, g_memdup2 (&session->id, sizeof session->id),
                        hark_event_new (&topic, 0, 0, "none", "", 0));
}

void
hark_socketio_namespaces_remove_session (HarkSocketioNamespaces *self, HarkSession *session)
{
  g_hash_table_remove (self->welcomes, &session->id);
  hark_socketio_acks_drop_session (self->acks, session);
}

/* Returns: (transfer none) (nullable): what the session was welcomed with, if it was by now */
const HarkEvent *
hark_socketio_namespaces_get_welcome (HarkSocketioNamespaces *self, HarkSession *session)
{
  const HarkEvent *event = g_hash_table_lookup (self->welcomes, &session->id);
  return event != NULL && event->len > 0 ? event : NULL;
}

/* What is published. */

static void
hold_event (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp, HarkEvent *event)
{
  for (guint i = 0; nsp->n_connecting > 0 && i < nsp->sockets->len; i++)
    {
      HarkSocketioSocket *socket = nsp->sockets->pdata[i];
      if (socket->held == NULL)
        continue;
      if (socket->held->len < self->limits.recovery_events)
        g_ptr_array_add (socket->held, hark_event_ref (event));
      else
        socket->overrun = TRUE;
    }
}

static void
send_to_some (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp, const HarkEvent *event)
{
  g_auto (HarkSocketioAudience) audience = { 0 };
  hark_socketio_audience_read (&audience, event);
  hark_socketio_namespaces_deliver (self, nsp, &audience.target, FALSE, event);
}

static void
on_hub_published (HarkHub *hub, HarkEvent *event, HarkSocketioNamespaces *self)
{
  HarkSocketioNamespace *nsp;
  if (event->topic.kind != HARK_TOPIC_APP)
    return;
  nsp = g_hash_table_lookup (self->by_topic, &event->topic);
  if (nsp == NULL)
    return;
  nsp->published_seq = MAX (nsp->published_seq, event->seq);
  hold_event (self, nsp, event);
  if (event->kind == self->kind_some)
    send_to_some (self, nsp, event);
  for (guint i = 0; self->observer != NULL && event->kind == self->kind_all && i < nsp->sockets->len; i++)
    self->observer->sent (nsp->sockets->pdata[i], event, self->observer_data);
}

/* The hub tells of each event whether or not anybody listens here: so nobody does as long as there is no socket. */
static void
count_socket (HarkSocketioNamespaces *self, int change)
{
  self->n_logged += change;
  if (self->n_logged == 0)
    g_clear_signal_handler (&self->published_id, self->hub);
  else if (self->published_id == 0)
    self->published_id = g_signal_connect (self->hub, "published", G_CALLBACK (on_hub_published), self);
}

/* Connecting. */

typedef struct
{
  HarkSocketioNamespaces *self; /* (owned) */
  HarkSocketioNamespace *nsp;   /* unowned: the namespaces' */
  HarkSocketioSocket *socket;   /* (nullable): %NULL when it has gone meanwhile */
  HarkSocketioClaim *claim;     /* unowned: the store's work has it, while it tells us */
  char pid[HARK_SOCKETIO_PID_LEN];
  char *former_pid; /* (owned) (nullable) */
} Connecting;

static void
connecting_free (Connecting *connecting)
{
  if (connecting->socket != NULL)
    connecting->socket->connecting = NULL;
  connecting->self->n_connecting--;
  g_object_unref (connecting->self);
  g_free (connecting->former_pid);
  g_free (connecting);
}

static void
append_connect (HarkSocketioNamespaces *self, HarkBuilder *out, HarkSocketioSocket *socket, const char *pid)
{
  g_auto (HarkJsonWriter) json = { 0 };
  gsize len;
  const char *text;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "sid", socket->sid);
  if (pid != NULL)
    hark_json_writer_member_string (&json, "pid", pid);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_socketio_wires_append_packet (self->wires, out, HARK_SOCKETIO_CONNECT, socket->nsp->name, HARK_SOCKETIO_NO_ID,
                                     text, len);
}

/* The first event: a client that has seen none has no offset to come back with. */
static void
append_greeting (HarkSocketioNamespaces *self, HarkBuilder *out, HarkSocketioSocket *socket, gint64 offset)
{
  g_autofree char *packet
    = g_strdup_printf ("[\"welcome\",{\"sid\":\"%s\"},\"%" G_GINT64_FORMAT "\"]", socket->sid, offset);
  hark_socketio_wires_append_packet (self->wires, out, HARK_SOCKETIO_EVENT, socket->nsp->name, HARK_SOCKETIO_NO_ID,
                                     packet, strlen (packet));
}

static void
append_missed (HarkSocketioNamespaces *self, HarkBuilder *out, HarkSocketioSocket *socket, GPtrArray *events,
               gint64 after)
{
  for (guint i = 0; i < events->len; i++)
    {
      const HarkEvent *event = events->pdata[i];
      g_auto (HarkSocketioAudience) audience = { 0 };
      if (event->seq <= after)
        continue;
      if (event->kind == self->kind_some)
        hark_socketio_audience_read (&audience, event);
      if (event->kind == self->kind_all || hark_socketio_socket_is_meant (socket, &audience.target))
        hark_socketio_wires_append_event (self->wires, out, event);
    }
}

static void
take_former (HarkSocketioSocket *socket, const HarkSocketioClaim *claim)
{
  if (hark_socketio_namespace_find (socket->nsp, claim->sid) == NULL)
    hark_socketio_namespace_rename (socket, claim->sid);
  for (guint i = 0; i < claim->rooms->len; i++)
    hark_socketio_socket_join (socket, claim->rooms->pdata[i]);
}

static void
mark_connected (HarkSocketioNamespaces *self, HarkSocketioSocket *socket)
{
  socket->connected = TRUE;
  socket->since_ms = hark_clock_get_real_ms (hark_hub_get_clock (self->hub));
  hark_gauge_set (self->n_sockets, hark_counter_get (self->n_sockets) + 1);
}

static void
emit_connected (HarkSocketioNamespaces *self, HarkSocketioSocket *socket, gboolean recovered)
{
  g_autoptr (HarkSession) session = g_object_ref (socket->session);
  char sid[HARK_SOCKETIO_SID_LEN];
  memcpy (sid, socket->sid, sizeof sid);
  g_signal_emit (self, signals[CONNECTED], 0, socket->nsp->name, sid, session, recovered);
}

/* Tells the client, and from now on it is sent what happens. @claim: (nullable): %NULL when nothing is logged */
static void
finish_connect (Connecting *connecting, const HarkSocketioClaim *claim)
{
  HarkSocketioNamespaces *self = connecting->self;
  HarkSocketioSocket *socket = connecting->socket;
  g_autoptr (HarkSession) session = g_object_ref (socket->session);
  g_autoptr (GPtrArray) held = g_steal_pointer (&socket->held);
  g_autoptr (GError) error = NULL;
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  gboolean recovered = claim != NULL && claim->recovered && !socket->overrun;
  gint64 seq = claim != NULL ? claim->seq : 0;
  socket->nsp->n_connecting--;
  socket->nsp->published_seq = MAX (socket->nsp->published_seq, seq);
  if (claim != NULL && !socket->overrun)
    {
      socket->recoverable = TRUE;
      memcpy (socket->pid_hash, recovered ? claim->former_hash : claim->hash, sizeof socket->pid_hash);
    }
  else if (claim != NULL)
    {
      hark_socketio_store_change (self->store, &self->limits, claim->recovered ? claim->former_hash : claim->hash, NULL,
                                  HARK_SOCKETIO_ROW_FORGET);
    }
  if (recovered)
    take_former (socket, claim);
  append_connect (self, &out, socket,
                  !socket->recoverable ? NULL
                  : recovered          ? connecting->former_pid
                                       : connecting->pid);
  if (recovered)
    append_missed (self, &out, socket, claim->events, 0);
  else
    append_greeting (self, &out, socket, socket->overrun ? socket->nsp->published_seq : seq);
  if (!socket->overrun)
    append_missed (self, &out, socket, held, seq);
  hark_counter_add (recovered ? self->n_recovered : self->n_fresh, 1);
  mark_connected (self, socket);
  if (hark_hub_subscribe (self->hub, session, &socket->nsp->topic, socket->nsp->published_seq, -1, &error) == NULL)
    {
      hark_session_close (session, hark_error_get_close_code (hark_error_get_code (error)), error->message);
      return;
    }
  hark_session_take_units (session, hark_builder_finish (&out));
  if (connecting->socket != NULL)
    emit_connected (self, socket, recovered);
}

/* The socket went while the store looked: its row is as if it had been connected. */
static void
give_up (HarkSocketioNamespaces *self, const HarkSocketioClaim *claim)
{
  hark_socketio_store_change (self->store, &self->limits, claim->recovered ? claim->former_hash : claim->hash, NULL,
                              claim->recovered ? HARK_SOCKETIO_ROW_END : HARK_SOCKETIO_ROW_FORGET);
}

static void
on_claim_published (gpointer data)
{
  Connecting *connecting = data;
  HarkSocketioClaim *claim = connecting->claim;
  if (connecting->socket != NULL)
    finish_connect (connecting, claim);
  else
    give_up (connecting->self, claim);
  hark_socketio_claim_free (claim);
  connecting_free (connecting);
}

/* Without the store's word the client is connected all the same, and cannot be recovered. */
static void
on_claimed (gpointer data, const GError *error, gpointer user_data)
{
  Connecting *connecting = user_data;
  if (error == NULL)
    {
      hark_hub_when_published (connecting->self->hub, connecting->claim->rev, on_claim_published, connecting);
      return;
    }
  g_message ("a Socket.IO socket cannot be recovered: %s", error->message);
  if (connecting->socket != NULL)
    finish_connect (connecting, NULL);
  hark_socketio_claim_free (connecting->claim);
  connecting_free (connecting);
}

/* A connection that was cut may not know it yet: it ends here, and so is in the store before it is looked for. */
static void
end_former (HarkSocketioNamespace *nsp, HarkSession *but, const guint8 hash[HARK_SOCKETIO_PID_HASH_LEN])
{
  for (guint i = 0; i < nsp->sockets->len; i++)
    {
      HarkSocketioSocket *socket = nsp->sockets->pdata[i];
      if (socket->recoverable && socket->session != but
          && memcmp (socket->pid_hash, hash, HARK_SOCKETIO_PID_HASH_LEN) == 0)
        {
          hark_session_close (socket->session, HARK_CLOSE_RESUMED, "the session goes on in another connection");
          return;
        }
    }
}

static void
begin_claim (HarkSocketioNamespaces *self, HarkSocketioSocket *socket, const char *pid, const char *offset)
{
  Connecting *connecting = g_new0 (Connecting, 1);
  HarkSocketioClaim *claim
    = hark_socketio_claim_new (&self->limits, socket->nsp, hark_session_get_user_id (socket->session));
  hark_socketio_random_id (connecting->pid, sizeof connecting->pid);
  hark_socketio_hash_pid (connecting->pid, claim->hash);
  memcpy (claim->sid, socket->sid, sizeof claim->sid);
  if (pid != NULL && offset != NULL && g_ascii_string_to_signed (offset, 10, 0, G_MAXINT64, &claim->offset, NULL))
    {
      claim->wanted = TRUE;
      hark_socketio_hash_pid (pid, claim->former_hash);
      connecting->former_pid = g_strdup (pid);
      end_former (socket->nsp, socket->session, claim->former_hash);
    }
  connecting->self = g_object_ref (self);
  connecting->socket = socket;
  connecting->claim = claim;
  socket->connecting = connecting;
  socket->held = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_event_unref);
  socket->nsp->n_connecting++;
  self->n_connecting++;
  hark_store_write (self->store, hark_socketio_claim_in_thread, claim, NULL, on_claimed, connecting);
}

static void
connect_now (HarkSocketioNamespaces *self, HarkSocketioSocket *socket)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autofree char *sid = g_strdup (socket->sid);
  HarkSocketioNamespace *nsp = socket->nsp;
  append_connect (self, &out, socket, NULL);
  mark_connected (self, socket);
  if (nsp->kind->is_logged)
    hark_hub_subscribe (self->hub, socket->session, &nsp->topic, 0, -1, NULL);
  hark_session_take_units (socket->session, hark_builder_finish (&out));
  socket = hark_socketio_namespace_find (nsp, sid);
  if (socket != NULL)
    emit_connected (self, socket, FALSE);
}

/* Whether what happens in it is stored, so that a socket can be told what it missed. */
gboolean
hark_socketio_namespaces_logs (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp)
{
  return self->store != NULL && self->limits.recovery_ms > 0 && nsp->kind->is_logged;
}

/**
 * hark_socketio_namespaces_connect:
 * @session: open, and not connected to @nsp
 * @pid: (nullable): what the client says it was connected by before
 * @offset: (nullable): of the last event it has seen then
 * @removed: told when the socket goes, which may be before this returns
 *
 * The client is told when it is connected, which may be now or when the store has looked for what it missed.
 *
 * Returns: (transfer none) (nullable): the socket; %NULL when the session is over
 */
HarkSocketioSocket *
hark_socketio_namespaces_connect (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp, HarkSession *session,
                                  const char *pid, const char *offset, HarkSocketioRemovedFunc removed, gpointer data)
{
  HarkSocketioSocket *socket = hark_socketio_namespace_add (nsp, session);
  g_autofree char *sid = g_strdup (socket->sid);
  socket->removed = removed;
  socket->removed_data = data;
  if (nsp->kind->is_logged)
    count_socket (self, 1);
  if (hark_socketio_namespaces_logs (self, nsp))
    begin_claim (self, socket, pid, offset);
  else
    connect_now (self, socket);
  return hark_socketio_namespace_find (nsp, sid);
}

/* The socket is gone then. @may_return: it was cut, not closed */
void
hark_socketio_namespaces_remove (HarkSocketioNamespaces *self, HarkSocketioSocket *socket, gboolean may_return)
{
  g_autoptr (HarkSession) session = g_object_ref (socket->session);
  HarkSocketioNamespace *nsp = socket->nsp;
  gboolean was_connected = socket->connected;
  char sid[HARK_SOCKETIO_SID_LEN];
  memcpy (sid, socket->sid, sizeof sid);
  if (socket->connecting != NULL)
    ((Connecting *)socket->connecting)->socket = NULL;
  if (socket->held != NULL)
    nsp->n_connecting--;
  if (socket->recoverable)
    hark_socketio_store_change (self->store, &self->limits, socket->pid_hash, socket->rooms,
                                may_return ? HARK_SOCKETIO_ROW_END : HARK_SOCKETIO_ROW_FORGET);
  if (nsp->kind->is_logged)
    {
      count_socket (self, -1);
      hark_hub_unsubscribe (self->hub, session, &nsp->topic);
    }
  if (was_connected)
    hark_gauge_set (self->n_sockets, hark_counter_get (self->n_sockets) - 1);
  socket->removed (socket, socket->removed_data);
  hark_socketio_namespace_remove (socket);
  if (was_connected)
    g_signal_emit (self, signals[DISCONNECTED], 0, nsp->name, sid, session, may_return);
}

/* Who watches, from now on; %NULL for nobody. */
void
hark_socketio_namespaces_set_observer (HarkSocketioNamespaces *self, const HarkSocketioObserver *observer, gpointer data)
{
  self->observer = observer;
  self->observer_data = data;
}

/* A client says something. */
void
hark_socketio_namespaces_observe (HarkSocketioNamespaces *self, const HarkSocketioSocket *socket,
                                  const HarkSocketioPacket *packet)
{
  if (G_UNLIKELY (self->observer != NULL))
    self->observer->received (socket, packet, self->observer_data);
}

void
hark_socketio_namespaces_foreach_namespace (HarkSocketioNamespaces *self, HarkSocketioNamespaceFunc func, gpointer data)
{
  GHashTableIter iter;
  gpointer nsp;
  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &nsp))
    func (nsp, data);
}

/**
 * hark_socketio_namespaces_new:
 * @store: (nullable): without one nothing is recovered
 * @wires: outlives the sessions
 *
 * Returns: (transfer full): with "/", "/chat", "/forward" and "/notifications"; to go before @hub does, and after its
 *   sessions
 */
HarkSocketioNamespaces *
hark_socketio_namespaces_new (HarkHub *hub, HarkStore *store, HarkSocketioWires *wires, HarkMetrics *metrics,
                              const HarkSocketioLimits *limits)
{
  HarkSocketioNamespaces *self = g_object_new (HARK_TYPE_SOCKETIO_NAMESPACES, NULL);
  self->hub = hub;
  self->dispatcher = g_object_ref (hark_hub_get_dispatcher (hub));
  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->wires = wires;
  self->limits = *limits;
  self->acks = hark_socketio_acks_new (hark_hub_get_clock (hub), &self->limits);
  self->kind_all = g_intern_static_string (HARK_SOCKETIO_KIND_ALL);
  self->kind_some = g_intern_static_string (HARK_SOCKETIO_KIND_SOME);
  self->event_signal = signals[EVENT];
  self->n_sockets = hark_metrics_gauge (metrics, "hark_socketio_sockets", "Connections to Socket.IO namespaces now.");
  self->n_fresh
    = hark_metrics_counter (metrics, "hark_socketio_connected_total", "Sockets of logged namespaces that began anew.");
  self->n_recovered
    = hark_metrics_counter (metrics, "hark_socketio_recovered_total", "Sockets that came back and missed nothing.");
  self->n_emitted
    = hark_metrics_counter (metrics, "hark_socketio_emitted_total", "Events emitted to Socket.IO namespaces.");
  self->n_client_events = hark_metrics_counter (metrics, "hark_socketio_client_events_total",
                                                "Events of Socket.IO clients for the back end.");
  self->n_offences[HARK_SOCKETIO_REFUSED]
    = hark_metrics_counter (metrics, "hark_socketio_refused_total", "Refused tries to connect to a namespace.");
  self->n_offences[HARK_SOCKETIO_INVALID]
    = hark_metrics_counter (metrics, "hark_socketio_invalid_total",
                            "Connections that ended for a packet that is none or may not come.");
  self->n_offences[HARK_SOCKETIO_LIMITED] = hark_metrics_counter (metrics, "hark_socketio_limited_total",
                                                                  "Rooms and acknowledgements that were over a bound.");
  hark_socketio_namespaces_add (self, "/", &hark_socketio_kind_root, NULL, NULL);
  hark_socketio_namespaces_add (self, "/chat", &hark_socketio_kind_chat, NULL, NULL);
  hark_socketio_namespaces_add (self, "/forward", &hark_socketio_kind_forward, NULL, NULL);
  hark_socketio_namespaces_add (self, "/notifications", &hark_socketio_kind_notifications, NULL, NULL);
  hark_dispatcher_add (self->dispatcher, hark_socketio_client_commands, hark_socketio_n_client_commands, self);
  hark_socketio_commands_add (self, self->dispatcher);
  hark_socketio_wires_set_welcome (wires, on_welcome, self);
  return self;
}
