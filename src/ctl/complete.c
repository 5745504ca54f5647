/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What could stand next on a command line, for the shell's completion: from the table of commands, and from the hub
 * where the next word names something that it has. A hub that does not answer offers nothing.
 */
#include "ctl/complete.h"

#include "ctl/invocation.h"
#include "ctl/resolve.h"

/* Objects offered at most: nobody reads more. */
#define MAX_OBJECTS 200

typedef struct
{
  const char *prefix; /* of what is being written */
  HarkCtlCompleteFunc func;
  gpointer data;
} Offer;

static void
offer (const Offer *self, const char *word)
{
  if (g_str_has_prefix (word, self->prefix))
    self->func (word, self->data);
}

static void
offer_options (const Offer *self, const HarkCtlOption *options)
{
  for (; options->name != NULL; options++)
    {
      g_autofree char *word = g_strdup_printf ("--%s", options->name);
      offer (self, word);
    }
}

static void
offer_nouns (const Offer *self)
{
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    if (i == 0 || !g_str_equal (hark_ctl_commands[i].noun, hark_ctl_commands[i - 1].noun))
      offer (self, hark_ctl_commands[i].noun);
}

static void
offer_verbs (const Offer *self, const char *noun)
{
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    if (g_str_equal (hark_ctl_commands[i].noun, noun) && hark_ctl_commands[i].verb != NULL)
      offer (self, hark_ctl_commands[i].verb);
}

/* A name with a space or quote would have to be escaped: it is left to be written by hand. */
static gboolean
is_plain (const char *word)
{
  return strpbrk (word, " \t\n\"'\\$`&|;<>()*?!") == NULL;
}

static void
offer_rows (const Offer *self, GVariant *rows, const char *field)
{
  gsize n = rows != NULL ? MIN (g_variant_n_children (rows), MAX_OBJECTS) : 0;
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) row = g_variant_get_child_value (rows, i);
      const char *word;
      if (g_variant_lookup (row, field, "&s", &word) && is_plain (word))
        offer (self, word);
    }
}

/* As they are written: SERVER/NAME. */
static void
offer_roles (const Offer *self, HarkCtl *ctl, HarkBusDirectory1 *directory)
{
  g_autoptr (GVariant) servers = hark_ctl_get_servers (ctl, NULL);
  gsize n = servers != NULL ? MIN (g_variant_n_children (servers), MAX_OBJECTS) : 0;
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) server = g_variant_get_child_value (servers, i);
      g_autoptr (GVariant) roles = NULL;
      const char *id;
      const char *server_name;
      if (!g_variant_lookup (server, "server_id", "&s", &id)
          || !g_variant_lookup (server, "server_name", "&s", &server_name)
          || !hark_bus_directory1_call_list_roles_sync (directory, id, &roles, NULL, NULL))
        continue;
      for (gsize j = 0; j < g_variant_n_children (roles); j++)
        {
          g_autoptr (GVariant) role = g_variant_get_child_value (roles, j);
          g_autofree char *word = NULL;
          const char *name;
          if (!g_variant_lookup (role, "name", "&s", &name))
            continue;
          word = g_strconcat (server_name, "/", name, NULL);
          if (is_plain (word))
            offer (self, word);
        }
    }
}

static void
offer_objects (const Offer *self, HarkCtl *ctl, HarkCtlWord kind)
{
  HarkBusDirectory1 *directory = hark_ctl_get_directory (ctl, NULL);
  HarkBusHub1 *hub = hark_ctl_get_hub (ctl, NULL);
  g_autoptr (GVariant) rows = NULL;
  g_autofree char *next = NULL;
  if (directory == NULL || hub == NULL)
    return;
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (directory), 1000);
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (hub), 1000);
  switch (kind)
    {
    case HARK_CTL_WORD_USER:
      hark_bus_directory1_call_list_users_sync (directory, "", MAX_OBJECTS, self->prefix, &rows, &next, NULL, NULL);
      offer_rows (self, rows, "username");
      break;
    case HARK_CTL_WORD_SERVER:
      rows = hark_ctl_get_servers (ctl, NULL);
      offer_rows (self, rows, "server_name");
      break;
    case HARK_CTL_WORD_CHANNEL:
      rows = hark_ctl_get_channels (ctl, NULL, NULL);
      offer_rows (self, rows, "name");
      break;
    case HARK_CTL_WORD_ROLE:
      offer_roles (self, ctl, directory);
      break;
    case HARK_CTL_WORD_TOKEN:
      hark_bus_directory1_call_list_tokens_sync (directory, "", &rows, NULL, NULL);
      offer_rows (self, rows, "token_id");
      break;
    case HARK_CTL_WORD_SESSION:
      hark_bus_hub1_call_list_sessions_sync (hub, "", MAX_OBJECTS, "", &rows, &next, NULL, NULL);
      offer_rows (self, rows, "session_id");
      break;
    default:
      break;
    }
}

static void
offer_word (const Offer *self, HarkCtl *ctl, HarkCtlWord kind)
{
  if (kind == HARK_CTL_WORD_COMMAND)
    offer_nouns (self);
  else if (kind != HARK_CTL_WORD_TEXT && kind != HARK_CTL_WORD_NONE)
    offer_objects (self, ctl, kind);
}

/* Returns: (nullable): the option whose value the last word is */
static const HarkCtlOption *
find_open_option (const HarkCtlInvocation *before, const char *last)
{
  const HarkCtlOption *option = NULL;
  if (last != NULL && g_str_has_prefix (last, "--"))
    option = hark_ctl_option_find (before->command, last + 2);
  return option != NULL && option->word != HARK_CTL_WORD_NONE ? option : NULL;
}

/**
 * hark_ctl_complete:
 * @words: (array zero-terminated): those before the one that is being written, and that one, which may be empty
 * @func: called for each word that could stand there
 */
void
hark_ctl_complete (HarkCtl *ctl, const char *const *words, HarkCtlCompleteFunc func, gpointer data)
{
  guint n = g_strv_length ((char **)words);
  g_autofree const char **before_words = NULL;
  g_autoptr (HarkCtlInvocation) before = NULL;
  const HarkCtlOption *open;
  const char *last;
  Offer self = { n > 0 ? words[n - 1] : "", func, data };
  n = n > 0 ? n - 1 : 0;
  before_words = g_new0 (const char *, n + 1);
  memcpy (before_words, words, n * sizeof *words);
  last = n > 0 ? words[n - 1] : NULL;
  before = hark_ctl_invocation_parse (before_words, NULL);
  if (before == NULL && n > 0)
    {
      /* An option that still waits for its value does not parse; what stands before it does. */
      before_words[n - 1] = NULL;
      before = hark_ctl_invocation_parse (before_words, NULL);
      open = before != NULL ? find_open_option (before, last) : NULL;
      if (open != NULL)
        offer_word (&self, ctl, open->word);
      return;
    }
  if (*self.prefix == '-')
    {
      if (before->command != NULL)
        offer_options (&self, before->command->options);
      offer_options (&self, hark_ctl_global_options);
    }
  else if (before->command == NULL)
    offer_nouns (&self);
  else if (before->lacks_verb)
    offer_verbs (&self, before->noun);
  else if (before->args->len < HARK_CTL_MAX_ARGS && before->command->args[before->args->len].name != NULL)
    offer_word (&self, ctl, before->command->args[before->args->len].word);
}
