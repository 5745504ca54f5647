/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads one key file, line by line: each mistake is noted with its place, and the next line is looked at. GKeyFile
 * stops at the first mistake and forgets the lines, so all that it does here is to undo the escapes of a value.
 */
#include "daemon/config-file.h"

#include <gio/gio.h>
#include <string.h>

typedef struct
{
  const char *path;
  GPtrArray *mistakes; /* (element-type utf8), unowned */
  HarkConfigFileFunc func;
  gpointer data;
  const char *section; /* (nullable): interned; %NULL before the first and inside an unknown one */
  gboolean seen_section;
  guint lines[HARK_N_SETTINGS]; /* where each is set; 0: not yet */
} Scan;

static void G_GNUC_PRINTF (3, 4) add_mistake (Scan *scan, guint line, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (scan->mistakes, g_strdup_printf ("%s:%u: %s", scan->path, line, text));
}

static void
scan_section (Scan *scan, const char *text, guint line)
{
  gsize len = strlen (text);
  g_autofree char *name = NULL;
  g_autofree char *suggestion = NULL;
  scan->section = NULL;
  scan->seen_section = TRUE;
  if (text[len - 1] != ']' || memchr (text + 1, ']', len - 2) != NULL)
    {
      add_mistake (scan, line, "\"%s\" is not a section: it must be [name]", text);
      return;
    }
  name = g_strndup (text + 1, len - 2);
  if (hark_setting_get_section_doc (name) != NULL)
    {
      scan->section = g_intern_string (name);
      return;
    }
  suggestion = hark_setting_suggest (name, NULL);
  add_mistake (scan, line, "[%s]: there is no such section%s%s", name, suggestion != NULL ? "; " : "",
               suggestion != NULL ? suggestion : "");
}

/* @text: "key = value" of a setting that is known. Returns: (nullable): the value without its escapes */
static char *
unescape (const HarkSettingInfo *info, const char *text)
{
  g_autofree char *contents = g_strdup_printf ("[%s]\n%s\n", info->section, text);
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL;
  if (!g_key_file_load_from_data (key_file, contents, -1, G_KEY_FILE_NONE, &error))
    return NULL;
  value = g_key_file_get_string (key_file, info->section, info->key, &error);
  return error == NULL ? g_steal_pointer (&value) : NULL;
}

static void
scan_key (Scan *scan, const char *text, guint line)
{
  g_autofree char *key = g_strchomp (g_strndup (text, strcspn (text, "=")));
  g_autofree char *value = NULL;
  HarkSetting setting;
  if (!scan->seen_section)
    {
      add_mistake (scan, line, "%s: it stands before the first [section]", key);
      return;
    }
  /* The section was a mistake, and is one, however much is in it. */
  if (scan->section == NULL)
    return;
  if (!hark_setting_find (scan->section, key, &setting))
    {
      g_autofree char *suggestion = hark_setting_suggest (scan->section, key);
      add_mistake (scan, line, "[%s] %s: there is no such setting%s%s", scan->section, key,
                   suggestion != NULL ? "; " : "", suggestion != NULL ? suggestion : "");
      return;
    }
  if (scan->lines[setting] != 0)
    {
      add_mistake (scan, line, "[%s] %s: it is set in line %u already", scan->section, key, scan->lines[setting]);
      return;
    }
  scan->lines[setting] = line;
  value = unescape (hark_setting_get_info (setting), text);
  if (value != NULL)
    scan->func (setting, value, line, scan->data);
  else
    add_mistake (scan, line, "[%s] %s: a backslash begins \\s, \\n, \\t, \\r or \\\\, and nothing else", scan->section,
                 key);
}

/* Blanks around a line are dropped, which GKeyFile would take for a part of the value. */
static void
scan_line (Scan *scan, const char *start, gsize len, guint line)
{
  g_autofree char *text = NULL;
  if (!g_utf8_validate (start, len, NULL))
    {
      add_mistake (scan, line, "the line is not UTF-8");
      return;
    }
  text = g_strstrip (g_strndup (start, len));
  if (text[0] == '\0' || text[0] == '#')
    return;
  if (text[0] == '[')
    scan_section (scan, text, line);
  else if (strchr (text, '=') != NULL)
    scan_key (scan, text, line);
  else
    add_mistake (scan, line, "\"%s\" is neither a [section], a \"key = value\" nor a \"# comment\"", text);
}

/**
 * hark_config_file_parse:
 * @path: for the mistakes
 * @mistakes: (element-type utf8): each mistake is added as "file:line: what"
 * @func: called for each setting that the file sets, in the file's order
 */
void
hark_config_file_parse (const char *path, const char *contents, gsize len, GPtrArray *mistakes, HarkConfigFileFunc func,
                        gpointer data)
{
  Scan scan = { .path = path, .mistakes = mistakes, .func = func, .data = data };
  const char *end = contents + len;
  guint line = 1;
  for (const char *start = contents; start < end; line++)
    {
      const char *newline = memchr (start, '\n', end - start);
      gsize line_len = (newline != NULL ? newline : end) - start;
      scan_line (&scan, start, line_len, line);
      start += line_len + 1;
    }
}

/* As hark_config_file_parse (), from the file. */
void
hark_config_file_read (const char *path, GPtrArray *mistakes, HarkConfigFileFunc func, gpointer data)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize len;
  if (g_file_get_contents (path, &contents, &len, &error))
    hark_config_file_parse (path, contents, len, mistakes, func, data);
  else
    g_ptr_array_add (mistakes, g_strdup_printf ("%s: it cannot be read: %s", path, error->message));
}
