/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PropertiesChanged of one object, at most once a second: ten thousand sessions that come in a second are one signal.
 * Whoever knows that something changed marks it; what has changed is found out when the signal is due, so marking costs
 * next to nothing.
 */
#include "bus/changes.h"

struct _HarkBusChanges
{
  GObject parent_instance;
  GDBusConnection *connection;      /* (owned) */
  char *path;                       /* (owned) */
  GDBusInterfaceSkeleton *skeleton; /* unowned: keeps us */
  HarkClock *clock;                 /* (owned) */
  GHashTable *told;                 /* name → GVariant (owned): the last values told */
  guint interval_ms;
  guint timeout;
};

G_DEFINE_FINAL_TYPE (HarkBusChanges, hark_bus_changes, G_TYPE_OBJECT)

static void
hark_bus_changes_dispose (GObject *object)
{
  HarkBusChanges *self = HARK_BUS_CHANGES (object);
  hark_clock_clear_timeout (self->clock, &self->timeout);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (hark_bus_changes_parent_class)->dispose (object);
}

static void
hark_bus_changes_finalize (GObject *object)
{
  HarkBusChanges *self = HARK_BUS_CHANGES (object);
  g_object_unref (self->clock);
  g_hash_table_unref (self->told);
  g_free (self->path);
  G_OBJECT_CLASS (hark_bus_changes_parent_class)->finalize (object);
}

static void
hark_bus_changes_class_init (HarkBusChangesClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_bus_changes_dispose;
  object_class->finalize = hark_bus_changes_finalize;
}

static void
hark_bus_changes_init (HarkBusChanges *self)
{
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
}

/* The XML's EmitsChangedSignal is "true" where it says nothing. */
static gboolean
is_told (const GDBusPropertyInfo *info)
{
  const char *emits
    = g_dbus_annotation_info_lookup (info->annotations, "org.freedesktop.DBus.Property.EmitsChangedSignal");
  return emits == NULL || g_str_equal (emits, "true");
}

/* Returns: (transfer floating): an a{sv} of what differs from what was told */
static GVariant *
collect (HarkBusChanges *self, guint *n_changed)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  GDBusInterfaceInfo *info = g_dbus_interface_skeleton_get_info (self->skeleton);
  GDBusInterfaceVTable *vtable = g_dbus_interface_skeleton_get_vtable (self->skeleton);
  *n_changed = 0;
  for (guint i = 0; info->properties != NULL && info->properties[i] != NULL; i++)
    {
      const char *name = info->properties[i]->name;
      g_autoptr (GVariant) value = NULL;
      GVariant *told = g_hash_table_lookup (self->told, name);
      if (!is_told (info->properties[i]))
        continue;
      value = vtable->get_property (self->connection, NULL, self->path, info->name, name, NULL, self->skeleton);
      value = g_variant_take_ref (value);
      if (told != NULL && g_variant_equal (told, value))
        continue;
      g_variant_dict_insert_value (&dict, name, value);
      g_hash_table_insert (self->told, (gpointer)name, g_steal_pointer (&value));
      *n_changed += 1;
    }
  return g_variant_dict_end (&dict);
}

static gboolean
on_clock_due (gpointer data)
{
  HarkBusChanges *self = data;
  guint n_changed;
  g_autoptr (GVariant) changed = g_variant_ref_sink (collect (self, &n_changed));
  self->timeout = 0;
  if (n_changed > 0)
    g_dbus_connection_emit_signal (self->connection, NULL, self->path, "org.freedesktop.DBus.Properties",
                                   "PropertiesChanged",
                                   g_variant_new ("(s@a{sv}@as)",
                                                  g_dbus_interface_skeleton_get_info (self->skeleton)->name, changed,
                                                  g_variant_new_strv (NULL, 0)),
                                   NULL);
  return G_SOURCE_REMOVE;
}

/**
 * hark_bus_changes_new:
 * @skeleton: whose properties; keeps the new object
 *
 * The properties count as told as they are now.
 */
HarkBusChanges *
hark_bus_changes_new (GDBusConnection *connection, const char *path, GDBusInterfaceSkeleton *skeleton, HarkClock *clock,
                      guint interval_ms)
{
  HarkBusChanges *self = g_object_new (HARK_TYPE_BUS_CHANGES, NULL);
  g_autoptr (GVariant) now = NULL;
  guint n_changed;
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->skeleton = skeleton;
  self->clock = g_object_ref (clock);
  self->interval_ms = interval_ms;
  now = g_variant_ref_sink (collect (self, &n_changed));
  return self;
}

/* Something may have changed. */
void
hark_bus_changes_mark (HarkBusChanges *self)
{
  if (self->timeout == 0)
    self->timeout = hark_clock_add_timeout (self->clock, self->interval_ms, on_clock_due, self);
}
