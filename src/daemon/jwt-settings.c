/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The section [jwt] of the configuration, with the keys that it names. It is read when the configuration is, so that a
 * key that is missing or too weak is a mistake like any other: named by --check-config, and by a start that does not
 * come to pass.
 */
#include "daemon/jwt-settings.h"

/* @from: what set it, or what makes it needed */
static void
add_mistake (HarkConfig *config, GPtrArray *mistakes, HarkSetting from, HarkSetting setting, const char *what)
{
  const HarkSettingInfo *info = hark_setting_get_info (setting);
  g_ptr_array_add (mistakes, g_strdup_printf ("%s: [%s] %s: %s", hark_config_get_origin (config, from), info->section,
                                              info->key, what));
}

static void
add_key (HarkConfig *config, HarkSetting setting, HarkJwtAlgorithm algorithm, HarkJwtIssuer *issuer, GPtrArray *mistakes)
{
  g_autofree char *path = hark_config_dup_path (config, setting);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkJwtKey) key = NULL;
  gsize len;
  if (path != NULL && g_file_get_contents (path, &data, &len, &error))
    key = hark_jwt_key_new (algorithm, data, len, &error);
  if (key != NULL)
    hark_jwt_issuer_take_key (issuer, g_steal_pointer (&key));
  else if (error != NULL)
    add_mistake (config, mistakes, setting, setting, error->message);
}

static void
require (HarkConfig *config, HarkSetting setting, const char *text, GPtrArray *mistakes)
{
  if (text == NULL || *text == '\0')
    add_mistake (config, mistakes, HARK_SETTING_JWT_ALGORITHM, setting, "it is required with an algorithm");
}

/**
 * hark_jwt_settings_load:
 * @name_chars: of a user's name to show
 * @issuer: (out) (optional) (nullable) (transfer full): whose JWTs let in; %NULL when nobody's do
 * @mistakes: (element-type utf8): all mistakes are added, as by hark_config_load ()
 *
 * Returns: whether there was no mistake
 */
gboolean
hark_jwt_settings_load (HarkConfig *config, guint name_chars, HarkJwtIssuer **issuer, GPtrArray *mistakes)
{
  guint choice = hark_config_get_enum (config, HARK_SETTING_JWT_ALGORITHM); /* 0: off */
  g_autofree char *path = hark_config_dup_path (config, HARK_SETTING_JWT_KEY_FILE);
  const HarkJwtRules rules = {
    .issuer = hark_config_get_string (config, HARK_SETTING_JWT_ISSUER),
    .audience = hark_config_get_string (config, HARK_SETTING_JWT_AUDIENCE),
    .leeway_s = hark_config_get_ms (config, HARK_SETTING_JWT_LEEWAY) / 1000,
    .max_lifetime_s = hark_config_get_ms (config, HARK_SETTING_JWT_MAX_LIFETIME) / 1000,
    .name_chars = name_chars,
    .create_users = hark_config_get_bool (config, HARK_SETTING_JWT_CREATE_USERS),
  };
  g_autoptr (HarkJwtIssuer) made = NULL;
  guint before = mistakes->len;
  if (issuer != NULL)
    *issuer = NULL;
  if (choice == 0)
    return TRUE;
  made = hark_jwt_issuer_new (choice - 1, &rules);
  require (config, HARK_SETTING_JWT_KEY_FILE, path, mistakes);
  require (config, HARK_SETTING_JWT_ISSUER, rules.issuer, mistakes);
  require (config, HARK_SETTING_JWT_AUDIENCE, rules.audience, mistakes);
  add_key (config, HARK_SETTING_JWT_KEY_FILE, choice - 1, made, mistakes);
  add_key (config, HARK_SETTING_JWT_SECOND_KEY_FILE, choice - 1, made, mistakes);
  if (mistakes->len > before)
    return FALSE;
  if (issuer != NULL)
    *issuer = g_steal_pointer (&made);
  return TRUE;
}
