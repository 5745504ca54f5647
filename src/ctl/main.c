/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl: the hub's command line. Parses, runs one command, and says by its exit code how that went. */
#include "base/error.h"
#include "config.h"
#include "ctl/commands.h"
#include "ctl/complete.h"
#include "ctl/help.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/* The user's own hub where there is a session, else the machine's. */
static GBusType
get_bus_type (HarkCtlInvocation *invocation)
{
  if (hark_ctl_invocation_has (invocation, "system"))
    return G_BUS_TYPE_SYSTEM;
  if (hark_ctl_invocation_has (invocation, "session") || g_getenv ("DBUS_SESSION_BUS_ADDRESS") != NULL)
    return G_BUS_TYPE_SESSION;
  return G_BUS_TYPE_SYSTEM;
}

static HarkCtl *
new_ctl (HarkCtlInvocation *invocation)
{
  return hark_ctl_new (get_bus_type (invocation), hark_ctl_invocation_get_option (invocation, "address"),
                       hark_ctl_invocation_has (invocation, "json"),
                       !hark_ctl_invocation_has (invocation, "no-legend"));
}

static void
print_word (const char *word, gpointer data)
{
  g_print ("%s\n", word);
}

/* "harkctl --complete WORD…": what the completion of bash asks for. */
static int
complete (const char *const *words)
{
  HarkCtlInvocation none = { .options = NULL };
  g_autoptr (HarkCtl) ctl = NULL;
  none.options = g_hash_table_new (g_str_hash, g_str_equal);
  ctl = new_ctl (&none);
  g_hash_table_unref (none.options);
  hark_ctl_complete (ctl, words, print_word, NULL);
  return EX_OK;
}

static gboolean
run (const char *const *words, GError **error)
{
  g_autoptr (HarkCtlInvocation) invocation = hark_ctl_invocation_parse (words, error);
  g_autoptr (HarkCtl) ctl = NULL;
  if (invocation == NULL)
    return FALSE;
  if (hark_ctl_invocation_has (invocation, "version"))
    {
      g_print ("harkctl %s\n", HARK_VERSION);
      return TRUE;
    }
  if (hark_ctl_invocation_has (invocation, "help"))
    {
      g_autofree char *text
        = hark_ctl_help_format (invocation->noun, invocation->lacks_verb ? NULL : invocation->command);
      g_print ("%s", text);
      return TRUE;
    }
  if (invocation->command == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("what is to be done? “harkctl help” lists it"));
      return FALSE;
    }
  if (!hark_ctl_invocation_check (invocation, error))
    return FALSE;
  ctl = new_ctl (invocation);
  return invocation->command->run (ctl, invocation, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, HARK_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  hark_error_register_bus_names ();
  if (argc > 1 && g_str_equal (argv[1], "--complete"))
    return complete ((const char *const *)argv + 2);
  if (run ((const char *const *)argv + 1, &error))
    return fflush (stdout) == 0 ? EX_OK : EX_IOERR;
  g_dbus_error_strip_remote_error (error);
  g_printerr ("harkctl: %s\n", error->message);
  return hark_ctl_get_exit_code (error);
}
