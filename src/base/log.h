/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkLogLevel:
 *
 * How much somebody should care, most first; the choices of `[log] level` in the same order.
 */
typedef enum
{
  HARK_LOG_ERROR,   /* something that was asked for is lost or not done */
  HARK_LOG_WARNING, /* it goes on, and somebody should look */
  HARK_LOG_NOTICE,  /* normal and worth remembering: start, reload, stop */
  HARK_LOG_INFO,    /* what clients do */
  HARK_LOG_DEBUG    /* for who works on Hark */
} HarkLogLevel;

/**
 * HarkLogFields:
 *
 * What a log line is about, beside its text: `journalctl HARK_USER=7` finds all there is about a user. Zero and %NULL
 * mean "none". Written at the call with HARK_LOG_FIELDS (.user = 7).
 */
typedef struct
{
  gint64 session;      /* HARK_SESSION */
  gint64 user;         /* HARK_USER */
  const char *address; /* HARK_ADDRESS: of the client */
  guint code;          /* HARK_CODE: WebSocket close code */
} HarkLogFields;

#define HARK_LOG_FIELDS(...) (&(const HarkLogFields){ __VA_ARGS__ })

/* The MESSAGE_ID of the events that an administrator may want to find or to be woken by. */
#define HARK_MESSAGE_STARTED "30a3ea1017114dd19cec19faa8d644c5"
#define HARK_MESSAGE_STOPPED "ea0cab6500be404cbaa8ee861b0cc0df"
#define HARK_MESSAGE_RELOADED "0aca3add57d9420a97759456c49fbeef"
#define HARK_MESSAGE_HANDED_ON "88744003062144ca8ab6d5aaeb6d0a51"  /* another process goes on with the connections */
#define HARK_MESSAGE_TAKEN_OVER "1ee204319b2049178ac845258eb1dbe9" /* from the process before */
#define HARK_MESSAGE_SESSION_OPENED "c17a1e4aa2744c11bb781a298095b404"
#define HARK_MESSAGE_SESSION_CLOSED "2e78dddd351b400fa4e8ce367ba805dd"
#define HARK_MESSAGE_CRASHED                                                                                           \
  "fe5ea3e1d1af463c896bacf52593bebc" /* the process before ended without a word; sessions with it */
#define HARK_MESSAGE_SESSION_SLOW "168942da5b8a444295a1350b5261910c" /* disconnected: its outbox passed its bound */
#define HARK_MESSAGE_ABUSE "a49bb9913f5b4754867b1680eb750629"        /* disconnected: it broke the rules too often */
#define HARK_MESSAGE_STORE_FAILED "c7b2e74b6aae4e11b85bd0ec6f405bf3" /* nothing is stored, so nothing acknowledged */
#define HARK_MESSAGE_STORE_RECOVERED "a2bd41a7328148eabf3e452c40be6642"

void hark_log_init (void);
void hark_log_set_level (HarkLogLevel level);
HarkLogLevel hark_log_get_level (void);

/**
 * hark_log:
 * @level: a #HarkLogLevel; below hark_log_get_level () nothing is evaluated
 * @message_id: (nullable): one of HARK_MESSAGE_…
 * @fields: (nullable): HARK_LOG_FIELDS (…)
 * @...: the text and its arguments, as printf. Never a token: see hark_log_redact_path ()
 */
#define hark_log(level, message_id, fields, ...)                                                                       \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    if ((level) <= hark_log_get_level ())                                                                              \
      hark_log_full ((level), (message_id), (fields), __FILE__, G_STRINGIFY (__LINE__), G_STRFUNC, __VA_ARGS__);       \
  }                                                                                                                    \
  G_STMT_END

void hark_log_full (HarkLogLevel level, const char *message_id, const HarkLogFields *fields, const char *file,
                    const char *line, const char *function, const char *format, ...) G_GNUC_PRINTF (7, 8);

char *hark_log_redact_path (const char *path);

/* For hark_log_init () and its test: the line that a terminal or a file gets. */
char *hark_log_format (HarkLogLevel level, const GLogField *fields, gsize n_fields, gint64 real_ms);

G_END_DECLS
