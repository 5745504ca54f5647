/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one connection does, with raw bytes at its other end and time moved by hand. */
#include "peer.h"

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
test_slow_reader (void)
{
  Fixture fixture;
  guint n;
  g_test_summary ("A reader over its bound is refused more; closed as slow, it still gets whole frames and the code.");
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
    guint n = fill_kernel (peer);
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
test_close_of_full_outbox (void)
{
  Fixture fixture;
  g_test_summary ("An outbox that takes no more buffers still takes the close frame.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    static const char block[16384];
    g_autofree char *frames = NULL;
    while (!peer->socket->stalled)
      {
        g_assert_true (send_frame_to (peer, block, sizeof block));
        iterate ();
      }
    while (send_frame_to (peer, "", 0))
      g_assert_cmpuint (HARK_TRANSPORT (peer->socket)->outbox.bytes, <, 500000);
    hark_transport_close (HARK_TRANSPORT (peer->socket), HARK_CLOSE_NORMAL, "bye");
    frames = take_frames (peer);
    g_assert_true (g_str_has_suffix (frames, "; close 1000 bye"));
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
test_pongs_of_trickling_reader (void)
{
  Fixture fixture;
  g_test_summary ("A client that reads a little between its pings has at most one pong in its outbox and one waiting.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    HarkOutbox *outbox = &HARK_TRANSPORT (peer->socket)->outbox;
    g_autofree char *some = g_malloc (40000);
    guint n_pongs = 0;
    fill (peer);
    for (guint i = 0; i < 20; i++)
      {
        guint small = 0;
        send_frame (peer, 0x89, "again", 5);
        g_assert_cmpint (recv (peer->fd, some, 40000, 0), >, 0);
        iterate ();
        for (guint k = 0; k < outbox->count; k++)
          small += outbox->items[(outbox->head + k) & (outbox->capacity - 1)]->len == 7;
        g_assert_cmpuint (small, <=, 1);
        n_pongs += small;
      }
    g_assert_cmpuint (n_pongs, >, 0);
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
  g_test_summary ("A peer that keeps its end open after the closing handshake is dropped, without another report.");
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
  g_test_summary ("Closed by who receives a message, a transport delivers no other, though it was read with it.");
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
  { "too-large", 0x82, NULL, 65537, 1009, "close 1009 message is too large", "hark_websocket_too_large_total" },
};

static void
test_failure (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Fixture fixture;
  g_test_summary ("A client that breaks a rule is told which, nothing more of it is read, and the stream ends.");
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
test_pause (void)
{
  Fixture fixture;
  g_test_summary ("Paused in the middle of what was read, nothing is delivered until it goes on, and nothing is lost.");
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
  g_test_add_func ("/websocket/fragments", test_fragments);
  g_test_add_func ("/websocket/slow-reader", test_slow_reader);
  g_test_add_func ("/websocket/writable", test_writable);
  g_test_add_func ("/websocket/slow-close-times-out", test_slow_close_times_out);
  g_test_add_func ("/websocket/close-of-full-outbox", test_close_of_full_outbox);
  g_test_add_func ("/websocket/latest-ping", test_latest_ping);
  g_test_add_func ("/websocket/pongs-of-slow-reader", test_pongs_of_slow_reader);
  g_test_add_func ("/websocket/pongs-of-trickling-reader", test_pongs_of_trickling_reader);
  g_test_add_func ("/websocket/ping-flood", test_ping_flood);
  g_test_add_func ("/websocket/ping-rate", test_ping_rate);
  g_test_add_func ("/websocket/idle", test_idle);
  g_test_add_func ("/websocket/answered-ping", test_answered_ping);
  g_test_add_func ("/websocket/active-is-not-pinged", test_active_is_not_pinged);
  g_test_add_func ("/websocket/no-heartbeat", test_no_heartbeat);
  g_test_add_func ("/websocket/peer-closes", test_peer_closes);
  g_test_add_func ("/websocket/peer-closes-without-code", test_peer_closes_without_code);
  g_test_add_func ("/websocket/peer-closes-after-messages", test_peer_closes_after_messages);
  g_test_add_func ("/websocket/lingering-times-out", test_lingering_times_out);
  g_test_add_func ("/websocket/we-close", test_we_close);
  g_test_add_func ("/websocket/we-close-and-peer-cuts", test_we_close_and_peer_cuts);
  g_test_add_func ("/websocket/we-close-and-peer-errs", test_we_close_and_peer_errs);
  g_test_add_func ("/websocket/close-times-out", test_close_times_out);
  g_test_add_func ("/websocket/close-in-message", test_close_in_message);
  g_test_add_func ("/websocket/close-before-start", test_close_before_start);
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path = g_strdup_printf ("/websocket/failure/%s", failures[i].name);
      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_failure);
    }
  g_test_add_func ("/websocket/cut", test_cut);
  g_test_add_func ("/websocket/pause", test_pause);
  g_test_add_func ("/websocket/pause-and-cut", test_pause_and_cut);
  g_test_add_func ("/websocket/pause-and-close", test_pause_and_close);
  g_test_add_func ("/websocket/deflate", test_deflate);
  g_test_add_func ("/websocket/address", test_address);
  g_test_add_func ("/websocket/size", test_size);
  return g_test_run ();
}
