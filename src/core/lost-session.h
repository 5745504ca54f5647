/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkLostSession:
 *
 * A session whose end the process that had it did not live to tell.
 */
typedef struct
{
  gint64 session_id;
  gint64 user_id;
  gint64 seen_ms; /* milliseconds since 1970: it was there then, and perhaps for a while after */
} HarkLostSession;

G_END_DECLS
