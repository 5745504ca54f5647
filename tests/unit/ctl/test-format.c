/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/format.h"

static void
assert_text (const char *field, const char *value, const char *expected)
{
  g_autoptr (GVariant) variant = g_variant_parse (NULL, value, NULL, NULL, NULL);
  g_autofree char *text = hark_ctl_format_value (field, variant);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_json (const char *value, const char *expected)
{
  g_autoptr (GVariant) variant = g_variant_parse (NULL, value, NULL, NULL, NULL);
  g_autofree char *text = NULL;
  g_assert_nonnull (variant);
  text = hark_ctl_format_json (variant);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_people (void)
{
  g_autofree char *absent = hark_ctl_format_value ("bio", NULL);
  g_test_summary ("Values are shown to people in words; what is not there is a dash.");
  assert_text ("username", "'ann'", "ann");
  assert_text ("displayname", "''", "-");
  assert_text ("admin", "true", "yes");
  assert_text ("admin", "<false>", "no");
  assert_text ("sent", "int64 12345", "12345");
  assert_text ("created", "int64 1763665555123", "2025-11-20 19:05:55");
  assert_text ("expires", "int64 0", "-");
  assert_text ("p50", "0.0005", "0.0005");
  assert_text ("users", "['1', '2']", "1 2");
  assert_text ("users", "@as []", "");
  assert_text ("code", "uint32 1006", "1006");
  g_assert_cmpstr (absent, ==, "-");
}

static void
test_json (void)
{
  g_test_summary ("Values are shown to programs as JSON: ids as strings, times in RFC 3339.");
  assert_json ("[{'user_id': <'9'>, 'admin': <false>, 'created': <int64 1763665555123>}]",
               "[{\"user_id\":\"9\",\"admin\":false,\"created\":\"2025-11-20T19:05:55.123Z\"}]");
  assert_json ("{'expires': <int64 0>, 'sent': <int64 0>}", "{\"expires\":null,\"sent\":0}");
  assert_json ("@aa{sv} []", "[]");
  assert_json ("{'topics': <[{'topic': <'server/7'>, 'cursor': <int64 3>}]>, 'users': <['8']>}",
               "{\"topics\":[{\"topic\":\"server/7\",\"cursor\":3}],\"users\":[\"8\"]}");
  assert_json ("{'x': {'count': 3.0, 'p50': 0.000125}}", "{\"x\":{\"count\":3,\"p50\":0.000125}}");
  assert_json ("{'a': <uint32 5>, 'b': <uint64 18446744073709551615>}", "{\"a\":5,\"b\":9223372036854775807}");
  assert_json ("{'name': <'\"\\\\ ä'>}", "{\"name\":\"\\\"\\\\ ä\"}");
  assert_json ("{'p50': inf}", "{\"p50\":null}");
}

static void
test_duration (void)
{
  static const struct
  {
    gint64 ms;
    const char *text;
  } cases[] = { { -5, "0 s" },
                { 59999, "59 s" },
                { 60000, "1 min 0 s" },
                { 3599000, "59 min 59 s" },
                { 3600000, "1 h 0 min" },
                { 90061000, "1 d 1 h" } };
  g_test_summary ("A duration has its two greatest units.");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = hark_ctl_format_duration (cases[i].ms);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/format/people", test_people);
  g_test_add_func ("/ctl/format/json", test_json);
  g_test_add_func ("/ctl/format/duration", test_duration);
  return g_test_run ();
}
