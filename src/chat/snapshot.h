/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"
#include "core/store.h"

G_BEGIN_DECLS

typedef struct _HarkSnapshot HarkSnapshot;
typedef struct _HarkSnapshots HarkSnapshots;

/* Reads: in a reader's thread, perhaps more than once. Writes the reply's members into @self->reply and says with
 * hark_snapshot_add_…() what the session has loaded by it. */
typedef gboolean (*HarkSnapshotRead) (HarkTransaction *tx, HarkSnapshot *self, GError **error);
typedef void (*HarkSnapshotFunc) (HarkSnapshot *self);

/**
 * HarkSnapshot:
 * @command: (owned): the hub's thread's alone
 * @rev: the greatest in the event log when it was read
 *
 * A request whose answer is a state, and whatever happens to that state from then on. Concerns embed it as the first
 * member of what their read needs to know.
 */
struct _HarkSnapshot
{
  HarkSnapshots *owner;
  HarkCommand *command;
  gint64 actor;
  HarkIdentityFlags flags; /* of the actor */
  gint64 rev;
  gint64 serial; /* when it was asked for, see hark_snapshots_stamp () */
  guint attempts;
  GArray *topics; /* (element-type HarkJoin) */
  GArray *users;  /* (element-type HarkJoinedUser) */
  HarkJsonWriter reply;
  HarkSnapshotRead read;
  HarkSnapshotFunc clear;  /* (nullable) */
  HarkSnapshotFunc joined; /* (nullable): after the reply was sent and the topics joined */
};

gpointer hark_snapshot_new (gsize size, HarkCommand *command, HarkSnapshotRead read, HarkSnapshotFunc clear);
void hark_snapshot_free (gpointer snapshot);
void hark_snapshot_add_topic (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, gboolean is_state);
/* As above with @is_state, for a list of things that mostly grows: that events of kind @adds were told meanwhile leaves
 * the reply right. */
void hark_snapshot_add_growing (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, const char *adds);
/* As hark_snapshot_add_topic () with @is_state, for the part of the topic that is about the ids after @after up to @last. */
void hark_snapshot_add_part (HarkSnapshot *self, const HarkTopic *topic, gint64 cursor, gint64 after, gint64 last);
void hark_snapshot_add_user (HarkSnapshot *self, gint64 user_id, gint64 seq);

HarkSnapshots *hark_snapshots_new (HarkHub *hub, HarkStore *store, HarkMetrics *metrics);
void hark_snapshots_free (HarkSnapshots *self);
void hark_snapshots_take (HarkSnapshots *self, gpointer snapshot);
/* A right was lost, or a server gained, at @rev: what was read before does not count any more. */
void hark_snapshots_expire (HarkSnapshots *self, gint64 rev);

/* Puts something that has no rev in order with reads: a read that is asked for later has a greater serial. */
gint64 hark_snapshots_stamp (HarkSnapshots *self);
/* Who is told of each topic that stood in a snapshot that was sent. */
typedef void (*HarkSnapshotJoined) (HarkSession *session, const HarkTopic *topic, gint64 serial, gpointer data);
void hark_snapshots_set_joined (HarkSnapshots *self, HarkSnapshotJoined func, gpointer data);

/* Who is told when what a session has loaded has changed. */
void hark_snapshots_set_changed (HarkSnapshots *self, void (*func) (HarkSession *session, gpointer data), gpointer data);
void hark_snapshots_changed (HarkSnapshots *self, HarkSession *session);

G_END_DECLS
