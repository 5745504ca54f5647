/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

#include <gio/gio.h>
#include <sys/socket.h>

G_BEGIN_DECLS

#define HARK_TYPE_LISTENER (hark_listener_get_type ())
G_DECLARE_FINAL_TYPE (HarkListener, hark_listener, HARK, LISTENER, GObject)

/**
 * HarkListenerFunc:
 * @fd: (transfer full): connected, non-blocking, closed on exec
 * @address: of the peer
 *
 * Returns: whether to accept more now; otherwise hark_listener_set_accepting () goes on
 */
typedef gboolean (*HarkListenerFunc) (int fd, const struct sockaddr *address, gpointer data);

HarkListener *hark_listener_new (HarkMetrics *metrics);
void hark_listener_set_backlog (HarkListener *self, guint backlog);

gboolean hark_listener_add_tcp (HarkListener *self, const char *host, guint port, GError **error);
gboolean hark_listener_add_unix (HarkListener *self, const char *path, guint mode, GError **error);
gboolean hark_listener_add_fd (HarkListener *self, int fd, GError **error);
const char *const *hark_listener_get_addresses (HarkListener *self);

/* Descriptors, and paths of Unix sockets that are ours to remove. */
#define HARK_LISTENERS_TYPE G_VARIANT_TYPE ("a(is)")
GVariant *hark_listener_hand_over (HarkListener *self);
gboolean hark_listener_take_over (HarkListener *self, GVariant *sockets, GError **error);

void hark_listener_start (HarkListener *self, GMainContext *context, HarkListenerFunc func, gpointer data);
void hark_listener_set_accepting (HarkListener *self, gboolean accepting);
void hark_listener_stop (HarkListener *self);

G_END_DECLS
