/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkError:
 *
 * What can go wrong that somebody outside is told about. One table in error.c maps each code to its name on the
 * wire, its D-Bus name, the WebSocket close code used when it ends a session, the HTTP status and the exit code of
 * `harkctl`; nothing else in the tree repeats any of these.
 */
typedef enum
{
  HARK_ERROR_BAD_REQUEST,     /* the request cannot be understood; the message names the field */
  HARK_ERROR_UNKNOWN_TYPE,    /* no such request */
  HARK_ERROR_UNAUTHENTICATED, /* no token, or a wrong, expired or revoked one */
  HARK_ERROR_FORBIDDEN,       /* understood, and not allowed */
  HARK_ERROR_NOT_FOUND,       /* no such thing, or none that this user may know of */
  HARK_ERROR_CONFLICT,        /* it exists already, or changed meanwhile */
  HARK_ERROR_RATE_LIMITED,    /* too often; see hark_error_get_retry_after () */
  HARK_ERROR_TOO_LARGE,       /* a bound on size or number was passed */
  HARK_ERROR_OVERLOADED,      /* the daemon cannot take it now: queue or disk full */
  HARK_ERROR_OFFLINE,         /* the user exists and has no session */
  HARK_ERROR_INTERNAL,        /* our fault; the log has the cause */
  HARK_N_ERRORS
} HarkError;

#define HARK_ERROR (hark_error_quark ())
GQuark hark_error_quark (void);

/* The WebSocket close codes Hark sends: RFC 6455 section 7.4.1, and 4000-4999 for its own. */
typedef enum
{
  HARK_CLOSE_NORMAL = 1000,
  HARK_CLOSE_GOING_AWAY = 1001,
  HARK_CLOSE_PROTOCOL_ERROR = 1002,
  HARK_CLOSE_UNSUPPORTED = 1003,
  HARK_CLOSE_NO_STATUS = 1005, /* never sent: "there was none" */
  HARK_CLOSE_ABNORMAL = 1006,  /* never sent: "the connection was cut" */
  HARK_CLOSE_INVALID_DATA = 1007,
  HARK_CLOSE_POLICY = 1008, /* abuse */
  HARK_CLOSE_TOO_LARGE = 1009,
  HARK_CLOSE_INTERNAL = 1011,
  HARK_CLOSE_RESTART = 1012,
  HARK_CLOSE_TRY_LATER = 1013,
  HARK_CLOSE_UNAUTHENTICATED = 4001, /* token revoked or expired, or none presented in time */
  HARK_CLOSE_IDLE = 4002,            /* no answer to our ping */
  HARK_CLOSE_SLOW = 4008,            /* the outbox passed its bound: resume to go on */
  HARK_CLOSE_DISCONNECTED = 4010,    /* by an administrator */
  HARK_CLOSE_RESUMED = 4011          /* the session goes on in another connection */
} HarkCloseCode;

const char *hark_error_get_wire_name (HarkError code);
const char *hark_error_get_bus_name (HarkError code);
guint hark_error_get_close_code (HarkError code);
guint hark_error_get_http_status (HarkError code);
int hark_error_get_exit_code (HarkError code);

HarkError hark_error_get_code (const GError *error);

void hark_set_rate_limited (GError **error, guint retry_after_ms, const char *format, ...) G_GNUC_PRINTF (3, 4);
gboolean hark_error_get_retry_after (const GError *error, guint *retry_after_ms);

void hark_error_register_bus_names (void);

G_END_DECLS
