/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine.IO over HTTP, as the front sees it: a request is read and handed to the hub, and its answer written when it
 * comes, be that at once or after a long poll. Without libsoup, which keeps no connection alive that it has not accepted
 * itself and needs a source in the loop for each that waits: here a waiting poll is a descriptor in the front's epoll
 * set and nothing else, and one connection carries a client's polls one after another.
 *
 * Nothing is known here of sessions. CORS is: which pages may read what they are answered.
 */
#include "transport/front-private.h"

#include "transport/engineio-codec.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define ANSWERS_PER_TURN 256

static const HarkRefusal many_sessions
  = { 503, HARK_ERROR_OVERLOADED, "too many sessions of one address", "Retry-After: 1\r\n" };

/* Answers. */

static void
begin_next (HarkFrontConnection *self)
{
  self->state = CONNECTION_HEAD;
  self->scanned = 0;
  self->kept = TRUE;
  self->begun = FALSE;
  self->without_body = FALSE;
  g_clear_pointer (&self->cors, g_free);
  hark_front_connection_requeue (self, &self->front->connections);
  if (!self->unread)
    return;
  self->unread = FALSE;
  if (!hark_front_connection_watch (self, EPOLL_CTL_MOD, 0))
    hark_front_connection_end (self);
}

static void
end_answer (HarkFrontConnection *self)
{
  g_clear_pointer (&self->out, g_byte_array_unref);
  if (self->keep)
    {
      begin_next (self);
      return;
    }
  hark_front_connection_requeue (self, &self->front->connections);
  hark_front_connection_finish (self);
}

/* The kernel took only some of it. */
static void
keep_rest (HarkFrontConnection *self, const struct iovec *iov, guint n_iov, gsize sent)
{
  self->out = g_byte_array_new ();
  self->out_sent = 0;
  for (guint i = 0; i < n_iov; i++)
    {
      gsize skip = MIN (sent, iov[i].iov_len);
      g_byte_array_append (self->out, (const guint8 *)iov[i].iov_base + skip, iov[i].iov_len - skip);
      sent -= skip;
    }
  self->state = CONNECTION_WRITING;
  self->unread = TRUE;
  hark_front_connection_requeue (self, &self->front->connections);
  if (!hark_front_connection_watch (self, EPOLL_CTL_MOD, EPOLLOUT))
    hark_front_connection_end (self);
}

static void
write_rest (HarkFrontConnection *self)
{
  gssize n;
  do
    {
      n = send (self->fd, self->out->data + self->out_sent, self->out->len - self->out_sent,
                MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0)
        self->out_sent += n;
    }
  while (n > 0 && self->out_sent < self->out->len);
  if (self->out_sent == self->out->len)
    end_answer (self);
  else if (n < 0 && errno != EAGAIN)
    hark_front_connection_end (self);
  else
    hark_front_connection_requeue (self, &self->front->connections);
}

/* @type: (nullable); @opened: (nullable): the id for the cookie */
static void
answer (HarkFrontConnection *self, guint status, const char *type, const void *content, gsize len, const char *opened)
{
  HarkFront *front = self->front;
  GString *out = front->out;
  struct iovec iov[2];
  struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
  gssize n;
  g_string_printf (out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", status, hark_front_get_reason_phrase (status),
                   hark_front_get_date (front));
  if (self->keep)
    g_string_append_printf (out, "Connection: keep-alive\r\nKeep-Alive: timeout=%u\r\n",
                            MAX (front->limits.handshake_ms / 2000, 1));
  else
    g_string_append (out, "Connection: close\r\n");
  if (type != NULL)
    g_string_append_printf (out, "Content-Type: %s\r\n", type);
  if (status == 200)
    g_string_append (out, "Cache-Control: no-store\r\n");
  if (status == 503)
    g_string_append (out, "Retry-After: 1\r\n");
  if (self->cors != NULL)
    g_string_append (out, self->cors);
  if (opened != NULL && *opened != '\0' && front->engine_cookie != NULL)
    g_string_append_printf (out, "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Lax\r\n", front->engine_cookie, opened);
  g_string_append_printf (out, "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n", len);
  hark_counter_add (front->answered, 1);
  iov[0] = (struct iovec){ out->str, out->len };
  iov[1] = (struct iovec){ (void *)content, self->without_body ? 0 : len };
  n = sendmsg (self->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN)
    hark_front_connection_end (self);
  else if (MAX (n, 0) < (gssize)(iov[0].iov_len + iov[1].iov_len))
    keep_rest (self, iov, 2, MAX (n, 0));
  else
    end_answer (self);
}

/* The front refuses, as the reference would. */
static void
refuse (HarkFrontConnection *self, guint status, HarkEngineIOError error)
{
  g_autofree char *text
    = g_strdup_printf ("{\"code\":%d,\"message\":\"%s\"}", error, hark_engineio_error_get_message (error));
  hark_counter_add (self->front->refused, 1);
  self->keep = FALSE;
  answer (self, status, "application/json", text, strlen (text), NULL);
}

static void
take_answer (HarkFrontConnection *self, HarkEngineRequest *request)
{
  gsize len = 0;
  const void *content = request->content != NULL ? g_bytes_get_data (request->content, &len) : NULL;
  gboolean whole = self->state == CONNECTION_ASKING;
  g_clear_pointer (&self->request, hark_engine_request_unref);
  g_clear_pointer (&self->body, g_free);
  if (request->status == 101)
    {
      self->state = CONNECTION_HEAD;
      hark_front_connection_open (self);
      return;
    }
  /* What a body has still to come is not a request. */
  self->keep = self->keep && whole && request->method != HARK_ENGINE_UPGRADE;
  answer (self, request->status, request->type, content, len, request->opened);
}

/* In the front's thread. */
void
hark_front_engine_on_answers (HarkHandOver *answers, gpointer front)
{
  HarkEngineRequest *request;
  for (guint i = 0; i < ANSWERS_PER_TURN && (request = hark_hand_over_pop (answers, NULL)) != NULL; i++)
    {
      if (request->connection != NULL)
        take_answer (request->connection, request);
      hark_engine_request_unref (request);
    }
}

/* Requests. */

/* Returns: (transfer full) (nullable): the header lines that let the page read the answer; %NULL when none are needed */
static char *
get_cors (HarkFront *self, const HarkRequestHead *head)
{
  const char *origin = hark_request_head_get (head, "Origin", NULL);
  const char *const *allowed = (const char *const *)self->allowed_origins;
  if (origin == NULL || allowed == NULL)
    return NULL;
  if (g_strv_contains (allowed, "*"))
    return g_strdup ("Access-Control-Allow-Origin: *\r\n");
  for (; *allowed != NULL; allowed++)
    if (g_ascii_strcasecmp (*allowed, origin) == 0)
      return g_strdup_printf ("Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n%s", origin,
                              self->cors_credentials ? "Access-Control-Allow-Credentials: true\r\n" : "");
  return NULL;
}

/* Takes @len bytes, which were looked at, from the socket. */
static gboolean
consume (HarkFrontConnection *self, gsize len)
{
  while (len > 0)
    {
      gssize n = recv (self->fd, self->front->buffer, MIN (len, self->front->limits.max_head), MSG_DONTWAIT);
      if (n <= 0)
        return FALSE;
      len -= n;
    }
  return TRUE;
}

/* A browser asks whether a page may ask. */
static void
answer_preflight (HarkFrontConnection *self, const HarkRequestHead *head, gsize head_len)
{
  const char *headers = hark_request_head_get (head, "Access-Control-Request-Headers", NULL);
  char *cors = self->cors;
  self->cors = g_strdup_printf ("%sAccess-Control-Allow-Methods: GET,POST\r\n"
                                "Vary: Access-Control-Request-Headers\r\n%s%s%s",
                                cors, headers != NULL ? "Access-Control-Allow-Headers: " : "",
                                headers != NULL ? headers : "", headers != NULL ? "\r\n" : "");
  g_free (cors);
  self->unread = TRUE;
  if (consume (self, head_len))
    answer (self, 204, NULL, NULL, 0, NULL);
  else
    hark_front_connection_end (self);
}

static HarkEngineMethod
get_method (const HarkRequestHead *head)
{
  if (strcmp (head->method, "GET") == 0)
    return HARK_ENGINE_GET;
  return strcmp (head->method, "POST") == 0 ? HARK_ENGINE_POST : HARK_ENGINE_OTHER;
}

/* Hands its request over, for good or with the body to follow. */
static void
tell (HarkFrontConnection *self, HarkEngineNews news)
{
  hark_hand_over_push (self->front->engine_requests, news, hark_engine_request_ref (self->request));
}

static void
ask (HarkFrontConnection *self, HarkEngineMethod method, const HarkRoute *route, const HarkRequestHead *head)
{
  const char *type = hark_request_head_get (head, "Content-Type", NULL);
  self->request = hark_engine_request_new (self->front->answers, method);
  self->request->connection = self;
  self->request->route_kind = route->kind;
  self->request->octets = type != NULL && g_ascii_strcasecmp (type, "application/octet-stream") == 0;
  self->request->query = g_strdup (head->query);
  g_strlcpy (self->request->address, self->address, sizeof self->request->address);
}

/* A session that polls has no connection of its own that could count. Returns: whether it may be opened */
static gboolean
acquire_session (HarkFrontConnection *self)
{
  HarkFront *front = self->front;
  HarkEngineIOQuery query;
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  if (front->limits.max_per_address == 0)
    return TRUE;
  hark_engineio_query_parse (&query, self->request->query);
  if (*query.sid != '\0' || getpeername (self->fd, (struct sockaddr *)&address, &len) != 0)
    return TRUE;
  if (!front->limits.count_local && hark_address_is_local ((struct sockaddr *)&address))
    return TRUE;
  self->request->lease = hark_address_table_acquire (front->engine_sessions, (struct sockaddr *)&address);
  return self->request->lease != NULL;
}

static void
finish_body (HarkFrontConnection *self, HarkEngineNews news)
{
  self->request->body = g_steal_pointer (&self->body);
  self->request->body_len = self->body_len;
  self->state = CONNECTION_ASKING;
  tell (self, news);
}

static void
read_body (HarkFrontConnection *self)
{
  while (self->body_got < self->body_len)
    {
      gssize n = recv (self->fd, self->body + self->body_got, self->body_len - self->body_got, MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN)
        return;
      if (n <= 0)
        {
          hark_front_connection_end (self);
          return;
        }
      self->body_got += n;
    }
  hark_front_connection_requeue (self, &self->front->polls);
  finish_body (self, HARK_ENGINE_BODY);
}

static gsize
get_length (const HarkRequestHead *head)
{
  const char *text = hark_request_head_get (head, "Content-Length", NULL);
  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static void
take_request (HarkFrontConnection *self, const HarkRoute *route, const HarkRequestHead *head, gsize head_len,
              gsize available)
{
  HarkFront *front = self->front;
  HarkEngineMethod method = get_method (head);
  gboolean expects = hark_request_head_has_token (head, "Expect", "100-continue");
  gsize body_len = get_length (head);
  gsize body_got = MIN (available - head_len, body_len);
  ask (self, method, route, head);
  if (method == HARK_ENGINE_GET && !acquire_session (self))
    {
      g_clear_pointer (&self->request, hark_engine_request_unref);
      hark_counter_add (front->address_refused, 1);
      hark_front_connection_refuse (self, &many_sessions, TRUE);
      return;
    }
  self->body_len = body_len;
  self->body_got = body_got;
  self->unread |= available > head_len + body_len || available == front->limits.max_head;
  self->body = g_malloc (body_len + 1);
  memcpy (self->body, front->buffer + head_len, body_got);
  /* From here on @head is gone. */
  if (!consume (self, head_len + body_got))
    {
      hark_front_connection_end (self);
      return;
    }
  if (method != HARK_ENGINE_POST && body_len > 0)
    self->keep = FALSE; /* the body of what has none is not read */
  if (method != HARK_ENGINE_POST || body_got == body_len)
    {
      hark_front_connection_requeue (self, &front->polls);
      finish_body (self, HARK_ENGINE_ASKED);
      return;
    }
  self->state = CONNECTION_BODY;
  self->unread = TRUE;
  hark_front_connection_requeue (self, &front->connections);
  if (expects)
    send (self->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_DONTWAIT | MSG_NOSIGNAL);
  tell (self, HARK_ENGINE_BEGUN);
  read_body (self);
}

/* The head of a request for @route lies in front->head, and unread in the socket. */
void
hark_front_engine_take_head (HarkFrontConnection *self, const HarkRoute *route, gsize head_len, gsize available,
                             gboolean has_body)
{
  HarkFront *front = self->front;
  const HarkRequestHead *head = &front->head;
  const HarkRefusal *refusal;
  self->keep = head->minor >= 1 && !hark_request_head_has_token (head, "Connection", "close");
  self->without_body = strcmp (head->method, "HEAD") == 0;
  if (hark_handshake_check_origin (head, (const char *const *)front->allowed_origins) != NULL)
    {
      refuse (self, 403, HARK_ENGINEIO_FORBIDDEN);
      return;
    }
  if (hark_request_head_has_token (head, "Upgrade", "websocket"))
    {
      refusal = hark_front_connection_read_handshake (self, route);
      if (refusal != NULL)
        {
          hark_front_connection_refuse (self, refusal, has_body);
          return;
        }
      ask (self, HARK_ENGINE_UPGRADE, route, head);
      self->state = CONNECTION_ASKING;
      tell (self, HARK_ENGINE_ASKED);
      return;
    }
  self->cors = get_cors (front, head);
  if (self->cors != NULL && strcmp (head->method, "OPTIONS") == 0)
    {
      if (has_body)
        self->keep = FALSE;
      answer_preflight (self, head, head_len);
      return;
    }
  take_request (self, route, head, head_len, available);
}

/* Its descriptor has something to say; @ended: that no more will come. */
void
hark_front_engine_dispatch (HarkFrontConnection *self, gboolean ended)
{
  switch (self->state)
    {
    case CONNECTION_BODY:
      read_body (self);
      break;
    case CONNECTION_WRITING:
      write_rest (self);
      break;
    case CONNECTION_ASKING:
      self->unread = TRUE;
      /* Who waits for what may come is gone when he says no more; who has sent a body wants to hear of it. */
      if (ended && self->request->method == HARK_ENGINE_POST)
        self->keep = FALSE;
      else if (ended)
        hark_front_connection_end (self);
      break;
    case CONNECTION_HEAD:
    case CONNECTION_CHECKING:
    case CONNECTION_SERVING:
    case CONNECTION_DRAINING:
    case CONNECTION_GONE:
      break;
    }
}

/* The connection goes, and what it had to do with Engine.IO. */
void
hark_front_engine_drop (HarkFrontConnection *self)
{
  if (self->request != NULL)
    {
      self->request->connection = NULL;
      hark_hand_over_push (self->front->engine_requests, HARK_ENGINE_GONE, g_steal_pointer (&self->request));
    }
  g_clear_pointer (&self->body, g_free);
  g_clear_pointer (&self->out, g_byte_array_unref);
  g_clear_pointer (&self->cors, g_free);
}
