/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the options of "set" to the dictionary of changes that the hub takes. */
#include "ctl/changes.h"

#include <glib/gi18n.h>

/* @text: (nullable): words with commas between them. Returns: (transfer full): the words */
GStrv
hark_ctl_split_list (const char *text)
{
  return text == NULL || *text == '\0' ? g_new0 (char *, 1) : g_strsplit (text, ",", -1);
}

static GVariant *
new_change (HarkCtlInvocation *invocation, const HarkCtlChange *change, GError **error)
{
  gboolean boolean = FALSE;
  gint64 number = 0;
  switch (change->kind)
    {
    case HARK_CTL_CHANGE_BOOLEAN:
      if (!hark_ctl_invocation_get_boolean (invocation, change->option, &boolean, error))
        return NULL;
      return g_variant_new_boolean (boolean);
    case HARK_CTL_CHANGE_NUMBER:
      if (!hark_ctl_invocation_get_int (invocation, change->option, 0, G_MAXINT32, &number, error))
        return NULL;
      return g_variant_new_int32 (number);
    case HARK_CTL_CHANGE_LIST:
      {
        g_auto (GStrv) words = hark_ctl_split_list (hark_ctl_invocation_get_option (invocation, change->option));
        return g_variant_new_strv ((const char *const *)words, -1);
      }
    case HARK_CTL_CHANGE_TEXT:
    default:
      return g_variant_new_string (hark_ctl_invocation_get_option (invocation, change->option));
    }
}

/**
 * hark_ctl_collect_changes:
 * @changes: those that the command knows
 * @builder: of an a{sv}; holds what the command has collected itself
 *
 * Returns: (transfer full) (nullable): the a{sv} of all changes that were asked for; an error when there is none
 */
GVariant *
hark_ctl_collect_changes (HarkCtlInvocation *invocation, const HarkCtlChange *changes, GVariantBuilder *builder,
                          GError **error)
{
  g_autoptr (GVariant) collected = NULL;
  for (const HarkCtlChange *change = changes; change->option != NULL; change++)
    {
      GVariant *value;
      if (!hark_ctl_invocation_has (invocation, change->option))
        continue;
      value = new_change (invocation, change, error);
      if (value == NULL)
        return NULL;
      g_variant_builder_add (builder, "{sv}", change->field, value);
    }
  collected = g_variant_ref_sink (g_variant_builder_end (builder));
  if (g_variant_n_children (collected) == 0)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("nothing to change was given; see --help"));
      return NULL;
    }
  return g_steal_pointer (&collected);
}
