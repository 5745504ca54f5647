/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "chat/topic-rules.h"

typedef struct
{
  const char *text;
  const char *problem; /* (nullable): part of what is said of it; %NULL: it is a rule */
} Text;

static const Text texts[] = {
  { "app/** everyone backend", NULL },
  { "  room/lobby\tanonymous  nobody ", NULL },
  { "app/users/$user/** own own,backend,user:Ann", NULL },
  { "app/*/x role:7 role:7,everyone", NULL },
  { "", "with spaces between" },
  { "app/** everyone", "with spaces between" },
  { "app/** everyone backend backend", "with spaces between" },
  { "app everyone nobody", "begins with app/ or room/" },
  { "channel/* everyone nobody", "begins with app/ or room/" },
  { "app//x everyone nobody", "is empty" },
  { "app/ everyone nobody", "is empty" },
  { "app/**/x everyone nobody", "at the end only" },
  { "app/x* everyone nobody", "whole segment" },
  { "app/$user/$user own nobody", "once" },
  { "app/x own nobody", "no $user" },
  { "app/x everybody nobody", "it must be" },
  { "app/x everyone,nobody nobody", "it must be" },
  { "app/x everyone role:crew", "by its id" },
  { "app/x everyone user:", "it must be" },
  { "app/x everyone everyone,", "it must be" },
};

static void
test_texts (void)
{
  g_test_summary ("What is no rule is refused, and why is said.");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean is_rule = hark_topic_rule_parse_check (texts[i].text, &error);
      g_test_message ("%s", texts[i].text);
      if (texts[i].problem == NULL)
        g_assert_no_error (error);
      else
        g_assert_error (error, HARK_ERROR, HARK_ERROR_BAD_REQUEST);
      g_assert_true (is_rule == (texts[i].problem == NULL));
      if (texts[i].problem != NULL)
        g_assert_nonnull (strstr (error->message, texts[i].problem));
    }
}

static void
test_too_many (void)
{
  g_autoptr (GPtrArray) many = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_test_summary ("There is a bound on rules.");
  for (guint i = 0; i <= HARK_TOPIC_RULES_MAX; i++)
    g_ptr_array_add (many, (gpointer) "app/x everyone nobody");
  g_ptr_array_add (many, NULL);
  g_assert_null (hark_topic_rules_new ((const char *const *)many->pdata, &error));
  g_assert_error (error, HARK_ERROR, HARK_ERROR_TOO_LARGE);
}

/* With the ids of what the test makes. */
static void
restart_with (ChatFixture *f, const char *const *rules)
{
  chat_fixture_stop (f);
  f->limits.topic_rules = rules;
  chat_fixture_start (f);
}

static gboolean
may (Client *client, const char *type, const char *topic)
{
  client_say (client, "{\"type\":\"%s\",\"topic\":\"%s\",\"ref\":1%s}", type, topic,
              g_str_equal (type, "publish") ? ",\"data\":1" : "");
  chat_fixture_settle (client->fixture);
  for (;;)
    {
      g_autoptr (JsonObject) reply = client_pop (client);
      g_assert_nonnull (reply);
      if (!json_object_has_member (reply, "ref"))
        continue;
      if (json_object_has_member (reply, "code"))
        g_assert_cmpstr (json_object_get_string_member (reply, "code"), ==, "forbidden");
      return !json_object_has_member (reply, "code");
    }
}

static void
test_who (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob"), eve = chat_fixture_user (f, "eve");
  gint64 server = chat_fixture_server (f, ann, "Harbour"), role;
  g_autofree char *staff = NULL, *members = NULL, *own = g_strdup_printf ("app/users/" ID "/x/y", bob);
  const char *rules[7];
  Client *anns, *bobs, *eves, *guest;
  g_autoptr (HarkIdentity) identity = NULL;
  g_test_summary ("Rules say who may subscribe and publish: by role, by pattern, by the user's own id; the first that "
                  "matches decides.");
  chat_fixture_join (f, server, bob);
  role = chat_fixture_call_id (f, "role_id", "create_role", "\"server_id\":\"" ID "\",\"name\":\"staff\"", server);
  g_free (chat_fixture_call (f, "assign_role", "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", role, bob));
  staff = g_strdup_printf ("app/staff/* role:" ID " role:" ID, role, role);
  members = g_strdup_printf ("app/harbour role:" ID " nobody", server);
  rules[0] = staff;
  rules[1] = members;
  rules[2] = "app/users/$user/** own own";
  rules[3] = "app/named user:EVE user:eve";
  rules[4] = "room/open anonymous anonymous";
  rules[5] = "room/** everyone nobody";
  rules[6] = NULL;
  restart_with (f, rules);
  anns = chat_fixture_connect (f, ann);
  bobs = chat_fixture_connect (f, bob);
  eves = chat_fixture_connect (f, eve);
  identity = hark_chat_new_guest (f->chat);
  guest = client_new (f, f->hub, f->protocol, identity);
  g_ptr_array_add (f->clients, guest);
  chat_fixture_settle (f);
  g_assert_true (may (bobs, "subscribe", "app/staff/a"));
  g_assert_true (may (bobs, "publish", "app/staff/a"));
  g_assert_false (may (bobs, "subscribe", "app/staff/a/b"));
  g_assert_false (may (anns, "subscribe", "app/staff/a"));
  g_assert_false (may (anns, "publish", "app/staff/a"));
  g_assert_true (may (anns, "subscribe", "app/harbour"));
  g_assert_false (may (anns, "publish", "app/harbour"));
  g_assert_false (may (eves, "subscribe", "app/harbour"));
  g_assert_true (may (bobs, "subscribe", own));
  g_assert_true (may (bobs, "publish", own));
  g_assert_false (may (eves, "subscribe", own));
  g_assert_false (may (bobs, "subscribe", "app/users/me/x"));
  g_assert_true (may (eves, "publish", "app/named"));
  g_assert_false (may (bobs, "subscribe", "app/named"));
  g_assert_true (may (guest, "subscribe", "room/open"));
  g_assert_true (may (guest, "publish", "room/open"));
  g_assert_false (may (guest, "subscribe", "room/other"));
  g_assert_true (may (eves, "subscribe", "room/other/x"));
  g_assert_false (may (eves, "publish", "room/other/x"));
  g_assert_false (may (bobs, "subscribe", "app/unruled"));
  g_assert_false (may (bobs, "publish", "channel/1"));
  client_refused (bobs, HARK_ERROR_FORBIDDEN, "kind", "publish",
                  "\"topic\":\"app/staff/a\",\"data\":1,\"kind\":\"made_up\"");
  g_assert_cmpint (hark_counter_get (hark_metrics_counter (f->metrics, "hark_topic_publish_refused_total", "")), ==, 4);
}

static void
test_lost (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), bob = chat_fixture_user (f, "bob");
  gint64 server = chat_fixture_server (f, ann, "Harbour"), role;
  g_autofree char *staff = NULL, *members = NULL;
  g_autoptr (JsonObject) published = NULL, ended = NULL, left = NULL;
  const char *rules[3] = { NULL };
  Client *bobs;
  g_test_summary ("A subscription that a role gave ends with the role, and with the membership.");
  chat_fixture_join (f, server, bob);
  role = chat_fixture_call_id (f, "role_id", "create_role", "\"server_id\":\"" ID "\",\"name\":\"staff\"", server);
  g_free (chat_fixture_call (f, "assign_role", "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", role, bob));
  rules[0] = staff = g_strdup_printf ("app/staff role:" ID " nobody", role);
  rules[1] = members = g_strdup_printf ("app/all role:" ID " nobody", server);
  restart_with (f, rules);
  bobs = chat_fixture_connect (f, bob);
  client_do (bobs, "subscribe", "\"topic\":\"app/staff\"");
  client_do (bobs, "subscribe", "\"topic\":\"app/all\"");
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/staff\",\"data\":1"));
  published = client_pop_type (bobs, "publication");
  g_assert_false (json_object_has_member (published, "author_id"));
  g_free (chat_fixture_call (f, "unassign_role", "\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"", role, bob));
  ended = client_pop_type (bobs, "unsubscribed");
  g_assert_cmpstr (json_object_get_string_member (ended, "topic"), ==, "app/staff");
  g_free (chat_fixture_call (f, "publish", "\"topic\":\"app/staff\",\"data\":2"));
  client_assert_silent (bobs);
  client_do (bobs, "leave_server", "\"server_id\":\"" ID "\"", server);
  chat_fixture_settle (f);
  left = client_pop_type (bobs, "unsubscribed");
  g_assert_cmpstr (json_object_get_string_member (left, "topic"), ==, "app/all");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/topics/texts", test_texts);
  g_test_add_func ("/topics/too-many", test_too_many);
  ADD ("/topics/who", test_who);
  ADD ("/topics/lost", test_lost);
  return g_test_run ();
}
