/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"

G_BEGIN_DECLS

/**
 * HarkMessageRow:
 *
 * A message as clients get it, in an event or in a chunk of history; owns nothing.
 */
typedef struct
{
  gint64 message_id;
  gint64 server_id;
  gint64 channel_id;
  gint64 author_id;
  gint64 created_at;
  HarkJsonSlice text;      /* UTF-8, not JSON */
  HarkJsonSlice author;    /* likewise; data is NULL for somebody who is gone: empty */
  HarkJsonSlice image;     /* likewise */
  HarkJsonSlice client_id; /* JSON; data is NULL for none */
} HarkMessageRow;

void hark_message_row_write (const HarkMessageRow *self, HarkJsonWriter *json);

G_END_DECLS
