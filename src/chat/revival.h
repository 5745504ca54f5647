/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chat/topic-rules.h"
#include "core/transaction.h"

G_BEGIN_DECLS

gboolean hark_revival_read (HarkTransaction *tx, gint64 session_id, gint64 rev, const HarkTopicRules *rules,
                            GVariant **session, char **address, GVariant **chat, GError **error);

G_END_DECLS
