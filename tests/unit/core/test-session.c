/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/session.h"

#include "base/error.h"
#include "hub-fixture.h"

static void
on_state (HarkSession *session, GParamSpec *pspec, GString *log)
{
  int state;
  g_object_get (session, "state", &state, NULL);
  g_string_append_printf (log, "state:%d ", state);
}

static void
on_closed (HarkSession *session, guint code, const char *reason, GString *log)
{
  g_assert_cmpint (session->state, ==, HARK_SESSION_CLOSED);
  g_assert_null (session->subscriptions);
  g_string_append_printf (log, "closed:%u(%s) ", code, reason != NULL ? reason : "");
}

static void
on_hub_signal (HarkHub *hub, HarkSession *session, GString *log)
{
  g_string_append_printf (log, "hub:%d ", (int)hark_session_get_user_id (session));
}

static void
test_properties (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 9);
  g_autofree char *address = NULL, *protocol = NULL, *address_after = NULL;
  gint64 id, user_id, since;
  guint64 queued, sent, received;
  int state;
  g_test_summary ("The properties tell who is at the other end, since when, and what went to and fro.");
  hark_session_open (session);
  hark_session_send_json (session, "note", "12345", 5);
  hark_session_send_json (session, "note", "123", 3);
  g_free (fake_transport_pop (hub_fixture_wire_of (session)));
  g_object_get (session, "id", &id, "user-id", &user_id, "address", &address, "protocol", &protocol, "state", &state,
                "since", &since, "queued", &queued, "sent", &sent, "received", &received, NULL);
  g_assert_cmpint (id, ==, session->id);
  g_assert_true (hark_hub_get_session (f->hub, id) == session);
  g_assert_cmpint (user_id, ==, 9);
  g_assert_cmpstr (address, ==, "fake:1");
  g_assert_cmpstr (protocol, ==, "fake");
  g_assert_cmpint (state, ==, HARK_SESSION_OPEN);
  g_assert_cmpint (since, ==, 1763665555123);
  g_assert_cmpuint (queued, ==, 4);
  g_assert_cmpuint (sent, ==, 2);
  g_assert_cmpuint (received, ==, 0);
  fake_transport_say (hub_fixture_wire_of (session), "nonsense");
  hark_session_close (session, HARK_CLOSE_NORMAL, NULL);
  g_object_get (session, "address", &address_after, "queued", &queued, "received", &received, "state", &state, NULL);
  g_assert_cmpstr (address_after, ==, "");
  g_assert_cmpuint (queued, ==, 0);
  g_assert_cmpuint (received, ==, 1);
  g_assert_cmpint (state, ==, HARK_SESSION_CLOSED);
}

static void
test_states (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 9);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("Each change of state is told once, in order, and the end last.");
  g_signal_connect (session, "notify::state", G_CALLBACK (on_state), log);
  g_signal_connect (session, "closed", G_CALLBACK (on_closed), log);
  g_assert_cmpint (session->state, ==, HARK_SESSION_CONNECTED);
  hark_session_open (session);
  g_assert_cmpstr (log->str, ==, "state:1 ");
  hark_session_close (session, HARK_CLOSE_DISCONNECTED, "by hand");
  hark_session_close (session, HARK_CLOSE_NORMAL, "again");
  g_assert_cmpstr (log->str, ==, "state:1 state:2 closed:4010(by hand) ");
}

static void
test_later (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 0);
  g_autoptr (HarkIdentity) identity = hark_identity_new (9, "ann", 0, 0, HARK_IDENTITY_NONE);
  g_autoptr (HarkIdentity) other = hark_identity_new (10, "eve", 0, 0, HARK_IDENTITY_NONE);
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_test_summary ("A session may say later who it is: once, and nobody else afterwards.");
  g_signal_connect (session, "notify::state", G_CALLBACK (on_state), log);
  g_signal_connect (f->hub, "session-added", G_CALLBACK (on_hub_signal), log);
  hark_session_open (session);
  g_assert_cmpint (session->state, ==, HARK_SESSION_CONNECTED);
  g_assert_cmpint (hark_session_get_user_id (session), ==, 0);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 1);
  g_assert_cmpstr (log->str, ==, "");
  g_assert_true (hark_session_authenticate (session, identity, &error));
  g_assert_no_error (error);
  g_assert_cmpint (hark_session_get_user_id (session), ==, 9);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, 9), ==, 1);
  g_assert_cmpstr (log->str, ==, "hub:9 state:1 ");
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (hark_session_authenticate (session, other, &error));
      g_assert_error (error, HARK_ERROR, HARK_ERROR_CONFLICT);
      g_clear_error (&error);
    }
  g_assert_cmpint (hark_session_get_user_id (session), ==, 9);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, 10), ==, 0);
  hark_session_close (session, HARK_CLOSE_NORMAL, NULL);
  g_assert_cmpuint (hark_hub_get_n_user_sessions (f->hub, 9), ==, 0);
  g_signal_handlers_disconnect_by_data (f->hub, log);
}

static void
set_up_one (HubFixture *f, gconstpointer data)
{
  const HarkHubLimits defaults = HARK_HUB_LIMITS_DEFAULT;
  f->limits = defaults;
  f->limits.max_sessions = 3;
  f->limits.max_sessions_per_user = 1;
  f->limits.max_strikes = 3;
  f->limits.max_interests = 4;
  f->has_limits = TRUE;
  hub_fixture_set_up (f, data);
}

static void
test_later_too_many (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkIdentity) identity = hark_identity_new (9, "ann", 0, 0, HARK_IDENTITY_NONE);
  g_autoptr (GError) error = NULL;
  HarkSession *later;
  g_test_summary (
    "Who says later who it is counts among that user's sessions, and may say it again when there is room.");
  hub_fixture_connect (f, 9);
  later = hub_fixture_connect (f, 0);
  g_assert_false (hark_session_authenticate (later, identity, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  g_assert_cmpint (later->state, ==, HARK_SESSION_CONNECTED);
  g_clear_error (&error);
  g_assert_cmpuint (hark_hub_disconnect_user (f->hub, 9, HARK_CLOSE_DISCONNECTED, NULL), ==, 1);
  g_assert_true (hark_session_authenticate (later, identity, &error));
  g_assert_no_error (error);
}

static void
test_refused (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) many = hub_fixture_prepare (f, 9);
  g_autoptr (HarkSession) full = hub_fixture_prepare (f, 4);
  g_autoptr (HarkTransport) many_transport = g_object_ref (many->transport);
  g_autoptr (HarkTransport) full_transport = g_object_ref (full->transport);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("A session too many is over at once, with the code that says why, and never was in the hub.");
  g_signal_connect (many, "closed", G_CALLBACK (on_closed), log);
  hub_fixture_connect (f, 9);
  hark_session_open (many);
  g_assert_cmpstr (log->str, ==, "closed:1013(a user can have 1 sessions at a time) ");
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (many_transport)), ==, HARK_CLOSE_TRY_LATER);
  hub_fixture_connect (f, 2);
  hub_fixture_connect (f, 3);
  hark_session_open (full);
  g_assert_cmpuint (fake_transport_get_close_code (FAKE_TRANSPORT (full_transport)), ==, HARK_CLOSE_TRY_LATER);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 3);
  g_assert_cmpint (hub_fixture_count (f, "hark_sessions_refused_total"), ==, 2);
}

static void
test_never_opened (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = hub_fixture_prepare (f, 9);
  g_autoptr (HarkTransport) transport = g_object_ref (session->transport);
  g_test_summary ("A session that is dropped before it is opened lets go of its transport.");
  g_clear_object (&session);
  g_assert_null (transport->sink);
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
}

static void
test_hold (HubFixture *f, gconstpointer data)
{
  g_autoptr (HarkSession) session = g_object_ref (hub_fixture_connect (f, 9));
  g_test_summary ("A session that is held is not read until it is released, and may be released when it is over.");
  hark_session_hold (session);
  g_assert_false (fake_transport_is_reading (hub_fixture_wire_of (session)));
  hark_session_release (session);
  g_assert_true (fake_transport_is_reading (hub_fixture_wire_of (session)));
  hark_session_hold (session);
  hark_session_close (session, HARK_CLOSE_NORMAL, NULL);
  hark_session_release (session);
}

static void
on_fail (HarkCommand *command, gpointer data)
{
  HarkError *code = data;
  hark_command_take_error (command, g_error_new (HARK_ERROR, *code, "because of /var/lib"));
  hark_command_unref (command);
}

static void
on_empty (HarkCommand *command, gpointer data)
{
  hark_command_reply_empty (command);
  hark_command_unref (command);
}

static const HarkCommandSpec fail_specs[] = { { "fail", HARK_COMMAND_NONE, NULL, on_fail } };
static const HarkCommandSpec empty_specs[] = { { "fine", HARK_COMMAND_NONE, NULL, on_empty } };

static void
test_strikes (HubFixture *f, gconstpointer data)
{
  HarkError code;
  g_test_summary ("Only what the client did wrong counts against it, not the state of the hub or of others.");
  hark_dispatcher_add (f->dispatcher, fail_specs, 1, &code);
  for (code = 0; code < HARK_N_ERRORS; code++)
    {
      g_autoptr (HarkSession) session = g_object_ref (hub_fixture_connect (f, 9));
      gboolean theirs = code != HARK_ERROR_OVERLOADED && code != HARK_ERROR_OFFLINE && code != HARK_ERROR_INTERNAL;
      for (guint i = 0; i < 3; i++)
        {
          g_assert_cmpint (session->state, ==, HARK_SESSION_OPEN);
          fake_transport_say (hub_fixture_wire_of (session), "fail {}");
        }
      g_assert_cmpint (session->state, ==, theirs ? HARK_SESSION_CLOSED : HARK_SESSION_OPEN);
      hark_session_close (session, HARK_CLOSE_NORMAL, NULL);
    }
  hark_dispatcher_remove (f->dispatcher, &code);
  g_assert_cmpint (hub_fixture_count (f, "hark_sessions_abuse_total"), ==, HARK_N_ERRORS - 3);
}

static void
test_internal (HubFixture *f, gconstpointer data)
{
  HarkSession *session = hub_fixture_connect (f, 9);
  HarkError code = HARK_ERROR_INTERNAL;
  g_test_summary ("What went wrong inside is for the log and not for the client.");
  hark_dispatcher_add (f->dispatcher, fail_specs, 1, &code);
  fake_transport_say (hub_fixture_wire_of (session), "fail {}");
  hub_fixture_assert_reads (session, "{\"type\":\"error\",\"ref\":7,\"code\":\"internal\",\"message\":\"something went "
                                     "wrong inside Hark\"}");
  code = HARK_ERROR_CONFLICT;
  fake_transport_say (hub_fixture_wire_of (session), "fail {}");
  hub_fixture_assert_reads (session, "{\"type\":\"error\",\"ref\":7,\"code\":\"conflict\",\"message\":\"because of "
                                     "/var/lib\"}");
  hark_dispatcher_remove (f->dispatcher, &code);
}

static void
on_command (HarkSession *session, HarkCommand *command, GString *log)
{
  g_string_append_printf (log, "%s(%d) ", command->ref, (int)hark_command_get_user_id (command));
}

static void
test_command_signal (HubFixture *f, gconstpointer data)
{
  HarkSession *session = hub_fixture_connect (f, 9);
  g_autoptr (GString) log = g_string_new (NULL);
  g_test_summary ("Each request that was understood is told of once before it is answered.");
  hark_dispatcher_add (f->dispatcher, empty_specs, 1, f);
  g_signal_connect (session, "command", G_CALLBACK (on_command), log);
  fake_transport_say (hub_fixture_wire_of (session), "fine {}");
  fake_transport_say (hub_fixture_wire_of (session), "rubbish");
  fake_transport_say (hub_fixture_wire_of (session), "nothing {}");
  g_assert_cmpstr (log->str, ==, "7(9) 7(9) ");
  hub_fixture_assert_reads (session, "{\"type\":\"fine\",\"ref\":7}");
  hark_dispatcher_remove (f->dispatcher, f);
}

static void
on_command_closes (HarkSession *session, HarkCommand *command, gpointer data)
{
  hark_session_close (session, HARK_CLOSE_POLICY, NULL);
}

static void
test_closed_by_command (HubFixture *f, gconstpointer data)
{
  HarkSession *session = hub_fixture_connect (f, 9);
  g_autoptr (HarkTransport) transport = g_object_ref (session->transport);
  g_test_summary ("A session that is ended in the middle of a request takes the answer to nobody.");
  hark_dispatcher_add (f->dispatcher, empty_specs, 1, f);
  g_signal_connect (session, "command", G_CALLBACK (on_command_closes), NULL);
  fake_transport_say (FAKE_TRANSPORT (transport), "fine {}");
  g_assert_cmpuint (hark_hub_get_n_sessions (f->hub), ==, 0);
  g_assert_cmpuint (fake_transport_get_n_waiting (FAKE_TRANSPORT (transport)), ==, 0);
  hark_dispatcher_remove (f->dispatcher, f);
}

static void
test_load_again (HubFixture *f, gconstpointer data)
{
  HarkSession *session = hub_fixture_connect (f, 9);
  const gint64 page[] = { 1, 2, 3 }, more[] = { 3, 4 }, beyond[] = { 4, 5 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) loaded = NULL;
  g_test_summary ("Users that are loaded already count once against the bound.");
  g_assert_true (hark_hub_load (f->hub, session, page, 3, -1, &error));
  g_assert_true (hark_hub_load (f->hub, session, page, 3, -1, &error));
  g_assert_true (hark_hub_load (f->hub, session, more, 2, -1, &error));
  g_assert_no_error (error);
  g_assert_false (hark_hub_load (f->hub, session, beyond, 2, -1, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
  loaded = hark_hub_dup_loaded (f->hub, session);
  g_assert_cmpuint (loaded->len, ==, 4);
}

static void
silent_append (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
}

static void
silent_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
}

static void
test_silent_wire (HubFixture *f, gconstpointer data)
{
  static const HarkWire silent = { 1, "silent", silent_append, silent_reply };
  g_autoptr (HarkIdentity) identity = hark_identity_new (9, "ann", 0, 0, HARK_IDENTITY_NONE);
  HarkSession *session
    = hark_session_new (f->hub, HARK_TRANSPORT (fake_transport_new ()), f->protocol, &silent, identity);
  g_test_summary ("A wire that has no words for an event sends nothing.");
  hark_session_open (session);
  hub_fixture_subscribe (f, session, "channel/1", 0, -1);
  hub_fixture_publish (f, "channel/1", 1, 1, "one");
  hark_turn_end (f->turn);
  hark_session_send_json (session, "note", "{}", 2);
  fake_transport_say (hub_fixture_wire_of (session), "rubbish");
  g_assert_cmpuint (fake_transport_get_n_waiting (hub_fixture_wire_of (session)), ==, 0);
  g_assert_cmpint (session->state, ==, HARK_SESSION_OPEN);
  g_object_unref (session);
}

#define ADD(name, func) g_test_add ("/session/" name, HubFixture, NULL, hub_fixture_set_up, func, hub_fixture_tear_down)
#define ADD_SMALL(name, func) g_test_add ("/session/" name, HubFixture, NULL, set_up_one, func, hub_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("properties", test_properties);
  ADD ("states", test_states);
  ADD ("later", test_later);
  ADD_SMALL ("later-too-many", test_later_too_many);
  ADD_SMALL ("refused", test_refused);
  ADD ("never-opened", test_never_opened);
  ADD ("hold", test_hold);
  ADD_SMALL ("strikes", test_strikes);
  ADD ("internal", test_internal);
  ADD ("command-signal", test_command_signal);
  ADD ("closed-by-command", test_closed_by_command);
  ADD_SMALL ("load-again", test_load_again);
  ADD ("silent-wire", test_silent_wire);
  return g_test_run ();
}
