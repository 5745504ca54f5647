/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"
#include "chat/chat-limits.h"
#include "core/hub.h"

G_BEGIN_DECLS

/* The room that guests are in from the start, and the name they have until they say another. */
#define HARK_ROOMS_LOBBY "lobby"
#define HARK_ROOMS_GUEST "Anonymous"

typedef struct _HarkRooms HarkRooms;

HarkRooms *hark_rooms_new (HarkHub *hub, HarkMetrics *metrics, const HarkChatLimits *limits);
void hark_rooms_free (HarkRooms *self);

/* For another process: the rooms that a session is in; nobody is told. */
GVariant *hark_rooms_save (HarkRooms *self, HarkSession *session);
void hark_rooms_restore (HarkRooms *self, HarkSession *session, GVariant *state);

HarkIdentity *hark_rooms_new_guest (HarkHub *hub);
void hark_rooms_take_publication (HarkRooms *self, HarkCommand *command);

G_END_DECLS
