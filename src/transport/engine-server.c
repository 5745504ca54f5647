/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sessions of Engine.IO: by their ids, with one wheel for all their deadlines, and what is asked of them. Requests
 * come from the front, which knows nothing of sessions; they are judged here, in the reference server's order, because
 * only here is it known what a session is doing. A poll that waits costs nothing until there is something to send.
 */
#include "transport/engine-server.h"

#include "transport/engine-private.h"

#include "base/error.h"

#include <string.h>
#include <sys/random.h>

#define REQUESTS_PER_TURN 256
#define MIN_TICK_MS 5
#define MAX_TICK_MS 1000
#define TICKS_PER_TIMEOUT 8
#define MAX_IOV 64

/* Bytes of randomness in a session's id: who guesses it has the session. */
#define SID_BYTES 15

G_DEFINE_FINAL_TYPE (HarkEngineServer, hark_engine_server, G_TYPE_OBJECT)

/* Defaults: those of the reference server, where it has a bound. */
void
hark_engine_limits_init (HarkEngineLimits *self)
{
  *self = (HarkEngineLimits){
    .max_sessions = 65536,
    .max_payload = 64 * 1024,
    .max_packets = 16384,
    .packet_budget = 256,
    .max_outbox = 1024 * 1024,
    .ping_interval_ms = 25000,
    .ping_timeout_ms = 20000,
    .upgrade_timeout_ms = 10000,
    .close_timeout_ms = 10000,
  };
}

/* What engine.c asks for. */

gint64
hark_engine_server_get_now (HarkEngineServer *self)
{
  return hark_clock_get_monotonic (self->clock) / 1000;
}

/* To be looked at at the turn's end; once per turn. */
void
hark_engine_server_wake (HarkEngineServer *self, HarkEngine *engine)
{
  if (engine->parent_instance.awake)
    return;
  engine->parent_instance.awake = TRUE;
  g_ptr_array_add (self->dirty, g_object_ref (engine));
  hark_turn_mark (self->turn);
}

void
hark_engine_server_add_timer (HarkEngineServer *self, HarkEngine *engine, gint64 at)
{
  gint64 ms = MAX (at - hark_engine_server_get_now (self), 0);
  hark_wheel_add (&self->wheel, &engine->timer, MIN (ms / self->tick_ms + 1, HARK_WHEEL_SLOTS));
}

/* Takes an ended session out, and lets go of it. */
void
hark_engine_server_remove (HarkEngineServer *self, HarkEngine *engine)
{
  hark_wheel_remove (&engine->timer);
  engine->server = NULL;
  g_hash_table_remove (self->sessions, engine->sid);
  hark_gauge_set (self->counters.sessions, g_hash_table_size (self->sessions));
  if (g_hash_table_size (self->sessions) == 0)
    hark_clock_clear_timeout (self->clock, &self->tick_id);
}

static GBytes *
encode (HarkEngineServer *self, HarkOutbox *outbox, const char *last)
{
  GByteArray *payload = g_byte_array_new ();
  struct iovec iov[MAX_IOV];
  gboolean full = FALSE;
  while (!full && !hark_outbox_is_empty (outbox))
    {
      guint n = hark_outbox_peek (outbox, iov, MAX_IOV);
      gsize taken = 0;
      for (guint i = 0; i < n && !full; i++)
        {
          full = payload->len > 0 && payload->len + iov[i].iov_len > self->limits.max_payload;
          if (full)
            break;
          hark_engineio_payload_append (payload, iov[i].iov_base, iov[i].iov_len);
          taken += iov[i].iov_len;
        }
      hark_outbox_consume (outbox, taken);
    }
  if (last != NULL && !full)
    {
      if (payload->len > 0)
        g_byte_array_append (payload, (const guint8 *)"\x1e", 1);
      g_byte_array_append (payload, (const guint8 *)last, strlen (last));
    }
  return g_byte_array_free_to_bytes (payload);
}

/**
 * hark_engine_server_encode:
 * @last: (nullable): a packet to follow when nothing is left
 *
 * Takes what a poll is answered with out of the outbox. In a fan-out most outboxes hold the same one buffer: they share
 * the answer.
 *
 * Returns: (transfer full): a payload
 */
GBytes *
hark_engine_server_encode (HarkEngineServer *self, HarkEngine *engine, const char *last)
{
  HarkOutbox *outbox = &engine->parent_instance.outbox;
  HarkBuffer *only = outbox->count == 1 && last == NULL ? hark_outbox_get_first (outbox) : NULL;
  if (only == NULL)
    return encode (self, outbox, last);
  if (only != self->payload_units)
    {
      g_clear_pointer (&self->payload_units, hark_buffer_unref);
      g_clear_pointer (&self->payload, g_bytes_unref);
      self->payload_units = hark_buffer_ref (only);
      self->payload = encode (self, outbox, NULL);
    }
  else
    {
      hark_outbox_consume (outbox, only->len);
    }
  return g_bytes_ref (self->payload);
}

/* The loop. */

static void
on_turn_answer (gpointer data)
{
  HarkEngineServer *self = data;
  guint n = self->dirty->len;
  HarkHandOver *answers = NULL;
  g_object_ref (self);
  for (guint i = 0; i < n; i++)
    {
      HarkEngine *engine = self->dirty->pdata[i];
      if (answers == NULL && engine->poll != NULL)
        {
          answers = g_object_ref (engine->poll->answers);
          hark_hand_over_cork (answers);
        }
      hark_engine_flush (engine);
    }
  if (answers != NULL)
    {
      hark_hand_over_uncork (answers);
      g_object_unref (answers);
    }
  if (n > 0)
    g_ptr_array_remove_range (self->dirty, 0, n);
  g_clear_pointer (&self->payload_units, hark_buffer_unref);
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_object_unref (self);
}

static void
on_wheel_expired (HarkWheelLink *link, gpointer data)
{
  hark_engine_expire ((HarkEngine *)((guint8 *)link - G_STRUCT_OFFSET (HarkEngine, timer)));
}

static gboolean
on_tick (gpointer data)
{
  HarkEngineServer *self = data;
  gboolean go_on;
  g_object_ref (self);
  hark_wheel_advance (&self->wheel, on_wheel_expired, self);
  hark_turn_end (self->turn);
  go_on = self->tick_id != 0;
  g_object_unref (self);
  return go_on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Sessions. */

static void
make_sid (HarkEngineServer *self, char sid[HARK_ENGINEIO_SID_LEN])
{
  guint8 bytes[SID_BYTES];
  g_autofree char *text = NULL;
  G_STATIC_ASSERT (SID_BYTES % 3 == 0 && SID_BYTES / 3 * 4 == HARK_ENGINEIO_SID_LEN - 1);
  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    g_error ("getrandom: no randomness");
  text = g_base64_encode (bytes, sizeof bytes);
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  g_strlcpy (sid, text, HARK_ENGINEIO_SID_LEN);
}

/* @lease: (transfer full) (nullable) */
static HarkEngine *
add_session (HarkEngineServer *self, guint route_kind, const char *address, HarkAddressLease *lease)
{
  HarkEngine *engine = hark_engine_new (self, route_kind, address, lease);
  make_sid (self, engine->sid);
  g_hash_table_insert (self->sessions, engine->sid, engine);
  hark_gauge_set (self->counters.sessions, g_hash_table_size (self->sessions));
  hark_counter_add (self->counters.opened, 1);
  if (self->tick_id == 0)
    self->tick_id = hark_clock_add_timeout (self->clock, self->tick_ms, on_tick, self);
  return engine;
}

/* Returns: (nullable): a session is only known where it was opened, lest one protocol's bytes are taken for another's */
static HarkEngine *
find_session (HarkEngineServer *self, guint route_kind, const char *sid)
{
  HarkEngine *engine = g_hash_table_lookup (self->sessions, sid);
  return engine != NULL && engine->route_kind == route_kind ? engine : NULL;
}

static gboolean
is_full (HarkEngineServer *self)
{
  return g_hash_table_size (self->sessions) >= self->limits.max_sessions;
}

/* Requests. */

/* @request: (transfer full) */
static void
refuse (HarkEngineServer *self, HarkEngineRequest *request, HarkEngineIOError error)
{
  const char *message = hark_engineio_error_get_message (error);
  char *text;
  hark_counter_add (self->counters.refused, 1);
  if (request->method == HARK_ENGINE_UPGRADE)
    {
      hark_engine_request_answer (request, 400, "text/html", g_bytes_new_static (message, strlen (message)));
      return;
    }
  text = g_strdup_printf ("{\"code\":%d,\"message\":\"%s\"}", error, message);
  hark_engine_request_answer (request, 400, "application/json", g_bytes_new_take (text, strlen (text)));
}

/* @request: (transfer full) */
static void
refuse_overload (HarkEngineServer *self, HarkEngineRequest *request)
{
  static const char text[] = "{\"code\":4,\"message\":\"Too many sessions\"}";
  hark_counter_add (self->counters.overloaded, 1);
  hark_engine_request_answer (request, 503, "application/json", g_bytes_new_static (text, sizeof text - 1));
}

/* @request: (transfer full): with the id of a session */
static void
serve_session (HarkEngineServer *self, HarkEngineRequest *request, const HarkEngineIOQuery *query)
{
  HarkEngine *engine = find_session (self, request->route_kind, query->sid);
  gboolean upgrades = request->method == HARK_ENGINE_UPGRADE;
  gboolean fits;
  if (engine == NULL)
    {
      refuse (self, request, HARK_ENGINEIO_UNKNOWN_SID);
      return;
    }
  if (upgrades)
    fits = query->transport == HARK_ENGINEIO_WEBSOCKET;
  else
    fits = query->transport == HARK_ENGINEIO_POLLING && engine->socket == NULL;
  if (!fits || !query->version_4 || query->jsonp || request->method == HARK_ENGINE_OTHER)
    refuse (self, request, HARK_ENGINEIO_BAD_REQUEST);
  else if (upgrades)
    hark_engine_request_answer (request, 101, NULL, NULL);
  else if (request->method == HARK_ENGINE_GET)
    hark_engine_take_poll (engine, request);
  else
    hark_engine_begin_post (engine, request);
}

/* @request: (transfer full): without the id of a session */
static void
serve_handshake (HarkEngineServer *self, HarkEngineRequest *request, const HarkEngineIOQuery *query)
{
  gboolean upgrades = request->method == HARK_ENGINE_UPGRADE;
  HarkEngine *engine;
  if (request->method != HARK_ENGINE_GET && !upgrades)
    {
      refuse (self, request, HARK_ENGINEIO_BAD_HANDSHAKE_METHOD);
      return;
    }
  if (upgrades != (query->transport == HARK_ENGINEIO_WEBSOCKET) || query->jsonp)
    {
      refuse (self, request, HARK_ENGINEIO_BAD_REQUEST);
      return;
    }
  if (!query->version_4)
    {
      refuse (self, request, HARK_ENGINEIO_UNSUPPORTED_VERSION);
      return;
    }
  if (is_full (self))
    {
      refuse_overload (self, request);
      return;
    }
  if (upgrades)
    {
      hark_engine_request_answer (request, 101, NULL, NULL);
      return;
    }
  engine = add_session (self, request->route_kind, request->address, g_steal_pointer (&request->lease));
  g_strlcpy (request->opened, engine->sid, sizeof request->opened);
  g_object_ref (engine);
  hark_engine_take_poll (engine, hark_engine_request_ref (request));
  hark_engine_open (engine, NULL, request->query);
  g_object_unref (engine);
  hark_engine_request_unref (request);
}

/* @request: (transfer full) */
static void
serve (HarkEngineServer *self, HarkEngineRequest *request)
{
  HarkEngineIOQuery query;
  hark_engineio_query_parse (&query, request->query);
  if (query.transport == HARK_ENGINEIO_NO_TRANSPORT)
    refuse (self, request, HARK_ENGINEIO_UNKNOWN_TRANSPORT);
  else if (*query.sid != '\0')
    serve_session (self, request, &query);
  else
    serve_handshake (self, request, &query);
}

/* @request: (transfer full): serve () had it before if @news is not the first of it */
static void
take_news (HarkEngineServer *self, HarkEngineNews news, HarkEngineRequest *request)
{
  HarkEngine *engine;
  if (news == HARK_ENGINE_ASKED || news == HARK_ENGINE_BEGUN)
    serve (self, hark_engine_request_ref (request));
  /* Only what waits for us still has a session, and as its body if it is a POST. */
  engine = request->status == 0 ? request->session : NULL;
  if (engine != NULL && news == HARK_ENGINE_GONE)
    hark_engine_lose (engine, request);
  else if (engine != NULL && news != HARK_ENGINE_BEGUN && request->method == HARK_ENGINE_POST)
    hark_engine_take_post (engine);
  hark_engine_request_unref (request);
}

static void
on_requests (HarkHandOver *requests, gpointer data)
{
  HarkEngineServer *self = data;
  HarkEngineRequest *request;
  guint news;
  g_object_ref (self);
  for (guint i = 0; i < REQUESTS_PER_TURN && (request = hark_hand_over_pop (requests, &news)) != NULL; i++)
    take_news (self, news, request);
  hark_turn_end (self->turn);
  g_object_unref (self);
}

static void
hark_engine_server_dispose (GObject *object)
{
  HarkEngineServer *self = HARK_ENGINE_SERVER (object);
  GHashTableIter iter;
  gpointer engine;
  if (self->requests != NULL)
    hark_hand_over_stop (self->requests);
  g_clear_object (&self->requests);
  while (g_hash_table_iter_init (&iter, self->sessions), g_hash_table_iter_next (&iter, NULL, &engine))
    hark_engine_end (engine, HARK_CLOSE_GOING_AWAY, "forced close");
  g_ptr_array_set_size (self->dirty, 0);
  if (self->turn != NULL)
    hark_turn_set_stage (self->turn, HARK_TURN_ANSWER, NULL, NULL);
  g_clear_object (&self->turn);
  g_clear_object (&self->clock);
  g_clear_object (&self->metrics);
  G_OBJECT_CLASS (hark_engine_server_parent_class)->dispose (object);
}

static void
hark_engine_server_finalize (GObject *object)
{
  HarkEngineServer *self = HARK_ENGINE_SERVER (object);
  g_hash_table_unref (self->sessions);
  g_ptr_array_unref (self->dirty);
  hark_buffer_unref (self->ping);
  G_OBJECT_CLASS (hark_engine_server_parent_class)->finalize (object);
}

static void
hark_engine_server_class_init (HarkEngineServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_engine_server_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_engine_server_finalize;
}

static void
hark_engine_server_init (HarkEngineServer *self)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  hark_engineio_append_text (&out, HARK_ENGINEIO_PING, 0);
  self->ping = hark_builder_finish (&out);
  self->sessions = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->dirty = g_ptr_array_new_with_free_func (g_object_unref);
  hark_wheel_init (&self->wheel);
}

#define PREFIX "hark_engineio_"

static void
init_counters (HarkEngineServer *self)
{
  HarkEngineCounters *c = &self->counters;
  HarkMetrics *m = self->metrics;
  c->sessions = hark_metrics_gauge (m, PREFIX "sessions", "Engine.IO sessions that are open.");
  c->opened = hark_metrics_counter (m, PREFIX "opened_total", "Engine.IO sessions opened.");
  c->upgraded = hark_metrics_counter (m, PREFIX "upgraded_total", "Sessions that went from polling to WebSocket.");
  c->polls = hark_metrics_counter (m, PREFIX "polls_total", "Polls of sessions.");
  c->posts = hark_metrics_counter (m, PREFIX "posts_total", "Bodies sent by sessions that poll.");
  c->packets = hark_metrics_counter (m, PREFIX "received_packets_total", "Packets of sessions, whole.");
  c->refused = hark_metrics_counter (m, PREFIX "refused_total", "Requests answered 400.");
  c->overloaded
    = hark_metrics_counter (m, PREFIX "overloaded_total", "Handshakes refused because there were too many sessions.");
  c->overlaps
    = hark_metrics_counter (m, PREFIX "overlaps_total", "Sessions closed because of two polls or two bodies at once.");
  c->parse_errors = hark_metrics_counter (m, PREFIX "parse_errors_total",
                                          "Sessions closed because of a packet that is none, or of too many.");
  c->ping_timeouts = hark_metrics_counter (m, PREFIX "ping_timeouts_total", "Sessions that did not answer a ping.");
  c->upgrade_timeouts = hark_metrics_counter (m, PREFIX "upgrade_timeouts_total", "Upgrades that were not completed.");
}

static guint
shortest_timeout (const HarkEngineLimits *limits)
{
  guint pings = MIN (limits->ping_interval_ms, limits->ping_timeout_ms);
  return MIN (pings, MIN (limits->upgrade_timeout_ms, limits->close_timeout_ms));
}

/**
 * hark_engine_server_new:
 * @context: (nullable): the hub's
 * @turn: whose answer stage is the server's from now on
 * @limits: copied
 * @opened: called for each new session
 *
 * Returns: (transfer full): a server without sessions
 */
HarkEngineServer *
hark_engine_server_new (GMainContext *context, HarkTurn *turn, HarkClock *clock, HarkMetrics *metrics,
                        const HarkEngineLimits *limits, HarkEngineOpenedFunc opened, gpointer data)
{
  HarkEngineServer *self = g_object_new (HARK_TYPE_ENGINE_SERVER, NULL);
  self->limits = *limits;
  self->limits.packet_budget = MAX (limits->packet_budget, 1);
  self->opened = opened;
  self->opened_data = data;
  self->turn = g_object_ref (turn);
  self->clock = g_object_ref (clock);
  self->metrics = g_object_ref (metrics);
  self->tick_ms = CLAMP (shortest_timeout (limits) / TICKS_PER_TIMEOUT, MIN_TICK_MS, MAX_TICK_MS);
  self->requests = hark_hand_over_new (context, "hark-engine-requests", (GDestroyNotify)hark_engine_request_unref,
                                       on_requests, self);
  init_counters (self);
  hark_turn_set_stage (turn, HARK_TURN_ANSWER, on_turn_answer, self);
  return self;
}

/**
 * hark_engine_server_adopt:
 * @upgrade: (transfer full): of a route with %HARK_ROUTE_ENGINE, whose request was answered 101
 * @reactor: which is to have its connection
 *
 * A WebSocket was opened: it is a session of its own, or takes over from polling. What has become impossible since its
 * request was looked at closes it again, as the reference does.
 */
void
hark_engine_server_adopt (HarkEngineServer *self, HarkUpgrade *upgrade, HarkReactor *reactor)
{
  HarkWebSocket *socket = hark_upgrade_adopt (upgrade, reactor);
  HarkEngineIOQuery query;
  HarkEngine *engine;
  hark_engineio_query_parse (&query, upgrade->query);
  if (*query.sid != '\0')
    {
      engine = find_session (self, upgrade->kind, query.sid);
      if (engine != NULL && hark_engine_can_upgrade (engine))
        hark_engine_take_probe (engine, socket);
      else
        hark_transport_close (HARK_TRANSPORT (socket), HARK_CLOSE_NORMAL, NULL);
    }
  else if (is_full (self))
    {
      hark_counter_add (self->counters.overloaded, 1);
      hark_transport_close (HARK_TRANSPORT (socket), HARK_CLOSE_TRY_LATER, "too many sessions");
    }
  else
    {
      g_autofree char *address = hark_transport_dup_address (HARK_TRANSPORT (socket));
      engine = g_object_ref (add_session (self, upgrade->kind, address, NULL));
      hark_engine_open (engine, socket, upgrade->query);
      g_object_unref (engine);
    }
  hark_upgrade_free (upgrade);
}

/* Begins to close every session; hark_engine_server_get_n_sessions () says how many have not yet ended. */
void
hark_engine_server_close_all (HarkEngineServer *self, guint code, const char *reason)
{
  g_autoptr (GPtrArray) engines = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer engine;
  g_hash_table_iter_init (&iter, self->sessions);
  while (g_hash_table_iter_next (&iter, NULL, &engine))
    g_ptr_array_add (engines, g_object_ref (engine));
  for (guint i = 0; i < engines->len; i++)
    hark_transport_close (engines->pdata[i], code, reason);
}

guint
hark_engine_server_get_n_sessions (HarkEngineServer *self)
{
  return g_hash_table_size (self->sessions);
}

/* Returns: (transfer none): where a front hands its requests to, as their #HarkEngineNews */
HarkHandOver *
hark_engine_server_get_requests (HarkEngineServer *self)
{
  return self->requests;
}

guint32
hark_engine_server_get_max_payload (HarkEngineServer *self)
{
  return self->limits.max_payload;
}
