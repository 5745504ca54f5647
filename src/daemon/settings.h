/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkSetting:
 *
 * Everything that can be configured, in the order of the reference. Its row in settings.c says the rest.
 */
typedef enum
{
  HARK_SETTING_LISTEN_ADDRESS,
  HARK_SETTING_LISTEN_PORT,
  HARK_SETTING_LISTEN_UNIX_SOCKET,
  HARK_SETTING_LISTEN_UNIX_MODE,
  HARK_SETTING_LISTEN_BACKLOG,

  HARK_SETTING_HTTP_ALLOWED_HOSTS,
  HARK_SETTING_HTTP_ALLOWED_ORIGINS,
  HARK_SETTING_HTTP_BODY_MAX,
  HARK_SETTING_HTTP_METRICS,
  HARK_SETTING_HTTP_ENGINE_IO,

  HARK_SETTING_LIMITS_HANDSHAKE_TIMEOUT,
  HARK_SETTING_LIMITS_HANDSHAKES_MAX,
  HARK_SETTING_LIMITS_UPGRADES_MAX,
  HARK_SETTING_LIMITS_CONNECTIONS_PER_ADDRESS,
  HARK_SETTING_LIMITS_HEAD_MAX,
  HARK_SETTING_LIMITS_HEAD_FIELDS_MAX,
  HARK_SETTING_LIMITS_MESSAGE_MAX,
  HARK_SETTING_LIMITS_FRAGMENTS_MAX,
  HARK_SETTING_LIMITS_OUTBOX_MAX,
  HARK_SETTING_LIMITS_READ_BUDGET,
  HARK_SETTING_LIMITS_MESSAGE_BUDGET,
  HARK_SETTING_LIMITS_PINGS_PER_SECOND,
  HARK_SETTING_LIMITS_HEARTBEAT_INTERVAL,
  HARK_SETTING_LIMITS_HEARTBEAT_TIMEOUT,
  HARK_SETTING_LIMITS_CLOSE_TIMEOUT,
  HARK_SETTING_LIMITS_SESSIONS_MAX,
  HARK_SETTING_LIMITS_SESSIONS_PER_USER,
  HARK_SETTING_LIMITS_SUBSCRIPTIONS_PER_SESSION,
  HARK_SETTING_LIMITS_LOADED_USERS_PER_SESSION,
  HARK_SETTING_LIMITS_PENDING_COMMANDS,
  HARK_SETTING_LIMITS_STRIKES_MAX,
  HARK_SETTING_LIMITS_RECENT_EVENTS,
  HARK_SETTING_LIMITS_RECENT_BYTES,
  HARK_SETTING_LIMITS_REQUESTS_PER_SECOND,
  HARK_SETTING_LIMITS_REQUESTS_BURST,
  HARK_SETTING_LIMITS_MESSAGES_PER_SECOND,
  HARK_SETTING_LIMITS_MESSAGES_BURST,
  HARK_SETTING_LIMITS_FORWARDS_PER_SECOND,
  HARK_SETTING_LIMITS_FORWARDS_BURST,

  HARK_SETTING_WEBSOCKET_COMPRESSION,

  HARK_SETTING_STORE_PATH,
  HARK_SETTING_STORE_SYNCHRONOUS,
  HARK_SETTING_STORE_BATCH_WINDOW,
  HARK_SETTING_STORE_BATCH_MAX,
  HARK_SETTING_STORE_QUEUE_MAX,
  HARK_SETTING_STORE_READ_QUEUE_MAX,
  HARK_SETTING_STORE_READERS,
  HARK_SETTING_STORE_BUSY_TIMEOUT,
  HARK_SETTING_STORE_CACHE,
  HARK_SETTING_STORE_READER_CACHE,
  HARK_SETTING_STORE_CHECKPOINT_PAGES,
  HARK_SETTING_STORE_LOG_PAGES_MAX,

  HARK_SETTING_RETENTION_EVENT_LOG_AGE,
  HARK_SETTING_RETENTION_EVENT_LOG_EVENTS,
  HARK_SETTING_RETENTION_RESUME_WINDOW,

  HARK_SETTING_PRESENCE_GRACE,

  HARK_SETTING_CHAT_MESSAGE_LENGTH_MAX,
  HARK_SETTING_CHAT_NAME_LENGTH_MAX,
  HARK_SETTING_CHAT_SERVERS_PER_USER,
  HARK_SETTING_CHAT_CHANNELS_PER_SERVER,
  HARK_SETTING_CHAT_MEMBERS_PER_SERVER,
  HARK_SETTING_CHAT_GRANTS_PER_CHANNEL,
  HARK_SETTING_CHAT_TOKENS_PER_USER,

  HARK_SETTING_AUTH_LATE_AUTHENTICATION,
  HARK_SETTING_AUTH_AUTHENTICATE_TIMEOUT,
  HARK_SETTING_AUTH_TOKEN_CACHE,

  HARK_SETTING_BUS_TYPE,
  HARK_SETTING_BUS_CALLS_MAX,
  HARK_SETTING_BUS_CALLERS_MAX,
  HARK_SETTING_BUS_WAITING_CALLS,
  HARK_SETTING_BUS_MONITORS_MAX,
  HARK_SETTING_BUS_MONITOR_WINDOW,

  HARK_SETTING_LOG_LEVEL,

  HARK_N_SETTINGS
} HarkSetting;

typedef enum
{
  HARK_SETTING_TYPE_INT,
  HARK_SETTING_TYPE_BYTES,    /* "64K", "1M", "2G": powers of 1024 */
  HARK_SETTING_TYPE_DURATION, /* "250ms", "10s", "5m", "1h", "7d"; kept in milliseconds */
  HARK_SETTING_TYPE_BOOL,     /* "true", "yes", "on", "1" and their opposites */
  HARK_SETTING_TYPE_ENUM,     /* one of the choices; kept as its index */
  HARK_SETTING_TYPE_MODE,     /* octal permissions */
  HARK_SETTING_TYPE_STRING,
  HARK_SETTING_TYPE_STRING_LIST,  /* separated by ";" */
  HARK_SETTING_TYPE_STATE_PATH,   /* a relative one is below the state directory */
  HARK_SETTING_TYPE_RUNTIME_PATH, /* a relative one is below the runtime directory */
  HARK_N_SETTING_TYPES
} HarkSettingType;

/* Returns: (nullable) (transfer full): what is wrong with @text (of a list: with one element), as a clause. */
typedef char *(*HarkSettingCheck) (const char *text);

/**
 * HarkSettingInfo:
 * @fallback: the default, as it would be written in the file; "" for none
 * @doc: in one sentence or a few, without the range, which the reference adds
 * @min, @max: inclusive; of numbers, bytes, and milliseconds
 * @choices: %NULL-terminated, of an enum
 * @check: (nullable): beyond the type
 * @live: a reload applies it; otherwise it waits for a restart
 */
typedef struct
{
  const char *section;
  const char *key;
  const char *fallback;
  const char *doc;
  HarkSettingType type;
  gint64 min;
  gint64 max;
  const char *const *choices;
  HarkSettingCheck check;
  gboolean live;
} HarkSettingInfo;

const HarkSettingInfo *hark_setting_get_info (HarkSetting setting);
gboolean hark_setting_find (const char *section, const char *key, HarkSetting *setting);
const char *hark_setting_get_section_doc (const char *section);
char *hark_setting_suggest (const char *section, const char *key);
char *hark_setting_get_variable (HarkSetting setting);

G_END_DECLS
