/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/handshake.h"

#include <string.h>

/* The bytes live as long as the test that parsed them. */
typedef struct
{
  char *data;
  HarkRequestHead head;
  HarkHandshake handshake;
} Request;

static const HarkRoute routes[] = {
  { "/ws", 1, HARK_ROUTE_TOKEN },
  { "/other", 2, HARK_ROUTE_NONE },
};

static void
request_init (Request *self, const char *target, const char *fields)
{
  self->data = g_strdup_printf ("GET %s HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                                target, fields);
  g_assert_null (hark_request_head_parse (&self->head, self->data, strlen (self->data), 20));
  memset (&self->handshake, 0, sizeof self->handshake);
}

static void
request_clear (Request *self)
{
  hark_handshake_clear (&self->handshake);
  g_free (self->data);
}

static const HarkRefusal *
request_read (Request *self, gboolean deflate)
{
  const HarkRoute *route = hark_handshake_find_route (routes, G_N_ELEMENTS (routes), self->head.path);
  g_assert_nonnull (route);
  return hark_handshake_read (&self->handshake, &self->head, route, deflate);
}

static void
test_routes (void)
{
  static const struct
  {
    const char *path;
    guint kind; /* 0: no route */
  } cases[] = {
    { "/ws", 1 },  { "/ws/", 1 }, { "/ws/token", 1 }, { "/ws/token/", 1 }, { "/ws/token/x", 0 }, { "/ws/token//", 0 },
    { "/wsx", 0 }, { "/w", 0 },   { "/", 0 },         { "/other", 2 },     { "/other/", 2 },     { "/other/x", 0 },
  };
  g_test_summary ("A route is its path, with a slash or a token behind it where there may be one");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HarkRoute *route = hark_handshake_find_route (routes, G_N_ELEMENTS (routes), cases[i].path);
      g_test_message ("%s", cases[i].path);
      g_assert_cmpuint (route == NULL ? 0 : route->kind, ==, cases[i].kind);
    }
}

static void
test_tokens (void)
{
  static const struct
  {
    const char *target;
    const char *fields;
    const char *token;
  } cases[] = {
    { "/ws", "", NULL },
    { "/ws/", "", NULL },
    { "/ws/abc/", "", "abc" },
    { "/ws/abc", "", "abc" },
    { "/ws/a%2Bb/?x=y", "", "a+b" },
    { "/ws/a%zz/", "", "" },
    { "/ws/", "Authorization: Bearer abc\r\n", "abc" },
    { "/ws/", "Authorization: bearer   abc\r\n", "abc" },
    { "/ws/", "Authorization: Basic abc\r\n", NULL },
    { "/ws/", "Sec-WebSocket-Protocol: hark.v1, hark.token.abc\r\n", "abc" },
    { "/ws/", "Sec-WebSocket-Protocol: hark.token.\r\n", "" },
    { "/ws/one/", "Authorization: Bearer two\r\nSec-WebSocket-Protocol: hark.token.three\r\n", "one" },
    { "/ws/", "Authorization: Bearer two\r\nSec-WebSocket-Protocol: hark.token.three\r\n", "two" },
  };
  g_test_summary ("A token is found in the path, else in Authorization, else among the subprotocols");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Request request;
      request_init (&request, cases[i].target, cases[i].fields);
      g_test_message ("%s %s", cases[i].target, cases[i].fields);
      g_assert_null (request_read (&request, FALSE));
      g_assert_cmpstr (request.handshake.token, ==, cases[i].token);
      request_clear (&request);
    }
}

static void
test_parameters (void)
{
  Request request;
  g_test_summary ("resume and cursors are decoded, and the query is handed on as it came");
  request_init (&request, "/ws/?resume=r%2F1&ch=3&cursors=%7B%22channel/42%22:7%2C+%7D", "");
  g_assert_null (request_read (&request, FALSE));
  g_assert_cmpstr (request.handshake.resume, ==, "r/1");
  g_assert_cmpstr (request.handshake.cursors, ==, "{\"channel/42\":7, }");
  g_assert_cmpstr (request.handshake.query, ==, "resume=r%2F1&ch=3&cursors=%7B%22channel/42%22:7%2C+%7D");
  request_clear (&request);
}

static void
test_bounds (void)
{
  g_autofree char *many = g_strnfill (HARK_MAX_CURSORS + 1, 'x');
  g_autofree char *token = g_strdup_printf ("/ws/%s", many);
  g_autofree char *resume = g_strdup_printf ("/ws/?resume=%.*s", HARK_MAX_RESUME + 1, many);
  g_autofree char *cursors = g_strdup_printf ("/ws/?cursors=%s", many);
  const struct
  {
    const char *target;
    guint status;
    const char *field;
  } cases[] = { { token, 401, "token" }, { resume, 400, "resume" }, { cursors, 400, "cursors" } };
  g_test_summary ("A token, resume or cursors over their bounds are refused by name");
  G_STATIC_ASSERT (HARK_MAX_TOKEN <= HARK_MAX_CURSORS);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Request request;
      const HarkRefusal *refusal;
      request_init (&request, cases[i].target, "");
      refusal = request_read (&request, FALSE);
      g_assert_nonnull (refusal);
      g_assert_cmpuint (refusal->status, ==, cases[i].status);
      g_assert_true (g_str_has_prefix (refusal->message, cases[i].field));
      request_clear (&request);
    }
}

static void
test_deflate (void)
{
  Request request;
  g_test_summary ("Compression is agreed on where it is allowed and offered");
  request_init (&request, "/ws/", "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n");
  g_assert_null (request_read (&request, TRUE));
  g_assert_nonnull (request.handshake.extensions);
  hark_handshake_clear (&request.handshake);
  g_assert_null (request_read (&request, FALSE));
  g_assert_null (request.handshake.extensions);
  request_clear (&request);
  request_init (&request, "/ws/", "");
  g_assert_null (request_read (&request, TRUE));
  g_assert_null (request.handshake.extensions);
  request_clear (&request);
}

static void
test_hosts (void)
{
  static const char *const allowed[] = { "example.org", "[::1]", NULL };
  static const struct
  {
    const char *fields;
    guint any;    /* status with any host allowed, 0: let in */
    guint listed; /* with the list */
  } cases[] = {
    { "Host: example.org\r\n", 0, 0 },
    { "Host: EXAMPLE.org:8000\r\n", 0, 0 },
    { "Host: [::1]:80\r\n", 0, 0 },
    { "Host: www.example.org\r\n", 0, 403 },
    { "Host: example.org.evil\r\n", 0, 403 },
    { "Host: 10.0.0.1\r\n", 0, 403 },
    { "", 400, 400 },
    { "Host: a\r\nHost: a\r\n", 400, 400 },
    { "Host:\r\n", 400, 400 },
    { "Host: a b\r\n", 400, 400 },
    { "Host: [::1\r\n", 400, 400 },
    { "Host: a:b\r\n", 400, 400 },
    { "Host: [\r\n", 400, 400 },
    { "Host: :80\r\n", 400, 400 },
  };
  g_test_summary ("There is one Host, and it is one of ours where those are listed");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Request request;
      const HarkRefusal *any, *listed;
      request_init (&request, "/ws/", cases[i].fields);
      any = hark_handshake_check_host (&request.head, NULL);
      listed = hark_handshake_check_host (&request.head, allowed);
      g_test_message ("%s", cases[i].fields);
      g_assert_cmpuint (any == NULL ? 0 : any->status, ==, cases[i].any);
      g_assert_cmpuint (listed == NULL ? 0 : listed->status, ==, cases[i].listed);
      request_clear (&request);
    }
}

static void
test_origins (void)
{
  static const char *const one[] = { "https://app.example.org", NULL };
  static const char *const every[] = { "*", NULL };
  static const struct
  {
    const char *fields;
    guint same; /* status when only the Host's own is allowed, 0: let in */
    guint one;
    guint every;
  } cases[] = {
    { "", 0, 0, 0 },
    { "Origin: http://example.org\r\n", 0, 403, 0 },
    { "Origin: https://EXAMPLE.org\r\n", 0, 403, 0 },
    { "Origin: http://example.org:80\r\n", 0, 403, 0 },
    { "Origin: http://example.org:8000\r\n", 403, 403, 0 },
    { "Origin: https://app.example.org\r\n", 403, 0, 0 },
    { "Origin: http://app.example.org\r\n", 403, 403, 0 },
    { "Origin: null\r\n", 403, 403, 0 },
    { "Origin: chrome-extension://abc\r\n", 403, 403, 0 },
    { "Origin: http://example.org@evil.example\r\n", 403, 403, 0 },
    { "Origin: a\r\nOrigin: b\r\n", 400, 400, 400 },
  };
  g_test_summary ("Pages of other origins than ours and those listed open nothing");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *fields = g_strconcat ("Host: example.org\r\n", cases[i].fields, NULL);
      const char *const *lists[] = { NULL, one, every };
      const guint wanted[] = { cases[i].same, cases[i].one, cases[i].every };
      Request request;
      request_init (&request, "/ws/", fields);
      for (guint j = 0; j < G_N_ELEMENTS (lists); j++)
        {
          const HarkRefusal *refusal = hark_handshake_check_origin (&request.head, lists[j]);
          g_test_message ("%s, list %u", cases[i].fields, j);
          g_assert_cmpuint (refusal == NULL ? 0 : refusal->status, ==, wanted[j]);
        }
      request_clear (&request);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handshake/routes", test_routes);
  g_test_add_func ("/handshake/tokens", test_tokens);
  g_test_add_func ("/handshake/parameters", test_parameters);
  g_test_add_func ("/handshake/bounds", test_bounds);
  g_test_add_func ("/handshake/deflate", test_deflate);
  g_test_add_func ("/handshake/hosts", test_hosts);
  g_test_add_func ("/handshake/origins", test_origins);
  return g_test_run ();
}
