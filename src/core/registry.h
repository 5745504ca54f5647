/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/session.h"

G_BEGIN_DECLS

/**
 * HarkRegistry:
 *
 * Which sessions there are, and whose they are. Embedded in the hub, which bounds, counts and announces them.
 */
typedef struct
{
  GHashTable *sessions; /* id → HarkSession (owned) */
  GHashTable *users;    /* id → HarkRegistryUser (owned) */
} HarkRegistry;

void hark_registry_init (HarkRegistry *self);
void hark_registry_clear (HarkRegistry *self);
guint hark_registry_get_n_sessions (const HarkRegistry *self);
guint hark_registry_get_n_users (const HarkRegistry *self);
guint hark_registry_get_n_user_sessions (const HarkRegistry *self, gint64 user_id);
HarkSession *hark_registry_find (const HarkRegistry *self, gint64 id);
GPtrArray *hark_registry_dup_sessions (const HarkRegistry *self);
GPtrArray *hark_registry_dup_user_sessions (const HarkRegistry *self, gint64 user_id);

void hark_registry_add (HarkRegistry *self, HarkSession *session);
void hark_registry_remove (HarkRegistry *self, HarkSession *session);
void hark_registry_add_to_user (HarkRegistry *self, HarkSession *session);
gboolean hark_registry_remove_from_user (HarkRegistry *self, HarkSession *session);
gboolean hark_registry_announce (HarkRegistry *self, gint64 user_id);

G_END_DECLS
