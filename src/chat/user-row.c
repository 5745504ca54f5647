/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A user as others see it: the one place that knows which fields that are. */
#include "chat/user-row.h"

/* What others are told of somebody who wants to be seen as @chosen. Who wants to be seen as offline is. */
const char *
hark_user_status (gboolean online, const char *chosen)
{
  static const char *const known[] = { "online", "idle", "dnd" };
  for (guint i = 0; online && i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (chosen, known[i]))
      return known[i];
  return "offline";
}

static void
write_user (const HarkRows *rows, gboolean online, HarkJsonWriter *json)
{
  static const char *const names[] = { NULL, "username", "displayname", "profile_pic", "bio", "activity" };
  hark_json_writer_member_id (json, "user_id", hark_rows_get_int64 (rows, 0));
  for (guint i = 1; i < G_N_ELEMENTS (names); i++)
    {
      gsize len = 0;
      const char *text = hark_rows_get_text (rows, i, &len);
      hark_json_writer_member (json, names[i]);
      hark_json_writer_string_len (json, text != NULL ? text : "", text != NULL ? len : 0);
    }
  hark_json_writer_member_string (json, "status", hark_user_status (online, hark_rows_get_text (rows, 7, NULL)));
}

/* Writes the members of the user whose columns come first in the row. */
void
hark_user_row_write (const HarkRows *rows, HarkJsonWriter *json)
{
  write_user (rows, hark_rows_get_int64 (rows, 6) != 0, json);
}

/* As users see themselves: who looks is there, also before others were told. */
void
hark_user_row_write_self (const HarkRows *rows, HarkJsonWriter *json)
{
  write_user (rows, TRUE, json);
}
