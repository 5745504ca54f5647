/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Prints the table of settings: `reference` as the part of harkd.conf(5) that lists them, `example` as a
 * configuration file in which everything is commented out. Runs during the build and is not installed.
 */
#include "daemon/setting-value.h"

#include <stdio.h>
#include <string.h>

#define EXAMPLE_WIDTH 78

static char *
describe_type (const HarkSettingInfo *info)
{
  static const char *const names[HARK_N_SETTING_TYPES] = {
    [HARK_SETTING_TYPE_INT] = "a number",
    [HARK_SETTING_TYPE_BYTES] = "bytes",
    [HARK_SETTING_TYPE_DURATION] = "a time",
    [HARK_SETTING_TYPE_BOOL] = "true or false",
    [HARK_SETTING_TYPE_MODE] = "an octal mode",
    [HARK_SETTING_TYPE_STRING] = "a string",
    [HARK_SETTING_TYPE_STRING_LIST] = "a list",
    [HARK_SETTING_TYPE_STATE_PATH] = "a path, relative to the state directory",
    [HARK_SETTING_TYPE_RUNTIME_PATH] = "a path, relative to the runtime directory",
  };
  g_autofree char *min = NULL;
  g_autofree char *max = NULL;
  if (info->type == HARK_SETTING_TYPE_ENUM)
    {
      g_autofree char *choices = g_strjoinv (", ", (char **)info->choices);
      return g_strdup_printf ("one of %s", choices);
    }
  if (info->type != HARK_SETTING_TYPE_INT && info->type != HARK_SETTING_TYPE_BYTES
      && info->type != HARK_SETTING_TYPE_DURATION)
    return g_strdup (names[info->type]);
  min = hark_setting_format_number (info->type, info->min);
  max = hark_setting_format_number (info->type, info->max);
  return g_strdup_printf ("%s from %s to %s", names[info->type], min, max);
}

/* Sections are headings of the page that includes this. */
static void
print_reference (void)
{
  const char *section = "";
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const HarkSettingInfo *info = hark_setting_get_info (i);
      g_autofree char *type = describe_type (info);
      g_autofree char *variable = hark_setting_get_variable (i);
      g_autoptr (GString) doc = g_string_new (info->doc);
      if (strcmp (section, info->section) != 0)
        {
          g_autofree char *underline = g_strnfill (strlen (info->section) + 2, '-');
          printf ("[%s]\n%s\n\n%s\n\n", info->section, underline, hark_setting_get_section_doc (info->section));
        }
      section = info->section;
      /* A "*" of ours is never markup. */
      g_string_replace (doc, "*", "\\*", 0);
      printf ("``%s``\n  %s\n\n  %c%s; default %s%s%s. %s. ``%s``\n\n", info->key, doc->str, g_ascii_toupper (type[0]),
              type + 1, info->fallback[0] != '\0' ? "``" : "", info->fallback[0] != '\0' ? info->fallback : "none",
              info->fallback[0] != '\0' ? "``" : "", info->live ? "A reload applies it" : "Waits for a restart",
              variable);
    }
}

static void
print_wrapped (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gsize column = 0;
  for (guint i = 0; words[i] != NULL; i++)
    {
      gsize len = g_utf8_strlen (words[i], -1);
      if (column > 0 && column + 1 + len > EXAMPLE_WIDTH)
        {
          putchar ('\n');
          column = 0;
        }
      column += printf ("%s%s", column == 0 ? "# " : " ", words[i]);
    }
  putchar ('\n');
}

static void
print_example (void)
{
  const char *section = "";
  printf (
    "# Configuration of harkd; see harkd.conf(5). Each setting is shown with its default. Rather than to change\n"
    "# this file, put what differs into a file of your own in harkd.conf.d/. Check with \"harkd --check-config\".\n");
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const HarkSettingInfo *info = hark_setting_get_info (i);
      g_autofree char *type = describe_type (info);
      g_autofree char *text = g_strdup_printf ("%s (%s)", info->doc, type);
      if (strcmp (section, info->section) != 0)
        printf ("\n[%s]\n", info->section);
      else
        putchar ('\n');
      section = info->section;
      print_wrapped (text);
      printf ("#%s =%s%s\n", info->key, info->fallback[0] != '\0' ? " " : "", info->fallback);
    }
}

int
main (int argc, char **argv)
{
  if (argc == 2 && strcmp (argv[1], "reference") == 0)
    print_reference ();
  else if (argc == 2 && strcmp (argv[1], "example") == 0)
    print_example ();
  else
    {
      fprintf (stderr, "Usage: %s reference|example\n", argv[0]);
      return 2;
    }
  return fflush (stdout) == 0 ? 0 : 1;
}
