/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bounds of the chat when nothing else is configured. */
#include "chat/chat-limits.h"

static const char *const notification_actions[]
  = { "post", "comment", "reaction", "following", "mention", "invitation", "member", "message", NULL };
static const char *const notification_affected[] = { "post", "comment", "message", "server", "channel", NULL };
static const char *const notification_raised[] = { "reaction", "mention", "invitation", "member", NULL };
static const char *const topic_rules[] = { "app/** everyone backend", "room/** everyone backend", NULL };

void
hark_chat_limits_init (HarkChatLimits *self)
{
  *self = (HarkChatLimits){
    .message_chars = 4000,
    .mentions = 20,
    .unread_pending = 100000,
    .unread_interval_ms = 200,
    .name_chars = 100,
    .displayname_chars = 64,
    .bio_chars = 500,
    .activity_chars = 128,
    .picture_bytes = 512,
    .servers_per_user = 100,
    .channels_per_server = 500,
    .members_per_server = 100000,
    .roles_per_server = 250,
    .grants_per_channel = 10000,
    .tokens_per_user = 100,
    .ids_per_forget = 10000,
    .emoji_chars = 32,
    .emojis_per_message = 20,
    .reactions_per_user = 10,
    .query_chars = 200,
    .typing_ms = 3000,
    .typing_max = 10000,
    .token_cache = 10000,
    .authenticate_ms = 10 * 1000,
    .password = { 2, 64 * 1024 * 1024, 2, 64 },
    .password_chars = 8,
    .login_lifetime_ms = G_GINT64_CONSTANT (30) * 24 * 60 * 60 * 1000,
    .attempts_per_user = 10,
    .attempts_per_address = 50,
    .attempts_window_ms = 10 * 60 * 1000,
    .attempts_max = 10000,
    .registration = FALSE,
    .registrations_per_address = 5,
    .registrations_window_ms = 60 * 60 * 1000,
    .refresh = FALSE,
    .expiry_warning_ms = 60 * 1000,
    .heartbeat_ms = 25 * 1000,
    .resume_window_ms = 60 * 60 * 1000,
    .kept_sessions_per_user = 20,
    .resume_events = 1000,
    .resume_bytes = 512 * 1024,
    .log_age_ms = G_GINT64_CONSTANT (7) * 24 * 60 * 60 * 1000,
    .log_events = 1000000,
    .invitations_per_user = 100,
    .invitation_age_ms = G_GINT64_CONSTANT (7) * 24 * 60 * 60 * 1000,
    .invitation_interval_ms = 1500,
    .invitation_intervals = 10000,
    .notifications_per_user = 1000,
    .notification_chars = 1000,
    .notification_page = 50,
    .notification_actions = notification_actions,
    .notification_affected = notification_affected,
    .notification_raised = notification_raised,
    .webhook = FALSE,
    .webhook_queue = 10000,
    .webhook_attempts = 20,
    .rooms = 1000,
    .members_per_room = 1000,
    .rooms_per_session = 20,
    .room_name_chars = 64,
    .room_data_bytes = 16 * 1024,
    .topic_rules = topic_rules,
  };
}
