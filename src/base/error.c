/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error table: the only place where a failure's names and numbers are written down, so that a browser, a script
 * on D-Bus, a back end over HTTP and a shell see the same failure under the name they expect. (The idea is bolt's
 * common/bolt-error.c.)
 */
#include "base/error.h"

#include <gio/gio.h>
#include <sysexits.h>

typedef struct
{
  HarkError code;
  const char *wire_name;
  const char *bus_name;
  guint close_code;
  guint http_status;
  int exit_code;
} ErrorRow;

#define BUS "org.hark.Hub1.Error."

static const ErrorRow table[HARK_N_ERRORS] = {
  { HARK_ERROR_BAD_REQUEST, "bad_request", BUS "BadRequest", HARK_CLOSE_POLICY, 400, EX_USAGE },
  { HARK_ERROR_UNKNOWN_TYPE, "unknown_type", BUS "UnknownType", HARK_CLOSE_POLICY, 400, EX_USAGE },
  { HARK_ERROR_UNAUTHENTICATED, "unauthenticated", BUS "Unauthenticated", HARK_CLOSE_UNAUTHENTICATED, 401, EX_NOPERM },
  { HARK_ERROR_FORBIDDEN, "forbidden", BUS "Forbidden", HARK_CLOSE_POLICY, 403, EX_NOPERM },
  { HARK_ERROR_NOT_FOUND, "not_found", BUS "NotFound", HARK_CLOSE_POLICY, 404, EX_DATAERR },
  { HARK_ERROR_CONFLICT, "conflict", BUS "Conflict", HARK_CLOSE_POLICY, 409, EX_CANTCREAT },
  { HARK_ERROR_RATE_LIMITED, "rate_limited", BUS "RateLimited", HARK_CLOSE_POLICY, 429, EX_TEMPFAIL },
  { HARK_ERROR_TOO_LARGE, "too_large", BUS "TooLarge", HARK_CLOSE_TOO_LARGE, 413, EX_DATAERR },
  { HARK_ERROR_OVERLOADED, "overloaded", BUS "Overloaded", HARK_CLOSE_TRY_LATER, 503, EX_TEMPFAIL },
  { HARK_ERROR_OFFLINE, "offline", BUS "Offline", HARK_CLOSE_POLICY, 409, EX_TEMPFAIL },
  { HARK_ERROR_INTERNAL, "internal", BUS "Internal", HARK_CLOSE_INTERNAL, 500, EX_SOFTWARE },
};

typedef struct
{
  guint retry_after_ms; /* 0: none said */
} HarkErrorPrivate;

static void
hark_error_private_init (HarkErrorPrivate *priv)
{
  priv->retry_after_ms = 0;
}

static void
hark_error_private_copy (const HarkErrorPrivate *src, HarkErrorPrivate *dest)
{
  *dest = *src;
}

static void
hark_error_private_clear (HarkErrorPrivate *priv)
{
}

G_DEFINE_EXTENDED_ERROR (HarkError, hark_error)

static const ErrorRow *
row_of (HarkError code)
{
  g_return_val_if_fail ((guint)code < HARK_N_ERRORS, &table[HARK_ERROR_INTERNAL]);
  g_assert (table[code].code == code);
  return &table[code];
}

/**
 * hark_error_get_wire_name:
 *
 * Returns: the code's name in `{"type":"error","code":…}`.
 */
const char *
hark_error_get_wire_name (HarkError code)
{
  return row_of (code)->wire_name;
}

/**
 * hark_error_get_bus_name:
 *
 * Returns: the code's D-Bus error name.
 */
const char *
hark_error_get_bus_name (HarkError code)
{
  return row_of (code)->bus_name;
}

/**
 * hark_error_get_close_code:
 *
 * Returns: the WebSocket close code of a session that ends because of this error.
 */
guint
hark_error_get_close_code (HarkError code)
{
  return row_of (code)->close_code;
}

/**
 * hark_error_get_http_status:
 *
 * Returns: the HTTP status of a request that fails with this error.
 */
guint
hark_error_get_http_status (HarkError code)
{
  return row_of (code)->http_status;
}

/**
 * hark_error_get_exit_code:
 *
 * Returns: the sysexits.h code with which a command-line tool ends.
 */
int
hark_error_get_exit_code (HarkError code)
{
  return row_of (code)->exit_code;
}

/**
 * hark_error_get_code:
 * @error: (nullable): any error
 *
 * Returns: @error's code when it is of %HARK_ERROR, otherwise %HARK_ERROR_INTERNAL: what is not in the table is never
 *   shown to a client.
 */
HarkError
hark_error_get_code (const GError *error)
{
  if (error != NULL && error->domain == HARK_ERROR && (guint)error->code < HARK_N_ERRORS)
    return error->code;
  return HARK_ERROR_INTERNAL;
}

/**
 * hark_set_rate_limited:
 * @retry_after_ms: after how many milliseconds the same would be let through
 *
 * Sets %HARK_ERROR_RATE_LIMITED with the time that belongs to it.
 */
void
hark_set_rate_limited (GError **error, guint retry_after_ms, const char *format, ...)
{
  va_list args;
  if (error == NULL)
    return;
  va_start (args, format);
  *error = g_error_new_valist (HARK_ERROR, HARK_ERROR_RATE_LIMITED, format, args);
  va_end (args);
  hark_error_get_private (*error)->retry_after_ms = retry_after_ms;
}

/**
 * hark_error_get_retry_after:
 * @retry_after_ms: (out): milliseconds
 *
 * Returns: whether @error says after what time to try again.
 */
gboolean
hark_error_get_retry_after (const GError *error, guint *retry_after_ms)
{
  const HarkErrorPrivate *priv;
  if (!g_error_matches (error, HARK_ERROR, HARK_ERROR_RATE_LIMITED))
    return FALSE;
  priv = hark_error_get_private (error);
  *retry_after_ms = priv->retry_after_ms;
  return priv->retry_after_ms > 0;
}

/**
 * hark_error_register_bus_names:
 *
 * Makes GDBus translate %HARK_ERROR to the table's D-Bus names and back. Once per process, before the first call.
 */
void
hark_error_register_bus_names (void)
{
  for (guint i = 0; i < HARK_N_ERRORS; i++)
    g_dbus_error_register_error (HARK_ERROR, table[i].code, table[i].bus_name);
}
