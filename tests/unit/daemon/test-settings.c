/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of settings, and how their texts become values. */
#include "daemon/setting-value.h"

#include <string.h>

static void
test_table (void)
{
  g_test_summary (
    "Every setting has a row: a known section, a key of its own, a sentence, and a default that is valid");
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const HarkSettingInfo *info = hark_setting_get_info (i);
      HarkSettingValue value = { 0 };
      g_autofree char *problem = NULL;
      HarkSetting found;
      g_assert_nonnull (info->section);
      g_assert_nonnull (hark_setting_get_section_doc (info->section));
      g_assert_true (hark_setting_find (info->section, info->key, &found));
      g_assert_cmpuint (found, ==, i);
      g_assert_true (g_str_has_suffix (info->doc, "."));
      problem = hark_setting_value_parse (&value, info, info->fallback);
      g_assert_cmpstr (problem, ==, NULL);
      hark_setting_value_clear (&value);
    }
}

static void
test_sections_together (void)
{
  g_test_summary ("The settings of a section stand together, as the reference and the dump need it");
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    for (guint j = i + 2; j < HARK_N_SETTINGS; j++)
      if (strcmp (hark_setting_get_info (i)->section, hark_setting_get_info (j)->section) == 0)
        g_assert_cmpstr (hark_setting_get_info (j - 1)->section, ==, hark_setting_get_info (j)->section);
}

typedef struct
{
  HarkSettingType type;
  const char *text;
  gint64 number;
} Good;

static void
test_numbers (void)
{
  static const Good cases[] = {
    { HARK_SETTING_TYPE_INT, "0", 0 },
    { HARK_SETTING_TYPE_INT, "8000", 8000 },
    { HARK_SETTING_TYPE_INT, "007", 7 },
    { HARK_SETTING_TYPE_INT, "9223372036854775807", G_MAXINT64 },
    { HARK_SETTING_TYPE_BYTES, "0", 0 },
    { HARK_SETTING_TYPE_BYTES, "500", 500 },
    { HARK_SETTING_TYPE_BYTES, "64K", 65536 },
    { HARK_SETTING_TYPE_BYTES, "1M", 1048576 },
    { HARK_SETTING_TYPE_BYTES, "3G", G_GINT64_CONSTANT (3221225472) },
    { HARK_SETTING_TYPE_DURATION, "0", 0 },
    { HARK_SETTING_TYPE_DURATION, "0s", 0 },
    { HARK_SETTING_TYPE_DURATION, "250ms", 250 },
    { HARK_SETTING_TYPE_DURATION, "10s", 10000 },
    { HARK_SETTING_TYPE_DURATION, "5m", 300000 },
    { HARK_SETTING_TYPE_DURATION, "1h", 3600000 },
    { HARK_SETTING_TYPE_DURATION, "7d", 604800000 },
    { HARK_SETTING_TYPE_BOOL, "true", 1 },
    { HARK_SETTING_TYPE_BOOL, "Yes", 1 },
    { HARK_SETTING_TYPE_BOOL, "on", 1 },
    { HARK_SETTING_TYPE_BOOL, "1", 1 },
    { HARK_SETTING_TYPE_BOOL, "FALSE", 0 },
    { HARK_SETTING_TYPE_BOOL, "no", 0 },
    { HARK_SETTING_TYPE_BOOL, "off", 0 },
    { HARK_SETTING_TYPE_BOOL, "0", 0 },
    { HARK_SETTING_TYPE_MODE, "0660", 0660 },
    { HARK_SETTING_TYPE_MODE, "777", 0777 },
  };
  g_test_summary ("Numbers, bytes, times, booleans and modes are read with their units");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HarkSettingInfo info = { .type = cases[i].type, .max = G_MAXINT64 };
      HarkSettingValue value = { .number = -1 };
      g_autofree char *problem = hark_setting_value_parse (&value, &info, cases[i].text);
      g_assert_cmpstr (problem, ==, NULL);
      g_assert_cmpint (value.number, ==, cases[i].number);
    }
}

typedef struct
{
  HarkSettingType type;
  const char *text;
  const char *problem;
} Bad;

static void
test_bad_numbers (void)
{
  static const Bad cases[] = {
    { HARK_SETTING_TYPE_INT, "", "\"\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "abc", "\"abc\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "-11", "\"-11\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "+11", "\"+11\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "11.5", "\"11.5\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "0x11", "\"0x11\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "11 # eleven", "\"11 # eleven\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "11K", "\"11K\" is not a whole number" },
    { HARK_SETTING_TYPE_INT, "9", "\"9\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_INT, "0", "\"0\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_INT, "5001", "\"5001\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_INT, "99999999999999999999", "\"99999999999999999999\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_BYTES, "64KB", "\"64KB\" is not a number of bytes, like 500, 64K, 1M or 2G" },
    { HARK_SETTING_TYPE_BYTES, "64k", "\"64k\" is not a number of bytes, like 500, 64K, 1M or 2G" },
    { HARK_SETTING_TYPE_BYTES, "64 K", "\"64 K\" is not a number of bytes, like 500, 64K, 1M or 2G" },
    { HARK_SETTING_TYPE_BYTES, "K", "\"K\" is not a number of bytes, like 500, 64K, 1M or 2G" },
    { HARK_SETTING_TYPE_BYTES, "5K", "\"5K\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_BYTES, "9999999999999999999G", "\"9999999999999999999G\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_BYTES, "9223372036854775807G", "\"9223372036854775807G\" is not between 10 and 5000" },
    { HARK_SETTING_TYPE_DURATION, "10", "\"10\" is not a time with its unit, like 250ms, 10s, 5m, 1h or 7d" },
    { HARK_SETTING_TYPE_DURATION, "10 s", "\"10 s\" is not a time with its unit, like 250ms, 10s, 5m, 1h or 7d" },
    { HARK_SETTING_TYPE_DURATION, "1h30m", "\"1h30m\" is not a time with its unit, like 250ms, 10s, 5m, 1h or 7d" },
    { HARK_SETTING_TYPE_DURATION, "9ms", "\"9ms\" is not between 10ms and 5s" },
    { HARK_SETTING_TYPE_DURATION, "6s", "\"6s\" is not between 10ms and 5s" },
    { HARK_SETTING_TYPE_DURATION, "0", "\"0\" is not between 10ms and 5s" },
    { HARK_SETTING_TYPE_DURATION, "9223372036854775807d", "\"9223372036854775807d\" is not between 10ms and 5s" },
    { HARK_SETTING_TYPE_BOOL, "", "\"\" is neither true nor false" },
    { HARK_SETTING_TYPE_BOOL, "maybe", "\"maybe\" is neither true nor false" },
    { HARK_SETTING_TYPE_MODE, "rw", "\"rw\" is not an octal mode between 0000 and 0777" },
    { HARK_SETTING_TYPE_MODE, "8", "\"8\" is not an octal mode between 0000 and 0777" },
    { HARK_SETTING_TYPE_MODE, "1777", "\"1777\" is not an octal mode between 0000 and 0777" },
  };
  g_test_summary (
    "What is no number, has the wrong unit or is out of range is refused, and the text says what was expected");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const HarkSettingInfo info = { .type = cases[i].type, .min = 10, .max = 5000 };
      HarkSettingValue value = { 0 };
      g_autofree char *problem = hark_setting_value_parse (&value, &info, cases[i].text);
      g_assert_cmpstr (problem, ==, cases[i].problem);
    }
}

static char *
parse (HarkSetting setting, const char *text, HarkSettingValue *value)
{
  return hark_setting_value_parse (value, hark_setting_get_info (setting), text);
}

static void
test_list (void)
{
  HarkSettingValue value = { 0 };
  g_autofree char *good = NULL;
  g_autofree char *empty = NULL;
  g_autofree char *hole = NULL;
  const char *expected[] = { "127.0.0.1", "::1", NULL };
  g_test_summary ("A list is separated by semicolons, with blanks around them and one at its end");
  good = parse (HARK_SETTING_LISTEN_ADDRESS, " 127.0.0.1 ;::1;", &value);
  g_assert_cmpstr (good, ==, NULL);
  g_assert_cmpstrv (value.list, expected);
  hark_setting_value_clear (&value);
  empty = parse (HARK_SETTING_LISTEN_ADDRESS, "", &value);
  g_assert_cmpstr (empty, ==, NULL);
  g_assert_cmpuint (g_strv_length (value.list), ==, 0);
  hark_setting_value_clear (&value);
  hole = parse (HARK_SETTING_LISTEN_ADDRESS, "::1;;127.0.0.1", &value);
  g_assert_cmpstr (hole, ==, "\"::1;;127.0.0.1\" has an empty element");
}

static void
test_checks (void)
{
  static const struct
  {
    HarkSetting setting;
    const char *text;
    const char *problem; /* (nullable): what it must hold */
  } cases[] = {
    { HARK_SETTING_LISTEN_ADDRESS, "0.0.0.0;::;192.0.2.1", NULL },
    { HARK_SETTING_LISTEN_ADDRESS, "localhost", "\"localhost\" is not an IP address" },
    { HARK_SETTING_LISTEN_ADDRESS, "127.0.0.1, ::1", "separated by \";\"" },
    { HARK_SETTING_LISTEN_ADDRESS, "127.0.0.1:80", "is not an IP address" },
    { HARK_SETTING_HTTP_ALLOWED_HOSTS, "chat.example.org;localhost;192.0.2.1;[::1]", NULL },
    { HARK_SETTING_HTTP_ALLOWED_HOSTS, "example.org:8000", "without a port" },
    { HARK_SETTING_HTTP_ALLOWED_HOSTS, "[::1]:80", "without a port" },
    { HARK_SETTING_HTTP_ALLOWED_HOSTS, "[", "without a port" },
    { HARK_SETTING_HTTP_ALLOWED_HOSTS, "https://example.org", "without a port" },
    { HARK_SETTING_HTTP_ALLOWED_ORIGINS, "https://example.org;http://localhost:8080;http://[::1]:80;*;null", NULL },
    { HARK_SETTING_HTTP_ALLOWED_ORIGINS, "example.org", "is not an origin" },
    { HARK_SETTING_HTTP_ALLOWED_ORIGINS, "https://example.org/", "is not an origin" },
    { HARK_SETTING_HTTP_ALLOWED_ORIGINS, "https://user@example.org", "is not an origin" },
    { HARK_SETTING_HTTP_ALLOWED_ORIGINS, "https://", "is not an origin" },
    { HARK_SETTING_BUS_TYPE, "system", NULL },
    { HARK_SETTING_BUS_TYPE, "none", NULL },
    { HARK_SETTING_BUS_TYPE, "unix:path=/run/bus", NULL },
    { HARK_SETTING_BUS_TYPE, "sytem", "\"sytem\" is neither" },
    { HARK_SETTING_BUS_TYPE, "", "\"\" is neither" },
    { HARK_SETTING_STORE_PATH, "", "it is empty" },
    { HARK_SETTING_STORE_SYNCHRONOUS, "normal", NULL },
    { HARK_SETTING_STORE_SYNCHRONOUS, "off", "\"off\" is none of: full, normal" },
    { HARK_SETTING_LISTEN_UNIX_SOCKET,
      "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
      "01234567",
      "longer than" },
  };
  g_test_summary ("Addresses, hosts, origins, buses, paths and choices are checked for what they are");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      HarkSettingValue value = { 0 };
      g_autofree char *problem = parse (cases[i].setting, cases[i].text, &value);
      if (cases[i].problem == NULL)
        g_assert_cmpstr (problem, ==, NULL);
      else if (problem == NULL || strstr (problem, cases[i].problem) == NULL)
        g_error ("\"%s\": \"%s\" instead of \"%s\"", cases[i].text, problem, cases[i].problem);
      hark_setting_value_clear (&value);
    }
}

static void
test_suggest (void)
{
  static const char *const cases[][3] = {
    { "limit", NULL, "did you mean [limits]?" },
    { "listne", "port", "did you mean [listen]?" },
    { "nonsense", "port", NULL },
    { "limits", "mesage-max", "did you mean \"message-max\"?" },
    { "limits", "message_max", "did you mean \"message-max\"?" },
    { "limits", "port", "did you mean the one in [listen]?" },
    { "log", "loudness", NULL },
  };
  g_test_summary (
    "A slip of the finger gets the nearest name, another section's key gets its section, nonsense nothing");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *suggestion = hark_setting_suggest (cases[i][0], cases[i][1]);
      g_assert_cmpstr (suggestion, ==, cases[i][2]);
    }
}

static void
test_format (void)
{
  static const Good cases[] = {
    { HARK_SETTING_TYPE_INT, "1024", 1024 },         { HARK_SETTING_TYPE_BYTES, "64K", 65536 },
    { HARK_SETTING_TYPE_BYTES, "1025", 1025 },       { HARK_SETTING_TYPE_BYTES, "1G", 1 << 30 },
    { HARK_SETTING_TYPE_DURATION, "7d", 604800000 }, { HARK_SETTING_TYPE_DURATION, "90s", 90000 },
    { HARK_SETTING_TYPE_DURATION, "1001ms", 1001 },  { HARK_SETTING_TYPE_BYTES, "0", 0 },
    { HARK_SETTING_TYPE_MODE, "0600", 0600 },
  };
  g_test_summary ("A number is shown with the largest unit that divides it");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = hark_setting_format_number (cases[i].type, cases[i].number);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/table", test_table);
  g_test_add_func ("/settings/sections-together", test_sections_together);
  g_test_add_func ("/settings/numbers", test_numbers);
  g_test_add_func ("/settings/bad-numbers", test_bad_numbers);
  g_test_add_func ("/settings/list", test_list);
  g_test_add_func ("/settings/checks", test_checks);
  g_test_add_func ("/settings/suggest", test_suggest);
  g_test_add_func ("/settings/format", test_format);
  return g_test_run ();
}
