/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/**
 * HarkSettingValue:
 *
 * What a setting is set to, by its type: @number, @text (strings and paths) or @list. Zeroed it is empty.
 */
typedef struct
{
  gint64 number; /* bytes, milliseconds, 0 or 1, an index among the choices, or just a number */
  char *text;    /* (owned) (nullable) */
  char **list;   /* (owned) (nullable) */
} HarkSettingValue;

void hark_setting_value_clear (HarkSettingValue *self);
char *hark_setting_value_parse (HarkSettingValue *self, const HarkSettingInfo *info, const char *text);

char *hark_setting_format_number (HarkSettingType type, gint64 number);

G_END_DECLS
