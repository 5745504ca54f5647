/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"

/*
 * The promise of `since`: what a client has, changed as the reply about changes says, is what it would get anew.
 */

#define N_USERS 6
#define N_SERVERS 3

typedef struct
{
  gint64 users[N_USERS];
  gint64 servers[N_SERVERS];
  GArray *channels; /* (element-type gint64) */
  GArray *roles;    /* (element-type gint64) */
  GArray *messages; /* (element-type gint64) */
  gint64 general;   /* a channel that stays, of the second server */
  Client *admin;
  Client *talker; /* the owner of the second server */
} World;

/* A list a client keeps: id → text of its object. */
typedef struct
{
  const char *request; /* with its members */
  const char *type;
  char *members;
  const char *list;
  const char *key;
  GHashTable *items;
  gint64 rev;
} Cache;

static char *
text_without_unread (JsonObject *object, const char *key, gint64 *unread)
{
  *unread = json_object_has_member (object, "unread") ? json_object_get_int_member (object, "unread") : 0;
  json_object_remove_member (object, "unread");
  return json_text (object);
}

static void
put_all (Cache *cache, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = json_array_get_object_element (array, i);
      gint64 unread;
      g_hash_table_replace (cache->items, g_strdup (json_object_get_string_member (object, cache->key)),
                            text_without_unread (object, cache->key, &unread));
    }
}

static void
cache_fill (Cache *cache, Client *client)
{
  g_autoptr (JsonObject) reply = client_ask (client, cache->type, "%s", cache->members);
  g_hash_table_remove_all (cache->items);
  put_all (cache, json_object_get_array_member (reply, cache->list));
  cache->rev = json_object_get_int_member (reply, "rev");
}

static gboolean
cache_update (Cache *cache, Client *client)
{
  g_autoptr (JsonObject) reply = client_ask (client, cache->type, "%s%s\"since\":" ID, cache->members,
                                             *cache->members != '\0' ? "," : "", cache->rev);
  gboolean reset = json_object_has_member (reply, "reset");
  if (reset)
    {
      g_hash_table_remove_all (cache->items);
      put_all (cache, json_object_get_array_member (reply, cache->list));
    }
  else
    {
      JsonArray *removed = json_object_get_array_member (reply, "removed");
      for (guint i = 0; i < json_array_get_length (removed); i++)
        g_hash_table_remove (cache->items, json_array_get_string_element (removed, i));
      put_all (cache, json_object_get_array_member (reply, "changed"));
    }
  cache->rev = json_object_get_int_member (reply, "rev");
  return reset;
}

static void
cache_init (Cache *cache, const char *type, char *members, const char *list, const char *key)
{
  cache->type = type;
  cache->members = members;
  cache->list = list;
  cache->key = key;
  cache->items = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
cache_clear (Cache *cache)
{
  g_hash_table_unref (cache->items);
  g_free (cache->members);
}

static void
assert_same (Cache *kept, Cache *fresh)
{
  GHashTableIter iter;
  gpointer key, value;
  g_assert_cmpuint (g_hash_table_size (kept->items), ==, g_hash_table_size (fresh->items));
  g_hash_table_iter_init (&iter, fresh->items);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_assert_cmpstr (g_hash_table_lookup (kept->items, key), ==, value);
}

/* One change, which may be refused: that too changes nothing. */
static void
drain (Client *client)
{
  JsonObject *object;
  while ((object = client_pop (client)) != NULL)
    json_object_unref (object);
}

static gint64
pick (GArray *ids, GRand *rand)
{
  return ids->len > 0 ? g_array_index (ids, gint64, g_rand_int_range (rand, 0, ids->len)) : 1;
}

/* Something that makes a thing: its id is remembered. */
static void
make (World *w, GArray *ids, const char *field, Client *client, const char *type, const char *members)
{
  g_autoptr (JsonObject) reply = client_ask (client, type, "%s", members);
  gint64 id = json_id (reply, field);
  g_array_append_val (ids, id);
}

static void
change_roles (World *w, GRand *rand, gint64 server, gint64 user, gint64 channel)
{
  gint64 role = pick (w->roles, rand);
  guint n = g_rand_int_range (rand, 0, 1000);
  g_autofree char *members = NULL;
  switch (n % 10)
    {
    case 0:
      members = g_strdup_printf ("\"server_id\":\"" ID "\",\"name\":\"r%u\"", server, n);
      make (w, w->roles, "role_id", w->admin, "create_role", members);
      break;
    case 1:
    case 2:
    case 3:
      client_say (w->admin, "{\"type\":\"assign_role\",\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"}", role, user);
      break;
    case 4:
      client_say (w->admin, "{\"type\":\"unassign_role\",\"role_id\":\"" ID "\",\"user_id\":\"" ID "\"}", role, user);
      break;
    case 5:
    case 6:
      client_say (w->admin, "{\"type\":\"grant_channel\",\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"}", channel,
                  role);
      break;
    case 7:
      client_say (w->admin, "{\"type\":\"revoke_channel\",\"channel_id\":\"" ID "\",\"role_id\":\"" ID "\"}", channel,
                  role);
      break;
    case 8:
      client_say (w->admin, "{\"type\":\"delete_role\",\"role_id\":\"" ID "\"}", role);
      break;
    default:
      client_say (w->admin, "{\"type\":\"set_nick\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\",\"nick\":\"n%u\"}",
                  server, user, n);
    }
}

static void
change_messages (World *w, GRand *rand)
{
  gint64 message = pick (w->messages, rand);
  guint n = g_rand_int_range (rand, 0, 1000);
  g_autofree char *members = NULL;
  switch (n % 6)
    {
    case 0:
    case 1:
      members = g_strdup_printf ("\"channel\":\"" ID "\",\"message\":\"m%u @user0\"", w->general, n);
      if (w->messages->len < 60)
        make (w, w->messages, "message_id", w->talker, "message", members);
      break;
    case 2:
      client_say (w->talker, "{\"type\":\"edit_message\",\"message_id\":\"" ID "\",\"message\":\"e%u\"}", message, n);
      break;
    case 3:
      client_say (w->talker, "{\"type\":\"delete_message\",\"message_id\":\"" ID "\"}", message);
      break;
    default:
      client_say (w->talker, "{\"type\":\"%s\",\"message_id\":\"" ID "\",\"emoji\":\"x%u\"}",
                  n % 2 ? "react" : "unreact", message, n % 3);
    }
}

static void
change (ChatFixture *f, World *w, GRand *rand)
{
  gint64 user = w->users[g_rand_int_range (rand, 0, N_USERS)];
  gint64 server = w->servers[g_rand_int_range (rand, 0, N_SERVERS)];
  gint64 channel
    = w->channels->len > 0 ? g_array_index (w->channels, gint64, g_rand_int_range (rand, 0, w->channels->len)) : 1;
  guint n = g_rand_int_range (rand, 0, 1000);
  switch (g_rand_int_range (rand, 0, 18))
    {
    case 0:
      client_say (w->admin, "{\"type\":\"update_server\",\"server_id\":\"" ID "\",\"name\":\"s%u\"}", server, n);
      break;
    case 1:
      client_say (w->admin, "{\"type\":\"add_member\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server, user);
      break;
    case 2:
      client_say (w->admin, "{\"type\":\"kick_member\",\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"}", server, user);
      break;
    case 3:
    case 4:
      {
        channel = chat_fixture_channel (f, server, "c", n % 2);
        g_array_append_val (w->channels, channel);
        break;
      }
    case 5:
      client_say (w->admin, "{\"type\":\"update_channel\",\"channel_id\":\"" ID "\",\"name\":\"c%u\",\"position\":%u}",
                  channel, n, n % 7);
      break;
    case 6:
      client_say (w->admin, "{\"type\":\"update_channel\",\"channel_id\":\"" ID "\",\"private\":%s}", channel,
                  n % 2 ? "true" : "false");
      break;
    case 7:
      client_say (w->admin, "{\"type\":\"delete_channel\",\"channel_id\":\"" ID "\"}", channel);
      break;
    case 8:
    case 9:
      client_say (w->admin, "{\"type\":\"%s_channel\",\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"}",
                  n % 3 ? "grant" : "revoke", channel, user);
      break;
    case 10:
      client_say (w->admin, "{\"type\":\"update_server\",\"server_id\":\"" ID "\",\"owner_id\":\"" ID "\"}", server,
                  user);
      break;
    case 11:
    case 12:
    case 13:
    case 14:
      change_roles (w, rand, server, user, channel);
      break;
    case 15:
    case 16:
      change_messages (w, rand);
      break;
    default:
      client_say (w->admin, "{\"type\":\"update_user\",\"user_id\":\"" ID "\",\"bio\":\"b%u\"}", user, n);
    }
  chat_fixture_settle (f);
  drain (w->admin);
  drain (w->talker);
}

static void
make_world (ChatFixture *f, World *w)
{
  g_autoptr (HarkIdentity) admin = NULL;
  gint64 root = chat_fixture_user (f, "root"), talker;
  w->channels = g_array_new (FALSE, FALSE, sizeof (gint64));
  w->roles = g_array_new (FALSE, FALSE, sizeof (gint64));
  w->messages = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < N_USERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      w->users[i] = chat_fixture_user (f, name);
    }
  for (guint i = 0; i < N_SERVERS; i++)
    {
      w->servers[i] = chat_fixture_server (f, w->users[i], "s");
      for (guint j = 0; j < N_USERS; j += 2)
        if (j != i)
          chat_fixture_join (f, w->servers[i], w->users[j]);
    }
  admin = hark_identity_new (root, "root", 2, 0, HARK_IDENTITY_ADMIN);
  w->admin = client_new (f, f->hub, f->protocol, admin);
  g_ptr_array_add (f->clients, w->admin);
  /* Who talks is none of those who come and go. */
  talker = chat_fixture_user (f, "talker");
  chat_fixture_join (f, w->servers[1], talker);
  w->talker = chat_fixture_connect (f, talker);
  w->general = chat_fixture_channel (f, w->servers[1], "general", FALSE);
  chat_fixture_settle (f);
}

static gboolean
is_member (ChatFixture *f, gint64 server, gint64 user)
{
  g_autofree char *sql
    = g_strdup_printf ("SELECT count(*) FROM members WHERE server_id = " ID " AND user_id = " ID, server, user);
  return chat_fixture_count (f, sql) > 0;
}

static void
test_property (ChatFixture *f, gconstpointer data)
{
  World w;
  GRand *rand = g_rand_new_with_seed (g_test_rand_int ());
  Client *client;
  Cache servers = { NULL }, fresh_servers = { NULL };
  Cache lists[3] = { { NULL } }, fresh[3] = { { NULL } };
  guint n_resets = 0, n_compared = 0;
  g_test_summary (
    "000-7: whatever changes, a client's servers, channels, members and messages after a request with since "
    "are those of a client that asks anew.");
  make_world (f, &w);
  cache_init (&servers, "get_servers", g_strdup (""), "servers", "server_id");
  cache_init (&fresh_servers, "get_servers", g_strdup (""), "servers", "server_id");
  cache_init (&lists[0], "get_server_channels", g_strdup_printf ("\"server_id\":\"" ID "\"", w.servers[1]), "channels",
              "channel_id");
  cache_init (&fresh[0], "get_server_channels", g_strdup (lists[0].members), "channels", "channel_id");
  cache_init (&lists[1], "get_server_members", g_strdup_printf ("\"server_id\":\"" ID "\"", w.servers[1]), "members",
              "user_id");
  cache_init (&fresh[1], "get_server_members", g_strdup (lists[1].members), "members", "user_id");
  cache_init (&lists[2], "get_messages", g_strdup_printf ("\"channel_id\":\"" ID "\",\"limit\":100", w.general),
              "messages", "message_id");
  cache_init (&fresh[2], "get_messages", g_strdup (lists[2].members), "messages", "message_id");
  client = chat_fixture_connect (f, w.users[0]);
  for (guint round = 0; round < 400; round++)
    {
      guint n = g_rand_int_range (rand, 1, 4);
      for (guint i = 0; i < n; i++)
        change (f, &w, rand);
      /* However the dice fall, there is something to compare. */
      if (round % 10 == 9 && !is_member (f, w.servers[1], w.users[0]))
        chat_fixture_join (f, w.servers[1], w.users[0]);
      if (round % 20 == 19)
        {
          client_hang_up (client);
          client = chat_fixture_connect (f, w.users[0]);
        }
      n_resets += cache_update (&servers, client);
      cache_fill (&fresh_servers, client);
      assert_same (&servers, &fresh_servers);
      for (guint i = 0; i < 3 && is_member (f, w.servers[1], w.users[0]); i++)
        {
          n_resets += cache_update (&lists[i], client);
          cache_fill (&fresh[i], client);
          assert_same (&lists[i], &fresh[i]);
          n_compared++;
        }
    }
  g_test_message ("%u lists compared, %u of %u replies began anew", n_compared, n_resets, 400 + n_compared);
  g_assert_cmpuint (n_compared, >, 100);
  g_rand_free (rand);
  g_array_unref (w.channels);
  g_array_unref (w.roles);
  g_array_unref (w.messages);
  cache_clear (&servers);
  cache_clear (&fresh_servers);
  for (guint i = 0; i < 3; i++)
    {
      cache_clear (&lists[i]);
      cache_clear (&fresh[i]);
    }
}

static void
test_reset (ChatFixture *f, gconstpointer data)
{
  gint64 ann = chat_fixture_user (f, "ann"), server = chat_fixture_server (f, ann, "Harbour");
  Client *client = chat_fixture_connect (f, ann);
  gint64 rev;
  g_autoptr (JsonObject) first = NULL, future = NULL, same = NULL, old = NULL;
  g_test_summary (
    "000-7: a rev that the log does not reach, or of the future, is answered with everything and the word "
    "reset; the newest with nothing.");
  first = client_ask (client, "get_servers", "%s", "");
  g_assert_false (json_object_has_member (first, "reset"));
  rev = json_object_get_int_member (first, "rev");
  same = client_ask (client, "get_servers", "\"since\":" ID, rev);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (same, "changed")), ==, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (same, "removed")), ==, 0);
  future = client_ask (client, "get_servers", "\"since\":" ID, rev + 1);
  g_assert_true (json_object_get_boolean_member (future, "reset"));
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (future, "servers")), ==, 1);
  chat_fixture_advance (f, f->limits.log_age_ms + 1);
  chat_fixture_channel (f, server, "late", FALSE);
  chat_fixture_advance (f, 10001);
  old = client_ask (client, "get_servers", "\"since\":0");
  g_assert_true (json_object_get_boolean_member (old, "reset"));
  client_refused (client, HARK_ERROR_BAD_REQUEST, "since", "get_servers", "\"since\":-1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/sync/000-7", test_property);
  ADD ("/sync/000-7/reset", test_reset);
  return g_test_run ();
}
