/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bar on standard error, so that what a command prints can go elsewhere. */
#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define MIN_BAR 5
#define MAX_BAR 40

struct _HarkCtlProgress
{
  char *text; /* (owned) */
  guint64 total;
  gboolean is_terminal;
  guint columns;
  gboolean is_shown;
};

/* @columns: (out): how wide it is. Returns: whether standard error is a terminal */
gboolean
hark_ctl_progress_is_wanted (guint *columns)
{
  struct winsize size = { 0 };
  *columns = ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
  return isatty (STDERR_FILENO);
}

/**
 * hark_ctl_progress_new:
 * @text: what is being done
 * @total: how much of it there is
 * @columns: of the terminal
 */
HarkCtlProgress *
hark_ctl_progress_new (const char *text, guint64 total, gboolean is_terminal, guint columns)
{
  HarkCtlProgress *self = g_new0 (HarkCtlProgress, 1);
  self->text = g_strdup (text);
  self->total = total;
  self->is_terminal = is_terminal;
  self->columns = columns;
  return self;
}

/* The line is taken away again: what follows is the command's own. */
void
hark_ctl_progress_free (HarkCtlProgress *self)
{
  if (self->is_shown)
    fputs ("\r\033[K", stderr);
  g_free (self->text);
  g_free (self);
}

/**
 * hark_ctl_progress_format:
 *
 * Returns: (transfer full): "Draining [####------]  40%  400/1000", no wider than the terminal
 */
char *
hark_ctl_progress_format (HarkCtlProgress *self, guint64 done)
{
  guint64 clamped = MIN (done, self->total);
  guint percent = self->total > 0 ? clamped * 100 / self->total : 100;
  g_autofree char *tail
    = g_strdup_printf ("%3u%%  %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, percent, clamped, self->total);
  guint used = g_utf8_strlen (self->text, -1) + strlen (tail) + 5;
  guint width = self->columns > used ? MIN (self->columns - used, MAX_BAR) : 0;
  g_autoptr (GString) bar = g_string_new (NULL);
  if (width < MIN_BAR)
    return g_strdup_printf ("%s %s", self->text, tail);
  for (guint i = 0; i < width; i++)
    g_string_append_c (bar, i < width * percent / 100 ? '#' : '-');
  return g_strdup_printf ("%s [%s] %s", self->text, bar->str, tail);
}

void
hark_ctl_progress_update (HarkCtlProgress *self, guint64 done)
{
  g_autofree char *line = NULL;
  if (!self->is_terminal)
    return;
  line = hark_ctl_progress_format (self, done);
  fprintf (stderr, "\r%s\033[K", line);
  fflush (stderr);
  self->is_shown = TRUE;
}
