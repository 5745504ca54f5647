/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chat-fixture.h"
#include "fake-transport.h"

/* More than the interval in which changes are told together. */
#define LATER 1000

typedef struct
{
  gint64 ann, bob, eve;
  gint64 server, channel, second, secret;
  Client *a, *b, *b2;
} Community;

static void
make (ChatFixture *f, Community *c)
{
  c->ann = chat_fixture_user (f, "ann");
  c->bob = chat_fixture_user (f, "bob");
  c->eve = chat_fixture_user (f, "eve");
  c->server = chat_fixture_server (f, c->ann, "Harbour");
  chat_fixture_join (f, c->server, c->bob);
  c->channel = chat_fixture_channel (f, c->server, "general", FALSE);
  c->second = chat_fixture_channel (f, c->server, "second", FALSE);
  c->secret = chat_fixture_channel (f, c->server, "secret", TRUE);
  c->a = chat_fixture_connect (f, c->ann);
  c->b = chat_fixture_connect (f, c->bob);
  c->b2 = chat_fixture_connect (f, c->bob);
  client_do (c->a, "get_servers", "%s", "");
  client_do (c->b, "get_servers", "%s", "");
  client_do (c->b2, "get_server_channels", "\"server_id\":\"" ID "\"", c->server);
}

static gint64
say (Client *client, gint64 channel, const char *text)
{
  g_autoptr (JsonObject) ack
    = client_ask (client, "message", "\"channel\":\"" ID "\",\"message\":\"%s\"", channel, text);
  return json_id (ack, "message_id");
}

static void
assert_told (Client *client, gint64 server, gint64 channel, gint64 unread, gint64 mentions, gint64 server_unread,
             gint64 server_mentions)
{
  g_autoptr (JsonObject) event = client_pop_type (client, "unread");
  g_assert_cmpint (json_id (event, "server_id"), ==, server);
  g_assert_cmpint (json_id (event, "channel_id"), ==, channel);
  g_assert_cmpint (json_object_get_int_member (event, "channel_unread"), ==, unread);
  g_assert_cmpint (json_object_get_int_member (event, "mentions"), ==, mentions);
  g_assert_cmpint (json_object_get_int_member (event, "server_unread"), ==, server_unread);
  g_assert_cmpint (json_object_get_int_member (event, "server_mentions"), ==, server_mentions);
  g_assert_cmpint (json_object_get_int_member (event, "rev"), >, 0);
}

/* @n: channels with something unread */
static void
assert_told_all (Client *client, gint64 server, guint n, gint64 server_unread)
{
  g_autoptr (JsonObject) event = client_pop_type (client, "unread");
  g_assert_false (json_object_has_member (event, "channel_id"));
  g_assert_cmpint (json_id (event, "server_id"), ==, server);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (event, "channels")), ==, n);
  g_assert_cmpint (json_object_get_int_member (event, "server_unread"), ==, server_unread);
}

static void
test_together (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("001-3: what others write is told to every session that has the server loaded, together and once.");
  make (f, &c);
  client_do (c.b, "get_messages", "\"channel_id\":\"" ID "\"", c.channel);
  for (guint i = 0; i < 5; i++)
    say (c.a, c.channel, i == 3 ? "you, @bob" : "hi");
  say (c.a, c.second, "hi");
  for (guint i = 0; i < 5; i++)
    json_object_unref (client_pop_type (c.b, "message"));
  client_assert_silent (c.b2);
  chat_fixture_advance (f, f->limits.unread_interval_ms - 1);
  client_assert_silent (c.b2);
  chat_fixture_advance (f, 1);
  for (guint i = 0; i < 2; i++)
    {
      Client *client = i == 0 ? c.b : c.b2;
      g_autoptr (JsonObject) first = client_pop (client), other = client_pop (client);
      JsonObject *general = json_id (first, "channel_id") == c.channel ? first : other;
      g_assert_cmpint (json_object_get_int_member (general, "channel_unread"), ==, 5);
      g_assert_cmpint (json_object_get_int_member (general, "mentions"), ==, 1);
      g_assert_cmpint (json_object_get_int_member (first, "server_unread"), ==, 6);
      g_assert_cmpint (json_object_get_int_member (other, "server_unread"), ==, 6);
      client_assert_silent (client);
    }
  chat_fixture_advance (f, LATER);
  client_assert_silent (c.b);
}

static void
test_own (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("Who writes has read: their own numbers do not go up, and what they know is not told again.");
  make (f, &c);
  say (c.b, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  assert_told (c.a, c.server, c.channel, 1, 0, 1, 0);
  assert_told (c.b, c.server, c.channel, 0, 0, 0, 0);
  assert_told (c.b2, c.server, c.channel, 0, 0, 0, 0);
  say (c.b, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  assert_told (c.a, c.server, c.channel, 2, 0, 2, 0);
  client_assert_silent (c.b);
  client_assert_silent (c.b2);
  say (c.a, c.channel, "hi @bob");
  chat_fixture_advance (f, LATER);
  assert_told (c.a, c.server, c.channel, 0, 0, 0, 0);
  assert_told (c.b2, c.server, c.channel, 1, 1, 1, 1);
}

static void
test_read_at_once (ChatFixture *f, gconstpointer data)
{
  Community c;
  gint64 second = 0;
  g_autoptr (JsonObject) reply = NULL, back = NULL;
  g_test_summary ("001-3: reading in one tab is told to all tabs at once, and never goes back.");
  make (f, &c);
  for (guint i = 0; i < 4; i++)
    {
      gint64 id = say (c.a, c.channel, "@bob");
      second = i == 1 ? id : second;
    }
  chat_fixture_advance (f, LATER);
  assert_told (c.b, c.server, c.channel, 4, 4, 4, 4);
  assert_told (c.b2, c.server, c.channel, 4, 4, 4, 4);
  reply = client_ask (c.b2, "mark_read", "\"channel_id\":\"" ID "\",\"message_id\":\"" ID "\"", c.channel, second);
  g_assert_cmpint (json_object_get_int_member (reply, "unread"), ==, 2);
  assert_told (c.b, c.server, c.channel, 2, 2, 2, 2);
  assert_told (c.b2, c.server, c.channel, 2, 2, 2, 2);
  client_do (c.b, "mark_read", "\"channel_id\":\"" ID "\"", c.channel);
  assert_told (c.b, c.server, c.channel, 0, 0, 0, 0);
  assert_told (c.b2, c.server, c.channel, 0, 0, 0, 0);
  back = client_ask (c.b, "mark_read", "\"channel_id\":\"" ID "\",\"message_id\":\"" ID "\"", c.channel, second);
  g_assert_cmpint (json_object_get_int_member (back, "unread"), ==, 0);
  chat_fixture_advance (f, LATER);
  client_assert_silent (c.b);
  client_assert_silent (c.b2);
  json_object_unref (client_pop_type (c.a, "unread"));
  client_assert_silent (c.a);
}

static void
test_server_at_once (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A whole server can be read, with what one may not see in it left as it is.");
  make (f, &c);
  say (c.a, c.channel, "hi");
  say (c.a, c.second, "hi @bob");
  say (c.a, c.secret, "psst");
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "unread"));
  json_object_unref (client_pop_type (c.b, "unread"));
  client_assert_silent (c.b);
  reply = client_ask (c.b, "mark_read", "\"server_id\":\"" ID "\"", c.server);
  g_assert_cmpint (json_object_get_int_member (reply, "unread"), ==, 0);
  assert_told_all (c.b, c.server, 0, 0);
  client_do (c.b, "mark_read", "\"server_id\":\"" ID "\"", c.server);
  client_assert_silent (c.b);
  g_assert_cmpint (chat_fixture_count (f, "SELECT count(*) FROM read_marks"), ==, 5);
  client_refused (c.b, HARK_ERROR_BAD_REQUEST, "channel_id", "mark_read", "%s", "");
  client_refused (c.b, HARK_ERROR_BAD_REQUEST, "server_id", "mark_read",
                  "\"server_id\":\"" ID "\",\"channel_id\":\"" ID "\"", c.server, c.channel);
  client_refused (c.b, HARK_ERROR_BAD_REQUEST, "message_id", "mark_read",
                  "\"server_id\":\"" ID "\",\"message_id\":\"1\"", c.server);
  client_refused (c.b, HARK_ERROR_NOT_FOUND, "server_id", "mark_read", "\"server_id\":\"1\"");
}

static void
test_who (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *eve, *elsewhere;
  g_test_summary ("Only sessions that have the server loaded are told, and nothing of channels they may not see.");
  make (f, &c);
  chat_fixture_join (f, c.server, c.eve);
  eve = chat_fixture_connect (f, c.eve);
  elsewhere = chat_fixture_connect (f, c.bob);
  say (c.a, c.channel, "hi");
  say (c.a, c.secret, "psst");
  chat_fixture_advance (f, LATER);
  client_assert_silent (eve);
  client_assert_silent (elsewhere);
  assert_told (c.b, c.server, c.channel, 1, 0, 1, 0);
  client_assert_silent (c.b);
  client_do (c.b, "forget", "\"servers\":[\"" ID "\"]", c.server);
  say (c.a, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  client_assert_silent (c.b);
  json_object_unref (client_pop_type (c.b2, "unread"));
  assert_told (c.b2, c.server, c.channel, 2, 0, 2, 0);
}

static void
test_rights (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("Gaining and losing a channel changes the numbers of those who gain and lose it.");
  make (f, &c);
  g_free (chat_fixture_call (f, "grant_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.secret, c.bob));
  say (c.a, c.secret, "psst");
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "show_channel"));
  for (guint i = 0; i < 2 && !g_queue_is_empty (&c.b->unread); i++)
    json_object_unref (client_pop_type (c.b, "unread"));
  g_free (chat_fixture_call (f, "revoke_channel", "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.secret, c.bob));
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "hide_channel"));
  assert_told_all (c.b, c.server, 0, 0);
  client_assert_silent (c.b);
  g_free (chat_fixture_call (f, "update_channel", "\"channel_id\":\"" ID "\",\"private\":false", c.secret));
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "show_channel"));
  assert_told_all (c.b, c.server, 1, 1);
  say (c.a, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  assert_told (c.b, c.server, c.channel, 1, 0, 2, 0);
  g_free (chat_fixture_call (f, "delete_channel", "\"channel_id\":\"" ID "\"", c.secret));
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "hide_channel"));
  assert_told_all (c.b, c.server, 1, 1);
}

static void
test_bound (ChatFixture *f, gconstpointer data)
{
  Community c;
  HarkCounter *dropped;
  g_autoptr (JsonObject) event = NULL;
  g_test_summary ("What waits to be told is bounded; what is over it is counted, and told with the next change.");
  f->limits.unread_pending = 1;
  chat_fixture_stop (f);
  chat_fixture_start (f);
  make (f, &c);
  say (c.a, c.channel, "hi");
  say (c.a, c.second, "hi");
  chat_fixture_advance (f, LATER);
  event = client_pop_type (c.b, "unread");
  g_assert_cmpint (json_id (event, "channel_id"), ==, c.channel);
  g_assert_cmpint (json_object_get_int_member (event, "server_unread"), ==, 2);
  client_assert_silent (c.b);
  dropped = hark_metrics_counter (f->metrics, "hark_unread_dropped_total",
                                  "Changes of unread numbers not told because too many were waiting.");
  g_assert_cmpint (hark_counter_get (dropped), ==, 1);
  say (c.a, c.second, "hi");
  chat_fixture_advance (f, LATER);
  assert_told (c.b, c.server, c.second, 2, 0, 3, 0);
}

static void
test_stale_snapshot (ChatFixture *f, gconstpointer data)
{
  Community c;
  Client *tab;
  JsonArray *channels;
  g_autoptr (JsonObject) reply = NULL;
  g_test_summary ("A tab whose numbers were read before another tab read is told again: it does not stay behind.");
  make (f, &c);
  say (c.a, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.b, "unread"));
  json_object_unref (client_pop_type (c.b2, "unread"));
  tab = chat_fixture_connect (f, c.bob);
  step_store_hold (f->steps, TRUE);
  client_say (tab, "{\"type\":\"get_server_channels\",\"ref\":1,\"server_id\":\"" ID "\"}", c.server);
  g_assert_cmpuint (step_store_begin_reads (f->steps), ==, 1);
  chat_fixture_settle (f);
  /* The tab's reply is read; now the mark is written and told, and then the reply is delivered. */
  client_say (c.b, "{\"type\":\"mark_read\",\"ref\":1,\"channel_id\":\"" ID "\"}", c.channel);
  chat_fixture_settle (f);
  g_assert_cmpuint (step_store_publish_one (f->steps), ==, 1);
  g_assert_cmpuint (step_store_begin_reads (f->steps), ==, 1);
  chat_fixture_settle (f);
  step_store_deliver_last_read (f->steps);
  assert_told (c.b2, c.server, c.channel, 0, 0, 0, 0);
  client_assert_silent (tab);
  step_store_hold (f->steps, FALSE);
  chat_fixture_settle (f);
  reply = client_pop_type (tab, "get_server_channels");
  channels = json_object_get_array_member (reply, "channels");
  g_assert_cmpint (json_object_get_int_member (json_array_get_object_element (channels, 0), "unread"), ==, 1);
  assert_told_all (tab, c.server, 0, 0);
  client_assert_silent (tab);
}

static void
test_slow (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("A session that is too slow for what it is told ends like any other, its user's last one too.");
  make (f, &c);
  client_do (c.b, "forget", "\"servers\":[\"" ID "\"]", c.server);
  say (c.a, c.channel, "hi");
  say (c.a, c.second, "hi");
  HARK_TRANSPORT (c.b2->transport)->max_outbox = 1;
  chat_fixture_advance (f, LATER);
  g_assert_cmpuint (client_get_close_code (c.b2), ==, HARK_CLOSE_SLOW);
  client_hang_up (c.b);
  say (c.a, c.channel, "hi");
  chat_fixture_advance (f, LATER);
  json_object_unref (client_pop_type (c.a, "unread"));
  HARK_TRANSPORT (c.a->transport)->max_outbox = 1;
  g_free (chat_fixture_call (f, "add_member", "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", c.server, c.eve));
  c.b = chat_fixture_connect (f, c.eve);
  client_do (c.b, "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", c.channel);
  client_do (c.b, "message", "\"channel\":\"" ID "\",\"message\":\"hi\"", c.second);
  chat_fixture_advance (f, LATER);
  g_assert_cmpuint (client_get_close_code (c.a), ==, HARK_CLOSE_SLOW);
}

static void
test_busy_store (ChatFixture *f, gconstpointer data)
{
  Community c;
  g_test_summary ("Numbers that could not be read are read later.");
  make (f, &c);
  say (c.a, c.channel, "hi");
  step_store_hold (f->steps, TRUE);
  hark_fake_clock_advance (f->clock, LATER);
  step_store_hold (f->steps, FALSE);
  step_store_begin_reads (f->steps);
  chat_fixture_settle (f);
  step_store_deliver_reads (f->steps);
  chat_fixture_advance (f, LATER);
  assert_told (c.b, c.server, c.channel, 1, 0, 1, 0);
}

/* Everything at random, against counting. */

#define N_USERS 4
#define N_SERVERS 2
#define N_CHANNELS 3
#define N_MESSAGES 4000

typedef struct
{
  gint64 id;
  guint mentioned; /* bit per user */
  gboolean gone;
} Said;

typedef struct
{
  gint64 id;
  guint server;
  gboolean private;
  gboolean granted[N_USERS];
  guint read[N_USERS]; /* how many of the messages */
  GArray *said;
} Channel;

/* What a client believes. */
typedef struct
{
  Client *client;
  guint user;
  gint64 unread[N_SERVERS * N_CHANNELS];
  gint64 mentions[N_SERVERS * N_CHANNELS];
  gint64 server_unread[N_SERVERS];
  gint64 server_mentions[N_SERVERS];
} Cache;

typedef struct
{
  ChatFixture *f;
  GRand *rand;
  gint64 users[N_USERS];
  gint64 servers[N_SERVERS];
  gboolean member[N_SERVERS][N_USERS];
  Channel channels[N_SERVERS * N_CHANNELS];
  Cache caches[N_USERS + 1];
  Cache away; /* asks for what has changed, now and then */
  gint64 away_rev;
} World;

static gboolean
may_see (World *w, const Channel *channel, guint user)
{
  return w->member[channel->server][user] && (!channel->private || user == 0 || channel->granted[user]);
}

static void
count (World *w, guint user, guint i, gint64 *unread, gint64 *mentions)
{
  Channel *channel = &w->channels[i];
  *unread = *mentions = 0;
  for (guint j = channel->read[user]; may_see (w, channel, user) && j < channel->said->len; j++)
    {
      const Said *said = &g_array_index (channel->said, Said, j);
      *unread += !said->gone;
      *mentions += !said->gone && (said->mentioned & 1u << user) != 0;
    }
}

static guint
find_channel (World *w, gint64 id)
{
  for (guint i = 0; i < G_N_ELEMENTS (w->channels); i++)
    if (w->channels[i].id == id)
      return i;
  g_assert_not_reached ();
}

static guint
find_server (World *w, gint64 id)
{
  return id == w->servers[0] ? 0 : 1;
}

static void
clear_server (Cache *cache, guint server)
{
  for (guint i = server * N_CHANNELS; i < (server + 1) * N_CHANNELS; i++)
    cache->unread[i] = cache->mentions[i] = 0;
}

static void
apply_channels (World *w, Cache *cache, JsonArray *channels)
{
  for (guint i = 0; i < json_array_get_length (channels); i++)
    {
      JsonObject *row = json_array_get_object_element (channels, i);
      guint channel = find_channel (w, json_id (row, "channel_id"));
      cache->unread[channel] = json_object_get_int_member (row, "unread");
      cache->mentions[channel] = json_object_get_int_member (row, "mentions");
    }
}

static void
apply_unread (World *w, Cache *cache, JsonObject *event)
{
  guint server = find_server (w, json_id (event, "server_id"));
  if (json_object_has_member (event, "channel_id"))
    {
      guint channel = find_channel (w, json_id (event, "channel_id"));
      cache->unread[channel] = json_object_get_int_member (event, "channel_unread");
      cache->mentions[channel] = json_object_get_int_member (event, "mentions");
    }
  else
    {
      clear_server (cache, server);
      apply_channels (w, cache, json_object_get_array_member (event, "channels"));
    }
  cache->server_unread[server] = json_object_get_int_member (event, "server_unread");
  cache->server_mentions[server] = json_object_get_int_member (event, "server_mentions");
}

static void
apply (World *w, Cache *cache)
{
  JsonObject *next;
  while ((next = client_pop (cache->client)) != NULL)
    {
      g_autoptr (JsonObject) event = next;
      const char *type = json_object_get_string_member (event, "type");
      if (strcmp (type, "unread") == 0)
        apply_unread (w, cache, event);
      else if (strcmp (type, "hide_channel") == 0)
        cache->unread[find_channel (w, json_id (event, "id"))] = 0;
      else if (strcmp (type, "add_server") == 0 || strcmp (type, "remove_server") == 0)
        {
          guint server = find_server (w, json_id (event, "server_id"));
          clear_server (cache, server);
          cache->server_unread[server] = cache->server_mentions[server] = 0;
        }
    }
}

static void
assert_true_cache (World *w, const Cache *cache)
{
  for (guint server = 0; server < N_SERVERS; server++)
    {
      gint64 all = 0, all_mentions = 0;
      for (guint i = server * N_CHANNELS; i < (server + 1) * N_CHANNELS; i++)
        {
          gint64 unread, mentions;
          count (w, cache->user, i, &unread, &mentions);
          all += unread;
          all_mentions += mentions;
          if (!may_see (w, &w->channels[i], cache->user))
            continue;
          g_assert_cmpint (cache->unread[i], ==, unread);
          g_assert_cmpint (cache->mentions[i], ==, mentions);
        }
      if (!w->member[server][cache->user])
        continue;
      g_assert_cmpint (cache->server_unread[server], ==, all);
      g_assert_cmpint (cache->server_mentions[server], ==, all_mentions);
    }
}

/* Asks for all, or for what has changed. */
static void
ask (World *w, Cache *cache, gint64 since, gint64 *rev)
{
  g_autoptr (JsonObject) reply = since < 0 ? client_ask (cache->client, "get_unread", "%s", "")
                                           : client_ask (cache->client, "get_unread", "\"since\":" ID, since);
  JsonArray *servers = json_object_get_array_member (reply, since < 0 ? "servers" : "changed");
  if (since < 0)
    {
      clear_server (cache, 0);
      clear_server (cache, 1);
      memset (cache->server_unread, 0, sizeof cache->server_unread);
      memset (cache->server_mentions, 0, sizeof cache->server_mentions);
    }
  for (guint i = 0; i < json_array_get_length (servers); i++)
    {
      JsonObject *row = json_array_get_object_element (servers, i);
      guint server = find_server (w, json_id (row, "server_id"));
      cache->server_unread[server] = json_object_get_int_member (row, "unread");
      cache->server_mentions[server] = json_object_get_int_member (row, "mentions");
      apply_channels (w, cache, json_object_get_array_member (row, "channels"));
    }
  *rev = json_object_get_int_member (reply, "rev");
}

static void
make_world (World *w, ChatFixture *f)
{
  gint64 rev;
  memset (w, 0, sizeof *w);
  w->f = f;
  w->rand = g_rand_new_with_seed (g_test_rand_int ());
  for (guint i = 0; i < N_USERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("user%u", i);
      w->users[i] = chat_fixture_user (f, name);
    }
  for (guint i = 0; i < N_SERVERS; i++)
    {
      w->servers[i] = chat_fixture_server (f, w->users[0], "s");
      w->member[i][0] = TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (w->channels); i++)
    {
      Channel *channel = &w->channels[i];
      channel->server = i / N_CHANNELS;
      channel->private = i % N_CHANNELS == 2;
      channel->id = chat_fixture_channel (f, w->servers[channel->server], "c", channel->private);
      channel->said = g_array_new (FALSE, FALSE, sizeof (Said));
    }
  for (guint i = 0; i < G_N_ELEMENTS (w->caches); i++)
    {
      w->caches[i].user = i % N_USERS;
      w->caches[i].client = chat_fixture_connect (f, w->users[i % N_USERS]);
      client_do (w->caches[i].client, "get_servers", "%s", "");
    }
  w->away.user = 2;
  w->away.client = chat_fixture_connect (f, w->users[2]);
  ask (w, &w->away, -1, &rev);
  w->away_rev = rev;
}

static void
say_something (World *w, guint user, guint i)
{
  Channel *channel = &w->channels[i];
  Said said = { 0 };
  guint other = g_rand_int_range (w->rand, 0, N_USERS * 2);
  g_autofree char *text = g_strdup_printf ("hi @user%u", other);
  if (!may_see (w, channel, user))
    return;
  if (other < N_USERS && may_see (w, channel, other))
    said.mentioned = 1u << other;
  said.id = say (w->caches[user].client, channel->id, text);
  g_array_append_val (channel->said, said);
  channel->read[user] = channel->said->len;
}

static void
read_something (World *w, guint user, guint i)
{
  Channel *channel = &w->channels[i];
  Client *client = w->caches[user].client;
  guint how = g_rand_int_range (w->rand, 0, 3);
  if (!may_see (w, channel, user))
    return;
  if (how == 0)
    {
      client_do (client, "mark_read", "\"server_id\":\"" ID "\"", w->servers[channel->server]);
      for (guint j = channel->server * N_CHANNELS; j < (channel->server + 1) * N_CHANNELS; j++)
        if (may_see (w, &w->channels[j], user))
          w->channels[j].read[user] = w->channels[j].said->len;
    }
  else if (how == 1 || channel->said->len == 0)
    {
      client_do (client, "mark_read", "\"channel_id\":\"" ID "\"", channel->id);
      channel->read[user] = channel->said->len;
    }
  else
    {
      guint upto = g_rand_int_range (w->rand, 0, channel->said->len);
      const Said *said = &g_array_index (channel->said, Said, upto);
      if (said->gone)
        return;
      client_do (client, "mark_read", "\"channel_id\":\"" ID "\",\"message_id\":\"" ID "\"", channel->id, said->id);
      channel->read[user] = MAX (channel->read[user], upto + 1);
    }
}

static void
come_or_go (World *w, guint user, guint server)
{
  gboolean comes = !w->member[server][user];
  if (user == 0)
    return;
  g_free (chat_fixture_call (w->f, comes ? "add_member" : "kick_member",
                             "\"server_id\":\"" ID "\",\"user_id\":\"" ID "\"", w->servers[server], w->users[user]));
  w->member[server][user] = comes;
  for (guint i = server * N_CHANNELS; i < (server + 1) * N_CHANNELS; i++)
    {
      w->channels[i].granted[user] = FALSE;
      w->channels[i].read[user] = w->channels[i].said->len;
    }
}

static void
change_right (World *w, guint user, guint i)
{
  Channel *channel = &w->channels[i];
  gboolean could = may_see (w, channel, user), is_granted = channel->granted[user];
  if (user == 0 || g_rand_int_range (w->rand, 0, 4) == 0)
    {
      channel->private = !channel->private;
      g_free (chat_fixture_call (w->f, "update_channel", "\"channel_id\":\"" ID "\",\"private\":%s", channel->id,
                                 channel->private ? "true" : "false"));
      return;
    }
  if (!w->member[channel->server][user])
    return;
  g_free (chat_fixture_call (w->f, is_granted ? "revoke_channel" : "grant_channel",
                             "\"channel_id\":\"" ID "\",\"user_id\":\"" ID "\"", channel->id, w->users[user]));
  channel->granted[user] = !is_granted;
  if (!could && !is_granted)
    channel->read[user] = channel->said->len;
}

static void
delete_something (World *w, guint i)
{
  Channel *channel = &w->channels[i];
  Said *said;
  if (channel->said->len == 0)
    return;
  said = &g_array_index (channel->said, Said, g_rand_int_range (w->rand, 0, channel->said->len));
  if (said->gone)
    return;
  g_free (chat_fixture_call (w->f, "delete_message", "\"message_id\":\"" ID "\"", said->id));
  said->gone = TRUE;
}

static void
step (World *w)
{
  guint user = g_rand_int_range (w->rand, 0, N_USERS);
  guint channel = g_rand_int_range (w->rand, 0, G_N_ELEMENTS (w->channels));
  switch (g_rand_int_range (w->rand, 0, 10))
    {
    case 0:
    case 1:
      read_something (w, user, channel);
      break;
    case 2:
      come_or_go (w, user, w->channels[channel].server);
      break;
    case 3:
      change_right (w, user, channel);
      break;
    case 4:
      delete_something (w, channel);
      break;
    default:
      say_something (w, user, channel);
    }
}

static void
test_random (ChatFixture *f, gconstpointer data)
{
  World w;
  g_test_summary (
    "Whatever is said, read, deleted, joined, left, given and taken, what every tab was told, what is asked "
    "for and what has changed since are what counting gives.");
  make_world (&w, f);
  for (guint round = 0; round < 150; round++)
    {
      guint n = g_rand_int_range (w.rand, 1, 8);
      Cache fresh = { w.caches[round % N_USERS].client, round % N_USERS };
      gint64 rev;
      for (guint i = 0; i < n; i++)
        step (&w);
      chat_fixture_advance (f, LATER);
      for (guint i = 0; i < G_N_ELEMENTS (w.caches); i++)
        {
          apply (&w, &w.caches[i]);
          assert_true_cache (&w, &w.caches[i]);
        }
      ask (&w, &fresh, -1, &rev);
      assert_true_cache (&w, &fresh);
      if (round % 7 == 0)
        {
          ask (&w, &w.away, w.away_rev, &w.away_rev);
          assert_true_cache (&w, &w.away);
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (w.channels); i++)
    g_array_unref (w.channels[i].said);
  g_rand_free (w.rand);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/unread/together", test_together);
  ADD ("/unread/own", test_own);
  ADD ("/unread/read-at-once", test_read_at_once);
  ADD ("/unread/server-at-once", test_server_at_once);
  ADD ("/unread/who", test_who);
  ADD ("/unread/rights", test_rights);
  ADD ("/unread/bound", test_bound);
  ADD ("/unread/stale-snapshot", test_stale_snapshot);
  ADD ("/unread/slow", test_slow);
  ADD ("/unread/busy-store", test_busy_store);
  ADD ("/unread/random", test_random);
  return g_test_run ();
}
