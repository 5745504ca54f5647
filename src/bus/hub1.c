/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.hark.Hub1 without its requests, which the bridge carries out: the properties, read from the hub when somebody
 * asks, and the methods that concern the bus or the process rather than the hub.
 */
#include "bus/hub1.h"

#include "base/error.h"
#include "bus/changes.h"
#include "config.h"

struct _HarkBusHub1Object
{
  HarkBusHub1Skeleton parent_instance;
  HarkHub *hub;              /* (owned) */
  HarkClock *clock;          /* (owned) */
  HarkBusMonitors *monitors; /* (owned) */
  HarkBusChanges *changes;   /* (owned) (nullable): while attached */
  HarkBusReloadFunc reload;  /* (nullable) */
  gpointer reload_data;
  HarkBusUpgradeFunc upgrade; /* (nullable) */
  gpointer upgrade_data;
  guint changes_ms;
  gint64 started_ms; /* since 1970 */
  gboolean ready;
  gboolean draining;
};

static void hub1_iface_init (HarkBusHub1Iface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (HarkBusHub1Object, hark_bus_hub1_object, HARK_BUS_TYPE_HUB1_SKELETON,
                               G_IMPLEMENT_INTERFACE (HARK_BUS_TYPE_HUB1, hub1_iface_init))

/* In the order of the XML, which hark_bus_hub1_override_properties () follows. */
enum
{
  PROP_VERSION = 1,
  PROP_STARTED,
  PROP_READY,
  PROP_DRAINING,
  PROP_SESSIONS,
  PROP_SUBSCRIPTIONS,
  PROP_INTERESTS,
  PROP_USERS,
  PROP_TOPICS
};

static void
hark_bus_hub1_object_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  HarkBusHub1Object *self = HARK_BUS_HUB1_OBJECT (object);
  switch (id)
    {
    case PROP_VERSION:
      g_value_set_string (value, HARK_VERSION);
      break;
    case PROP_STARTED:
      g_value_set_int64 (value, self->started_ms);
      break;
    case PROP_READY:
      g_value_set_boolean (value, self->ready);
      break;
    case PROP_DRAINING:
      g_value_set_boolean (value, self->draining);
      break;
    case PROP_SESSIONS:
    case PROP_SUBSCRIPTIONS:
    case PROP_INTERESTS:
    case PROP_USERS:
    case PROP_TOPICS:
      g_object_get_property (G_OBJECT (self->hub), pspec->name, value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* None can be set: but what gdbus-codegen declares can, and GObject wants to see this. */
static void
hark_bus_hub1_object_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
hark_bus_hub1_object_dispose (GObject *object)
{
  HarkBusHub1Object *self = HARK_BUS_HUB1_OBJECT (object);
  hark_bus_hub1_object_detach (self);
  g_clear_object (&self->hub);
  g_clear_object (&self->clock);
  g_clear_object (&self->monitors);
  G_OBJECT_CLASS (hark_bus_hub1_object_parent_class)->dispose (object);
}

static void
hark_bus_hub1_object_class_init (HarkBusHub1ObjectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = hark_bus_hub1_object_get_property;
  object_class->set_property = hark_bus_hub1_object_set_property;
  object_class->dispose = hark_bus_hub1_object_dispose;
  hark_bus_hub1_override_properties (object_class, PROP_VERSION);
}

static void
hark_bus_hub1_object_init (HarkBusHub1Object *self)
{
}

static gboolean
handle_reload (HarkBusHub1 *hub1, GDBusMethodInvocation *invocation)
{
  HarkBusHub1Object *self = HARK_BUS_HUB1_OBJECT (hub1);
  GError *error = NULL;
  if (self->reload == NULL)
    g_set_error (&error, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no configuration to be read again");
  else if (self->reload (self->reload_data, &error))
    {
      hark_bus_hub1_complete_reload (hub1, invocation);
      return TRUE;
    }
  g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

static void
on_upgrade_done (GObject *source, GAsyncResult *result, gpointer data)
{
  GDBusMethodInvocation *invocation = data;
  GError *error = NULL;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    hark_bus_hub1_complete_upgrade (HARK_BUS_HUB1 (source), invocation);
  else
    g_dbus_method_invocation_take_error (invocation, error);
}

static gboolean
handle_upgrade (HarkBusHub1 *hub1, GDBusMethodInvocation *invocation)
{
  HarkBusHub1Object *self = HARK_BUS_HUB1_OBJECT (hub1);
  GTask *task = g_task_new (self, NULL, on_upgrade_done, invocation);
  g_task_set_source_tag (task, handle_upgrade);
  if (self->upgrade != NULL)
    {
      self->upgrade (task, self->upgrade_data);
      return TRUE;
    }
  g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_UNKNOWN_TYPE, "there is no program to go on with");
  g_object_unref (task);
  return TRUE;
}

static gboolean
handle_start_monitor (HarkBusHub1 *hub1, GDBusMethodInvocation *invocation)
{
  GError *error = NULL;
  if (hark_bus_monitors_start (HARK_BUS_HUB1_OBJECT (hub1)->monitors, g_dbus_method_invocation_get_sender (invocation),
                               &error))
    hark_bus_hub1_complete_start_monitor (hub1, invocation);
  else
    g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

static gboolean
handle_stop_monitor (HarkBusHub1 *hub1, GDBusMethodInvocation *invocation)
{
  hark_bus_monitors_stop (HARK_BUS_HUB1_OBJECT (hub1)->monitors, g_dbus_method_invocation_get_sender (invocation));
  hark_bus_hub1_complete_stop_monitor (hub1, invocation);
  return TRUE;
}

static void
hub1_iface_init (HarkBusHub1Iface *iface)
{
  iface->handle_reload = handle_reload;
  iface->handle_upgrade = handle_upgrade;
  iface->handle_start_monitor = handle_start_monitor;
  iface->handle_stop_monitor = handle_stop_monitor;
}

/**
 * hark_bus_hub1_object_new:
 *
 * Returns: (transfer full): the object of a hub that starts now
 */
HarkBusHub1Object *
hark_bus_hub1_object_new (HarkHub *hub, HarkBusMonitors *monitors, HarkClock *clock, const HarkBusLimits *limits)
{
  HarkBusHub1Object *self = g_object_new (HARK_TYPE_BUS_HUB1, NULL);
  self->hub = g_object_ref (hub);
  self->monitors = g_object_ref (monitors);
  self->clock = g_object_ref (clock);
  self->changes_ms = limits->changes_ms;
  self->started_ms = hark_clock_get_real_ms (clock);
  return self;
}

/* Changes of properties are told over @connection from now on. */
void
hark_bus_hub1_object_attach (HarkBusHub1Object *self, GDBusConnection *connection, const char *path)
{
  g_return_if_fail (self->changes == NULL);
  self->changes
    = hark_bus_changes_new (connection, path, G_DBUS_INTERFACE_SKELETON (self), self->clock, self->changes_ms);
  g_signal_connect_object (self->hub, "session-added", G_CALLBACK (hark_bus_changes_mark), self->changes,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "session-removed", G_CALLBACK (hark_bus_changes_mark), self->changes,
                           G_CONNECT_SWAPPED);
}

void
hark_bus_hub1_object_detach (HarkBusHub1Object *self)
{
  if (self->changes != NULL)
    g_signal_handlers_disconnect_by_data (self->hub, self->changes);
  g_clear_object (&self->changes);
}

void
hark_bus_hub1_object_set_ready (HarkBusHub1Object *self, gboolean ready)
{
  self->ready = ready;
  if (self->changes != NULL)
    hark_bus_changes_mark (self->changes);
}

void
hark_bus_hub1_object_set_draining (HarkBusHub1Object *self, gboolean draining)
{
  self->draining = draining;
  if (self->changes != NULL)
    hark_bus_changes_mark (self->changes);
}

/* @reload: (nullable): what Reload() does */
void
hark_bus_hub1_object_set_reload (HarkBusHub1Object *self, HarkBusReloadFunc reload, gpointer data)
{
  self->reload = reload;
  self->reload_data = data;
}

/* @upgrade: (nullable): what Upgrade() does */
void
hark_bus_hub1_object_set_upgrade (HarkBusHub1Object *self, HarkBusUpgradeFunc upgrade, gpointer data)
{
  self->upgrade = upgrade;
  self->upgrade_data = data;
}
