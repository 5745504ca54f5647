/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration: goes through the sources in order and keeps, of each setting, the last value and where it came
 * from. All mistakes are collected, since whoever corrects one wants to know of the others; with any, there is no
 * configuration.
 */
#include "daemon/config.h"

#include "daemon/config-file.h"
#include "daemon/setting-value.h"

#include <config.h> /* the build's, not the one beside this file */
#include <gio/gio.h>
#include <string.h>

typedef struct
{
  HarkSettingValue value;
  char *text;   /* (owned): as it was written */
  char *origin; /* (owned) (nullable): who wrote it; %NULL: nobody, it is the default */
} Entry;

struct _HarkConfig
{
  guint refs;
  HarkConfigScope scope;
  char *path;
  char *state_directory;
  char *runtime_directory;
  Entry entries[HARK_N_SETTINGS];
};

static void
entry_clear (Entry *self)
{
  hark_setting_value_clear (&self->value);
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->origin, g_free);
}

HarkConfig *
hark_config_ref (HarkConfig *self)
{
  self->refs++;
  return self;
}

void
hark_config_unref (HarkConfig *self)
{
  if (--self->refs > 0)
    return;
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    entry_clear (&self->entries[i]);
  g_free (self->path);
  g_free (self->state_directory);
  g_free (self->runtime_directory);
  g_free (self);
}

/* While it is loaded. */
typedef struct
{
  HarkConfig *config;
  GPtrArray *mistakes; /* (element-type utf8) */
  const char *path;    /* of the file that is read */
} Loader;

/* @origin: (transfer full) (nullable) */
static void
set (Loader *loader, HarkSetting setting, const char *text, char *origin)
{
  const HarkSettingInfo *info = hark_setting_get_info (setting);
  Entry entry = { .text = g_strdup (text), .origin = origin };
  g_autofree char *problem = hark_setting_value_parse (&entry.value, info, text);
  if (problem != NULL)
    {
      g_ptr_array_add (loader->mistakes, g_strdup_printf ("%s: [%s] %s: %s", origin, info->section, info->key, problem));
      entry_clear (&entry);
      return;
    }
  entry_clear (&loader->config->entries[setting]);
  loader->config->entries[setting] = entry;
}

static void
on_file_setting (HarkSetting setting, const char *text, guint line, gpointer data)
{
  Loader *loader = data;
  set (loader, setting, text, g_strdup_printf ("%s:%u", loader->path, line));
}

static void
load_file (Loader *loader, const char *path)
{
  loader->path = path;
  hark_config_file_read (path, loader->mistakes, on_file_setting, loader);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
load_drop_ins (Loader *loader, const char *path)
{
  g_autofree char *directory = g_strconcat (path, ".d", NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);
  const char *name;
  if (dir == NULL)
    {
      if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
          && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
        g_ptr_array_add (loader->mistakes, g_strdup_printf ("%s: %s", directory, error->message));
      return;
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (name[0] != '.' && g_str_has_suffix (name, ".conf"))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *file = g_build_filename (directory, names->pdata[i], NULL);
      load_file (loader, file);
    }
}

/* "HARK_LIMITS_MESSAGE_MAX=64K". Other variables that begin with HARK_ and no section are somebody else's. */
static void
load_variable (Loader *loader, const char *variable)
{
  g_autofree char *name = g_strndup (variable, strcspn (variable, "="));
  const char *value = variable + strlen (name) + (variable[strlen (name)] == '=');
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      g_autofree char *known = hark_setting_get_variable (i);
      if (strcmp (known, name) == 0)
        {
          if (g_utf8_validate (value, -1, NULL))
            set (loader, i, value, g_strdup_printf ("environment %s", name));
          else
            g_ptr_array_add (loader->mistakes, g_strdup_printf ("environment %s: it is not UTF-8", name));
          return;
        }
    }
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const char *section = hark_setting_get_info (i)->section;
      g_autofree char *lower = g_strdelimit (g_ascii_strdown (name + strlen ("HARK_"), -1), "_", '-');
      gsize len = strlen (section);
      if (strncmp (lower, section, len) == 0 && lower[len] == '-')
        {
          g_autofree char *suggestion = hark_setting_suggest (section, lower + len + 1);
          g_ptr_array_add (loader->mistakes,
                           g_strdup_printf ("environment %s: [%s] %s: there is no such setting%s%s", name, section,
                                            lower + len + 1, suggestion != NULL ? "; " : "",
                                            suggestion != NULL ? suggestion : ""));
          return;
        }
    }
}

static void
load_assignment (Loader *loader, const char *assignment)
{
  gsize name_len = strcspn (assignment, "=");
  gsize section_len = strcspn (assignment, ".");
  g_autofree char *section = NULL;
  g_autofree char *key = NULL;
  g_autofree char *suggestion = NULL;
  HarkSetting setting;
  if (assignment[name_len] != '=' || section_len >= name_len || !g_utf8_validate (assignment, -1, NULL))
    {
      g_autofree char *valid = g_utf8_make_valid (assignment, -1);
      g_ptr_array_add (loader->mistakes, g_strdup_printf ("--set %s: it must be section.key=value", valid));
      return;
    }
  section = g_strndup (assignment, section_len);
  key = g_strndup (assignment + section_len + 1, name_len - section_len - 1);
  if (hark_setting_find (section, key, &setting))
    {
      set (loader, setting, assignment + name_len + 1, g_strdup ("--set"));
      return;
    }
  suggestion = hark_setting_suggest (section, key);
  g_ptr_array_add (loader->mistakes,
                   g_strdup_printf ("--set: [%s] %s: there is no such %s%s%s", section, key,
                                    hark_setting_get_section_doc (section) != NULL ? "setting" : "section",
                                    suggestion != NULL ? "; " : "", suggestion != NULL ? suggestion : ""));
}

/* What is wrong only together. */
static void
check_order (Loader *loader, HarkSetting small, HarkSetting large)
{
  const HarkSettingInfo *small_info = hark_setting_get_info (small);
  const HarkSettingInfo *large_info = hark_setting_get_info (large);
  const Entry *small_entry = &loader->config->entries[small];
  const Entry *large_entry = &loader->config->entries[large];
  gboolean small_is_newer = small_entry->origin != NULL;
  if (small_entry->value.number <= large_entry->value.number)
    return;
  g_ptr_array_add (loader->mistakes, g_strdup_printf ("%s: [%s] %s: it must not be greater than [%s] %s: %s > %s",
                                                      small_is_newer ? small_entry->origin : large_entry->origin,
                                                      small_info->section, small_info->key, large_info->section,
                                                      large_info->key, small_entry->text, large_entry->text));
}

/* The service manager's, the first if they are several; otherwise @fallback. */
static char *
take_directory (char **environment, const char *variable, char *fallback)
{
  const char *given = g_environ_getenv (environment, variable);
  if (given == NULL || given[0] == '\0')
    return fallback;
  g_free (fallback);
  return g_strndup (given, strcspn (given, ":"));
}

/* By the XDG base directory specification. */
static char *
find_user_directory (char **environment, const char *variable, const char *below_home)
{
  const char *base = g_environ_getenv (environment, variable);
  const char *home = g_environ_getenv (environment, "HOME");
  if (base != NULL && base[0] == '/')
    return g_build_filename (base, "hark", NULL);
  return g_build_filename (home != NULL ? home : g_get_home_dir (), below_home, "hark", NULL);
}

static void
find_directories (HarkConfig *self, char **environment)
{
  gboolean user = self->scope == HARK_CONFIG_USER;
  self->state_directory = take_directory (environment, "STATE_DIRECTORY",
                                          user ? find_user_directory (environment, "XDG_STATE_HOME", ".local/state")
                                               : g_strdup (HARK_STATEDIR));
  self->runtime_directory = take_directory (environment, "RUNTIME_DIRECTORY",
                                            user ? find_user_directory (environment, "XDG_RUNTIME_DIR", ".cache")
                                                 : g_strdup (HARK_RUNTIMEDIR));
}

static char *
find_path (const HarkConfigSources *sources, char **environment)
{
  g_autofree char *directory = NULL;
  if (sources->path != NULL)
    return g_strdup (sources->path);
  if (sources->scope == HARK_CONFIG_SYSTEM)
    return g_build_filename (HARK_SYSCONFDIR, "hark", "harkd.conf", NULL);
  directory = find_user_directory (environment, "XDG_CONFIG_HOME", ".config");
  return g_build_filename (directory, "harkd.conf", NULL);
}

/**
 * hark_config_load:
 * @mistakes: (element-type utf8): all mistakes are added, each a line like "file:line: [section] key: what is wrong"
 *
 * Returns: (transfer full) (nullable): the configuration, %NULL when there is any mistake
 */
HarkConfig *
hark_config_load (const HarkConfigSources *sources, GPtrArray *mistakes)
{
  g_autoptr (HarkConfig) self = g_new0 (HarkConfig, 1);
  g_auto (GStrv) environment = g_strdupv ((char **)sources->environment);
  Loader loader = { .config = self, .mistakes = mistakes };
  guint before = mistakes->len;
  Entry *bus;
  self->refs = 1;
  self->scope = sources->scope;
  self->path = find_path (sources, environment);
  find_directories (self, environment);
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    set (&loader, i, hark_setting_get_info (i)->fallback, NULL);
  g_assert (mistakes->len == before);
  if (sources->path != NULL || g_file_test (self->path, G_FILE_TEST_EXISTS))
    load_file (&loader, self->path);
  load_drop_ins (&loader, self->path);
  for (guint i = 0; environment != NULL && environment[i] != NULL; i++)
    if (g_str_has_prefix (environment[i], "HARK_"))
      load_variable (&loader, environment[i]);
  for (guint i = 0; sources->assignments != NULL && sources->assignments[i] != NULL; i++)
    load_assignment (&loader, sources->assignments[i]);
  check_order (&loader, HARK_SETTING_LIMITS_MESSAGE_MAX, HARK_SETTING_LIMITS_OUTBOX_MAX);
  check_order (&loader, HARK_SETTING_STORE_BATCH_MAX, HARK_SETTING_STORE_QUEUE_MAX);
  check_order (&loader, HARK_SETTING_STORE_CHECKPOINT_PAGES, HARK_SETTING_STORE_LOG_PAGES_MAX);
  if (mistakes->len > before)
    return NULL;
  bus = &self->entries[HARK_SETTING_BUS_TYPE];
  if (strcmp (bus->value.text, "auto") == 0)
    {
      g_free (bus->value.text);
      bus->value.text = g_strdup (self->scope == HARK_CONFIG_SYSTEM ? "system" : "session");
    }
  return g_steal_pointer (&self);
}

HarkConfigScope
hark_config_get_scope (HarkConfig *self)
{
  return self->scope;
}

/* Returns: the main file, whether it exists or not */
const char *
hark_config_get_path (HarkConfig *self)
{
  return self->path;
}

static const HarkSettingValue *
get_value (HarkConfig *self, HarkSetting setting, HarkSettingType type)
{
  g_assert (hark_setting_get_info (setting)->type == type);
  return &self->entries[setting].value;
}

gint64
hark_config_get_int (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_INT)->number;
}

gint64
hark_config_get_bytes (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_BYTES)->number;
}

/* Returns: a duration, in milliseconds */
gint64
hark_config_get_ms (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_DURATION)->number;
}

gboolean
hark_config_get_bool (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_BOOL)->number != 0;
}

/* Returns: the index of the choice in the setting's row */
guint
hark_config_get_enum (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_ENUM)->number;
}

guint
hark_config_get_mode (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_MODE)->number;
}

const char *
hark_config_get_string (HarkConfig *self, HarkSetting setting)
{
  return get_value (self, setting, HARK_SETTING_TYPE_STRING)->text;
}

/* Returns: (transfer none): %NULL-terminated, may be empty */
const char *const *
hark_config_get_strings (HarkConfig *self, HarkSetting setting)
{
  return (const char *const *)get_value (self, setting, HARK_SETTING_TYPE_STRING_LIST)->list;
}

/**
 * hark_config_dup_path:
 *
 * Returns: (transfer full) (nullable): the path, made absolute by the state or the runtime directory, whichever the
 *   setting belongs to; %NULL when it is empty
 */
char *
hark_config_dup_path (HarkConfig *self, HarkSetting setting)
{
  HarkSettingType type = hark_setting_get_info (setting)->type;
  const char *text = self->entries[setting].value.text;
  g_assert (type == HARK_SETTING_TYPE_STATE_PATH || type == HARK_SETTING_TYPE_RUNTIME_PATH);
  if (text[0] == '\0')
    return NULL;
  if (g_path_is_absolute (text))
    return g_strdup (text);
  return g_build_filename (type == HARK_SETTING_TYPE_STATE_PATH ? self->state_directory : self->runtime_directory, text,
                           NULL);
}

/* Returns: what set it: "default", "file:line", "environment NAME" or "--set" */
const char *
hark_config_get_origin (HarkConfig *self, HarkSetting setting)
{
  const char *origin = self->entries[setting].origin;
  return origin != NULL ? origin : "default";
}

/**
 * hark_config_dump:
 *
 * Returns: (transfer full): all settings as a key file that gives the same configuration, with comments that say where
 *   each comes from
 */
char *
hark_config_dump (HarkConfig *self)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GKeyFile) escape = g_key_file_new ();
  const char *section = "";
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const HarkSettingInfo *info = hark_setting_get_info (i);
      g_autofree char *text = NULL;
      g_key_file_set_string (escape, info->section, info->key, self->entries[i].text);
      text = g_key_file_get_value (escape, info->section, info->key, NULL);
      if (strcmp (section, info->section) != 0)
        g_string_append_printf (out, "%s[%s]\n", i > 0 ? "\n" : "", info->section);
      section = info->section;
      g_string_append_printf (out, "# %s\n%s = %s\n", hark_config_get_origin (self, i), info->key, text);
    }
  return g_string_free (out, FALSE);
}

/**
 * hark_config_compare:
 * @live: whether to look for what a reload applies, or for what waits for a restart
 *
 * Returns: (transfer full) (element-type utf8): the names, "[section] key", of the settings that @newer changes
 */
GPtrArray *
hark_config_compare (HarkConfig *self, HarkConfig *newer, gboolean live)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < HARK_N_SETTINGS; i++)
    {
      const HarkSettingInfo *info = hark_setting_get_info (i);
      if (info->live == live && strcmp (self->entries[i].text, newer->entries[i].text) != 0)
        g_ptr_array_add (names, g_strdup_printf ("[%s] %s", info->section, info->key));
    }
  return names;
}
