/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The help, out of the table of commands: of everything, of a noun, of one command. */
#include "ctl/help.h"

#include "ctl/commands.h"
#include "ctl/table.h"

#include <glib/gi18n.h>

/* Two columns, the first as wide as its widest text. */
static void
append_table (GString *out, HarkTable *table)
{
  g_autofree char *text = hark_table_format (table, 0, FALSE);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    g_string_append_printf (out, "  %s\n", *line);
}

/* Returns: (transfer full): "user add USERNAME" */
char *
hark_ctl_help_format_synopsis (const HarkCtlCommand *command)
{
  GString *out = g_string_new (command->noun);
  if (command->verb != NULL)
    g_string_append_printf (out, " %s", command->verb);
  for (const HarkCtlArg *arg = command->args; arg->name != NULL; arg++)
    g_string_append_printf (out, arg->is_optional ? " [%s]" : " %s", arg->name);
  return g_string_free (out, FALSE);
}

static void
append_commands (GString *out, const char *noun)
{
  g_autoptr (HarkTable) table = hark_table_new (2);
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    {
      const HarkCtlCommand *command = &hark_ctl_commands[i];
      if (noun != NULL && !g_str_equal (command->noun, noun))
        continue;
      hark_table_take_cell (table, hark_ctl_help_format_synopsis (command));
      hark_table_take_cell (table, g_strdup (_ (command->summary)));
    }
  g_string_append_printf (out, "%s\n", _ ("Commands:"));
  append_table (out, table);
}

static void
append_options (GString *out, const char *title, const HarkCtlOption *options)
{
  g_autoptr (HarkTable) table = NULL;
  if (options->name == NULL)
    return;
  table = hark_table_new (2);
  for (const HarkCtlOption *option = options; option->name != NULL; option++)
    {
      hark_table_take_cell (table, option->value != NULL ? g_strdup_printf ("--%s %s", option->name, option->value)
                                                         : g_strdup_printf ("--%s", option->name));
      hark_table_take_cell (table, g_strdup (_ (option->help)));
    }
  g_string_append_printf (out, "\n%s\n", title);
  append_table (out, table);
}

/**
 * hark_ctl_help_format:
 * @noun: (nullable): %NULL for everything
 * @command: (nullable): %NULL for all there is to do with @noun
 *
 * Returns: (transfer full): what --help prints
 */
char *
hark_ctl_help_format (const char *noun, const HarkCtlCommand *command)
{
  GString *out = g_string_new (NULL);
  g_autofree char *synopsis = command != NULL ? hark_ctl_help_format_synopsis (command) : NULL;
  if (command != NULL)
    {
      g_string_append_printf (out, _ ("Usage: harkctl %s [OPTION…]"), synopsis);
      g_string_append_printf (out, "\n\n%s.\n", _ (command->summary));
      append_options (out, _ ("Options:"), command->options);
    }
  else
    {
      g_string_append_printf (out, _ ("Usage: harkctl %s VERB [ARGUMENT…] [OPTION…]"), noun != NULL ? noun : _ ("NOUN"));
      g_string_append (out, "\n\n");
      append_commands (out, noun);
      if (noun == NULL)
        g_string_append_printf (out, "\n%s\n",
                                _ ("Users are named by username or id, servers and channels by name or id, a channel "
                                   "also as SERVER/CHANNEL."));
    }
  append_options (out, _ ("Options of every command:"), hark_ctl_global_options);
  return g_string_free (out, FALSE);
}

gboolean
hark_ctl_help (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  const char *noun = hark_ctl_invocation_get_arg (invocation, 0);
  const char *verb = hark_ctl_invocation_get_arg (invocation, 1);
  const HarkCtlCommand *command = noun != NULL ? hark_ctl_command_find (noun, verb) : NULL;
  g_autofree char *text = NULL;
  if (noun != NULL && command == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("there is no “%s%s%s”"), noun,
                   verb != NULL ? " " : "", verb != NULL ? verb : "");
      return FALSE;
    }
  if (verb == NULL && command != NULL && command->verb != NULL)
    command = NULL;
  text = hark_ctl_help_format (noun, command);
  g_print ("%s", text);
  return TRUE;
}
