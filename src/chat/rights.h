/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/permissions.h"
#include "chat/topic-rules.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* Whether the member `m` of the server `s` may see its channel `c`. */
#define HARK_SQL_MAY_SEE                                                                                               \
  "(c.private = 0 OR s.owner_id = m.user_id"                                                                           \
  " OR EXISTS (SELECT 1 FROM grants g WHERE g.channel_id = c.channel_id AND g.user_id = m.user_id)"                    \
  " OR EXISTS (SELECT 1 FROM role_grants rg JOIN member_roles mr ON mr.role_id = rg.role_id"                           \
  " WHERE rg.channel_id = c.channel_id AND mr.server_id = c.server_id AND mr.user_id = m.user_id))"

typedef struct
{
  gint64 server_id;
  gint64 owner_id;
  gboolean private;
} HarkChannelRights;

/* How somebody stands in a server. */
typedef struct
{
  gint64 owner_id;
  guint permissions; /* a sum of HarkPermission */
  gint64 rank;       /* the position of the highest role; 0: none; %G_MAXINT64: the owner, or an administrator */
} HarkStanding;

/* All of these are for works. NOT_FOUND is also what somebody gets who may not know that the thing exists. */
gboolean hark_rights_get_standing (HarkTransaction *tx, gint64 server_id, gint64 user_id, gboolean is_admin,
                                   HarkStanding *standing, GError **error);
gboolean hark_rights_manage_server (HarkTransaction *tx, gint64 server_id, gint64 actor, gboolean is_admin,
                                    HarkPermission permission, HarkStanding *standing, GError **error);
gboolean hark_rights_check_rank (HarkTransaction *tx, gint64 server_id, const HarkStanding *standing, gint64 user_id,
                                 GError **error);
gboolean hark_rights_manage_channel (HarkTransaction *tx, gint64 channel_id, gint64 actor, gboolean is_admin,
                                     HarkChannelRights *channel, GError **error);
gboolean hark_rights_check_member (HarkTransaction *tx, gint64 server_id, gint64 user_id, GError **error);
gboolean hark_rights_is_member (HarkTransaction *tx, gint64 server_id, gint64 user_id, gboolean *is_member,
                                GError **error);
gboolean hark_rights_may_see (HarkTransaction *tx, gint64 channel_id, gint64 user_id, gboolean *may, GError **error);
gboolean hark_rights_check_topic (HarkTransaction *tx, const HarkTopic *topic, const HarkAsker *asker,
                                  const HarkTopicRules *rules, gboolean *may, GError **error);

/* (element-type gint64) (transfer full): user ids, sorted */
GArray *hark_rights_list_members (HarkTransaction *tx, gint64 server_id, GError **error);
GArray *hark_rights_list_viewers (HarkTransaction *tx, gint64 channel_id, GError **error);
GArray *hark_ids_subtract (GArray *from, GArray *what);
gboolean hark_ids_contains (GArray *sorted, gint64 id);
GArray *hark_ids_single (gint64 id);
GArray *hark_ids_collect (HarkRows *rows, GError **error);

/* What is gone from whose list. */
typedef enum
{
  HARK_TOMBSTONE_SERVER = 1, /* of the servers of a user */
  HARK_TOMBSTONE_CHANNEL,    /* of the channels of a server */
  HARK_TOMBSTONE_MEMBER      /* of the members of a server */
} HarkTombstoneKind;

gboolean hark_rights_bury (HarkTransaction *tx, HarkTombstoneKind kind, gint64 scope_id, gint64 user_id,
                           gint64 thing_id, gint64 rev, GError **error);

/* Whether a client that knows everything up to @since can be told what has changed. */
gboolean hark_rights_check_since (HarkTransaction *tx, gint64 since, gboolean *reset, GError **error);

G_END_DECLS
