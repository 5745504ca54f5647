/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio-namespaces.h"

G_BEGIN_DECLS

/* What the admin page's events hold, in the form of its own server part. Each writes one JSON value. */
void hark_socketio_admin_write_config (HarkJsonWriter *json, gboolean is_verbose);
void hark_socketio_admin_write_socket (HarkJsonWriter *json, const HarkSocketioSocket *socket);
void hark_socketio_admin_write_packet (HarkJsonWriter *json, const HarkSocketioPacket *packet);
gboolean hark_socketio_admin_write_event (HarkJsonWriter *json, const HarkEvent *event);

/**
 * HarkSocketioAdminStats:
 *
 * What has been counted since the last time it was told.
 */
typedef struct
{
  gint64 uptime_ms;
  guint n_clients;
  guint n_polling;
  gint64 at_ms; /* milliseconds since 1970 */
  gint64 connections;
  gint64 disconnections;
  gint64 packets_in;
} HarkSocketioAdminStats;

void hark_socketio_admin_write_stats (HarkJsonWriter *json, const HarkSocketioAdminStats *stats,
                                      HarkSocketioNamespaces *namespaces);

G_END_DECLS
