/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/front.h"

#include "transport/deflate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Knows "peeked" from memory and "stored" by looking it up; never finishes looking for "slow" before it is cancelled;
   "busy" cannot be looked up, "broken" neither, and all others are unknown. */
#define FAKE_TYPE_AUTHENTICATOR (fake_authenticator_get_type ())
G_DECLARE_FINAL_TYPE (FakeAuthenticator, fake_authenticator, FAKE, AUTHENTICATOR, GObject)

struct _FakeAuthenticator
{
  GObject parent_instance;
  gint n_checks; /* atomic */
};

static HarkIdentity *
fake_peek (HarkAuthenticator *authenticator, const char *token)
{
  return strcmp (token, "peeked") == 0 ? hark_identity_new (7, "peeked", 1, 0, HARK_IDENTITY_NONE) : NULL;
}

static void
on_slow_cancelled (GCancellable *cancellable, gpointer data)
{
  g_task_return_new_error (data, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  g_object_unref (data);
}

static void
fake_check_async (HarkAuthenticator *authenticator, const char *token, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (authenticator, NULL, callback, data);
  g_atomic_int_inc (&FAKE_AUTHENTICATOR (authenticator)->n_checks);
  if (strcmp (token, "slow") == 0)
    {
      g_cancellable_connect (cancellable, G_CALLBACK (on_slow_cancelled), task, NULL);
      return;
    }
  if (strcmp (token, "stored") == 0)
    g_task_return_pointer (task, hark_identity_new (8, "stored", 2, 0, HARK_IDENTITY_NONE),
                           (GDestroyNotify)hark_identity_unref);
  else if (strcmp (token, "busy") == 0)
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OVERLOADED, "busy");
  else if (strcmp (token, "broken") == 0)
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_INTERNAL, "broken");
  else
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "unknown");
  g_object_unref (task);
}

static HarkIdentity *
fake_check_finish (HarkAuthenticator *authenticator, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
fake_is_current (HarkAuthenticator *authenticator, HarkIdentity *identity)
{
  return TRUE;
}

static void
fake_authenticator_iface_init (HarkAuthenticatorInterface *iface)
{
  iface->peek = fake_peek;
  iface->check_async = fake_check_async;
  iface->check_finish = fake_check_finish;
  iface->is_current = fake_is_current;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeAuthenticator, fake_authenticator, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_AUTHENTICATOR, fake_authenticator_iface_init))

static void
fake_authenticator_class_init (FakeAuthenticatorClass *klass)
{
}

static void
fake_authenticator_init (FakeAuthenticator *self)
{
}

enum
{
  KIND_NATIVE = 3
};

static const HarkRoute routes[] = { { "/ws", KIND_NATIVE, HARK_ROUTE_TOKEN } };

typedef struct
{
  HarkMetrics *metrics;
  HarkListener *listener;
  FakeAuthenticator *authenticator;
  HarkFront *front;
  HarkFrontConfig config;
  GPtrArray *upgrades; /* (element-type HarkUpgrade) (owned) */
} Fixture;

static void
on_upgrade (HarkUpgrade *upgrade, gpointer data)
{
  g_ptr_array_add (((Fixture *)data)->upgrades, upgrade);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->metrics = hark_metrics_new ();
  self->listener = hark_listener_new (self->metrics);
  self->authenticator = g_object_new (FAKE_TYPE_AUTHENTICATOR, NULL);
  self->upgrades = g_ptr_array_new_with_free_func ((GDestroyNotify)hark_upgrade_free);
  hark_front_limits_init (&self->config.limits);
  self->config.routes = routes;
  self->config.n_routes = G_N_ELEMENTS (routes);
  self->config.allow_late_authentication = TRUE;
  g_assert_true (hark_listener_add_tcp (self->listener, "127.0.0.1", 0, NULL));
}

static void
start (Fixture *self)
{
  self->front = hark_front_new (self->listener, HARK_AUTHENTICATOR (self->authenticator), self->metrics, &self->config);
  hark_front_start (self->front, NULL, on_upgrade, self);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  hark_front_stop (self->front);
  g_assert_finalize_object (self->front);
  g_ptr_array_unref (self->upgrades);
  g_assert_finalize_object (self->listener);
  g_assert_finalize_object (self->authenticator);
  g_assert_finalize_object (self->metrics);
}

static gint64
get_count (Fixture *self, const char *name)
{
  return hark_counter_get (hark_metrics_counter (self->metrics, name, NULL));
}

static int
connect_client (Fixture *self)
{
  const char *address = hark_listener_get_addresses (self->listener)[0];
  struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct timeval patience = { .tv_sec = 10 };
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  inet.sin_port = htons (atoi (strrchr (address, ':') + 1));
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  g_assert_cmpint (connect (fd, (struct sockaddr *)&inet, sizeof inet), ==, 0);
  return fd;
}

static void
send_text (int fd, const char *text)
{
  g_assert_cmpint (send (fd, text, strlen (text), MSG_NOSIGNAL), ==, strlen (text));
}

static void
send_handshake (int fd, const char *target, const char *fields)
{
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
                                              "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                                              target, fields);
  send_text (fd, request);
}

/* Returns: (transfer full): what is sent up to an empty line or the end */
static char *
read_head (int fd)
{
  GString *all = g_string_new (NULL);
  char byte;
  while (strstr (all->str, "\r\n\r\n") == NULL && recv (fd, &byte, 1, 0) == 1)
    g_string_append_c (all, byte);
  return g_string_free (all, FALSE);
}

static guint
read_status (int fd)
{
  g_autofree char *head = read_head (fd);
  if (!g_str_has_prefix (head, "HTTP/1.1 "))
    return 0;
  g_assert_null (strstr (head, "peeked"));
  g_assert_null (strstr (head, "stored"));
  return atoi (head + 9);
}

static guint
request_status (Fixture *self, const char *target, const char *fields)
{
  int fd = connect_client (self);
  guint status;
  send_handshake (fd, target, fields);
  status = read_status (fd);
  close (fd);
  return status;
}

static guint
get_status (Fixture *self, const char *path)
{
  int fd = connect_client (self);
  g_autofree char *request = g_strdup_printf ("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
  guint status;
  send_text (fd, request);
  status = read_status (fd);
  close (fd);
  return status;
}

static HarkUpgrade *
wait_for_upgrade (Fixture *self, guint i)
{
  while (self->upgrades->len <= i)
    g_main_context_iteration (NULL, TRUE);
  return self->upgrades->pdata[i];
}

static void
test_tokens (Fixture *self, gconstpointer data)
{
  static const struct
  {
    const char *target;
    const char *fields;
    const char *username; /* (nullable) */
    gboolean subprotocol;
  } cases[] = {
    { "/ws/peeked/", "", "peeked" },
    { "/ws/stored", "", "stored" },
    { "/ws/", "Authorization: Bearer peeked\r\n", "peeked" },
    { "/ws/", "Authorization: Bearer stored\r\n", "stored" },
    { "/ws/", "Sec-WebSocket-Protocol: hark.v1, hark.token.peeked\r\n", "peeked", TRUE },
    { "/ws", "Sec-WebSocket-Protocol: hark.v1, hark.token.stored\r\n", "stored", TRUE },
    { "/ws/", "", NULL },
    { "/ws/", "Sec-WebSocket-Protocol: hark.v1\r\n", NULL, TRUE },
  };
  g_test_summary ("A token in any of the four ways gives the WebSocket its user");
  start (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HarkUpgrade *upgrade;
      g_test_message ("%s %s", cases[i].target, cases[i].fields);
      g_assert_cmpuint (request_status (self, cases[i].target, cases[i].fields), ==, 101);
      upgrade = wait_for_upgrade (self, i);
      g_assert_cmpuint (upgrade->kind, ==, KIND_NATIVE);
      g_assert_cmpint (upgrade->subprotocol, ==, cases[i].subprotocol);
      g_assert_cmpstr (upgrade->identity == NULL ? NULL : upgrade->identity->username, ==, cases[i].username);
      g_assert_true (g_str_has_prefix (upgrade->address, "127.0.0.1:"));
    }
  g_assert_cmpint (get_count (self, "hark_handshakes_total"), ==, G_N_ELEMENTS (cases));
  g_assert_cmpint (self->authenticator->n_checks, ==, 3);
}

static void
test_bad_tokens (Fixture *self, gconstpointer data)
{
  g_test_summary ("A token that is not good, or cannot be looked up, is refused before the upgrade");
  start (self);
  g_assert_cmpuint (request_status (self, "/ws/wrong/", ""), ==, 401);
  g_assert_cmpuint (request_status (self, "/ws/", "Authorization: Bearer wrong\r\n"), ==, 401);
  g_assert_cmpuint (request_status (self, "/ws/", "Sec-WebSocket-Protocol: hark.token.wrong\r\n"), ==, 401);
  g_assert_cmpuint (request_status (self, "/ws/%00/", ""), ==, 401);
  g_assert_cmpuint (request_status (self, "/ws/busy/", ""), ==, 503);
  g_assert_cmpuint (request_status (self, "/ws/broken/", ""), ==, 500);
  g_assert_cmpint (get_count (self, "hark_handshakes_unauthenticated_total"), ==, 4);
  g_assert_cmpint (get_count (self, "hark_requests_refused_total"), ==, 6);
  g_assert_cmpint (get_count (self, "hark_handshakes_total"), ==, 0);
}

static void
test_no_late_authentication (Fixture *self, gconstpointer data)
{
  g_test_summary ("Where authentication may not come later, who presents no token is refused");
  self->config.allow_late_authentication = FALSE;
  start (self);
  g_assert_cmpuint (request_status (self, "/ws/", ""), ==, 401);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
}

static void
test_handed_on (Fixture *self, gconstpointer data)
{
  HarkUpgrade *upgrade;
  int fd;
  g_test_summary ("Query, resume token, cursors, compression and early bytes reach the hub");
  self->config.deflate = TRUE;
  self->config.deflate_bytes = HARK_INFLATER_BYTES;
  start (self);
  fd = connect_client (self);
  send_handshake (fd, "/ws/stored/?resume=r1&cursors=%7B%7D", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  g_assert_cmpuint (read_status (fd), ==, 101);
  upgrade = wait_for_upgrade (self, 0);
  g_assert_cmpstr (upgrade->query, ==, "resume=r1&cursors=%7B%7D");
  g_assert_cmpstr (upgrade->resume, ==, "r1");
  g_assert_cmpstr (upgrade->cursors, ==, "{}");
  g_assert_nonnull (upgrade->deflate);
  g_assert_cmpuint (upgrade->early_len, ==, 0);
  close (fd);
  fd = connect_client (self);
  send_text (fd, "GET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly bytes");
  g_assert_cmpuint (read_status (fd), ==, 101);
  upgrade = wait_for_upgrade (self, 1);
  g_assert_cmpmem (upgrade->early, upgrade->early_len, "early bytes", 11);
  g_assert_null (upgrade->deflate);
  g_assert_cmpint (send (upgrade->fd, "x\r\n\r\n", 5, 0), ==, 5);
  g_assert_cmpuint (read_status (fd), ==, 0);
  close (fd);
}

/* Returns: (transfer none): what became of a client that offers compression */
static HarkUpgrade *
open_compressed (Fixture *self, guint i)
{
  int fd = connect_client (self);
  send_handshake (fd, "/ws/peeked/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  g_assert_cmpuint (read_status (fd), ==, 101);
  close (fd);
  return wait_for_upgrade (self, i);
}

static void
test_deflate_budget (Fixture *self, gconstpointer data)
{
  HarkUpgrade *first;
  g_test_summary ("Who comes when the memory for compression is taken is served without, until a place is free again");
  self->config.deflate = TRUE;
  self->config.deflate_bytes = 3 * HARK_INFLATER_BYTES - 1;
  start (self);
  first = open_compressed (self, 0);
  g_assert_nonnull (first->deflate);
  g_assert_nonnull (open_compressed (self, 1)->deflate);
  g_assert_null (open_compressed (self, 2)->deflate);
  g_assert_cmpint (get_count (self, "hark_compression_declined_total"), ==, 1);
  hark_deflate_lease_free (g_steal_pointer (&first->deflate));
  g_assert_nonnull (open_compressed (self, 3)->deflate);
  g_assert_null (open_compressed (self, 4)->deflate);
  g_assert_cmpint (get_count (self, "hark_compression_declined_total"), ==, 2);
}

static void
test_lists (Fixture *self, gconstpointer data)
{
  static const char *const hosts[] = { "localhost", NULL };
  static const char *const origins[] = { "https://app.example", NULL };
  int fd;
  g_test_summary ("Hosts and origins that are not listed are refused");
  self->config.allowed_hosts = hosts;
  self->config.allowed_origins = origins;
  start (self);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", "Origin: https://app.example\r\n"), ==, 101);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", "Origin: http://localhost\r\n"), ==, 403);
  fd = connect_client (self);
  send_text (fd, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  g_assert_cmpuint (read_status (fd), ==, 403);
  close (fd);
}

static void
test_http (Fixture *self, gconstpointer data)
{
  g_test_summary ("/healthz is well, /readyz is as it is told, /metrics is there where it is exposed");
  start (self);
  g_assert_cmpuint (get_status (self, "/healthz"), ==, 200);
  g_assert_cmpuint (get_status (self, "/readyz"), ==, 503);
  hark_front_set_ready (self->front, TRUE);
  g_assert_cmpuint (get_status (self, "/readyz"), ==, 200);
  hark_front_set_ready (self->front, FALSE);
  g_assert_cmpuint (get_status (self, "/readyz"), ==, 503);
  g_assert_cmpuint (get_status (self, "/metrics"), ==, 404);
  g_assert_cmpint (get_status (self, "/nothing"), ==, 404);
  g_assert_cmpint (get_status (self, "/"), ==, 200);
}

static void
test_metrics (Fixture *self, gconstpointer data)
{
  g_test_summary ("/metrics is there where it is exposed");
  self->config.expose_metrics = TRUE;
  start (self);
  g_assert_cmpuint (get_status (self, "/metrics"), ==, 200);
}

static void
test_deadline (Fixture *self, gconstpointer data)
{
  int silent, slow, checked;
  char byte;
  g_test_summary ("Who says nothing, too little, or has a token that is not found out in time is closed and counted");
  self->config.limits.handshake_ms = 50;
  start (self);
  silent = connect_client (self);
  slow = connect_client (self);
  checked = connect_client (self);
  send_text (slow, "GET / HTTP/1.1\r\n");
  send_handshake (checked, "/ws/slow/", "");
  g_assert_cmpint (recv (silent, &byte, 1, 0), <=, 0);
  g_assert_cmpuint (read_status (slow), ==, 408);
  g_assert_cmpuint (read_status (checked), ==, 0);
  g_assert_cmpint (get_count (self, "hark_handshakes_timed_out_total"), ==, 3);
  close (silent);
  close (slow);
  close (checked);
}

static void
test_stop (Fixture *self, gconstpointer data)
{
  int silent, checked, body;
  char byte;
  g_test_summary ("Stopping closes who waits for anything, also for libsoup and for a token to be looked up");
  start (self);
  silent = connect_client (self);
  checked = connect_client (self);
  body = connect_client (self);
  send_handshake (checked, "/ws/slow/", "");
  send_text (body, "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx");
  while (get_count (self, "hark_requests_total") < 2 || g_atomic_int_get (&self->authenticator->n_checks) == 0)
    g_thread_yield ();
  hark_front_stop (self->front);
  g_assert_cmpint (recv (silent, &byte, 1, 0), <=, 0);
  g_assert_cmpint (recv (checked, &byte, 1, 0), <=, 0);
  g_assert_cmpint (recv (body, &byte, 1, 0), <=, 0);
  close (silent);
  close (checked);
  close (body);
}

static void
test_per_address (Fixture *self, gconstpointer data)
{
  HarkUpgrade *upgrade;
  int fd;
  char byte;
  g_test_summary ("An address has its number of connections until one of them ends, WebSockets included");
  self->config.limits.count_local = TRUE;
  self->config.limits.max_per_address = 1;
  start (self);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
  upgrade = wait_for_upgrade (self, 0);
  g_assert_nonnull (upgrade->lease);
  fd = connect_client (self);
  g_assert_cmpint (recv (fd, &byte, 1, 0), <=, 0);
  close (fd);
  g_assert_cmpint (get_count (self, "hark_connections_refused_address_total"), ==, 1);
  g_ptr_array_set_size (self->upgrades, 0);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
}

static void
test_crowd (Fixture *self, gconstpointer data)
{
  int silent[3];
  int fd;
  char byte;
  g_test_summary ("When as many wait as may, the oldest gives way to the next, and is counted");
  self->config.limits.max_handshakes = G_N_ELEMENTS (silent);
  self->config.limits.crowded_ms = 20;
  start (self);
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++)
    silent[i] = connect_client (self);
  fd = connect_client (self);
  send_text (fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  g_assert_cmpuint (read_status (fd), ==, 200);
  close (fd);
  g_assert_cmpint (recv (silent[0], &byte, 1, 0), <=, 0);
  g_assert_cmpint (get_count (self, "hark_handshakes_crowded_out_total"), >=, 1);
  for (guint i = 0; i < G_N_ELEMENTS (silent); i++)
    close (silent[i]);
}

static void
test_hub_busy (Fixture *self, gconstpointer data)
{
  g_test_summary ("When as many wait for the hub as may, no more upgrade, until it has taken them");
  self->config.limits.max_upgrades = 2;
  start (self);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 503);
  wait_for_upgrade (self, 1);
  g_assert_cmpuint (request_status (self, "/ws/peeked/", ""), ==, 101);
  wait_for_upgrade (self, 2);
  g_assert_cmpint (get_count (self, "hark_requests_overloaded_total"), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/front/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("tokens", test_tokens);
  ADD ("bad-tokens", test_bad_tokens);
  ADD ("no-late-authentication", test_no_late_authentication);
  ADD ("handed-on", test_handed_on);
  ADD ("deflate-budget", test_deflate_budget);
  ADD ("lists", test_lists);
  ADD ("http", test_http);
  ADD ("metrics", test_metrics);
  ADD ("deadline", test_deadline);
  ADD ("stop", test_stop);
  ADD ("per-address", test_per_address);
  ADD ("crowd", test_crowd);
  ADD ("hub-busy", test_hub_busy);
#undef ADD
  return g_test_run ();
}
