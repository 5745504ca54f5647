/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: files and their mistakes, which source wins, where paths lead, and what a reload changes. */
#include "daemon/config.h"

#include "daemon/config-file.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *directory;
  char *path; /* of the main file */
  GPtrArray *mistakes;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fixture->directory = g_dir_make_tmp ("hark-config-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->directory, "harkd.conf", NULL);
  fixture->mistakes = g_ptr_array_new_with_free_func (g_free);
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);
      if (g_file_test (file, G_FILE_TEST_IS_DIR))
        remove_directory (file);
      else
        g_assert_cmpint (g_unlink (file), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_directory (fixture->directory);
  g_free (fixture->directory);
  g_free (fixture->path);
  g_ptr_array_unref (fixture->mistakes);
}

static void
write_file (Fixture *fixture, const char *name, const char *contents)
{
  g_autofree char *path = g_build_filename (fixture->directory, name, NULL);
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_file_set_contents (path, contents, -1, &error);
  g_assert_no_error (error);
}

static HarkConfig *
load (Fixture *fixture, const char *const *environment, const char *const *assignments)
{
  const HarkConfigSources sources = { HARK_CONFIG_SYSTEM, fixture->path, environment, assignments };
  return hark_config_load (&sources, fixture->mistakes);
}

/* The mistakes, a line each, without the directory of the test. */
static char *
dup_mistakes (Fixture *fixture)
{
  g_autofree char *prefix = g_strconcat (fixture->directory, "/", NULL);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; i < fixture->mistakes->len; i++)
    g_string_append_printf (out, "%s\n", (const char *)fixture->mistakes->pdata[i]);
  g_string_replace (out, prefix, "", 0);
  return g_strdup (out->str);
}

static void
assert_mistakes (Fixture *fixture, const char *expected)
{
  g_autofree char *mistakes = dup_mistakes (fixture);
  g_assert_cmpstr (mistakes, ==, expected);
}

static void
test_defaults (Fixture *fixture, gconstpointer data)
{
  const HarkConfigSources sources = { HARK_CONFIG_SYSTEM, "/dev/null", NULL, NULL };
  g_autoptr (HarkConfig) config = hark_config_load (&sources, fixture->mistakes);
  const char *addresses[] = { "127.0.0.1", NULL };
  g_autofree char *socket = NULL;
  g_test_summary ("An empty file gives the defaults, of each type");
  assert_mistakes (fixture, "");
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_PORT), ==, 8000);
  g_assert_cmpint (hark_config_get_bytes (config, HARK_SETTING_LIMITS_MESSAGE_MAX), ==, 65536);
  g_assert_cmpint (hark_config_get_ms (config, HARK_SETTING_LIMITS_HANDSHAKE_TIMEOUT), ==, 10000);
  g_assert_false (hark_config_get_bool (config, HARK_SETTING_WEBSOCKET_COMPRESSION));
  g_assert_cmpuint (hark_config_get_enum (config, HARK_SETTING_STORE_SYNCHRONOUS), ==, 0);
  g_assert_cmpuint (hark_config_get_mode (config, HARK_SETTING_LISTEN_UNIX_MODE), ==, 0660);
  g_assert_cmpstr (hark_config_get_string (config, HARK_SETTING_BUS_TYPE), ==, "system");
  g_assert_cmpstrv ((char **)hark_config_get_strings (config, HARK_SETTING_LISTEN_ADDRESS), (char **)addresses);
  socket = hark_config_dup_path (config, HARK_SETTING_LISTEN_UNIX_SOCKET);
  g_assert_cmpstr (socket, ==, NULL);
  g_assert_cmpstr (hark_config_get_origin (config, HARK_SETTING_LISTEN_PORT), ==, "default");
}

static void
test_file (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = NULL;
  g_autofree char *origin = NULL;
  g_autofree char *path = NULL;
  g_test_summary ("Comments, blank lines, blanks around, carriage returns, escapes and sections that return are read");
  write_file (fixture, "harkd.conf",
              "# a comment\n\n[listen]\n  port=9000  \r\n\t# another\n[store]\npath = a\\sb\\\\c\n[listen]\nbacklog "
              "=\t7\n"
              "[limits]");
  config = load (fixture, NULL, NULL);
  assert_mistakes (fixture, "");
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_PORT), ==, 9000);
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_BACKLOG), ==, 7);
  path = hark_config_dup_path (config, HARK_SETTING_STORE_PATH);
  g_assert_true (g_str_has_suffix (path, "/a b\\c"));
  origin = g_strconcat (fixture->path, ":9", NULL);
  g_assert_cmpstr (hark_config_get_origin (config, HARK_SETTING_LISTEN_BACKLOG), ==, origin);
}

static void
test_mistakes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = NULL;
  g_test_summary ("All mistakes of a file are named, each with file, line and key, in one go");
  write_file (fixture, "harkd.conf",
              "port = 1\n"               /* 1 */
              "[listen]\n"               /* 2 */
              "port = 70000\n"           /* 3 */
              "prot = 8000\n"            /* 4 */
              "just words\n"             /* 5 */
              "backlog = 1\n"            /* 6 */
              "\n"                       /* 7 */
              "backlog = 2\n"            /* 8 */
              "[limit]\n"                /* 9 */
              "message-max = nonsense\n" /* 10: one mistake is enough */
              "[limits\n"                /* 11 */
              "[limits] # why not\n"     /* 12 */
              "[log]\n"                  /* 13 */
              "level[de] = info\n"       /* 14 */
              "level = loud\n"           /* 15 */
              "= info\n"                 /* 16 */
              "[store]\n"                /* 17 */
              "path = C:\\hark.db\n"     /* 18 */
              "synchronous = \xff\n"     /* 19 */
              "readers =\n"              /* 20 */
              "batch-window = 5\n"       /* 21 */
              "batch-max\n");            /* 22 */
  config = load (fixture, NULL, NULL);
  g_assert_null (config);
  assert_mistakes (fixture,
                   "harkd.conf:1: port: it stands before the first [section]\n"
                   "harkd.conf:3: [listen] port: \"70000\" is not between 0 and 65535\n"
                   "harkd.conf:4: [listen] prot: there is no such setting; did you mean \"port\"?\n"
                   "harkd.conf:5: \"just words\" is neither a [section], a \"key = value\" nor a \"# comment\"\n"
                   "harkd.conf:8: [listen] backlog: it is set in line 6 already\n"
                   "harkd.conf:9: [limit]: there is no such section; did you mean [limits]?\n"
                   "harkd.conf:11: \"[limits\" is not a section: it must be [name]\n"
                   "harkd.conf:12: \"[limits] # why not\" is not a section: it must be [name]\n"
                   "harkd.conf:14: [log] level[de]: there is no such setting; did you mean \"level\"?\n"
                   "harkd.conf:15: [log] level: \"loud\" is none of: error, warning, notice, info, debug\n"
                   "harkd.conf:16: [log] : there is no such setting\n"
                   "harkd.conf:18: [store] path: a backslash begins \\s, \\n, \\t, \\r or \\\\, and nothing else\n"
                   "harkd.conf:19: the line is not UTF-8\n"
                   "harkd.conf:20: [store] readers: \"\" is not a whole number\n"
                   "harkd.conf:21: [store] batch-window: \"5\" is not a time with its unit, like 250ms, 10s, 5m, 1h or "
                   "7d\n"
                   "harkd.conf:22: \"batch-max\" is neither a [section], a \"key = value\" nor a \"# comment\"\n");
}

static void
test_nul (Fixture *fixture, gconstpointer data)
{
  static const char contents[] = "[log]\nlev\0el = info\n";
  g_test_summary ("A 0 byte is a mistake of its line, not the end of the file");
  hark_config_file_parse ("f", contents, sizeof contents - 1, fixture->mistakes, NULL, NULL);
  assert_mistakes (fixture, "f:2: the line is not UTF-8\n");
}

static void
test_missing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = load (fixture, NULL, NULL);
  g_test_summary ("A file that was asked for and is not there is a mistake");
  g_assert_null (config);
  assert_mistakes (fixture,
                   "harkd.conf: it cannot be read: Failed to open file “harkd.conf”: No such file or directory\n");
}

static void
test_drop_ins (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = NULL;
  g_autofree char *origin = g_build_filename (fixture->directory, "harkd.conf.d/20-b.conf:2", NULL);
  g_test_summary ("Drop-ins count in the order of their names, over the file; other files in their directory do not");
  write_file (fixture, "harkd.conf", "[listen]\nport = 1\nbacklog = 1\n[log]\nlevel = info\n");
  write_file (fixture, "harkd.conf.d/20-b.conf", "[listen]\nport = 20\n");
  write_file (fixture, "harkd.conf.d/10-a.conf", "[listen]\nport = 10\nbacklog = 10\n");
  write_file (fixture, "harkd.conf.d/30-c.conf~", "[listen]\nport = 30\n");
  write_file (fixture, "harkd.conf.d/.40.conf", "[listen]\nport = 40\n");
  config = load (fixture, NULL, NULL);
  assert_mistakes (fixture, "");
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_PORT), ==, 20);
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_BACKLOG), ==, 10);
  g_assert_cmpuint (hark_config_get_enum (config, HARK_SETTING_LOG_LEVEL), ==, 3);
  g_assert_cmpstr (hark_config_get_origin (config, HARK_SETTING_LISTEN_PORT), ==, origin);
}

static void
test_drop_in_mistake (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = NULL;
  g_test_summary ("A drop-in's mistake names the drop-in, and a later value does not make up for it");
  write_file (fixture, "harkd.conf", "");
  write_file (fixture, "harkd.conf.d/a.conf", "[listen]\nport = x\n");
  write_file (fixture, "harkd.conf.d/b.conf", "[listen]\nport = 8000\n");
  config = load (fixture, NULL, NULL);
  g_assert_null (config);
  assert_mistakes (fixture, "harkd.conf.d/a.conf:2: [listen] port: \"x\" is not a whole number\n");
}

static void
test_precedence (Fixture *fixture, gconstpointer data)
{
  const char *const environment[]
    = { "HARK_LISTEN_PORT=2", "HARK_LISTEN_UNIX_MODE=0600", "HARK_LISTEN_BACKLOG=2", "HARK_TOKEN=x", "PATH=/bin", NULL };
  const char *const assignments[] = { "listen.port=3", "listen.port=4", "store.path=a=b.c", NULL };
  g_autoptr (HarkConfig) config = NULL;
  g_autofree char *path = NULL;
  g_test_summary ("The environment is stronger than the files, --set than both, the last --set than the first");
  write_file (fixture, "harkd.conf", "[listen]\nport = 1\nbacklog = 1\nunix-socket = /x\n");
  config = load (fixture, environment, assignments);
  assert_mistakes (fixture, "");
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_PORT), ==, 4);
  g_assert_cmpint (hark_config_get_int (config, HARK_SETTING_LISTEN_BACKLOG), ==, 2);
  g_assert_cmpuint (hark_config_get_mode (config, HARK_SETTING_LISTEN_UNIX_MODE), ==, 0600);
  g_assert_cmpstr (hark_config_get_origin (config, HARK_SETTING_LISTEN_PORT), ==, "--set");
  g_assert_cmpstr (hark_config_get_origin (config, HARK_SETTING_LISTEN_BACKLOG), ==, "environment HARK_LISTEN_BACKLOG");
  path = hark_config_dup_path (config, HARK_SETTING_STORE_PATH);
  g_assert_true (g_str_has_suffix (path, "/a=b.c"));
}

static void
test_other_mistakes (Fixture *fixture, gconstpointer data)
{
  const char *const environment[] = { "HARK_LISTEN_PORT=x", "HARK_LISTEN_PROT=1", "HARK_LOG_LEVEL=\xff", NULL };
  const char *const assignments[]
    = { "listen.port", "=", "port=1", "listen.prot=1", "lisen.port=1", "log.level=x", NULL };
  g_autoptr (HarkConfig) config = NULL;
  g_test_summary ("Mistakes in the environment and on the command line are named like those in files");
  write_file (fixture, "harkd.conf", "");
  config = load (fixture, environment, assignments);
  g_assert_null (config);
  assert_mistakes (fixture,
                   "environment HARK_LISTEN_PORT: [listen] port: \"x\" is not a whole number\n"
                   "environment HARK_LISTEN_PROT: [listen] prot: there is no such setting; did you mean \"port\"?\n"
                   "environment HARK_LOG_LEVEL: it is not UTF-8\n"
                   "--set listen.port: it must be section.key=value\n"
                   "--set =: it must be section.key=value\n"
                   "--set port=1: it must be section.key=value\n"
                   "--set: [listen] prot: there is no such setting; did you mean \"port\"?\n"
                   "--set: [lisen] port: there is no such section; did you mean [listen]?\n"
                   "--set: [log] level: \"x\" is none of: error, warning, notice, info, debug\n");
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  const char *const assignments[] = { "store.batch-max=1000", NULL };
  g_autoptr (HarkConfig) config = NULL;
  g_test_summary ("Settings that contradict each other are a mistake of whoever set one");
  write_file (fixture, "harkd.conf", "[limits]\nmessage-max = 2M\n[store]\nqueue-max = 999\n");
  config = load (fixture, NULL, assignments);
  g_assert_null (config);
  assert_mistakes (fixture,
                   "harkd.conf:2: [limits] message-max: it must not be greater than [limits] outbox-max: 2M > 1M\n"
                   "--set: [store] batch-max: it must not be greater than [store] queue-max: 1000 > 999\n");
}

static void
test_scopes (Fixture *fixture, gconstpointer data)
{
  const char *const plain[] = { "HOME=/home/ann", NULL };
  const char *const xdg[] = { "HOME=/home/ann", "XDG_CONFIG_HOME=/c", "XDG_STATE_HOME=/s", "XDG_RUNTIME_DIR=/r", NULL };
  const char *const managed[] = { "STATE_DIRECTORY=/var/lib/hark:/other", "RUNTIME_DIRECTORY=/run/hark", NULL };
  const char *const assignments[] = { "listen.unix-socket=socket", NULL };
  const struct
  {
    HarkConfigScope scope;
    const char *const *environment;
    const char *path;
    const char *store;
    const char *socket;
    const char *bus;
  } cases[] = {
    { HARK_CONFIG_USER, plain, "/home/ann/.config/hark/harkd.conf", "/home/ann/.local/state/hark/hark.db",
      "/home/ann/.cache/hark/socket", "session" },
    { HARK_CONFIG_USER, xdg, "/c/hark/harkd.conf", "/s/hark/hark.db", "/r/hark/socket", "session" },
    { HARK_CONFIG_USER, managed, NULL, "/var/lib/hark/hark.db", "/run/hark/socket", "session" },
    { HARK_CONFIG_SYSTEM, managed, NULL, "/var/lib/hark/hark.db", "/run/hark/socket", "system" },
    { HARK_CONFIG_SYSTEM, plain, NULL, NULL, "/run/hark/socket", "system" },
  };
  g_test_summary ("Files lie where the service manager, the XDG directories or the file system standard say");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      /* The system's own file is not looked at: this machine might have one. */
      const HarkConfigSources sources
        = { cases[i].scope, cases[i].path != NULL ? NULL : "/dev/null", cases[i].environment, assignments };
      g_autoptr (HarkConfig) config = hark_config_load (&sources, fixture->mistakes);
      g_autofree char *store = NULL;
      g_autofree char *socket = NULL;
      assert_mistakes (fixture, "");
      store = hark_config_dup_path (config, HARK_SETTING_STORE_PATH);
      socket = hark_config_dup_path (config, HARK_SETTING_LISTEN_UNIX_SOCKET);
      g_assert_cmpint (hark_config_get_scope (config), ==, cases[i].scope);
      g_assert_cmpstr (hark_config_get_path (config), ==, cases[i].path != NULL ? cases[i].path : "/dev/null");
      if (cases[i].store != NULL)
        g_assert_cmpstr (store, ==, cases[i].store);
      g_assert_true (g_str_has_suffix (store, "/lib/hark/hark.db") || cases[i].store != NULL);
      g_assert_cmpstr (socket, ==, cases[i].socket);
      g_assert_cmpstr (hark_config_get_string (config, HARK_SETTING_BUS_TYPE), ==, cases[i].bus);
    }
}

static void
test_dump (Fixture *fixture, gconstpointer data)
{
  const char *const assignments[] = { "listen.port=1", "store.path= a\\b\tc", "listen.address=::1;127.0.0.1", NULL };
  g_autoptr (HarkConfig) config = NULL;
  g_autoptr (HarkConfig) again = NULL;
  g_autoptr (GPtrArray) live = NULL;
  g_autoptr (GPtrArray) waiting = NULL;
  g_autofree char *dump = NULL;
  g_autofree char *origin = NULL;
  g_autofree char *path = NULL;
  g_autofree char *path_again = NULL;
  g_test_summary ("The dump says where each value is from, and read again it gives the same configuration");
  write_file (fixture, "harkd.conf", "[listen]\nbacklog = 5\n");
  config = load (fixture, NULL, assignments);
  assert_mistakes (fixture, "");
  dump = hark_config_dump (config);
  origin = g_strdup_printf ("# %s:2\nbacklog = 5\n", fixture->path);
  g_assert_nonnull (strstr (dump, origin));
  g_assert_nonnull (strstr (dump, "[listen]\n"));
  g_assert_nonnull (strstr (dump, "# --set\nport = 1\n"));
  g_assert_nonnull (strstr (dump, "# default\nlevel = notice\n"));
  write_file (fixture, "harkd.conf", dump);
  again = load (fixture, NULL, NULL);
  assert_mistakes (fixture, "");
  live = hark_config_compare (config, again, TRUE);
  waiting = hark_config_compare (config, again, FALSE);
  g_assert_cmpuint (live->len + waiting->len, ==, 0);
  path = hark_config_dup_path (config, HARK_SETTING_STORE_PATH);
  path_again = hark_config_dup_path (again, HARK_SETTING_STORE_PATH);
  g_assert_true (g_str_has_suffix (path, "/ a\\b\tc"));
  g_assert_cmpstr (path, ==, path_again);
}

static void
test_compare (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HarkConfig) config = NULL;
  g_autoptr (HarkConfig) newer = NULL;
  g_autoptr (GPtrArray) live = NULL;
  g_autoptr (GPtrArray) waiting = NULL;
  g_test_summary ("A reload knows what it can apply and what waits for a restart");
  write_file (fixture, "harkd.conf", "[listen]\nport = 1\n[log]\nlevel = info\n");
  config = load (fixture, NULL, NULL);
  write_file (fixture, "harkd.conf", "[listen]\nport = 2\n[log]\nlevel = debug\n");
  newer = load (fixture, NULL, NULL);
  live = hark_config_compare (config, newer, TRUE);
  waiting = hark_config_compare (config, newer, FALSE);
  g_assert_cmpuint (live->len, ==, 1);
  g_assert_cmpstr (live->pdata[0], ==, "[log] level");
  g_assert_cmpuint (waiting->len, ==, 1);
  g_assert_cmpstr (waiting->pdata[0], ==, "[listen] port");
}

/* HARK_EXAMPLE is the file that the build made. */
static void
test_example (Fixture *fixture, gconstpointer data)
{
  const char *example = g_getenv ("HARK_EXAMPLE");
  g_autofree char *contents = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GString) active = g_string_new (NULL);
  g_autoptr (HarkConfig) config = NULL;
  g_autoptr (GError) error = NULL;
  g_test_summary ("The example sets nothing; with its settings uncommented it sets everything, to the default");
  g_assert_nonnull (example);
  g_file_get_contents (example, &contents, NULL, &error);
  g_assert_no_error (error);
  write_file (fixture, "harkd.conf", contents);
  config = load (fixture, NULL, NULL);
  assert_mistakes (fixture, "");
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    g_assert_cmpstr (hark_config_get_origin (config, i), ==, "default");
  g_clear_pointer (&config, hark_config_unref);
  lines = g_strsplit (contents, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    g_string_append_printf (active, "%s\n", lines[i] + (lines[i][0] == '#' && lines[i][1] != ' ' ? 1 : 0));
  write_file (fixture, "harkd.conf", active->str);
  config = load (fixture, NULL, NULL);
  assert_mistakes (fixture, "");
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    g_assert_cmpstr (hark_config_get_origin (config, i), !=, "default");
}

#define ADD(name, func) g_test_add ("/config/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("defaults", test_defaults);
  ADD ("file", test_file);
  ADD ("mistakes", test_mistakes);
  ADD ("nul", test_nul);
  ADD ("missing", test_missing);
  ADD ("drop-ins", test_drop_ins);
  ADD ("drop-in-mistake", test_drop_in_mistake);
  ADD ("precedence", test_precedence);
  ADD ("other-mistakes", test_other_mistakes);
  ADD ("order", test_order);
  ADD ("scopes", test_scopes);
  ADD ("dump", test_dump);
  ADD ("compare", test_compare);
  ADD ("example", test_example);
  return g_test_run ();
}
