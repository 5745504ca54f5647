/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reactor and its connections, with raw bytes at the other end of a socket pair and time moved by hand. */
#include "transport/reactor.h"

#include "base/error.h"
#include "transport/websocket-private.h"

#include "client-frames.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_ITERATIONS 100000

typedef struct
{
  HarkReactor *reactor;
  HarkTurn *turn;
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkReactorLimits limits;
} Fixture;

/* A connection seen from both ends. */
typedef struct
{
  Fixture *fixture;
  HarkWebSocket *socket; /* (owned) */
  int fd;                /* the client's end; -1 when it has gone */
  GByteArray *received;  /* by the client */
  gboolean saw_end;      /* of the stream, by the client */
  GString *messages;     /* the server's, each followed by a bar */
  guint n_messages;
  guint n_writable;
  guint n_closed;
  guint close_code;
  char *close_reason;
  gboolean echo;
  guint pause_at;        /* messages after which reading is paused; 0: never */
  guint close_at;        /* messages after which it is closed; 0: never */
  gboolean ends_reactor; /* when it has closed */
} Peer;

static void
on_message (gpointer sink, HarkTransport *transport, const guint8 *data, gsize len, gboolean binary)
{
  Peer *peer = sink;
  g_assert_true (transport == HARK_TRANSPORT (peer->socket));
  g_string_append_len (peer->messages, (const char *)data, len);
  g_string_append_c (peer->messages, '|');
  peer->n_messages++;
  if (peer->echo)
    {
      g_autoptr (HarkBuffer) frame
        = hark_websocket_encode (binary ? HARK_WEBSOCKET_BINARY : HARK_WEBSOCKET_TEXT, data, len);
      g_assert_true (hark_transport_send (transport, frame));
    }
  if (peer->n_messages == peer->pause_at)
    hark_transport_set_reading (transport, FALSE);
  if (peer->n_messages == peer->close_at)
    hark_transport_close (transport, HARK_CLOSE_NORMAL, "enough");
}

static void
on_writable (gpointer sink, HarkTransport *transport)
{
  ((Peer *)sink)->n_writable++;
}

static void
on_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  Peer *peer = sink;
  peer->n_closed++;
  peer->close_code = code;
  g_free (peer->close_reason);
  peer->close_reason = g_strdup (reason);
  if (peer->ends_reactor)
    g_clear_object (&peer->fixture->reactor);
}

static const HarkTransportSink sink = { on_message, on_writable, on_closed };

static void
set_up_with (Fixture *fixture, const HarkReactorLimits *limits)
{
  fixture->turn = hark_turn_new (NULL);
  fixture->clock = hark_fake_clock_new (0);
  fixture->metrics = hark_metrics_new ();
  fixture->reactor
    = hark_reactor_new (NULL, fixture->turn, HARK_CLOCK (fixture->clock), fixture->metrics, limits);
}

static void
set_up (Fixture *fixture)
{
  hark_reactor_limits_init (&fixture->limits);
  set_up_with (fixture, &fixture->limits);
}

static void
tear_down (Fixture *fixture)
{
  if (fixture->reactor != NULL)
    g_assert_finalize_object (fixture->reactor);
  g_assert_finalize_object (fixture->turn);
  g_assert_finalize_object (fixture->clock);
  g_assert_finalize_object (fixture->metrics);
}

static gint64
figure (Fixture *fixture, const char *name)
{
  if (g_str_has_suffix (name, "_total"))
    return hark_counter_get (hark_metrics_counter (fixture->metrics, name, "Registered before."));
  return hark_counter_get (hark_metrics_gauge (fixture->metrics, name, "Registered before."));
}

static Peer *
connect_full (Fixture *fixture, gboolean deflate, const guint8 *early, gsize early_len, gboolean start)
{
  Peer *peer = g_new0 (Peer, 1);
  int fds[2];
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  peer->fixture = fixture;
  peer->fd = fds[1];
  peer->received = g_byte_array_new ();
  peer->messages = g_string_new (NULL);
  peer->socket = g_object_ref (
    hark_reactor_adopt (fixture->reactor, fds[0], "192.0.2.7:4000", deflate, early, early_len));
  hark_transport_set_sink (HARK_TRANSPORT (peer->socket), &sink, peer);
  if (start)
    hark_websocket_start (peer->socket);
  return peer;
}

static Peer *
connect_peer (Fixture *fixture)
{
  return connect_full (fixture, FALSE, NULL, 0, TRUE);
}

static void
hang_up (Peer *peer)
{
  if (peer->fd >= 0)
    close (peer->fd);
  peer->fd = -1;
}

static void
peer_free (Peer *peer)
{
  hang_up (peer);
  hark_transport_set_sink (HARK_TRANSPORT (peer->socket), NULL, NULL);
  g_object_unref (peer->socket);
  g_byte_array_unref (peer->received);
  g_string_free (peer->messages, TRUE);
  g_free (peer->close_reason);
  g_free (peer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

/* Until there is nothing to do; a loop that spins fails. */
static void
iterate (void)
{
  for (guint i = 0; g_main_context_iteration (NULL, FALSE); i++)
    g_assert_cmpuint (i, <, MAX_ITERATIONS);
}

static void
send_bytes (Peer *peer, const guint8 *data, gsize len)
{
  while (len > 0)
    {
      gssize n = send (peer->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN)
        {
          g_main_context_iteration (NULL, FALSE);
          continue;
        }
      g_assert_cmpint (n, >, 0);
      data += n;
      len -= n;
    }
}

static void
send_frame (Peer *peer, guint8 first, const void *data, gsize len)
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  append_frame (frame, first, data, len);
  send_bytes (peer, frame->data, frame->len);
}

static void
send_text (Peer *peer, const char *text)
{
  send_frame (peer, 0x81, text, strlen (text));
}

/* Takes what has come. */
static void
receive (Peer *peer)
{
  guint8 data[16384];
  gssize n;
  while ((n = recv (peer->fd, data, sizeof data, MSG_DONTWAIT)) > 0)
    g_byte_array_append (peer->received, data, n);
  if (n == 0)
    peer->saw_end = TRUE;
  else if (errno != EAGAIN)
    g_assert_cmpint (errno, ==, ECONNRESET);
}

/* Reads to the end of what the server has, letting it write meanwhile. */
static void
receive_all (Peer *peer)
{
  guint before;
  do
    {
      before = peer->received->len;
      iterate ();
      receive (peer);
    }
  while (peer->received->len > before);
}

/* What the client received since the last time, as "text hello; pong x; close 1000 bye"; runs of the same are counted. */
static char *
take_frames (Peer *peer)
{
  GString *out = g_string_new (NULL);
  const guint8 *data;
  gsize at = 0;
  receive_all (peer);
  data = peer->received->data;
  while (at < peer->received->len)
    {
      guint opcode = data[at] & 0xF;
      gsize len = data[at + 1];
      gsize header = len < 126 ? 2 : len == 126 ? 4 : 10;
      const char *payload = (const char *)data + at + header;
      g_assert_cmpuint (peer->received->len - at, >=, header);
      if (len >= 126)
        {
          len = 0;
          for (guint i = 2; i < header; i++)
            len = len << 8 | data[at + i];
        }
      g_assert_cmpuint (peer->received->len - at, >=, header + len);
      if (out->len > 0)
        g_string_append (out, "; ");
      if (opcode == HARK_WEBSOCKET_CLOSE && len >= 2)
        g_string_append_printf (out, "close %u %.*s", (guint8)payload[0] << 8 | (guint8)payload[1],
                                (int)len - 2, payload + 2);
      else
        g_string_append_printf (out, "%s %.*s",
                                opcode == HARK_WEBSOCKET_TEXT     ? "text"
                                : opcode == HARK_WEBSOCKET_BINARY ? "binary"
                                : opcode == HARK_WEBSOCKET_PING   ? "ping"
                                : opcode == HARK_WEBSOCKET_PONG   ? "pong"
                                                                  : "close",
                                (int)len, payload);
      at += header + len;
    }
  g_byte_array_set_size (peer->received, 0);
  return g_string_free (out, FALSE);
}

#define assert_frames(peer, expected)                                                                        \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *frames_ = take_frames (peer);                                                           \
    g_assert_cmpstr (frames_, ==, expected);                                                                 \
  }                                                                                                          \
  G_STMT_END

static void
assert_closed (Peer *peer, guint code, const char *reason)
{
  g_assert_cmpuint (peer->n_closed, ==, 1);
  g_assert_cmpuint (peer->close_code, ==, code);
  g_assert_cmpstr (peer->close_reason, ==, reason);
}

static gboolean
send_frame_to (Peer *peer, const char *text, gsize len)
{
  g_autoptr (HarkBuffer) frame = hark_websocket_encode (HARK_WEBSOCKET_BINARY, text, len);
  return hark_transport_send (HARK_TRANSPORT (peer->socket), frame);
}

static void
test_echo (void)
{
  Fixture fixture;
  g_test_summary ("A message comes in, another goes out, and nothing is owned while the connection is idle.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->echo = TRUE;
    send_text (peer, "hello");
    assert_frames (peer, "text hello");
    g_assert_cmpstr (peer->messages->str, ==, "hello|");
    g_assert_null (peer->socket->codec.part);
    g_assert_null (peer->socket->input);
    g_assert_cmpint (figure (&fixture, "hark_websocket_received_messages_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_received_bytes_total"), ==, 11);
    g_assert_cmpint (figure (&fixture, "hark_websocket_sent_bytes_total"), ==, 7);
    g_assert_cmpint (figure (&fixture, "hark_websocket_connections"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_byte_by_byte (void)
{
  Fixture fixture;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_test_summary (
    "A message whose bytes come one at a time is the same message, and its memory is given back.");
  set_up (&fixture);
  append_frame (bytes, 0x01, "slow ", 5);
  append_frame (bytes, 0x80, "message", 7);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < bytes->len; i++)
      {
        send_bytes (peer, bytes->data + i, 1);
        iterate ();
      }
    g_assert_cmpstr (peer->messages->str, ==, "slow message|");
    g_assert_null (peer->socket->codec.part);
  }
  tear_down (&fixture);
}

static void
test_fragments (void)
{
  Fixture fixture;
  g_test_summary ("A ping between the fragments of a message is answered before the message is complete.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_frame (peer, 0x01, "one ", 4);
    send_frame (peer, 0x89, "still there?", 12);
    assert_frames (peer, "pong still there?");
    g_assert_cmpuint (peer->n_messages, ==, 0);
    send_frame (peer, 0x80, "two", 3);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "one two|");
  }
  tear_down (&fixture);
}

static void
test_early (void)
{
  Fixture fixture;
  g_autoptr (GByteArray) early = g_byte_array_new ();
  g_test_summary ("What came with the handshake is delivered first, after start and not during it.");
  set_up (&fixture);
  append_frame (early, 0x81, "first", 5);
  append_frame (early, 0x81, "second", 6);
  {
    g_autoptr (Peer) peer = connect_full (&fixture, FALSE, early->data, early->len - 3, FALSE);
    send_bytes (peer, early->data + early->len - 3, 3);
    iterate ();
    g_assert_cmpuint (peer->n_messages, ==, 0);
    hark_websocket_start (peer->socket);
    g_assert_cmpuint (peer->n_messages, ==, 0);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "first|second|");
    g_assert_null (peer->socket->input);
  }
  tear_down (&fixture);
}

static void
test_coalescing (void)
{
  Fixture fixture;
  g_test_summary ("What a turn produces for a connection is written in one system call.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->echo = TRUE;
    for (guint i = 0; i < 5; i++)
      send_text (peer, "x");
    assert_frames (peer, "text x; text x; text x; text x; text x");
    g_assert_cmpint (figure (&fixture, "hark_websocket_writes_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_sent_units_total"), ==, 5);
  }
  tear_down (&fixture);
}

static void
test_many_buffers (void)
{
  Fixture fixture;
  g_autoptr (HarkBuffer) frame = hark_websocket_encode (HARK_WEBSOCKET_TEXT, "x", 1);
  g_test_summary ("More buffers than one system call takes are written in order and let go.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < 1000; i++)
      g_assert_true (hark_transport_send (HARK_TRANSPORT (peer->socket), frame));
    g_assert_cmpuint (frame->refs, ==, 1001);
    receive_all (peer);
    g_assert_cmpuint (peer->received->len, ==, 3000);
    g_assert_cmpuint (frame->refs, ==, 1);
  }
  tear_down (&fixture);
}

static void
test_fan_out (void)
{
  Fixture fixture;
  Peer *peers[50];
  g_autoptr (HarkBuffer) frame = hark_websocket_encode (HARK_WEBSOCKET_TEXT, "news", 4);
  g_test_summary ("One frame is shared by all who receive it.");
  set_up (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      peers[i] = connect_peer (&fixture);
      g_assert_true (hark_transport_send (HARK_TRANSPORT (peers[i]->socket), frame));
    }
  g_assert_cmpuint (frame->refs, ==, 51);
  iterate ();
  g_assert_cmpuint (frame->refs, ==, 1);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      assert_frames (peers[i], "text news");
      peer_free (peers[i]);
    }
  tear_down (&fixture);
}

/* Fills the kernel's buffers and the outbox. */
static guint
fill (Peer *peer)
{
  static const char block[16384];
  guint n = 0;
  while (send_frame_to (peer, block, sizeof block))
    {
      n++;
      iterate ();
      g_assert_cmpuint (n, <, 10000);
    }
  return n;
}

static void
test_slow_reader (void)
{
  Fixture fixture;
  guint n;
  g_test_summary (
    "A reader over its bound is refused more; closed as slow, it still gets whole frames and the code.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.max_outbox = 100000;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    g_autofree char *frames = NULL;
    n = fill (peer);
    g_assert_cmpuint (HARK_TRANSPORT (peer->socket)->outbox.bytes, <=, 100000);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_SLOW, "too slow");
    g_assert_cmpuint (HARK_TRANSPORT (peer->socket)->outbox.bytes, <=, 16384 + 4 + 12);
    frames = take_frames (peer);
    g_assert_true (g_str_has_prefix (frames, "binary "));
    g_assert_true (g_str_has_suffix (frames, "; close 4008 too slow"));
    send_frame (peer, 0x88, "\x0F\xA8", 2);
    iterate ();
    assert_closed (peer, HARK_CLOSE_SLOW, "too slow");
    g_assert_cmpuint (peer->n_writable, ==, 0);
    g_assert_cmpint (figure (&fixture, "hark_websocket_slow_readers_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_slow_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_short_writes_total"), >=, 1);
  }
  g_assert_cmpuint (n, >, 6);
  tear_down (&fixture);
}

static void
test_writable (void)
{
  Fixture fixture;
  g_test_summary ("When a slow reader has caught up, the sink is told, once.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    guint n = fill (peer);
    g_assert_cmpuint (peer->n_writable, ==, 0);
    receive_all (peer);
    g_assert_cmpuint (peer->received->len, ==, n * (16384 + 4));
    g_assert_cmpuint (peer->n_writable, ==, 1);
    g_assert_true (send_frame_to (peer, "", 0));
    iterate ();
    g_assert_cmpuint (peer->n_writable, ==, 1);
    g_assert_cmpuint (peer->socket->events, ==, 1 /* EPOLLIN */);
  }
  tear_down (&fixture);
}

static void
test_slow_close_times_out (void)
{
  Fixture fixture;
  g_test_summary ("A slow reader that takes not even the close frame is dropped after the time-out.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    fill (peer);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_SLOW, "too slow");
    iterate ();
    hark_fake_clock_advance (fixture.clock, 4900);
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_fake_clock_advance (fixture.clock, 2000);
    assert_closed (peer, HARK_CLOSE_SLOW, "too slow");
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
    g_assert_cmpint (figure (&fixture, "hark_websocket_close_timeouts_total"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_message_budget (void)
{
  Fixture fixture;
  g_test_summary ("Who sends a thousand messages at once has ten of them read before others get their turn.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.message_budget = 10;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) greedy = connect_peer (&fixture);
    g_autoptr (Peer) modest = connect_peer (&fixture);
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    for (guint i = 0; i < 1000; i++)
      append_frame (bytes, 0x81, "x", 1);
    send_bytes (greedy, bytes->data, bytes->len);
    send_text (modest, "y");
    g_main_context_iteration (NULL, FALSE);
    g_assert_cmpuint (greedy->n_messages, ==, 10);
    g_assert_cmpuint (modest->n_messages, ==, 1);
    send_text (modest, "y");
    g_main_context_iteration (NULL, FALSE);
    g_assert_cmpuint (greedy->n_messages, ==, 20);
    g_assert_cmpuint (modest->n_messages, ==, 2);
    iterate ();
    g_assert_cmpuint (greedy->n_messages, ==, 1000);
    g_assert_null (greedy->socket->input);
    g_assert_cmpint (figure (&fixture, "hark_websocket_budgets_total"), ==, 99);
  }
  tear_down (&fixture);
}

static void
test_read_budget (void)
{
  Fixture fixture;
  g_test_summary ("No more than the budget's bytes are read from one connection in a turn.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.read_budget = 1000;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) greedy = connect_peer (&fixture);
    g_autoptr (Peer) modest = connect_peer (&fixture);
    send_frame (greedy, 0x82, NULL, 10000);
    send_text (modest, "y");
    g_main_context_iteration (NULL, FALSE);
    g_assert_cmpint (figure (&fixture, "hark_websocket_received_bytes_total"), ==, 1000 + 7);
    g_assert_cmpuint (modest->n_messages, ==, 1);
    iterate ();
    g_assert_cmpuint (greedy->messages->len, ==, 10001);
  }
  tear_down (&fixture);
}

static void
test_latest_ping (void)
{
  Fixture fixture;
  g_test_summary ("Of several pings in one turn the latest is answered.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_frame (peer, 0x89, "1", 1);
    send_frame (peer, 0x89, "2", 1);
    send_frame (peer, 0x89, "3", 1);
    assert_frames (peer, "pong 3");
    g_assert_cmpint (figure (&fixture, "hark_websocket_dropped_pongs_total"), ==, 2);
    send_frame (peer, 0x89, "4", 1);
    assert_frames (peer, "pong 4");
  }
  tear_down (&fixture);
}

static void
test_pongs_of_slow_reader (void)
{
  Fixture fixture;
  g_test_summary ("Pings of a client that reads nothing do not fill its outbox.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    g_autofree char *frames = NULL;
    guint count;
    fill (peer);
    count = HARK_TRANSPORT (peer->socket)->outbox.count;
    for (guint i = 0; i < 30; i++)
      {
        send_frame (peer, 0x89, "again", 5);
        iterate ();
      }
    g_assert_cmpuint (HARK_TRANSPORT (peer->socket)->outbox.count, <=, count + 1);
    frames = take_frames (peer);
    g_assert_true (g_str_has_suffix (frames, "; pong again"));
    g_assert_cmpuint (peer->n_closed, ==, 0);
  }
  tear_down (&fixture);
}

static void
test_ping_flood (void)
{
  Fixture fixture;
  g_test_summary ("More pings in a second than are allowed end the connection as abuse.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < fixture.limits.max_pings_per_second + 1; i++)
      send_frame (peer, 0x89, "", 0);
    send_text (peer, "not read any more");
    assert_frames (peer, "close 1008 too many pings");
    assert_closed (peer, HARK_CLOSE_POLICY, "too many pings");
    g_assert_cmpuint (peer->n_messages, ==, 0);
    g_assert_true (peer->saw_end);
    g_assert_cmpint (figure (&fixture, "hark_websocket_abuse_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_policy_total"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_ping_rate (void)
{
  Fixture fixture;
  g_test_summary ("Pings are counted per second, not over the life of a connection.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint second = 0; second < 5; second++)
      {
        for (guint i = 0; i < fixture.limits.max_pings_per_second; i++)
          send_frame (peer, 0x89, "", 0);
        assert_frames (peer, "pong ");
        hark_fake_clock_advance (fixture.clock, 1000);
      }
    g_assert_cmpuint (peer->n_closed, ==, 0);
  }
  tear_down (&fixture);
}

static void
test_idle (void)
{
  Fixture fixture;
  g_test_summary ("A silent client is pinged, and closed when it does not answer.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_fake_clock_advance (fixture.clock, 24900);
    assert_frames (peer, "");
    hark_fake_clock_advance (fixture.clock, 2000);
    assert_frames (peer, "ping ");
    hark_fake_clock_advance (fixture.clock, 17900);
    assert_frames (peer, "");
    hark_fake_clock_advance (fixture.clock, 3500);
    assert_frames (peer, "close 4002 no answer to our ping");
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_fake_clock_advance (fixture.clock, 7000);
    assert_closed (peer, HARK_CLOSE_IDLE, "no answer to our ping");
    g_assert_cmpint (figure (&fixture, "hark_websocket_idle_timeouts_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_idle_total"), ==, 1);
    g_assert_cmpint (figure (&fixture, "hark_websocket_connections"), ==, 0);
  }
  tear_down (&fixture);
}

static void
test_answered_ping (void)
{
  Fixture fixture;
  g_test_summary ("A client that answers each ping stays.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < 20; i++)
      {
        hark_fake_clock_advance (fixture.clock, 27000);
        assert_frames (peer, "ping ");
        send_frame (peer, 0x8A, "", 0);
        iterate ();
      }
    g_assert_cmpuint (peer->n_closed, ==, 0);
    g_assert_cmpint (figure (&fixture, "hark_websocket_heartbeats_total"), ==, 20);
  }
  tear_down (&fixture);
}

static void
test_active_is_not_pinged (void)
{
  Fixture fixture;
  g_test_summary ("A client that speaks is not pinged.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < 30; i++)
      {
        hark_fake_clock_advance (fixture.clock, 10000);
        send_text (peer, "x");
        assert_frames (peer, "");
      }
  }
  tear_down (&fixture);
}

static void
test_no_heartbeat (void)
{
  Fixture fixture;
  g_test_summary ("With the heartbeat switched off a silent client is left alone.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.heartbeat_ms = 0;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_fake_clock_advance (fixture.clock, 1000000);
    assert_frames (peer, "");
    g_assert_cmpuint (peer->n_closed, ==, 0);
  }
  tear_down (&fixture);
}

static void
test_peer_closes (void)
{
  Fixture fixture;
  g_test_summary ("A peer's close is answered with its code, reported with its reason, and the stream ends.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_frame (peer, 0x88, "\x0F\xA0 done", 7);
    assert_frames (peer, "close 4000 ");
    assert_closed (peer, 4000, " done");
    g_assert_true (peer->saw_end);
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 1);
    hang_up (peer);
    iterate ();
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
    g_assert_cmpuint (peer->n_closed, ==, 1);
  }
  tear_down (&fixture);
}

static void
test_peer_closes_without_code (void)
{
  Fixture fixture;
  g_test_summary ("A close without a code is answered without one.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_frame (peer, 0x88, "", 0);
    assert_frames (peer, "close ");
    assert_closed (peer, HARK_CLOSE_NO_STATUS, "");
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_no_status_total"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_peer_closes_after_messages (void)
{
  Fixture fixture;
  g_test_summary ("Answers that were queued before the peer's close arrive before its echo.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->echo = TRUE;
    send_text (peer, "a");
    send_frame (peer, 0x89, "p", 1);
    send_frame (peer, 0x88, "\x03\xE8", 2);
    send_text (peer, "late");
    assert_frames (peer, "text a; close 1000 ");
    assert_closed (peer, HARK_CLOSE_NORMAL, "");
    g_assert_cmpstr (peer->messages->str, ==, "a|");
  }
  tear_down (&fixture);
}

static void
test_lingering_times_out (void)
{
  Fixture fixture;
  g_test_summary (
    "A peer that keeps its end open after the closing handshake is dropped, without another report.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_frame (peer, 0x88, "\x03\xE8", 2);
    assert_frames (peer, "close 1000 ");
    send_text (peer, "and another thing");
    iterate ();
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 1);
    hark_fake_clock_advance (fixture.clock, 7000);
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
    assert_closed (peer, HARK_CLOSE_NORMAL, "");
    g_assert_cmpuint (peer->n_messages, ==, 0);
  }
  tear_down (&fixture);
}

static void
test_we_close (void)
{
  Fixture fixture;
  g_test_summary ("What was queued is written, then our close frame; the peer's answer ends it.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    HarkTransport *transport = HARK_TRANSPORT (peer->socket);
    g_assert_true (send_frame_to (peer, "last", 4));
    hark_transport_close (transport, HARK_CLOSE_DISCONNECTED, "by an administrator");
    hark_transport_close (transport, HARK_CLOSE_NORMAL, "a second time");
    g_assert_true (send_frame_to (peer, "not wanted", 10));
    send_text (peer, "crossing");
    assert_frames (peer, "binary last; close 4010 by an administrator");
    g_assert_cmpuint (peer->n_messages, ==, 0);
    g_assert_cmpuint (peer->n_closed, ==, 0);
    send_frame (peer, 0x88, "\x03\xE8", 2);
    receive_all (peer);
    assert_closed (peer, HARK_CLOSE_DISCONNECTED, "by an administrator");
    g_assert_true (peer->saw_end);
    g_assert_cmpuint (peer->received->len, ==, 0);
    hang_up (peer);
    iterate ();
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
  }
  tear_down (&fixture);
}

static void
test_we_close_and_peer_cuts (void)
{
  Fixture fixture;
  g_test_summary ("A peer that answers our close by hanging up is reported with our code.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_RESTART, NULL);
    assert_frames (peer, "close 1012 ");
    hang_up (peer);
    iterate ();
    assert_closed (peer, HARK_CLOSE_RESTART, "");
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_restart_total"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_we_close_and_peer_errs (void)
{
  Fixture fixture;
  g_test_summary ("A peer that answers our close with nonsense ends the wait.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_NORMAL, "bye");
    assert_frames (peer, "close 1000 bye");
    send_frame (peer, 0x83, "", 0);
    assert_frames (peer, "");
    assert_closed (peer, HARK_CLOSE_NORMAL, "bye");
    g_assert_true (peer->saw_end);
  }
  tear_down (&fixture);
}

static void
test_close_times_out (void)
{
  Fixture fixture;
  g_test_summary ("A peer that does not answer our close is dropped after the time-out.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_NORMAL, "bye");
    assert_frames (peer, "close 1000 bye");
    hark_fake_clock_advance (fixture.clock, 4900);
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_fake_clock_advance (fixture.clock, 1500);
    assert_closed (peer, HARK_CLOSE_NORMAL, "bye");
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
  }
  tear_down (&fixture);
}

static void
test_close_in_message (void)
{
  Fixture fixture;
  g_test_summary (
    "Closed by who receives a message, a transport delivers no other, though it was read with it.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->close_at = 1;
    send_text (peer, "a");
    send_text (peer, "b");
    send_frame (peer, 0x88, "\x03\xE8", 2);
    assert_frames (peer, "close 1000 enough");
    g_assert_cmpstr (peer->messages->str, ==, "a|");
    assert_closed (peer, HARK_CLOSE_NORMAL, "enough");
  }
  tear_down (&fixture);
}

static void
test_close_before_start (void)
{
  Fixture fixture;
  g_test_summary ("A transport closed before it was started says so to its peer and ends.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_full (&fixture, FALSE, NULL, 0, FALSE);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_TRY_LATER, "full");
    assert_frames (peer, "close 1013 full");
    send_frame (peer, 0x88, "\x03\xF5", 2);
    iterate ();
    assert_closed (peer, HARK_CLOSE_TRY_LATER, "full");
  }
  tear_down (&fixture);
}

static const struct
{
  const char *name;
  guint8 first;
  const char *data;
  gsize len;
  guint code;
  const char *frames;
  const char *counter;
} failures[] = {
  { "protocol-error", 0x83, "", 0, 1002, "close 1002 reserved opcode",
    "hark_websocket_disconnects_protocol_error_total" },
  { "invalid-data", 0x81, "\xFF", 1, 1007, "close 1007 text is not UTF-8",
    "hark_websocket_disconnects_invalid_data_total" },
  { "too-large", 0x82, NULL, 65537, 1009, "close 1009 message is too large",
    "hark_websocket_too_large_total" },
};

static void
test_failure (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Fixture fixture;
  g_test_summary (
    "A client that breaks a rule is told which, nothing more of it is read, and the stream ends.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    g_autoptr (GByteArray) bytes = g_byte_array_new ();
    append_frame (bytes, failures[i].first, failures[i].data, failures[i].len);
    append_frame (bytes, 0x81, "more", 4);
    send_bytes (peer, bytes->data, bytes->len);
    assert_frames (peer, failures[i].frames);
    assert_closed (peer, failures[i].code, strchr (failures[i].frames, ' ') + 6);
    g_assert_cmpuint (peer->n_messages, ==, 0);
    g_assert_true (peer->saw_end);
    g_assert_cmpint (figure (&fixture, failures[i].counter), ==, 1);
    hang_up (peer);
    iterate ();
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
  }
  tear_down (&fixture);
}

static void
test_cut (void)
{
  Fixture fixture;
  g_test_summary ("A stream that ends without a close frame ends the transport as abnormal.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    send_text (peer, "a");
    send_frame (peer, 0x01, "unfinished", 10);
    hang_up (peer);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|");
    assert_closed (peer, HARK_CLOSE_ABNORMAL, "");
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
    g_assert_cmpint (figure (&fixture, "hark_websocket_disconnects_abnormal_total"), ==, 1);
  }
  tear_down (&fixture);
}

static void
test_reset_in_flush (void)
{
  Fixture fixture;
  g_test_summary ("A connection that breaks while the turn is written ends alone; the others get theirs.");
  set_up (&fixture);
  {
    g_autoptr (Peer) broken = connect_peer (&fixture);
    g_autoptr (Peer) other = connect_peer (&fixture);
    hang_up (broken);
    g_assert_true (send_frame_to (broken, "x", 1));
    g_assert_true (send_frame_to (other, "y", 1));
    hark_turn_end (fixture.turn);
    assert_closed (broken, HARK_CLOSE_ABNORMAL, "");
    assert_frames (other, "binary y");
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 1);
    g_assert_true (send_frame_to (broken, "after the end", 13));
    hark_transport_set_reading (HARK_TRANSPORT (broken->socket), FALSE);
    hark_transport_close (HARK_TRANSPORT (broken->socket), HARK_CLOSE_NORMAL, NULL);
    iterate ();
    g_assert_cmpuint (broken->n_closed, ==, 1);
  }
  tear_down (&fixture);
}

static void
test_pause (void)
{
  Fixture fixture;
  g_test_summary (
    "Paused in the middle of what was read, nothing is delivered until it goes on, and nothing is lost.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->pause_at = 2;
    for (guint i = 0; i < 4; i++)
      send_text (peer, (const char *[]){ "a", "b", "c", "d" }[i]);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|b|");
    send_text (peer, "e");
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|b|");
    hark_fake_clock_advance (fixture.clock, 600000);
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_transport_set_reading (HARK_TRANSPORT (peer->socket), TRUE);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|b|c|d|e|");
    g_assert_null (peer->socket->input);
  }
  tear_down (&fixture);
}

static void
test_pause_and_cut (void)
{
  Fixture fixture;
  g_test_summary (
    "A peer that hangs up while it is not read from does not spin the loop, and what it sent is read later.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_transport_set_reading (HARK_TRANSPORT (peer->socket), FALSE);
    send_text (peer, "a");
    hang_up (peer);
    iterate ();
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_transport_set_reading (HARK_TRANSPORT (peer->socket), TRUE);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|");
    assert_closed (peer, HARK_CLOSE_ABNORMAL, "");
  }
  tear_down (&fixture);
}

static void
test_pause_and_close (void)
{
  Fixture fixture;
  g_test_summary ("Closing a paused transport reads on, for the peer's close frame.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->pause_at = 1;
    send_text (peer, "a");
    send_text (peer, "b");
    send_frame (peer, 0x88, "\x03\xE8", 2);
    iterate ();
    g_assert_cmpuint (peer->n_closed, ==, 0);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_UNAUTHENTICATED, "token revoked");
    assert_frames (peer, "close 4001 token revoked");
    g_assert_cmpstr (peer->messages->str, ==, "a|");
    assert_closed (peer, HARK_CLOSE_UNAUTHENTICATED, "token revoked");
  }
  tear_down (&fixture);
}

static void
test_deflate (void)
{
  Fixture fixture;
  g_test_summary ("With permessage-deflate a compressed message is read; without, it is an error.");
  set_up (&fixture);
  {
    g_autoptr (Peer) with = connect_full (&fixture, TRUE, NULL, 0, TRUE);
    g_autoptr (Peer) without = connect_peer (&fixture);
    g_assert_true (hark_websocket_is_deflate (with->socket));
    g_assert_false (hark_websocket_is_deflate (without->socket));
    send_frame (with, 0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00", 7);
    send_frame (without, 0xC1, "\xF2\x48\xCD\xC9\xC9\x07\x00", 7);
    assert_frames (with, "");
    g_assert_cmpstr (with->messages->str, ==, "Hello|");
    assert_frames (without, "close 1002 reserved bit set");
  }
  tear_down (&fixture);
}

static void
test_destroy (void)
{
  Fixture fixture;
  Peer *peers[20];
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_test_summary ("A reactor that goes ends its connections, whatever they hold, and each is told once.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.message_budget = 1;
  set_up_with (&fixture, &fixture.limits);
  append_frame (bytes, 0x41, "\xF2\x48", 2);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      peers[i] = connect_full (&fixture, TRUE, NULL, 0, TRUE);
      if (i % 4 == 1)
        send_bytes (peers[i], bytes->data, bytes->len);
      if (i % 4 == 2)
        fill (peers[i]);
    }
  iterate ();
  for (guint i = 3; i < G_N_ELEMENTS (peers); i += 4)
    {
      send_text (peers[i], "x");
      send_text (peers[i], "y");
      send_frame_to (peers[i], "z", 1);
    }
  g_main_context_iteration (NULL, FALSE);
  send_frame_to (peers[3], "z", 1);
  g_assert_finalize_object (g_steal_pointer (&fixture.reactor));
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      assert_closed (peers[i], HARK_CLOSE_GOING_AWAY, "");
      peer_free (peers[i]);
    }
  tear_down (&fixture);
}

static void
test_destroy_in_closed (void)
{
  Fixture fixture;
  g_test_summary ("The reactor may be let go of by who is told of a connection's end.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    g_autoptr (Peer) other = connect_peer (&fixture);
    peer->ends_reactor = TRUE;
    hang_up (peer);
    iterate ();
    assert_closed (peer, HARK_CLOSE_ABNORMAL, "");
    assert_closed (other, HARK_CLOSE_GOING_AWAY, "");
    g_assert_null (fixture.reactor);
  }
  tear_down (&fixture);
}

static void
test_close_all (void)
{
  Fixture fixture;
  Peer *peers[10];
  g_test_summary ("All connections are told that the daemon goes, and all go.");
  set_up (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    peers[i] = connect_peer (&fixture);
  hark_reactor_close_all (fixture.reactor, HARK_CLOSE_RESTART, "restart");
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    {
      assert_frames (peers[i], "close 1012 restart");
      send_frame (peers[i], 0x88, "\x03\xF4", 2);
      iterate ();
      hang_up (peers[i]);
      iterate ();
      assert_closed (peers[i], HARK_CLOSE_RESTART, "restart");
      peer_free (peers[i]);
    }
  g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
  tear_down (&fixture);
}

static void
test_come_and_go (void)
{
  Fixture fixture;
  GPtrArray *peers = g_ptr_array_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_test_summary ("Connections that come and go in any order leave the others as they were.");
  set_up (&fixture);
  for (guint i = 0; i < 400; i++)
    {
      if (peers->len < 30 || g_rand_boolean (rand))
        {
          g_ptr_array_add (peers, connect_peer (&fixture));
        }
      else
        {
          Peer *peer = g_ptr_array_remove_index_fast (peers, g_rand_int_range (rand, 0, peers->len));
          hang_up (peer);
          iterate ();
          assert_closed (peer, HARK_CLOSE_ABNORMAL, "");
          peer_free (peer);
        }
      g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, peers->len);
    }
  for (guint i = 0; i < peers->len; i++)
    {
      Peer *peer = peers->pdata[i];
      peer->echo = TRUE;
      send_text (peer, "x");
      assert_frames (peer, "text x");
      peer_free (peer);
    }
  g_ptr_array_unref (peers);
  tear_down (&fixture);
}

static void
test_address (void)
{
  Fixture fixture;
  g_test_summary ("A transport knows its address, also when it has ended, and what it is.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    g_autofree char *address = NULL;
    hang_up (peer);
    iterate ();
    address = hark_transport_dup_address (HARK_TRANSPORT (peer->socket));
    g_assert_cmpstr (address, ==, "192.0.2.7:4000");
    g_assert_cmpstr (hark_transport_get_name (HARK_TRANSPORT (peer->socket)), ==, "websocket");
  }
  tear_down (&fixture);
}

static void
test_size (void)
{
  g_test_summary ("An idle connection's object stays within 256 bytes.");
  g_assert_cmpuint (sizeof (HarkWebSocket), <=, 256);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reactor/echo", test_echo);
  g_test_add_func ("/reactor/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/reactor/fragments", test_fragments);
  g_test_add_func ("/reactor/early", test_early);
  g_test_add_func ("/reactor/coalescing", test_coalescing);
  g_test_add_func ("/reactor/many-buffers", test_many_buffers);
  g_test_add_func ("/reactor/fan-out", test_fan_out);
  g_test_add_func ("/reactor/slow-reader", test_slow_reader);
  g_test_add_func ("/reactor/writable", test_writable);
  g_test_add_func ("/reactor/slow-close-times-out", test_slow_close_times_out);
  g_test_add_func ("/reactor/message-budget", test_message_budget);
  g_test_add_func ("/reactor/read-budget", test_read_budget);
  g_test_add_func ("/reactor/latest-ping", test_latest_ping);
  g_test_add_func ("/reactor/pongs-of-slow-reader", test_pongs_of_slow_reader);
  g_test_add_func ("/reactor/ping-flood", test_ping_flood);
  g_test_add_func ("/reactor/ping-rate", test_ping_rate);
  g_test_add_func ("/reactor/idle", test_idle);
  g_test_add_func ("/reactor/answered-ping", test_answered_ping);
  g_test_add_func ("/reactor/active-is-not-pinged", test_active_is_not_pinged);
  g_test_add_func ("/reactor/no-heartbeat", test_no_heartbeat);
  g_test_add_func ("/reactor/peer-closes", test_peer_closes);
  g_test_add_func ("/reactor/peer-closes-without-code", test_peer_closes_without_code);
  g_test_add_func ("/reactor/peer-closes-after-messages", test_peer_closes_after_messages);
  g_test_add_func ("/reactor/lingering-times-out", test_lingering_times_out);
  g_test_add_func ("/reactor/we-close", test_we_close);
  g_test_add_func ("/reactor/we-close-and-peer-cuts", test_we_close_and_peer_cuts);
  g_test_add_func ("/reactor/we-close-and-peer-errs", test_we_close_and_peer_errs);
  g_test_add_func ("/reactor/close-times-out", test_close_times_out);
  g_test_add_func ("/reactor/close-in-message", test_close_in_message);
  g_test_add_func ("/reactor/close-before-start", test_close_before_start);
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path = g_strdup_printf ("/reactor/failure/%s", failures[i].name);
      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_failure);
    }
  g_test_add_func ("/reactor/cut", test_cut);
  g_test_add_func ("/reactor/reset-in-flush", test_reset_in_flush);
  g_test_add_func ("/reactor/pause", test_pause);
  g_test_add_func ("/reactor/pause-and-cut", test_pause_and_cut);
  g_test_add_func ("/reactor/pause-and-close", test_pause_and_close);
  g_test_add_func ("/reactor/deflate", test_deflate);
  g_test_add_func ("/reactor/destroy", test_destroy);
  g_test_add_func ("/reactor/destroy-in-closed", test_destroy_in_closed);
  g_test_add_func ("/reactor/close-all", test_close_all);
  g_test_add_func ("/reactor/come-and-go", test_come_and_go);
  g_test_add_func ("/reactor/address", test_address);
  g_test_add_func ("/reactor/size", test_size);
  return g_test_run ();
}
