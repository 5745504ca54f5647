/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A password as somebody gives it to harkctl: typed twice at a terminal, where it is not shown, or as the first line of
 * standard input. Never as an argument, which everybody on the machine can read.
 */
#include "ctl/password.h"

#include "base/error.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* More than any hub would take. */
#define MAX_LINE 4096

static char *
read_line (GError **error)
{
  g_autofree char *line = g_malloc0 (MAX_LINE);
  gsize len;
  if (fgets (line, MAX_LINE, stdin) == NULL)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("there is no password on standard input"));
      return NULL;
    }
  len = strlen (line);
  if (len > 0 && line[len - 1] == '\n')
    line[len - 1] = '\0';
  else if (len == MAX_LINE - 1)
    {
      hark_ctl_free_password (g_steal_pointer (&line));
      g_set_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE, _ ("the password is too long"));
      return NULL;
    }
  if (g_utf8_validate (line, -1, NULL))
    return g_steal_pointer (&line);
  hark_ctl_free_password (g_steal_pointer (&line));
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("the password is not UTF-8"));
  return NULL;
}

static char *
ask (const char *prompt, GError **error)
{
  char *line;
  fputs (prompt, stderr);
  line = read_line (error);
  fputs ("\n", stderr);
  return line;
}

static char *
ask_twice (GError **error)
{
  char *one = ask (_ ("Password: "), error);
  char *two = one != NULL ? ask (_ ("Again: "), error) : NULL;
  gboolean same = g_strcmp0 (one, two) == 0;
  if (two != NULL && !same)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("the two are not the same"));
  hark_ctl_free_password (two);
  if (two != NULL && same)
    return one;
  hark_ctl_free_password (one);
  return NULL;
}

/**
 * hark_ctl_read_password:
 *
 * Returns: (transfer full): to be freed by hark_ctl_free_password ()
 */
char *
hark_ctl_read_password (GError **error)
{
  struct termios shown, hidden;
  char *password;
  if (tcgetattr (STDIN_FILENO, &shown) != 0)
    return read_line (error);
  hidden = shown;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &hidden);
  password = ask_twice (error);
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &shown);
  return password;
}

/* @password: (nullable): wiped */
void
hark_ctl_free_password (char *password)
{
  if (password != NULL)
    explicit_bzero (password, strlen (password));
  g_free (password);
}
