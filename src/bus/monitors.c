/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Those who watch what happens. The hub's signals are listened to only while somebody does, and each is sent to them
 * alone. A busy hub makes signals faster than a bus takes them, and GDBus queues without bound: so after a window of
 * signals the bus is asked something, and until it has answered (it has then taken all before) what would go over the
 * window is counted, and told as `Missed`.
 */
#include "bus/monitors.h"

#include "base/error.h"
#include "base/ids.h"

#define INTERFACE "org.hark.Hub1"

struct _HarkBusMonitors
{
  GObject parent_instance;
  HarkHub *hub; /* (owned) */
  HarkBusLimits limits;
  GDBusConnection *connection; /* (owned) (nullable): while attached */
  char *path;                  /* (owned) (nullable) */
  GCancellable *cancellable;   /* (owned) (nullable): while attached */
  GPtrArray *names;            /* (element-type utf8) (owned): unique names of those who watch */
  guint sent;                  /* signals since the bus was asked */
  guint64 missed;              /* signals that were left out since then */
  gboolean is_asking;
  HarkGauge *n_monitors;
  HarkCounter *n_missed;
};

G_DEFINE_FINAL_TYPE (HarkBusMonitors, hark_bus_monitors, G_TYPE_OBJECT)

static void
hark_bus_monitors_dispose (GObject *object)
{
  HarkBusMonitors *self = HARK_BUS_MONITORS (object);
  hark_bus_monitors_detach (self);
  g_clear_object (&self->hub);
  G_OBJECT_CLASS (hark_bus_monitors_parent_class)->dispose (object);
}

static void
hark_bus_monitors_finalize (GObject *object)
{
  g_ptr_array_unref (HARK_BUS_MONITORS (object)->names);
  G_OBJECT_CLASS (hark_bus_monitors_parent_class)->finalize (object);
}

static void
hark_bus_monitors_class_init (HarkBusMonitorsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->dispose = hark_bus_monitors_dispose;
  object_class->finalize = hark_bus_monitors_finalize;
}

static void
hark_bus_monitors_init (HarkBusMonitors *self)
{
  self->names = g_ptr_array_new_with_free_func (g_free);
}

HarkBusMonitors *
hark_bus_monitors_new (HarkHub *hub, HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusMonitors *self = g_object_new (HARK_TYPE_BUS_MONITORS, NULL);
  self->hub = g_object_ref (hub);
  self->limits = *limits;
  self->n_monitors = hark_metrics_gauge (metrics, "hark_bus_monitors", "Programs on D-Bus that watch what happens.");
  self->n_missed = hark_metrics_counter (metrics, "hark_bus_signals_missed_total",
                                         "Signals to monitors that were left out because the bus was too slow.");
  return self;
}

static void emit (HarkBusMonitors *self, const char *signal, GVariant *parameters);

static void
on_bus_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (HarkBusMonitors) self = data;
  GVariant *reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  guint64 missed = self->missed;
  g_clear_pointer (&reply, g_variant_unref);
  self->is_asking = FALSE;
  /* An error is an answer too: the connection has ended, or we were detached. */
  self->sent = 0;
  self->missed = 0;
  if (missed > 0 && self->connection != NULL)
    emit (self, "Missed", g_variant_new ("(t)", missed));
}

/* When half of the window is used: the answer comes before the other half is, unless the bus is slow. */
static void
ask_bus (HarkBusMonitors *self)
{
  if (self->is_asking || self->sent < self->limits.monitor_window / 2)
    return;
  self->is_asking = TRUE;
  g_dbus_connection_call (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetId", NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_bus_answer,
                          g_object_ref (self));
}

static void
emit (HarkBusMonitors *self, const char *signal, GVariant *parameters)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  for (guint i = 0; i < self->names->len; i++)
    {
      if (self->sent >= self->limits.monitor_window)
        {
          self->missed++;
          hark_counter_add (self->n_missed, 1);
          continue;
        }
      self->sent++;
      g_dbus_connection_emit_signal (self->connection, self->names->pdata[i], self->path, INTERFACE, signal, owned,
                                     NULL);
    }
  ask_bus (self);
}

static void
on_hub_session_added (HarkBusMonitors *self, HarkSession *session)
{
  g_autofree char *address = hark_session_dup_address (session);
  char id[HARK_ID_LEN];
  char user_id[HARK_ID_LEN];
  emit (self, "SessionOpened",
        g_variant_new ("(ssss)", hark_id_format (session->id, id),
                       hark_id_format (hark_session_get_user_id (session), user_id),
                       session->identity != NULL ? session->identity->username : "", address));
}

static void
on_hub_session_removed (HarkBusMonitors *self, HarkSession *session, guint code, const char *reason)
{
  /* What a client gave as a reason is UTF-8 where the transport checks it, and GVariant needs it everywhere. */
  g_autofree char *text = g_utf8_make_valid (reason != NULL ? reason : "", -1);
  char id[HARK_ID_LEN];
  char user_id[HARK_ID_LEN];
  emit (self, "SessionClosed",
        g_variant_new ("(ssus)", hark_id_format (session->id, id),
                       hark_id_format (hark_session_get_user_id (session), user_id), code, text));
}

static void
on_hub_published (HarkBusMonitors *self, HarkEvent *event)
{
  char topic[HARK_TOPIC_MAX + 1];
  emit (self, "Published",
        g_variant_new ("(sxsu)", hark_topic_format (&event->topic, topic), event->seq, event->kind,
                       hark_hub_get_n_receivers (self->hub, &event->topic)));
}

static void
listen (HarkBusMonitors *self)
{
  g_signal_connect_object (self->hub, "session-added", G_CALLBACK (on_hub_session_added), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "session-removed", G_CALLBACK (on_hub_session_removed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "published", G_CALLBACK (on_hub_published), self, G_CONNECT_SWAPPED);
}

static void
count (HarkBusMonitors *self)
{
  hark_gauge_set (self->n_monitors, self->names->len);
  if (self->names->len == 0)
    g_signal_handlers_disconnect_by_data (self->hub, self);
}

/**
 * hark_bus_monitors_attach:
 *
 * Signals go out over @connection from now on.
 */
void
hark_bus_monitors_attach (HarkBusMonitors *self, GDBusConnection *connection, const char *path)
{
  g_return_if_fail (self->connection == NULL);
  self->connection = g_object_ref (connection);
  self->path = g_strdup (path);
  self->cancellable = g_cancellable_new ();
}

/* Ends all watching: the connection is no more. */
void
hark_bus_monitors_detach (HarkBusMonitors *self)
{
  if (self->connection == NULL)
    return;
  g_ptr_array_set_size (self->names, 0);
  count (self);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->path, g_free);
}

/**
 * hark_bus_monitors_start:
 * @sender: a unique name
 *
 * Begins to send signals to @sender; once is enough. Raises %HARK_ERROR_TOO_LARGE when too many watch already.
 */
gboolean
hark_bus_monitors_start (HarkBusMonitors *self, const char *sender, GError **error)
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
  if (self->names->len == 1)
    listen (self);
  count (self);
  return TRUE;
}

/* @sender watches no longer; it may never have. */
void
hark_bus_monitors_stop (HarkBusMonitors *self, const char *sender)
{
  guint index;
  if (!g_ptr_array_find_with_equal_func (self->names, sender, g_str_equal, &index))
    return;
  g_ptr_array_remove_index (self->names, index);
  count (self);
}
