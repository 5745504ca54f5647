/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What it costs to remember who has loaded whom: a hub with ten thousand sessions, each of which has loaded a page of
 * members of ten thousand users, and what a change of one of those users costs on its way to those who have. The
 * memory is held to a limit, because it is no matter of how busy the machine is; the times are for reading.
 */
#include "core/hub.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define N_SESSIONS 10000
#define N_USERS 10000
#define PAGE 64
#define N_SUBSCRIPTIONS 3
#define N_CHANNELS 500
#define EVENTS_A_TURN 16
#define ROUNDS 5

/* Bytes for a (session, user) pair at most. */
#define LIMIT 64

/* A client that reads whatever it is sent, at once. */

typedef struct
{
  HarkTransport parent_instance;
  GPtrArray *awake; /* (element-type SinkTransport), unowned: the bench's */
} SinkTransport;

typedef HarkTransportClass SinkTransportClass;

static GType sink_transport_get_type (void);
G_DEFINE_FINAL_TYPE (SinkTransport, sink_transport, HARK_TYPE_TRANSPORT)

static void
sink_wake (HarkTransport *transport)
{
  transport->awake = TRUE;
  g_ptr_array_add (((SinkTransport *)transport)->awake, transport);
}

static void
sink_close (HarkTransport *transport, guint code, const char *reason)
{
}

static void
sink_set_reading (HarkTransport *transport, gboolean reading)
{
}

static char *
sink_dup_address (HarkTransport *transport)
{
  return g_strdup ("");
}

static void
sink_transport_class_init (SinkTransportClass *klass)
{
  klass->name = "sink";
  klass->wake = sink_wake;
  klass->close = sink_close;
  klass->set_reading = sink_set_reading;
  klass->dup_address = sink_dup_address;
}

static void
sink_transport_init (SinkTransport *self)
{
}

typedef struct
{
  GObject parent_instance;
} MuteProtocol;

typedef GObjectClass MuteProtocolClass;

static void
mute_receive (HarkProtocol *protocol, HarkSession *session, const guint8 *data, gsize len, gboolean binary)
{
}

static void
protocol_iface_init (HarkProtocolInterface *iface)
{
  iface->name = "mute";
  iface->receive = mute_receive;
}

static GType mute_protocol_get_type (void);
G_DEFINE_FINAL_TYPE_WITH_CODE (MuteProtocol, mute_protocol, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (HARK_TYPE_PROTOCOL, protocol_iface_init))

static void
mute_protocol_class_init (MuteProtocolClass *klass)
{
}

static void
mute_protocol_init (MuteProtocol *self)
{
}

static void
append_event (const HarkWire *wire, HarkBuilder *out, const HarkEvent *event)
{
  hark_builder_append (out, event->json, event->len);
}

static void
append_reply (const HarkWire *wire, HarkBuilder *out, HarkCommand *command, const char *json, gsize len)
{
  hark_builder_append (out, json, len);
}

static const HarkWire wire = { 0, "plain", append_event, append_reply };

/* Figures. */

typedef struct
{
  gint64 resident; /* bytes */
  gint64 in_use;   /* bytes given out by malloc */
} Memory;

static Memory
read_memory (void)
{
  Memory memory = { 0, 0 };
  struct mallinfo2 info;
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;
  malloc_trim (0);
  info = mallinfo2 ();
  memory.in_use = info.uordblks + info.hblkhd;
  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    {
      fields = g_strsplit (text, " ", 3);
      memory.resident = g_ascii_strtoll (fields[1], NULL, 10) * sysconf (_SC_PAGESIZE);
    }
  return memory;
}

static void
print_memory (const char *what, const Memory *before, const Memory *after, double n, int limit)
{
  char text[16] = "";
  if (limit > 0)
    g_snprintf (text, sizeof text, "%d", limit);
  printf ("| %s | %.1f | %.1f | %s |\n", what, (after->in_use - before->in_use) / n,
          (after->resident - before->resident) / n, text);
}

static double
cpu_ns (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

/* The hub. */

typedef struct
{
  HarkClock *clock;
  HarkMetrics *metrics;
  HarkTurn *turn;
  HarkDispatcher *dispatcher;
  HarkIds *ids;
  HarkProtocol *protocol;
  HarkHub *hub;
  GPtrArray *awake;    /* (element-type SinkTransport) */
  GPtrArray *sessions; /* (element-type HarkSession) */
  GRand *rand;
} Bench;

static void
bench_init (Bench *b)
{
  HarkHubLimits limits = HARK_HUB_LIMITS_DEFAULT;
  b->clock = hark_clock_new ();
  b->metrics = hark_metrics_new ();
  b->turn = hark_turn_new (NULL);
  b->dispatcher = hark_dispatcher_new (NULL, b->metrics);
  b->ids = hark_ids_new (b->clock);
  b->protocol = g_object_new (mute_protocol_get_type (), NULL);
  b->hub = hark_hub_new (b->turn, b->dispatcher, b->clock, b->ids, b->metrics, &limits);
  b->awake = g_ptr_array_sized_new (N_SESSIONS);
  b->sessions = g_ptr_array_sized_new (N_SESSIONS);
  b->rand = g_rand_new_with_seed (64);
}

static void
bench_clear (Bench *b)
{
  g_rand_free (b->rand);
  g_ptr_array_unref (b->sessions);
  g_ptr_array_unref (b->awake);
  g_assert_finalize_object (b->hub);
  g_assert_finalize_object (b->protocol);
  g_assert_finalize_object (b->ids);
  g_assert_finalize_object (b->dispatcher);
  g_assert_finalize_object (b->turn);
  g_assert_finalize_object (b->metrics);
  g_assert_finalize_object (b->clock);
}

static void
connect_all (Bench *b)
{
  for (gint64 user = 1; user <= N_SESSIONS; user++)
    {
      g_autoptr (HarkIdentity) identity = hark_identity_new (user, "ann", 0, 0, HARK_IDENTITY_NONE);
      SinkTransport *transport = g_object_new (sink_transport_get_type (), NULL);
      g_autoptr (HarkSession) session
        = hark_session_new (b->hub, HARK_TRANSPORT (transport), b->protocol, &wire, identity);
      transport->awake = b->awake;
      hark_session_open (session);
      g_ptr_array_add (b->sessions, session);
    }
  g_assert_cmpuint (hark_hub_get_n_sessions (b->hub), ==, N_SESSIONS);
}

/* A page of members: different users anywhere among all, so that a user is loaded by about as many sessions. */
static void
load_page (Bench *b, HarkSession *session)
{
  gint64 ids[PAGE];
  g_autoptr (GHashTable) taken = g_hash_table_new (g_int64_hash, g_int64_equal);
  for (guint i = 0; i < PAGE; i++)
    {
      do
        ids[i] = g_rand_int_range (b->rand, 1, N_USERS + 1);
      while (g_hash_table_contains (taken, &ids[i]));
      g_hash_table_add (taken, &ids[i]);
    }
  g_assert_true (hark_hub_load (b->hub, session, ids, PAGE, -1, NULL));
}

static void
subscribe_some (Bench *b, HarkSession *session, guint position)
{
  for (guint i = 0; i < N_SUBSCRIPTIONS; i++)
    {
      HarkTopic topic = hark_topic (HARK_TOPIC_CHANNEL, 1 + (position + i * 7) % N_CHANNELS);
      g_assert_nonnull (hark_hub_subscribe (b->hub, session, &topic, 0, -1, NULL));
    }
}

static void
drain (Bench *b)
{
  for (guint i = 0; i < b->awake->len; i++)
    {
      HarkTransport *transport = b->awake->pdata[i];
      transport->awake = FALSE;
      hark_outbox_consume (&transport->outbox, transport->outbox.bytes);
    }
  g_ptr_array_set_size (b->awake, 0);
}

/* One change of each user. Returns: CPU in ns, from publishing to outboxes */
static double
change_users (Bench *b)
{
  static const char json[] = "{\"type\":\"user_status_change\",\"user_id\":\"1234567\",\"status\":\"idle\",\"seq\":17}";
  double sum = 0;
  for (gint64 user = 1; user <= N_USERS;)
    {
      double start = cpu_ns ();
      for (guint i = 0; i < EVENTS_A_TURN && user <= N_USERS; i++, user++)
        {
          HarkTopic topic = hark_topic (HARK_TOPIC_USER, user);
          g_autoptr (HarkEvent) event = hark_event_new (&topic, 0, 0, "user_status_change", json, sizeof json - 1);
          hark_hub_publish (b->hub, event);
        }
      hark_turn_end (b->turn);
      sum += cpu_ns () - start;
      drain (b);
    }
  return sum;
}

static double
measure_changes (Bench *b, double *per_event)
{
  HarkCounter *deliveries = hark_metrics_counter (b->metrics, "hark_deliveries_total", "");
  double best = 0;
  gint64 n = 0;
  for (guint round = 0; round < ROUNDS; round++)
    {
      gint64 before = hark_counter_get (deliveries);
      double ns = change_users (b);
      n = hark_counter_get (deliveries) - before;
      best = round == 0 ? ns : MIN (best, ns);
    }
  g_assert_cmpint (n, ==, (gint64)N_SESSIONS * PAGE);
  *per_event = best / N_USERS;
  return best / n;
}

int
main (void)
{
  Bench bench = { 0 };
  Memory empty, connected, loaded, subscribed;
  double per_pair, per_event, per_delivery;
  bench_init (&bench);
  empty = read_memory ();
  connect_all (&bench);
  connected = read_memory ();
  for (guint i = 0; i < bench.sessions->len; i++)
    load_page (&bench, bench.sessions->pdata[i]);
  loaded = read_memory ();
  for (guint i = 0; i < bench.sessions->len; i++)
    subscribe_some (&bench, bench.sessions->pdata[i], i);
  subscribed = read_memory ();
  per_delivery = measure_changes (&bench, &per_event);

  printf ("%d sessions, each with %d of %d users loaded, bytes\n", N_SESSIONS, PAGE, N_USERS);
  printf ("| of | in use | resident | limit |\n| --- | --- | --- | --- |\n");
  print_memory ("a session and its bare transport", &empty, &connected, N_SESSIONS, 0);
  print_memory ("a (session, user) pair", &connected, &loaded, (double)N_SESSIONS * PAGE, LIMIT);
  print_memory ("a session's three subscriptions", &loaded, &subscribed, N_SESSIONS, 0);
  printf ("\na change of a user to the %d who have loaded it, CPU\n", PAGE);
  printf ("| of | ns |\n| --- | --- |\n| an event | %.0f |\n| a delivery | %.1f |\n", per_event, per_delivery);

  per_pair = (double)MAX (loaded.resident - connected.resident, loaded.in_use - connected.in_use)
             / ((double)N_SESSIONS * PAGE);
  bench_clear (&bench);
  if (per_pair <= LIMIT)
    return 0;
  fprintf (stderr, "a (session, user) pair takes %.1f bytes, more than %d\n", per_pair, LIMIT);
  return 1;
}
