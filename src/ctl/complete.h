/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/ctl.h"

G_BEGIN_DECLS

typedef void (*HarkCtlCompleteFunc) (const char *word, gpointer data);

void hark_ctl_complete (HarkCtl *ctl, const char *const *words, HarkCtlCompleteFunc func, gpointer data);

G_END_DECLS
