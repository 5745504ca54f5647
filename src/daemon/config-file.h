/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/**
 * HarkConfigFileFunc:
 * @text: the setting's value, its escapes undone
 * @line: from 1
 */
typedef void (*HarkConfigFileFunc) (HarkSetting setting, const char *text, guint line, gpointer data);

void hark_config_file_read (const char *path, GPtrArray *mistakes, HarkConfigFileFunc func, gpointer data);
void hark_config_file_parse (const char *path, const char *contents, gsize len, GPtrArray *mistakes,
                             HarkConfigFileFunc func, gpointer data);

G_END_DECLS
