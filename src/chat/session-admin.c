/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions as administrators see and end them: who is connected, and what the hub knows each client to have loaded. */
#include "chat/session-admin.h"

#include "base/error.h"
#include "chat/fields.h"

#define PAGE 100
#define MAX_PAGE 1000

/* What fits a close frame. */
#define MAX_REASON 123

/* A drain takes a day at most. */
#define MAX_DRAIN_MS (24 * 60 * 60 * 1000)

struct _HarkSessionAdmin
{
  HarkHub *hub;     /* unowned */
  HarkDrain *drain; /* (owned) */
};

static void
refuse (HarkCommand *command, GError *error)
{
  hark_command_take_error (command, error);
  hark_command_unref (command);
}

static guint
count_subscriptions (HarkSession *session)
{
  return session->subscriptions != NULL ? session->subscriptions->len : 0;
}

static void
write_session (HarkSession *session, HarkJsonWriter *json)
{
  g_autofree char *address = hark_session_dup_address (session);
  hark_json_writer_member_id (json, "session_id", session->id);
  if (session->identity != NULL)
    {
      hark_json_writer_member_id (json, "user_id", session->identity->user_id);
      hark_json_writer_member_string (json, "username", session->identity->username);
    }
  hark_json_writer_member_string (json, "address", address);
  hark_json_writer_member_string (json, "protocol", hark_protocol_get_name (session->protocol));
  hark_json_writer_member_time (json, "since", session->since_ms);
  hark_json_writer_member_int (json, "queued", session->transport != NULL ? session->transport->outbox.bytes : 0);
  hark_json_writer_member_int (json, "sent", session->sent);
  hark_json_writer_member_int (json, "received", session->received);
  hark_json_writer_member_int (json, "subscriptions", count_subscriptions (session));
  hark_json_writer_member_int (json, "loaded", session->n_interests);
}

static int
compare_sessions (gconstpointer a, gconstpointer b)
{
  const HarkSession *left = *(HarkSession *const *)a, *right = *(HarkSession *const *)b;
  return left->id < right->id ? -1 : left->id > right->id;
}

static void
on_list_sessions (HarkCommand *command, gpointer concern)
{
  HarkSessionAdmin *self = concern;
  g_autoptr (GPtrArray) sessions = NULL;
  gint64 after, user_id = 0, last = 0;
  guint limit, n = 0;
  GError *error = NULL;
  HarkJsonWriter *json;
  if (!hark_field_get_page (command->args, PAGE, MAX_PAGE, &after, &limit, &error)
      || !hark_json_object_get_id (command->args, "user_id", HARK_FIELD_OPTIONAL, &user_id, &error))
    {
      refuse (command, error);
      return;
    }
  sessions = user_id != 0 ? hark_hub_dup_user_sessions (self->hub, user_id) : hark_hub_dup_sessions (self->hub);
  if (sessions == NULL)
    sessions = g_ptr_array_new ();
  g_ptr_array_sort (sessions, compare_sessions);
  json = hark_command_begin_reply (command);
  hark_json_writer_member (json, "sessions");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < sessions->len && n <= limit; i++)
    {
      HarkSession *session = sessions->pdata[i];
      if (session->id <= after || n++ == limit)
        continue;
      last = session->id;
      hark_json_writer_begin_object (json);
      write_session (session, json);
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "next");
  if (n > limit)
    hark_json_writer_id (json, last);
  else
    hark_json_writer_null (json);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

/* Returns: (transfer none) (nullable): %NULL when the command was refused, and is gone */
static HarkSession *
get_session (HarkSessionAdmin *self, HarkCommand *command)
{
  HarkSession *session;
  gint64 id;
  GError *error = NULL;
  if (!hark_json_object_get_id (command->args, "session_id", HARK_FIELD_REQUIRED, &id, &error))
    {
      refuse (command, error);
      return NULL;
    }
  session = hark_hub_get_session (self->hub, id);
  if (session == NULL)
    refuse (command, g_error_new (HARK_ERROR, HARK_ERROR_NOT_FOUND, "\"session_id\": there is no such session"));
  return session;
}

static void
on_get_session (HarkCommand *command, gpointer concern)
{
  HarkSessionAdmin *self = concern;
  HarkSession *session = get_session (self, command);
  g_autoptr (GArray) loaded = NULL;
  HarkJsonWriter *json;
  if (session == NULL)
    return;
  loaded = hark_hub_dup_loaded (self->hub, session);
  json = hark_command_begin_reply (command);
  write_session (session, json);
  hark_json_writer_member (json, "topics");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < count_subscriptions (session); i++)
    {
      HarkSubscription *subscription = session->subscriptions->pdata[i];
      char text[HARK_TOPIC_MAX + 1];
      hark_json_writer_begin_object (json);
      hark_json_writer_member_string (json, "topic",
                                      hark_topic_format (hark_subscription_get_topic (subscription), text));
      hark_json_writer_member_int (json, "cursor", hark_subscription_get_cursor (subscription));
      hark_json_writer_end_object (json);
    }
  hark_json_writer_end_array (json);
  hark_json_writer_member (json, "users");
  hark_json_writer_begin_array (json);
  for (guint i = 0; i < loaded->len; i++)
    hark_json_writer_id (json, g_array_index (loaded, gint64, i));
  hark_json_writer_end_array (json);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static gboolean
get_reason (HarkCommand *command, char **reason, GError **error)
{
  return hark_json_object_get_string (command->args, "reason", HARK_FIELD_OPTIONAL, MAX_REASON, reason, error);
}

static void
on_disconnect_session (HarkCommand *command, gpointer concern)
{
  HarkSession *session;
  g_autofree char *reason = NULL;
  GError *error = NULL;
  if (!get_reason (command, &reason, &error))
    {
      refuse (command, error);
      return;
    }
  session = get_session (concern, command);
  if (session == NULL)
    return;
  /* Who ends their own session hears so first. */
  g_object_ref (session);
  hark_command_reply_empty (command);
  hark_session_close (session, HARK_CLOSE_DISCONNECTED, reason);
  g_object_unref (session);
  hark_command_unref (command);
}

static void
on_disconnect_user (HarkCommand *command, gpointer concern)
{
  HarkSessionAdmin *self = concern;
  g_autofree char *reason = NULL;
  gint64 user_id;
  GError *error = NULL;
  HarkJsonWriter *json;
  if (!hark_json_object_get_id (command->args, "user_id", HARK_FIELD_REQUIRED, &user_id, &error)
      || !get_reason (command, &reason, &error))
    {
      refuse (command, error);
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_int (json, "sessions", hark_hub_get_n_user_sessions (self->hub, user_id));
  hark_command_end_reply (command);
  hark_hub_disconnect_user (self->hub, user_id, HARK_CLOSE_DISCONNECTED, reason);
  hark_command_unref (command);
}

static void
on_drain (HarkCommand *command, gpointer concern)
{
  HarkSessionAdmin *self = concern;
  gint64 over_ms = 0;
  GError *error = NULL;
  HarkJsonWriter *json;
  if (!hark_json_object_get_int (command->args, "over_ms", HARK_FIELD_REQUIRED, 0, MAX_DRAIN_MS, &over_ms, &error))
    {
      refuse (command, error);
      return;
    }
  json = hark_command_begin_reply (command);
  hark_json_writer_member_int (json, "sessions", hark_drain_start (self->drain, over_ms));
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static void
on_stop_drain (HarkCommand *command, gpointer concern)
{
  hark_drain_stop (((HarkSessionAdmin *)concern)->drain);
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static const HarkCommandSpec specs[] = {
  { "drain", HARK_COMMAND_ADMIN, NULL, on_drain },
  { "stop_drain", HARK_COMMAND_ADMIN, NULL, on_stop_drain },
  { "list_sessions", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_list_sessions },
  { "get_session", HARK_COMMAND_ADMIN | HARK_COMMAND_BACK_END, NULL, on_get_session },
  { "disconnect_session", HARK_COMMAND_ADMIN, NULL, on_disconnect_session },
  { "disconnect_user", HARK_COMMAND_ADMIN, NULL, on_disconnect_user },
};

HarkSessionAdmin *
hark_session_admin_new (HarkHub *hub, HarkMetrics *metrics)
{
  HarkSessionAdmin *self = g_new0 (HarkSessionAdmin, 1);
  self->hub = hub;
  self->drain = hark_drain_new (hub, metrics);
  hark_dispatcher_add (hark_hub_get_dispatcher (hub), specs, G_N_ELEMENTS (specs), self);
  return self;
}

void
hark_session_admin_free (HarkSessionAdmin *self)
{
  hark_dispatcher_remove (hark_hub_get_dispatcher (self->hub), self);
  g_object_unref (self->drain);
  g_free (self);
}

/* Returns: (transfer none) */
HarkDrain *
hark_session_admin_get_drain (HarkSessionAdmin *self)
{
  return self->drain;
}
