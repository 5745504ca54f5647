/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/store.h"
#include "protocol/socketio-namespace.h"

G_BEGIN_DECLS

/**
 * HarkSocketioLimits:
 * @connect_timeout_ms: from a connection to its first namespace
 * @recovery_ms: for how long a socket that was cut can be recovered; 0: nothing is logged or recovered
 * @recovery_events: events that a socket may have missed
 * @recovery_bytes: bytes of these events
 * @kept_per_user: sockets that wait to be recovered, the newest of a user
 * @attachment_bytes: of one packet's binary messages, all together
 * @rooms_per_socket: that a back end can have one socket join
 * @pending_acks: acknowledgements that one connection owes to the back end, and the back end to all
 * @ack_timeout_ms: what the back end has to acknowledge a client's event
 * @refusals: CONNECTs of a connection that are refused before it is closed
 * @message_bytes: of one "message" of /chat
 *
 * What a client may cost. Start from hark_socketio_limits_init ().
 */
typedef struct
{
  guint connect_timeout_ms;
  guint recovery_ms;
  guint recovery_events;
  guint recovery_bytes;
  guint kept_per_user;
  guint attachment_bytes;
  guint rooms_per_socket;
  guint pending_acks;
  guint ack_timeout_ms;
  guint refusals;
  guint message_bytes;
} HarkSocketioLimits;

void hark_socketio_limits_init (HarkSocketioLimits *self);

void hark_socketio_hash_pid (const char *pid, guint8 hash[HARK_SOCKETIO_PID_HASH_LEN]);

/**
 * HarkSocketioClaim:
 * @wanted: whether the client says that it was here before: then @former_hash and @offset, the number of the last event
 *   it has seen, tell where
 * @hash: of the secret it gets when it is not recovered
 * @recovered: out, as all that follow: whether it is the same socket again
 * @sid: the one it had
 * @rooms: (element-type utf8): those it was in
 * @seq: how many events the namespace has had
 * @rev: the greatest in the event log
 * @events: (element-type HarkEvent): of the namespace, behind @offset, in order; not all of them are meant for it
 *
 * A socket on its way into a namespace whose events are logged.
 */
typedef struct
{
  const HarkSocketioLimits *limits;
  char *nsp;
  HarkTopic topic;
  gint64 user_id;
  gboolean wanted;
  guint8 former_hash[HARK_SOCKETIO_PID_HASH_LEN];
  gint64 offset;
  guint8 hash[HARK_SOCKETIO_PID_HASH_LEN];
  char sid[HARK_SOCKETIO_SID_LEN];
  gboolean recovered;
  GPtrArray *rooms;
  gint64 seq;
  gint64 rev;
  GPtrArray *events;
} HarkSocketioClaim;

HarkSocketioClaim *hark_socketio_claim_new (const HarkSocketioLimits *limits, const HarkSocketioNamespace *nsp,
                                            gint64 user_id);
void hark_socketio_claim_free (gpointer claim);
gboolean hark_socketio_claim_in_thread (HarkTransaction *tx, gpointer claim, GError **error);

/**
 * HarkSocketioEmission:
 * @nsp, @topic: the namespace
 * @packet: JSON: an array of the event's name and its arguments
 * @rooms, @users, @except: see #HarkSocketioTarget
 * @seq: out: its number on the topic
 *
 * An event on its way into the log.
 */
typedef struct
{
  char *nsp;
  HarkTopic topic;
  char *packet;
  char **rooms;
  GArray *users; /* (element-type gint64) */
  char **except;
  gint64 seq;
} HarkSocketioEmission;

HarkSocketioEmission *hark_socketio_emission_new (const HarkSocketioNamespace *nsp, const HarkSocketioTarget *target,
                                                  const char *packet, gsize len);
void hark_socketio_emission_free (gpointer emission);
HarkEvent *hark_socketio_emission_make_event (const HarkSocketioEmission *self, gint64 seq, gint64 offset);
gboolean hark_socketio_emission_in_thread (HarkTransaction *tx, gpointer emission, GError **error);

/* What an event of the kind HARK_SOCKETIO_KIND_SOME is for: to be cleared. */
typedef struct
{
  HarkSocketioTarget target;
  char **rooms;
  char **except;
  GArray *users;
} HarkSocketioAudience;

void hark_socketio_audience_read (HarkSocketioAudience *self, const HarkEvent *event);
void hark_socketio_audience_clear (HarkSocketioAudience *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkSocketioAudience, hark_socketio_audience_clear)

/* Sockets that end, or change their rooms. */
typedef enum
{
  HARK_SOCKETIO_ROW_KEEP, /* its rooms have changed */
  HARK_SOCKETIO_ROW_END,  /* it may come back */
  HARK_SOCKETIO_ROW_FORGET
} HarkSocketioRowChange;

void hark_socketio_store_change (HarkStore *store, const HarkSocketioLimits *limits,
                                 const guint8 hash[HARK_SOCKETIO_PID_HASH_LEN], GHashTable *rooms,
                                 HarkSocketioRowChange change);

gboolean hark_socketio_load (HarkTransaction *tx, gpointer limits, GError **error);

G_END_DECLS
