/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a setting's text becomes its value: one way for the file, the environment and the command line. Strict, because
 * a bound that was misread is a bound that is not there: no sign, no blank inside, no unit left out.
 */
#include "daemon/setting-value.h"

#include <string.h>

typedef struct
{
  const char *name;
  gint64 factor;
} Unit;

/* Largest first; the last is the one that may not be left out. */
static const Unit byte_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "", 1 }, { NULL, 0 } };
static const Unit time_units[] = {
  { "d", 24 * 60 * 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const Unit no_units[] = { { "", 1 }, { NULL, 0 } };

void
hark_setting_value_clear (HarkSettingValue *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->list, g_strfreev);
}

static const Unit *
get_units (HarkSettingType type)
{
  if (type == HARK_SETTING_TYPE_BYTES)
    return byte_units;
  return type == HARK_SETTING_TYPE_DURATION ? time_units : no_units;
}

/**
 * hark_setting_format_number:
 * @type: of a number
 *
 * Returns: (transfer full): @number as it would be written in the file, with the largest unit that divides it
 */
char *
hark_setting_format_number (HarkSettingType type, gint64 number)
{
  const Unit *unit = get_units (type);
  if (type == HARK_SETTING_TYPE_MODE)
    return g_strdup_printf ("%04" G_GINT64_MODIFIER "o", number);
  if (number == 0)
    return g_strdup ("0");
  while (number % unit->factor != 0)
    unit++;
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s", number / unit->factor, unit->name);
}

/* Returns: (nullable): what is wrong */
static char *
parse_number (const HarkSettingInfo *info, const char *text, gint64 *number)
{
  static const char *const forms[] = {
    [HARK_SETTING_TYPE_INT] = "a whole number",
    [HARK_SETTING_TYPE_BYTES] = "a number of bytes, like 500, 64K, 1M or 2G",
    [HARK_SETTING_TYPE_DURATION] = "a time with its unit, like 250ms, 10s, 5m, 1h or 7d",
  };
  const Unit *unit = get_units (info->type);
  gsize digits = strspn (text, "0123456789");
  g_autofree char *head = g_strndup (text, digits);
  g_autofree char *min = NULL;
  g_autofree char *max = NULL;
  guint64 value;
  gboolean small = g_ascii_string_to_unsigned (head, 10, 0, G_MAXINT64, &value, NULL);
  while (unit->name != NULL && strcmp (unit->name, text + digits) != 0)
    unit++;
  /* Nothing is nothing in any unit. */
  if (unit->name == NULL && small && value == 0 && text[digits] == '\0')
    unit = no_units;
  if (digits == 0 || unit->name == NULL)
    return g_strdup_printf ("\"%s\" is not %s", text, forms[info->type]);
  if (small && value <= (guint64)(info->max / unit->factor))
    {
      *number = value * unit->factor;
      if (*number >= info->min)
        return NULL;
    }
  min = hark_setting_format_number (info->type, info->min);
  max = hark_setting_format_number (info->type, info->max);
  return g_strdup_printf ("\"%s\" is not between %s and %s", text, min, max);
}

static char *
parse_mode (const char *text, gint64 *number)
{
  guint64 value;
  if (!g_ascii_string_to_unsigned (text, 8, 0, 0777, &value, NULL))
    return g_strdup_printf ("\"%s\" is not an octal mode between 0000 and 0777", text);
  *number = value;
  return NULL;
}

static char *
parse_bool (const char *text, gint64 *number)
{
  static const char *const words[][2] = { { "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" } };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    for (guint b = 0; b < 2; b++)
      if (g_ascii_strcasecmp (text, words[i][b]) == 0)
        {
          *number = b;
          return NULL;
        }
  return g_strdup_printf ("\"%s\" is neither true nor false", text);
}

static char *
parse_enum (const HarkSettingInfo *info, const char *text, gint64 *number)
{
  g_autofree char *all = NULL;
  for (guint i = 0; info->choices[i] != NULL; i++)
    if (strcmp (text, info->choices[i]) == 0)
      {
        *number = i;
        return NULL;
      }
  all = g_strjoinv (", ", (char **)info->choices);
  return g_strdup_printf ("\"%s\" is none of: %s", text, all);
}

static char *
parse_list (const HarkSettingInfo *info, const char *text, char ***list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) pieces = g_strsplit (text, ";", -1);
  for (guint i = 0; pieces[i] != NULL; i++)
    {
      char *problem;
      g_strstrip (pieces[i]);
      if (pieces[i][0] == '\0')
        {
          /* One may stand at the end, as key files have it. */
          if (pieces[i + 1] == NULL)
            break;
          return g_strdup_printf ("\"%s\" has an empty element", text);
        }
      problem = info->check != NULL ? info->check (pieces[i]) : NULL;
      if (problem != NULL)
        return problem;
      g_strv_builder_add (builder, pieces[i]);
    }
  *list = g_strv_builder_end (builder);
  return NULL;
}

/**
 * hark_setting_value_parse:
 * @self: empty; still so when it fails
 * @text: UTF-8
 *
 * Returns: (nullable) (transfer full): what is wrong with @text; %NULL when nothing is
 */
char *
hark_setting_value_parse (HarkSettingValue *self, const HarkSettingInfo *info, const char *text)
{
  char *problem;
  switch (info->type)
    {
    case HARK_SETTING_TYPE_INT:
    case HARK_SETTING_TYPE_BYTES:
    case HARK_SETTING_TYPE_DURATION:
      return parse_number (info, text, &self->number);
    case HARK_SETTING_TYPE_MODE:
      return parse_mode (text, &self->number);
    case HARK_SETTING_TYPE_BOOL:
      return parse_bool (text, &self->number);
    case HARK_SETTING_TYPE_ENUM:
      return parse_enum (info, text, &self->number);
    case HARK_SETTING_TYPE_STRING_LIST:
      return parse_list (info, text, &self->list);
    case HARK_SETTING_TYPE_STRING:
    case HARK_SETTING_TYPE_STATE_PATH:
    case HARK_SETTING_TYPE_RUNTIME_PATH:
      problem = info->check != NULL ? info->check (text) : NULL;
      if (problem == NULL)
        self->text = g_strdup (text);
      return problem;
    case HARK_N_SETTING_TYPES:
      break;
    }
  g_assert_not_reached ();
}
