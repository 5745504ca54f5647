/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: what a line looks like, what may not be in it, and what the level lets through. A process has one log
 * writer, so what goes through it is tested in processes of their own.
 */
#include "base/log.h"

#include <string.h>

static void
test_redact (void)
{
  static const struct
  {
    const char *path;
    const char *redacted;
  } cases[] = {
    { "/", "/" },
    { "", "" },
    { "/metrics", "/metrics" },
    { "/ws/", "/ws/" },
    { "/ws/sesame/", "/ws/…/" },
    { "/ws/sesame", "/ws/…" },
    { "/ws/ses/ame/", "/ws/…/…/" },
    { "//ws//sesame/", "//ws//…/" },
    { "/WS/sesame/", "/WS/…/" },
    { "/%77s/sesame/", "/%77s/…/" },
    { "/prefix/ws/sesame/", "/prefix/ws/…/" },
    { "http://host:8000/ws/sesame/", "http://host:8000/ws/…/" },
    { "/ws/sesame/?resume=abc", "/ws/…/?resume=…" },
    { "/?token=abc&EIO=4&transport=polling&sid=xyz", "/?token=…&EIO=4&transport=polling&sid=…" },
    { "/?sesame", "/?…" },
    { "/?a=b=c", "/?a=…" },
    { "/?=sesame", "/?=…" },
    { "/wss/0123456789abcdef0123456789abcdef/x", "/wss/…/x" },
    { "/ws/a#fragment", "/ws/…" },
    { "/a\nb\033[2J/\177", "/a\\nb\\x1b[2J/\\x7f" },
    { "/\xff", "/\357\277\275" },
  };
  g_test_summary ("A path loses its token, its long segments and its query's values, and keeps the rest");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *redacted = hark_log_redact_path (cases[i].path);
      g_assert_cmpstr (redacted, ==, cases[i].redacted);
    }
}

static void
test_format (void)
{
  const GLogField fields[] = {
    { "HARK_ADDRESS", "127.0.0.1:4", -1 },
    { "MESSAGE", "one\ntwo \033[1m\xff!xx", 14 },
    { "HARK_SESSION", "42", -1 },
    { "GLIB_DOMAIN", "libsoup", -1 },
    { "HARK_USER", "a\nb", 3 },
  };
  g_autofree char *line = NULL;
  g_autofree char *bare = NULL;
  g_test_summary ("A line has time, level, foreign domain, text and fields, and is one line whatever the text holds");
  line = hark_log_format (HARK_LOG_WARNING, fields, G_N_ELEMENTS (fields), 1000);
  g_assert_cmpstr (line, ==,
                   "1970-01-01T00:00:01.000Z warning: libsoup: one\\ntwo \\x1b[1m\357\277\275! "
                   "(session 42, user a\\nb, address 127.0.0.1:4)\n");
  bare = hark_log_format (HARK_LOG_NOTICE, fields + 1, 1, 0);
  g_assert_cmpstr (bare, ==, "1970-01-01T00:00:00.000Z notice: one\\ntwo \\x1b[1m\357\277\275!\n");
}

static void
log_all_levels (void)
{
  static int evaluated;
  hark_log_init ();
  hark_log_set_level (HARK_LOG_INFO);
  hark_log (HARK_LOG_ERROR, HARK_MESSAGE_STORE_FAILED, NULL, "an %s", "error");
  hark_log (HARK_LOG_WARNING, NULL, NULL, "a warning");
  hark_log (HARK_LOG_INFO, NULL, HARK_LOG_FIELDS (.session = 42, .user = 7, .address = "::1", .code = 1008), "fields");
  hark_log (HARK_LOG_DEBUG, NULL, NULL, "below %d", ++evaluated);
  g_debug ("also below");
  g_assert_cmpint (evaluated, ==, 0);
  hark_log_set_level (HARK_LOG_DEBUG);
  g_debug ("above now");
  hark_log_set_level (HARK_LOG_ERROR);
  g_message ("silent");
  hark_log (HARK_LOG_WARNING, NULL, NULL, "silent too");
}

static void
test_levels (void)
{
  g_test_summary ("The level can change while it runs, and neither errors nor warnings of ours end the process");
  if (g_test_subprocess ())
    {
      log_all_levels ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*Z error: an error\n*Z warning: a warning\n"
                             "*Z info: fields (session 42, user 7, address ::1, code 1008)\n"
                             "*Z debug: above now\n");
  g_test_trap_assert_stderr_unmatched ("*below*");
  g_test_trap_assert_stderr_unmatched ("*silent*");
}

static void
test_fatal (void)
{
  g_test_summary ("Under G_DEBUG=fatal-warnings a programmer's warning still ends the process, below the level too");
  if (g_test_subprocess ())
    {
      g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING);
      hark_log_init ();
      hark_log_set_level (HARK_LOG_ERROR);
      g_warning ("a mistake");
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*warning: a mistake*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/redact", test_redact);
  g_test_add_func ("/log/format", test_format);
  g_test_add_func ("/log/levels", test_levels);
  g_test_add_func ("/log/fatal", test_fatal);
  return g_test_run ();
}
