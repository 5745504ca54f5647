/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkRoles HarkRoles;

HarkRoles *hark_roles_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, const HarkChatLimits *limits);
void hark_roles_free (HarkRoles *self);

/* For works. */
gboolean hark_roles_add_everyone (HarkTransaction *tx, gint64 server_id, GError **error);

/* A role as a work needs it that changes it or who has it. */
typedef struct
{
  gint64 role_id;
  gint64 server_id;
  gint64 position;
  guint permissions;
} HarkRole;

gboolean hark_role_is_everyone (const HarkRole *self);
/* Whether @actor may change the role and who has it; NOT_FOUND for who may not know of it. */
gboolean hark_role_manage (HarkRole *self, HarkTransaction *tx, gint64 role_id, gint64 actor, gboolean is_admin,
                           GError **error);

G_END_DECLS
