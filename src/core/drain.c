/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing all sessions without all of them coming back at once: they are closed one after another, spread evenly over a
 * time and in no order that anybody could know, and each is told another moment at which to come back.
 */
#include "core/drain.h"

#include "base/error.h"
#include "base/json-writer.h"

/* How often it is looked who is due, at least and at most. */
#define MIN_TICK_MS 10
#define MAX_TICK_MS 1000

/* What everybody waits at least before coming back. */
#define MIN_RETRY_MS 1000

#define KIND "restart"

struct _HarkDrain
{
  GObject parent_instance;
  HarkHub *hub;     /* unowned: outlives us */
  HarkClock *clock; /* (owned) */
  GArray *ids;      /* (element-type gint64) (owned): of sessions that are still to be closed */
  guint n_sessions; /* when it began */
  gint64 began;     /* microseconds, monotonic */
  gint64 over_ms;
  gboolean active;
  guint timeout_id;
  HarkGauge *n_left;
};

G_DEFINE_FINAL_TYPE (HarkDrain, hark_drain, G_TYPE_OBJECT)

enum
{
  PROP_ACTIVE = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void
hark_drain_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_ACTIVE:
      g_value_set_boolean (value, HARK_DRAIN (object)->active);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
hark_drain_finalize (GObject *object)
{
  HarkDrain *self = HARK_DRAIN (object);
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_clear_object (&self->clock);
  g_array_unref (self->ids);
  G_OBJECT_CLASS (hark_drain_parent_class)->finalize (object);
}

static void
hark_drain_class_init (HarkDrainClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = hark_drain_get_property;
  object_class->finalize = hark_drain_finalize;
  props[PROP_ACTIVE] = g_param_spec_boolean ("active", NULL, NULL, FALSE,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
hark_drain_init (HarkDrain *self)
{
  self->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
}

HarkDrain *
hark_drain_new (HarkHub *hub, HarkMetrics *metrics)
{
  HarkDrain *self = g_object_new (HARK_TYPE_DRAIN, NULL);
  self->hub = hub;
  self->clock = g_object_ref (hark_hub_get_clock (hub));
  self->n_left = hark_metrics_gauge (metrics, "hark_drain_left", "Sessions that a drain has yet to close.");
  return self;
}

/* The event is for clients that know it, the close frame's reason for those that look there. */
static void
close_one (HarkDrain *self, HarkSession *session)
{
  guint retry_ms = MIN_RETRY_MS + g_random_double () * MAX (self->over_ms, MIN_RETRY_MS);
  g_autofree char *reason = g_strdup_printf ("{\"retry_after_ms\":%u}", retry_ms);
  g_auto (HarkJsonWriter) json = { 0 };
  const char *text;
  gsize len;
  hark_json_writer_init (&json, 0);
  hark_json_writer_begin_object (&json);
  hark_json_writer_member_string (&json, "type", KIND);
  hark_json_writer_member_int (&json, "retry_after_ms", retry_ms);
  hark_json_writer_end_object (&json);
  text = hark_json_writer_peek (&json, &len);
  g_object_ref (session);
  hark_session_send_json (session, KIND, text, len);
  hark_session_close (session, HARK_CLOSE_RESTART, reason);
  g_object_unref (session);
}

static guint
count_due (HarkDrain *self)
{
  gint64 passed_ms = (hark_clock_get_monotonic (self->clock) - self->began) / 1000;
  if (passed_ms >= self->over_ms)
    return self->n_sessions;
  return self->n_sessions * passed_ms / self->over_ms;
}

/* Those who came in while it was told that nobody may are closed with the last. */
static void
close_rest (HarkDrain *self)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (self->hub);
  for (guint i = 0; i < sessions->len; i++)
    close_one (self, sessions->pdata[i]);
}

static gboolean
on_tick (gpointer data)
{
  g_autoptr (HarkDrain) self = g_object_ref (data);
  guint due = count_due (self);
  while (self->ids->len > 0 && self->n_sessions - self->ids->len < due)
    {
      HarkSession *session = hark_hub_get_session (self->hub, g_array_index (self->ids, gint64, self->ids->len - 1));
      g_array_set_size (self->ids, self->ids->len - 1);
      if (session != NULL)
        close_one (self, session);
    }
  hark_gauge_set (self->n_left, self->ids->len);
  if (self->ids->len > 0)
    return G_SOURCE_CONTINUE;
  self->timeout_id = 0;
  close_rest (self);
  return G_SOURCE_REMOVE;
}

static void
set_active (HarkDrain *self, gboolean active)
{
  if (self->active == active)
    return;
  self->active = active;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ACTIVE]);
}

static void
shuffle (GArray *ids)
{
  for (guint i = ids->len; i > 1; i--)
    {
      guint j = g_random_int_range (0, i);
      gint64 other = g_array_index (ids, gint64, j);
      g_array_index (ids, gint64, j) = g_array_index (ids, gint64, i - 1);
      g_array_index (ids, gint64, i - 1) = other;
    }
}

/**
 * hark_drain_start:
 * @over_ms: how long it takes until the last session is closed; one that is under way begins anew
 *
 * Begins to close all sessions, with 1012 and a time after which each should come back.
 *
 * Returns: how many sessions there are
 */
guint
hark_drain_start (HarkDrain *self, gint64 over_ms)
{
  g_autoptr (GPtrArray) sessions = hark_hub_dup_sessions (self->hub);
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_array_set_size (self->ids, 0);
  for (guint i = 0; i < sessions->len; i++)
    g_array_append_val (self->ids, ((HarkSession *)sessions->pdata[i])->id);
  shuffle (self->ids);
  self->n_sessions = sessions->len;
  self->over_ms = over_ms;
  self->began = hark_clock_get_monotonic (self->clock);
  hark_gauge_set (self->n_left, self->ids->len);
  set_active (self, TRUE);
  self->timeout_id
    = hark_clock_add_timeout (self->clock, CLAMP (over_ms / MAX (self->n_sessions, 1), MIN_TICK_MS, MAX_TICK_MS),
                              on_tick, self);
  return self->n_sessions;
}

/* Whoever is still there stays, and who comes is let in again. */
void
hark_drain_stop (HarkDrain *self)
{
  hark_clock_clear_timeout (self->clock, &self->timeout_id);
  g_array_set_size (self->ids, 0);
  hark_gauge_set (self->n_left, 0);
  set_active (self, FALSE);
}

gboolean
hark_drain_is_active (HarkDrain *self)
{
  return self->active;
}
