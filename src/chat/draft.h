/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"
#include "core/event-log.h"

G_BEGIN_DECLS

/**
 * HarkDraft:
 * @json: the event's object, `type` and `seq` written; members are added until hark_draft_end ()
 *
 * A stored event while it is written, on the stack: `g_auto (HarkDraft) draft = HARK_DRAFT_INIT`. Once begun it must
 * be ended, or the work must fail.
 */
typedef struct
{
  HarkTopic topic;
  HarkLogPosition position;
  const char *type;
  HarkJsonWriter json;
} HarkDraft;

/* clang-format off */
#define HARK_DRAFT_INIT { { 0 } }
/* clang-format on */

gboolean hark_draft_begin (HarkDraft *self, HarkTransaction *tx, const HarkTopic *topic, const char *type,
                           GError **error);
gboolean hark_draft_end (HarkDraft *self, HarkTransaction *tx, GArray *audience, gint64 *rev, GError **error);
void hark_draft_clear (HarkDraft *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (HarkDraft, hark_draft_clear)

G_END_DECLS
