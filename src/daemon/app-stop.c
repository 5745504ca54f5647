/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of the daemon: of its service, when its clients are told and everything is taken apart; or only of this
 * process, when another goes on with its connections: then nobody is told.
 */
#include "daemon/app-private.h"

#include "base/error.h"
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

/* How long clients have to take what they are still sent when the daemon stops, beyond the closing time-out. */
#define STOP_SLACK_MS 500

/* How often it is looked whether they have. */
#define STOP_CHECK_MS 10

/* How long what clients have asked for may take before those who still wait for it are told to come back. */
#define SETTLE_MS 2000

/* From the outside in: nobody comes in any more, sessions end, the store finishes what it was given. */
void
hark_app_take_apart (HarkApp *self)
{
  hark_clock_clear_timeout (self->clock, &self->stop_id);
  if (self->front != NULL)
    hark_front_stop (self->front);
  g_clear_object (&self->bus);
  if (self->hub != NULL)
    hark_hub_close_all (self->hub, HARK_CLOSE_RESTART, "the service is stopping");
  if (self->chat != NULL)
    hark_chat_flush (self->chat);
  if (self->store != NULL)
    hark_sqlite_store_close (self->store);
  g_clear_object (&self->front);
  g_clear_object (&self->listener);
  g_clear_object (&self->chat);
  g_clear_object (&self->presence);
  g_clear_pointer (&self->socketio_admin, hark_socketio_admin_free);
  g_clear_object (&self->namespaces);
  if (self->descriptors != NULL)
    hark_reactor_set_log (self->reactor, NULL, NULL, NULL);
  g_clear_pointer (&self->descriptors, hark_descriptor_store_free);
  g_clear_object (&self->hub);
  g_clear_object (&self->engine);
  g_clear_object (&self->reactor);
  g_clear_pointer (&self->wires, hark_wires_free);
  g_clear_object (&self->native);
  g_clear_object (&self->dispatcher);
  g_clear_object (&self->quota);
  g_clear_object (&self->broker);
  g_clear_object (&self->store);
  g_clear_object (&self->turn);
}

HarkHandoffParts
hark_app_get_handoff_parts (HarkApp *self)
{
  return (HarkHandoffParts){ self->hub,   self->chat,  self->reactor,     self->native,
                             self->wires, self->front, self->descriptors, self->end == HARK_APP_RESTART };
}

static void
finish_stop (HarkApp *self)
{
  hark_app_take_apart (self);
  hark_log (HARK_LOG_NOTICE, HARK_MESSAGE_STOPPED, NULL, "Stopped");
  g_signal_emit (self, hark_app_signals[HARK_APP_STOPPED], 0);
}

/* Clients are told why; whoever has not taken that when the closing time-out is over is let go. */
static gboolean
on_stop_check (gpointer data)
{
  g_autoptr (HarkApp) self = g_object_ref (data);
  if (hark_reactor_get_n_connections (self->reactor) > 0 && hark_clock_get_monotonic (self->clock) < self->stop_by)
    return G_SOURCE_CONTINUE;
  self->stop_id = 0;
  finish_stop (self);
  return G_SOURCE_REMOVE;
}

/**
 * hark_app_stop:
 *
 * Ends all sessions, stores what was asked to be stored, takes everything apart; `stopped` follows.
 */
void
hark_app_stop (HarkApp *self)
{
  if (self->stopping)
    return;
  self->stopping = TRUE;
  if (self->manager != NULL)
    hark_service_manager_stopping (self->manager, "Stopping");
  /* While the front still answers polls. */
  if (self->engine != NULL)
    hark_engine_server_close_all (self->engine, HARK_CLOSE_RESTART, "the service is stopping");
  if (self->front != NULL)
    hark_front_stop (self->front);
  if (self->hub != NULL)
    hark_hub_close_all (self->hub, HARK_CLOSE_RESTART, "the service is stopping");
  self->stop_by
    = hark_clock_get_monotonic (self->clock)
      + (gint64)(hark_config_get_ms (self->config, HARK_SETTING_LIMITS_CLOSE_TIMEOUT) + STOP_SLACK_MS) * 1000;
  self->stop_id = hark_clock_add_timeout (self->clock, STOP_CHECK_MS, on_stop_check, self);
}

/* Handing on. */

/* The next process has the same descriptors, under the same numbers. */
static char *
name_by_number (HarkSession *session, int fd, gpointer data)
{
  fcntl (fd, F_SETFD, 0);
  return g_strdup_printf ("%d", fd);
}

/* The service manager has it, by its slot. */
static char *
name_by_slot (HarkSession *session, int fd, gpointer data)
{
  HarkApp *self = data;
  char name[HARK_DESCRIPTOR_NAME_LEN];
  close (fd);
  return g_strdup (hark_descriptor_name (hark_descriptor_store_get_slot (self->descriptors, session), name));
}

/* Everything that was asked for is answered, or took too long. */
static void
hand_on (HarkApp *self)
{
  HarkHandoffParts parts = hark_app_get_handoff_parts (self);
  gboolean in_place = self->end == HARK_APP_UPGRADE;
  g_autoptr (GVariant) listeners = g_steal_pointer (&self->listeners);
  g_autoptr (GVariant) state = NULL;
  g_autoptr (GError) error = NULL;
  if (self->bus != NULL)
    hark_bus_service_stop (self->bus);
  hark_handoff_close_others (&parts, TRUE);
  hark_chat_flush (self->chat);
  hark_sqlite_store_close (self->store);
  hark_turn_end (self->turn);
  state = hark_handoff_save (&parts, listeners, in_place ? name_by_number : name_by_slot, self);
  /* Those that were told to come back. */
  hark_turn_end (self->turn);
  self->handoff_fd = hark_handoff_write (state, &error);
  if (self->handoff_fd < 0)
    hark_log (HARK_LOG_ERROR, NULL, NULL, "%s", error->message);
  if (!in_place && self->handoff_fd >= 0)
    {
      hark_service_manager_store_fd (self->manager, self->handoff_fd, HARK_STORED_STATE);
      hark_service_manager_sync (self->manager);
      close (self->handoff_fd);
      self->handoff_fd = -1;
    }
  hark_log (HARK_LOG_NOTICE, HARK_MESSAGE_HANDED_ON, NULL, "%u connections are handed on",
            hark_handoff_get_n_connections (state));
  /* What is to be replaced as a whole need not be taken apart first: clients are waiting. */
  if (self->handoff_fd < 0)
    hark_app_take_apart (self);
  g_signal_emit (self, hark_app_signals[HARK_APP_STOPPED], 0);
}

static gboolean
on_settle_check (gpointer data)
{
  g_autoptr (HarkApp) self = g_object_ref (data);
  HarkHandoffParts parts = hark_app_get_handoff_parts (self);
  if (!hark_handoff_is_settled (&parts) && hark_clock_get_monotonic (self->clock) < self->stop_by)
    return G_SOURCE_CONTINUE;
  self->stop_id = 0;
  hand_on (self);
  return G_SOURCE_REMOVE;
}

static void
begin_to_hand_on (HarkApp *self, HarkAppEnd end)
{
  HarkHandoffParts parts = hark_app_get_handoff_parts (self);
  self->stopping = TRUE;
  self->end = end;
  hark_service_manager_status (self->manager, "Handing on to another process");
  if (end == HARK_APP_UPGRADE)
    self->listeners = g_variant_ref_sink (hark_listener_hand_over (self->listener));
  hark_reactor_set_reading (self->reactor, FALSE);
  if (self->engine != NULL)
    hark_engine_server_close_all (self->engine, HARK_CLOSE_RESTART, "the service is starting anew");
  hark_front_stop (self->front);
  hark_handoff_close_others (&parts, FALSE);
  hark_turn_end (self->turn);
  self->stop_by = hark_clock_get_monotonic (self->clock) + SETTLE_MS * 1000;
  self->stop_id = hark_clock_add_timeout (self->clock, 1, on_settle_check, self);
}

/**
 * hark_app_restart:
 *
 * Leaves the connections with the service manager, which gives them to the process that it starts next; `stopped`
 * follows. It is the service manager that decides whether there is a next one: without it, it closes them.
 *
 * Returns: %FALSE when there is no service manager, or it is not to be done: hark_app_stop () then
 */
gboolean
hark_app_restart (HarkApp *self)
{
  if (self->stopping)
    return TRUE;
  if (!self->ready || self->descriptors == NULL)
    return FALSE;
  hark_service_manager_stopping (self->manager, "Leaving the connections with the service manager");
  begin_to_hand_on (self, HARK_APP_RESTART);
  return TRUE;
}

/**
 * hark_app_upgrade:
 *
 * Hands everything on to a process that is about to take this one's place; `stopped` follows, and then
 * hark_app_steal_handoff () gives what that process needs.
 *
 * Returns: %FALSE with %HARK_ERROR_CONFLICT when the daemon is not ready, or is stopping
 */
gboolean
hark_app_upgrade (HarkApp *self, GError **error)
{
  if (self->stopping || !self->ready)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_CONFLICT,
                   self->stopping ? "the daemon is stopping" : "the daemon is starting");
      return FALSE;
    }
  begin_to_hand_on (self, HARK_APP_UPGRADE);
  return TRUE;
}

/* Returns: (transfer full): the descriptor that hark_app_take_handoff () of the next process takes; -1: it is no upgrade */
int
hark_app_steal_handoff (HarkApp *self)
{
  int fd = self->handoff_fd;
  self->handoff_fd = -1;
  return fd;
}
