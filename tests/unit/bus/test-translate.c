/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/translate.h"

#include "base/error.h"
#include "base/json-object.h"
#include "bus/bridge.h"
#include "hark-bus-generated.h"

#include <string.h>

static const GDBusMethodInfo *
method_of (const char *name)
{
  const GDBusMethodInfo *method = g_dbus_interface_info_lookup_method (hark_bus_directory1_interface_info (), name);
  if (method == NULL)
    method = g_dbus_interface_info_lookup_method (hark_bus_hub1_interface_info (), name);
  g_assert_nonnull (method);
  return method;
}

static void
assert_request (const char *method, const char *arguments, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = g_variant_parse (NULL, arguments, NULL, NULL, &error);
  g_autofree char *json = NULL;
  g_assert_no_error (error);
  json = hark_bus_translate_arguments (method_of (method), value, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, expected);
}

static void
assert_refused (const char *method, const char *arguments, HarkError code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = g_variant_parse (NULL, arguments, NULL, NULL, &error);
  g_autofree char *json = NULL;
  g_assert_no_error (error);
  json = hark_bus_translate_arguments (method_of (method), value, &error);
  g_assert_null (json);
  g_assert_error (error, HARK_ERROR, (int)code);
  g_assert_cmpstr (error->message, ==, message);
}

static void
assert_results (const char *method, const char *json, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = hark_bus_translate_reply (method_of (method), json, strlen (json), &error);
  g_autofree char *text = NULL;
  g_assert_no_error (error);
  text = g_variant_print (value, TRUE);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_broken (const char *method, const char *json)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = hark_bus_translate_reply (method_of (method), json, strlen (json), &error);
  g_assert_null (value);
  g_assert_error (error, HARK_ERROR, HARK_ERROR_INTERNAL);
}

static void
test_arguments (void)
{
  g_test_summary ("Arguments become the request's fields of the same names, with their types.");
  assert_request ("CreateUser", "('ann', 'Ann \"A\"', true)",
                  "{\"username\":\"ann\",\"displayname\":\"Ann \\\"A\\\"\",\"admin\":true}");
  assert_request ("CreateChannel", "('7', 'general', 'Talk', true, 3)",
                  "{\"server_id\":\"7\",\"name\":\"general\",\"category\":\"Talk\",\"private\":true,\"position\":3}");
  assert_request ("CreateToken", "('7', 'phone', int64 86400, '')",
                  "{\"user_id\":\"7\",\"label\":\"phone\",\"expires_in_s\":86400}");
  assert_request ("CreateToken", "('7', '', int64 0, 'backend')", "{\"user_id\":\"7\",\"scope\":\"backend\"}");
  assert_request ("ListUsers", "('5', uint32 10, 'a')", "{\"after\":\"5\",\"limit\":10,\"query\":\"a\"}");
}

static void
test_unset (void)
{
  g_test_summary ("An argument with the value that stands for nothing is left out.");
  assert_request ("CreateUser", "('ann', '', false)", "{\"username\":\"ann\"}");
  assert_request ("CreateChannel", "('7', 'general', '', false, -1)", "{\"server_id\":\"7\",\"name\":\"general\"}");
  assert_request ("CreateChannel", "('7', 'general', '', false, 0)",
                  "{\"server_id\":\"7\",\"name\":\"general\",\"position\":0}");
  assert_request ("ListUsers", "('', uint32 0, '')", "{}");
  assert_request ("ListServers", "@() ()", "{}");
  assert_request ("CreateUser", "('', '', false)", "{\"username\":\"\"}");
}

static void
test_changes (void)
{
  g_test_summary ("A dictionary of changes becomes fields; an unknown one or a wrong type is refused by name.");
  assert_request ("UpdateUser", "('7', {'bio': <''>, 'admin': <false>})",
                  "{\"user_id\":\"7\",\"bio\":\"\",\"admin\":false}");
  assert_request ("UpdateChannel", "('7', {'position': <5>})", "{\"channel_id\":\"7\",\"position\":5}");
  assert_request ("UpdateUser", "('7', @a{sv} {})", "{\"user_id\":\"7\"}");
  assert_refused ("UpdateUser", "('7', {'user_id': <'8'>})", HARK_ERROR_BAD_REQUEST,
                  "\"changes\": there is no field \"user_id\"");
  assert_refused ("UpdateUser", "('7', {'': <'8'>})", HARK_ERROR_BAD_REQUEST, "\"changes\": there is no field \"\"");
  assert_refused ("UpdateUser", "('7', {'adm': <true>})", HARK_ERROR_BAD_REQUEST,
                  "\"changes\": there is no field \"adm\"");
  assert_refused ("UpdateUser", "('7', {'admin': <'yes'>})", HARK_ERROR_BAD_REQUEST,
                  "\"changes\": the field \"admin\" must be of type b, and is s");
  assert_refused ("UpdateUser", "('7', {'username': <1>})", HARK_ERROR_BAD_REQUEST,
                  "\"changes\": the field \"username\" must be of type s, and is i");
}

static void
test_doubled_change (void)
{
  g_autoptr (GVariant) changes = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_test_summary ("The same change twice is refused by name.");
  g_variant_builder_add (&builder, "{sv}", "bio", g_variant_new_string ("a"));
  g_variant_builder_add (&builder, "{sv}", "bio", g_variant_new_string ("b"));
  changes = g_variant_ref_sink (g_variant_new ("(sa{sv})", "7", &builder));
  g_assert_null (hark_bus_translate_arguments (method_of ("UpdateUser"), changes, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_cmpstr (error->message, ==, "\"changes\": the field \"bio\" is there twice");
}

static void
test_json_argument (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(ss)", "room/x", "{\"a\":1}}"));
  g_test_summary ("JSON text goes on byte by byte when it is one value, and is refused by name otherwise.");
  assert_request ("Publish", "('room/x', '{\"a\": [1, 2.50]}')", "{\"topic\":\"room/x\",\"data\":{\"a\": [1, 2.50]}}");
  assert_request ("Publish", "('room/x', 'null')", "{\"topic\":\"room/x\",\"data\":null}");
  g_assert_null (hark_bus_translate_arguments (method_of ("Publish"), value, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
  g_assert_true (g_str_has_prefix (error->message, "\"data\": "));
  for (guint i = 0; i < 3; i++)
    {
      static const char *const wrong[] = { "", "{", "1,\"topic\":\"server/1\"" };
      g_autoptr (GError) local_error = NULL;
      g_autoptr (GVariant) bad = g_variant_ref_sink (g_variant_new ("(ss)", "room/x", wrong[i]));
      g_assert_null (hark_bus_translate_arguments (method_of ("Publish"), bad, &local_error));
      g_assert_error (local_error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
    }
}

static void
test_too_large (void)
{
  g_autofree char *text = g_strnfill (HARK_BUS_MAX_ARGUMENTS, 'x');
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(ssb)", text, "", FALSE));
  g_autoptr (GError) error = NULL;
  g_test_summary ("Arguments over the bound are refused.");
  g_assert_null (hark_bus_translate_arguments (method_of ("CreateUser"), value, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
}

static void
test_results (void)
{
  g_test_summary ("Members of the reply become results; what is absent or null is empty.");
  assert_results ("CreateUser", "{\"type\":\"create_user\",\"user_id\":\"42\"}", "('42',)");
  assert_results ("DeleteUser", "{\"type\":\"delete_user\"}", "()");
  assert_results ("CreateToken", "{\"token_id\":\"1\",\"token\":\"abc\",\"expires\":null}", "('1', 'abc', int64 0)");
  assert_results ("CreateToken", "{\"token_id\":\"1\",\"token\":\"abc\",\"expires\":\"2025-11-20T19:05:55.123Z\"}",
                  "('1', 'abc', int64 1763665555123)");
  assert_results ("Publish", "{\"seq\":12}", "(int64 12,)");
  assert_results ("DisconnectUser", "{\"sessions\":3}", "(uint32 3,)");
  assert_results ("ListUsers", "{\"users\":[]}", "(@aa{sv} [], '')");
  assert_results ("ListUsers", "{}", "(@aa{sv} [], '')");
}

static void
test_rows (void)
{
  g_test_summary ("Rows have typed values: ids are strings, times milliseconds; null members are left out.");
  assert_results ("ListUsers",
                  "{\"users\":[{\"user_id\":\"9\",\"bio\":null,\"admin\":false,\"created\":\"1970-01-01T00:00:01.5Z\"},"
                  "{\"user_id\":\"10\",\"created\":7,\"x\":1.5,\"y\":{\"z\":[1,\"a\",null]}}],\"next\":\"10\"}",
                  "([{'user_id': <'9'>, 'admin': <false>, 'created': <int64 1500>}, {'user_id': <'10'>, 'created': "
                  "<int64 7>, 'x': <1.5>, 'y': <{'z': <[<int64 1>, <'a'>, <@av []>]>}>}], '10')");
}

static void
test_members (void)
{
  g_test_summary ("A whole reply becomes a dictionary, without what belongs to the envelope.");
  assert_results ("GetSession",
                  "{\"type\":\"get_session\",\"ref\":1,\"session_id\":\"5\",\"loaded\":2,\"bio\":null,\"topics\":"
                  "[{\"topic\":\"server/7\",\"cursor\":3}],\"users\":[\"8\",\"9\"]}",
                  "({'session_id': <'5'>, 'loaded': <int64 2>, 'topics': <[{'topic': <'server/7'>, 'cursor': <int64 "
                  "3>}]>, "
                  "'users': <['8', '9']>},)");
  assert_results ("GetSession", "{\"topics\":[],\"users\":[]}", "({'topics': <@aa{sv} []>, 'users': <@as []>},)");
}

static void
test_broken_reply (void)
{
  g_test_summary ("A reply that is not what the XML promises is an internal error.");
  assert_broken ("CreateUser", "");
  assert_broken ("CreateUser", "[]");
  assert_broken ("CreateUser", "{\"user_id\":42}");
  assert_broken ("CreateUser", "{\"user_id\":true}");
  assert_broken ("ListUsers", "{\"users\":{}}");
  assert_broken ("ListUsers", "{\"users\":[1]}");
  assert_broken ("ListUsers", "{\"users\":[[]]}");
  assert_broken ("DisconnectUser", "{\"sessions\":-1}");
  assert_broken ("DisconnectUser", "{\"sessions\":4294967296}");
  assert_broken ("Publish", "{\"seq\":\"soon\"}");
  assert_broken ("GetUser", "{\"created\":\"yesterday\"}");
  assert_broken ("GetUser", "{\"created\":false}");
  assert_broken ("GetUser", "{\"x\":[{\"users\":[1]}]}");
}

static void
test_unspeakable (void)
{
  g_test_summary ("Text with U+0000, which D-Bus cannot carry, is replaced; other text arrives as it is.");
  assert_results ("GetUser", "{\"bio\":\"a\\u0000b\"}", "({'bio': <'\357\277\275'>},)");
  assert_results ("GetUser", "{\"bio\":\"\\u00e4\\n\\ud83d\\ude00\"}", "({'bio': <'\303\244\\n\360\237\230\200'>},)");
}

/* Every basic type that a field or argument of the XML may have. */
static gboolean
is_known_type (const char *type, const GDBusArgInfo *arg)
{
  static const char *const types[] = { "s", "b", "i", "u", "x", "as", NULL };
  if (g_str_equal (type, "a{sv}"))
    return g_dbus_annotation_info_lookup (arg->annotations, HARK_BUS_ANNOTATION_FIELDS) != NULL;
  return g_strv_contains (types, type);
}

static void
test_contract (void)
{
  GDBusInterfaceInfo *directory = hark_bus_directory1_interface_info ();
  guint n = 0;
  g_test_summary ("Every method of Directory1 is a request whose argument types are known.");
  for (; directory->methods[n] != NULL; n++)
    {
      const GDBusMethodInfo *method = directory->methods[n];
      g_assert_true (hark_bus_bridge_serves (method));
      for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
        g_assert_true (is_known_type (method->in_args[i]->signature, method->in_args[i]));
    }
  g_assert_cmpuint (n, ==, 33);
  g_assert_false (hark_bus_bridge_serves (method_of ("Reload")));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/translate/arguments", test_arguments);
  g_test_add_func ("/bus/translate/unset", test_unset);
  g_test_add_func ("/bus/translate/changes", test_changes);
  g_test_add_func ("/bus/translate/doubled-change", test_doubled_change);
  g_test_add_func ("/bus/translate/json-argument", test_json_argument);
  g_test_add_func ("/bus/translate/too-large", test_too_large);
  g_test_add_func ("/bus/translate/results", test_results);
  g_test_add_func ("/bus/translate/rows", test_rows);
  g_test_add_func ("/bus/translate/members", test_members);
  g_test_add_func ("/bus/translate/broken-reply", test_broken_reply);
  g_test_add_func ("/bus/translate/unspeakable", test_unspeakable);
  g_test_add_func ("/bus/translate/contract", test_contract);
  return g_test_run ();
}
