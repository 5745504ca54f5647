/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The programs for which clients' events are: who listens on the bus, and the webhook. Both hear the same; one of them
 * is enough for an event to have been taken. What needs an answer is answered over the bus.
 */
#include "daemon/back-ends.h"

#include "base/error.h"
#include "base/json-writer.h"
#include "daemon/settings.h"
#include "transport/webhook.h"

/* What an event in a namespace of the back end's is called there. */
#define SOCKETIO_EVENT "socketio_event"

typedef struct
{
  GWeakRef socketio1; /* on the bus; may be empty */
  GWeakRef chat;      /* which has the webhook; may be empty */
} BackEnds;

static void
back_ends_free (gpointer data, GClosure *closure)
{
  BackEnds *self = data;
  g_weak_ref_clear (&self->socketio1);
  g_weak_ref_clear (&self->chat);
  g_free (self);
}

static void
tell_webhook (HarkChat *chat, const char *nsp, const char *sid, HarkSession *session, const char *event,
              const char *args, gint64 ack)
{
  g_auto (HarkJsonWriter) json;
  const char *text;
  gsize len;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "namespace", nsp);
  hark_json_writer_member_string (&json, "socket", sid);
  hark_json_writer_member_id (&json, "session", session->id);
  hark_json_writer_member_id (&json, "user_id", hark_session_get_user_id (session));
  hark_json_writer_member_string (&json, "event", event);
  hark_json_writer_member_raw (&json, "args", args, strlen (args));
  if (ack != 0)
    hark_json_writer_member_id (&json, "ack", ack);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_chat_tell_back_end (chat, SOCKETIO_EVENT, text, len);
}

static gboolean
on_event (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session, const char *event,
          const char *args, gint64 ack, BackEnds *self)
{
  g_autoptr (HarkBusSocketio1Object) socketio1 = g_weak_ref_get (&self->socketio1);
  g_autoptr (HarkChat) chat = g_weak_ref_get (&self->chat);
  gboolean taken
    = socketio1 != NULL && hark_bus_socketio1_object_tell_event (socketio1, nsp, sid, session, event, args, ack);
  if (chat != NULL)
    tell_webhook (chat, nsp, sid, session, event, args, ack);
  return taken || chat != NULL;
}

static void
on_connected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
              gboolean recovered, HarkBusSocketio1Object *socketio1)
{
  hark_bus_socketio1_object_tell_connected (socketio1, nsp, sid, session, recovered);
}

static void
on_disconnected (HarkSocketioNamespaces *namespaces, const char *nsp, const char *sid, HarkSession *session,
                 gboolean may_return, HarkBusSocketio1Object *socketio1)
{
  hark_bus_socketio1_object_tell_disconnected (socketio1, nsp, sid, session, may_return);
}

/**
 * hark_back_ends_connect:
 * @socketio1: (nullable): who is told on the bus; %NULL without one
 * @chat: (nullable): whose webhook is told; %NULL when none is configured
 *
 * What clients do in the back end's namespaces is told from now on.
 */
void
hark_back_ends_connect (HarkSocketioNamespaces *namespaces, HarkBusSocketio1Object *socketio1, HarkChat *chat)
{
  BackEnds *self = g_new0 (BackEnds, 1);
  g_weak_ref_init (&self->socketio1, socketio1);
  g_weak_ref_init (&self->chat, chat);
  g_signal_connect_data (namespaces, "event", G_CALLBACK (on_event), self, back_ends_free, 0);
  if (socketio1 == NULL)
    return;
  g_signal_connect_object (namespaces, "connected", G_CALLBACK (on_connected), socketio1, 0);
  g_signal_connect_object (namespaces, "disconnected", G_CALLBACK (on_disconnected), socketio1, 0);
}

/* The secret without the line's end that editors leave. */
static char *
read_secret (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local_error = NULL;
  if (!g_file_get_contents (path, &text, NULL, &local_error))
    g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "Cannot read the secret of the webhook: %s",
                 local_error->message);
  else if (*g_strchomp (text) == '\0')
    g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "The secret of the webhook in %s is empty", path);
  else
    return g_steal_pointer (&text);
  return NULL;
}

/**
 * hark_back_ends_start_webhook:
 *
 * When one is configured, it is told what clients say to the application, from now on.
 */
gboolean
hark_back_ends_start_webhook (HarkChat *chat, HarkConfig *config, HarkClock *clock, GError **error)
{
  const char *url = hark_config_get_string (config, HARK_SETTING_WEBHOOK_URL);
  g_autofree char *secret_path = hark_config_dup_path (config, HARK_SETTING_WEBHOOK_SECRET_FILE);
  g_autofree char *secret = NULL;
  g_autoptr (HarkWebhook) webhook = NULL;
  if (*url == '\0')
    return TRUE;
  if (secret_path != NULL)
    {
      secret = read_secret (secret_path, error);
      if (secret == NULL)
        return FALSE;
    }
  webhook = hark_webhook_new (clock, url, secret, hark_config_get_ms (config, HARK_SETTING_WEBHOOK_TIMEOUT));
  hark_chat_set_back_end (chat, HARK_BACK_END (webhook));
  return TRUE;
}
