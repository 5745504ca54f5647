/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sessions and their subscriptions as objects on the bus. None of them is registered: the bus hands over whatever is
 * said to a path below /sessions, and only then it is looked whether there is such a session. Calls and properties go
 * through the gate like those of every interface, since who is connected from where is nobody's business but the
 * administrator's. A list of all is put together a few at a time, between other things.
 */
#include "bus/session-objects.h"

#include "base/error.h"
#include "base/ids.h"
#include "base/json-writer.h"
#include "bus/session-properties.h"
#include "bus/translate.h"
#include "bus/watchers.h"
#include "hark-bus-generated.h"

#include <string.h>

#define SESSIONS "/sessions"
#define SESSION1 "org.hark.Session1"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* What an introspection of the path above all sessions names: it can be asked for by anybody. */
#define MAX_ENUMERATED 1000

/* What a close frame holds behind its code (RFC 6455 section 5.5). */
#define MAX_REASON 123

/* Sessions of a list that are described in one go. */
#define SLICE 100

/* The type of what is sent to one session. */
#define DIRECT "direct"

static const char manager_xml[]
  = "<node><interface name='" OBJECT_MANAGER "'><method name='GetManagedObjects'>"
    "<arg type='a{oa{sa{sv}}}' name='objects' direction='out'/></method>"
    "<signal name='InterfacesAdded'><arg type='o' name='object'/><arg type='a{sa{sv}}' name='interfaces'/></signal>"
    "<signal name='InterfacesRemoved'><arg type='o' name='object'/><arg type='as' name='interfaces'/></signal>"
    "</interface></node>";

struct _HarkBusSessionObjects
{
  GObject parent_instance;
  HarkHub *hub;      /* (owned) */
  HarkBusGate *gate; /* (owned) */
  HarkBusLimits limits;
  HarkBusWatchers *watchers;   /* (owned): who has asked for the list */
  GDBusNodeInfo *manager;      /* (owned) */
  GDBusConnection *connection; /* (owned) (nullable): while attached */
  char *path;                  /* (owned) (nullable): of the hub */
  char *base;                  /* (owned) (nullable): above all sessions */
  guint subtree;
  guint registration;
  GPtrArray *listings; /* (element-type Listing) (owned): that are being put together */
};

G_DEFINE_FINAL_TYPE (HarkBusSessionObjects, hark_bus_session_objects, G_TYPE_OBJECT)

/* A list of all sessions on its way. */
typedef struct
{
  HarkBusSessionObjects *objects;    /* unowned: it ends them */
  GDBusMethodInvocation *invocation; /* (owned) (nullable) */
  GArray *ids;                       /* (element-type gint64) (owned) */
  guint next;
  GVariantBuilder builder;
  guint source;
} Listing;

static void
listing_free (gpointer data)
{
  Listing *listing = data;
  g_clear_handle_id (&listing->source, g_source_remove);
  if (listing->invocation != NULL)
    g_dbus_method_invocation_return_error_literal (listing->invocation, HARK_ERROR, HARK_ERROR_OVERLOADED,
                                                   "the hub is going away");
  g_variant_builder_clear (&listing->builder);
  g_array_unref (listing->ids);
  g_free (listing);
}

static void
hark_bus_session_objects_dispose (GObject *object)
{
  HarkBusSessionObjects *self = HARK_BUS_SESSION_OBJECTS (object);
  hark_bus_session_objects_detach (self);
  g_clear_object (&self->watchers);
  g_clear_object (&self->hub);
  g_clear_object (&self->gate);
  G_OBJECT_CLASS (hark_bus_session_objects_parent_class)->dispose (object);
}

static void
hark_bus_session_objects_finalize (GObject *object)
{
  HarkBusSessionObjects *self = HARK_BUS_SESSION_OBJECTS (object);
  g_dbus_node_info_unref (self->manager);
  g_ptr_array_unref (self->listings);
  G_OBJECT_CLASS (hark_bus_session_objects_parent_class)->finalize (object);
}

static void
hark_bus_session_objects_class_init (HarkBusSessionObjectsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_bus_session_objects_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_bus_session_objects_finalize;
}

static void
hark_bus_session_objects_init (HarkBusSessionObjects *self)
{
  self->listings = g_ptr_array_new_with_free_func (listing_free);
  self->manager = g_dbus_node_info_new_for_xml (manager_xml, NULL);
}

HarkBusSessionObjects *
hark_bus_session_objects_new (HarkHub *hub, HarkBusGate *gate, HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusSessionObjects *self = g_object_new (HARK_TYPE_BUS_SESSION_OBJECTS, NULL);
  self->hub = g_object_ref (hub);
  self->gate = g_object_ref (gate);
  self->limits = *limits;
  self->watchers = hark_bus_watchers_new (
    OBJECT_MANAGER, limits,
    hark_metrics_gauge (metrics, "hark_bus_object_listeners", "Programs on D-Bus that are told of sessions' objects."),
    hark_metrics_counter (metrics, "hark_bus_object_signals_missed_total",
                          "Signals to these that were left out because the bus was too slow."));
  return self;
}

/* What a path stands for. */

typedef struct
{
  HarkSession *session;           /* (nullable): the hub's */
  HarkSubscription *subscription; /* (nullable): the session's */
} Object;

/* Returns: whether there is such an object now */
static gboolean
find_object (HarkBusSessionObjects *self, const char *node, Object *object)
{
  g_auto (HarkBusNode) parsed = { 0 };
  g_auto (HarkTopic) topic = { 0 };
  *object = (Object){ 0 };
  if (node == NULL || !hark_bus_node_parse (node, &parsed))
    return FALSE;
  object->session = hark_hub_get_session (self->hub, parsed.session_id);
  if (object->session == NULL || parsed.topic == NULL)
    return object->session != NULL;
  if (!hark_topic_parse (parsed.topic, &topic, NULL))
    return FALSE;
  object->subscription = hark_session_find_subscription (object->session, &topic);
  return object->subscription != NULL;
}

static GDBusInterfaceInfo *
get_info (const Object *object)
{
  return object->subscription != NULL ? hark_bus_subscription1_interface_info () : hark_bus_session1_interface_info ();
}

static GVariant *
get_property (HarkBusSessionObjects *self, const Object *object, const char *name)
{
  if (object->subscription != NULL)
    return hark_bus_subscription_get_property (self->hub, object->subscription, self->base, name);
  return hark_bus_session_get_property (object->session, self->base, name);
}

static GVariant *
get_all (HarkBusSessionObjects *self, const Object *object)
{
  GDBusInterfaceInfo *info = get_info (object);
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; info->properties[i] != NULL; i++)
    g_variant_builder_add (&builder, "{sv}", info->properties[i]->name,
                           get_property (self, object, info->properties[i]->name));
  return g_variant_builder_end (&builder);
}

/* Calls. */

static gboolean
send_event (HarkSession *session, GVariant *parameters, GError **error)
{
  g_auto (HarkJsonWriter) json = { 0 };
  const char *data, *text;
  gsize len;
  g_variant_get (parameters, "(&s)", &data);
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", DIRECT);
  hark_json_writer_member (&json, "data");
  if (!hark_bus_translate_json (&json, "data", data, error))
    return FALSE;
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  hark_session_send_json (session, DIRECT, text, len);
  return TRUE;
}

static gboolean
call_session (HarkSession *session, const char *method, GVariant *parameters, GError **error)
{
  const char *reason;
  if (g_str_equal (method, "Send"))
    return send_event (session, parameters, error);
  g_variant_get (parameters, "(&s)", &reason);
  if (strlen (reason) > MAX_REASON)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "\"reason\" is longer than %d bytes", MAX_REASON);
      return FALSE;
    }
  hark_session_close (session, HARK_CLOSE_DISCONNECTED, *reason != '\0' ? reason : NULL);
  return TRUE;
}

/* Returns: (transfer full) (nullable): floating: the answer; types and names were checked by GDBus */
static GVariant *
answer (HarkBusSessionObjects *self, const Object *object, GDBusMethodInvocation *invocation, GError **error)
{
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  GVariant *parameters = g_dbus_method_invocation_get_parameters (invocation);
  const char *name;
  if (!g_str_equal (g_dbus_method_invocation_get_interface_name (invocation), PROPERTIES))
    return call_session (object->session, method, parameters, error) ? g_variant_new_tuple (NULL, 0) : NULL;
  if (g_str_equal (method, "GetAll"))
    return g_variant_new ("(@a{sv})", get_all (self, object));
  g_variant_get (parameters, "(&s&s)", NULL, &name);
  return g_variant_new ("(v)", get_property (self, object, name));
}

static void
on_admitted (GDBusMethodInvocation *invocation, gpointer data)
{
  HarkBusSessionObjects *self = data;
  const char *path = g_dbus_method_invocation_get_object_path (invocation);
  const char *node = strrchr (path, '/') + 1;
  g_autoptr (HarkSession) hold G_GNUC_UNUSED = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *reply = NULL;
  Object object;
  if (self->connection != NULL && find_object (self, node, &object))
    {
      hold = g_object_ref (object.session);
      reply = answer (self, &object, invocation, &error);
    }
  else
    g_set_error (&error, HARK_ERROR, HARK_ERROR_NOT_FOUND, "%s: it has ended", path);
  if (reply != NULL)
    g_dbus_method_invocation_return_value (invocation, reply);
  else
    g_dbus_method_invocation_return_gerror (invocation, error);
}

static void
handle_method_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                    const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  HarkBusSessionObjects *self = data;
  hark_bus_gate_admit (self->gate, invocation,
                       g_str_equal (interface, PROPERTIES) ? HARK_BUS_ACTION_READ : HARK_BUS_ACTION_ADMINISTER,
                       on_admitted, G_OBJECT (self));
}

/* Without functions for properties GDBus gives those calls to the one for methods, where they can wait for the gate. */
static const GDBusInterfaceVTable object_vtable = { handle_method_call, NULL, NULL };

/* The subtree. */

static char **
subtree_enumerate (GDBusConnection *connection, const char *sender, const char *path, gpointer data)
{
  HarkBusSessionObjects *self = data;
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (self->hub);
  GPtrArray *nodes = g_ptr_array_new ();
  for (guint i = 0; i < sessions->len && nodes->len < MAX_ENUMERATED; i++)
    {
      HarkSession *session = sessions->pdata[i];
      g_ptr_array_add (nodes, hark_bus_node_format (session->id, NULL));
    }
  g_ptr_array_add (nodes, NULL);
  return (char **)g_ptr_array_free (nodes, FALSE);
}

static GDBusInterfaceInfo **
subtree_introspect (GDBusConnection *connection, const char *sender, const char *path, const char *node, gpointer data)
{
  GDBusInterfaceInfo **infos;
  Object object;
  if (!find_object (data, node, &object))
    return NULL;
  infos = g_new0 (GDBusInterfaceInfo *, 2);
  infos[0] = g_dbus_interface_info_ref (get_info (&object));
  return infos;
}

static const GDBusInterfaceVTable *
subtree_dispatch (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *node, gpointer *object_data, gpointer data)
{
  *object_data = data;
  return &object_vtable;
}

static const GDBusSubtreeVTable subtree_vtable = { subtree_enumerate, subtree_introspect, subtree_dispatch };

/* The list. */

static GVariant *
describe (HarkBusSessionObjects *self, HarkSession *session)
{
  Object object = { session, NULL };
  GVariantBuilder builder;
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{sa{sv}}"));
  g_variant_builder_add (&builder, "{s@a{sv}}", SESSION1, get_all (self, &object));
  return g_variant_builder_end (&builder);
}

static char *
dup_path (HarkBusSessionObjects *self, gint64 session_id)
{
  return g_strdup_printf ("%s/%" G_GINT64_FORMAT, self->base, session_id);
}

static gboolean
on_slice (gpointer data)
{
  Listing *listing = data;
  HarkBusSessionObjects *self = listing->objects;
  guint end = MIN (listing->next + SLICE, listing->ids->len);
  for (; listing->next < end; listing->next++)
    {
      gint64 id = g_array_index (listing->ids, gint64, listing->next);
      HarkSession *session = hark_hub_get_session (self->hub, id);
      g_autofree char *path = dup_path (self, id);
      if (session != NULL)
        g_variant_builder_add (&listing->builder, "{o@a{sa{sv}}}", path, describe (self, session));
    }
  if (listing->next < listing->ids->len)
    return G_SOURCE_CONTINUE;
  g_dbus_method_invocation_return_value (g_steal_pointer (&listing->invocation),
                                         g_variant_new ("(a{oa{sa{sv}}})", &listing->builder));
  listing->source = 0;
  g_ptr_array_remove_fast (self->listings, listing);
  return G_SOURCE_REMOVE;
}

/* Who has the list is told from now on what changes, so a session that comes while it is put together is told twice at
 * most, and not never. */
static void
on_list_admitted (GDBusMethodInvocation *invocation, gpointer data)
{
  HarkBusSessionObjects *self = data;
  g_autoptr (GPtrArray) sessions = NULL;
  g_autoptr (GError) error = NULL;
  Listing *listing;
  if (self->connection == NULL || self->listings->len >= self->limits.max_monitors)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_OVERLOADED, "as many lists as can be are on their way");
  else
    hark_bus_watchers_start (self->watchers, g_dbus_method_invocation_get_sender (invocation), &error);
  if (error != NULL)
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return;
    }
  sessions = hark_hub_dup_sessions (self->hub);
  listing = g_new0 (Listing, 1);
  listing->objects = self;
  listing->invocation = invocation;
  listing->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < sessions->len; i++)
    g_array_append_val (listing->ids, ((HarkSession *)sessions->pdata[i])->id);
  g_variant_builder_init (&listing->builder, G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  listing->source = g_idle_add (on_slice, listing);
  g_ptr_array_add (self->listings, listing);
}

static void
handle_list (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
             const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  HarkBusSessionObjects *self = data;
  hark_bus_gate_admit (self->gate, invocation, HARK_BUS_ACTION_READ, on_list_admitted, G_OBJECT (self));
}

static const GDBusInterfaceVTable manager_vtable = { handle_list, NULL, NULL };

static void
on_hub_session_added (HarkBusSessionObjects *self, HarkSession *session)
{
  g_autofree char *path = NULL;
  if (hark_bus_watchers_get_n (self->watchers) == 0)
    return;
  path = dup_path (self, session->id);
  hark_bus_watchers_emit (self->watchers, "InterfacesAdded",
                          g_variant_new ("(o@a{sa{sv}})", path, describe (self, session)));
}

static void
on_hub_session_removed (HarkBusSessionObjects *self, HarkSession *session)
{
  static const char *const interfaces[] = { SESSION1 };
  g_autofree char *path = NULL;
  if (hark_bus_watchers_get_n (self->watchers) == 0)
    return;
  path = dup_path (self, session->id);
  hark_bus_watchers_emit (self->watchers, "InterfacesRemoved",
                          g_variant_new ("(o@as)", path, g_variant_new_strv (interfaces, G_N_ELEMENTS (interfaces))));
}

/**
 * hark_bus_session_objects_attach:
 * @path: the hub's
 *
 * The objects are there from now on.
 */
gboolean
hark_bus_session_objects_attach (HarkBusSessionObjects *self, GDBusConnection *connection, const char *path,
                                 GError **error)
{
  g_return_val_if_fail (self->connection == NULL, FALSE);
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->base = g_strconcat (path, SESSIONS, NULL);
  hark_bus_watchers_attach (self->watchers, connection, path);
  g_signal_connect_object (self->hub, "session-added", G_CALLBACK (on_hub_session_added), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "session-removed", G_CALLBACK (on_hub_session_removed), self, G_CONNECT_SWAPPED);
  self->subtree
    = g_dbus_connection_register_subtree (connection, self->base, &subtree_vtable,
                                          G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES, self, NULL, error);
  if (self->subtree == 0)
    return FALSE;
  self->registration = g_dbus_connection_register_object (connection, path, self->manager->interfaces[0],
                                                          &manager_vtable, self, NULL, error);
  return self->registration != 0;
}

/* The connection is no more: lists on their way are answered with an error. */
void
hark_bus_session_objects_detach (HarkBusSessionObjects *self)
{
  if (self->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->hub, self);
  g_ptr_array_set_size (self->listings, 0);
  hark_bus_watchers_detach (self->watchers);
  if (self->subtree != 0)
    g_dbus_connection_unregister_subtree (self->connection, self->subtree);
  if (self->registration != 0)
    g_dbus_connection_unregister_object (self->connection, self->registration);
  self->subtree = self->registration = 0;
  g_clear_object (&self->connection);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->base, g_free);
}

/* @sender has left the bus. */
void
hark_bus_session_objects_drop_caller (HarkBusSessionObjects *self, const char *sender)
{
  hark_bus_watchers_stop (self->watchers, sender);
}
