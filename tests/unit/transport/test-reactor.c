/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the reactor does for all connections together: turns, budgets, coming and going. */
#include "peer.h"

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
  g_test_summary ("A message whose bytes come one at a time is the same message, and its memory is given back.");
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
    send_text (greedy, "last");
    send_text (modest, "y");
    g_main_context_iteration (NULL, FALSE);
    g_assert_cmpuint (greedy->n_messages, ==, 20);
    g_assert_cmpuint (modest->n_messages, ==, 2);
    iterate ();
    g_assert_cmpuint (greedy->n_messages, ==, 1001);
    g_assert_true (g_str_has_suffix (greedy->messages->str, "|x|last|"));
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
test_reset_with_input (void)
{
  Fixture fixture;
  g_test_summary ("A connection that breaks in a write while its input waits for its turn is freed after that.");
  hark_reactor_limits_init (&fixture.limits);
  fixture.limits.message_budget = 1;
  set_up_with (&fixture, &fixture.limits);
  {
    g_autoptr (Peer) peer = connect_peer (&fixture);
    peer->echo = TRUE;
    peer->lets_go = TRUE;
    send_text (peer, "a");
    send_text (peer, "b");
    hang_up (peer);
    iterate ();
    g_assert_cmpstr (peer->messages->str, ==, "a|");
    assert_closed (peer, HARK_CLOSE_ABNORMAL, "");
    g_assert_cmpuint (hark_reactor_get_n_connections (fixture.reactor), ==, 0);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reactor/echo", test_echo);
  g_test_add_func ("/reactor/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/reactor/early", test_early);
  g_test_add_func ("/reactor/coalescing", test_coalescing);
  g_test_add_func ("/reactor/many-buffers", test_many_buffers);
  g_test_add_func ("/reactor/fan-out", test_fan_out);
  g_test_add_func ("/reactor/message-budget", test_message_budget);
  g_test_add_func ("/reactor/read-budget", test_read_budget);
  g_test_add_func ("/reactor/reset-in-flush", test_reset_in_flush);
  g_test_add_func ("/reactor/reset-with-input", test_reset_with_input);
  g_test_add_func ("/reactor/destroy", test_destroy);
  g_test_add_func ("/reactor/destroy-in-closed", test_destroy_in_closed);
  g_test_add_func ("/reactor/close-all", test_close_all);
  g_test_add_func ("/reactor/come-and-go", test_come_and_go);
  return g_test_run ();
}
