/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where log lines go. What is written with hark_log () and what GLib and libsoup say themselves take one way: to the
 * journal with their fields when that is where stderr leads, otherwise to stderr as a line that a person reads. A
 * process has one log writer, by GLib's design, so the level is the one thing here that is not an object's.
 */
#include "base/log.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A #HarkLogLevel. Atomic: any thread logs, the hub's sets it. */
static int current_level = HARK_LOG_NOTICE;

/* What the writer needs to know and cannot ask for at each line. Made once, never freed. */
typedef struct
{
  gboolean journal;            /* stderr is the journal */
  GLogLevelFlags always_fatal; /* as G_DEBUG=fatal-warnings asks; honouring it is the writer's duty */
} Writer;

/*
 * GLib's levels say what a programmer did: G_DEBUG=fatal-warnings ends the process at a g_warning (), in tests. What
 * the machine or a client did must not, so hark_log () never uses a level above G_LOG_LEVEL_MESSAGE, and PRIORITY,
 * which is what the journal goes by, says how bad it is.
 */
static GLogLevelFlags
level_to_glib (HarkLogLevel level)
{
  if (level == HARK_LOG_DEBUG)
    return G_LOG_LEVEL_DEBUG;
  return level == HARK_LOG_INFO ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_MESSAGE;
}

static HarkLogLevel
level_from_glib (GLogLevelFlags flags, const GLogField *fields, gsize n_fields)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "PRIORITY") == 0)
      return CLAMP (((const char *)fields[i].value)[0] - '3', HARK_LOG_ERROR, HARK_LOG_DEBUG);
  if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return HARK_LOG_ERROR;
  if (flags & G_LOG_LEVEL_WARNING)
    return HARK_LOG_WARNING;
  if (flags & G_LOG_LEVEL_MESSAGE)
    return HARK_LOG_NOTICE;
  return flags & G_LOG_LEVEL_INFO ? HARK_LOG_INFO : HARK_LOG_DEBUG;
}

/* What clients send ends up in texts: without this a line break in it forges a line, an escape drives the terminal. */
static void
append_printable (GString *out, const char *text, gssize len)
{
  g_autofree char *valid = g_utf8_make_valid (text, len);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (c == '\n')
        g_string_append (out, "\\n");
      else if (c == '\t')
        g_string_append_c (out, '\t');
      else if (g_unichar_iscntrl (c))
        g_string_append_printf (out, "\\x%02x", c);
      else
        g_string_append_unichar (out, c);
    }
}

/**
 * hark_log_format:
 * @real_ms: the moment, milliseconds since 1970-01-01 UTC
 *
 * Returns: (transfer full): time, level, text and Hark's own fields in one line, with its end
 */
char *
hark_log_format (HarkLogLevel level, const GLogField *fields, gsize n_fields, gint64 real_ms)
{
  static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
  static const char *const shown[][2] = {
    { "HARK_SESSION", "session" },
    { "HARK_USER", "user" },
    { "HARK_ADDRESS", "address" },
    { "HARK_CODE", "code" },
  };
  GString *out = g_string_new (NULL);
  const char *separator = " (";
  char time[HARK_TIME_LEN];
  hark_time_format (real_ms, time);
  g_string_append_printf (out, "%s %s: ", time, names[level]);
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "GLIB_DOMAIN") == 0 && strcmp (fields[i].value, G_LOG_DOMAIN) != 0)
      g_string_append_printf (out, "%s: ", (const char *)fields[i].value);
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      append_printable (out, fields[i].value, fields[i].length);
  for (guint s = 0; s < G_N_ELEMENTS (shown); s++)
    for (gsize i = 0; i < n_fields; i++)
      if (strcmp (fields[i].key, shown[s][0]) == 0)
        {
          g_string_append_printf (out, "%s%s ", separator, shown[s][1]);
          append_printable (out, fields[i].value, fields[i].length);
          separator = ", ";
        }
  if (separator[0] == ',')
    g_string_append_c (out, ')');
  g_string_append_c (out, '\n');
  return g_string_free (out, FALSE);
}

static GLogWriterOutput
on_log (GLogLevelFlags flags, const GLogField *fields, gsize n_fields, gpointer data)
{
  const Writer *writer = data;
  HarkLogLevel level = level_from_glib (flags, fields, n_fields);
  gboolean fatal = (flags & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR | writer->always_fatal)) != 0;
  if (!fatal && level > hark_log_get_level ())
    return G_LOG_WRITER_HANDLED;
  if (!writer->journal || g_log_writer_journald (flags, fields, n_fields, NULL) != G_LOG_WRITER_HANDLED)
    {
      g_autofree char *line = hark_log_format (level, fields, n_fields, g_get_real_time () / 1000);
      fputs (line, stderr);
    }
  if (fatal)
    abort ();
  return G_LOG_WRITER_HANDLED;
}

/**
 * hark_log_init:
 *
 * Takes over the log of the whole process. Once, first thing in main ().
 */
void
hark_log_init (void)
{
  Writer *writer = g_new0 (Writer, 1);
  writer->journal = g_log_writer_is_journald (fileno (stderr));
  writer->always_fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log_set_always_fatal (writer->always_fatal);
  g_log_set_writer_func (on_log, writer, g_free);
}

/* Lines below @level are dropped from now on. */
void
hark_log_set_level (HarkLogLevel level)
{
  g_atomic_int_set (&current_level, level);
}

HarkLogLevel
hark_log_get_level (void)
{
  return g_atomic_int_get (&current_level);
}

/* Behind hark_log (), which see. */
void
hark_log_full (HarkLogLevel level, const char *message_id, const HarkLogFields *fields, const char *file,
               const char *line, const char *function, const char *format, ...)
{
  static const char priorities[][2] = { "3", "4", "5", "6", "7" };
  g_autofree char *message = NULL;
  char session[24];
  char user[24];
  char code[12];
  GLogField list[12];
  gsize n = 0;
  va_list args;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  list[n++] = (GLogField){ "MESSAGE", message, -1 };
  list[n++] = (GLogField){ "PRIORITY", priorities[level], -1 };
  list[n++] = (GLogField){ "GLIB_DOMAIN", G_LOG_DOMAIN, -1 };
  list[n++] = (GLogField){ "CODE_FILE", file, -1 };
  list[n++] = (GLogField){ "CODE_LINE", line, -1 };
  list[n++] = (GLogField){ "CODE_FUNC", function, -1 };
  if (message_id != NULL)
    list[n++] = (GLogField){ "MESSAGE_ID", message_id, -1 };
  if (fields != NULL && fields->session != 0)
    {
      g_snprintf (session, sizeof session, "%" G_GINT64_FORMAT, fields->session);
      list[n++] = (GLogField){ "HARK_SESSION", session, -1 };
    }
  if (fields != NULL && fields->user != 0)
    {
      g_snprintf (user, sizeof user, "%" G_GINT64_FORMAT, fields->user);
      list[n++] = (GLogField){ "HARK_USER", user, -1 };
    }
  if (fields != NULL && fields->address != NULL)
    list[n++] = (GLogField){ "HARK_ADDRESS", fields->address, -1 };
  if (fields != NULL && fields->code != 0)
    {
      g_snprintf (code, sizeof code, "%u", fields->code);
      list[n++] = (GLogField){ "HARK_CODE", code, -1 };
    }
  g_assert (n <= G_N_ELEMENTS (list));
  g_log_structured_array (level_to_glib (level), list, n);
}

/* A segment this long can only be a secret: names, ids and endpoints are shorter. */
#define SECRET_LEN 32

#define ELLIPSIS "\342\200\246"

static gboolean
segment_is (const char *segment, gsize len, const char *name)
{
  g_autofree char *plain = g_uri_unescape_segment (segment, segment + len, NULL);
  return plain != NULL && g_ascii_strcasecmp (plain, name) == 0;
}

/* What a query may say in a log; the value of anything else might be a token, a session's id or a resume token. */
static gboolean
is_public_parameter (const char *name, gsize len)
{
  static const char *const names[] = { "EIO", "transport", "limit" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strlen (names[i]) == len && strncmp (names[i], name, len) == 0)
      return TRUE;
  return FALSE;
}

static void
append_query (GString *out, const char *query)
{
  g_auto (GStrv) parameters = g_strsplit (query, "&", -1);
  for (guint i = 0; parameters[i] != NULL; i++)
    {
      gsize name_len = strcspn (parameters[i], "=");
      if (i > 0)
        g_string_append_c (out, '&');
      if (is_public_parameter (parameters[i], name_len))
        append_printable (out, parameters[i], -1);
      else if (parameters[i][name_len] == '\0')
        g_string_append (out, ELLIPSIS);
      else
        {
          append_printable (out, parameters[i], name_len);
          g_string_append (out, "=" ELLIPSIS);
        }
    }
}

/**
 * hark_log_redact_path:
 * @path: the path of a request, with or without a query, as the client sent it
 *
 * Returns: (transfer full): @path fit for a log: the token in `/ws/…/`, everything that is as long as one, and the
 *   values in the query are left out
 */
char *
hark_log_redact_path (const char *path)
{
  GString *out = g_string_new (NULL);
  gsize path_len = strcspn (path, "?#");
  gboolean secret = FALSE; /* behind "ws" all is */
  gsize start = 0;
  for (gsize i = 0; i <= path_len; i++)
    {
      if (i < path_len && path[i] != '/')
        continue;
      if (i > start && (secret || i - start >= SECRET_LEN))
        g_string_append (out, ELLIPSIS);
      else
        append_printable (out, path + start, i - start);
      if (i < path_len)
        g_string_append_c (out, '/');
      secret = secret || segment_is (path + start, i - start, "ws");
      start = i + 1;
    }
  if (path[path_len] == '?')
    {
      g_string_append_c (out, '?');
      append_query (out, path + path_len + 1);
    }
  return g_string_free (out, FALSE);
}
