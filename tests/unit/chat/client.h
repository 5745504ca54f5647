/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/error.h"
#include "core/session.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _FakeTransport FakeTransport;

/* A client of the native protocol without a network. */
typedef struct
{
  gpointer fixture;
  FakeTransport *transport; /* (owned) */
  gint64 session_id;
  gint64 user_id;
  char *resume;  /* (owned) (nullable): from the welcome */
  GQueue unread; /* (element-type JsonObject) (owned): what came and was not looked at */
  guint next_ref;
} Client;

Client *client_new (gpointer fixture, HarkHub *hub, HarkProtocol *protocol, HarkIdentity *identity);
void client_free (Client *self);

/* Says something, and does not wait. */
void client_say (Client *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Asks, and gives the reply: (transfer full). @format: the members after `type`, with a comma, or "". */
JsonObject *client_ask (Client *self, const char *type, const char *format, ...) G_GNUC_PRINTF (3, 4);
void client_refused (Client *self, HarkError code, const char *field, const char *type, const char *format, ...)
  G_GNUC_PRINTF (5, 6);
/* The next message, %NULL for none: (transfer full). */
JsonObject *client_pop (Client *self);
JsonObject *client_pop_type (Client *self, const char *type);
void client_assert_silent (Client *self);
guint client_get_close_code (Client *self);
void client_hang_up (Client *self);

#define client_do(client, ...) json_object_unref (client_ask (client, __VA_ARGS__))

/* What tests look at in messages. */
gint64 json_id (JsonObject *object, const char *member);
char *json_text (JsonObject *object);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)

G_END_DECLS
