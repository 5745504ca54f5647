/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus-fixture.h"

#include "base/error.h"

#include <unistd.h>

#define ROUNDS 60

static const HarkBusLimits limits = HARK_BUS_LIMITS_DEFAULT;

static void
set_up (BusFixture *f, gconstpointer data)
{
  bus_fixture_set_up (f, &limits, getuid ());
}

static void
tear_down (BusFixture *f, gconstpointer data)
{
  bus_fixture_tear_down (f);
}

static char *
random_text (void)
{
  static const char *const texts[] = {
    "",
    "0",
    "1",
    "-1",
    "42",
    "9223372036854775807",
    "9223372036854775808",
    "\"",
    "\\",
    "{}",
    "[]",
    "null",
    "{\"a\":",
    "room/lobby",
    "channel/",
    "server/1/2",
    "../../etc",
    "username",
    "admin",
    "\001\033[2J",
    "\360\237\230\200",
    "\"]}",
  };
  if (g_test_rand_bit ())
    return g_strdup (texts[g_test_rand_int_range (0, G_N_ELEMENTS (texts))]);
  if (g_test_rand_int_range (0, 20) == 0)
    return g_strnfill (g_test_rand_int_range (1, 5000), '[');
  GString *out = g_string_new (NULL);
  for (int n = g_test_rand_int_range (0, 40); n > 0; n--)
    g_string_append_unichar (out, g_test_rand_int_range (1, 0xd7ff));
  return g_string_free (out, FALSE);
}

static GVariant *
random_list (void)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);
  for (int n = g_test_rand_int_range (0, 4); n > 0; n--)
    {
      g_autofree char *text = random_text ();
      g_variant_builder_add (&builder, "s", text);
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
random_value (const char *type)
{
  g_autofree char *text = random_text ();
  switch (*type)
    {
    case 's':
      return g_variant_new_string (text);
    case 'b':
      return g_variant_new_boolean (g_test_rand_bit ());
    case 'a':
      return random_list ();
    case 'u':
      return g_variant_new_uint32 (g_test_rand_int ());
    case 'i':
      return g_variant_new_int32 (g_test_rand_int ());
    default:
      return g_variant_new_int64 ((gint64)((guint64)(guint32)g_test_rand_int () << 32 | (guint32)g_test_rand_int ()));
    }
}

static GVariant *
random_dictionary (void)
{
  static const char *const names[]
    = { "username", "admin", "name", "position", "private", "owner_id", "permissions", "type" };
  static const char *const types[] = { "s", "b", "i", "x", "u", "as" };
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  for (int n = g_test_rand_int_range (0, 4); n > 0; n--)
    {
      g_autofree char *text = random_text ();
      const char *name = g_test_rand_bit () ? names[g_test_rand_int_range (0, G_N_ELEMENTS (names))] : text;
      g_variant_builder_add (&builder, "{sv}", name,
                             random_value (types[g_test_rand_int_range (0, G_N_ELEMENTS (types))]));
    }
  return g_variant_builder_end (&builder);
}

static GVariant *
random_arguments (const GDBusMethodInfo *method)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);
  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    {
      const char *type = method->in_args[i]->signature;
      g_variant_builder_add_value (&builder, g_str_equal (type, "a{sv}") ? random_dictionary () : random_value (type));
    }
  return g_variant_builder_end (&builder);
}

/* Every call is answered: with results, or with an error of the table. */
static void
call (BusFixture *f, const GDBusInterfaceInfo *info, const GDBusMethodInfo *method)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = bus_fixture_call (f, info->name, method->name, random_arguments (method), &error);
  g_autofree char *asked = fake_concern_pop (f->concern);
  if (reply == NULL)
    g_assert_true (error->domain == HARK_ERROR);
  if (asked != NULL)
    {
      HarkJsonObject object;
      const char *json = strchr (asked, ' ') + 1;
      g_assert_true (hark_json_object_parse (&object, json, strlen (json), NULL));
    }
}

static void
test_junk (BusFixture *f, gconstpointer data)
{
  GDBusInterfaceInfo *infos[]
    = { hark_bus_hub1_interface_info (), hark_bus_directory1_interface_info (), hark_bus_metrics1_interface_info () };
  g_test_summary ("Random arguments of the right types are answered by every method, and end nothing.");
  for (guint round = 0; round < ROUNDS; round++)
    for (guint i = 0; i < G_N_ELEMENTS (infos); i++)
      for (guint m = 0; infos[i]->methods[m] != NULL; m++)
        call (f, infos[i], infos[i]->methods[m]);
}

static void
test_wrong (BusFixture *f, gconstpointer data)
{
  static const char *const calls[][3] = {
    { "org.hark.Directory1", "CreateUser", "('ann',)" },
    { "org.hark.Directory1", "CreateUser", "(1, 2, 3)" },
    { "org.hark.Directory1", "DropEverything", "()" },
    { "org.hark.Hub1", "Publish", "('room/x', 'null', 'more')" },
    { "org.hark.Nothing", "Publish", "()" },
    { "org.freedesktop.DBus.Properties", "Set", "('org.hark.Hub1', 'Sessions', <uint32 5>)" },
    { "org.freedesktop.DBus.Properties", "Get", "('org.hark.Hub1', 'Secrets')" },
  };
  g_test_summary ("Wrong signatures, methods and properties are errors of the bus.");
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) arguments = g_variant_parse (NULL, calls[i][2], NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_null (bus_fixture_call (f, calls[i][0], calls[i][1], arguments, &error));
      g_assert_true (error->domain == G_DBUS_ERROR);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  hark_error_register_bus_names ();
  g_test_add ("/bus/junk/random", BusFixture, NULL, set_up, test_junk, tear_down);
  g_test_add ("/bus/junk/wrong", BusFixture, NULL, set_up, test_wrong, tear_down);
  return g_test_run ();
}
