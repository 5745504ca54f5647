/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/command.h"
#include "core/protocol.h"
#include "core/transport.h"
#include "core/wire.h"

G_BEGIN_DECLS

typedef struct _HarkHub HarkHub;
typedef struct _HarkSubscription HarkSubscription;
typedef struct _HarkTopicEntry HarkTopicEntry;

typedef enum
{
  HARK_SESSION_CONNECTED, /* has not said who it is */
  HARK_SESSION_OPEN,      /* authenticated */
  HARK_SESSION_CLOSED
} HarkSessionState;

GType hark_session_state_get_type (void);
#define HARK_TYPE_SESSION_STATE (hark_session_state_get_type ())

/* A session's interest in a topic without a cursor (see hark_session_load ()): half of a pair of links, the other half
 * of which stands in the topic's list of receivers. */
typedef struct
{
  HarkTopicEntry *entry; /* unowned: entries live while they have receivers */
  guint32 position;      /* in the entry's receivers */
} HarkInterest;

/**
 * HarkSession:
 *
 * One connection of one user. Made by whoever accepts connections, kept by the hub until it has closed.
 *
 * Signals: `command` (HarkCommand *) before one is dispatched; `closed` (guint code, const char *reason), once, when
 * its transport has ended or it was taken out; `notify::state`.
 * Properties: id, user-id, address, protocol, state, since, queued, sent, received.
 *
 * The fields are public to core alone: the fan-out reads @transport and @wire for each receiver.
 */
struct _HarkSession
{
  GObject parent_instance;
  HarkTransport *transport; /* (owned) (nullable) */
  const HarkWire *wire;     /* unowned: the application's */
  HarkHub *hub;             /* unowned: the hub keeps the session */
  HarkProtocol *protocol;   /* (owned) */
  HarkIdentity *identity;   /* (owned) (nullable) */
  gint64 id;
  gint64 since_ms;          /* milliseconds since 1970 */
  guint64 sent;             /* messages: replies and events sent to it alone; fan-out is counted by topic */
  guint64 received;         /* messages */
  gint64 missed_rev;        /* of the first event it could not be sent; 0: none */
  GPtrArray *subscriptions; /* (nullable) (owned) (element-type HarkSubscription) */
  HarkInterest *interests;  /* (nullable) (owned) */
  guint32 n_interests;
  guint32 interests_size;
  guint32 user_position; /* among its user's sessions */
  guint16 pending;       /* commands not yet answered */
  guint16 strikes;       /* refused messages, for abuse */
  HarkSessionState state : 4;
  guint paused : 1; /* reading is off until commands are answered */
  guint held : 1;   /* reading is off until hark_session_release () */
  guint in_hub : 1;
  guint ending : 1;    /* session_end () has begun */
  guint resumable : 1; /* its end keeps what it was subscribed to */
  guint personal : 1;  /* gets what is published for its user: see hark_hub_join_personal () */
};

#define HARK_TYPE_SESSION (hark_session_get_type ())
typedef GObjectClass HarkSessionClass;
GType hark_session_get_type (void);
#define HARK_SESSION(o) (G_TYPE_CHECK_INSTANCE_CAST ((o), HARK_TYPE_SESSION, HarkSession))
#define HARK_IS_SESSION(o) (G_TYPE_CHECK_INSTANCE_TYPE ((o), HARK_TYPE_SESSION))
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkSession, g_object_unref)

HarkSession *hark_session_new (HarkHub *hub, HarkTransport *transport, HarkProtocol *protocol, const HarkWire *wire,
                               HarkIdentity *identity);
void hark_session_open (HarkSession *self);
HarkTransport *hark_session_abandon (HarkSession *self);
gboolean hark_session_authenticate (HarkSession *self, HarkIdentity *identity, GError **error);
void hark_session_renew (HarkSession *self, HarkIdentity *identity);
void hark_session_rename (HarkSession *self, const char *username);
gint64 hark_session_get_user_id (HarkSession *self);
char *hark_session_dup_address (HarkSession *self);

/* In: for protocols. */
void hark_session_command (HarkSession *self, const char *name, gsize name_len, const char *ref, gsize ref_len,
                           const HarkJsonObject *args);
void hark_session_take_command (HarkSession *self, HarkCommand *command, const char *name, gsize name_len,
                                const HarkJsonObject *args);
void hark_session_refuse (HarkSession *self, const char *ref, gsize ref_len, const GError *error);
void hark_session_hold (HarkSession *self);
void hark_session_release (HarkSession *self);
void hark_session_refuse_command (HarkSession *self, HarkCommand *command, const GError *error);
void hark_session_answer (HarkSession *self, HarkCommand *command, const char *json, gsize len);

/* Out. */
void hark_session_send_event (HarkSession *self, const HarkEvent *event);
void hark_session_send_json (HarkSession *self, const char *kind, const char *json, gsize len);
void hark_session_send_units (HarkSession *self, HarkBuffer *units);
void hark_session_take_units (HarkSession *self, HarkBuffer *units);
void hark_session_miss (HarkSession *self, const HarkBuffer *units);
void hark_session_close (HarkSession *self, guint code, const char *reason);

/* What it has loaded. */
HarkSubscription *hark_session_find_subscription (HarkSession *self, const HarkTopic *topic);

G_END_DECLS
