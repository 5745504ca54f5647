/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

static GArray *
read_pages (ChatFixture *f, Client *client, gint64 server, guint *sizes, guint n_sizes, void (*between) (ChatFixture *))
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 after = 0;
  for (guint page = 0; page < n_sizes; page++)
    {
      g_autofree char *from = after != 0 ? g_strdup_printf (",\"after\":\"" ID "\"", after) : g_strdup ("");
      g_autoptr (JsonObject) reply
        = client_ask (client, "get_server_members", "\"server_id\":\"" ID "\"%s", server, from);
      JsonArray *members = json_object_get_array_member (reply, "members");
      sizes[page] = json_array_get_length (members);
      for (guint i = 0; i < sizes[page]; i++)
        {
          gint64 id = json_id (json_array_get_object_element (members, i), "user_id");
          g_array_append_val (ids, id);
        }
      if (json_object_get_null_member (reply, "next"))
        {
          g_assert_cmpuint (page, ==, n_sizes - 1);
          break;
        }
      after = json_id (reply, "next");
      if (between != NULL)
        between (f);
    }
  return ids;
}

static gint64 crowd_server;
static gint64 crowd[205];

static void
make_crowd (ChatFixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%03u", i);
      crowd[i] = chat_fixture_user (f, name);
      if (i == 0)
        crowd_server = chat_fixture_server (f, crowd[0], "Crowd");
      else if (i < 200)
        chat_fixture_join (f, crowd_server, crowd[i]);
    }
}

static void
come_and_go (ChatFixture *f)
{
  static guint next_in = 200, next_out = 100;
  if (next_in < 205)
    chat_fixture_join (f, crowd_server, crowd[next_in++]);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", crowd_server,
                             crowd[next_out]));
  next_out += 48;
}

static void
test_pages (ChatFixture *f, gconstpointer data)
{
  guint sizes[4];
  Client *client;
  g_autoptr (GArray) ids = NULL, again = NULL;
  g_test_summary ("000-3: 200 members come as 64, 64, 64 and 8, none twice and none left out, also while members join "
                  "and leave between the pages.");
  make_crowd (f, 205);
  client = chat_fixture_connect (f, crowd[0]);
  ids = read_pages (f, client, crowd_server, sizes, 4, NULL);
  g_assert_cmpuint (sizes[0], ==, 64);
  g_assert_cmpuint (sizes[1], ==, 64);
  g_assert_cmpuint (sizes[2], ==, 64);
  g_assert_cmpuint (sizes[3], ==, 8);
  for (guint i = 0; i < 200; i++)
    g_assert_cmpint (g_array_index (ids, gint64, i), ==, crowd[i]);
  again = read_pages (f, client, crowd_server, sizes, 4, come_and_go);
  for (guint i = 1; i < again->len; i++)
    g_assert_cmpint (g_array_index (again, gint64, i), >, g_array_index (again, gint64, i - 1));
  /* Three left before their page was read, and three came before the last. */
  g_assert_cmpuint (again->len, ==, 200 - 3 + 3);
}

static void
test_fields (ChatFixture *f, gconstpointer data)
{
  static const char *const fields[]
    = { "user_id", "username", "displayname", "profile_pic", "status", "bio", "activity" };
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  Client *client = chat_fixture_connect (f, ann);
  g_autoptr (JsonObject) reply = NULL;
  JsonObject *member;
  g_test_summary ("000-3: a member has the fields that the source names.");
  client_do (client, "set_profile", "\"displayname\":\"Ann\",\"bio\":\"b\",\"activity\":\"a\",\"profile_pic\":\"p\"");
  reply = client_ask (client, "get_server_members", "\"server_id\":\"" ID "\"", server);
  member = json_array_get_object_element (json_object_get_array_member (reply, "members"), 0);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_assert_cmpstr (json_object_get_string_member (member, fields[i]), !=, NULL);
  g_assert_cmpstr (json_object_get_string_member (member, "status"), ==, "online");
  g_assert_cmpstr (json_object_get_string_member (member, "bio"), ==, "b");
}

static guint
n_removed (Client *client, gint64 server, gint64 after, gint64 since)
{
  g_autofree char *from = after != 0 ? g_strdup_printf ("\"after\":\"" ID "\",", after) : g_strdup ("");
  g_autoptr (JsonObject) reply
    = client_ask (client, "get_server_members", "%s\"server_id\":\"" ID "\",\"limit\":2,\"since\":" ID, from, server,
                  since);
  return json_array_get_length (json_object_get_array_member (reply, "removed"));
}

static void
test_windows (ChatFixture *f, gconstpointer data)
{
  gint64 users[6], server, rev;
  Client *client;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("000-7: a window over members that is asked for with since tells what has changed inside it alone.");
  for (guint i = 0; i < 6; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      users[i] = chat_fixture_user (f, name);
    }
  server = chat_fixture_server (f, users[5], "Harbour");
  for (guint i = 0; i < 5; i++)
    chat_fixture_join (f, server, users[i]);
  client = chat_fixture_connect (f, users[5]);
  reply = client_ask (client, "get_server_members", "\"server_id\":\"" ID "\",\"limit\":2", server);
  g_assert_cmpint (json_id (reply, "next"), ==, users[1]);
  rev = json_object_get_int_member (reply, "rev");
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, users[1]));
  g_assert_cmpuint (n_removed (client, server, 0, rev), ==, 1);
  g_assert_cmpuint (n_removed (client, server, users[1], rev), ==, 0);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", server, users[4]));
  g_assert_cmpuint (n_removed (client, server, 0, rev), ==, 1);
  g_assert_cmpuint (n_removed (client, server, users[3], rev), ==, 1);
}

typedef struct
{
  gint64 ann, bob, eve, server;
} Three;

static void
make_three (ChatFixture *f, Three *t)
{
  t->ann = chat_fixture_user (f, "ann");
  t->bob = chat_fixture_user (f, "bob");
  t->eve = chat_fixture_user (f, "eve");
  t->server = chat_fixture_server (f, t->ann, "Harbour");
  chat_fixture_join (f, t->server, t->bob);
  chat_fixture_join (f, t->server, t->eve);
}

static void
assert_status (Client *client, gint64 user, const char *status)
{
  g_autoptr (JsonObject) event = client_pop (client);
  g_assert_nonnull (event);
  g_assert_cmpstr (json_object_get_string_member (event, "type"), ==, "user_status_change");
  g_assert_cmpint (json_id (event, "user_id"), ==, user);
  g_assert_cmpstr (json_object_get_string_member (event, "status"), ==, status);
}

static void
test_loaded_only (ChatFixture *f, gconstpointer data)
{
  Three t;
  Client *ann, *bob, *eve, *tab;
  g_autoptr (JsonObject) update = NULL;
  g_test_summary ("000-5: changes of status and profile reach those who have loaded the user, once, and nobody else.");
  make_three (f, &t);
  bob = chat_fixture_connect (f, t.bob);
  ann = chat_fixture_connect (f, t.ann);
  eve = chat_fixture_connect (f, t.eve);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_do (bob, "set_profile", "\"bio\":\"new\",\"displayname\":\"bob\"");
  update = client_pop_type (ann, "user_update");
  g_assert_cmpstr (json_object_get_string_member (update, "bio"), ==, "new");
  g_assert_false (json_object_has_member (update, "displayname"));
  client_assert_silent (ann);
  client_do (bob, "set_profile", "\"bio\":\"new\"");
  client_do (bob, "set_status", "\"status\":\"dnd\"");
  assert_status (ann, t.bob, "dnd");
  tab = chat_fixture_connect (f, t.bob);
  client_hang_up (bob);
  chat_fixture_advance (f, 5000);
  client_assert_silent (ann);
  client_hang_up (tab);
  chat_fixture_advance (f, 500);
  client_assert_silent (ann);
  chat_fixture_advance (f, 501);
  assert_status (ann, t.bob, "offline");
  client_assert_silent (ann);
  client_assert_silent (eve);
  bob = chat_fixture_connect (f, t.bob);
  assert_status (ann, t.bob, "dnd");
  client_do (bob, "set_status", "\"status\":\"offline\"");
  assert_status (ann, t.bob, "offline");
  client_do (ann, "forget", "\"users\":[\"" ID "\"]", t.bob);
  client_do (bob, "set_status", "\"status\":\"online\"");
  client_assert_silent (ann);
  client_refused (bob, HARK_ERROR_BAD_REQUEST, "status", "set_status", "\"status\":\"away\"");
  client_refused (bob, HARK_ERROR_TOO_LARGE, "activity", "set_profile", "\"activity\":\"%0200d\"", 0);
}

static void
assert_update (Client *client, gint64 user)
{
  g_autoptr (JsonObject) event = client_pop_type (client, "user_update");
  g_assert_cmpint (json_id (event, "user_id"), ==, user);
  client_assert_silent (client);
}

static void
test_strangers (ChatFixture *f, gconstpointer data)
{
  Three t;
  Client *ann, *bob;
  g_test_summary (
    "Users who share no server cannot load each other, and who stops sharing one hears nothing any more.");
  make_three (f, &t);
  ann = chat_fixture_connect (f, t.ann);
  bob = chat_fixture_connect (f, t.bob);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_do (bob, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  g_free (chat_fixture_call (f, "kick_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", t.server, t.bob));
  json_object_unref (client_pop_type (ann, "remove_member"));
  json_object_unref (client_pop_type (bob, "remove_member"));
  client_refused (bob, HARK_ERROR_NOT_FOUND, "server_id", "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_do (ann, "set_profile", "\"bio\":\"x\"");
  client_do (bob, "set_profile", "\"bio\":\"y\"");
  /* Their own, and no more. */
  assert_update (ann, t.ann);
  assert_update (bob, t.bob);
}

static void
test_server_gone (ChatFixture *f, gconstpointer data)
{
  Three t;
  Client *ann, *bob;
  g_test_summary ("When a server is deleted its members who share no other one hear nothing of each other any more.");
  make_three (f, &t);
  ann = chat_fixture_connect (f, t.ann);
  bob = chat_fixture_connect (f, t.bob);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_do (bob, "get_servers", "%s", "");
  client_do (ann, "delete_server", "\"server_id\":\"" ID "\"", t.server);
  json_object_unref (client_pop_type (bob, "remove_server"));
  client_do (bob, "set_profile", "\"bio\":\"y\"");
  client_assert_silent (ann);
  client_assert_silent (bob);
}

/* A client's pages of members, kept right by nothing but what it is told. */
typedef struct
{
  gint64 server;
  gint64 ends[3]; /* where each page ends; the last one has no end */
  guint n_pages;
  GHashTable *members; /* user id → text of the member */
} Pages;

static void
put (Pages *pages, JsonObject *member)
{
  g_hash_table_replace (pages->members, g_strdup (json_object_get_string_member (member, "user_id")),
                        json_text (member));
}

static void
fill (Pages *pages, Client *client, guint n_pages, guint limit)
{
  gint64 after = 1;
  g_hash_table_remove_all (pages->members);
  pages->n_pages = n_pages;
  for (guint i = 0; i < n_pages; i++)
    {
      g_autoptr (JsonObject) reply
        = client_ask (client, "get_server_members", "\"server_id\":\"" ID "\",\"after\":" ID ",\"limit\":%u",
                      pages->server, after, limit);
      JsonArray *members = json_object_get_array_member (reply, "members");
      for (guint j = 0; j < json_array_get_length (members); j++)
        put (pages, json_array_get_object_element (members, j));
      if (json_object_get_null_member (reply, "next"))
        {
          pages->ends[i] = G_MAXINT64;
          pages->n_pages = i + 1;
          return;
        }
      after = pages->ends[i] = json_id (reply, "next");
    }
}

/* Changes the members named in an event; of what is not on its pages a client must not be told. */
static void
take_event (Pages *pages, JsonObject *event)
{
  const char *type = json_object_get_string_member (event, "type");
  const char *id = json_object_get_string_member (event, "user_id");
  const char *text = g_hash_table_lookup (pages->members, id);
  g_autoptr (JsonParser) parser = NULL;
  JsonObject *member;
  g_assert_cmpint (json_id (event, "user_id"), <=, pages->ends[pages->n_pages - 1]);
  if (g_str_equal (type, "remove_member"))
    {
      g_assert_true (g_hash_table_remove (pages->members, id));
      return;
    }
  g_assert_true ((text == NULL) == g_str_equal (type, "add_member"));
  parser = json_parser_new ();
  json_parser_load_from_data (parser, text != NULL ? text : "{}", -1, NULL);
  member = json_node_get_object (json_parser_get_root (parser));
  {
    g_autoptr (GList) names = json_object_get_members (event);
    for (GList *i = names; i != NULL; i = i->next)
      if (!g_str_equal (i->data, "type") && !g_str_equal (i->data, "seq") && !g_str_equal (i->data, "server_id"))
        json_object_set_member (member, i->data, json_object_dup_member (event, i->data));
  }
  put (pages, member);
}

static void
forget (Pages *pages, Client *client)
{
  g_autoptr (GString) ids = g_string_new (NULL);
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, pages->members);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_string_append_printf (ids, "%s%s", ids->len > 0 ? "," : "", (const char *)key);
  client_do (client, "forget", "\"members\":[" ID "],\"users\":[%s]", pages->server, ids->str);
}

static void
assert_pages (Pages *kept, Pages *fresh)
{
  GHashTableIter iter;
  gpointer key, value;
  /* Who came into the last page of those that were loaded makes it longer than one that is asked for anew. */
  g_hash_table_iter_init (&iter, kept->members);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_assert_cmpstr (value, ==, g_hash_table_lookup (fresh->members, key));
  g_hash_table_iter_init (&iter, fresh->members);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (g_ascii_strtoll (key, NULL, 10) <= kept->ends[kept->n_pages - 1])
      g_assert_nonnull (g_hash_table_lookup (kept->members, key));
}

static void
change_member (ChatFixture *f, gint64 server, gint64 role, gint64 user, GRand *rand, Client **clients, guint i)
{
  static const char *const statuses[] = { "online", "idle", "dnd" };
  guint n = g_rand_int_range (rand, 0, 1000);
  switch (n % 7)
    {
    case 0:
      if (clients[i] != NULL)
        client_hang_up (g_steal_pointer (&clients[i]));
      else
        clients[i] = chat_fixture_connect (f, user);
      chat_fixture_advance (f, 1001);
      break;
    case 1:
      if (clients[i] != NULL)
        client_do (clients[i], "set_status", "\"status\":\"%s\"", statuses[n % 3]);
      break;
    case 2:
      client_say (clients[0], "{\"type\":\"add_member\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server, user);
      break;
    case 3:
      client_say (clients[0], "{\"type\":\"kick_member\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server,
                  user);
      break;
    case 4:
      client_say (clients[0],
                  "{\"type\":\"set_nick\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\",\"nick\":\"n%u\"}", server,
                  user, n);
      break;
    default:
      client_say (clients[0], "{\"type\":\"%s_role\",\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"}",
                  n % 3 ? "assign" : "unassign", role, user);
    }
  chat_fixture_settle (f);
}

#define N_CROWD 14

/* The list is read, and changes, and after a while it is read anew and compared; now and then the watcher is cut, and
 * resumes. */
static void
test_live (ChatFixture *f, gconstpointer data)
{
  GRand *rand = g_rand_new_with_seed (g_test_rand_int ());
  gint64 ann = chat_fixture_user (f, "ann"), watching = chat_fixture_user (f, "watcher"), users[N_CROWD], role;
  Client *clients[N_CROWD] = { NULL }, *watcher, *asker;
  Pages kept = { 0 }, fresh = { 0 };
  guint n_events = 0;
  g_autoptr (JsonObject) made = NULL;
  g_test_summary ("000-5: pages of members stay right by what is told, while people join, leave, get nicks and roles, "
                  "come and go, and the watcher itself is cut and comes back; nothing is told of other pages.");
  kept.server = fresh.server = chat_fixture_server (f, ann, "Harbour");
  kept.members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  fresh.members = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  users[0] = ann;
  for (guint i = 1; i < N_CROWD; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      users[i] = chat_fixture_user (f, name);
      if (i % 2)
        chat_fixture_join (f, kept.server, users[i]);
    }
  chat_fixture_join (f, kept.server, watching);
  clients[0] = chat_fixture_connect (f, ann);
  watcher = chat_fixture_connect (f, watching);
  asker = chat_fixture_connect (f, watching);
  made = client_ask (clients[0], "create_role", "\"server_id\":\"" ID "\",\"name\":\"crew\"", kept.server);
  role = json_id (made, "role_id");
  for (guint round = 0; round < 300; round++)
    {
      guint i = g_rand_int_range (rand, 1, N_CROWD);
      JsonObject *event;
      gboolean cut = round % 17 == 16;
      if (round % 50 == 0)
        {
          forget (&kept, watcher);
          fill (&kept, watcher, g_rand_int_range (rand, 1, 4), 4);
        }
      if (cut)
        client_hang_up (watcher);
      change_member (f, kept.server, role, users[i], rand, clients, i);
      if (cut)
        {
          Client *next = chat_fixture_connect (f, watching);
          g_autoptr (JsonObject) reply = client_ask (next, "resume", "\"resume\":\"%s\"", watcher->resume);
          JsonArray *topics = json_object_get_array_member (reply, "topics");
          JsonArray *changed = json_object_get_array_member (reply, "changed");
          for (guint j = 0; j < json_array_get_length (topics); j++)
            {
              JsonObject *topic = json_array_get_object_element (topics, j);
              JsonArray *events = json_object_get_array_member (topic, "events");
              g_assert_cmpstr (json_object_get_string_member (topic, "result"), ==, "recovered");
              for (guint k = 0; k < json_array_get_length (events); k++)
                take_event (&kept, json_array_get_object_element (events, k));
            }
          for (guint j = 0; j < json_array_get_length (changed); j++)
            {
              g_autoptr (JsonObject) user = json_object_ref (json_array_get_object_element (changed, j));
              json_object_set_string_member (user, "type", "user_update");
              if (g_hash_table_contains (kept.members, json_object_get_string_member (user, "user_id")))
                take_event (&kept, user);
            }
          watcher = next;
        }
      while ((event = client_pop (watcher)) != NULL)
        {
          if (json_object_has_member (event, "user_id") && !json_object_has_member (event, "session"))
            {
              take_event (&kept, event);
              n_events++;
            }
          json_object_unref (event);
        }
      fill (&fresh, asker, 1, 100);
      assert_pages (&kept, &fresh);
      client_do (asker, "forget", "\"servers\":[" ID "]", kept.server);
    }
  g_assert_cmpuint (n_events, >, 30);
  g_hash_table_unref (kept.members);
  g_hash_table_unref (fresh.members);
  g_rand_free (rand);
}

static void
test_after_crash (ChatFixture *f, gconstpointer data)
{
  Three t;
  Client *ann;
  g_test_summary ("Who was online when the daemon ended goes offline after the grace time, unless they come back.");
  make_three (f, &t);
  chat_fixture_connect (f, t.ann);
  chat_fixture_connect (f, t.bob);
  chat_fixture_connect (f, t.eve);
  chat_fixture_stop (f);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM users WHERE online = 1"), ==, 3);
  chat_fixture_start (f);
  ann = chat_fixture_connect (f, t.ann);
  chat_fixture_connect (f, t.eve);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  client_assert_silent (ann);
  chat_fixture_advance (f, 1001);
  assert_status (ann, t.bob, "offline");
  client_assert_silent (ann);
}

static void
test_storm_on_full_disk (ChatFixture *f, gconstpointer data)
{
  Three t;
  Client *ann, *bob;
  g_test_summary ("A change of presence that could not be stored is told as soon as it can be.");
  make_three (f, &t);
  ann = chat_fixture_connect (f, t.ann);
  client_do (ann, "get_server_members", "\"server_id\":\"" ID "\"", t.server);
  step_store_fail_writes (f->steps, TRUE);
  bob = chat_fixture_connect (f, t.bob);
  client_assert_silent (ann);
  step_store_fail_writes (f->steps, FALSE);
  chat_fixture_advance (f, 1000);
  assert_status (ann, t.bob, "online");
  client_assert_silent (ann);
  g_assert_nonnull (bob);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/members/000-3", test_pages);
  ADD ("/members/000-3/fields", test_fields);
  ADD ("/members/000-7", test_windows);
  ADD ("/members/000-5", test_loaded_only);
  ADD ("/members/strangers", test_strangers);
  ADD ("/members/server-gone", test_server_gone);
  ADD ("/members/000-5/live", test_live);
  ADD ("/members/after-crash", test_after_crash);
  ADD ("/members/full-disk", test_storm_on_full_disk);
  return g_test_run ();
}
