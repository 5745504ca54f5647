/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a request's name to the concern that answers it, past the two questions every request is asked: may this actor
 * ask that at all, and not too often? Concerns register their commands; nobody else lists them.
 */
#include "core/dispatcher.h"

#include "base/error.h"

/* Longer names are nobody's. */
#define MAX_NAME 64

typedef struct
{
  const HarkCommandSpec *spec; /* unowned: the concern's constant */
  gpointer concern;            /* unowned: hark_dispatcher_remove () before it goes */
} Route;

struct _HarkDispatcher
{
  GObject parent_instance;
  HarkQuota *quota; /* (owned) (nullable) */
  HarkCounter *errors[HARK_N_ERRORS];
  GHashTable *routes;    /* name → Route (owned) */
  HarkJsonWriter writer; /* for one reply at a time: kept, so that replies do not allocate */
  HarkCounter *n_commands;
  HarkCounter *n_refused;
};

G_DEFINE_FINAL_TYPE (HarkDispatcher, hark_dispatcher, G_TYPE_OBJECT)

static void
hark_dispatcher_finalize (GObject *object)
{
  HarkDispatcher *self = HARK_DISPATCHER (object);
  g_clear_object (&self->quota);
  g_hash_table_unref (self->routes);
  hark_json_writer_clear (&self->writer);
  G_OBJECT_CLASS (hark_dispatcher_parent_class)->finalize (object);
}

static void
hark_dispatcher_class_init (HarkDispatcherClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_dispatcher_finalize;
}

static void
hark_dispatcher_init (HarkDispatcher *self)
{
  self->routes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  hark_json_writer_init (&self->writer, 0);
}

/**
 * hark_dispatcher_new:
 * @quota: (nullable): %NULL for none
 */
HarkDispatcher *
hark_dispatcher_new (HarkQuota *quota, HarkMetrics *metrics)
{
  HarkDispatcher *self = g_object_new (HARK_TYPE_DISPATCHER, NULL);
  self->quota = quota != NULL ? g_object_ref (quota) : NULL;
  self->n_commands = hark_metrics_counter (metrics, "hark_commands_total", "Requests that reached a concern.");
  self->n_refused = hark_metrics_counter (metrics, "hark_commands_refused_total",
                                          "Requests refused before: unknown, not allowed, or too many.");
  for (guint i = 0; i < HARK_N_ERRORS; i++)
    {
      const char *code = hark_error_get_wire_name (i);
      g_autofree char *name = g_strdup_printf ("hark_errors_%s_total", code);
      g_autofree char *help = g_strdup_printf ("Requests answered with the error %s.", code);
      self->errors[i] = hark_metrics_counter (metrics, name, help);
    }
  return self;
}

/**
 * hark_dispatcher_add:
 * @specs: (array length=n_specs): constants
 * @concern: given to each handler; calls hark_dispatcher_remove () before it goes
 *
 * Registers commands. A name belongs to one concern.
 */
void
hark_dispatcher_add (HarkDispatcher *self, const HarkCommandSpec *specs, guint n_specs, gpointer concern)
{
  for (guint i = 0; i < n_specs; i++)
    {
      Route *route = g_new (Route, 1);
      g_assert (strlen (specs[i].name) <= MAX_NAME);
      g_assert (!g_hash_table_contains (self->routes, specs[i].name));
      route->spec = &specs[i];
      route->concern = concern;
      g_hash_table_insert (self->routes, (gpointer)specs[i].name, route);
    }
}

static gboolean
is_route_of (gpointer key, gpointer value, gpointer concern)
{
  return ((Route *)value)->concern == concern;
}

void
hark_dispatcher_remove (HarkDispatcher *self, gpointer concern)
{
  g_hash_table_foreach_remove (self->routes, is_route_of, concern);
}

gboolean
hark_dispatcher_has (HarkDispatcher *self, const char *name)
{
  return g_hash_table_contains (self->routes, name);
}

/* Returns: %FALSE when there is no such command */
gboolean
hark_dispatcher_get_flags (HarkDispatcher *self, const char *name, HarkCommandFlags *flags)
{
  const Route *route = g_hash_table_lookup (self->routes, name);
  if (route != NULL)
    *flags = route->spec->flags;
  return route != NULL;
}

/* For answers that are written outside a command: refusals. Used up before anything else is answered. */
HarkJsonWriter *
hark_dispatcher_get_writer (HarkDispatcher *self)
{
  return &self->writer;
}

static gboolean
check_actor (const HarkCommandSpec *spec, HarkIdentity *actor, GError **error)
{
  if (actor == NULL && (spec->flags & (HARK_COMMAND_UNAUTHENTICATED | HARK_COMMAND_PUBLIC)) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED,
                   "say who you are first: \"authenticate\" with a token");
      return FALSE;
    }
  if (actor != NULL && (actor->flags & HARK_IDENTITY_ANONYMOUS) != 0 && (spec->flags & HARK_COMMAND_ANONYMOUS) == 0)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_UNAUTHENTICATED, "\"%s\" needs an account", spec->name);
      return FALSE;
    }
  if (actor != NULL && (actor->flags & HARK_IDENTITY_BACKEND) != 0)
    {
      if ((spec->flags & HARK_COMMAND_BACK_END) != 0)
        return TRUE;
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"%s\" is not for a back end's key", spec->name);
      return FALSE;
    }
  if ((spec->flags & HARK_COMMAND_ADMIN) != 0 && (actor == NULL || (actor->flags & HARK_IDENTITY_ADMIN) == 0))
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_FORBIDDEN, "\"%s\" is for administrators", spec->name);
      return FALSE;
    }
  return TRUE;
}

/* Calls from D-Bus and HTTP are metered where they come in: only sessions take from a user's quota. */
static gboolean
check_quota (HarkDispatcher *self, HarkCommand *command, const HarkCommandSpec *spec, const HarkJsonObject *args,
             GError **error)
{
  gint64 user_id = hark_command_get_user_id (command);
  if (self->quota == NULL || command->session == NULL || user_id == 0)
    return TRUE;
  if ((spec->flags & HARK_COMMAND_UNMETERED) == 0 && !hark_quota_take (self->quota, user_id, "requests", error))
    return FALSE;
  if (!hark_quota_take_some (self->quota, user_id, "bytes", args->len / 1024 + 1, error))
    return FALSE;
  return spec->quota == NULL || hark_quota_take (self->quota, user_id, spec->quota, error);
}

/* As much of a name as is told back: whole characters, because the client gets it as UTF-8. */
static gsize
get_shown_len (const char *name, gsize len)
{
  if (len <= MAX_NAME)
    return len;
  for (len = MAX_NAME; len > 0 && ((guchar)name[len] & 0xC0) == 0x80; len--)
    ;
  return len;
}

/**
 * hark_dispatcher_dispatch:
 * @command: (transfer full)
 * @name: (array length=name_len): the request's type
 *
 * Has the command answered: by its concern, or by an error.
 */
void
hark_dispatcher_dispatch (HarkDispatcher *self, HarkCommand *command, const char *name, gsize name_len,
                          const HarkJsonObject *args)
{
  g_autoptr (HarkCommand) owned G_GNUC_UNUSED = command;
  g_autoptr (GError) error = NULL;
  char key[MAX_NAME + 1];
  Route *route = NULL;
  command->writer = &self->writer;
  command->errors = self->errors;
  if (name_len <= MAX_NAME)
    {
      memcpy (key, name, name_len);
      key[name_len] = '\0';
      if (memchr (key, '\0', name_len) == NULL)
        route = g_hash_table_lookup (self->routes, key);
    }
  if (route == NULL)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "\"type\": there is no request \"%.*s\"",
                 (int)get_shown_len (name, name_len), name);
  else if (command->session != NULL && (route->spec->flags & HARK_COMMAND_PUBLIC) != 0)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "\"type\": \"%s\" is asked by HTTP", route->spec->name);
  else if (check_actor (route->spec, command->actor, &error) && check_quota (self, command, route->spec, args, &error))
    {
      command->spec = route->spec;
      command->args = args;
      hark_counter_add (self->n_commands, 1);
      route->spec->handle (hark_command_ref (command), route->concern);
      command->args = NULL;
      return;
    }
  hark_counter_add (self->n_refused, 1);
  hark_command_fail (command, error);
}

/**
 * hark_dispatcher_call_from:
 * @actor: (nullable): on whose behalf
 * @peer: (nullable): the address it comes from, %NULL for this machine
 * @args: a JSON object: the request without its `type`
 * @answer: called once, now or later
 *
 * Asks for something on behalf of who is no session: an administrator on D-Bus, a back end over HTTP.
 */
void
hark_dispatcher_call_from (HarkDispatcher *self, HarkIdentity *actor, const char *peer, const char *name,
                           const char *args, HarkCommandAnswer answer, gpointer data)
{
  HarkJsonObject object;
  GError *error = NULL;
  HarkCommand *command = hark_command_new_call (actor, answer, data);
  command->writer = &self->writer;
  command->errors = self->errors;
  command->peer = g_strdup (peer);
  if (!hark_json_object_parse (&object, args, strlen (args), &error))
    {
      hark_command_take_error (command, error);
      hark_command_unref (command);
      return;
    }
  hark_dispatcher_dispatch (self, command, name, strlen (name), &object);
}

/* As hark_dispatcher_call_from (), from this machine. */
void
hark_dispatcher_call (HarkDispatcher *self, HarkIdentity *actor, const char *name, const char *args,
                      HarkCommandAnswer answer, gpointer data)
{
  hark_dispatcher_call_from (self, actor, NULL, name, args, answer, data);
}
