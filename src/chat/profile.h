/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"
#include "chat/chat-limits.h"
#include "core/transaction.h"

G_BEGIN_DECLS

typedef enum
{
  HARK_PROFILE_DISPLAYNAME,
  HARK_PROFILE_PICTURE,
  HARK_PROFILE_BIO,
  HARK_PROFILE_ACTIVITY,
  HARK_N_PROFILE_FIELDS
} HarkProfileField;

/**
 * HarkProfile:
 *
 * What a request changes of what others see of a user; %NULL is left as it is, an empty text is taken away.
 */
typedef struct
{
  char *fields[HARK_N_PROFILE_FIELDS]; /* (owned) (nullable) */
} HarkProfile;

gboolean hark_profile_read (HarkProfile *self, const HarkJsonObject *args, const HarkChatLimits *limits, GError **error);
gboolean hark_profile_apply (const HarkProfile *self, HarkTransaction *tx, gint64 user_id, const char *username,
                             GError **error);
void hark_profile_clear (HarkProfile *self);

G_END_DECLS
