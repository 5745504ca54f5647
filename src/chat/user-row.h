/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-writer.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* What others see of a user, from a table `u`; to be read by hark_user_row_write (). */
#define HARK_USER_COLUMNS "u.user_id, u.username, u.displayname, u.profile_pic, u.bio, u.activity, u.online, u.chosen"
#define HARK_N_USER_COLUMNS 8

const char *hark_user_status (gboolean online, const char *chosen);
void hark_user_row_write (const HarkRows *rows, HarkJsonWriter *json);
void hark_user_row_write_self (const HarkRows *rows, HarkJsonWriter *json);

G_END_DECLS
