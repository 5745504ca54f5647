/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"
#include "protocol/socketio-acks.h"
#include "protocol/socketio-store.h"

G_BEGIN_DECLS

#define HARK_TYPE_SOCKETIO_NAMESPACES (hark_socketio_namespaces_get_type ())
G_DECLARE_FINAL_TYPE (HarkSocketioNamespaces, hark_socketio_namespaces, HARK, SOCKETIO_NAMESPACES, GObject)

/*
 * HarkSocketioNamespaces: the namespaces of a hub, and what a back end does with them: what people use
 * `io.of (namespace).to (room).emit ()` for.
 *
 * Signals, all with (const char *namespace, const char *sid, HarkSession *session, …):
 *   `connected` (…, gboolean recovered): a socket has connected; with @recovered it is one that was here before
 *   `disconnected` (…, gboolean may_return)
 *   `event` (…, const char *name, const char *args, gint64 ack): a client says something in a namespace of the back
 *     end's; @args is a JSON array; @ack is 0 when it wants no answer, and otherwise what
 *     hark_socketio_namespaces_acknowledge () takes. A handler returns whether it took it. Binary data stands in @args as {"$binary":"<base64>"}, and may in
 *     all that a back end sends.
 */
HarkSocketioNamespaces *hark_socketio_namespaces_new (HarkHub *hub, HarkStore *store, HarkSocketioWires *wires,
                                                      HarkMetrics *metrics, const HarkSocketioLimits *limits);
HarkSocketioNamespace *hark_socketio_namespaces_add (HarkSocketioNamespaces *self, const char *name,
                                                     const HarkSocketioKind *kind, gpointer data, GError **error);
gboolean hark_socketio_namespaces_declare (HarkSocketioNamespaces *self, const char *name, GError **error);
const HarkSocketioLimits *hark_socketio_namespaces_get_limits (HarkSocketioNamespaces *self);

/* For back ends. Each names a namespace and fails with HARK_ERROR_NOT_FOUND when there is none of that name. */
void hark_socketio_namespaces_emit_async (HarkSocketioNamespaces *self, const char *nsp,
                                          const HarkSocketioTarget *target, gboolean is_volatile, const char *name,
                                          const char *args, GAsyncReadyCallback callback, gpointer data);
gboolean hark_socketio_namespaces_emit_finish (HarkSocketioNamespaces *self, GAsyncResult *result, gint64 *seq,
                                               GError **error);
void hark_socketio_namespaces_request_async (HarkSocketioNamespaces *self, const char *nsp, const char *sid,
                                             const char *name, const char *args, guint timeout_ms,
                                             GAsyncReadyCallback callback, gpointer data);
char *hark_socketio_namespaces_request_finish (HarkSocketioNamespaces *self, GAsyncResult *result, GError **error);
gboolean hark_socketio_namespaces_acknowledge (HarkSocketioNamespaces *self, gint64 ack, const char *args,
                                               GError **error);
gboolean hark_socketio_namespaces_join (HarkSocketioNamespaces *self, const char *nsp, const HarkSocketioTarget *target,
                                        const char *room, guint *n, GError **error);
gboolean hark_socketio_namespaces_leave (HarkSocketioNamespaces *self, const char *nsp,
                                         const HarkSocketioTarget *target, const char *room, guint *n, GError **error);
gboolean hark_socketio_namespaces_disconnect (HarkSocketioNamespaces *self, const char *nsp,
                                              const HarkSocketioTarget *target, gboolean close, guint *n,
                                              GError **error);

typedef void (*HarkSocketioNamespaceFunc) (const HarkSocketioNamespace *nsp, gpointer data);
void hark_socketio_namespaces_foreach_namespace (HarkSocketioNamespaces *self, HarkSocketioNamespaceFunc func,
                                                 gpointer data);
typedef void (*HarkSocketioSocketFunc) (const HarkSocketioSocket *socket, gpointer data);
void hark_socketio_namespaces_foreach (HarkSocketioNamespaces *self, HarkSocketioSocketFunc func, gpointer data);

/**
 * HarkSocketioObserver:
 * @received: a client says something
 * @sent: an event of the namespace's own is sent to a socket
 * @room: a socket has joined a room, or left one
 *
 * Who watches what happens in namespaces. There is at most one, and none costs nothing.
 */
typedef struct
{
  void (*received) (const HarkSocketioSocket *socket, const HarkSocketioPacket *packet, gpointer data);
  void (*sent) (const HarkSocketioSocket *socket, const HarkEvent *event, gpointer data);
  void (*room) (const HarkSocketioSocket *socket, const char *room, gboolean joined, gpointer data);
} HarkSocketioObserver;

void hark_socketio_namespaces_set_observer (HarkSocketioNamespaces *self, const HarkSocketioObserver *observer,
                                            gpointer data);

/* What is counted of what clients, or a back end, did wrong or too much. */
typedef enum
{
  HARK_SOCKETIO_REFUSED, /* a CONNECT */
  HARK_SOCKETIO_INVALID, /* what is no packet, or may not come: the connection ends */
  HARK_SOCKETIO_LIMITED, /* over a bound of rooms or acknowledgements */
  HARK_SOCKETIO_N_OFFENCES
} HarkSocketioOffence;

/* For HarkSocketio, a connection. */
void hark_socketio_namespaces_observe (HarkSocketioNamespaces *self, const HarkSocketioSocket *socket,
                                       const HarkSocketioPacket *packet);
void hark_socketio_namespaces_count (HarkSocketioNamespaces *self, HarkSocketioOffence offence);
HarkSocketioNamespace *hark_socketio_namespaces_find (HarkSocketioNamespaces *self, const char *name);
HarkSocketioWires *hark_socketio_namespaces_get_wires (HarkSocketioNamespaces *self);
typedef void (*HarkSocketioRemovedFunc) (HarkSocketioSocket *socket, gpointer data);
HarkSocketioSocket *hark_socketio_namespaces_connect (HarkSocketioNamespaces *self, HarkSocketioNamespace *nsp,
                                                      HarkSession *session, const char *pid, const char *offset,
                                                      HarkSocketioRemovedFunc removed, gpointer data);
void hark_socketio_namespaces_remove (HarkSocketioNamespaces *self, HarkSocketioSocket *socket, gboolean may_return);
void hark_socketio_namespaces_send (HarkSocketioNamespaces *self, HarkSession *session, HarkSocketioType type,
                                    const char *nsp, gint64 id, const char *payload, gsize len);
void hark_socketio_namespaces_add_session (HarkSocketioNamespaces *self, HarkSession *session);
void hark_socketio_namespaces_remove_session (HarkSocketioNamespaces *self, HarkSession *session);
const HarkEvent *hark_socketio_namespaces_get_welcome (HarkSocketioNamespaces *self, HarkSession *session);

/* Names of the dispatcher's commands that only a Socket.IO client reaches. */
#define HARK_SOCKETIO_COMMAND_MESSAGE "chat_message"
#define HARK_SOCKETIO_COMMAND_EVENT "client_event"
#define HARK_SOCKETIO_COMMAND_ADMIN "admin_event"

/* For kinds whose events are commands of their own name. @command: (transfer full) */
void hark_socketio_take_as (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet,
                            const char *request);

G_END_DECLS
