/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat.h"
#include "client.h"
#include "step-store.h"
#include "store/sqlite-store.h"

G_BEGIN_DECLS

/* A chat on a real store in a directory of its own, with a fake clock and clients that are read by hand. */
typedef struct
{
  char *directory;
  char *path;
  HarkFakeClock *clock;
  HarkMetrics *metrics;
  HarkGauge *passwords; /* how many are under way */
  HarkTurn *turn;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkProtocol *protocol;
  HarkHub *hub;
  HarkPresence *presence;
  HarkSqliteStore *store;
  StepStore *steps; /* what the chat has for a store */
  HarkChatLimits limits;
  HarkHubLimits hub_limits;
  guint grace_ms;
  HarkChat *chat;
  HarkIdentity *admin;
  GPtrArray *clients; /* (element-type Client) (owned) */
} ChatFixture;

void chat_fixture_set_up (ChatFixture *self, gconstpointer data);
void chat_fixture_tear_down (ChatFixture *self, gconstpointer data);
void chat_fixture_start (ChatFixture *self);
void chat_fixture_stop (ChatFixture *self);

/* Runs the main loop until nothing is under way in the store. */
void chat_fixture_settle (ChatFixture *self);
void chat_fixture_advance (ChatFixture *self, guint ms);

/* As the administrator on the bus: the reply. Fails the test when it is an error. */
char *chat_fixture_call (ChatFixture *self, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);
void chat_fixture_refuse (ChatFixture *self, HarkError code, const char *name, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
gint64 chat_fixture_call_id (ChatFixture *self, const char *field, const char *name, const char *format, ...)
  G_GNUC_PRINTF (4, 5);
/* By HTTP: @actor and @peer may be %NULL. The reply, or the error: (transfer full). */
JsonObject *chat_fixture_post (ChatFixture *self, HarkIdentity *actor, const char *peer, const char *name,
                               GError **error, const char *format, ...) G_GNUC_PRINTF (6, 7);
/* What a token is worth: (transfer full) (nullable). */
HarkIdentity *chat_fixture_check_token (ChatFixture *self, const char *token, GError **error);
Client *chat_fixture_connect_as (ChatFixture *self, HarkIdentity *identity);
gint64 chat_fixture_count (ChatFixture *self, const char *sql);

/* What tests begin with. */
gint64 chat_fixture_user (ChatFixture *self, const char *name);
gint64 chat_fixture_server (ChatFixture *self, gint64 owner, const char *name);
gint64 chat_fixture_channel (ChatFixture *self, gint64 server, const char *name, gboolean private);
void chat_fixture_join (ChatFixture *self, gint64 server, gint64 user);
Client *chat_fixture_connect (ChatFixture *self, gint64 user);
Client *chat_fixture_connect_unknown (ChatFixture *self);

#define ID "%" G_GINT64_FORMAT
#define ADD(path, func) g_test_add (path, ChatFixture, NULL, chat_fixture_set_up, func, chat_fixture_tear_down)

G_END_DECLS
