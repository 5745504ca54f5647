/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing an event: its place in the log is taken first, because its JSON names it. */
#include "chat/draft.h"

gboolean
hark_draft_begin (HarkDraft *self, HarkTransaction *tx, const HarkTopic *topic, const char *type, GError **error)
{
  self->topic = *topic;
  self->type = type;
  if (!hark_event_log_reserve (tx, topic, &self->position, error))
    return FALSE;
  if (self->json.data == NULL)
    hark_json_writer_init (&self->json, 0);
  hark_json_writer_reset (&self->json);
  hark_json_writer_begin_object (&self->json);
  hark_json_writer_member_string (&self->json, "type", type);
  hark_json_writer_member_int (&self->json, "seq", self->position.seq);
  return TRUE;
}

/**
 * hark_draft_end:
 * @audience: (nullable) (transfer full): see hark_event_log_append ()
 * @rev: (out) (optional)
 *
 * Stores the event. The draft can begin another.
 */
gboolean
hark_draft_end (HarkDraft *self, HarkTransaction *tx, GArray *audience, gint64 *rev, GError **error)
{
  gsize len;
  const char *json;
  hark_json_writer_end_object (&self->json);
  json = hark_json_writer_peek (&self->json, &len);
  return hark_event_log_append (tx, &self->topic, &self->position, self->type, json, len, audience, rev, error);
}

void
hark_draft_clear (HarkDraft *self)
{
  if (self->json.data != NULL)
    hark_json_writer_clear (&self->json);
}
