/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkctl metrics. */
#include "ctl/commands.h"
#include "ctl/format.h"

#include <glib/gi18n.h>

static const HarkCtlColumn columns[] = {
  { "name", N_ ("NAME") },
  { "value", N_ ("VALUE"), HARK_CTL_CELL_NUMBER },
  { "p50", N_ ("P50"), HARK_CTL_CELL_NUMBER },
  { "p99", N_ ("P99"), HARK_CTL_CELL_NUMBER },
  { NULL },
};

/* A row of the table: a histogram's value is its count. */
static GVariant *
new_row (const char *name, GVariant *value)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  double number;
  g_variant_dict_insert (&dict, "name", "s", name);
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE ("a{sd}")))
    {
      g_variant_dict_insert_value (&dict, "value", value);
      return g_variant_dict_end (&dict);
    }
  if (g_variant_lookup (value, "count", "d", &number))
    g_variant_dict_insert (&dict, "value", "x", (gint64)number);
  if (g_variant_lookup (value, "p50", "d", &number))
    g_variant_dict_insert (&dict, "p50", "d", number);
  if (g_variant_lookup (value, "p99", "d", &number))
    g_variant_dict_insert (&dict, "p99", "d", number);
  return g_variant_dict_end (&dict);
}

/* GVariant dictionaries keep no order worth showing. */
static int
compare_names (gconstpointer a, gconstpointer b)
{
  const char *const *left = a;
  const char *const *right = b;
  return strcmp (*left, *right);
}

static GVariant *
select_metrics (GVariant *all, const char *prefix, gboolean as_rows)
{
  g_auto (GVariantBuilder) builder
    = G_VARIANT_BUILDER_INIT (as_rows ? G_VARIANT_TYPE ("aa{sv}") : G_VARIANT_TYPE_VARDICT);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GVariantIter iter;
  const char *name;
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_next (&iter, "{&sv}", &name, NULL))
    if (prefix == NULL || g_str_has_prefix (name, prefix))
      g_ptr_array_add (names, (gpointer)name);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (all, names->pdata[i], NULL);
      if (as_rows)
        g_variant_builder_add_value (&builder, new_row (names->pdata[i], value));
      else
        g_variant_builder_add (&builder, "{sv}", names->pdata[i], value);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

gboolean
hark_ctl_metrics (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error)
{
  GDBusConnection *connection = hark_ctl_get_connection (ctl, error);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) all = NULL;
  g_autoptr (GVariant) selected = NULL;
  if (connection == NULL)
    return FALSE;
  reply = g_dbus_connection_call_sync (connection, HARK_BUS_NAME, HARK_BUS_PATH, "org.hark.Metrics1", "GetAll", NULL,
                                       G_VARIANT_TYPE ("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
  if (reply == NULL)
    return FALSE;
  all = g_variant_get_child_value (reply, 0);
  selected = select_metrics (all, hark_ctl_invocation_get_arg (invocation, 0), !hark_ctl_is_json (ctl));
  if (hark_ctl_is_json (ctl))
    {
      g_autofree char *json = hark_ctl_format_json (selected);
      hark_ctl_print (ctl, json);
    }
  else
    hark_ctl_print_rows (ctl, selected, columns);
  return TRUE;
}
