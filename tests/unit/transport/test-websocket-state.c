/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection that goes on in another reactor, as in another process: wherever it is cut, nobody can tell. */
#include "peer.h"

#include "transport/websocket-state.h"

/* The other process has a reactor of its own; what it knows has been through bytes. */
static void
move (Peer *peer)
{
  g_autoptr (GVariant) saved = g_variant_ref_sink (hark_websocket_save (peer->socket));
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (saved);
  g_autoptr (GVariant) state
    = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (HARK_WEBSOCKET_STATE_TYPE), bytes, FALSE));
  g_autoptr (HarkWebSocket) before = peer->socket;
  g_autoptr (GError) error = NULL;
  int fd = hark_websocket_steal_fd (before);
  hark_transport_set_sink (HARK_TRANSPORT (before), NULL, NULL);
  g_assert_cmpint (hark_websocket_get_fd (before), ==, -1);
  peer->socket = hark_websocket_restore (peer->fixture->reactor, fd, state, &error);
  g_assert_no_error (error);
  g_object_ref (peer->socket);
  hark_transport_set_sink (HARK_TRANSPORT (peer->socket), &peer_sink, peer);
  hark_websocket_start (peer->socket);
}

static void
test_any_cut (void)
{
  Fixture fixture;
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autofree char *large = g_strnfill (300, 'l');
  g_test_summary (
    "Wherever in headers, fragments and pings it is cut, the same messages arrive and the ping is answered.");
  append_frame (stream, 0x81, "first", 5);
  append_frame (stream, 0x01, "\xc3", 1);
  append_frame (stream, 0x89, "still there?", 12);
  append_frame (stream, 0x00, "\xa4 mid", 5);
  append_frame (stream, 0x80, large, 300);
  append_frame (stream, 0x82, "last", 4);
  set_up (&fixture);
  for (gsize cut = 0; cut <= stream->len; cut++)
    {
      g_autoptr (Peer) peer = connect_peer (&fixture);
      g_autofree char *expected = g_strdup_printf ("first|\xc3\xa4 mid%s|last|", large);
      send_bytes (peer, stream->data, cut);
      iterate ();
      move (peer);
      send_bytes (peer, stream->data + cut, stream->len - cut);
      iterate ();
      g_assert_cmpstr (peer->messages->str, ==, expected);
      assert_frames (peer, "pong still there?");
      hang_up (peer);
      iterate ();
      g_assert_cmpuint (peer->n_closed, ==, 1);
    }
  tear_down (&fixture);
}

static void
test_half_written (void)
{
  Fixture fixture;
  g_test_summary ("A frame that the kernel took half of is written to its end, and what waited behind it follows.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    guint n = fill_kernel (peer);
    g_autoptr (HarkBuffer) last = hark_websocket_encode (HARK_WEBSOCKET_TEXT, "end", 3);
    last->key = 7;
    last->seq = 8;
    last->rev = 9;
    g_assert_true (hark_transport_send (HARK_TRANSPORT (peer->socket), last));
    move (peer);
    g_assert_cmpint (hark_outbox_get_unsent_rev (&HARK_TRANSPORT (peer->socket)->outbox), ==, 9);
    receive_all (peer);
    g_assert_cmpuint (peer->received->len, ==, n * (16384 + 4) + 5);
    g_assert_cmpmem (peer->received->data + peer->received->len - 3, 3, "end", 3);
    send_text (peer, "and on");
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "and on|");
  }
  tear_down (&fixture);
}

static void
test_unread (void)
{
  Fixture fixture;
  g_test_summary ("While nothing is read, what comes waits with the kernel, and is there for who goes on.");
  set_up (&fixture);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    hark_reactor_set_reading (fixture.reactor, FALSE);
    send_text (peer, "waits");
    iterate ();
    g_assert_cmpuint (peer->n_messages, ==, 0);
    move (peer);
    iterate ();
    g_assert_cmpuint (peer->n_messages, ==, 0);
    hark_reactor_set_reading (fixture.reactor, TRUE);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "waits|");
  }
  tear_down (&fixture);
}

static void
test_left_over (void)
{
  Fixture fixture;
  g_test_summary ("What was read and not parsed, because its turn was over, goes along.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.message_budget = 1;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    for (guint i = 0; i < 4; i++)
      send_text (peer, "m");
    while (peer->n_messages == 0)
      g_main_context_iteration (NULL, FALSE);
    g_assert_nonnull (peer->socket->input);
    move (peer);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "m|m|m|m|");
  }
  tear_down (&fixture);
}

static void
test_cannot (void)
{
  Fixture fixture;
  g_test_summary ("One that is closing cannot go on elsewhere, and one in the middle of a compressed message cannot.");
  set_up (&fixture);
  {
    g_autoptr (Peer) closing = connect_peer (&fixture);
    g_autoptr (Peer) compressed = connect_full (&fixture, TRUE, NULL, 0, TRUE);
    g_assert_true (hark_websocket_can_be_saved (closing->socket));
    hark_transport_close (HARK_TRANSPORT (closing->socket), HARK_CLOSE_NORMAL, "bye");
    g_assert_false (hark_websocket_can_be_saved (closing->socket));
    g_assert_true (hark_websocket_can_be_saved (compressed->socket));
    send_frame (compressed, 0x41, "\xf2\x48", 2);
    iterate ();
    g_assert_false (hark_websocket_can_be_saved (compressed->socket));
  }
  tear_down (&fixture);
}

static void
test_bad_states (void)
{
  static const char *const states[] = {
    "('unix', false, b'12345678901234', nothing, @ay [], @a(aytxx) [], @ay [], @a{sv} {})",
    "('unix', false, @ay [], just (byte 9, uint64 0, uint64 0, uint32 0, @ay [], @ay []), @ay [], [], [], {})",
    "('unix', false, @ay [], just (byte 1, uint64 0, uint64 0, uint32 0, [byte 0xff], @ay []), @ay [], [], [], {})",
  };
  Fixture fixture;
  g_test_summary ("A state that cannot be is refused, and the connection cut.");
  set_up (&fixture);
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autoptr (GVariant) state = NULL;
      g_autoptr (GError) error = NULL;
      guint8 byte;
      int fds[2];
      state = g_variant_parse (G_VARIANT_TYPE (HARK_WEBSOCKET_STATE_TYPE), states[i], NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
      g_assert_null (hark_websocket_restore (fixture.reactor, fds[0], state, &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_assert_cmpint (recv (fds[1], &byte, 1, MSG_DONTWAIT), ==, 0);
      close (fds[1]);
      iterate ();
    }
  tear_down (&fixture);
}

static gint64
get_rev (gpointer data)
{
  return *(gint64 *)data;
}

static void
test_marks (void)
{
  Fixture fixture;
  HarkTransportLog log = { 0 };
  HarkTransportMark mark = { HARK_MARK_READING, 0 };
  gint64 rev = 5;
  g_test_summary (
    "Its mark says whether it is at a border: not in a frame, not while an answer is due, not while it is written to.");
  set_up (&fixture);
  hark_reactor_set_log (fixture.reactor, &log, get_rev, &rev);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    HARK_TRANSPORT (peer->socket)->mark = &mark;
    send_text (peer, "whole");
    iterate ();
    g_assert_cmpuint (mark.flags, ==, 0);
    g_assert_cmpuint (mark.turn, ==, log.turn);
    g_assert_cmpint (log.rev, ==, 5);
    g_assert_false (log.is_flushing);
    send_bytes (peer, (const guint8 *)"\x81", 1);
    iterate ();
    g_assert_cmpuint (mark.flags, ==, HARK_MARK_READING);
    send_bytes (peer, (const guint8 *)"\x80\x01\x02\x03\x04", 5);
    iterate ();
    g_assert_cmpuint (mark.flags, ==, 0);
    HARK_TRANSPORT (peer->socket)->owes = TRUE;
    send_text (peer, "asks");
    iterate ();
    g_assert_cmpuint (mark.flags, ==, HARK_MARK_READING);
    HARK_TRANSPORT (peer->socket)->owes = FALSE;
    rev = 6;
    fill_kernel (peer);
    g_assert_cmpuint (mark.flags & HARK_MARK_WRITING, ==, HARK_MARK_WRITING);
    g_assert_cmpint (log.rev, ==, 6);
    receive_all (peer);
    g_assert_cmpuint (mark.flags, ==, 0);
    HARK_TRANSPORT (peer->socket)->mark = NULL;
  }
  tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/transport/websocket-state/any-cut", test_any_cut);
  g_test_add_func ("/transport/websocket-state/half-written", test_half_written);
  g_test_add_func ("/transport/websocket-state/unread", test_unread);
  g_test_add_func ("/transport/websocket-state/left-over", test_left_over);
  g_test_add_func ("/transport/websocket-state/cannot", test_cannot);
  g_test_add_func ("/transport/websocket-state/bad-states", test_bad_states);
  g_test_add_func ("/transport/websocket-state/marks", test_marks);
  return g_test_run ();
}
