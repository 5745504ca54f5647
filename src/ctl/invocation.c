/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes a command line apart by the table of commands. Options may stand anywhere; which there are depends on the noun
 * and verb before them. Mistakes are of G_OPTION_ERROR, which ends harkctl with EX_USAGE.
 */
#include "ctl/invocation.h"

#include <glib/gi18n.h>

#define USAGE G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE

void
hark_ctl_invocation_free (HarkCtlInvocation *self)
{
  g_free (self->noun);
  g_ptr_array_unref (self->args);
  g_hash_table_unref (self->options);
  g_free (self);
}

static gboolean
is_option (const char *word)
{
  return word[0] == '-' && word[1] != '\0' && !g_ascii_isdigit (word[1]);
}

/* Returns: how many words were taken; 0 with an error */
static guint
take_option (HarkCtlInvocation *self, const char *const *words, GError **error)
{
  const char *text = g_str_equal (words[0], "-h") ? "help" : words[0] + strspn (words[0], "-");
  const char *equals = strchr (text, '=');
  g_autofree char *name = equals != NULL ? g_strndup (text, equals - text) : g_strdup (text);
  const HarkCtlOption *option = hark_ctl_option_find (self->command, name);
  if (option == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, _ ("there is no option “%s” here"), words[0]);
      return 0;
    }
  if (option->word == HARK_CTL_WORD_NONE && equals != NULL)
    {
      g_set_error (error, USAGE, _ ("the option “--%s” takes no value"), option->name);
      return 0;
    }
  if (option->word == HARK_CTL_WORD_NONE || equals != NULL)
    {
      g_hash_table_replace (self->options, g_strdup (name), g_strdup (equals != NULL ? equals + 1 : ""));
      return 1;
    }
  if (words[1] == NULL)
    {
      g_set_error (error, USAGE, _ ("the option “--%s” needs a value"), option->name);
      return 0;
    }
  g_hash_table_replace (self->options, g_strdup (name), g_strdup (words[1]));
  return 2;
}

static gboolean
take_word (HarkCtlInvocation *self, const char *word, GError **error)
{
  if (self->noun == NULL)
    {
      self->command = hark_ctl_command_find (word, NULL);
      if (self->command == NULL)
        {
          g_set_error (error, USAGE, _ ("there is no “%s”; “harkctl help” lists what there is"), word);
          return FALSE;
        }
      self->noun = g_strdup (word);
      self->lacks_verb = self->command->verb != NULL;
      return TRUE;
    }
  if (!self->lacks_verb)
    {
      g_ptr_array_add (self->args, g_strdup (word));
      return TRUE;
    }
  self->lacks_verb = FALSE;
  self->command = hark_ctl_command_find (self->noun, word);
  if (self->command == NULL)
    {
      g_set_error (error, USAGE, _ ("“%s” has no “%s”; “harkctl help %s” lists what it has"), self->noun, word,
                   self->noun);
      return FALSE;
    }
  return TRUE;
}

/**
 * hark_ctl_invocation_parse:
 * @words: (array zero-terminated): without the program's name
 *
 * Does not say whether the arguments are complete: see hark_ctl_invocation_check ().
 *
 * Returns: (transfer full) (nullable)
 */
HarkCtlInvocation *
hark_ctl_invocation_parse (const char *const *words, GError **error)
{
  g_autoptr (HarkCtlInvocation) self = g_new0 (HarkCtlInvocation, 1);
  gboolean options_are_over = FALSE;
  self->args = g_ptr_array_new_with_free_func (g_free);
  self->options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  while (*words != NULL)
    {
      guint n = 1;
      if (!g_utf8_validate (*words, -1, NULL))
        {
          g_set_error (error, USAGE, _ ("an argument is not UTF-8"));
          return NULL;
        }
      if (!options_are_over && g_str_equal (*words, "--"))
        options_are_over = TRUE;
      else if (!options_are_over && is_option (*words))
        n = take_option (self, words, error);
      else if (!take_word (self, *words, error))
        return NULL;
      if (n == 0)
        return NULL;
      words += n;
    }
  return g_steal_pointer (&self);
}

/**
 * hark_ctl_invocation_check:
 *
 * Returns: whether there are as many arguments as the command takes
 */
gboolean
hark_ctl_invocation_check (HarkCtlInvocation *self, GError **error)
{
  guint n = 0;
  for (; self->command->args[n].name != NULL; n++)
    if (n >= self->args->len && !self->command->args[n].is_optional)
      {
        g_set_error (error, USAGE, _ ("%s is missing"), self->command->args[n].name);
        return FALSE;
      }
  if (self->args->len > n)
    {
      g_set_error (error, USAGE, _ ("“%s” is one argument too many"), (const char *)self->args->pdata[n]);
      return FALSE;
    }
  return TRUE;
}

/* Returns: (nullable): the argument, %NULL when it was left out */
const char *
hark_ctl_invocation_get_arg (HarkCtlInvocation *self, guint i)
{
  return i < self->args->len ? self->args->pdata[i] : NULL;
}

/* Returns: (nullable): the option's value, %NULL when it was not given */
const char *
hark_ctl_invocation_get_option (HarkCtlInvocation *self, const char *name)
{
  return g_hash_table_lookup (self->options, name);
}

gboolean
hark_ctl_invocation_has (HarkCtlInvocation *self, const char *name)
{
  return g_hash_table_contains (self->options, name);
}

/* @out is not touched when the option was not given. */
gboolean
hark_ctl_invocation_get_int (HarkCtlInvocation *self, const char *name, gint64 min, gint64 max, gint64 *out,
                             GError **error)
{
  const char *text = hark_ctl_invocation_get_option (self, name);
  if (text == NULL || g_ascii_string_to_signed (text, 10, min, max, out, NULL))
    return TRUE;
  g_set_error (error, USAGE, _ ("--%s: “%s” is not a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT), name,
               text, min, max);
  return FALSE;
}

/* @out is not touched when the option was not given. */
gboolean
hark_ctl_invocation_get_boolean (HarkCtlInvocation *self, const char *name, gboolean *out, GError **error)
{
  static const char *const yes[] = { "yes", "true", "1", "on", NULL };
  static const char *const no[] = { "no", "false", "0", "off", NULL };
  const char *text = hark_ctl_invocation_get_option (self, name);
  if (text == NULL)
    return TRUE;
  if (g_strv_contains (yes, text) || g_strv_contains (no, text))
    {
      *out = g_strv_contains (yes, text);
      return TRUE;
    }
  g_set_error (error, USAGE, _ ("--%s: “%s” is neither “yes” nor “no”"), name, text);
  return FALSE;
}

/* A time as "90", "90s", "15m", "12h", "30d" or "8w". @out is not touched when the option was not given. */
gboolean
hark_ctl_invocation_get_seconds (HarkCtlInvocation *self, const char *name, gint64 *out, GError **error)
{
  static const struct
  {
    char unit;
    gint64 seconds;
  } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
  const char *text = hark_ctl_invocation_get_option (self, name);
  g_autofree char *digits = g_strdup (text);
  gint64 factor = 1;
  gint64 number;
  gsize len;
  if (text == NULL)
    return TRUE;
  len = strlen (digits);
  for (guint i = 0; i < G_N_ELEMENTS (units) && len > 0; i++)
    if (digits[len - 1] == units[i].unit)
      {
        digits[len - 1] = '\0';
        factor = units[i].seconds;
        break;
      }
  if (!g_ascii_string_to_signed (digits, 10, 1, G_MAXINT32, &number, NULL))
    {
      g_set_error (error, USAGE, _ ("--%s: “%s” is not a time such as “30d”, “12h” or “90s”"), name, text);
      return FALSE;
    }
  *out = number * factor;
  return TRUE;
}
