/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dispatcher.h"

#include "base/error.h"
#include "hub-fixture.h"

#define LONGEST "a-name-of-sixty-four-bytes-as-long-as-any-request's-name-can-bex"

static void
on_echo (HarkCommand *command, gpointer data)
{
  HarkJsonWriter *writer = hark_command_begin_reply (command);
  hark_json_writer_member_string (writer, "concern", data);
  hark_command_end_reply (command);
  hark_command_unref (command);
}

static const HarkCommandSpec one_specs[] = {
  { "echo", HARK_COMMAND_NONE, NULL, on_echo },
  { LONGEST, HARK_COMMAND_NONE, NULL, on_echo },
};

static const HarkCommandSpec other_specs[] = {
  { "open", HARK_COMMAND_UNAUTHENTICATED | HARK_COMMAND_ANONYMOUS, NULL, on_echo },
  { "rule", HARK_COMMAND_ADMIN, NULL, on_echo },
};

/* Collects answers: the reply, or "code: message". */
static void
on_answer (const char *json, gsize len, const GError *error, gpointer data)
{
  GString *log = data;
  if (error == NULL)
    {
      g_assert_cmpuint (strlen (json), >=, len);
      g_string_append_len (log, json, len);
      return;
    }
  g_assert_null (json);
  g_string_append_printf (log, "%s: %s", hark_error_get_wire_name (hark_error_get_code (error)), error->message);
}

typedef struct
{
  HarkMetrics *metrics;
  HarkDispatcher *dispatcher;
  HarkIdentity *user;
  GString *log;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->metrics = hark_metrics_new ();
  f->dispatcher = hark_dispatcher_new (NULL, f->metrics);
  f->user = hark_identity_new (9, "ann", 0, 0, HARK_IDENTITY_NONE);
  f->log = g_string_new (NULL);
  hark_dispatcher_add (f->dispatcher, one_specs, G_N_ELEMENTS (one_specs), (gpointer) "one");
  hark_dispatcher_add (f->dispatcher, other_specs, G_N_ELEMENTS (other_specs), (gpointer) "other");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  hark_identity_unref (f->user);
  g_string_free (f->log, TRUE);
  g_assert_finalize_object (f->dispatcher);
  g_assert_finalize_object (f->metrics);
}

static void
assert_answers (Fixture *f, HarkIdentity *actor, const char *name, const char *expected)
{
  g_string_truncate (f->log, 0);
  hark_dispatcher_call (f->dispatcher, actor, name, "{}", on_answer, f->log);
  g_assert_cmpstr (f->log->str, ==, expected);
}

static void
test_routes (Fixture *f, gconstpointer data)
{
  g_test_summary ("A request goes to the concern that registered its name.");
  assert_answers (f, f->user, "echo", "{\"type\":\"echo\",\"concern\":\"one\"}");
  assert_answers (f, f->user, "open", "{\"type\":\"open\",\"concern\":\"other\"}");
  assert_answers (f, f->user, "Echo", "unknown_type: \"type\": there is no request \"Echo\"");
  assert_answers (f, f->user, "", "unknown_type: \"type\": there is no request \"\"");
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_commands_total", "")), ==, 2);
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_commands_refused_total", "")), ==, 2);
}

static void
test_removed (Fixture *f, gconstpointer data)
{
  g_test_summary (
    "A concern that goes takes all its requests with it and no others, and they can be registered again.");
  g_assert_true (hark_dispatcher_has (f->dispatcher, "echo"));
  hark_dispatcher_remove (f->dispatcher, (gpointer)one_specs);
  g_assert_true (hark_dispatcher_has (f->dispatcher, "echo"));
  hark_dispatcher_add (f->dispatcher, &(const HarkCommandSpec){ "late", 0, NULL, on_echo }, 1, f);
  hark_dispatcher_remove (f->dispatcher, f);
  g_assert_false (hark_dispatcher_has (f->dispatcher, "late"));
  g_assert_true (hark_dispatcher_has (f->dispatcher, "echo"));
  g_assert_true (hark_dispatcher_has (f->dispatcher, "rule"));
  hark_dispatcher_add (f->dispatcher, &(const HarkCommandSpec){ "late", 0, NULL, on_echo }, 1, f);
  g_assert_true (hark_dispatcher_has (f->dispatcher, "late"));
  hark_dispatcher_remove (f->dispatcher, f);
}

static void
test_twice (Fixture *f, gconstpointer data)
{
  g_test_summary ("A name that two concerns want is a programmer's mistake and ends the process.");
  if (g_test_subprocess ())
    {
      hark_dispatcher_add (f->dispatcher, one_specs, 1, f);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
}

static void
test_long_names (Fixture *f, gconstpointer data)
{
  g_autofree char *ascii = g_strnfill (1000, 'n');
  g_autofree char *first = g_strndup (ascii, 64);
  g_autofree char *first_told = g_strdup_printf ("unknown_type: \"type\": there is no request \"%s\"", first);
  g_test_summary ("The longest name is found; a longer one is nobody's, and is told back cut short.");
  g_assert_cmpuint (strlen (LONGEST), ==, 64);
  assert_answers (f, f->user, LONGEST, "{\"type\":\"" LONGEST "\",\"concern\":\"one\"}");
  assert_answers (f, f->user, LONGEST "y", "unknown_type: \"type\": there is no request \"" LONGEST "\"");
  assert_answers (f, f->user, ascii, first_told);
}

static void
test_cut_between_characters (Fixture *f, gconstpointer data)
{
  static const char *const characters[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
  g_test_summary ("A name is cut between characters: the client can read what it is told.");
  for (guint i = 0; i < G_N_ELEMENTS (characters); i++)
    for (guint before = 55; before <= 64; before++)
      {
        g_autofree char *padding = g_strnfill (before, 'n');
        g_autofree char *name = g_strconcat (padding, characters[i], characters[i], "nnnnnnnnnn", NULL);
        g_string_truncate (f->log, 0);
        hark_dispatcher_call (f->dispatcher, f->user, name, "{}", on_answer, f->log);
        g_assert_true (g_utf8_validate (f->log->str, f->log->len, NULL));
        g_assert_true (g_str_has_prefix (f->log->str, "unknown_type: "));
        g_assert_nonnull (strstr (f->log->str, padding));
      }
}

static void
test_zero_byte (Fixture *f, gconstpointer data)
{
  HarkJsonObject args;
  g_test_summary ("A name with a zero byte in it is not the name before that byte.");
  g_assert_true (hark_json_object_parse (&args, "{}", 2, NULL));
  hark_dispatcher_dispatch (f->dispatcher, hark_command_new_call (f->user, on_answer, f->log), "echo\0x", 6, &args);
  g_assert_true (g_str_has_prefix (f->log->str, "unknown_type: "));
}

static void
test_actors (Fixture *f, gconstpointer data)
{
  g_autoptr (HarkIdentity) anonymous = hark_identity_new (3, "Anonymous", 0, 0, HARK_IDENTITY_ANONYMOUS);
  g_autoptr (HarkIdentity) admin = hark_identity_new (0, "root", 0, 0, HARK_IDENTITY_ADMIN);
  g_test_summary ("Each request is refused to those who may not ask it, and to nobody else.");
  assert_answers (f, NULL, "open", "{\"type\":\"open\",\"concern\":\"other\"}");
  assert_answers (f, NULL, "echo", "unauthenticated: say who you are first: \"authenticate\" with a token");
  assert_answers (f, NULL, "rule", "unauthenticated: say who you are first: \"authenticate\" with a token");
  assert_answers (f, anonymous, "open", "{\"type\":\"open\",\"concern\":\"other\"}");
  assert_answers (f, anonymous, "echo", "unauthenticated: \"echo\" needs an account");
  assert_answers (f, f->user, "rule", "forbidden: \"rule\" is for administrators");
  assert_answers (f, admin, "rule", "{\"type\":\"rule\",\"concern\":\"other\"}");
}

/* Sessions and quotas. */

static const HarkCommandSpec quota_specs[] = {
  { "plain", HARK_COMMAND_NONE, NULL, on_echo },
  { "message", HARK_COMMAND_NONE, "messages", on_echo },
  { "free", HARK_COMMAND_UNMETERED, NULL, on_echo },
  { "free-message", HARK_COMMAND_UNMETERED, "messages", on_echo },
  { "unset", HARK_COMMAND_UNMETERED, "of-this-there-is-none", on_echo },
};

typedef struct
{
  HubFixture hub;
  HarkQuota *quota;
  HarkDispatcher *dispatcher;
  HarkSession *session;
} Metered;

static void
set_up_metered (Metered *f, gconstpointer data)
{
  hub_fixture_set_up (&f->hub, data);
  f->quota = hark_quota_new (HARK_CLOCK (f->hub.clock), f->hub.metrics);
  f->dispatcher = hark_dispatcher_new (f->quota, f->hub.metrics);
  hark_dispatcher_add (f->dispatcher, quota_specs, G_N_ELEMENTS (quota_specs), (gpointer) "quota");
  g_assert_finalize_object (f->hub.hub);
  f->hub.hub
    = hark_hub_new (f->hub.turn, f->dispatcher, HARK_CLOCK (f->hub.clock), f->hub.ids, f->hub.metrics, &f->hub.limits);
  f->session = hub_fixture_connect (&f->hub, 1);
}

static void
tear_down_metered (Metered *f, gconstpointer data)
{
  g_clear_object (&f->hub.hub);
  g_assert_finalize_object (f->dispatcher);
  g_assert_finalize_object (f->quota);
  f->hub.hub = hark_hub_new (f->hub.turn, f->hub.dispatcher, HARK_CLOCK (f->hub.clock), f->hub.ids, f->hub.metrics,
                             &f->hub.limits);
  hub_fixture_tear_down (&f->hub, data);
}

/* Returns: how many of at most @max requests are answered and not refused */
static guint
ask (Metered *f, const char *request, guint max)
{
  for (guint n = 0; n < max; n++)
    {
      g_autofree char *line = NULL;
      fake_transport_say (hub_fixture_wire_of (f->session), request);
      line = fake_transport_pop (hub_fixture_wire_of (f->session));
      if (strstr (line, "\"code\":\"rate_limited\"") != NULL)
        return n;
      g_assert_nonnull (strstr (line, "\"concern\""));
    }
  return max;
}

static void
test_quotas (Metered *f, gconstpointer data)
{
  g_test_summary ("A request takes from the quota of requests and from its own, unless it is free.");
  hark_quota_set_rate (f->quota, "requests", 1, 5);
  hark_quota_set_rate (f->quota, "messages", 1, 3);
  g_assert_cmpuint (ask (f, "free {}", 20), ==, 20);
  g_assert_cmpuint (ask (f, "unset {}", 20), ==, 20);
  g_assert_cmpuint (ask (f, "message {}", 20), ==, 3);
  g_assert_cmpuint (ask (f, "plain {}", 20), ==, 1);
  g_assert_cmpuint (ask (f, "free-message {}", 20), ==, 0);
  hark_fake_clock_advance (f->hub.clock, 10000);
  g_assert_cmpuint (ask (f, "free-message {}", 20), ==, 3);
  g_assert_cmpuint (ask (f, "plain {}", 20), ==, 5);
}

static void
test_calls_are_not_metered (Metered *f, gconstpointer data)
{
  g_autoptr (HarkIdentity) identity = hark_identity_new (1, "ann", 0, 0, HARK_IDENTITY_NONE);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("Calls that are no session's take from nobody's quota.");
  hark_quota_set_rate (f->quota, "requests", 1, 1);
  for (guint i = 0; i < 5; i++)
    {
      g_string_truncate (log, 0);
      hark_dispatcher_call (f->dispatcher, identity, "plain", "{}", on_answer, log);
      g_assert_cmpstr (log->str, ==, "{\"type\":\"plain\",\"concern\":\"quota\"}");
    }
  g_assert_cmpuint (ask (f, "plain {}", 20), ==, 1);
}

#define ADD(name, func) g_test_add ("/dispatcher/" name, Fixture, NULL, set_up, func, tear_down)
#define ADD_METERED(name, func) g_test_add ("/dispatcher/" name, Metered, NULL, set_up_metered, func, tear_down_metered)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("routes", test_routes);
  ADD ("removed", test_removed);
  ADD ("twice", test_twice);
  ADD ("long-names", test_long_names);
  ADD ("cut-between-characters", test_cut_between_characters);
  ADD ("zero-byte", test_zero_byte);
  ADD ("actors", test_actors);
  ADD_METERED ("quotas", test_quotas);
  ADD_METERED ("calls-are-not-metered", test_calls_are_not_metered);
  return g_test_run ();
}
