/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"
#include "base/json-writer.h"

G_BEGIN_DECLS

/* What a member of a server may do that others may not; stored as a sum, so a number is never used again. The owner and
 * administrators may do all of it. */
typedef enum
{
  HARK_PERMISSION_MANAGE_SERVER = 1 << 0,   /* its name and picture */
  HARK_PERMISSION_MANAGE_CHANNELS = 1 << 1, /* channels, and who sees the private ones that one sees */
  HARK_PERMISSION_MANAGE_ROLES = 1 << 2,    /* roles lower than one's own */
  HARK_PERMISSION_MANAGE_MESSAGES = 1 << 3, /* take back what others have said */
  HARK_PERMISSION_MANAGE_NICKS = 1 << 4,    /* of members lower than oneself */
  HARK_PERMISSION_KICK_MEMBERS = 1 << 5,    /* who are lower than oneself */
  HARK_PERMISSION_INVITE_MEMBERS = 1 << 6,
  HARK_PERMISSION_OWN = 1 << 30 /* the owner's alone: in no role */
} HarkPermission;

#define HARK_PERMISSIONS_ALL (G_MAXINT)

const char *hark_permission_get_name (HarkPermission permission);
gboolean hark_permissions_read (const HarkJsonObject *args, const char *field, gboolean *given, guint *permissions,
                                GError **error);
void hark_permissions_write (HarkJsonWriter *json, const char *member, guint permissions);

G_END_DECLS
