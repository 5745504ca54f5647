/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/command.h"
#include "protocol/socketio-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * HarkSocketioAcks:
 *
 * Acknowledgements that are awaited: what clients want of the back end, and the back end of clients. All of them end,
 * by an answer, by time, or with the socket.
 */
typedef struct _HarkSocketioAcks HarkSocketioAcks;

HarkSocketioAcks *hark_socketio_acks_new (HarkClock *clock, const HarkSocketioLimits *limits);
void hark_socketio_acks_free (HarkSocketioAcks *self);

/* Clients' events. */
gint64 hark_socketio_acks_add (HarkSocketioAcks *self, HarkCommand *command, GError **error);
gboolean hark_socketio_acks_answer (HarkSocketioAcks *self, gint64 ack, const char *args, gsize len);
void hark_socketio_acks_drop (HarkSocketioAcks *self, gint64 ack);
void hark_socketio_acks_drop_session (HarkSocketioAcks *self, HarkSession *session);
void hark_socketio_acks_answer_command (HarkCommand *command, const char *args, gsize len);

/* Events for clients. */
gint64 hark_socketio_acks_expect (HarkSocketioAcks *self, HarkSocketioSocket *socket, guint timeout_ms, GTask *task);
void hark_socketio_acks_take (HarkSocketioSocket *socket, gint64 id, const char *args, gsize len);

G_END_DECLS
