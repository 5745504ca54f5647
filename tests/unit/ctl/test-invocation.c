/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/invocation.h"

#include "ctl/complete.h"
#include "ctl/help.h"

static HarkCtlInvocation *
parse (const char *line, GError **error)
{
  g_auto (GStrv) words = NULL;
  g_assert_true (g_shell_parse_argv (line, NULL, &words, NULL));
  return hark_ctl_invocation_parse ((const char *const *)words, error);
}

static void
assert_usage (const char *line, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkCtlInvocation) invocation = parse (line, &error);
  if (invocation != NULL)
    g_assert_false (hark_ctl_invocation_check (invocation, &error));
  g_assert_true (error->domain == G_OPTION_ERROR);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_words (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HarkCtlInvocation) invocation = parse ("--json user add ann --displayname 'Ann A' --admin", &error);
  g_test_summary ("Noun, verb, arguments and options are told apart, wherever the options stand.");
  g_assert_no_error (error);
  g_assert_cmpstr (invocation->command->verb, ==, "add");
  g_assert_cmpuint (invocation->args->len, ==, 1);
  g_assert_cmpstr (hark_ctl_invocation_get_arg (invocation, 0), ==, "ann");
  g_assert_null (hark_ctl_invocation_get_arg (invocation, 1));
  g_assert_cmpstr (hark_ctl_invocation_get_option (invocation, "displayname"), ==, "Ann A");
  g_assert_true (hark_ctl_invocation_has (invocation, "admin"));
  g_assert_true (hark_ctl_invocation_has (invocation, "json"));
  g_assert_false (hark_ctl_invocation_has (invocation, "help"));
  g_assert_true (hark_ctl_invocation_check (invocation, &error));
}

static void
test_forms (void)
{
  g_autoptr (HarkCtlInvocation) equals = parse ("user add --displayname=--x ann", NULL);
  g_autoptr (HarkCtlInvocation) dashes = parse ("user add -- --ann", NULL);
  g_autoptr (HarkCtlInvocation) number = parse ("publish app/x -1", NULL);
  g_autoptr (HarkCtlInvocation) alone = parse ("sessions --user ann", NULL);
  g_autoptr (HarkCtlInvocation) help = parse ("user -h", NULL);
  g_test_summary ("--name=value, words after --, negative numbers and nouns alone mean what people mean by them.");
  g_assert_cmpstr (hark_ctl_invocation_get_option (equals, "displayname"), ==, "--x");
  g_assert_cmpstr (hark_ctl_invocation_get_arg (dashes, 0), ==, "--ann");
  g_assert_cmpstr (hark_ctl_invocation_get_arg (number, 1), ==, "-1");
  g_assert_cmpstr (alone->command->verb, ==, "list");
  g_assert_cmpstr (hark_ctl_invocation_get_option (alone, "user"), ==, "ann");
  g_assert_true (hark_ctl_invocation_has (help, "help"));
  g_assert_true (help->lacks_verb);
}

static void
test_usage (void)
{
  g_autoptr (GError) error = NULL;
  static const char *const bytes[] = { "user", "add", "\377", NULL };
  g_test_summary ("Every mistake is named.");
  assert_usage ("frobnicate", "there is no “frobnicate”; “harkctl help” lists what there is");
  assert_usage ("user frob", "“user” has no “frob”; “harkctl help user” lists what it has");
  assert_usage ("user add", "USERNAME is missing");
  assert_usage ("member add 7", "USER is missing");
  assert_usage ("user add ann bob", "“bob” is one argument too many");
  assert_usage ("status now", "“now” is one argument too many");
  assert_usage ("user add ann --frob", "there is no option “--frob” here");
  assert_usage ("--displayname Ann user add ann", "there is no option “--displayname” here");
  assert_usage ("user list --admin", "there is no option “--admin” here");
  assert_usage ("user add ann --displayname", "the option “--displayname” needs a value");
  assert_usage ("user add ann --admin=yes", "the option “--admin” takes no value");
  g_assert_null (hark_ctl_invocation_parse (bytes, &error));
  g_assert_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE);
}

static void
test_values (void)
{
  static const struct
  {
    const char *text;
    gint64 seconds;
  } good[] = { { "90", 90 }, { "90s", 90 }, { "15m", 900 }, { "12h", 43200 }, { "30d", 2592000 }, { "2w", 1209600 } };
  static const char *const bad[] = { "", "d", "0", "-1", "1.5h", "3y", "99999999999", "1d ", "h1" };
  g_autoptr (HarkCtlInvocation) channel = parse ("channel set 1 --position 3 --private yes", NULL);
  g_autoptr (HarkCtlInvocation) wrong = parse ("channel set 1 --position -3 --private maybe", NULL);
  g_autoptr (GError) number_error = NULL;
  g_autoptr (GError) boolean_error = NULL;
  gint64 number = -1;
  gboolean boolean = FALSE;
  g_test_summary ("Numbers, times and yes or no are read from options, and refused by the option's name.");
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *line = g_strdup_printf ("token create ann --expires %s", good[i].text);
      g_autoptr (HarkCtlInvocation) invocation = parse (line, NULL);
      g_assert_true (hark_ctl_invocation_get_seconds (invocation, "expires", &number, NULL));
      g_assert_cmpint (number, ==, good[i].seconds);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *line = g_strdup_printf ("token create ann '--expires=%s'", bad[i]);
      g_autoptr (HarkCtlInvocation) invocation = parse (line, NULL);
      g_autoptr (GError) error = NULL;
      g_assert_false (hark_ctl_invocation_get_seconds (invocation, "expires", &number, &error));
      g_assert_true (g_str_has_prefix (error->message, "--expires: "));
    }
  g_assert_true (hark_ctl_invocation_get_int (channel, "position", 0, 10, &number, NULL));
  g_assert_cmpint (number, ==, 3);
  g_assert_true (hark_ctl_invocation_get_boolean (channel, "private", &boolean, NULL));
  g_assert_true (boolean);
  g_assert_true (hark_ctl_invocation_get_boolean (channel, "name", &boolean, NULL));
  g_assert_true (boolean);
  g_assert_false (hark_ctl_invocation_get_int (wrong, "position", 0, 10, &number, &number_error));
  g_assert_true (g_str_has_prefix (number_error->message, "--position: "));
  g_assert_false (hark_ctl_invocation_get_boolean (wrong, "private", &boolean, &boolean_error));
  g_assert_true (g_str_has_prefix (boolean_error->message, "--private: "));
}

static void
test_commands (void)
{
  g_test_summary ("The table is complete: each command is found by its words, has a summary, and can be run.");
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    {
      const HarkCtlCommand *command = &hark_ctl_commands[i];
      gboolean was_optional = FALSE;
      g_assert_true (hark_ctl_command_find (command->noun, command->verb != NULL ? command->verb : NULL) == command);
      g_assert_nonnull (command->run);
      g_assert_false (g_str_has_suffix (command->summary, "."));
      for (const HarkCtlArg *arg = command->args; arg->name != NULL; arg++)
        {
          g_assert_false (was_optional && !arg->is_optional);
          was_optional = arg->is_optional;
        }
      for (const HarkCtlOption *option = command->options; option->name != NULL; option++)
        {
          g_assert_true (hark_ctl_option_find (command, option->name) == option);
          g_assert_cmpint (option->value == NULL, ==, option->word == HARK_CTL_WORD_NONE);
          g_assert_nonnull (option->help);
        }
    }
}

static void
test_help (void)
{
  g_autofree char *all = hark_ctl_help_format (NULL, NULL);
  g_autofree char *noun = hark_ctl_help_format ("user", NULL);
  g_autofree char *verb = hark_ctl_help_format ("user", hark_ctl_command_find ("user", "add"));
  g_test_summary ("Help lists every command, a noun's commands, or a command's options.");
  for (guint i = 0; i < hark_ctl_n_commands; i++)
    {
      g_autofree char *synopsis = hark_ctl_help_format_synopsis (&hark_ctl_commands[i]);
      g_assert_nonnull (strstr (all, synopsis));
      g_assert_cmpint (strstr (noun, synopsis) != NULL, ==, g_str_equal (hark_ctl_commands[i].noun, "user"));
    }
  g_assert_nonnull (strstr (verb, "Usage: harkctl user add USERNAME [OPTION…]\n"));
  g_assert_nonnull (strstr (verb, "--displayname NAME"));
  g_assert_nonnull (strstr (verb, "--json"));
}

static void
collect (const char *word, gpointer data)
{
  GString *out = data;
  g_string_append_printf (out, "%s%s", out->len > 0 ? " " : "", word);
}

/* @words: the last is being written. */
static void
assert_completes (const char *const *words, const char *expected)
{
  g_autoptr (HarkCtl) ctl = hark_ctl_new (G_BUS_TYPE_SESSION, "unix:path=/nowhere/at/all", FALSE, TRUE);
  g_autoptr (GString) out = g_string_new (NULL);
  hark_ctl_complete (ctl, words, collect, out);
  g_assert_cmpstr (out->str, ==, expected);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void
test_complete (void)
{
  g_test_summary ("Nouns, verbs and options are completed where they may stand, also without a hub.");
  assert_completes (WORDS ("m"), "member monitor metrics");
  assert_completes (WORDS ("user", ""), "list show add set-password set delete");
  assert_completes (WORDS ("--json", "user", "s"), "show set-password set");
  assert_completes (WORDS ("user", "add", "ann", "--d"), "--displayname");
  assert_completes (WORDS ("user", "add", "--ad"), "--admin --address");
  assert_completes (WORDS ("help", "gr"), "grant");
  assert_completes (WORDS ("user", "add", ""), "");
  assert_completes (WORDS ("user", "show", ""), "");
  assert_completes (WORDS ("user", "show", "ann", "more", ""), "");
  assert_completes (WORDS ("server", "add", "x", "--owner", "a"), "");
  assert_completes (WORDS ("frob", ""), "");
  assert_completes (WORDS ("frob", "x", ""), "");
  assert_completes ((const char *const[]){ NULL }, "status user token server member role channel grant sessions emit "
                                                   "sockets publish notify monitor metrics drain upgrade reload help");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ctl/invocation/words", test_words);
  g_test_add_func ("/ctl/invocation/forms", test_forms);
  g_test_add_func ("/ctl/invocation/usage", test_usage);
  g_test_add_func ("/ctl/invocation/values", test_values);
  g_test_add_func ("/ctl/invocation/commands", test_commands);
  g_test_add_func ("/ctl/invocation/help", test_help);
  g_test_add_func ("/ctl/invocation/complete", test_complete);
  return g_test_run ();
}
