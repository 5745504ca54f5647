/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place that knows a message's fields; the names are those existing clients expect. */
#include "chat/message-row.h"

static void
write_text (HarkJsonWriter *json, const char *name, HarkJsonSlice text)
{
  hark_json_writer_member (json, name);
  hark_json_writer_string_len (json, text.data != NULL ? text.data : "", text.data != NULL ? text.len : 0);
}

/* Writes the members but `type` and `seq`. */
void
hark_message_row_write (const HarkMessageRow *self, HarkJsonWriter *json)
{
  hark_json_writer_member_id (json, "message_id", self->message_id);
  write_text (json, "message", self->text);
  write_text (json, "author", self->author);
  hark_json_writer_member_id (json, "author_id", self->author_id);
  write_text (json, "image", self->image);
  hark_json_writer_member_id (json, "server", self->server_id);
  hark_json_writer_member_id (json, "channel", self->channel_id);
  if (self->client_id.data != NULL)
    hark_json_writer_member_raw (json, "id", self->client_id.data, self->client_id.len);
  hark_json_writer_member_time (json, "timestamp", self->created_at);
}
