/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs on the bus that asked for an interface's signals: each signal is sent to them alone. A busy hub makes signals
 * faster than a bus takes them, and GDBus queues without bound: so after a window of signals the bus is asked something,
 * and until it has answered (it has then taken all before) what would go over the window is counted, and told as
 * `Missed`.
 */
#include "bus/watchers.h"

#include "base/error.h"

struct _HarkBusWatchers
{
  GObject parent_instance;
  const char *interface; /* static */
  HarkBusLimits limits;
  GDBusConnection *connection; /* (owned) (nullable): while attached */
  char *path;                  /* (owned) (nullable) */
  GCancellable *cancellable;   /* (owned) (nullable): while attached */
  GPtrArray *names;            /* (element-type utf8) (owned): unique names of those who watch */
  guint sent;                  /* signals since the bus was asked */
  guint64 missed;              /* signals that were left out since then */
  gboolean is_asking;
  HarkGauge *n_watchers;
  HarkCounter *n_missed;
};

G_DEFINE_FINAL_TYPE (HarkBusWatchers, hark_bus_watchers, G_TYPE_OBJECT)

static void
hark_bus_watchers_dispose (GObject *object)
{
  hark_bus_watchers_detach (HARK_BUS_WATCHERS (object));
  G_OBJECT_CLASS (hark_bus_watchers_parent_class)->dispose (object);
}

static void
hark_bus_watchers_finalize (GObject *object)
{
  g_ptr_array_unref (HARK_BUS_WATCHERS (object)->names);
  G_OBJECT_CLASS (hark_bus_watchers_parent_class)->finalize (object);
}

static void
hark_bus_watchers_class_init (HarkBusWatchersClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_bus_watchers_dispose;
  object_class->finalize = hark_bus_watchers_finalize;
}

static void
hark_bus_watchers_init (HarkBusWatchers *self)
{
  self->names = g_ptr_array_new_with_free_func (g_free);
}

/**
 * hark_bus_watchers_new:
 * @interface: a constant: whose signals they are told
 */
HarkBusWatchers *
hark_bus_watchers_new (const char *interface, const HarkBusLimits *limits, HarkGauge *n_watchers, HarkCounter *n_missed)
{
  HarkBusWatchers *self = g_object_new (HARK_TYPE_BUS_WATCHERS, NULL);
  self->interface = interface;
  self->limits = *limits;
  self->n_watchers = n_watchers;
  self->n_missed = n_missed;
  return self;
}

static void
on_bus_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkBusWatchers) self = data;
  GVariant *reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  guint64 missed = self->missed;
  g_clear_pointer (&reply, g_variant_unref);
  self->is_asking = FALSE;
  /* An error is an answer too: the connection has ended, or we were detached. */
  self->sent = 0;
  self->missed = 0;
  if (missed > 0 && self->connection != NULL)
    hark_bus_watchers_emit (self, "Missed", g_variant_new ("(t)", missed));
}

/* When half of the window is used: the answer comes before the other half is, unless the bus is slow. */
static void
ask_bus (HarkBusWatchers *self)
{
  if (self->is_asking || self->sent < self->limits.monitor_window / 2)
    return;
  self->is_asking = TRUE;
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetId", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_bus_answer,
                          g_object_ref (self));
}

/**
 * hark_bus_watchers_emit:
 * @parameters: floating
 *
 * Returns: whether somebody was told: nobody is when nobody watches, or when the bus is too slow
 */
gboolean
hark_bus_watchers_emit (HarkBusWatchers *self, const char *signal, GVariant *parameters)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  gboolean told = FALSE;
  for (guint i = 0; i < self->names->len; i++)
    {
      if (self->sent >= self->limits.monitor_window)
        {
          self->missed++;
          hark_counter_add (self->n_missed, 1);
          continue;
        }
      self->sent++;
      told = TRUE;
      g_dbus_connection_emit_signal (self->connection, self->names->pdata[i], self->path, self->interface, signal,
                                     owned, NULL);
    }
  if (self->connection != NULL)
    ask_bus (self);
  return told;
}

/* Signals go out over @connection from now on. */
void
hark_bus_watchers_attach (HarkBusWatchers *self, GDBusConnection *connection, const char *path)
{
  g_return_if_fail (self->connection == NULL);
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->cancellable = g_cancellable_new ();
}

/* Ends all watching: the connection is no more. */
void
hark_bus_watchers_detach (HarkBusWatchers *self)
{
  if (self->connection == NULL)
    return;
  g_ptr_array_set_size (self->names, 0);
  hark_gauge_set (self->n_watchers, 0);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->path, g_free);
}

/**
 * hark_bus_watchers_start:
 * @sender: a unique name
 *
 * Begins to send signals to @sender; once is enough. Raises %HARK_ERROR_TOO_LARGE when too many watch already.
 */
gboolean
hark_bus_watchers_start (HarkBusWatchers *self, const char *sender, GError **error)
{
  if (g_ptr_array_find_with_equal_func (self->names, sender, g_str_equal, NULL))
    return TRUE;
  if (self->names->len >= self->limits.max_monitors)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "%u programs watch already, and no more may",
                   self->names->len);
      return FALSE;
    }
  g_ptr_array_add (self->names, g_strdup (sender));
  hark_gauge_set (self->n_watchers, self->names->len);
  return TRUE;
}

/* @sender watches no longer; it may never have. */
void
hark_bus_watchers_stop (HarkBusWatchers *self, const char *sender)
{
  guint index;
  if (!g_ptr_array_find_with_equal_func (self->names, sender, g_str_equal, &index))
    return;
  g_ptr_array_remove_index (self->names, index);
  hark_gauge_set (self->n_watchers, self->names->len);
}

guint
hark_bus_watchers_get_n (HarkBusWatchers *self)
{
  return self->names->len;
}
