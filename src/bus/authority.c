/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may call. One user may anything: on a session bus the one the daemon runs as, on the system bus root. Of everybody
 * else polkit is asked on the system bus, by the action that a call is; without polkit they are refused, and so is
 * whoever cannot be asked about. The bus is asked once for each caller, without waiting; what it says is kept until the
 * caller leaves, since a unique name is never given twice. What polkit says is not kept: its answers run out.
 */
#include "bus/authority.h"

#include "base/error.h"

#include <unistd.h>

typedef enum
{
  PEER_ASKED, /* the bus has not answered yet */
  PEER_KNOWN,
  PEER_UNKNOWABLE
} PeerState;

typedef struct
{
  HarkBusAuthority *authority; /* unowned: keeps the peer */
  GDBusConnection *connection; /* (owned) */
  char *name;                  /* (owned): unique */
  guint watch;                 /* subscription to its leaving */
  PeerState state;
  guint32 uid;
  GQueue waiting; /* (element-type GTask) (owned) */
  guint n_checks; /* calls of which polkit has not said whether they may */
} Peer;

/* What a caller wants: the data of its task. */
typedef struct
{
  const char *action; /* static */
  gboolean interactive;
} Wish;

/* A question to polkit. */
typedef struct
{
  GTask *task; /* (owned) */
  char *name;  /* (owned): of the caller */
} Check;

/* A question to the bus. */
typedef struct
{
  HarkBusAuthority *authority; /* (owned) */
  char *name;                  /* (owned): the peer may be gone when the answer comes */
} Ask;

struct _HarkBusAuthority
{
  GObject parent_instance;
  uid_t uid; /* the one who may */
  HarkBusLimits limits;
  gboolean polkit;           /* the others are asked about */
  GHashTable *peers;         /* name → Peer (owned) */
  GCancellable *cancellable; /* (owned): of what the bus is being asked */
};

enum
{
  PEER_GONE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (HarkBusAuthority, hark_bus_authority, G_TYPE_OBJECT)

static void
ask_free (Ask *ask)
{
  g_object_unref (ask->authority);
  g_free (ask->name);
  g_free (ask);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ask, ask_free)

static void
refuse (GTask *task)
{
  g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_FORBIDDEN, "you may not administer this hub");
}

static void
check_free (Check *check)
{
  g_object_unref (check->task);
  g_free (check->name);
  g_free (check);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Check, check_free)

static void
on_polkit_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Check) check = data;
  HarkBusAuthority *self = g_task_get_source_object (check->task);
  Peer *peer = g_hash_table_lookup (self->peers, check->name);
  const Wish *wish = g_task_get_task_data (check->task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean authorized = FALSE, challenge = FALSE;
  if (peer != NULL)
    peer->n_checks--;
  if (reply != NULL)
    g_variant_get (reply, "((bba{ss}))", &authorized, &challenge, NULL);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
           && !g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
           && !g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    g_message ("polkit does not say whether %s may %s: %s", check->name, wish->action, error->message);
  if (authorized)
    g_task_return_boolean (check->task, TRUE);
  else if (challenge)
    g_task_return_new_error (check->task, HARK_ERROR, HARK_ERROR_FORBIDDEN,
                             "you may not, unless you say who you are: %s", wish->action);
  else
    refuse (check->task);
}

/* polkit(8), org.freedesktop.PolicyKit1.Authority: CheckAuthorizationFlags. */
#define ALLOW_USER_INTERACTION 1u

static void
ask_polkit (Peer *peer, GTask *task)
{
  const Wish *wish = g_task_get_task_data (task);
  GVariantBuilder subject, details;
  Check *check;
  if (peer->n_checks >= peer->authority->limits.max_waiting)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OVERLOADED, "too many calls at once");
      return;
    }
  peer->n_checks++;
  check = g_new (Check, 1);
  check->task = g_object_ref (task);
  check->name = g_strdup (peer->name);
  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (peer->name));
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_dbus_connection_call (peer->connection, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                          "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
                          g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject, wish->action, &details,
                                         wish->interactive ? ALLOW_USER_INTERACTION : 0, ""),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                          peer->authority->cancellable, on_polkit_answer, check);
}

static void
answer (Peer *peer, GTask *task)
{
  if (peer->state == PEER_KNOWN && peer->uid == peer->authority->uid)
    g_task_return_boolean (task, TRUE);
  else if (peer->state == PEER_KNOWN && peer->authority->polkit)
    ask_polkit (peer, task);
  else
    refuse (task);
}

static void
answer_all (Peer *peer)
{
  GTask *task;
  while ((task = g_queue_pop_head (&peer->waiting)) != NULL)
    {
      answer (peer, task);
      g_object_unref (task);
    }
}

static void
peer_free (gpointer data)
{
  Peer *peer = data;
  g_dbus_connection_signal_unsubscribe (peer->connection, peer->watch);
  if (peer->state == PEER_ASKED)
    peer->state = PEER_UNKNOWABLE;
  answer_all (peer);
  g_object_unref (peer->connection);
  g_free (peer->name);
  g_free (peer);
}

static void
hark_bus_authority_dispose (GObject *object)
{
  hark_bus_authority_forget (HARK_BUS_AUTHORITY (object));
  G_OBJECT_CLASS (hark_bus_authority_parent_class)->dispose (object);
}

static void
hark_bus_authority_finalize (GObject *object)
{
  HarkBusAuthority *self = HARK_BUS_AUTHORITY (object);
  g_hash_table_unref (self->peers);
  g_object_unref (self->cancellable);
  G_OBJECT_CLASS (hark_bus_authority_parent_class)->finalize (object);
}

static void
hark_bus_authority_class_init (HarkBusAuthorityClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_bus_authority_dispose;
  object_class->finalize = hark_bus_authority_finalize;
  signals[PEER_GONE] = g_signal_new ("peer-gone", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                     G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
hark_bus_authority_init (HarkBusAuthority *self)
{
  self->peers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, peer_free);
  self->cancellable = g_cancellable_new ();
}

/**
 * hark_bus_authority_new:
 * @uid: the user whose processes may call
 */
HarkBusAuthority *
hark_bus_authority_new (uid_t uid, const HarkBusLimits *limits)
{
  HarkBusAuthority *self = g_object_new (HARK_TYPE_BUS_AUTHORITY, NULL);
  self->uid = uid;
  self->limits = *limits;
  return self;
}

/**
 * hark_bus_authority_new_for_bus:
 *
 * Returns: (transfer full): on the system bus one that lets root call, and asks polkit of the others; elsewhere the
 *   daemon's own user
 */
HarkBusAuthority *
hark_bus_authority_new_for_bus (GBusType type, const HarkBusLimits *limits)
{
  HarkBusAuthority *self = hark_bus_authority_new (type == G_BUS_TYPE_SYSTEM ? 0 : getuid (), limits);
  self->polkit = type == G_BUS_TYPE_SYSTEM;
  return self;
}

/* Whether polkit is asked about those who may not anyway. */
void
hark_bus_authority_set_polkit (HarkBusAuthority *self, gboolean polkit)
{
  self->polkit = polkit;
}

static void
on_bus_uid (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Ask) ask = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  Peer *peer = g_hash_table_lookup (ask->authority->peers, ask->name);
  if (peer == NULL || peer->state != PEER_ASKED)
    return;
  peer->state = reply != NULL ? PEER_KNOWN : PEER_UNKNOWABLE;
  if (reply != NULL)
    g_variant_get (reply, "(u)", &peer->uid);
  else
    g_message ("the bus does not say whose %s is: %s", ask->name, error->message);
  answer_all (peer);
}

static void
on_bus_name_owner_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                           const char *signal, GVariant *parameters, gpointer data)
{
  g_autoptr (HarkBusAuthority) self = g_object_ref (data);
  g_autofree char *name = NULL;
  const char *new_owner;
  g_variant_get (parameters, "(s&s&s)", &name, NULL, &new_owner);
  if (*new_owner == '\0' && g_hash_table_remove (self->peers, name))
    g_signal_emit (self, signals[PEER_GONE], 0, name);
}

/* Watching begins before the question, on the same connection: a caller that has left is never kept. */
static Peer *
add_peer (HarkBusAuthority *self, GDBusConnection *connection, const char *sender)
{
  Peer *peer = g_new0 (Peer, 1);
  Ask *ask = g_new (Ask, 1);
  peer->authority = self;
  peer->connection = g_object_ref (connection);
  peer->name = g_strdup (sender);
  g_queue_init (&peer->waiting);
  g_hash_table_insert (self->peers, peer->name, peer);
  peer->watch = g_dbus_connection_signal_subscribe (connection, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                                    "NameOwnerChanged", "/org/freedesktop/DBus", sender,
                                                    G_DBUS_SIGNAL_FLAGS_NONE, on_bus_name_owner_changed, self, NULL);
  ask->authority = g_object_ref (self);
  ask->name = g_strdup (sender);
  g_dbus_connection_call (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetConnectionUnixUser", g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_bus_uid, ask);
  return peer;
}

/**
 * hark_bus_authority_check_async:
 * @sender: (nullable): the caller's unique name; nobody without one may
 * @action: a constant: one of HARK_BUS_ACTION_…
 * @interactive: the caller lets its user be asked for a password
 *
 * Finds out whether a caller may do something. Callers of whom polkit need not be asked are answered in the order in
 * which they asked.
 */
void
hark_bus_authority_check_async (HarkBusAuthority *self, GDBusConnection *connection, const char *sender,
                                const char *action, gboolean interactive, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, data);
  Wish *wish = g_new (Wish, 1);
  Peer *peer;
  wish->action = action;
  wish->interactive = interactive;
  g_task_set_task_data (task, wish, g_free);
  g_task_set_source_tag (task, hark_bus_authority_check_async);
  if (sender == NULL)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_FORBIDDEN, "only callers on a message bus may call");
      return;
    }
  peer = g_hash_table_lookup (self->peers, sender);
  if (peer == NULL && g_hash_table_size (self->peers) >= self->limits.max_peers)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OVERLOADED, "too many callers");
      return;
    }
  if (peer == NULL)
    peer = add_peer (self, connection, sender);
  if (peer->state != PEER_ASKED)
    answer (peer, task);
  else if (g_queue_get_length (&peer->waiting) < self->limits.max_waiting)
    g_queue_push_tail (&peer->waiting, g_steal_pointer (&task));
  else
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_OVERLOADED, "too many calls at once");
}

/**
 * hark_bus_authority_check_finish:
 *
 * Raises %HARK_ERROR_FORBIDDEN and %HARK_ERROR_OVERLOADED.
 */
gboolean
hark_bus_authority_check_finish (HarkBusAuthority *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * hark_bus_authority_forget:
 *
 * Forgets all callers, as when the connection to the bus has ended; those that wait are refused.
 */
void
hark_bus_authority_forget (HarkBusAuthority *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_hash_table_remove_all (self->peers);
}
