/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _HarkCtl HarkCtl;
typedef struct _HarkCtlInvocation HarkCtlInvocation;

#define HARK_CTL_MAX_ARGS 3
#define HARK_CTL_MAX_OPTIONS 6

/* What a word of the command line stands for: how it is completed. */
typedef enum
{
  HARK_CTL_WORD_TEXT, /* anything */
  HARK_CTL_WORD_NONE, /* of an option: it takes no value */
  HARK_CTL_WORD_USER,
  HARK_CTL_WORD_SERVER,
  HARK_CTL_WORD_CHANNEL,
  HARK_CTL_WORD_ROLE, /* SERVER/NAME */
  HARK_CTL_WORD_TOKEN,
  HARK_CTL_WORD_SESSION,
  HARK_CTL_WORD_COMMAND
} HarkCtlWord;

typedef struct
{
  const char *name; /* in capitals, as the help shows it; %NULL ends the list */
  HarkCtlWord word;
  gboolean is_optional;
} HarkCtlArg;

typedef struct
{
  const char *name; /* without the dashes; %NULL ends the list */
  HarkCtlWord word;
  const char *value; /* (nullable): in capitals, as the help shows it */
  const char *help;  /* to be translated */
} HarkCtlOption;

/**
 * HarkCtlCommand:
 *
 * One thing harkctl can do: a noun and, where there are several things to do with it, a verb. The table of them is what
 * the parser, the help and the completion know.
 */
typedef struct
{
  const char *noun;
  const char *verb;    /* (nullable) */
  const char *summary; /* to be translated: one line, no full stop */
  HarkCtlArg args[HARK_CTL_MAX_ARGS + 1];
  HarkCtlOption options[HARK_CTL_MAX_OPTIONS + 1];
  gboolean (*run) (HarkCtl *ctl, HarkCtlInvocation *invocation, GError **error);
} HarkCtlCommand;

/* In the order in which the help lists them; the verb that a noun alone stands for is its first. */
extern const HarkCtlCommand hark_ctl_commands[];
extern const guint hark_ctl_n_commands;
extern const HarkCtlOption hark_ctl_global_options[];

const HarkCtlCommand *hark_ctl_command_find (const char *noun, const char *verb);
const HarkCtlOption *hark_ctl_option_find (const HarkCtlCommand *command, const char *name);

G_END_DECLS
