/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkCtlProgress:
 *
 * How far long work is, in one line that is written again and again: on a terminal, and nowhere else.
 */
typedef struct _HarkCtlProgress HarkCtlProgress;

HarkCtlProgress *hark_ctl_progress_new (const char *text, guint64 total, gboolean is_terminal, guint columns);
void hark_ctl_progress_free (HarkCtlProgress *self);
void hark_ctl_progress_update (HarkCtlProgress *self, guint64 done);
char *hark_ctl_progress_format (HarkCtlProgress *self, guint64 done);
gboolean hark_ctl_progress_is_wanted (guint *columns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkCtlProgress, hark_ctl_progress_free)

G_END_DECLS
