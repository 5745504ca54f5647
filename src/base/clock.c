/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real and fake time. Timeouts go through the clock too: a test that advances the fake clock by a minute has seen
 * every timeout of that minute, in order, without having waited for one.
 */
#include "base/clock.h"

#include <string.h>

G_DEFINE_TYPE (HarkClock, hark_clock, G_TYPE_OBJECT)

static gint64
real_get_monotonic (HarkClock *self)
{
  return g_get_monotonic_time ();
}

static gint64
real_get_real (HarkClock *self)
{
  return g_get_real_time () / 1000;
}

static guint
real_add_timeout (HarkClock *self, guint ms, GSourceFunc func, gpointer data)
{
  return g_timeout_add (ms, func, data);
}

static void
real_remove_timeout (HarkClock *self, guint id)
{
  g_source_remove (id);
}

static void
hark_clock_class_init (HarkClockClass *klass)
{
  klass->get_monotonic = real_get_monotonic;
  klass->get_real = real_get_real;
  klass->add_timeout = real_add_timeout;
  klass->remove_timeout = real_remove_timeout;
}

static void
hark_clock_init (HarkClock *self)
{
}

/**
 * hark_clock_new:
 *
 * Returns: (transfer full): the machine's clock
 */
HarkClock *
hark_clock_new (void)
{
  return g_object_new (HARK_TYPE_CLOCK, NULL);
}

gint64
hark_clock_get_monotonic (HarkClock *self)
{
  return HARK_CLOCK_GET_CLASS (self)->get_monotonic (self);
}

gint64
hark_clock_get_real_ms (HarkClock *self)
{
  return HARK_CLOCK_GET_CLASS (self)->get_real (self);
}

/**
 * hark_clock_add_timeout:
 * @ms: milliseconds until @func is called, and again while it returns %G_SOURCE_CONTINUE
 *
 * As g_timeout_add (), on the default main context. Returns: an id for hark_clock_remove_timeout ()
 */
guint
hark_clock_add_timeout (HarkClock *self, guint ms, GSourceFunc func, gpointer data)
{
  return HARK_CLOCK_GET_CLASS (self)->add_timeout (self, ms, func, data);
}

void
hark_clock_remove_timeout (HarkClock *self, guint id)
{
  HARK_CLOCK_GET_CLASS (self)->remove_timeout (self, id);
}

/* Removes the timeout when *@id is not 0, and makes it 0. */
void
hark_clock_clear_timeout (HarkClock *self, guint *id)
{
  if (*id != 0)
    {
      hark_clock_remove_timeout (self, *id);
      *id = 0;
    }
}

static void
put_digits (char *out, guint n, guint value)
{
  while (n > 0)
    {
      out[--n] = '0' + value % 10;
      value /= 10;
    }
}

/**
 * hark_time_format:
 * @real_ms: milliseconds since 1970-01-01 UTC, not before that and before the year 10000
 *
 * Writes RFC 3339 in UTC with milliseconds. Each message carries one, so this is done without GDateTime: days to civil
 * date by the algorithm of Howard Hinnant's chrono paper ("civil_from_days").
 */
void
hark_time_format (gint64 real_ms, char out[HARK_TIME_LEN])
{
  gint64 days = real_ms / 86400000;
  guint ms = real_ms % 86400000;
  gint64 z = days + 719468;
  gint64 era = z / 146097;
  guint doe = z - era * 146097;
  guint yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  guint doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  guint mp = (5 * doy + 2) / 153;
  guint day = doy - (153 * mp + 2) / 5 + 1;
  guint month = mp < 10 ? mp + 3 : mp - 9;
  guint year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  memcpy (out, "0000-00-00T00:00:00.000Z", HARK_TIME_LEN);
  put_digits (out, 4, year);
  put_digits (out + 5, 2, month);
  put_digits (out + 8, 2, day);
  put_digits (out + 11, 2, ms / 3600000);
  put_digits (out + 14, 2, ms / 60000 % 60);
  put_digits (out + 17, 2, ms / 1000 % 60);
  put_digits (out + 20, 3, ms % 1000);
}

/* The fake clock: time stands still until it is advanced. */

typedef struct
{
  guint id;
  gint64 due;  /* microseconds, on the fake monotonic clock */
  guint every; /* milliseconds */
  GSourceFunc func;
  gpointer data;
} FakeTimeout;

struct _HarkFakeClock
{
  HarkClock parent_instance;
  gint64 monotonic; /* microseconds */
  gint64 real_ms;
  guint last_id;
  GArray *timeouts; /* (element-type FakeTimeout) */
};

G_DEFINE_FINAL_TYPE (HarkFakeClock, hark_fake_clock, HARK_TYPE_CLOCK)

static gint64
fake_get_monotonic (HarkClock *clock)
{
  return HARK_FAKE_CLOCK (clock)->monotonic;
}

static gint64
fake_get_real (HarkClock *clock)
{
  return HARK_FAKE_CLOCK (clock)->real_ms;
}

static guint
fake_add_timeout (HarkClock *clock, guint ms, GSourceFunc func, gpointer data)
{
  HarkFakeClock *self = HARK_FAKE_CLOCK (clock);
  FakeTimeout timeout = { ++self->last_id, self->monotonic + (gint64)ms * 1000, ms, func, data };
  g_array_append_val (self->timeouts, timeout);
  return timeout.id;
}

static FakeTimeout *
find_timeout (HarkFakeClock *self, guint id, guint *index)
{
  for (guint i = 0; i < self->timeouts->len; i++)
    {
      FakeTimeout *timeout = &g_array_index (self->timeouts, FakeTimeout, i);
      if (timeout->id == id)
        {
          *index = i;
          return timeout;
        }
    }
  return NULL;
}

static void
fake_remove_timeout (HarkClock *clock, guint id)
{
  HarkFakeClock *self = HARK_FAKE_CLOCK (clock);
  guint index;
  if (find_timeout (self, id, &index) != NULL)
    g_array_remove_index (self->timeouts, index);
}

static void
hark_fake_clock_finalize (GObject *object)
{
  g_array_unref (HARK_FAKE_CLOCK (object)->timeouts);
  G_OBJECT_CLASS (hark_fake_clock_parent_class)->finalize (object);
}

static void
hark_fake_clock_class_init (HarkFakeClockClass *klass)
{
  HarkClockClass *clock_class = HARK_CLOCK_CLASS (klass);
  G_OBJECT_CLASS (klass)->finalize = hark_fake_clock_finalize;
  clock_class->get_monotonic = fake_get_monotonic;
  clock_class->get_real = fake_get_real;
  clock_class->add_timeout = fake_add_timeout;
  clock_class->remove_timeout = fake_remove_timeout;
}

static void
hark_fake_clock_init (HarkFakeClock *self)
{
  self->monotonic = G_USEC_PER_SEC;
  self->timeouts = g_array_new (FALSE, FALSE, sizeof (FakeTimeout));
}

/**
 * hark_fake_clock_new:
 * @real_ms: what the calendar shows, milliseconds since 1970-01-01 UTC
 *
 * Returns: (transfer full): a clock that moves only by hark_fake_clock_advance ()
 */
HarkFakeClock *
hark_fake_clock_new (gint64 real_ms)
{
  HarkFakeClock *self = g_object_new (HARK_TYPE_FAKE_CLOCK, NULL);
  self->real_ms = real_ms;
  return self;
}

/**
 * hark_fake_clock_advance:
 * @ms: milliseconds
 *
 * Moves time on, calling each timeout at its moment.
 */
void
hark_fake_clock_advance (HarkFakeClock *self, guint ms)
{
  gint64 end = self->monotonic + (gint64)ms * 1000;
  for (;;)
    {
      FakeTimeout *next = NULL;
      FakeTimeout due;
      guint index;
      for (guint i = 0; i < self->timeouts->len; i++)
        {
          FakeTimeout *timeout = &g_array_index (self->timeouts, FakeTimeout, i);
          if (timeout->due <= end && (next == NULL || timeout->due < next->due))
            next = timeout;
        }
      if (next == NULL)
        break;
      due = *next;
      next->due += MAX (1, (gint64)due.every) * 1000;
      self->real_ms += (due.due - self->monotonic) / 1000;
      self->monotonic = due.due;
      if (!due.func (due.data) && find_timeout (self, due.id, &index) != NULL)
        g_array_remove_index (self->timeouts, index);
    }
  self->real_ms += (end - self->monotonic) / 1000;
  self->monotonic = end;
}
