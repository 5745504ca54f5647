/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client must say to open a WebSocket: RFC 6455 section 4.2.1 to the letter, the Host and the Origin that are
 * let in, and the four ways to present a token. Reads a head and decides, without I/O; libsoup writes the answer once
 * nothing is left that could be refused, for it would take several things that are refused here.
 */
#include "transport/handshake.h"

#include "transport/deflate.h"

#include <string.h>

#define REFUSAL(name, status, code, message, header)                                                                   \
  static const HarkRefusal name = { status, HARK_ERROR_##code, message, header }

REFUSAL (host_count, 400, BAD_REQUEST, "Host: exactly one is required", NULL);
REFUSAL (host_form, 400, BAD_REQUEST, "Host: not a host name", NULL);
REFUSAL (host_other, 403, FORBIDDEN, "Host: not served here", NULL);
REFUSAL (origin_count, 400, BAD_REQUEST, "Origin: more than one", NULL);
REFUSAL (origin_other, 403, FORBIDDEN, "Origin: not allowed here", NULL);
REFUSAL (not_get, 405, BAD_REQUEST, "method: a WebSocket is opened with GET", "Allow: GET\r\n");
REFUSAL (old_http, 400, BAD_REQUEST, "HTTP version: a WebSocket needs 1.1", NULL);
REFUSAL (no_upgrade, 426, BAD_REQUEST, "Upgrade: this is a WebSocket's address", "Upgrade: websocket\r\n");
REFUSAL (bad_upgrade, 400, BAD_REQUEST, "Upgrade: not websocket", NULL);
REFUSAL (bad_connection, 400, BAD_REQUEST, "Connection: does not say Upgrade", NULL);
REFUSAL (bad_version, 426, BAD_REQUEST, "Sec-WebSocket-Version: not 13", "Sec-WebSocket-Version: 13\r\n");
REFUSAL (version_count, 400, BAD_REQUEST, "Sec-WebSocket-Version: more than one", NULL);
REFUSAL (key_count, 400, BAD_REQUEST, "Sec-WebSocket-Key: exactly one is required", NULL);
REFUSAL (bad_key, 400, BAD_REQUEST, "Sec-WebSocket-Key: not 16 bytes in base64", NULL);
REFUSAL (bad_body, 400, BAD_REQUEST, "Content-Length: a WebSocket is opened without a body", NULL);
REFUSAL (bad_protocol, 400, BAD_REQUEST, "Sec-WebSocket-Protocol: not a list of distinct names", NULL);
REFUSAL (bad_authorization, 400, BAD_REQUEST, "Authorization: more than one", NULL);
REFUSAL (long_token, 401, UNAUTHENTICATED, "token: too long", "WWW-Authenticate: Bearer\r\n");
REFUSAL (bad_resume, 400, BAD_REQUEST, "resume: not percent-encoded UTF-8 or too long", NULL);
REFUSAL (bad_cursors, 400, BAD_REQUEST, "cursors: not percent-encoded UTF-8 or too long", NULL);

/**
 * hark_handshake_find_route:
 * @path: of a request
 *
 * Returns: (nullable): the route it is of
 */
const HarkRoute *
hark_handshake_find_route (const HarkRoute *routes, guint n_routes, const char *path)
{
  for (guint i = 0; i < n_routes; i++)
    {
      gsize len = strlen (routes[i].path);
      const char *rest = path + len;
      if (strncmp (path, routes[i].path, len) != 0 || (*rest != '\0' && *rest != '/'))
        continue;
      if (*rest == '/')
        rest++;
      if (*rest == '\0')
        return &routes[i];
      if (!(routes[i].flags & HARK_ROUTE_TOKEN))
        continue;
      rest += strcspn (rest, "/");
      if (*rest == '\0' || rest[1] == '\0')
        return &routes[i];
    }
  return NULL;
}

/* Returns: the length of the host in "host", "host:port", "[::1]:port", or 0 when it is none of these */
static gsize
get_host_len (const char *text)
{
  gsize len = *text == '[' ? strspn (text + 1, "0123456789abcdefABCDEF:.") + 2
                           : strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
  const char *rest;
  if (*text == '[' && text[len - 1] != ']')
    return 0;
  rest = text + len;
  if (*rest == ':')
    rest += 1 + strspn (rest + 1, "0123456789");
  return *rest == '\0' ? len : 0;
}

static gboolean
contains (const char *const *list, const char *text, gsize len)
{
  for (; *list != NULL; list++)
    if (strlen (*list) == len && g_ascii_strncasecmp (*list, text, len) == 0)
      return TRUE;
  return FALSE;
}

/**
 * hark_handshake_check_host:
 * @allowed: (nullable): host names without ports; %NULL or empty for any
 *
 * Holds of every request: a page of somebody else's that resolves its own name to our address (DNS rebinding) still
 * sends its own name.
 *
 * Returns: (nullable): why it is refused
 */
const HarkRefusal *
hark_handshake_check_host (const HarkRequestHead *head, const char *const *allowed)
{
  guint count;
  const char *host = hark_request_head_get (head, "Host", &count);
  gsize len;
  if (count != 1)
    return &host_count;
  len = get_host_len (host);
  if (len == 0)
    return &host_form;
  if (allowed != NULL && *allowed != NULL && !contains (allowed, host, len))
    return &host_other;
  return NULL;
}

/* "https://example.org" is the origin of a page at Host "example.org" and of one at "example.org:443". */
static gboolean
is_same_origin (const char *origin, const char *host)
{
  const char *port = NULL;
  gsize origin_len;
  gsize host_len = get_host_len (host);
  if (g_ascii_strncasecmp (origin, "http://", 7) == 0)
    port = ":80";
  else if (g_ascii_strncasecmp (origin, "https://", 8) == 0)
    port = ":443";
  else
    return FALSE;
  origin = strstr (origin, "//") + 2;
  origin_len = get_host_len (origin);
  if (origin_len == 0 || origin_len != host_len || g_ascii_strncasecmp (origin, host, host_len) != 0)
    return FALSE;
  origin += origin_len;
  host += host_len;
  return strcmp (*origin == '\0' ? port : origin, *host == '\0' ? port : host) == 0;
}

/**
 * hark_handshake_check_origin:
 * @allowed: (nullable): origins ("https://example.org"), or "*" for any; %NULL or empty for the Host's own
 *
 * Browsers let any page open a WebSocket anywhere, with that browser's cookies and from inside its network; they do
 * say whose page it is. Programs send no Origin and are let in.
 *
 * Returns: (nullable): why it is refused
 */
const HarkRefusal *
hark_handshake_check_origin (const HarkRequestHead *head, const char *const *allowed)
{
  guint count;
  const char *origin = hark_request_head_get (head, "Origin", &count);
  if (count == 0)
    return NULL;
  if (count > 1)
    return &origin_count;
  if (allowed == NULL || *allowed == NULL)
    return is_same_origin (origin, hark_request_head_get (head, "Host", NULL)) ? NULL : &origin_other;
  if (contains (allowed, "*", 1) || contains (allowed, origin, strlen (origin)))
    return NULL;
  return &origin_other;
}

static gboolean
is_key (const char *key)
{
  return strlen (key) == 24 && strcmp (key + 22, "==") == 0
         && strspn (key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 22;
}

static const HarkRefusal *
check_rfc6455 (const HarkRequestHead *head)
{
  guint count;
  const char *value;
  if (strcmp (head->method, "GET") != 0)
    return &not_get;
  if (hark_request_head_get (head, "Upgrade", NULL) == NULL)
    return &no_upgrade;
  if (head->minor < 1)
    return &old_http;
  if (!hark_request_head_has_token (head, "Upgrade", "websocket"))
    return &bad_upgrade;
  if (!hark_request_head_has_token (head, "Connection", "upgrade"))
    return &bad_connection;
  value = hark_request_head_get (head, "Sec-WebSocket-Version", &count);
  if (count > 1)
    return &version_count;
  if (count == 0 || strcmp (value, "13") != 0)
    return &bad_version;
  value = hark_request_head_get (head, "Sec-WebSocket-Key", &count);
  if (count != 1)
    return &key_count;
  if (!is_key (value))
    return &bad_key;
  value = hark_request_head_get (head, "Content-Length", NULL);
  if ((value != NULL && strcmp (value, "0") != 0) || hark_request_head_get (head, "Transfer-Encoding", NULL) != NULL)
    return &bad_body;
  return NULL;
}

static const HarkRefusal *
read_subprotocols (HarkHandshake *self, const HarkRequestHead *head)
{
  for (guint i = 0; i < head->n_fields; i++)
    {
      const char *rest = head->fields[i].value;
      const char *item;
      gsize len;
      if (g_ascii_strcasecmp (head->fields[i].name, "Sec-WebSocket-Protocol") != 0)
        continue;
      while ((item = hark_request_list_next (&rest, &len)) != NULL)
        {
          if (!hark_request_is_token (item, len))
            return &bad_protocol;
          if (len == strlen (HARK_SUBPROTOCOL) && memcmp (item, HARK_SUBPROTOCOL, len) == 0)
            {
              if (self->subprotocol)
                return &bad_protocol;
              self->subprotocol = TRUE;
            }
          else if (len >= strlen (HARK_SUBPROTOCOL_TOKEN)
                   && memcmp (item, HARK_SUBPROTOCOL_TOKEN, strlen (HARK_SUBPROTOCOL_TOKEN)) == 0)
            {
              if (self->token != NULL)
                return &bad_protocol;
              self->token = g_strndup (item + strlen (HARK_SUBPROTOCOL_TOKEN), len - strlen (HARK_SUBPROTOCOL_TOKEN));
            }
        }
    }
  return NULL;
}

/* The path's token goes before the Authorization header's, and that before the subprotocol's. */
static const HarkRefusal *
read_token (HarkHandshake *self, const HarkRequestHead *head)
{
  guint count;
  const char *authorization = hark_request_head_get (head, "Authorization", &count);
  const char *segment = head->path + strlen (self->route->path);
  if (count > 1)
    return &bad_authorization;
  if (count == 1 && g_ascii_strncasecmp (authorization, "Bearer ", 7) == 0)
    {
      g_free (self->token);
      self->token = g_strdup (authorization + 7 + strspn (authorization + 7, " "));
    }
  if (*segment == '/' && segment[1] != '\0')
    {
      gsize len = strcspn (segment + 1, "/");
      g_free (self->token);
      self->token = g_uri_unescape_segment (segment + 1, segment + 1 + len, NULL);
      if (self->token == NULL)
        self->token = g_strdup (""); /* badly encoded: no token there is */
    }
  if (self->token != NULL && strlen (self->token) > HARK_MAX_TOKEN)
    return &long_token;
  return NULL;
}

/* Returns: whether @name is not in the query or could be decoded, as forms encode */
static gboolean
read_parameter (const char *query, const char *name, gsize max_len, char **value)
{
  gsize name_len = strlen (name);
  while (query != NULL)
    {
      gsize len = strcspn (query, "&");
      if (strncmp (query, name, name_len) == 0 && query[name_len] == '=')
        {
          g_autofree char *encoded = g_strndup (query + name_len + 1, len - name_len - 1);
          *value = g_uri_unescape_string (g_strdelimit (encoded, "+", ' '), NULL);
          return *value != NULL && strlen (*value) <= max_len && g_utf8_validate (*value, -1, NULL);
        }
      query = query[len] == '\0' ? NULL : query + len + 1;
    }
  return TRUE;
}

/**
 * hark_handshake_read:
 * @self: (out): what was asked for; to be cleared in any case
 * @head: whose Host is already checked
 * @route: (transfer none): of its path
 * @deflate: whether compression may be agreed on
 *
 * Returns: (nullable): why it is refused
 */
const HarkRefusal *
hark_handshake_read (HarkHandshake *self, const HarkRequestHead *head, const HarkRoute *route, gboolean deflate)
{
  const HarkRefusal *refusal;
  memset (self, 0, sizeof *self);
  self->route = route;
  refusal = check_rfc6455 (head);
  if (refusal == NULL)
    refusal = read_subprotocols (self, head);
  if (refusal == NULL)
    refusal = read_token (self, head);
  if (refusal != NULL)
    return refusal;
  if (!read_parameter (head->query, "resume", HARK_MAX_RESUME, &self->resume))
    return &bad_resume;
  if (!read_parameter (head->query, "cursors", HARK_MAX_CURSORS, &self->cursors))
    return &bad_cursors;
  self->query = g_strdup (head->query);
  if (deflate)
    {
      g_autofree char *offer = hark_request_head_join (head, "Sec-WebSocket-Extensions", HARK_DEFLATE_MAX_OFFER);
      self->extensions = hark_deflate_negotiate (offer);
    }
  return NULL;
}

void
hark_handshake_clear (HarkHandshake *self)
{
  g_clear_pointer (&self->token, g_free);
  g_clear_pointer (&self->extensions, g_free);
  g_clear_pointer (&self->query, g_free);
  g_clear_pointer (&self->resume, g_free);
  g_clear_pointer (&self->cursors, g_free);
}
