/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of new connections from the front's thread into the hub's: a queue under a lock and a source in the hub's
 * context, woken once for as many as come while it sleeps. A turn takes a number of them and no more, so that a storm
 * of reconnects does not hold up the messages of those who are connected.
 */
#include "transport/upgrade-queue.h"

#define PER_TURN 32

struct _HarkUpgradeQueue
{
  GObject parent_instance;
  GSource *source; /* (owned) (nullable): in the hub's context */
  HarkUpgradeFunc func;
  gpointer data;
  guint max_waiting;
  GMutex lock;
  GQueue waiting; /* (element-type HarkUpgrade) (owned) */
};

G_DEFINE_FINAL_TYPE (HarkUpgradeQueue, hark_upgrade_queue, G_TYPE_OBJECT)

static HarkUpgrade *
pop (HarkUpgradeQueue *self)
{
  HarkUpgrade *upgrade;
  g_mutex_lock (&self->lock);
  upgrade = g_queue_pop_head (&self->waiting);
  g_mutex_unlock (&self->lock);
  return upgrade;
}

static gboolean
on_woken (gpointer data)
{
  g_autoptr (HarkUpgradeQueue) self = g_object_ref (data);
  HarkUpgrade *upgrade;
  g_source_set_ready_time (self->source, -1);
  for (guint i = 0; self->source != NULL && i < PER_TURN; i++)
    {
      upgrade = pop (self);
      if (upgrade == NULL)
        return G_SOURCE_CONTINUE;
      self->func (upgrade, self->data);
    }
  if (self->source != NULL)
    g_source_set_ready_time (self->source, 0);
  return G_SOURCE_CONTINUE;
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs source_funcs = { NULL, NULL, source_dispatch, NULL };

static void
hark_upgrade_queue_dispose (GObject *object)
{
  hark_upgrade_queue_stop (HARK_UPGRADE_QUEUE (object));
  G_OBJECT_CLASS (hark_upgrade_queue_parent_class)->dispose (object);
}

static void
hark_upgrade_queue_finalize (GObject *object)
{
  HarkUpgradeQueue *self = HARK_UPGRADE_QUEUE (object);
  g_queue_clear_full (&self->waiting, (GDestroyNotify)hark_upgrade_free);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (hark_upgrade_queue_parent_class)->finalize (object);
}

static void
hark_upgrade_queue_class_init (HarkUpgradeQueueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = hark_upgrade_queue_dispose;
  G_OBJECT_CLASS (klass)->finalize = hark_upgrade_queue_finalize;
}

static void
hark_upgrade_queue_init (HarkUpgradeQueue *self)
{
  g_mutex_init (&self->lock);
}

/**
 * hark_upgrade_queue_new:
 * @context: (nullable): the hub's
 * @max_waiting: at how many the front lets no more upgrade
 * @func: called in @context's thread for each
 */
HarkUpgradeQueue *
hark_upgrade_queue_new (GMainContext *context, guint max_waiting, HarkUpgradeFunc func, gpointer data)
{
  HarkUpgradeQueue *self = g_object_new (HARK_TYPE_UPGRADE_QUEUE, NULL);
  self->max_waiting = max_waiting;
  self->func = func;
  self->data = data;
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_static_name (self->source, "hark-upgrades");
  g_source_set_callback (self->source, on_woken, self, NULL);
  g_source_attach (self->source, context);
  return self;
}

/* From any thread. */
gboolean
hark_upgrade_queue_is_full (HarkUpgradeQueue *self)
{
  gboolean full;
  g_mutex_lock (&self->lock);
  full = self->waiting.length >= self->max_waiting;
  g_mutex_unlock (&self->lock);
  return full;
}

/* @upgrade: (transfer full). From any thread; never refused, see hark_upgrade_queue_is_full (). */
void
hark_upgrade_queue_push (HarkUpgradeQueue *self, HarkUpgrade *upgrade)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->waiting, upgrade);
  if (self->waiting.length == 1 && self->source != NULL)
    g_source_set_ready_time (self->source, 0);
  g_mutex_unlock (&self->lock);
}

/* In the hub's thread: @func is not called any more, and what waits is closed at the latest with the queue. */
void
hark_upgrade_queue_stop (HarkUpgradeQueue *self)
{
  GSource *source;
  g_mutex_lock (&self->lock);
  source = g_steal_pointer (&self->source);
  g_mutex_unlock (&self->lock);
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}
