/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program by which this process goes on in place: it is found when the process starts, asked whether it can be run
 * with the present configuration while the old one still serves, and executed when that has let go of everything.
 */
#include "daemon/program.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The variable of the environment by which the next program finds what this one leaves. */
#define VARIABLE "HARK_HANDOFF_FD"

#define SELF "/proc/self/exe"

struct _HarkProgram
{
  char *path;  /* (owned) */
  char **argv; /* (owned) */
};

/**
 * hark_program_new:
 * @argv: as main() got it, whole
 *
 * Returns: (transfer full)
 */
HarkProgram *
hark_program_new (char *const *argv)
{
  HarkProgram *self = g_new0 (HarkProgram, 1);
  self->argv = g_strdupv ((char **)argv);
  if (strchr (argv[0], '/') != NULL)
    self->path = g_canonicalize_filename (argv[0], NULL);
  else
    self->path = g_find_program_in_path (argv[0]);
  if (self->path == NULL)
    self->path = g_file_read_link (SELF, NULL);
  return self;
}

void
hark_program_free (HarkProgram *self)
{
  g_free (self->path);
  g_strfreev (self->argv);
  g_free (self);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GSubprocess *subprocess = G_SUBPROCESS (source);
  g_autoptr (GError) error = NULL;
  g_autofree char *said = NULL;
  if (!g_subprocess_communicate_utf8_finish (subprocess, result, NULL, &said, &error))
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_CONFLICT, "the new program cannot be asked: %s",
                             error->message);
  else if (!g_subprocess_get_successful (subprocess))
    g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_CONFLICT, "the new program cannot go on: %s",
                             said != NULL && *said != '\0' ? g_strchomp (said) : "it does not say why");
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * hark_program_check_async:
 *
 * Asks the program whether it can be run with this process's arguments: by --check-config.
 */
void
hark_program_check_async (HarkProgram *self, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, callback, data);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GSubprocess) subprocess = NULL;
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  g_strv_builder_add (builder, self->path);
  g_strv_builder_addv (builder, (const char **)self->argv + 1);
  g_strv_builder_add (builder, "--check-config");
  argv = g_strv_builder_end (builder);
  g_task_set_source_tag (task, hark_program_check_async);
  subprocess = g_subprocess_newv ((const char *const *)argv, G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  if (subprocess == NULL)
    {
      g_task_return_new_error (task, HARK_ERROR, HARK_ERROR_CONFLICT, "the new program cannot be started: %s",
                               error->message);
      g_object_unref (task);
      return;
    }
  g_subprocess_communicate_utf8_async (subprocess, NULL, NULL, on_checked, task);
}

/* Returns: whether it can; otherwise %HARK_ERROR_CONFLICT, with what it said */
gboolean
hark_program_check_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * hark_program_execute:
 * @handoff_fd: what it takes with hark_program_take_handoff_fd ()
 *
 * Puts the program in the place of this process. When it has gone meanwhile, the present one goes on, anew. Returns only
 * when neither can be executed, with %HARK_ERROR_INTERNAL.
 */
void
hark_program_execute (HarkProgram *self, int handoff_fd, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%d", handoff_fd);
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), VARIABLE, number, TRUE);
  execve (self->path, self->argv, environment);
  g_message ("%s: %s", self->path, g_strerror (errno));
  execve (SELF, self->argv, environment);
  g_set_error (error, HARK_ERROR, HARK_ERROR_INTERNAL, "No program can go on: %s: %s", self->path, g_strerror (errno));
}

/* Returns: (transfer full): the descriptor that hark_program_execute () was given; -1 when this process was started anew */
int
hark_program_take_handoff_fd (void)
{
  const char *number = g_getenv (VARIABLE);
  guint64 fd = 0;
  gboolean is_number = number != NULL && g_ascii_string_to_unsigned (number, 10, 0, G_MAXINT, &fd, NULL);
  g_unsetenv (VARIABLE);
  return is_number ? (int)fd : -1;
}
