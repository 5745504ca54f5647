/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of settings: the one place that knows what can be configured. Parsing, checking, `--check-config`,
 * `--dump-config`, the reference in harkd.conf(5) and the example file all come from it. A new setting is a line in
 * settings.h, a row here, and its use in app.c.
 */
#include "daemon/settings.h"

#include "chat/topic-rules.h"

#include <gio/gio.h>
#include <string.h>

#define KIB(n) ((gint64)(n) << 10)
#define MIB(n) ((gint64)(n) << 20)
#define SECONDS(n) ((gint64)(n)*1000)
#define HOURS(n) SECONDS ((n)*60 * 60)
#define DAYS(n) HOURS ((n)*24)

static const struct
{
  const char *name;
  const char *doc;
} sections[] = {
  { "listen", "Where clients connect. When the service manager passes sockets (hark.socket), those are used instead." },
  { "service", "What is agreed on with the service manager." },
  { "http", "What is answered over HTTP, and to whom." },
  { "limits",
    "What one client may cost. Whoever passes one of these is told which, and it is counted in the metrics." },
  { "websocket", "The WebSocket protocol." },
  { "socketio", "Socket.IO: clients, namespaces, and what a client that was cut gets afterwards." },
  { "store", "The database file and how it is written." },
  { "retention", "How long the past is kept." },
  { "presence", "Who is online." },
  { "chat", "What a community may hold." },
  { "invitations", "Who is asked to which server." },
  { "notifications", "What users are told." },
  { "topics", "Events of applications, on topics of their own." },
  { "webhook", "A program of the application's that is told, by HTTP, what clients say to it." },
  { "auth", "How clients say who they are." },
  { "jwt", "Tokens that another program issues and signs, JSON Web Tokens; see the protocol's section 1." },
  { "rooms", "Rooms, where who is there hears what the others say, without an account too." },
  { "bus", "The D-Bus interface, for administrators and desktop programs." },
  { "log", "What is logged." },
};

static const char *const synchronous_choices[] = { "full", "normal", NULL };
static const char *const socketio_admin_choices[] = { "off", "production", "development", NULL };
static const char *const jwt_choices[] = { "off", "HS256", "RS256", "ES256", "EdDSA", NULL };
static const char *const polkit_choices[] = { "auto", "yes", "no", NULL };
static const char *const level_choices[] = { "error", "warning", "notice", "info", "debug", NULL };

static char *
check_address (const char *text)
{
  if (g_hostname_is_ip_address (text))
    return NULL;
  return g_strdup_printf ("\"%s\" is not an IP address; several are separated by \";\"", text);
}

static char *
check_host (const char *text)
{
  gsize len = strlen (text);
  g_autofree char *inner = NULL;
  if (text[0] == '[' && text[len - 1] == ']')
    {
      inner = g_strndup (text + 1, len - 2);
      if (g_hostname_is_ip_address (inner))
        return NULL;
    }
  else if (text[strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._")] == '\0')
    return NULL;
  return g_strdup_printf ("\"%s\" is not a host name without a port", text);
}

static char *
check_origin (const char *text)
{
  g_autoptr (GUri) uri = NULL;
  if (strcmp (text, "*") == 0 || strcmp (text, "null") == 0)
    return NULL;
  uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  if (uri != NULL && g_uri_get_host (uri) != NULL && g_uri_get_host (uri)[0] != '\0' && g_uri_get_path (uri)[0] == '\0'
      && g_uri_get_query (uri) == NULL && g_uri_get_fragment (uri) == NULL && g_uri_get_userinfo (uri) == NULL)
    return NULL;
  return g_strdup_printf ("\"%s\" is not an origin, like https://example.org or http://localhost:8080", text);
}

static char *
check_bus (const char *text)
{
  if (strcmp (text, "auto") == 0 || strcmp (text, "system") == 0 || strcmp (text, "session") == 0
      || strcmp (text, "none") == 0 || (text[0] != '\0' && g_dbus_is_address (text)))
    return NULL;
  return g_strdup_printf ("\"%s\" is neither auto, system, session or none, nor a D-Bus address", text);
}

static char *
check_word (const char *text)
{
  if (text[0] != '\0' && text[strspn (text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_.")] == '\0')
    return NULL;
  return g_strdup_printf ("\"%s\" is not a word; several are separated by \";\"", text);
}

static char *
check_topic_rule (const char *text)
{
  g_autoptr (GError) error = NULL;
  return hark_topic_rule_parse_check (text, &error) ? NULL : g_strdup (error->message);
}

static char *
check_url (const char *text)
{
  g_autoptr (GUri) uri = text[0] != '\0' ? g_uri_parse (text, G_URI_FLAGS_NONE, NULL) : NULL;
  if (text[0] == '\0'
      || (uri != NULL && g_uri_get_host (uri) != NULL && g_uri_get_host (uri)[0] != '\0'
          && (g_str_equal (g_uri_get_scheme (uri), "http") || g_str_equal (g_uri_get_scheme (uri), "https"))))
    return NULL;
  return g_strdup_printf ("\"%s\" is not an address, like https://example.org/hook", text);
}

static char *
check_not_empty (const char *text)
{
  return text[0] != '\0' ? NULL : g_strdup ("it is empty");
}

static char *
check_namespace (const char *text)
{
  if (text[0] == '/' && text[1] != '\0' && strlen (text) <= 128 && strpbrk (text, ",? \t") == NULL)
    return NULL;
  return g_strdup_printf ("\"%s\" is not a namespace, like /orders: \"/\" and text without commas, \"?\" and blanks",
                          text);
}

/* RFC 6265's token, without what is rare. */
static char *
check_cookie (const char *text)
{
  if (text[strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.")] == '\0')
    return NULL;
  return g_strdup_printf ("\"%s\" is not a cookie's name: letters, digits, \"_\", \"-\" and \".\"", text);
}

/* A socket's name is bounded by the kernel, and what is longer would be cut. */
static char *
check_socket (const char *text)
{
  return strlen (text) < 108 ? NULL : g_strdup_printf ("\"%s\" is longer than the 107 bytes of a socket's name", text);
}

#define AT(s, k) .section = (s), .key = (k)
#define INT(lo, hi) .type = HARK_SETTING_TYPE_INT, .min = (lo), .max = (hi)
#define BYTES(lo, hi) .type = HARK_SETTING_TYPE_BYTES, .min = (lo), .max = (hi)
#define DURATION(lo, hi) .type = HARK_SETTING_TYPE_DURATION, .min = (lo), .max = (hi)
#define BOOL .type = HARK_SETTING_TYPE_BOOL
#define LIST(f) .type = HARK_SETTING_TYPE_STRING_LIST, .check = (f)

/* clang-format off */
static const HarkSettingInfo table[HARK_N_SETTINGS] = {
  [HARK_SETTING_LISTEN_ADDRESS] = {
    AT ("listen", "address"), LIST (check_address), .fallback = "127.0.0.1",
    .doc = "The IP addresses to listen on; 0.0.0.0 and :: are all of the machine. Empty for none, when there is a "
           "Unix socket. Hark itself speaks no TLS: put a reverse proxy in front of it before leaving loopback.",
  },
  [HARK_SETTING_LISTEN_PORT] = {
    AT ("listen", "port"), INT (0, 65535), .fallback = "8000",
    .doc = "The TCP port; 0 takes one that is free, and the log says which.",
  },
  [HARK_SETTING_LISTEN_UNIX_SOCKET] = {
    AT ("listen", "unix-socket"), .type = HARK_SETTING_TYPE_RUNTIME_PATH, .check = check_socket, .fallback = "",
    .doc = "A Unix socket to listen on too, for a reverse proxy on the same machine.",
  },
  [HARK_SETTING_LISTEN_UNIX_MODE] = {
    AT ("listen", "unix-mode"), .type = HARK_SETTING_TYPE_MODE, .max = 0777, .fallback = "0660",
    .doc = "The permissions of the Unix socket.",
  },
  [HARK_SETTING_LISTEN_BACKLOG] = {
    AT ("listen", "backlog"), INT (1, 65535), .fallback = "4096",
    .doc = "Connections the kernel holds for us to accept; net.core.somaxconn bounds it too.",
  },

  [HARK_SETTING_SERVICE_KEEP_CONNECTIONS] = {
    AT ("service", "keep-connections"), BOOL, .fallback = "true",
    .doc = "Whether, when it is ended by a service manager, the connections are left with that, so that a restart does not "
           "cut them; needs FileDescriptorStoreMax= in the unit. Without a service manager it does nothing.",
  },
  [HARK_SETTING_SERVICE_KEPT_CONNECTIONS_MAX] = {
    AT ("service", "kept-connections-max"), INT (1, 16000), .fallback = "16000",
    .doc = "Connections that are left with the service manager; those beyond it a restart cuts. Two less than "
           "FileDescriptorStoreMax= at most.",
  },

  [HARK_SETTING_HTTP_ALLOWED_HOSTS] = {
    AT ("http", "allowed-hosts"), LIST (check_host), .fallback = "",
    .doc = "The names under which clients know this service, as in the Host header without the port; requests for "
           "others are refused, which keeps DNS rebinding out. Empty for any.",
  },
  [HARK_SETTING_HTTP_ALLOWED_ORIGINS] = {
    AT ("http", "allowed-origins"), LIST (check_origin), .fallback = "",
    .doc = "The origins of web pages that may connect, beside pages of this service's own host; \"*\" for any. "
           "Programs, which send no Origin, are not concerned.",
  },
  [HARK_SETTING_HTTP_BODY_MAX] = {
    AT ("http", "body-max"), BYTES (0, MIB (64)), .fallback = "64K",
    .doc = "Bytes of a request's body.",
  },
  [HARK_SETTING_HTTP_METRICS] = {
    AT ("http", "metrics"), BOOL, .fallback = "true",
    .doc = "Whether /metrics answers, in Prometheus' text format.",
  },
  [HARK_SETTING_HTTP_API] = {
    AT ("http", "api"), BOOL, .fallback = "true",
    .doc = "Whether POST /api/v1/REQUEST answers: the requests of administrators and back ends, with their token as "
           "\"Authorization: Bearer\", and login, logout and register of everybody.",
  },
  [HARK_SETTING_HTTP_API_REQUESTS] = {
    AT ("http", "api-requests"), INT (1, 1000000), .fallback = "256",
    .doc = "Such requests under way at a time; over it, 503.",
  },
  [HARK_SETTING_HTTP_API_RATE_PER_ADDRESS] = {
    AT ("http", "api-rate-per-address"), INT (0, 1000000), .fallback = "20",
    .doc = "Such requests a second from one IP address, or one 64-bit network of IPv6, in the long run; 0 for any number. "
           "Over it, 429. What comes from this machine is not counted; see forwarded-for.",
  },
  [HARK_SETTING_HTTP_API_BURST_PER_ADDRESS] = {
    AT ("http", "api-burst-per-address"), INT (1, 1000000), .fallback = "200",
    .doc = "Such requests from one address at once.",
  },
  [HARK_SETTING_HTTP_API_ADDRESSES_MAX] = {
    AT ("http", "api-addresses-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "Addresses of which that is remembered; those that asked last.",
  },
  [HARK_SETTING_HTTP_FORWARDED_FOR] = {
    AT ("http", "forwarded-for"), BOOL, .fallback = "false",
    .doc = "Whether such a request that comes from this machine comes from a reverse proxy, which has put the client's "
           "address last into X-Forwarded-For: then that is the address that is counted. Only for a proxy that does.",
  },
  [HARK_SETTING_HTTP_ENGINE_IO] = {
    AT ("http", "engine-io"), .type = HARK_SETTING_TYPE_BOOL, .fallback = "false",
    .doc = "Whether clients may come by Engine.IO 4 at /engine.io/ too: by long polling, where no WebSocket gets through. "
           "They present their token in the first message.",
  },

  [HARK_SETTING_LIMITS_HANDSHAKE_TIMEOUT] = {
    AT ("limits", "handshake-timeout"), DURATION (100, SECONDS (600)), .fallback = "10s",
    .doc = "How long a connection may take until its request is complete.",
  },
  [HARK_SETTING_LIMITS_HANDSHAKES_MAX] = {
    AT ("limits", "handshakes-max"), INT (1, 1000000), .fallback = "4096",
    .doc = "Connections whose request is not complete; at this number no more are accepted until one is.",
  },
  [HARK_SETTING_LIMITS_UPGRADES_MAX] = {
    AT ("limits", "upgrades-max"), INT (1, 1000000), .fallback = "4096",
    .doc = "WebSockets that are open and that the hub has not taken over yet.",
  },
  [HARK_SETTING_LIMITS_CONNECTIONS_PER_ADDRESS] = {
    AT ("limits", "connections-per-address"), INT (0, 10000000), .fallback = "1024",
    .doc = "Connections from one IP address, or one 64-bit network of IPv6; 0 for any number. Those from this machine "
           "are not counted, since a reverse proxy may stand for everybody.",
  },
  [HARK_SETTING_LIMITS_HEAD_MAX] = {
    AT ("limits", "head-max"), BYTES (KIB (1), MIB (1)), .fallback = "16K",
    .doc = "Bytes of a request's line and headers.",
  },
  [HARK_SETTING_LIMITS_HEAD_FIELDS_MAX] = {
    AT ("limits", "head-fields-max"), INT (8, 128), .fallback = "64",
    .doc = "Headers of a request.",
  },
  [HARK_SETTING_LIMITS_MESSAGE_MAX] = {
    AT ("limits", "message-max"), BYTES (256, MIB (64)), .fallback = "64K",
    .doc = "Bytes of one message from a client, assembled from its fragments and inflated; over it, close code 1009.",
  },
  [HARK_SETTING_LIMITS_FRAGMENTS_MAX] = {
    AT ("limits", "fragments-max"), INT (1, 1000000), .fallback = "1024",
    .doc = "Frames of one message; over it, close code 1008.",
  },
  [HARK_SETTING_LIMITS_OUTBOX_MAX] = {
    AT ("limits", "outbox-max"), BYTES (KIB (4), MIB (1024)), .fallback = "1M",
    .doc = "Bytes that wait for one client to read them; over it, close code 4008, and the client may resume.",
  },
  [HARK_SETTING_LIMITS_OUTBOX_DROPPABLE_PERCENT] = {
    AT ("limits", "outbox-droppable-percent"), INT (1, 100), .fallback = "25",
    .doc = "With more than this part of outbox-max waiting, a client is not told what is worth nothing later, as who is "
           "typing.",
  },
  [HARK_SETTING_LIMITS_READ_BUDGET] = {
    AT ("limits", "read-budget"), BYTES (KIB (1), MIB (64)), .fallback = "64K",
    .doc = "Bytes read from one client before the others have their turn.",
  },
  [HARK_SETTING_LIMITS_MESSAGE_BUDGET] = {
    AT ("limits", "message-budget"), INT (1, 1000000), .fallback = "256",
    .doc = "Messages taken from one client before the others have their turn.",
  },
  [HARK_SETTING_LIMITS_PINGS_PER_SECOND] = {
    AT ("limits", "pings-per-second"), INT (1, 1000000), .fallback = "32",
    .doc = "Pings answered in a second; over it, close code 1008.",
  },
  [HARK_SETTING_LIMITS_HEARTBEAT_INTERVAL] = {
    AT ("limits", "heartbeat-interval"), DURATION (0, DAYS (1)), .fallback = "25s",
    .doc = "Silence after which a client is pinged; 0 for never.",
  },
  [HARK_SETTING_LIMITS_HEARTBEAT_TIMEOUT] = {
    AT ("limits", "heartbeat-timeout"), DURATION (100, DAYS (1)), .fallback = "20s",
    .doc = "How long a pinged client may stay silent; after it, close code 4002.",
  },
  [HARK_SETTING_LIMITS_CLOSE_TIMEOUT] = {
    AT ("limits", "close-timeout"), DURATION (100, SECONDS (600)), .fallback = "5s",
    .doc = "How long a closing connection may take to finish.",
  },
  [HARK_SETTING_LIMITS_SESSIONS_MAX] = {
    AT ("limits", "sessions-max"), INT (0, 10000000), .fallback = "0",
    .doc = "Sessions in all; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_SESSIONS_PER_USER] = {
    AT ("limits", "sessions-per-user"), INT (0, 10000000), .fallback = "100",
    .doc = "Sessions of one user; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_SUBSCRIPTIONS_PER_SESSION] = {
    AT ("limits", "subscriptions-per-session"), INT (1, 1000000), .fallback = "1000",
    .doc = "Servers, channels and rooms that one session has loaded.",
  },
  [HARK_SETTING_LIMITS_PARTS_PER_SUBSCRIPTION] = {
    AT ("limits", "parts-per-subscription"), INT (1, 10000), .fallback = "100",
    .doc = "Separate parts of one list of members that one session has loaded; pages that follow each other are one.",
  },
  [HARK_SETTING_LIMITS_LOADED_USERS_PER_SESSION] = {
    AT ("limits", "loaded-users-per-session"), INT (1, 1000000), .fallback = "10000",
    .doc = "Users that one session has loaded.",
  },
  [HARK_SETTING_LIMITS_PENDING_COMMANDS] = {
    AT ("limits", "pending-commands"), INT (1, 65535), .fallback = "256",
    .doc = "Requests of one session under way; at this number it is not read from until one is answered.",
  },
  [HARK_SETTING_LIMITS_STRIKES_MAX] = {
    AT ("limits", "strikes-max"), INT (1, 65535), .fallback = "50",
    .doc = "Messages refused before a session is disconnected for abuse, close code 1008.",
  },
  [HARK_SETTING_LIMITS_RECENT_EVENTS] = {
    AT ("limits", "recent-events"), INT (16, 10000000), .fallback = "8192",
    .doc = "Events the hub remembers to join a snapshot with what follows it.",
  },
  [HARK_SETTING_LIMITS_RECENT_BYTES] = {
    AT ("limits", "recent-bytes"), BYTES (KIB (64), MIB (1024)), .fallback = "8M",
    .doc = "Bytes of the events it remembers.",
  },
  [HARK_SETTING_LIMITS_REQUESTS_PER_SECOND] = {
    AT ("limits", "requests-per-second"), INT (0, 1000000), .fallback = "50", .live = TRUE,
    .doc = "Requests of one user, in the long run; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_REQUESTS_BURST] = {
    AT ("limits", "requests-burst"), INT (1, 1000000), .fallback = "200", .live = TRUE,
    .doc = "Requests of one user, at once.",
  },
  [HARK_SETTING_LIMITS_BYTES_PER_SECOND] = {
    AT ("limits", "bytes-per-second"), BYTES (0, MIB (1024)), .fallback = "1M", .live = TRUE,
    .doc = "Bytes of the requests of one user, in the long run, each request rounded up to whole KiB; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_BYTES_BURST] = {
    AT ("limits", "bytes-burst"), BYTES (KIB (1), MIB (1024)), .fallback = "4M", .live = TRUE,
    .doc = "Bytes of the requests of one user, at once.",
  },
  [HARK_SETTING_LIMITS_MESSAGES_PER_SECOND] = {
    AT ("limits", "messages-per-second"), INT (0, 1000000), .fallback = "10", .live = TRUE,
    .doc = "Chat messages of one user, in the long run; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_MESSAGES_BURST] = {
    AT ("limits", "messages-burst"), INT (1, 1000000), .fallback = "50", .live = TRUE,
    .doc = "Chat messages of one user, at once.",
  },
  [HARK_SETTING_LIMITS_FORWARDS_PER_SECOND] = {
    AT ("limits", "forwards-per-second"), INT (0, 1000000), .fallback = "50", .live = TRUE,
    .doc = "Objects forwarded by one user to others, in the long run; 0 for any number.",
  },
  [HARK_SETTING_LIMITS_FORWARDS_BURST] = {
    AT ("limits", "forwards-burst"), INT (1, 1000000), .fallback = "200", .live = TRUE,
    .doc = "Objects forwarded by one user to others, at once.",
  },

  [HARK_SETTING_LIMITS_CLIENT_MESSAGES_PER_SECOND] = {
    AT ("limits", "client-messages-per-second"), INT (0, 1000000), .fallback = "10", .live = TRUE,
    .doc = "What one user says to the application (D-Bus signal ClientMessage, webhook), in the long run; 0 for any "
           "number.",
  },
  [HARK_SETTING_LIMITS_CLIENT_MESSAGES_BURST] = {
    AT ("limits", "client-messages-burst"), INT (1, 1000000), .fallback = "50", .live = TRUE,
    .doc = "What one user says to the application, at once.",
  },

  [HARK_SETTING_WEBSOCKET_COMPRESSION] = {
    AT ("websocket", "compression"), BOOL, .fallback = "false",
    .doc = "Whether permessage-deflate is agreed on with clients that offer it. It saves bytes on the way and costs "
           "time and memory here.",
  },
  [HARK_SETTING_WEBSOCKET_COMPRESSION_MEMORY_MAX] = {
    AT ("websocket", "compression-memory-max"), BYTES (0, MIB (65536)), .fallback = "64M",
    .doc = "Bytes that all clients with whom compression is agreed on can come to hold, 40 KiB each; who comes when they "
           "are taken is served uncompressed.",
  },

  [HARK_SETTING_SOCKETIO_ENABLED] = {
    AT ("socketio", "enabled"), BOOL, .fallback = "true",
    .doc = "Whether clients may come by Socket.IO (npm socket.io-client 3 and 4) at /socket.io/: by long polling, "
           "WebSocket, or the one and then the other.",
  },
  [HARK_SETTING_SOCKETIO_NAMESPACES] = {
    AT ("socketio", "namespaces"), LIST (check_namespace), .fallback = "",
    .doc = "Namespaces of the back end's, beside /, /chat, /forward and /notifications: what clients emit there is told "
           "over D-Bus, and what they receive is emitted over D-Bus.",
  },
  [HARK_SETTING_SOCKETIO_ADMIN] = {
    AT ("socketio", "admin"), .type = HARK_SETTING_TYPE_ENUM, .choices = socketio_admin_choices, .fallback = "off",
    .doc = "The namespace /admin for the page of npm @socket.io/admin-ui, into which administrators log in with their "
           "name and a token for the password: \"production\" tells how many sockets there are, \"development\" of each "
           "one, of rooms and of events. The page's address must be among the allowed origins, and cors-credentials be on.",
  },
  [HARK_SETTING_SOCKETIO_CONNECT_TIMEOUT] = {
    AT ("socketio", "connect-timeout"), DURATION (100, SECONDS (600)), .fallback = "10s",
    .doc = "How long a client may take to connect to its first namespace.",
  },
  [HARK_SETTING_SOCKETIO_CONNECTS_REFUSED] = {
    AT ("socketio", "connects-refused"), INT (1, 1000000), .fallback = "10",
    .doc = "Refused tries to connect to a namespace before a connection is closed.",
  },
  [HARK_SETTING_SOCKETIO_MESSAGE_MAX] = {
    AT ("socketio", "message-max"), BYTES (1, MIB (64)), .fallback = "16K",
    .doc = "Bytes of the message in /chat.",
  },
  [HARK_SETTING_SOCKETIO_ATTACHMENTS_MAX] = {
    AT ("socketio", "attachments-max"), BYTES (0, MIB (64)), .fallback = "256K",
    .doc = "Bytes of one packet's binary attachments, all together; each is a message, too.",
  },
  [HARK_SETTING_SOCKETIO_ROOMS_PER_SOCKET] = {
    AT ("socketio", "rooms-per-socket"), INT (0, 1000000), .fallback = "100",
    .doc = "Rooms that the back end can have one socket join.",
  },
  [HARK_SETTING_SOCKETIO_PENDING_ACKS] = {
    AT ("socketio", "pending-acks"), INT (1, 1000000), .fallback = "256",
    .doc = "Acknowledgements that one client owes to the back end, and that the back end owes to all.",
  },
  [HARK_SETTING_SOCKETIO_ACK_TIMEOUT] = {
    AT ("socketio", "ack-timeout"), DURATION (100, HOURS (1)), .fallback = "30s",
    .doc = "How long the back end, or a client asked by it, may take to acknowledge an event.",
  },
  [HARK_SETTING_SOCKETIO_RECOVERY] = {
    AT ("socketio", "recovery"), DURATION (0, DAYS (7)), .fallback = "2m",
    .doc = "How long after its connection was cut a socket of /chat or of a namespace of the back end's gets what it "
           "missed, also over a restart; 0 for not at all: then events are not stored.",
  },
  [HARK_SETTING_SOCKETIO_RECOVERY_EVENTS] = {
    AT ("socketio", "recovery-events"), INT (1, 1000000), .fallback = "1000",
    .doc = "Events of the namespace that it may have missed; beyond, it begins anew.",
  },
  [HARK_SETTING_SOCKETIO_RECOVERY_BYTES] = {
    AT ("socketio", "recovery-bytes"), BYTES (KIB (1), MIB (1024)), .fallback = "512K",
    .doc = "Bytes of these events.",
  },
  [HARK_SETTING_SOCKETIO_RECOVERY_PER_USER] = {
    AT ("socketio", "recovery-per-user"), INT (1, 1000000), .fallback = "100",
    .doc = "Sockets of one user that wait to be recovered.",
  },
  [HARK_SETTING_SOCKETIO_COOKIE] = {
    AT ("socketio", "cookie"), .type = HARK_SETTING_TYPE_STRING, .check = check_cookie, .fallback = "",
    .doc = "The name of a cookie that holds a polling client's session, for a load balancer that wants one; empty for "
           "none. One host needs none.",
  },
  [HARK_SETTING_SOCKETIO_CORS_CREDENTIALS] = {
    AT ("socketio", "cors-credentials"), BOOL, .fallback = "false",
    .doc = "Whether pages of [http] allowed-origins may send cookies with their polls. It does not hold for \"*\".",
  },

  [HARK_SETTING_STORE_PATH] = {
    AT ("store", "path"), .type = HARK_SETTING_TYPE_STATE_PATH, .check = check_not_empty, .fallback = "hark.db",
    .doc = "The SQLite database. It needs a local file system, and a directory of its own.",
  },
  [HARK_SETTING_STORE_SYNCHRONOUS] = {
    AT ("store", "synchronous"), .type = HARK_SETTING_TYPE_ENUM, .choices = synchronous_choices, .fallback = "full",
    .doc = "full: what was acknowledged survives a power cut. normal: it survives a crash of Hark, but a power cut "
           "may take the last moments.",
  },
  [HARK_SETTING_STORE_BATCH_WINDOW] = {
    AT ("store", "batch-window"), DURATION (0, SECONDS (1)), .fallback = "0",
    .doc = "How long a commit waits for more to commit with it; 0 takes what is there.",
  },
  [HARK_SETTING_STORE_BATCH_MAX] = {
    AT ("store", "batch-max"), INT (1, 100000), .fallback = "2000",
    .doc = "Changes in one commit.",
  },
  [HARK_SETTING_STORE_QUEUE_MAX] = {
    AT ("store", "queue-max"), INT (1, 10000000), .fallback = "100000",
    .doc = "Changes that wait to be written; over it, the error is \"overloaded\".",
  },
  [HARK_SETTING_STORE_READ_QUEUE_MAX] = {
    AT ("store", "read-queue-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "Queries that wait for a reader; over it, the error is \"overloaded\".",
  },
  [HARK_SETTING_STORE_READERS] = {
    AT ("store", "readers"), INT (1, 64), .fallback = "2",
    .doc = "Threads that read.",
  },
  [HARK_SETTING_STORE_BUSY_TIMEOUT] = {
    AT ("store", "busy-timeout"), DURATION (0, SECONDS (60)), .fallback = "2s",
    .doc = "How long to wait while another program has the database locked.",
  },
  [HARK_SETTING_STORE_CACHE] = {
    AT ("store", "cache"), BYTES (KIB (64), MIB (16384)), .fallback = "2M",
    .doc = "Memory for pages of the database, of the writer.",
  },
  [HARK_SETTING_STORE_READER_CACHE] = {
    AT ("store", "reader-cache"), BYTES (KIB (64), MIB (16384)), .fallback = "1M",
    .doc = "Memory for pages of the database, of each reader.",
  },
  [HARK_SETTING_STORE_CHECKPOINT_PAGES] = {
    AT ("store", "checkpoint-pages"), INT (1, 10000000), .fallback = "1000",
    .doc = "Pages in the write-ahead log at which they are copied into the database even when there is much to do.",
  },
  [HARK_SETTING_STORE_LOG_PAGES_MAX] = {
    AT ("store", "log-pages-max"), INT (1, 100000000), .fallback = "16000",
    .doc = "Pages in the write-ahead log at which the writer waits for the readers that keep it from being emptied.",
  },

  [HARK_SETTING_RETENTION_EVENT_LOG_AGE] = {
    AT ("retention", "event-log-age"), DURATION (SECONDS (1), DAYS (3650)), .fallback = "7d",
    .doc = "How long events are kept for clients that return. Messages themselves are kept for ever.",
  },
  [HARK_SETTING_RETENTION_EVENT_LOG_EVENTS] = {
    AT ("retention", "event-log-events"), INT (100, 1000000000), .fallback = "1000000",
    .doc = "How many events are kept for clients that return.",
  },
  [HARK_SETTING_RETENTION_RESUME_WINDOW] = {
    AT ("retention", "resume-window"), DURATION (0, DAYS (365)), .fallback = "1h",
    .doc = "How long after its end a session can be resumed.",
  },

  [HARK_SETTING_PRESENCE_GRACE] = {
    AT ("presence", "grace"), DURATION (0, HOURS (1)), .fallback = "10s",
    .doc = "How long a user without a session still counts as online, so that reloading a page is silent.",
  },

  [HARK_SETTING_CHAT_MESSAGE_LENGTH_MAX] = {
    AT ("chat", "message-length-max"), INT (1, 1000000), .fallback = "4000",
    .doc = "Characters of a chat message.",
  },
  [HARK_SETTING_CHAT_MENTIONS_MAX] = {
    AT ("chat", "mentions-max"), INT (0, 1000), .fallback = "20",
    .doc = "Names after an @ that count in one message; whoever is named after them is not meant.",
  },
  [HARK_SETTING_CHAT_UNREAD_INTERVAL] = {
    AT ("chat", "unread-interval"), DURATION (0, HOURS (24)), .fallback = "200ms",
    .doc = "How long changes of unread numbers by others' messages are collected before they are told. Who reads is told "
           "at once.",
  },
  [HARK_SETTING_CHAT_UNREAD_PENDING] = {
    AT ("chat", "unread-pending"), INT (1, 10000000), .fallback = "100000",
    .doc = "Channels, servers and users whose unread numbers are waiting to be told. What is over it is told with the "
           "next change; what clients ask for is always right.",
  },
  [HARK_SETTING_CHAT_NAME_LENGTH_MAX] = {
    AT ("chat", "name-length-max"), INT (1, 1000), .fallback = "100",
    .doc = "Characters of the name of a server, channel, category, role or user.",
  },
  [HARK_SETTING_CHAT_SERVERS_PER_USER] = {
    AT ("chat", "servers-per-user"), INT (1, 1000000), .fallback = "100",
    .doc = "Servers that one user is a member of.",
  },
  [HARK_SETTING_CHAT_CHANNELS_PER_SERVER] = {
    AT ("chat", "channels-per-server"), INT (1, 1000000), .fallback = "500",
    .doc = "Channels of one server.",
  },
  [HARK_SETTING_CHAT_MEMBERS_PER_SERVER] = {
    AT ("chat", "members-per-server"), INT (1, 100000000), .fallback = "100000",
    .doc = "Members of one server.",
  },
  [HARK_SETTING_CHAT_ROLES_PER_SERVER] = {
    AT ("chat", "roles-per-server"), INT (0, 10000), .fallback = "250",
    .doc = "Roles of one server, everybody's not counted.",
  },
  [HARK_SETTING_CHAT_GRANTS_PER_CHANNEL] = {
    AT ("chat", "grants-per-channel"), INT (1, 1000000), .fallback = "10000",
    .doc = "Users and roles that a private channel is granted to.",
  },
  [HARK_SETTING_CHAT_TOKENS_PER_USER] = {
    AT ("chat", "tokens-per-user"), INT (1, 1000000), .fallback = "100",
    .doc = "Tokens of one user that have neither expired nor been revoked.",
  },
  [HARK_SETTING_CHAT_EMOJI_LENGTH_MAX] = {
    AT ("chat", "emoji-length-max"), INT (1, 1000), .fallback = "32",
    .doc = "Characters of a reaction.",
  },
  [HARK_SETTING_CHAT_EMOJIS_PER_MESSAGE] = {
    AT ("chat", "emojis-per-message"), INT (1, 1000), .fallback = "20",
    .doc = "Different reactions that one message can have.",
  },
  [HARK_SETTING_CHAT_REACTIONS_PER_USER] = {
    AT ("chat", "reactions-per-user"), INT (1, 1000), .fallback = "10",
    .doc = "Reactions that one user can give one message.",
  },
  [HARK_SETTING_CHAT_SEARCH_LENGTH_MAX] = {
    AT ("chat", "search-length-max"), INT (1, 1000), .fallback = "200",
    .doc = "Characters of what is searched for.",
  },
  [HARK_SETTING_CHAT_TYPING_INTERVAL] = {
    AT ("chat", "typing-interval"), DURATION (100, SECONDS (600)), .fallback = "3s",
    .doc = "How often at most it is told that a user is typing in a channel.",
  },
  [HARK_SETTING_CHAT_TYPING_MAX] = {
    AT ("chat", "typing-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "Users typing at a time, each counted for each channel; of more it is not told.",
  },

  [HARK_SETTING_INVITATIONS_INTERVAL] = {
    AT ("invitations", "interval"), DURATION (0, DAYS (1)), .fallback = "1500ms",
    .doc = "How long ago a user must have invited another, or taken that back, to do it again; 0 for no such bound. "
           "Accepting is not concerned.",
  },
  [HARK_SETTING_INVITATIONS_INTERVALS_MAX] = {
    AT ("invitations", "intervals-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "Pairs of users remembered for that; when they are used up others wait too.",
  },
  [HARK_SETTING_INVITATIONS_AGE] = {
    AT ("invitations", "age"), DURATION (SECONDS (1), DAYS (3650)), .fallback = "7d",
    .doc = "After which an invitation that nobody answered cannot be accepted any more.",
  },
  [HARK_SETTING_INVITATIONS_PER_USER] = {
    AT ("invitations", "per-user"), INT (1, 1000), .fallback = "100",
    .doc = "Invitations that wait for an answer: of one user, and to one.",
  },

  [HARK_SETTING_NOTIFICATIONS_PER_USER] = {
    AT ("notifications", "per-user"), INT (1, 1000000), .fallback = "1000",
    .doc = "Notifications of one user that were not acknowledged; over it the oldest gives way.",
  },
  [HARK_SETTING_NOTIFICATIONS_LENGTH_MAX] = {
    AT ("notifications", "length-max"), INT (1, 10000), .fallback = "1000",
    .doc = "Characters of a notification's message, and of its content.",
  },
  [HARK_SETTING_NOTIFICATIONS_PAGE] = {
    AT ("notifications", "page"), INT (1, 100), .fallback = "50",
    .doc = "Notifications that a client is sent when it connects; it asks for the others.",
  },
  [HARK_SETTING_NOTIFICATIONS_ACTIONS] = {
    AT ("notifications", "actions"), LIST (check_word),
    .fallback = "post;comment;reaction;following;mention;invitation;member;message",
    .doc = "What back ends may say has happened.",
  },
  [HARK_SETTING_NOTIFICATIONS_AFFECTED] = {
    AT ("notifications", "affected"), LIST (check_word), .fallback = "post;comment;message;server;channel",
    .doc = "What back ends may say it has happened to.",
  },
  [HARK_SETTING_NOTIFICATIONS_RAISE] = {
    AT ("notifications", "raise"), LIST (check_word), .fallback = "reaction;mention;invitation;member",
    .doc = "The actions of which Hark itself tells: reactions to one's messages, mentions, invitations, and to owners "
           "who has joined their servers.",
  },

  [HARK_SETTING_TOPICS_RULES] = {
    AT ("topics", "rules"), LIST (check_topic_rule), .fallback = "app/** everyone backend;room/** everyone backend",
    .doc = "Who may use which free topics. A rule is a pattern, who may subscribe, and who may publish, with spaces "
           "between; the first whose pattern matches decides, and what none matches is for administrators, who may do "
           "everything. A pattern begins with app/ or room/; * stands for any segment, $user for the id of a user, ** at "
           "the end for the rest. Who is a list with commas: everyone (with an account), anonymous (everybody), own "
           "(the user whom $user names), backend, user:NAME, role:ID; or nobody.",
  },

  [HARK_SETTING_WEBHOOK_URL] = {
    AT ("webhook", "url"), .type = HARK_SETTING_TYPE_STRING, .check = check_url, .fallback = "",
    .doc = "Where what clients say to the application is posted; empty for nowhere. What is not taken (a status other "
           "than 2xx) is kept, and tried again after pauses that double, from half a second to five minutes.",
  },
  [HARK_SETTING_WEBHOOK_SECRET_FILE] = {
    AT ("webhook", "secret-file"), .type = HARK_SETTING_TYPE_STATE_PATH, .fallback = "",
    .doc = "A file with the secret that requests are signed with, such as a credential of the service manager; empty "
           "to sign nothing.",
  },
  [HARK_SETTING_WEBHOOK_TIMEOUT] = {
    AT ("webhook", "timeout"), DURATION (10, SECONDS (600)), .fallback = "10s",
    .doc = "How long an answer may take.",
  },
  [HARK_SETTING_WEBHOOK_ATTEMPTS] = {
    AT ("webhook", "attempts"), INT (1, 1000000), .fallback = "20",
    .doc = "Attempts after which what is not taken is given up; it holds up what came after it.",
  },
  [HARK_SETTING_WEBHOOK_QUEUE_MAX] = {
    AT ("webhook", "queue-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "What waits to be taken; over it, the client's error is \"overloaded\".",
  },

  [HARK_SETTING_AUTH_LATE_AUTHENTICATION] = {
    AT ("auth", "late-authentication"), BOOL, .fallback = "true",
    .doc = "Whether a client may connect without a token and present it in its first message.",
  },
  [HARK_SETTING_AUTH_AUTHENTICATE_TIMEOUT] = {
    AT ("auth", "authenticate-timeout"), DURATION (100, SECONDS (600)), .fallback = "10s",
    .doc = "How long that first message may take; after it, close code 4001.",
  },
  [HARK_SETTING_AUTH_TOKEN_CACHE] = {
    AT ("auth", "token-cache"), INT (0, 10000000), .fallback = "10000",
    .doc = "Tokens remembered, so that a reconnecting client costs no query.",
  },
  [HARK_SETTING_AUTH_ANONYMOUS] = {
    AT ("auth", "anonymous"), BOOL, .fallback = "false",
    .doc = "Whether who connects to `/` or `/ws` without a token is let in without an account: into rooms, and nowhere "
           "else. It cannot present a token afterwards.",
  },
  [HARK_SETTING_AUTH_PASSWORD_OPERATIONS] = {
    AT ("auth", "password-operations"), INT (1, 20), .fallback = "2",
    .doc = "What a password costs: argon2id's passes over its memory. Who signs in gets a hash of the present cost.",
  },
  [HARK_SETTING_AUTH_PASSWORD_MEMORY] = {
    AT ("auth", "password-memory"), BYTES (KIB (8), MIB (4096)), .fallback = "64M",
    .doc = "What a password costs: memory, while it is looked at.",
  },
  [HARK_SETTING_AUTH_PASSWORD_THREADS] = {
    AT ("auth", "password-threads"), INT (1, 64), .fallback = "2",
    .doc = "Passwords looked at side by side, each with a thread and password-memory.",
  },
  [HARK_SETTING_AUTH_PASSWORD_QUEUE] = {
    AT ("auth", "password-queue"), INT (0, 100000), .fallback = "64",
    .doc = "Passwords that wait to be looked at; over it, the error is \"overloaded\".",
  },
  [HARK_SETTING_AUTH_PASSWORD_LENGTH_MIN] = {
    AT ("auth", "password-length-min"), INT (1, 256), .fallback = "8",
    .doc = "Characters of a new password; 1,024 bytes are the most.",
  },
  [HARK_SETTING_AUTH_ATTEMPTS_PER_USER] = {
    AT ("auth", "attempts-per-user"), INT (0, 1000000), .fallback = "10",
    .doc = "Passwords that may be tried of one user within attempts-window, until one is right; 0 for any number.",
  },
  [HARK_SETTING_AUTH_ATTEMPTS_PER_ADDRESS] = {
    AT ("auth", "attempts-per-address"), INT (0, 1000000), .fallback = "50",
    .doc = "The same from one IP address, or one 64-bit network of IPv6, for all users together. What comes from this "
           "machine is not counted; see forwarded-for.",
  },
  [HARK_SETTING_AUTH_ATTEMPTS_WINDOW] = {
    AT ("auth", "attempts-window"), DURATION (SECONDS (1), DAYS (1)), .fallback = "10m",
    .doc = "How long it takes until as many may be tried again.",
  },
  [HARK_SETTING_AUTH_ATTEMPTS_MAX] = {
    AT ("auth", "attempts-max"), INT (1, 10000000), .fallback = "10000",
    .doc = "Users, and addresses, of which that is remembered; those that were tried last.",
  },
  [HARK_SETTING_AUTH_LOGIN_LIFETIME] = {
    AT ("auth", "login-lifetime"), DURATION (SECONDS (1), DAYS (3650)), .fallback = "30d",
    .doc = "How long a token lives that a password has made, when no shorter time is asked for.",
  },
  [HARK_SETTING_AUTH_REFRESH] = {
    AT ("auth", "refresh"), BOOL, .fallback = "false",
    .doc = "Whether a session whose token expires gets another for the asking, for login-lifetime: then who is connected "
           "need not sign in again, nor who has stolen a token.",
  },
  [HARK_SETTING_AUTH_EXPIRY_WARNING] = {
    AT ("auth", "expiry-warning"), DURATION (0, DAYS (1)), .fallback = "1m",
    .doc = "How long before its token expires a session is told; 0 for not at all.",
  },
  [HARK_SETTING_AUTH_REGISTRATION] = {
    AT ("auth", "registration"), BOOL, .fallback = "false",
    .doc = "Whether anybody may make an account, by POST /api/v1/register.",
  },
  [HARK_SETTING_AUTH_REGISTRATIONS_PER_ADDRESS] = {
    AT ("auth", "registrations-per-address"), INT (0, 1000000), .fallback = "5",
    .doc = "Accounts made from one address within registrations-window; 0 for any number.",
  },
  [HARK_SETTING_AUTH_REGISTRATIONS_WINDOW] = {
    AT ("auth", "registrations-window"), DURATION (SECONDS (1), DAYS (30)), .fallback = "1h",
    .doc = "How long it takes until as many may be made again.",
  },
  [HARK_SETTING_JWT_ALGORITHM] = {
    AT ("jwt", "algorithm"), .type = HARK_SETTING_TYPE_ENUM, .choices = jwt_choices, .fallback = "off",
    .doc = "By which algorithm the issuer signs; a token by any other is refused, whatever it says of itself. With off "
           "JWTs let nobody in; with an algorithm key-file, issuer and audience are required.",
  },
  [HARK_SETTING_JWT_KEY_FILE] = {
    AT ("jwt", "key-file"), .type = HARK_SETTING_TYPE_STATE_PATH, .fallback = "",
    .doc = "A file with the issuer's public key in PEM (RSA with at least 2048 bits, P-256 or Ed25519, as the algorithm "
           "has it), or, for HS256, with the secret: its bytes as they are, at least 32, without the line's end behind "
           "them. It may be a credential of the service manager, and is read at the start.",
  },
  [HARK_SETTING_JWT_SECOND_KEY_FILE] = {
    AT ("jwt", "second-key-file"), .type = HARK_SETTING_TYPE_STATE_PATH, .fallback = "",
    .doc = "Another key, which is taken as well: for the time in which the issuer changes from one to the other.",
  },
  [HARK_SETTING_JWT_ISSUER] = {
    AT ("jwt", "issuer"), .type = HARK_SETTING_TYPE_STRING, .fallback = "",
    .doc = "What iss must be, to the letter.",
  },
  [HARK_SETTING_JWT_AUDIENCE] = {
    AT ("jwt", "audience"), .type = HARK_SETTING_TYPE_STRING, .fallback = "",
    .doc = "What aud must be, or have among others.",
  },
  [HARK_SETTING_JWT_LEEWAY] = {
    AT ("jwt", "leeway"), DURATION (0, SECONDS (600)), .fallback = "30s",
    .doc = "By how much the issuer's clock may differ from ours: added to exp, and allowed to nbf and iat. Whole "
           "seconds count.",
  },
  [HARK_SETTING_JWT_MAX_LIFETIME] = {
    AT ("jwt", "max-lifetime"), DURATION (SECONDS (1), DAYS (366)), .fallback = "24h",
    .doc = "The longest that a token may live, from iat (without it, from now) to exp; one that lives longer is refused. "
           "A JWT cannot be revoked: this is how long a stolen one can be used.",
  },
  [HARK_SETTING_JWT_CREATE_USERS] = {
    AT ("jwt", "create-users"), BOOL, .fallback = "false",
    .doc = "Whether a good token makes the user it names when there is none; otherwise it is refused.",
  },

  [HARK_SETTING_ROOMS_MAX] = {
    AT ("rooms", "rooms-max"), INT (1, 1000000), .fallback = "1000",
    .doc = "Rooms in all. One without anybody in it is gone.",
  },
  [HARK_SETTING_ROOMS_MEMBERS_MAX] = {
    AT ("rooms", "members-max"), INT (1, 100000), .fallback = "1000",
    .doc = "Sessions in one room; who comes without an account is turned away while the lobby is full.",
  },
  [HARK_SETTING_ROOMS_PER_SESSION] = {
    AT ("rooms", "rooms-per-session"), INT (1, 1000), .fallback = "20",
    .doc = "Rooms that one session is in.",
  },
  [HARK_SETTING_ROOMS_NAME_LENGTH_MAX] = {
    AT ("rooms", "name-length-max"), INT (5, 1000), .fallback = "64",
    .doc = "Characters of a room's name.",
  },
  [HARK_SETTING_ROOMS_DATA_MAX] = {
    AT ("rooms", "data-max"), BYTES (64, MIB (1)), .fallback = "16K",
    .doc = "Bytes of what is said in a room at once.",
  },

  [HARK_SETTING_BUS_TYPE] = {
    AT ("bus", "type"), .type = HARK_SETTING_TYPE_STRING, .check = check_bus, .fallback = "auto",
    .doc = "system, session, none, or a D-Bus address; auto is the system bus for the system's service and the "
           "session bus for a user's.",
  },
  [HARK_SETTING_BUS_POLKIT] = {
    AT ("bus", "polkit"), .type = HARK_SETTING_TYPE_ENUM, .choices = polkit_choices, .fallback = "auto",
    .doc = "Whether polkit is asked of callers other than root, or on a session bus the daemon's own user; auto does on the "
           "system bus. Without it they are refused.",
  },
  [HARK_SETTING_BUS_CALLS_MAX] = {
    AT ("bus", "calls-max"), INT (1, 1000000), .fallback = "256",
    .doc = "Calls under way, of all callers.",
  },
  [HARK_SETTING_BUS_CALLERS_MAX] = {
    AT ("bus", "callers-max"), INT (1, 1000000), .fallback = "1024",
    .doc = "Callers whose user is remembered.",
  },
  [HARK_SETTING_BUS_WAITING_CALLS] = {
    AT ("bus", "waiting-calls"), INT (1, 1000000), .fallback = "64",
    .doc = "Calls of one caller that wait until its user is known.",
  },
  [HARK_SETTING_BUS_MONITORS_MAX] = {
    AT ("bus", "monitors-max"), INT (0, 1000000), .fallback = "16",
    .doc = "Callers that watch what happens, as with harkctl monitor.",
  },
  [HARK_SETTING_BUS_MONITOR_WINDOW] = {
    AT ("bus", "monitor-window"), INT (1, 1000000), .fallback = "1024",
    .doc = "Signals on their way to those; what goes over it is counted instead of sent.",
  },
  [HARK_SETTING_BUS_PROGRAMS_MAX] = {
    AT ("bus", "programs-max"), INT (0, 100000), .fallback = "256",
    .doc = "Programs on the bus that are clients at a time, by Connect() of org.hark.Peer1. What waits for one of them is "
           "bounded by [limits] outbox-max.",
  },
  [HARK_SETTING_BUS_CHANGES_INTERVAL] = {
    AT ("bus", "changes-interval"), DURATION (10, SECONDS (3600)), .fallback = "1s",
    .doc = "How often changes of properties are told at most: ten thousand sessions that come within it are one signal.",
  },

  [HARK_SETTING_LOG_LEVEL] = {
    AT ("log", "level"), .type = HARK_SETTING_TYPE_ENUM, .choices = level_choices, .fallback = "notice", .live = TRUE,
    .doc = "The least important lines that are written. From info on each session is logged.",
  },
};
/* clang-format on */

const HarkSettingInfo *
hark_setting_get_info (HarkSetting setting)
{
  g_assert ((guint)setting < HARK_N_SETTINGS);
  return &table[setting];
}

gboolean
hark_setting_find (const char *section, const char *key, HarkSetting *setting)
{
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    if (strcmp (table[i].section, section) == 0 && strcmp (table[i].key, key) == 0)
      {
        *setting = i;
        return TRUE;
      }
  return FALSE;
}

/**
 * hark_setting_get_section_doc:
 *
 * Returns: (nullable): what the section is about; %NULL when there is no such section
 */
const char *
hark_setting_get_section_doc (const char *section)
{
  for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
    if (strcmp (sections[i].name, section) == 0)
      return sections[i].doc;
  return NULL;
}

/**
 * hark_setting_get_variable:
 *
 * Returns: (transfer full): the environment variable that sets it
 */
char *
hark_setting_get_variable (HarkSetting setting)
{
  const HarkSettingInfo *info = hark_setting_get_info (setting);
  g_autofree char *name = g_strdup_printf ("HARK_%s_%s", info->section, info->key);
  return g_strdelimit (g_ascii_strup (name, -1), "-", '_');
}

/* Letters to insert, remove or replace (Levenshtein), with one row of the table in memory. */
static guint
get_distance (const char *a, const char *b)
{
  gsize len = strlen (b);
  g_autofree guint *row = g_new (guint, len + 1);
  for (gsize j = 0; j <= len; j++)
    row[j] = j;
  for (gsize i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = i;
      for (gsize j = 1; j <= len; j++)
        {
          guint replaced = diagonal + (a[i - 1] != b[j - 1]);
          diagonal = row[j];
          row[j] = MIN (MIN (row[j], row[j - 1]) + 1, replaced);
        }
    }
  return row[len];
}

static void
keep_nearest (const char *wanted, const char *candidate, const char **best, guint *distance)
{
  guint d = get_distance (wanted, candidate);
  if (d < *distance)
    {
      *best = candidate;
      *distance = d;
    }
}

/**
 * hark_setting_suggest:
 * @section: as somebody wrote it
 * @key: (nullable): as somebody wrote it
 *
 * Returns: (nullable) (transfer full): what may have been meant, as a question: a section when @section is none,
 *   otherwise a key of it, otherwise the section that has @key
 */
char *
hark_setting_suggest (const char *section, const char *key)
{
  const char *wanted = key;
  const char *best = NULL;
  guint distance;
  if (hark_setting_get_section_doc (section) == NULL)
    {
      distance = strlen (section) / 3 + 2;
      for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
        keep_nearest (section, sections[i].name, &best, &distance);
      return best != NULL ? g_strdup_printf ("did you mean [%s]?", best) : NULL;
    }
  g_return_val_if_fail (key != NULL, NULL);
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    if (strcmp (table[i].key, wanted) == 0)
      return g_strdup_printf ("did you mean the one in [%s]?", table[i].section);
  distance = strlen (wanted) / 3 + 2;
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    if (strcmp (table[i].section, section) == 0)
      keep_nearest (wanted, table[i].key, &best, &distance);
  return best != NULL ? g_strdup_printf ("did you mean \"%s\"?", best) : NULL;
}
