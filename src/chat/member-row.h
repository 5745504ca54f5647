/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* What others see of a member, from tables `m` (members) and `u` (users); to be read by hark_member_row_write (). */
#define HARK_SQL_MEMBER_ROLES                                                                                          \
  "(SELECT json_group_array(CAST(role_id AS TEXT)) FROM (SELECT mr.role_id FROM member_roles mr"                       \
  " WHERE mr.server_id = m.server_id AND mr.user_id = m.user_id ORDER BY mr.role_id))"
#define HARK_MEMBER_COLUMNS HARK_USER_COLUMNS ", m.nick, " HARK_SQL_MEMBER_ROLES
#define HARK_N_MEMBER_COLUMNS (HARK_N_USER_COLUMNS + 2)

void hark_member_row_write (const HarkRows *rows, HarkJsonWriter *json);

/* What those are told who have loaded the part of the server's list where the member is. For works; @rev is (out). */
gboolean hark_member_emit_add (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error);
gboolean hark_member_emit_update (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error);
gboolean hark_member_emit_remove (HarkTransaction *tx, gint64 server_id, gint64 user_id, gint64 *rev, GError **error);

G_END_DECLS
