/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl publish. */
#include "ctl/commands.h"

#include "base/error.h"

#include <glib/gi18n.h>
#include <stdio.h>

/* More than any hub would take. */
#define MAX_DATA (1 << 20)

static char *
read_input (GError **error)
{
  g_autofree char *text = g_malloc (MAX_DATA + 1);
  gsize len = fread (text, 1, MAX_DATA + 1, stdin);
  if (len > MAX_DATA)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, _ ("standard input is longer than %d bytes"), MAX_DATA);
      return NULL;
    }
  text[len] = '\0';
  if (ferror (stdin) || !g_utf8_validate_len (text, len, NULL))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("standard input cannot be read or is not UTF-8"));
      return NULL;
    }
  return g_steal_pointer (&text);
}

gboolean
hark_ctl_publish (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  HarkBusHub1 *hub;
  const char *data = hark_ctl_invocation_get_arg (invocation, 1);
  g_autofree char *input = NULL;
  g_autofree char *number = NULL;
  gint64 seq = 0;
  if (g_str_equal (data, "-"))
    {
      data = input = read_input (error);
      if (data == NULL)
        return FALSE;
    }
  hub = hark_ctl_get_hub (ctl, error);
  if (hub == NULL
      || !hark_bus_hub1_call_publish_sync (hub, hark_ctl_invocation_get_arg (invocation, 0), data, &seq, NULL, error))
    return FALSE;
  if (hark_ctl_is_json (ctl))
    number = g_strdup_printf ("{\"seq\":%" G_GINT64_FORMAT "}", seq);
  else
    number = g_strdup_printf ("%" G_GINT64_FORMAT, seq);
  hark_ctl_print (ctl, number);
  return TRUE;
}
