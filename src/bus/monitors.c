/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Those who watch what happens in the hub, whose signals are listened to only while somebody does. */
#include "bus/monitors.h"

#include "base/error.h"
#include "base/ids.h"
#include "core/lost-session.h"
#include "bus/watchers.h"

#define INTERFACE "org.hark.Hub1"

struct _HarkBusMonitors
{
  GObject parent_instance;
  HarkHub *hub;              /* (owned) */
  GArray *lost;              /* (nullable) (owned) (element-type HarkLostSession): whom nobody was told of yet */
  HarkBusWatchers *watchers; /* (owned) */
};

G_DEFINE_FINAL_TYPE (HarkBusMonitors, hark_bus_monitors, G_TYPE_OBJECT)

static void
hark_bus_monitors_dispose (GObject *object)
{
  HarkBusMonitors *self = HARK_BUS_MONITORS (object);
  if (self->watchers != NULL)
    hark_bus_monitors_detach (self);
  g_clear_object (&self->watchers);
  g_clear_object (&self->hub);
  g_clear_pointer (&HARK_BUS_MONITORS (object)->lost, g_array_unref);
  G_OBJECT_CLASS (hark_bus_monitors_parent_class)->dispose (object);
}

static void
hark_bus_monitors_class_init (HarkBusMonitorsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_bus_monitors_dispose;
}

static void
hark_bus_monitors_init (HarkBusMonitors *self)
{
}

HarkBusMonitors *
hark_bus_monitors_new (HarkHub *hub, HarkMetrics *metrics, const HarkBusLimits *limits)
{
  HarkBusMonitors *self = g_object_new (HARK_TYPE_BUS_MONITORS, NULL);
  self->hub = g_object_ref (hub);
  self->watchers = hark_bus_watchers_new (
    INTERFACE, limits, hark_metrics_gauge (metrics, "hark_bus_monitors", "Programs on D-Bus that watch what happens."),
    hark_metrics_counter (metrics, "hark_bus_signals_missed_total",
                          "Signals to monitors that were left out because the bus was too slow."));
  return self;
}

static void
on_hub_session_added (HarkBusMonitors *self, HarkSession *session)
{
  g_autofree char *address = hark_session_dup_address (session);
  char id[HARK_ID_LEN];
  char user_id[HARK_ID_LEN];
  hark_bus_watchers_emit (self->watchers, "SessionOpened",
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
  hark_bus_watchers_emit (self->watchers, "SessionClosed",
                          g_variant_new ("(ssusx)", hark_id_format (session->id, id),
                                         hark_id_format (hark_session_get_user_id (session), user_id), code, text,
                                         hark_clock_get_real_ms (hark_hub_get_clock (self->hub))));
}

/* What nobody could be told when it happened. */
static void
tell_lost (HarkBusMonitors *self)
{
  for (guint i = 0; self->lost != NULL && i < self->lost->len; i++)
    {
      const HarkLostSession *session = &g_array_index (self->lost, HarkLostSession, i);
      char id[HARK_ID_LEN];
      char user_id[HARK_ID_LEN];
      hark_bus_watchers_emit (self->watchers, "SessionClosed",
                              g_variant_new ("(ssusx)", hark_id_format (session->session_id, id),
                                             hark_id_format (session->user_id, user_id), HARK_CLOSE_ABNORMAL, "crashed",
                                             session->seen_ms));
    }
  g_clear_pointer (&self->lost, g_array_unref);
}

static void
on_hub_published (HarkBusMonitors *self, HarkEvent *event)
{
  char topic[HARK_TOPIC_MAX + 1];
  hark_bus_watchers_emit (self->watchers, "Published",
                          g_variant_new ("(sxsu)", hark_topic_format (&event->topic, topic), event->seq, event->kind,
                                         hark_hub_get_n_receivers (self->hub, &event->topic)));
}

static void
on_hub_client_message (HarkBusMonitors *self, HarkSession *session, const char *json)
{
  char id[HARK_ID_LEN];
  char user_id[HARK_ID_LEN];
  hark_bus_watchers_emit (self->watchers, "ClientMessage",
                          g_variant_new ("(sss)", hark_id_format (session->id, id),
                                         hark_id_format (hark_session_get_user_id (session), user_id), json));
}

static void
listen (HarkBusMonitors *self)
{
  g_signal_connect_object (self->hub, "session-added", G_CALLBACK (on_hub_session_added), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "session-removed", G_CALLBACK (on_hub_session_removed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "client-message", G_CALLBACK (on_hub_client_message), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->hub, "published", G_CALLBACK (on_hub_published), self, G_CONNECT_SWAPPED);
}

static void
stop_listening (HarkBusMonitors *self)
{
  if (hark_bus_watchers_get_n (self->watchers) == 0)
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
  hark_bus_watchers_attach (self->watchers, connection, path);
}

/* Ends all watching: the connection is no more. */
void
hark_bus_monitors_detach (HarkBusMonitors *self)
{
  hark_bus_watchers_detach (self->watchers);
  stop_listening (self);
}

/* See hark_bus_watchers_start (). */
gboolean
hark_bus_monitors_start (HarkBusMonitors *self, const char *sender, GError **error)
{
  gboolean was_watched = hark_bus_watchers_get_n (self->watchers) > 0;
  if (!hark_bus_watchers_start (self->watchers, sender, error))
    return FALSE;
  if (!was_watched)
    listen (self);
  tell_lost (self);
  return TRUE;
}

/* @sender watches no longer; it may never have. */
void
hark_bus_monitors_stop (HarkBusMonitors *self, const char *sender)
{
  hark_bus_watchers_stop (self->watchers, sender);
  stop_listening (self);
}

/* @lost: (element-type HarkLostSession): whom the first monitor is told of */
void
hark_bus_monitors_set_lost (HarkBusMonitors *self, GArray *lost)
{
  g_clear_pointer (&self->lost, g_array_unref);
  self->lost = g_array_ref (lost);
}
