/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What each part of the daemon is told of the configuration. The parts know nothing of settings, and settings nothing of
 * the parts: a new bound is a row in settings.c and a line here.
 */
#include "daemon/app-settings.h"

static guint
setting (HarkConfig *config, HarkSetting which)
{
  return hark_config_get_int (config, which);
}

static guint
setting_ms (HarkConfig *config, HarkSetting which)
{
  return hark_config_get_ms (config, which);
}

static gsize
setting_bytes (HarkConfig *config, HarkSetting which)
{
  return hark_config_get_bytes (config, which);
}

void
hark_app_read_hub_limits (HarkConfig *config, HarkHubLimits *limits)
{
  *limits = (HarkHubLimits){
    .max_sessions = setting (config, HARK_SETTING_LIMITS_SESSIONS_MAX),
    .max_sessions_per_user = setting (config, HARK_SETTING_LIMITS_SESSIONS_PER_USER),
    .max_subscriptions = setting (config, HARK_SETTING_LIMITS_SUBSCRIPTIONS_PER_SESSION),
    .max_parts = setting (config, HARK_SETTING_LIMITS_PARTS_PER_SUBSCRIPTION),
    .max_interests = setting (config, HARK_SETTING_LIMITS_LOADED_USERS_PER_SESSION),
    .max_pending = setting (config, HARK_SETTING_LIMITS_PENDING_COMMANDS),
    .max_strikes = setting (config, HARK_SETTING_LIMITS_STRIKES_MAX),
    .max_recent = setting (config, HARK_SETTING_LIMITS_RECENT_EVENTS),
    .max_recent_bytes = setting_bytes (config, HARK_SETTING_LIMITS_RECENT_BYTES),
    .droppable_percent = setting (config, HARK_SETTING_LIMITS_OUTBOX_DROPPABLE_PERCENT),
  };
}

void
hark_app_read_reactor_limits (HarkConfig *config, HarkReactorLimits *limits)
{
  hark_reactor_limits_init (limits);
  limits->max_message = setting_bytes (config, HARK_SETTING_LIMITS_MESSAGE_MAX);
  limits->max_fragments = setting (config, HARK_SETTING_LIMITS_FRAGMENTS_MAX);
  limits->max_outbox = setting_bytes (config, HARK_SETTING_LIMITS_OUTBOX_MAX);
  limits->read_budget = setting_bytes (config, HARK_SETTING_LIMITS_READ_BUDGET);
  limits->message_budget = setting (config, HARK_SETTING_LIMITS_MESSAGE_BUDGET);
  limits->max_pings_per_second = setting (config, HARK_SETTING_LIMITS_PINGS_PER_SECOND);
  limits->heartbeat_ms = setting_ms (config, HARK_SETTING_LIMITS_HEARTBEAT_INTERVAL);
  limits->timeout_ms = setting_ms (config, HARK_SETTING_LIMITS_HEARTBEAT_TIMEOUT);
  limits->close_timeout_ms = setting_ms (config, HARK_SETTING_LIMITS_CLOSE_TIMEOUT);
}

void
hark_app_read_store_options (HarkConfig *config, HarkSqliteOptions *options)
{
  *options = (HarkSqliteOptions)HARK_SQLITE_OPTIONS_INIT;
  options->synchronous
    = hark_config_get_enum (config, HARK_SETTING_STORE_SYNCHRONOUS) == 0 ? HARK_SQLITE_FULL : HARK_SQLITE_NORMAL;
  options->batch_ms = setting_ms (config, HARK_SETTING_STORE_BATCH_WINDOW);
  options->max_batch = setting (config, HARK_SETTING_STORE_BATCH_MAX);
  options->max_queue = setting (config, HARK_SETTING_STORE_QUEUE_MAX);
  options->max_queue_read = setting (config, HARK_SETTING_STORE_READ_QUEUE_MAX);
  options->readers = setting (config, HARK_SETTING_STORE_READERS);
  options->busy_timeout_ms = setting_ms (config, HARK_SETTING_STORE_BUSY_TIMEOUT);
  options->cache_kib = setting_bytes (config, HARK_SETTING_STORE_CACHE) / 1024;
  options->reader_cache_kib = setting_bytes (config, HARK_SETTING_STORE_READER_CACHE) / 1024;
  options->wal_checkpoint_pages = setting (config, HARK_SETTING_STORE_CHECKPOINT_PAGES);
  options->wal_limit_pages = setting (config, HARK_SETTING_STORE_LOG_PAGES_MAX);
  options->migrations = "/org/hark/migrations";
}

void
hark_app_read_front_config (HarkConfig *config, HarkFrontConfig *front)
{
  HarkFrontLimits *limits = &front->limits;
  *front = (HarkFrontConfig){
    .allowed_hosts = hark_config_get_strings (config, HARK_SETTING_HTTP_ALLOWED_HOSTS),
    .allowed_origins = hark_config_get_strings (config, HARK_SETTING_HTTP_ALLOWED_ORIGINS),
    .deflate = hark_config_get_bool (config, HARK_SETTING_WEBSOCKET_COMPRESSION),
    .deflate_bytes = setting_bytes (config, HARK_SETTING_WEBSOCKET_COMPRESSION_MEMORY_MAX),
    .allow_late_authentication = hark_config_get_bool (config, HARK_SETTING_AUTH_LATE_AUTHENTICATION),
    .expose_metrics = hark_config_get_bool (config, HARK_SETTING_HTTP_METRICS),
    .cors_credentials = hark_config_get_bool (config, HARK_SETTING_SOCKETIO_CORS_CREDENTIALS),
  };
  if (*hark_config_get_string (config, HARK_SETTING_SOCKETIO_COOKIE) != '\0')
    front->engine_cookie = hark_config_get_string (config, HARK_SETTING_SOCKETIO_COOKIE);
  hark_front_limits_init (limits);
  limits->handshake_ms = setting_ms (config, HARK_SETTING_LIMITS_HANDSHAKE_TIMEOUT);
  limits->max_handshakes = setting (config, HARK_SETTING_LIMITS_HANDSHAKES_MAX);
  limits->max_per_address = setting (config, HARK_SETTING_LIMITS_CONNECTIONS_PER_ADDRESS);
  limits->max_head = setting_bytes (config, HARK_SETTING_LIMITS_HEAD_MAX);
  limits->max_fields = setting (config, HARK_SETTING_LIMITS_HEAD_FIELDS_MAX);
  limits->max_body = setting_bytes (config, HARK_SETTING_HTTP_BODY_MAX);
  limits->max_upgrades = setting (config, HARK_SETTING_LIMITS_UPGRADES_MAX);
}

void
hark_app_read_api_limits (HarkConfig *config, HarkApiLimits *limits)
{
  *limits = (HarkApiLimits){
    .max_requests = setting (config, HARK_SETTING_HTTP_API_REQUESTS),
    .rate_per_address = setting (config, HARK_SETTING_HTTP_API_RATE_PER_ADDRESS),
    .burst_per_address = setting (config, HARK_SETTING_HTTP_API_BURST_PER_ADDRESS),
    .max_addresses = setting (config, HARK_SETTING_HTTP_API_ADDRESSES_MAX),
    .forwarded_for = hark_config_get_bool (config, HARK_SETTING_HTTP_FORWARDED_FOR),
  };
}

void
hark_app_read_chat_limits (HarkConfig *config, HarkChatLimits *limits)
{
  hark_chat_limits_init (limits);
  limits->message_chars = setting (config, HARK_SETTING_CHAT_MESSAGE_LENGTH_MAX);
  limits->mentions = setting (config, HARK_SETTING_CHAT_MENTIONS_MAX);
  limits->unread_interval_ms = setting_ms (config, HARK_SETTING_CHAT_UNREAD_INTERVAL);
  limits->unread_pending = setting (config, HARK_SETTING_CHAT_UNREAD_PENDING);
  limits->name_chars = setting (config, HARK_SETTING_CHAT_NAME_LENGTH_MAX);
  limits->servers_per_user = setting (config, HARK_SETTING_CHAT_SERVERS_PER_USER);
  limits->channels_per_server = setting (config, HARK_SETTING_CHAT_CHANNELS_PER_SERVER);
  limits->members_per_server = setting (config, HARK_SETTING_CHAT_MEMBERS_PER_SERVER);
  limits->roles_per_server = setting (config, HARK_SETTING_CHAT_ROLES_PER_SERVER);
  limits->grants_per_channel = setting (config, HARK_SETTING_CHAT_GRANTS_PER_CHANNEL);
  limits->tokens_per_user = setting (config, HARK_SETTING_CHAT_TOKENS_PER_USER);
  limits->emoji_chars = setting (config, HARK_SETTING_CHAT_EMOJI_LENGTH_MAX);
  limits->emojis_per_message = setting (config, HARK_SETTING_CHAT_EMOJIS_PER_MESSAGE);
  limits->reactions_per_user = setting (config, HARK_SETTING_CHAT_REACTIONS_PER_USER);
  limits->query_chars = setting (config, HARK_SETTING_CHAT_SEARCH_LENGTH_MAX);
  limits->typing_ms = setting_ms (config, HARK_SETTING_CHAT_TYPING_INTERVAL);
  limits->typing_max = setting (config, HARK_SETTING_CHAT_TYPING_MAX);
  limits->invitation_interval_ms = setting_ms (config, HARK_SETTING_INVITATIONS_INTERVAL);
  limits->invitation_intervals = setting (config, HARK_SETTING_INVITATIONS_INTERVALS_MAX);
  limits->invitation_age_ms = hark_config_get_ms (config, HARK_SETTING_INVITATIONS_AGE);
  limits->invitations_per_user = setting (config, HARK_SETTING_INVITATIONS_PER_USER);
  limits->notifications_per_user = setting (config, HARK_SETTING_NOTIFICATIONS_PER_USER);
  limits->notification_chars = setting (config, HARK_SETTING_NOTIFICATIONS_LENGTH_MAX);
  limits->notification_page = setting (config, HARK_SETTING_NOTIFICATIONS_PAGE);
  limits->notification_actions = hark_config_get_strings (config, HARK_SETTING_NOTIFICATIONS_ACTIONS);
  limits->notification_affected = hark_config_get_strings (config, HARK_SETTING_NOTIFICATIONS_AFFECTED);
  limits->topic_rules = hark_config_get_strings (config, HARK_SETTING_TOPICS_RULES);
  limits->notification_raised = hark_config_get_strings (config, HARK_SETTING_NOTIFICATIONS_RAISE);
  limits->webhook = *hark_config_get_string (config, HARK_SETTING_WEBHOOK_URL) != '\0';
  limits->webhook_attempts = setting (config, HARK_SETTING_WEBHOOK_ATTEMPTS);
  limits->webhook_queue = setting (config, HARK_SETTING_WEBHOOK_QUEUE_MAX);
  limits->rooms = setting (config, HARK_SETTING_ROOMS_MAX);
  limits->members_per_room = setting (config, HARK_SETTING_ROOMS_MEMBERS_MAX);
  limits->rooms_per_session = setting (config, HARK_SETTING_ROOMS_PER_SESSION);
  limits->room_name_chars = setting (config, HARK_SETTING_ROOMS_NAME_LENGTH_MAX);
  limits->room_data_bytes = setting_bytes (config, HARK_SETTING_ROOMS_DATA_MAX);
  limits->token_cache = setting (config, HARK_SETTING_AUTH_TOKEN_CACHE);
  limits->authenticate_ms = setting_ms (config, HARK_SETTING_AUTH_AUTHENTICATE_TIMEOUT);
  limits->password = (HarkPasswordCost){
    .operations = setting (config, HARK_SETTING_AUTH_PASSWORD_OPERATIONS),
    .memory = setting_bytes (config, HARK_SETTING_AUTH_PASSWORD_MEMORY),
    .threads = setting (config, HARK_SETTING_AUTH_PASSWORD_THREADS),
    .queue = setting (config, HARK_SETTING_AUTH_PASSWORD_QUEUE),
  };
  limits->password_chars = setting (config, HARK_SETTING_AUTH_PASSWORD_LENGTH_MIN);
  limits->attempts_per_user = setting (config, HARK_SETTING_AUTH_ATTEMPTS_PER_USER);
  limits->attempts_per_address = setting (config, HARK_SETTING_AUTH_ATTEMPTS_PER_ADDRESS);
  limits->attempts_window_ms = hark_config_get_ms (config, HARK_SETTING_AUTH_ATTEMPTS_WINDOW);
  limits->attempts_max = setting (config, HARK_SETTING_AUTH_ATTEMPTS_MAX);
  limits->login_lifetime_ms = hark_config_get_ms (config, HARK_SETTING_AUTH_LOGIN_LIFETIME);
  limits->refresh = hark_config_get_bool (config, HARK_SETTING_AUTH_REFRESH);
  limits->expiry_warning_ms = setting_ms (config, HARK_SETTING_AUTH_EXPIRY_WARNING);
  limits->registration = hark_config_get_bool (config, HARK_SETTING_AUTH_REGISTRATION);
  limits->registrations_per_address = setting (config, HARK_SETTING_AUTH_REGISTRATIONS_PER_ADDRESS);
  limits->registrations_window_ms = hark_config_get_ms (config, HARK_SETTING_AUTH_REGISTRATIONS_WINDOW);
  limits->heartbeat_ms = setting_ms (config, HARK_SETTING_LIMITS_HEARTBEAT_INTERVAL);
  limits->resume_window_ms = hark_config_get_ms (config, HARK_SETTING_RETENTION_RESUME_WINDOW);
  limits->log_age_ms = hark_config_get_ms (config, HARK_SETTING_RETENTION_EVENT_LOG_AGE);
  limits->log_events = setting (config, HARK_SETTING_RETENTION_EVENT_LOG_EVENTS);
}

void
hark_app_read_bus_limits (HarkConfig *config, HarkBusLimits *limits)
{
  *limits = (HarkBusLimits){
    .max_calls = setting (config, HARK_SETTING_BUS_CALLS_MAX),
    .max_peers = setting (config, HARK_SETTING_BUS_CALLERS_MAX),
    .max_waiting = setting (config, HARK_SETTING_BUS_WAITING_CALLS),
    .max_monitors = setting (config, HARK_SETTING_BUS_MONITORS_MAX),
    .monitor_window = setting (config, HARK_SETTING_BUS_MONITOR_WINDOW),
    .max_programs = setting (config, HARK_SETTING_BUS_PROGRAMS_MAX),
    .max_outbox = hark_config_get_bytes (config, HARK_SETTING_LIMITS_OUTBOX_MAX),
    .changes_ms = hark_config_get_ms (config, HARK_SETTING_BUS_CHANGES_INTERVAL),
  };
}

void
hark_app_read_socketio_limits (HarkConfig *config, HarkSocketioLimits *limits)
{
  hark_socketio_limits_init (limits);
  limits->connect_timeout_ms = setting_ms (config, HARK_SETTING_SOCKETIO_CONNECT_TIMEOUT);
  limits->recovery_ms = setting_ms (config, HARK_SETTING_SOCKETIO_RECOVERY);
  limits->recovery_events = setting (config, HARK_SETTING_SOCKETIO_RECOVERY_EVENTS);
  limits->recovery_bytes = setting_bytes (config, HARK_SETTING_SOCKETIO_RECOVERY_BYTES);
  limits->kept_per_user = setting (config, HARK_SETTING_SOCKETIO_RECOVERY_PER_USER);
  limits->attachment_bytes = setting_bytes (config, HARK_SETTING_SOCKETIO_ATTACHMENTS_MAX);
  limits->rooms_per_socket = setting (config, HARK_SETTING_SOCKETIO_ROOMS_PER_SOCKET);
  limits->pending_acks = setting (config, HARK_SETTING_SOCKETIO_PENDING_ACKS);
  limits->ack_timeout_ms = setting_ms (config, HARK_SETTING_SOCKETIO_ACK_TIMEOUT);
  limits->refusals = setting (config, HARK_SETTING_SOCKETIO_CONNECTS_REFUSED);
  limits->message_bytes = setting_bytes (config, HARK_SETTING_SOCKETIO_MESSAGE_MAX);
}

void
hark_app_read_engine_limits (HarkConfig *config, HarkEngineLimits *limits)
{
  hark_engine_limits_init (limits);
  limits->max_payload = setting_bytes (config, HARK_SETTING_LIMITS_MESSAGE_MAX);
  limits->packet_budget = setting (config, HARK_SETTING_LIMITS_MESSAGE_BUDGET);
  limits->max_outbox = setting_bytes (config, HARK_SETTING_LIMITS_OUTBOX_MAX);
  limits->ping_interval_ms = setting_ms (config, HARK_SETTING_LIMITS_HEARTBEAT_INTERVAL);
  limits->ping_timeout_ms = setting_ms (config, HARK_SETTING_LIMITS_HEARTBEAT_TIMEOUT);
  limits->upgrade_timeout_ms = setting_ms (config, HARK_SETTING_LIMITS_HANDSHAKE_TIMEOUT);
  limits->close_timeout_ms = setting_ms (config, HARK_SETTING_LIMITS_CLOSE_TIMEOUT);
}
