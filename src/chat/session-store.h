/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/chat-limits.h"
#include "chat/snapshot.h"
#include "core/lost-session.h"
#include "chat/token.h"

G_BEGIN_DECLS

typedef struct _HarkSessionStore HarkSessionStore;

/* How often it is written that the daemon is alive, while there are sessions. */
#define HARK_SESSION_STORE_ALIVE_MS 10000

HarkSessionStore *hark_session_store_new (HarkHub *hub, HarkStore *store, HarkSnapshots *snapshots,
                                          const HarkChatLimits *limits);
void hark_session_store_free (HarkSessionStore *self);

/* A session is kept from now on. @token: (out): what takes it up again. */
void hark_session_store_add (HarkSessionStore *self, HarkSession *session, char token[HARK_TOKEN_LEN]);
/* For another process, which keeps the session under the same token. */
GVariant *hark_session_store_save (HarkSessionStore *self, HarkSession *session);
void hark_session_store_restore (HarkSessionStore *self, HarkSession *session, GVariant *state);
/* Returns: (transfer none) (nullable): an open session of the user that @hash takes up */
HarkSession *hark_session_store_find (HarkSessionStore *self, gint64 user_id, const guint8 hash[HARK_TOKEN_HASH_LEN]);
/* Calls back when all that is known of sessions now is in the store, or could not be put there. */
void hark_session_store_sync (HarkSessionStore *self, HarkHubFunc func, gpointer data);
/* Gives all that is known of sessions now to the store, as before the end of the process. */
void hark_session_store_flush (HarkSessionStore *self);
/* A session was taken up: it is not kept any longer. */
void hark_session_store_forget (HarkSessionStore *self, gint64 session_id);

/* What a session had of a topic, as it is stored. For works. */
GArray *hark_session_store_unpack_ranges (const guint8 *data, gsize len);
guint hark_session_store_get_n_dirty (HarkSessionStore *self);

/* For works. At the start: what went on when the process before ended has ended, but for those whose ids are in @kept;
 * what that process did not say of it is added to @lost (element-type HarkLostSession). */
gboolean hark_session_store_load (HarkTransaction *tx, GHashTable *kept, GArray *lost, GError **error);

G_END_DECLS
