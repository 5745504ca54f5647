/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/settings.h"

G_BEGIN_DECLS

/* For whom the daemon runs; decides where its files are and which bus it is on. */
typedef enum
{
  HARK_CONFIG_SYSTEM,
  HARK_CONFIG_USER
} HarkConfigScope;

/**
 * HarkConfigSources:
 * @path: (nullable): the file; %NULL for the scope's own, which need not exist
 * @environment: (nullable): as from g_get_environ ()
 * @assignments: (nullable): "section.key=value", as from `--set`
 *
 * Where settings come from, each stronger than the one before: defaults, the file, the files "*.conf" in the
 * directory of its name and ".d", in order of their names, the environment, the command line.
 */
typedef struct
{
  HarkConfigScope scope;
  const char *path;
  const char *const *environment;
  const char *const *assignments;
} HarkConfigSources;

/**
 * HarkConfig:
 *
 * What every setting is set to, and by what. Immutable: a reload makes a new one. Belongs to one thread.
 */
typedef struct _HarkConfig HarkConfig;

HarkConfig *hark_config_load (const HarkConfigSources *sources, GPtrArray *mistakes);
HarkConfig *hark_config_ref (HarkConfig *self);
void hark_config_unref (HarkConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HarkConfig, hark_config_unref)

HarkConfigScope hark_config_get_scope (HarkConfig *self);
const char *hark_config_get_path (HarkConfig *self);

gint64 hark_config_get_int (HarkConfig *self, HarkSetting setting);
gint64 hark_config_get_bytes (HarkConfig *self, HarkSetting setting);
gint64 hark_config_get_ms (HarkConfig *self, HarkSetting setting);
gboolean hark_config_get_bool (HarkConfig *self, HarkSetting setting);
guint hark_config_get_enum (HarkConfig *self, HarkSetting setting);
guint hark_config_get_mode (HarkConfig *self, HarkSetting setting);
const char *hark_config_get_string (HarkConfig *self, HarkSetting setting);
const char *const *hark_config_get_strings (HarkConfig *self, HarkSetting setting);
char *hark_config_dup_path (HarkConfig *self, HarkSetting setting);

const char *hark_config_get_origin (HarkConfig *self, HarkSetting setting);
char *hark_config_dump (HarkConfig *self);
GPtrArray *hark_config_compare (HarkConfig *self, HarkConfig *newer, gboolean live);

G_END_DECLS
