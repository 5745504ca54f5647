/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/membership.h"

G_BEGIN_DECLS

typedef struct _HarkServers HarkServers;

HarkServers *hark_servers_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots, HarkMembership *membership,
                               const HarkChatLimits *limits);
void hark_servers_free (HarkServers *self);

G_END_DECLS
