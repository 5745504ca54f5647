/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* harkd: reads its options and its configuration, runs the application, and says by its exit code how that went. */
#include <config.h>

#include "base/error.h"
#include "base/log.h"
#include "daemon/app.h"
#include "daemon/config.h"
#include "daemon/jwt-settings.h"
#include "daemon/program.h"
#include "daemon/upgrade-request.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <sysexits.h>

typedef struct
{
  gboolean user;
  gboolean system;
  gboolean check_config;
  gboolean dump_config;
  gboolean demo;
  gboolean upgrade;
  gboolean version;
  char *config;
  char **set;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->config);
  g_strfreev (self->set);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

typedef struct
{
  const Options *options;
  GMainLoop *loop; /* (owned) */
  HarkApp *app;    /* (owned) */
  HarkProgram *program;
  int status;
} Run;

static gboolean
parse_options (Options *self, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config, N_ ("Read this file and the directory beside it"),
      N_ ("FILE") },
    { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &self->set, N_ ("Set one thing, over all files"),
      N_ ("SECTION.KEY=VALUE") },
    { "system", 0, 0, G_OPTION_ARG_NONE, &self->system, N_ ("Run as the system service"), NULL },
    { "user", 0, 0, G_OPTION_ARG_NONE, &self->user, N_ ("Run as a user's service (the default, but for root)"), NULL },
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &self->check_config, N_ ("Say what is wrong with the configuration"),
      NULL },
    { "dump-config", 0, 0, G_OPTION_ARG_NONE, &self->dump_config,
      N_ ("Print every setting, and where its value comes from"), NULL },
    { "demo", 0, 0, G_OPTION_ARG_NONE, &self->demo, N_ ("Fill an empty store with a demo community"), NULL },
    { "upgrade", 0, 0, G_OPTION_ARG_NONE, &self->upgrade,
      N_ ("Have the running daemon go on as the program that is installed now, with all its connections"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->version, N_ ("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (_ ("— the realtime hub"));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("unexpected argument “%s”"), (*argv)[1]);
      return FALSE;
    }
  return TRUE;
}

/* Returns: (transfer full) (nullable): the configuration; without one its mistakes are printed */
static HarkConfig *
load_config (const Options *options)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GPtrArray) mistakes = g_ptr_array_new_with_free_func (g_free);
  gboolean system = options->system || (!options->user && geteuid () == 0);
  HarkConfigSources sources = {
    .scope = system ? HARK_CONFIG_SYSTEM : HARK_CONFIG_USER,
    .path = options->config,
    .environment = (const char *const *)environment,
    .assignments = (const char *const *)options->set,
  };
  g_autoptr (HarkConfig) config = hark_config_load (&sources, mistakes);
  if (config != NULL)
    hark_jwt_settings_load (config, 0, NULL, mistakes);
  for (guint i = 0; i < mistakes->len; i++)
    fprintf (stderr, "%s\n", (const char *)mistakes->pdata[i]);
  return mistakes->len == 0 ? g_steal_pointer (&config) : NULL;
}

static gboolean
on_stop_signal (gpointer data)
{
  Run *run = data;
  hark_app_stop (run->app);
  return G_SOURCE_CONTINUE;
}

/* SIGTERM: of a service manager that may be about to start us again. */
static gboolean
on_end_signal (gpointer data)
{
  Run *run = data;
  if (!hark_app_restart (run->app))
    hark_app_stop (run->app);
  return G_SOURCE_CONTINUE;
}

typedef struct
{
  Run *run;
  GTask *task; /* (owned) (nullable): who is told */
} Upgrade;

static void
on_program_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Upgrade *upgrade = data;
  g_autoptr (GTask) task = upgrade->task;
  GError *error = NULL;
  gboolean ok = hark_program_check_finish (result, &error) && hark_app_upgrade (upgrade->run->app, &error);
  if (!ok)
    hark_log (HARK_LOG_WARNING, NULL, NULL, "The daemon goes on as it is: %s", error->message);
  if (task != NULL && ok)
    g_task_return_boolean (task, TRUE);
  else if (task != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  g_clear_error (&error);
}

/* For HarkApp: Upgrade over D-Bus; and for SIGUSR2, without a task. */
static void
on_app_upgrade (GTask *task, gpointer data)
{
  Upgrade *upgrade = g_new (Upgrade, 1);
  upgrade->run = data;
  upgrade->task = task;
  hark_program_check_async (upgrade->run->program, on_program_checked, upgrade);
}

static gboolean
on_upgrade_signal (gpointer data)
{
  on_app_upgrade (NULL, data);
  return G_SOURCE_CONTINUE;
}

/* For HarkApp: SIGHUP, and Reload over D-Bus. */
static HarkConfig *
on_app_reload (gpointer data)
{
  Run *run = data;
  return load_config (run->options);
}

static gboolean
on_reload_signal (gpointer data)
{
  Run *run = data;
  g_autoptr (GError) error = NULL;
  if (!hark_app_reload (run->app, &error))
    hark_log (HARK_LOG_WARNING, NULL, NULL, "The configuration was not reloaded: %s", error->message);
  return G_SOURCE_CONTINUE;
}

static void
on_app_stopped (HarkApp *app, Run *run)
{
  g_main_loop_quit (run->loop);
}

static void
on_app_failed (HarkApp *app, GError *error, Run *run)
{
  hark_log (HARK_LOG_ERROR, NULL, NULL, "%s", error->message);
  run->status = hark_error_get_exit_code (hark_error_get_code (error));
  hark_app_stop (app);
}

static int
run_app (const Options *options, HarkConfig *config, HarkProgram *program)
{
  Run run = { options, g_main_loop_new (NULL, FALSE), NULL, program, EX_OK };
  g_autoptr (GError) error = NULL;
  int handoff_fd = hark_program_take_handoff_fd ();
  guint sources[4];
  hark_log_init ();
  hark_log_set_level (hark_config_get_enum (config, HARK_SETTING_LOG_LEVEL));
  run.app = hark_app_new (config, options->demo);
  hark_app_set_reload (run.app, on_app_reload, &run);
  hark_app_set_upgrade (run.app, on_app_upgrade, &run);
  if (handoff_fd >= 0)
    hark_app_take_handoff (run.app, handoff_fd);
  g_signal_connect (run.app, "stopped", G_CALLBACK (on_app_stopped), &run);
  g_signal_connect (run.app, "failed", G_CALLBACK (on_app_failed), &run);
  sources[0] = g_unix_signal_add (SIGTERM, on_end_signal, &run);
  sources[1] = g_unix_signal_add (SIGINT, on_stop_signal, &run);
  sources[2] = g_unix_signal_add (SIGHUP, on_reload_signal, &run);
  sources[3] = g_unix_signal_add (SIGUSR2, on_upgrade_signal, &run);
  if (hark_app_start (run.app, &error))
    {
      g_main_loop_run (run.loop);
    }
  else
    {
      hark_log (HARK_LOG_ERROR, NULL, NULL, "%s", error->message);
      run.status = hark_error_get_exit_code (hark_error_get_code (error));
    }
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    g_source_remove (sources[i]);
  handoff_fd = hark_app_steal_handoff (run.app);
  if (handoff_fd >= 0)
    {
      hark_program_execute (program, handoff_fd, &error);
      hark_log (HARK_LOG_ERROR, NULL, NULL, "%s", error->message);
      run.status = EX_OSERR;
    }
  g_object_unref (run.app);
  g_main_loop_unref (run.loop);
  return run.status;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkConfig) config = NULL;
  g_autoptr (HarkProgram) program = hark_program_new (argv);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, HARK_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  if (!parse_options (&options, &argc, &argv, &error))
    {
      fprintf (stderr, "harkd: %s\n", error->message);
      return EX_USAGE;
    }
  if (options.version)
    {
      printf ("harkd %s\n", HARK_VERSION);
      return EX_OK;
    }
  config = load_config (&options);
  if (config == NULL)
    return EX_CONFIG;
  if (options.check_config)
    return EX_OK;
  if (options.dump_config)
    {
      g_autofree char *dump = hark_config_dump (config);
      fputs (dump, stdout);
      return EX_OK;
    }
  if (options.upgrade)
    {
      if (hark_upgrade_request (config, &error))
        return EX_OK;
      fprintf (stderr, "harkd: %s\n", error->message);
      return EX_UNAVAILABLE;
    }
  return run_app (&options, config, program);
}
