/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/invocation.h"

G_BEGIN_DECLS

char *hark_ctl_help_format (const char *noun, const HarkCtlCommand *command);
char *hark_ctl_help_format_synopsis (const HarkCtlCommand *command);

G_END_DECLS
