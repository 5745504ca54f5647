/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session of Engine.IO does, with requests made by hand, a socket pair for a WebSocket, and time moved by hand. */
#include "transport/engine-private.h"

#include "peer.h"

#define POLL "EIO=4&transport=polling"
#define SOCKET "EIO=4&transport=websocket"

typedef struct
{
  Fixture fixture;
  HarkEngineLimits limits;
  HarkEngineServer *server;
  HarkHandOver *answers;
  HarkEngine *engine; /* (owned): the latest */
  char *query;        /* of the latest */
  GString *messages;  /* each followed by a bar; binary in brackets */
  guint n_opened;
  guint n_closed;
  guint close_code;
  char *close_reason;
  guint pause_at; /* messages after which reading is paused; 0: never */
  guint close_at; /* messages after which it is closed; 0: never */
  guint n_messages;
} Test;

static void
on_engine_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  Test *test = sink;
  g_string_append (test->messages, binary ? "[" : "");
  g_string_append_len (test->messages, (const char *)data, len);
  g_string_append (test->messages, binary ? "]|" : "|");
  test->n_messages++;
  if (test->n_messages == test->pause_at)
    hark_transport_set_reading (transport, FALSE);
  if (test->n_messages == test->close_at)
    hark_transport_close (transport, HARK_CLOSE_DISCONNECTED, "enough");
}

static void
on_engine_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  Test *test = sink;
  test->n_closed++;
  test->close_code = code;
  g_free (test->close_reason);
  test->close_reason = g_strdup (reason);
}

static const HarkTransportSink engine_sink = { on_engine_message, NULL, on_engine_closed };

static void
on_opened (HarkEngine *transport, const char *query, gpointer data)
{
  Test *test = data;
  test->n_opened++;
  g_set_object (&test->engine, transport);
  g_free (test->query);
  test->query = g_strdup (query);
  hark_transport_set_sink (HARK_TRANSPORT (transport), &engine_sink, test);
}

static void
on_answers (HarkHandOver *answers, gpointer data)
{
  HarkEngineRequest *request;
  while ((request = hark_hand_over_pop (answers, NULL)) != NULL)
    hark_engine_request_unref (request);
}

static void
begin (Test *test)
{
  set_up (&test->fixture);
  test->server = hark_engine_server_new (NULL, test->fixture.turn, HARK_CLOCK (test->fixture.clock),
                                         test->fixture.metrics, &test->limits, on_opened, test);
  test->answers = hark_hand_over_new (NULL, "answers", (GDestroyNotify)hark_engine_request_unref, on_answers, NULL);
  test->messages = g_string_new (NULL);
}

static void
init (Test *test)
{
  *test = (Test){ 0 };
  hark_engine_limits_init (&test->limits);
}

static void
end (Test *test)
{
  if (test->server != NULL)
    g_assert_finalize_object (test->server);
  iterate ();
  if (test->engine != NULL)
    g_assert_finalize_object (test->engine);
  hark_hand_over_stop (test->answers);
  g_object_unref (test->answers); /* requests may have it still */
  tear_down (&test->fixture);
  g_string_free (test->messages, TRUE);
  g_free (test->query);
  g_free (test->close_reason);
}

static HarkEngineRequest *
ask_news (Test *test, HarkEngineNews news, HarkEngineMethod method, const char *query, const char *body)
{
  HarkEngineRequest *request = hark_engine_request_new (test->answers, method);
  request->query = g_strdup (query);
  g_strlcpy (request->address, "192.0.2.7:4000", sizeof request->address);
  request->body = (guint8 *)g_strdup (body);
  request->body_len = body != NULL ? strlen (body) : 0;
  hark_hand_over_push (hark_engine_server_get_requests (test->server), news, hark_engine_request_ref (request));
  iterate ();
  return request;
}

static void
tell (Test *test, HarkEngineNews news, HarkEngineRequest *request)
{
  hark_hand_over_push (hark_engine_server_get_requests (test->server), news, hark_engine_request_ref (request));
  iterate ();
}

static HarkEngineRequest *
get (Test *test)
{
  g_autofree char *query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test->engine), NULL);
  return ask_news (test, HARK_ENGINE_ASKED, HARK_ENGINE_GET, query, NULL);
}

static HarkEngineRequest *
post (Test *test, const char *body)
{
  g_autofree char *query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test->engine), NULL);
  return ask_news (test, HARK_ENGINE_ASKED, HARK_ENGINE_POST, query, body);
}

/* @text: (nullable): "" for a body without bytes and no body alike */
static void
assert_answer (HarkEngineRequest *request, guint status, const char *text)
{
  gsize len = 0;
  const char *data = request->content != NULL ? g_bytes_get_data (request->content, &len) : "";
  g_autofree char *content = g_strndup (data, len);
  g_assert_cmpuint (request->status, ==, status);
  g_assert_cmpstr (content, ==, text);
}

#define assert_asked(test, method, query, status, text)                                                                \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (HarkEngineRequest) asked_ = ask_news (test, HARK_ENGINE_ASKED, method, query, NULL);                    \
    assert_answer (asked_, status, text);                                                                              \
  }                                                                                                                    \
  G_STMT_END

#define assert_poll(test, text)                                                                                        \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (HarkEngineRequest) asked_ = get (test);                                                                 \
    assert_answer (asked_, 200, text);                                                                                 \
  }                                                                                                                    \
  G_STMT_END

#define assert_post(test, body, status, text)                                                                          \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (HarkEngineRequest) asked_ = post (test, body);                                                          \
    assert_answer (asked_, status, text);                                                                              \
  }                                                                                                                    \
  G_STMT_END

static void
assert_end (Test *test, guint code, const char *reason)
{
  g_assert_cmpuint (test->n_closed, ==, 1);
  g_assert_cmpuint (test->close_code, ==, code);
  g_assert_cmpstr (test->close_reason, ==, reason);
  g_assert_cmpuint (hark_engine_server_get_n_sessions (test->server), ==, 0);
  assert_asked (test, HARK_ENGINE_GET, POLL "&sid=AAAAAAAAAAAAAAAAAAAA", 400,
                "{\"code\":1,\"message\":\"Session ID unknown\"}");
}

static void
open_poll (Test *test)
{
  g_autoptr (HarkEngineRequest) request = ask_news (test, HARK_ENGINE_ASKED, HARK_ENGINE_GET, POLL "&a=b", NULL);
  g_autofree char *expected = NULL;
  g_assert_nonnull (test->engine);
  expected = g_strdup_printf ("0{\"sid\":\"%s\",\"upgrades\":[\"websocket\"],\"pingInterval\":%u,\"pingTimeout\":%u,"
                              "\"maxPayload\":%u}",
                              hark_engine_get_sid (test->engine), test->limits.ping_interval_ms,
                              test->limits.ping_timeout_ms, test->limits.max_payload);
  assert_answer (request, 200, expected);
  g_assert_cmpstr (request->opened, ==, hark_engine_get_sid (test->engine));
}

/* A WebSocket whose request was answered 101. Returns: (transfer full): its client; @peer->socket stays unset */
static Peer *
open_socket (Test *test, const char *query)
{
  Peer *peer = g_new0 (Peer, 1);
  int fds[2];
  HarkUpgrade *upgrade;
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  peer->fd = fds[1];
  peer->received = g_byte_array_new ();
  peer->messages = g_string_new (NULL);
  upgrade = hark_upgrade_new (fds[0]);
  upgrade->query = g_strdup (query);
  g_strlcpy (upgrade->address, "192.0.2.9:5000", sizeof upgrade->address);
  hark_engine_server_adopt (test->server, upgrade, test->fixture.reactor);
  iterate ();
  return peer;
}

static Peer *
open_probe (Test *test)
{
  g_autofree char *query = g_strconcat (SOCKET "&sid=", hark_engine_get_sid (test->engine), NULL);
  return open_socket (test, query);
}

static void
send_message (Test *test, const char *text)
{
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_autoptr (HarkBuffer) unit = NULL;
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, strlen (text)), text, strlen (text));
  unit = hark_builder_finish (&out);
  g_assert_true (hark_transport_send (HARK_TRANSPORT (test->engine), unit));
}

static void
advance (Test *test, guint ms)
{
  for (guint i = 0; i < ms; i += 100)
    {
      hark_fake_clock_advance (test->fixture.clock, 100);
      iterate ();
    }
}

static void
test_handshake (void)
{
  Test test;
  g_autofree char *address = NULL;
  g_test_summary ("A handshake is answered with an open packet, and its session told with its query and address.");
  init (&test);
  begin (&test);
  open_poll (&test);
  g_assert_cmpstr (test.query, ==, POLL "&a=b");
  g_assert_cmpuint (strlen (hark_engine_get_sid (test.engine)), ==, 20);
  g_assert_cmpstr (hark_engine_get_way (test.engine), ==, "polling");
  g_assert_cmpstr (hark_transport_get_name (HARK_TRANSPORT (test.engine)), ==, "polling");
  address = hark_transport_dup_address (HARK_TRANSPORT (test.engine));
  g_assert_cmpstr (address, ==, "192.0.2.7:4000");
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_sessions"), ==, 1);
  end (&test);
  g_assert_cmpuint (test.n_closed, ==, 1);
}

static void
test_refusals (void)
{
  Test test;
  g_autofree char *sid = NULL;
  g_autofree char *socket_query = NULL;
  g_autofree char *old_query = NULL;
  g_autofree char *script_query = NULL;
  g_test_summary ("What is asked wrongly is refused with the reference's codes, in its order.");
  init (&test);
  begin (&test);
  assert_asked (&test, HARK_ENGINE_GET, NULL, 400, "{\"code\":0,\"message\":\"Transport unknown\"}");
  assert_asked (&test, HARK_ENGINE_GET, "EIO=4&transport=tube&sid=x", 400,
                "{\"code\":0,\"message\":\"Transport unknown\"}");
  assert_asked (&test, HARK_ENGINE_OTHER, POLL "&sid=x", 400, "{\"code\":1,\"message\":\"Session ID unknown\"}");
  assert_asked (&test, HARK_ENGINE_POST, POLL, 400, "{\"code\":2,\"message\":\"Bad handshake method\"}");
  assert_asked (&test, HARK_ENGINE_OTHER, "transport=polling", 400, "{\"code\":2,\"message\":\"Bad handshake method\"}");
  assert_asked (&test, HARK_ENGINE_GET, SOCKET, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  assert_asked (&test, HARK_ENGINE_GET, POLL "&j=0", 400, "{\"code\":3,\"message\":\"Bad request\"}");
  assert_asked (&test, HARK_ENGINE_GET, "EIO=3&transport=polling", 400,
                "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
  assert_asked (&test, HARK_ENGINE_GET, "transport=polling", 400,
                "{\"code\":5,\"message\":\"Unsupported protocol version\"}");
  assert_asked (&test, HARK_ENGINE_UPGRADE, POLL, 400, "Bad request");
  assert_asked (&test, HARK_ENGINE_UPGRADE, "EIO=3&transport=websocket", 400, "Unsupported protocol version");
  assert_asked (&test, HARK_ENGINE_UPGRADE, SOCKET "&sid=AAAAAAAAAAAAAAAAAAAA", 400, "Session ID unknown");
  assert_asked (&test, HARK_ENGINE_UPGRADE, SOCKET, 101, "");
  g_assert_cmpuint (test.n_opened, ==, 0);
  open_poll (&test);
  sid = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
  assert_asked (&test, HARK_ENGINE_OTHER, sid, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  socket_query = g_strconcat (SOCKET "&sid=", hark_engine_get_sid (test.engine), NULL);
  assert_asked (&test, HARK_ENGINE_GET, socket_query, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  old_query = g_strconcat ("EIO=3&transport=polling&sid=", hark_engine_get_sid (test.engine), NULL);
  assert_asked (&test, HARK_ENGINE_GET, old_query, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  script_query = g_strconcat (sid, "&j=1", NULL);
  assert_asked (&test, HARK_ENGINE_GET, script_query, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  g_assert_cmpuint (test.n_closed, ==, 0);
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_refused_total"), ==, 16);
  end (&test);
}

static void
test_poll (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) request = NULL;
  g_autoptr (HarkBuffer) unit = NULL;
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_test_summary ("A poll waits until something is sent, and gets all of a turn; what comes between polls waits.");
  init (&test);
  begin (&test);
  open_poll (&test);
  request = get (&test);
  g_assert_cmpuint (request->status, ==, 0);
  send_message (&test, "one");
  memcpy (hark_engineio_append_binary (&out, 4), "\1\2\3\4", 4);
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, 3), "two", 3);
  unit = hark_builder_finish (&out);
  hark_transport_send (HARK_TRANSPORT (test.engine), unit);
  g_assert_cmpuint (request->status, ==, 0);
  iterate ();
  assert_answer (request, 200,
                 "4one\x1e"
                 "bAQIDBA==\x1e"
                 "4two");
  send_message (&test, "three");
  iterate ();
  send_message (&test, "four");
  assert_poll (&test, "4three\x1e"
                      "4four");
  end (&test);
}

static void
test_poll_bound (void)
{
  Test test;
  g_test_summary ("A poll is answered with no more than the bound, or one unit; the outbox has its own.");
  init (&test);
  test.limits.max_payload = 12;
  test.limits.max_outbox = 40;
  begin (&test);
  open_poll (&test);
  send_message (&test, "a");
  send_message (&test, "bb");
  send_message (&test, "0123456789abcdef");
  send_message (&test, "c");
  {
    g_autoptr (HarkBuffer) unit = hark_buffer_new ("\x81\x0a"
                                                   "4123456789",
                                                   12);
    g_assert_false (hark_transport_send (HARK_TRANSPORT (test.engine), unit));
  }
  assert_poll (&test, "4a\x1e"
                      "4bb");
  assert_poll (&test, "40123456789abcdef");
  assert_poll (&test, "4c");
  end (&test);
}

static void
test_fan_out (void)
{
  Test test;
  g_autoptr (HarkBuffer) unit = NULL;
  g_autoptr (HarkEngineRequest) first = NULL, second = NULL;
  g_autoptr (HarkEngine) engine = NULL;
  g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
  g_test_summary ("The polls of a fan-out share one answer, and the units stay what a WebSocket sends.");
  init (&test);
  begin (&test);
  open_poll (&test);
  engine = g_object_ref (test.engine);
  first = get (&test);
  open_poll (&test);
  second = get (&test);
  memcpy (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, 2), "hi", 2);
  unit = hark_builder_finish (&out);
  hark_transport_send (HARK_TRANSPORT (engine), unit);
  hark_transport_send (HARK_TRANSPORT (test.engine), unit);
  iterate ();
  assert_answer (first, 200, "4hi");
  g_assert_true (first->content == second->content);
  g_assert_cmpmem (unit->data, unit->len,
                   "\x81\x03"
                   "4hi",
                   5);
  g_assert_cmpuint (unit->refs, ==, 1);
  hark_transport_set_sink (HARK_TRANSPORT (engine), NULL, NULL);
  end (&test);
}

static void
test_post (void)
{
  Test test;
  g_test_summary ("A body's packets arrive in order, text without its type and binary decoded.");
  init (&test);
  begin (&test);
  open_poll (&test);
  assert_post (&test,
               "4one\x1e"
               "bAQIDBA==\x1e"
               "4\x1e"
               "3\x1e"
               "6\x1e"
               "5\x1e"
               "0{}\x1e"
               "4zw\xc3\xb6lf",
               200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "one|[\1\2\3\4]||zw\xc3\xb6lf|");
  g_assert_cmpuint (test.n_closed, ==, 0);
  end (&test);
}

static void
test_bad_bodies (void)
{
  static const char *const bodies[] = { "",
                                        "abc",
                                        "4a\x1e",
                                        "\x1e"
                                        "4a",
                                        "7",
                                        "bA",
                                        "b====",
                                        "bAQ=A",
                                        "4\xff",
                                        "b!!!!",
                                        "4a\x1e\x1e"
                                        "4b" };
  g_test_summary ("A packet that is none closes the session; what came before it has arrived.");
  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      Test test;
      init (&test);
      begin (&test);
      open_poll (&test);
      assert_post (&test, bodies[i], 200, "ok");
      assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "parse error");
      g_assert_cmpstr (test.messages->str, ==, g_str_has_prefix (bodies[i], "4a") ? "a|" : "");
      g_assert_cmpint (figure (&test.fixture, "hark_engineio_parse_errors_total"), ==, 1);
      end (&test);
    }
}

static void
test_packet_bounds (void)
{
  Test test;
  g_test_summary ("More packets than a turn allows wait for the next; more than a body may have close the session.");
  init (&test);
  test.limits.packet_budget = 2;
  test.limits.max_packets = 5;
  begin (&test);
  open_poll (&test);
  assert_post (&test,
               "41\x1e"
               "42\x1e"
               "43\x1e"
               "44\x1e"
               "45",
               200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "1|2|3|4|5|");
  assert_post (&test,
               "41\x1e"
               "42\x1e"
               "43\x1e"
               "44\x1e"
               "45\x1e"
               "46",
               200, "ok");
  assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "parse error");
  end (&test);
}

static void
test_overlap (void)
{
  Test test;
  g_test_summary ("Two polls at once, or two bodies, close the session; the second gets 400.");
  init (&test);
  begin (&test);
  open_poll (&test);
  {
    g_autoptr (HarkEngineRequest) first = get (&test), second = get (&test);
    assert_answer (first, 200, "1");
    assert_answer (second, 400, "");
    assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
  }
  test.n_closed = 0;
  open_poll (&test);
  {
    g_autofree char *query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
    g_autoptr (HarkEngineRequest) first = ask_news (&test, HARK_ENGINE_BEGUN, HARK_ENGINE_POST, query, NULL);
    g_autoptr (HarkEngineRequest) second = NULL;
    g_assert_cmpuint (first->status, ==, 0);
    second = post (&test, "4a");
    assert_answer (first, 400, "");
    assert_answer (second, 400, "");
    /* The front did not know yet. */
    first->body = (guint8 *)g_strdup ("4b");
    first->body_len = 2;
    tell (&test, HARK_ENGINE_BODY, first);
    assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
    g_assert_cmpstr (test.messages->str, ==, "");
  }
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_overlaps_total"), ==, 2);
  end (&test);
}

static void
test_slow_body (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) request = NULL;
  g_autofree char *query = NULL;
  g_test_summary ("A body that comes later than its head is taken when it is there.");
  init (&test);
  begin (&test);
  open_poll (&test);
  query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
  request = ask_news (&test, HARK_ENGINE_BEGUN, HARK_ENGINE_POST, query, NULL);
  send_message (&test, "meanwhile");
  assert_poll (&test, "4meanwhile");
  g_assert_cmpuint (request->status, ==, 0);
  request->body = (guint8 *)g_strdup ("4late");
  request->body_len = 5;
  tell (&test, HARK_ENGINE_BODY, request);
  assert_answer (request, 200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "late|");
  end (&test);
}

static void
test_octets (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) request = NULL;
  g_test_summary ("A body of octets is refused and closes the session: binary comes as base64.");
  init (&test);
  begin (&test);
  open_poll (&test);
  request = hark_engine_request_new (test.answers, HARK_ENGINE_POST);
  request->query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
  request->octets = TRUE;
  request->body = (guint8 *)g_strdup ("4a");
  request->body_len = 2;
  tell (&test, HARK_ENGINE_ASKED, request);
  assert_answer (request, 400, "");
  assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
  end (&test);
}

static void
test_gone (void)
{
  Test test;
  g_autofree char *query = NULL;
  g_test_summary ("A poll or a body whose client goes away closes the session; one that was answered does not.");
  init (&test);
  begin (&test);
  open_poll (&test);
  {
    g_autoptr (HarkEngineRequest) answered = NULL, request = NULL;
    send_message (&test, "a");
    answered = get (&test);
    assert_answer (answered, 200, "4a");
    tell (&test, HARK_ENGINE_GONE, answered);
    g_assert_cmpuint (test.n_closed, ==, 0);
    request = get (&test);
    tell (&test, HARK_ENGINE_GONE, request);
    g_assert_cmpuint (request->status, ==, 0);
    assert_end (&test, HARK_CLOSE_ABNORMAL, "transport error");
  }
  test.n_closed = 0;
  open_poll (&test);
  {
    g_autoptr (HarkEngineRequest) request = NULL;
    query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
    request = ask_news (&test, HARK_ENGINE_BEGUN, HARK_ENGINE_POST, query, NULL);
    tell (&test, HARK_ENGINE_GONE, request);
    assert_end (&test, HARK_CLOSE_ABNORMAL, "transport error");
  }
  end (&test);
}

static void
test_client_close (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_test_summary ("A close packet ends the session; its poll gets a noop, and packets behind it are not taken.");
  init (&test);
  begin (&test);
  open_poll (&test);
  poll = get (&test);
  assert_post (&test,
               "4a\x1e"
               "1\x1e"
               "4b",
               200, "ok");
  assert_answer (poll, 200, "6");
  assert_end (&test, HARK_CLOSE_NORMAL, "transport close");
  g_assert_cmpstr (test.messages->str, ==, "a|");
  end (&test);
}

static void
test_server_close (void)
{
  Test test;
  g_test_summary ("Closed by us, a session still gets what was queued, then a close packet; nothing comes any more.");
  init (&test);
  begin (&test);
  open_poll (&test);
  {
    g_autoptr (HarkEngineRequest) poll = get (&test);
    send_message (&test, "last");
    hark_transport_close (HARK_TRANSPORT (test.engine), HARK_CLOSE_DISCONNECTED, "go away");
    g_assert_cmpuint (test.n_closed, ==, 0);
    iterate ();
    assert_answer (poll, 200,
                   "4last\x1e"
                   "1");
    assert_end (&test, HARK_CLOSE_DISCONNECTED, "go away");
  }
  test.n_closed = 0;
  open_poll (&test);
  hark_transport_close (HARK_TRANSPORT (test.engine), HARK_CLOSE_NORMAL, NULL);
  assert_post (&test, "4a", 200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "");
  assert_poll (&test, "1");
  assert_end (&test, HARK_CLOSE_NORMAL, "forced close");
  end (&test);
}

static void
test_server_close_times_out (void)
{
  Test test;
  g_test_summary ("Closed by us, a session whose poll does not come ends after the time-out.");
  init (&test);
  begin (&test);
  open_poll (&test);
  hark_transport_close (HARK_TRANSPORT (test.engine), HARK_CLOSE_UNAUTHENTICATED, "no token");
  advance (&test, test.limits.close_timeout_ms - 200);
  g_assert_cmpuint (test.n_closed, ==, 0);
  advance (&test, 2000);
  assert_end (&test, HARK_CLOSE_UNAUTHENTICATED, "no token");
  end (&test);
}

static void
test_close_while_taking (void)
{
  Test test;
  g_test_summary ("A session closed by who is told of its message takes no more of the same body.");
  init (&test);
  test.close_at = 1;
  begin (&test);
  open_poll (&test);
  assert_post (&test,
               "4a\x1e"
               "4b",
               200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "a|");
  assert_poll (&test, "1");
  assert_end (&test, HARK_CLOSE_DISCONNECTED, "enough");
  end (&test);
}

static void
test_pause (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) request = NULL;
  g_test_summary ("Paused, the rest of a body and its answer wait, and no ping runs out.");
  init (&test);
  test.pause_at = 1;
  begin (&test);
  open_poll (&test);
  request = post (&test, "4a\x1e"
                         "4b\x1e"
                         "4c");
  g_assert_cmpstr (test.messages->str, ==, "a|");
  g_assert_cmpuint (request->status, ==, 0);
  advance (&test, 3 * (test.limits.ping_interval_ms + test.limits.ping_timeout_ms));
  g_assert_cmpuint (test.n_closed, ==, 0);
  hark_transport_set_reading (HARK_TRANSPORT (test.engine), TRUE);
  g_assert_cmpstr (test.messages->str, ==, "a|");
  iterate ();
  assert_answer (request, 200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "a|b|c|");
  end (&test);
}

static void
test_ping (void)
{
  Test test;
  g_test_summary ("A ping is sent an interval after the last pong, and its pong begins the next.");
  init (&test);
  begin (&test);
  open_poll (&test);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (HarkEngineRequest) poll = get (&test);
      advance (&test, test.limits.ping_interval_ms - 1000);
      g_assert_cmpuint (poll->status, ==, 0);
      advance (&test, 2500);
      assert_answer (poll, 200, "2");
      advance (&test, 15000);
      assert_post (&test, "3", 200, "ok");
    }
  g_assert_cmpuint (test.n_closed, ==, 0);
  end (&test);
}

static void
test_ping_timeout (void)
{
  Test test;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_test_summary ("Without a pong the session ends, after one more time-out if something else came.");
  init (&test);
  begin (&test);
  open_poll (&test);
  advance (&test, test.limits.ping_interval_ms + 1500);
  assert_poll (&test, "2");
  advance (&test, 15000);
  assert_post (&test, "4a", 200, "ok");
  advance (&test, 10000);
  g_assert_cmpuint (test.n_closed, ==, 0);
  assert_post (&test, "4b", 200, "ok");
  poll = get (&test);
  advance (&test, 12000);
  assert_answer (poll, 200, "1");
  assert_end (&test, HARK_CLOSE_IDLE, "ping timeout");
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_ping_timeouts_total"), ==, 1);
  end (&test);
}

static void
test_wrong_ping (void)
{
  Test test;
  g_test_summary ("A ping of the client's is of an older protocol and closes the session.");
  init (&test);
  begin (&test);
  open_poll (&test);
  assert_post (&test, "2", 200, "ok");
  assert_end (&test, HARK_CLOSE_PROTOCOL_ERROR, "transport error");
  end (&test);
}

static void
test_overload (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_test_summary ("Over the bound on sessions a handshake is answered 503, and a WebSocket closed.");
  init (&test);
  test.limits.max_sessions = 1;
  begin (&test);
  open_poll (&test);
  assert_asked (&test, HARK_ENGINE_GET, POLL, 503, "{\"code\":4,\"message\":\"Too many sessions\"}");
  assert_asked (&test, HARK_ENGINE_UPGRADE, SOCKET, 503, "{\"code\":4,\"message\":\"Too many sessions\"}");
  peer = open_socket (&test, SOCKET);
  assert_frames (peer, "close 1013 too many sessions");
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_overloaded_total"), ==, 3);
  g_assert_cmpuint (test.n_opened, ==, 1);
  end (&test);
}

static void
assert_open_frame (Test *test, Peer *peer)
{
  g_autofree char *expected
    = g_strdup_printf ("text 0{\"sid\":\"%s\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000,"
                       "\"maxPayload\":65536}",
                       hark_engine_get_sid (test->engine));
  assert_frames (peer, expected);
}

static void
test_socket (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autofree char *address = NULL;
  g_test_summary ("A WebSocket of its own is a session: each packet is a frame, binary is as it is.");
  init (&test);
  begin (&test);
  peer = open_socket (&test, SOCKET "&x=1");
  assert_open_frame (&test, peer);
  g_assert_cmpstr (test.query, ==, SOCKET "&x=1");
  g_assert_cmpstr (hark_engine_get_way (test.engine), ==, "websocket");
  address = hark_transport_dup_address (HARK_TRANSPORT (test.engine));
  g_assert_cmpstr (address, ==, "192.0.2.9:5000");
  send_text (peer, "4hi");
  send_frame (peer, 0x82, "\1\2", 2);
  send_text (peer, "bAwQ=");
  iterate ();
  g_assert_cmpstr (test.messages->str, ==, "hi|[\1\2]|[\3\4]|");
  send_message (&test, "one");
  send_message (&test, "two");
  assert_frames (peer, "text 4one; text 4two");
  advance (&test, 26500);
  assert_frames (peer, "text 2");
  send_text (peer, "3");
  advance (&test, 23000);
  assert_frames (peer, "");
  send_text (peer, "1");
  assert_frames (peer, "close 1000 transport close");
  hang_up (peer);
  iterate ();
  assert_end (&test, HARK_CLOSE_NORMAL, "transport close");
  end (&test);
}

static void
test_socket_ends (void)
{
  static const struct
  {
    const char *text;
    guint code;
    const char *reason;
    const char *frames;
  } cases[] = {
    { "", HARK_CLOSE_PROTOCOL_ERROR, "parse error", "close 1002 parse error" },
    { "x", HARK_CLOSE_PROTOCOL_ERROR, "parse error", "close 1002 parse error" },
    { "b*", HARK_CLOSE_PROTOCOL_ERROR, "parse error", "close 1002 parse error" },
    { "2", HARK_CLOSE_PROTOCOL_ERROR, "transport error", "close 1002 transport error" },
    { NULL, HARK_CLOSE_ABNORMAL, "transport close", "" },
  };
  g_test_summary ("A WebSocket session ends with its WebSocket, and that with a packet that is none.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Test test;
      g_autoptr (Peer) peer = NULL;
      init (&test);
      begin (&test);
      peer = open_socket (&test, SOCKET);
      assert_open_frame (&test, peer);
      if (cases[i].text != NULL)
        {
          send_text (peer, cases[i].text);
          assert_frames (peer, cases[i].frames);
        }
      hang_up (peer);
      iterate ();
      assert_end (&test, cases[i].code, cases[i].reason);
      end (&test);
    }
}

static void
test_socket_timeout (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_test_summary ("A WebSocket that answers no ping is closed.");
  init (&test);
  begin (&test);
  peer = open_socket (&test, SOCKET);
  assert_open_frame (&test, peer);
  advance (&test, 26500);
  send_frame (peer, 0x8A, NULL, 0); /* a pong of the WebSocket's is none of Engine.IO's */
  assert_frames (peer, "text 2");
  advance (&test, 21000);
  assert_frames (peer, "close 4002 ping timeout");
  advance (&test, 7000);
  assert_end (&test, HARK_CLOSE_IDLE, "ping timeout");
  end (&test);
}

static void
test_upgrade (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_autofree char *query = NULL;
  g_test_summary ("A WebSocket takes over from polling: nothing is lost and nothing out of order.");
  init (&test);
  begin (&test);
  open_poll (&test);
  poll = get (&test);
  peer = open_probe (&test);
  assert_frames (peer, "");
  send_text (peer, "2probe");
  assert_frames (peer, "text 3probe");
  assert_answer (poll, 200, "6");
  send_message (&test, "by poll");
  assert_poll (&test, "4by poll");
  assert_poll (&test, "6");
  assert_post (&test, "4last post", 200, "ok");
  send_message (&test, "one");
  iterate ();
  send_message (&test, "two");
  send_text (peer, "5");
  send_text (peer, "4by socket");
  send_message (&test, "three");
  assert_frames (peer, "text 4one; text 4two; text 4three");
  g_assert_cmpstr (test.messages->str, ==, "last post|by socket|");
  g_assert_cmpstr (hark_engine_get_way (test.engine), ==, "websocket");
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_upgraded_total"), ==, 1);
  query = g_strconcat (POLL "&sid=", hark_engine_get_sid (test.engine), NULL);
  assert_asked (&test, HARK_ENGINE_GET, query, 400, "{\"code\":3,\"message\":\"Bad request\"}");
  g_assert_cmpuint (test.n_closed, ==, 0);
  advance (&test, 26500);
  assert_frames (peer, "text 2");
  hark_transport_close (HARK_TRANSPORT (test.engine), HARK_CLOSE_RESTART, "soon");
  assert_frames (peer, "close 1012 soon");
  hang_up (peer);
  iterate ();
  assert_end (&test, HARK_CLOSE_RESTART, "soon");
  end (&test);
}

static void
test_upgrade_under_way (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_test_summary ("An upgrade before the probe's answer is read keeps that first; a poll that is open gets a noop.");
  init (&test);
  begin (&test);
  open_poll (&test);
  peer = open_probe (&test);
  poll = get (&test);
  {
    g_autoptr (GByteArray) frames = g_byte_array_new ();
    append_frame (frames, 0x89, "w", 1);
    append_frame (frames, 0x81, "2probe", 6);
    append_frame (frames, 0x81, "5", 1);
    append_frame (frames, 0x81, "4a", 2);
    send_message (&test, "b");
    send_bytes (peer, frames->data, frames->len);
  }
  assert_frames (peer, "text 3probe; pong w");
  assert_answer (poll, 200, "4b");
  g_assert_cmpstr (test.messages->str, ==, "a|");
  end (&test);
}

static void
test_failed_probes (void)
{
  static const char *const texts[] = { "4hello", "2", "x", "", "3probe", "2probes" };
  g_test_summary ("A WebSocket that begins with anything else is closed; the session goes on polling.");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      Test test;
      g_autoptr (Peer) peer = NULL;
      g_autoptr (Peer) other = NULL;
      init (&test);
      begin (&test);
      open_poll (&test);
      peer = open_probe (&test);
      send_text (peer, texts[i]);
      assert_frames (peer, "close 1000 ");
      g_assert_cmpstr (test.messages->str, ==, "");
      send_message (&test, "still here");
      assert_poll (&test, "4still here");
      other = open_probe (&test);
      send_text (other, "2probe");
      assert_frames (other, "text 3probe");
      hang_up (other);
      iterate ();
      assert_post (&test, "4me too", 200, "ok");
      g_assert_cmpuint (test.n_closed, ==, 0);
      end (&test);
    }
}

static void
test_second_sockets (void)
{
  Test test;
  g_autoptr (Peer) first = NULL, second = NULL, third = NULL, unknown = NULL;
  g_test_summary ("A second WebSocket for a session is closed, during its upgrade and after; the first stays.");
  init (&test);
  begin (&test);
  open_poll (&test);
  first = open_probe (&test);
  second = open_probe (&test);
  assert_frames (second, "close 1000 ");
  send_text (first, "2probe");
  send_text (first, "5");
  assert_frames (first, "text 3probe");
  third = open_probe (&test);
  assert_frames (third, "close 1000 ");
  unknown = open_socket (&test, SOCKET "&sid=AAAAAAAAAAAAAAAAAAAA");
  assert_frames (unknown, "close 1000 ");
  send_text (first, "4still");
  iterate ();
  g_assert_cmpstr (test.messages->str, ==, "still|");
  end (&test);
}

static void
test_upgrade_timeout (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_test_summary ("A WebSocket that does not complete its upgrade in time is closed; the session goes on polling.");
  init (&test);
  begin (&test);
  open_poll (&test);
  peer = open_probe (&test);
  send_text (peer, "2probe");
  advance (&test, 9500);
  assert_frames (peer, "text 3probe");
  advance (&test, 2500);
  assert_frames (peer, "close 1000 ");
  g_assert_cmpint (figure (&test.fixture, "hark_engineio_upgrade_timeouts_total"), ==, 1);
  assert_post (&test, "4here", 200, "ok");
  g_assert_cmpstr (test.messages->str, ==, "here|");
  end (&test);
}

static void
test_polling_on (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autoptr (HarkEngineRequest) waiting = NULL;
  g_test_summary ("A client that polls on during its upgrade is sent away a few times, and then once in a while.");
  init (&test);
  begin (&test);
  open_poll (&test);
  peer = open_probe (&test);
  send_text (peer, "2probe");
  iterate ();
  for (guint i = 0; i < 4; i++)
    assert_poll (&test, "6");
  waiting = get (&test);
  g_assert_cmpuint (waiting->status, ==, 0);
  advance (&test, 2500);
  assert_answer (waiting, 200, "6");
  end (&test);
}

static void
test_close_during_upgrade (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_test_summary ("Closed by us while its client has paused polling, a session says so by its WebSocket.");
  init (&test);
  begin (&test);
  open_poll (&test);
  peer = open_probe (&test);
  send_text (peer, "2probe");
  assert_frames (peer, "text 3probe");
  send_message (&test, "last");
  hark_transport_close (HARK_TRANSPORT (test.engine), HARK_CLOSE_DISCONNECTED, "go away");
  iterate ();
  send_text (peer, "5");
  assert_frames (peer, "text 4last; close 4010 go away");
  hang_up (peer);
  iterate ();
  assert_end (&test, HARK_CLOSE_DISCONNECTED, "go away");
  end (&test);
}

static void
test_pause_by_socket (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_test_summary ("Paused while it polls, a session stays paused on its WebSocket.");
  init (&test);
  test.pause_at = 1;
  begin (&test);
  open_poll (&test);
  assert_post (&test, "4a", 200, "ok");
  peer = open_probe (&test);
  send_text (peer, "5");
  send_text (peer, "4b");
  iterate ();
  g_assert_cmpstr (test.messages->str, ==, "a|");
  hark_transport_set_reading (HARK_TRANSPORT (test.engine), TRUE);
  iterate ();
  g_assert_cmpstr (test.messages->str, ==, "a|b|");
  end (&test);
}

static void
test_slow_socket (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autofree char *frames = NULL;
  guint n = 0;
  g_test_summary ("A WebSocket that does not read is bound by the session's outbox; the close frame is the last.");
  init (&test);
  test.limits.max_outbox = 100000;
  begin (&test);
  peer = open_socket (&test, SOCKET);
  assert_open_frame (&test, peer);
  {
    g_auto (HarkBuilder) out = HARK_BUILDER_INIT;
    g_autoptr (HarkBuffer) unit = NULL;
    memset (hark_engineio_append_text (&out, HARK_ENGINEIO_MESSAGE, 16000), 'x', 16000);
    unit = hark_builder_finish (&out);
    while (hark_transport_send (HARK_TRANSPORT (test.engine), unit))
      {
        iterate ();
        g_assert_cmpuint (n++, <, 10000);
      }
    g_assert_cmpuint (HARK_TRANSPORT (test.engine)->outbox.bytes, <=, 100000);
    send_frame (peer, 0x88, "\x03\xe8", 2);
    iterate ();
    hark_transport_send (HARK_TRANSPORT (test.engine), unit);
  }
  frames = take_frames (peer);
  g_assert_true (g_str_has_suffix (frames, "xxx; close 1000 "));
  hang_up (peer);
  iterate ();
  assert_end (&test, HARK_CLOSE_NORMAL, "transport close");
  end (&test);
}

static void
test_server_goes (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_autoptr (HarkEngine) polled = NULL;
  g_test_summary ("When the server goes, its sessions end and their polls are answered.");
  init (&test);
  begin (&test);
  open_poll (&test);
  poll = get (&test);
  polled = g_object_ref (test.engine);
  peer = open_socket (&test, SOCKET);
  g_assert_cmpuint (hark_engine_server_get_n_sessions (test.server), ==, 2);
  g_assert_finalize_object (g_steal_pointer (&test.server));
  assert_answer (poll, 200, "1");
  g_assert_cmpuint (test.n_closed, ==, 2);
  g_assert_cmpuint (test.close_code, ==, HARK_CLOSE_GOING_AWAY);
  end (&test);
}

static void
test_close_all (void)
{
  Test test;
  g_autoptr (Peer) peer = NULL;
  g_autoptr (HarkEngineRequest) poll = NULL;
  g_test_summary ("All sessions can be closed at once.");
  init (&test);
  begin (&test);
  open_poll (&test);
  poll = get (&test);
  peer = open_socket (&test, SOCKET);
  assert_open_frame (&test, peer);
  hark_engine_server_close_all (test.server, HARK_CLOSE_GOING_AWAY, "stopping");
  assert_frames (peer, "close 1001 stopping");
  assert_answer (poll, 200, "1");
  hang_up (peer);
  iterate ();
  g_assert_cmpuint (test.n_closed, ==, 2);
  g_assert_cmpuint (hark_engine_server_get_n_sessions (test.server), ==, 0);
  end (&test);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/handshake", test_handshake);
  g_test_add_func ("/engine/refusals", test_refusals);
  g_test_add_func ("/engine/poll", test_poll);
  g_test_add_func ("/engine/poll-bound", test_poll_bound);
  g_test_add_func ("/engine/fan-out", test_fan_out);
  g_test_add_func ("/engine/post", test_post);
  g_test_add_func ("/engine/bad-bodies", test_bad_bodies);
  g_test_add_func ("/engine/packet-bounds", test_packet_bounds);
  g_test_add_func ("/engine/overlap", test_overlap);
  g_test_add_func ("/engine/slow-body", test_slow_body);
  g_test_add_func ("/engine/octets", test_octets);
  g_test_add_func ("/engine/gone", test_gone);
  g_test_add_func ("/engine/client-close", test_client_close);
  g_test_add_func ("/engine/server-close", test_server_close);
  g_test_add_func ("/engine/server-close-times-out", test_server_close_times_out);
  g_test_add_func ("/engine/close-while-taking", test_close_while_taking);
  g_test_add_func ("/engine/pause", test_pause);
  g_test_add_func ("/engine/ping", test_ping);
  g_test_add_func ("/engine/ping-timeout", test_ping_timeout);
  g_test_add_func ("/engine/wrong-ping", test_wrong_ping);
  g_test_add_func ("/engine/overload", test_overload);
  g_test_add_func ("/engine/socket", test_socket);
  g_test_add_func ("/engine/socket-ends", test_socket_ends);
  g_test_add_func ("/engine/socket-timeout", test_socket_timeout);
  g_test_add_func ("/engine/upgrade", test_upgrade);
  g_test_add_func ("/engine/upgrade-under-way", test_upgrade_under_way);
  g_test_add_func ("/engine/failed-probes", test_failed_probes);
  g_test_add_func ("/engine/second-sockets", test_second_sockets);
  g_test_add_func ("/engine/upgrade-timeout", test_upgrade_timeout);
  g_test_add_func ("/engine/polling-on", test_polling_on);
  g_test_add_func ("/engine/close-during-upgrade", test_close_during_upgrade);
  g_test_add_func ("/engine/pause-by-socket", test_pause_by_socket);
  g_test_add_func ("/engine/slow-socket", test_slow_socket);
  g_test_add_func ("/engine/server-goes", test_server_goes);
  g_test_add_func ("/engine/close-all", test_close_all);
  return g_test_run ();
}
