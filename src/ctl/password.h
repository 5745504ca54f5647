/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *hark_ctl_read_password (GError **error);
void hark_ctl_free_password (char *password);

G_END_DECLS
