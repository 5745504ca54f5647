/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

int hark_file_lock_take (const char *path, GError **error);

G_END_DECLS
