/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/snapshot.h"

G_BEGIN_DECLS

typedef struct _HarkRoleMembers HarkRoleMembers;

HarkRoleMembers *hark_role_members_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots);
void hark_role_members_free (HarkRoleMembers *self);

G_END_DECLS
