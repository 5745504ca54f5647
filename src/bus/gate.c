/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way in from the bus. Every interface is exported through here, so every method of every interface is asked of
 * the authority first, a new one too. (GDBusInterfaceSkeleton's own "g-authorize-method" is emitted in a thread of its
 * own and cannot wait for an answer, so the skeletons are not exported themselves.) What is allowed goes to the
 * dispatcher when the XML says that it is a request, else to the interface's skeleton.
 */
#include "bus/gate.h"

#include "bus/translate.h"

struct _HarkBusGate
{
  GObject parent_instance;
  HarkBusAuthority *authority; /* (owned) */
  HarkBusBridge *bridge;       /* (owned) */
};

G_DEFINE_FINAL_TYPE (HarkBusGate, hark_bus_gate, G_TYPE_OBJECT)

/* What one registration with GDBus keeps. */
typedef struct
{
  HarkBusGate *gate;                /* (owned) */
  GDBusInterfaceSkeleton *skeleton; /* (owned) (nullable): all methods are requests */
} Entry;

/* A call that waits for the authority. */
typedef struct
{
  HarkBusGate *gate;                 /* (owned) */
  GDBusInterfaceSkeleton *skeleton;  /* (owned) (nullable) */
  GDBusMethodInvocation *invocation; /* (owned) */
  HarkBusGateFunc func;              /* (nullable) */
  GObject *data;                     /* (owned) (nullable) */
} Visit;

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  g_object_unref (entry->gate);
  g_clear_object (&entry->skeleton);
  g_free (entry);
}

static void
visit_free (Visit *visit)
{
  g_object_unref (visit->gate);
  g_clear_object (&visit->skeleton);
  g_clear_object (&visit->invocation);
  g_clear_object (&visit->data);
  g_free (visit);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Visit, visit_free)

static void
hark_bus_gate_finalize (GObject *object)
{
  HarkBusGate *self = HARK_BUS_GATE (object);
  g_object_unref (self->authority);
  g_object_unref (self->bridge);
  G_OBJECT_CLASS (hark_bus_gate_parent_class)->finalize (object);
}

static void
hark_bus_gate_class_init (HarkBusGateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_bus_gate_finalize;
}

static void
hark_bus_gate_init (HarkBusGate *self)
{
}

HarkBusGate *
hark_bus_gate_new (HarkBusAuthority *authority, HarkBusBridge *bridge)
{
  HarkBusGate *self = g_object_new (HARK_TYPE_BUS_GATE, NULL);
  self->authority = g_object_ref (authority);
  self->bridge = g_object_ref (bridge);
  return self;
}

static void
on_authority_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Visit) visit = data;
  g_autoptr (GError) error = NULL;
  GDBusMethodInvocation *invocation = g_steal_pointer (&visit->invocation);
  GDBusInterfaceVTable *vtable;
  if (!hark_bus_authority_check_finish (HARK_BUS_AUTHORITY (source), result, &error))
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return;
    }
  if (visit->func != NULL)
    {
      visit->func (invocation, visit->data);
      return;
    }
  if (hark_bus_bridge_serves (g_dbus_method_invocation_get_method_info (invocation)))
    {
      hark_bus_bridge_call (visit->gate->bridge, invocation);
      return;
    }
  vtable = g_dbus_interface_skeleton_get_vtable (visit->skeleton);
  vtable->method_call (g_dbus_method_invocation_get_connection (invocation),
                       g_dbus_method_invocation_get_sender (invocation),
                       g_dbus_method_invocation_get_object_path (invocation),
                       g_dbus_method_invocation_get_interface_name (invocation),
                       g_dbus_method_invocation_get_method_name (invocation),
                       g_dbus_method_invocation_get_parameters (invocation), invocation, visit->skeleton);
}

/* What the XML says that a method is; what it does not speak of is for administrators. */
static const char *
get_action (const GDBusMethodInfo *method)
{
  const char *action = g_dbus_annotation_info_lookup (method->annotations, HARK_BUS_ANNOTATION_ACTION);
  if (g_strcmp0 (action, "read") == 0)
    return HARK_BUS_ACTION_READ;
  return g_strcmp0 (action, "publish") == 0 ? HARK_BUS_ACTION_PUBLISH : HARK_BUS_ACTION_ADMINISTER;
}

static void
check (HarkBusGate *self, GDBusMethodInvocation *invocation, const char *action, Visit *visit)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  gboolean interactive
    = (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  hark_bus_authority_check_async (self->authority, g_dbus_method_invocation_get_connection (invocation),
                                  g_dbus_method_invocation_get_sender (invocation), action, interactive,
                                  on_authority_checked, visit);
}

static void
handle_method_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                    const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  Entry *entry = data;
  Visit *visit = g_new0 (Visit, 1);
  visit->gate = g_object_ref (entry->gate);
  visit->skeleton = entry->skeleton != NULL ? g_object_ref (entry->skeleton) : NULL;
  visit->invocation = invocation;
  check (entry->gate, invocation, get_action (g_dbus_method_invocation_get_method_info (invocation)), visit);
}

static GVariant *
handle_get_property (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                     const char *property, GError **error, gpointer data)
{
  Entry *entry = data;
  GDBusInterfaceVTable *vtable = g_dbus_interface_skeleton_get_vtable (entry->skeleton);
  return vtable->get_property (connection, sender, path, interface, property, error, entry->skeleton);
}

/**
 * hark_bus_gate_export:
 * @info: the interface
 * @skeleton: (nullable): carries out the methods that are no requests, and has the properties; %NULL when there are none
 *
 * Exports an interface. Properties may be read by all who are on the bus; there are none that can be written.
 *
 * Returns: for g_dbus_connection_unregister_object (); 0 when @path has that interface already
 */
guint
hark_bus_gate_export (HarkBusGate *self, GDBusConnection *connection, const char *path, GDBusInterfaceInfo *info,
                      GDBusInterfaceSkeleton *skeleton, GError **error)
{
  static const GDBusInterfaceVTable vtable = { handle_method_call, handle_get_property, NULL };
  Entry *entry = g_new (Entry, 1);
  entry->gate = g_object_ref (self);
  entry->skeleton = skeleton != NULL ? g_object_ref (skeleton) : NULL;
  return g_dbus_connection_register_object (connection, path, info, &vtable, entry, entry_free, error);
}

/**
 * hark_bus_gate_admit:
 * @invocation: (transfer full)
 * @action: a constant: one of HARK_BUS_ACTION_…
 * @func: called with it, now or later, when the caller may call; otherwise the caller is told that it may not
 * @data: held until then
 *
 * For objects that are not exported by hark_bus_gate_export (), because there is no end of them.
 */
void
hark_bus_gate_admit (HarkBusGate *self, GDBusMethodInvocation *invocation, const char *action, HarkBusGateFunc func,
                     GObject *data)
{
  Visit *visit = g_new0 (Visit, 1);
  visit->gate = g_object_ref (self);
  visit->invocation = invocation;
  visit->func = func;
  visit->data = g_object_ref (data);
  check (self, invocation, action, visit);
}
