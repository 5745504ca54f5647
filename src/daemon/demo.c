/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The demo community: what `./dev run` shows somebody who has never seen Hark. It is made of the same commands that
 * D-Bus and clients use, one after another, from a table; ids that a reply brings are named and used by later rows.
 * Its tokens and passwords are no secrets: they are written here, and only a store that was empty gets them.
 */
#include "daemon/demo.h"

#include "base/error.h"

/**
 * DemoStep:
 * @as: (nullable): the name of the user who asks, a captured id; %NULL: the administrator
 * @args: JSON, in which ${name} stands for a captured id
 * @capture: (nullable): the reply's member to be kept
 * @name: (nullable): the name to keep it by
 */
typedef struct
{
  const char *as;
  const char *command;
  const char *args;
  const char *capture;
  const char *name;
} DemoStep;

/* clang-format off */
#define USER(id, display, bio, activity)                                                                              \
  { NULL, "create_user", "{\"username\":\"" id "\",\"displayname\":\"" display "\"}", "user_id", id },                 \
    { NULL, "create_token", "{\"user_id\":\"${" id "}\",\"label\":\"demo\",\"token\":\"demo-" id "\"}", NULL, NULL },  \
    { NULL, "set_user_password", "{\"user_id\":\"${" id "}\",\"password\":\"harbour-" id "\"}", NULL, NULL },           \
    { id, "set_profile", "{\"bio\":\"" bio "\",\"activity\":\"" activity "\"}", NULL, NULL }
#define MEMBER(server, user) \
  { NULL, "add_member", "{\"server_id\":\"${" server "}\",\"user_id\":\"${" user "}\"}", NULL, NULL }
#define CHANNEL(server, id, category, private)                                                                         \
  { NULL, "create_channel",                                                                                            \
    "{\"server_id\":\"${" server "}\",\"name\":\"" id "\",\"category\":\"" category "\",\"private\":" private "}",     \
    "channel_id", id }
#define SAY(user, channel, text) \
  { user, "message", "{\"channel\":\"${" channel "}\",\"message\":\"" text "\"}", NULL, NULL }

static const DemoStep steps[] = {
  USER ("ann", "Ann Lindqvist", "Keeps the lighthouse.", "watching the weather"),
  USER ("bob", "Bob Okafor", "Boats, mostly.", "below deck"),
  USER ("carla", "Carla Reyes", "Cartographer.", ""),
  USER ("dmitri", "Dmitri Volkov", "New here.", ""),
  { NULL, "create_server", "{\"name\":\"Harbour\",\"owner_id\":\"${ann}\"}", "server_id", "harbour" },
  { NULL, "create_server", "{\"name\":\"Map room\",\"owner_id\":\"${carla}\"}", "server_id", "maps" },
  MEMBER ("harbour", "bob"),
  MEMBER ("harbour", "carla"),
  MEMBER ("harbour", "dmitri"),
  MEMBER ("maps", "ann"),
  CHANNEL ("harbour", "general", "Everyone", "false"),
  CHANNEL ("harbour", "weather", "Everyone", "false"),
  CHANNEL ("harbour", "engine-room", "Crew", "false"),
  CHANNEL ("harbour", "pilots", "Crew", "true"),
  CHANNEL ("maps", "coastlines", "Drawing", "false"),
  { NULL, "grant_channel", "{\"channel_id\":\"${pilots}\",\"user_id\":\"${bob}\"}", NULL, NULL },
  SAY ("ann", "general", "Good morning, harbour. The light is on."),
  SAY ("bob", "general", "Morning! Coming in with the tide, about noon."),
  SAY ("carla", "general", "I have the new chart of the east channel, it is two metres shallower than we thought."),
  SAY ("bob", "general", "That explains the noise last week."),
  SAY ("dmitri", "general", "Hello everyone, first day. Where do I find the coffee?"),
  SAY ("ann", "general", "Second door, behind the barometer. Welcome, Dmitri!"),
  SAY ("ann", "weather", "Wind south-west 5, gusts 7 in the afternoon."),
  SAY ("carla", "weather", "Fog over the east channel until nine."),
  SAY ("bob", "engine-room", "Port pump is back together, with one screw left over."),
  SAY ("ann", "pilots", "Bob, you take the tanker at four."),
  SAY ("carla", "coastlines", "The northern bay is finished."),
};
/* clang-format on */

typedef struct
{
  HarkDispatcher *dispatcher; /* (owned) */
  HarkIdentity *admin;        /* (owned) */
  GHashTable *ids;            /* name → id as text, both (owned) */
  guint next;                 /* in steps */
} Filling;

static void
filling_free (gpointer data)
{
  Filling *self = data;
  g_clear_object (&self->dispatcher);
  hark_identity_unref (self->admin);
  g_hash_table_unref (self->ids);
  g_free (self);
}

static char *
expand (GHashTable *ids, const char *text)
{
  GString *out = g_string_new (NULL);
  for (const char *p = text; *p != '\0';)
    {
      const char *end = g_str_has_prefix (p, "${") ? strchr (p, '}') : NULL;
      if (end != NULL)
        {
          g_autofree char *name = g_strndup (p + 2, end - p - 2);
          const char *id = g_hash_table_lookup (ids, name);
          g_assert (id != NULL);
          g_string_append (out, id);
          p = end + 1;
        }
      else
        {
          g_string_append_c (out, *p++);
        }
    }
  return g_string_free (out, FALSE);
}

static void run_next (GTask *task);

static gboolean
capture (Filling *self, const DemoStep *step, const char *json, gsize len, GError **error)
{
  HarkJsonObject reply;
  char *id = NULL;
  if (step->capture == NULL)
    return TRUE;
  if (!hark_json_object_parse (&reply, json, len, error)
      || !hark_json_object_get_string (&reply, step->capture, HARK_FIELD_REQUIRED, 32, &id, error))
    return FALSE;
  g_hash_table_insert (self->ids, g_strdup (step->name), id);
  return TRUE;
}

static void
on_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  g_autoptr (GTask) task = data;
  Filling *self = g_task_get_task_data (task);
  const DemoStep *step = &steps[self->next];
  GError *local_error = NULL;
  if (error != NULL && self->next == 0 && error->code == HARK_ERROR_CONFLICT)
    {
      g_task_return_boolean (task, FALSE);
      return;
    }
  if (error != NULL)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_INTERNAL, "the demo's step %u, %s: %s", self->next,
                               step->command, error->message);
      return;
    }
  if (!capture (self, step, json, len, &local_error))
    {
      g_task_return_error (task, local_error);
      return;
    }
  self->next++;
  run_next (task);
}

static void
run_next (GTask *task)
{
  Filling *self = g_task_get_task_data (task);
  const DemoStep *step = &steps[self->next];
  g_autofree char *args = NULL;
  g_autoptr (HarkIdentity) actor = NULL;
  if (self->next == G_N_ELEMENTS (steps))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  if (step->as != NULL)
    {
      const char *id = g_hash_table_lookup (self->ids, step->as);
      actor = hark_identity_new (g_ascii_strtoll (id, NULL, 10), step->as, 0, 0, HARK_IDENTITY_NONE);
    }
  args = expand (self->ids, step->args);
  hark_dispatcher_call (self->dispatcher, actor != NULL ? actor : self->admin, step->command, args, on_answer,
                        g_object_ref (task));
}

/**
 * hark_demo_fill_async:
 *
 * Makes the demo community, unless its first user exists: then the store was filled before.
 */
void
hark_demo_fill_async (HarkDispatcher *dispatcher, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, data);
  Filling *self = g_new0 (Filling, 1);
  self->dispatcher = g_object_ref (dispatcher);
  self->admin = hark_identity_new (0, "demo", 0, 0, HARK_IDENTITY_ADMIN);
  self->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_task_set_source_tag (task, hark_demo_fill_async);
  g_task_set_task_data (task, self, filling_free);
  run_next (task);
}

/* @filled: (out): whether the store was empty and now is not */
gboolean
hark_demo_fill_finish (GAsyncResult *result, gboolean *filled, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  *filled = g_task_propagate_boolean (G_TASK (result), &local_error);
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/**
 * hark_demo_describe:
 * @address: host and port the daemon listens on
 *
 * Returns: (transfer full): what to open and what to paste, for a person
 */
char *
hark_demo_describe (const char *address)
{
  return g_strdup_printf (
    "\n"
    "Hark is running with a demo community: ann, bob, carla and dmitri, on the servers Harbour and Map room.\n"
    "\n"
    "  Open two browser tabs on  http://%s/  and paste into the console of one\n"
    "\n"
    "    ws = new WebSocket('ws://%s/ws/demo-ann/'); ws.onmessage = e => console.log(JSON.parse(e.data));\n"
    "    ask = m => ws.send(JSON.stringify(m)); ws.onopen = () => ask({type: 'get_servers'});\n"
    "\n"
    "  and into the other the same with  demo-bob  (tokens: demo-ann, demo-bob, demo-carla, demo-dmitri). Then\n"
    "\n"
    "    ask({type: 'get_server_channels', server_id: '…'})\n"
    "    ask({type: 'get_messages', channel_id: '…'})\n"
    "    ask({type: 'message', channel: '…', message: 'hi', id: Date.now()})\n"
    "\n"
    "  They sign in, for a token of their own, with the passwords harbour-ann, harbour-bob, harbour-carla, "
    "harbour-dmitri:\n"
    "\n"
    "    curl http://%s/api/v1/login -d '{\"username\": \"ann\", \"password\": \"harbour-ann\"}'\n"
    "\n",
    address, address, address);
}
