/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * D-Bus values as text: for people (times in their zone, yes and no in their language) and for programs (JSON, with
 * the names and forms that Hark's own protocol has: ids as strings, times in RFC 3339).
 */
#include "ctl/format.h"

#include "base/clock.h"

#include <glib/gi18n.h>
#include <math.h>

/* On the bus these are milliseconds since 1970. */
static gboolean
is_time (const char *field)
{
  static const char *const fields[] = { "created", "expires", "joined", "last_used", "since", "started", NULL };
  return g_strv_contains (fields, field);
}

static char *
format_time (gint64 ms)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (ms / 1000);
  if (ms == 0 || time == NULL)
    return g_strdup ("-");
  return g_date_time_format (time, "%Y-%m-%d %H:%M:%S");
}

static char *
format_list (const char *field, GVariant *value)
{
  GString *out = g_string_new (NULL);
  gsize n = g_variant_n_children (value);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      g_autofree char *text = hark_ctl_format_value (field, child);
      g_string_append_printf (out, "%s%s", i > 0 ? " " : "", text);
    }
  return g_string_free (out, FALSE);
}

/* Returns: (transfer full): @value for people; @value: (nullable) */
char *
hark_ctl_format_value (const char *field, GVariant *value)
{
  g_autoptr (GVariant) inner = NULL;
  if (value == NULL)
    return g_strdup ("-");
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_VARIANT:
      inner = g_variant_get_variant (value);
      return hark_ctl_format_value (field, inner);
    case G_VARIANT_CLASS_STRING:
      return g_strdup (*g_variant_get_string (value, NULL) != '\0' ? g_variant_get_string (value, NULL) : "-");
    case G_VARIANT_CLASS_BOOLEAN:
      return g_strdup (g_variant_get_boolean (value) ? _ ("yes") : _ ("no"));
    case G_VARIANT_CLASS_INT64:
      if (is_time (field))
        return format_time (g_variant_get_int64 (value));
      return g_strdup_printf ("%" G_GINT64_FORMAT, g_variant_get_int64 (value));
    case G_VARIANT_CLASS_DOUBLE:
      return g_strdup_printf ("%.6g", g_variant_get_double (value));
    case G_VARIANT_CLASS_ARRAY:
      if (!g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY))
        return format_list (field, value);
      return hark_ctl_format_json (value);
    default:
      return g_variant_print (value, FALSE);
    }
}

/* Returns: (transfer full): "3 d 4 h", the two greatest units */
char *
hark_ctl_format_duration (gint64 ms)
{
  gint64 s = MAX (ms, 0) / 1000;
  if (s >= 86400)
    return g_strdup_printf (_ ("%d d %d h"), (int)(s / 86400), (int)(s / 3600 % 24));
  if (s >= 3600)
    return g_strdup_printf (_ ("%d h %d min"), (int)(s / 3600), (int)(s / 60 % 60));
  if (s >= 60)
    return g_strdup_printf (_ ("%d min %d s"), (int)(s / 60), (int)(s % 60));
  return g_strdup_printf (_ ("%d s"), (int)s);
}

static void
write_double (HarkJsonWriter *writer, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (!isfinite (value))
    {
      hark_json_writer_null (writer);
      return;
    }
  g_ascii_formatd (text, sizeof text, "%.10g", value);
  hark_json_writer_raw (writer, text, strlen (text));
}

static void
write_time (HarkJsonWriter *writer, gint64 ms)
{
  if (ms == 0)
    hark_json_writer_null (writer);
  else
    hark_json_writer_time_ms (writer, ms);
}

static void
write_dictionary (HarkJsonWriter *writer, GVariant *value)
{
  gsize n = g_variant_n_children (value);
  hark_json_writer_begin_object (writer);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) entry = g_variant_get_child_value (value, i);
      g_autoptr (GVariant) key = g_variant_get_child_value (entry, 0);
      g_autoptr (GVariant) item = g_variant_get_child_value (entry, 1);
      const char *name = g_variant_get_string (key, NULL);
      hark_json_writer_member (writer, name);
      hark_ctl_write_json (writer, name, item);
    }
  hark_json_writer_end_object (writer);
}

static void
write_array (HarkJsonWriter *writer, const char *field, GVariant *value)
{
  gsize n = g_variant_n_children (value);
  hark_json_writer_begin_array (writer);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      hark_ctl_write_json (writer, field, child);
    }
  hark_json_writer_end_array (writer);
}

/* Appends @value as a JSON value; @field says whether a number is a time. */
void
hark_ctl_write_json (HarkJsonWriter *writer, const char *field, GVariant *value)
{
  g_autoptr (GVariant) inner = NULL;
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_VARIANT:
      inner = g_variant_get_variant (value);
      hark_ctl_write_json (writer, field, inner);
      break;
    case G_VARIANT_CLASS_BOOLEAN:
      hark_json_writer_boolean (writer, g_variant_get_boolean (value));
      break;
    case G_VARIANT_CLASS_UINT32:
      hark_json_writer_int (writer, g_variant_get_uint32 (value));
      break;
    case G_VARIANT_CLASS_UINT64:
      hark_json_writer_int (writer, (gint64)MIN (g_variant_get_uint64 (value), (guint64)G_MAXINT64));
      break;
    case G_VARIANT_CLASS_INT64:
      if (is_time (field))
        write_time (writer, g_variant_get_int64 (value));
      else
        hark_json_writer_int (writer, g_variant_get_int64 (value));
      break;
    case G_VARIANT_CLASS_DOUBLE:
      write_double (writer, g_variant_get_double (value));
      break;
    case G_VARIANT_CLASS_ARRAY:
      if (g_variant_is_of_type (value, G_VARIANT_TYPE_DICTIONARY))
        write_dictionary (writer, value);
      else
        write_array (writer, field, value);
      break;
    case G_VARIANT_CLASS_STRING:
      hark_json_writer_string (writer, g_variant_get_string (value, NULL));
      break;
    default: /* the interfaces have no other types */
      hark_json_writer_null (writer);
    }
}

/* Returns: (transfer full): @value as a JSON text */
char *
hark_ctl_format_json (GVariant *value)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  hark_json_writer_init (&writer, 0);
  hark_ctl_write_json (&writer, "", value);
  return hark_json_writer_steal (&writer, NULL);
}
