/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ids that sort by time: milliseconds since 2025 above twelve bits of counter. They stay below 2^53, because clients
 * of the Socket.IO kind write user ids as JavaScript numbers. On the native wire they are strings all the same.
 * May be called from any thread: the writer makes ids of what it stores, the hub those of sessions.
 */
#include "base/ids.h"

#define EPOCH_MS G_GINT64_CONSTANT (1735689600000) /* 2025-01-01T00:00:00Z */
#define COUNTER_BITS 12

struct _HarkIds
{
  GObject parent_instance;
  HarkClock *clock; /* (owned) */
  GMutex lock;      /* guards last */
  gint64 last;
};

G_DEFINE_FINAL_TYPE (HarkIds, hark_ids, G_TYPE_OBJECT)

static void
hark_ids_finalize (GObject *object)
{
  HarkIds *self = HARK_IDS (object);
  g_clear_object (&self->clock);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (hark_ids_parent_class)->finalize (object);
}

static void
hark_ids_class_init (HarkIdsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = hark_ids_finalize;
}

static void
hark_ids_init (HarkIds *self)
{
  g_mutex_init (&self->lock);
}

HarkIds *
hark_ids_new (HarkClock *clock)
{
  HarkIds *self = g_object_new (HARK_TYPE_IDS, NULL);
  self->clock = g_object_ref (clock);
  return self;
}

/**
 * hark_ids_next:
 *
 * Returns: an id greater than every one before, also when the calendar was set back: then, and when a millisecond's
 *   counter is used up, ids run ahead of the clock until it has caught up.
 */
gint64
hark_ids_next (HarkIds *self)
{
  /* Negative where nobody has set the calendar yet: then ids count from 1. */
  gint64 now = (hark_clock_get_real_ms (self->clock) - EPOCH_MS) * (1 << COUNTER_BITS);
  gint64 id;
  g_mutex_lock (&self->lock);
  self->last = MAX (now, self->last + 1);
  id = self->last;
  g_mutex_unlock (&self->lock);
  return id;
}

/**
 * hark_ids_seen:
 * @id: an id found in the store
 *
 * Makes later ids greater than @id.
 */
void
hark_ids_seen (HarkIds *self, gint64 id)
{
  g_mutex_lock (&self->lock);
  self->last = MAX (self->last, id);
  g_mutex_unlock (&self->lock);
}

/**
 * hark_id_format:
 *
 * Returns: the digits, which end where @out ends: a pointer into @out
 */
char *
hark_id_format (gint64 id, char out[HARK_ID_LEN])
{
  char *p = out + HARK_ID_LEN - 1;
  guint64 rest = id < 0 ? -(guint64)id : (guint64)id;
  *p = '\0';
  do
    *--p = '0' + rest % 10;
  while ((rest /= 10) > 0);
  if (id < 0)
    *--p = '-';
  return p;
}

/**
 * hark_id_parse:
 * @text: (array length=len): digits without sign or leading zero
 *
 * Returns: whether @text is an id
 */
gboolean
hark_id_parse (const char *text, gsize len, gint64 *id)
{
  gint64 value = 0;
  if (len == 0 || len > 16 || text[0] == '0')
    return FALSE;
  for (gsize i = 0; i < len; i++)
    {
      if (!g_ascii_isdigit (text[i]))
        return FALSE;
      value = value * 10 + (text[i] - '0');
    }
  *id = value;
  return TRUE;
}

/* The moment an id was made, in milliseconds since 1970-01-01 UTC. */
gint64
hark_id_get_time_ms (gint64 id)
{
  return (id >> COUNTER_BITS) + EPOCH_MS;
}

/* The least id that can have been made at a moment; what is made then or later is not less. */
gint64
hark_id_at_time_ms (gint64 real_ms)
{
  return MAX (real_ms - EPOCH_MS, 0) * (1 << COUNTER_BITS);
}
