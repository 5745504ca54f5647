/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands by HTTP: `POST /api/v1/<command>` with the request's members as a JSON object, on behalf of whose token
 * `Authorization: Bearer` brings. For back ends, which have something to say now and then and keep no connection. What
 * administrators may do over D-Bus and in a session they may do here; and what is marked for it, everybody, or who has no
 * token yet.
 *
 * The front's thread takes the request and gives the answer, the hub's does what was asked: between them a call passes
 * from one hand-over to the other, and the message in it is touched by the front alone.
 */
#include "transport/api.h"

#include "base/error.h"
#include "base/meter.h"
#include "transport/hand-over.h"

#include <libsoup/soup.h>
#include <string.h>

/* A name that is longer is none. */
#define MAX_NAME 64

struct _HarkApi
{
  GObject parent_instance;
  HarkDispatcher *dispatcher;       /* (owned) */
  HarkAuthenticator *authenticator; /* (owned) */
  HarkHandOver *calls;              /* (owned): to the hub */
  HarkHandOver *answers;            /* (owned) (nullable): to the front, while it is attached */
  HarkApiLimits limits;
  HarkMeter *meter; /* (owned): of addresses; the front's */
  gint n_requests;  /* atomic: under way */
  HarkCounter *n_total;
  HarkCounter *n_overloaded;
  HarkGauge *waiting;
  HarkGauge *addresses;
};

G_DEFINE_FINAL_TYPE (HarkApi, hark_api, G_TYPE_OBJECT)

typedef struct
{
  HarkApi *api;               /* (owned) */
  SoupServerMessage *message; /* (owned): the front's */
  gulong finished_id;
  gboolean gone; /* the front's: nobody waits for an answer */
  char *name;
  char *token; /* (nullable) */
  char *peer;  /* (nullable): of this machine */
  char *args;
  guint status;
  char *reply; /* (owned) (nullable) */
  gsize reply_len;
  guint retry_after; /* seconds */
} Call;

static void
call_free (gpointer data)
{
  Call *self = data;
  hark_gauge_set (self->api->waiting, g_atomic_int_add (&self->api->n_requests, -1) - 1);
  g_clear_signal_handler (&self->finished_id, self->message);
  g_object_unref (self->message);
  g_free (self->name);
  g_free (self->token);
  g_free (self->peer);
  g_free (self->args);
  g_free (self->reply);
  g_object_unref (self->api);
  g_free (self);
}

/* The hub's side. */

static void
call_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  Call *self = data;
  self->status = error == NULL ? SOUP_STATUS_OK : hark_error_get_http_status (hark_error_get_code (error));
  if (error == NULL)
    {
      self->reply = g_strndup (json, len);
      self->reply_len = len;
    }
  else
    {
      g_auto (HarkJsonWriter) writer;
      guint retry_after_ms;
      hark_json_writer_init (&writer, 0);
      hark_json_writer_begin_object (&writer);
      hark_json_writer_member_string (&writer, "type", "error");
      hark_command_write_error (&writer, error);
      hark_json_writer_end_object (&writer);
      self->reply = hark_json_writer_steal (&writer, &self->reply_len);
      if (hark_error_get_retry_after (error, &retry_after_ms))
        self->retry_after = (retry_after_ms + 999) / 1000;
    }
  hark_hand_over_push (self->api->answers, 0, self);
}

static void
call_dispatch (Call *self, HarkIdentity *actor)
{
  const HarkCommandFlags ours = HARK_COMMAND_ADMIN | HARK_COMMAND_HTTP | HARK_COMMAND_PUBLIC | HARK_COMMAND_BACK_END;
  HarkDispatcher *dispatcher = self->api->dispatcher;
  HarkCommandFlags flags;
  g_autoptr (GError) error = NULL;
  if (hark_dispatcher_get_flags (dispatcher, self->name, &flags) && (flags & ours) != 0)
    {
      hark_dispatcher_call_from (dispatcher, actor, self->peer, self->name, self->args, call_answer, self);
      return;
    }
  g_set_error (&error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "there is no such request here");
  call_answer (NULL, 0, error, self);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkIdentity) identity = hark_authenticator_check_finish (HARK_AUTHENTICATOR (source), result, &error);
  if (identity == NULL)
    call_answer (NULL, 0, error, data);
  else
    call_dispatch (data, identity);
}

static void
on_calls (HarkHandOver *calls, gpointer data)
{
  HarkApi *self = data;
  Call *call = hark_hand_over_pop (calls, NULL);
  g_autoptr (HarkIdentity) identity = NULL;
  HarkCommandFlags flags = HARK_COMMAND_NONE;
  if (call == NULL)
    return;
  /* Who comes for a token may present one that is none any more. */
  hark_dispatcher_get_flags (self->dispatcher, call->name, &flags);
  if ((flags & HARK_COMMAND_PUBLIC) != 0)
    g_clear_pointer (&call->token, g_free);
  if (call->token != NULL)
    identity = hark_authenticator_peek (self->authenticator, call->token);
  if (call->token != NULL && identity == NULL)
    hark_authenticator_check_async (self->authenticator, call->token, NULL, on_checked, call);
  else
    call_dispatch (call, identity);
}

/* The front's side. */

static void
respond (SoupServerMessage *message, guint status, char *body, gsize len, guint retry_after)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  if (status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer");
  if (retry_after > 0)
    {
      g_autofree char *seconds = g_strdup_printf ("%u", retry_after);
      soup_message_headers_replace (headers, "Retry-After", seconds);
    }
  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_TAKE, body, len);
}

static void
refuse (SoupServerMessage *message, HarkError code, guint status, const char *text)
{
  char *body = g_strdup_printf ("{\"type\":\"error\",\"code\":\"%s\",\"message\":\"%s\"}",
                                hark_error_get_wire_name (code), text);
  respond (message, status, body, strlen (body), 0);
}

static void
on_finished (SoupServerMessage *message, gpointer data)
{
  ((Call *)data)->gone = TRUE;
}

static void
on_answers (HarkHandOver *answers, gpointer data)
{
  Call *call = hark_hand_over_pop (answers, NULL);
  if (call == NULL)
    return;
  if (!call->gone)
    {
      respond (call->message, call->status, g_steal_pointer (&call->reply), call->reply_len, call->retry_after);
      soup_server_message_unpause (call->message);
    }
  call_free (call);
}

/* Returns: (transfer full) (nullable) */
static char *
dup_token (SoupServerMessage *message)
{
  const char *value = soup_message_headers_get_one (soup_server_message_get_request_headers (message), "Authorization");
  if (value == NULL || g_ascii_strncasecmp (value, "Bearer ", strlen ("Bearer ")) != 0)
    return NULL;
  return g_strstrip (g_strdup (value + strlen ("Bearer ")));
}

/* The last of the addresses in X-Forwarded-For: the one that our own proxy has seen. Who is before it says what he likes. */
static gboolean
get_forwarded (SoupServerMessage *message, HarkPeerAddress *address)
{
  const char *list
    = soup_message_headers_get_list (soup_server_message_get_request_headers (message), "X-Forwarded-For");
  const char *comma = list != NULL ? strrchr (list, ',') : NULL;
  g_autofree char *last = NULL;
  if (list == NULL)
    return FALSE;
  last = g_strstrip (g_strdup (comma != NULL ? comma + 1 : list));
  return hark_peer_address_init_from_text (address, last);
}

/* Returns: (transfer full) (nullable): what counts as one client; %NULL for this machine, which may stand for everybody */
static char *
dup_peer (HarkApi *self, SoupServerMessage *message, const HarkPeerAddress *peer)
{
  HarkPeerAddress address = *peer;
  if (hark_peer_address_is_local (&address)
      && !(self->limits.forwarded_for && get_forwarded (message, &address) && !hark_peer_address_is_local (&address)))
    return NULL;
  return hark_peer_address_dup_network (&address);
}

/* Returns: whether @peer may ask now; otherwise it is answered */
static gboolean
meter_peer (HarkApi *self, SoupServerMessage *message, const char *peer)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;
  guint wait_ms;
  char *body;
  if (peer == NULL)
    return TRUE;
  ok = hark_meter_take (self->meter, peer, &error);
  hark_gauge_set (self->addresses, hark_meter_get_n (self->meter));
  if (ok || !hark_error_get_retry_after (error, &wait_ms))
    return TRUE;
  body = g_strdup_printf ("{\"type\":\"error\",\"code\":\"%s\",\"message\":\"too many requests of this address\","
                          "\"retry_after_ms\":%u}",
                          hark_error_get_wire_name (HARK_ERROR_RATE_LIMITED), wait_ms);
  respond (message, hark_error_get_http_status (HARK_ERROR_RATE_LIMITED), body, strlen (body), (wait_ms + 999) / 1000);
  return FALSE;
}

/**
 * hark_api_serve:
 * @peer: at the other end of the connection
 * @name: what stands behind %HARK_API_PREFIX
 *
 * Answers the request, now or later. Its body is there.
 */
void
hark_api_serve (HarkApi *self, SoupServerMessage *message, const HarkPeerAddress *peer, const char *name)
{
  g_autoptr (GBytes) body = NULL;
  g_autofree char *client = dup_peer (self, message, peer);
  const char *text;
  gsize len;
  Call *call;
  hark_counter_add (self->n_total, 1);
  if (!meter_peer (self, message, client))
    return;
  if (soup_server_message_get_method (message) != SOUP_METHOD_POST)
    {
      soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow", "POST");
      refuse (message, HARK_ERROR_BAD_REQUEST, SOUP_STATUS_METHOD_NOT_ALLOWED, "method: only POST here");
      return;
    }
  if (strlen (name) > MAX_NAME)
    {
      refuse (message, HARK_ERROR_NOT_FOUND, SOUP_STATUS_NOT_FOUND, "there is no such request here");
      return;
    }
  body = soup_message_body_flatten (soup_server_message_get_request_body (message));
  text = g_bytes_get_data (body, &len);
  if (len > 0 && memchr (text, '\0', len) != NULL)
    {
      refuse (message, HARK_ERROR_BAD_REQUEST, SOUP_STATUS_BAD_REQUEST, "body: JSON has no U+0000");
      return;
    }
  if ((guint)g_atomic_int_get (&self->n_requests) >= self->limits.max_requests)
    {
      hark_counter_add (self->n_overloaded, 1);
      refuse (message, HARK_ERROR_OVERLOADED, SOUP_STATUS_SERVICE_UNAVAILABLE, "too many requests are under way");
      return;
    }
  hark_gauge_set (self->waiting, g_atomic_int_add (&self->n_requests, 1) + 1);
  call = g_new0 (Call, 1);
  call->api = g_object_ref (self);
  call->message = g_object_ref (message);
  call->finished_id = g_signal_connect (message, "finished", G_CALLBACK (on_finished), call);
  call->name = g_strdup (name);
  call->token = dup_token (message);
  call->peer = g_steal_pointer (&client);
  call->args = len == 0 ? g_strdup ("{}") : g_strndup (text, len);
  soup_server_message_pause (message);
  hark_hand_over_push (self->calls, 0, call);
}

/* @context: in whose thread hark_api_serve () is called */
void
hark_api_attach (HarkApi *self, GMainContext *context)
{
  self->answers = hark_hand_over_new (context, "hark-api-answers", call_free, on_answers, self);
}

/* When the front's thread has ended: in the hub's. What is under way is still done, and answered to nobody. */
void
hark_api_detach (HarkApi *self)
{
  hark_hand_over_stop (self->calls);
  hark_hand_over_stop (self->answers);
}

static void
hark_api_finalize (GObject *object)
{
  HarkApi *self = HARK_API (object);
  g_clear_object (&self->calls);
  g_clear_object (&self->answers);
  g_clear_object (&self->dispatcher);
  g_clear_object (&self->authenticator);
  g_clear_pointer (&self->meter, hark_meter_free);
  G_OBJECT_CLASS (hark_api_parent_class)->finalize (object);
}

static void
hark_api_class_init (HarkApiClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_api_finalize;
}

static void
hark_api_init (HarkApi *self)
{
}

/**
 * hark_api_new:
 * @limits: copied
 *
 * In the hub's thread.
 */
HarkApi *
hark_api_new (HarkDispatcher *dispatcher, HarkAuthenticator *authenticator, HarkClock *clock, HarkMetrics *metrics,
              const HarkApiLimits *limits)
{
  HarkApi *self = g_object_new (HARK_TYPE_API, NULL);
  HarkCounter *n_limited
    = hark_metrics_counter (metrics, "hark_api_rate_limited_total",
                            "Requests below /api/v1/ refused because there were too many of one address.");
  self->dispatcher = g_object_ref (dispatcher);
  self->authenticator = g_object_ref (authenticator);
  self->calls = hark_hand_over_new (NULL, "hark-api-calls", call_free, on_calls, self);
  self->limits = *limits;
  self->meter
    = hark_meter_new (clock, n_limited, limits->rate_per_address > 0 ? G_USEC_PER_SEC / limits->rate_per_address : 0,
                      limits->burst_per_address, limits->max_addresses);
  self->n_total = hark_metrics_counter (metrics, "hark_api_requests_total", "Requests below /api/v1/.");
  self->n_overloaded = hark_metrics_counter (metrics, "hark_api_overloaded_total",
                                             "Requests below /api/v1/ refused because too many were under way.");
  self->waiting = hark_metrics_gauge (metrics, "hark_api_waiting", "Requests below /api/v1/ that wait for the hub.");
  self->addresses
    = hark_metrics_gauge (metrics, "hark_api_addresses", "Addresses of which it is remembered how often they asked.");
  return self;
}
