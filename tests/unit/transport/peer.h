/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A reactor on a fake clock, and connections to it of which the test holds both ends: a socket pair. */

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
  gboolean lets_go;      /* of @socket when it has closed */
} Peer;

static inline void
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

static inline void
on_writable (gpointer sink, HarkTransport *transport)
{
  ((Peer *)sink)->n_writable++;
}

static inline void
on_closed (gpointer sink, HarkTransport *transport, guint code, const char *reason)
{
  Peer *peer = sink;
  peer->n_closed++;
  peer->close_code = code;
  g_free (peer->close_reason);
  peer->close_reason = g_strdup (reason);
  if (peer->ends_reactor)
    g_clear_object (&peer->fixture->reactor);
  if (peer->lets_go)
    g_clear_object (&peer->socket);
}

static const HarkTransportSink peer_sink = { on_message, on_writable, on_closed };

static inline void
set_up_with (Fixture *fixture, const HarkReactorLimits *limits)
{
  fixture->turn = hark_turn_new (NULL);
  fixture->clock = hark_fake_clock_new (0);
  fixture->metrics = hark_metrics_new ();
  fixture->reactor = hark_reactor_new (NULL, fixture->turn, HARK_CLOCK (fixture->clock), fixture->metrics, limits);
}

static inline void
set_up (Fixture *fixture)
{
  hark_reactor_limits_init (&fixture->limits);
  set_up_with (fixture, &fixture->limits);
}

static inline void
tear_down (Fixture *fixture)
{
  if (fixture->reactor != NULL)
    g_assert_finalize_object (fixture->reactor);
  g_assert_finalize_object (fixture->turn);
  g_assert_finalize_object (fixture->clock);
  g_assert_finalize_object (fixture->metrics);
}

static inline gint64
figure (Fixture *fixture, const char *name)
{
  if (g_str_has_suffix (name, "_total"))
    return hark_counter_get (hark_metrics_counter (fixture->metrics, name, "Registered before."));
  return hark_counter_get (hark_metrics_gauge (fixture->metrics, name, "Registered before."));
}

static inline Peer *
connect_full (Fixture *fixture, gboolean deflate, const guint8 *early, gsize early_len, gboolean start)
{
  Peer *peer = g_new0 (Peer, 1);
  int fds[2];
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  peer->fixture = fixture;
  peer->fd = fds[1];
  peer->received = g_byte_array_new ();
  peer->messages = g_string_new (NULL);
  peer->socket
    = g_object_ref (hark_reactor_adopt (fixture->reactor, fds[0], "192.0.2.7:4000", deflate, early, early_len));
  hark_transport_set_sink (HARK_TRANSPORT (peer->socket), &peer_sink, peer);
  if (start)
    hark_websocket_start (peer->socket);
  return peer;
}

static inline Peer *
connect_peer (Fixture *fixture)
{
  return connect_full (fixture, FALSE, NULL, 0, TRUE);
}

static inline void
hang_up (Peer *peer)
{
  if (peer->fd >= 0)
    close (peer->fd);
  peer->fd = -1;
}

static inline void
peer_free (Peer *peer)
{
  hang_up (peer);
  if (peer->socket != NULL)
    hark_transport_set_sink (HARK_TRANSPORT (peer->socket), NULL, NULL);
  g_clear_object (&peer->socket);
  g_byte_array_unref (peer->received);
  g_string_free (peer->messages, TRUE);
  g_free (peer->close_reason);
  g_free (peer);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Peer, peer_free)

/* Until there is nothing to do; a loop that spins fails. */
static inline void
iterate (void)
{
  for (guint i = 0; g_main_context_iteration (NULL, FALSE); i++)
    g_assert_cmpuint (i, <, MAX_ITERATIONS);
}

static inline void
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

static inline void
send_frame (Peer *peer, guint8 first, const void *data, gsize len)
{
  g_autoptr (GByteArray) frame = g_byte_array_new ();
  append_frame (frame, first, data, len);
  send_bytes (peer, frame->data, frame->len);
}

static inline void
send_text (Peer *peer, const char *text)
{
  send_frame (peer, 0x81, text, strlen (text));
}

/* Takes what has come. */
static inline void
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
static inline void
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
static inline char *
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
        g_string_append_printf (out, "close %u %.*s", (guint8)payload[0] << 8 | (guint8)payload[1], (int)len - 2,
                                payload + 2);
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

#define assert_frames(peer, expected)                                                                                  \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autofree char *frames_ = take_frames (peer);                                                                     \
    g_assert_cmpstr (frames_, ==, expected);                                                                           \
  }                                                                                                                    \
  G_STMT_END

static inline void
assert_closed (Peer *peer, guint code, const char *reason)
{
  g_assert_cmpuint (peer->n_closed, ==, 1);
  g_assert_cmpuint (peer->close_code, ==, code);
  g_assert_cmpstr (peer->close_reason, ==, reason);
}

static inline gboolean
send_frame_to (Peer *peer, const char *text, gsize len)
{
  g_autoptr (HarkBuffer) frame = hark_websocket_encode (HARK_WEBSOCKET_BINARY, text, len);
  return hark_transport_send (HARK_TRANSPORT (peer->socket), frame);
}

/* Fills the kernel's buffers, so that something has to wait in the outbox. */
static inline guint
fill_kernel (Peer *peer)
{
  static const char block[16384];
  guint n = 0;
  while (hark_outbox_is_empty (&HARK_TRANSPORT (peer->socket)->outbox))
    {
      g_assert_true (send_frame_to (peer, block, sizeof block));
      n++;
      iterate ();
      g_assert_cmpuint (n, <, 10000);
    }
  return n;
}

/* Fills the kernel's buffers and the outbox, until more is refused. */
static inline guint
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
