/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the concerns know of a session: the hash of its resume token (empty: none), its rooms, whether it was told that its
 * token runs out, and what later versions add. */
#define HARK_CHAT_STATE_TYPE "(ayasba{sv})"

/* Returns: (transfer full): floating: of a session of which nothing but its resume token is known */
static inline GVariant *
hark_chat_state_new (const guint8 *hash, gsize len)
{
  return g_variant_new ("(@ay@asba{sv})", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, hash, len, 1),
                        g_variant_new_strv (NULL, 0), FALSE, NULL);
}

G_END_DECLS
