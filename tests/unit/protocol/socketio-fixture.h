/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio.h"
#include "store/sqlite-store.h"

#include "fake-transport.h"

G_BEGIN_DECLS

/* Knows who presents "ann", "bob" and so on; a token that begins with "slow-" is looked up until the test says so. */
#define FAKE_TYPE_AUTHENTICATOR (fake_authenticator_get_type ())
G_DECLARE_FINAL_TYPE (FakeAuthenticator, fake_authenticator, FAKE, AUTHENTICATOR, GObject)
void fake_authenticator_answer (FakeAuthenticator *self);

#define ANN 1
#define BOB 2

/* A hub with a store, without a network, and with a clock that tests move. */
typedef struct
{
  char *directory;
  char *path;
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  FakeAuthenticator *authenticator;
  HarkSocketioLimits limits;
  HarkHubLimits hub_limits;
  gboolean without_store;
  HarkIdentity *guest; /* (nullable) */

  HarkTurn *turn;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkHub *hub;
  HarkSqliteStore *store;
  HarkSocketioWires *wires;
  HarkSocketioNamespaces *namespaces;
} SocketioFixture;

void socketio_fixture_set_up (SocketioFixture *self, gconstpointer data);
void socketio_fixture_tear_down (SocketioFixture *self, gconstpointer data);
void socketio_fixture_start (SocketioFixture *self);
void socketio_fixture_stop (SocketioFixture *self);
void socketio_fixture_settle (SocketioFixture *self);
void socketio_fixture_advance (SocketioFixture *self, guint ms);

/* A client: what it says is heard at once; what it reads is one message a line, an attachment's begins with "b". */
typedef struct
{
  SocketioFixture *fixture;
  FakeTransport *transport; /* (owned) */
  gint64 session;
  char *sid; /* of the last namespace it connected to, and the secret */
  char *pid;
} Client;

Client *client_new (SocketioFixture *fixture);
void client_free (Client *self);
void client_say (Client *self, const char *text);
void client_send (Client *self, const char *data, gsize len);
char *client_read (Client *self);
void client_expect (Client *self, const char *pattern);
void client_expect_nothing (Client *self);
void client_expect_closed (Client *self, guint code);
void client_connect (Client *self, const char *nsp, const char *auth);
void client_cut (Client *self);
HarkSession *client_get_session (Client *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)

G_END_DECLS
