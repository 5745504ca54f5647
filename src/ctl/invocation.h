/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/command.h"

G_BEGIN_DECLS

/**
 * HarkCtlInvocation:
 *
 * A command line, taken apart.
 */
struct _HarkCtlInvocation
{
  const HarkCtlCommand *command; /* (nullable): %NULL when no noun was given */
  char *noun;                    /* (owned) (nullable): the first word */
  GPtrArray *args;               /* (element-type utf8) (owned): what follows noun and verb */
  GHashTable *options;           /* name → value (owned); "" for those without */
  gboolean lacks_verb;           /* the noun has verbs, none was given, and @command is its first */
};

HarkCtlInvocation *hark_ctl_invocation_parse (const char *const *words, GError **error);
gboolean hark_ctl_invocation_check (HarkCtlInvocation *self, GError **error);
void hark_ctl_invocation_free (HarkCtlInvocation *self);
const char *hark_ctl_invocation_get_arg (HarkCtlInvocation *self, guint i);
const char *hark_ctl_invocation_get_option (HarkCtlInvocation *self, const char *name);
gboolean hark_ctl_invocation_has (HarkCtlInvocation *self, const char *name);
gboolean hark_ctl_invocation_get_int (HarkCtlInvocation *self, const char *name, gint64 min, gint64 max, gint64 *out,
                                      GError **error);
gboolean hark_ctl_invocation_get_boolean (HarkCtlInvocation *self, const char *name, gboolean *out, GError **error);
gboolean hark_ctl_invocation_get_seconds (HarkCtlInvocation *self, const char *name, gint64 *out, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkCtlInvocation, hark_ctl_invocation_free)

G_END_DECLS
