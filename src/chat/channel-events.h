/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* For works: what those who have loaded a channel's server are told. @audience: (nullable) (transfer full): for whom
 * alone; an event for nobody is not stored, and then @rev is left as it is. */
gboolean hark_channel_emit (HarkTransaction *tx, gint64 channel_id, const char *type, GArray *audience, gint64 *rev,
                            GError **error);
gboolean hark_channel_emit_hide (HarkTransaction *tx, gint64 server_id, gint64 channel_id, GArray *audience,
                                 gint64 *rev, GError **error);

/* The difference a change of rights makes: who could see the channel before, and who can now; %NULL: all members. */
gboolean hark_channel_emit_difference (HarkTransaction *tx, gint64 server_id, gint64 channel_id, GArray *before,
                                       GArray *after, gint64 *rev, GError **error);

/* (transfer full): what is to be given for @before and @after above */
gboolean hark_channel_list_viewers (HarkTransaction *tx, gint64 channel_id, GArray **viewers, GError **error);

/* Ends the deliveries of a channel to everybody but @viewers; for the hub, after the commit. */
void hark_channel_keep_only (HarkHub *hub, gint64 channel_id, GArray *viewers);

GArray *hark_channel_list_of_role (HarkTransaction *tx, gint64 role_id, GError **error);
gboolean hark_channel_mark_as_read (HarkTransaction *tx, gint64 channel_id, gint64 user_id, GError **error);

G_END_DECLS
