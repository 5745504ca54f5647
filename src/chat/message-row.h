/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/transaction.h"

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
  gint64 reply_to; /* 0: none */
  gint64 created_at;
  HarkJsonSlice text;      /* UTF-8, not JSON */
  HarkJsonSlice author;    /* likewise; data is NULL for somebody who is gone: empty */
  HarkJsonSlice image;     /* likewise */
  HarkJsonSlice client_id; /* JSON; data is NULL for none */
  HarkJsonSlice mentions;  /* likewise */
} HarkMessageRow;

void hark_message_row_write (const HarkMessageRow *self, HarkJsonWriter *json);

/* The value of `mentions` of the message `e`: JSON, NULL for none. */
#define HARK_SQL_MENTIONS                                                                                              \
  "(SELECT nullif(json_group_array(CAST(n.user_id AS TEXT)), '[]') FROM (SELECT user_id FROM mentions"                 \
  " WHERE message_id = e.message_id ORDER BY user_id) AS n)"

/* What is selected from messages `e`, their channels `c` and authors `u` (LEFT JOIN), for the function below. */
#define HARK_MESSAGE_COLUMNS                                                                                           \
  "e.message_id, e.seq, e.channel_id, e.author_id, e.client_id, e.text, e.created_at, e.edited_at, e.reply_to,"        \
  " e.reacted, c.server_id, u.displayname, u.profile_pic, " HARK_SQL_MENTIONS
#define HARK_MESSAGE_JOINS                                                                                             \
  " JOIN channels c ON c.channel_id = e.channel_id LEFT JOIN users u ON u.user_id = e.author_id"
#define HARK_N_MESSAGE_COLUMNS 14

/* Writes the members of a stored message as @actor sees it: with `seq`, `edited` and `reactions`. */
gboolean hark_message_row_write_stored (HarkTransaction *tx, const HarkRows *rows, gint64 actor, HarkJsonWriter *json,
                                        GError **error);

/**
 * HarkMessagePlace:
 *
 * Where a message stands, for those who may see it.
 */
typedef struct
{
  gint64 channel_id;
  gint64 server_id;
  gint64 author_id;
} HarkMessagePlace;

gboolean hark_message_find (HarkTransaction *tx, gint64 message_id, gint64 actor, gboolean is_admin,
                            HarkMessagePlace *place, GError **error);

G_END_DECLS
