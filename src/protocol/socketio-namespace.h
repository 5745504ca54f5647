/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/session.h"
#include "protocol/socketio-wires.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Characters of a socket's id and of the secret by which it is recovered, and the 0 byte. */
#define HARK_SOCKETIO_SID_LEN 21
#define HARK_SOCKETIO_PID_LEN 33
#define HARK_SOCKETIO_PID_HASH_LEN 32

#define HARK_SOCKETIO_MAX_ROOM 128

typedef struct _HarkSocketioNamespace HarkSocketioNamespace;
typedef struct _HarkSocketioSocket HarkSocketioSocket;

/**
 * HarkSocketioKind:
 * @scope: which of the hub's own events its sockets are told
 * @is_logged: whether its events are numbered and kept, so that who comes back can be told what it missed
 * @check: (nullable): who may enter, where a token does not say that: @task is to return a HarkIdentity, now or later;
 *   @auth is there during the call only
 * @take_event: a client says something: @command is answered, now or later, and has a tag that addresses the answer;
 *   @packet is there during the call only
 *
 * What a namespace is for. Constants; a namespace may have data of its own besides.
 */
typedef struct
{
  HarkSocketioScope scope;
  gboolean is_logged;
  void (*check) (HarkSocketioNamespace *nsp, const HarkJsonObject *auth, GTask *task);
  void (*take_event) (HarkSocketioSocket *socket, HarkCommand *command, const HarkSocketioPacket *packet);
} HarkSocketioKind;

/**
 * HarkSocketioSocket:
 * @removed: (nullable): told that the socket is about to go, whoever has it go
 *
 * One session's connection to one namespace. Kept by the namespace until hark_socketio_namespace_remove ().
 */
struct _HarkSocketioSocket
{
  HarkSocketioNamespace *nsp; /* unowned: outlives it */
  HarkSession *session;       /* unowned: a session takes its sockets out before it goes */
  char sid[HARK_SOCKETIO_SID_LEN];
  guint8 pid_hash[HARK_SOCKETIO_PID_HASH_LEN];
  gboolean recoverable; /* has a pid */
  gboolean connected;   /* it was told so */
  GHashTable *rooms;    /* (element-type utf8): names of those it was made to join */
  GPtrArray *held;      /* (nullable) (element-type HarkEvent): what came while it is being connected */
  gboolean overrun;     /* @held would have become too long */
  gpointer connecting;  /* (nullable): unowned: who connects it, and is told when it goes before */
  GHashTable *acks;     /* (nullable): see #HarkSocketioAcks */
  gint64 last_ack;
  gint64 since_ms;
  guint position; /* in the namespace's sockets */
  guint64 mark;   /* of the selection it is in */
  void (*removed) (HarkSocketioSocket *socket, gpointer data);
  gpointer removed_data;
};

/**
 * HarkSocketioTarget:
 * @rooms: (nullable): names of rooms; a socket is in the room named by its id, too
 * @users: (nullable) (array length=n_users)
 * @except: (nullable): rooms whose sockets are left out
 *
 * Whom something is for: all who are connected to a namespace when neither rooms nor users are named, otherwise who is
 * in any of the rooms or any of the users.
 */
typedef struct
{
  const char *const *rooms;
  const gint64 *users;
  guint n_users;
  const char *const *except;
} HarkSocketioTarget;

struct _HarkSocketioNamespace
{
  char *name;      /* "/chat" */
  HarkTopic topic; /* of its events; kind HARK_TOPIC_APP */
  const HarkSocketioKind *kind;
  gpointer data;      /* unowned: the kind's */
  GPtrArray *sockets; /* (element-type HarkSocketioSocket) (owned) */
  GHashTable *rooms;  /* name → (element-type HarkSocketioSocket) */
  GHashTable *sids;   /* sid → HarkSocketioSocket */
  guint n_connecting;
  gint64 published_seq; /* of its topic */
  guint64 last_mark;
};

HarkSocketioNamespace *hark_socketio_namespace_new (const char *name, const HarkSocketioKind *kind, gpointer data,
                                                    GError **error);
void hark_socketio_namespace_free (HarkSocketioNamespace *self);

HarkSocketioSocket *hark_socketio_namespace_add (HarkSocketioNamespace *self, HarkSession *session);
void hark_socketio_namespace_rename (HarkSocketioSocket *socket, const char *sid);
void hark_socketio_namespace_remove (HarkSocketioSocket *socket);
HarkSocketioSocket *hark_socketio_namespace_find (HarkSocketioNamespace *self, const char *sid);

gboolean hark_socketio_socket_join (HarkSocketioSocket *self, const char *room);
gboolean hark_socketio_socket_leave (HarkSocketioSocket *self, const char *room);
gboolean hark_socketio_socket_is_in (HarkSocketioSocket *self, const char *room);
gboolean hark_socketio_socket_is_meant (HarkSocketioSocket *self, const HarkSocketioTarget *target);

GPtrArray *hark_socketio_namespace_select (HarkSocketioNamespace *self, const HarkSocketioTarget *target);

gboolean hark_socketio_target_is_all (const HarkSocketioTarget *self);

void hark_socketio_random_id (char *out, gsize size);

G_END_DECLS
