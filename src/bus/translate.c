/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between D-Bus values and JSON, by what the XML says. A method that is a request needs no code of its own: its
 * arguments become the request's fields of the same names, and the reply's members become its results. This is the only
 * place that knows both forms.
 */
#include "bus/translate.h"

#include "base/error.h"
#include "base/json-object.h"
#include "base/json-writer.h"

#define BAD_REQUEST HARK_ERROR, HARK_ERROR_BAD_REQUEST
#define INTERNAL HARK_ERROR, HARK_ERROR_INTERNAL

/* What a dictionary's member is on the bus where its JSON does not say it: times, and arrays that may be empty. */
static const struct
{
  const char *name;
  const char *type;
} members[] = {
  { "created", "x" }, { "expires", "x" }, { "joined", "x" }, { "last_used", "x" },   { "permissions", "as" },
  { "roles", "as" },  { "rooms", "as" },  { "since", "x" },  { "topics", "aa{sv}" }, { "users", "as" },
};

/* D-Bus to JSON. */

static const char *
get_annotation (const GDBusArgInfo *arg, const char *name)
{
  return g_dbus_annotation_info_lookup (arg->annotations, name);
}

static gboolean
is_unset (const GDBusArgInfo *arg, GVariant *value)
{
  const char *unset = get_annotation (arg, HARK_BUS_ANNOTATION_UNSET);
  g_autofree char *text = NULL;
  if (unset == NULL)
    return FALSE;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return g_str_equal (g_variant_get_string (value, NULL), unset);
  text = g_variant_print (value, FALSE);
  return g_str_equal (text, unset);
}

static void
write_value (HarkJsonWriter *writer, GVariant *value)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_ARRAY:
      hark_json_writer_begin_array (writer);
      for (gsize i = 0; i < g_variant_n_children (value); i++)
        {
          g_autoptr (GVariant) item = g_variant_get_child_value (value, i);
          write_value (writer, item);
        }
      hark_json_writer_end_array (writer);
      break;
    case G_VARIANT_CLASS_STRING:
      hark_json_writer_string (writer, g_variant_get_string (value, NULL));
      break;
    case G_VARIANT_CLASS_BOOLEAN:
      hark_json_writer_boolean (writer, g_variant_get_boolean (value));
      break;
    case G_VARIANT_CLASS_INT32:
      hark_json_writer_int (writer, g_variant_get_int32 (value));
      break;
    case G_VARIANT_CLASS_UINT32:
      hark_json_writer_int (writer, g_variant_get_uint32 (value));
      break;
    case G_VARIANT_CLASS_INT64:
      hark_json_writer_int (writer, g_variant_get_int64 (value));
      break;
    default:
      g_assert_not_reached (); /* the XML has no other argument types */
    }
}

/* @text is the client's own JSON: it goes on byte by byte, so it is checked here. */
gboolean
hark_bus_translate_json (HarkJsonWriter *writer, const char *name, const char *text, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  HarkJsonReader reader;
  HarkJsonToken token;
  gsize len = strlen (text);
  hark_json_reader_init (&reader, text, len);
  do
    token = hark_json_reader_next (&reader, &local_error);
  while (token != HARK_JSON_END && token != HARK_JSON_ERROR);
  if (token == HARK_JSON_ERROR)
    {
      g_set_error (error, BAD_REQUEST, "\"%s\": %s", name, local_error->message);
      return FALSE;
    }
  hark_json_writer_raw (writer, text, len);
  return TRUE;
}

/* @fields: "name:type name:type …". Returns: (nullable): the type of @name in it */
static const GVariantType *
find_field (const char *fields, const char *name)
{
  gsize len = strlen (name);
  for (const char *p = fields; p != NULL; p = strchr (p, ' '))
    {
      p += *p == ' ';
      if (strncmp (p, name, len) == 0 && p[len] == ':')
        return (const GVariantType *)(p + len + 1);
    }
  return NULL;
}

static gboolean
write_fields (HarkJsonWriter *writer, const GDBusArgInfo *arg, GVariant *dict, GError **error)
{
  const char *fields = get_annotation (arg, HARK_BUS_ANNOTATION_FIELDS);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  GVariantIter iter;
  const char *name;
  GVariant *item;
  g_variant_iter_init (&iter, dict);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &item))
    {
      g_autoptr (GVariant) value = item;
      const GVariantType *type = find_field (fields, name);
      if (type == NULL)
        {
          g_set_error (error, BAD_REQUEST, "\"%s\": there is no field \"%s\"", arg->name, name);
          return FALSE;
        }
      if (!g_hash_table_add (seen, (gpointer)name))
        {
          g_set_error (error, BAD_REQUEST, "\"%s\": the field \"%s\" is there twice", arg->name, name);
          return FALSE;
        }
      if (!g_variant_is_of_type (value, type))
        {
          g_set_error (error, BAD_REQUEST, "\"%s\": the field \"%s\" must be of type %.*s, and is %s", arg->name, name,
                       (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type),
                       g_variant_get_type_string (value));
          return FALSE;
        }
      hark_json_writer_member (writer, name);
      write_value (writer, value);
    }
  return TRUE;
}

/**
 * hark_bus_translate_arguments:
 * @arguments: of @method's in-signature, as GDBus has checked
 *
 * Raises %HARK_ERROR_BAD_REQUEST, naming the argument, and %HARK_ERROR_TOO_LARGE.
 *
 * Returns: (transfer full): the request's fields as a JSON object
 */
char *
hark_bus_translate_arguments (const GDBusMethodInfo *method, GVariant *arguments, GError **error)
{
  g_auto (HarkJsonWriter) writer = { 0 };
  if (g_variant_get_size (arguments) > HARK_BUS_MAX_ARGUMENTS)
    {
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, "the arguments are more than %d bytes",
                   HARK_BUS_MAX_ARGUMENTS);
      return NULL;
    }
  hark_json_writer_init (&writer, 0);
  hark_json_writer_begin_object (&writer);
  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    {
      const GDBusArgInfo *arg = method->in_args[i];
      g_autoptr (GVariant) value = g_variant_get_child_value (arguments, i);
      if (get_annotation (arg, HARK_BUS_ANNOTATION_FIELDS) != NULL)
        {
          if (!write_fields (&writer, arg, value, error))
            return NULL;
          continue;
        }
      if (is_unset (arg, value))
        continue;
      hark_json_writer_member (&writer, arg->name);
      if (get_annotation (arg, HARK_BUS_ANNOTATION_JSON) == NULL)
        write_value (&writer, value);
      else if (!hark_bus_translate_json (&writer, arg->name, g_variant_get_string (value, NULL), error))
        return NULL;
    }
  hark_json_writer_end_object (&writer);
  return hark_json_writer_steal (&writer, NULL);
}

/* JSON to D-Bus. What is wrong here is a bug in a concern or in the XML, so the errors are INTERNAL. */

static GVariant *read_value (HarkJsonReader *reader, HarkJsonToken token, const GVariantType *type, GError **error);

/* What a value becomes in a dictionary, where nobody says its type. */
static const GVariantType *
get_member_type (const char *name, HarkJsonToken token)
{
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (g_str_equal (members[i].name, name))
      return (const GVariantType *)members[i].type;
  switch (token)
    {
    case HARK_JSON_STRING:
      return G_VARIANT_TYPE_STRING;
    case HARK_JSON_INTEGER:
      return G_VARIANT_TYPE_INT64;
    case HARK_JSON_NUMBER:
      return G_VARIANT_TYPE_DOUBLE;
    case HARK_JSON_TRUE:
    case HARK_JSON_FALSE:
      return G_VARIANT_TYPE_BOOLEAN;
    case HARK_JSON_BEGIN_OBJECT:
      return G_VARIANT_TYPE_VARDICT;
    default:
      return (const GVariantType *)"av";
    }
}

/* After BEGIN_OBJECT. Members that are null are left out: a D-Bus value is never nothing. */
static GVariant *
read_object (HarkJsonReader *reader, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  HarkJsonToken token;
  while ((token = hark_json_reader_next (reader, error)) == HARK_JSON_NAME)
    {
      g_autofree char *name = hark_json_string_dup_c (reader->slice);
      GVariant *value;
      token = hark_json_reader_next (reader, error);
      if (token == HARK_JSON_NULL)
        continue;
      if (name == NULL)
        {
          g_set_error (error, INTERNAL, "a member's name in the reply holds U+0000");
          return NULL;
        }
      value = read_value (reader, token, get_member_type (name, token), error);
      if (value == NULL)
        return NULL;
      g_variant_builder_add (&builder, "{sv}", name, value);
    }
  return token == HARK_JSON_END_OBJECT ? g_variant_builder_end (&builder) : NULL;
}

static GVariant *
read_array (HarkJsonReader *reader, const GVariantType *type, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (type);
  const GVariantType *element = g_variant_type_element (type);
  HarkJsonToken token;
  while ((token = hark_json_reader_next (reader, error)) != HARK_JSON_END_ARRAY)
    {
      gboolean is_any = g_variant_type_equal (element, G_VARIANT_TYPE_VARIANT);
      GVariant *value;
      if (token == HARK_JSON_ERROR)
        return NULL;
      value = read_value (reader, token, is_any ? get_member_type ("", token) : element, error);
      if (value == NULL)
        return NULL;
      g_variant_builder_add_value (&builder, is_any ? g_variant_new_variant (value) : value);
    }
  return g_variant_builder_end (&builder);
}

/* An absent text is empty, an absent time or number 0, an absent list empty. */
static GVariant *
new_nothing (const GVariantType *type)
{
  g_autofree char *text = g_variant_type_dup_string (type);
  if (g_variant_type_is_array (type))
    return g_variant_new_array (g_variant_type_element (type), NULL, 0);
  switch (*text)
    {
    case 's':
      return g_variant_new_string ("");
    case 'x':
      return g_variant_new_int64 (0);
    case 'u':
      return g_variant_new_uint32 (0);
    case 'b':
      return g_variant_new_boolean (FALSE);
    default:
      return NULL;
    }
}

static GVariant *
read_string (HarkJsonReader *reader, const GVariantType *type)
{
  g_autofree char *text = hark_json_string_dup_c (reader->slice);
  if (text == NULL) /* U+0000, which D-Bus cannot carry; only what clients wrote can hold it */
    text = g_strdup ("\357\277\275");
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT64))
    {
      g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);
      if (time == NULL)
        return NULL;
      return g_variant_new_int64 (g_date_time_to_unix (time) * 1000 + g_date_time_get_microsecond (time) / 1000);
    }
  return g_variant_type_equal (type, G_VARIANT_TYPE_STRING) ? g_variant_new_take_string (g_steal_pointer (&text))
                                                            : NULL;
}

static GVariant *
read_integer (HarkJsonReader *reader, const GVariantType *type)
{
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT64))
    return g_variant_new_int64 (reader->integer);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT32) && reader->integer >= 0 && reader->integer <= G_MAXUINT32)
    return g_variant_new_uint32 (reader->integer);
  return NULL;
}

static GVariant *
read_number (HarkJsonReader *reader, const GVariantType *type)
{
  g_autofree char *text = g_strndup (reader->slice.data, reader->slice.len);
  return g_variant_type_equal (type, G_VARIANT_TYPE_DOUBLE) ? g_variant_new_double (g_ascii_strtod (text, NULL)) : NULL;
}

/* Returns: (transfer floating) (nullable): the value that @token begins */
static GVariant *
read_value (HarkJsonReader *reader, HarkJsonToken token, const GVariantType *type, GError **error)
{
  GVariant *value = NULL;
  switch (token)
    {
    case HARK_JSON_BEGIN_OBJECT:
      if (g_variant_type_equal (type, G_VARIANT_TYPE_VARDICT))
        return read_object (reader, error);
      break;
    case HARK_JSON_BEGIN_ARRAY:
      if (g_variant_type_is_array (type) && !g_variant_type_equal (type, G_VARIANT_TYPE_VARDICT))
        return read_array (reader, type, error);
      break;
    case HARK_JSON_STRING:
      value = read_string (reader, type);
      break;
    case HARK_JSON_INTEGER:
      value = read_integer (reader, type);
      break;
    case HARK_JSON_NUMBER:
      value = read_number (reader, type);
      break;
    case HARK_JSON_TRUE:
    case HARK_JSON_FALSE:
      if (g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
        value = g_variant_new_boolean (token == HARK_JSON_TRUE);
      break;
    case HARK_JSON_NULL:
      value = new_nothing (type);
      break;
    default:
      return NULL; /* the reader has set @error */
    }
  if (value == NULL)
    g_set_error (error, INTERNAL, "a value in the reply is not a %.*s", (int)g_variant_type_get_string_length (type),
                 g_variant_type_peek_string (type));
  return value;
}

/* All but what belongs to the envelope. */
static GVariant *
read_members (const HarkJsonObject *object, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < hark_json_object_get_n_members (object); i++)
    {
      const HarkJsonValue *member = hark_json_object_get_nth (object, i);
      g_autofree char *name = g_strndup (member->name.data, member->name.len);
      HarkJsonReader reader;
      HarkJsonToken token;
      GVariant *value;
      if (g_str_equal (name, "type") || g_str_equal (name, "ref") || member->token == HARK_JSON_NULL)
        continue;
      hark_json_reader_init (&reader, member->raw.data, member->raw.len);
      token = hark_json_reader_next (&reader, error);
      value = read_value (&reader, token, get_member_type (name, token), error);
      if (value == NULL)
        return NULL;
      g_variant_builder_add (&builder, "{sv}", name, value);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
read_result (const HarkJsonObject *object, const GDBusArgInfo *arg, GError **error)
{
  const GVariantType *type = (const GVariantType *)arg->signature;
  const HarkJsonValue *member;
  HarkJsonReader reader;
  GVariant *value;
  if (get_annotation (arg, HARK_BUS_ANNOTATION_MEMBERS) != NULL)
    return read_members (object, error);
  member = hark_json_object_get (object, arg->name);
  if (member == NULL)
    return new_nothing (type);
  if (get_annotation (arg, HARK_BUS_ANNOTATION_JSON) != NULL)
    {
      g_autofree char *text = hark_json_value_copy_raw (member, NULL);
      return g_variant_new_string (text);
    }
  hark_json_reader_init (&reader, member->raw.data, member->raw.len);
  value = read_value (&reader, hark_json_reader_next (&reader, error), type, error);
  if (value == NULL)
    g_prefix_error (error, "\"%s\": ", arg->name);
  return value;
}

/**
 * hark_bus_translate_reply:
 * @json: (array length=len): a reply object
 *
 * Raises %HARK_ERROR_INTERNAL when the reply is not what the XML promises.
 *
 * Returns: (transfer full): the tuple of @method's results
 */
GVariant *
hark_bus_translate_reply (const GDBusMethodInfo *method, const char *json, gsize len, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);
  g_autoptr (GError) local_error = NULL;
  HarkJsonObject object;
  if (!hark_json_object_parse (&object, json, len, &local_error))
    {
      g_set_error (error, INTERNAL, "the reply cannot be read: %s", local_error->message);
      return NULL;
    }
  for (guint i = 0; method->out_args != NULL && method->out_args[i] != NULL; i++)
    {
      GVariant *value = read_result (&object, method->out_args[i], error);
      if (value == NULL)
        return NULL;
      g_variant_builder_add_value (&builder, value);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}
